package frontend

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Build is the frontend.
func Build(ctx context.Context, c client.Client) (_ *client.Result, err error) {
	// A panic would reach the user as "frontend grpc server closed unexpectedly".
	defer recovered(&err)
	e, err := readEntrypoint(ctx, c)
	if request := c.BuildOpts().Opts[keyRequest]; request != "" && e != nil {
		return e.handle(ctx, request, err)
	}
	if err != nil {
		return nil, err
	}
	e.warnNoSpec(ctx)
	e.warnUnusedBuildArgs(ctx)
	e, kind, err := e.choose()
	if err != nil {
		return nil, err
	}
	b, err := newBuild(ctx, e)
	if err != nil {
		return nil, err
	}
	switch kind {
	case targetTest:
		return b.test(ctx)
	case targetSDK:
		return b.workspace(ctx)
	case targetPublish:
		return b.files(ctx)
	case targetSBOM:
		return b.documents(ctx)
	}
	return b.result(ctx)
}

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("crosshull panicked, which is a bug to report: %v\n%s", r, debug.Stack())
	}
}

// build is one build, all that its platforms share.
type build struct {
	*entrypoint
	images  *images
	targets []ocispecs.Platform
	epoch   *time.Time
	graph   *xllb.Builder
	rules   *linter.Config
	// dry: nothing is begun before it is asked for.
	dry bool
	// sdkImage and projectFiles are what there is to ask about projects, and to ask them with. pin is the global.json that asks
	// for an SDK, toolchainImage what links; either may be nil.
	sdkImage, toolchainImage *image
	pin                      *pin
	projectFiles             dotnet.Files
	app                      *dotnet.App
	// apps and tests are what may be built together with app, which is one of apps: see group.
	apps, tests []*dotnet.App
	base        *bases
	// begun is when the build began, log what of it there is to tell.
	begun time.Time
	log   buildLog
	rids  []string // of the targets, on the C library of the base
}

// project is how the project of an app of the spec is built.
func project(app *spec.App) (dotnet.Project, error) {
	p := dotnet.Project{
		Path:          strings.Trim(app.Project, "/"),
		Framework:     app.Framework,
		Configuration: cmp.Or(app.Publish.Configuration, "Release"),
		Properties:    app.Publish.Properties,
		BaseImage:     app.Base.Image,
		Family:        app.Base.Family,
	}
	if names := app.Publish.Mode; len(names) > 0 {
		mode, err := dotnet.ParseMode(names)
		if err != nil {
			return p, fmt.Errorf("publish.mode: %w", err)
		}
		p.Mode = &mode
	}
	return p, nil
}

// newBuild does what is done once for all platforms: all that has to be known before there is a graph to solve.
func newBuild(ctx context.Context, e *entrypoint) (*build, error) {
	if err := e.checkCaps(); err != nil {
		return nil, err
	}
	b := &build{entrypoint: e, begun: time.Now(), images: &images{entrypoint: e, resolutions: map[string]func() (resolution, error){}}}
	b.targets = e.bc.TargetPlatforms
	if len(b.targets) == 0 {
		b.targets = e.bc.BuildPlatforms
	}
	for _, p := range b.targets {
		if _, err := dotnet.RID(p, dotnet.Glibc); err != nil {
			return nil, err
		}
	}
	app, err := project(&e.spec.App)
	if err != nil {
		return nil, b.at("publish.mode", err)
	}
	if b.rules, err = e.linterConfig(); err != nil {
		return nil, err
	}
	epoch, err := sourceDateEpoch(ctx, e.bc)
	if err != nil {
		return nil, err
	}
	b.epoch = epoch

	buildContext, err := mainContext(ctx, e.bc)
	if err != nil {
		return nil, err
	}
	buildRID, err := dotnet.RID(e.bc.BuildPlatforms[0], dotnet.Glibc)
	if err != nil {
		return nil, err
	}
	b.graph = &xllb.Builder{
		Project:        app,
		NuGet:          e.spec.NuGet,
		Inputs:         e.spec.Publish.Inputs,
		Context:        *buildContext,
		Exclude:        gitDirs(e.bc),
		BuildRID:       buildRID,
		Caps:           e.bc.BuildOpts().LLBCaps,
		Exec:           e.execOpts,
		Constraints:    e.constraints,
		CacheNamespace: e.cacheNamespace(),
	}
	files, err := b.survey(ctx)
	if err != nil {
		return nil, err
	}
	for i, f := range e.spec.NuGet.Feeds {
		if by := dotnet.ClearedBy(files, f.Name, e.spec.Project); f.Source != "" && by != "" {
			return nil, b.at(fmt.Sprintf("nuget.feeds.%d.source", i), fmt.Errorf("feed %s would never be asked: %s clears all sources but its own (<clear />), so the source belongs there; leave it out here, and the credentials in", f.Name, by))
		}
	}
	if b.sdkImage, err = b.sdk(ctx, files); err != nil {
		return nil, err
	}
	b.graph.SDK = b.sdkImage.state
	if path.Ext(e.spec.Project) == ".cs" {
		if files, err = b.convert(ctx); err != nil {
			return nil, err
		}
	}
	b.projectFiles = files
	return b, nil
}

