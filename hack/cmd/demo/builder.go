package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/crosshull/crosshull/hack/lab"
)

// builder is where the demo builds.
type builder interface {
	// frontend makes the frontend image available to builds.
	frontend(ctx context.Context) error
	// build builds the spec in dir for all platforms, and pushes it to ref.
	build(ctx context.Context, dir, ref string) error
}

// findBuilder takes buildx's current builder if it can build for several platforms, and brings the lab's up otherwise.
func findBuilder(ctx context.Context, l *lab.Lab, repo string) (builder, error) {
	if driver := currentDriver(ctx); slices.Contains(
		[]string{"docker-container", "kubernetes", "remote", "cloud"},
		driver,
	) {
		heading("Use buildx's current builder (driver %s); a registry on loopback", driver)
		out, err := os.MkdirTemp("", "crosshull-demo-")
		if err != nil {
			return nil, err
		}
		return &ownBuilder{repo: repo, dir: out}, l.UpRegistry(ctx, os.Stdout)
	}
	heading("Set up the lab: buildkitd, buildx, a registry, a NuGet feed, .NET images")
	return &labBuilder{l}, l.Up(ctx, os.Stdout)
}

// currentDriver is the driver of buildx's current builder, if it works and a Docker engine answers.
func currentDriver(ctx context.Context) string {
	if exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").Run() != nil {
		return ""
	}
	out, err := exec.CommandContext(ctx, "docker", "buildx", "inspect", "--bootstrap").Output()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(line, "Driver:"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// labBuilder is the lab's buildkitd.
type labBuilder struct{ lab *lab.Lab }

func (b *labBuilder) frontend(ctx context.Context) error { return b.lab.PushFrontend(ctx, os.Stdout) }

func (b *labBuilder) build(ctx context.Context, dir, ref string) error {
	return command(
		ctx,
		dir,
		b.lab.Env(),
		b.lab.Bin("docker"),
		"buildx",
		"build",
		"-f",
		"crosshull.yaml",
		"--platform",
		platforms,
		"-t",
		ref,
		"--push",
		".",
	)
}

// ownBuilder is the user's. It may run in a container, where neither the lab's registry nor its images are, so the
// frontend comes from an OCI layout, the result goes to another, and is pushed from here.
type ownBuilder struct{ repo, dir string }

func (b *ownBuilder) layout(name string) string { return filepath.Join(b.dir, name) }

func (b *ownBuilder) frontend(ctx context.Context) error {
	return command(ctx, b.repo, nil, "docker", "buildx", "build", "--provenance=false", "-t", lab.FrontendImage,
		"--output", "type=oci,tar=false,dest="+b.layout("frontend"), ".")
}

func (b *ownBuilder) build(ctx context.Context, dir, ref string) error {
	err := command(ctx, dir, nil, "docker", "buildx", "build", "-f", "crosshull.yaml",
		"--build-context", lab.FrontendImage+"=oci-layout://"+b.layout("frontend")+":1",
		"--platform", platforms, "-t", ref, "--output", "type=oci,tar=false,dest="+b.layout("image"), ".")
	if err != nil {
		return err
	}
	index, err := layout.ImageIndexFromPath(b.layout("image"))
	if err != nil {
		return err
	}
	all, err := index.IndexManifest()
	if err != nil || len(all.Manifests) != 1 {
		return fmt.Errorf("read what was built: %d manifests, %w", len(all.Manifests), err)
	}
	built, err := index.ImageIndex(all.Manifests[0].Digest)
	if err != nil {
		return err
	}
	tag, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(tag, built, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return os.RemoveAll(b.dir)
}
