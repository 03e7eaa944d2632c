package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/spec"
)

// answerOf gives what a call prints to standard output.
func answerOf(t *testing.T, dir, call string, args ...string) string {
	t.Helper()
	out, _ := apart(t, dir, append(append([]string{"--progress=none", "-f", "crosshull.yaml", "--call=" + call}, args...),
		".")...)
	return out
}

// jsonOf gives the JSON of a call.
func jsonOf(t *testing.T, dir, call string, into any, args ...string) {
	t.Helper()
	out := answerOf(t, dir, call+",format=json", args...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("--call=%s: %v\n%s", call, err, out)
	}
}

// buildx's own calls are answered from the spec, as for a Dockerfile; nothing is built.
func TestCalls(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	write(t, dir, "crosshull.yaml", `# syntax=ghcr.io/crosshull/crosshull:1
args:
  VERSION: {default: "1.0", description: of the app}
publish:
  properties: {Version: "${VERSION}"}
  ssh: [default]
nuget:
  secrets: {TOKEN: feed-token}
`)
	wantContains(t, "targets", answerOf(t, dir, "targets"), "image (default)", "publish", "sbom")
	wantContains(t, "outline", answerOf(t, dir, "outline", "--build-arg", "VERSION=2.0"), "TARGET:", "image", "VERSION",
		"2.0", "of the app", "SOURCE_DATE_EPOCH", "feed-token", "true", "SSH", "default")
	wantContains(t, "describe", answerOf(t, dir, "subrequests.describe"), "outline", "targets", "lint", "convertllb",
		"plan", "explain", "schema", "init", "dockerfile", "bake", "graph")

	var list struct{ Targets []struct{ Name string } }
	jsonOf(t, dir, "targets", &list)
	if len(list.Targets) < 3 || list.Targets[0].Name != "image" {
		t.Errorf("targets as JSON: %+v", list)
	}
	var requests []struct{ Name string }
	jsonOf(t, dir, "subrequests.describe", &requests)
	if len(requests) != 12 {
		t.Errorf("%d requests: %+v", len(requests), requests)
	}
	var schema struct{ Title string }
	jsonOf(t, dir, "schema", &schema)
	if schema.Title == "" {
		t.Error("the schema has no title")
	}

	// What needs no spec does not ask for a right one.
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nprojct: a\n")
	jsonOf(t, dir, "schema", &schema)
	wantContains(t, "init", answerOf(t, dir, "init"), "project: dotnetapp.csproj")
	out, err := tryBuild(t, dir, "-f", "crosshull.yaml", "--call=plan", ".")
	if err == nil || !strings.Contains(out, `crosshull.yaml:2: unknown key "projct"`) {
		t.Errorf("%v\n%s", err, out)
	}
}

// A plan says what a build will do, and compiles nothing; a build does what it said.
func TestPlan(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "apps"), repository(t)
	edit(t, dir, "crosshull.yaml", "apps:", "image: {labels: {team: shop}, env: {LANG: C.UTF-8}}\napps:")
	var p report.Plan
	jsonOf(t, dir, "plan", &p, "--platform", "linux/amd64,linux/arm64")
	if len(p.Apps) != 2 || p.Apps[0].Name != "clock" || p.Apps[1].Name != "greeter" {
		t.Fatalf("%+v", p.Apps)
	}
	greeter := p.Apps[1]
	if greeter.Mode != "apphost" || greeter.SDK.Version == "" || !strings.HasPrefix(greeter.SDK.Digest, "sha256:") {
		t.Errorf("%+v", greeter)
	}
	wantContains(t, "text", answerOf(t, dir, "plan", "--target", "greeter"), "APP greeter", "mode", "apphost",
		"IMAGE linux/amd64", `["/app/greeter"]`)

	var e report.Explanation
	jsonOf(t, dir, "explain", &e, "--target", "greeter", "--platform", "linux/amd64,linux/arm64")
	for _, want := range []report.Value{
		{Key: "project", Value: "src/greeter/greeter.csproj", From: "spec", At: "crosshull.yaml:10"},
		{Key: "publish.mode", Value: "apphost", From: "spec", At: "crosshull.yaml:12"},
		{Key: "image.env.LANG", Value: "C.UTF-8", From: "spec", At: "crosshull.yaml:5"},
		{Key: "image.labels.team", Value: "shop", From: "spec", At: "crosshull.yaml:5"},
		{Key: "image.user", Value: "1654", From: "base"},
		{Key: "image.entrypoint", Value: "/app/greeter", From: "SDK", At: "for the project"},
	} {
		if !slices.Contains(e.Apps[0].Values, want) {
			t.Errorf("no %+v in %+v", want, e.Apps[0].Values)
		}
	}
	graph := answerOf(t, dir, "graph", "--platform", "linux/amd64,linux/arm64")
	wantContains(t, "graph", graph, "flowchart LR", `["src/greeter/greeter.csproj"]`, `["[restore] dotnet restore`,
		`["greeter image linux/arm64"]`, `(["mcr.microsoft.com/dotnet/sdk:10.0`)

	out := build(t, dir, "-f", "crosshull.yaml", "--target", "greeter", "--platform", "linux/amd64,linux/arm64",
		"-t", repo, "--push", ".")
	wantContains(t, "log", out, "[describe] dotnet msbuild") // cached: the plan has asked
	if ran(out, `\[describe\] dotnet msbuild`) {
		t.Errorf("MSBuild was asked again:\n%s", out)
	}
	_, images := index(t, repo)
	for _, want := range greeter.Images {
		got := images[want.Platform]
		cfg := got.Config.Config
		if !slices.Equal(cfg.Entrypoint, want.Entrypoint) || cfg.User != want.User || cfg.WorkingDir != want.WorkingDir ||
			cfg.Labels["org.opencontainers.image.base.digest"] != want.Base.Manifest {
			t.Errorf("%s: planned %+v, built %+v", want.Platform, want, cfg)
		}
	}
}

