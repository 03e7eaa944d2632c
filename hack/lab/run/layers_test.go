package run

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// gone is a layer that cannot be got, or not to its end.
type gone struct {
	v1.Layer
	after int64 // bytes of it that come
}

var errGone = errors.New("gone")

func (l gone) Uncompressed() (io.ReadCloser, error) {
	r, err := l.Layer.Uncompressed()
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r, l.after), failing{}), r}, err
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errGone }

// A large layer is got once. One that could not be got whole is not kept.
func TestLayersAreKept(t *testing.T) {
	content := make([]byte, kept+1<<20)
	_, _ = rand.Read(content) // never fails
	large, small := layer(t, entry{name: "a", content: string(content)}), layer(t, entry{name: "b", content: "b"})
	cache := t.TempDir()
	unpack := func(layers ...v1.Layer) error {
		root, err := os.OpenRoot(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close() //nolint:errcheck // holds nothing
		for _, l := range layers {
			if err := unpackLayer(l, root, layerCache(cache)); err != nil {
				return err
			}
		}
		dt, err := os.ReadFile(filepath.Join(root.Name(), "a"))
		if err == nil && string(dt) != string(content) {
			t.Error("another file was unpacked")
		}
		return err
	}
	if err := unpack(gone{large, kept}); !errors.Is(err, errGone) {
		t.Errorf("error of a layer that ends early: %v", err)
	}
	if err := unpack(large, small); err != nil {
		t.Error(err)
	}
	if err := unpack(gone{Layer: large}, small); err != nil {
		t.Errorf("a kept layer was got again: %v", err)
	}
	if err := unpack(gone{Layer: large}, gone{Layer: small}); !errors.Is(err, errGone) {
		t.Errorf("error of a small layer, which is not kept: %v", err)
	}
	if all, err := os.ReadDir(cache); err != nil || len(all) != 1 {
		t.Errorf("%d files are kept, want one: %v", len(all), err)
	}
}
