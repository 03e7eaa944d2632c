package result_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/result"
)

const diagnostics = "/diagnostics"

// The published files, for each platform, without an image around them.
func TestPublish(t *testing.T) {
	c := app("linux/amd64,linux/arm64", nil)
	c.Set("target", "publish")
	res := export(t, c)
	if len(res.Refs) != 2 {
		t.Errorf("%d results", len(res.Refs))
	}
	if ran := strings.Join(c.Ran(), "\n"); strings.Contains(ran, "docker-image://"+gatewaytest.Runtime) {
		t.Errorf("the base is among\n%s", ran)
	}
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		if img := config(t, res, platform); img.Config.Entrypoint != nil || "linux/"+img.Architecture != platform {
			t.Errorf("it is an image: %+v", img)
		}
	}
}

// The SDK with sources and packages, for the platform that builds.
func TestWorkspace(t *testing.T) {
	c := app("linux/arm64", nil)
	c.Set("target", "sdk")
	res := export(t, c)
	img := config(t, res, "")
	if img.Architecture != "amd64" || img.Config.WorkingDir != "/source" {
		t.Errorf("%+v", img)
	}
	if !slices.Equal(img.Config.Env, []string{"DOTNET_SDK_VERSION=10.0.401", "NUGET_PACKAGES=/nuget"}) {
		t.Errorf("environment %q", img.Config.Env)
	}
	want := map[string]bool{"[publish] copy sources to /source": false, "[publish] copy packages to /nuget": false}
	for _, name := range c.Ran() {
		if _, ok := want[name]; ok {
			want[name] = true
		}
		if strings.HasPrefix(name, publish) {
			t.Errorf("it ran %s", name)
		}
	}
	for name, ran := range want {
		if !ran {
			t.Errorf("it did not run %s", name)
		}
	}
}

// An SDK that is a folder of the user's has no configuration to begin with.
func TestWorkspaceOfContext(t *testing.T) {
	c := app("linux/amd64", nil)
	c.Set("target", "sdk")
	c.Set("context:"+gatewaytest.SDK, "local:sdk")
	if img := config(t, export(t, c), ""); !slices.Equal(img.Config.Env, []string{"NUGET_PACKAGES=/nuget"}) {
		t.Errorf("environment %q", img.Config.Env)
	}
}

// trx are the results of tests, by how many passed and failed.
func trx(passed, failed int) []byte {
	var b strings.Builder
	b.WriteString("<TestRun><Results>")
	for i := range failed {
		fmt.Fprintf(&b, `<UnitTestResult testName="T%d" outcome="Failed"><Output><ErrorInfo><Message>no</Message>`, i)
		b.WriteString("</ErrorInfo></Output></UnitTestResult>")
	}
	fmt.Fprintf(&b, `</Results><ResultSummary><Counters total="%d" executed="%d" `, passed+failed, passed+failed)
	fmt.Fprintf(&b, `passed="%d" failed="%d" /></ResultSummary></TestRun>`, passed, failed)
	return []byte(b.String())
}

// tested is a BuildKit with two test projects, which images wait for where gate is true.
func tested(target string, gate bool) *gatewaytest.Client {
	c := app("linux/amd64", nil, fmt.Sprintf("tests: {projects: [t/unit, t/slow], gate: %v}", gate))
	c.Set("target", target)
	answers := []gatewaytest.Answer{gatewaytest.Test("t/unit/unit.csproj"), gatewaytest.Test("t/slow/slow.csproj")}
	if gate {
		answers = append([]gatewaytest.Answer{gatewaytest.App(project, nil)}, answers...)
	}
	c.Describe(answers...)
	c.Step(gatewaytest.Step{Name: "[test] dotnet test t/unit", Files: fstest.MapFS{"unit/unit.trx": {Data: trx(3, 0)}}})
	return c
}

