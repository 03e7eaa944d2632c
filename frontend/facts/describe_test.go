package facts_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/tree"
)

// apps asks about the app of a context.
func apps(t *testing.T, c *gatewaytest.Client) (*facts.Facts, error) {
	t.Helper()
	gw, err := gateway.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gw.Close(&err) })
	req, err := request.Read(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	if req, err = req.Choose(); err != nil {
		t.Fatal(err)
	}
	sources, err := tree.Read(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	asker, err := facts.New(t.Context(), req, sources)
	if err != nil {
		t.Fatal(err)
	}
	return asker.Apps(t.Context())
}

const describe = "[describe] dotnet msbuild -t:ComputeContainerConfig projects"

// What MSBuild says of projects that it cannot describe is a result, which BuildKit keeps. An old one that may have
// been about a feed is asked for again.
func TestFailureIsKept(t *testing.T) {
	old := time.Now().Add(-time.Hour)
	left := func(log string, at time.Time) fstest.MapFS {
		return fstest.MapFS{"errors.log": {Data: []byte(log), ModTime: at}, "description.json": {Data: []byte("{}")}}
	}
	const missing, sdk = "error MSB4019: x.props was not found", "error MSB4236: The SDK 'X' was not found"
	says := func(line string) string {
		return "describe the project: 1 error in " + describe + "…" + "\n" + "app/app.csproj: " + line
	}
	line := func(text string) string { return text + " [/source/app/app.csproj]\n" }
	for _, tc := range []struct {
		name string
		step gatewaytest.Step
		want string // how it begins, and how it ends
		runs int
	}{
		{"just now", gatewaytest.Step{Files: left(line(missing), time.Now().Add(time.Hour))}, says(missing), 1},
		{"before", gatewaytest.Step{Files: left(line(missing), old)}, says(missing), 1},
		{"a feed, just now", gatewaytest.Step{Files: left(line(sdk), time.Now().Add(time.Hour))}, says(sdk), 1},
		{"a feed, before", gatewaytest.Step{Files: left(line(sdk), old)}, says(sdk), 2},
		{"nothing said, before", gatewaytest.Step{Files: left("", old)},
			"describe the project: " + describe + " failed, and said no error…log", 2},
		{"no log at all", gatewaytest.Step{Files: fstest.MapFS{}},
			"describe the project: " + describe + " failed, and said no error…log", 2},
		{"a step that fails", gatewaytest.Step{Err: gatewaytest.Failed(describe, "/diagnostics")},
			"describe the project: process…exit code: 1", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			tc.step.Name = describe
			c.Step(tc.step)
			_, err := apps(t, c)
			begin, end, _ := strings.Cut(tc.want, "…")
			if err == nil || !strings.HasPrefix(err.Error(), begin) || !strings.HasSuffix(err.Error(), end) {
				t.Errorf("error\n%v\nwant\n%s", err, tc.want)
			}
			if tc.step.Err == nil {
				var vertex *errdefs.VertexError // whose log the history of builds shows
				if !errors.As(err, &vertex) || len(errdefs.Sources(err)) != 1 {
					t.Errorf("no vertex, or no place: %v", err)
				}
			}
			runs := 0
			for _, name := range c.Solved() {
				if name == describe {
					runs++
				}
			}
			if runs != tc.runs {
				t.Errorf("asked %d times, want %d", runs, tc.runs)
			}
		})
	}
}

// A BuildKit that cannot keep failures, and a user with a debugger, have a step that fails.
func TestFailureIsAStep(t *testing.T) {
	for name, set := range map[string]func(*gatewaytest.Client){
		"an old BuildKit": func(c *gatewaytest.Client) { c.Lacks = []apicaps.CapID{pb.CapExecValidExitCode} },
		"a debugger":      func(c *gatewaytest.Client) { c.Set("build-arg:CROSSHULL_DEBUG", "1") },
	} {
		t.Run(name, func(t *testing.T) {
			c := gatewaytest.Console()
			set(c)
			c.Step(gatewaytest.Step{Name: describe, Err: gatewaytest.Failed(describe, "/diagnostics")})
			c.Mounts = map[string]fstest.MapFS{describe + " /diagnostics": {"errors.log": {
				Data: []byte("error MSB4019: x.props was not found [/source/app/app.csproj]\n"),
			}}}
			_, err := apps(t, c)
			gatewaytest.Want{Says: "describe the project: 1 error in " + describe + "…", At: []string{"crosshull.yaml:1"},
				Solve: true}.Check(t, err)
		})
	}
}
