package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/crosshull/crosshull/hack/lab/apt"
	"github.com/crosshull/crosshull/hack/lab/service"
)

// engineScript runs a Docker engine in its own root file system, $1, because it needs newer libraries than the
// machine's. It uses pivot_root, because an engine in a chroot cannot unpack layers. Its mounts end with it. It has
// only the machine's network. The name in $3 leads to this machine.
const engineScript = `
set -e
mount --bind "$1" "$1"
cd "$1"
mkdir -p proc sys dev run tmp old
for d in proc sys dev; do mount --rbind "/$d" "$d"; done
mkdir -p etc/docker
echo "127.0.0.1 localhost $3" >etc/hosts
echo "$4" >etc/docker/daemon.json
pivot_root . old
exec /usr/sbin/dockerd --host unix:///run/e.sock --insecure-registry "$2" --insecure-registry "$3" \
  --registry-mirror "http://$2" --iptables=false --ip6tables=false --bridge=none --ip-forward=false --ip-masq=false`

// The image stores that a Docker engine may have, each as its daemon.json.
const (
	// GraphStore is the image store from before the containerd image store: it holds one platform of an image.
	GraphStore = `{"storage-driver": "overlay2"}`
	// ContainerdStore holds all platforms of an image.
	ContainerdStore = `{"features": {"containerd-snapshotter": true}}`
)

// StartEngine starts Debian's Docker engine with a store. Its BuildKit is older than the lab's, and with a [GraphStore]
// it cannot merge. host is for DOCKER_HOST. stop ends the engine and removes its files. The lab has to be up.
//
// An engine knows no mirrors but of Docker Hub. If the lab made the .NET images, the engine looks for Microsoft's
// registry on port 443 of loopback, and takes any certificate: serve the lab's registry there.
func (l *Lab) StartEngine(
	ctx context.Context, store string,
) (host string, stop func(context.Context) error, err error) {
	archive := filepath.Join(l.cache, "engine-"+apt.Trixie+".tar")
	if _, err := os.Stat(archive); err != nil {
		if err := apt.Bootstrap(ctx, apt.Trixie, "amd64",
			[]string{"base-files", "docker.io", "containerd", "runc", "ca-certificates"}, archive); err != nil {
			return "", nil, err
		}
	}
	dir, err := os.MkdirTemp(l.dir, "engine-")
	if err != nil {
		return "", nil, err
	}
	here := "localhost"
	if l.LocalImages() {
		here = "mcr.microsoft.com"
	}
	root := filepath.Join(dir, "root")
	socket := filepath.Join(root, "run", "e.sock")
	s := &service.Service{
		Name: "engine",
		Dir:  dir,
		Args: []string{"/usr/bin/unshare", "--mount", "/bin/sh", "-c", engineScript, "engine", root, l.registry,
			here, store},
		Prepare: func(ctx context.Context) error {
			if err := os.Mkdir(root, 0o755); err != nil {
				return err
			}
			if out, err := exec.CommandContext(ctx, "tar", "--extract", "--directory", root,
				"--file", archive).CombinedOutput(); err != nil {
				return fmt.Errorf("unpack %s: %w\n%s", archive, err, out)
			}
			return nil
		},
		Ready: func(ctx context.Context) error {
			cmd := exec.CommandContext(ctx, l.Bin("docker"), "--host", "unix://"+socket, "version")
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("docker version: %w\n%s", err, out)
			}
			return nil
		},
	}
	if err := s.Start(ctx); err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func(ctx context.Context) error {
		return errors.Join(s.Stop(ctx), os.RemoveAll(dir))
	}
	return "unix://" + socket, stop, nil
}
