package tree

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/gateway"
)

// local is a context on the user's machine. BuildKit gets its names first.
type local struct {
	from *gateway.Local
	// warn tells the user of a folder that cannot be read.
	warn func(folder string)
	// whole tells that the context is small, so that one more transfer would take longer than sending all contents.
	whole bool
}

// The most that a small context has.
const (
	smallSize  = 4 << 20
	smallNames = 2000
)

func (l *local) names(ctx context.Context) ([]Name, error) {
	var all []Name
	hardLinks := map[int]string{}
	err := l.from.Names(ctx, l.warn, func(stat *fstypes.Stat) error {
		n := Name{Path: stat.Path, Mode: os.FileMode(stat.Mode), Size: stat.Size}
		switch {
		case n.isLink():
			n.Target = stat.Linkname
		case stat.Linkname != "": // another name of a file before it, which has the size
			hardLinks[len(all)] = stat.Linkname
		}
		all = append(all, n)
		return checkNames(len(all))
	})
	if err != nil {
		return nil, err
	}
	if len(hardLinks) > 0 {
		sizes := make(map[string]int64, len(all))
		for _, n := range all {
			sizes[n.Path] = n.Size
		}
		for i, first := range hardLinks {
			all[i].Size = sizes[first]
		}
	}
	sortNames(all)
	var size int64
	for _, n := range all {
		size += n.Size
	}
	l.whole = size <= smallSize && len(all) <= smallNames
	return all, nil
}

// state is a part of the context. what names it, in the log and for BuildKit, which keeps its files.
func (l *local) state(what string, c choice) llb.State {
	if l.whole || c.All && len(c.Except) == 0 {
		return l.all()
	}
	t := gateway.Transfer{Name: "load " + what, Hint: what}
	for _, name := range c.Except {
		t.Exclude = append(t.Exclude, gateway.ClientPattern(name))
	}
	if c.All {
		return l.from.State(t)
	}
	var include []string
	for _, name := range slices.Concat(c.Folders, c.Files) {
		include = append(include, gateway.ClientPattern(name))
	}
	slices.Sort(include)
	switch {
	case len(include) == 0:
		return llb.Scratch()
	case len(include) <= maxPatterns:
		t.Include = include
		return l.from.State(t)
	}
	var action *llb.FileAction
	part := 0
	for t.Include = range slices.Chunk(include, fewPatterns) {
		t.Hint = fmt.Sprint(what, " ", part)
		part++
		action = action.Copy(l.from.State(t), "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true})
	}
	return llb.Scratch().File(action, dockerui.WithInternalName("join "+what))
}

// all is the whole context.
func (l *local) all() llb.State { return l.from.State(gateway.Transfer{Name: "load build context"}) }

const (
	// maxPatterns is how many patterns a single transfer has at most: the client compares each with each path.
	maxPatterns = 1000
	// fewPatterns is how many patterns each of several transfers has, if one is not enough.
	fewPatterns = 300
)

func (l *local) evaluate(ctx context.Context, what string, c choice) (client.Reference, error) {
	return l.from.Evaluate(ctx, func() llb.State { return l.state(what, c) }, l.warn)
}

// read transfers a part of the context, and reads its files. names are all of them.
func (l *local) read(ctx context.Context, what string, c choice, names []Name) (map[string][]byte, error) {
	ref, err := l.evaluate(ctx, what, c)
	if err != nil {
		return nil, err
	}
	files, err := snapshot{ref: ref}.read(ctx, what, c, names)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if err := n.check(int64(len(files[n.Path]))); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// check gives an error if a file has not arrived as it was when its name was read. The client sends a file that it
// cannot read as an empty one (fsutil, sender.sendFile).
func (n Name) check(size int64) error {
	switch size {
	case n.Size:
		return nil
	case 0:
		return fmt.Errorf("%s cannot be read by the user who builds: change its permissions, or exclude it in .dockerignore",
			n.Path)
	}
	return fmt.Errorf("%s has changed since the build began: build again", n.Path)
}

// doubtful tells whether a file may be one that the client cannot read. There is no need to check what everybody may
// read.
func (n Name) doubtful() bool {
	const everybody = 0o444
	return n.Mode.IsRegular() && n.Size > 0 && n.Mode&everybody != everybody
}

// check looks at the sizes of doubtful files of a part.
func (l *local) check(ctx context.Context, what string, c choice, names []Name) error {
	folders := map[string][]Name{}
	for _, n := range names {
		if n.doubtful() {
			folders[path.Dir(n.Path)] = append(folders[path.Dir(n.Path)], n)
		}
	}
	if len(folders) == 0 {
		return nil
	}
	ref, err := l.evaluate(ctx, what, c)
	if err != nil || ref == nil {
		return err
	}
	var mu sync.Mutex
	var empty []Name
	eg, ctx := gateway.Group(ctx)
	eg.SetLimit(readers)
	for dir, wanted := range folders {
		eg.Go(func() error {
			sizes := map[string]int64{}
			err := gateway.ReadDir(ctx, ref, dir, func(stat *fstypes.Stat) { sizes[path.Base(stat.Path)] = stat.Size })
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, n := range wanted {
				if sizes[path.Base(n.Path)] == 0 {
					empty = append(empty, n)
				}
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil || len(empty) == 0 {
		return err
	}
	sortNames(empty) // the error names the first in each build
	return empty[0].check(0)
}
