package dotnet

import (
	"cmp"
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
	// project references: see Compiled.Apart of the evaluator.
	Apart bool
	// Locked says which versions of packages it gets.
	Locked
	// PlatformTarget is the property of that name: the only machine that its assembly is for. The SDK's default is empty.
	PlatformTarget string

	// Missing are projects that it names and that are not in the context.
	Missing []string
	// Packages tells whether it references any, ByRestore whether a restore may change what it reads.
	Packages, ByRestore bool
	FrameworkReferences []string
	// Reads is what it reads of the context beyond its folder, and why.
	Reads
	executable   bool   // is a program, which gets a launcher beside its assembly
	byPublishing bool   // asks for _IsPublishing
	ownBin       bool   // has files of the author in bin beside it
	foreign      bool   // has frameworks of other systems than Linux, beside others: see [Foreign]
	takesRuntime bool   // is built for the runtime identifier of what references it
	direct       bool   // sees of other projects only those that it names: DisableTransitiveProjectReferences
	inRestore    bool   // has targets of its own that run in a restore
	linked       string // where it is, if Path leads through a link
	// earlier are files of the context that have to be older than others: its targets make them anew, or copy them over
	// others of the same size.
	earlier []string
	// committed tells that its targets find these files up to date.
	committed bool
	reach
}

// Reads is what a project reads of the context beyond its own folder.
type Reads struct {
	Files   []Read
	Folders []Read // with all that is below them
	// Existing are folders that have to exist, whatever is in them.
	Existing []string
	// Unknown is why it is not known what the project reads. Then it gets everything. It is empty if that is known.
	Unknown string
	// unknownToEvaluation tells that a restore reads everything, too.
	unknownToEvaluation bool
	// told tells that only its author knows what its commands read: see [App.Told].
	told      bool
	runsTools bool // of its author, which may read whatever is in its folder
}

// Locked says which versions of packages a project gets.
type Locked struct {
	// Floating are the packages whose version depends on what feeds have that day, with the version as the project has it.
	Floating []KeyValue
	// LockFile is NuGetLockFilePath. It is empty for packages.lock.json, even if that file does not exist.
	LockFile string
	// LockedMode is RestoreLockedMode.
	LockedMode bool
}

// LockFiles are the names that NuGet's lock file of a project can have. NuGet takes the first that exists. If
// NuGetLockFilePath is set, it names another file.
func (n Node) LockFiles() []string {
	dir, base := path.Split(n.Path)
	own := "packages." + strings.ReplaceAll(strings.TrimSuffix(base, path.Ext(base)), " ", "_") + ".lock.json"
	return []string{dir + own, dir + "packages.lock.json"}
}

// reach are Reads as patterns. reachKnown tells whether the patterns match all that the project reads.
type reach struct {
	restoreReach, publishReach []string
	reachKnown                 bool
}

