package frontend

import (
	"context"
	"fmt"
	"maps"
	"path"
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
	if c.BuildOpts().Opts["requestid"] == requestBake {
		return e.bake()
	}
	if res, ok, err := e.bc.HandleSubrequest(ctx, e.subrequests()); ok || err != nil {
		return res, err
	}
	kind, err := e.choose()
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
	// sdkImage and projectFiles are what there is to ask about projects, and to ask them with.
	sdkImage     *image
	projectFiles dotnet.Files
	app          *dotnet.App
	// others and tests are all portable apps and all tests of the spec, where some of it is shared: see group.
	others, tests []*dotnet.App
	base          *bases
	rids          []string // of the targets, on the C library of the base
}

// newBuild does what is done once for all platforms: all that has to be known before there is a graph to solve.
func newBuild(ctx context.Context, e *entrypoint) (*build, error) {
	b := &build{entrypoint: e, images: images{e}}
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

// prepare describes the app and resolves what its image is made of.
func (b *build) prepare(ctx context.Context) error {
	app, err := b.describe(ctx, b.graph.Project, "project")
	if err != nil {
		return err
	}
	b.app = app
	if err := b.describeOthers(ctx); err != nil {
		return err
	}
	if err := b.resolveBase(ctx); err != nil {
		return err
	}
	return b.toolchain(ctx, b.sdkImage)
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

// describe asks MSBuild about a project, which is that of the spec at key.
func (b *build) describe(ctx context.Context, p dotnet.Project, key string) (*dotnet.App, error) {
	if dotnet.IsSolution(p.Path) {
		dt, ok := b.projectFiles[p.Path]
		if !ok {
			return nil, b.at(key, fmt.Errorf("there is no %s in the context", p.Path))
		}
		var err error
		if p.Candidates, err = dotnet.SolutionProjects(p.Path, dt); err != nil {
			return nil, b.at(key, err)
		}
	}
	st, err := b.graph.Describe(p, b.projectFiles)
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
	app, err := desc.Choose(p.Path, p.Framework, p.Test)
	if err != nil {
		if p.Framework != "" {
			key = "framework"
		}
		return nil, b.at(key, err)
	}
	if p.Mode != nil {
		app.Mode = *p.Mode // apphost is none of the project's properties
	}
	return app, nil
}

// describeOthers describes what may be built together with the app: the other apps of the spec, and the tests if images
// wait for them.
func (b *build) describeOthers(ctx context.Context) (err error) {
	for _, name := range slices.Sorted(maps.Keys(b.spec.Apps)) {
		other := b.spec.Apps[name]
		if mode := other.Publish.Mode; len(mode) > 0 && !slices.Equal(mode, spec.Modes{"portable"}) || path.Ext(other.Project) == ".cs" ||
			other.Publish.Configuration != b.spec.Publish.Configuration || !maps.Equal(other.Publish.Properties, b.spec.Publish.Properties) {
			continue
		}
		p := b.graph.Project
		p.Path, p.Framework, p.BaseImage, p.Family, p.Mode = strings.Trim(other.Project, "/"), other.Framework, other.Base.Image, other.Base.Family, nil
		if len(other.Publish.Mode) > 0 {
			p.Mode = &dotnet.Mode{}
		}
		app, err := b.describe(ctx, p, "apps."+name+".project")
		if err != nil {
			return err
		}
		b.others = append(b.others, app)
	}
	if b.spec.Tests.Gate {
		if len(b.spec.Apps) == 0 {
			b.others = append(b.others, b.app)
		}
		return b.describeTests(ctx)
	}
	return nil
}

// result builds the image of every platform.
func (b *build) result(ctx context.Context) (*client.Result, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	eg, egctx := errgroup.WithContext(ctx)
	if b.spec.Tests.Gate {
		eg.Go(func() error {
			_, err := b.test(egctx)
			return err
		})
	}
	var layers [][]llb.State
	eg.Go(func() (err error) {
		layers, err = b.layers(egctx, xllb.AppDir(b.app))
		return err
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
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
		if len(b.spec.Files) > 0 {
			extra, err := b.graph.Files(b.spec.Files, imageUser(img))
			if err != nil {
				return nil, b.at("files", err)
			}
			// Before the app, which changes more often.
			layers[i] = slices.Insert(layers[i], len(layers[i])-1, extra)
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
func (b *build) layers(ctx context.Context, dir string) ([][]llb.State, error) {
	app := b.app
	rids := slices.Clone(b.rids)
	if !app.Mode.PerPlatform() {
		rids = []string{""} // one for all
	}
	slices.Sort(rids)
	rids = slices.Compact(rids)

	restored, restoreFor, err := b.restore()
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

// restore is the restore of the app, for the runtime identifiers that its mode needs.
func (b *build) restore() (restored xllb.Restored, rids []string, err error) {
	if b.app.Mode.PerPlatform() || b.app.Mode.AppHost {
		rids = slices.Compact(slices.Sorted(slices.Values(b.rids)))
	}
	restored, err = b.graph.Restore(b.group(b.app), rids)
	return restored, rids, err
}

// group is what is restored together with app: all apps and tests of the spec that are built with the same properties,
// if app is one of them. Whatever the target, the group is the same, so what it shares is done once.
func (b *build) group(app *dotnet.App) []*dotnet.App {
	group := slices.Clone(b.tests)
	for _, other := range b.others {
		if other.Mode == (dotnet.Mode{}) {
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

// imageUser is who an image runs as, by number if that can be known.
func imageUser(img *dockerspec.DockerOCIImage) string {
	user := img.Config.User
	if user == "app" { // the name that Microsoft's images have for it
		for _, kv := range img.Config.Env {
			if uid, ok := strings.CutPrefix(kv, "APP_UID="); ok {
				return uid
			}
		}
	}
	if user == "" || user == "root" {
		return "0"
	}
	return user
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
