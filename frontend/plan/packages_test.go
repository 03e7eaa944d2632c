package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
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
