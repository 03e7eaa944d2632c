package bench

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands before a registry on loopback and counts what is uploaded.
type proxy struct {
	server *http.Server
	addr   string // host:port

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

// startProxy listens on loopback until close.
func startProxy(registry string) (*proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{addr: ln.Addr().String(), uploads: map[string]int64{}, counted: uploaded{blobs: map[string]int64{}}}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: registry})
			r.Out.Host = r.In.Host // the registry makes the addresses of uploads of it
		},
		ErrorLog: log.New(io.Discard, "", 0), // clients that hang up; what matters they say themselves
	}
	p.server = &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := &counter{ReadCloser: r.Body}
			r.Body = body
			forward.ServeHTTP(w, r)
			p.count(r, body.n.Load())
		}),
	}
	go p.server.Serve(ln) //nolint:errcheck // ends with close
	return p, nil
}

func (p *proxy) close(ctx context.Context) { _ = p.server.Shutdown(ctx) }

// count adds a request's body: that of a manifest, or of a blob, which comes in one request or in several to the same
// path, the last of which has the digest.
func (p *proxy) count(r *http.Request, n int64) {
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
func (p *proxy) take() uploaded {
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
