package gateway

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// Names gives the names in a folder; none if there is no such folder.
type Names func(ctx context.Context, dir string) ([]string, error)

// NamesIn gives the names in folders of a result. Links on the way to a folder are followed. A nil result is empty.
func NamesIn(ref client.Reference) Names {
	return func(ctx context.Context, dir string) ([]string, error) {
		if ref == nil {
			return nil, nil
		}
		var names []string
		err := ReadDir(ctx, ref, dir, func(stat *fstypes.Stat) { names = append(names, path.Base(stat.Path)) })
		if err != nil && (IsNotFound(err) || strings.Contains(err.Error(), "not a directory")) {
			return nil, nil
		}
		return names, err
	}
}

// Glob gives the paths that a pattern matches, sorted. * ? and [] match parts of a name, as in COPY. A path that leads
// through links stays as it is.
func Glob(ctx context.Context, pattern string, in Names) ([]string, error) {
	found := []string{"/"}
	parts := strings.Split(strings.Trim(path.Clean("/"+pattern), "/"), "/")
	for i, part := range parts {
		var next []string
		for _, dir := range found {
			if !strings.ContainsAny(part, `*?[`) && i < len(parts)-1 {
				next = append(next, path.Join(dir, part))
				continue
			}
			names, err := in(ctx, dir)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				if ok, err := path.Match(part, name); err != nil || !ok {
					continue // the spec has no bad pattern
				}
				next = append(next, path.Join(dir, name))
			}
		}
		found = next
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
