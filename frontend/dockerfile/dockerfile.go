// Package dockerfile writes a Dockerfile for a plan.
//
// Contract: pure. [Write] takes the plans of the apps of a spec, and returns what an expert would write by hand for the
// same apps. No value of a spec or of a project can add an instruction, change a flag or run a command. Characters with
// a meaning in the language around them are escaped. A value that no line can hold is left out, and a comment names its
// key. Build arguments of the spec stay arguments wherever an instruction takes them.
package dockerfile

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Write returns a Dockerfile for apps of the spec with a name.
func Write(apps []*plan.Plan, name string) ([]byte, error) {
	w := &writer{page: newPage(apps)}
	var all []*app
	for _, p := range apps {
		all = append(all, &app{writer: w, Plan: p})
	}
	nameStages(all)
	for _, a := range all {
		if err := a.write(); err != nil {
			return nil, err
		}
	}
	head := &writer{page: w.page}
	head.intro(apps, name)
	head.arguments(apps)
	return []byte(strings.Join(append(head.lines, w.lines...), "\n") + "\n"), nil
}

// intro says what the file is. Its first comment ends the file's directives.
func (w *writer) intro(apps []*plan.Plan, name string) {
	w.line("# syntax=docker/dockerfile:1")
	w.comment("Written by crosshull (docker buildx build --call=dockerfile). It builds the apps of %s.", oneLine(name))
	if !slices.ContainsFunc(apps, func(p *plan.Plan) bool { return !p.App.None() }) {
		return
	}
	emulated := "no step is emulated"
	if installs(apps) {
		emulated = "only apt-get is emulated"
	}
	w.comment("It restores and compiles on the platform of the builder, whatever the target, so %s.", emulated)
	w.comment("What crosshull does, but not this file: layers by kind of file, libraries compiled apart, static assets")
	w.comment("compressed once, assets of other systems left out, labels with the digest of the base, and keeping these")
	w.comment("lists up to date.")
}

// page holds what all parts of a Dockerfile share.
type page struct {
	// declared are the build arguments of the spec.
	declared map[string]spec.Arg
	// used are the arguments that the file takes, and inBuild are those that commands need.
	used, inBuild map[string]bool
	// taken are the paths of values that still have their arguments.
	taken map[string]bool
	// names are the names of stages and of named contexts.
	names map[string]bool
	// contexts are the stages for named contexts, by the name that their FROM has.
	contexts map[string]string
	// edits are the stages with a changed app, by the stage of the app and the commands that change it.
	edits map[string]string
}

func newPage(apps []*plan.Plan) *page {
	pg := &page{
		declared: map[string]spec.Arg{}, used: map[string]bool{}, inBuild: map[string]bool{}, taken: map[string]bool{},
		names: map[string]bool{"scratch": true}, contexts: map[string]string{},
		edits: map[string]string{},
	}
	for _, p := range apps {
		pg.declared = p.Request.Spec.Args
		for _, t := range p.Targets {
			for _, f := range t.Spec.Files {
				pg.names[f.Context], pg.names[f.Image] = true, true // a stage of that name would be taken, or replaced
			}
		}
	}
	return pg
}

