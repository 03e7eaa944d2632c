// Package facts is the third stage of a build: what MSBuild says about the projects of a target.
//
// Contract: [New] chooses the SDK, and gives an [Asker]. The Asker runs MSBuild in a step over the project files of the
// context; nothing here imitates MSBuild. [Asker.Apps] gives the [Facts] of a target, which do not change afterwards.
// Facts know no platform and no base image: package plan decides about those.
package facts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Facts are what is known of the projects of a target.
type Facts struct {
	*Asker
	// App is the app of the target; nil if the target is test. For an image of files alone it is [dotnet.FilesAlone].
	App *dotnet.App
	// Also are further apps whose files the image of the target gets.
	Also []Also
	// Apps are App, Also, and the apps that may be built together with them. Tests are the tests, if the target needs
	// them.
	Apps, Tests []*dotnet.App
	// Answer is the result of the MSBuild run.
	Answer Answer
}

// Also is a further app of an image: see spec.Also.
type Also struct {
	App *dotnet.App
	// Mode is the mode that the spec asks for; nil: the project's own.
	Mode *dotnet.Mode
	// To is the folder of the image. Key is the key of the spec.
	To, Key string
}

// Answer is the result of a run of MSBuild.
type Answer struct {
	State llb.State
	Ref   client.Reference
	// Ended is how long after the beginning of the build it was there.
	Ended time.Duration
	// Outputs are folders of the context with the output of builds on the host.
	Outputs []string

	asked  []dotnet.Project
	wanted []string // files whose contents MSBuild had, beside project files
}

// Asker asks MSBuild.
type Asker struct {
	// Tree is the build context. For a file-based app it has the project that was made of the file.
	Tree *tree.Tree
	// Project is how the app of the spec is built.
	Project dotnet.Project
	// SDK is the SDK whose MSBuild answers.
	SDK SDK
	// Tools are the images with tools for commands.
	Tools []Tool
	// Steps makes the vertices that run MSBuild.
	Steps xllb.Steps

	req *request.Request
}

// New chooses the SDK, and turns a file-based app into a project. If the target needs no SDK, the Asker has none.
func New(ctx context.Context, req *request.Request, t *tree.Tree) (*Asker, error) {
	project, err := req.Project()
	if err != nil {
		return nil, err
	}
	options, err := req.Options()
	if err != nil {
		return nil, err
	}
	if !req.Compiles() {
		a := &Asker{Tree: t, Project: project, Steps: xllb.Steps{Options: options, Sources: t.Sources}, req: req}
		if !req.Installs() {
			return a, nil
		}
		sdk, err := chooseSDK(ctx, req, t.Files)
		if err != nil {
			return nil, err
		}
		a.SDK = *sdk
		a.Steps.SDK, a.Steps.SDKVersion, a.Steps.Compiled = sdk.Image.State, sdk.Version(), req.Compiled
		return a, nil
	}
	if err := checkFeedsOfSpec(req, t.Files); err != nil {
		return nil, err
	}
	if ca := req.Spec.NuGet.CA; ca != "" {
		if _, err := t.File(ca); err != nil {
			return nil, req.At("nuget.ca", err)
		}
	}
	sdk, err := chooseSDK(ctx, req, t.Files)
	if err != nil {
		return nil, err
	}
	steps := xllb.Steps{
		Options: options, Sources: t.Sources, Folder: sdk.folder, NuGet: req.Spec.NuGet,
		SDK: sdk.Image.State, SDKVersion: sdk.Version(), Compiled: req.Compiled,
	}
	tools, err := resolveTools(ctx, req)
	if err != nil {
		return nil, err
	}
	if steps.Equipped, err = equip(&steps, tools); err != nil {
		return nil, err
	}
	if t, err = before(ctx, req, t, &steps); err != nil {
		return nil, err
	}
	steps.Sources = t.Sources
	if _, err := inputs(req, t, &steps, "publish.after", req.Spec.Publish.After); err != nil {
		return nil, err
	}
	if file := project.Path; path.Ext(file) == ".cs" {
		if t, err = tree.Of(ctx, req, steps.Convert(file)); err != nil {
			return nil, err
		}
		steps.Sources = t.Sources
		project = converted(project)
	}
	return &Asker{Tree: t, Project: project, SDK: *sdk, Tools: tools, Steps: steps, req: req}, nil
}

// converted is the project of a file-based app. It is portable unless the spec says otherwise. The SDK's default for
// such a file is AOT, which would need a build for each platform.
func converted(p dotnet.Project) dotnet.Project {
	p.Path = strings.TrimSuffix(p.Path, ".cs")
	p.Path = path.Join(p.Path, path.Base(p.Path)+".csproj") // not the folder: with PackAsTool it is no app there
	if p.Mode == nil {
		p.Mode = new(dotnet.Portable)
	}
	return p
}

