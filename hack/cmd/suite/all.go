package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/machine"
	"github.com/crosshull/crosshull/hack/suite"
)

// howLab says how to run the tests that need the lab.
const howLab = "To run them, call make test as root on Debian or Ubuntu, or in a container: " +
	"see docs/testing.md#in-a-container."

// choose finds out where the tests run, and says so.
func choose(ctx context.Context, w io.Writer) (machine.Place, error) {
	m, err := machine.Look(ctx)
	if err != nil {
		return "", err
	}
	choice, err := m.Choose(machine.Lab, machine.Engine)
	if err != nil {
		return "", err
	}
	if _, err := exec.LookPath("git"); err != nil {
		return "", errors.New("there is no git on PATH; install it: https://git-scm.com/downloads")
	}
	_, err = fmt.Fprintf(w, "The tests use %s.\n", choice.Place)
	for _, why := range choice.Instead {
		if err == nil {
			_, err = fmt.Fprintf(w, "Those that need %s are left out: %v.\n", machine.Lab, why)
		}
	}
	return choice.Place, err
}

// runAll runs all tests that this machine can run. In the lab, a run of all of them is kept in the file last.
func runAll(ctx context.Context, c suite.Config, last string) error {
	place, err := choose(ctx, io.Discard)
	if err != nil {
		return err
	}
	if place == machine.Engine {
		if err := tryEngine(ctx); err != nil {
			return err
		}
		c.Engine, c.HowLab = true, howLab
		return runTests(ctx, c)
	}
	l, err := lab.New()
	if err != nil {
		return err
	}
	if err := l.Up(ctx, os.Stderr); err != nil {
		return err
	}
	c.Lab = true
	if c.Only == nil {
		c.JSON = last
		// The frontend image takes most of a minute to build, and the tests without the lab do not keep the machine busy. If
		// it cannot be built, each package that needs it tries again, and says why.
		var image sync.WaitGroup
		defer image.Wait()
		image.Go(func() { _ = l.PushFrontend(ctx, io.Discard) })
	}
	return runTests(ctx, c)
}

// tryEngine builds the frontend image, which the tests with the engine need. So an engine that cannot get images fails
// now, and not after all other tests.
func tryEngine(ctx context.Context) error {
	d, err := machine.FindDocker(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "crosshull-suite-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	fmt.Printf("Build the frontend image with %s.\n", d)
	args := d.Frontend(dir)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "..", os.Stdout, os.Stdout
	cmd.Env = append(os.Environ(), "BUILDKIT_PROGRESS=plain")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the frontend image: %w", err)
	}
	return nil
}

// runTests runs tests with Go's race detector, if the machine has the C compiler that it needs.
func runTests(ctx context.Context, c suite.Config) error {
	why, err := noRace(ctx)
	if err != nil {
		return err
	}
	if c.Race = why == ""; !c.Race {
		fmt.Printf("The tests run without Go's race detector: %s\n", why)
	}
	return suite.Run(ctx, c)
}

// noRace says why Go's race detector cannot be used; "": it can.
func noRace(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "CC", "CGO_ENABLED").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	cc, cgo, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	program, _, _ := strings.Cut(cc, " ")
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Sprintf("it needs the C compiler %s, which is not on PATH", program), nil
	}
	if strings.TrimSpace(cgo) != "1" {
		return "it needs CGO_ENABLED=1", nil
	}
	return "", nil
}
