package frontend

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Build is the frontend.
func Build(ctx context.Context, c client.Client) (_ *client.Result, err error) {
	// A panic would reach the user as "frontend grpc server closed unexpectedly".
	defer recovered(&err)
	e, err := readEntrypoint(ctx, c)
	if err != nil {
		return nil, err
	}
	if res, ok, err := e.bc.HandleSubrequest(ctx, e.subrequests()); ok || err != nil {
		return res, err
	}
	b, err := newBuild(ctx, e)
	if err != nil {
		return nil, err
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
	images  images
	targets []ocispecs.Platform
	epoch   *time.Time
	graph   *xllb.Builder
	app     *dotnet.App
	base    *bases
	rids    []string // of the targets, on the C library of the base
}

// newBuild does what is done once for all platforms: all that has to be known before there is a graph to solve.
func newBuild(ctx context.Context, e *entrypoint) (*build, error) {
	b := &build{entrypoint: e, images: images{e}}
	if t := e.bc.Target; t != "" && t != defaultTarget {
		return nil, fmt.Errorf("target %q does not exist: the one target of a spec is %s", t, defaultTarget)
	}
	b.targets = e.bc.TargetPlatforms
	if len(b.targets) == 0 {
		b.targets = e.bc.BuildPlatforms
	}
	for _, p := range b.targets {
		if _, err := dotnet.RID(p, dotnet.Glibc); err != nil {
			return nil, err
		}
	}
	var mode *dotnet.Mode
	if names := e.spec.Publish.Mode; len(names) > 0 {
		m, err := dotnet.ParseMode(names)
		if err != nil {
			return nil, b.at("publish.mode", fmt.Errorf("publish.mode: %w", err))
		}
		mode = &m
	}
	e.warnUnusedBuildArgs(ctx)
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
	configuration := e.spec.Publish.Configuration
	if configuration == "" {
		configuration = "Release"
	}
	b.graph = &xllb.Builder{
		Project: dotnet.Project{
			Path:          strings.Trim(e.spec.Project, "/"),
			Framework:     e.spec.Framework,
			Configuration: configuration,
			Properties:    e.spec.Publish.Properties,
			BaseImage:     e.spec.Base.Image,
			Family:        e.spec.Base.Family,
			Mode:          mode,
		},
		NuGet:       e.spec.NuGet,
		Inputs:      e.spec.Publish.Inputs,
		Context:     *buildContext,
		BuildRID:    buildRID,
		Caps:        e.bc.BuildOpts().LLBCaps,
		Exec:        e.execOpts,
		Constraints: e.constraints,
	}
	files, err := b.survey(ctx)
	if err != nil {
		return nil, err
	}
	b.graph.RestoreInputs = dotnet.RestoreInputs(files)
	sdk, err := b.sdk(ctx, files)
	if err != nil {
		return nil, err
	}
	b.graph.SDK = sdk.state
	if b.app, err = b.describe(ctx, files); err != nil {
		return nil, err
	}
	if err := b.resolveBase(ctx); err != nil {
		return nil, err
	}
	return b, b.toolchain(ctx, sdk)
}

// resolveBase resolves the base image, and with its C library the runtime identifiers.
func (b *build) resolveBase(ctx context.Context) (err error) {
	b.base, err = b.images.resolveAll(ctx, b.app.BaseImage, b.targets)
	if err != nil {
		return b.at(b.baseKey(), fmt.Errorf("base image: %v", err))
	}
	if err := b.base.addManifests(ctx, b.entrypoint, b.targets); err != nil {
		b.warn(ctx, b.src, fmt.Sprintf("%s is left out, as the index of %s could not be read: %v", ocispecs.AnnotationBaseImageDigest, b.app.BaseImage, err))
	}
	libc := dotnet.LibcOf(b.app.BaseImage)
	if libc == "" {
		if libc, err = b.images.libc(ctx, b.base.images[0]); err != nil {
			return b.at(b.baseKey(), fmt.Errorf("look for the C library of %s: %v", b.app.BaseImage, err))
		}
	}
	for _, p := range b.targets {
		rid, err := dotnet.RID(p, libc)
		if err != nil {
			return err
		}
		b.rids = append(b.rids, rid)
	}
	return nil
}

// toolchain resolves the image that links, for AOT.
func (b *build) toolchain(ctx context.Context, sdk *image) error {
	if !b.app.Mode.Aot {
		return nil
	}
	ref := b.spec.SDK.Toolchain
	if ref == "" {
		var err error
		if ref, err = dotnet.Toolchain(sdk.name, b.app.BaseImage); err != nil {
			return b.at("sdk.toolchain", err)
		}
	}
	if err := dotnet.CheckToolchain(ref, b.rids, b.graph.BuildRID); err != nil {
		return b.at("publish.mode", err)
	}
	img, err := b.images.resolve(ctx, ref, b.bc.BuildPlatforms[0], "[toolchain] ")
	if err != nil {
		return b.at("sdk.toolchain", fmt.Errorf("AOT needs an SDK with a linker, %s: %v", ref, err))
	}
	b.graph.Toolchain = &img.state
	return nil
}

// describe runs the describe step and picks the app.
func (b *build) describe(ctx context.Context, files dotnet.Files) (*dotnet.App, error) {
	st, err := b.graph.Describe(files)
	if err != nil {
		return nil, err
	}
	dt, err := b.readFile(ctx, st, dotnet.DescriptionFile)
	if err != nil {
		return nil, fmt.Errorf("describe the project: %w", err)
	}
	desc, err := dotnet.ParseDescription(dt, xllb.SourceDir)
	if err != nil {
		return nil, err
	}
	app, err := desc.Choose(b.spec.Project, b.spec.Framework)
	if err != nil {
		key := "project"
		if b.spec.Framework != "" {
			key = "framework"
		}
		return nil, b.at(key, err)
	}
	if m := b.graph.Project.Mode; m != nil {
		app.Mode = *m // apphost is none of the project's properties
	}
	return app, nil
}

// result builds the image of every platform.
func (b *build) result(ctx context.Context) (*client.Result, error) {
	layers, err := b.layers(ctx)
	if err != nil {
		return nil, err
	}
	// States are marshaled one after the other: they share vertices, and an exec sorts its mounts in place as it is
	// marshaled (client/llb, ExecOp.Inputs). Solves are what takes time, and they run side by side.
	images := make([]platformImage, len(b.targets))
	for i, platform := range b.targets {
		from := b.base.images[i]
		img, annotations, err := xllb.Config(xllb.ConfigOpt{
			App:      b.app,
			Spec:     b.spec.Image,
			Base:     xllb.Base{Name: from.name, Digest: b.base.manifests[i], Config: from.config},
			Platform: platform,
			Labels:   b.bc.Labels,
			Epoch:    b.epoch,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.app.Path, err)
		}
		def, err := b.marshal(ctx, b.graph.Image(from.state, platform, layers[i]...))
		if err != nil {
			return nil, err
		}
		images[i] = platformImage{img, from.config, annotations, def}
	}
	rb, err := b.bc.Build(ctx, func(ctx context.Context, _ *ocispecs.Platform, idx int) (_ *dockerui.BuildResult, err error) {
		defer recovered(&err)
		img := images[idx]
		ref, err := b.solve(ctx, img.def)
		if err != nil {
			return nil, err
		}
		return &dockerui.BuildResult{Reference: ref, Image: img.config, BaseImage: img.base, Epoch: b.epoch}, nil
	})
	if err != nil {
		return nil, err
	}
	b.annotate(rb, images, b.base.index)
	return rb.Finalize()
}

// layers publishes, and gives the layers for each target. Publishing is the long part, so it is solved here, for all
// platforms side by side, and errors come before any image is put together.
func (b *build) layers(ctx context.Context) ([][]llb.State, error) {
	app, dir := b.app, xllb.AppDir(b.app)
	rids := slices.Clone(b.rids)
	if !app.Mode.PerPlatform() {
		rids = []string{""} // one for all
	}
	slices.Sort(rids)
	rids = slices.Compact(rids)

	var restoreFor []string
	if app.Mode.PerPlatform() || app.Mode.AppHost {
		restoreFor = slices.Compact(slices.Sorted(slices.Values(b.rids)))
	}
	restored, err := b.graph.Restore(app, restoreFor)
	if err != nil {
		return nil, err
	}
	published := map[string]xllb.Published{}
	var defs []*llb.Definition
	for _, rid := range rids {
		p, err := b.graph.Publish(app, restored, rid)
		if err != nil {
			return nil, err
		}
		published[rid] = p
		def, err := b.marshal(ctx, p.Report)
		if err != nil {
			return nil, err
		}
		defs = append(defs, def)
	}
	reports := make([][]byte, len(defs))
	eg, egctx := errgroup.WithContext(ctx)
	for i, def := range defs {
		eg.Go(func() (err error) {
			reports[i], err = b.readResult(egctx, def, dotnet.ReportFile)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, b.missingSecret(err)
	}

	var appHosts llb.State
	if app.Mode.AppHost && !app.Mode.PerPlatform() {
		if appHosts, err = b.graph.AppHosts(app, restored, restoreFor); err != nil {
			return nil, err
		}
	}
	out := make([][]llb.State, len(b.targets))
	for i := range b.targets {
		rid := b.rids[i]
		if !app.Mode.PerPlatform() {
			rid = ""
		}
		folders, assets, err := dotnet.ParseReport(reports[slices.Index(rids, rid)])
		if err != nil {
			return nil, err
		}
		for _, name := range dotnet.Layers {
			from := []string{name}
			switch {
			case name == dotnet.LayerRuntimes:
				if from = usable(assets, b.rids[i]); len(from) == 0 {
					continue
				}
			case !slices.Contains(folders, name):
				continue
			}
			out[i] = append(out[i], b.graph.Layer(name, published[rid].Files, dir, from...))
		}
		if app.Mode.AppHost && !app.Mode.PerPlatform() {
			out[i] = append(out[i], b.graph.Layer("launcher", appHosts, dir, b.rids[i]))
		}
	}
	return out, nil
}

// usable gives the folders of those of assets that the runtime of rid can use.
func usable(assets []string, rid string) []string {
	var folders []string
	for _, id := range dotnet.RuntimeIDs(rid) {
		if slices.Contains(assets, id) {
			folders = append(folders, dotnet.LayerRuntimes+"/"+id)
		}
	}
	return folders
}

// platformImage is all that there is of the image of a platform before it is built.
type platformImage struct {
	config, base *dockerspec.DockerOCIImage
	annotations  map[string]string
	def          *llb.Definition
}

// annotate puts the annotations of every image on its manifest, and on the index what all images have in common, with
// the index of the base as its base.
func (b *build) annotate(rb *dockerui.ResultBuilder, images []platformImage, baseIndex digest.Digest) {
	for i, img := range images {
		var p *ocispecs.Platform
		if b.bc.MultiPlatformRequested {
			n := platforms.Normalize(b.targets[i])
			p = &n
		}
		for k, v := range img.annotations {
			rb.AddMeta(exptypes.AnnotationManifestKey(p, k), []byte(v))
		}
	}
	if !b.bc.MultiPlatformRequested {
		return
	}
	for k, v := range images[0].annotations {
		if k == ocispecs.AnnotationBaseImageDigest && baseIndex != "" {
			v = baseIndex.String()
		} else if slices.ContainsFunc(images, func(img platformImage) bool { return img.annotations[k] != v }) {
			continue
		}
		rb.AddMeta(exptypes.AnnotationIndexKey(k), []byte(v))
	}
}

// baseKey is the place in the spec that the base image comes from.
func (b *build) baseKey() string {
	if b.spec.Base.Image != "" {
		return "base.image"
	}
	return "base.family"
}

func (e *entrypoint) marshal(ctx context.Context, st llb.State) (*llb.Definition, error) {
	def, err := st.Marshal(ctx, llb.WithCaps(e.bc.BuildOpts().LLBCaps), llb.Platform(e.bc.BuildPlatforms[0]))
	if err != nil {
		return nil, fmt.Errorf("marshal LLB: %w", err)
	}
	return def, nil
}

// solve sends a graph to BuildKit, with the caches to import from, which the gateway does not add by itself.
func (e *entrypoint) solve(ctx context.Context, def *llb.Definition) (client.Reference, error) {
	res, err := e.bc.GatewayClient().Solve(ctx, client.SolveRequest{Definition: def.ToPB(), CacheImports: e.bc.CacheImports})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// readFile solves a state and reads a file in the root of its result.
func (e *entrypoint) readFile(ctx context.Context, st llb.State, name string) ([]byte, error) {
	def, err := e.marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	return e.readResult(ctx, def, name)
}

// readResult solves a graph and reads a file in the root of its result.
func (e *entrypoint) readResult(ctx context.Context, def *llb.Definition, name string) ([]byte, error) {
	ref, err := e.solve(ctx, def)
	if err != nil {
		return nil, err
	}
	return dockerui.ReadFile(ctx, ref, name)
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

// mainContext is the build context without .git, which would make every commit another input, and the compiler stamp
// it into the app; BUILDKIT_CONTEXT_KEEP_GIT_DIR keeps it, as for git contexts.
func mainContext(ctx context.Context, bc *dockerui.Client) (*llb.State, error) {
	excludes, err := bc.DockerIgnorePatterns(ctx)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	if keep, _ := strconv.ParseBool(bc.BuildArgs["BUILDKIT_CONTEXT_KEEP_GIT_DIR"]); !keep {
		excludes = append(slices.Clone(excludes), ".git")
	}
	// A hint of our own: the Dockerfile frontend's files for the same folder would else be replaced by ours, and back.
	return bc.MainContext(ctx, llb.ExcludePatterns(excludes), llb.SharedKeyHint("crosshull"))
}
