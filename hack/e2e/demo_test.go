package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/lab"
)

// make demo uses the lab where no engine answers.
func TestDemo(t *testing.T) {
	setenv(t, "DOCKER_HOST", "unix:///nonexistent.sock")
	out := demo(t)
	wantContains(t, "output", out, "==> Set up the lab", "Architecture       X64", "Architecture       Arm64")
}

// make demo uses the Docker engine that is there, installs nothing, and needs no registry. This engine has the
// containerd image store, which holds several platforms.
func TestDemoOnEngine(t *testing.T) {
	useEngine(t, lab.ContainerdStore)
	out := demo(t, "ARGS=-network host")
	wantContains(t, "output", out, "==> Use the Docker engine", "Architecture       X64")
}

// demo runs make demo, and gives its output.
func demo(t *testing.T, args ...string) string {
	t.Helper()
	out := strings.TrimSpace(command(t, root, "make", append([]string{"--no-print-directory", "demo"}, args...)...))
	lines := strings.Split(out, "\n")
	last := lines[len(lines)-1]
	if !regexp.MustCompile(`^demo: \S*aspnetapp@sha256:[0-9a-f]{64}$`).MatchString(last) {
		t.Errorf("last line %q", last)
	}
	wantContains(t, "output", out, "linux/amd64", "linux/arm64", "linux/arm/v7", "the same in all 3 images",
		"org.opencontainers.image.base.name=mcr.microsoft.com/dotnet/aspnet:10.0")
	return out
}
