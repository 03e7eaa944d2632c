package e2e

import (
	"context"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
	_, started := waiting(t, "daemon")
	microsoft(t)
	host, stop, err := theLab.StartEngine(t.Context(), lab.ContainerdStore)
	started()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	setenv(t, "DOCKER_HOST", host)
	setenv(t, "BUILDX_BUILDER", "default")
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

// microsoft makes the lab's registry answer for [lab.MicrosoftRegistry].
func microsoft(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:443")
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: theLab.Registry()})
	srv := httptest.NewUnstartedServer(proxy)
	srv.Listener = ln
	srv.StartTLS()
	t.Cleanup(srv.Close)
}
