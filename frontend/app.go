package frontend

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// convert makes a project of a file-based app, which is portable unless the spec says otherwise: the SDK's default for
// such a file is AOT, which is no default for images of several platforms.
func (b *build) convert(ctx context.Context) (dotnet.Files, error) {
	file := b.graph.Project.Path
	b.graph.Context = b.graph.Convert(file)
	b.graph.Project.Path = strings.TrimSuffix(file, ".cs")
	if b.graph.Project.Mode == nil {
		b.graph.Project.Mode = &dotnet.Mode{}
	}
	return b.survey(ctx)
}

// prepare describes the app, and resolves what publish needs to know of images.
func (b *build) prepare(ctx context.Context) error {
	if err := b.describeApps(ctx); err != nil {
		return err
	}
	if !b.needsRIDs() { // layers resolves the base, while it publishes
		return nil
	}
	if err := b.resolveBase(ctx); err != nil {
		return err
	}
	if err := b.toolchain(ctx); err != nil {
		return err
	}
	return b.warnings(ctx)
}

// needsRIDs tells whether what is built depends on the platforms of the image.
func (b *build) needsRIDs() bool { return b.app.Mode.PerPlatform() || b.app.Mode.Launchers() }

// resolveBase resolves the base image, and with its C library the runtime identifiers.
func (b *build) resolveBase(ctx context.Context) (err error) {
	b.base, err = b.images.resolveAll(ctx, b.app.BaseImage, b.targets)
	if err != nil {
		return b.at(b.baseKey(), fmt.Errorf("base image: %v", err))
	}
	b.base.addManifests(ctx, b.entrypoint, b.targets)
	b.rids, err = b.runtimeIDs(ctx, b.base.images[0])
	return err
}

// runtimeIDs are those of the targets on a base image.
func (b *build) runtimeIDs(ctx context.Context, base *image) (rids []string, err error) {
	libc := dotnet.LibcOf(b.app.BaseImage)
	if libc == "" {
		if libc, err = b.images.libc(ctx, base); err != nil {
			return nil, b.at(b.baseKey(), fmt.Errorf("look for the C library of %s: %v", b.app.BaseImage, err))
		}
	}
	for _, p := range b.targets {
		rid, err := dotnet.RID(p, libc)
		if err != nil {
			return nil, err
		}
		rids = append(rids, rid)
	}
	return rids, nil
}

// toolchain resolves the image that links, for AOT.
func (b *build) toolchain(ctx context.Context) error {
	if !b.app.Mode.Aot {
		return nil
	}
	ref, err := b.toolchainRef()
	if err != nil {
		return err
	}
	if err := dotnet.CheckToolchain(ref, b.rids, b.graph.BuildRID); err != nil {
		return b.at("publish.mode", err)
	}
	if b.toolchainImage, err = b.linker(ctx, ref); err != nil {
		return err
	}
	b.graph.Toolchain = &b.toolchainImage.state
	return nil
}

// toolchainRef is the image that links, as it is asked for.
func (b *build) toolchainRef() (string, error) {
	if ref := b.spec.SDK.Toolchain; ref != "" {
		return ref, nil
	}
	ref, err := dotnet.Toolchain(b.sdkImage.name, b.app.BaseImage)
	return ref, b.at("sdk.toolchain", err)
}

func (b *build) linker(ctx context.Context, ref string) (*image, error) {
	img, err := b.images.resolve(ctx, ref, b.bc.BuildPlatforms[0], "[toolchain] ")
	if err != nil {
		return nil, b.at("sdk.toolchain", fmt.Errorf("AOT needs an SDK with a linker, %s: %v", ref, err))
	}
	return img, nil
}

// question is a project to be described, and the place in the spec that names it.
type question struct {
	project dotnet.Project
	key     string
}

// describe asks MSBuild about projects, all at once, for the app or the test that each means.
func (b *build) describe(ctx context.Context, questions []question) ([]*dotnet.App, error) {
	descs, err := b.answers(ctx, questions)
	if err != nil {
		return nil, err
	}
	apps := make([]*dotnet.App, len(questions))
	for i, q := range questions {
		if apps[i], err = b.appOf(q, descs[i]); err != nil {
			return nil, err
		}
	}
	return apps, nil
}

// answers are what MSBuild says to questions.
func (b *build) answers(ctx context.Context, questions []question) ([]*dotnet.Description, error) {
	projects := make([]dotnet.Project, len(questions))
	for i, q := range questions {
		projects[i] = q.project
		if !dotnet.IsSolution(q.project.Path) {
			continue
		}
		dt, ok := b.projectFiles[q.project.Path]
		if !ok {
			return nil, b.at(q.key, fmt.Errorf("there is no %s in the context", q.project.Path))
		}
		var err error
		if projects[i].Candidates, err = dotnet.SolutionProjects(q.project.Path, dt); err != nil {
			return nil, b.at(q.key, err)
		}
	}
	return b.ask(ctx, projects)
}

