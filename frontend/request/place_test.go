package request_test

import (
	"errors"
	"testing"

	"github.com/containerd/platforms"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// A key of an app is looked for in the app, then in what all have in common.
func TestPlaces(t *testing.T) {
	c := withSpec(
		"sdk: {version: \"10.0\"}", // line 2
		"publish:",                 // 3
		"  mode: portable",         // 4
		"apps:",                    // 5
		"  web: {project: src/web, base: {image: x}}", // 6
		"  worker: {project: src/worker}",             // 7
	)
	c.Set("target", "web")
	req, err := read(t, c).Choose()
	if err != nil {
		t.Fatal(err)
	}
	for key, line := range map[string]string{
		"project":         "crosshull.yaml:6",
		"base.image":      "crosshull.yaml:6",
		"sdk.version":     "crosshull.yaml:2",
		"publish.mode":    "crosshull.yaml:4",
		"publish.secrets": "crosshull.yaml:6",
		"image.user":      "crosshull.yaml:6",
	} {
		if got := req.Line(key); got != line {
			t.Errorf("%s is at %s, want %s", key, got, line)
		}
		want{Says: line + ": no", At: []string{line}}.Check(t, req.At(key, errors.New("no")))
	}
	if !req.Has("project") || !req.Has("publish.mode") || req.Has("image") {
		t.Error("it has other keys than it has")
	}
	if got := req.Place("publish"); got == nil || got.Ranges[0].Start.Line != 3 {
		t.Errorf("publish is at %v", got)
	}
	if got := req.Place("image"); got != nil {
		t.Errorf("a key that is not there is at %v", got)
	}
	if got := req.BaseKey(); got != "base.image" {
		t.Errorf("the base comes from %s", got)
	}
}

func TestAt(t *testing.T) {
	req := read(t, withSpec("project: app"))
	if err := req.At("project", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	located := req.At("project", gatewaytest.Failed("[publish] x"))
	want{
		Says: `crosshull.yaml:2: process "[publish] x" did not complete successfully: exit code: 1`,
		At:   []string{"crosshull.yaml:2"}, Solve: true,
	}.Check(t, located)
	if again := req.At("sdk", located); again != located { //nolint:errorlint // it is to be the very error
		t.Errorf("what had a place got another: %v", again)
	}
	want{Says: "no"}.Check(t, read(t, &gatewaytest.Client{}).At("project", errors.New("no"))) // without a spec
	if got := read(t, withSpec("base: {family: alpine}")).BaseKey(); got != "base.family" {
		t.Errorf("the base comes from %s", got)
	}
}

// Locate points at a key, and leaves the text as it is.
func TestLocate(t *testing.T) {
	req := read(t, withSpec("project: app"))
	if err := req.Locate("project", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	want{Says: "no", At: []string{"crosshull.yaml:2"}}.Check(t, req.Locate("project", errors.New("no")))
	want{Says: "no"}.Check(t, read(t, &gatewaytest.Client{}).Locate("project", errors.New("no")))
}

// What differs between platforms is of a platform, and a mistake that only one of them makes has its line.
func TestSpecFor(t *testing.T) {
	c := withSpec("args: {TARGETARCH: }", "image: {labels: {arch: \"${TARGETARCH}\", all: x}}", "apps: {a: {project: a}}")
	c.Set("target", "a")
	req, err := read(t, c).Choose()
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		s, err := req.SpecFor(platforms.MustParse("linux/" + arch))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Image.Labels["arch"]; got != arch {
			t.Errorf("%s has the label %s", arch, got)
		}
	}
	if !req.PerPlatform("image.labels.arch") || req.PerPlatform("image.labels.all") {
		t.Error("it says wrongly what differs between platforms")
	}
}

// A value that is a mistake on one platform is told with that platform.
func TestSpecForFails(t *testing.T) {
	req := read(t, withSpec("args: {TARGETARCH: }", "image: {ports: [\"80${TARGETARCH}\"]}"))
	if err := req.Mistakes(); err != nil {
		t.Fatal(err)
	}
	_, err := req.SpecFor(platforms.MustParse("linux/arm64"))
	want{
		Says: `crosshull.yaml:3: image.ports.0 "80arm64" must be a port from 1 to 65535, or a range such as 8000-8010; ` +
			"add /udp or /sctp if the protocol is not TCP, for linux/arm64",
		At: []string{"crosshull.yaml:3"},
	}.Check(t, err)
}
