package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseFull(t *testing.T) {
	dt, err := os.ReadFile(filepath.Join("testdata", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(dt)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, got, want string }{
		{"project", s.Project, "src/Web/Web.csproj"},
		{"framework", s.Framework, "net10.0"},
		{"mode", strings.Join(s.Publish.Mode, " "), "self-contained trimmed"},
		{"a property that YAML takes for a boolean", s.Publish.Properties["TreatWarningsAsErrors"], "true"},
		{"a version that YAML takes for a number", s.SDK.Version, "10.0"},
		{"family", s.Base.Family, "noble-chiseled"},
		{"ports", strings.Join(s.Image.Ports, " "), "8080 9090/udp"},
		{"args", strings.Join(s.Image.Args, " "), "--urls http://+:80"},
		{"env", s.Image.Env["LANG"], "C.UTF-8"},
		{"healthcheck", strings.Join(s.Image.Healthcheck.Test, " "), "CMD dotnet /app/probe.dll"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
	for _, tc := range []struct {
		path string
		want Range
	}{
		{"project", Range{3, 3}},
		{"publish", Range{5, 10}},
		{"publish.properties.Nullable", Range{9, 9}},
		{"image.ports.1", Range{20, 20}},
		{"image.no-such-key", Range{14, 33}},
		{"no-such-key", Range{1, 1}},
	} {
		if got := s.Range(tc.path); got != tc.want {
			t.Errorf("range of %s: got %v, want %v", tc.path, got, tc.want)
		}
	}
}

// One line is a whole spec, and so is nothing at all.
func TestParseEmpty(t *testing.T) {
	for _, dt := range []string{"", "# syntax=x\n", "# syntax=x\n# a remark\n\n", "---\n", "project:\nimage:\n", "null"} {
		s, err := Parse([]byte(dt))
		if err != nil {
			t.Errorf("%q: %v", dt, err)
			continue
		}
		if s.Project != "" || s.Image.Env != nil {
			t.Errorf("%q: got %+v, want all defaults", dt, s)
		}
	}
}

func TestParseMistakes(t *testing.T) {
	for _, tc := range []struct {
		name, in, want string
	}{
		{"unknown key", "projct: a.csproj", `line 1: unknown key "projct", did you mean "project"?`},
		{"unknown key below", "image:\n  enviroment: {}", `line 2: unknown key "image.enviroment": known are entrypoint, args,`},
		{"case counts", "Project: a.csproj", `line 1: unknown key "Project", did you mean "project"?`},
		{"twice", "project: a\nproject: b", "line 2: "},
		{"no map", "- project", "line 1: the spec must be a map of keys to values, not a list"},
		{"text", "hello", `line 1: the spec must be a map of keys to values, not "hello"`},
		{"list for a value", "project: [a, b]", `line 1: "project" must be a single value, not a list`},
		{"value for a list", "image:\n  entrypoint: ./app", `line 2: "image.entrypoint" must be a list, not "./app": write [./app]`},
		{"list for a map", "image:\n  env: [A=1]", `line 2: "image.env" must be a map of names to values, not a list`},
		{"no YAML", "project: [", "line 1: not valid YAML: "},
		{"tab", "image:\n\tenv: {}", "line 2: not valid YAML: "},
		{"mode", "publish:\n  mode: {aot: true}", `line 2: "publish.mode" must be a list, not a map`},
		{"outside", "project: ../other/a.csproj", `line 1: project "../other/a.csproj" is outside the build context`},
		{"backslash", `project: src\a.csproj`, `line 1: project "src\\a.csproj": write / between folders`},
		{"owned property", "publish:\n  properties:\n    RuntimeIdentifier: linux-x64", "line 3: property RuntimeIdentifier is set by crosshull: use buildx's --platform"},
		{"bad property", "publish: {properties: {'a b': c}}", `line 1: "a b" is not a name of an MSBuild property`},
		{"sdk twice", "sdk: {image: a, version: b}", "line 1: sdk.image and sdk.version exclude each other"},
		{"base twice", "base:\n  image: a\n  family: b", "line 1: base.image and base.family exclude each other"},
		{"env name", "image: {env: {1A: x}}", `line 1: "1A" is not a name of an environment variable`},
		{"port", "image:\n  ports:\n    - http", `line 3: port "http": write a number`},
		{"workdir", "image: {workdir: app}", `line 1: image.workdir "app" must be an absolute path`},
		{"healthcheck", "image:\n  healthcheck: {interval: 30}", "line 2: image.healthcheck needs a test"},
		{"duration", "image:\n  healthcheck:\n    test: [NONE]\n    interval: 30", `line 4: image.healthcheck.interval "30" is not a duration`},
		{"retries", "image:\n  healthcheck:\n    test: [NONE]\n    retries: often", `line 4: "image.healthcheck.retries" must be a whole number, not "often"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse([]byte(tc.in))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got  %s\nwant %s…", err, tc.want)
			}
		})
	}
}

// Every mistake is reported in one go, in the order of the file.
func TestParseAllMistakes(t *testing.T) {
	_, err := Parse([]byte("projct: a\nimage:\n  workdir: app\n  ports: [http]\n  user: [1]\n"))
	errs := AsErrors(err)
	var lines []int
	for _, e := range errs {
		lines = append(lines, e.Range.Start)
	}
	if len(lines) != 4 || lines[0] != 1 || lines[1] != 3 || lines[2] != 4 || lines[3] != 5 {
		t.Errorf("mistakes on lines %v, want 1 3 4 5:\n%v", lines, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("project: a\nimage: {env: {A: 1}, ports: [1]}"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("<<: {project: a}"))
	f.Fuzz(func(t *testing.T, dt []byte) {
		s, err := Parse(dt)
		if (s == nil) == (err == nil) {
			t.Fatalf("got %v, %v", s, err)
		}
		if err != nil && len(AsErrors(err)) == 0 {
			t.Fatalf("not an Errors: %v", err)
		}
	})
}
