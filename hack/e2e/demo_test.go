package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// make demo uses the lab where no engine answers.
func TestDemo(t *testing.T) {
	t.Parallel()
	setenv(t, "DOCKER_HOST", "unix:///nonexistent.sock")
	out := command(t, root, "make", "--no-print-directory", "demo")
	wantDemo(t, out)
	wantContains(t, "output", out, "==> Set up the lab", "none answers; start Docker",
		"Architecture       X64", "Architecture       Arm64")
}

// wantDemo holds the output of make demo against what all demos show.
func wantDemo(t *testing.T, out string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	last := lines[len(lines)-1]
	if !regexp.MustCompile(`^demo: \S*aspnetapp@sha256:[0-9a-f]{64}$`).MatchString(last) {
		t.Errorf("last line %q", last)
	}
	wantContains(t, "output", out, "linux/amd64", "linux/arm64", "linux/arm/v7", "the same in all 3 images",
		"org.opencontainers.image.base.name=mcr.microsoft.com/dotnet/aspnet:10.0")
}
