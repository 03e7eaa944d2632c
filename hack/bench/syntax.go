package bench

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

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/tools"
)

// pushDockerfileFrontend puts docker/dockerfile:1 into the lab's registry, compiled from the sources of the BuildKit that
// the lab runs, and labelled as upstream's. Where images are real, so is that one.
func pushDockerfileFrontend(ctx context.Context, l *lab.Lab, tmp string) error {
	if !l.LocalImages() {
		return nil
	}
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return err
	}
	const program = "dockerfile-frontend"
	out := filepath.Join(tmp, program)
	if err := tools.Build(ctx, moduleDir, "github.com/moby/buildkit/frontend/dockerfile/cmd/"+program, out, "-gcflags=all=-dwarf=false", "-ldflags=-s -w"); err != nil {
		return err
	}
	dt, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	layer, err := layerOf("bin/"+program, 0o755, dt)
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
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{
		Entrypoint: []string{"/bin/" + program},
		Labels: map[string]string{
			"moby.buildkit.frontend.network.none": "true",
			"moby.buildkit.frontend.caps":         "moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring",
		},
	}
	if img, err = mutate.ConfigFile(img, file); err != nil {
		return err
	}
	ref, err := name.ParseReference(l.Registry()+"/docker/dockerfile:1", name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.Write(ref, img, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}

// layerOf is a layer with one file.
func layerOf(name string, mode int64, content []byte) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
}
