package scaffold

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/frontend/spec"
)

// repositories are what was found, and what a spec says of it.
var repositories = []struct {
	name  string
	found Found
	want  []string // lines
	check func(*spec.Spec) bool
}{
	{"nothing", Found{}, []string{"# Found: 0 apps.", "#project: src/app/app.csproj"},
		func(s *spec.Spec) bool { return s.Project == "" && len(s.Apps) == 0 }},
	{"one app", Found{Apps: []App{{Path: "src/Web/Web.csproj", Frameworks: []string{"net10.0"}}}, Libraries: 1,
		GlobalJSON: "10.0.401 latestPatch"},
		[]string{"# Found: 1 app, 1 library, global.json (10.0.401 latestPatch).", "project: src/Web/Web.csproj"},
		func(s *spec.Spec) bool { return s.Project == "src/Web/Web.csproj" && s.Framework == "" }},
	{"several frameworks", Found{Apps: []App{{Path: "a.csproj", Frameworks: []string{"net9.0", "net10.0", "net8.0"}}}},
		[]string{"framework: net10.0 # of net9.0, net10.0, net8.0"},
		func(s *spec.Spec) bool { return s.Framework == "net10.0" }},
	{"odd names", Found{Apps: []App{{Path: "src/a: b/it's.csproj"}}}, []string{"project: 'src/a: b/it''s.csproj'"},
		func(s *spec.Spec) bool { return s.Project == "src/a: b/it's.csproj" }},
	{"several apps, tests", Found{
		Apps: []App{{Path: "src/Shop.Web/Shop.Web.csproj"}, {Path: "src/Test/Test.csproj"},
			{Path: "b/Test.csproj", Frameworks: []string{"net8.0", "net9.0"}}},
		Tests: []string{"tests/Unit/Unit.csproj"}, Libraries: 3, Solutions: []string{"Shop.slnx"},
	}, []string{"# Found: 3 apps, 3 libraries, 1 test project, Shop.slnx.", "  shop-web:", "  test-app:", "  b-test:",
		"    framework: net9.0 # of net8.0, net9.0", "    - tests/Unit/Unit.csproj"},
		func(s *spec.Spec) bool {
			return len(s.Apps) == 3 && s.Apps["shop-web"].Project == "src/Shop.Web/Shop.Web.csproj" &&
				!s.Tests.Gate && len(s.Tests.Projects) == 1
		}},
	{"feeds", Found{Apps: []App{{Path: "a.csproj"}}, Feeds: []string{"company"}}, []string{"#    - name: company"},
		func(s *spec.Spec) bool { return s.NuGet.Feeds == nil }},
	{"Dockerfiles", Found{Apps: []App{{Path: "a.csproj"}}, Dockerfiles: []Dockerfile{
		ReadDockerfile("Dockerfile", []byte("FROM mcr.microsoft.com/dotnet/runtime:10.0-alpine\nENV  A=1   B=2\nRUN x\n")),
		{Path: "b/Dockerfile"}, {Path: "c/Dockerfile", Err: errors.New("odd")}}},
		[]string{
			"# Crosshull does not use the file Dockerfile. What this file does beyond a plain build, with the key for it:",
			"# - line 1: FROM mcr.microsoft.com/dotnet/runtime:10.0-alpine -> base.family (alpine)",
			"# - line 2: ENV A=1 B=2 -> image.env",
			"# - line 3: RUN x -> no key: crosshull runs nothing in the image: do it in a base of your own (base.image)",
			"# Crosshull does not use the file b/Dockerfile. This spec does all that the file does.",
			"# Crosshull does not use the file c/Dockerfile, and cannot read it: odd."},
		func(s *spec.Spec) bool { return s.Image.Env == nil }},
	{"variables of feeds", Found{Apps: []App{{Path: "a.csproj"}}, FeedVariables: []string{"FEED_URL", "TOKEN"},
		Feeds: []string{"company"}},
		[]string{"    FEED_URL: feed-url", "    TOKEN: token"},
		func(s *spec.Spec) bool { return s.NuGet.Secrets["FEED_URL"] == "feed-url" }},
}

// What is written is a spec, and says what was found.
func TestSpec(t *testing.T) {
	const syntax = "example.com/frontend:1"
	for _, tc := range repositories {
		t.Run(tc.name, func(t *testing.T) {
			tc.found.Syntax = syntax
			dt := Spec(tc.found)
			lines := strings.Split(string(dt), "\n")
			if lines[0] != "# syntax="+syntax {
				t.Errorf("the first line is %s", lines[0])
			}
			for _, want := range tc.want {
				if !strings.Contains("\n"+string(dt), "\n"+want+"\n") {
					t.Errorf("no line %q in\n%s", want, dt)
				}
			}
			s, err := spec.Parse(dt, nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, dt)
			}
			if !tc.check(s) {
				t.Errorf("it says something else:\n%s", dt)
			}
			// What is commented out is right, too.
			if _, err := spec.Parse(uncomment(dt), nil); err != nil {
				t.Errorf("with its comments: %v\n%s", err, uncomment(dt))
			}
		})
	}
}

