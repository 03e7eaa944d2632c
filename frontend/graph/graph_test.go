package graph_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/graph"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
	"github.com/crosshull/crosshull/llb/dotnet"
)

const three = "linux/amd64,linux/arm64,linux/arm/v7"

func makePlan(t *testing.T, c *gatewaytest.Client) *plan.Plan {
	t.Helper()
	p, err := plantest.Plan(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// app is a BuildKit with an app for three platforms, which has large static assets and properties.
func app(properties gatewaytest.Item, spec ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", three)
	c.Spec(spec...)
	c.Say("app/wwwroot/site.css", strings.Repeat("x", 1<<20))
	c.Images[gatewaytest.SDK+"-aot"] = gatewaytest.Multi()
	c.Describe(gatewaytest.App("app/app.csproj", properties))
	return c
}

// commands are the steps in the graph of a state that execute something.
func commands(t *testing.T, p *plan.Plan, st llb.State) []string {
	t.Helper()
	def, err := p.Request.Gateway.Marshal(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		if op.GetExec() != nil {
			names = append(names, def.Metadata[digest.FromBytes(dt)].Description["llb.customname"])
		}
	}
	return names
}

const (
	compile  = "[describe] compile the program that asks MSBuild"
	describe = "[describe] dotnet msbuild -t:ComputeContainerConfig projects"
	restore  = "[restore] dotnet restore app/app.csproj"
	publish  = "[publish] dotnet publish app/app.csproj"
	assets   = "[publish] compress static assets of app/app.csproj"
)

// A graph publishes once for all platforms where it can, and restores once whatever it publishes.
func TestMake(t *testing.T) {
	rids := []string{"linux-arm", "linux-arm64", "linux-x64"}
	for _, tc := range []struct {
		name        string
		properties  gatewaytest.Item
		spec        string
		rids        []string
		launchers   bool
		compression dotnet.Compression
	}{
		{"portable", nil, "", []string{""}, false, dotnet.CompressBeside},
		{"portable, assets before", nil, "", []string{""}, false, dotnet.CompressBefore},
		{"portable, assets within", nil, "", []string{""}, false, dotnet.CompressInPublish},
		{"apphost", nil, "publish: {mode: apphost}", []string{""}, true, dotnet.CompressBeside},
		{"self-contained", gatewaytest.Item{"SelfContained": "true"}, "", rids, false, dotnet.CompressBeside},
		{"aot", gatewaytest.Item{"PublishAot": "true"}, "", rids, false, dotnet.CompressInPublish},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := makePlan(t, app(tc.properties, tc.spec))
			g, err := graph.Make(p, tc.compression)
			if err != nil {
				t.Fatal(err)
			}
			var published []string
			for _, step := range g.Published {
				published = append(published, step.Key)
				want := []string{compile, describe, restore, publish}
				if step.Key != "" {
					want[3] += " -r " + step.Key
				}
				if tc.compression == dotnet.CompressBefore {
					want = append(want, assets)
				}
				got := commands(t, p, step.State)
				if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
					t.Errorf("%q runs\n%q\nwant\n%q", step.Key, got, want)
				}
			}
			if !slices.Equal(published, tc.rids) {
				t.Errorf("published for %q, want %q", published, tc.rids)
			}
			if beside := tc.compression == dotnet.CompressBeside; (g.Assets != nil) != beside {
				t.Errorf("assets beside publish: %v", !beside)
			} else if beside && !slices.Equal(commands(t, p, *g.Assets), []string{restore, assets}) {
				t.Errorf("assets are made by %q", commands(t, p, *g.Assets))
			}
			launchers := []string{restore, "[publish] apphost for linux-arm, linux-arm64, linux-x64"}
			if (g.Launchers != nil) != tc.launchers {
				t.Errorf("launchers: %v", !tc.launchers)
			} else if tc.launchers && !slices.Equal(commands(t, p, *g.Launchers), launchers) {
				t.Errorf("launchers are made by %q", commands(t, p, *g.Launchers))
			}
		})
	}
}

// Equal plans have equal graphs, and to make one runs nothing.
func TestPure(t *testing.T) {
	c := app(nil)
	digests := func() []string {
		p := makePlan(t, c)
		before := len(c.Solved())
		g, err := graph.Make(p, p.Compression)
		if err != nil {
			t.Fatal(err)
		}
		if after := len(c.Solved()); after != before {
			t.Errorf("%d solves", after-before)
		}
		def, err := p.Request.Gateway.Marshal(t.Context(), g.Published[0].State)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, dt := range def.Def {
			all = append(all, digest.FromBytes(dt).String())
		}
		return all
	}
	if first, second := digests(), digests(); !slices.Equal(first, second) {
		t.Errorf("%q\n%q", first, second)
	}
}

// Libraries are compiled apart, by a step that publish waits for.
func TestSlices(t *testing.T) {
	c := app(nil)
	c.Describe(gatewaytest.App("app/app.csproj", nil, "a/a.csproj", "b/b.csproj", "c/c.csproj", "d/d.csproj"))
	p := makePlan(t, c)
	g, err := graph.Make(p, dotnet.CompressInPublish)
	if err != nil {
		t.Fatal(err)
	}
	const build = "[publish] dotnet build a/a.csproj b/b.csproj c/c.csproj d/d.csproj"
	if got := commands(t, p, g.Published[0].State); !slices.Contains(got, build) {
		t.Errorf("publish waits for %q", got)
	}
}
