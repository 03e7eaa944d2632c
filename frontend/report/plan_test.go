package report

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crosshull/crosshull/llb/dotnet"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got (-update writes it)\n%s\nwant\n%s", &got, want)
	}
}

func TestPlan(t *testing.T) {
	target := func(platform, rid string) Target {
		return Target{
			Platform: platform, RID: rid,
			Base:       Image{Reference: "mcr.microsoft.com/dotnet/aspnet:10.0", Digest: "sha256:feed", Platform: platform},
			Entrypoint: []string{"dotnet", "/app/web.dll"}, User: "1654", WorkingDir: "/app", Ports: []string{"8080/tcp"},
			Layers: []Layer{{Name: "packages", Shared: true}, {Name: "launcher"}, {Name: "app", Shared: true}},
		}
	}
	p := &Plan{
		Apps: []App{{
			Project: "src/web/web.csproj", Framework: "net10.0", Mode: "portable", Configuration: "Release",
			SDK: Image{Reference: "mcr.microsoft.com/dotnet/sdk:10.0", Digest: "sha256:5dc", Platform: "linux/amd64",
				Version: "10.0.401"},
			Toolchain: &Image{Reference: "example.com/toolchain:1", Platform: "linux/amd64"},
			Projects:  []string{"src/lib/lib.csproj", "src/web/web.csproj"}, Slices: [][]string{{"src/lib/lib.csproj"}},
			Images: []Target{target("linux/amd64", "linux-x64"), target("linux/arm64", "linux-arm64")},
		}, {Name: "worker", Project: "src/worker", Framework: "net10.0", Mode: "aot", Configuration: "Release",
			SDK: Image{Reference: "sdk", Platform: "linux/amd64"}, Projects: []string{"src/worker"}}},
		Tests: []string{"tests/unit"}, Gated: true,
		Arguments: []Argument{{Name: "VERSION", Value: "1.0", Description: "of the app", Given: true}, {Name: "EMPTY"}},
		Secrets: []Secret{{ID: "token", Phases: []string{"describe", "restore"}, Key: "nuget.feeds.0.password-secret"},
			{ID: "default", SSH: true, Phases: []string{"publish"}, Key: "publish.ssh.0"}},
	}
	golden(t, "plan.txt", p.WriteText)
}

func TestBuild(t *testing.T) {
	layers := func(own ...Layer) []Layer {
		return append([]Layer{{Name: "packages", Shared: true, Bytes: 712_400}, {Name: "app", Shared: true, Bytes: 812}},
			own...)
	}
	base := Image{Reference: "mcr.microsoft.com/dotnet/aspnet:10.0", Digest: "sha256:0123456789abcdef0123"}
	r := &Build{
		Apps: []App{{Project: "src/web/web.csproj", Framework: "net10.0", Mode: "apphost", SDK: Image{Reference: "sdk"},
			Images: []Target{
				{Platform: "linux/amd64", Base: base,
					Layers: layers(Layer{Name: "runtimes", Bytes: 3_456_789}, Layer{Name: "launcher"})},
				{Platform: "linux/arm64", Base: base, Layers: layers(Layer{Name: "launcher"})},
			}}},
		Steps: []Ran{
			{Name: "describe", Cached: true}, {Name: "restore", Ended: 2450 * time.Millisecond},
			{Name: "compile a.csproj"}, {Name: "publish", Ended: 83 * time.Second},
		},
		Tests: []Tests{{Project: "tests/unit", Total: 5, Passed: 4, Skipped: 1}},
	}
	golden(t, "report.txt", r.WriteText)
	one := &Build{Apps: []App{{Project: "a.csproj",
		Images: []Target{{Platform: "linux/amd64", Base: base, Layers: layers()}}}},
		Steps: []Ran{{Name: "publish", Cached: true}}}
	golden(t, "report-one.txt", one.WriteText)
}

func TestExplanation(t *testing.T) {
	amd64 := []Value{{Key: "image.user", Value: "1654", From: "base"}, {Key: "image.env.LANG", Value: "C", From: "base"},
		{Key: "image.workdir", Value: "/app", From: "SDK", At: "for the project"}}
	arm64 := []Value{{Key: "image.user", Value: "1654", From: "base"}, {Key: "image.env.LANG", Value: "de", From: "base"},
		{Key: "image.workdir", Value: "/app", From: "SDK", At: "for the project"},
		{Key: "image.env.ARM", Value: "1", From: "base"}}
	e := &Explanation{Apps: []Explained{
		{Values: append([]Value{{Key: "project", Value: "a b.csproj", From: "spec", At: "crosshull.yaml:2"}},
			Merge([]string{"linux/amd64", "linux/arm64"}, [][]Value{amd64, arm64})...)},
		{Name: "worker", Values: []Value{{Key: "project", From: "crosshull"}}},
	}}
	golden(t, "explain.txt", e.WriteText)
}

func TestGraph(t *testing.T) {
	g := &Graph{}
	g.Project("src/web/web.csproj", []string{"src/lib/lib.csproj"})
	g.Project("src/lib/lib.csproj", nil)
	g.Project("src/lib/lib.csproj", nil)
	g.Step(`[restore] dotnet restore "a"`, []string{"mcr.microsoft.com/dotnet/sdk:10.0"})
	g.Step("[publish] dotnet publish a", []string{`[restore] dotnet restore "a"`, "mcr.microsoft.com/dotnet/sdk:10.0"})
	g.Step("image linux/amd64", []string{"[publish] dotnet publish a", "mcr.microsoft.com/dotnet/aspnet:10.0"})
	golden(t, "graph.txt", g.WriteText)
}

// A value is one line of what is printed, and gives a terminal no orders.
func TestHostileValues(t *testing.T) {
	const value, want = "a\x1b]0;b\a\rc\nd\u2028e\xff", `a\x1b]0;b\a\rc\nd\u2028e\xff`
	p := &Plan{Arguments: []Argument{{Name: "A", Value: value, Description: value}}}
	app := &Plan{Apps: []App{{Project: "a", Reads: []Read{{Project: "a", Path: value, Why: value}}}}}
	e := &Explanation{Apps: []Explained{{Values: []Value{{Key: "image.labels.a", Value: value, From: "spec"}}}}}
	names := &Explanation{Apps: []Explained{{Values: []Value{{Key: value, Value: "1", From: "project", At: value}}}}}
	g := &Graph{}
	g.Project("`"+value+"` #quot;", nil)
	for name, tc := range map[string]struct {
		write func(io.Writer) error
		want  string
		lines int
	}{
		"plan":        {p.WriteText, `"` + want + `"  ` + want + "\n", 3},
		"app":         {app.WriteText, "    a        reads " + want + ": " + want + "\n", 7},
		"names":       {names.WriteText, want + "  1      project, " + want + "\n", 2},
		"explanation": {e.WriteText, `"` + want + `"  spec` + "\n", 2},
		"graph":       {g.WriteText, "p0[\"#96;" + want + "#96; #35;quot;\"]\n", 6},
	} {
		var got bytes.Buffer
		if err := tc.write(&got); err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(got.Bytes(), []byte("\n")); !strings.Contains(got.String(), tc.want) || lines != tc.lines {
			t.Errorf("the %s has %d lines, want %d:\n%s", name, lines, tc.lines, &got)
		}
	}
}

// The summary says of every layer what it has.
func TestLayersAreExplained(t *testing.T) {
	for _, name := range append(slices.Clone(dotnet.Layers), "files") {
		if holds[name] == "" {
			t.Errorf("layer %s is not explained", name)
		}
	}
}