// hostile are names that mean something to YAML, to the spec or to a shell.
var hostile = []string{
	"", " ", " a ", "a b.csproj", "null", "NULL", "~", "true", "1.0", "0x1f", "-", "- a", "-a", "--- a", "...", "a: b",
	"a:", ": a",
	"#a", "a #b", "a#b", "'", "it's", `"`, `a"b`, "[a]", "{a: b}", "a, b", "&a", "*a", "<<", "!a", "!!str a", "|", ">",
	"%a", "@a", "`a`",
	"?", "? a", "=", "a\nnuget: {config-secret: x}", "a\r\nb", "a\rb", "a\n", "\na", "\ta", "a\tb", "\u2028a: b",
	"\u2029", "\u0085a: b",
	"\x00", "\x1b[31m", "\x7f", "\ufeff", "\ufffe", "\U000e0001", "é.csproj", "日本語", "👍", "\xff", "a\xc3", "${A}",
	"$${A}", "$$${A}b",
	"${", "${A", "$ {A}", "${A${B}}", "a/../../b", "/a", "a\\b", "../a", "./a", "a//b", "x-a", "args", "apps", "test",
	"image", "web-publish",
	strings.Repeat("a", 200), strings.Repeat("a/", 600) + "a.csproj", strings.Repeat("${A}", 50), strings.Repeat("é", 500),
}

// found is a repository where everything has a name.
func found(v string) []Found {
	return []Found{
		{Syntax: v}, {Apps: []App{{Path: v}}}, {Apps: []App{{Path: "a.csproj", Frameworks: []string{v, "net8.0"}}}},
		{Apps: []App{{Path: "a.csproj"}, {Path: v}, {Path: "b/" + v}, {Path: v + "/b.csproj", Frameworks: []string{v, v}}}},
		{Apps: []App{{Path: "a.csproj"}}, Tests: []string{v, "t.csproj"}}, {Solutions: []string{v, v}}, {GlobalJSON: v},
		{Dockerfiles: []Dockerfile{{Path: v, Needs: []Need{{1, v, v, v}, {Text: v}}}, {Path: "b", Err: errors.New(v)}, {}}},
		{FeedVariables: []string{v, "B", v}}, {Feeds: []string{v, "b", strings.ToUpper(v)}},
	}
}

// checkSpec sees that a file says what was found, and nothing else.
func checkSpec(t *testing.T, f Found) {
	t.Helper()
	dt := Spec(f)
	if strings.ContainsFunc(string(dt), func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }) {
		t.Errorf("%.200q has characters that nobody sees", dt)
	}
	s, err := spec.Parse(dt, nil)
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, dt)
	}
	var apps, projects []string
	for _, a := range f.Apps {
		if isPath(a.Path) {
			apps = append(apps, a.Path)
		}
	}
	if s.Project != "" {
		projects = []string{s.Project}
	}
	for _, a := range s.Apps {
		projects = append(projects, a.Project)
	}
	if len(projects) > 0 || len(apps) > 0 {
		slices.Sort(projects)
		if slices.Sort(apps); !slices.Equal(projects, apps) {
			t.Errorf("it has projects %q, and there are %q:\n%s", projects, apps, dt)
		}
	}
	for _, test := range s.Tests.Projects {
		if !slices.Contains(f.Tests, test) {
			t.Errorf("there is no test %q:\n%s", test, dt)
		}
	}
	for name, secret := range s.NuGet.Secrets {
		if !slices.Contains(f.FeedVariables, name) || secret != id(name) {
			t.Errorf("variable %q has secret %q:\n%s", name, secret, dt)
		}
	}
	rest := spec.NuGet{Secrets: s.NuGet.Secrets}
	tests := spec.Tests{Projects: s.Tests.Projects}
	if !reflect.DeepEqual(s.NuGet, rest) || !reflect.DeepEqual(s.Tests, tests) || s.Args != nil || s.SDK != (spec.SDK{}) {
		t.Errorf("it says more:\n%s", dt)
	}
	for _, a := range append(slices.Collect(maps.Values(s.Apps)), &s.App) {
		own := spec.App{Project: a.Project, Framework: a.Framework}
		if !reflect.DeepEqual(*a, own) {
			t.Errorf("it says more of an app: %+v\n%s", a, dt)
		}
	}
	if on := uncomment(dt); f.Syntax == "" {
		if _, err := spec.Parse(on, nil); err != nil {
			t.Errorf("with its comments: %v\n%s", err, on)
		}
	}
}

