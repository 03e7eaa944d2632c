package result_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

func TestImagesFail(t *testing.T) {
	const base = "example.com/base:1"
	step := func(s gatewaytest.Step) func(*gatewaytest.Client) {
		return func(c *gatewaytest.Client) { c.Step(s) }
	}
	for _, tc := range []struct {
		name       string
		properties gatewaytest.Item
		spec       []string
		change     func(*gatewaytest.Client)
		want       want
	}{
		{name: "it does not compile", spec: []string{"project: app", "publish: {mode: portable}"}, change: step(
			gatewaytest.Step{Name: publish, Err: gatewaytest.Failed(publish, diagnostics)},
		), want: want{
			Says: "1 error in " + publish + "\n    CS1002: see https://learn.microsoft.com/dotnet/csharp/misc/cs1002\n" +
				"app/Program.cs(3,5): error CS1002: ; expected",
			At: []string{"crosshull.yaml:3"}, Solve: true,
		}},
		{name: "it is not restored", spec: []string{"project: app"}, change: step(gatewaytest.Step{
			Name: "[restore] dotnet", Err: gatewaytest.Failed("[restore]", diagnostics),
		}), want: want{
			Says: `process "[restore]" did not complete successfully: exit code: 1`,
			At:   []string{"crosshull.yaml:2"}, Solve: true,
		}},
		{name: "a secret is missing", spec: []string{"publish: {secrets: {KEY: key}}"}, change: step(gatewaytest.Step{
			Name: publish, Err: errors.New("secret key: not found"),
		}), want: want{
			Says: `crosshull.yaml:2: secret "key" is missing: give it to the build with --secret id=key,env=VARIABLE or ` +
				"--secret id=key,src=FILE",
			At: []string{"crosshull.yaml:2", "crosshull.yaml:2"},
		}},
		{name: "publish leaves nothing", change: step(gatewaytest.Step{Name: publish}), want: want{
			Says: "failed to open layers.txt: no such file or directory",
		}},
		{name: "publish leaves another report", change: step(gatewaytest.Step{
			Name: publish, Files: fstest.MapFS{"layers.txt": {Data: []byte("carpet\n")}},
		}), want: want{Says: `read the report of publish: unknown layer "carpet"` + gatewaytest.Bug}},
		{name: "no such context", spec: []string{"files:", "  - {to: /a}", "  - {to: /b, context: docs}"}, want: want{
			Says: "crosshull.yaml:4: there is no context docs: give it with --build-context docs=FOLDER, or an image or a git " +
				"repository in the place of the folder",
			At: []string{"crosshull.yaml:4"},
		}},
		{name: "a context of no kind", spec: []string{"files: [{to: /b, context: docs}]"},
			change: func(c *gatewaytest.Client) { c.Set("context:docs", "ftp:x") }, want: want{
				Says: "crosshull.yaml:2: context docs: unsupported context source ftp for docs",
				At:   []string{"crosshull.yaml:2"},
			}},
		{name: "an owner without a number", spec: []string{"image: {user: me}", "files: [{to: /data}]"}, want: want{
			Says: "crosshull.yaml:2: image.user: there is no user me: the image has none; add yours to image.users",
			At:   []string{"crosshull.yaml:2"},
		}},
		{name: "a base that cannot be looked at", properties: gatewaytest.Item{"ContainerBaseImage": base},
			spec: []string{"project: app", "base: {image: " + base + "}", "files: [{to: /etc/x}]"},
			change: func(c *gatewaytest.Client) {
				c.Images[base] = gatewaytest.Multi("APP_UID=7")
				c.Step(gatewaytest.Step{Name: "docker-image://" + base, Errs: map[string]error{".": errors.New("no space left")}})
			}, want: want{
				Says: "crosshull.yaml:3: look at example.com/base:1: no space left",
				At:   []string{"crosshull.yaml:3"},
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := app("linux/amd64", tc.properties, tc.spec...)
			c.Mounts = compiler
			if tc.change != nil {
				tc.change(c)
			}
			_, err := build(t.Context(), t, c)
			tc.want.Check(t, err)
		})
	}
}

// Of a build that ends, all that runs is told so, and the error says that it ended.
func TestImagesCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := app(three, gatewaytest.Item{"SelfContained": "true"}, "project: app")
	c.Step(gatewaytest.Step{Name: publish, Do: func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}})
	_, err := build(ctx, t, c)
	if !errors.Is(err, context.Canceled) || err.Error() != "context canceled" { // of any of the steps
		t.Error(err)
	}
}

// A publish that fails ends the others, and is the error, not they.
func TestFirstErrorWins(t *testing.T) {
	c := app(three, gatewaytest.Item{"SelfContained": "true"}, "project: app")
	failed := gatewaytest.Failed(publish, diagnostics)
	c.Step(gatewaytest.Step{Name: publish + " app/app.csproj -r linux-arm64", Err: failed},
		gatewaytest.Step{Name: publish, Do: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}})
	_, err := build(t.Context(), t, c)
	want{Says: failed.Error(), At: []string{"crosshull.yaml:2"}, Solve: true}.Check(t, err)
}

// A panic wherever something is solved is an error that says so.
func TestPanics(t *testing.T) {
	for _, step := range []string{publish, "[restore] dotnet"} {
		c := app(three, nil)
		c.Step(gatewaytest.Step{Name: step, Do: func(context.Context) error { panic("boom") }})
		_, err := build(t.Context(), t, c)
		want{Says: "crosshull panicked: boom…"}.Check(t, err)
	}
}

// Files of the spec lie below the app, and come from where the spec says.
func TestFiles(t *testing.T) {
	c := app("linux/amd64", nil,
		"files: [{from: a.txt, to: /etc/a}, {to: /b, context: docs}, {to: /c, context: docs, from: x}]")
	c.Context["a.txt"] = &fstest.MapFile{}
	c.Set("context:docs", "local:docs")
	export(t, c)
	ran := c.Ran()
	for _, name := range []string{"[image] add files", "local://docs"} {
		if !slices.Contains(ran, name) {
			t.Errorf("%s is not among\n%s", name, strings.Join(ran, "\n"))
		}
	}
}

// A base that can have the app's folder is looked into, and one that cannot is not.
func TestLooksAtBase(t *testing.T) {
	for _, tc := range []struct {
		name string
		env  []string
		want bool
	}{
		{"nothing speaks of /app", nil, false},
		{"a variable does", []string{"HOME=/app"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := app("linux/amd64", nil)
			c.Images[gatewaytest.Runtime] = gatewaytest.Multi(tc.env...)
			if _, err := build(t.Context(), t, c); err != nil {
				t.Fatal(err)
			}
			looked := slices.ContainsFunc(c.Solved(), func(name string) bool {
				return strings.HasPrefix(name, "docker-image://"+gatewaytest.Runtime)
			})
			if looked != tc.want {
				t.Errorf("looked: %v", looked)
			}
		})
	}
}