// A first spec builds what it was written for.
func TestInit(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"aspnetapp", "apps", "complexapp", "privatefeed"} {
		dir := shared(t, name)
		text := answerOf(t, dir, "init")
		s, err := spec.Parse([]byte(text), nil)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		write(t, dir, "crosshull.yaml", text)
		var p report.Plan
		jsonOf(t, dir, "plan", &p)
		if len(p.Apps) != max(1, len(s.Apps)) {
			t.Errorf("%s: %+v", name, p.Apps)
		}
	}
	dir := shared(t, "aspnetapp")
	if err := os.Remove(filepath.Join(dir, "crosshull.yaml")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "Dockerfile", "FROM mcr.microsoft.com/dotnet/aspnet:10.0-alpine\nENV A=1\n")
	// It works as it is written: it names the frontend that wrote it.
	frontend := theLab.Registry() + "/crosshull/crosshull:1"
	out, _ := apart(t, dir, "--progress=none", "--build-arg", "BUILDKIT_SYNTAX="+frontend, "--call=init", ".")
	wantContains(t, "init without a spec", out, "# syntax="+frontend+"\n", "project: aspnetapp/aspnetapp.csproj",
		"- line 1: FROM mcr.microsoft.com/dotnet/aspnet:10.0-alpine -> base.family (alpine)\n",
		"- line 2: ENV A=1 -> image.env\n")
	write(t, dir, "crosshull.yaml", out)
	build(t, dir, "-f", "crosshull.yaml", ".")
}

// convertllb gives the steps that a build has, by name.
func TestConvertLLB(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	var converted struct {
		Def      map[string]json.RawMessage
		Metadata map[string]struct{ Description map[string]string }
	}
	jsonOf(t, dir, "convertllb", &converted, "--platform", "linux/arm64")
	var names []string
	for _, m := range converted.Metadata {
		names = append(names, m.Description["llb.customname"])
	}
	for _, want := range []string{"[restore] dotnet restore dotnetapp.csproj", "[publish] dotnet publish dotnetapp.csproj",
		"[image linux/arm64] merge base and app"} {
		if !slices.Contains(names, want) {
			t.Errorf("no vertex %q in %q", want, names)
		}
	}
	if len(converted.Def) < len(names)-1 {
		t.Errorf("%d vertices, %d names", len(converted.Def), len(names))
	}
}

// needDockerfileFrontend sees that there is docker/dockerfile:1, which Dockerfiles name.
func needDockerfileFrontend(t *testing.T) {
	t.Helper()
	if err := pushDockerfileFrontend(); err != nil {
		t.Fatal(err)
	}
}

var pushDockerfileFrontend = sync.OnceValue(func() error { return theLab.PushDockerfileFrontend(context.Background()) })