// Question is a project that MSBuild has to describe, and the key of the spec that names it.
type Question struct {
	Project dotnet.Project
	Key     string
}

// Apps describes the app of the target, the apps that may be built together with it, and tests with a gate.
func (a *Asker) Apps(ctx context.Context) (*Facts, error) {
	if a.req.Spec.None() {
		return a.none(ctx)
	}
	questions, target, err := a.Questions()
	if err != nil {
		return nil, err
	}
	also, own, err := a.alsoQuestions()
	if err != nil {
		return nil, err
	}
	questions = append(questions, also...)
	apps := len(questions)
	if a.req.Spec.Tests.Gate {
		questions = append(questions, a.testQuestions()...)
	}
	keep := func(*dotnet.App) {}
	if len(questions) == 1 && target == 0 {
		keep = a.startEarly()
	}
	described, answer, err := a.describe(ctx, questions)
	if err != nil {
		keep(nil)
		return nil, err
	}
	keep(described[0])
	f := &Facts{Asker: a, Apps: described[:apps], Tests: described[apps:], Answer: answer}
	if target < 0 {
		return f, nil
	}
	f.App = described[target]
	f.Also, err = a.also(f.App, own, described[apps-len(also):apps])
	return f, err
}

// Target describes what the target of the request needs.
func (a *Asker) Target(ctx context.Context) (*Facts, error) {
	if a.req.Target.Kind == spec.TargetTest {
		return a.Tests(ctx)
	}
	return a.Apps(ctx)
}

// Questions are about the app and the other apps of the spec that may be built together with it. They are the same for
// each of these apps as the target, so BuildKit runs MSBuild once for all. target is the index of the app's question;
// it is -1 if the target is test.
func (a *Asker) Questions() (questions []Question, target int, err error) {
	s := a.req.Spec
	if len(s.Apps) == 0 || path.Ext(s.Project) == ".cs" {
		return []Question{{a.Project, "project"}}, 0, nil
	}
	target = -1
	for _, name := range slices.Sorted(maps.Keys(s.Apps)) {
		other := s.Apps[name]
		if !a.together(other) {
			continue
		}
		if name == a.req.Target.App {
			target = len(questions)
			questions = append(questions, Question{a.Project, "project"})
			continue
		}
		p, err := a.req.ProjectOf(name)
		if err != nil {
			return nil, 0, err
		}
		questions = append(questions, Question{p, "apps." + name + ".project"})
	}
	return questions, target, nil
}

// together tells whether an app of the spec may be built together with the app of the target.
func (a *Asker) together(other *spec.App) bool {
	s := a.req.Spec
	return !other.None() && path.Ext(other.Project) != ".cs" && other.Publish.Configuration == s.Publish.Configuration &&
		sameSources(&s.App, other) && maps.Equal(other.Publish.Properties, s.Publish.Properties)
}

// describe asks all questions in one run of MSBuild, and gives the app or the test of each.
func (a *Asker) describe(ctx context.Context, questions []Question) ([]*dotnet.App, Answer, error) {
	descs, answer, err := a.Ask(ctx, questions)
	if err != nil {
		return nil, answer, err
	}
	a.warn(ctx, questions, descs)
	apps := make([]*dotnet.App, len(questions))
	for i, q := range questions {
		if apps[i], err = a.Choose(q, descs[i]); err != nil {
			return nil, answer, err
		}
	}
	return apps, answer, nil
}

// Ask gives what MSBuild says to questions.
func (a *Asker) Ask(ctx context.Context, questions []Question) ([]*dotnet.Description, Answer, error) {
	projects := make([]dotnet.Project, len(questions))
	for i, q := range questions {
		projects[i] = q.Project
		if err := a.Tree.Find(q.Project.Path); err != nil {
			return nil, Answer{}, a.req.At(q.Key, absent(a.Tree, q.Project.Path, err))
		}
	}
	hints := hinted(a.Tree)
	answer, e, err := a.run(ctx, a.Steps, projects, hints, nil)
	if stale(err, a.req.Begun) {
		answer, e, err = a.run(ctx, a.Steps.Anew(), projects, hints, nil)
	}
	if err != nil {
		if missing := a.missingSecret(ctx, err); missing != nil {
			return nil, Answer{}, missing
		}
		return nil, Answer{}, fmt.Errorf("describe the project: %w", err)
	}
	answer.Outputs = e.Outputs
	return e.Descriptions, answer, checkFeeds(a.req, a.Tree.Files, restored(e.Descriptions)...)
}

