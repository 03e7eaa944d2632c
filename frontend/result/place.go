package result

import (
	"context"
	"fmt"
	"path"
	"strings"

	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	xllb "github.com/crosshull/crosshull/llb"
)

// grounds finds out what the base of every target has in the places of the layers. It looks at the bases concurrently.
// layers are the layers of the app, for each target.
func grounds(ctx context.Context, p *plan.Plan, layers [][]layer) ([]xllb.Ground, error) {
	all := make([]xllb.Ground, len(p.Targets))
	eg, ctx := gateway.Group(ctx)
	for i, t := range p.Targets {
		eg.Go(func() (err error) {
			if all[i], err = ground(ctx, p.Request, t, xllb.AppDir(p.App), layers[i]); err != nil {
				return p.Request.At(p.Request.BaseKey(), fmt.Errorf("look at %s: %w", t.Base.Name, err))
			}
			return nil
		})
	}
	return all, eg.Wait()
}

// ground finds out what the base of a target has in the places of the layers, for an app in dir.
func ground(
	ctx context.Context, req *request.Request, t plan.Target, dir string, layers []layer,
) (xllb.Ground, error) {
	var base xllb.Stat
	if xllb.MustLook(t.Base.State, t.Base.Config, dir, t.Spec.Files) {
		ref, err := req.Gateway.Solve(ctx, t.Base.State)
		if err != nil {
			return nil, err
		}
		if ref != nil { // nil is an empty image
			base = gateway.Lstat(ref)
		}
	}
	base = t.Users.Over(base)
	found, err := xllb.Look(ctx, xllb.Destinations(dir, t.Spec.Files), base)
	if err != nil {
		return nil, err
	}
	if len(layers) == 0 {
		return found, nil
	}
	return found.WithApp(ctx, dir, inApp(layers, dir))
}

// inApp tells what the layers of the app have at a path in dir.
func inApp(layers []layer, dir string) xllb.Stat {
	return func(ctx context.Context, p string) (*fstypes.Stat, error) {
		var found *fstypes.Stat
		for _, l := range layers {
			if l.from == nil {
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
