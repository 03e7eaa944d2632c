package tree

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	xllb "github.com/crosshull/crosshull/llb"
)

// choice is a part of a context, by paths: at least what some steps read.
type choice struct {
	// All tells that nothing is left out but Except. Otherwise the part is Folders, with all that is in them, and Files,
	// which can be links, too.
	All            bool
	Folders, Files []string
	// Except are folders that are left out.
	Except []string
}

// choose gives the part of a context that steps read. It may be larger than that, to need only a few simple paths: a
// client compares each of its paths with each of ours. So a folder stands for all that is in it, and only whole folders
// are left out.
func choose(t *Tree, reads []xllb.Reads) choice {
	c := chooser{Tree: t, roots: map[string]bool{}, files: map[string]bool{}, before: make([]int, len(t.Names)+1)}
	for i, n := range t.Names {
		c.before[i+1] = c.before[i]
		if !n.Mode.IsDir() {
			c.before[i+1]++
		}
	}
	var wild []string
	for _, r := range reads {
		if len(r.Include) == 0 {
			c.roots["."] = true
		}
		for _, pattern := range r.Include {
			if name, ok := literal(pattern); ok {
				c.add(name)
			} else {
				wild = append(wild, pattern)
			}
		}
	}
	for _, pattern := range wild {
		c.match(pattern)
	}
	for name := range c.roots {
		if c.under(path.Dir(name)) && name != "." {
			delete(c.roots, name)
		}
	}
	maps.DeleteFunc(c.files, func(name string, _ bool) bool { return c.under(path.Dir(name)) })
	except := c.except(reads)
	all, folders, files := c.compress(except)
	return choice{all, folders, files, except}
}

// chooser collects what is in the part.
type chooser struct {
	*Tree
	roots, files map[string]bool
	before       []int // how many of the first names are no folders
}

// under tells whether a folder is a root, or in one.
func (c *chooser) under(dir string) bool {
	for ; ; dir = path.Dir(dir) {
		if c.roots[dir] {
			return true
		}
		if dir == "." {
			return false
		}
	}
}

// count tells how many files and links are in a folder.
func (c *chooser) count(dir string) int {
	lo, hi := c.in(dir)
	return c.before[hi] - c.before[lo]
}

// add adds a path, the links that it leads through, and what these lead to.
func (c *chooser) add(name string) {
	passed, end, err := c.follow(name, true)
	for _, link := range passed {
		c.files[link] = true
	}
	switch {
	case err != nil: // nothing is there
	case end.Mode.IsDir():
		c.roots[end.Path] = true
	default:
		c.files[end.Path] = true
	}
}

// match adds what a pattern with wildcards matches.
func (c *chooser) match(pattern string) {
	if pattern == "**" {
		c.roots["."] = true
		return
	}
	dir := wildcardFolder(pattern)
	if c.under(dir) {
		return
	}
	lo, hi := c.in(dir)
	matches := matcher(pattern)
	for _, n := range c.Names[lo:hi] {
		if !n.Mode.IsDir() && !c.files[n.Path] && matches(n.Path) {
			c.files[n.Path] = true
		}
	}
}

// wildcardFolder is the deepest folder that contains everything that a pattern matches.
func wildcardFolder(pattern string) string {
	dir := "."
	for i := range len(pattern) {
		if pattern[i] != '/' {
			continue
		}
		name, ok := literal(pattern[:i])
		if !ok {
			break
		}
		dir = name
	}
	return dir
}

// matcher tells whether a pattern matches a path, or a folder that it is in.
func matcher(pattern string) func(name string) bool {
	rest, anywhere := strings.CutPrefix(pattern, "**/")
	if name, ok := literal(rest); ok && anywhere && !strings.Contains(name, "/") { // as most are
		return func(p string) bool {
			return p == name || strings.HasSuffix(p, "/"+name) || strings.HasPrefix(p, name+"/") ||
				strings.Contains(p, "/"+name+"/")
		}
	}
	m, err := patternmatcher.New([]string{pattern})
	return func(p string) bool {
		if err != nil {
			return true
		}
		ok, err := m.MatchesOrParentMatches(p)
		return ok || err != nil
	}
}

