package gateway_test

import (
	"context"
	"slices"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

var (
	amd64 = platforms.MustParse("linux/amd64")
	arm64 = platforms.MustParse("linux/arm64")
	armv7 = platforms.MustParse("linux/arm/v7")
)

// open gives the client of a build, which ends with the test.
func open(t *testing.T, c *gatewaytest.Client) *gateway.Client {
	t.Helper()
	gw, err := gateway.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var err error
		if gw.Close(&err); err != nil {
			t.Error(err)
		}
	})
	return gw
}

// ended is a context that has ended.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestNewRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		c    *gatewaytest.Client
		says string
	}{
		{
			"a platform that is none", &gatewaytest.Client{Options: map[string]string{"platform": "linux/"}},
			"failed to parse target platform linux/…",
		},
		{
			"a BuildKit without file operations", &gatewaytest.Client{Lacks: []apicaps.CapID{pb.CapFileBase}},
			"needs BuildKit 0.5 or later…",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := gateway.New(t.Context(), tc.c)
			gatewaytest.Want{Says: tc.says}.Check(t, err)
		})
	}
}

// A platform is one, whatever names it is given and how often: an index has its image once.
func TestPlatformsOnce(t *testing.T) {
	for _, tc := range []struct {
		asked string
		want  []string
		multi bool
	}{
		{"linux/arm64", []string{"linux/arm64"}, false},
		{"linux/arm64,linux/arm64/v8", []string{"linux/arm64"}, true},
		{"linux/arm64/v8,linux/amd64,linux/aarch64,linux/x86_64", []string{"linux/arm64", "linux/amd64"}, true},
		{"linux/arm,linux/arm/v7,linux/arm/v6", []string{"linux/arm/v7", "linux/arm/v6"}, true},
		{"linux/amd64,linux/amd64/v2", []string{"linux/amd64", "linux/amd64/v2"}, true},
	} {
		gw := open(t, &gatewaytest.Client{Options: map[string]string{"platform": tc.asked}})
		other, err := gw.Named("other.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, gw := range []*gateway.Client{gw, other} {
			if got := gateway.Platforms(gw.Targets()); !slices.Equal(got, tc.want) || gw.MultiPlatformRequested != tc.multi {
				t.Errorf("%s: %q, an index: %v", tc.asked, got, gw.MultiPlatformRequested)
			}
		}
	}
}

func TestClient(t *testing.T) {
	gw := open(t, &gatewaytest.Client{
		Options: map[string]string{"filename": "deploy/Dockerfile", "vcs:revision": "abc"},
		Lacks:   []apicaps.CapID{pb.CapMergeOp},
	})
	if got := gw.Opt("vcs:revision"); got != "abc" {
		t.Errorf("option %q", got)
	}
	if caps := gw.Caps(); caps.Supports(pb.CapMergeOp) == nil || caps.Supports(pb.CapDiffOp) != nil {
		t.Error("other capabilities than BuildKit's")
	}
	if got := gateway.Platforms(gw.Targets()); !slices.Equal(got, []string{"linux/amd64"}) {
		t.Errorf("images for %q, want one for the platform that builds", got)
	}
	named, err := gw.Named("crosshull.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := named.Opt("filename"); got != "deploy/crosshull.yaml" {
		t.Errorf("the other file is %q, want it beside the first", got)
	}
	if got := gw.Opt("filename"); got != "deploy/Dockerfile" {
		t.Errorf("the first client names %q now", got)
	}
}

func TestTargets(t *testing.T) {
	gw := open(t, &gatewaytest.Client{Options: map[string]string{"platform": "linux/arm64,linux/arm/v7"}})
	if got := gateway.Platforms(gw.Targets()); !slices.Equal(got, []string{"linux/arm64", "linux/arm/v7"}) {
		t.Errorf("images for %q", got)
	}
	if got := platforms.Format(gw.BuildPlatform()); got != "linux/amd64" {
		t.Errorf("steps run on %s", got)
	}
}

func TestPlatforms(t *testing.T) {
	got := gateway.Platforms([]ocispecs.Platform{{OS: "linux", Architecture: "arm64", Variant: "v8"}, armv7})
	if !slices.Equal(got, []string{"linux/arm64", "linux/arm/v7"}) {
		t.Errorf("%q", got)
	}
}
