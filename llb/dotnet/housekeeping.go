package dotnet

import (
	"bytes"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Housekeeping are the files of a context that are about a repository and its deployment: the spec, Dockerfiles, files
// of compose, bake and CI, Markdown. MSBuild's wildcards find them in the folder of a project, just as they find
// sources. But projects nearly never use them, so an edit of one should not compile anything.
type Housekeeping struct {
	// Spec is the name of the file that the spec is in, without folders.
	Spec string
	// Git tells that the user wants .git in the context. Files such as .gitmodules and .gitignore are not housekeeping
	// then, because tools that read a commit read them too.
	Git bool

	found    []string            // all files with such a name
	files    []string            // the ones that MSBuild may find for a project
	folders  map[string][]string // folders with such a name, and the files in them
	bases    map[string]string   // the file names, and the same in lower case
	above    map[string]bool     // names of the folders that contain them, in lower case
	mentions []mention           // texts in project files that may name one of them
	commands []string            // project files that run the author's own programs
}

// mention is a text in a project file that may be a path.
type mention struct {
	file, value string
	text        bool // from an element, where the name of a folder mostly means something else
}

// nameKind is a kind of file names: they begin with a prefix and have one of some extensions, or any extension if the
// list is nil. All are in lower case.
type nameKind struct {
	prefix     string
	extensions []string
}

func (k nameKind) match(base string) bool {
	return strings.HasPrefix(base, k.prefix) && (k.extensions == nil || slices.Contains(k.extensions, path.Ext(base)))
}

var yaml, yamlOrJSON = []string{".yaml", ".yml"}, []string{".yaml", ".yml", ".json"}

// specKinds are specs, and the files that say what a context leaves out. Only BuildKit and crosshull read them.
var specKinds = []nameKind{{"crosshull", yaml}, {"", []string{".dockerignore", ".containerignore"}}}

// housekeepingKinds leaves out names that a tool looks for by itself during a build, such as .editorconfig,
// version.json and GitVersion.yml.
var housekeepingKinds = []nameKind{
	{"dockerfile", nil}, {"containerfile", nil}, {"", []string{".dockerfile"}},
	{"compose", yamlOrJSON}, {"docker-compose", yamlOrJSON}, {"docker-bake", []string{".hcl", ".json"}},
	{"skaffold", yaml}, {"tiltfile", nil}, {"tye", yaml},
	{"", []string{".md", ".markdown"}}, {"readme", nil}, {"codeowners", nil},
	{".git", nil}, {"azure-pipelines", yaml}, {"jenkinsfile", nil}, {".travis", yaml}, {"appveyor", yaml},
	{".appveyor", yaml}, {"bitbucket-pipelines", yaml}, {".drone", yaml}, {".woodpecker", yaml}, {"cloudbuild", yaml},
	{"buildspec", yaml},
	{"renovate", []string{".json", ".json5"}}, {".renovaterc", nil}, {".pre-commit-config", yaml},
}

// gitFiles are the files that git itself reads. Submodules and worktrees have a file .git.
var gitFiles = []string{".git", ".gitmodules", ".gitignore", ".gitattributes"}

// housekeepingFolders are folders, in lower case. Each name begins with a dot.
var housekeepingFolders = []string{
	".github", ".gitlab", ".gitea", ".forgejo", ".azuredevops", ".azure-pipelines", ".circleci", ".buildkite",
	".woodpecker", ".vscode", ".vs", ".idea", ".devcontainer",
}

// Add remembers a file or link of the context if it has such a name.
func (h *Housekeeping) Add(name string) {
	base := strings.ToLower(path.Base(name))
	has := func(k nameKind) bool { return k.match(base) }
	if h.Git && slices.Contains(gitFiles, base) {
		return
	}
	if h.isSpec(name) || slices.ContainsFunc(housekeepingKinds, has) || housekeepingFolder(name) != "" {
		h.found = append(h.found, name)
	}
}

// isSpec tells whether a file is the spec, or has a name that is usual for specs.
func (h *Housekeeping) isSpec(name string) bool {
	base := path.Base(name)
	lower := strings.ToLower(base)
	return base == h.Spec ||
		strings.HasSuffix(lower, ".crosshull.yaml") || strings.HasSuffix(lower, ".crosshull.yml") ||
		slices.ContainsFunc(specKinds, func(k nameKind) bool { return k.match(lower) })
}

// housekeepingFolder returns the topmost folder of housekeepingFolders that contains a file, or nothing.
func housekeepingFolder(name string) string {
	if !strings.HasPrefix(name, ".") && !strings.Contains(name, "/.") {
		return ""
	}
	folder := ""
	for dir := range foldersOf(name) {
		if slices.Contains(housekeepingFolders, strings.ToLower(path.Base(dir))) {
			folder = dir
		}
	}
	return folder
}

// AddProjects reads the project files of the context. Of the files added before, it keeps those in the root of the
// context and beside a project as housekeeping. It keeps a spec anywhere.
func (h *Housekeeping) AddProjects(files Files) {
	beside := map[string]bool{".": true}
	for name := range files {
		if isProject(name) {
			beside[path.Dir(name)] = true
		}
	}
	h.files, h.folders = nil, map[string][]string{}
	slices.Sort(h.found)
	for _, name := range h.found {
		folder := housekeepingFolder(name)
		_, isProjectFile := files[name]
		switch {
		case isProjectFile, InOutputs(name):
		case folder != "" && beside[path.Dir(folder)]:
			h.folders[folder] = append(h.folders[folder], name)
		case h.isSpec(name), folder == "" && beside[path.Dir(name)]:
			h.files = append(h.files, name)
		}
	}
	h.bases, h.above = map[string]string{}, map[string]bool{}
	for _, name := range h.all() {
		h.bases[path.Base(name)] = strings.ToLower(path.Base(name))
		for dir := range foldersOf(name) {
			h.above[strings.ToLower(path.Base(dir))] = true
		}
	}
	h.mentions, h.commands = nil, nil
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h.addProject(name, files[name])
	}
}

