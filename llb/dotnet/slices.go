package dotnet

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Slice is a part of the graph of projects that one process compiles, apart from the rest: of the projects of other
// slices it sees the reference assemblies alone, so it need not run again while those stay as they are.
type Slice struct {
	Projects []Node
	// Needs are the other slices, by index, whose projects these reference, directly or not.
	Needs []int
}

const (
	// sliceSize is how many projects a slice has at most. Every process starts a compiler anew, and that takes as long as
	// five projects do when it is warm: a cold build pays for each slice. An edit pays for few of the projects of its
	// slice, as the compiler keeps what it has compiled (target Key of slice.proj).
	sliceSize = 25
	// minSliced is how many projects have to be there to compile any of them apart, unless several apps share them.
	minSliced = 4
)

// Slices parts the projects that apps are built from, as far as they can be compiled apart, in an order in which each
// needs only slices before it. Which app is the target makes no difference, so all of them share what they have in
// common. Only the graph decides, and no size or content of a file, so an edit moves no project to another slice.
func Slices(apps []*App) []Slice {
	g := newGraph(apps)
	if g == nil {
		return nil
	}
	var out []Slice
	in := map[string]int{} // project → slice
	for _, group := range g.groups() {
		parts := (len(group) + sliceSize - 1) / sliceSize
		for i := range parts {
			var s Slice
			for _, p := range group[i*len(group)/parts : (i+1)*len(group)/parts] {
				s.Projects = append(s.Projects, g.nodes[p])
				in[p] = len(out)
			}
			out = append(out, s)
		}
	}
	for i, s := range out {
		needs := map[int]bool{}
		for _, n := range s.Projects {
			for _, ref := range n.References {
				if j := in[ref]; j != i {
					needs[j] = true
					for _, k := range out[j].Needs {
						needs[k] = true
					}
				}
			}
		}
		out[i].Needs = slices.Sorted(maps.Keys(needs))
	}
	return out
}

// Uses tells whether app is built from a project of s.
func (s Slice) Uses(app *App) bool {
	return slices.ContainsFunc(app.Closure, func(n Node) bool {
		return slices.ContainsFunc(s.Projects, func(m Node) bool { return m.Path == n.Path })
	})
}

// graph are the projects that can be compiled apart.
type graph struct {
	nodes map[string]Node
	users map[string]string // which of the apps are built from a project
	level map[string]int    // one more than the highest level of what it references
}

func newGraph(apps []*App) *graph {
	g := &graph{nodes: map[string]Node{}, users: map[string]string{}, level: map[string]int{}}
	all := map[string]Node{}
	for i, app := range apps {
		for _, n := range app.Closure {
			if n.direct { // it looks for what it does not name beside what it does, where a reference assembly may be
				return nil
			}
			all[n.Path] = n
			g.users[n.Path] += fmt.Sprintf("%d ", i)
		}
	}
	for _, app := range apps {
		delete(all, app.Path)
	}
	var apart func(p string) bool
	known := map[string]bool{}
	apart = func(p string) bool {
		if ok, done := known[p]; done {
			return ok
		}
		known[p] = false // till it is known, and for good where references go in a circle
		n, ok := all[p]
		ok = ok && n.Apart && n.reachKnown && n.linked == "" && path.Dir(p) != "." && !strings.ContainsAny(p, "%$@*?;'()")
		level := 0
		for _, ref := range n.References {
			ok = apart(ref) && ok
			level = max(level, g.level[ref]+1)
		}
		known[p], g.level[p] = ok, level
		return ok
	}
	count := map[string]int{}
	for p, n := range all {
		if apart(p) {
			g.nodes[p] = n
			count[g.users[p]]++
		}
	}
	for p := range g.nodes {
		if users := g.users[p]; count[users] < minSliced && strings.Count(users, " ") == 1 {
			delete(g.nodes, p)
		}
	}
	return g
}

