package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

type want = gatewaytest.Want

const (
	describe = "[describe] dotnet msbuild"
	restore  = "[restore] dotnet restore"
	publish  = "[publish] dotnet publish"
)

// withSpec is a BuildKit with the context of a console app, and a spec.
func withSpec(lines ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(lines...)
	return c
}

// A build goes through all stages, and its image says what it is.
func TestBuild(t *testing.T) {
	c := withSpec()
	res, err := Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var img ocispecs.Image
	if err := json.Unmarshal(res.Metadata["containerimage.config"], &img); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(img.Config.Entrypoint, " "); got != "dotnet /app/app.dll" {
		t.Errorf("entrypoint %q", got)
	}
	if img.Config.User != "1654" {
		t.Errorf("user %q, want that of the base", img.Config.User)
	}
	if solved := strings.Join(c.Solved(), "\n"); !strings.Contains(solved, "merge base and app") {
		t.Errorf("no image was solved:\n%s", solved)
	}
	if got := c.Warnings(); len(got) > 0 {
		t.Errorf("warned of %q", got)
	}
}

// An image of files alone needs neither an SDK nor MSBuild, and no step of it executes anything.
func TestBuildWithoutProject(t *testing.T) {
	c := withSpec("project: none", "base: {image: 'example.com/base:1'}", "files: [{from: app, to: /app}]",
		"image: {entrypoint: [/app/run]}")
	c.Images["example.com/base:1"] = gatewaytest.Multi("APP_UID=7")
	c.Step(gatewaytest.Step{Name: "docker-image+blob://example.com/", Files: gatewaytest.Index()})
	delete(c.Images, gatewaytest.SDK)
	res, err := Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var img ocispecs.Image
	if err := json.Unmarshal(res.Metadata["containerimage.config"], &img); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(img.Config.Entrypoint, " "); got != "/app/run" || img.Config.User != "7" {
		t.Errorf("it runs %q as %q", got, img.Config.User)
	}
	if got := img.Config.Labels["org.opencontainers.image.base.name"]; got != "example.com/base:1" {
		t.Errorf("the base is %q", got)
	}
	if ran := strings.Join(c.Ran(), "\n"); strings.Contains(ran, "dotnet ") || strings.Contains(ran, gatewaytest.SDK) {
		t.Errorf("ran %s", ran)
	}
	if got := c.Warnings(); len(got) > 0 {
		t.Errorf("warned of %q", got)
	}
	c.Set("target", "publish")
	_, err = Build(t.Context(), c)
	want{Says: `target "publish" does not exist: use image`}.Check(t, err)
}