// reach gives the patterns for a project in folder dir.
func (r Reads) reach(dir string) reach {
	out := reach{reachKnown: r.Unknown == ""}
	for _, read := range slices.Concat(r.Files, r.Folders) {
		if read.Evaluation {
			out.restoreReach = append(out.restoreReach, Escape(read.Path))
		}
		if !covers(dir, read.Path) {
			out.publishReach = append(out.publishReach, Escape(read.Path))
		}
	}
	return out
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

// Add adds a file of the context if it is such a file.
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
// at all files of the context. Empty means all files: it is not known what MSBuild reads to evaluate a project.
func RestoreFiles(nodes []Node, settings Settings) []string {
	var patterns []string
	own := map[string]bool{} // folders of projects
	for _, n := range nodes {
		if n.unknownToEvaluation {
			return nil
		}
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

// Folders are folders that have to exist for projects, even if the projects read nothing in them.
func Folders(nodes []Node) []string {
	there := ancestors(allPaths(nodes))
	var folders []string
	for _, n := range nodes {
		for _, dir := range n.Existing {
			if !slices.Contains(there, dir) {
				folders = append(folders, dir)
			}
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// NamesPackages tells whether the projects of app reference packages.
func NamesPackages(app *App) bool {
	return slices.ContainsFunc(app.Closure, func(n Node) bool { return n.Packages })
}

// ByRestore tells whether a restore of app may change what its projects read.
func ByRestore(app *App) bool {
	return slices.ContainsFunc(app.Closure, func(n Node) bool { return n.ByRestore })
}

// RunInRestore tells whether targets of the projects' own run in a restore.
func RunInRestore(nodes []Node) bool {
	return slices.ContainsFunc(nodes, func(n Node) bool { return n.inRestore })
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

// Earlier are patterns of the files that have to be older than others, for targets that go by times.
func Earlier(nodes []Node) []string {
	var patterns []string
	for _, n := range nodes {
		for _, name := range n.earlier {
			if !n.committed {
				patterns = append(patterns, Escape(name))
			}
		}
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// AsCommitted gives an app whose targets find the files of [Earlier] up to date; nil if there are no such files.
func (app *App) AsCommitted() *App {
	return app.with(func(n *Node) bool {
		n.committed = true
		return len(n.earlier) > 0
	})
}

// Outputs are patterns of what builds on the host leave beside projects.
func Outputs(nodes []Node) []string {
	var patterns []string
	for _, n := range nodes {
		outputs := []string{"bin", "obj"}
		if n.ownBin {
			outputs = outputFolders
		}
		for _, p := range n.paths() {
			for _, output := range outputs {
				patterns = append(patterns, Escape(path.Join(path.Dir(p), output)))
			}
			patterns = append(patterns, Escape(p)+".user") // MSBuild imports it if it exists, and it belongs to one machine
		}
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// GitDirs are patterns of .git anywhere in the context. It is a folder, or a file in a submodule or a worktree
// (gitrepository-layout(5)).
func GitDirs() []string { return []string{"**/.git"} }

// GitAbove are patterns of the files that tell a build which repository projects are in, and which sources git ignores:
// the compiler embeds those (EmbedUntrackedSources).
func GitAbove(nodes []Node) []string {
	var patterns []string
	for _, dir := range ancestors(allPaths(nodes)) {
		for _, name := range gitFiles {
			patterns = append(patterns, escapeDir(dir)+name)
		}
	}
	return patterns
}

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

// CompiledSources are patterns of the sources of those nodes that are built already and that nothing else compiles.
// After an edit of such a source, the build sees only that the compiled output changes, if it does. The patterns first
// exclude all sources, and then bring back those that are read in another way. So other patterns must come after them.
// inputs are files and folders that are read beyond what MSBuild says.
func CompiledSources(nodes, built []Node, inputs []string) []string {
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
		if !n.reachKnown || n.told { // its commands may read the folders of the other projects, too
			return nil
		}
		for _, p := range n.publishReach {
			except(p)
		}
		for _, p := range n.paths() {
			except(Escape(path.Dir(p)))
		}
	}
	for _, p := range inputs {
		except(Escape(p))
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

// Told gives an app whose author has listed what its commands read. So for projects that MSBuild can evaluate, it is
// known what they read.
func (app *App) Told() *App {
	told := app.with(func(n *Node) bool {
		listed := n.Unknown != "" && !n.unknownToEvaluation
		if listed {
			n.Unknown, n.reachKnown, n.told = "", true, true
		}
		return listed
	})
	return cmp.Or(told, app)
}

// Everything gives an app whose projects read all of the context, for a reason; nil if they do so already.
func (app *App) Everything(why string) *App {
	return app.with(func(n *Node) bool {
		changed := !n.unknownToEvaluation
		n.Unknown, n.unknownToEvaluation, n.reachKnown = why, true, false
		return changed
	})
}

// with gives an app with changed projects; nil if change leaves all of them as they are.
func (app *App) with(change func(n *Node) bool) *App {
	out, changed := *app, false
	out.Closure = slices.Clone(app.Closure)
	for i := range out.Closure {
		changed = change(&out.Closure[i]) || changed
	}
	if !changed {
		return nil
	}
	return &out
}

// More gives an app that also reads what its projects read once they have their packages; nil if that is no more than
// before. after is MSBuild's answer at that time. doubtful are files that a project reads only if it names them. A
// restore imports no file of a package, so the app is restored from the same files as before.
func (app *App) More(after *App, doubtful []string) *App {
	wide, changed := *app, false
	wide.Closure = slices.Clone(app.Closure)
	for _, n := range after.Closure {
		i := slices.IndexFunc(wide.Closure, func(known Node) bool { return known.Path == n.Path })
		if i < 0 {
			return app.Unknown("a target of a package builds " + n.Path)
		}
		changed = wide.Closure[i].add(n, doubtful) || changed
	}
	if !changed {
		return nil
	}
	return &wide
}

// add adds what a project reads after a restore. It tells whether the project is built in another way than before.
func (n *Node) add(after Node, doubtful []string) bool {
	known := len(n.earlier)
	n.earlier = slices.Compact(slices.Sorted(slices.Values(slices.Concat(n.earlier, after.earlier))))
	anew := len(n.earlier) > known && !n.committed
	anew = anew || n.Apart && !after.Apart // a target of a package needs more than reference assemblies
	n.Apart = n.Apart && after.Apart
	if !n.reachKnown {
		return anew
	}
	reads := Reads{
		Files: slices.Clone(n.Files), Folders: slices.Clone(n.Folders), Existing: n.Existing, Unknown: after.Unknown,
		told:      n.told,
		runsTools: n.runsTools || after.runsTools && len(doubtful) > 0,
	}
	for _, read := range after.Files {
		if !n.has(read.Path, doubtful) {
			reads.Files = append(reads.Files, Read{Path: read.Path, Why: read.Why})
		}
	}
	for _, read := range after.Folders {
		if !n.has(read.Path, doubtful) {
			reads.Folders = append(reads.Folders, Read{Path: read.Path, Why: read.Why})
		}
	}
	for _, dir := range after.Existing {
		if !slices.Contains(n.Existing, dir) && !n.has(dir, nil) && !covers(dir, n.Path) {
			reads.Folders = append(reads.Folders, Read{Path: dir, Why: "the project looks for it"})
			after.publishReach = append(slices.Clone(after.publishReach), Escape(dir))
		}
	}
	more := len(reads.Files) > len(n.Files) || len(reads.Folders) > len(n.Folders) || reads.runsTools != n.runsTools ||
		!after.reachKnown || anew
	n.Reads, n.reachKnown = reads, after.reachKnown
	n.publishReach = slices.Concat(n.publishReach, after.publishReach)
	slices.Sort(n.publishReach)
	n.publishReach = slices.Compact(n.publishReach)
	return more
}

// has tells whether a project is known to read a file or a folder.
func (n *Node) has(name string, doubtful []string) bool {
	is := func(r Read) bool { return r.Path == name }
	in := func(r Read) bool { return covers(r.Path, name) }
	return slices.ContainsFunc(n.Files, is) || slices.ContainsFunc(n.Folders, in) ||
		covers(path.Dir(n.Path), name) && !slices.Contains(doubtful, name)
}

// Unknown gives an app whose projects may read all of the context after their restore, for a reason; nil if they do so
// already.
func (app *App) Unknown(why string) *App {
	return app.with(func(n *Node) bool {
		known := n.reachKnown
		if known {
			n.Unknown, n.reachKnown = why, false
		}
		return known
	})
}

// ReadsAll tells whether the projects of app read all of the context.
func ReadsAll(app *App) bool {
	return !slices.ContainsFunc(app.Closure, func(n Node) bool { return n.reachKnown })
}

// Foreign tells whether a restore of apps has to leave out frameworks of other systems: then it needs [MSBuildFiles].
func Foreign(apps []*App) bool {
	return slices.ContainsFunc(apps, func(app *App) bool {
		return slices.ContainsFunc(app.Closure, func(n Node) bool { return n.foreign })
	})
}