// The Dockerfile that a user can leave with builds the same: every file of the app, and the configuration of the image.
func TestEject(t *testing.T) {
	t.Parallel()
	needDockerfileFrontend(t)
	feedOfReader(t)
	feed := []string{"--secret", "id=feed-url,env=FEED_URL", "--secret", "id=feed-token,env=FEED_TOKEN",
		"--secret", "id=company-ca,src=" + getenv(t, "FEED_CA")}
	for _, tc := range []struct {
		example string
		args    []string
		prefix  string // of the app's targets
		// bytes: the files are the same, and not their names alone. A launcher's platform is in the app beside it, here.
		bytes bool
	}{
		{"aot", nil, "", true}, {"apps", nil, "clock", true}, {"apps", nil, "greeter", false}, {"aspnetapp", nil, "", true},
		{"complexapp", nil, "", true}, {"dotnetapp", nil, "", true}, {"filebased", nil, "", true},
		{"files", nil, "", true},
		{"privatefeed", feed, "", true},
		{"sqlite", nil, "", true}, {"tests", nil, "", true}, {"trimmed", nil, "", true}, {"worker", nil, "", true},
	} {
		t.Run(strings.TrimSuffix(tc.example+" "+tc.prefix, " "), func(t *testing.T) {
			t.Parallel()
			dir, repo := shared(t, tc.example), repository(t)
			image, publish := "image", "publish"
			if tc.prefix != "" {
				image, publish = tc.prefix, tc.prefix+"-publish"
			}
			text := answerOf(t, dir, "dockerfile", "--target", image, "--platform", "linux/amd64")
			from := "build"
			if tc.prefix != "" {
				from += "-" + tc.prefix
			}
			if strings.Contains(text, " AS publish\n") { // after the tests
				from = "publish"
			}
			dockerfile := filepath.Join(t.TempDir(), "Dockerfile") // elsewhere, as it would be an input
			write(t, filepath.Dir(dockerfile), "Dockerfile", text+"\nFROM scratch\nCOPY --link --from="+from+" /app /\n")
			plain, published := t.TempDir(), t.TempDir()
			build(t, dir,
				append(tc.args, "-f", dockerfile, "--platform", "linux/amd64", "--output", "type=local,dest="+plain, ".")...)
			build(t, dir,
				append(tc.args, "-f", "crosshull.yaml", "--target", publish, "--platform", "linux/amd64",
					"--output", "type=local,dest="+published, ".")...)
			wantSameFiles(t, tree(t, plain), tree(t, published), tc.bytes)

			build(t, dir,
				append(tc.args, "-f", dockerfile, "--platform", "linux/amd64", "--target", image, "-t", repo+"/theirs",
					"--push", ".")...)
			ours := repo + "/ours"
			if portable[tc.example] != nil { // it was pushed before all else
				ours = builtFirst(t, tc.example).repo
			} else {
				build(t, dir,
					append(tc.args, "-f", "crosshull.yaml", "--platform", "linux/amd64", "--target", image, "-t", ours, "--push",
						".")...)
			}
			_, theirs := index(t, repo+"/theirs")
			_, own := index(t, ours)
			a, b := theirs["linux/amd64"].Config.Config, own["linux/amd64"].Config.Config
			delete(b.Labels, "org.opencontainers.image.base.digest") // one for each platform, which a Dockerfile cannot say
			if !slices.Equal(a.Entrypoint, b.Entrypoint) || !slices.Equal(a.Cmd, b.Cmd) || a.User != b.User ||
				a.WorkingDir != b.WorkingDir || !maps.Equal(a.Labels, b.Labels) ||
				!maps.Equal(a.ExposedPorts, b.ExposedPorts) ||
				!slices.Equal(slices.Sorted(slices.Values(a.Env)), slices.Sorted(slices.Values(b.Env))) ||
				a.StopSignal != b.StopSignal {
				t.Errorf("the Dockerfile's image\n%+v\nis not ours\n%+v\n%s", a, b, text)
			}
			if (a.Healthcheck == nil) != (b.Healthcheck == nil) || a.Healthcheck != nil &&
				(!slices.Equal(a.Healthcheck.Test, b.Healthcheck.Test) || a.Healthcheck.Interval != b.Healthcheck.Interval) {
				t.Errorf("healthcheck %+v and %+v", a.Healthcheck, b.Healthcheck)
			}
		})
	}
}
