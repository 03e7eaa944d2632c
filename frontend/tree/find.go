package tree

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/gateway"
)

// Find follows a path in the context, and gives an error if it leads nowhere. BuildKit would only do so at the end of
// the build. It would copy a broken link into the image without an error.
func (t *Tree) Find(ctx context.Context, gw *gateway.Client, name string) error {
	ref, err := gw.Evaluate(ctx, t.Context)
	if err != nil {
		return fmt.Errorf("read the context: %w", err)
	}
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
		case !gateway.IsNotFound(err):
			return fmt.Errorf("look for %s in the context: %w", name, err)
		}
		stat, err := gateway.Lstat(ref)(ctx, p)
		switch {
		case err != nil:
			return fmt.Errorf("look for %s in the context: %w", name, err)
		case stat != nil && os.FileMode(stat.Mode)&os.ModeSymlink != 0:
			return fmt.Errorf("%s is a symbolic link to %s, which is not in the context", p, stat.Linkname)
		}
		return fmt.Errorf("there is no %s in the context, or an ignore file leaves it out", p)
	}
	return nil
}
