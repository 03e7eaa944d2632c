// Package machine chooses what the demo and the tests use on this machine: a Docker engine, or a lab.
//
// Contract: [Look] only asks. It installs and starts nothing. An error names each thing that is missing, and how to get
// it.
package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/crosshull/crosshull/hack/lab"
)

// Place is where images are built and run.
type Place string

const (
	// Engine is the Docker engine that is there. It needs no root, and nothing is installed.
	Engine Place = "a Docker engine"
	// Lab is what package lab sets up. It needs root and, for what is not there yet, Debian.
	Lab Place = "a lab"
)

// Machine is what the choice depends on.
type Machine struct {
	Root    bool
	Missing []string // programs that a lab needs, that are not there, and that nothing can install
	Docker  error    // why no Docker engine answers
	Buildx  error    // why docker has no buildx
}

// Look finds out what this machine has. Settings of the lab that are wrong are an error.
func Look(ctx context.Context) (Machine, error) {
	l, err := lab.New()
	if err != nil {
		return Machine{}, err
	}
	m := Machine{Root: os.Geteuid() == 0, Missing: l.Missing(ctx), Docker: askDocker(ctx)}
	if m.Docker == nil {
		m.Buildx = askBuildx(ctx)
	}
	return m, nil
}

// Choice is the place to use.
type Choice struct {
	Place
	Instead []error // why the places that were to be preferred cannot be used
}

// Choose takes the first place that can be used.
func (m Machine) Choose(order ...Place) (Choice, error) {
	var c Choice
	for _, c.Place = range order {
		err := m.can(c.Place)
		if err == nil {
			return c, nil
		}
		c.Instead = append(c.Instead, err)
	}
	var b strings.Builder
	b.WriteString("this needs one of these, and neither can be used:")
	for i, err := range c.Instead {
		fmt.Fprintf(&b, "\n  %s: %v", order[i], err)
	}
	return Choice{}, errors.New(b.String())
}

func (m Machine) can(p Place) error {
	switch {
	case p == Engine && m.Docker != nil:
		return m.Docker
	case p == Engine:
		return m.Buildx
	case !m.Root:
		return errors.New("only root can set one up, on Debian or Ubuntu")
	case len(m.Missing) > 0:
		return fmt.Errorf("there is no apt-get to install what it needs; install: %s", strings.Join(m.Missing, ", "))
	}
	return nil
}

// askDocker returns nil if a Docker engine answers.
func askDocker(ctx context.Context) error {
	_, err := docker(ctx, "version", "--format", "{{.Server.Version}}")
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("there is no docker on PATH; install Docker: https://docs.docker.com/get-started/get-docker/")
	case strings.Contains(err.Error(), "permission denied"):
		return fmt.Errorf(
			"you may not use it; join its group: https://docs.docker.com/engine/install/linux-postinstall/: %w", err)
	}
	return fmt.Errorf("none answers; start Docker, or set DOCKER_HOST or a docker context: %w", err)
}

// askBuildx returns nil if docker has buildx. What podman calls docker has another program of that name.
func askBuildx(ctx context.Context) error {
	const get = "install buildx: https://docs.docker.com/build/install-buildx/"
	out, err := docker(ctx, "buildx", "version")
	switch {
	case err != nil:
		return fmt.Errorf("docker has no buildx; %s: %w", get, err)
	case !strings.Contains(out, "buildx"):
		return fmt.Errorf("docker buildx is %q, which cannot run a frontend; %s", strings.TrimSpace(out), get)
	}
	return nil
}

// docker runs docker, which answers soon or not at all, and gives what it prints. An error has its last line.
func docker(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", args...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		err = fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	if err != nil {
		return "", fmt.Errorf("docker %s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}