// uncomment is the file with what is commented out, which has no space after the #.
func uncomment(dt []byte) []byte {
	var on []string
	for line := range strings.SplitSeq(string(dt), "\n") {
		rest, ok := strings.CutPrefix(line, "#")
		if ok && !strings.HasPrefix(rest, " syntax=") && (strings.HasPrefix(rest, "  ") || rest != "" && rest[0] != ' ') {
			line = rest
		}
		on = append(on, line)
	}
	return []byte(strings.Join(on, "\n"))
}

// Names cannot say anything: the file is always a spec, with the names in it or left out.
func TestHostileNames(t *testing.T) {
	for _, v := range hostile {
		for i, f := range found(v) {
			t.Run(fmt.Sprintf("%d %.20q", i, v), func(t *testing.T) { checkSpec(t, f) })
		}
	}
}

func FuzzSpec(f *testing.F) {
	for _, v := range hostile {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		for _, f := range found(v) {
			checkSpec(t, f)
		}
	})
}

// A text is what YAML reads.
func TestScalar(t *testing.T) {
	for v, want := range map[string]string{
		"src/a b/app.csproj": "src/a b/app.csproj", "it's": "'it''s'", "a: b": "'a: b'", "null": "'null'", "": "''",
		" a":   "' a'",
		"a\nb": `"a\u000ab"`, "\U000e0001\"\\": `"\U000e0001\"\\"`, "${A}": "'$${A}'", "$${A}${": "'$$${A}${'",
	} {
		if got := scalar(v); got != want {
			t.Errorf("scalar(%q) = %s, want %s", v, got, want)
		}
	}
}

// Names of apps are targets of buildx, each of one app.
func TestNames(t *testing.T) {
	paths := []string{
		"Web.csproj", "a/Web.csproj", "a-web/x.csproj", "b/a-Web.csproj", "a/web.csproj", "test.csproj", "日本.csproj",
		"語.csproj",
		strings.Repeat("x", 300) + ".csproj", strings.Repeat("x", 301) + ".csproj", "-_-.csproj", "Web-Publish.csproj",
	}
	var apps []App
	for _, p := range paths {
		apps = append(apps, App{Path: p})
	}
	long := strings.Repeat("x", maxName)
	want := []string{
		"web", "a-web", "x", "b-a-web", "a-web-2", "test-app", "app", "app-2", long, long + "-2", "app-3", "web-publish-app",
	}
	if got := names(apps); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
}

// A repository that is larger than a spec can be has a spec of a part of it.
func TestLargeRepositories(t *testing.T) {
	var f Found
	long := strings.Repeat("very-long-name/", 60)
	for i := range 2000 {
		f.Apps = append(f.Apps, App{Path: fmt.Sprintf("%d/app%d.csproj", i, i)})
		f.Tests = append(f.Tests, fmt.Sprintf("%s%d.csproj", long, i))
		f.FeedVariables = append(f.FeedVariables, fmt.Sprintf("V%d", i))
		f.Feeds = append(f.Feeds, fmt.Sprintf("f%d", i))
		f.Solutions = append(f.Solutions, fmt.Sprintf("s%d.sln", i))
	}
	dt := Spec(f)
	s, err := spec.Parse(dt, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Apps) != maxApps || len(s.Tests.Projects) < 500 || len(s.Tests.Projects) == 2000 {
		t.Errorf("%d apps, %d tests", len(s.Apps), len(s.Tests.Projects))
	}
	for _, want := range []string{
		"# And 1000 more apps: a spec cannot have more.\n", " more test projects:", " more variables:",
	} {
		if !strings.Contains(string(dt), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	f.Apps, f.Tests, f.FeedVariables = nil, nil, nil
	if s, err := spec.Parse(Spec(f), nil); err != nil || s.NuGet.Feeds != nil {
		t.Errorf("feeds: %v", err)
	}
}

// The newest framework is the one with the highest version, not the longest name.
func TestNewest(t *testing.T) {
	for _, tc := range [][]string{
		{"net10.0", "net9.0", "net10.0", "net8.0"},
		{"net10.0", "netcoreapp3.1", "net10.0"},
		{"net8.0", "netcoreapp2.1", "net8.0", "netcoreapp3.1"},
	} {
		if got := newest(tc[1:]); got != tc[0] {
			t.Errorf("the newest of %v is %s", tc[1:], got)
		}
	}
}

// A project with frameworks for other systems gets the one that Linux runs, by its name.
func TestCrossTargeting(t *testing.T) {
	for _, tc := range []struct {
		app  App
		want string
	}{
		{App{Path: "a.csproj", Frameworks: []string{"net10.0"}}, "project: a.csproj"},
		{App{Path: "a.csproj", Frameworks: []string{"net10.0"}, CrossTargeting: true},
			"project: a.csproj\nframework: net10.0"},
		{App{Path: "a.csproj", CrossTargeting: true}, "project: a.csproj"},
	} {
		if got := strings.Join(app("", tc.app), "\n"); got != tc.want {
			t.Errorf("%+v: got\n%s\nwant\n%s", tc.app, got, tc.want)
		}
	}
}
