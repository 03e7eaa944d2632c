package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/crosshull/crosshull/hack/lab/service"
)

// A daemon is one of the lab's services and where it can be reached.
type daemon struct {
	service *service.Service
	address string
	config  string // content of its one input, if it has one
}

// start makes d run, as it is described.
func (d daemon) start(ctx context.Context) error {
	for _, path := range d.service.Inputs {
		if err := writeFile(path, d.config); err != nil {
			return err
		}
	}
	return d.service.Start(ctx)
}

// daemons lists all in the order in which they are stopped, buildkitd first. They are for asking and stopping, not for
// starting.
func (l *Lab) daemons() []daemon {
	return []daemon{l.buildkitDaemon(l.dir, false), l.feedDaemon(nil), l.registryDaemon()}
}

func (l *Lab) registryDaemon() daemon {
	config := filepath.Join(l.dir, "registry.yml")
	return daemon{
		address: l.registry,
		config:  l.registryConfig(),
		service: &service.Service{
			Name:    "registry",
			Dir:     l.dir,
			Args:    []string{l.Bin("docker-registry"), "serve", config},
			Inputs:  []string{config},
			Prepare: func(context.Context) error { return free(l.registry, envRegistry) },
			Ready:   func(ctx context.Context) error { return get(ctx, "http://"+l.registry+"/v2/") },
		},
	}
}

func (l *Lab) registryConfig() string {
	return fmt.Sprintf(`version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: true}
http: {addr: %q}
`, filepath.Join(l.dir, "registry"), l.registry)
}

func (l *Lab) feedDaemon(dirs []string) daemon {
	return daemon{
		address: l.FeedURL(),
		service: &service.Service{
			Name:    "feed",
			Dir:     l.dir,
			Args:    append([]string{l.Bin("labfeed"), l.feed}, dirs...),
			Prepare: func(context.Context) error { return free(l.feed, envFeed) },
			Ready:   func(ctx context.Context) error { return get(ctx, l.FeedURL()) },
		},
	}
}

// buildkitDaemon is a buildkitd whose files are in dir.
func (l *Lab) buildkitDaemon(dir string, mirrors bool) daemon {
	config := filepath.Join(dir, "buildkitd.toml")
	address := "unix://" + socket(dir)
	return daemon{
		address: address,
		config:  l.buildkitConfig(dir, mirrors),
		service: &service.Service{
			Name:    "buildkitd",
			Dir:     dir,
			Args:    []string{l.Bin("buildkitd"), "--config", config},
			Inputs:  []string{config},
			Prepare: func(ctx context.Context) error { return cleanBuildkit(ctx, dir) },
			Ready: func(ctx context.Context) error {
				out, err := exec.CommandContext(ctx, l.Bin("buildctl"), "--addr", address, "debug", "workers").CombinedOutput()
				if err != nil {
					return fmt.Errorf("buildctl debug workers: %w: %s", err, bytes.TrimSpace(out))
				}
				return nil
			},
		},
	}
}

func buildkitRoot(dir string) string { return filepath.Join(dir, "buildkit") }

func otelSocket(dir string) string { return filepath.Join(dir, "otel.sock") }

// buildkitConfig is the configuration of a buildkitd whose files are in dir. The platforms are left to buildkitd,
// which finds the machine's own: a build for others needs no more than that as long as it executes nothing of them.
// Steps use the host's network, since the feed listens on loopback only.
func (l *Lab) buildkitConfig(dir string, mirrors bool) string {
	var b strings.Builder
	// Writing to a strings.Builder never fails.
	_, _ = fmt.Fprintf(&b, `root = %q

[grpc]
  address = [%q]

[otel]
  socketPath = %q

[cdi]
  disabled = true

[worker.containerd]
  enabled = false

[worker.oci]
  enabled = true
  networkMode = "host"
  gc = true

# One rule for all: by default, cache mounts and sources go first and early, which would tell in benchmarks.
[[worker.oci.gcpolicy]]
  all = true
  reservedSpace = "10GB"
  maxUsedSpace = "40GB"
  minFreeSpace = "5GB"

[registry.%q]
  http = true
`, buildkitRoot(dir), "unix://"+socket(dir), otelSocket(dir), l.registry)
	// Specs name the frontend as it will be published; until it is, the lab's registry has it.
	hosts := []string{"ghcr.io"}
	if mirrors {
		hosts = append(hosts, "mcr.microsoft.com", "docker.io")
	}
	for _, host := range hosts {
		_, _ = fmt.Fprintf(&b, "\n[registry.%q]\n  mirrors = [%q]\n", host, l.registry)
	}
	return b.String()
}

// cleanBuildkit removes what a buildkitd that was killed leaves behind: containers, mounts, sockets.
func cleanBuildkit(ctx context.Context, dir string) error {
	root, err := filepath.EvalSymlinks(buildkitRoot(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	left, err := containers(ctx, root)
	if err != nil {
		return err
	}
	for _, c := range left {
		if out, err := exec.CommandContext(ctx, "runc", "delete", "--force", c.ID).CombinedOutput(); err != nil {
			return fmt.Errorf("runc delete %s: %w: %s", c.ID, err, bytes.TrimSpace(out))
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for _, mount := range slices.Backward(mountsBelow(mounts, root+"/")) {
		if err := detach(mount); err != nil && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("unmount %s: %w", mount, err)
		}
	}
	for _, name := range []string{socket(dir), otelSocket(dir)} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// mountsBelow lists the mount points that begin with prefix, in the order they were mounted.
func mountsBelow(mountinfo []byte, prefix string) []string {
	var out []string
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for sc := bufio.NewScanner(bytes.NewReader(mountinfo)); sc.Scan(); {
		if fields := strings.Fields(sc.Text()); len(fields) > 4 {
			if dir := unescape.Replace(fields[4]); strings.HasPrefix(dir, prefix) {
				out = append(out, dir)
			}
		}
	}
	return out
}

// free returns an error if another process listens on addr.
func free(addr, env string) error {
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is used by another process: end that, or choose another address with %s=HOST:PORT", addr, env)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", env, err)
	}
	return ln.Close()
}
