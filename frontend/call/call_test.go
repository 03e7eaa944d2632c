package call_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"

	"github.com/crosshull/crosshull/frontend/call"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
	"github.com/crosshull/crosshull/frontend/spec"
)

type want = gatewaytest.Want

var update = flag.Bool("update", false, "write golden files")

// golden holds what was said against a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got (-update writes it)\n%s\nwant\n%s", got, want)
	}
}

// ask gives the answer to a call, such as "plan".
func ask(ctx context.Context, t *testing.T, c *gatewaytest.Client, name string) (*client.Result, error) {
	t.Helper()
	c.Set("requestid", "frontend."+name)
	req, err := plantest.Read(ctx, t, c)
	if err != nil {
		return nil, err
	}
	return call.Answer(ctx, req)
}

const (
	describe = "[describe] dotnet msbuild"

	deps = "mcr.microsoft.com/dotnet/runtime-deps:10.0"
	aot  = gatewaytest.SDK + "-aot"
)

// shop is a BuildKit with a spec that says much, of two apps that share libraries.
func shop() *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(
		"args:",
		"  VERSION: {default: 1.0.0, description: what the app says it is}",
		"  OWNER: nobody",
		"nuget:",
		"  feeds: [{name: company, source: https://feed.example.com/index.json, password-secret: feed-token}]",
		"publish: {secrets: {KEY: key}, ssh: [default], properties: {Version: \"${VERSION}\"}}",
		"tests: {projects: [tests/unit], gate: true}",
		"image:",
		"  labels: {owner: \"${OWNER}\"}",
		"  env: {TZ: UTC}",
		"apps:",
		"  web:",
		"    project: src/web",
		"    image: {ports: [8080], healthcheck: {test: [CMD, /app/web, health], interval: 30s}, volumes: [/data]}",
		"    files: [{to: /data}, {from: certs/ca.pem, to: /etc/ssl/, mode: \"0644\", owner: app}]",
		"  worker: {project: src/worker, publish: {mode: apphost}, image: {args: [--all]}}",
	)
	c.Set("platform", "linux/amd64,linux/arm64")
	c.Set("build-arg:OWNER", "me")
	c.Say("src/web/web.csproj", "<Project>", "<ContainerLabel Include=\"team\" Value=\"shop\" />", "</Project>")
	c.Say("Directory.Build.props", "<Project>", "<ContainerUser>1000</ContainerUser>", "</Project>")
	libs := []string{"lib/a/a.csproj", "lib/b/b.csproj", "lib/c/c.csproj", "lib/d/d.csproj"}
	web := gatewaytest.App("src/web/web.csproj", gatewaytest.Item{"ContainerUser": "1000"}, libs...)
	web.Items["ContainerLabel"] = []gatewaytest.Item{{"name": "team", "value": "shop"}}
	c.Describe(web, gatewaytest.App("src/worker/worker.csproj", nil, libs...), gatewaytest.Test("tests/unit/unit.csproj"))
	return c
}

// native is a BuildKit with an app that is published with AOT, for a pinned SDK, and with a time.
func native() *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", "linux/amd64,linux/arm64")
	c.Set("build-arg:SOURCE_DATE_EPOCH", "86400")
	c.Set("label:by", "me")
	c.Say("global.json", `{"sdk": {"version": "10.0.400"}}`)
	c.Say("app/app.csproj", "<Project>", "<PublishAot>true</PublishAot>", "</Project>")
	c.Images[deps], c.Images[aot] = gatewaytest.Multi("APP_UID=1654"), gatewaytest.Multi()
	c.Describe(gatewaytest.App("app/app.csproj", gatewaytest.Item{"PublishAot": "true", "ContainerBaseImage": deps}))
	return c
}

// users is a BuildKit with a spec that adds users to a base.
func users() *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", "linux/amd64,linux/arm64")
	c.Spec("image: {user: shop, users: [{name: shop, uid: 10001}]}")
	return c
}

// commands is a BuildKit with a spec that has commands of its own.
func commands() *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", "linux/amd64,linux/arm64")
	c.Spec("publish:",
		"  before: [{run: npm ci, inputs: [web/package.json]}, {run: npm run build, secrets: {TOKEN: npm-token}}]",
		"  after: ['bundle -r \"$RID\"']",
		"  tools: [{image: 'node:22', paths: [/usr/local]}]")
	c.Say("web/package.json", "{}")
	c.Images["docker.io/library/node:22"] = gatewaytest.Multi()
	c.Step(gatewaytest.Step{Name: "[before] npm run build", Files: c.Context})
	return c
}

// osPackages is a BuildKit with a spec that installs packages on a base.
func osPackages() *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", "linux/amd64,linux/arm64")
	c.Spec("base:", "  packages:", "    install: [tzdata, curl=8.*]", "    only: {arm64: [libatomic1]}",
		"    recommends: true", "    snapshot: '2026-11-01T01:00:00Z'", "    sources: {tools: deb https://example.com/ ./}",
		"image: {users: [{name: shop, uid: 10001}]}")
	return c
}

