package frontend

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// again is the step that asks MSBuild after the restore. It says one thing after the other.
func again(says []gatewaytest.Evaluation, wait <-chan struct{}) gatewaytest.Step {
	files, round := fstest.MapFS{}, 0
	return gatewaytest.Step{Name: gatewaytest.Again, Files: files, Do: func(context.Context) error {
		<-wait
		maps.Copy(files, says[round].Files())
		round++
		return nil
	}}
}

// count is how many vertices of a name had to run.
func count(c *gatewaytest.Client, name string) int {
	n := 0
	for _, ran := range c.Ran() {
		if strings.HasPrefix(ran, name) {
			n++
		}
	}
	return n
}

// MSBuild is asked once more beside publish, when packages are there. If they read more, the app is published with all
// of that.
func TestPackagesRead(t *testing.T) {
	reads := func(names ...string) gatewaytest.Answer {
		a := gatewaytest.App("app/app.csproj", nil)
		a.Packages, a.Reads = true, names
		return a
	}
	says := func(answers ...gatewaytest.Answer) []gatewaytest.Evaluation {
		return []gatewaytest.Evaluation{{Answers: answers}}
	}
	asks := func(name string) gatewaytest.Evaluation {
		return gatewaytest.Evaluation{Answers: []gatewaytest.Answer{reads("a.txt")}, Asks: []string{name}}
	}
	anything, before, none := reads(), reads(), gatewaytest.App("app/app.csproj", nil)
	anything.Unknown, before.Unknown = "Exec in Team.targets:12", "Exec in app/app.csproj:3"
	const (
		mayRead = "app/app.csproj may read any file of the context, so each change compiles it again "
		inputs  = ": list what it reads in publish.inputs"
		failed  = "the build reads the whole context, because crosshull cannot find out what packages read (to avoid that, " +
			"list those files in publish.inputs): "
	)
	for _, tc := range []struct {
		name   string
		before gatewaytest.Answer
		after  []gatewaytest.Evaluation // round by round
		late   bool                     // publish runs by then
		runs   int                      // of publish, begun or not
		warns  string
	}{
		{"no packages", none, nil, false, 1, ""},
		{"no file of a package", reads(), []gatewaytest.Evaluation{{Same: true}}, false, 1, ""},
		{"nothing more", reads("a.txt"), says(reads("a.txt")), false, 1, ""},
		{"less", reads("a.txt"), says(reads()), false, 1, ""},
		{"a file of its folder", reads(), says(reads("app/Program.cs")), false, 1, ""},
		{"a file", reads(), says(reads("a.txt")), false, 1, ""},
		{"a file, told late", reads(), says(reads("a.txt")), true, 2, ""},
		{"a file, told in rounds", reads(), append([]gatewaytest.Evaluation{asks("VERSION"), asks("b.txt")},
			says(reads("a.txt"))...), false, 1, ""},
		{"too many rounds", reads(), append(slices.Repeat([]gatewaytest.Evaluation{asks("a.txt")}, 19), asks("VERSION")),
			false, 2, failed + "MSBuild still asks for files after 20 rounds, and VERSION was the last" + gatewaytest.Bug},
		{"anything", reads(), says(anything), false, 1, mayRead + "(Exec in Team.targets:12)" + inputs},
		{"anything before", before, nil, false, 1, mayRead + "(Exec in app/app.csproj:3)" + inputs},
		{"no app", reads(), says(gatewaytest.Answer{}), false, 2,
			failed + "after the restore, MSBuild no longer sees app/app.csproj as an app: look whether a package sets " +
				"OutputType or IsTestProject"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := withSpec("project: app/app.csproj")
			for _, name := range []string{"app/Program.cs", "a.txt", "b.txt", "c.txt", "VERSION"} {
				c.Say(name, "1.0")
			}
			c.Describe(tc.before)
			runs, asking := 0, make(chan struct{})
			if !tc.late {
				close(asking)
			}
			c.Step(again(tc.after, asking), gatewaytest.Step{Name: publish, Files: gatewaytest.Published([]string{"app"}),
				Do: func(ctx context.Context) error {
					if runs++; runs > 1 || !tc.late {
						return nil
					}
					close(asking)
					<-ctx.Done()
					return ctx.Err()
				}})
			if _, err := Build(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if runs != tc.runs || count(c, gatewaytest.Again) != len(tc.after) {
				t.Errorf("published %d times, want %d; asked %d times, want %d", runs, tc.runs,
					count(c, gatewaytest.Again), len(tc.after))
			}
			var want []string
			if tc.warns != "" {
				want = []string{tc.warns}
			}
			if got := c.Warnings(); !slices.Equal(got, want) {
				t.Errorf("warned of %q, want %q", got, want)
			}
		})
	}
}

// A failure to ask is no failure of the build, unless publish fails, too.
func TestPackagesReadFails(t *testing.T) {
	no := errors.New("the step was killed")
	for _, tc := range []struct {
		name    string
		publish error
		runs    int
		warns   int
	}{
		{"asking", nil, 2, 1},
		{"both", errors.New("publish was killed"), 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := withSpec("project: app/app.csproj")
			app := gatewaytest.App("app/app.csproj", nil)
			app.Packages = true
			c.Describe(app)
			runs := 0
			c.Step(gatewaytest.Step{Name: gatewaytest.Again, Err: no},
				gatewaytest.Step{Name: publish, Files: gatewaytest.Published([]string{"app"}),
					Do: func(context.Context) error { runs++; return tc.publish }})
			_, err := Build(t.Context(), c)
			if (err != nil) != (tc.publish != nil) || errors.Is(err, no) {
				t.Errorf("error %v", err)
			}
			if warned := c.Warnings(); runs != tc.runs || len(warned) != tc.warns {
				t.Errorf("published %d times, want %d; warned of %q", runs, tc.runs, warned)
			}
		})
	}
}

// The tests of an app are asked about, too. What they read beside the app is theirs.
func TestPackagesOfTestsRead(t *testing.T) {
	c := withSpec("project: app/app.csproj", "tests: {projects: [t], gate: true}")
	c.Say("a.txt", "1.0")
	app, test := gatewaytest.App("app/app.csproj", nil), gatewaytest.Test("t/t.csproj")
	app.Packages, test.Packages = true, true
	c.Describe(app, test)
	told := test
	told.Reads = []string{"a.txt"}
	c.Step(gatewaytest.Step{Name: gatewaytest.Again, Files: gatewaytest.Description(app, told)})
	if _, err := Build(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"[test] dotnet test": 1, publish: 1} {
		if n := count(c, name); n != want {
			t.Errorf("%s ran %d times, want %d", name, n, want)
		}
	}
}
