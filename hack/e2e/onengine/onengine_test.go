// Package onengine tests crosshull with the Docker engine of this machine, as a user has it: it needs no root and no
// lab, installs nothing, and images come from their own registries. make test runs it where there is no lab.
package onengine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/machine"
	"github.com/crosshull/crosshull/hack/suite"
)

var (
	root = filepath.Join("..", "..", "..")

	engine *machine.Docker
	dir    string // of the frontend
)

// prefix begins the names of images that the tests leave in the engine until they end.
const prefix = "crosshull-test/"

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "onengine:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	here, err := machine.Look(ctx)
	if err != nil {
		return 1, err
	}
	if _, err := here.Choose(machine.Engine); err != nil {
		return 1, err
	}
	if engine, err = machine.FindDocker(ctx); err != nil {
		return 1, err
	}
	if dir, err = os.MkdirTemp("", "crosshull-onengine-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	args := engine.Frontend(dir)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the frontend image: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// patience is how long a test waits for one command. It is less than the limit that make test has for a test.
const patience = 10 * time.Minute

// try runs a command in a folder, and gives what it prints.
func try(t *testing.T, in string, command ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.WaitDelay = 10 * time.Second
	cmd.Dir, cmd.Env = in, append(os.Environ(), "BUILDKIT_PROGRESS=plain")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	kind := "command"
	if slices.Contains(command, "build") {
		kind = "build"
	}
	t.Attr(suite.Attr(kind, time.Since(began)))
	return string(out), err
}

// must is try for a command that may not fail.
func must(t *testing.T, in string, command ...string) string {
	t.Helper()
	out, err := try(t, in, command...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

// spec is a command that builds the current folder with the frontend of this repository.
func spec(args ...string) []string { return append(append(engine.Spec(dir), args...), ".") }

// platforms is the flag for two platforms, if the engine's image store can hold them.
func platforms() []string {
	if !engine.Containerd {
		return nil
	}
	return []string{"--platform", "linux/amd64,linux/arm64"}
}

// removed removes an image that a test is about to make.
func removed(t *testing.T, image string) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, "docker", "image", "rm", "--force", image).CombinedOutput(); err != nil {
			t.Errorf("remove %s: %v\n%s", image, err, out)
		}
	})
}

func wantContains(t *testing.T, what, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%s has no %q:\n%s", what, want, got)
		}
	}
}
