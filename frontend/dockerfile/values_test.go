package dockerfile_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/crosshull/crosshull/frontend/dockerfile"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
)

// app is a BuildKit with a spec and an app that has properties.
func app(properties gatewaytest.Item, spec ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", everywhere)
	c.Spec(spec...)
	c.Describe(gatewaytest.App("app/app.csproj", properties))
	return c
}

// written is the Dockerfile for the apps of BuildKits, and the instructions of each stage as BuildKit reads them.
func written(t *testing.T, clients ...*gatewaytest.Client) (text string, read []instructions.Stage) {
	t.Helper()
	var plans []*plan.Plan
	for _, c := range clients {
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
		t.Fatalf("it is no Dockerfile: %v\n%s", err, dt)
	}
	stages, _, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		t.Fatalf("it is no Dockerfile: %v\n%s", err, dt)
	}
	return string(dt), stages
}

// noVariables is an environment without variables.
type noVariables struct{}

func (noVariables) Get(string) (string, bool) { return "", false }
func (noVariables) Keys() []string            { return nil }

// meant is how BuildKit understands a word.
func meant(t *testing.T, word string) string {
	t.Helper()
	value, _, err := shell.NewLex('\\').ProcessWord(word, noVariables{})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// odd are values with a meaning for readers of a Dockerfile.
var odd = []string{
	"a b", `a "b" 'c'`, `$HOME ${HOME}`, `back\slash\`, "#c", "a=b", "[x]", "<<EOF", "ümläut", " ends ", "a,b", "`x`",
	"x; RUN y",
}

// Every value means the same to BuildKit as in the spec.
func TestValuesArrive(t *testing.T) {
	lines := []string{"image:", "  env:"}
	for i, v := range odd {
		lines = append(lines, "    E"+string(rune('A'+i))+": "+yaml(v))
	}
	lines = append(lines, "  labels:")
	for i, v := range odd {
		lines = append(lines, "    l"+string(rune('A'+i))+": "+yaml(v))
	}
	lines = append(lines, "  volumes:")
	for _, v := range odd {
		lines = append(lines, "    - "+yaml("/"+v))
	}
	lines = append(lines, "files:")
	for _, v := range odd {
		lines = append(lines, "  - {from: notes.txt, to: "+yaml("/to/"+v)+"}")
	}
	text, stages := written(t, app(nil, lines...))
	env, labels := map[string]string{}, map[string]string{}
	var volumes, copied []string
	for _, command := range stages[len(stages)-1].Commands {
		switch command := command.(type) {
		case *instructions.EnvCommand:
			for _, kv := range command.Env {
				env[meant(t, kv.Key)] = meant(t, kv.Value)
			}
		case *instructions.LabelCommand:
			for _, kv := range command.Labels {
				labels[meant(t, kv.Key)] = meant(t, kv.Value)
			}
		case *instructions.VolumeCommand:
			for _, v := range command.Volumes {
				volumes = append(volumes, meant(t, v))
			}
		case *instructions.CopyCommand:
			if to, ok := strings.CutPrefix(meant(t, command.DestPath), "/to/"); ok {
				copied = append(copied, to)
			}
		}
	}
	for i, v := range odd {
		key := string(rune('A' + i))
		if env["E"+key] != v || labels["l"+key] != v {
			t.Errorf("%q became the variable %q and the label %q", v, env["E"+key], labels["l"+key])
		}
		if !slices.Contains(volumes, "/"+v) {
			t.Errorf("%q is no volume of %q", v, volumes)
		}
		if !slices.Contains(copied, v) {
			t.Errorf("nothing is copied to %q", v)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// yaml is a value in single quotes. In it, ${ does not begin a build argument.
func yaml(s string) string { return "'" + strings.NewReplacer("'", "''", "${", "$${").Replace(s) + "'" }

// kinds counts the instructions of the last stage.
func kinds(stages []instructions.Stage) map[string]int {
	count := map[string]int{}
	for _, c := range stages[len(stages)-1].Commands {
		count[c.Name()]++
	}
	return count
}

// A value with a line break adds no instruction. A value that a line cannot hold is left out, with a comment.
func TestValuesAreNoInstructions(t *testing.T) {
	const evil = `x\nRUN evil\nUSER evil`
	usual := map[string]int{"WORKDIR": 1, "COPY": 1, "USER": 1, "ENTRYPOINT": 1}
	answer := gatewaytest.App("app/app.csproj", gatewaytest.Item{
		"ContainerUser": "u\nRUN evil", "ContainerWorkingDirectory": "/w\nRUN evil",
	})
	for _, kind := range []string{"ContainerLabel", "ContainerEnvironmentVariable", "ContainerPort"} {
		answer.Items[kind] = []gatewaytest.Item{
			{"name": "k\nRUN evil", "value": "x"}, {"name": "v", "value": "x\nRUN evil"},
		}
	}
	ofProject, ofFlag, ofFolder := app(nil), app(nil), app(nil)
	ofProject.Describe(answer)
	ofFlag.Set("label:a\nRUN evil", "x")
	ofFlag.Set("label:b", "x\nRUN evil")
	ofFolder.Describe(gatewaytest.App("a\nRUN evil/app.csproj", nil, "lib\r/lib.csproj"))
	for _, tc := range []struct {
		name string
		c    *gatewaytest.Client
		more string // instructions beside the usual ones
		left bool   // something is left out
	}{
		{"properties", app(nil, `publish: {properties: {A: "`+evil+`"}}`), "", false},
		{"environment", app(nil, `image: {env: {A: "`+evil+`"}}`), "", true},
		{"labels", app(nil, `image: {labels: {a: "`+evil+`"}}`), "", true},
		{"commands", app(nil, `image: {entrypoint: ["`+evil+`"], args: ["`+evil+`"]}`), "CMD", false},
		{"health of a shell", app(nil, `image: {healthcheck: {test: [CMD-SHELL, "`+evil+`"]}}`), "HEALTHCHECK", false},
		{"health", app(nil, `image: {healthcheck: {test: ["`+evil+`"]}}`), "HEALTHCHECK", false},
		{"secrets", app(nil, `publish: {secrets: {A: "a,target=/etc/passwd b"}, ssh: ["a b,c"]}`), "", false},
		{"secrets that no flag holds", app(nil, `publish: {secrets: {A: "ä"}, ssh: ["ö"]}`), "", true},
		{"the project", ofProject, "", true},
		{"--label", ofFlag, "", true},
		{"a folder", ofFolder, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, stages := written(t, tc.c)
			want := maps.Clone(usual)
			if tc.more != "" {
				want[tc.more]++
			}
			if tc.name == "the project" {
				delete(want, "USER")
				delete(want, "WORKDIR")
				delete(want, "COPY")
			}
			if got := kinds(stages); !maps.Equal(got, want) {
				t.Errorf("instructions %v, want %v", got, want)
			}
			for _, s := range stages[:len(stages)-1] {
				for _, c := range s.Commands {
					if run, ok := c.(*instructions.RunCommand); ok && !strings.Contains(strings.Join(run.CmdLine, " "), "dotnet ") {
						t.Errorf("it runs %q", run.CmdLine)
					}
				}
			}
			if left := strings.Contains(text, "# Left out: "); left != tc.left {
				t.Errorf("something is left out: %v", left)
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
	p, err := plantest.Plan(t.Context(), t, app(nil))
	if err != nil {
		t.Fatal(err)
	}
	dt, err := dockerfile.Write([]*plan.Plan{p}, "crosshull.yaml\nRUN evil")
	if err != nil || bytes.Contains(dt, []byte("\nRUN evil")) {
		t.Errorf("the name of the spec is an instruction, %v:\n%s", err, dt)
	}
}

// If the base has something that the image lacks, a Dockerfile cannot drop it, and a comment says so.
func TestInherited(t *testing.T) {
	c := app(nil, "image: {ports: [8080], entrypoint: [/x]}")
	base := gatewaytest.Multi("APP_UID=1654")
	for _, img := range base.Configs {
		img.Config.Labels = map[string]string{"org.opencontainers.image.title": "base"}
		img.Config.ExposedPorts = map[string]struct{}{"80/tcp": {}}
	}
	c.Images[gatewaytest.Runtime] = base
	text, _ := written(t, c)
	const says = "# The base has these, and a Dockerfile cannot drop them: " +
		"label org.opencontainers.image.title, port 80/tcp."
	if !strings.Contains(text, says+"\n") {
		t.Errorf("it does not say so:\n%s", text)
	}
}

// A file-based app, a project at the root, or a whole nuget.config still gives a valid Dockerfile.
func TestKinds(t *testing.T) {
	script := app(nil, "project: tools/run it.cs", "image: {healthcheck: {test: [NONE]}}")
	script.Say("tools/run it.cs", "Console.WriteLine();")
	script.Step(gatewaytest.Step{Name: "[describe] dotnet project convert", Files: fstest.MapFS{
		"tools/run it/run it.csproj": {Data: []byte(gatewaytest.Project)},
	}})
	script.Describe(gatewaytest.App("tools/run it/run it.csproj", nil))
	root := app(nil, "framework: net10.0")
	answer := gatewaytest.App("app.csproj", nil)
	answer.Candidates[0].Frameworks = []string{"net9.0", "net10.0"}
	answer.Candidates[0].CrossTargeting = true
	root.Describe(answer)
	signs := app(nil, "publish:", "  after:", "    - {run: a, inputs: [tools, 'x [1].sh', 'a b']}",
		"    - {run: b, inputs: [tools, d]}", "    - {run: c, inputs: [d]}")
	for _, name := range []string{"tools/sign.sh", "x [1].sh", "a b", "d"} {
		signs.Say(name, "true")
	}
	odd := app(nil)
	odd.Describe(gatewaytest.App("a [1] b/app.csproj", nil, "lib:x/it's.csproj"))
	for name, tc := range map[string]struct {
		c    *gatewaytest.Client
		want []string // lines
	}{
		"file-based": {script, []string{
			"COPY --link . .", "RUN dotnet project convert 'tools/run it.cs' --output 'tools/run it'", "HEALTHCHECK NONE",
		}},
		"root": {root, []string{
			"COPY --link --exclude=**/bin --exclude=**/obj . .", "    -p:EnableAppHostPackDownload=false --framework=net10.0",
		}},
		"secrets": {app(nil, "nuget: {config-secret: config, ca-secret: ca}"), []string{
			`RUN --mount=type=secret,id=config,target=/run/secrets/nuget.config,required=true \`,
			`    --mount=type=secret,id=ca,target=/run/secrets/ca.pem,required=true \`,
		}},
		"inputs": {app(nil, "publish: {inputs: [eng/notes.txt]}"), []string{`    eng/notes.txt \`}},
		"inputs of commands": {signs, []string{
			`COPY --link --parents [ \`, `    "tools", \`, `    "\"x [\\\\[]1].sh\"", \`, `    "\"a b\"", \`, `    "/source/"]`,
			"RUN a", `    d \`, "    /source/\nRUN b\nRUN c",
		}},
		"odd names": {odd, []string{`    "\"a [\\\\[]1] b\"", \`}},
	} {
		t.Run(name, func(t *testing.T) {
			text, _ := written(t, tc.c)
			for _, line := range tc.want {
				if !strings.Contains(text, line+"\n") {
					t.Errorf("no line %q in\n%s", line, text)
				}
			}
		})
	}
}

// Each of several apps has its own stages, and the file has one beginning.
func TestSeveralApps(t *testing.T) {
	var clients []*gatewaytest.Client
	for _, target := range []string{"a", "b"} {
		c := app(nil, "apps: {a: {project: a}, b: {project: b}}")
		c.Set("target", target)
		c.Describe(gatewaytest.App("a/a.csproj", nil), gatewaytest.App("b/b.csproj", nil))
		clients = append(clients, c)
	}
	text, stages := written(t, clients...)
	var names []string
	for _, s := range stages {
		names = append(names, s.Name)
	}
	if want := []string{"build-a", "a", "build-b", "b"}; !slices.Equal(names, want) {
		t.Errorf("stages %q, want %q", names, want)
	}
	if n := strings.Count(text, "# syntax="); n != 1 {
		t.Errorf("%d syntax lines", n)
	}
}
