package dotnet

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Links are the symbolic links of the build context, with what each leads to: both relative to the context.
type Links map[string]string

// maxLinks is how many links a path may lead through before it is taken for a loop, as in Linux (path_resolution(7)).
const maxLinks = 40

// Add takes a link over as it is in the file system. One that leads out of the context leads nowhere in a build.
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

// ProjectFiles are patterns of what is read of links while projects are evaluated: the links, as any can be part of a
// path, and what those lead to that have the name of such a file.
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

// Resolve gives a path without links.
func (l Links) Resolve(p string) string {
	for range maxLinks {
		next := p
		for link := range foldersOf(path.Join(p, "x")) {
			if target, ok := l[link]; ok {
				next = path.Join(target, strings.TrimPrefix(p, link))
				break
			}
		}
		if next == p {
			break
		}
		p = next
	}
	return p
}

// Follow adds to what app is restored and built from what the links in it lead to.
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
	}
}

// follow gives patterns and those of what the links in them lead to.
func (l Links) follow(patterns []string) []string {
	names := slices.Sorted(maps.Keys(l))
	hops := map[string]int{}
	for _, p := range patterns {
		hops[p] = 0
	}
	out := slices.Clone(patterns)
	var passed []string // links that paths lead through, of whose targets no more is read than the rest of the path
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

// matchesName tells whether the last part of a path is one of patterns, which may begin with **/.
func matchesName(name string, patterns []string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(strings.TrimPrefix(p, "**/"), path.Base(name)); err == nil && ok {
			return true
		}
	}
	return false
}
