package gateway_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// A warning points into the file that it is about. Where there is none, an empty one stands for it, which has to be
// part of the build: BuildKit shows a warning with its vertex.
func TestWarn(t *testing.T) {
	c := gatewaytest.Console()
	gw := open(t, c)
	src, err := gw.ReadEntrypoint(t.Context(), "YAML")
	if err != nil {
		t.Fatal(err)
	}
	gw.Warn(t.Context(), src, "crosshull.yaml", "of the spec", client.WarnOpts{})
	gw.Warn(t.Context(), nil, "crosshull.yaml", "of no spec", client.WarnOpts{Level: 1})
	warned := c.Warned()
	if len(warned) != 2 || warned[0].Message != "of the spec" || warned[1].Message != "of no spec" {
		t.Fatalf("warned of %q", c.Warnings())
	}
	if got := warned[0].SourceInfo.GetFilename(); got != "crosshull.yaml" {
		t.Errorf("the first points at %q", got)
	}
	if ran := strings.Join(c.Ran(), "\n"); !strings.Contains(ran, "[internal] default spec") {
		t.Errorf("the second has no vertex:\n%s", ran)
	}
}

// A warning shows what others wrote: names of files, and what MSBuild says. A terminal would obey it, and gRPC refuses
// text that is not UTF-8.
func TestWarnIsPrintable(t *testing.T) {
	c := gatewaytest.Console()
	open(t, c).Warn(t.Context(), nil, "crosshull.yaml", "a\x1b[2Jb \xff:\n\tc", client.WarnOpts{})
	if got := c.Warnings(); len(got) != 1 || got[0] != "a\\x1b[2Jb \\xff:\n\tc" {
		t.Errorf("warned of %q", got)
	}
}

// A warning that cannot be shown is none.
func TestWarnFails(t *testing.T) {
	c := &gatewaytest.Client{}
	c.Step(gatewaytest.Step{Name: "[internal] default spec", Err: errors.New("no space left")})
	open(t, c).Warn(t.Context(), nil, "crosshull.yaml", "of no spec", client.WarnOpts{})
	if got := c.Warnings(); len(got) > 0 {
		t.Errorf("warned of %q", got)
	}
}
