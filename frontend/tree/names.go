package tree

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/crosshull/crosshull/frontend/gateway"
)

// Name is a file, a folder or a symbolic link of the context.
type Name struct {
	Path   string // relative to the context
	Mode   os.FileMode
	Size   int64
	Target string // of a link, as it is in the file system
}

func (n Name) isLink() bool { return n.Mode&os.ModeSymlink != 0 }

// maxNames is how many names a context may have. Each takes memory here, and time in BuildKit.
const maxNames = 2_000_000

// checkNames gives an error if a context has more names than that.
func checkNames(n int) error {
	if n > maxNames {
		return fmt.Errorf("the build context has more than %d files and folders: exclude what no project needs in "+
			".dockerignore", maxNames)
	}
	return nil
}

// sortNames puts names in the order of [Tree.Names].
func sortNames(names []Name) {
	slices.SortFunc(names, func(a, b Name) int { return strings.Compare(a.Path, b.Path) })
}

// Name tells what is at a path. It does not follow links.
func (t *Tree) Name(p string) (Name, bool) {
	i, ok := slices.BinarySearchFunc(t.Names, p, func(n Name, p string) int { return strings.Compare(n.Path, p) })
	if !ok {
		return Name{}, false
	}
	return t.Names[i], true
}

// in gives the names that are in a folder, at any depth: those from lo to hi.
func (t *Tree) in(dir string) (lo, hi int) {
	if dir == "." {
		return 0, len(t.Names)
	}
	find := func(p string) int {
		return sort.Search(len(t.Names), func(i int) bool { return t.Names[i].Path >= p })
	}
	return find(dir + "/"), find(dir + "0") // the character after the slash
}

// maxLinks is how many links a path may lead through, as in Linux (path_resolution(7)).
const maxLinks = 40

// follow follows a path through links. In a step the context is a folder among others, so a link that is absolute or
// leads out of it leads nowhere. BuildKit's copies take the context for the root of all paths: rooted does the same.
// passed are the links, even if err is not nil.
func (t *Tree) follow(name string, rooted bool) (passed []string, end Name, err error) {
	end = Name{Path: ".", Mode: os.ModeDir}
	asked := parts(name)
	rest := asked
	type target struct {
		link  Name
		after int // how many parts are left when it has been followed
	}
	var targets []target
	broken := func() error {
		for _, t := range slices.Backward(targets) {
			if len(rest) >= t.after {
				return nowhere(t.link)
			}
		}
		return notThere(path.Join(asked[:len(asked)-len(rest)]...))
	}
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == ".." {
			if end.Path == "." && !rooted {
				return passed, Name{}, broken()
			}
			end = Name{Path: path.Dir(end.Path), Mode: os.ModeDir}
			continue
		}
		next, ok := t.Name(path.Join(end.Path, part))
		switch {
		case !ok:
			return passed, Name{}, broken()
		case !next.isLink():
			end = next
			continue
		}
		if len(passed) == maxLinks || path.IsAbs(next.Target) && !rooted {
			return passed, Name{}, nowhere(next)
		}
		passed = append(passed, next.Path)
		targets = append(targets, target{next, len(rest)})
		if path.IsAbs(next.Target) {
			end = Name{Path: ".", Mode: os.ModeDir}
		}
		rest = append(parts(next.Target), rest...)
	}
	return passed, end, nil
}

func notThere(name string) error {
	return fmt.Errorf("there is no %s in the context, or an ignore file leaves it out", name)
}

// nowhere is the error about a link that leads to nothing in the context.
func nowhere(link Name) error {
	return fmt.Errorf("%s is a symbolic link to %s, which is not in the context", link.Path, link.Target)
}

// parts are the names in a path.
func parts(p string) []string {
	return slices.DeleteFunc(strings.Split(p, "/"), func(part string) bool { return part == "" || part == "." })
}

// Find follows a path in the context, and gives an error if it leads nowhere. BuildKit would only do so at the end of
// the build. It would copy a broken link into the image without an error.
func (t *Tree) Find(name string) error {
	_, _, err := t.follow(name, true)
	return err
}

// File gives the file that a path leads to: the path without links.
func (t *Tree) File(name string) (string, error) {
	_, end, err := t.follow(name, false)
	if err == nil && !end.Mode.IsRegular() {
		err = fmt.Errorf("%s is not a file", name)
	}
	return end.Path, err
}

// Glob gives the paths that a pattern with wildcards matches, as COPY does. It is an error if there are none.
func (t *Tree) Glob(ctx context.Context, pattern string) ([]string, error) {
	found, err := gateway.Glob(ctx, pattern, func(_ context.Context, dir string) ([]string, error) {
		_, end, err := t.follow(dir, true)
		if err != nil {
			return nil, nil //nolint:nilerr // nothing is there
		}
		var names []string
		lo, hi := t.in(end.Path)
		for _, n := range t.Names[lo:hi] {
			if path.Dir(n.Path) == end.Path {
				names = append(names, path.Base(n.Path))
			}
		}
		return names, nil
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("nothing in the context matches %s, or an ignore file leaves it out", pattern)
	}
	for i := range found {
		found[i] = strings.TrimPrefix(found[i], "/")
	}
	return found, err
}
