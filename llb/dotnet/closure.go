package dotnet

import (
	"bytes"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
)

// Node is a project of the closure of an app.
type Node struct {
	// Path is relative to the context.
	Path string
	// References are the projects that it names, by path.
	References []string
	// Framework is the TargetFramework to build it for, if it has TargetFrameworks.
	Framework string
	// Apart tells that a process of its own can compile it. That process needs only the reference assemblies of what the
	// project references: see target CrosshullClosure.
	Apart bool
	// Locked says which versions of packages it gets.
	Locked

	direct bool   // sees of other projects only those that it names: DisableTransitiveProjectReferences
	linked string // where it is, if Path leads through a link
	reach
}

// Locked says which versions of packages a project gets.
type Locked struct {
	// Floating are the packages whose version depends on what feeds have on the day of the build, with the version that
	// the project asks for.
	Floating []KeyValue
	// LockFile is NuGetLockFilePath. Empty means packages.lock.json, whether that exists or not.
	LockFile string
	// LockedMode is RestoreLockedMode.
	LockedMode bool
}

// reach is what a project reads outside of its folder.
type reach struct {
	// Patterns of what it reads, and whether they are complete.
	restoreReach, publishReach []string
	reachKnown                 bool
	// Paths that it names, with anyName for each wildcard, and the housekeeping that it uses. sourcesKnown tells whether
	// MSBuild was asked about the housekeeping.
	names        []string
	sourcesKnown bool
}

// paths are all paths that lead to the project.
func (n Node) paths() []string {
	if n.linked == "" {
		return []string{n.Path}
	}
	return []string{n.Path, n.linked}
}

// reads tells whether a project file of the context is, or may be, a part of the project.
func (n Node) reads(file string) bool {
	dir := path.Dir(file)
	return slices.Contains(n.restoreReach, Escape(file)) || slices.ContainsFunc(n.paths(), func(p string) bool {
		return file == p || overlap(path.Dir(p), dir)
	})
}

// ProjectPaths are those of nodes, in their order.
func ProjectPaths(nodes []Node) []string {
	paths := make([]string, len(nodes))
	for i, n := range nodes {
		paths[i] = n.Path
	}
	return paths
}

func allPaths(nodes []Node) []string {
	var paths []string
	for _, n := range nodes {
		paths = append(paths, n.paths()...)
	}
	return paths
}

// Settings are the paths of files in the context that can change a restore even if no project names them.
type Settings []string

// Add remembers a file of the context if it is one.
func (s *Settings) Add(name string) {
	base := path.Base(name)
	switch {
	case slices.Contains([]string{".props", ".targets", ".rsp"}, path.Ext(base)),
		strings.HasSuffix(base, "packages.lock.json"),
		strings.HasPrefix(base, "packages.") && strings.HasSuffix(base, ".lock.json"),
		strings.EqualFold(base, "nuget.config"),
		base == "global.json", base == "dotnet-tools.json":
		*s = append(*s, name)
	}
}

