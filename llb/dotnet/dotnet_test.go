package dotnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/patternmatcher"
)

func TestRID(t *testing.T) {
	for _, tc := range []struct{ platform, want, err string }{
		{"linux/amd64", "linux-x64", ""},
		{"linux/amd64/v2", "linux-x64", ""},
		{"linux/arm64", "linux-arm64", ""},
		{"linux/arm64/v8", "linux-arm64", ""},
		{"linux/aarch64", "linux-arm64", ""},
		{"linux/arm", "linux-arm", ""},
		{"linux/arm/v7", "linux-arm", ""},
		{"linux/s390x", "linux-s390x", ""},
		{"linux/arm/v6", "", ".NET has no runtime for platform linux/arm/v6: use linux/amd64, linux/arm64, linux/arm/v7"},
		{"linux/386", "", ".NET has no runtime for platform linux/386"},
		{"windows/amd64", "", ".NET has no runtime for platform windows/amd64"},
		{"linux/arm32", "", "platform linux/arm32 does not exist: write linux/arm/v7"},
		{"linux/arm64v8", "", "platform linux/arm64v8 does not exist: write linux/arm64"},
	} {
		got, err := RID(platforms.MustParse(tc.platform), Glibc)
		var perr *PlatformError
		switch {
		case tc.err == "" && (err != nil || got != tc.want):
			t.Errorf("%s: got %q, %v, want %q", tc.platform, got, err, tc.want)
		case tc.err != "" && (!errors.As(err, &perr) || !strings.HasPrefix(err.Error(), tc.err)):
			t.Errorf("%s: got error %v, want %s", tc.platform, err, tc.err)
		}
	}
}

// description is what SDK 10.0.401 said of a web app, a library with two frameworks and a test.
func description(t *testing.T) *Description {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join("testdata", "description.json"))
	if err != nil {
		t.Fatal(err)
	}
	descs, err := ParseDescription(dt, "/source", 1)
	if err != nil {
		t.Fatal(err)
	}
	return descs[0]
}

