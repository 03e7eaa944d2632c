package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/crosshull/crosshull/hack/lab/tools"
)

// ScannerImage is the scanner that buildx's --sbom means, docker.io being mirrored by the lab's registry where it cannot be
// reached.
const ScannerImage = "docker.io/docker/buildkit-syft-scanner:stable-1"

// ScannerRef is where [Lab.PushScanner] puts the stand-in.
func (l *Lab) ScannerRef() string { return l.registry + "/docker/buildkit-syft-scanner:stable-1" }

// PushScanner pushes a stand-in for [ScannerImage] to the lab's registry, cmd/labscanner, where images are stand-ins. The
// lab has to be up.
func (l *Lab) PushScanner(ctx context.Context) error {
	if !l.LocalImages() {
		return nil
	}
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return err
	}
	program := filepath.Join(l.dir, "labscanner")
	if err := tools.Build(ctx, moduleDir, "./cmd/labscanner", program, "-trimpath"); err != nil {
		return err
	}
	dt, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&tar.Header{Name: "scan", Mode: 0o755, Size: int64(len(dt))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(dt); err != nil {
			return nil, err
		}
		return io.NopCloser(&b), w.Close()
	})
	if err != nil {
		return err
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", runtime.GOARCH, v1.Config{Entrypoint: []string{"/scan"}}
	if img, err = mutate.ConfigFile(img, file); err != nil {
		return err
	}
	ref, err := name.ParseReference(l.ScannerRef(), name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.Write(ref, img, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push the scanner's stand-in: %w", err)
	}
	return nil
}
