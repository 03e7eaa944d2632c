// Package facts is the third stage of a build: what MSBuild says of the projects asked about.
//
// Contract: [New] chooses the SDK that is asked, and gives an [Asker]. Its answers come from MSBuild, run in a step
// over the project files of the context; nothing here imitates it. [Asker.Apps] gives the [Facts] of a target, which
// do not change afterwards. Facts know no platform and no base image: package plan decides about those.
package facts

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Facts are what is known of the projects of a target.
type Facts struct {
	*Asker
	// App is the app that is the target; nil where the target is the tests.
	App *dotnet.App
	// Apps are those that may be built together with App, which is one of them, and Tests the tests that were asked about.
	Apps, Tests []*dotnet.App
	// Answer is what MSBuild left.
	Answer Answer
}

// Answer is what a run of MSBuild left.
type Answer struct {
	State llb.State
	Ref   client.Reference
}

// Asker asks MSBuild.
type Asker struct {
	// Tree is the context that is asked about, with a project for a file-based app.
	Tree *tree.Tree
	// Project is how the app of the spec is built.
	Project dotnet.Project
	// SDK is what is asked.
	SDK SDK
	// Steps makes the vertices that ask.
	Steps xllb.Steps

	req *request.Request
}

// New chooses the SDK, and makes a project of a file-based app.
func New(ctx context.Context, req *request.Request, t *tree.Tree) (*Asker, error) {
	project, err := req.Project()
	if err != nil {
		return nil, err
	}
	options, err := req.Options()
	if err != nil {
		return nil, err
	}
	if err := checkFeeds(req, t.Files); err != nil {
		return nil, err
	}
	sdk, err := chooseSDK(ctx, req, t.Files)
	if err != nil {
		return nil, err
	}
	steps := xllb.Steps{Options: options, Sources: t.Sources, SDK: sdk.Image.State, Folder: sdk.folder}
	if file := project.Path; path.Ext(file) == ".cs" {
		if t, err = tree.Of(ctx, req, steps.Convert(file)); err != nil {
			return nil, err
		}
		steps.Sources = t.Sources
		project = converted(project)
	}
	return &Asker{Tree: t, Project: project, SDK: *sdk, Steps: steps, req: req}, nil
}

// converted is the project of a file-based app, which is portable unless the spec says otherwise: the SDK's default for
// such a file is AOT, which is no default for images of several platforms.
func converted(p dotnet.Project) dotnet.Project {
	p.Path = strings.TrimSuffix(p.Path, ".cs")
	if p.Mode == nil {
		p.Mode = new(dotnet.Portable)
	}
	return p
}

// checkFeeds refuses a feed of the spec that NuGet would never ask.
func checkFeeds(req *request.Request, files dotnet.Files) error {
	for i, f := range req.Spec.NuGet.Feeds {
		if by := dotnet.ClearedBy(files, f.Name, req.Spec.Project); f.Source != "" && by != "" {
			return req.At(
				fmt.Sprintf("nuget.feeds.%d.source", i),
				fmt.Errorf(
					"NuGet would never ask feed %s: %s removes all other sources (<clear />); name the source there, and keep "+
						"only the credentials here",
					f.Name,
					by,
				),
			)
		}
	}
	return nil
}

// Question is a project to be described, and the place in the spec that names it.
type Question struct {
	Project dotnet.Project
	Key     string
}

// Apps describes the app that is the target, what may be built together with it, and the tests if images wait for them.
func (a *Asker) Apps(ctx context.Context) (*Facts, error) {
	questions, target, err := a.Questions()
	if err != nil {
		return nil, err
	}
	apps := len(questions)
	if a.req.Spec.Tests.Gate {
		questions = append(questions, a.testQuestions()...)
	}
	settle := func(*dotnet.App) {}
	if len(questions) == 1 && target == 0 {
		settle = a.ahead()
	}
	described, answer, err := a.describe(ctx, questions)
	if err != nil {
		settle(nil)
		return nil, err
	}
	settle(described[0])
	f := &Facts{Asker: a, Apps: described[:apps], Tests: described[apps:], Answer: answer}
	if target >= 0 {
		f.App = described[target]
	}
	return f, nil
}

