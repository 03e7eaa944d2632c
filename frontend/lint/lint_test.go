package lint_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	rules "github.com/crosshull/crosshull/frontend/lint"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
)

type want = gatewaytest.Want

const (
	describe = "[describe] dotnet msbuild"
	aot      = gatewaytest.SDK + "-aot"
	deps     = "mcr.microsoft.com/dotnet/runtime-deps:10.0"
)

// app is a BuildKit with an app that has properties, and with a spec.
func app(properties gatewaytest.Item, spec ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(spec...)
	c.Images[deps], c.Images[aot] = gatewaytest.Multi("APP_UID=1654"), gatewaytest.Multi()
	c.Describe(gatewaytest.App("app/app.csproj", properties))
	return c
}

func check(ctx context.Context, t *testing.T, c *gatewaytest.Client) (*lint.LintResults, error) {
	t.Helper()
	c.Set("requestid", lint.RequestLint)
	req, err := plantest.Read(ctx, t, c)
	if err != nil {
		t.Fatal(err)
	}
	return rules.Check(ctx, req)
}

// found are the warnings and the mistake of an answer, each with its place.
func found(t *testing.T, r *lint.LintResults) []string {
	t.Helper()
	var all []string
	for _, w := range r.Warnings {
		at := ""
		if i := w.Location.SourceIndex; i >= 0 {
			at = fmt.Sprintf(" %s:%d", r.Sources[i].Filename, w.Location.Ranges[0].Start.Line)
		}
		all = append(all, w.RuleName+at+" "+w.Detail)
	}
	if r.Error != nil {
		at := &r.Error.Location
		file := r.Sources[at.SourceIndex].Filename
		all = append(all, fmt.Sprintf("error %s:%d %s", file, at.Ranges[0].Start.Line, r.Error.Message))
	}
	return all
}

// etcOf gives the base files that list users.
func etcOf(c *gatewaytest.Client) {
	c.Step(gatewaytest.Step{Name: "docker-image://" + gatewaytest.Runtime, Files: fstest.MapFS{
		"etc/passwd": {Data: []byte("app:x:1654:1654::/home/app:/bin/sh\n")}, "etc/group": {Data: []byte("app:x:1654:\n")},
	}})
}

