package dotnet

import (
	"bytes"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Housekeeping are the files of a context that are about a repository and its deployment: the spec, Dockerfiles,
// files of compose, bake and CI, Markdown. MSBuild's wildcards find them in the folder of a project as they find
// sources, and nearly always nothing is made of them there: an edit of one is no reason to compile.
type Housekeeping struct {
	// Spec is the name of the file that the spec is in, without folders.
	Spec string
	// Git tells that .git is in the context, as the user wants to have it. What git keeps beside sources is no
	// housekeeping then: tools that read a commit read .gitmodules and .gitignore, too.
	Git bool

	found    []string            // all files that have such a name
	files    []string            // those of them that MSBuild may find for a project
	folders  map[string][]string // folders that have such a name, with the files in them
	bases    map[string]string   // their last parts, with those in lower case
	above    map[string]bool     // the last parts of the folders that they are in, in lower case
	mentions []mention           // what project files say that may be one of them
	commands []string            // project files that run programs of their author
}

// mention is what a project file says that may be a path.
type mention struct {
	file, value string
	text        bool // of an element, where a folder is mostly the name of something else
}

// nameKind are names that begin with a prefix and have one of some extensions, or any if there are none; in lower case.
type nameKind struct {
	prefix     string
	extensions []string
}

func (k nameKind) match(base string) bool {
	return strings.HasPrefix(base, k.prefix) && (k.extensions == nil || slices.Contains(k.extensions, path.Ext(base)))
}

var yaml, yamlOrJSON = []string{".yaml", ".yml"}, []string{".yaml", ".yml", ".json"}

// specKinds are specs, and the files that say what a context lacks. They are nobody's but ours and BuildKit's.
var specKinds = []nameKind{{"crosshull", yaml}, {"", []string{".dockerignore", ".containerignore"}}}

// housekeepingKinds has none of a name that a tool looks for by itself while it builds, as .editorconfig,
// version.json and GitVersion.yml are.
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

// gitFiles are the files that git itself reads. The first is one in a submodule and in a worktree.
var gitFiles = []string{".git", ".gitmodules", ".gitignore", ".gitattributes"}

// housekeepingFolders are folders, in lower case. Each has a dot before its name.
var housekeepingFolders = []string{
	".github", ".gitlab", ".gitea", ".forgejo", ".azuredevops", ".azure-pipelines", ".circleci", ".buildkite",
	".woodpecker", ".vscode", ".vs", ".idea", ".devcontainer",
}

// Add takes a file of the context into account, or a link.
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

// isSpec tells whether a file is the spec, or has a name that specs have.
func (h *Housekeeping) isSpec(name string) bool {
	base := path.Base(name)
	lower := strings.ToLower(base)
	return base == h.Spec ||
		strings.HasSuffix(lower, ".crosshull.yaml") || strings.HasSuffix(lower, ".crosshull.yml") ||
		slices.ContainsFunc(specKinds, func(k nameKind) bool { return k.match(lower) })
}

// housekeepingFolder is the topmost folder of housekeepingFolders that a file is in, or empty.
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

// AddProjects takes the project files of the context into account. What was added before is housekeeping in the root
// of the context and beside a project; a spec is wherever it is.
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

// addProject takes over what a project file says of housekeeping.
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
			add("$()"+word, true) // of an option, so a part of it can be a path
		}
		return
	}
	readValues(dt, func(_, attribute, value string) { add(value, attribute == "") })
}

// mayMean tells whether a value can be the path of housekeeping, or of a folder that it is in. It need not be exact.
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

// all are the files, those in folders too.
func (h *Housekeeping) all() []string {
	all := slices.Clone(h.files)
	for _, files := range h.folders {
		all = append(all, files...)
	}
	return all
}

// NamesFile is the name of what [Housekeeping.Names] makes, to be put beside [MSBuildFiles].
const NamesFile = "names.props"

// Names are the names of files that MSBuild is to be asked about, as items CrosshullName: nil for none. Their
// contents are none of its business, so an edit of one is no reason to ask again. The folders are left out: no
// wildcard of the SDK finds what is in a folder with a dot before its name (DefaultItemExcludesInProjectFolder).
//
// A link is in the context of describe as it is (Links.ProjectFiles), though not what it leads to.
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

// Idle are patterns of the housekeeping that projects make nothing of: no item of theirs is made of it or copies it
// (target CrosshullSources), no project file names it, be it by a wildcard, and it is not among inputs, files and
// folders of the context that the user names. Where a project gave no answer, or runs programs of its author, there
// is none, but for the spec.
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

// keepTargets takes out of idle what links lead to, as it may be used by the other name. A link that is idle itself
// leads nobody anywhere.
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

// touch tells whether two paths are one, or one is in the other.
func touch(a, b string) bool { return covers(a, b) || covers(b, a) }

// covers tells whether a path is a file or a folder that it is in.
func covers(folder, name string) bool {
	return folder == name || folder == "." || strings.HasPrefix(name, folder+"/")
}

// used are the files that a build of projects reads, or may read.
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
			if folder := housekeepingFolder(p); folder != "" { // a tool of CI, say
				u.path(folder, false)
			}
		}
	}
	return u.used
}

// uses tells which of some files are used.
type uses struct {
	used map[string]bool
	in   map[string][]string // the files, by their own paths and by those of the folders that they are in
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

// where takes note of the files in a folder of which uses is true.
func (u *uses) where(folder string, uses func(name string) bool) {
	for _, name := range u.in[folder] {
		u.used[name] = u.used[name] || uses(name)
	}
}

// base takes note of files whose name is in a value.
func (u *uses) base(value string) {
	u.where(".", func(name string) bool { return strings.Contains(value, path.Base(name)) })
}

// path takes note of a file, of all in a folder unless only files are meant, and of what a path with anyName in it
// matches.
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
		return // as most are, for sources
	}
	u.where(folder, wildcards(p).MatchString)
}

// mention takes note of what a project file says, for the projects that read it. Paths in it are relative to those,
// or to itself.
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
		// MSBuild knows what it is made of, and has said it (addReach) unless that takes items.
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

// escapeWildcards puts anyName in the place of wildcards.
func escapeWildcards(p string) string {
	return strings.NewReplacer("*", anyName, "?", anyName).Replace(p)
}

// wildcards gives what a path with anyName in it matches. Where it is in doubt, it matches.
func wildcards(p string) *regexp.Regexp {
	p = strings.ReplaceAll(p, anyName+"."+anyName, anyName) // as on Windows
	all := strings.NewReplacer(anyName+anyName+"/", "(?:.*/)?", anyName+anyName, ".*", anyName, "[^/]*")
	return regexp.MustCompile("(?i)^" + all.Replace(regexp.QuoteMeta(p)) + "$")
}
