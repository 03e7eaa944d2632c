package editor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/lab/npm"
)

// client speaks the language server protocol to a server, one request after the other.
type client struct {
	t        *testing.T
	in       io.Writer
	out      *bufio.Reader
	requests int
}

// A message is a request, a notification or an answer of JSON-RPC.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type diagnostic struct {
	Message string
	Range   struct{ Start position }
}

type completion struct {
	Label         string
	InsertText    string
	Documentation any // a text, or a map with a value
}

// startServer starts the language server that the lock file pins, and ends it with the test.
func startServer(t *testing.T) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := npm.Install(ctx, os.DirFS("server"), filepath.Join(cache, "crosshull", "editor", "server"), os.Stderr)
	if errors.Is(err, npm.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "node", filepath.Join(modules, "yaml-language-server", "bin", "yaml-language-server"),
		"--stdio")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c := &client{t: t, in: in, out: bufio.NewReader(out)}
	c.call("initialize", map[string]any{"processId": os.Getpid(), "rootUri": nil, "capabilities": map[string]any{
		"textDocument": map[string]any{"completion": map[string]any{"completionItem": map[string]any{
			"snippetSupport": true, "documentationFormat": []string{"markdown"},
		}}},
	}}, nil)
	c.notify("initialized", map[string]any{})
	// The catalog would be fetched.
	c.notify("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"yaml": map[string]any{
		"validate": true, "hover": true, "completion": true, "schemaStore": map[string]any{"enable": false},
	}}})
	return c
}

// open opens a file, and gives what the server finds wrong with it.
func (c *client) open(uri, text string) []diagnostic {
	c.t.Helper()
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": uri, "languageId": "yaml", "version": 1, "text": text,
	}})
	for {
		m := c.read()
		if m.Method != "textDocument/publishDiagnostics" {
			continue
		}
		var p struct {
			URI         string
			Diagnostics []diagnostic
		}
		c.decode(m.Params, &p)
		if p.URI == uri {
			return p.Diagnostics
		}
	}
}

func (c *client) hover(uri string, at position) string {
	c.t.Helper()
	var res struct{ Contents struct{ Value string } }
	c.call("textDocument/hover", at.in(uri), &res)
	return res.Contents.Value
}

func (c *client) complete(uri string, at position) []completion {
	c.t.Helper()
	var res struct{ Items []completion }
	c.call("textDocument/completion", at.in(uri), &res)
	return res.Items
}

func (p position) in(uri string) map[string]any {
	return map[string]any{"textDocument": map[string]string{"uri": uri}, "position": p}
}

// call sends a request, and decodes the answer to it unless result is nil.
func (c *client) call(method string, params, result any) {
	c.t.Helper()
	c.requests++
	id := json.RawMessage(strconv.Itoa(c.requests))
	c.write(message{ID: id, Method: method, Params: c.encode(params)})
	for {
		m := c.read()
		if m.Method != "" || string(m.ID) != string(id) {
			continue
		}
		if m.Error != nil {
			c.t.Fatalf("%s: %s", method, m.Error)
		}
		if result != nil {
			c.decode(m.Result, result)
		}
		return
	}
}

func (c *client) notify(method string, params any) {
	c.t.Helper()
	c.write(message{Method: method, Params: c.encode(params)})
}

// read gives the next message that is no request of the server's: to those the answer is that they are not known here.
func (c *client) read() message {
	c.t.Helper()
	for {
		header, err := textproto.NewReader(c.out).ReadMIMEHeader()
		if err != nil {
			c.t.Fatal("the server is gone: ", err)
		}
		n, err := strconv.Atoi(header.Get("Content-Length"))
		if err != nil {
			c.t.Fatal(err)
		}
		dt := make([]byte, n)
		if _, err := io.ReadFull(c.out, dt); err != nil {
			c.t.Fatal(err)
		}
		var m message
		c.decode(dt, &m)
		if m.Method == "" || m.ID == nil {
			return m
		}
		c.write(message{ID: m.ID, Error: json.RawMessage(`{"code": -32601, "message": "not here"}`)})
	}
}

func (c *client) write(m message) {
	c.t.Helper()
	m.Version = "2.0"
	dt := c.encode(m)
	if _, err := fmt.Fprintf(c.in, "Content-Length: %d\r\n\r\n%s", len(dt), dt); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) encode(v any) json.RawMessage {
	c.t.Helper()
	dt, err := json.Marshal(v)
	if err != nil {
		c.t.Fatal(err)
	}
	return dt
}

func (c *client) decode(dt []byte, v any) {
	c.t.Helper()
	if err := json.Unmarshal(dt, v); err != nil {
		c.t.Fatal(errors.Join(err, errors.New(string(dt))))
	}
}
