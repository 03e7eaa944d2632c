// Package plan is the fourth stage of a build: every decision.
//
// Contract: [Make] takes the request and the facts, asks registries about the images, and gives a [Plan] that does not
// change afterwards: base, configuration and layers of the image of every platform, the image that links, and what is
// restored together. Calls print the plan, rules check it, and the build follows it. No other code decides these again.
// A build learns the frameworks of an app last, and [Plan.ForFrameworks] then gives the plan for them.
// Make solves only one thing: it looks into a base image whose name does not tell its C library. [Plan.WithUsers] looks
// into bases whose users the build needs.
package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/apt"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Plan has every decision about the app of the target.
type Plan struct {
	*facts.Facts
	Request *request.Request
	// App is the app that is published: that of Facts, or one of Also of Facts. Project says how it is built.
	App     *dotnet.App
	Project dotnet.Project
	// Dir is the folder of the image that its files go to.
	Dir string
	// Also are the plans of further apps whose files the images get. Each has the same images.
	Also []*Plan
	// Toolchain is the image that links if the mode is AOT; else nil.
	Toolchain *gateway.Image
	// Targets are the images, one for each platform.
	Targets []Target
	// Compression says which step compresses the static web assets.
	Compression dotnet.Compression
	// Epoch is the time of SOURCE_DATE_EPOCH; nil if it is not set.
	Epoch *time.Time

	commit  xllb.VCS
	further bool // it is one of Also
}

// Target is the image of a platform.
type Target struct {
	Place
	// Spec is the spec for the platform.
	Spec *spec.Spec
	// Config is the configuration of the image; nil if the target is no image.
	Config *xllb.Configuration
	// Packages are OS packages that Base has beyond those of its image; nil if there are none.
	Packages *Packages

	wanted apt.Packages // by the spec
	// Layers are the layers that the image can have, the first at the bottom. After publish, empty ones are left out.
	Layers []Layer
	// Users are the users of the image; nil if the build does not need them. Only [Plan.WithUsers] sets them.
	Users *xllb.Users
}

// Place is what an app will run on.
type Place struct {
	Platform ocispecs.Platform
	// RID is the runtime identifier of the platform with the C library of the base. It is empty for files alone.
	RID  string
	Base Base
}

// Base is a base image.
type Base struct {
	*gateway.Image
	// Manifest is the digest of the manifest for the platform; empty if BuildKit cannot read it.
	Manifest digest.Digest
}

// config is what the configuration of an image needs of its base. An empty base has no name for a label.
func (b Base) config() xllb.Base {
	if dotnet.IsScratch(b.Name) {
		return xllb.Base{}
	}
	return xllb.Base{Name: b.Name, Digest: b.Manifest, Config: b.Config}
}

// Make makes all decisions about the app of f.
func Make(ctx context.Context, req *request.Request, f *facts.Facts) (*Plan, error) {
	p := Plan{
		Facts: f, Request: req, App: f.App, Project: f.Project, Dir: xllb.AppDir(f.App),
		Compression: f.Tree.Assets.Compression(f.App),
	}
	if len(req.Spec.Publish.After) > 0 {
		p.Compression = dotnet.CompressInPublish // commands see all that is published
	}
	var err error
	if p.Epoch, err = epoch(ctx, req); err != nil {
		return nil, err
	}
	if req.Target.Kind == spec.TargetSDK && !p.NeedsRIDs() {
		return &p, nil // target sdk is for the build platform, and needs no base
	}
	places, err := findPlaces(ctx, req, f, f.App, inferred(f))
	if err != nil {
		return nil, err
	}
	if p.Toolchain, err = toolchain(ctx, req, f, f.App, places); err != nil {
		return nil, err
	}
	if p.commit, err = vcs(ctx, req, f); err != nil {
		return nil, err
	}
	if err := p.addTargets(ctx, inferred(f), places); err != nil {
		return nil, err
	}
	return &p, p.addAlso(ctx)
}

// ForFrameworks is the plan for an app that turns out to need frameworks: p itself, or p with another base if the SDK
// infers another one for them. That base differs in its frameworks alone. So it has the same runtime identifiers, and
// what was published by p can be put on it.
func (p *Plan) ForFrameworks(ctx context.Context, frameworks []string) (*Plan, error) {
	ref := dotnet.BaseFor(p.App.InferredBase, frameworks)
	if p.App.InferredBase == "" || ref == inferred(p.Facts) {
		return p, nil
	}
	places, err := findPlaces(ctx, p.Request, p.Facts, p.App, ref)
	if err != nil {
		return nil, err
	}
	other := *p
	other.Targets, other.Also = nil, nil
	if err := other.addTargets(ctx, ref, places); err != nil {
		return nil, err
	}
	for _, also := range p.Also {
		other.Also = append(other.Also, also.on(other.Targets))
	}
	return &other, nil
}

