package dotnet

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// The evaluator gets the names of all that it can read: see Tree.Lay.
func TestNames(t *testing.T) {
	file := func(names ...string) []Name {
		var out []Name
		for _, name := range names {
			out = append(out, Name{Path: name})
		}
		return out
	}
	for _, tc := range []struct {
		name  string
		names []Name
		want  string // records, joined by |
	}{
		{"nothing", nil, ""},
		{"files", file("a.csproj", "b/c d.txt", "e\nf", "é"), "fa.csproj|fb/c d.txt|fe\nf|fé|"},
		{"folders", []Name{{Path: "empty", Folder: true}, {Path: "full", Folder: true}, {Path: "full/x"}},
			"dempty|dfull|ffull/x|"},
		{"links", []Name{{Path: "a", Target: "../out"}, {Path: "b", Target: "a"}}, "la|../out|lb|a|"},
		{"no UTF-8", []Name{{Path: "a\xff", Folder: true}, {Path: "a\xff/b.cs"}, {Path: "c.cs"}}, "fc.cs|"},
		{"outputs beside a project",
			file("app/app.csproj", "app/bin/Debug/x.dll", "app/bin/Release/y/z.dll", "app/obj/a/b.json", "app/binary"),
			"fapp/app.csproj|fapp/binary|"},
		{"files of the author among outputs", file("app/app.csproj", "app/bin/tool.dll", "app/bin/Debugging/x"),
			"fapp/app.csproj|fapp/bin/tool.dll|fapp/bin/Debugging/x|"},
		{"outputs at the root", file("app.fsproj", "obj/x", "src/obj/x"), "fapp.fsproj|fsrc/obj/x|"},
		{"the folder of outputs itself", []Name{{Path: "a/a.vbproj"}, {Path: "a/obj", Folder: true}}, "fa/a.vbproj|"},
		{"folders of a user", file("bin/tool.sh", "app/app.csproj", "app/sub/bin/x.cs"),
			"fbin/tool.sh|fapp/app.csproj|fapp/sub/bin/x.cs|"},
		{"folders of outputs alone", []Name{{Path: "a/a.csproj"}, {Path: "a/bin", Folder: true}, {Path: "bin", Folder: true}},
			"fa/a.csproj|dbin|"},
		{"a project in outputs", file("app/app.csproj", "app/obj/x.csproj", "app/obj/bin/y"), "fapp/app.csproj|"},
		{"files of a user", file("a.csproj", "a.csproj.user", "a.user"), "fa.csproj|fa.user|"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dt, err := Names(tc.names)
			if err != nil {
				t.Fatal(err)
			}
			r, err := gzip.NewReader(bytes.NewReader(dt))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if text := strings.ReplaceAll(string(got), "\x00", "|"); text != tc.want {
				t.Errorf("got %q, want %q", text, tc.want)
			}
			again, err := Names(tc.names)
			if err != nil || !bytes.Equal(dt, again) {
				t.Errorf("the same names are other bytes: %v", err)
			}
		})
	}
}

// requested is a request as the evaluator reads it.
type requested struct {
	Root, Names, Contents, Folder string
	Properties                    map[string]string
	RuntimeIdentifiers, Doubtful  []string
	Questions                     []requestedQuestion
	ModeProperties                []string
}

type requestedQuestion struct {
	Project, Kind, Framework string
	Properties               map[string]string
}

