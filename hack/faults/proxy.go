package faults

import (
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crosshull/crosshull/hack/proxy"
)

// A harm is what a proxy does to a request. next passes it on.
type harm struct {
	name string
	// hits tells which requests are harmed; nil: all.
	hits func(*http.Request) bool
	do   func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

// harms are those that any server may do to its clients.
var harms = []harm{
	{name: "refuses", do: func(http.ResponseWriter, *http.Request, http.Handler) { hangUp() }},
	{name: "wants a password", do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("WWW-Authenticate", `Basic realm="faults"`)
		http.Error(w, "unauthorized", http.StatusUnauthorized)
	}},
	{name: "is asked too much", do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	}},
	{name: "fails", do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		http.Error(w, "internal server error", http.StatusInternalServerError)
	}},
	{name: "cuts answers", hits: reads, do: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&cutting{ResponseWriter: w}, r)
	}},
	{name: "cuts uploads", hits: writes, do: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		hangUp()
	}},
	{name: "is slow", do: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Second):
			next.ServeHTTP(w, r)
		}
	}},
	{name: "gives other bytes", hits: reads, do: change},
	{name: "gives another archive", hits: func(r *http.Request) bool {
		return reads(r) && path.Ext(r.URL.Path) == ".deb"
	}, do: change},
	{name: "hangs up at the last", hits: func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/latest")
	}, do: func(http.ResponseWriter, *http.Request, http.Handler) { hangUp() }},
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet }

func writes(r *http.Request) bool { return r.Method != http.MethodGet && r.ContentLength > 1 }

// hangUp ends the connection without an answer.
func hangUp() { panic(http.ErrAbortHandler) }

// cutting passes on half of a body, and then hangs up.
type cutting struct {
	http.ResponseWriter
	left int64
}

func (c *cutting) WriteHeader(code int) {
	n, _ := strconv.ParseInt(c.Header().Get("Content-Length"), 10, 64)
	c.left = n / 2
	c.ResponseWriter.WriteHeader(code)
}

func (c *cutting) Write(b []byte) (int, error) {
	if int64(len(b)) > c.left {
		_, _ = c.ResponseWriter.Write(b[:c.left])
		hangUp()
	}
	c.left -= int64(len(b))
	return c.ResponseWriter.Write(b)
}

func change(w http.ResponseWriter, r *http.Request, next http.Handler) {
	r.Header.Del("Range")
	next.ServeHTTP(&changing{ResponseWriter: w}, r)
}

// changing passes on a body with its first byte changed.
type changing struct {
	http.ResponseWriter
	done bool
}

func (c *changing) Write(b []byte) (int, error) {
	if !c.done && len(b) > 0 {
		c.done = true
		b = append([]byte{b[0] ^ 1}, b[1:]...)
	}
	return c.ResponseWriter.Write(b)
}

// harming is a proxy that harms some of the requests which a harm hits.
type harming struct {
	*proxy.Proxy

	mu     sync.Mutex
	harm   *harm
	window window
}

// window picks those of the requests that a harm would hit that it hits: from after to last, counted from 0.
type window struct {
	after, last  int
	seen, harmed int
}

// hit tells whether the next request is harmed.
func (w *window) hit() bool {
	n := w.seen
	w.seen++
	if n < w.after || n > w.last {
		return false
	}
	w.harmed++
	return true
}

// startHarming listens on loopback until it is closed. target is HOST:PORT.
func startHarming(target string) (*harming, error) {
	p := &harming{}
	var err error
	p.Proxy, err = proxy.Start(target, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if h := p.hit(r); h != nil {
			h.do(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	})
	return p, err
}

// set begins to do harm to the requests from one to another. A nil harm ends it.
func (p *harming) set(h *harm, after, last int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.harm, p.window = h, window{after: after, last: last}
}

// hit counts a request, and gives the harm if it gets one.
func (p *harming) hit(r *http.Request) *harm {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.harm == nil || p.harm.hits != nil && !p.harm.hits(r) || !p.window.hit() {
		return nil
	}
	return p.harm
}

// count tells how many requests were harmed since set.
func (p *harming) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.window.harmed
}