func TestCheck(t *testing.T) {
	const refused = "unexpected status from HEAD request: 401 Unauthorized"
	const root = "the app runs as root, though mcr.microsoft.com/dotnet/runtime:10.0 has user 1654 for it: set " +
		"image.user to 1654"
	failed := gatewaytest.Failed(describe+" app", "/diagnostics")
	isAOT := gatewaytest.Item{"PublishAot": "true"}
	two := []string{"apps:", "  a: {project: a, image: {user: root}}", "  b: {project: b, image: {user: root}}"}
	describeTwo := func(c *gatewaytest.Client) {
		c.Describe(gatewaytest.App("a/a.csproj", nil), gatewaytest.App("b/b.csproj", nil))
	}
	for _, tc := range []struct {
		name   string
		c      *gatewaytest.Client
		target string
		change func(*gatewaytest.Client)
		want   []string
	}{
		{name: "nothing", c: app(nil)},
		{name: "a find", c: app(nil, "image: {user: root}"), want: []string{"RootUser crosshull.yaml:2 " + root}},
		{name: "users", c: app(nil, "image:", "  user: app", "  users: [{name: app, uid: 1654}]"), change: etcOf,
			want: []string{"UserInBase crosshull.yaml:4 mcr.microsoft.com/dotnet/runtime:10.0 has the user app with this " +
				"number: leave the entry out"}},
		{name: "a user of nobody", c: app(nil, "image:", "  user: app", "  groups: [{name: app, gid: 7}]"), change: etcOf,
			want: []string{"error crosshull.yaml:4 crosshull.yaml:4: image.groups.0.gid: the image has a group app with the " +
				"number 1654: write gid: 1654, or choose another name"}},
		{name: "a group of a package", c: app(nil, "base: {packages: [cron=3.0]}", "image:",
			"  users: [{name: shop, uid: 10001, groups: [crontab]}]", "  user: shop"), change: etcOf},
		{name: "packages of no day", c: app(nil, "base: {packages: [cron]}"), want: []string{
			"CachedPackages crosshull.yaml:2 BuildKit keeps the packages of the first build while the base, the SDK and the " +
				"list are the same: build with --no-cache-filter packages now and then, or set base.packages.snapshot",
		}},
		{name: "a find that is skipped in a long line, after a tab", c: app(nil, "#\tcheck=skip="+
			strings.Repeat("UnusedArg,", 40)+"RootUser", "image: {user: root}")},
		{name: "tests of no gate beside files alone", c: app(nil, "project: none", "base: {image: example.com/base:1}",
			"files: [{from: app, to: /app}]", "image: {entrypoint: [/app]}", "tests: [t]"), change: func(c *gatewaytest.Client) {
			c.Images["example.com/base:1"] = gatewaytest.Multi("APP_UID=7")
			c.Describe(gatewaytest.Test("t/t.csproj"))
		}},
		{name: "a find that is skipped", c: app(nil, "# check=skip=RootUser", "image: {user: root}")},
		{name: "a find in a project", c: app(gatewaytest.Item{"ContainerUser": "root"}), change: func(c *gatewaytest.Client) {
			c.Say("app/app.csproj", "<Project>", "<ContainerUser>root</ContainerUser>", "</Project>")
		}, want: []string{"RootUser app/app.csproj:2 app/app.csproj:2: " + root}},
		{name: "a lock file", c: app(nil), change: func(c *gatewaytest.Client) {
			c.Say("packages.lock.json", "{}")
			c.Say("app/packages.lock.json", "{}")
		}, want: []string{
			"LockFileNotEnforced crosshull.yaml:1 if app/packages.lock.json does not fit the projects, restore takes " +
				"other versions, and you do not see it: set nuget.locked-mode: true",
		}},
		{name: "a spec that names no frontend", c: app(nil), change: func(c *gatewaytest.Client) {
			c.Set("source", "localhost:5000/crosshull:1")
			c.Say("crosshull.yaml", "project: app")
		}, want: []string{
			"MissingSyntax crosshull.yaml:1 no frontend is named, so the file is read as a Dockerfile unless BUILDKIT_SYNTAX " +
				"names one: write # syntax=localhost:5000/crosshull:1 into line 1",
		}},
		{name: "an argument of nobody", c: app(nil), change: func(c *gatewaytest.Client) { c.Set("build-arg:A", "1") }},
		{name: "all apps", c: app(nil, two...), change: describeTwo, want: []string{
			"RootUser crosshull.yaml:3 " + root, "RootUser crosshull.yaml:4 " + root,
		}},
		{name: "one of them", target: "b", c: app(nil, two...), change: describeTwo, want: []string{
			"RootUser crosshull.yaml:4 " + root,
		}},
		{name: "a base without a platform", c: app(nil), change: func(c *gatewaytest.Client) {
			c.Set("platform", "linux/amd64,linux/s390x")
		}, want: []string{"PlatformMissing crosshull.yaml:1 mcr.microsoft.com/dotnet/runtime:10.0 has no image for " +
			"linux/s390x: use linux/amd64, linux/arm64, linux/arm/v7, or another base"}},
		{name: "a test in the place of an app", c: app(nil, "project: t"), change: func(c *gatewaytest.Client) {
			c.Describe(gatewaytest.Refused(gatewaytest.Test("t/t.csproj")))
		}, want: []string{
			"TestProject crosshull.yaml:2 t/t.csproj is a test project, which is not published: name an app here, " +
				"and this one in tests",
		}},
		{name: "AOT", c: app(gatewaytest.Item{"PublishAot": "true", "ContainerBaseImage": deps})},

		{name: "a mistake of the spec", c: app(nil, "projct: x"), want: []string{
			`error crosshull.yaml:2 crosshull.yaml:2: unknown key "projct", did you mean "project"?`,
		}},
		{name: "rules that are none", c: app(nil, "# check=skip"), want: []string{
			`error crosshull.yaml:2 crosshull.yaml:2: # check: invalid check option "skip"`,
		}},
		{name: "a mode that cannot be", c: app(nil, "publish: {mode: [portable, aot]}"), want: []string{
			"error crosshull.yaml:2 crosshull.yaml:2: publish.mode: portable cannot be combined with other modes: " +
				"keep it for one output for all platforms, or remove it to publish for each platform",
		}},
		{name: "no such project", c: app(nil, "project: x"), want: []string{
			"error crosshull.yaml:2 crosshull.yaml:2: there is no x in the context, or an ignore file leaves it out: the " +
				"context has app/app.csproj",
		}},
		{name: "a project that MSBuild refuses", c: app(nil, "project: app"), change: func(c *gatewaytest.Client) {
			c.Step(gatewaytest.Step{Name: describe, Err: failed})
		}, want: []string{"error crosshull.yaml:2 describe the project: " + failed.Error()}},
		{name: "no SDK", c: app(nil, "sdk: {version: \"1\"}"), want: []string{
			"error crosshull.yaml:2 crosshull.yaml:2: SDK image: mcr.microsoft.com/dotnet/sdk:1: not found",
		}},
		{name: "a registry that refuses", c: app(nil, "base: {family: noble}"), change: func(c *gatewaytest.Client) {
			c.Images[gatewaytest.Runtime] = gatewaytest.Image{Err: errors.New(refused)}
		}, want: []string{"error crosshull.yaml:2 crosshull.yaml:2: base image: " + gatewaytest.Runtime + ": " + refused}},
		{name: "a registry that sends control characters", c: app(nil, "base: {family: noble}"),
			change: func(c *gatewaytest.Client) {
				c.Images[gatewaytest.Runtime] = gatewaytest.Image{Err: errors.New(refused + "\x1b[2J")}
			}, want: []string{
				"error crosshull.yaml:2 crosshull.yaml:2: base image: " + gatewaytest.Runtime + ": " + refused + `\x1b[2J`,
			}},
		{name: "no toolchain", c: app(isAOT, "sdk: {toolchain: example.com/none:1}"), want: []string{
			"error crosshull.yaml:2 crosshull.yaml:2: AOT needs an SDK with a linker, example.com/none:1: " +
				"example.com/none:1: not found",
		}},
		{name: "an SDK without a toolchain", c: app(isAOT, "sdk: {image: example.com/sdk:1}"),
			change: func(c *gatewaytest.Client) { c.Images["example.com/sdk:1"] = gatewaytest.Multi() }, want: []string{
				"error crosshull.yaml:2 crosshull.yaml:2: AOT needs an SDK with a linker, and example.com/sdk:1 has no " +
					"known variant with one: name an image in sdk.toolchain",
			}},
		{name: "a base that cannot be looked into", c: app(gatewaytest.Item{
			"PublishAot": "true", "ContainerBaseImage": "example.com/base:1",
		}), change: func(c *gatewaytest.Client) {
			c.Images["example.com/base:1"] = gatewaytest.Multi("APP_UID=7")
			c.Step(gatewaytest.Step{Name: "docker-image://example.com", Err: errors.New(refused)})
		}, want: []string{
			"error crosshull.yaml:1 crosshull.yaml:1: look for the C library of example.com/base:1: " + refused,
		}},
		{name: "an app for another machine", c: app(gatewaytest.Item{"PlatformTarget": "x64"}),
			change: func(c *gatewaytest.Client) { c.Set("platform", "linux/amd64,linux/arm64") }, want: []string{
				"error crosshull.yaml:1 crosshull.yaml:1: app/app.csproj has PlatformTarget x64, so it does not start on " +
					"linux-arm64: leave PlatformTarget out of the project, or set it to AnyCPU in publish.properties, or build " +
					"for the platform that it names",
			}},
		{name: "tests that are none", c: app(nil, "tests: [app]"), change: func(c *gatewaytest.Client) {
			none := gatewaytest.Refused(gatewaytest.App("app/app.csproj", nil))
			c.Step(gatewaytest.Step{Name: describe + " -t:ComputeContainerConfig app", Files: gatewaytest.Description(none)})
		}, want: []string{
			"error crosshull.yaml:2 crosshull.yaml:2: no test project in app: a test references Microsoft.NET.Test.Sdk, " +
				"but there is only app/app.csproj (an app)",
		}},
		{name: "tests alone", c: app(nil, "tests: [t]"), target: "test", change: func(c *gatewaytest.Client) {
			c.Describe(gatewaytest.Test("t/t.csproj"))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.c.Set("target", tc.target)
			if tc.change != nil {
				tc.change(tc.c)
			}
			r, err := check(t.Context(), t, tc.c)
			if err != nil {
				t.Fatal(err)
			}
			if got := found(t, r); !slices.Equal(got, tc.want) {
				t.Errorf("found\n%q\nwant\n%q", got, tc.want)
			}
		})
	}
}