func runTests(ctx context.Context, t *testing.T, c *gatewaytest.Client) (*client.Result, error) {
	t.Helper()
	req, asker, err := plantest.Asker(ctx, t, c)
	if err != nil {
		t.Fatal(err)
	}
	f, err := asker.Tests(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return result.Tests(ctx, req, f)
}

func TestTests(t *testing.T) {
	c := tested("test", false)
	res, err := runTests(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	if res.Ref == nil || len(res.Metadata) > 0 {
		t.Errorf("%+v", res)
	}
	ran := c.Ran()
	for _, name := range []string{"dotnet test t/unit/unit.csproj", "dotnet test t/slow/slow.csproj", "collect results"} {
		if !slices.Contains(ran, "[test] "+name) {
			t.Errorf("%s is not among %q", name, ran)
		}
	}
}

// VSTest calls it a success if it finds no test, so there is a warning.
func TestNoTests(t *testing.T) {
	c := tested("test", false)
	c.Step(gatewaytest.Step{Name: "[test] dotnet test t/slow", Files: fstest.MapFS{"slow/slow.trx": {Data: trx(0, 0)}}})
	if _, err := runTests(t.Context(), t, c); err != nil {
		t.Fatal(err)
	}
	want := []string{"dotnet test finds no test in t/slow/slow.csproj: reference the adapter of its test framework, " +
		"such as xunit.runner.visualstudio"}
	if got := c.Warnings(); !slices.Equal(got, want) {
		t.Errorf("warned of %q, want %q", got, want)
	}
}

// broken makes a test project fail, with or without results.
func broken(c *gatewaytest.Client, name string, results []byte) {
	step := "[test] dotnet test t/" + name + "/" + name + ".csproj"
	c.Step(gatewaytest.Step{Name: step, Err: gatewaytest.Failed(step, "/app", diagnostics)})
	if c.Mounts == nil {
		c.Mounts = map[string]fstest.MapFS{}
	}
	if results != nil {
		c.Mounts[step+" /app"] = fstest.MapFS{name + "/" + name + ".trx": {Data: results}}
	}
}

// The failures of all test projects are told, with or without a list of them.
func TestTestsFail(t *testing.T) {
	const unit = "1 of 3 tests failed in [test] dotnet test t/unit/unit.csproj\nT0: no"
	const slow = `process "[test] dotnet test t/slow/slow.csproj" did not complete successfully: exit code: 1`
	both := func() *gatewaytest.Client {
		c := tested("test", false)
		broken(c, "unit", trx(2, 1))
		broken(c, "slow", nil)
		return c
	}
	_, err := runTests(t.Context(), t, both())
	want{Says: unit + "\n" + slow, At: []string{"crosshull.yaml:2"}, Solve: true}.Check(t, err)

	gated := tested("", true)
	broken(gated, "unit", trx(2, 1))
	_, err = build(t.Context(), t, gated)
	want{Says: unit, At: []string{"crosshull.yaml:2"}, Solve: true}.Check(t, err)
}

// Images wait for tests, and their report has the results.
func TestGate(t *testing.T) {
	c := tested("", true)
	nonsense := fstest.MapFS{"slow/slow.trx": {Data: []byte("<")}} // which is not told
	c.Step(gatewaytest.Step{Name: "[test] dotnet test t/slow", Files: nonsense})
	r := told(t, export(t, c))
	if !slices.Equal(r.Tests, []report.Tests{{Project: "t/unit/unit.csproj", Total: 3, Passed: 3}}) {
		t.Errorf("tests %+v", r.Tests)
	}
}

func TestTestsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := tested("test", false)
	c.Step(gatewaytest.Step{Name: "[test] dotnet test t/unit", Do: func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	}}, gatewaytest.Step{Name: "[test] dotnet test t/slow", Do: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}})
	_, err := runTests(ctx, t, c)
	want{Says: "context canceled", At: []string{"crosshull.yaml:2"}, Canceled: true}.Check(t, err)
}

// A test that is no project of the answer cannot be built.
func TestTestsOfNothing(t *testing.T) {
	req, asker, err := plantest.Asker(t.Context(), t, tested("test", false))
	if err != nil {
		t.Fatal(err)
	}
	res, err := result.Tests(t.Context(), req, &facts.Facts{Asker: asker})
	if err != nil || res.Ref != nil {
		t.Errorf("of no tests there is %+v, %v", res, err)
	}
}

func TestTargetsFail(t *testing.T) {
	for _, tc := range []struct {
		target string
		step   gatewaytest.Step
		want   want
	}{
		{"publish", gatewaytest.Step{Name: publish, Err: gatewaytest.Failed(publish, diagnostics)}, want{
			Says: "1 error in " + publish + "\n    CS1002: see https://learn.microsoft.com/dotnet/csharp/misc/cs1002\n" +
				"app/Program.cs(3,5): error CS1002: ; expected",
			At: []string{"crosshull.yaml:1"}, Solve: true,
		}},
		{"sdk", gatewaytest.Step{Name: "[restore] dotnet", Err: errors.New("no space left on device")}, want{
			Says: "no space left on device", At: []string{"crosshull.yaml:1"},
		}},
		{"sbom", gatewaytest.Step{Name: "[restore] dotnet", Err: errors.New("no space left on device")}, want{
			Says: "no space left on device", At: []string{"crosshull.yaml:1"},
		}},
	} {
		t.Run(tc.target, func(t *testing.T) {
			c := app("linux/amd64", nil)
			c.Set("target", tc.target)
			c.Step(tc.step)
			c.Mounts = compiler
			_, err := build(t.Context(), t, c)
			tc.want.Check(t, err)
		})
	}
}

// compiler is what the compiler said in a publish that failed.
var compiler = map[string]fstest.MapFS{
	publish + " " + diagnostics: {"errors.log": {Data: []byte(
		"/source/app/Program.cs(3,5): error CS1002: ; expected [/source/app/app.csproj]\n")}},
}
