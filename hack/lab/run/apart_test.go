package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The work is done by the program on PATH: it is told all, and its answer, its error and its end count.
func TestApart(t *testing.T) {
	for _, tc := range []struct{ name, script, want, err string }{
		{"answers", `cat > "$TOLD"; echo '{"Output":"hello","ExitCode":3}'`, "hello", ""},
		{"fails", `cat > "$TOLD"; echo 'unpack host/app: no space' >&2; exit 1`, "", "unpack host/app: no space"},
		{"says nothing", `exit 2`, "", "labrun: exit status 2"},
		{"says what nobody understands", `cat > /dev/null; echo hello`, "", "read what labrun says: "},
		{"does not end", `exec sleep 60`, "", "context deadline exceeded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			told := filepath.Join(dir, "told")
			if err := os.WriteFile(filepath.Join(dir, Program), []byte("#!/bin/sh\n"+tc.script+"\n"), 0o755); err != nil {
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
			for _, want := range []string{`"Ref":"host/app"`, `"Args":[]`, `"Port":80`, `"Machine":true`, `"Cache":"/cache"`, `"Deadline":"2`} {
				if !strings.Contains(string(dt), want) {
					t.Errorf("it is not told %s: %s", want, dt)
				}
			}
		})
	}
}

// Without the program it is done here; what the program does is the same.
func TestServe(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, here := Container(t.Context(), Spec{Ref: "no reference"})
	there := Serve(t.Context(), strings.NewReader(`{"Ref":"no reference"}`), os.Stdout)
	if here == nil || message(here) != message(there) {
		t.Errorf("here %v, there %v", here, there)
	}
	late := Serve(t.Context(), strings.NewReader(`{"Ref":"127.0.0.1:1/app","Deadline":"2020-01-01T00:00:00Z"}`), os.Stdout)
	if !errors.Is(late, context.DeadlineExceeded) {
		t.Errorf("after the deadline: %v", late)
	}
	if err := Serve(t.Context(), strings.NewReader(""), os.Stdout); err == nil {
		t.Error("it does something unasked")
	}
}
