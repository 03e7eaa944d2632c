package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/crosshull/crosshull/hack/lab"
)

// A user who is not root, and has Docker with buildx, runs the two commands of the README. Nothing is installed, and no
// lab is set up. The lab's registries stand for the real ones here.
func TestUser(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	t.Run("without an engine", func(t *testing.T) {
		setenv(t, "DOCKER_HOST", "unix:///nonexistent.sock")
		for _, target := range []string{"demo", "test"} {
			out, err := u.make(t, target)
			if err == nil || strings.Contains(out, "golangci-lint") {
				t.Errorf("make %s: %v\n%s", target, err, out)
			}
			wantContains(t, "make "+target, out, "a Docker engine: none answers; start Docker",
				"a lab: only root can set one up, on Debian or Ubuntu")
		}
	})
	inLab := frontendImage(t)
	t.Run("with an engine", func(t *testing.T) {
		useEngine(t, lab.ContainerdStore)
		setenv(t, "CROSSHULL_ENGINE_NETWORK", "host") // it has no other
		t.Run("demo", func(t *testing.T) {
			out, err := u.make(t, "demo")
			if err != nil {
				t.Fatalf("make demo: %v\n%s", err, out)
			}
			wantDemo(t, out)
			wantContains(t, "output", out, "==> Use the Docker engine", "Architecture       X64")
		})
		// Whoever has the sources can make the bits of the frontend's image, on any builder. The demo has compiled it.
		t.Run("the frontend's image", func(t *testing.T) {
			if onEngine := frontendImage(t, "--network", "host"); onEngine != inLab {
				t.Errorf("the frontend of the lab's builder is %s, and that of an engine is %s", inLab, onEngine)
			}
		})
		t.Run("test", func(t *testing.T) {
			// The linters and the other packages are what everybody runs.
			out, err := u.make(t, "test", "--old-file=lint", "ARGS=-only hack/page,hack/e2e/onengine")
			if err != nil {
				t.Fatalf("make test: %v\n%s", err, out)
			}
			wantContains(t, "output", out, "The tests use a Docker engine.\n",
				"Those that need a lab are left out: only root can set one up, on Debian or Ubuntu.\n",
				"pass", "hack/e2e/onengine TestQuickstart\n", "hack/e2e/onengine TestTwoPlatforms\n",
				"TestExamples/privatefeed: the page asks for FEED_URL, which is not set\n",
				" tests, which need the lab (hack/differential/judge, hack/e2e, hack/faults, hack/packages, hack/site/browser). "+
					"To run them, ")
		})
	})
	for _, name := range []string{"lab", "tools"} {
		if exists(t, filepath.Join(u.home, ".cache", "crosshull", name)) {
			t.Errorf("the user has a %s", name)
		}
	}
}

// user is somebody who is not root.
type user struct {
	home string
	env  []string
}

const userID = 54321

func newUser(t *testing.T) *user {
	t.Helper()
	u := &user{home: t.TempDir()}
	plugins := filepath.Join(u.home, ".docker", "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(theLab.Bin("buildx"), filepath.Join(plugins, "docker-buildx")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{u.home, filepath.Join(u.home, ".docker"), plugins} {
		if err := os.Chown(dir, userID, userID); err != nil {
			t.Fatal(err)
		}
	}
	dirs := strings.Fields(command(t, ".", "go", "env", "GOCACHE", "GOMODCACHE", "GOPATH"))
	// The repository is that of root, as are Go's folders.
	u.env = []string{"HOME=" + u.home, "GOCACHE=" + dirs[0], "GOMODCACHE=" + dirs[1], "GOPATH=" + dirs[2],
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}
	return u
}

// ofLab are the variables by which the lab's tests use the lab, and which no user has.
var ofLab = []string{"BUILDKIT_HOST", "BUILDX_BUILDER", "BUILDX_CONFIG", "CROSSHULL_FEED", "CROSSHULL_REGISTRY",
	"DOCKER_CONFIG", "XDG_CACHE_HOME"}

// capDACOverride is the right to read and write all files. It lets the user have Go's caches of root, and the socket of
// the engine, which a group would give.
const capDACOverride = 1

// make runs make in the repository as the user, and gives what it prints.
func (u *user) make(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd, done := prepare(t, root, "make", append([]string{"--no-print-directory"}, args...)...)
	defer done()
	cmd.Env = slices.DeleteFunc(cmd.Env, func(kv string) bool {
		key, _, _ := strings.Cut(kv, "=")
		return slices.Contains(ofLab, key)
	})
	cmd.Env = append(cmd.Env, u.env...)
	asUser(cmd)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func asUser(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: userID, Gid: userID},
		AmbientCaps: []uintptr{capDACOverride},
	}
}