var (
	stageName = regexp.MustCompile(`^[a-z][a-z0-9-_.]*$`) // instructions.validStageName
	reference = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@+-]*$`)
)

// nameStages names the stages of apps. The stage of an app's image always has the app's name, whatever the other stages
// are called.
func nameStages(apps []*app) {
	for _, a := range apps {
		a.final = a.stage(cmp.Or(a.Request.Target.App, spec.TargetImage))
	}
	for _, a := range apps {
		name := func(kind string) string {
			if a.Request.Target.App != "" {
				kind += "-" + a.Request.Target.App
			}
			return a.stage(kind)
		}
		a.build, a.folders, a.aptSources = name("build"), name("folders"), name("package-sources")
		a.publish = a.build
		if a.Request.Spec.Tests.Gate {
			a.test, a.publish = name("test"), name("publish")
		}
		if len(a.Request.Spec.Publish.Before) > 0 && a.Request.Compiles() { // files alone need no sources
			a.changed = name("before")
		}
		if a.published = a.publish; len(a.Request.Spec.Publish.After) > 0 {
			a.publish = name("after")
		}
	}
}

// stage returns a name for a stage that nothing else has.
func (pg *page) stage(name string) string {
	if !stageName.MatchString(name) {
		name = "app-" + name
	}
	free := name
	for i := 2; pg.names[free]; i++ {
		free = fmt.Sprintf("%s-%d", name, i)
	}
	pg.names[free] = true
	return free
}

// writer holds a Dockerfile, or a part of one, while it is written.
type writer struct {
	*page
	lines []string
	args  []string // arguments declared in the stage
}

func (w *writer) line(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// comment writes a comment. Pass its arguments through [oneLine].
func (w *writer) comment(format string, args ...any) { w.line("# "+format, args...) }

// left writes a comment that the value of a key is left out, and why.
func (w *writer) left(key, why string) { w.comment("Left out: %s, which %s.", oneLine(key), why) }

// from begins a stage. flags is empty or ends in a space.
func (w *writer) from(flags, base, name string) {
	w.line("FROM %s%s AS %s", flags, base, name)
	w.args = nil
}

// use declares the build arguments of a text in the stage.
func (w *writer) use(t text) {
	for _, part := range t {
		if part.Arg != "" && !slices.Contains(w.args, part.Arg) {
			w.args = append(w.args, part.Arg)
			w.line("ARG %s", part.Arg)
		}
	}
}

// put writes an instruction with values, or a comment that says why it is left out. key is the name in the spec.
func (w *writer) put(key, instruction string, values ...text) {
	for _, value := range values {
		if why := unheld(value.String()); why != "" {
			w.left(key, why)
			return
		}
	}
	if why := unheld(instruction); why != "" {
		w.left(key, why)
		return
	}
	for _, value := range values {
		w.use(value)
	}
	w.line("%s", short(instruction))
}

// image returns a reference for FROM. It accepts all references that can be resolved.
func image(ref string) (string, error) {
	if !reference.MatchString(ref) {
		return "", fmt.Errorf("%q cannot stand after FROM in a Dockerfile: name another image in base or sdk", ref)
	}
	return ref, nil
}

// app writes the stages of an app.
type app struct {
	*writer
	*plan.Plan
	nuget dotnet.NuGetSettings
	// The names of its stages. final is the stage of the image.
	build, test, publish, folders, aptSources, final string
	// changed has the sources that commands changed, published has what commands will change.
	changed, published string
}

func (a *app) write() (err error) {
	if a.nuget, err = xllb.NuGet(a.Request.Spec.NuGet).Settings(nugetNames); err != nil {
		return err
	}
	if a.App.None() && !a.Request.Spec.Tests.Gate {
		return a.image()
	}
	sdk := a.SDK.Image.Pin()
	a.line("")
	for _, of := range a.All() {
		if of.Toolchain != nil {
			a.comment("AOT links with the tools of this image, for each target.")
			sdk = of.Toolchain.Pin()
			break
		}
	}
	if sdk, err = image(sdk); err != nil {
		return err
	}
	if len(a.Request.Spec.Publish.Before) > 0 {
		if err := a.before(sdk); err != nil {
			return err
		}
		a.line("")
		a.from("", a.changed, a.build)
	} else {
		a.from("--platform=$BUILDPLATFORM ", sdk, a.build)
		a.line("WORKDIR /source")
	}
	if !a.App.None() {
		a.restore()
		a.sources()
	}
	if a.Request.Spec.Tests.Gate {
		if err := a.tests(); err != nil {
			return err
		}
	}
	if !a.App.None() {
		a.publishApps()
	}
	if len(a.Request.Spec.Publish.After) > 0 && !a.App.None() {
		if err := a.after(); err != nil {
			return err
		}
	}
	return a.image()
}
