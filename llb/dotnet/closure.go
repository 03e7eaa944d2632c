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
	// Framework is the TargetFramework to build it for, where it has TargetFrameworks.
	Framework string
	// Apart tells that it can be compiled by a process of its own, against no more than the reference assemblies of what
	// it references: see target CrosshullClosure.
	Apart bool
	// Locked says which versions of packages it gets.
	Locked
	// PlatformTarget is the property of that name: the only machine that its assembly is for. The SDK's default is empty.
	PlatformTarget string

	direct bool   // sees of other projects only those that it names: DisableTransitiveProjectReferences
	linked string // where it is, if Path leads through a link
	reach
}

// Locked says which versions of packages a project gets.
type Locked struct {
	// Floating are the packages whose version depends on what feeds have that day, with what the project says of it.
	Floating []KeyValue
	// LockFile is NuGetLockFilePath: empty for packages.lock.json, be it there or not.
	LockFile string
	// LockedMode is RestoreLockedMode.
	LockedMode bool
}

// reach is what a project reads outside of its folder.
type reach struct {
	// Patterns of it, and whether that is all.
	restoreReach, publishReach []string
	reachKnown                 bool
	// Its paths, anyName for each wildcard, with the housekeeping that the project makes something of, and whether it
	// was asked about that.
	names        []string
	sourcesKnown bool
}

// paths are all that lead to the project.
func (n Node) paths() []string {
	if n.linked == "" {
		return []string{n.Path}
	}
	return []string{n.Path, n.linked}
}

// reads tells whether a project file of the context is or may be part of the project.
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

// Settings are the files of a context that can change a restore though no project names them, by path.
type Settings []string

// Add takes a file of the context into account.
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

// RestoreFiles are patterns of the files that can change a restore of projects: they themselves, what they import or
// could import from their own folders, and what MSBuild and NuGet look for in the folders above. Those are told from
// settings, and named one by one: BuildKit looks at all files of the context once for each pattern with a wildcard.
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

// inContext gives the path of a project relative to the context, which is folder source of the build container. What
// follows from it walks up the folders of a path, so the path has to be clean: no doubled slash, no dots.
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

// inAny tells whether a file is in one of folders, however deep.
func inAny(folders map[string]bool, name string) bool {
	for dir := range foldersOf(name) {
		if folders[dir] {
			return true
		}
	}
	return false
}

// settingsDir is the folder that a file holds for: dotnet-tools.json may be in .config of that.
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

// PublishFiles are patterns of the files that projects are built from: their folders, and what they reach beyond them.
// Empty means all files: there is a project at the root of the context, or one whose reach is not known.
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
	// Settings of compiler and analyzers, found by their names in the folders above.
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
		patterns = append(patterns, Escape(p)+".user") // imported if it is there, and of one machine
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// GitDirs are patterns of what git keeps beside sources, anywhere below the context: a folder or, of a submodule or a
// worktree, a file (gitrepository-layout(5)).
func GitDirs() []string { return []string{"**/.git"} }

// Unseen are patterns of the folders of projects that are not among seen, as far as nothing of those is in them.
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

// CompiledSources are patterns of the sources of those of nodes that are built already, which nobody else compiles: an
// edit of one is told by what it is compiled to, if that changes. They begin with all sources and take out again what
// is read otherwise, so other patterns have to follow.
func CompiledSources(nodes, built []Node) []string {
	if len(built) == 0 {
		return nil
	}
	patterns := []string{"**/*.cs"}
	// A folder that is excepted has to be named with what is in it: the exception is not looked at before something of it
	// is excluded (patternmatcher, MatchesUsingParentResults).
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

// overlap tells whether one of two patterns can match what is in the folder of the other.
func overlap(a, b string) bool {
	return a == b || a == "**" || b == "**" || a == "." || b == "." || strings.HasPrefix(a, b+"/") ||
		strings.HasPrefix(b, a+"/")
}