// A folder with the name none has to be written as a path.
func TestFolderNone(t *testing.T) {
	c := withSpec("project: ./none")
	c.Describe(gatewaytest.App("none/none.csproj", nil))
	c.Say("none/none.csproj", "<Project />")
	if _, err := Build(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if ran := c.Ran(); !slices.Contains(ran, publish+" none/none.csproj") {
		t.Errorf("ran %q", ran)
	}
	c = withSpec("project: none", "base: {image: 'example.com/base:1'}", "files: [{from: app, to: /app}]")
	c.Images["example.com/base:1"] = gatewaytest.Multi()
	c.Say("none/none.csproj", "<Project />")
	if _, err := Build(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	const advice = "to build none/none.csproj, write project: ./none"
	if got := strings.Join(c.Warnings(), "\n"); !strings.Contains(got, advice) {
		t.Errorf("warned of %q", got)
	}
}

// Several projects in one image: one restore for those of one mode, and a publish of each. A spec of several apps may
// have them for all of its apps.
func TestBuildAlso(t *testing.T) {
	for _, tc := range []struct {
		name, target string
		spec         []string
		ran          []string // of restore and publish
	}{
		{"one mode", "", []string{"project: app", "publish: {also: [{project: tool, to: /tool}]}"}, []string{
			publish + " app/app.csproj", publish + " tool/tool.csproj", restore + " app/app.csproj tool/tool.csproj",
		}},
		{"two modes", "", []string{"project: app", "publish: {also: [{project: tool, mode: self-contained, to: /tool}]}"},
			[]string{
				publish + " app/app.csproj", publish + " tool/tool.csproj -r linux-arm64",
				publish + " tool/tool.csproj -r linux-x64", restore + " app/app.csproj", restore + " tool/tool.csproj",
			}},
		{"of one of apps", "b", []string{"publish: {also: [{project: tool, to: /tool}]}",
			"apps: {a: {project: app, publish: {also: []}}, b: {project: web}}"}, []string{
			publish + " tool/tool.csproj", publish + " web/web.csproj",
			restore + " app/app.csproj web/web.csproj tool/tool.csproj",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := withSpec(tc.spec...)
			c.Set("platform", "linux/amd64,linux/arm64")
			answers := []gatewaytest.Answer{gatewaytest.App("app/app.csproj", nil), gatewaytest.App("tool/tool.csproj", nil)}
			if tc.target != "" {
				c.Set("target", tc.target)
				answers = slices.Insert(answers, 1, gatewaytest.App("web/web.csproj", nil))
			}
			c.Describe(answers...)
			c.Say("tool/tool.csproj", "<Project />")
			c.Say("web/web.csproj", "<Project />")
			res, err := Build(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			ran := slices.DeleteFunc(c.Ran(), func(name string) bool {
				return !strings.HasPrefix(name, publish) && !strings.HasPrefix(name, restore)
			})
			if slices.Sort(ran); !slices.Equal(slices.Compact(ran), tc.ran) {
				t.Errorf("ran %q", ran)
			}
			var img ocispecs.Image
			if err := json.Unmarshal(res.Metadata["containerimage.config/linux/arm64"], &img); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(img.Config.Entrypoint, " "); strings.Contains(got, "tool") || got == "" {
				t.Errorf("it starts %q", got)
			}
		})
	}
}

func TestBuildOfTests(t *testing.T) {
	c := withSpec("tests: [t]")
	c.Set("target", "test")
	c.Describe(gatewaytest.Test("t/t.csproj"))
	res, err := Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if ran := c.Ran(); res.Ref == nil || !slices.Contains(ran, "[test] dotnet test t/t.csproj") {
		t.Errorf("%+v of %q", res, ran)
	}
}

func TestCall(t *testing.T) {
	c := withSpec()
	c.Set("requestid", "frontend.plan")
	res, err := Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(res.Metadata["result.txt"]); !strings.HasPrefix(text, "APP\n") || res.Ref != nil {
		t.Errorf("it says %s", text)
	}
}

// What is warned of before a build, and after it.
func TestWarnings(t *testing.T) {
	c := withSpec("image: {user: root}")
	c.Set("build-arg:A", "1")
	c.Set("no-cache", "build")
	if _, err := Build(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var begin []string
	for _, w := range c.Warnings() {
		first, _, _ := strings.Cut(w, " ")
		begin = append(begin, first)
	}
	if !slices.Equal(begin, []string{"build-args", "--no-cache-filter", "RootUser:"}) {
		t.Errorf("warned of %q", c.Warnings())
	}
}

// An error of any stage reaches the user with its text, its place, and its types, over the wire too.
func TestErrors(t *testing.T) {
	const noX = "crosshull.yaml:2: there is no x in the context, or an ignore file leaves it out: the context has " +
		"app/app.csproj"
	failed := gatewaytest.Failed(publish+" app/app.csproj", "/diagnostics")
	compiler := map[string]fstest.MapFS{publish + " app/app.csproj /diagnostics": {"errors.log": {Data: []byte(
		"/source/app/Program.cs(3,5): error CS1002: ; expected [/source/app/app.csproj]\n")}}}
	for _, tc := range []struct {
		name   string
		c      *gatewaytest.Client
		change func(*gatewaytest.Client)
		want   want
	}{
		{"client", withSpec(), func(c *gatewaytest.Client) { c.Set("platform", "linux/") }, want{
			Says: "failed to parse target platform linux/…",
		}},
		{"request", withSpec(), func(c *gatewaytest.Client) { c.Set("filename", "none.yaml") }, want{
			Says: "spec none.yaml does not exist: …",
		}},
		{"mistake", withSpec("project: app", "projct: x"), nil, want{
			Says: `crosshull.yaml:3: unknown key "projct", did you mean "project"?`, At: []string{"crosshull.yaml:3"},
		}},
		{"target", withSpec(), func(c *gatewaytest.Client) { c.Set("target", "x") }, want{
			Says: `target "x" does not exist: use image, publish, sbom, sdk`,
		}},
		{"check", withSpec("publish: {mode: [portable, aot]}"), nil, want{
			Says: "crosshull.yaml:2: publish.mode: portable cannot be combined with other modes: keep it for one " +
				"output for all platforms, or remove it to publish for each platform",
			At: []string{"crosshull.yaml:2"},
		}},
		{"tree", withSpec(), func(c *gatewaytest.Client) {
			c.Step(gatewaytest.Step{Name: "local://context", Err: errors.New("no session")})
		}, want{Says: "read the context: no session"}},
		{"SDK", withSpec("sdk: {version: \"1\"}"), nil, want{
			Says: "crosshull.yaml:2: SDK image: mcr.microsoft.com/dotnet/sdk:1: not found", At: []string{"crosshull.yaml:2"},
		}},
		{"facts", withSpec("project: x"), func(c *gatewaytest.Client) { c.Describe(gatewaytest.Answer{}) }, want{
			Says: noX, At: []string{"crosshull.yaml:2"},
		}},
		{"facts of tests", withSpec("tests: [x]"), func(c *gatewaytest.Client) {
			c.Set("target", "test")
			c.Describe(gatewaytest.Answer{})
		}, want{Says: noX, At: []string{"crosshull.yaml:2"}}},
		{"plan", withSpec(), func(c *gatewaytest.Client) { delete(c.Images, gatewaytest.Runtime) }, want{
			Says: "crosshull.yaml:1: base image: " + gatewaytest.Runtime + ": not found", At: []string{"crosshull.yaml:1"},
		}},
		{"lint", withSpec("# check=error=true", "image: {user: root}"), nil, want{
			Says: "lint violation found for rules: RootUser", At: []string{"crosshull.yaml:3"},
		}},
		{"result", withSpec("publish: {mode: portable}"), func(c *gatewaytest.Client) {
			c.Mounts = compiler
			c.Step(gatewaytest.Step{Name: publish, Err: failed})
		}, want{
			Says: "1 error in " + publish + " app/app.csproj\n" +
				"    CS1002: see https://learn.microsoft.com/dotnet/csharp/misc/cs1002\n" +
				"app/Program.cs(3,5): error CS1002: ; expected",
			At: []string{"crosshull.yaml:2"}, Solve: true,
		}},
		{"call", withSpec(), func(c *gatewaytest.Client) { c.Set("requestid", "frontend.x") }, want{
			Says: "unsupported request frontend.x",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.change != nil {
				tc.change(tc.c)
			}
			_, err := Build(t.Context(), tc.c)
			tc.want.Check(t, err)
			if tc.name == "call" {
				tc.want.Says += ": " + tc.want.Says // BuildKit says it twice
			}
			tc.want.Check(t, grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), err)))
		})
	}
}

// A step whose error nobody knows better than BuildKit is a result that fails when somebody asks for it: debuggers look
// there.
func TestFailedStepIsAResult(t *testing.T) {
	c := withSpec()
	c.Step(gatewaytest.Step{Name: publish, Err: gatewaytest.Failed(publish, "/diagnostics")})
	res, err := Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	err = res.EachRef(func(ref client.Reference) error { return ref.Evaluate(t.Context()) })
	var failed *errdefs.SolveError
	if !errors.As(err, &failed) {
		t.Errorf("the result fails with %v", err)
	}
}

// slow is a BuildKit on which the first restore runs until it is told to end, and MSBuild answers when that has begun.
// What MSBuild says is as foreseen, unless there are properties.
func slow(properties gatewaytest.Item, lines ...string) (c *gatewaytest.Client, running *atomic.Int32) {
	c, running = withSpec(lines...), &atomic.Int32{}
	begun := make(chan struct{})
	c.Describe(gatewaytest.App("app/app.csproj", properties))
	c.Steps[0].Do = func(context.Context) error {
		<-begun
		return nil
	}
	var once sync.Once
	c.Step(gatewaytest.Step{Name: restore, Do: func(ctx context.Context) (err error) {
		once.Do(func() {
			running.Add(1)
			defer running.Add(-1)
			close(begun)
			<-ctx.Done()
			time.Sleep(5 * time.Millisecond) // what is not waited for would be seen
			err = ctx.Err()
		})
		return err
	}})
	return c, running
}

// nothingRuns checks that no goroutine is left of a build.
func nothingRuns(t *testing.T, before int, running *atomic.Int32) {
	t.Helper()
	if n := running.Load(); n != 0 {
		t.Errorf("%d restores run after the build", n)
	}
	var after int
	for range 100 { // one that has done its last step may not be gone yet
		if after = runtime.NumGoroutine(); after <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines before, %d after:\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
}

// What runs in the background has ended when Build returns, however it ends.
func TestJoins(t *testing.T) {
	const none = "example.com/none:1"
	for _, tc := range []struct {
		name       string
		properties gatewaytest.Item
		lines      []string
		says       string
	}{
		{"a restore that nobody needs", gatewaytest.Item{"SelfContained": "true"}, nil, ""},
		{"a restore that somebody needs", nil, nil, ""},
		{"a restore that was needed till something failed", gatewaytest.Item{"ContainerBaseImage": none}, nil,
			"crosshull.yaml:1: base image: " + none + ": not found"},
		{"a warning that is an error", gatewaytest.Item{"ContainerUser": "root"}, []string{"# check=error=true"},
			"lint violation found for rules: RootUser"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			c, running := slow(tc.properties, tc.lines...)
			_, err := Build(t.Context(), c)
			nothingRuns(t, before, running)
			if tc.says != "" {
				if err == nil || err.Error() != tc.says {
					t.Errorf("%v, want %s", err, tc.says)
				}
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// Whenever a build is given up, it ends at once, says that it was given up, and leaves nothing behind.
func TestCanceled(t *testing.T) {
	for _, at := range []string{
		"local://dockerfile", "local://context", describe, restore, publish, "[test] dotnet test",
		gatewaytest.SDK, gatewaytest.Runtime,
	} {
		t.Run(at, func(t *testing.T) {
			before := runtime.NumGoroutine()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			give := func(ctx context.Context) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			}
			c := withSpec("project: app/app.csproj", "tests: {projects: [t], gate: true}")
			c.Describe(gatewaytest.App("app/app.csproj", nil), gatewaytest.Test("t/t.csproj"))
			if img, ok := c.Images[at]; ok {
				img.Do = give
				c.Images[at] = img
			} else {
				c.Step(gatewaytest.Step{Name: at, Files: c.Context, Do: give})
			}
			_, err := Build(ctx, c)
			if !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), "context canceled") {
				t.Errorf("%v", err)
			}
			nothingRuns(t, before, &atomic.Int32{})
		})
	}
}

// A panic is one error, which asks for a report and names the place, wherever it is.
func TestPanics(t *testing.T) {
	boom := func(context.Context) error { panic("boom") }
	for name, change := range map[string]func(*gatewaytest.Client){
		"in the way of the build": func(c *gatewaytest.Client) {
			c.Step(gatewaytest.Step{Name: "local://context", Files: c.Context, Do: boom})
		},
		"in a group": func(c *gatewaytest.Client) { c.Step(gatewaytest.Step{Name: publish, Do: boom}) },
		"in the background": func(c *gatewaytest.Client) {
			slowly := gatewaytest.Description(gatewaytest.App("app/app.csproj", nil))
			var once atomic.Bool
			panicked := make(chan struct{})
			c.Step(gatewaytest.Step{Name: describe, Files: slowly, Do: func(context.Context) error {
				<-panicked
				return nil
			}}, gatewaytest.Step{Name: restore, Do: func(context.Context) error {
				if once.CompareAndSwap(false, true) {
					close(panicked)
					panic("boom")
				}
				return nil
			}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			c := withSpec("project: app/app.csproj")
			change(c)
			_, err := Build(t.Context(), c)
			want{Says: "crosshull panicked: boom, at frontend/build_test.go:…"}.Check(t, err)
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("it has several lines:\n%v", err)
			}
			nothingRuns(t, before, &atomic.Int32{})
		})
	}
}
