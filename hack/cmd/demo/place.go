package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/crosshull/crosshull/hack/lab"
	v1 "github.com/google/go-containerregistry/pkg/v1"
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
func findPlace(ctx context.Context, repo, dir, network string) (place, error) {
	if exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").Run() == nil {
		return newEngine(ctx, repo, dir, network)
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("no Docker engine answers, and without root the demo cannot set up a lab in its place: " +
			"install Docker (https://docs.docker.com/get-started/get-docker/) or start it, or run the demo as root on Debian")
	}
	l, err := lab.New()
	if err != nil {
		return nil, err
	}
	heading("Set up the lab, as no Docker engine answers: buildkitd, buildx, a registry, a NuGet feed, .NET images")
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
