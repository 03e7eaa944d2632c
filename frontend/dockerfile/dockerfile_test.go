package dockerfile_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/crosshull/crosshull/frontend/dockerfile"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
)

var update = flag.Bool("update", false, "write golden files")

const three = "linux/amd64,linux/arm64,linux/arm/v7"

// written is the Dockerfile for an app, and what BuildKit reads in it: the instructions of each stage.
func written(t *testing.T, c *gatewaytest.Client) (text string, read []instructions.Stage) {
	t.Helper()
	p, err := plantest.Plan(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	dt, err := dockerfile.Write([]*plan.Plan{p}, "crosshull.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ast, err := parser.Parse(bytes.NewReader(dt))
	if err != nil {
		t.Fatalf("it is no Dockerfile: %v\n%s", err, dt)
	}
	stages, _, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		t.Fatalf("it is no Dockerfile: %v\n%s", err, dt)
	}
	return string(dt), stages
}

// app is a BuildKit with an app that has properties, and a spec.
func app(properties gatewaytest.Item, spec ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", three)
	c.Spec(spec...)
	c.Images[gatewaytest.SDK+"-aot"] = gatewaytest.Multi()
	c.Describe(gatewaytest.App("app/app.csproj", properties))
	return c
}

// packages is a BuildKit with all that a spec can say of packages.
func packages() *gatewaytest.Client {
	c := app(nil,
		"nuget:",
		"  feeds: [{name: company, source: https://feed, username: me, password-secret: token}]",
		"  secrets: {FEED_USER: user}",
		"  ca: certs/ca.pem",
		"  locked-mode: true",
		"  audit: false",
		"publish: {properties: {Words: a b, Version: 1.0.0}, secrets: {KEY: key}, ssh: [default], inputs: [eng/notes.txt]}",
	)
	return c
}

// image is a BuildKit with all that a spec can say of an image.
func image() *gatewaytest.Client {
	c := app(nil,
		"image:",
		"  entrypoint: [/bin/sh, -c, \"exec dotnet /app/app.dll\"]",
		"  args: [--all]",
		"  user: \"7\"",
		"  workdir: /work",
		"  env: {A: 'a \"$b\" \\'}",
		"  ports: [8080, 53/udp]",
		"  labels: {l: x}",
		"  volumes: [/data]",
		"  stop-signal: SIGINT",
		"  healthcheck: {test: [CMD-SHELL, test -f /ok], interval: 30s, timeout: 5s, start-period: 1m, retries: 3}",
		"files:",
		"  - {to: /data}",
		"  - {to: /cache, owner: \"1:2\", mode: \"0700\"}",
		"  - {from: a.txt, to: /etc/}",
		"  - {from: b.txt, to: /etc/b, owner: app}",
		"  - {context: docs, from: site, to: /docs/}",
		"  - {context: all, to: /all/, owner: \"0\"}",
	)
	return c
}

// script is a BuildKit with a file-based app.
func script() *gatewaytest.Client {
	c := app(nil, "project: tools/run it.cs", "image: {healthcheck: {test: [NONE]}}")
	c.Say("tools/run it.cs", "Console.WriteLine();")
	c.Step(gatewaytest.Step{Name: "[describe] dotnet project convert", Files: fstest.MapFS{
		"tools/run it/run it.csproj": {Data: []byte(gatewaytest.Project)},
	}})
	c.Describe(gatewaytest.App("tools/run it/run it.csproj", nil))
	return c
}

// gated is a BuildKit with an app that waits for tests, and is one of several.
func gated() *gatewaytest.Client {
	c := app(nil, "tests: {projects: [tests/unit], gate: true, secrets: {DB: db}}",
		"apps: {web: {project: app}, other: {project: other}}")
	c.Set("target", "web")
	c.Describe(gatewaytest.App("other/other.csproj", nil), gatewaytest.App("app/app.csproj", nil),
		gatewaytest.Test("tests/unit/unit.csproj"))
	return c
}

// root is a BuildKit with a project at the root of the context, for one of several frameworks.
func root() *gatewaytest.Client {
	c := app(nil, "framework: net10.0")
	items := gatewaytest.App("app.csproj", nil)
	items[0]["TargetFrameworks"] = "net9.0;net10.0"
	c.Describe(items)
	return c
}

func TestWrite(t *testing.T) {
	for name, c := range map[string]*gatewaytest.Client{
		"portable":  app(nil),
		"apphost":   app(nil, "publish: {mode: apphost}"),
		"trimmed":   app(gatewaytest.Item{"PublishTrimmed": "true"}),
		"aot":       app(gatewaytest.Item{"PublishAot": "true"}),
		"packages":  packages(),
		"image":     image(),
		"script":    script(),
		"gated":     gated(),
		"root":      root(),
		"secrets":   app(nil, "nuget: {config-secret: config, ca-secret: ca}"),
		"arguments": app(nil, "args: {V: 1, W: x y}", "image: {labels: {v: \"${V}\", w: \"${W}\"}}"),
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := written(t, c)
			file := filepath.Join("testdata", name+".dockerfile")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got (-update writes it)\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// ran are the commands that a Dockerfile runs.
func ran(stages []instructions.Stage) []string {
	var all []string
	for _, s := range stages {
		for _, c := range s.Commands {
			if run, ok := c.(*instructions.RunCommand); ok {
				all = append(all, strings.Join(run.CmdLine, " "))
			}
		}
	}
	return all
}

// A value with a line break, or whatever else ends a word, is never an instruction of its own.
func TestValuesAreNoInstructions(t *testing.T) {
	const evil = `x\nRUN evil\nUSER evil`
	const name = "crosshull.yaml"
	items := gatewaytest.App("app/app.csproj", gatewaytest.Item{
		"ContainerUser": "u\nRUN evil", "ContainerWorkingDirectory": "/w\nRUN evil",
	})
	for _, kind := range []string{"Label", "EnvironmentVariable", "Port"} {
		items = append(items,
			gatewaytest.Item{"Item": "Container", "Kind": kind, "Identity": "k\nRUN evil", "Value": "x"},
			gatewaytest.Item{"Item": "Container", "Kind": kind, "Identity": "v", "Value": "x\nRUN evil"})
	}
	project := app(nil)
	project.Describe(items)
	flag := app(nil)
	flag.Set("label:a\nRUN evil", "x")
	flag.Set("label:b", "x\nRUN evil")
	for name, c := range map[string]*gatewaytest.Client{
		"properties":  app(nil, `publish: {properties: {A: "`+evil+`"}}`),
		"environment": app(nil, `image: {env: {A: "`+evil+`"}}`),
		"labels":      app(nil, `image: {labels: {a: "`+evil+`"}}`),
		"commands":    app(nil, `image: {entrypoint: ["`+evil+`"], args: ["`+evil+`"]}`),
		"healthcheck": app(nil, `image: {healthcheck: {test: [CMD-SHELL, "`+evil+`"]}}`),
		"a check":     app(nil, `image: {healthcheck: {test: ["`+evil+`"]}}`),
		"secrets":     app(nil, `publish: {secrets: {A: "a,target=/etc/passwd b"}, ssh: ["a b,c"]}`),
		"files":       app(nil, `files: [{from: "a b", to: "/c d/"}, {from: "$HOME", to: "/e"}]`),
		"project":     project, "flag": flag,
	} {
		t.Run(name, func(t *testing.T) {
			text, stages := written(t, c)
			for _, run := range ran(stages) {
				if strings.HasPrefix(run, "evil") || strings.Contains(run, "\nRUN") {
					t.Errorf("it runs %q:\n%s", run, text)
				}
			}
			last := stages[len(stages)-1]
			for _, c := range last.Commands {
				switch c := c.(type) {
				case *instructions.UserCommand:
					if c.User != "1654" && !strings.HasPrefix(c.User, "u") {
						t.Errorf("it runs as %q", c.User)
					}
				case *instructions.CopyCommand:
					if len(c.SourcePaths) != 1 {
						t.Errorf("it copies %q", c.SourcePaths)
					}
				}
			}
		})
	}
	p, err := plantest.Plan(t.Context(), t, app(nil))
	if err != nil {
		t.Fatal(err)
	}
	dt, err := dockerfile.Write([]*plan.Plan{p}, name+"\nRUN evil")
	if err != nil || bytes.Contains(dt, []byte("\nRUN evil")) {
		t.Errorf("the name of the spec is an instruction, %v:\n%s", err, dt)
	}
}

// A project whose path has a line break cannot be named in a RUN.
func TestRefuses(t *testing.T) {
	c := app(nil)
	c.Describe(gatewaytest.App("a\nRUN evil/app.csproj", nil))
	p, err := plantest.Plan(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = dockerfile.Write([]*plan.Plan{p}, "crosshull.yaml")
	gatewaytest.Want{Says: `"a\nRUN evil/app.csproj" has a line break in its path, which no RUN can hold`}.Check(t, err)
}

// Of several apps each has stages of its own, and the first begins the file once.
func TestSeveralApps(t *testing.T) {
	var plans []*plan.Plan
	for _, target := range []string{"a", "b"} {
		c := app(nil, "apps: {a: {project: a}, b: {project: b}}")
		c.Set("target", target)
		c.Describe(gatewaytest.App("a/a.csproj", nil), gatewaytest.App("b/b.csproj", nil))
		p, err := plantest.Plan(t.Context(), t, c)
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
	}
	dt, err := dockerfile.Write(plans, "crosshull.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ast, err := parser.Parse(bytes.NewReader(dt))
	if err != nil {
		t.Fatal(err)
	}
	stages, _, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range stages {
		names = append(names, s.Name)
	}
	if want := []string{"build-a", "a", "build-b", "b"}; !slices.Equal(names, want) {
		t.Errorf("stages %q, want %q", names, want)
	}
	if n := strings.Count(string(dt), "# syntax="); n != 1 {
		t.Error(fmt.Sprint(n, " syntax lines"))
	}
}