// groups give all projects in an order in which each comes after what it references, low levels first. A group has
// users in common, and the projects of a level, whose slices can be compiled side by side; levels of few are put
// together.
func (g *graph) groups() [][]string {
	type place struct {
		users string
		level int
	}
	count := map[place]int{}
	for p := range g.nodes {
		count[place{g.users[p], g.level[p]}]++
	}
	var groups [][]string
	done := map[string]bool{}
	var group []string
	for len(done) < len(g.nodes) {
		var ready []string
		for p, n := range g.nodes {
			if !done[p] && !slices.ContainsFunc(n.References, func(ref string) bool { return !done[ref] }) {
				ready = append(ready, p)
			}
		}
		next := slices.MinFunc(ready, func(a, b string) int {
			if len(group) > 0 {
				switch sameA, sameB := g.users[a] == g.users[group[0]], g.users[b] == g.users[group[0]]; {
				case sameA && !sameB:
					return -1
				case sameB && !sameA:
					return 1
				}
			}
			return cmp.Or(cmp.Compare(g.level[a], g.level[b]), cmp.Compare(a, b))
		})
		if len(group) > 0 {
			last := group[len(group)-1]
			if g.users[next] != g.users[last] ||
				g.level[next] > g.level[last] && len(group) > sliceSize/2 &&
					count[place{g.users[next], g.level[next]}] > sliceSize/2 {
				groups, group = append(groups, group), nil
			}
		}
		group = append(group, next)
		done[next] = true
	}
	if len(group) > 0 {
		groups = append(groups, group)
	}
	return groups
}

// SliceFile is the name of what [SliceItems] makes, to be put beside [MSBuildFiles].
const SliceFile = "slice.props"

// StandInFolder is where a compile finds the output of the slice with index i.
func StandInFolder(i int, at Paths) string { return path.Join(at.StandIns, strconv.Itoa(i)) }

// SliceItems are the projects of s, and the folders of what they need, for slice.proj.
func SliceItems(s Slice, at Paths) []byte {
	var b strings.Builder
	b.WriteString("<Project>\n  <ItemGroup>\n")
	for _, n := range s.Projects {
		framework := ""
		if n.Framework != "" {
			framework = ` AdditionalProperties="TargetFramework=` + escapeXML(n.Framework) + `"`
		}
		b.WriteString(`    <CrosshullSlice Include="` + escapeXML(path.Join(at.Source, n.Path)) + `"` + framework + " />\n")
	}
	for _, i := range s.Needs {
		b.WriteString(`    <CrosshullStandIns Include="` + StandInFolder(i, at) + "/\" />\n")
	}
	b.WriteString("  </ItemGroup>\n</Project>\n")
	return []byte(b.String())
}

// BuiltFile is the name of what [Built] makes, to be put beside [MSBuildFiles].
const BuiltFile = "built.props"

// Built says which projects, in folder source, are not to be compiled by a build that references them: they are
// already.
func Built(nodes []Node, source string) []byte {
	var b strings.Builder
	b.WriteString("<Project>\n  <PropertyGroup>\n    <CrosshullBuilt>;")
	for _, n := range nodes {
		b.WriteString(escapeXML(path.Join(source, n.Path)) + ";")
	}
	b.WriteString("</CrosshullBuilt>\n  </PropertyGroup>\n</Project>\n")
	return []byte(b.String())
}

// CompileArgs is the command that compiles a slice, with the properties that publish has: the outputs of its projects
// are left where they are, and what others see of them is copied to Paths.Output, as it is in Paths.Source. app is one
// of those that the slices are of.
func CompileArgs(p Project, app *App, at Paths) []string {
	args := []string{
		"dotnet", "msbuild", path.Join(at.MSBuild, "slice.proj"),
		"-nologo", "-verbosity:minimal", "-maxCpuCount", "-t:Compile",
		define("_IsPublishing", "true"),
		define("CrosshullApart", "true"),
		define("CrosshullSource", at.Source+"/"),
		define("CrosshullOutput", at.Output+"/"),
		define("CrosshullCompiled", at.Compiled+"/"),
	}
	args = append(args, at.inject()...)
	return append(args, p.build(app)...)
}
