package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/crosshull/crosshull/hack/machine"
)

// engine is the user's Docker engine. Nothing is installed, and no registry is needed: the frontend and the images are
// OCI layouts in a folder.
type engine struct {
	*machine.Docker
	repo string // this repository
	dir  string // of the layouts
}

// own is the builder that the demo makes if the current one can build for one platform only.
const own = "crosshull-demo"

// newEngine finds a builder for several platforms.
func newEngine(ctx context.Context, repo, dir string) (*engine, error) {
	d, err := machine.FindDocker(ctx)
	if err != nil {
		return nil, err
	}
	if d.Several() {
		heading("Use %s", d)
		return &engine{d, repo, dir}, nil
	}
	heading("Make a builder for several platforms, %s: Docker's default one builds for one only", own)
	d.Builder, d.Driver = own, "docker-container"
	if exec.CommandContext(ctx, "docker", "buildx", "inspect", own).Run() != nil {
		err = command(ctx, repo, nil, "docker", "buildx", "create", "--name", own, "--bootstrap")
	}
	return &engine{d, repo, dir}, err
}

func (e *engine) frontend(ctx context.Context) error {
	return command(ctx, e.repo, nil, e.Frontend(e.dir)...)
}

// spec builds the spec in a folder.
func (e *engine) spec(ctx context.Context, dir string, args ...string) error {
	return command(ctx, dir, nil, slices.Concat(e.Spec(e.dir), []string{"-f", "crosshull.yaml"}, args, []string{"."})...)
}

func (e *engine) build(ctx context.Context, dir string) (v1.ImageIndex, string, error) {
	to := filepath.Join(e.dir, "image")
	if err := e.spec(ctx, dir, "--platform", platforms, "--output", "type=oci,tar=false,dest="+to); err != nil {
		return nil, "", err
	}
	index, err := layout.ImageIndexFromPath(to)
	if err != nil {
		return nil, "", err
	}
	all, err := index.IndexManifest()
	if err != nil {
		return nil, "", err
	}
	if len(all.Manifests) != 1 {
		return nil, "", fmt.Errorf("%s has %d indexes, want 1", to, len(all.Manifests))
	}
	built, err := index.ImageIndex(all.Manifests[0].Digest)
	return built, "aspnetapp", err
}

// run loads the image for the engine's own platform, and lets the engine choose a port.
func (e *engine) run(ctx context.Context, dir string) (err error) {
	heading("Load the image for this machine into Docker: all of it is built already")
	if err := e.spec(ctx, dir, "--load", "-t", own); err != nil {
		return err
	}
	heading("Run it, and get its page")
	port, err := machine.FreePort()
	if err != nil {
		return err
	}
	if err := command(ctx, dir, nil, e.Serve(own, own, port)...); err != nil {
		return err
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(err, exec.CommandContext(ctx, "docker", "rm", "--force", own).Run())
	}()
	page, err := machine.Page(ctx, port)
	if err != nil {
		return err
	}
	printPage(page)
	return nil
}

func (e *engine) left() string {
	if e.Builder == own {
		return "docker buildx rm " + own + " removes the builder that the demo made, docker image rm " + own + " the image."
	}
	return "docker image rm " + own + " removes the image that the demo loaded."
}
