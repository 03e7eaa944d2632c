package facts

import (
	"context"
	"fmt"
	"slices"

	"github.com/moby/buildkit/client/llb"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// More has the facts of a build that reads more after its restore. It is an error, because the output that was built
// without those files is not complete.
type More struct{ *Facts }

func (*More) Error() string { return "the build reads more than it was given" }

// Again asks MSBuild once more about apps that are restored together. Now MSBuild sees what packages bring into
// projects. more has the facts with all that the apps read; it is nil if they read no more than before. asked is the
// step that ran MSBuild; it is nil if there was nothing to ask.
func (f *Facts) Again(
	ctx context.Context, group []*dotnet.App, restored xllb.Restored,
) (more *Facts, asked *llb.State, err error) {
	var projects []dotnet.Project
	var apps []*dotnet.App
	for i, app := range slices.Concat(f.Apps, f.Tests) {
		if !slices.ContainsFunc(group, app.Same) || !dotnet.ByRestore(app) || dotnet.ReadsAll(app) {
			continue
		}
		p := f.Answer.asked[i]
		p.Chosen = app.Path
		if app.CrossTargeting {
			p.Framework = app.TargetFramework
		}
		projects, apps = append(projects, p), append(apps, app)
	}
	if len(projects) == 0 {
		return nil, nil, nil
	}
	answer, e, err := f.run(ctx, f.Steps, projects, f.Answer.wanted, &restored)
	if err != nil || e.Same {
		return nil, &answer.State, err
	}
	after := map[*dotnet.App]*dotnet.App{}
	for i, app := range apps {
		if after[app] = e.Descriptions[i].App; after[app] == nil {
			return nil, nil, fmt.Errorf("after the restore, MSBuild no longer sees %s as an app: look whether a package sets "+
				"OutputType or IsTestProject", app.Path)
		}
		after[app] = f.reads(projects[i], after[app])
	}
	doubtful := f.Steps.Housekeeping.Doubtful()
	more = f.wider(func(app *dotnet.App) *dotnet.App {
		if after[app] == nil {
			return nil
		}
		wide := app.More(after[app], doubtful)
		if wide != nil {
			f.warnAgain(ctx, app, wide)
		}
		return wide
	})
	return more, &answer.State, nil
}

// Unknown gives the facts if all projects may read the whole context after their restore. why is the reason. The result
// is nil if the facts already say so.
func (f *Facts) Unknown(why string) *Facts {
	return f.wider(func(app *dotnet.App) *dotnet.App { return app.Unknown(why) })
}
