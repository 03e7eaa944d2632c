package scaffold

import (
	"strings"
	"testing"

	"github.com/crosshull/crosshull/frontend/spec"
)

// What is written is a spec, and says what was found.
func TestSpec(t *testing.T) {
	const syntax = "example.com/frontend:1"
	for _, tc := range []struct {
		name  string
		found Found
		want  []string // lines
		check func(*spec.Spec) bool
	}{
		{"nothing", Found{}, []string{"# Found: 0 apps.", "#project: src/app/app.csproj"}, func(s *spec.Spec) bool { return s.Project == "" && len(s.Apps) == 0 }},
		{"one app", Found{Apps: []App{{Path: "src/Web/Web.csproj", Frameworks: []string{"net10.0"}}}, Libraries: 1, GlobalJSON: "10.0.401 latestPatch"},
			[]string{"# Found: 1 app, 1 library, global.json (10.0.401 latestPatch).", "project: src/Web/Web.csproj"},
			func(s *spec.Spec) bool { return s.Project == "src/Web/Web.csproj" && s.Framework == "" }},
		{"several frameworks", Found{Apps: []App{{Path: "a.csproj", Frameworks: []string{"net9.0", "net10.0", "net8.0"}}}},
			[]string{"framework: net10.0 # of net9.0, net10.0, net8.0"}, func(s *spec.Spec) bool { return s.Framework == "net10.0" }},
		{"line breaks", Found{Solutions: []string{"x\nproject: y.slnx"}}, []string{"# Found: 0 apps, x project: y.slnx."},
			func(s *spec.Spec) bool { return s.Project == "" }},
		{"odd names", Found{Apps: []App{{Path: "src/a: b/it's.csproj"}}}, []string{"project: 'src/a: b/it''s.csproj'"},
			func(s *spec.Spec) bool { return s.Project == "src/a: b/it's.csproj" }},
		{"several apps, tests", Found{
			Apps:  []App{{Path: "src/Shop.Web/Shop.Web.csproj"}, {Path: "src/Test/Test.csproj"}, {Path: "b/Test.csproj", Frameworks: []string{"net8.0", "net9.0"}}},
			Tests: []string{"tests/Unit/Unit.csproj"}, Libraries: 3, Solutions: []string{"Shop.slnx"},
		}, []string{"# Found: 3 apps, 3 libraries, 1 test project, Shop.slnx.", "  shop-web:", "  test-app:", "  b-test:", "    framework: net9.0 # of net8.0, net9.0", "    - tests/Unit/Unit.csproj"},
			func(s *spec.Spec) bool {
				return len(s.Apps) == 3 && s.Apps["shop-web"].Project == "src/Shop.Web/Shop.Web.csproj" && !s.Tests.Gate && len(s.Tests.Projects) == 1
			}},
		{"apps of one name", Found{Apps: []App{
			{Path: "a b/x.csproj"}, {Path: "a-b/x.csproj"}, {Path: "a.b/x.csproj"}, {Path: "a_b/X.csproj"}, {Path: "c/a-b-x-2.csproj"},
			{Path: strings.Repeat("d", 300) + ".csproj"}, {Path: strings.Repeat("d", 300) + "e.csproj"}, {Path: "日本/日本.csproj"}, {Path: "日/本.csproj"},
		}}, []string{"  x:", "  a-b-x:", "  a-b-x-3:", "  a_b-x:", "  a-b-x-2:", "  app:", "  app-2:"},
			func(s *spec.Spec) bool { return len(s.Apps) == 9 }},
		{"feeds", Found{Apps: []App{{Path: "a.csproj"}}, Feeds: []string{"company"}}, []string{"#    - name: company"}, func(s *spec.Spec) bool { return s.NuGet.Feeds == nil }},
		{"variables of feeds", Found{Apps: []App{{Path: "a.csproj"}}, FeedVariables: []string{"FEED_URL", "TOKEN"}, Feeds: []string{"company"}},
			[]string{"    FEED_URL: feed-url", "    TOKEN: token"}, func(s *spec.Spec) bool { return s.NuGet.Secrets["FEED_URL"] == "feed-url" }},
	} {
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
			var on []string
			for _, line := range lines {
				if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " syntax=") && (strings.HasPrefix(rest, "  ") || rest != "" && rest[0] != ' ') {
					line = rest
				}
				on = append(on, line)
			}
			if _, err := spec.Parse([]byte(strings.Join(on, "\n")), nil); err != nil {
				t.Errorf("with its comments: %v\n%s", err, strings.Join(on, "\n"))
			}
		})
	}
}

// A name is one value, and on one line.
func TestScalar(t *testing.T) {
	for in, want := range map[string]string{
		"src/a.csproj": "src/a.csproj", "a: b": "'a: b'", "it's": "'it''s'", "a ": "'a '", "a\nb: c": `"a\nb: c"`, "\u2028": `"\u2028"`,
	} {
		if got := scalar(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}
