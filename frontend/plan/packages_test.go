package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
)

// Each image gets the packages of the spec for its platform, and the layer of them is the first.
func TestPackages(t *testing.T) {
	p := makePlan(t, build(three, nil, "base:", "  packages:", "    install: [tzdata, curl, curl]",
		"    only: {arm64: [libarm], linux/arm/v7: [libv7], amd64: [libx]}", "    snapshot: 2026-11-01T00:00:00Z",
		"    sources: {tools: deb https://example.com/ ./}", "    keys: {tools: tools.asc}", "    skip-scripts: [curl]"))
	want := map[string]string{
		"linux/amd64": "curl libx tzdata", "linux/arm64": "curl libarm tzdata", "linux/arm/v7": "curl libv7 tzdata",
	}
	for _, target := range p.Targets {
		platform := platforms.Format(target.Platform)
		if got := strings.Join(target.Packages.Install, " "); got != want[platform] {
			t.Errorf("%s: packages %s, want %s", platform, got, want[platform])
		}
		if target.Packages.Snapshot.Year() != 2026 || target.Packages.Sources[0].Key != "tools.asc" ||
			!slices.Equal(target.Packages.SkipScripts, []string{"curl"}) {
			t.Errorf("%s: %+v", platform, target.Packages.Packages)
		}
		if target.Layers[0].Name != "os-packages" {
			t.Errorf("%s: the first layer is %s", platform, target.Layers[0].Name)
		}
	}
}

func TestNoPackages(t *testing.T) {
	p := makePlan(t, build(three, nil))
	for _, target := range p.Targets {
		if target.Packages != nil || target.Layers[0].Name == "os-packages" {
			t.Errorf("%s has OS packages", platforms.Format(target.Platform))
		}
	}
}

// Packages for some platforms alone leave the others as they are.
func TestPackagesOnly(t *testing.T) {
	p := makePlan(t, build(three, nil, "base: {packages: {only: {arm64: [libarm]}}}"))
	for _, target := range p.Targets {
		if has := target.Packages != nil; has != (target.Platform.Architecture == "arm64") {
			t.Errorf("%s has OS packages: %t", platforms.Format(target.Platform), has)
		}
	}
}

// A base without apt is an error before anything runs, if its name tells.
func TestPackagesWithoutApt(t *testing.T) {
	const runtime = "mcr.microsoft.com/dotnet/runtime:10.0-"
	for _, tc := range []struct{ image, why string }{
		{"scratch", "it is empty"},
		{runtime + "noble-chiseled", "it has no apt"},
		{runtime + "alpine3.22", "it is an image of Alpine"},
		{runtime + "azurelinux3.0", "its packages are RPM"},
		{"registry.example.com/chiseled/dotnet:10.0", ""},
	} {
		c := build("linux/amd64", gatewaytest.Item{"ContainerBaseImage": tc.image, "PublishAot": "true",
			"StaticExecutable": "true"}, "base: {image: '"+tc.image+"',", "  packages: [curl]}")
		c.Images[tc.image] = gatewaytest.Multi()
		c.Images["mcr.microsoft.com/dotnet/sdk:10.0-alpine-aot"] = gatewaytest.Multi()
		_, err := plantest.Plan(t.Context(), t, c)
		if tc.why == "" && err == nil {
			continue
		}
		want := "crosshull.yaml:3: packages cannot be installed on " + tc.image + ": " + tc.why
		if err == nil || tc.why == "" || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", tc.image, err, want)
		}
	}
}
