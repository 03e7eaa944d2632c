package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan"
)

// written are layers in short: what can be there but probably is not in brackets, what is shared with a star.
func written(layers []plan.Layer) string {
	var all []string
	for _, l := range layers {
		text := l.Name
		if l.Shared {
			text += "*"
		}
		if l.Maker != plan.ByPublish {
			text += fmt.Sprint("/", l.Maker)
		}
		if !l.Expected {
			text = "(" + text + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// The layers of an image are known before the build, as far as they can be.
func TestLayers(t *testing.T) {
	packages, app := build("linux/amd64", nil), gatewaytest.App("app/app.csproj", nil)
	app.Packages = true
	packages.Describe(app)
	large := strings.Repeat("x", 1<<20)
	for _, tc := range []struct {
		name  string
		c     *gatewaytest.Client
		files map[string]string
		want  string
	}{
		{"portable", build("linux/amd64", nil), nil,
			"(packages*) (packages-preview*) (runtimes) (projects*) (assets*) app*"},
		{"packages", packages, nil,
			"packages* packages-preview* runtimes (projects*) (assets*) app*"},
		{"assets", build("linux/amd64", nil), map[string]string{"app/wwwroot/a.css": "x"},
			"(packages*) (packages-preview*) (runtimes) (projects*) assets* app*"},
		{"large assets", build("linux/amd64", nil), map[string]string{"app/wwwroot/a.css": large},
			"(packages*) (packages-preview*) (runtimes) (projects*) assets*/1 app*"},
		{"large assets for each platform", build("linux/amd64", gatewaytest.Item{"SelfContained": "true"}),
			map[string]string{"app/wwwroot/a.css": large},
			"(packages) (packages-preview) (runtimes) (projects) assets*/1 app"},
		{"files of the spec", build("linux/amd64", nil, "files: [{to: /data}]"), nil,
			"(packages*) (packages-preview*) (runtimes) (projects*) (assets*) files*/3 app*"},
		{"files of a user for each platform", build("linux/amd64", nil, "args: {TARGETARCH: }", "files: [{to: /data}]",
			"image: {user: '1${TARGETARCH}'}"), nil,
			"(packages*) (packages-preview*) (runtimes) (projects*) (assets*) files/3 app*"},
		{"files of root, and that user", build("linux/amd64", nil, "args: {TARGETARCH: }", "files: [{to: /a, from: app}]",
			"image: {user: '1${TARGETARCH}'}"), nil,
			"(packages*) (packages-preview*) (runtimes) (projects*) (assets*) files*/3 app*"},
		{"launchers", build("linux/amd64", nil, "publish: {mode: apphost}"), nil,
			"(packages*) (packages-preview*) (runtimes) (projects*) (assets*) launcher/2 app*"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for name, text := range tc.files {
				tc.c.Say(name, text)
			}
			p := makePlan(t, tc.c)
			if got := written(p.Targets[0].Layers); got != tc.want {
				t.Errorf("%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// The layers of a platform hold what that platform can use.
func TestFoldersOfLayers(t *testing.T) {
	p := makePlan(t, build("linux/arm64", nil, "publish: {mode: apphost}"))
	for _, l := range p.Targets[0].Layers {
		want := l.Name
		switch l.Name {
		case "runtimes":
			want = "runtimes/linux-arm64 runtimes/linux runtimes/unix-arm64 runtimes/unix runtimes/any runtimes/base"
		case "launcher":
			want = "linux-arm64"
		}
		if got := strings.Join(l.Folders, " "); got != want {
			t.Errorf("%s holds %s, want %s", l.Name, got, want)
		}
	}
}

// A layer of projects is there where the app references some.
func TestLayerOfProjects(t *testing.T) {
	c := build("linux/amd64", nil)
	c.Describe(gatewaytest.App("app/app.csproj", nil, "lib/lib.csproj"))
	for _, l := range makePlan(t, c).Targets[0].Layers {
		if l.Name == "projects" && !l.Expected {
			t.Error("it is not expected")
		}
	}
}
