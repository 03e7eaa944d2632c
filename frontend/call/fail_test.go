package call_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// own are the calls that say something of a plan.
var own = []string{"plan", "explain", "graph", "dockerfile"}

// A call asks MSBuild and registries. Nothing else runs, and nothing begins ahead.
func TestCallsRunLittle(t *testing.T) {
	for _, name := range append([]string{"bake", "init", "outline", "targets", "lint"}, own...) {
		c := shop()
		if name == "init" || name == "lint" { // they ask other questions
			c = gatewaytest.Console()
		}
		if _, err := ask(t.Context(), t, c, name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, ran := range c.Ran() {
			if strings.HasPrefix(ran, "[") && !strings.HasPrefix(ran, "[describe]") {
				t.Errorf("%s ran %s", name, ran)
			}
		}
	}
}

func TestCallsFail(t *testing.T) {
	failed := gatewaytest.Failed("[describe] dotnet msbuild app", "/diagnostics")
	withSpec := func(lines ...string) func(*gatewaytest.Client) {
		return func(c *gatewaytest.Client) { c.Spec(lines...) }
	}
	target := func(name string, lines ...string) func(*gatewaytest.Client) {
		return func(c *gatewaytest.Client) {
			c.Spec(lines...)
			c.Set("target", name)
		}
	}
	step := func(s gatewaytest.Step) func(*gatewaytest.Client) {
		return func(c *gatewaytest.Client) { c.Step(s) }
	}
	without := func(image string) func(*gatewaytest.Client) {
		return func(c *gatewaytest.Client) { delete(c.Images, image) }
	}
	readsSpec := append([]string{"bake", "outline", "targets", "convertllb"}, own...)
	for _, tc := range []struct {
		name   string
		calls  []string
		change func(*gatewaytest.Client)
		want   want
	}{
		{"a mistake of the spec", readsSpec, withSpec("projct: x"), want{
			Says: `crosshull.yaml:2: unknown key "projct", did you mean "project"?`, At: []string{"crosshull.yaml:2"},
		}},
		{"no such target", append([]string{"convertllb"}, own...), target("x"), want{
			Says: `target "x" does not exist: use image, publish, sbom, sdk`,
		}},
		{"no app", own, target("test", "tests: [t]"),
			want{Says: "this call is about one app, and target test is about all: name an app with --target"}},
		{"no image", []string{"convertllb"}, target("publish"), want{
			Says: "--call=convertllb works for images, and target publish is none: name an app or image in --target",
		}},
		{"a mode that cannot be", append([]string{"convertllb"}, own...), withSpec("publish: {mode: [portable, aot]}"), want{
			Says: "crosshull.yaml:2: publish.mode: portable cannot be combined with other modes: keep it for one " +
				"output for all platforms, or remove it to publish for each platform",
			At: []string{"crosshull.yaml:2"},
		}},
		{"a context that is not sent", append([]string{"init", "convertllb"}, own...),
			step(gatewaytest.Step{Name: "local://context", Err: errors.New("no session")}),
			want{Says: "read the context: no session"}},
		{"no SDK", append([]string{"convertllb"}, own...), without(gatewaytest.SDK), want{
			Says: "crosshull.yaml:1: SDK image: mcr.microsoft.com/dotnet/sdk:10.0: not found", At: []string{"crosshull.yaml:1"},
		}},
		{"a project that MSBuild refuses", append([]string{"convertllb"}, own...),
			step(gatewaytest.Step{Name: describe, Err: failed}), want{
				Says: "describe the project: " + failed.Error(), At: []string{"crosshull.yaml:1"}, Solve: true,
			}},
		{"projects that MSBuild refuses", []string{"init"}, step(gatewaytest.Step{Name: describe, Err: failed}), want{
			Says: "describe the project: " + failed.Error(), Solve: true,
		}},
		{"no base", append([]string{"convertllb"}, own...), without(gatewaytest.Runtime), want{
			Says: "crosshull.yaml:1: base image: mcr.microsoft.com/dotnet/runtime:10.0: not found",
			At:   []string{"crosshull.yaml:1"},
		}},
		{"an app that does not compile", []string{"convertllb"}, step(gatewaytest.Step{
			Name: "[publish] dotnet publish", Err: gatewaytest.Failed("[publish] dotnet publish app", "/diagnostics"),
		}), want{
			Says: `process "[publish] dotnet publish app" did not complete successfully: exit code: 1`,
			At:   []string{"crosshull.yaml:1"}, Solve: true,
		}},
	} {
		for _, name := range tc.calls {
			t.Run(tc.name+" "+name, func(t *testing.T) {
				c := gatewaytest.Console()
				tc.change(c)
				_, err := ask(t.Context(), t, c, name)
				tc.want.Check(t, err)
			})
		}
	}
}

func TestCanceled(t *testing.T) {
	for _, name := range append([]string{"init", "convertllb"}, own...) {
		ctx, cancel := context.WithCancel(t.Context())
		c := gatewaytest.Console()
		c.Step(gatewaytest.Step{Name: describe, Do: func(ctx context.Context) error {
			cancel()
			return ctx.Err()
		}})
		_, err := ask(ctx, t, c, name)
		at := []string{"crosshull.yaml:1"}
		if name == "init" {
			at = nil
		}
		want{Says: "describe the project: context canceled", At: at, Canceled: true}.Check(t, err)
	}
}

// What is not known is BuildKit's error for that, which buildx knows.
func TestUnknown(t *testing.T) {
	_, err := ask(t.Context(), t, none(), "nonsense")
	var unsupported *errdefs.UnsupportedSubrequestError
	if !errors.As(err, &unsupported) || unsupported.Name != "frontend.nonsense" {
		t.Errorf("%v", err)
	}
}