// addProject collects what a project file says about housekeeping.
func (h *Housekeeping) addProject(name string, dt []byte) {
	ext := path.Ext(name)
	if strings.HasPrefix(ext, ".sln") || strings.EqualFold(path.Base(name), "nuget.config") {
		return
	}
	if bytes.Contains(dt, []byte("<Exec")) || bytes.Contains(dt, []byte("<UsingTask")) {
		h.commands = append(h.commands, name)
	}
	add := func(value string, text bool) {
		for part := range strings.SplitSeq(strings.ReplaceAll(value, `\`, "/"), ";") {
			if part = strings.TrimSpace(part); h.mayMean(part) {
				h.mentions = append(h.mentions, mention{name, part, text})
			}
		}
	}
	if ext == ".rsp" {
		for word := range strings.FieldsSeq(string(dt)) {
			add("$()"+word, true) // after $() a part of the word counts as a path, which the value of an option may be
		}
		return
	}
	readValues(dt, func(_, attribute, value string) { add(value, attribute == "") })
}

// mayMean tells whether a value can be the path of housekeeping, or of a folder that contains some. It may say yes too
// often.
func (h *Housekeeping) mayMean(value string) bool {
	base := strings.ToLower(path.Base(value))
	if value == "" {
		return false
	}
	if h.above[base] || base == ".." {
		return true
	}
	wild := strings.ContainsAny(base, "*?")
	for name, lower := range h.bases {
		if strings.Contains(value, name) {
			return true
		}
		if ok, err := path.Match(strings.ReplaceAll(base, "*.*", "*"), lower); wild && (ok || err != nil) {
			return true
		}
	}
	return false
}

// all returns the files, including those in folders.
func (h *Housekeeping) all() []string {
	all := slices.Clone(h.files)
	for _, files := range h.folders {
		all = append(all, files...)
	}
	return all
}

// NamesFile is the name of the file that [Housekeeping.Names] makes. Put it beside [MSBuildFiles].
const NamesFile = "names.props"

// Names returns the names of files to ask MSBuild about, as items CrosshullName, or nil if there are none. The answer
// does not depend on what is in the files, so an edit of one does not repeat the question. Folders are left out: no
// wildcard of the SDK looks into a folder whose name begins with a dot (DefaultItemExcludesInProjectFolder).
//
// The context of describe has links themselves (Links.ProjectFiles), but not what they lead to.
func (h *Housekeeping) Names(links Links, at Paths) []byte {
	if len(h.files) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("<Project>\n  <ItemGroup>\n")
	for _, name := range h.files {
		there := ""
		if _, ok := links[name]; ok {
			there = ` IsThere="true"`
		}
		include := escapeXML(escapeMSBuild(path.Join(at.Source, name)))
		b.WriteString("    <CrosshullName Include=\"" + include + "\"" + there + " />\n")
	}
	b.WriteString("  </ItemGroup>\n</Project>\n")
	return b.Bytes()
}

// Idle returns patterns of the housekeeping that projects do not use. No item of theirs comes from it or copies it
// (target CrosshullSources). No project file names it, not even with a wildcard. It is not among inputs, the files and
// folders of the context that the user names. If a project gave no answer, there is no such housekeeping. If a project
// runs its author's own programs, only the spec is idle.
func (h *Housekeeping) Idle(nodes []Node, links Links, p Project, inputs []string) []string {
	if len(h.found) == 0 || slices.ContainsFunc(nodes, func(n Node) bool { return !n.reachKnown }) {
		return nil
	}
	if len(h.files) > 0 && slices.ContainsFunc(nodes, func(n Node) bool { return !n.sourcesKnown }) {
		return nil
	}
	used := h.used(nodes, p, inputs)
	idle := map[string]bool{}
	for _, name := range h.files {
		idle[name] = !used[name]
	}
	for folder, files := range h.folders {
		idle[folder] = !slices.ContainsFunc(files, func(name string) bool { return used[name] })
	}
	keepTargets(idle, links)
	var patterns []string
	for name, ok := range idle {
		if ok {
			patterns = append(patterns, Escape(name))
		}
	}
	slices.Sort(patterns)
	return patterns
}

// keepTargets removes the targets of links from idle, because a project may use them by the name of the link. It skips
// a link that is idle itself.
func keepTargets(idle map[string]bool, links Links) {
	isIdle := func(name string) bool {
		for name := range foldersOf(name + "/x") {
			if idle[name] {
				return true
			}
		}
		return false
	}
	for changed := true; changed; {
		changed = false
		for link, target := range links {
			if isIdle(link) {
				continue
			}
			end := links.Resolve(link)
			for name, ok := range idle {
				if ok && (touch(target, name) || touch(end, name)) {
					idle[name], changed = false, true
				}
			}
		}
	}
}

// touch tells whether two paths are equal, or one contains the other.
func touch(a, b string) bool { return covers(a, b) || covers(b, a) }

// covers tells whether folder is the file name itself, or a folder that contains it.
func covers(folder, name string) bool {
	return folder == name || folder == "." || strings.HasPrefix(name, folder+"/")
}

// used returns the files that a build of projects reads, or may read.
func (h *Housekeeping) used(nodes []Node, p Project, inputs []string) map[string]bool {
	u := newUses(h.all())
	for _, in := range inputs {
		u.path(path.Clean(in), false)
	}
	for _, value := range p.Properties {
		u.base(value)
	}
	for _, file := range h.commands {
		if anyReads(nodes, file) {
			u.where(".", func(name string) bool { return !h.isSpec(name) })
		}
	}
	for _, m := range h.mentions {
		u.mention(m, nodes)
	}
	for _, n := range nodes {
		for _, p := range n.names {
			u.path(p, false)
		}
		for _, p := range n.paths() {
			if folder := housekeepingFolder(p); folder != "" { // for example, a tool of CI
				u.path(folder, false)
			}
		}
	}
	return u.used
}

// uses records which of some files are used.
type uses struct {
	used map[string]bool
	in   map[string][]string // the files, by their own path and by the path of every folder above
}

func newUses(names []string) *uses {
	u := &uses{map[string]bool{}, map[string][]string{}}
	for _, name := range names {
		for p := range foldersOf(name + "/x") {
			u.in[p] = append(u.in[p], name)
		}
	}
	return u
}

// where marks the files in a folder that the function uses accepts.
func (u *uses) where(folder string, uses func(name string) bool) {
	for _, name := range u.in[folder] {
		u.used[name] = u.used[name] || uses(name)
	}
}

// base marks files whose name is a part of value.
func (u *uses) base(value string) {
	u.where(".", func(name string) bool { return strings.Contains(value, path.Base(name)) })
}

// path marks a file; all files in a folder, unless file is set; and all that a path with anyName in it matches.
func (u *uses) path(p string, file bool) {
	i := strings.Index(p, anyName)
	if i < 0 {
		u.where(p, func(name string) bool { return !file || name == p })
		return
	}
	folder := path.Dir(p[:i] + "x")
	ext := path.Ext(p)
	likely := func(name string) bool { return strings.EqualFold(path.Ext(name), ext) }
	if ext != "" && !strings.Contains(ext, anyName) && !slices.ContainsFunc(u.in[folder], likely) {
		return // most paths with wildcards are for sources
	}
	u.where(folder, wildcards(p).MatchString)
}

// mention marks what a project file says, for the projects that read it. Paths in it are relative to those projects, or
// to the file itself.
func (u *uses) mention(m mention, nodes []Node) {
	dirs := map[string]bool{}
	for _, n := range nodes {
		if n.reads(m.file) {
			dirs[path.Dir(m.file)] = true
			dirs[path.Dir(n.Path)] = dirs[path.Dir(n.Path)] || !isProject(m.file)
		}
	}
	switch {
	case len(dirs) == 0:
	case strings.Contains(m.value, "$(") || strings.Contains(m.value, "@(") || strings.Contains(m.value, "%("):
		// MSBuild evaluated the expression and gave the result (addReach), unless it contains items.
		u.base(m.value)
		if strings.ContainsAny(m.value, "*?") && strings.ContainsAny(m.value, "@%") {
			u.path(anyName+anyName+"/"+escapeWildcards(path.Base(m.value)), true)
		}
	default:
		for dir, ok := range dirs {
			if ok {
				u.path(path.Join(dir, escapeWildcards(m.value)), m.text)
			}
		}
	}
}

// escapeWildcards replaces wildcards with anyName.
func escapeWildcards(p string) string {
	return strings.NewReplacer("*", anyName, "?", anyName).Replace(p)
}

// wildcards returns an expression for a path with anyName in it. In doubt, it matches.
func wildcards(p string) *regexp.Regexp {
	p = strings.ReplaceAll(p, anyName+"."+anyName, anyName) // as on Windows
	all := strings.NewReplacer(anyName+anyName+"/", "(?:.*/)?", anyName+anyName, ".*", anyName, "[^/]*")
	return regexp.MustCompile("(?i)^" + all.Replace(regexp.QuoteMeta(p)) + "$")
}
