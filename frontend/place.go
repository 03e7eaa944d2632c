package frontend

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
	"golang.org/x/sync/errgroup"

	xllb "github.com/crosshull/crosshull/llb"
)

// placed are the layers that the app goes into, where they go on a base.
func placed(layers []layer, dir string, ground xllb.Ground) []xllb.Layer {
	put := make([]xllb.Layer, len(layers))
	for i, l := range layers {
		put[i] = xllb.AppLayer(l.state, dir, ground)
	}
	return put
}

// grounds looks at the base of every target, side by side, where the image has something to ask of it.
func (b *build) grounds(ctx context.Context, layers [][]layer) ([]xllb.Ground, error) {
	grounds := make([]xllb.Ground, len(b.targets))
	eg, ctx := errgroup.WithContext(ctx)
	for i, from := range b.base.images {
		eg.Go(func() (err error) {
			defer recovered(&err)
			if grounds[i], err = b.ground(ctx, from, layers[i]); err != nil {
				return b.at(b.baseKey(), fmt.Errorf("look at %s: %w", from.name, err))
			}
			return nil
		})
	}
	return grounds, eg.Wait()
}

// ground looks at a base.
func (b *build) ground(ctx context.Context, from *image, layers []layer) (xllb.Ground, error) {
	dir := xllb.AppDir(b.app)
	var base xllb.Stat
	if xllb.MustLook(from.state, from.config, dir, b.spec.Files) {
		var err error
		if base, err = b.lookAt(ctx, from); err != nil {
			return nil, err
		}
	}
	ground, err := xllb.Look(ctx, xllb.Destinations(dir, b.spec.Files), base)
	if err != nil {
		return nil, err
	}
	return ground.WithApp(ctx, dir, inApp(layers, dir))
}

// lookAt tells of the files of an image, nil for one without any.
func (e *entrypoint) lookAt(ctx context.Context, img *image) (xllb.Stat, error) {
	def, err := e.marshal(ctx, img.state)
	if err != nil {
		return nil, err
	}
	ref, err := e.solve(ctx, def)
	if err != nil || ref == nil {
		return nil, err
	}
	return lstat(ref), nil
}

// lstat tells what is at a path of ref. The gateway's StatFile would follow a link, so the folder is asked.
func lstat(ref client.Reference) xllb.Stat {
	return func(ctx context.Context, p string) (*fstypes.Stat, error) {
		req := client.ReadDirRequest{Path: path.Dir(p)}
		if plainName.MatchString(path.Base(p)) {
			req.IncludePattern = path.Base(p)
		}
		found, err := ref.ReadDir(ctx, req)
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		for _, st := range found {
			if st.Path == path.Base(p) {
				return st, nil
			}
		}
		return nil, nil
	}
}

// plainName is a name that is a pattern of itself.
var plainName = regexp.MustCompile(`^[\w.@+-]+$`)

// inApp tells what the layers of the app have in dir.
func inApp(layers []layer, dir string) xllb.Stat {
	return func(ctx context.Context, p string) (*fstypes.Stat, error) {
		var found *fstypes.Stat
		for _, l := range layers {
			if l.from == nil {
				continue
			}
			for _, folder := range l.folders {
				st, err := lstat(l.from)(ctx, path.Join("/", folder, strings.TrimPrefix(p, dir)))
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
