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

// Slice is a part of the graph of projects that one process compiles, apart from the rest. It sees only the reference
// assemblies of projects in other slices. So it need not run again unless those change.
type Slice struct {
	Projects []Node
	// Needs are the indexes of the other slices whose projects these reference, directly or not.
	Needs []int
}

const (
	// sliceSize is the highest number of projects in a slice. Every process starts a new compiler, which takes as long as
	// compiling five projects does with a warm one. A cold build pays that for each slice. An edit pays for all projects
	// of its slice: a compiler that kept its outputs from build to build would also keep what other repositories that
	// use the builder put there.
	sliceSize = 25
	// minSliced is the lowest number of projects for which some are compiled apart, unless several apps share them.
	minSliced = 4
)

// Slices divides the projects that apps are built from, if they can be compiled apart. Each slice needs only slices
// before it. The result does not depend on which app is the target, so all apps share their common slices. It depends
// only on the graph, and not on the size or content of files, so an edit moves no project to another slice.
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
	return slices.ContainsFunc(app.Closure, s.Has)
}

// Has tells whether s compiles a project.
func (s Slice) Has(n Node) bool {
	return slices.ContainsFunc(s.Projects, func(m Node) bool { return m.Path == n.Path })
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
			if n.direct { // MSBuild looks beside its references for theirs, but a slice may have only stand-ins there
				return nil
			}
			n.Apart = n.Apart && (!n.takesRuntime || !app.Mode.PerPlatform()) // a slice is for all platforms
			// A slice lacks the folders of projects that it does not see, but its command obeys the switches of the app.
			own := func(file string) bool { return path.Dir(n.Path) != "." && covers(path.Dir(n.Path), file) }
			if slices.ContainsFunc(app.Switches, own) {
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
		known[p] = false // until it is known; it stays false if references form a circle
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

// groups returns all projects in groups. Each project comes after those that it references, low levels first. The
// projects of a group have the same users and the same level, so their slices can be compiled in parallel. Small levels
// are joined.
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

// SliceFile is the name of the file that [SliceItems] makes. Put it beside [MSBuildFiles].
const SliceFile = "slice.props"

// StandInFolder is the folder in which a compile finds the output of the slice with index i.
func StandInFolder(i int, at Paths) string { return path.Join(at.StandIns, strconv.Itoa(i)) }

// SliceItems are the projects of s, and the folders with what they need, for slice.proj.
func SliceItems(s Slice, at Paths) []byte {
	var b strings.Builder
	b.WriteString("<Project>\n  <ItemGroup>\n")
	for _, n := range s.Projects {
		properties := ""
		if n.Framework != "" {
			properties = ` AdditionalProperties="TargetFramework=` + escapeXML(n.Framework) + `"`
		}
		if !n.takesRuntime {
			// A reference does not get these either. With them, what others of the slice reference would be built twice.
			properties += ` UndefineProperties="RuntimeIdentifier;SelfContained"`
		}
		b.WriteString(`    <CrosshullSlice Include="` + escapeXML(path.Join(at.Source, n.Path)) + `"` + properties + " />\n")
	}
	for _, i := range s.Needs {
		b.WriteString(`    <CrosshullStandIns Include="` + StandInFolder(i, at) + "/\" />\n")
	}
	b.WriteString("  </ItemGroup>\n</Project>\n")
	return []byte(b.String())
}

// BuiltFile is the name of the file that [Built] makes. Put it beside [MSBuildFiles].
const BuiltFile = "built.props"

// Built says which projects, in folder source, a build must not compile when it references them, because they are
// compiled already.
func Built(nodes []Node, source string) []byte {
	var b strings.Builder
	b.WriteString("<Project>\n  <PropertyGroup>\n    <CrosshullBuilt>;")
	for _, n := range nodes {
		b.WriteString(escapeXML(path.Join(source, n.Path)) + ";")
	}
	b.WriteString("</CrosshullBuilt>\n  </PropertyGroup>\n</Project>\n")
	return []byte(b.String())
}

// CompileArgs is the command that compiles a slice, with the properties of publish. The outputs of its projects stay
// where they are. What other projects see of them is copied to Paths.Output, under the same path as in Paths.Source.
// app is one of the apps of the slices.
func CompileArgs(p Project, app *App, at Paths) []string {
	args := []string{
		"dotnet", "msbuild", path.Join(at.MSBuild, "slice.proj"),
		"-nologo", "-verbosity:minimal", "-maxCpuCount", "-t:Compile",
		define("_IsPublishing", "true"),
		define("CrosshullApart", "true"),
		narrow, // a slice never has all of the context
		define("CrosshullSource", at.Source+"/"),
		define("CrosshullOutput", at.Output+"/"),
	}
	args = append(args, at.inject()...)
	return append(args, p.build(app, at)...)
}
