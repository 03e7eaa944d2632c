package run

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// layerCache is a folder that keeps large layers uncompressed, each by its digest. Bases have such layers, and most
// images have one of a few bases: to get and uncompress these took most of the time of a container.
type layerCache string

// kept is the size, compressed and in bytes, from which layers are kept.
const kept = 8 << 20

// open gives a layer, uncompressed.
func (dir layerCache) open(l v1.Layer) (io.ReadCloser, error) {
	size, err := l.Size()
	if err != nil {
		return nil, err
	}
	if size < kept {
		return l.Uncompressed()
	}
	id, err := l.DiffID()
	if err != nil {
		return nil, err
	}
	name := filepath.Join(string(dir), id.Hex)
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		if err := dir.put(l, name); err != nil {
			return nil, err
		}
	}
	return os.Open(name)
}

// put keeps a layer. Others may open it, or put it too.
func (dir layerCache) put(l v1.Layer, name string) (err error) {
	if err := os.MkdirAll(string(dir), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(string(dir), "new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	r, err := l.Uncompressed()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = io.Copy(f, r) // to the end, where the digest is checked
	if err = errors.Join(err, r.Close(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
