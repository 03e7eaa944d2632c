package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// A step that fails for want of a file runs once more with the whole context. The build tells which files that were.
func TestOnceMore(t *testing.T) {
	const passes = "the build reads files that MSBuild does not name. It ran once more with the whole context. " +
		"To make it fast again, name the files in publish.inputs"
	const passed = "a step failed, and passed when it ran again with all files: " + publish + " app/app.csproj: "
	const unnamed = ". Its error names no file, so the cause may be too little memory, or the network. If each build " +
		"warns of this, name the files that the step reads in publish.inputs"
	const makesHere = "a target of a project failed. It makes files that the context also has, so the build used those. " +
		"If they are up to date, you need not do anything. Else look at the error of the target in the log of the step"
	const says = "/source/app/Program.cs(1,1): error "
	app, everything := gatewaytest.App("app/app.csproj", nil), gatewaytest.App("app/app.csproj", nil)
	everything.Unknown = "Exec in app/app.csproj:3"
	makes := gatewaytest.App("app/app.csproj", nil)
	makes.Earlier = []string{"app/made.cs"}
	makesOfAll := makes
	makesOfAll.Unknown, makesOfAll.UnknownToEvaluation = everything.Unknown, true
	for _, tc := range []struct {
		name   string
		answer gatewaytest.Answer
		log    string // what the step says
		fails  int    // how often it does
		runs   int    // how often it is to run
		warns  string // what is warned of in the end; empty: nothing
		wants  string // how the error begins; empty: none
	}{
		{"no failure", app, "", 0, 1, "", ""},
		{"a file that it names", app, says + "CS1566: Error reading resource '/source/eng/words.txt'", 1, 2,
			passes + ", as in publish: {inputs: [eng/words.txt]}", ""},
		{"a name that YAML would take for two", app, says + "CS1566: Error reading resource '/source/eng/a,b.txt'", 1, 2,
			passes + `, as in publish: {inputs: ["eng/a,b.txt"]}`, ""},
		{"a file that is nowhere", app, says + "CS1566: Error reading resource 'eng/none.txt'", 1, 2, passes, ""},
		{"nothing said", app, "", 1, 2, passed + "exit code: 1" + unnamed, ""},
		{"a process that died", app, "MSBUILD : error MSB4166: Child node \"2\" exited prematurely. [/source/app/app.csproj]",
			1, 2, passed + `app/app.csproj: error MSB4166: Child node "2" exited prematurely.` + unnamed, ""},
		{"a tool that died", app,
			"/sdk/x.targets(9,5): error MSB6006: \"csc\" exited with code 137. [/source/app/app.csproj]", 1, 2,
			passed + `app/app.csproj: error MSB6006: "csc" exited with code 137.` + unnamed, ""},
		{"a program without its entry point", app, "CSC : error CS5001: no Main [/source/app/app.csproj]", 1, 2, passes, ""},
		{"a command in a line of a project", app, "/source/app/app.csproj(3,5): error MSB3073: exited with code 1", 1, 2,
			passes, ""},
		{"nothing said of what reads everything, and makes a file", makesOfAll, "", 1, 2,
			passed + "exit code: 1" + unnamed, ""},
		{"an error of what reads everything, and makes a file", makesOfAll, says + "CS0246: no type X", 1, 2, makesHere, ""},
		{"twice", app, says + "CS0246: no type X", 2, 2, "", "1 error in " + publish + " app/app.csproj"},
		{"syntax", app, says + "CS1002: ; expected", 1, 1, "", "1 error in " + publish + " app/app.csproj"},
		{"what may read anything, but for the evaluation", everything, says + "CS0246: no type X", 2, 2, "",
			"1 error in " + publish + " app/app.csproj"},
		{"a file that it makes", makes, says + "CS0246: no type X", 1, 2, passes, ""},
		{"a file that it cannot make", makes, says + "MSB3073: exited with code 1", 2, 3,
			makesHere, ""},
		{"a file that it makes, thrice", makes, says + "CS0246: no type X", 3, 3, "",
			"1 error in " + publish + " app/app.csproj"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := withSpec("publish: {inputs: [app]}")
			c.Say("eng/words.txt", "word")
			c.Say("eng/a,b.txt", "word")
			c.Describe(tc.answer)
			runs := 0
			failed := gatewaytest.Failed(publish+" app/app.csproj", "/diagnostics")
			c.Mounts = map[string]fstest.MapFS{
				publish + " app/app.csproj /diagnostics": {"errors.log": {Data: []byte(tc.log + "\n")}},
			}
			c.Step(gatewaytest.Step{Name: publish, Files: gatewaytest.Published([]string{"app"}),
				Do: func(context.Context) error {
					if runs++; runs <= tc.fails {
						return failed
					}
					return nil
				}})
			_, err := Build(t.Context(), c)
			if (err != nil) != (tc.wants != "") || err != nil && !strings.HasPrefix(err.Error(), tc.wants) {
				t.Errorf("error %v, want %q", err, tc.wants)
			}
			if runs != tc.runs {
				t.Errorf("it ran %d times, want %d", runs, tc.runs)
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

// With the whole context, a build may fail for a file that no project reads. The error stays the one of the project.
func TestOnceMoreFailsOtherwise(t *testing.T) {
	c := withSpec("publish: {inputs: [app]}")
	c.Describe(gatewaytest.App("app/app.csproj", nil))
	c.Mounts = map[string]fstest.MapFS{publish + " app/app.csproj /diagnostics": {"errors.log": {
		Data: []byte("/source/app/Program.cs(1,1): error CS0246: no type X\n"),
	}}}
	runs := 0
	c.Step(gatewaytest.Step{Name: publish, Do: func(context.Context) error {
		if runs++; runs == 1 {
			return gatewaytest.Failed(publish+" app/app.csproj", "/diagnostics")
		}
		return errors.New("data/db.key cannot be read")
	}})
	_, err := Build(t.Context(), c)
	if err == nil || !strings.HasSuffix(err.Error(), "error CS0246: no type X") || runs != 2 {
		t.Errorf("after %d runs: error %v", runs, err)
	}
}

// A step that installs OS packages reads no sources, so the whole context would not help it.
func TestPackagesOnce(t *testing.T) {
	c := withSpec("base: {packages: [none]}")
	c.Step(gatewaytest.Step{Name: "docker-image://" + gatewaytest.Runtime, Files: fstest.MapFS{"usr/bin/apt-get": {}}})
	const name = "[packages linux/amd64] apt-get download"
	c.Mounts = map[string]fstest.MapFS{name + " /diagnostics": {"packages.log": {Data: []byte("no package none\n")}}}
	runs := 0
	c.Step(gatewaytest.Step{Name: name, Do: func(context.Context) error {
		runs++
		return gatewaytest.Failed(name, "/diagnostics")
	}})
	_, err := Build(t.Context(), c)
	if err == nil || !strings.HasSuffix(err.Error(), "crosshull.yaml:2: no package none") {
		t.Errorf("error %v", err)
	}
	if runs != 1 {
		t.Errorf("it ran %d times", runs)
	}
}
