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

	"github.com/crosshull/crosshull/frontend/spec"
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
	layer   llb.State
}

// newBuild does what is done once for all platforms.
func newBuild(ctx context.Context, e *entrypoint) (*build, error) {
	b := &build{entrypoint: e, images: images{bc: e.bc}}
	if t := e.bc.Target; t != "" && t != defaultTarget {
		return nil, fmt.Errorf("target %q does not exist: the one target of a spec is %s", t, defaultTarget)
	}
	b.targets = e.bc.TargetPlatforms
	if len(b.targets) == 0 {
		b.targets = e.bc.BuildPlatforms
	}
	for _, p := range b.targets {
		if _, err := dotnet.RID(p); err != nil {
			return nil, err
		}
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
	sdk, err := b.sdk(ctx)
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
			Portable:      e.spec.Publish.Mode == spec.ModePortable,
		},
		Context:     *buildContext,
		SDK:         sdk.state,
		Caps:        e.bc.BuildOpts().LLBCaps,
		Exec:        e.execOpts,
		Constraints: e.constraints,
	}
	if b.app, err = b.describe(ctx); err != nil {
		return nil, err
	}
	b.layer = b.graph.Layer(b.graph.Publish(b.app), xllb.AppDir(b.app))
	return b, nil
}

// sdk resolves the image that builds, for the build platform.
func (b *build) sdk(ctx context.Context) (*image, error) {
	ref, key := dotnet.SDKRepository+":"+dotnet.DefaultSDK, "sdk"
	switch {
	case b.spec.SDK.Image != "":
		ref, key = b.spec.SDK.Image, "sdk.image"
	case b.spec.SDK.Version != "":
		ref, key = dotnet.SDKRepository+":"+b.spec.SDK.Version, "sdk.version"
	}
	img, err := b.images.resolve(ctx, ref, b.bc.BuildPlatforms[0], "[sdk] ")
	if err != nil {
		// Not %w: on its way to the user, an error of the gateway keeps its own message and loses ours.
		return nil, b.at(key, fmt.Errorf("SDK image: %v", err))
	}
	return img, nil
}

// describe runs the describe step and picks the app.
func (b *build) describe(ctx context.Context) (*dotnet.App, error) {
	st, err := b.graph.Describe()
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
	if app.OwnMode != "" && !b.graph.Project.Portable {
		return nil, b.at("publish.mode", fmt.Errorf("%s sets %s, which needs an output of its own for every platform; "+
			"crosshull publishes portable apps so far: write publish: {mode: %s} to publish it as one", app.Path, app.OwnMode, spec.ModePortable))
	}
	return app, nil
}

// result builds the image of every platform.
func (b *build) result(ctx context.Context) (*client.Result, error) {
	base, err := b.images.resolveAll(ctx, b.app.BaseImage, b.targets)
	if err != nil {
		return nil, b.at(b.baseKey(), fmt.Errorf("base image: %v", err))
	}
	if err := base.addManifests(ctx, b.entrypoint, b.targets); err != nil {
		b.warn(ctx, b.src, fmt.Sprintf("%s is left out, as the index of %s could not be read: %v", ocispecs.AnnotationBaseImageDigest, b.app.BaseImage, err))
	}
	// States are marshaled one after the other: they share vertices, and an exec sorts its mounts in place as it is
	// marshaled (client/llb, ExecOp.Inputs). Solves are what takes time, and they run side by side.
	images := make([]platformImage, len(b.targets))
	for i, platform := range b.targets {
		from := base.images[i]
		img, annotations, err := xllb.Config(xllb.ConfigOpt{
			App:      b.app,
			Spec:     b.spec.Image,
			Base:     xllb.Base{Name: from.name, Digest: base.manifests[i], Config: from.config},
			Platform: platform,
			Labels:   b.bc.Labels,
			Epoch:    b.epoch,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.app.Path, err)
		}
		def, err := b.marshal(ctx, b.graph.Image(from.state, platform, b.layer))
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
	b.annotate(rb, images, base.index)
	return rb.Finalize()
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
