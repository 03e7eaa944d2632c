package run

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The work is done by the program on PATH: it is told all, and its answer, its error and its end count.
func TestProgram(t *testing.T) {
	for _, tc := range []struct{ name, script, want, err string }{
		{
			"answers", `read -r told; echo "$told" > "$TOLD"; echo '{"Result":{"Output":"hello","ExitCode":3}}'`,
			"hello", "",
		},
		{"fails", `read -r told; echo '{"Error":"unpack host/app: no space"}'`, "", "unpack host/app: no space"},
		{"ends", `read -r told; echo "out of memory" >&2; exit 2`, "", "labrun: "},
		{"says what nobody understands", `read -r told; echo hello`, "", "labrun: invalid character"},
		{"does not end", `exec sleep 60`, "", "context deadline exceeded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			told := filepath.Join(dir, "told")
			script := []byte("#!/bin/sh\n" + tc.script + "\n")
			if err := os.WriteFile(filepath.Join(dir, Program), script, 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			t.Setenv("TOLD", told)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			res, err := Machine(ctx, "/cache", Spec{Ref: "host/app", Args: []string{}, Port: 80})
			if message := message(err); !strings.HasPrefix(message, tc.err) || (message == "") != (tc.err == "") {
				t.Fatalf("error %q, want %q", message, tc.err)
			}
			if tc.err != "" {
				return
			}
			if res.Output != tc.want || res.ExitCode != 3 {
				t.Errorf("got %+v", res)
			}
			dt, err := os.ReadFile(told)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{
				`"Ref":"host/app"`, `"Args":[]`, `"Port":80`, `"Machine":true`, `"Cache":"/cache"`, `"Deadline":"2`,
			} {
				if !strings.Contains(string(dt), want) {
					t.Errorf("it is not told %s: %s", want, dt)
				}
			}
		})
	}
}

// A machine asks one program for all its images.
func TestOneProgram(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\nwhile read -r told; do n=$((n + 1)); echo \"{\\\"Result\\\":{\\\"ExitCode\\\":$n}}\"; done\n"
	if err := os.WriteFile(filepath.Join(dir, Program), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	v := NewVM(dir)
	for i := range 3 {
		res, err := v.Run(t.Context(), Spec{})
		if err != nil || res.ExitCode != i+1 {
			t.Fatalf("image %d: %+v, %v", i+1, res, err)
		}
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if res, err := v.Run(t.Context(), Spec{}); err != nil || res.ExitCode != 1 { // it starts again
		t.Errorf("after the end: %+v, %v", res, err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

// Without the program it is done here; what the program does is the same.
func TestServe(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, here := Container(t.Context(), t.TempDir(), Spec{Ref: "no reference"})
	var out bytes.Buffer
	in := `{"Ref":"no reference"}` + "\n" + `{"Ref":"127.0.0.1:1/app","Deadline":"2020-01-01T00:00:00Z"}`
	if err := Serve(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	var there, late answer
	dec := json.NewDecoder(&out)
	if err := errors.Join(dec.Decode(&there), dec.Decode(&late)); err != nil {
		t.Fatal(err)
	}
	if here == nil || message(here) != there.Error {
		t.Errorf("here %v, there %s", here, there.Error)
	}
	if !strings.Contains(late.Error, "deadline exceeded") {
		t.Errorf("after the deadline: %s", late.Error)
	}
	if err := Serve(t.Context(), strings.NewReader("run it"), &out); err == nil {
		t.Error("it does what nobody can have asked for")
	}
}

// What the machine has been given it is not given again, and what differs it is given anew, be it the mode alone.
func TestVMKeepsFiles(t *testing.T) {
	v := &vm{has: map[string]bool{}}
	root := image(t, map[string]os.FileMode{"app/a": 0o644, "app/b": 0o755, "etc/c": 0o644, "empty": 0},
		map[string]string{"app/a": "same", "app/b": "same", "etc/c": "other"})
	if err := os.Symlink("/app/a", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	given := func() map[string]tar.Header {
		t.Helper()
		v.runs++
		var b bytes.Buffer
		if err := v.write(&b, root); err != nil {
			t.Fatal(err)
		}
		got := map[string]tar.Header{}
		for r := tar.NewReader(&b); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return got
			}
			if err != nil {
				t.Fatal(err)
			}
			got[h.Name] = *h
		}
	}
	at := filepath.Base(root)
	first := given()
	files := 0
	for name := range first {
		if strings.HasPrefix(name, "files/") {
			files++
		}
	}
	a, b := first[at+"/app/a"], first[at+"/app/b"]
	if files != 3 || a.Typeflag != tar.TypeLink || a.Linkname == b.Linkname {
		t.Errorf("%d files, %+v and %+v", files, a, b)
	}
	if link := first[at+"/link"]; link.Typeflag != tar.TypeSymlink || link.Linkname != "/app/a" {
		t.Errorf("link: %+v", link)
	}
	if dir := first[at+"/empty"]; dir.Typeflag != tar.TypeDir {
		t.Errorf("folder: %+v", dir)
	}
	if first["job"].Size == 0 {
		t.Error("it is not told what to do")
	}
	write(t, filepath.Join(root, "etc/c"), "changed")
	for name, h := range given() {
		if strings.HasPrefix(name, "files/") && h.Size != int64(len("changed")) {
			t.Errorf("given again: %+v", h)
		}
	}
	if v.bytes != int64(len("same")*2+len("other")+len("changed")) {
		t.Errorf("it has %d bytes", v.bytes)
	}
}