// appOf takes what a question means out of the answer.
func (b *build) appOf(q question, desc *dotnet.Description) (*dotnet.App, error) {
	p := q.project
	app, err := desc.Choose(p.Path, p.Framework, p.Test)
	if err != nil {
		key := q.key
		if p.Framework != "" {
			key = strings.TrimSuffix(key, "project") + "framework"
		}
		return nil, b.at(key, err)
	}
	app.Follow(b.graph.Links)
	if p.Mode != nil {
		app.Mode = *p.Mode // apphost is none of the project's properties
	}
	return app, nil
}

// ask has MSBuild describe projects.
func (b *build) ask(ctx context.Context, projects []dotnet.Project) ([]*dotnet.Description, error) {
	st, err := b.graph.Describe(projects, b.projectFiles)
	if err != nil {
		return nil, err
	}
	ref, dt, err := b.readFile(ctx, st, dotnet.DescriptionFile)
	if err != nil {
		return nil, fmt.Errorf("describe the project: %w", b.diagnose(ctx, err))
	}
	b.log.step(xllb.PhaseDescribe, ref, dotnet.DescriptionFile)
	if b.graph.Described == nil { // the first time it is the apps
		b.graph.Described = &st
	}
	return dotnet.ParseDescription(dt, xllb.SourceDir, len(projects))
}

// questions are for the app, and for what may be built together with it: the other apps of the spec. They are the same for
// each of them as the target, so they are asked once. target is the one for the app; -1 where it is the tests.
func (b *build) questions() (questions []question, target int, err error) {
	questions = []question{{b.graph.Project, "project"}}
	if len(b.spec.Apps) > 0 && path.Ext(b.spec.Project) != ".cs" {
		questions, target = nil, -1
		for _, name := range slices.Sorted(maps.Keys(b.spec.Apps)) {
			other := b.spec.Apps[name]
			if path.Ext(other.Project) == ".cs" || other.Publish.Configuration != b.spec.Publish.Configuration || !maps.Equal(other.Publish.Properties, b.spec.Publish.Properties) {
				continue
			}
			prefix := "apps." + name + "."
			if prefix == b.prefix {
				target = len(questions)
				questions = append(questions, question{b.graph.Project, "project"})
				continue
			}
			p, err := project(other)
			if err != nil {
				return nil, 0, b.at(prefix+"publish.mode", err)
			}
			questions = append(questions, question{p, prefix + "project"})
		}
	}
	return questions, target, nil
}

// describeApps describes the app, what may be built together with it, and the tests if images wait for them.
func (b *build) describeApps(ctx context.Context) error {
	questions, target, err := b.questions()
	if err != nil {
		return err
	}
	apps := len(questions)
	if b.spec.Tests.Gate {
		questions = append(questions, b.askTests()...)
	}
	settle := func(*dotnet.App) {}
	if len(questions) == 1 && target == 0 {
		settle = b.anticipate(ctx)
	}
	described, err := b.describe(ctx, questions)
	if err != nil {
		settle(nil)
		return err
	}
	settle(described[0])
	if target >= 0 {
		b.app = described[target]
	}
	b.apps, b.tests = described[:apps], described[apps:]
	return nil
}

// anticipate begins to restore what will probably have to be restored, and to resolve the base, while MSBuild is asked what
// those are. The function that it gives is to be told the answer, and ends what was begun in vain.
func (b *build) anticipate(ctx context.Context) (settle func(*dotnet.App)) {
	probably := dotnet.Predict(b.graph.Project, b.projectFiles)
	if probably == nil || len(b.graph.Links) > 0 || b.dry {
		return func(*dotnet.App) {}
	}
	if probably.BaseImage != "" && !strings.Contains(version(b.sdkImage), "-") { // a preview has bases of its own
		b.images.askAhead(ctx, probably.BaseImage, b.targets)
	}
	ctx, cancel := context.WithCancel(ctx)
	head := func(app *dotnet.App) (*llb.Definition, digest.Digest) {
		restored, err := b.graph.Restore([]*dotnet.App{app}, nil)
		if err != nil {
			return nil, ""
		}
		def, err := b.marshal(ctx, restored.Tree)
		if err != nil {
			return nil, ""
		}
		dgst, err := def.Head()
		if err != nil {
			return nil, ""
		}
		return def, dgst
	}
	begun := make(chan digest.Digest, 1)
	go func() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(patience):
		}
		def, dgst := head(probably)
		begun <- dgst
		if def != nil {
			// An error comes again where the result is needed: BuildKit does not run the step twice in one build.
			_, _ = b.evaluate(ctx, def)
		}
	}()
	return func(app *dotnet.App) {
		select {
		case dgst := <-begun:
			if app != nil {
				if _, needed := head(app); needed == dgst {
					return
				}
			}
		default:
		}
		cancel()
	}
}

// patience is how long MSBuild may take to answer before anything is begun ahead: an answer out of the cache comes sooner,
// and so does the restore, then.
const patience = 100 * time.Millisecond

// baseKey is the place in the spec that the base image comes from.
func (b *build) baseKey() string {
	if b.spec.Base.Image != "" {
		return "base.image"
	}
	return "base.family"
}
