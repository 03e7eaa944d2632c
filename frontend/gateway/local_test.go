package gateway_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/patternmatcher"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// What does not fit into one answer is asked for by parts.
func TestReadLargeFolder(t *testing.T) {
	c := &gatewaytest.Client{MaxEntries: 10, Context: fstest.MapFS{}}
	want := map[string]bool{}
	for i := range 200 {
		want[fmt.Sprintf("image%04d.jpeg", i)] = true
	}
	for _, name := range []string{"image", "image0", "-", "]x", "[y", "^", "ü", "\U0010ffffx", `b\c`, "*", "line\nbreak"} {
		want[name] = true
	}
	for r := rune(0x4000); r < 0x12000; r += 0x100 {
		if utf8.ValidRune(r) {
			want[string(r)] = true
		}
	}
	for name := range want {
		c.Context["many/"+name] = &fstest.MapFile{}
	}
	ref, err := open(t, c).Evaluate(t.Context(), llb.Local("context"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	err = gateway.ReadDir(t.Context(), ref, "many", func(stat *fstypes.Stat) {
		if got[stat.Path] {
			t.Errorf("%q comes twice", stat.Path)
		}
		got[stat.Path] = true
	})
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("it sees %d of %d names, %v", len(got), len(want), err)
	}
}

// If even a single name is too much for a message, it is an error.
func TestReadFolderThatIsAlwaysTooLarge(t *testing.T) {
	c := &gatewaytest.Client{Context: fstest.MapFS{"many/name": {}}}
	c.Step(gatewaytest.Step{Name: "local://context", Files: c.Context, Errs: map[string]error{
		"many": errors.New("grpc: received message larger than max"),
	}})
	ref, err := open(t, c).Evaluate(t.Context(), llb.Local("context"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- gateway.ReadDir(t.Context(), ref, "many", func(*fstypes.Stat) {}) }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "larger than max") {
			t.Errorf("it says %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
}

// A pattern matches the path that it is made of, and can be sent in a header.
func TestClientPattern(t *testing.T) {
	for p, want := range map[string]string{
		"src/App": "src/App", "a b/c": "a b/c", "{x}|y": "{x}|y", "a*b": `a\*b`, "[a]": `\[a\]`, `a\b`: `a\\b`, "!x": `\!x`,
		"x/!y": "x/!y", " x ": "[ ]x[ ]", "a\nb": "a?b", "a\n": "a?", "\t": "?", "ü": "ü", "a^b": `a\^b`,
	} {
		got := gateway.ClientPattern(p)
		if got != want {
			t.Errorf("of %q it made %q, want %q", p, got, want)
		}
		for _, name := range []string{p, p + "/x"} {
			if ok, err := patternmatcher.MatchesOrParentMatches(name, []string{got}); !ok || err != nil {
				t.Errorf("%q does not match %q: %v", got, name, err)
			}
		}
	}
}

// Only a folder of the user's machine is sent by parts.
func TestLocal(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts map[string]string
		want bool
	}{
		{"a folder", nil, true},
		{"a repository", map[string]string{"context": "https://example.com/repo.git"}, false},
	} {
		local, err := open(t, &gatewaytest.Client{Options: tc.opts}).Local(t.Context())
		if err != nil || (local != nil) != tc.want {
			t.Errorf("%s: that it is sent by parts is %v, %v", tc.name, local != nil, err)
		}
	}
}

// A name that is no UTF-8 stops a transfer. Its folder is found by the names that can be sent.
func TestNoUTF8(t *testing.T) {
	for name, in := range map[string]string{
		"b/deep/caf\xe9": "b/deep", "caf\xe9": "the root of the context", "b/caf\xe9/x": "b", "a/x": "",
	} {
		c := &gatewaytest.Client{Context: fstest.MapFS{name: {}, "a/y": {}, "b/other/z": {}, "b/deep/a": {}}}
		local, err := open(t, c).Local(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		err = local.Names(t.Context(), nil, func(stat *fstypes.Stat) error {
			names = append(names, stat.Path)
			return nil
		})
		if in == "" {
			if !slices.Contains(names, name) || err != nil {
				t.Errorf("it sent %q, %v", names, err)
			}
			continue
		}
		gatewaytest.Want{Says: "a name in " + in + " is not UTF-8, so BuildKit cannot send it: rename that file or folder " +
			"(ls -b shows it), or exclude it in .dockerignore"}.Check(t, err)
	}
}