// except gives the folders that are in the part, but that no step reads.
func (c *chooser) except(reads []xllb.Reads) []string {
	steps := make([]step, len(reads))
	named := map[string]bool{}
	for i, r := range reads {
		steps[i] = newStep(r)
		for name := range steps[i].without {
			if n, ok := c.Name(name); ok && n.Mode.IsDir() && c.under(path.Dir(name)) {
				named[name] = true
			}
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(named)) {
		again := len(out) > 0 && strings.HasPrefix(name, out[len(out)-1]+"/")
		if !again && !slices.ContainsFunc(steps, func(s step) bool { return s.reads(name) }) {
			out = append(out, name)
		}
	}
	return out
}

// step is what a step reads, as far as folders tell.
type step struct {
	all     bool
	within  []string // the paths that it reads, and the folders that its patterns look into, sorted
	without map[string]bool
}

func newStep(r xllb.Reads) step {
	s := step{all: len(r.Include) == 0, without: map[string]bool{}}
	for _, pattern := range r.Include {
		name, ok := literal(pattern)
		if !ok {
			name = wildcardFolder(pattern)
		}
		s.within = append(s.within, name)
		s.all = s.all || name == "."
	}
	slices.Sort(s.within)
	for _, pattern := range r.Exclude {
		if strings.HasPrefix(pattern, "!") { // it may bring back what is excluded so far
			clear(s.without)
		} else if name, ok := literal(pattern); ok {
			s.without[name] = true
		}
	}
	return s
}

// reads tells whether the step may read something in a folder.
func (s step) reads(folder string) bool {
	above := s.all
	for dir := folder; dir != "."; dir = path.Dir(dir) {
		if s.without[dir] {
			return false
		}
		if _, ok := slices.BinarySearch(s.within, dir); ok {
			above = true
		}
	}
	i, _ := slices.BinarySearch(s.within, folder+"/")
	return above || i < len(s.within) && strings.HasPrefix(s.within[i], folder+"/")
}

// compress gives the part in few paths: a folder stands for what is in it if all of that is in the part.
func (c *chooser) compress(except []string) (all bool, folders, files []string) {
	if c.roots["."] {
		return true, nil, nil
	}
	wanted, there := map[string]int{}, map[string]int{}
	add := func(to map[string]int, name string, n int) {
		for dir := name; ; dir = path.Dir(dir) {
			to[dir] += n
			if dir == "." {
				return
			}
		}
	}
	for name := range c.roots {
		add(wanted, name, c.count(name))
	}
	for name := range c.files {
		add(wanted, path.Dir(name), 1)
	}
	for _, name := range except {
		add(there, name, -c.count(name))
		add(wanted, name, -c.count(name))
	}
	whole := func(dir string) bool { return wanted[dir] > 0 && wanted[dir] == there[dir]+c.count(dir) }
	top := func(name string) (folder string, ok bool) { // the topmost whole folder that a path is in
		for dir := path.Dir(name); ; dir = path.Dir(dir) {
			if whole(dir) {
				folder, ok = dir, true
			}
			if dir == "." {
				return folder, ok
			}
		}
	}
	set := map[string]bool{}
	for name := range c.roots {
		if folder, ok := top(name); ok {
			name = folder
		}
		set[name] = true
	}
	for name := range c.files {
		if folder, ok := top(name); ok {
			set[folder] = true
		} else {
			files = append(files, name)
		}
	}
	if set["."] {
		return true, nil, nil
	}
	slices.Sort(files)
	return false, slices.Sorted(maps.Keys(set)), files
}

// literal gives the path that a pattern matches if it matches no other, as the patterns of dotnet.Escape do.
func literal(pattern string) (string, bool) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return path.Clean(pattern), !strings.HasPrefix(pattern, "!")
	}
	var b strings.Builder
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == '\\' && i+1 < len(runes):
			i++
			b.WriteRune(runes[i])
		case r == '[' && i+2 < len(runes) && runes[i+2] == ']':
			b.WriteRune(runes[i+1])
			i += 2
		case r == '*' || r == '?' || r == '[' || r == '!' && i == 0:
			return "", false
		default:
			b.WriteRune(r)
		}
	}
	return path.Clean(b.String()), true
}

// covers tells whether c has all of another part. If c leaves out folders, the answer is no.
func (c choice) covers(other choice) bool {
	in := func(name string) bool {
		for dir := name; dir != "."; dir = path.Dir(dir) {
			if _, ok := slices.BinarySearch(c.Folders, dir); ok {
				return true
			}
		}
		return false
	}
	if len(c.Except) > 0 || c.All || other.All {
		return c.All && len(c.Except) == 0
	}
	missing := func(name string) bool { return !in(name) }
	return !slices.ContainsFunc(other.Folders, missing) && !slices.ContainsFunc(other.Files, func(name string) bool {
		_, ok := slices.BinarySearch(c.Files, name)
		return !ok && missing(name)
	})
}

// files are the regular files of a part.
func (c choice) files(t *Tree) []Name {
	except := map[string]bool{}
	for _, name := range c.Except {
		except[name] = true
	}
	folders := map[string]bool{".": c.All}
	for _, name := range c.Folders {
		folders[name] = true
	}
	var all []Name
	for _, n := range t.Names {
		if !n.Mode.IsRegular() {
			continue
		}
		_, in := slices.BinarySearch(c.Files, n.Path)
		for dir := path.Dir(n.Path); ; dir = path.Dir(dir) {
			if except[dir] {
				in = false
				break
			}
			in = in || folders[dir]
			if dir == "." {
				break
			}
		}
		if in {
			all = append(all, n)
		}
	}
	return all
}
