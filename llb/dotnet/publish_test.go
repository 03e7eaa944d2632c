package dotnet

import (
	"slices"
	"strings"
	"testing"
)

// commands are all commands that build app, by name.
func commands(p Project, app *App) map[string][]string {
	at := Paths{Source: "/source", Output: "/app", MSBuild: "/crosshull"}
	return map[string][]string{
		"restore":       RestoreArgs(p, []*App{app}, nil, at),
		"group restore": RestoreArgs(p, []*App{app, {Path: "b.csproj"}}, nil, at),
		"compile":       CompileArgs(p, app, at),
		"publish":       PublishArgs(p, app, "", "linux-x64", CompressInPublish, at),
		"assets":        CompressArgs(p, app, at),
		"apphost":       AppHostArgs(p, app, []string{"linux-x64"}, at),
		"test":          TestArgs(p, app, TestRun{}, at),
	}
}

// A project that is meant by its solution has the properties that the solution gives it.
func TestSolutionProperties(t *testing.T) {
	want := []string{
		"-p:SolutionDir=/source/src/", "-p:SolutionExt=.slnx", "-p:SolutionFileName=all.v1.slnx", "-p:SolutionName=all.v1",
		"-p:SolutionPath=/source/src/all.v1.slnx",
	}
	for _, tc := range []struct {
		project string
		want    bool
	}{{"src/all.v1.slnx", true}, {"src", false}, {"src/a.csproj", false}} {
		for name, args := range commands(Project{Path: tc.project}, &App{Path: "src/a.csproj"}) {
			for _, arg := range want {
				if slices.Contains(args, arg) != tc.want {
					t.Errorf("%s of %s has %s: %v", name, tc.project, arg, !tc.want)
				}
			}
		}
	}
}

// Commands whose project is crosshull's own find a response file beside it that names that of the app. No command gets
// it as an argument: the dotnet command would take it apart itself.
func TestResponseFile(t *testing.T) {
	app := &App{Path: "src/a.csproj", Switches: []string{"my src/Directory.Build.rsp", "src/MSBuild.rsp"}}
	files := app.ResponseFiles(Paths{Source: "/source"})
	if len(files) != 1 || files[0].Name != "Directory.Build.rsp" ||
		string(files[0].Data) != "@\"/source/my src/Directory.Build.rsp\"\n@\"/source/src/MSBuild.rsp\"\n" {
		t.Errorf("files %q", files)
	}
	if files := (&App{Path: "src/a.csproj"}).ResponseFiles(Paths{}); len(files) > 0 {
		t.Errorf("an app without a response file has %q", files)
	}
	for name, args := range commands(Project{}, app) {
		if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "@") }) {
			t.Errorf("%s has a response file: %q", name, args)
		}
	}
}

// A restore leaves out frameworks of other systems where a project has some.
func TestForeign(t *testing.T) {
	const arg = "-p:CustomAfterMicrosoftCommonCrossTargetingTargets=/crosshull/restore.targets"
	for _, tc := range []struct {
		name, project string
		want          bool
	}{
		{"none", `{"path": "a.csproj"}`, false},
		{"some", `{"path": "a.csproj", "foreignFrameworks": true}`, true},
	} {
		app := &App{Path: "a.csproj", Closure: told(t, tc.project)}
		for _, name := range []string{"restore", "group restore"} {
			if args := commands(Project{}, app)[name]; Foreign([]*App{app}) != tc.want || slices.Contains(args, arg) != tc.want {
				t.Errorf("%s: %s has %q", tc.name, name, args)
			}
		}
	}
}

// Commands that compile tell whether they lack a part of the context.
func TestNarrow(t *testing.T) {
	for _, tc := range []struct {
		name, project string
		want          bool
	}{
		{"all is known", `{"path": "a/a.csproj"}`, true},
		{"at the root of the context", `{"path": "a.csproj"}`, true}, // housekeeping is not there
		{"one may read everything", `{"path": "a/a.csproj", "unknown": "it is odd"}`, false},
	} {
		app := &App{Path: "b/b.csproj", Closure: told(t, `{"path": "b/b.csproj"}`, tc.project)}
		for _, app := range []*App{app, app.Everything("a step failed")} {
			want := tc.want && app.Closure[0].reachKnown
			for name, args := range commands(Project{}, app) {
				compiles := want && (name == "publish" || name == "test") || name == "compile"
				if slices.Contains(args, "-p:CrosshullNarrow=true") != compiles {
					t.Errorf("%s: %s has %q", tc.name, name, args)
				}
			}
		}
	}
}

// Launchers of programs that the app references are looked for only if there are any: that takes time.
func TestFurtherLaunchers(t *testing.T) {
	for name, tc := range map[string]struct {
		closure []Node
		want    bool
	}{
		"the app alone":       {[]Node{{Path: "a.csproj", executable: true}}, false},
		"a library":           {[]Node{{Path: "a.csproj", executable: true}, {Path: "lib.csproj"}}, false},
		"a program beside it": {[]Node{{Path: "a.csproj", executable: true}, {Path: "b.csproj", executable: true}}, true},
	} {
		args := AppHostArgs(Project{}, &App{Path: "a.csproj", Closure: tc.closure}, []string{"linux-x64"}, Paths{})
		if got := slices.Contains(args, "-p:CrosshullFurther=CrosshullAppHostsOfReferences"); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// One process compiles projects of which each needs the next. More of them would only wait.
func TestProcesses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		closure []Node
		one     bool
	}{
		{"an app alone, whose own targets may use more", []Node{{Path: "app"}}, false},
		{"an app and a library", []Node{{Path: "app", References: []string{"a"}}, {Path: "a"}}, true},
		{
			"a library that another one needs",
			[]Node{{Path: "app", References: []string{"b", "a"}}, {Path: "b"}, {Path: "a", References: []string{"b"}}}, true,
		},
		{"two libraries", []Node{{Path: "app", References: []string{"a", "b"}}, {Path: "a"}, {Path: "b"}}, false},
		{
			"a cycle, which MSBuild refuses",
			[]Node{{Path: "app", References: []string{"a"}}, {Path: "a", References: []string{"app"}}}, true,
		},
	} {
		args := PublishArgs(Project{}, &App{Path: "app", Closure: tc.closure}, "", "linux-x64", CompressInPublish, Paths{})
		if got := slices.Contains(args, "-maxCpuCount:1"); got != tc.one {
			t.Errorf("%s: one process: %v, want %v", tc.name, got, tc.one)
		}
	}
}