func request(t *testing.T, common Project, asked []Project, folder string, doubtful []string) requested {
	t.Helper()
	at := Paths{Source: "/source", MSBuild: "/crosshull", Contents: "/contents"}
	dt, err := Request(common, asked, folder, doubtful, at)
	if err != nil {
		t.Fatal(err)
	}
	var got requested
	d := json.NewDecoder(bytes.NewReader(dt))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRequest(t *testing.T) {
	common := Project{Configuration: "Debug", Properties: map[string]string{"Version": "1.0"}}
	asked := []Project{
		{}, {Path: "test", Test: true}, {Path: "src/a.csproj", Framework: "net9.0"}, {BaseImage: "debian"},
		{Family: "noble"}, {Mode: new(SelfContained)}, {Path: "src/all.slnx", BaseImage: "debian"},
		{Path: "src/all.slnx", Chosen: "src/a.csproj", BaseImage: "debian"},
	}
	got := request(t, common, asked, "src", []string{"README.md"})
	solution := map[string]string{
		"SolutionDir": "/source/src/", "SolutionExt": ".slnx", "SolutionFileName": "all.slnx", "SolutionName": "all",
		"SolutionPath": "/source/src/all.slnx", "ContainerBaseImage": "debian",
	}
	mode := map[string]string{}
	for _, kv := range SelfContained.properties() {
		mode[kv.Key] = kv.Value
	}
	none := map[string]string(nil)
	want := requested{
		Root: "/source", Names: "/crosshull/names.gz", Contents: "/contents", Folder: "src",
		Properties: map[string]string{
			"Configuration": "Debug", "Version": "1.0",
			"MSBuildUserExtensionsPath":                                "/crosshull",
			"CustomAfterMicrosoftCommonCrossTargetingTargets":          "/crosshull/crosshull.targets",
			"ImportUserLocationsByWildcardAfterMicrosoftCommonTargets": "true",
		},
		RuntimeIdentifiers: []string{
			"linux-x64", "linux-musl-x64", "linux-arm64", "linux-musl-arm64", "linux-arm", "linux-musl-arm",
		},
		ModeProperties: ModeProperties(),
		Doubtful:       []string{"README.md"},
		Questions: []requestedQuestion{
			{"", "", "", none}, {"test", "test", "", none}, {"src/a.csproj", "", "net9.0", none},
			{"", "", "", map[string]string{"ContainerBaseImage": "debian"}},
			{"", "", "", map[string]string{"ContainerFamily": "noble", "ContainerBaseImage": ""}},
			{"", "", "", mode}, {"src/all.slnx", "", "", solution}, {"src/a.csproj", "", "", solution},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// The properties of a request are those that MSBuild reads from a command.
func TestRequestProperties(t *testing.T) {
	for _, value := range hostile {
		got := request(t, Project{Properties: map[string]string{"V": value}}, nil, "", nil).Properties["V"]
		command := parameters(strings.TrimPrefix(define("V", value), "-p:"))[0]
		if unescape(got) != value || unescape(got) != unescape(strings.TrimPrefix(command, "V=")) {
			t.Errorf("%q: the request has %q, a command %q", value, got, command)
		}
		if strings.Contains(got, "@(") {
			t.Errorf("%q: %s is a list of items", value, got)
		}
	}
}

// parse gives the only answer of an evaluation.
func parse(t *testing.T, text string) *Description {
	t.Helper()
	e, err := ParseEvaluation([]byte(text), 1)
	if err != nil {
		t.Fatal(err)
	}
	return e.Descriptions[0]
}

// told are nodes of an answer, each with JSON of its own.
func told(t *testing.T, projects ...string) []Node {
	t.Helper()
	var closure []string
	for i := range projects {
		closure = append(closure, fmt.Sprint(i))
	}
	return parse(t, fmt.Sprintf(`{"projects": [%s], "answers": [{"app": {"path": "app.csproj", "closure": [%s]}}]}`,
		strings.Join(projects, ","), strings.Join(closure, ","))).App.Closure
}

// The answer of SDK 10.0.401 about a web app, a library with two frameworks and a test.
func TestParseEvaluation(t *testing.T) {
	dt, err := os.ReadFile(filepath.Join("testdata", "description.json"))
	if err != nil {
		t.Fatal(err)
	}
	desc := parse(t, string(dt))
	app, err := desc.Choose("", "", false)
	if err != nil {
		t.Fatal(err)
	}
	lib, web := app.Closure[0], app.Closure[1]
	label := func(key string) string {
		i := slices.IndexFunc(app.Labels, func(kv KeyValue) bool { return kv.Key == key })
		if i < 0 {
			return ""
		}
		return app.Labels[i].Value
	}
	var candidates []string
	for _, c := range desc.Candidates {
		candidates = append(candidates, fmt.Sprint(c.Path, " ", c.Kind, " ", c.OutputType, " ", c.Frameworks, " ",
			c.CrossTargeting, " ", c.coverage))
	}
	for _, tc := range []struct{ name, got, want string }{
		{"candidates", strings.Join(candidates, ", "), "src/lib/lib.csproj library Library [net10.0 net9.0] true false, " +
			"src/web/web.csproj app Exe [net10.0] false false, test/t.csproj test Exe [net10.0] false true"},
		{"path", app.Path, "src/web/web.csproj"},
		{"closure", strings.Join(ProjectPaths(app.Closure), " "), "src/lib/lib.csproj src/web/web.csproj"},
		{"references", fmt.Sprint(lib.References, web.References), "[] [src/lib/lib.csproj]"},
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
		{"assets file", app.AssetsFile, "src/web/obj/project.assets.json"},
		{"frameworks", strings.Join(app.FrameworkReferences, " "), "Microsoft.AspNetCore.App Microsoft.NETCore.App"},
		{"frameworks of a library", strings.Join(lib.FrameworkReferences, " "), "Microsoft.NETCore.App"},
		{"floating packages", fmt.Sprint(lib.Floating, web.Floating), "[{Serilog 4.*} {Dapper (, 3.0]}] []"},
		{"packages", fmt.Sprint(lib.Packages, web.Packages, NamesPackages(app)), "true false true"},
		{"lock files", lib.LockFile + " " + web.LockFile, "web.lock.json "},
		{"locked mode", fmt.Sprint(lib.LockedMode, web.LockedMode), "false true"},
		{"framework of one of several", lib.Framework + " " + web.Framework, "net10.0 "},
		{"what restore reads", strings.Join(RestoreFiles(app.Closure, nil), " "),
			"eng/common.props src/lib/lib.csproj src/web/web.csproj"},
		{"what publish reads", strings.Join(PublishFiles(app.Closure), " "), ".editorconfig .globalconfig NOTES.txt " +
			"eng/common.props src/.editorconfig src/.globalconfig src/lib src/lib/.editorconfig src/lib/.globalconfig " +
			"src/shared/deep/S.cs src/web src/web/.editorconfig src/web/.globalconfig"},
		{"folders that are looked for", strings.Join(Folders(app.Closure), " "), "src/shared"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
}

// Each question gets its own answer, even if that is empty.
func TestAnswers(t *testing.T) {
	const two = `{"answers": [{"candidates": [{"path": "a.csproj", "kind": "test"}]}, {"missing": ["../b.csproj"]}]}`
	e, err := ParseEvaluation([]byte(two), 2)
	if err != nil {
		t.Fatal(err)
	}
	first, second := e.Descriptions[0], e.Descriptions[1]
	if len(first.Candidates) != 1 || first.Candidates[0].Kind != "test" || first.Missing != nil || first.App != nil ||
		len(second.Candidates) != 0 || !slices.Equal(second.Missing, []string{"../b.csproj"}) {
		t.Errorf("got %+v, %+v", first, second)
	}
	const asks = `{"asks": ["VERSION"], "outputs": ["out"], "answers": []}`
	if e, err = ParseEvaluation([]byte(asks), 0); err != nil || !slices.Equal(e.Asks, []string{"VERSION"}) ||
		!slices.Equal(e.Outputs, []string{"out"}) {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestAnswersFail(t *testing.T) {
	const outside = "MSBuild's answer has a path outside of the build context: "
	const number = "MSBuild's answer is about project number "
	project := func(fields string) string {
		return `{"projects": [{"path": "a"` + fields + `}], "answers": [{}]}`
	}
	for text, want := range map[string]string{
		"": "read MSBuild's answer: unexpected end of JSON input",
		`{"answers": 1}`: "read MSBuild's answer: json: cannot unmarshal number into Go struct field answer.Answers " +
			"of type []dotnet.answerTo",
		`{"answers": []}`:       "MSBuild answers 0 questions, but was asked 1",
		`{"answers": [{}, {}]}`: "MSBuild answers 2 questions, but was asked 1",
		`{"projects": [{"path": "/a.csproj"}], "answers": [{}]}`:   outside + `"/a.csproj"`,
		`{"answers": [{"candidates": [{"path": "../a.csproj"}]}]}`: outside + `"../a.csproj"`,
		`{"answers": [{"app": {"path": "a/../.."}}]}`:              outside + `"a/../.."`,
		`{"answers": [{"app": {}}]}`:                               outside + `""`,
		project(`, "files": [{"path": "/etc/passwd"}]`):            outside + `"/etc/passwd"`,
		project(`, "folders": [{"path": "."}]`):                    outside + `"."`,
		project(`, "existing": ["b/../../c"]`):                     outside + `"b/../../c"`,
		project(`, "references": [1]`):                             number + "1, but there are 1",
		`{"answers": [{"app": {"path": "a", "closure": [-1]}}]}`:   number + "-1, but there are 0",
	} {
		if _, err := ParseEvaluation([]byte(text), 1); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// Paths arrive unchanged, but for doubled slashes and dots: their folders are walked up.
func TestPathsOfAnswers(t *testing.T) {
	for p, want := range map[string]string{
		"a b;c/app.csproj":   "a b;c/app.csproj",
		"a b/it's.csproj":    "a b/it's.csproj",
		"a//a.csproj":        "a/a.csproj",
		"./a//b/../a.csproj": "a/a.csproj",
		".../a.csproj":       ".../a.csproj",
		"..a/a.csproj":       "..a/a.csproj",
	} {
		nodes := told(t, fmt.Sprintf(`{"path": %q, "references": [0], "files": [{"path": %[1]q}],
			"folders": [{"path": %[1]q}], "existing": [%[1]q]}`, p))
		n := nodes[0]
		for _, got := range []string{n.Path, n.References[0], n.Files[0].Path, n.Folders[0].Path, n.Existing[0]} {
			if got != want {
				t.Errorf("%s: got %q, want %q", p, got, want)
			}
		}
	}
}

// Errors have their places in files of the context, as far as they are there.
func TestErrorsOfAnswers(t *testing.T) {
	problem := func(file string, line int) string {
		return fmt.Sprintf(
			`{"file": %q, "line": %d, "column": 3, "code": "MSB4019", "message": "no x", "project": "a.csproj"}`, file, line)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"of the app", `{"candidates": [{"path": "a.csproj", "kind": "app"}], "app": {"path": "a.csproj", "error": ` +
			problem("eng/x.props", 2) + `}}`, "eng/x.props(2,3): error MSB4019: no x"},
		{"of the SDK", `{"app": {"path": "a.csproj", "errors": [` + problem("/usr/share/dotnet/x.targets", 2) + `]}}`,
			"a.csproj: error MSB4019: no x"},
		{"of no file", `{"app": {"path": "a.csproj", "errors": [` + problem("", 2) + `]}}`, "a.csproj: error MSB4019: no x"},
		{"several", `{"app": {"path": "a.csproj", "errors": [` + problem("a.csproj", 2) + "," + problem("b.props", 1) + `]}}`,
			"a.csproj(2,3): error MSB4019: no x | b.props(1,3): error MSB4019: no x"},
		{"of the only project", `{"candidates": [{"path": "a.csproj", "kind": "broken", "error": ` +
			problem("a.csproj", 1) + `}]}`, "a.csproj(1,3): error MSB4019: no x"},
		{"of one project among others", `{"candidates": [{"path": "a.csproj", "kind": "broken", "error": ` +
			problem("a.csproj", 1) + `}, {"path": "b.csproj", "kind": "library"}]}`, ""},
		{"none", `{"candidates": [{"path": "a.csproj", "kind": "library"}]}`, ""},
	} {
		var mistakes []string
		for _, d := range parse(t, `{"answers": [`+tc.text+`]}`).Mistakes() {
			mistakes = append(mistakes, d.String())
		}
		if got := strings.Join(mistakes, " | "); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// All that an app is made of is read by its name, whatever the case of values is.
func TestAppOfAnswers(t *testing.T) {
	app := parse(t, `{"answers": [{
		"candidates": [{"path": "a.csproj", "kind": "test", "crossTargeting": true, "coverage": true}],
		"app": {
			"path": "a.csproj", "switches": ["src/Directory.Build.rsp"], "byRuntimeIdentifier": true,
			"properties": {
				"TargetFramework": "net10.0", "TargetFileName": "b.dll", "AssemblyName": "b", "PublishAot": "True",
				"StaticExecutable": "TRUE", "PublishRepositoryUrl": "True", "InvariantGlobalization": "True",
				"RollForward": "LatestMajor", "ProjectAssetsFile": "a/../obj//x.json", "PlatformTarget": "x64",
				"ContainerBaseImage": "base", "ContainerWorkingDirectory": "/srv/", "ContainerUser": "me",
				"ContainerAppCommandInstruction": "None"
			},
			"items": {
				"ContainerLabel": [{"name": "l", "value": "1"}], "ContainerPort": [{"name": "80"}, {"name": "53", "type": "UDP"}],
				"ContainerEnvironmentVariable": [{"name": "E"}], "ContainerEntrypoint": [{"name": "/e"}],
				"ContainerEntrypointArgs": [{"name": "e1"}, {"name": "e2"}], "ContainerAppCommand": [{"name": "c"}],
				"ContainerAppCommandArgs": [{"name": "c1"}], "ContainerDefaultArgs": [{"name": "d"}], "Other": [{"name": "x"}]
			}
		}}]}`).App
	want := &App{
		Path: "a.csproj", TargetFramework: "net10.0", CrossTargeting: true, Coverage: true, Mode: Aot.complete(),
		Switches: []string{"src/Directory.Build.rsp"}, ByRuntimeIdentifier: true,
		Output: Output{TargetFileName: "b.dll", AssemblyName: "b", AssetsFile: "obj/x.json"},
		Container: Container{
			BaseImage: "base", InferredBase: "base", Labels: []KeyValue{{"l", "1"}},
			Env: []KeyValue{{"E", ""}}, Ports: []string{"80/tcp", "53/udp"},
			WorkingDirectory: "/srv/", User: "me", PublishesVCS: true,
			Command: Command{
				Instruction: "None", AppCommand: []string{"c"}, AppCommandArgs: []string{"c1"}, Entrypoint: []string{"/e"},
				EntrypointArgs: []string{"e1", "e2"}, DefaultArgs: []string{"d"},
			},
		},
		Runtime: Runtime{
			InvariantGlobalization: "true", RollForward: "latestmajor",
			StaticExecutable: true,
		},
	}
	if !reflect.DeepEqual(app, want) {
		t.Errorf("got\n%+v\nwant\n%+v", app, want)
	}
}

// The evaluator writes all properties and items that are read here.
func TestEvaluatorWrites(t *testing.T) {
	read, err := os.ReadFile("evaluate.go")
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile("evaluator/AnswerWriter.cs")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?:roperties\["|isTrue\("|case ")([A-Z]\w+)"`).FindAllSubmatch(read, -1)
	if len(names) < 20 {
		t.Errorf("it reads %q, and no more", names)
	}
	for _, name := range names {
		if !bytes.Contains(written, fmt.Appendf(nil, "%q", name[1])) {
			t.Errorf("AnswerWriter.cs writes no %s", name[1])
		}
	}
}

// What a project reads decides which files enter a restore and a publish.
func TestReads(t *testing.T) {
	const app = `{"path": "src/app/app.csproj"`
	const all = "EVERYTHING"
	for _, tc := range []struct {
		name             string
		projects         []string
		restore, publish string // beside the projects, their folders and what is found by name
		told             string // the same as publish, where the spec tells inputs; empty: it is the same
		folders          string
	}{
		{name: "nothing", projects: []string{app + `}`}},
		{name: "a file of the evaluation",
			projects: []string{app + `, "files": [{"path": "eng/a.xml", "evaluation": true}]}`},
			restore:  "eng/a.xml", publish: "eng/a.xml"},
		{name: "a file of the build", projects: []string{app + `, "files": [{"path": "key.snk"}]}`}, publish: "key.snk"},
		{name: "a folder of the evaluation", projects: []string{app + `, "folders": [{"path": "feed", "evaluation": true}]}`},
			restore: "feed", publish: "feed"},
		{name: "a folder of the build", projects: []string{app + `, "folders": [{"path": "protos[1]"}]}`},
			publish: `protos\[1\]`},
		{name: "its own folder", projects: []string{app + `, "files": [{"path": "src/app/a.cs"}, ` +
			`{"path": "src/app/b.xml", "evaluation": true}]}`}, restore: "src/app/b.xml"},
		{name: "a folder of a like name", projects: []string{app + `, "files": [{"path": "src/app.tests/a.cs"}]}`},
			publish: "src/app.tests/a.cs"},
		{name: "a folder that has to be there", projects: []string{app + `, "existing": ["eng/data", "src/app", "src"]}`},
			folders: "eng/data"},
		{name: "twice", projects: []string{
			app + `, "files": [{"path": "a.txt"}], "existing": ["b"]}`,
			`{"path": "lib/lib.csproj", "files": [{"path": "a.txt"}], "existing": ["b", "src", "lib/x"]}`,
		}, publish: "a.txt", folders: "b lib/x"},
		{name: "what is not known", projects: []string{app + `, "unknown": "it is odd", ` +
			`"files": [{"path": "eng/a.xml", "evaluation": true}]}`},
			restore: "eng/a.xml", publish: all, told: "eng/a.xml"},
		{name: "what is not known of another", projects: []string{
			app + `, "files": [{"path": "key.snk"}]}`, `{"path": "lib/lib.csproj", "unknown": "it is odd"}`,
		}, publish: all, told: "key.snk"},
		{name: "what is not known of the evaluation", projects: []string{
			app + `, "files": [{"path": "key.snk"}]}`,
			`{"path": "lib/lib.csproj", "unknown": "it is odd", "unknownToEvaluation": true}`,
		}, restore: all, publish: all},
		{name: "a project at the root", projects: []string{`{"path": "app.csproj"}`}, publish: all},
	} {
		t.Run(tc.name, func(t *testing.T) {
			nodes := told(t, tc.projects...)
			beside := func(patterns []string) string {
				if patterns == nil {
					return all
				}
				own := allPaths(nodes)
				for _, n := range nodes {
					own = append(own, path.Dir(n.Path))
				}
				return strings.Join(slices.DeleteFunc(patterns, func(p string) bool {
					return slices.Contains(own, p) || strings.HasSuffix(p, "config")
				}), " ")
			}
			inputs := (&App{Closure: nodes}).Told()
			for _, of := range []struct{ what, got, want string }{
				{"restore reads", beside(RestoreFiles(nodes, nil)), tc.restore},
				{"publish reads", beside(PublishFiles(nodes)), tc.publish},
				{"with inputs, publish reads", beside(PublishFiles(inputs.Closure)), cmp.Or(tc.told, tc.publish)},
				{"looked for are", strings.Join(Folders(nodes), " "), tc.folders},
			} {
				if of.got != of.want {
					t.Errorf("%s %q, want %q", of.what, of.got, of.want)
				}
			}
		})
	}
}

// An app can be built once more with all of the context, if it was not built so before.
func TestEverything(t *testing.T) {
	nodes := told(t, `{"path": "a/a.csproj"}`, `{"path": "b/b.csproj", "unknown": "b is odd"}`)
	app := &App{Path: "a/a.csproj", Closure: nodes}
	wide := app.Everything("a step failed")
	if wide == nil || RestoreFiles(wide.Closure, nil) != nil || PublishFiles(wide.Closure) != nil ||
		wide.Closure[0].Unknown != "a step failed" || wide.Path != app.Path {
		t.Errorf("it reads %+v", wide)
	}
	if app.Closure[0].Unknown != "" || RestoreFiles(app.Closure, nil) == nil {
		t.Errorf("the app itself reads more now: %+v", app.Closure[0])
	}
	if again := wide.Everything("a step failed"); again != nil {
		t.Errorf("it reads more than everything: %+v", again)
	}
}

// What an app reads after its restore is more than before, or it is not. A restore needs none of it.
func TestMore(t *testing.T) {
	const app, root = `{"path": "src/app/app.csproj"`, `{"path": "app.csproj"}`
	for _, tc := range []struct {
		name          string
		before, after string
		publish       string // what it reads then, beside what is found by name; empty: nothing more than before
	}{
		{"nothing", app + `}`, app + `}`, ""},
		{"a file", app + `}`, app + `, "files": [{"path": "a.txt"}]}`, "a.txt src/app"},
		{"a file of the evaluation", app + `}`, app + `, "files": [{"path": "a.txt", "evaluation": true}]}`,
			"a.txt src/app"},
		{"a file and a known one", app + `, "files": [{"path": "b[1].txt"}]}`,
			app + `, "files": [{"path": "a.txt"}, {"path": "b[1].txt"}]}`, `a.txt b\[1\].txt src/app`},
		{"a known file", app + `, "files": [{"path": "a.txt"}]}`, app + `, "files": [{"path": "a.txt"}]}`, ""},
		{"a file of a known folder", app + `, "folders": [{"path": "eng"}]}`,
			app + `, "files": [{"path": "eng/a.txt"}]}`, ""},
		{"fewer files", app + `, "files": [{"path": "a.txt"}]}`, app + `}`, ""},
		{"a folder", app + `}`, app + `, "folders": [{"path": "eng"}]}`, "eng src/app"},
		{"a known folder", app + `, "folders": [{"path": "eng"}]}`, app + `, "folders": [{"path": "eng/sub"}]}`, ""},
		{"its own folder", app + `}`,
			app + `, "files": [{"path": "src/app/a.txt"}], "folders": [{"path": "src/app/b"}]}`, ""},
		{"a doubtful file", app + `}`, app + `, "files": [{"path": "src/app/README.md"}]}`, "src/app"},
		{"a doubtful file at the root", root, root[:len(root)-1] + `, "files": [{"path": "README.md"}]}`, "EVERYTHING"},
		{"a folder that is looked for", app + `}`, app + `, "existing": ["eng", "src", "src/app/sub"]}`, "eng src/app"},
		{"a program", app + `}`, app + `, "runsTools": true}`, "src/app"},
		{"assemblies of references", app + `, "apart": true}`, app + `}`, "src/app"},
		{"anything", app + `}`, app + `, "unknown": "it is odd"}`, "EVERYTHING"},
		{"anything, as before", app + `, "unknown": "it is odd"}`, app + `, "unknown": "it is odd"}`, ""},
		{"a file, of what reads anything", app + `, "unknown": "it is odd"}`, app + `, "files": [{"path": "a.txt"}]}`, ""},
		{"what MSBuild cannot evaluate", app + `}`, app + `, "unknown": "it is odd", "unknownToEvaluation": true}`,
			"EVERYTHING"},
		{"a project", app + `}`, app + `} | {"path": "b/b.csproj"}`, "EVERYTHING"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := &App{Closure: told(t, tc.before)}
			after := &App{Closure: told(t, strings.Split(tc.after, " | ")...)}
			more := before.More(after, []string{"README.md", "src/app/README.md"})
			if (more != nil) != (tc.publish != "") {
				t.Fatalf("it reads %+v", more)
			}
			if more == nil {
				return
			}
			got := "EVERYTHING"
			if patterns := PublishFiles(more.Closure); patterns != nil {
				got = strings.Join(slices.DeleteFunc(patterns, func(p string) bool { return strings.HasSuffix(p, "config") }), " ")
			}
			if got != tc.publish {
				t.Errorf("publish reads %q, want %q", got, tc.publish)
			}
			if r := RestoreFiles(more.Closure, nil); !slices.Equal(r, RestoreFiles(before.Closure, nil)) {
				t.Errorf("restore reads %q", r)
			}
			if again := more.More(after, []string{"README.md", "src/app/README.md"}); again != nil {
				t.Errorf("it reads still more: %+v", again)
			}
		})
	}
}

// What targets of packages make is more than before, too, also if a project reads all of the context.
func TestMade(t *testing.T) {
	for _, unknown := range []string{"", `, "unknown": "it is odd"`} {
		before := &App{Closure: told(t, `{"path": "a/a.csproj", "earlier": ["a/a.cs"]`+unknown+`}`, `{"path": "b/b.csproj"}`)}
		after := &App{Closure: told(t, `{"path": "a/a.csproj", "earlier": ["a/[b].cs"]`+unknown+`}`)}
		more := before.More(after, nil)
		if more == nil || !slices.Equal(Earlier(more.Closure), []string{`a/\[b\].cs`, "a/a.cs"}) {
			t.Fatalf("it makes %+v", more)
		}
		if again := more.More(after, nil); again != nil {
			t.Errorf("it makes still more: %+v", again)
		}
		committed := before.AsCommitted()
		if committed == nil || len(Earlier(committed.Closure)) > 0 || committed.More(after, nil) != nil {
			t.Errorf("of what is taken as it is, it makes %+v", committed)
		}
		if len(Earlier(before.Closure)) != 1 {
			t.Error("the app itself makes nothing now")
		}
	}
	if app := (&App{Closure: told(t, `{"path": "a/a.csproj"}`)}).AsCommitted(); app != nil {
		t.Errorf("it has nothing to take: %+v", app)
	}
}

// Reading any answer of MSBuild ends soon, takes little memory, and gives paths within the context.
func FuzzParseEvaluation(f *testing.F) {
	dt, err := os.ReadFile(filepath.Join("testdata", "description.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(dt)
	f.Add([]byte(`{"projects": [{"path": "x//y.csproj", "references": [0, 1]}, {"path": "a/../z", "existing": [".//q"]}],
		"answers": [{"candidates": [{"path": "x/y.csproj"}], "app": {"path": "x/y.csproj", "closure": [1, 0, 0],
		"properties": {"ProjectAssetsFile": "//obj//x.json"}}}]}`))
	f.Fuzz(readsAnswer)
}

// The same holds for any paths in an answer.
func FuzzPathsOfAnswers(f *testing.F) {
	f.Add("x//y.csproj", "a/../z.csproj", "x/../../..")
	f.Add("x.csproj", "a/b.csproj", "./eng//*")
	f.Fuzz(func(t *testing.T, first, second, read string) {
		type reads []map[string]any
		type values map[string]any
		dt, err := json.Marshal(values{
			"outputs": []string{read},
			"projects": []values{
				{"path": first, "references": []int{1}, "files": reads{{"path": read, "evaluation": true}}},
				{"path": second, "references": []int{0}, "apart": true, "folders": reads{{"path": read}},
					"existing": []string{read}},
			},
			"answers": []values{{
				"candidates": reads{{"path": first, "kind": "app"}},
				"app":        values{"path": first, "closure": []int{0, 1}, "properties": values{"ProjectAssetsFile": read}},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		readsAnswer(t, dt)
	})
}

// readsAnswer reads an answer and everything that is made from its paths, within bounds of time and memory.
func readsAnswer(t *testing.T, dt []byte) {
	if len(dt) > 64<<10 {
		t.Skip("longer than is bound")
	}
	begun, before := time.Now(), allocated()
	if e, err := ParseEvaluation(dt, 1); err == nil && !e.Same && e.Endless == "" && e.Descriptions[0].App != nil {
		app := e.Descriptions[0].App
		for _, p := range allPaths(app.Closure) {
			if path.Clean(p) != p || path.IsAbs(p) || p == "." || p == ".." || strings.HasPrefix(p, "../") {
				t.Errorf("a project is at %q", p)
			}
		}
		app.Follow(Links{"x": "y"})
		RestoreFiles(app.Closure, Settings{"Directory.Build.props", "x/nuget.config"})
		PublishFiles(app.Closure)
		Outputs(app.Closure)
		Folders(app.Closure)
		Unseen(app.Closure, app.Closure[:min(1, len(app.Closure))])
		CompiledSources(app.Closure, app.Closure[:min(1, len(app.Closure))], nil)
		Slices([]*App{app})
		h := Housekeeping{found: []string{"README.md", "lib/README.md", ".github/x.md"}}
		h.AddProjects(Files{app.Path: nil})
		h.Idle(app.Closure, nil, Project{}, nil)
	}
	if took, grew := time.Since(begun), allocated()-before; took > 2*time.Second || grew > 200<<20 {
		t.Errorf("%d bytes took %v and %d bytes of memory", len(dt), took, grew)
	}
}

// The program is compiled from all its files: all are C# but for the script that compiles them.
func TestEvaluatorFiles(t *testing.T) {
	files, err := Evaluator.Files()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range files {
		names[path.Ext(f.Name)] = true
		for i, line := range strings.Split(string(f.Data), "\n") {
			if n := len([]rune(line)); n > 120 {
				t.Errorf("%s:%d has %d columns", f.Name, i+1, n)
			}
		}
	}
	if got := slices.Sorted(maps.Keys(names)); !slices.Equal(got, []string{".cs", ".sh"}) {
		t.Errorf("there are files %q", got)
	}
}

// allocated is how many bytes of memory were allocated in total, freed ones included.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