// none is a BuildKit without a spec.
func none() *gatewaytest.Client {
	c := gatewaytest.Console()
	delete(c.Context, "crosshull.yaml")
	delete(c.Options, "filename")
	c.Set("build-arg:BUILDKIT_SYNTAX", "example.com/frontend:1")
	return c
}

// also is a BuildKit with an app, and with two tools in the same image, one of another mode.
func also() *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(
		"project: src/web",
		"publish:",
		"  also:",
		"    - {project: tools/migrator, to: /migrator}",
		"    - {project: tools/probe, mode: self-contained, to: /opt/probe/}",
	)
	c.Set("platform", "linux/amd64,linux/arm64")
	for _, name := range []string{"src/web/web.csproj", "tools/migrator/migrator.csproj", "tools/probe/probe.csproj"} {
		c.Say(name, "<Project />")
	}
	c.Describe(gatewaytest.App("src/web/web.csproj", nil, "lib/lib.csproj"),
		gatewaytest.App("tools/migrator/migrator.csproj", nil, "lib/lib.csproj"),
		gatewaytest.App("tools/probe/probe.csproj", nil))
	return c
}

// files is a BuildKit with two apps, one of which is an image of files alone.
func files() *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(
		"apps:",
		"  app: {project: app}",
		"  static:",
		"    project: none",
		"    base: {image: 'example.com/base:1'}",
		"    files: [{from: out, to: /app}]",
		"    image: {entrypoint: [/app/run], labels: {team: shop}}",
	)
	c.Set("platform", "linux/amd64,linux/arm64")
	c.Say("out/run", "x")
	c.Images["example.com/base:1"] = gatewaytest.Multi("APP_UID=7")
	return c
}

// What calls say of builds: the same plan in other words, for people and, of the plan itself, for programs.
func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		build func() *gatewaytest.Client
		calls []string
	}{
		{"console", gatewaytest.Console, []string{"plan", "explain", "graph", "bake", "dockerfile", "init", "outline"}},
		{"none", none, []string{"plan", "explain", "bake", "dockerfile", "outline", "targets"}},
		{"shop", shop, []string{"plan", "explain", "graph", "bake", "dockerfile", "outline", "targets"}},
		{"users", users, []string{"plan", "explain", "graph", "dockerfile"}},
		{"commands", commands, []string{"plan", "graph", "outline"}},
		{"packages", osPackages, []string{"plan", "explain", "graph"}},
		{"files", files, []string{"plan", "explain", "graph", "bake", "dockerfile", "outline", "targets"}},
		{"also", also, []string{"plan", "explain", "graph", "dockerfile", "outline"}},
		{"native", native, []string{"plan", "explain", "graph", "dockerfile"}},
	} {
		for _, name := range tc.calls {
			t.Run(tc.name+" "+name, func(t *testing.T) {
				res, err := ask(t.Context(), t, tc.build(), name)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, tc.name+"."+name+".txt", res.Metadata["result.txt"])
				if !json.Valid(res.Metadata["result.json"]) || len(res.Metadata["version"]) == 0 {
					t.Errorf("for programs it says %s", res.Metadata["result.json"])
				}
				if name == "plan" {
					golden(t, tc.name+".plan.json", append(res.Metadata["result.json"], '\n'))
				}
			})
		}
	}
}

// A target can be named, and its kind makes no difference: a call is about the image.
func TestTarget(t *testing.T) {
	c := shop()
	c.Set("target", "worker-publish")
	res, err := ask(t.Context(), t, c, "plan")
	if err != nil {
		t.Fatal(err)
	}
	text := string(res.Metadata["result.txt"])
	if !strings.HasPrefix(text, "APP worker") || strings.Contains(text, "APP web") {
		t.Errorf("it is about\n%s", text)
	}
}

