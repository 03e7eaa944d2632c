package frontend

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// checkFiles sees that what files names is in the context. BuildKit would say so when all else is done; of a link
// that leads nowhere it would say nothing, and the image have it as it is.
func (b *build) checkFiles(ctx context.Context) error {
	var ref client.Reference
	for i, f := range b.spec.Files {
		if f.From == "" || f.Context != "" {
			continue
		}
		if ref == nil {
			def, err := b.marshal(ctx, b.graph.Context)
			if err != nil {
				return err
			}
			if ref, err = b.solve(ctx, def); err != nil {
				return fmt.Errorf("read the context: %w", err)
			}
		}
		if err := find(ctx, ref, f.From); err != nil {
			return b.at(fmt.Sprintf("files.%d.from", i), err)
		}
	}
	return nil
}

// find follows a path in the context, which ref is, and says where it ends if that is too soon.
func find(ctx context.Context, ref client.Reference, name string) error {
	if ref == nil { // an empty context
		return fmt.Errorf("there is no %s in the context", name)
	}
	found := "."
	for part := range strings.SplitSeq(path.Clean(name), "/") {
		p := path.Join(found, part)
		_, err := ref.StatFile(ctx, client.StatRequest{Path: p})
		switch {
		case err == nil:
			found = p
			continue
		case !isNotFound(err):
			return fmt.Errorf("look for %s in the context: %w", name, err)
		}
		entries, err := ref.ReadDir(ctx, client.ReadDirRequest{Path: found})
		if err != nil {
			return fmt.Errorf("look for %s in the context: %w", name, err)
		}
		i := slices.IndexFunc(entries, func(e *fstypes.Stat) bool { return path.Base(e.Path) == part })
		if i >= 0 && os.FileMode(entries[i].Mode)&os.ModeSymlink != 0 {
			return fmt.Errorf("%s is a symbolic link to %s, which is not in the context", p, entries[i].Linkname)
		}
		return fmt.Errorf("there is no %s in the context, or an ignore file leaves it out", p)
	}
	return nil
}
