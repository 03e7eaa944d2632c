package dotnet

import (
	"path"
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

	found   []string            // all files with such a name
	files   []string            // the ones that MSBuild may find for a project
	folders map[string][]string // folders with such a name, and the files in them
}

// nameKind is a kind of file names: they begin with a prefix and have one of some extensions. If the list is nil, they
// have any extension but those of sources. All are in lower case.
type nameKind struct {
	prefix     string
	extensions []string
}

func (k nameKind) match(base string) bool {
	if k.extensions == nil {
		return strings.HasPrefix(base, k.prefix) && !isSource(base)
	}
	return strings.HasPrefix(base, k.prefix) && slices.Contains(k.extensions, path.Ext(base))
}

// isSource tells whether a target of the SDK may read a file for its name, although the item for it does nothing
// otherwise, as for Readme.razor.css (Microsoft.NET.Sdk.StaticWebAssets.ScopedCss.targets).
func isSource(base string) bool {
	return slices.Contains([]string{".css", ".js", ".mjs", ".ts", ".map", ".razor", ".cshtml"}, path.Ext(base))
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

// Add adds a file or link of the context if it has a name of housekeeping.
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
		if IsProject(name) {
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
}

// all returns the files, including those in folders.
func (h *Housekeeping) all() []string {
	all := slices.Clone(h.files)
	for _, files := range h.folders {
		all = append(all, files...)
	}
	return all
}

// Doubtful are the files for which MSBuild has to say whether a project uses them.
func (h *Housekeeping) Doubtful() []string {
	all := h.all()
	slices.Sort(all)
	return all
}

// Idle returns patterns of the housekeeping files that projects do not use according to MSBuild, and that are not in
// inputs, the files and folders of the context that the user names. If it is not known what a project reads, no file is
// idle. If a project runs its author's own programs, only the spec is idle.
func (h *Housekeeping) Idle(nodes []Node, links Links, p Project, inputs []string) []string {
	if len(h.found) == 0 || slices.ContainsFunc(nodes, func(n Node) bool { return !n.reachKnown }) {
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

// used are the files that a build of projects reads, or may read.
func (h *Housekeeping) used(nodes []Node, p Project, inputs []string) map[string]bool {
	u := newUses(h.all())
	for _, in := range inputs {
		u.path(path.Clean(in))
	}
	for _, value := range p.Properties {
		u.where(".", func(name string) bool { return strings.Contains(value, path.Base(name)) })
	}
	for _, n := range nodes {
		if n.runsTools {
			u.where(".", func(name string) bool { return !h.isSpec(name) })
		}
		for _, read := range slices.Concat(n.Files, n.Folders) {
			u.path(read.Path)
		}
		for _, p := range n.paths() {
			if folder := housekeepingFolder(p); folder != "" { // a tool of CI, say
				u.path(folder)
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

// where takes note of the files in a folder for which uses is true.
func (u *uses) where(folder string, uses func(name string) bool) {
	for _, name := range u.in[folder] {
		u.used[name] = u.used[name] || uses(name)
	}
}

// path takes note of a file, or of all files in a folder.
func (u *uses) path(p string) { u.where(p, func(string) bool { return true }) }
