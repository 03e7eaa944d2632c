// Package tree is the second stage of a build: what is in the context.
//
// Contract: [Read] walks the build context once and gives a [Tree] that does not change afterwards. The Tree has what
// file names tell (symbolic links, settings of the restore, static web assets), and the contents of project files. This
// stage decides nothing.
package tree

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Tree is what is in a build context.
type Tree struct {
	xllb.Sources
	// Files are the project files.
	Files dotnet.Files
}

// Read gives the tree of the build context, without what .dockerignore excludes.
func Read(ctx context.Context, req *request.Request) (*Tree, error) {
	st, err := mainContext(ctx, req.Gateway)
	if err != nil {
		return nil, err
	}
	return Of(ctx, req, *st)
}

// mainContext is the build context without .git. With .git, every commit would change the inputs, and the compiler
// would write the commit into the app. These patterns come last, so a .dockerignore cannot bring .git back.
func mainContext(ctx context.Context, gw *gateway.Client) (*llb.State, error) {
	excludes, err := gw.DockerIgnorePatterns(ctx)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	excludes = slices.Concat(excludes, gitDirs(gw))
	// With a hint of our own, BuildKit keeps our files of a folder apart from those of the Dockerfile frontend. Otherwise
	// each build with the other frontend would replace them.
	return gw.MainContext(ctx, llb.ExcludePatterns(excludes), llb.SharedKeyHint("crosshull"))
}

// gitDirs are the patterns that exclude .git from every kind of context. There are none if
// BUILDKIT_CONTEXT_KEEP_GIT_DIR keeps it.
func gitDirs(gw *gateway.Client) []string {
	if keep, _ := strconv.ParseBool(gw.BuildArgs["BUILDKIT_CONTEXT_KEEP_GIT_DIR"]); keep {
		return nil
	}
	return dotnet.GitDirs()
}

// Of gives the tree of a state.
func Of(ctx context.Context, req *request.Request, st llb.State) (*Tree, error) {
	ref, err := req.Gateway.Evaluate(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("read the context: %w", err)
	}
	t := &Tree{Files: dotnet.Files{}, Sources: xllb.Sources{
		Context: st, Exclude: gitDirs(req.Gateway), Links: dotnet.Links{},
		Housekeeping: dotnet.Housekeeping{Spec: path.Base(req.SpecName()), Git: len(gitDirs(req.Gateway)) == 0},
	}}
	if ref == nil { // an empty context
		return t, nil
	}
	w := &walk{tree: t, ref: ref}
	err = gateway.Walk(ctx, ref, "", notWalked, func(name string, stat *fstypes.Stat) error {
		return w.visit(ctx, name, stat)
	})
	if err == nil {
		err = w.complete(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("look through the context: %w", err)
	}
	t.RestoreInputs = dotnet.RestoreInputs(t.Files)
	t.Assets.AddProjects(t.Files)
	t.Housekeeping.AddProjects(t.Files)
	return t, nil
}

// walk fills a tree that is not returned yet.
type walk struct {
	ref   client.Reference
	mu    sync.Mutex
	tree  *Tree
	names []string // of regular files
}

func (w *walk) visit(ctx context.Context, name string, stat *fstypes.Stat) error {
	mode := os.FileMode(stat.Mode)
	if mode.IsRegular() && dotnet.IsProjectFile(name) {
		if err := w.read(ctx, name); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tree.Settings.Add(name)
	w.tree.Housekeeping.Add(name)
	switch {
	case mode&os.ModeSymlink != 0:
		w.tree.Links.Add(name, stat.Linkname)
	case mode.IsRegular():
		w.tree.Assets.AddFile(name, stat.Size)
		if !dotnet.InOutputs(name) {
			w.names = append(w.names, name)
		}
	}
	return nil
}

func (w *walk) read(ctx context.Context, name string) error {
	dt, err := gateway.ReadRef(ctx, w.ref, name)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tree.Files[name] = dt
	return nil
}

// complete reads more project files: targets of links, and imported files that have other names than project files.
func (w *walk) complete(ctx context.Context) error {
	files, links := w.tree.Files, w.tree.Links
	for known := -1; known < len(files); {
		known = len(files)
		named := dotnet.EvaluatedNames(files)
		var targets []string
		for link := range links {
			if dotnet.IsProjectFile(link) || slices.Contains(named, path.Base(link)) {
				targets = append(targets, links.Resolve(link))
			}
		}
		for _, name := range w.names {
			if _, ok := files[name]; ok || !slices.Contains(named, path.Base(name)) && !slices.Contains(targets, name) {
				continue
			}
			if err := w.read(ctx, name); err != nil {
				return err
			}
		}
		for link := range links { // a project file with two names has its content under both
			if dt, ok := files[links.Resolve(link)]; ok {
				files[link] = dt
			}
		}
	}
	return nil
}

// notWalked tells whether to skip a folder, because it is large and has no project in it. Without a project beside
// them, bin and obj are ordinary folders of the user.
func notWalked(name string, beside []*fstypes.Stat) bool {
	switch path.Base(name) {
	case "node_modules", ".git":
		return true
	case "bin", "obj":
		return slices.ContainsFunc(
			beside,
			func(stat *fstypes.Stat) bool { return strings.HasSuffix(path.Ext(stat.Path), "proj") },
		)
	}
	return false
}