// Choose picks the app or the test that the question is about.
func (a *Asker) Choose(q Question, desc *dotnet.Description) (*dotnet.App, error) {
	p := q.Project
	app, err := desc.Choose(p.Path, p.Framework, p.Test)
	if err != nil {
		if len(desc.Candidates) == 0 && len(desc.Missing) == 0 {
			err = absent(a.Tree, p.Path, err)
		}
		key := q.Key
		if p.Framework != "" {
			key = strings.TrimSuffix(key, "project") + "framework"
		}
		return nil, a.placed(a.req.At(key, err))
	}
	app = a.reads(p, app)
	if p.Mode != nil {
		app.Mode = *p.Mode // no property of a project asks for apphost
	}
	return app, nil
}

// placed makes an error of [dotnet.Description.Choose] point at what it is about in a project: the first mistake that
// makes it none to choose, or its frameworks.
func (a *Asker) placed(err error) error {
	var nothing *dotnet.NothingError
	var frameworks *dotnet.FrameworkError
	switch {
	case errors.As(err, &frameworks):
		return a.atElement(err, frameworks.Project, "TargetFrameworks?")
	case errors.As(err, &nothing):
		for _, c := range nothing.Candidates {
			if c.Error != nil {
				return gateway.At(err, *c.Error, a.Tree.Files)
			}
		}
	}
	return err
}

// CheckPlatformTarget is [dotnet.CheckPlatformTarget], with an error that points at the key of the spec that names the
// project, and at the property.
func (a *Asker) CheckPlatformTarget(app *dotnet.App, rid, key string) error {
	err := dotnet.CheckPlatformTarget(app, rid)
	if err == nil {
		return nil
	}
	return a.atElement(a.req.At(key, err), app.Path, "PlatformTarget")
}

// atElement makes err point at the first element with a name that a project has, or a file that it gets from a folder
// above, where there is one. The name is a regular expression.
func (a *Asker) atElement(err error, project, element string) error {
	pattern := regexp.MustCompile(`<(?:` + element + `)[\s>]`)
	name, offset, ok := a.Tree.Files.Find(project, pattern)
	if !ok {
		return err
	}
	file := a.Tree.Files[name]
	return gateway.AtLine(err, name, file, 1+bytes.Count(file[:offset], []byte("\n")))
}

// reads gives app with the files that links lead to. If the spec lists inputs, it is known what the app reads.
func (a *Asker) reads(p dotnet.Project, app *dotnet.App) *dotnet.App {
	if len(p.Inputs) > 0 {
		app = app.Told()
	}
	app.Follow(a.Tree.Links)
	return app
}

// Group is what is restored together with app: all apps of the spec with the same properties, runtime identifiers, and
// files of switches.
// If app is portable, the tests are in the group, too. The group is the same for each target, so targets share its
// steps.
func (f *Facts) Group(app *dotnet.App) []*dotnet.App {
	var group []*dotnet.App
	differs := func(other *dotnet.App) bool { return !slices.Equal(other.Switches, app.Switches) }
	if app.Mode == dotnet.Portable {
		group = slices.DeleteFunc(slices.Clone(f.Tests), differs)
	}
	for _, other := range f.Apps {
		there := slices.ContainsFunc(group, func(member *dotnet.App) bool { return member.Path == other.Path })
		if other.Mode == app.Mode && (app.Mode == dotnet.Portable || other.BaseImage == app.BaseImage) &&
			!there && !differs(other) {
			group = append(group, other)
		}
	}
	for _, member := range group {
		if member.Path == app.Path {
			return group
		}
	}
	return []*dotnet.App{app}
}

// Everything gives the facts if all projects read the whole context. why is the reason. The result is nil if the facts
// already say so.
func (f *Facts) Everything(why string) *Facts {
	return f.wider(func(app *dotnet.App) *dotnet.App { return app.Everything(why) })
}

// AsCommitted gives the facts if targets find their outputs up to date, so that they keep those of the context. The
// result is nil if the context has no such outputs.
func (f *Facts) AsCommitted() *Facts { return f.wider((*dotnet.App).AsCommitted) }

// wider gives facts with changed apps; nil if none changes. widen gives nil for an app that stays as it is.
func (f *Facts) wider(widen func(*dotnet.App) *dotnet.App) *Facts {
	wide, changed := *f, false
	wide.Also = slices.Clone(f.Also)
	all := func(apps []*dotnet.App) []*dotnet.App {
		out := slices.Clone(apps)
		for i, app := range apps {
			if w := widen(app); w != nil {
				out[i], changed = w, true
			}
			if app == f.App {
				wide.App = out[i]
			}
			for j, also := range f.Also {
				if app == also.App {
					wide.Also[j].App = out[i]
				}
			}
		}
		return out
	}
	wide.Apps, wide.Tests = all(f.Apps), all(f.Tests)
	if !changed {
		return nil
	}
	return &wide
}