// addTargets makes the decisions about the images of places, whose base is ref. p is complete except for its targets.
func (p *Plan) addTargets(ctx context.Context, ref string, places []Place) error {
	var targets []Target
	for _, place := range places {
		t, err := target(p, place)
		if err != nil {
			return err
		}
		targets = append(targets, t)
	}
	var err error
	p.Targets, err = install(ctx, p, ref, targets)
	return err
}

// findPlaces resolves the base of every platform. The base's C library then gives the runtime identifiers.
func findPlaces(
	ctx context.Context, req *request.Request, f *facts.Facts, app *dotnet.App, ref string,
) ([]Place, error) {
	gw := req.Gateway
	ps := gw.Targets()
	if dotnet.IsScratch(ref) && !app.None() {
		if err := dotnet.CheckScratch(app.Mode, app.StaticExecutable); err != nil {
			return nil, req.At(req.BaseKey(), err)
		}
	}
	images, err := gw.Bases(ctx, ref, ps, dotnet.Platforms())
	if err != nil {
		return nil, req.At(req.BaseKey(), fmt.Errorf("base image: %w", err))
	}
	manifests, err := gw.Manifests(ctx, images[0], ps)
	if err != nil {
		req.Warn(ctx, fmt.Sprintf("the image has no label %s: the index of %s cannot be read: %s",
			ocispecs.AnnotationBaseImageDigest, images[0].Name, err))
	}
	if app.None() { // files alone need neither a runtime identifier nor a C library
		places := make([]Place, len(ps))
		for i, p := range ps {
			places[i] = Place{Platform: p, Base: Base{images[i], manifests[i]}}
		}
		return places, nil
	}
	libc, err := Libc(ctx, req, images[0], ref)
	if err != nil {
		return nil, err
	}
	places := make([]Place, len(ps))
	for i, p := range ps {
		rid, err := dotnet.RID(p, libc)
		if err != nil {
			return nil, err
		}
		if err := f.CheckPlatformTarget(app, rid, "project"); err != nil {
			return nil, err
		}
		places[i] = Place{p, rid, Base{images[i], manifests[i]}}
	}
	return places, nil
}

// target makes the decisions about the image of a place.
func target(p *Plan, place Place) (Target, error) {
	s, err := p.Request.SpecFor(place.Platform)
	if err != nil {
		return Target{}, err
	}
	want := wanted(s, place.Platform)
	t := Target{Place: place, Spec: s, Layers: layers(p, place.RID, len(want.Install) > 0), wanted: want}
	if p.Request.Target.Kind != spec.TargetImage {
		return t, nil
	}
	t.Config, err = xllb.Config(xllb.ConfigOpt{
		App:      p.App,
		Spec:     s.Image,
		Base:     place.Base.config(),
		Platform: place.Platform,
		Labels:   p.Request.Gateway.Labels,
		Epoch:    p.Epoch,
		VCS:      p.commit,
	})
	if err != nil {
		return t, fmt.Errorf("%s: %w", p.App.Path, err)
	}
	return t, nil
}

// Libc is the C library of a base. If its name does not tell, the base is looked into: with musl's loader it is musl,
// otherwise glibc.
func Libc(ctx context.Context, req *request.Request, base *gateway.Image, ref string) (dotnet.Libc, error) {
	if dotnet.IsScratch(ref) {
		return dotnet.ScratchLibc(req.Spec.SDK.Toolchain), nil
	}
	if libc := dotnet.LibcOf(ref); libc != "" {
		return libc, nil
	}
	musl, err := req.Gateway.HasFiles(ctx, base, "/lib", "ld-musl-*")
	switch {
	case err != nil:
		return "", req.At(req.BaseKey(), fmt.Errorf("look for the C library of %s: %w", ref, err))
	case musl:
		return dotnet.Musl, nil
	}
	return dotnet.Glibc, nil
}

// toolchain resolves the image that links; nil if the mode links nothing.
func toolchain(
	ctx context.Context, req *request.Request, f *facts.Facts, app *dotnet.App, places []Place,
) (*gateway.Image, error) {
	if !app.Mode.NeedsToolchain() {
		return nil, nil
	}
	ref, err := ToolchainRef(req, f.SDK, app)
	if err != nil {
		return nil, err
	}
	var rids []string
	for _, place := range places {
		rids = append(rids, place.RID)
	}
	if err := dotnet.CheckToolchain(ref, rids, f.Steps.BuildRID); err != nil {
		return nil, req.At("publish.mode", err)
	}
	return ResolveToolchain(ctx, req, ref)
}

