package machine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/hack/lab"
)

// networkEnv names the network of build steps and containers, as docker run --network takes it: host, for an engine
// that has no other.
const networkEnv = "CROSSHULL_ENGINE_NETWORK"

// Docker is a Docker engine, and a builder of its buildx.
type Docker struct {
	Builder string // name of the builder; empty: the current one
	Driver  string // of the builder
	Network string // of steps and containers; empty: the engine's own

	containerd bool // the engine has the containerd image store
}

// FindDocker asks the engine and buildx's current builder. There has to be one: see [Machine.Choose].
func FindDocker(ctx context.Context) (*Docker, error) {
	d := &Docker{Network: os.Getenv(networkEnv)}
	out, err := docker(ctx, "buildx", "inspect", "--bootstrap")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(out) {
		if v, ok := strings.CutPrefix(line, "Driver:"); ok && d.Driver == "" {
			d.Driver = strings.TrimSpace(v)
		}
	}
	if d.Driver == "" {
		return nil, fmt.Errorf("docker buildx inspect names no driver:\n%s", out)
	}
	status, err := docker(ctx, "info", "--format", "{{.DriverStatus}}")
	if err != nil {
		return nil, err
	}
	d.containerd = strings.Contains(status, "io.containerd.snapshotter")
	return d, nil
}

// Several tells whether the builder can give an image for several platforms.
func (d *Docker) Several() bool {
	return d.containerd || slices.Contains([]string{"docker-container", "kubernetes", "remote", "cloud"}, d.Driver)
}

// String says which builder that is.
func (d *Docker) String() string {
	switch {
	case d.Driver != "docker":
		return fmt.Sprintf("buildx's current builder (driver %s)", d.Driver)
	case d.containerd:
		return "the Docker engine, whose containerd image store can hold several platforms"
	}
	return "the Docker engine, whose image store holds one platform of an image"
}

// Build is the command that builds the current folder.
func (d *Docker) Build(args ...string) []string {
	all := []string{"docker", "buildx", "build"}
	if d.Builder != "" {
		all = append(all, "--builder", d.Builder)
	}
	if d.Network != "" {
		all = append(all, "--network", d.Network)
	}
	return append(append(all, args...), ".")
}

// frontend is the name of the frontend in an image store that holds one platform.
const frontend = "crosshull-frontend:local"

// Frontend is the command that builds the frontend image in the root of the repository. It needs no registry: the image
// is an OCI layout in dir or, if the engine cannot make one, in the engine.
func (d *Docker) Frontend(dir string) []string {
	if !d.Several() {
		return d.Build("--provenance=false", "-t", frontend)
	}
	return d.Build("--provenance=false", "-t", lab.FrontendImage,
		"--output", "type=oci,tar=false,dest="+filepath.Join(dir, "frontend"))
}

// Spec is the command that builds crosshull.yaml of the current folder with the frontend of [Docker.Frontend].
func (d *Docker) Spec(dir string, args ...string) []string {
	from := "oci-layout://" + filepath.Join(dir, "frontend") + ":1"
	if !d.Several() {
		from = "docker-image://" + frontend
	}
	return d.Build(append([]string{"-f", "crosshull.yaml", "--build-context", lab.FrontendImage + "=" + from}, args...)...)
}