// The answer has the files that it points into. A terminal shows their lines, and obeys none.
func TestCheckShowsFiles(t *testing.T) {
	c := app(gatewaytest.Item{"ContainerUser": "root"})
	c.Say("app/app.csproj", "\ufeff<Project>\r", "\t<ContainerUser>root</ContainerUser> <!-- \x1b[2J -->\r",
		"</Project>\r")
	r, err := check(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	const want = "<Project>\n\t<ContainerUser>root</ContainerUser> <!-- \\x1b[2J -->\n</Project>\n"
	if !slices.ContainsFunc(r.Sources, func(s *pb.SourceInfo) bool { return string(s.Data) == want }) {
		t.Errorf("it shows %q", r.Sources)
	}
}

// What has no place cannot be part of the answer.
func TestCheckFails(t *testing.T) {
	for _, tc := range []struct {
		name string
		c    *gatewaytest.Client
		want want
	}{
		{"no such target", app(nil), want{Says: `target "x" does not exist: use image, publish, sbom, sdk`}},
		{"a context that is not sent", app(nil), want{Says: "read the context: no session"}},
		{"a command that makes no sense", app(gatewaytest.Item{"ContainerAppCommandInstruction": "Run"}), want{
			Says: "app/app.csproj: ContainerAppCommandInstruction Run is not known: use Entrypoint, DefaultArgs or None",
		}},
		{"no spec, and no project", &gatewaytest.Client{
			Options: map[string]string{}, Images: app(nil).Images,
			Steps: []gatewaytest.Step{{Name: describe, Files: gatewaytest.Description(gatewaytest.Answer{})}},
		}, want{Says: "no .NET project in the context: …"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			switch tc.name {
			case "no such target":
				tc.c.Set("target", "x")
			case "a context that is not sent":
				tc.c.Step(gatewaytest.Step{Name: "local://context", Err: errors.New("no session")})
			}
			_, err := check(t.Context(), t, tc.c)
			tc.want.Check(t, err)
		})
	}
	t.Run("canceled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := app(nil)
		c.Step(gatewaytest.Step{Name: "local://context", Files: c.Context, Do: func(ctx context.Context) error {
			cancel()
			return ctx.Err()
		}})
		_, err := check(ctx, t, c)
		want{Says: "read the context: context canceled", Canceled: true}.Check(t, err)
	})
}

// A check restores and compiles nothing, and begins nothing.
func TestCheckRunsLittle(t *testing.T) {
	c := app(nil, "tests: [t]")
	c.Context["t/t.csproj"] = &fstest.MapFile{Data: []byte("<Project />")}
	if _, err := check(t.Context(), t, c); err != nil {
		t.Fatal(err)
	}
	for _, name := range c.Ran() {
		for _, phase := range []string{"[restore]", "[publish]", "[test]"} {
			if len(name) > len(phase) && name[:len(phase)] == phase {
				t.Errorf("it ran %s", name)
			}
		}
	}
}