// RestoreFiles are patterns of the files that can change a restore of projects: the projects themselves, files that
// they import or could import from their own folders, and files that MSBuild and NuGet look for in the folders above.
// The last two kinds come from settings, one pattern for each file: for every pattern with a wildcard, BuildKit looks
// at all files of the context.
func RestoreFiles(nodes []Node, settings Settings) []string {
	var patterns []string
	own := map[string]bool{} // folders of projects
	for _, n := range nodes {
		patterns = append(patterns, n.restoreReach...)
		for _, p := range n.paths() {
			patterns = append(patterns, Escape(p))
			own[path.Dir(p)] = true
		}
	}
	above := ancestors(allPaths(nodes))
	for _, name := range settings {
		if inAny(own, name) || slices.Contains(above, settingsDir(name)) && foundByName(path.Base(name)) {
			patterns = append(patterns, Escape(name))
		}
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// inContext returns the path of a project relative to the context, which is folder source of the build container.
// Callers walk up the folders of the path, so it must be clean: no doubled slash, no dots.
func inContext(p, source string) (string, error) {
	rel, ok := strings.CutPrefix(path.Clean(p), strings.TrimSuffix(path.Clean(source), "/")+"/")
	if !ok {
		return "", fmt.Errorf("project %s is outside the build context", p)
	}
	return rel, nil
}

// foldersOf are the folder of a file and all folders above it, the nearest first. The last is ".", the context itself.
func foldersOf(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for dir := path.Dir(name); yield(dir) && dir != "." && dir != "/"; {
			dir = path.Dir(dir)
		}
	}
}

// inAny tells whether a file is in one of the folders, at any depth.
func inAny(folders map[string]bool, name string) bool {
	for dir := range foldersOf(name) {
		if folders[dir] {
			return true
		}
	}
	return false
}

// settingsDir is the folder that a file applies to: dotnet-tools.json may be in its subfolder .config.
func settingsDir(name string) string {
	dir := path.Dir(name)
	if path.Base(dir) == ".config" {
		return path.Dir(dir)
	}
	return dir
}

// foundByName tells the files that MSBuild, NuGet and the SDK look for from a project's folder upwards.
func foundByName(base string) bool {
	switch path.Ext(base) {
	case ".props", ".targets":
		return strings.HasPrefix(base, "Directory.")
	case ".json":
		return base == "global.json" || base == "dotnet-tools.json"
	}
	return true
}

// NamesPackages tells whether the projects of app, or files that they import from folders above, reference packages.
func NamesPackages(app *App, files Files) bool {
	for name, dt := range files {
		if bytes.Contains(dt, []byte("<PackageReference")) && anyReads(app.Closure, name) {
			return true
		}
	}
	return false
}

// PublishFiles are patterns of the files that projects are built from: their folders, and what they reach outside.
// Empty means all files, because a project is at the root of the context or its reach is not known.
func PublishFiles(nodes []Node) []string {
	var patterns []string
	for _, n := range nodes {
		if !n.reachKnown {
			return nil
		}
		patterns = append(patterns, n.publishReach...)
		for _, p := range n.paths() {
			if path.Dir(p) == "." {
				return nil
			}
			patterns = append(patterns, Escape(path.Dir(p)))
		}
	}
	// Compiler and analyzers find their settings by name in the folders above.
	for _, dir := range ancestors(allPaths(nodes)) {
		patterns = append(patterns, escapeDir(dir)+".editorconfig", escapeDir(dir)+".globalconfig")
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// Outputs are patterns of what builds on the host leave beside projects.
func Outputs(nodes []Node) []string {
	var patterns []string
	for _, p := range allPaths(nodes) {
		dir := path.Dir(p)
		patterns = append(patterns, Escape(path.Join(dir, "bin")), Escape(path.Join(dir, "obj")))
		patterns = append(patterns, Escape(p)+".user") // MSBuild imports it if it exists, and it belongs to one machine
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// GitDirs are patterns of .git anywhere in the context. It is a folder, or a file in a submodule or a worktree
// (gitrepository-layout(5)).
func GitDirs() []string { return []string{"**/.git"} }

// Unseen are patterns of the folders of projects that are not among seen. Folders that contain a seen project are left
// out.
func Unseen(nodes, seen []Node) []string {
	needed := ancestors(allPaths(seen))
	var patterns []string
	for _, p := range allPaths(nodes) {
		if dir := path.Dir(p); !slices.Contains(needed, dir) {
			patterns = append(patterns, Escape(dir))
		}
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// CompiledSources are patterns of the sources of those nodes that are built already and that nothing else compiles. The
// build notices an edit of such a source by the compiled output, if that changes. The patterns begin with all sources
// and then except those that are read in another way, so other patterns must come after them.
func CompiledSources(nodes, built []Node) []string {
	if len(built) == 0 {
		return nil
	}
	patterns := []string{"**/*.cs"}
	// Name an excepted folder together with what is in it: patternmatcher looks at the exception only after something in
	// the folder is excluded (MatchesUsingParentResults).
	except := func(pattern string) { patterns = append(patterns, "!"+pattern, "!"+pattern+"/**") }
	for _, n := range nodes {
		if slices.ContainsFunc(built, func(b Node) bool { return b.Path == n.Path }) {
			continue
		}
		for _, p := range n.publishReach {
			except(p)
		}
		for _, p := range n.paths() {
			except(Escape(path.Dir(p)))
		}
	}
	if slices.Contains(patterns, "!.") || slices.Contains(patterns, "!**") {
		return nil
	}
	slices.Sort(patterns[1:])
	return slices.Compact(patterns)
}

// overlap tells whether one of two patterns can match a file in the folder of the other.
func overlap(a, b string) bool {
	return a == b || a == "**" || b == "**" || a == "." || b == "." || strings.HasPrefix(a, b+"/") ||
		strings.HasPrefix(b, a+"/")
}
