package facts_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
	"github.com/crosshull/crosshull/llb/dotnet"
)

const describeStep = "[describe] dotnet msbuild"

func newAsker(t *testing.T, c *gatewaytest.Client) *facts.Asker {
	t.Helper()
	_, asker, err := plantest.Asker(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	return asker
}

// shop is a BuildKit with two apps and a test, for a target.
func shop(target string, lines ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(append([]string{
		"apps:",
		"  web: {project: web/web.csproj}",
		"  worker: {project: worker/worker.csproj}",
		"  slow: {project: slow/slow.csproj, publish: {configuration: Debug}}",
		"  script: {project: tools/run.cs}",
	}, lines...)...)
	c.Set("target", target)
	return c
}

func TestQuestions(t *testing.T) {
	for _, tc := range []struct {
		name   string
		c      *gatewaytest.Client
		want   []string // projects, and the keys that name them
		target int
	}{
		{"one app", gatewaytest.Console(), []string{" project"}, 0},
		{"of several", shop("worker"), []string{
			"web/web.csproj apps.web.project", "worker/worker.csproj project",
		}, 1},
		{"built otherwise", shop("slow"), []string{"slow/slow.csproj project"}, 0},
		{"a file", shop("script"), []string{"tools/run/run.csproj project"}, 0},
		{"the tests", shop("test", "tests: {projects: [t]}"), []string{
			"web/web.csproj apps.web.project", "worker/worker.csproj apps.worker.project",
		}, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			questions, target, err := newAsker(t, tc.c).Questions()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, q := range questions {
				got = append(got, q.Project.Path+" "+q.Key)
			}
			if !slices.Equal(got, tc.want) || target != tc.target {
				t.Errorf("%q, target %d, want %q, %d", got, target, tc.want, tc.target)
			}
		})
	}
}

