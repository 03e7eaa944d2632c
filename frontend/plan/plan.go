// Package plan is the fourth stage of a build: every decision.
//
// Contract: [Make] takes what was asked for and what MSBuild says, asks registries about the images, and gives a
// [Plan] that does not change afterwards: base, configuration and layers of the image of every platform, the image
// that links, and what is restored together. Calls print it, rules look at it, and the build follows it: nobody
// decides a second time. It solves nothing but a look into a base image whose name does not tell its C library.
package plan

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Plan is every decision about the app that is the target.
type Plan struct {
	*facts.Facts
	Request *request.Request
	// Toolchain is the image that links, where the mode is AOT; else nil.
	Toolchain *gateway.Image
	// Targets are the images, one for each platform.
	Targets []Target
	// Compression says which step compresses the static web assets.
	Compression dotnet.Compression
	// Epoch is the time that SOURCE_DATE_EPOCH tells; nil: none.
	Epoch *time.Time
}

// Target is the image of a platform.
type Target struct {
	Place
	// Spec is the spec for the platform.
	Spec *spec.Spec
	// Config is the configuration of the image; nil where the target is no image.
	Config *xllb.Configuration
	// Layers are those that the image can have, the first at the bottom. What publish leaves says which of them there are.
	Layers []Layer
}

// Place is where an app will run.
type Place struct {
	Platform ocispecs.Platform
	// RID is the platform's runtime identifier, on the C library of the base.
	RID  string
	Base Base
}

// Base is what an image is put on.
type Base struct {
	*gateway.Image
	// Manifest is the digest of the manifest for the platform; empty where it cannot be known.
	Manifest digest.Digest
}

// config is what the configuration of an image takes of its base. The empty one has no name to tell.
func (b Base) config() xllb.Base {
	if dotnet.IsScratch(b.Name) {
		return xllb.Base{}
	}
	return xllb.Base{Name: b.Name, Digest: b.Manifest, Config: b.Config}
}

// Make decides all about the app of facts.
func Make(ctx context.Context, req *request.Request, f *facts.Facts) (*Plan, error) {
	p := Plan{Facts: f, Request: req, Compression: f.Tree.Assets.Compression(f.App)}
	var err error
	if p.Epoch, err = epoch(ctx, req.Gateway); err != nil {
		return nil, err
	}
	if req.Target.Kind == spec.TargetSDK && !p.NeedsRIDs() {
		return &p, nil // for the platform that builds, and without a base
	}
	places, err := findPlaces(ctx, req, f)
	if err != nil {
		return nil, err
	}
	if p.Toolchain, err = toolchain(ctx, req, f, places); err != nil {
		return nil, err
	}
	commit, err := vcs(ctx, req, f)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		t, err := target(p, place, commit)
		if err != nil {
			return nil, err
		}
		p.Targets = append(p.Targets, t)
	}
	return &p, nil
}

// findPlaces resolves the base of every platform, and with its C library the runtime identifiers.
func findPlaces(ctx context.Context, req *request.Request, f *facts.Facts) ([]Place, error) {
	gw, ref := req.Gateway, f.App.BaseImage
	ps := gw.Targets()
	if dotnet.IsScratch(ref) {
		if err := dotnet.CheckScratch(f.App.Mode, f.App.StaticExecutable); err != nil {
			return nil, req.At(req.BaseKey(), err)
		}
	}
	images, err := gw.Bases(ctx, ref, ps, dotnet.Platforms())
	if err != nil {
		return nil, req.At(req.BaseKey(), fmt.Errorf("base image: %w", err))
	}
	manifests := gw.Manifests(ctx, images[0], ps)
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
		places[i] = Place{p, rid, Base{images[i], manifests[i]}}
	}
	return places, nil
}

// target decides about the image of a place. p has all but the targets.
func target(p Plan, place Place, commit xllb.VCS) (Target, error) {
	s, err := p.Request.SpecFor(place.Platform)
	if err != nil {
		return Target{}, err
	}
	t := Target{Place: place, Spec: s, Layers: layers(&p, place.RID)}
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
		VCS:      commit,
	})
	if err != nil {
		return t, fmt.Errorf("%s: %w", p.App.Path, err)
	}
	return t, nil
}

// Libc is the C library of a base: its name tells, or musl's loader is there, or it is glibc.
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

// toolchain resolves the image that links, nil where nothing is to be linked.
func toolchain(
	ctx context.Context, req *request.Request, f *facts.Facts, places []Place,
) (*gateway.Image, error) {
	if !f.App.Mode.NeedsToolchain() {
		return nil, nil
	}
	ref, err := ToolchainRef(req, f.SDK, f.App)
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

// ToolchainRef is the image that links, as it is asked for.
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

// RestoreRIDs are those that restore gets packages for, none where all platforms share what is published.
func (p *Plan) RestoreRIDs() []string {
	if !p.NeedsRIDs() {
		return nil
	}
	return p.RIDs()
}

// PublishRIDs are those that are published for, an empty one where all platforms share what is published.
func (p *Plan) PublishRIDs() []string {
	if !p.App.Mode.PerPlatform() {
		return []string{""}
	}
	return p.RIDs()
}

// PublishRID is the one of [Plan.PublishRIDs] whose output an image has.
func (p *Plan) PublishRID(t Target) string {
	if !p.App.Mode.PerPlatform() {
		return ""
	}
	return t.RID
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

// Builder makes the vertices of the apps and tests of facts. toolchain is the image that links, nil for none.
func Builder(req *request.Request, f *facts.Facts, toolchain *gateway.Image) *xllb.Builder {
	var linker *llb.State
	if toolchain != nil {
		linker = &toolchain.State
	}
	return &xllb.Builder{
		Steps:     f.Steps,
		Project:   f.Project,
		Inputs:    req.Spec.Publish.Inputs,
		NuGet:     req.Spec.NuGet,
		Toolchain: linker,
		Described: &f.Answer.State,
	}
}
