package result

import (
	"context"
	"fmt"
	"path"
	"strings"

	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
)

// grounds finds out what the base of every target has in the places of the layers. It looks at the bases concurrently.
// layers are those of the apps of the image, for each target.
func grounds(ctx context.Context, p *plan.Plan, layers [][]layer) ([]xllb.Ground, error) {
	all := make([]xllb.Ground, len(p.Targets))
	eg, ctx := gateway.Group(ctx)
	for i, t := range p.Targets {
		eg.Go(func() (err error) {
			all[i], err = ground(ctx, p, t, layers[i])
			return err
		})
	}
	return all, eg.Wait()
}

// ground finds out what the base of a target has in the places of the layers.
func ground(ctx context.Context, p *plan.Plan, t plan.Target, layers []layer) (xllb.Ground, error) {
	var base xllb.Stat
	files := places(p, t.Spec.Files)
	look := func(err error) error {
		return p.Request.At(p.Request.BaseKey(), fmt.Errorf("look at %s: %w", t.Base.Name, err))
	}
	if xllb.MustLook(t.Base.State, t.Base.Config, p.Dir, files) {
		ref, err := p.Request.Gateway.Evaluate(ctx, t.Base.State)
		if err != nil {
			if ofPackages := p.Request.DiagnosePackages(ctx, err); ofPackages != err { //nolint:errorlint // another one, or it
				return nil, ofPackages
			}
			return nil, look(err)
		}
		if ref != nil { // nil is an empty image
			base = gateway.Lstat(ref)
		}
	}
	base = t.Users.Over(base)
	found, err := xllb.Look(ctx, xllb.Destinations(p.Dir, files), base)
	done := map[string]bool{}
	for _, l := range layers {
		if err == nil && !done[l.dir] {
			found, err = found.WithApp(ctx, l.dir, inApp(layers, l.dir))
		}
		done[l.dir] = true
	}
	if err != nil {
		return nil, look(err)
	}
	return found, nil
}

// inApp tells what the layers of the app in dir have at a path there.
func inApp(layers []layer, dir string) xllb.Stat {
	return func(ctx context.Context, p string) (*fstypes.Stat, error) {
		var found *fstypes.Stat
		for _, l := range layers {
			if l.from == nil || l.dir != dir {
				continue
			}
			for _, folder := range l.folders {
				st, err := gateway.Lstat(l.from)(ctx, path.Join("/", folder, strings.TrimPrefix(p, dir)))
				if err != nil {
					return nil, err
				}
				if st != nil {
					found = st
				}
			}
		}
		return found, nil
	}
}
