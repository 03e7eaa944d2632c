// Package proxy stands before a server on loopback, and sees or changes what passes.
package proxy

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// Proxy listens on loopback. Make it with [Start].
type Proxy struct {
	// Addr is where it listens, HOST:PORT.
	Addr   string
	server *http.Server
}

// Start begins to listen. target is the server's HOST:PORT, which speaks plain HTTP. handle gets each request, and next
// passes it on.
func Start(target string, handle func(w http.ResponseWriter, r *http.Request, next http.Handler)) (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	next := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: target})
			r.Out.Host = r.In.Host // servers make addresses of it
		},
		ErrorLog: log.New(io.Discard, "", 0), // clients that hang up; what matters they say themselves
	}
	p := &Proxy{Addr: ln.Addr().String(), server: &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, next) }),
	}}
	go p.server.Serve(ln) //nolint:errcheck // ends with Close
	return p, nil
}

// Close ends it and its connections.
func (p *Proxy) Close() error { return p.server.Close() }
