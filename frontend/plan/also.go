package plan

import (
	"context"
	"slices"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/facts"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// inferred is the base of the app of f. If the SDK infers it, it has the frameworks of all apps of the image.
func inferred(f *facts.Facts) string {
	if f.App.InferredBase == "" || len(f.Also) == 0 {
		return f.App.BaseImage
	}
	names := slices.Clone(f.App.FrameworkReferences)
	for _, also := range f.Also {
		names = append(names, also.App.FrameworkReferences...)
	}
	if ref := dotnet.BaseFor(f.App.InferredBase, names); ref != f.App.InferredBase {
		return ref
	}
	return f.App.BaseImage
}

// addAlso makes the plans of further apps whose files the images of p get. p is complete except for them.
func (p *Plan) addAlso(ctx context.Context) error {
	var places []Place
	for _, t := range p.Targets {
		places = append(places, t.Place)
	}
	for _, also := range p.Facts.Also {
		for _, place := range places {
			if err := p.CheckPlatformTarget(also.App, place.RID, also.Key+".project"); err != nil {
				return err
			}
		}
		of := &Plan{
			Facts: p.Facts, Request: p.Request, App: also.App, Project: p.Project, Dir: also.To, Epoch: p.Epoch,
			Compression: p.Tree.Assets.Compression(also.App), commit: p.commit, further: true,
		}
		of.Project.Mode = also.Mode
		var err error
		if of.Toolchain, err = toolchain(ctx, p.Request, p.Facts, also.App, places); err != nil {
			return err
		}
		p.Also = append(p.Also, of.on(p.Targets))
	}
	return nil
}

// on is a plan of Also for other images.
func (p *Plan) on(targets []Target) *Plan {
	of := *p
	of.Targets = nil
	for _, t := range targets {
		t.Layers = layers(&of, t.RID, false)
		of.Targets = append(of.Targets, t)
	}
	return &of
}

// All are the plan itself and those of Also.
func (p *Plan) All() []*Plan { return append([]*Plan{p}, p.Also...) }

// Further tells whether the plan is one of Also.
func (p *Plan) Further() bool { return p.further }

// For is the image of a platform of the plan.
func (p *Plan) For(platform ocispecs.Platform) Target {
	return p.Targets[slices.IndexFunc(p.Targets, func(t Target) bool {
		return xllb.SamePlatform(t.Platform, platform)
	})]
}
