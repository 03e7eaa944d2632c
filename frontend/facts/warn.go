package facts

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// warn tells the user of problems in MSBuild's answers that do not stop a build.
func (a *Asker) warn(ctx context.Context, questions []Question, descs []*dotnet.Description) {
	said := map[string]bool{}
	say := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if said[text] {
			return
		}
		said[text] = true
		a.req.Warn(ctx, text)
	}
	for i, desc := range descs {
		for _, c := range desc.Candidates {
			if c.Error != nil && desc.App != nil && c.Path != desc.App.Path {
				say("%s is left out, as MSBuild cannot evaluate it: %s", c.Path, c.Error.Message)
			}
		}
		for _, p := range desc.PassedOver(questions[i].Project.Path) {
			say("%s also targets other systems than Linux, so it is left out: if it is your app, name it in project", p)
		}
		if desc.App != nil {
			a.warnApp(desc.App, questions[i], say)
		}
	}
}

func (a *Asker) warnApp(app *dotnet.App, q Question, say func(format string, args ...any)) {
	mode := app.Mode
	if q.Project.Mode != nil {
		mode = *q.Project.Mode
	}
	if app.ByRuntimeIdentifier && !mode.PerPlatform() {
		say("the files of %s depend on RuntimeIdentifier, but mode %s sets none: set publish.mode to "+
			"self-contained, single-file or ready-to-run, which publish for each platform", app.Path, mode)
	}
	if app.KeepsDebug && a.req.Spec.Publish.Configuration == "" {
		say("%s is published in configuration Release, although it sets PublishRelease to false: set publish.configuration "+
			"to Debug or Release", app.Path)
	}
	if dotnet.IsSolution(q.Project.Path) {
		a.warnSolution(app, q.Project.Path, say)
	}
	for _, n := range app.Closure {
		for _, p := range n.Missing {
			if outside, err := filepath.Rel(xllb.SourceDir, p); path.IsAbs(p) && err == nil {
				say("%s references %s, which is outside of the context, so MSBuild builds without it: build from a folder "+
					"above", n.Path, outside)
				continue
			}
			say("%s references %s, which is not in the context, so MSBuild builds without it: look at "+
				".dockerignore, and at upper and lower case", n.Path, p)
		}
		if n.Unknown != "" && len(q.Project.Inputs) == 0 {
			say(mayReadAll, n.Path, n.Unknown)
		}
	}
}

// warnSolution tells what dotnet publish of a solution would obey. No command of a build names the solution.
func (a *Asker) warnSolution(app *dotnet.App, solution string, say func(format string, args ...any)) {
	beside := path.Join(path.Dir(solution), "MSBuild.rsp")
	if _, ok := a.Tree.Files[beside]; ok && !slices.Contains(app.Switches, beside) {
		say("the switches in %s, beside %s, have no effect on %s: write them to Directory.Build.rsp", beside,
			path.Base(solution), app.Path)
	}
	for _, name := range []string{"Directory.Solution.props", "Directory.Solution.targets"} {
		if file := a.Tree.Files.Nearest(solution, name); file != "" {
			say("%s has no effect on %s, because crosshull publishes the project and not %s: move what the app needs to "+
				"Directory.Build%s", file, app.Path, path.Base(solution), path.Ext(name))
		}
	}
}

const mayReadAll = "%s may read any file of the context, so each change compiles it again (%s): " +
	"list what it reads in publish.inputs"

// warnAgain tells which projects of an app may read all of the context. Only their packages, after the restore, show
// that.
func (a *Asker) warnAgain(ctx context.Context, before, after *dotnet.App) {
	for i, n := range after.Closure {
		if n.Unknown != "" && before.Closure[i].Unknown == "" {
			a.req.Warn(ctx, fmt.Sprintf(mayReadAll, n.Path, n.Unknown))
		}
	}
}