func (e *entrypoint) marshal(ctx context.Context, st llb.State) (*llb.Definition, error) {
	// One after the other: states share vertices, and an exec sorts its mounts in place as it is marshaled (client/llb,
	// ExecOp.Inputs).
	e.marshaling.Lock()
	defer e.marshaling.Unlock()
	def, err := st.Marshal(ctx, llb.WithCaps(e.bc.BuildOpts().LLBCaps), llb.Platform(e.bc.BuildPlatforms[0]))
	if err != nil {
		return nil, fmt.Errorf("marshal LLB: %w", err)
	}
	return def, nil
}

// solve sends a graph to BuildKit, with the caches to import from, which the gateway does not add by itself.
func (e *entrypoint) solve(ctx context.Context, def *llb.Definition) (client.Reference, error) {
	return e.solveRequest(ctx, client.SolveRequest{Definition: def.ToPB()})
}

// evaluate is solve for what has to be done before it returns.
func (e *entrypoint) evaluate(ctx context.Context, def *llb.Definition) (client.Reference, error) {
	return e.solveRequest(ctx, client.SolveRequest{Definition: def.ToPB(), Evaluate: true})
}

func (e *entrypoint) solveRequest(ctx context.Context, req client.SolveRequest) (client.Reference, error) {
	req.CacheImports = e.bc.CacheImports
	res, err := e.bc.GatewayClient().Solve(ctx, req)
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// readFile solves a state and reads a file in the root of its result, which is given, too.
func (e *entrypoint) readFile(ctx context.Context, st llb.State, name string) (client.Reference, []byte, error) {
	def, err := e.marshal(ctx, st)
	if err != nil {
		return nil, nil, err
	}
	return e.readResult(ctx, def, name)
}

// readResult is readFile for a graph.
func (e *entrypoint) readResult(ctx context.Context, def *llb.Definition, name string) (client.Reference, []byte, error) {
	ref, err := e.solve(ctx, def)
	if err != nil {
		return nil, nil, err
	}
	dt, err := dockerui.ReadFile(ctx, ref, name)
	return ref, dt, err
}

// sourceDateEpoch gives the time that SOURCE_DATE_EPOCH tells: seconds, or "context" for that of the git commit.
func sourceDateEpoch(ctx context.Context, bc *dockerui.Client) (*time.Time, error) {
	v := bc.BuildArgs["SOURCE_DATE_EPOCH"]
	switch v {
	case "":
		return nil, nil
	case "context":
		t, err := bc.ResolveMainContextSourceDateEpoch(ctx)
		if err != nil {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH=context: %w", err)
		}
		return t, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH=%s: write seconds since 1970, or context", v)
	}
	t := time.Unix(n, 0).UTC()
	return &t, nil
}

// mainContext is the build context without what git keeps beside sources, which would make every commit another input,
// and the compiler stamp it into the app. Those patterns are the last, so a .dockerignore cannot bring it back.
func mainContext(ctx context.Context, bc *dockerui.Client) (*llb.State, error) {
	excludes, err := bc.DockerIgnorePatterns(ctx)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	excludes = slices.Concat(excludes, gitDirs(bc))
	// A hint of our own: the Dockerfile frontend's files for the same folder would else be replaced by ours, and back.
	return bc.MainContext(ctx, llb.ExcludePatterns(excludes), llb.SharedKeyHint("crosshull"))
}

// gitDirs are patterns of what enters no step, wherever the context comes from: none, if BUILDKIT_CONTEXT_KEEP_GIT_DIR
// keeps it, as for git contexts.
func gitDirs(bc *dockerui.Client) []string {
	if keep, _ := strconv.ParseBool(bc.BuildArgs["BUILDKIT_CONTEXT_KEEP_GIT_DIR"]); keep {
		return nil
	}
	return dotnet.GitDirs()
}
