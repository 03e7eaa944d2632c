package dotnet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/moby/patternmatcher"
)

// apartNode is a library that can be compiled apart.
func apartNode(name string, references ...string) Node {
	n := Node{Path: "src/" + name + "/" + name + ".csproj", Apart: true, reach: reach{reachKnown: true}}
	for _, ref := range references {
		n.References = append(n.References, "src/"+ref+"/"+ref+".csproj")
	}
	return n
}

func appOf(name string, nodes ...Node) *App {
	root := apartNode(name)
	root.Apart = false
	return &App{Path: root.Path, Closure: append(slices.Clone(nodes), root)}
}

func perPlatform(nodes ...Node) *App {
	app := appOf("app", nodes...)
	app.Mode = SelfContained
	return app
}

// layout writes slices as text: projects joined by +, and the numbers of the slices that they need.
func layout(all []Slice) string {
	var out []string
	for _, s := range all {
		var names []string
		for _, n := range s.Projects {
			names = append(names, strings.Split(n.Path, "/")[1])
		}
		text := strings.Join(names, "+")
		for _, j := range s.Needs {
			text += fmt.Sprintf(" %d", j)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestSlices(t *testing.T) {
	chain := []Node{apartNode("a"), apartNode("b", "a"), apartNode("c", "b"), apartNode("d", "c"), apartNode("e", "d")}
	var long, low, high []Node
	for i := range sliceSize + 1 {
		long = append(long, apartNode(fmt.Sprintf("long%02d", i)))
		if i > 0 {
			long[i].References = []string{long[i-1].Path}
		}
	}
	for i := range sliceSize/2 + 1 {
		low = append(low, apartNode(fmt.Sprintf("low%02d", i)))
		high = append(high, apartNode(fmt.Sprintf("high%02d", i), fmt.Sprintf("low%02d", i)))
	}
	plus := func(nodes []Node) string { return layout([]Slice{{Projects: nodes}}) }
	change := func(i int, f func(*Node)) []Node {
		nodes := slices.Clone(chain)
		f(&nodes[i])
		return nodes
	}
	switched, above := appOf("app", chain[:4]...), appOf("app", chain[:4]...)
	switched.Switches, above.Switches = []string{"src/app/MSBuild.rsp"}, []string{"src/Directory.Build.rsp"}
	for _, tc := range []struct {
		name string
		apps []*App
		want string
	}{
		{"none", []*App{appOf("app")}, ""},
		{"too few to pay for a process", []*App{appOf("app", chain[:3]...)}, ""},
		{"a slice", []*App{appOf("app", chain[:4]...)}, "a+b+c+d"},
		{"equal parts", []*App{appOf("app", long...)}, plus(long[:len(long)/2]) + ", " + plus(long[len(long)/2:]) + " 0"},
		{"low levels first", []*App{appOf("app", append(high, low...)...)}, plus(low) + ", " + plus(high) + " 0"},
		{"a level of few goes with the one below",
			[]*App{appOf("app", apartNode("a", "y"), apartNode("y"), apartNode("z"), apartNode("x"))}, "x+y+z+a"},
		{"few that apps share", []*App{appOf("one", chain[0], chain[1]), appOf("two", chain[0])}, "a"},
		{"what apps share, and what they do not",
			[]*App{appOf("one",
				append(chain[:2:2], apartNode("p", "b"), apartNode("q", "p"), apartNode("r"), apartNode("s"))...),
				appOf("two", chain[:2]...)}, "a+b, r+s+p+q 0"},
		{"not apart, and what is above it",
			[]*App{appOf("app", change(2, func(n *Node) { n.Apart = false })...), appOf("two", chain[:2]...)}, "a+b"},
		{"a reach that is not known", []*App{appOf("app", change(0, func(n *Node) { n.reachKnown = false })...)}, ""},
		{"by way of a link", []*App{appOf("app", change(0, func(n *Node) { n.linked = "real/a.csproj" })...)}, ""},
		{"for each platform", []*App{perPlatform(change(0, func(n *Node) { n.takesRuntime = true })...)}, ""},
		{"for each platform, but for the libraries", []*App{perPlatform(chain[:4]...)}, "a+b+c+d"},
		{"for each platform by itself", []*App{appOf("app", change(4, func(n *Node) { n.takesRuntime = true })...)},
			"a+b+c+d+e"},
		{"a circle", []*App{appOf("app", change(0, func(n *Node) { n.References = []string{chain[4].Path} })...)}, ""},
		{"direct references alone", []*App{appOf("app", change(4, func(n *Node) { n.direct = true })...)}, ""},
		{"switches beside a project", []*App{switched}, ""},
		{"switches above all projects", []*App{above}, "a+b+c+d"},
		{"an app that another references", []*App{appOf("app", chain...), appOf("e", chain[:4]...)}, "a+b+c+d"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := layout(Slices(tc.apps)); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// For any graph, the slices contain each project that can be compiled apart exactly once, need only slices before them,
// and know every slice that their projects depend on.
func TestSlicesOfRandomGraphs(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var nodes []Node
		for i := range r.IntN(60) {
			n := apartNode(fmt.Sprintf("p%02d", i))
			for j := range i {
				if r.IntN(i) < 3 {
					n.References = append(n.References, nodes[j].Path)
				}
			}
			n.Apart = r.IntN(20) > 0
			nodes = append(nodes, n)
		}
		r.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		byPath := map[string]Node{}
		for _, n := range nodes {
			byPath[n.Path] = n
		}
		apps := make([]*App, 1+r.IntN(3))
		for i := range apps { // each app is built from some projects, and from what those reference
			in := map[string]bool{}
			var add func(p string)
			add = func(p string) {
				in[p] = true
				for _, ref := range byPath[p].References {
					add(ref)
				}
			}
			for _, n := range nodes {
				if r.IntN(2) == 0 {
					add(n.Path)
				}
			}
			var closure []Node
			for _, n := range nodes {
				if in[n.Path] {
					closure = append(closure, n)
				}
			}
			apps[i] = appOf(fmt.Sprintf("app%d", i), closure...)
		}

		all := Slices(apps)
		in := map[string]int{}
		for i, s := range all {
			if len(s.Projects) == 0 || len(s.Projects) > sliceSize {
				t.Fatalf("seed %d: a slice of %d projects", seed, len(s.Projects))
			}
			for _, n := range s.Projects {
				if _, twice := in[n.Path]; twice {
					t.Fatalf("seed %d: %s is in two slices", seed, n.Path)
				}
				in[n.Path] = i
			}
		}
		var needs func(p string, of int)
		needs = func(p string, of int) {
			for _, ref := range byPath[p].References {
				j, ok := in[ref]
				if !ok {
					t.Fatalf("seed %d: %s is in a slice, and %s that it references is not", seed, p, ref)
				}
				if j > of || j != of && !slices.Contains(all[of].Needs, j) {
					t.Fatalf("seed %d: slice %d depends on slice %d, and needs %v", seed, of, j, all[of].Needs)
				}
				needs(ref, of)
			}
		}
		for p, i := range in {
			needs(p, i)
		}
		for _, app := range apps {
			apart := map[string]bool{}
			var ok func(n Node) bool
			ok = func(n Node) bool {
				return n.Apart && !slices.ContainsFunc(n.References, func(ref string) bool { return !ok(byPath[ref]) })
			}
			for _, n := range app.Closure {
				if ok(n) {
					apart[n.Path] = true
				}
			}
			missing := 0
			for p := range apart {
				if _, there := in[p]; !there {
					missing++
				}
			}
			if missing >= minSliced {
				t.Fatalf("seed %d: %d projects of %s are in no slice", seed, missing, app.Path)
			}
			for _, s := range all {
				inClosure := 0
				for _, n := range s.Projects {
					if slices.ContainsFunc(app.Closure, func(m Node) bool { return m.Path == n.Path }) {
						inClosure++
					}
				}
				if s.Uses(app) != (inClosure > 0) || inClosure != 0 && inClosure != len(s.Projects) {
					t.Fatalf("seed %d: %s uses %d of %d projects of a slice", seed, app.Path, inClosure, len(s.Projects))
				}
			}
		}
		r.Shuffle(len(apps), func(i, j int) { apps[i], apps[j] = apps[j], apps[i] })
		for _, app := range apps {
			r.Shuffle(len(app.Closure), func(i, j int) { app.Closure[i], app.Closure[j] = app.Closure[j], app.Closure[i] })
		}
		again := Slices(apps)
		// Slices of the same projects have the same content, even if the users are in another order and so have other
		// numbers.
		sets := func(all []Slice) string {
			var out []string
			for _, s := range all {
				names := ProjectPaths(s.Projects)
				slices.Sort(names)
				out = append(out, strings.Join(names, "+"))
			}
			slices.Sort(out)
			return strings.Join(out, " ")
		}
		if len(apps) == 1 && sets(all) != sets(again) {
			t.Fatalf("seed %d: the order of projects makes other slices:\n%s\n%s", seed, sets(all), sets(again))
		}
	}
}

// Sources of what is compiled apart are not inputs of the app, unless something else may read them.
func TestCompiledSources(t *testing.T) {
	lib, other, app := apartNode("lib"), apartNode("other"), apartNode("app")
	nested := Node{Path: "src/lib/tool/tool.csproj", reach: reach{reachKnown: true}}
	reaching, unknown := app, app
	reaching.publishReach = []string{"src/lib/Shared.cs"}
	unknown.Unknown, unknown.reachKnown = "a script", false
	told := (&App{Closure: []Node{lib, other, unknown}}).Told().Closure
	const all = "src/lib/Shared.cs src/lib/tool/T.cs src/app/A.cs src/app/bin/Debug/B.cs src/other/O.cs"
	const notOutputs = "src/lib/Shared.cs src/lib/tool/T.cs src/app/A.cs src/other/O.cs"
	for _, tc := range []struct {
		name         string
		nodes, built []Node
		inputs       []string
		want         string // the sources below that stay
	}{
		{"apart", []Node{lib, other, app}, []Node{lib, other}, nil, "src/app/A.cs"},
		{"a project within", []Node{lib, nested, app}, []Node{lib}, nil, "src/lib/tool/T.cs src/app/A.cs"},
		{"a file of it is linked", []Node{lib, other, reaching}, []Node{lib, other}, nil, "src/lib/Shared.cs src/app/A.cs"},
		{"the app is at the root", []Node{lib, {Path: "app.csproj", reach: reach{reachKnown: true}}}, []Node{lib}, nil, all},
		{"all is read", []Node{lib, {Path: "x/app.csproj", reach: reach{publishReach: []string{"**"}, reachKnown: true}}},
			[]Node{lib}, nil, all},
		{"it is not known what is read", []Node{lib, other, unknown}, []Node{lib, other}, nil, notOutputs},
		{"the author says what is read", told, []Node{lib, other}, []string{"eng"}, notOutputs},
		{"a folder of the spec", []Node{lib, other, app}, []Node{lib, other}, []string{"src/lib/tool"},
			"src/lib/tool/T.cs src/app/A.cs"},
		{"the context, by the spec", []Node{lib, other, app}, []Node{lib, other}, []string{"."}, notOutputs},
	} {
		m, err := patternmatcher.New(append(CompiledSources(tc.nodes, tc.built, tc.inputs), Outputs(tc.nodes)...))
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, name := range []string{"src/lib/Shared.cs", "src/lib/tool/T.cs", "src/app/A.cs", "src/app/bin/Debug/B.cs",
			"src/other/O.cs"} {
			if !excludes(t, m, name) {
				left = append(left, name)
			}
		}
		if got := strings.Join(left, " "); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	if got := strings.Join(Unseen([]Node{lib, nested, other, app}, []Node{nested}), " "); got != "src/app src/other" {
		t.Errorf("unseen: %q", got)
	}
}

// excludes matches files as BuildKit does when it copies: folder by folder, and what matched a folder is known for its
// files.
func excludes(t *testing.T, m *patternmatcher.PatternMatcher, name string) bool {
	t.Helper()
	var excluded bool
	var info patternmatcher.MatchInfo
	parts := strings.Split(name, "/")
	for i := range parts {
		var err error
		if excluded, info, err = m.MatchesUsingParentResults(strings.Join(parts[:i+1], "/"), info); err != nil {
			t.Fatal(err)
		}
	}
	return excluded
}

func TestSliceFiles(t *testing.T) {
	s := Slice{Projects: []Node{apartNode("a & b"), {Path: "c.csproj", Framework: "net10.0", takesRuntime: true}}}
	s.Needs = []int{3}
	items := string(SliceItems(s, Paths{Source: "/source", StandIns: "/standins"}))
	for _, want := range []string{
		`Include="/source/src/a &amp; b/a &amp; b.csproj" UndefineProperties="RuntimeIdentifier;SelfContained" />`,
		`Include="/source/c.csproj" AdditionalProperties="TargetFramework=net10.0" />`,
		`<CrosshullStandIns Include="/standins/3/" />`} {
		if !strings.Contains(items, want) {
			t.Errorf("no %s in\n%s", want, items)
		}
	}
	if got := string(Built(s.Projects, "/source")); !strings.Contains(got,
		"<CrosshullBuilt>;/source/src/a &amp; b/a &amp; b.csproj;/source/c.csproj;</CrosshullBuilt>") {
		t.Errorf("built: %s", got)
	}
}