func TestApps(t *testing.T) {
	web, worker := gatewaytest.App("web/web.csproj", nil), gatewaytest.App("worker/worker.csproj", nil)
	unit := gatewaytest.Test("t/unit.csproj")
	for _, tc := range []struct {
		name    string
		c       *gatewaytest.Client
		answers []gatewaytest.Answer
		tests   bool // the tests are what is asked about
		app     string
		apps    []string
		test    []string
	}{
		{"one app", gatewaytest.Console(), []gatewaytest.Answer{gatewaytest.App("app/app.csproj", nil)}, false,
			"app/app.csproj", []string{"app/app.csproj"}, nil},
		{"of several", shop("worker"), []gatewaytest.Answer{web, worker}, false,
			"worker/worker.csproj", []string{"web/web.csproj", "worker/worker.csproj"}, nil},
		{"with tests that it waits for", shop("web", "tests: {projects: [t], gate: true}"),
			[]gatewaytest.Answer{web, worker, unit}, false,
			"web/web.csproj", []string{"web/web.csproj", "worker/worker.csproj"}, []string{"t/unit.csproj"}},
		{"the tests alone", shop("test", "tests: {projects: [t]}"), []gatewaytest.Answer{unit}, true,
			"", nil, []string{"t/unit.csproj"}},
		{"the tests that images wait for", shop("test", "tests: {projects: [t], gate: true}"),
			[]gatewaytest.Answer{web, worker, unit}, true,
			"", []string{"web/web.csproj", "worker/worker.csproj"}, []string{"t/unit.csproj"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.c.Describe(tc.answers...)
			asker := newAsker(t, tc.c)
			ask := asker.Apps
			if tc.tests {
				ask = asker.Tests
			}
			f, err := ask(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			app := ""
			if f.App != nil {
				app = f.App.Path
			}
			if app != tc.app || !slices.Equal(paths(f.Apps), tc.apps) || !slices.Equal(paths(f.Tests), tc.test) {
				t.Errorf("app %q of %q, tests %q", app, paths(f.Apps), paths(f.Tests))
			}
			if f.Answer.Ref == nil {
				t.Error("what MSBuild left is not known")
			}
			def, err := f.Answer.State.Marshal(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			request := bytes.Join(def.Def, nil)
			if newest := bytes.Contains(request, []byte(`"kind":"test","newest":true`)); newest != (tc.test != nil) {
				t.Errorf("asked about the newest framework of tests: %v", newest)
			}
		})
	}
}

func paths(apps []*dotnet.App) []string {
	var all []string
	for _, app := range apps {
		all = append(all, app.Path)
	}
	return all
}

func TestAsksFail(t *testing.T) {
	app := gatewaytest.App("app/app.csproj", nil)
	unread := func(name string) gatewaytest.Step {
		return gatewaytest.Step{Errs: map[string]error{name: errors.New("input/output error")}}
	}
	left := func(description []byte) gatewaytest.Step {
		files := fstest.MapFS{"described": {}}
		if description != nil {
			files["description.json"] = &fstest.MapFile{Data: description}
		}
		return gatewaytest.Step{Files: files}
	}
	gated := []string{"project: app", "tests: {projects: [tests], gate: true}"}
	for _, tc := range []struct {
		name    string
		spec    []string
		target  string
		answers []gatewaytest.Answer
		step    gatewaytest.Step // in the place of answers
		want    want
	}{
		{name: "MSBuild fails", spec: []string{"project: app"},
			step: gatewaytest.Step{Err: gatewaytest.Failed(describeStep+" app", "/diagnostics")}, want: want{
				Says: "describe the project: 1 error in [describe] dotnet msbuild app\n" +
					"    MSB4025: see https://learn.microsoft.com/visualstudio/msbuild/errors/msb4025\n" +
					"app/app.csproj: error MSB4025: broken",
				At: []string{"crosshull.yaml:2"}, Solve: true,
			}},
		{name: "MSBuild cannot run", step: gatewaytest.Step{Err: errors.New("no space left on device")}, want: want{
			Says: "describe the project: no space left on device", At: []string{"crosshull.yaml:1"},
		}},
		{name: "it leaves nothing", step: left(nil), want: want{
			Says: "describe the project: failed to open description.json: no such file or directory" + gatewaytest.Bug,
		}},
		{name: "what it leaves cannot be read", step: unread("description.json"), want: want{
			Says: "describe the project: input/output error",
		}},
		{name: "it leaves no JSON", step: left([]byte("<")), want: want{
			Says: "describe the project: read MSBuild's answer: invalid character '<' looking for beginning of value" +
				gatewaytest.Bug,
		}},
		{name: "it answers others", answers: []gatewaytest.Answer{app, app}, want: want{
			Says: "describe the project: MSBuild answers 2 questions, but was asked 1" + gatewaytest.Bug,
		}},
		{name: "a folder without a project", spec: []string{"project: src"}, answers: []gatewaytest.Answer{{}}, want: want{
			Says: "crosshull.yaml:2: no .NET project in src: the context has app/app.csproj, old.slnx, tests/t.csproj",
			At:   []string{"crosshull.yaml:2"},
		}},
		{name: "no such project", spec: []string{"project: app/ap.csproj"}, want: want{
			Says: "crosshull.yaml:2: there is no app/ap.csproj in the context, or an ignore file leaves it out: did you mean " +
				"app/app.csproj?",
			At: []string{"crosshull.yaml:2"},
		}},
		{name: "no such folder", spec: []string{"project: ap"}, want: want{
			Says: "crosshull.yaml:2: there is no ap in the context, or an ignore file leaves it out: did you mean app?",
			At:   []string{"crosshull.yaml:2"},
		}},
		{name: "no such framework", spec: []string{"project: app", "framework: net9.0"}, answers: []gatewaytest.Answer{app},
			want: want{
				Says: "crosshull.yaml:3: app/app.csproj has no framework net9.0: use net10.0",
				At:   []string{"crosshull.yaml:3", "app/app.csproj:4"},
			}},
		{name: "an app in the place of a test", spec: gated,
			answers: []gatewaytest.Answer{app, gatewaytest.Refused(app)}, want: want{
				Says: "crosshull.yaml:3: no test project in tests: a test references Microsoft.NET.Test.Sdk, but there is only " +
					"app/app.csproj (an app)",
				At: []string{"crosshull.yaml:3"},
			}},
		{name: "tests that there are not", spec: []string{"tests: [tests]"}, target: "test",
			answers: []gatewaytest.Answer{{}}, want: want{
				Says: "crosshull.yaml:2: no .NET project in tests: the context has app/app.csproj, old.slnx, tests/t.csproj",
				At:   []string{"crosshull.yaml:2"},
			}},
		{name: "a solution that there is not", spec: []string{"project: all.slnx"}, want: want{
			Says: "crosshull.yaml:2: there is no all.slnx in the context, or an ignore file leaves it out: did you mean " +
				"old.slnx?", At: []string{"crosshull.yaml:2"},
		}},
		{name: "a solution of nothing that is there", spec: []string{"project: old.slnx"},
			answers: []gatewaytest.Answer{{Missing: []string{"App/App.csproj", "web/web.csproj"}}}, want: want{
				Says: "crosshull.yaml:2: no project of old.slnx is in the context: look at .dockerignore, and at upper " +
					"and lower case. It has App/App.csproj, web/web.csproj",
				At: []string{"crosshull.yaml:2"}, Solve: false,
			}},
		{name: "another app that cannot be", target: "a", spec: []string{
			"apps:", "  a: {project: a}", "  b: {project: b, publish: {mode: [aot, ready-to-run]}}",
		}, want: want{
			Says: "crosshull.yaml:4: publish.mode: aot and ready-to-run cannot be combined: keep aot, which " +
				"compiles everything already",
			At: []string{"crosshull.yaml:4"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Spec(tc.spec...)
			c.Say("old.slnx", "<Solution />")
			c.Say("src/README.md", "no project")
			c.Say("tests/t.csproj", gatewaytest.Project)
			c.Set("target", tc.target)
			if tc.step.Name = describeStep; tc.answers != nil {
				tc.step.Files = gatewaytest.Description(tc.answers...)
			}
			c.Step(tc.step)
			c.Mounts = map[string]fstest.MapFS{
				describeStep +
					" app /diagnostics": {"errors.log": {Data: []byte("/source/app/app.csproj : error MSB4025: broken\n")}},
			}
			asker := newAsker(t, c)
			ask := asker.Apps
			if tc.target == "test" {
				ask = asker.Tests
			}
			_, err := ask(t.Context())
			tc.want.Check(t, err)
		})
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := gatewaytest.Console()
	c.Step(gatewaytest.Step{Name: describeStep, Do: func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	}})
	_, err := newAsker(t, c).Apps(ctx)
	want{Says: "describe the project: context canceled", At: []string{"crosshull.yaml:1"}, Canceled: true}.Check(t, err)
}

// MSBuild says what a solution means.
func TestSolution(t *testing.T) {
	c := gatewaytest.Console()
	c.Spec("project: all.slnx")
	c.Say("all.slnx", `<Solution><Project Path="app/app.csproj" /><Project Path="tests/tests.csproj" /></Solution>`)
	f, err := newAsker(t, c).Apps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.App.Path != "app/app.csproj" {
		t.Errorf("app %s", f.App.Path)
	}
}

// A file-based app is made a project first, by the SDK. It is portable unless the spec says otherwise.
func TestFileBasedApp(t *testing.T) {
	c := gatewaytest.Console()
	c.Spec("project: tools/run.cs")
	c.Say("tools/run.cs", "Console.WriteLine();")
	c.Step(gatewaytest.Step{Name: "[describe] dotnet project convert tools/run.cs", Files: fstest.MapFS{
		"tools/run/run.csproj": {Data: []byte(gatewaytest.Project)},
	}})
	c.Describe(gatewaytest.App("tools/run/run.csproj", gatewaytest.Item{"PublishAot": "true"}))
	asker := newAsker(t, c)
	if asker.Project.Path != "tools/run/run.csproj" || asker.Tree.Files["tools/run/run.csproj"] == nil {
		t.Errorf("project %s of %q", asker.Project.Path, asker.Tree.Files)
	}
	f, err := asker.Apps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.App.Mode != dotnet.Portable {
		t.Errorf("it is published as %s", f.App.Mode)
	}
}

// clears is a nuget.config that removes all sources but its own.
const clears = "<configuration><packageSources>\n<clear /><add key='own' value='https://own' />" +
	"</packageSources></configuration>"

// cleared is what is said of such a file.
func cleared(file string) string {
	return file + `:2 removes all other sources (<clear />); write <add key="company" value="https://feed" /> after that`
}

// A feed of the spec counts for each project that is restored, or the error says what is in its way.
func TestFeeds(t *testing.T) {
	const says = "crosshull.yaml:5: NuGet would never ask feed company: "
	lib := gatewaytest.App("app/app.csproj", nil)
	lib.References = []string{"lib/lib.csproj"}
	hidden := gatewaytest.Step{Name: describeStep, Files: gatewaytest.Evaluation{
		Answers: []gatewaytest.Answer{lib}, Hidden: "/NuGet.Config",
	}.Files()}
	for _, tc := range []struct {
		name  string
		files map[string]string
		step  *gatewaytest.Step
		want  want // nothing: it counts
	}{
		{name: "no file"},
		{name: "a file beside all projects", files: map[string]string{"docs/nuget.config": clears}},
		{name: "a file of the app", files: map[string]string{"app/nuget.config": clears},
			want: want{Says: says + cleared("app/nuget.config"), At: []string{"crosshull.yaml:5", "app/nuget.config:2"}}},
		{name: "a file of a library", files: map[string]string{"lib/NuGet.Config": clears},
			want: want{Says: says + cleared("lib/NuGet.Config"), At: []string{"crosshull.yaml:5", "lib/NuGet.Config:2"}}},
		{name: "a file that another one makes good", files: map[string]string{
			"nuget.config": clears,
			"app/nuget.config": "<configuration><packageSources><add key='company' value='https://feed' /></packageSources>" +
				"</configuration>",
			"lib/nuget.config": "<configuration><packageSources><clear /><add key='company' value='https://feed' />" +
				"</packageSources></configuration>",
		}},
		{name: "a file of the image", step: &hidden, want: want{
			Says: "describe the project: crosshull.yaml:3: NuGet would not read /NuGet.Config of the SDK image, because it " +
				"reads these feeds in that place: in the image, move the file to ~/.nuget/NuGet/NuGet.Config",
			At: []string{"crosshull.yaml:3"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Spec("nuget:", "  feeds:", "    - name: company", "      source: https://feed")
			c.Say("lib/lib.csproj", gatewaytest.Project)
			for name, text := range tc.files {
				c.Say(name, text)
			}
			c.Describe(lib)
			if tc.step != nil {
				c.Step(*tc.step)
			}
			_, err := newAsker(t, c).Apps(t.Context())
			if tc.want.Says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			tc.want.Check(t, err)
		})
	}
}

func TestNewFails(t *testing.T) {
	const hub = "<configuration>\n<packageSources><add key='hub' value='https://feed' /></packageSources></configuration>"
	for _, tc := range []struct {
		name   string
		spec   []string
		change func(*gatewaytest.Client)
		want   want
	}{
		{"a feed that is never asked", []string{"nuget:", "  feeds:", "    - name: company", "      source: https://feed"},
			func(c *gatewaytest.Client) { c.Say("nuget.config", clears) }, want{
				Says: "crosshull.yaml:5: NuGet would never ask feed company: " + cleared("nuget.config"),
				At:   []string{"crosshull.yaml:5", "nuget.config:2"},
			}},
		{"a feed in other capitals", []string{"nuget: {feeds: [{", "  name: Hub,", "  password-secret: token", "}]}"},
			func(c *gatewaytest.Client) { c.Say("nuget.config", hub) }, want{
				Says: "crosshull.yaml:3: NuGet would ask feed Hub without credentials, because nuget.config:2 spells the name " +
					"hub: use that spelling",
				At: []string{"crosshull.yaml:3", "nuget.config:2"},
			}},
		{"certificates that are not there", []string{"nuget:", "  ca: eng/ca.pem"}, func(*gatewaytest.Client) {}, want{
			Says: "crosshull.yaml:3: there is no eng in the context, or an ignore file leaves it out",
			At:   []string{"crosshull.yaml:3"},
		}},
		{"no SDK for the machine", nil, func(c *gatewaytest.Client) {
			c.Worker = "linux/mips64le"
			c.Set("platform", "linux/amd64")
		}, want{
			Says: "crosshull cannot build for platform linux/mips64le: use linux/amd64, linux/arm64, linux/arm/v7",
		}},
		{"a file that is no app", []string{"project: run.cs"}, func(c *gatewaytest.Client) {
			c.Step(gatewaytest.Step{Name: "[describe] dotnet project convert", Err: gatewaytest.Failed("[describe] convert")})
		}, want{
			Says: `read the context: process "[describe] convert" did not complete successfully: exit code: 1`,
			At:   []string{"crosshull.yaml:2"}, Solve: true,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Spec(tc.spec...)
			tc.change(c)
			_, _, err := plantest.Asker(t.Context(), t, c)
			tc.want.Check(t, err)
		})
	}
}

// What is restored together is the same for each that is the target.
func TestGroup(t *testing.T) {
	app := func(project string, mode dotnet.Mode, base string) *dotnet.App {
		return &dotnet.App{Path: project, Mode: mode, Container: dotnet.Container{BaseImage: base}}
	}
	a, b, c := app("a", dotnet.Portable, "x"), app("b", dotnet.Portable, "y"), app("c", dotnet.AppHost, "x")
	d, e, unit := app("d", dotnet.AppHost, "x"), app("e", dotnet.AppHost, "y"), app("unit", dotnet.Portable, "")
	g := app("g", dotnet.Portable, "x")
	g.Switches = []string{"MSBuild.rsp"}
	f := &facts.Facts{Apps: []*dotnet.App{a, b, c, d, e, g}, Tests: []*dotnet.App{unit}}
	for _, tc := range []struct {
		app  *dotnet.App
		want string
	}{
		{a, "unit a b"},
		{b, "unit a b"},
		{unit, "unit a b"},
		{c, "c d"},
		{d, "c d"},
		{e, "e"},
		{g, "g"},
		{app("other", dotnet.Portable, "x"), "other"},
	} {
		if got := strings.Join(paths(f.Group(tc.app)), " "); got != tc.want {
			t.Errorf("%s is restored with %s, want %s", tc.app.Path, got, tc.want)
		}
	}
}
