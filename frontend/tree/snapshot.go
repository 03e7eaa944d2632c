package tree

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/gateway"
)

// snapshot is a context that BuildKit has already.
type snapshot struct {
	ref client.Reference // nil: an empty one
	git bool             // .git is part of it
}

// names walks the whole context.
func (s snapshot) names(ctx context.Context) ([]Name, error) {
	if s.ref == nil {
		return nil, nil
	}
	var mu sync.Mutex
	var all []Name
	err := gateway.Walk(ctx, s.ref, "", func(name string, stat *fstypes.Stat) error {
		if path.Base(name) == ".git" && !s.git {
			return fs.SkipDir
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, Name{name, os.FileMode(stat.Mode), stat.Size, stat.Linkname})
		return checkNames(len(all))
	})
	sortNames(all)
	return all, err
}

// check does nothing, because BuildKit has the files already.
func (snapshot) check(context.Context, string, choice, []Name) error { return nil }

// readers is how many files are read at a time.
const readers = 16

func (s snapshot) read(ctx context.Context, _ string, _ choice, names []Name) (map[string][]byte, error) {
	eg, ctx := gateway.Group(ctx)
	eg.SetLimit(readers)
	var mu sync.Mutex
	files := map[string][]byte{}
	for _, n := range names {
		eg.Go(func() error {
			dt, err := gateway.ReadRef(ctx, s.ref, n.Path)
			if err != nil {
				return fmt.Errorf("read %s: %w", n.Path, err)
			}
			mu.Lock()
			defer mu.Unlock()
			files[n.Path] = dt
			return nil
		})
	}
	return files, eg.Wait()
}
