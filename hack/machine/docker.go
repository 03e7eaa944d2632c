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
	// Containerd: the engine has the containerd image store, which holds all platforms of an image.
	Containerd bool
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
	d.Containerd = strings.Contains(status, "io.containerd.snapshotter")
	return d, nil
}

// Several tells whether the builder can give an image for several platforms.
func (d *Docker) Several() bool {
	return d.Containerd || slices.Contains([]string{"docker-container", "kubernetes", "remote", "cloud"}, d.Driver)
}

// String says which builder that is.
func (d *Docker) String() string {
	switch {
	case d.Driver != "docker":
		return fmt.Sprintf("buildx's current builder (driver %s)", d.Driver)
	case d.Containerd:
		return "the Docker engine, whose containerd image store can hold several platforms"
	}
	return "the Docker engine, whose image store holds one platform of an image"
}

// Build begins a command that builds. Flags and the context follow.
func (d *Docker) Build() []string {
	command := []string{"docker", "buildx", "build"}
	if d.Builder != "" {
		command = append(command, "--builder", d.Builder)
	}
	if d.Network != "" {
		command = append(command, "--network", d.Network)
	}
	return command
}

// inEngine is the name of the frontend in an image store that holds one platform.
const inEngine = "crosshull-frontend:local"

// Frontend is the command that builds the frontend image in the root of the repository. It needs no registry: the image
// is an OCI layout in dir or, if the builder cannot make one, in the engine.
func (d *Docker) Frontend(dir string) []string {
	if d.Several() {
		return append(d.Build(), "--provenance=false", "-t", lab.FrontendImage,
			"--output", "type=oci,tar=false,dest="+layout(dir), ".")
	}
	return append(d.Build(), "--provenance=false", "-t", inEngine, ".")
}

// Spec begins a command that builds with the frontend of [Docker.Frontend]. Flags and the context follow.
func (d *Docker) Spec(dir string) []string {
	from := "oci-layout://" + layout(dir) + ":1"
	if !d.Several() {
		from = "docker-image://" + inEngine
	}
	return append(d.Build(), "--build-context", lab.FrontendImage+"="+from)
}

func layout(dir string) string { return filepath.Join(dir, "frontend") }