// Each question gets its own answers, even if an answer is empty. An answer without a question is an error.
func TestParseDescriptions(t *testing.T) {
	answers := []byte(`{"Items": {"Answer": [
		{"Identity": "/source/b/b.csproj", "Item": "Candidate", "Question": "2", "IsApp": "true"},
		{"Identity": "/source/a/a.csproj", "Item": "Candidate", "Question": "0", "IsTest": "true"}]}}`)
	descs, err := ParseDescription(answers, "/source", 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(descs[0].Candidates) != 1 || descs[0].Candidates[0].Path != "a/a.csproj" || len(descs[1].Candidates) != 0 ||
		descs[2].Candidates[0].Path != "b/b.csproj" {
		t.Errorf("got %+v, %+v, %+v", descs[0], descs[1], descs[2])
	}
	if _, err := ParseDescription(answers, "/source", 2); err == nil {
		t.Error("an answer to no question is no error")
	}
}

func TestParseDescription(t *testing.T) {
	desc := description(t)
	if got := len(desc.Candidates); got != 3 {
		t.Fatalf("%d candidates, want 3", got)
	}
	app, err := desc.Choose("", "", false)
	if err != nil {
		t.Fatal(err)
	}
	label := func(key string) string {
		i := slices.IndexFunc(app.Labels, func(kv KeyValue) bool { return kv.Key == key })
		if i < 0 {
			return ""
		}
		return app.Labels[i].Value
	}
	for _, tc := range []struct{ name, got, want string }{
		{"path", app.Path, "src/web/web.csproj"},
		{"closure", strings.Join(ProjectPaths(app.Closure), " "), "src/lib/lib.csproj src/web/web.csproj"},
		{"framework", app.TargetFramework, "net10.0"},
		{"base", app.BaseImage, "mcr.microsoft.com/dotnet/aspnet:10.0"},
		{"directory", app.WorkingDirectory, "/app/"},
		{"command", strings.Join(app.Command.AppCommand, " "), "dotnet /app/web.dll"},
		{"arguments", strings.Join(app.Command.AppCommandArgs, " "), "--x --y"},
		{"ports", strings.Join(app.Ports, " "), "9090/tcp"},
		{"a label with : and ;", label("a.b"), "x:y;z"},
		{"a generated label", label("net.dot.sdk.version"), "10.0.401"},
		{"a URL in env", app.Env[0].Key + "=" + app.Env[0].Value, "U=http://+:80"},
		{"mode", app.Mode.String(), "portable"},
		{"globalization", app.InvariantGlobalization, "false"},
		{"roll forward", app.RollForward, "major"},
		{"frameworks", strings.Join(app.FrameworkReferences, " "), "Microsoft.NETCore.App Microsoft.AspNetCore.App"},
		{"floating packages", fmt.Sprint(app.Closure[0].Floating, app.Closure[1].Floating),
			"[{Serilog 4.*} {Dapper (, 3.0]}] []"},
		{"lock files", app.Closure[0].LockFile + " " + app.Closure[1].LockFile, "web.lock.json "},
		{"locked mode", fmt.Sprint(app.Closure[0].LockedMode, app.Closure[1].LockedMode), "false true"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
}

// Paths of projects arrive unchanged: a ; or a space does not end one, and no path of an answer is absolute here.
func TestParseDescriptionPaths(t *testing.T) {
	descs, err := ParseDescription([]byte(`{"Items": {"Answer": [
		{"Question": "0", "Item": "Project", "Identity": "/source/a b;c/app.csproj",
			"References": "/source/a b/it's.csproj///source/c;/d.csproj"},
		{"Question": "0", "Item": "Project", "Identity": "/source//lib//lib.csproj"}]}}`), "/source", 1)
	if err != nil {
		t.Fatal(err)
	}
	app := descs[0].App
	if got := strings.Join(ProjectPaths(app.Closure), " | "); got != "a b;c/app.csproj | lib/lib.csproj" {
		t.Errorf("closure: %s", got)
	}
	if got := strings.Join(app.Closure[0].References, " | "); got != "a b/it's.csproj | c;/d.csproj" {
		t.Errorf("references: %s", got)
	}
}

func TestParseDescriptionErrors(t *testing.T) {
	for in, want := range map[string]string{
		"": "read MSBuild's description",
		`{"Items": {"Answer": [{"Question": "0", "Item": "Candidate", "Identity": "/elsewhere/a.csproj"}]}}`: "" +
			"project /elsewhere/a.csproj is outside the build context",
		`{"Items": {"Answer": [{"Question": "0", "Item": "Container", "Kind": "Label"}]}}`: "names no project",
	} {
		if _, err := ParseDescription([]byte(in), "/source", 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
}

// A path loses doubled slashes and dots. One that leads out of the context is refused.
func TestPathsOfDescription(t *testing.T) {
	for _, tc := range []struct{ path, want string }{
		{"/source/a/a.csproj", "a/a.csproj"},
		{"/source//a.csproj", "a.csproj"},
		{"//source/a.csproj", "a.csproj"},
		{"/source/./a//b/../a.csproj", "a/a.csproj"},
		{"/source/a/../../source/a.csproj", "a.csproj"},
		{"/source/.../a.csproj", ".../a.csproj"},
		{"/source/../a.csproj", ""},
		{"/source/a/../../../a.csproj", ""},
		{"/sources/a.csproj", ""},
		{"/source", ""},
		{"/source/", ""},
		{"/source/.", ""},
		{"source/a.csproj", ""},
		{"", ""},
	} {
		for _, answer := range []string{
			`{"Item": "Candidate", "Identity": %[1]q}`,
			`{"Item": "Project", "Identity": %[1]q}`,
			`{"Item": "Project", "Identity": "/source/x/x.csproj", "References": %[1]q}`,
		} {
			if strings.Contains(answer, "References") && (tc.path == "" || strings.Contains(tc.path, "//")) {
				continue // no reference at all; // separates paths, because no FullPath contains it
			}
			answer = `{"Items": {"Answer": [` + strings.Replace(answer, "{", `{"Question": "0", `, 1) + `]}}`
			descs, err := ParseDescription(fmt.Appendf(nil, answer, tc.path), "/source", 1)
			got := ""
			switch {
			case err != nil && tc.want == "":
				if want := "project " + tc.path + " is outside the build context"; err.Error() != want {
					t.Errorf("%s: got %v, want %s", tc.path, err, want)
				}
				continue
			case err != nil:
				t.Errorf("%s: %v", tc.path, err)
				continue
			case len(descs[0].Candidates) > 0:
				got = descs[0].Candidates[0].Path
			case len(descs[0].App.Closure[0].References) > 0:
				got = descs[0].App.Closure[0].References[0]
			default:
				got = descs[0].App.Path
			}
			if got != tc.want {
				t.Errorf("%s: got %q, want %q", tc.path, got, tc.want)
			}
		}
	}
}

// What a project reaches is found by its path, however the path is written.
func TestReachOfDescription(t *testing.T) {
	const answer = `{"Question": "0", "Item": "Reach", "Owner": "/source/a//a.csproj", "Kind": %q, "Identity": %q}`
	answers := []string{`{"Question": "0", "Item": "Project", "Identity": "/source//a/a.csproj"}`}
	answers = append(answers, fmt.Sprintf(answer, reachDone, "/source/a/a.csproj"))
	for _, p := range []string{
		"/source//b/./c.txt", "/source/../etc/passwd", "//d//__crosshull_any__", "/source//e//__crosshull_any__",
	} {
		answers = append(answers, fmt.Sprintf(answer, reachItem, p))
	}
	descs, err := ParseDescription([]byte(`{"Items": {"Answer": [`+strings.Join(answers, ",")+`]}}`), "/source", 1)
	if err != nil {
		t.Fatal(err)
	}
	want := ".editorconfig .globalconfig a a/.editorconfig a/.globalconfig b/c.txt e"
	if got := strings.Join(PublishFiles(descs[0].App.Closure), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Reading any answer of MSBuild ends soon, takes little memory, and gives paths within the context.
func FuzzParseDescription(f *testing.F) {
	dt, err := os.ReadFile(filepath.Join("testdata", "description.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(dt)
	f.Add([]byte(`{"Items": {"Answer": [
		{"Question": "0", "Item": "Candidate", "Identity": "/source//x/y.csproj", "IsApp": "true"},
		{"Question": "0", "Item": "Project", "Identity": "/source//x/y.csproj", "References": "/source/../z.csproj;//"},
		{"Question": "0", "Item": "Project", "Identity": "/source//"},
		{"Question": "0", "Item": "Container", "Kind": "Properties", "ProjectAssetsFile": "//obj//x.json"}]}}`))
	f.Fuzz(readsDescription)
}

// The same holds for any paths in an answer.
func FuzzDescribedPaths(f *testing.F) {
	f.Add("/source//x/y.csproj", "/source/../z.csproj;//", "Item", "/source//x/../../..")
	f.Add("/source/x.csproj", "/source/a/b.csproj", "Import", "//source/./eng//__crosshull_any__")
	f.Fuzz(func(t *testing.T, project, references, kind, identity string) {
		item := func(kv ...string) map[string]string {
			it := map[string]string{"Question": "0"}
			for i := 0; i < len(kv); i += 2 {
				it[kv[i]] = kv[i+1]
			}
			return it
		}
		var doc struct {
			Items struct{ Answer []map[string]string }
		}
		doc.Items.Answer = []map[string]string{
			item("Item", "Candidate", "Identity", project, "IsApp", "true"),
			item("Item", "Project", "Identity", project, "References", references),
			item("Item", "Project", "Identity", "/source/lib/lib.csproj", "References", project, "Apart", "true"),
			item("Item", "Reach", "Kind", kind, "Identity", identity, "Owner", project),
			item("Item", "Reach", "Kind", "Done", "Identity", project, "Owner", project),
			item("Item", "Reach", "Kind", "Asked", "Owner", project),
			item("Item", "Reach", "Kind", "Asked", "Owner", "/source/lib/lib.csproj"),
			item("Item", "Reach", "Kind", "Done", "Identity", "/source/lib/lib.csproj", "Owner", "/source/lib/lib.csproj"),
			item("Item", "Container", "Kind", "Properties", "ProjectAssetsFile", identity),
		}
		dt, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		readsDescription(t, dt)
	})
}

// readsDescription reads an answer and everything that is made from its paths, within bounds of time and memory.
func readsDescription(t *testing.T, dt []byte) {
	if len(dt) > 64<<10 {
		t.Skip("longer than is bound")
	}
	begun, before := time.Now(), allocated()
	descs, err := ParseDescription(dt, "/source", 1)
	if err == nil && descs[0].App != nil {
		app := descs[0].App
		for _, p := range allPaths(app.Closure) {
			if path.Clean(p) != p || path.IsAbs(p) || p == "." || p == ".." || strings.HasPrefix(p, "../") {
				t.Errorf("a project is at %q", p)
			}
		}
		app.Follow(Links{"x": "y"})
		RestoreFiles(app.Closure, Settings{"Directory.Build.props", "x/nuget.config"})
		PublishFiles(app.Closure)
		Outputs(app.Closure)
		Unseen(app.Closure, app.Closure[:1])
		CompiledSources(app.Closure, app.Closure[:1])
		Slices([]*App{app})
		h := Housekeeping{found: []string{"README.md", "lib/README.md", ".github/x.md"}}
		h.AddProjects(Files{app.Path: []byte(`<Project><X Include="**/*.md" /></Project>`)})
		h.Idle(app.Closure, nil, Project{}, nil)
	}
	if took, grew := time.Since(begun), allocated()-before; took > 2*time.Second || grew > 200<<20 {
		t.Errorf("%d bytes took %v and %d bytes of memory", len(dt), took, grew)
	}
}

// allocated is how many bytes of memory were allocated in total, freed ones included.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestChoose(t *testing.T) {
	app := Candidate{Path: "a/a.csproj", IsApp: true, OutputType: "Exe", Frameworks: []string{"net10.0"}}
	other := Candidate{Path: "b/b.csproj", IsApp: true, OutputType: "Exe", Frameworks: []string{"net9.0", "net10.0"}}
	lib := Candidate{Path: "c/c.csproj", OutputType: "Library"}
	test := Candidate{Path: "t/t.csproj", OutputType: "Exe", IsTest: true}
	for _, tc := range []struct {
		name, project, framework string
		candidates               []Candidate
		want                     string // of the error
	}{
		{"one", "", "", []Candidate{app, lib, test}, ""},
		{"none", "", "", nil, "no .NET project in the context"},
		{"none there", "src", "", nil, "no .NET project in src"},
		{"no app", "", "", []Candidate{lib, test},
			"nothing to publish in the context: an app has OutputType Exe and is no test, but there is c/c.csproj (OutputType " +
				"Library), t/t.csproj (a test)"},
		{"two apps", "", "", []Candidate{app, other},
			"2 projects in the context can be published, so the spec has to name one, as in project: a/a.csproj\n  " +
				"a/a.csproj\n  b/b.csproj"},
		{"two frameworks", "b", "", []Candidate{other},
			"b/b.csproj has several frameworks, so the spec has to name one: framework: net9.0 or net10.0"},
		{"chosen framework", "b", "NET9.0", []Candidate{other}, ""},
		{"wrong framework", "", "net8.0", []Candidate{app}, "a/a.csproj has no framework net8.0: use net10.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := &App{}
			got, err := (&Description{Candidates: tc.candidates, App: want}).Choose(tc.project, tc.framework, false)
			if tc.want == "" {
				if err != nil || got != want {
					t.Errorf("got %v, %v", got, err)
				}
			} else if err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

// If there is nothing to publish, the error says what there is instead.
func TestChooseNothing(t *testing.T) {
	test := Candidate{Path: "t/t.csproj", IsTest: true}
	_, err := (&Description{Candidates: []Candidate{test}}).Choose("t", "", false)
	var nothing *NothingError
	if !errors.As(err, &nothing) || len(nothing.Candidates) != 1 || nothing.Candidates[0].Path != test.Path {
		t.Errorf("got %#v", err)
	}
}

func TestCommandResolve(t *testing.T) {
	app := []string{"dotnet", "/app/a.dll"}
	for _, tc := range []struct {
		name       string
		base       []string
		command    Command
		entrypoint string
		cmd        string
		err        string
	}{
		{"app", nil, Command{AppCommand: app}, "dotnet /app/a.dll", "", ""},
		{"app over base", []string{"/init"}, Command{AppCommand: app}, "dotnet /app/a.dll", "", ""},
		{"arguments", nil, Command{AppCommand: app, AppCommandArgs: []string{"--x"}, DefaultArgs: []string{"--y"}},
			"dotnet /app/a.dll --x", "--y", ""},
		{"own entrypoint", nil, Command{AppCommand: app, Entrypoint: []string{"/init"}, EntrypointArgs: []string{"-a"}},
			"/init -a", "dotnet /app/a.dll", ""},
		{"own entrypoint and defaults", nil,
			Command{AppCommand: app, Entrypoint: []string{"/init"}, DefaultArgs: []string{"--y"}}, "/init",
			"dotnet /app/a.dll --y", ""},
		{"entrypoint arguments alone, as in SDK 7", nil, Command{AppCommand: app, EntrypointArgs: []string{"--x"}},
			"dotnet /app/a.dll", "--x", ""},
		{"default args on the base's entrypoint", []string{"/init"}, Command{Instruction: "DefaultArgs", AppCommand: app},
			"/init", "dotnet /app/a.dll", ""},
		{"default args, base starts dotnet", []string{"/usr/bin/dotnet"},
			Command{Instruction: "DefaultArgs", AppCommand: app}, "", "dotnet /app/a.dll", ""},
		{"none", []string{"/init"}, Command{Instruction: "None", AppCommand: app, DefaultArgs: []string{"x"}}, "/init",
			"x", ""},
		{"none with own entrypoint", nil, Command{Instruction: "None", AppCommand: app, Entrypoint: []string{"/e"}}, "/e",
			"", ""},
		{"none and arguments", nil, Command{Instruction: "None", AppCommand: app, AppCommandArgs: []string{"x"}}, "", "",
			"excludes ContainerAppCommandArgs"},
		{"two entrypoints", nil, Command{Instruction: "Entrypoint", AppCommand: app, Entrypoint: []string{"/e"}}, "", "",
			"excludes ContainerAppCommandInstruction=Entrypoint"},
		{"arguments of nothing", nil, Command{Instruction: "None", EntrypointArgs: []string{"x"}}, "", "",
			"needs ContainerEntrypoint"},
		{"unknown", nil, Command{Instruction: "Run"}, "", "", "ContainerAppCommandInstruction Run is not known"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			entrypoint, cmd, err := tc.command.Resolve(tc.base)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(entrypoint, " "); got != tc.entrypoint {
				t.Errorf("entrypoint: got %q, want %q", got, tc.entrypoint)
			}
			if got := strings.Join(cmd, " "); got != tc.cmd {
				t.Errorf("cmd: got %q, want %q", got, tc.cmd)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	nodes := []Node{{Path: "src/a [1]/a.csproj"}, {Path: "lib/lib.fsproj"}}
	cases := []struct {
		file              string
		describe, restore bool
	}{
		{"src/a [1]/a.csproj", true, true},
		{"lib/lib.fsproj", true, true},
		{"other/other.vbproj", true, false},
		{"Directory.Build.props", true, true},
		{"src/Directory.Packages.props", true, true},
		{"lib/Directory.Build.targets", true, true},
		{"src/custom.targets", true, false},
		{"src/a [1]/build/custom.targets", true, true},
		{"NuGet.Config", true, true},
		{"src/nuget.config", true, true},
		{"global.json", true, true},
		{"src/a [1]/packages.lock.json", false, true},
		{".config/dotnet-tools.json", false, true},
		{"all.slnx", true, false},
		{"other/Directory.Build.props", true, false},
		{"other/nuget.config", true, false},
		{"src/a [1]/Program.cs", false, false},
		{"src/a [1]/appsettings.json", false, false},
		{"wwwroot/site.css", false, false},
		{"src/.config/dotnet-tools.json", false, true},
		{"src/a [1]/msbuild.rsp", true, true},
		{"lib/web.packages.lock.json", false, true},
		{"lib/packages.lib.lock.json", false, true},
		{"src/web.packages.lock.json", false, false},
		{"src/package.json", false, false},
	}
	var settings Settings
	for _, tc := range cases {
		settings.Add(tc.file)
	}
	for _, tc := range cases {
		for what, c := range map[string]struct {
			patterns []string
			want     bool
		}{"describe": {ProjectFiles(), tc.describe}, "restore": {RestoreFiles(nodes, settings), tc.restore}} {
			m, err := patternmatcher.New(c.patterns)
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.MatchesOrParentMatches(tc.file)
			if err != nil || got != c.want {
				t.Errorf("%s of %s: got %v, %v, want %v", what, tc.file, got, err, c.want)
			}
		}
	}
	m, err := patternmatcher.New(Outputs(nodes))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{
		"src/a [1]/obj/project.assets.json": true,
		"src/a [1]/bin/Release/a.dll":       true,
		"lib/obj/x":                         true,
		"bin/tool.sh":                       false, // a folder with that name, but not beside a project, is the user's
		"src/a [1]/objects/x":               false,
		"lib/lib.fsproj.user":               true,
	} {
		if got, err := m.MatchesOrParentMatches(file); err != nil || got != want {
			t.Errorf("output %s: got %v, %v, want %v", file, got, err, want)
		}
	}
}

// Restore and publish must see the same properties. Otherwise publish does not find what restore made.
func TestRestoreAndPublishAgree(t *testing.T) {
	p := Project{Configuration: "Release", Properties: map[string]string{"X": "1", "L": "a;b"}}
	at := Paths{Source: "/source", Output: "/app", MSBuild: "/crosshull"}
	for _, names := range [][]string{nil, {"apphost"}, {"self-contained", "single-file"}, {"ready-to-run"}, {"trimmed"},
		{"aot"}} {
		mode, err := ParseMode(names)
		if err != nil {
			t.Fatal(err)
		}
		app := &App{Path: "a.csproj", TargetFramework: "net10.0", CrossTargeting: true, Mode: mode}
		var rids []string
		var rid string
		if mode.PerPlatform() {
			rids, rid = []string{"linux-arm64", "linux-x64"}, "linux-x64"
		}
		restore, publish := RestoreArgs(p, []*App{app}, rids, at), PublishArgs(p, app, rid, "linux-x64",
			CompressInPublish, at)
		for _, a := range restore {
			if strings.HasPrefix(a, "-p:") && !strings.HasPrefix(a, "-p:RuntimeIdentifiers=") && !slices.Contains(publish, a) {
				t.Errorf("%s: restore has %s, publish has not: %v", mode, a, publish)
			}
		}
		if !slices.Contains(publish, `-p:L="a;b"`) {
			t.Errorf("a list is not quoted: %v", publish)
		}
		if !slices.Contains(publish, "-p:TargetFramework=net10.0") || slices.Contains(restore, "-p:TargetFramework=net10.0") {
			t.Errorf("the framework is publish's: %v\n%v", publish, restore)
		}
		if mode.PerPlatform() && !slices.Contains(restore, `-p:RuntimeIdentifiers="linux-arm64;linux-x64"`) {
			t.Errorf("%s: one restore is for all platforms: %v", mode, restore)
		}
	}
}

func TestLibcOf(t *testing.T) {
	for image, want := range map[string]Libc{
		"mcr.microsoft.com/dotnet/aspnet:10.0":                      Glibc,
		"mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra": Glibc,
		"mcr.microsoft.com/dotnet/runtime-deps:10.0-alpine":         Musl,
		"mcr.microsoft.com/dotnet/runtime-deps@sha256:" + sixtyFour: "",
		"alpine:3.22":                    Musl,
		"docker.io/library/debian:12":    Glibc,
		"registry.example.com/base:v1":   "",
		"registry.example.com/ubuntu:24": Glibc,
	} {
		if got := LibcOf(image); got != want {
			t.Errorf("%s: got %q, want %q", image, got, want)
		}
	}
}

var sixtyFour = strings.Repeat("0123456789abcdef", 4)

func TestToolchain(t *testing.T) {
	for _, tc := range []struct{ sdk, base, want, err string }{
		{SDKRepository + ":10.0", "mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled",
			SDKRepository + ":10.0-aot", ""},
		{SDKRepository + ":10.0.401-noble", "x/ubuntu", SDKRepository + ":10.0.401-noble-aot", ""},
		{SDKRepository + ":10.0-noble-aot", "", SDKRepository + ":10.0-noble-aot", ""},
		{SDKRepository + ":10.0", "mcr.microsoft.com/dotnet/runtime-deps:10.0-alpine",
			SDKRepository + ":10.0-alpine-aot", ""},
		{"registry.example.com/sdk:1", "", "", "name an image in sdk.toolchain"},
	} {
		got, err := Toolchain(tc.sdk, tc.base)
		if got != tc.want || (tc.err != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s for %s: got %q, %v, want %q, %q", tc.sdk, tc.base, got, err, tc.want, tc.err)
		}
	}
	for _, tc := range []struct{ toolchain, rid, err string }{
		{SDKRepository + ":10.0-aot", "linux-arm64", ""},
		{SDKRepository + ":10.0-aot", "linux-musl-x64", "would link linux-musl-x64 to glibc"},
		{SDKRepository + ":10.0-alpine-aot", "linux-musl-x64", ""},
		{SDKRepository + ":10.0-alpine-aot", "linux-musl-arm64", "there is no cross toolchain for musl"},
		{SDKRepository + ":10.0-alpine-aot", "linux-x64", "would link linux-x64 to musl"},
		{"registry.example.com/sdk:1", "linux-x64", ""},
	} {
		err := CheckToolchain(tc.toolchain, []string{tc.rid}, "linux-x64")
		if (tc.err != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s for %s: got %v, want %q", tc.toolchain, tc.rid, err, tc.err)
		}
	}
}

func TestRuntimeIDs(t *testing.T) {
	for rid, want := range map[string]string{
		"linux-x64":        "linux-x64 linux unix-x64 unix any base",
		"linux-musl-arm64": "linux-musl-arm64 linux-musl linux-arm64 linux unix-arm64 unix any base",
	} {
		if got := strings.Join(RuntimeIDs(rid), " "); got != want {
			t.Errorf("%s: got %s, want %s", rid, got, want)
		}
	}
}

func TestParseReport(t *testing.T) {
	parse := func(text string) *Report {
		t.Helper()
		r, err := ParseReport([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := parse("app\npackages\nruntimes/unix\nruntimes/linux-x64\n")
	if strings.Join(r.Layers, " ") != "app packages" || strings.Join(r.Runtimes, " ") != "linux-x64 unix" {
		t.Errorf("got %v", r)
	}
	if _, err := ParseReport([]byte("oddity\n")); err == nil {
		t.Error("no error for an unknown layer")
	}
	const assets = "asset wwwroot/a.css hashA PreserveNewest\nasset wwwroot/b c.js hashB PreserveNewest\n"
	if !parse("app\nassets\n" + assets).SameAssets(parse(assets)) {
		t.Error("the same assets differ")
	}
	for _, other := range []string{"", strings.ReplaceAll(assets, "hashB", "hashC"),
		assets + "asset wwwroot/made.css hashD PreserveNewest\n"} {
		if parse(assets).SameAssets(parse(other)) {
			t.Errorf("other assets are taken for the same: %s", other)
		}
	}
}

// MSBuild gets the paths outside of a project's folder as the author wrote them, except that wildcards are hidden from
// it.
func TestReachTargets(t *testing.T) {
	got := string(ReachTargets(Files{
		"src/a/a.csproj": []byte(`<Project Sdk="Microsoft.NET.Sdk">
  <Import Project="$(MSBuildThisFileDirectory)../../eng/a.xml" Condition="Exists('x')" />
  <PropertyGroup><Key>../../key.snk</Key><RepoRoot>$(MSBuildThisFileDirectory)../..</RepoRoot></PropertyGroup>
  <ItemGroup>
    <Compile Include="..\shared\**\*.cs" Exclude="..\shared\not\**" />
    <Compile Include="Local.cs" />
    <ProjectReference Include="../b/b.csproj" />
    <Reference Include="c"><HintPath>..\c.dll</HintPath></Reference>
  </ItemGroup>
  <Target Name="T"><Exec Command="node ../../tools/gen.js --out &quot;$(OutDir)&quot;" /></Target>
</Project>`),
		"eng/common.props": []byte(`<Project><ItemGroup><None Include="$(RepoRoot)NOTICE" />` +
			`<X Include="@(None->'$(Y)%(Identity)')" /></ItemGroup></Project>`),
		"broken.props": []byte(`<Project><`),
	}, "/source"))
	for _, want := range []string{
		`Kind="Import" Condition="'$(MSBuildProjectFullPath)' == '/source/src/a/a.csproj'" ` +
			`Include="/source/src/a/../../eng/a.xml"`,
		`Kind="File" Condition="'$(MSBuildProjectFullPath)' == '/source/src/a/a.csproj'" Include="../../key.snk"`,
		`Kind="Item" Condition="'$(MSBuildProjectFullPath)' == '/source/src/a/a.csproj'" ` +
			`Include="..\shared\__crosshull_any____crosshull_any__\__crosshull_any__.cs"`,
		`Include="..\c.dll"`, `Include="../../tools/gen.js"`, `Include="$(OutDir)"`,
		`<_CrosshullReach Kind="Item" Include="$(RepoRoot)NOTICE" />`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	for _, not := range []string{"Local.cs", "b.csproj", "not", "@(None"} {
		if strings.Contains(got, not) {
			t.Errorf("%s is asked for:\n%s", not, got)
		}
	}
}

func TestReached(t *testing.T) {
	reached := func(items ...item) Node {
		nodes := []Node{{Path: "src/a/a.csproj"}, {Path: "src/b/b.csproj"}}
		addReach(nodes, items, "/source")
		if len(nodes[1].publishReach) != 0 || nodes[1].reachKnown {
			t.Errorf("another project reaches %+v", nodes[1])
		}
		return nodes[0]
	}
	at := func(kind, p string) item {
		return item{"Kind": kind, "Identity": p, "Owner": "/source/src/a/a.csproj"}
	}
	got := reached(
		at("Done", "/source/src/a/a.csproj"),
		at("Import", "/source/eng/a.xml"),
		at("Import", "/usr/share/dotnet/sdk/x.props"),
		at("Item", "/source/src/shared/__crosshull_any____crosshull_any__/__crosshull_any__.cs"),
		at("File", "/source/key.snk"),
		at("File", "/source"),
		at("File", "/source/"),
		at("File", "/source/artifacts"),
		at("Item", "/source/protos[1]"),
	)
	if !got.reachKnown || strings.Join(got.restoreReach, " ") != "eng/a.xml" ||
		strings.Join(got.publishReach, " ") != `eng/a.xml src/shared key.snk protos\[1\]` {
		t.Errorf("got %+v", got)
	}
	if got := reached(); got.reachKnown {
		t.Error("a project that gave no answer is complete")
	}
	if got := reached(at("Done", "/source/src/a/a.csproj"),
		at("Item", "/source/__crosshull_any__.cs")); strings.Join(got.publishReach, " ") != "**" {
		t.Errorf("the context itself is reached as %v", got.publishReach)
	}
}

func TestEvaluatedNames(t *testing.T) {
	got := EvaluatedNames(Files{"a.csproj": []byte(`<Project>
<Import Project="$(RepoRoot)eng\common.xml" /><Import Project="*.props" />
<V>$([System.IO.File]::ReadAllText('$(MSBuildThisFileDirectory)../version.txt'))</V>
<R>$([MSBuild]::GetPathOfFileAbove('root.marker', '$(MSBuildThisFileDirectory)'))</R>
<D>$(X).Exists('..')</D></Project>`)})
	if strings.Join(got, " ") != "common.xml root.marker version.txt" {
		t.Errorf("got %q", got)
	}
}

func TestLocalSources(t *testing.T) {
	got := localSources(Files{"src/NuGet.Config": []byte(`<configuration><packageSources>` +
		`<add key="l" value="..\packages" /><add key="n" value="https://x/index.json" />` +
		`<add key="e" value="%HOME%/x" /></packageSources><other><add key="a" value="b" /></other></configuration>`)})
	if strings.Join(got, " ") != "packages" {
		t.Errorf("got %q", got)
	}
}

func TestSolutionProjects(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"a/x.sln",
			"Project(\"{9A19103F}\") = \"web\", \"src\\web\\web.csproj\", \"{1}\"\nEndProject\n" +
				"Project(\"{2}\") = \"docs\", \"docs\", \"{3}\"\n", "a/src/web/web.csproj"},
		{"x.slnx",
			`<Solution><Project Path="b/b.fsproj" /><Project Path="a/a.csproj" /><Project Path="b/b.fsproj" /></Solution>`,
			"a/a.csproj b/b.fsproj"},
		{"x.slnx", `<Solution><Project Path="R&amp;D/it&#39;s.csproj" /></Solution>`, "R&D/it's.csproj"},
		{"x.sln", `Project("{}") = "a", "R&amp;D\a.csproj", "{}"`, "R&amp;D/a.csproj"},
		{"f/x.slnf", `{"solution": {"path": "..\\\\x.slnx", "projects": ["a\\\\a.csproj",] /* one */}}`, "a/a.csproj"},
	} {
		got, err := SolutionProjects(tc.name, []byte(tc.in))
		if err != nil || strings.Join(got, " ") != tc.want {
			t.Errorf("%s: got %q, %v, want %s", tc.name, got, err, tc.want)
		}
	}
	if _, err := SolutionProjects("x.slnf", []byte("{")); err == nil {
		t.Error("no error for a filter that is none")
	}
}

func TestClearedBy(t *testing.T) {
	files := Files{
		"NuGet.config": []byte(`<configuration><packageSources><clear />` +
			`<add key="hub" value="x" /></packageSources></configuration>`),
		"other/nuget.config": []byte(`<configuration><packageSources><clear /></packageSources></configuration>`),
		"more/nuget.config": []byte(`<configuration><packageSources><clear />` +
			`<add value="x" key = 'Hub' /></packageSources></configuration>`),
	}
	for _, tc := range []struct{ name, project, want string }{
		{"mine", "src/app", "NuGet.config"},
		{"hub", "src/app", ""},
		{"hub", "other/app.csproj", "other/nuget.config"},
		{"HUB", "src/app", ""},
		{"hub", "more/app.csproj", ""},
		{"hu", "src/app", "NuGet.config"},
	} {
		if got := ClearedBy(files, tc.name, tc.project); got != tc.want {
			t.Errorf("%s in %s: got %q, want %q", tc.name, tc.project, got, tc.want)
		}
	}
}

// A source that differs only in case is the same source, but its credentials are not found.
func TestOtherCase(t *testing.T) {
	sources := func(keys ...string) []byte {
		text := ""
		for _, key := range keys {
			text += `<add key=` + key + ` value="https://x" />`
		}
		return []byte("<configuration><packageSources>" + text + "</packageSources></configuration>")
	}
	files := Files{
		"nuget.config": sources(`"Hub"`, `'MINE'`), "src/NuGet.Config": sources(`"hub"`),
		"other/nuget.config": sources(`"A.B"`),
	}
	for _, tc := range []struct{ name, project, want string }{
		{"Hub", "app", ""}, {"hub", "app", "Hub"}, {"hub", "src/app", ""}, {"mine", "src/app/app.csproj", "MINE"},
		{"none", "app", ""}, {"a.b", "app", ""}, {"a.b", "other", "A.B"}, {"axb", "other", ""},
	} {
		if got := OtherCase(files, tc.name, tc.project); got != tc.want {
			t.Errorf("%s in %s: got %q, want %q", tc.name, tc.project, got, tc.want)
		}
	}
}

func TestSolution(t *testing.T) {
	got := string(Solution([]string{"a & b/c.csproj", "100%/d.csproj", "e/C.csproj"}, "/source"))
	want := `<Solution>
  <Project Path="/source/a &amp; b/c.csproj" />
  <Project Path="/source/100%25/d.csproj" />
  <Folder Name="/2/">
    <Project Path="/source/e/C.csproj" />
  </Folder>
</Solution>
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Results have a name that the logger accepts unchanged.
func TestTestResults(t *testing.T) {
	for p, want := range map[string]string{
		"tests/Shop.Tests/Shop.Tests.csproj": "Shop.Tests/Shop.Tests.trx",
		"a;b=c,d %41 é.csproj":               "a_b_c_d _41 é/a_b_c_d _41 é.trx",
	} {
		if got := TestResults(&App{Path: p}); got != want {
			t.Errorf("%s: got %s, want %s", p, got, want)
		}
	}
}

// A property is looked for in the project first, and then in the folders above, the nearest first.
func TestFind(t *testing.T) {
	files := Files{
		"src/app/app.csproj":          []byte("<Project>\n<A>1</A></Project>"),
		"src/Directory.Build.props":   []byte("<Project><B>2</B></Project>"),
		"Directory.Packages.props":    []byte("<Project><B>3</B><C>3</C></Project>"),
		"other/Directory.Build.props": []byte("<Project><D>4</D></Project>"),
		"src/app/other.props":         []byte("<Project><E>5</E></Project>"),
	}
	for element, want := range map[string]string{"A": "src/app/app.csproj:10", "B": "src/Directory.Build.props:9",
		"C": "Directory.Packages.props:17", "D": "", "E": ""} {
		got := ""
		if name, offset, ok := files.Find("src/app/app.csproj", regexp.MustCompile("<"+element+">")); ok {
			got = fmt.Sprintf("%s:%d", name, offset)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", element, got, want)
		}
	}
}
