package result_test

import (
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/report"
)

// onDebian is a BuildKit whose base has apt, which installs two packages.
func onDebian(platforms string, spec ...string) *gatewaytest.Client {
	c := app(platforms, nil, spec...)
	c.Step(gatewaytest.Step{Name: "docker-image://" + gatewaytest.Runtime, Files: fstest.MapFS{
		"usr/bin":         {Mode: fs.ModeDir | 0o755},
		"usr/bin/apt-get": {Mode: 0o755},
		"etc/os-release":  {Data: []byte("NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n"), Mode: 0o644},
	}})
	for _, arch := range []string{"amd64", "arm64"} {
		c.Step(gatewaytest.Step{Name: "[packages linux/" + arch + "] apt-get download", Files: fstest.MapFS{
			"packages.json": {Mode: 0o644, Data: []byte(`[
				{"package": "curl", "version": "1:7.88+b1", "architecture": "` + arch + `", "source": "", "sha256": "0a"},
				{"package": "tzdata", "version": "2026a", "architecture": "all", "source": "zones", "sha256": "0b"}]`)},
		}})
	}
	return c
}

const withPackages = "base: {packages: {install: [curl], skip-scripts: [curl, none]}}"

// The report lists what was installed, and the scripts that may not have run. Those of the build platform ran.
func TestPackagesInReport(t *testing.T) {
	c := onDebian("linux/amd64,linux/arm64", withPackages)
	r := told(t, export(t, c))
	says := "base.packages.skip-scripts has no effect for none: it is not installed"
	if got := c.Warnings(); !slices.Equal(got, []string{says}) {
		t.Errorf("warned of %q", got)
	}
	for _, image := range r.Apps[0].Images {
		arch := strings.TrimPrefix(image.Platform, "linux/")
		want := &report.Packages{Install: []string{"curl"}, Installed: []report.Package{
			{Name: "curl", Version: "1:7.88+b1", Architecture: arch, SHA256: "0a"},
			{Name: "tzdata", Version: "2026a", Architecture: "all", SHA256: "0b"},
		}}
		if arch == "arm64" {
			want.SkippedScripts = []string{"curl"}
		}
		if !reflect.DeepEqual(image.Packages, want) {
			t.Errorf("%s: packages %+v, want %+v", arch, image.Packages, want)
		}
	}
	if last := r.Steps[len(r.Steps)-1]; last.Name != "packages" {
		t.Errorf("steps %v", r.Steps)
	}
}

func TestNoPackagesInReport(t *testing.T) {
	r := told(t, export(t, app("linux/amd64", nil)))
	if got := r.Apps[0].Images[0].Packages; got != nil {
		t.Errorf("packages %+v", got)
	}
	for _, s := range r.Steps {
		if s.Name == "packages" {
			t.Errorf("steps %v", r.Steps)
		}
	}
}

// The bill of materials lists the packages of the distribution, with its name. Nothing is installed for that.
func TestPackagesInDocument(t *testing.T) {
	c := onDebian("linux/arm64", withPackages)
	c.Set("target", "sbom")
	c.Step(restored(assets))
	text := written(t, export(t, c).Ref)
	for _, want := range []string{
		"pkg:deb/debian/curl@1:7.88%2Bb1?arch=arm64&distro=debian-12", `"checksumValue": "0a"`,
		"pkg:deb/debian/tzdata@2026a?arch=all&distro=debian-12&upstream=zones",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for _, name := range c.Ran() {
		if strings.Contains(name, "install curl") || strings.Contains(name, "unpack") {
			t.Errorf("%s ran", name)
		}
	}
}

// Packages go onto an image of files alone, too. The program that installs them runs on the SDK.
func TestPackagesWithoutProject(t *testing.T) {
	c := onDebian("linux/amd64", "project: none", "base: {image: '"+gatewaytest.Runtime+"', packages: [curl]}")
	r := told(t, export(t, c))
	if got := r.Apps[0].Images[0].Packages; got == nil || len(got.Installed) != 2 {
		t.Errorf("packages %+v", got)
	}
	if !slices.Contains(c.Ran(), "[packages] compile the program that installs packages") {
		t.Errorf("ran %q", c.Ran())
	}
}
