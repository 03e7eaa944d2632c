package bench

import (
	"bytes"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func testProxy(t *testing.T) *counting {
	t.Helper()
	reg := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(reg.Close)
	p, err := startCounting(strings.TrimPrefix(reg.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// What is pushed is counted once, by what it is; what is there already is not.
func TestProxyCountsPushes(t *testing.T) {
	p := testProxy(t)
	img, err := random.Image(1000, 3)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(p.Addr+"/app", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{m.Config.Digest.String(): m.Config.Size}
	for _, l := range m.Layers {
		want[l.Digest.String()] = l.Size
	}
	got := p.take()
	if !maps.Equal(got.blobs, want) || got.manifests != int64(len(raw)) {
		t.Errorf("counted %+v, want %v and %d", got, want, len(raw))
	}
	if got.total() != int64(len(raw))+m.Config.Size+sizes(m.Layers) {
		t.Errorf("%d bytes in all", got.total())
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	if got = p.take(); len(got.blobs) != 0 {
		t.Errorf("the second push counts %+v", got)
	}
	if _, err := remote.Image(ref); err != nil {
		t.Errorf("through the proxy: %v", err)
	}
	if got = p.take(); got.total() != 0 {
		t.Errorf("getting an image counts %+v", got)
	}
}

// A blob may come in pieces, of which the last says what it is.
func TestProxyCountsPieces(t *testing.T) {
	p := testProxy(t)
	send := func(method, path, body string) (status int, location string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Addr+path, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode, res.Header.Get("Location")
	}
	const digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of hello
	_, location := send(http.MethodPost, "/v2/app/blobs/uploads/", "")
	send(http.MethodPatch, location, "hel")
	if status, _ := send(http.MethodPut, location+"?digest="+digest, "lo"); status != http.StatusCreated {
		t.Fatalf("upload: status %d", status)
	}
	if got := p.take(); got.blobs[digest] != 5 || got.total() != 5 {
		t.Errorf("counted %+v, want 5 bytes", got)
	}
}
