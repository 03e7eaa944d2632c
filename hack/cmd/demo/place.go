package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/machine"
)

// place is where the demo builds and runs.
type place interface {
	// frontend makes the frontend image available to builds.
	frontend(ctx context.Context) error
	// build builds the spec in dir for all platforms, and gives the index and its name.
	build(ctx context.Context, dir string) (v1.ImageIndex, string, error)
	// run runs the image, and prints its page.
	run(ctx context.Context, dir string) error
	// left says what the demo leaves behind, and how to remove it.
	left() string
}

// findPlace takes the Docker engine that is there, or brings the lab up. dir is an empty folder for what is built.
func findPlace(ctx context.Context, repo, dir string) (place, error) {
	m, err := machine.Look(ctx)
	if err != nil {
		return nil, err
	}
	choice, err := m.Choose(machine.Engine, machine.Lab)
	if err != nil {
		return nil, err
	}
	if choice.Place == machine.Engine {
		return newEngine(ctx, repo, dir)
	}
	heading("Set up the lab: buildkitd, buildx, a registry, a NuGet feed, .NET images")
	for _, why := range choice.Instead {
		fmt.Printf("No Docker engine is used: %v\n", why)
	}
	l, err := lab.New()
	if err != nil {
		return nil, err
	}
	return &inLab{lab: l}, l.Up(ctx, os.Stdout)
}

// command prints a command line, runs it, and shows its output.
func command(ctx context.Context, dir string, env []string, args ...string) error {
	line := append([]string{filepath.Base(args[0])}, args[1:]...)
	fmt.Printf("$ %s\n", strings.Join(line, " "))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "BUILDKIT_PROGRESS=plain"), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return nil
}
