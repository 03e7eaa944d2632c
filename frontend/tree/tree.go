// Package tree is the second stage of a build: what is in the context.
//
// Contract: [Read] gives a [Tree] that does not change afterwards: the names of all that is in the build context, what
// names tell (symbolic links, settings of the restore, static web assets), and the contents of project files. More
// contents are read when asked for ([Tree.With]). How names and contents get here is known to this package alone. This
// stage decides nothing.
package tree

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Tree is what is in a build context.
type Tree struct {
	xllb.Sources
	// Names are all names of the context, sorted by path, folders included. What .dockerignore excludes is not among
	// them, nor is .git unless the user keeps it.
	Names []Name
	// Files are the contents that have been read so far, by path: at least those of the project files.
	Files dotnet.Files

	// told is what the names tell, without the project files.
	told   xllb.Sources
	origin origin
}

// origin is where a context comes from.
type origin interface {
	// read gives the contents of regular files, by path. An error names the file.
	read(ctx context.Context, names []Name) (map[string][]byte, error)
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
	from := snapshot{ref, gitDirs(req.Gateway) == nil}
	names, err := from.names(ctx)
	if err != nil {
		return nil, fmt.Errorf("look through the context: %w", err)
	}
	t := &Tree{Names: names, Files: dotnet.Files{}, origin: from, told: xllb.Sources{
		Context: st, Exclude: gitDirs(req.Gateway), Links: dotnet.Links{},
		Housekeeping: dotnet.Housekeeping{Spec: path.Base(req.SpecName()), Git: len(gitDirs(req.Gateway)) == 0},
	}}
	t.tell()
	files, err := t.projectFiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("look through the context: %w", err)
	}
	return t.with(files), nil
}

// With gives a tree that also has the contents of files, by the paths that they are asked for: a path may lead through
// links. If one cannot be had, the error names it.
func (t *Tree) With(ctx context.Context, names []string) (*Tree, error) {
	ends := map[string]string{}
	var missing []Name
	for _, name := range names {
		if _, ok := t.Files[name]; ok {
			continue
		}
		end, err := t.follow(name, false)
		switch {
		case err != nil:
			return nil, err
		case !end.Mode.IsRegular():
			return nil, fmt.Errorf("%s is no file", name)
		}
		ends[name] = end.Path
		missing = append(missing, end)
	}
	read, err := t.origin.read(ctx, missing)
	if err != nil {
		return nil, err
	}
	files := maps.Clone(t.Files)
	for name, end := range ends {
		files[name] = read[end]
	}
	return t.with(files), nil
}

// with gives a tree that has other contents.
func (t *Tree) with(files dotnet.Files) *Tree {
	next := *t
	next.Files, next.Sources = files, t.told
	next.RestoreInputs = dotnet.RestoreInputs(files)
	next.Assets.AddProjects(files)
	next.Housekeeping.AddProjects(files)
	return &next
}

// tell fills in what the names tell.
func (t *Tree) tell() {
	left := newLeftOut(t.Names)
	for _, n := range t.Names {
		t.told.Names = append(t.told.Names, dotnet.Name{Path: n.Path, Folder: n.Mode.IsDir(), Target: n.Target})
		if n.Mode.IsDir() || left.in(path.Dir(n.Path)) {
			continue
		}
		t.told.Settings.Add(n.Path)
		t.told.Housekeeping.Add(n.Path)
		switch {
		case n.isLink():
			t.told.Links.Add(n.Path, n.Target)
		case n.Mode.IsRegular():
			t.told.Assets.AddFile(n.Path, n.Size)
		}
	}
}

// projectFiles reads the project files. One with two names, by a link, has its content under both.
func (t *Tree) projectFiles(ctx context.Context) (dotnet.Files, error) {
	left := newLeftOut(t.Names)
	wanted := map[string]Name{}
	ends := map[string]string{} // of links
	for _, n := range t.Names {
		switch {
		case !dotnet.IsProjectFile(n.Path) || left.in(path.Dir(n.Path)):
		case n.isLink():
			if end, err := t.follow(n.Path, false); err == nil && end.Mode.IsRegular() {
				wanted[end.Path], ends[n.Path] = end, end.Path
			}
		case n.Mode.IsRegular():
			wanted[n.Path] = n
		}
	}
	files, err := t.origin.read(ctx, slices.Collect(maps.Values(wanted)))
	if err != nil {
		return nil, err
	}
	for link, end := range ends {
		files[link] = files[end]
	}
	return files, nil
}

// leftOut tells folders in which no project is looked for.
type leftOut struct {
	projects map[string]bool // folders with a project
	known    map[string]bool
}

func newLeftOut(names []Name) *leftOut {
	l := &leftOut{map[string]bool{}, map[string]bool{".": false}}
	for _, n := range names {
		if strings.HasSuffix(path.Ext(n.Path), "proj") {
			l.projects[path.Dir(n.Path)] = true
		}
	}
	return l
}

// in tells whether a folder is one of those, or in one of them. Without a project beside them, bin and obj are ordinary
// folders of the user.
func (l *leftOut) in(dir string) bool {
	out, ok := l.known[dir]
	if ok {
		return out
	}
	switch path.Base(dir) {
	case "node_modules", ".git":
		out = true
	case "bin", "obj":
		out = l.projects[path.Dir(dir)]
	}
	out = out || l.in(path.Dir(dir))
	l.known[dir] = out
	return out
}
