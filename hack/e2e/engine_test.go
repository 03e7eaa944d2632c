package e2e

import (
	"context"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/crosshull/crosshull/hack/lab"
)

// A Docker engine without the containerd image store builds with the BuildKit that it has in it, which cannot merge,
// and runs what it has built.
func TestEngine(t *testing.T) {
	t.Parallel()
	useEngine(t, lab.GraphStore)
	dir := example(t, "complexapp")
	write(t, dir, "deploy/notes.txt", "notes\n")
	edit(t, dir, "crosshull.yaml", "tests: [tests/libbar.tests]", "tests: {projects: [tests/libbar.tests], gate: true}")
	edit(t, dir, "crosshull.yaml", "\nproject:", "\nfiles: [{from: deploy/notes.txt, to: /notes/}, {to: /data}]\nproject:")
	args := []string{"-f", "crosshull.yaml", "--network", "host", "-t", "complexapp"}
	args = append(args, "--build-context", lab.FrontendImage+"=docker-image://"+theLab.FrontendRef())
	log := build(t, dir, append(args, ".")...)
	wantContains(t, "log", log, "[image linux/amd64] copy app onto base", "dotnet test",
		"naming to docker.io/library/complexapp")
	if strings.Contains(log, "ERROR") {
		t.Errorf("a build that works shows an error:\n%s", log)
	}
	out := command(t, dir, "docker", "run", "--rm", "--network", "none", "complexapp")
	wantContains(t, "output", out, "complexapp on X64")
	id, _ := apart(t, dir, append(args, "--quiet", ".")...) // docker run $(docker build -q .)
	if !digestAlone.MatchString(id) {
		t.Fatalf("--quiet prints %q", id)
	}
	wantContains(t, "output", command(t, dir, "docker", "run", "--rm", "--network", "none", strings.TrimSpace(id)),
		"complexapp on X64")
	out = command(t, dir, "docker", "run", "--rm", "--network", "none", "--entrypoint", "ls", "complexapp", "-ln",
		"/app", "/notes", "/data", "/")
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "----") {
			t.Errorf("a file that nobody can read: %s", line)
		}
	}
	wantContains(t, "files", out, "complexapp.dll", "notes.txt")

	edit(t, dir, "src/complexapp/Program.cs", ";", "; oops")
	failed, err := tryBuild(t, dir, append(args, ".")...)
	if err == nil {
		t.Error("a program with a mistake is built")
	}
	wantContains(t, "error", failed, "error CS", "src/complexapp/Program.cs(")
}

// useEngine starts a Docker engine with a store, and makes docker and buildx use it.
func useEngine(t *testing.T, store string) {
	t.Helper()
	if theLab.LocalImages() {
		if err := serveMicrosoft(); err != nil {
			t.Fatal(err)
		}
	}
	_, started := waiting(t, "daemon")
	host, stop, err := theLab.StartEngine(t.Context(), store)
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
}

// serveMicrosoft makes the lab's registry answer for Microsoft's, from the first test that needs it until all have
// ended. There is one port for it, and tests with an engine run side by side.
var serveMicrosoft = sync.OnceValue(func() error {
	ln, err := net.Listen("tcp", "127.0.0.1:443")
	if err != nil {
		return err
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: theLab.Registry()})
	srv := httptest.NewUnstartedServer(proxy)
	srv.Listener = ln
	srv.StartTLS()
	return nil
})
