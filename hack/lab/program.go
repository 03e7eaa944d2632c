package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path"
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

// PushProgram compiles the program of package pkg, of this module or of one that it requires, and pushes it to ref as
// an image that starts it and has nothing else.
func (l *Lab) PushProgram(ctx context.Context, ref, pkg string, labels map[string]string) error {
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return err
	}
	program := path.Base(pkg)
	out := filepath.Join(l.dir, program)
	if err := tools.Build(ctx, moduleDir, pkg, out, "-trimpath", "-gcflags=all=-dwarf=false",
		"-ldflags=-s -w"); err != nil {
		return err
	}
	dt, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	layer, err := FileLayer("bin/"+program, 0o755, dt)
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
	file.Config = v1.Config{Entrypoint: []string{"/bin/" + program}, Labels: labels}
	if img, err = mutate.ConfigFile(img, file); err != nil {
		return err
	}
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.Write(parsed, img, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}

// FileLayer is a layer with one file.
func FileLayer(name string, mode int64, content []byte) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode,
		Size: int64(len(content))}); err != nil {
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
