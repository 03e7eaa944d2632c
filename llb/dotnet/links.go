package dotnet

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Links are the symbolic links of the build context and their targets, both relative to the context.
type Links map[string]string

// maxLinks is how many links a path may go through before it counts as a loop. Linux has the same limit
// (path_resolution(7)).
const maxLinks = 40

// Add adds a link with its target as the file system has it. A link that leaves the context leads nowhere in a build.
func (l Links) Add(name, target string) {
	if path.IsAbs(target) {
		return
	}
	target = path.Join(path.Dir(name), target)
	if target == ".." || strings.HasPrefix(target, "../") {
		return
	}
	l[name] = target
}

// ProjectFiles are patterns of the links that MSBuild needs to evaluate projects. They include all links, because any
// can be a part of a path, and what links lead to if it has the name of a project file.
func (l Links) ProjectFiles() []string {
	var links, targets []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		links = append(links, Escape(name))
		if matchesName(name, ProjectFiles()) {
			targets = append(targets, Escape(l[name]))
		}
	}
	return append(links, l.follow(targets)...)
}

// Resolve returns a path without links.
func (l Links) Resolve(p string) string {
	p, _ = l.resolve(p)
	return p
}

// resolve returns a path without links, and the links that it went through.
func (l Links) resolve(p string) (resolved string, through []string) {
	for range maxLinks {
		next := p
		for link := range foldersOf(path.Join(p, "x")) {
			if target, ok := l[link]; ok {
				next = path.Join(target, strings.TrimPrefix(p, link))
				through = append(through, link)
				break
			}
		}
		if next == p {
			break
		}
		p = next
	}
	return p, through
}

// Follow adds the targets of links to the files that app is restored and built from.
func (app *App) Follow(links Links) {
	if len(links) == 0 {
		return
	}
	names := slices.Sorted(maps.Keys(links))
	settings := append(ProjectFiles(), "*.config", "*.json", ".globalconfig", ".editorconfig")
	for i := range app.Closure {
		n := &app.Closure[i]
		if resolved := links.Resolve(n.Path); resolved != n.Path {
			n.linked = resolved
		}
		restore := append(slices.Clone(n.restoreReach), Escape(n.Path))
		publish := append(slices.Clone(n.publishReach), Escape(path.Dir(n.Path)))
		folders := ancestors(n.paths())
		for _, name := range names {
			if slices.Contains(folders, path.Dir(name)) && matchesName(name, settings) {
				restore = append(restore, Escape(name))
				publish = append(publish, Escape(name))
			}
		}
		n.restoreReach, n.publishReach = links.follow(restore), links.follow(publish)
		n.Existing = slices.Clone(n.Existing)
		for i, dir := range n.Existing {
			resolved, through := links.resolve(dir)
			n.Existing[i] = resolved
			for _, link := range through {
				n.restoreReach = append(n.restoreReach, Escape(link))
			}
		}
	}
}

// follow returns patterns, and patterns for what the links in them lead to.
func (l Links) follow(patterns []string) []string {
	names := slices.Sorted(maps.Keys(l))
	hops := map[string]int{}
	for _, p := range patterns {
		hops[p] = 0
	}
	out := slices.Clone(patterns)
	var passed []string // links in the middle of a path: of their targets, only the rest of that path is read
	for i := 0; i < len(out); i++ {
		add := func(pattern string) {
			if _, ok := hops[pattern]; !ok && hops[out[i]] < maxLinks {
				hops[pattern] = hops[out[i]] + 1
				out = append(out, pattern)
			}
		}
		for _, name := range names {
			link, target := Escape(name), Escape(l[name])
			if target == "." {
				target = "**"
			}
			switch rest, through := strings.CutPrefix(out[i], link+"/"); {
			case through:
				passed = append(passed, link)
				add(strings.TrimPrefix(Escape(l[name])+"/"+rest, "./"))
			case out[i] == link || strings.HasPrefix(link, out[i]+"/"):
				add(target)
			}
		}
	}
	out = append(out, passed...)
	slices.Sort(out)
	return slices.Compact(out)
}

// matchesName tells whether the last part of a path matches one of patterns, which may begin with **/.
func matchesName(name string, patterns []string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(strings.TrimPrefix(p, "**/"), path.Base(name)); err == nil && ok {
			return true
		}
	}
	return false
}
