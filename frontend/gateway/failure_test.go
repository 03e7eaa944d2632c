package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// newClient is the client of a build by a BuildKit that answers from tables.
func newClient(t *testing.T, gw *gatewaytest.Client) *Client {
	t.Helper()
	c, err := New(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var err error
		if c.Close(&err); err != nil {
			t.Error(err)
		}
	})
	return c
}

// vertex is a step of a name.
func vertex(name string) llb.State {
	return llb.Scratch().File(llb.Mkfile("/x", 0o644, nil), llb.WithCustomName(name))
}

// Debuggers look into results, so a failed step is one where there is no better text, or the user asks for it.
func TestUnmade(t *testing.T) {
	failed := gatewaytest.Failed("[publish]", "/diagnostics")
	reword := func(err error) error { return Reword(err, "1 error") }
	for _, tc := range []struct {
		name   string
		debug  string
		step   error
		reword func(error) error
		want   bool
	}{
		{"a step without a text", "", failed, nil, true},
		{"a step with a text", "", failed, reword, false},
		{"a step with a text, for a debugger", "true", failed, reword, true},
		{"not for a debugger", "0", failed, reword, false},
		{"no step", "true", errors.New("no such file"), nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gw := &gatewaytest.Client{Steps: []gatewaytest.Step{{Err: tc.step}}}
			if tc.debug != "" {
				gw.Options = map[string]string{"build-arg:CROSSHULL_DEBUG": tc.debug}
			}
			c := newClient(t, gw)
			_, err := c.Evaluate(t.Context(), vertex("publish"))
			if tc.reword != nil {
				err = tc.reword(err)
			}
			gw.Steps = nil // it fails when somebody looks
			res := c.Unmade(t.Context(), err)
			if got := res != nil; got != tc.want {
				t.Errorf("a result: %v, want %v", got, tc.want)
			}
			if res != nil && res.Ref == nil {
				t.Error("an empty result")
			}
		})
	}
	c := newClient(t, &gatewaytest.Client{})
	if res := c.Unmade(t.Context(), nil); res != nil {
		t.Error("no error is a result")
	}
}

// The cause of a failed step is a line, as a warning is.
func TestCause(t *testing.T) {
	failed := gatewaytest.Failed("[publish] dotnet publish", "/diagnostics")
	two := []dotnet.Diagnostic{{Message: "of the cause"}, {File: "a.csproj", Code: "MSB4166", Message: "died"}}
	for _, tc := range []struct {
		name        string
		err         error
		diagnostics []dotnet.Diagnostic
		want        string
	}{
		{"an exit code", failed, nil, "[publish] dotnet publish: exit code: 1"},
		{"an exit code, with a place before it", Reword(failed, "crosshull.yaml:2: "+failed.Error()), nil,
			"[publish] dotnet publish: exit code: 1"},
		{"errors", Reword(failed, "2 errors in publish\nmany lines"), two,
			"[publish] dotnet publish: a.csproj: error MSB4166: died"},
		{"a test", Reword(failed, "1 of 2 tests failed in [test] dotnet test\nAdds: want 3"), nil,
			"[publish] dotnet publish: Adds: want 3"},
		{"no process", Reword(failed, "no network"), nil, "[publish] dotnet publish: no network"},
		{"no step", errors.New("no such image"), nil, "no such image"},
	} {
		if got := Cause(tc.err, tc.diagnostics); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// A step may have failed for want of a file, unless what it says is about something else.
func TestLacks(t *testing.T) {
	failed := gatewaytest.Failed("[publish]", "/diagnostics")
	said := func(codes ...string) error {
		w := &worded{text: "errors", err: failed}
		for _, code := range codes {
			w.diagnostics = append(w.diagnostics, dotnet.Diagnostic{Code: code})
		}
		return w
	}
	for _, tc := range []struct {
		name  string
		err   error
		lacks bool
		says  int
	}{
		{"no error", nil, false, 0},
		{"no step", errors.New("no such image"), false, 0},
		{"a build that ends", fmt.Errorf("%w: %w", failed, context.Canceled), false, 0},
		{"a step that says nothing", failed, true, 0},
		{"a step with another text", Reword(failed, "1 of 2 tests failed"), true, 0},
		{"a step that reads no sources", Reword(WithoutSources(failed), "no package curl"), false, 0},
		{"a type that is not known", fmt.Errorf("publish: %w", said("CS0246")), true, 1},
		{"syntax", said("CS1002"), false, 1},
		{"packages", said("NU1101", "NU1102"), false, 2},
		{"one of both", said("CS1002", "CS0246"), true, 2},
	} {
		diagnostics, lacks := Lacks(tc.err)
		if lacks != tc.lacks || len(diagnostics) != tc.says {
			t.Errorf("%s: %v with %v, want %v with %d", tc.name, lacks, diagnostics, tc.lacks, tc.says)
		}
	}
}
