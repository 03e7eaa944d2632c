package bench

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/crosshull/crosshull/hack/proxy"
)

// counting is a proxy before a registry that counts what is uploaded.
type counting struct {
	*proxy.Proxy

	mu      sync.Mutex
	uploads map[string]int64 // of the path of an upload that has not ended
	counted uploaded
}

// uploaded is what was sent to the registry.
type uploaded struct {
	blobs     map[string]int64 // by digest
	manifests int64
}

func (u uploaded) total() int64 {
	n := u.manifests
	for _, size := range u.blobs {
		n += size
	}
	return n
}

// startCounting listens on loopback until it is closed.
func startCounting(registry string) (*counting, error) {
	p := &counting{uploads: map[string]int64{}, counted: uploaded{blobs: map[string]int64{}}}
	var err error
	p.Proxy, err = proxy.Start(registry, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		body := &counter{ReadCloser: r.Body}
		r.Body = body
		next.ServeHTTP(w, r)
		p.count(r, body.n.Load())
	})
	return p, err
}

// count adds a request's body: that of a manifest, or of a blob, which comes in one request or in several to the same
// path, the last of which has the digest.
func (p *counting) count(r *http.Request, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/"):
		p.counted.manifests += n
	case !strings.Contains(r.URL.Path, "/blobs/uploads/"):
	case r.URL.Query().Get("digest") != "":
		p.counted.blobs[r.URL.Query().Get("digest")] += n + p.uploads[r.URL.Path]
		delete(p.uploads, r.URL.Path)
	default:
		p.uploads[r.URL.Path] += n
	}
}

// take gives what was uploaded since the last take.
func (p *counting) take() uploaded {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.counted
	p.counted = uploaded{blobs: map[string]int64{}}
	return u
}

// counter counts what is read.
type counter struct {
	io.ReadCloser
	n atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}