// Tests describes the tests. Where images wait for them, the apps are described too: what they share is done once.
func (a *Asker) Tests(ctx context.Context) (*Facts, error) {
	if a.req.Spec.Tests.Gate {
		return a.Apps(ctx)
	}
	tests, answer, err := a.describe(ctx, a.testQuestions())
	if err != nil {
		return nil, err
	}
	return &Facts{Asker: a, Tests: tests, Answer: answer}, nil
}

// Questions are for the app, and for what may be built together with it: the other apps of the spec. They are the same
// for each of them as the target, so they are asked once. target is the one for the app; -1 where it is the tests.
func (a *Asker) Questions() (questions []Question, target int, err error) {
	s := a.req.Spec
	if len(s.Apps) == 0 || path.Ext(s.Project) == ".cs" {
		return []Question{{a.Project, "project"}}, 0, nil
	}
	target = -1
	for _, name := range request.SortedKeys(s.Apps) {
		other := s.Apps[name]
		if path.Ext(other.Project) == ".cs" || other.Publish.Configuration != s.Publish.Configuration ||
			!maps.Equal(other.Publish.Properties, s.Publish.Properties) {
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

// testQuestions are for the tests of the spec. They are built as a portable app is.
func (a *Asker) testQuestions() []Question {
	var questions []Question
	for i, path := range a.req.Spec.Tests.Projects {
		p := dotnet.Project{Path: path, Test: true, Mode: new(dotnet.Portable)}
		questions = append(questions, Question{p, fmt.Sprintf("tests.%d", i)})
	}
	return questions
}

// describe asks about projects, all at once, for the app or the test that each means.
func (a *Asker) describe(ctx context.Context, questions []Question) ([]*dotnet.App, Answer, error) {
	descs, answer, err := a.Ask(ctx, questions)
	if err != nil {
		return nil, answer, err
	}
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
		if !dotnet.IsSolution(q.Project.Path) {
			continue
		}
		dt, ok := a.Tree.Files[q.Project.Path]
		if !ok {
			return nil, Answer{}, a.req.At(q.Key, fmt.Errorf("there is no %s in the context", q.Project.Path))
		}
		var err error
		if projects[i].Candidates, err = dotnet.SolutionProjects(q.Project.Path, dt); err != nil {
			return nil, Answer{}, a.req.At(q.Key, err)
		}
	}
	answer, dt, err := a.run(ctx, a.Steps, projects)
	if stale(err, a.req.Begun) {
		answer, dt, err = a.run(ctx, a.Steps.Anew(), projects)
	}
	if err != nil {
		return nil, Answer{}, fmt.Errorf("describe the project: %w", err)
	}
	descs, err := dotnet.ParseDescription(dt, xllb.SourceDir, len(projects))
	return descs, answer, err
}

// Choose takes what a question means out of the answer.
func (a *Asker) Choose(q Question, desc *dotnet.Description) (*dotnet.App, error) {
	p := q.Project
	app, err := desc.Choose(p.Path, p.Framework, p.Test)
	if err != nil {
		key := q.Key
		if p.Framework != "" {
			key = strings.TrimSuffix(key, "project") + "framework"
		}
		return nil, a.req.At(key, err)
	}
	app.Follow(a.Tree.Links)
	if p.Mode != nil {
		app.Mode = *p.Mode // apphost is none of the project's properties
	}
	return app, nil
}

// Group is what is restored together with app: all apps of the spec that are built with the same properties and for the
// same runtime identifiers, and the tests, which are built as portable apps are, if app is one of them. Whatever the
// target, the group is the same, so what it shares is done once.
func (f *Facts) Group(app *dotnet.App) []*dotnet.App {
	var group []*dotnet.App
	if app.Mode == dotnet.Portable {
		group = slices.Clone(f.Tests)
	}
	for _, other := range f.Apps {
		if other.Mode == app.Mode && (app.Mode == dotnet.Portable || other.BaseImage == app.BaseImage) {
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
