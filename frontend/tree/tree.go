// Package tree is the second stage of a build: what is in the context.
//
// Contract: [Read] gives a [Tree] that does not change afterwards: the names of all that is in the build context, what
// names tell (symbolic links, settings of the restore, static web assets), and the contents of project files. More
// contents are read when asked for ([Tree.With]). Only this package knows how names and contents are transferred. This
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
	// projects are the part of the context that has the project files.
	projects choice
}

// origin is where a context comes from.
type origin interface {
	// names gives all names, sorted.
	names(ctx context.Context) ([]Name, error)
	// read gives the contents of names, the regular files of a part of the context, by path. An error names the file.
	read(ctx context.Context, what string, c choice, names []Name) (map[string][]byte, error)
	// check gives an error if one of files, which are in a part of the context, cannot be read.
	check(ctx context.Context, what string, c choice, files []Name) error
}

// Read gives the tree of the build context, without what .dockerignore excludes, and without .git: with .git, every
// commit would change the inputs, and the compiler would write the commit into the app.
func Read(ctx context.Context, req *request.Request) (*Tree, error) {
	from, err := req.Gateway.Local(ctx, gitDirs(req.Gateway)...)
	if err != nil {
		return nil, err
	}
	if from == nil {
		st, err := req.Gateway.MainContext(ctx)
		if err != nil {
			return nil, err
		}
		return Of(ctx, req, *st)
	}
	l := &local{from: from, warn: func(folder string) {
		req.Warn(ctx, folder+" is left out of the build context, because you may not read it: change its permissions, or "+
			"exclude it in .dockerignore")
	}}
	if !from.HasNames() {
		all := func() llb.State {
			name := "load build context, with contents that no step needs (BuildKit 0.22 can leave them out)"
			return from.State(gateway.Transfer{Name: name})
		}
		ref, err := from.Evaluate(ctx, all, l.warn)
		if err != nil {
			return nil, fmt.Errorf("read the context: %w", err)
		}
		return newTree(ctx, req, all(), snapshot{ref, true})
	}
	t, err := newTree(ctx, req, l.all(), l)
	if err != nil || l.whole {
		return t, err
	}
	t.told.Part = func(what string, reads ...xllb.Reads) llb.State { return l.state(t.part(what, reads)) }
	return t.with(t.Files), nil
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
	return newTree(ctx, req, st, snapshot{ref, gitDirs(req.Gateway) == nil})
}

// newTree gives the tree of a context. st is all of it.
func newTree(ctx context.Context, req *request.Request, st llb.State, from origin) (*Tree, error) {
	names, err := from.names(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the context: %w", err)
	}
	t := &Tree{Names: names, Files: dotnet.Files{}, origin: from, told: xllb.Sources{
		Context: st, Exclude: gitDirs(req.Gateway), Links: dotnet.Links{},
		Housekeeping: dotnet.Housekeeping{Spec: path.Base(req.SpecName()), Git: len(gitDirs(req.Gateway)) == 0},
	}}
	t.tell()
	files, err := t.projectFiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the context: %w", err)
	}
	return t.with(files), nil
}

// part gives the part of the context that steps read, and its name. If the part with the project files has all of it,
// that is the part.
func (t *Tree) part(what string, reads []xllb.Reads) (string, choice) {
	c := choose(t, reads)
	if t.projects.covers(c) {
		return projectFiles, t.projects
	}
	return what, c
}

// projectFiles names the part of the context that has the project files.
const projectFiles = "project files"

// Check gives an error if steps would read a file that the client cannot read. It would arrive empty.
func (t *Tree) Check(ctx context.Context, what string, reads ...xllb.Reads) error {
	what, c := t.part(what, reads)
	return t.origin.check(ctx, what, c, c.files(t))
}

// read gives the contents of regular files.
func (t *Tree) read(ctx context.Context, what string, names []Name) (map[string][]byte, choice, error) {
	if len(names) == 0 {
		return nil, choice{}, nil
	}
	var reads xllb.Reads
	for _, n := range names {
		reads.Include = append(reads.Include, dotnet.Escape(n.Path))
	}
	c := choose(t, []xllb.Reads{reads})
	files, err := t.origin.read(ctx, what, c, names)
	return files, c, err
}

// With gives a tree that also has the contents of files, by the paths that they are asked for: a path may lead through
// links. If one cannot be read, the error names it.
func (t *Tree) With(ctx context.Context, names []string) (*Tree, error) {
	ends := map[string]string{}
	var missing []Name
	for _, name := range names {
		if _, ok := t.Files[name]; ok {
			continue
		}
		_, end, err := t.follow(name, false)
		switch {
		case err != nil:
			return nil, err
		case !end.Mode.IsRegular():
			return nil, fmt.Errorf("%s is not a file", name)
		}
		ends[name] = end.Path
		missing = append(missing, end)
	}
	read, _, err := t.read(ctx, "files that project files name", missing)
	if err != nil {
		return nil, err
	}
	files := dotnet.Files{} // a context can have none so far
	maps.Copy(files, t.Files)
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
	has := func(folder string) bool {
		n, ok := t.Name(folder)
		return ok && n.Mode.IsDir()
	}
	next.PackageFolders, next.PackagesIn = dotnet.PackageFolders(files, has), dotnet.PackagesIn(files, has)
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
			if _, end, err := t.follow(n.Path, false); err == nil && end.Mode.IsRegular() {
				wanted[end.Path], ends[n.Path] = end, end.Path
			}
		case n.Mode.IsRegular():
			wanted[n.Path] = n
		}
	}
	names := slices.Collect(maps.Values(wanted))
	sortNames(names) // if several cannot be read, the error names the first
	files, c, err := t.read(ctx, projectFiles, names)
	if err != nil {
		return nil, err
	}
	t.projects = c
	for link, end := range ends {
		files[link] = files[end]
	}
	return files, nil
}

// leftOut tells in which folders not to look for projects.
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

// in tells whether a folder is left out, or is in one that is. Without a project beside them, bin and obj are ordinary
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
