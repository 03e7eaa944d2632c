package result_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
	"github.com/crosshull/crosshull/frontend/result"
)

type want = gatewaytest.Want

const (
	deps    = "mcr.microsoft.com/dotnet/runtime-deps:10.0"
	three   = "linux/amd64,linux/arm64,linux/arm/v7"
	publish = "[publish] dotnet publish"
	project = "app/app.csproj"
)

// app is a BuildKit with an app that has properties, for platforms and with a spec.
func app(platforms string, properties gatewaytest.Item, spec ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", platforms)
	c.Spec(spec...)
	c.Images[deps], c.Images[gatewaytest.SDK+"-aot"] = gatewaytest.Multi("APP_UID=1654"), gatewaytest.Multi()
	c.Describe(gatewaytest.App(project, properties))
	return c
}

// build gives what the target gives.
func build(ctx context.Context, t *testing.T, c *gatewaytest.Client) (*client.Result, error) {
	t.Helper()
	p, err := plantest.Plan(ctx, t, c)
	if err != nil {
		t.Fatal(err)
	}
	return result.Build(ctx, p)
}

// export builds, and has BuildKit make all of the result, as an exporter does.
func export(t *testing.T, c *gatewaytest.Client) *client.Result {
	t.Helper()
	res, err := build(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.EachRef(func(ref client.Reference) error { return ref.Evaluate(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	return res
}

// commands count the steps that ran and executed something, by their names.
func commands(c *gatewaytest.Client) map[string]int {
	count := map[string]int{}
	for _, name := range c.Ran() {
		for _, command := range []string{"dotnet ", "apphost ", "compress "} {
			if _, what, ok := strings.Cut(name, "] "); ok && strings.HasPrefix(what, command) {
				count[name]++
			}
		}
	}
	return count
}

// merges count the vertices that put an image together.
func merges(c *gatewaytest.Client) (n int) {
	for _, name := range c.Ran() {
		if strings.HasSuffix(name, "] merge base and app") {
			n++
		}
	}
	return n
}

// Three platforms take one publish where they can share it, and one each where they cannot. Whatever the mode, MSBuild
// is asked once, and packages are restored once.
func TestStepsOfModes(t *testing.T) {
	const app1 = publish + " " + project
	each := []string{app1 + " -r linux-arm", app1 + " -r linux-arm64", app1 + " -r linux-x64"}
	once := []string{app1}
	for _, tc := range []struct {
		mode       string
		properties gatewaytest.Item
		want       []string
	}{
		{"portable", nil, once},
		{"apphost", nil, append(once, "[publish] apphost for linux-arm, linux-arm64, linux-x64")},
		{"self-contained", gatewaytest.Item{"SelfContained": "true"}, each},
		{"single-file", gatewaytest.Item{"PublishSingleFile": "true"}, each},
		{"ready-to-run", gatewaytest.Item{"PublishReadyToRun": "true"}, each},
		{"trimmed", gatewaytest.Item{"PublishTrimmed": "true"}, each},
		{"aot", gatewaytest.Item{"PublishAot": "true"}, each},
	} {
		t.Run(tc.mode, func(t *testing.T) {
			c := app(three, tc.properties)
			if tc.mode == "apphost" {
				c.Spec("publish: {mode: apphost}")
			}
			res := export(t, c)
			want := map[string]int{
				"[describe] dotnet msbuild -t:ComputeContainerConfig projects": 1, "[restore] dotnet restore " + project: 1,
			}
			for _, name := range tc.want {
				want[name] = 1
			}
			if got := commands(c); !maps.Equal(got, want) {
				t.Errorf("ran %v\nwant %v", got, want)
			}
			if n := merges(c); n != 3 || len(res.Refs) != 3 {
				t.Errorf("%d images, %d results", n, len(res.Refs))
			}
		})
	}
}

// What a platform adds to a build that shares all is what its image alone has.
func TestPlatformsShare(t *testing.T) {
	ran := func(platforms string) []string {
		c := app(platforms, nil, "files: [{from: a.txt, to: /app/a.txt}]")
		c.Say("a.txt", "x")
		export(t, c)
		names := c.Ran()
		return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "[summary]") })
	}
	one, all := ran("linux/amd64"), ran(three)
	more := map[string]int{}
	for _, name := range all {
		more[name]++
	}
	for _, name := range one {
		more[name]--
	}
	for name, n := range more {
		own := strings.HasPrefix(name, "[image linux/") || strings.HasPrefix(name, "docker-image://")
		if n != 0 && !own {
			t.Errorf("%d more of %s", n, name)
		}
	}
}