// ToolchainRef is the reference of the image that links.
func ToolchainRef(req *request.Request, sdk facts.SDK, app *dotnet.App) (string, error) {
	if ref := req.Spec.SDK.Toolchain; ref != "" {
		return ref, nil
	}
	ref, err := dotnet.Toolchain(sdk.Image.Name, app.BaseImage)
	return ref, req.At("sdk.toolchain", err)
}

// ResolveToolchain resolves the image that links.
func ResolveToolchain(ctx context.Context, req *request.Request, ref string) (*gateway.Image, error) {
	img, err := req.Gateway.Image(ctx, ref, req.Gateway.BuildPlatform(), "[toolchain] ")
	if err != nil {
		return nil, req.At("sdk.toolchain", fmt.Errorf("AOT needs an SDK with a linker, %s: %w", ref, err))
	}
	return img, nil
}

// NeedsRIDs tells whether what is built depends on the platforms of the image.
func (p *Plan) NeedsRIDs() bool { return p.App.Mode.NeedsRIDs() }

// RIDs are the runtime identifiers of the images, each once.
func (p *Plan) RIDs() []string {
	var rids []string
	for _, t := range p.Targets {
		rids = append(rids, t.RID)
	}
	slices.Sort(rids)
	return slices.Compact(rids)
}

// RestoreRIDs are the runtime identifiers that restore gets packages or launchers for; none if all platforms share all.
func (p *Plan) RestoreRIDs() []string {
	if !p.NeedsRIDs() {
		return nil
	}
	rids, own := p.RIDs(), p.App.RuntimeIdentifiers
	foreign := func(rid string) bool { return !slices.Contains(own, rid) }
	if p.App.Mode.PerPlatform() && p.locked() && !slices.ContainsFunc(rids, foreign) {
		return own // the lock file is for all of them, and NuGet compares (NU1004)
	}
	return rids
}

// locked tells whether the app has a lock file.
func (p *Plan) locked() bool {
	return slices.ContainsFunc(p.App.Closure, func(n dotnet.Node) bool {
		exists := func(name string) bool {
			_, ok := p.Tree.Name(name)
			return ok
		}
		return n.Path == p.App.Path && (n.LockFile != "" || slices.ContainsFunc(n.LockFiles(), exists))
	})
}

// PublishRIDs has a runtime identifier for each publish; it has one empty string if all platforms share one publish.
func (p *Plan) PublishRIDs() []string {
	if !p.App.Mode.PerPlatform() {
		return []string{""}
	}
	return p.RIDs()
}

// PublishRID is the one of [Plan.PublishRIDs] whose files are in the image of t.
func (p *Plan) PublishRID(t Target) string {
	if !p.App.Mode.PerPlatform() {
		return ""
	}
	return t.RID
}

// PublishKey names the publish whose files are in the image of t: its runtime identifier. If commands of publish.after
// use what differs between platforms, each platform has its own, and its name follows.
func (p *Plan) PublishKey(t Target) string {
	if p.further || len(p.Request.PlatformVars()) == 0 {
		return p.PublishRID(t)
	}
	return strings.TrimSpace(p.PublishRID(t) + " " + platforms.FormatAll(t.Platform))
}

// SameAnnotation tells whether an annotation is the same for all images.
func (p *Plan) SameAnnotation(key string) bool {
	first, ok := p.Targets[0].Config.Annotations[key]
	return ok && !slices.ContainsFunc(p.Targets, func(t Target) bool {
		v, ok := t.Config.Annotations[key]
		return !ok || v != first
	})
}

// Builder makes the vertices of the plan.
func (p *Plan) Builder() *xllb.Builder { return Builder(p.Request, p.Facts, p.Toolchain) }

// Builder makes the vertices of the apps and tests of facts. toolchain is the image that links, or nil.
func Builder(req *request.Request, f *facts.Facts, toolchain *gateway.Image) *xllb.Builder {
	var linker *llb.State
	if toolchain != nil {
		linker = &toolchain.State
	}
	var built []*dotnet.App
	if f.App != nil && !f.App.None() {
		built = append(built, f.App)
	}
	for _, also := range f.Also {
		built = append(built, also.App)
	}
	built = append(built, f.Tests...)
	return &xllb.Builder{
		Steps:     f.Steps,
		Project:   f.Project,
		Built:     built,
		Inputs:    req.Spec.Publish.Inputs,
		Toolchain: linker,
		Outputs:   f.Answer.Outputs,
		Described: &f.Answer.State,
	}
}