// The outline of a target has what that target needs. A target that does not exist is an error, as in a build.
func TestOutlineOfTarget(t *testing.T) {
	for target, want := range map[string]string{
		"web": "web-key", "worker-publish": "worker-key", "": "web-key worker-key", "moon": `target "moon" does not exist`,
	} {
		c := &gatewaytest.Client{Context: fstest.MapFS{}, Options: map[string]string{}}
		c.Say("crosshull.yaml", "apps:", "  web: {project: src/web, publish: {secrets: {A: web-key}}}",
			"  worker: {project: src/worker, publish: {secrets: {A: worker-key}}}")
		c.Set("filename", "crosshull.yaml")
		c.Set("target", target)
		res, err := ask(t.Context(), t, c, "outline")
		var got string
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), ":")
		} else {
			got = strings.Join(regexp.MustCompile(`\w+-key`).FindAllString(string(res.Metadata["result.txt"]), -1), " ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}

// Bake looks for templates of HCL in JSON, too. A value that has one means itself.
func TestBakeTemplates(t *testing.T) {
	c := gatewaytest.Console()
	c.Spec("args: {A: x}")
	c.Set("build-arg:A", `${B} %{ if C } $${D} "&"`)
	res, err := ask(t.Context(), t, c, "bake")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Target map[string]struct{ Args map[string]string }
	}
	if err := json.Unmarshal(res.Metadata["result.txt"], &file); err != nil {
		t.Fatal(err)
	}
	if got := file.Target["image"].Args["A"]; got != `$${B} %%{ if C } $$${D} "&"` {
		t.Errorf("bake gets %s", got)
	}
}

// init looks at what is there, and not at what the spec says of it.
func TestInit(t *testing.T) {
	c := gatewaytest.Console()
	c.Spec("project: elsewhere", "projct: mistake")
	c.Say("all.slnx", "<Solution />")
	c.Say("nuget.config", `<packageSources><add key="company" value="https://%HOST%/v3" /></packageSources>`)
	c.Say("global.json", `{"sdk": {"version": "10.0.400"}}`)
	c.Describe(gatewaytest.Answer{Candidates: []gatewaytest.Candidate{
		{Path: "lib/lib.csproj", Kind: "library", OutputType: "Library", Frameworks: []string{"net10.0"}},
		{Path: "src/web/web.csproj", Kind: "app", OutputType: "Exe", Frameworks: []string{"net10.0"}},
		{Path: "tests/unit/unit.csproj", Kind: "test", Frameworks: []string{"net10.0"}},
		{Path: "worker.csproj", Kind: "app", Frameworks: []string{"net9.0", "net10.0"}, CrossTargeting: true},
	}})
	res, err := ask(t.Context(), t, c, "init")
	if err != nil {
		t.Fatal(err)
	}
	text := res.Metadata["result.txt"]
	golden(t, "found.init.txt", text)
	if _, err := spec.Parse(text, nil); err != nil {
		t.Errorf("it is no spec: %v", err)
	}
}

// init also reads the Dockerfiles that .dockerignore leaves out, as that of Visual Studio does.
func TestInitOfIgnoredDockerfile(t *testing.T) {
	c := gatewaytest.Console()
	c.Say(".dockerignore", "**/Dockerfile*")
	c.Say("src/Dockerfile", "FROM mcr.microsoft.com/dotnet/runtime:10.0\nEXPOSE 9999\n")
	c.Describe(gatewaytest.Answer{Candidates: []gatewaytest.Candidate{
		{Path: "src/app.csproj", Kind: "app", OutputType: "Exe", Frameworks: []string{"net10.0"}},
	}})
	res, err := ask(t.Context(), t, c, "init")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(res.Metadata["result.txt"]); !strings.Contains(text, "EXPOSE 9999") {
		t.Errorf("it does not tell of the port:\n%s", text)
	}
}

func TestDescribe(t *testing.T) {
	res, err := ask(t.Context(), t, none(), "subrequests.describe")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "describe.txt", res.Metadata["result.txt"])
	var all []subrequests.Request
	if err := json.Unmarshal(res.Metadata["result.json"], &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"frontend.plan", "frontend.schema", outline.RequestSubrequestsOutline, targets.RequestTargets, lint.RequestLint,
		convertllb.RequestConvertLLB, subrequests.RequestSubrequestsDescribe,
	} {
		if !slices.ContainsFunc(all, func(r subrequests.Request) bool { return r.Name == name }) {
			t.Errorf("%s is not listed", name)
		}
	}
}

func TestSchema(t *testing.T) {
	res, err := ask(t.Context(), t, none(), "schema")
	if err != nil {
		t.Fatal(err)
	}
	if string(res.Metadata["result.txt"]) != string(spec.Schema()) {
		t.Error("it is another schema")
	}
}

func TestCheck(t *testing.T) {
	c := gatewaytest.Console()
	c.Spec("image: {user: root}")
	res, err := ask(t.Context(), t, c, "lint")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(res.Metadata["result.txt"]); !strings.Contains(text, "RootUser") {
		t.Errorf("it found\n%s", text)
	}
}

func TestConvertLLB(t *testing.T) {
	res, err := ask(t.Context(), t, gatewaytest.Console(), "convertllb")
	if err != nil {
		t.Fatal(err)
	}
	var converted struct {
		Def      map[string]map[string]json.RawMessage
		Metadata map[string]struct{ Description map[string]string }
	}
	if err := json.Unmarshal(res.Metadata["result.json"], &converted); err != nil {
		t.Fatal(err)
	}
	var merges []string
	for dgst, op := range converted.Def {
		if _, ok := op["merge"]; ok {
			merges = append(merges, converted.Metadata[dgst].Description["llb.customname"])
		}
	}
	if !slices.Equal(merges, []string{"[image linux/amd64] merge base and app"}) {
		t.Errorf("of %d vertices these merge: %q", len(converted.Def), merges)
	}
}
