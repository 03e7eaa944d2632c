package gateway

import (
	"context"
	"path"
	"strings"
	"testing"
)

// A pattern matches what COPY matches: each of its parts one name.
func TestGlob(t *testing.T) {
	files := strings.Fields("/a/x.txt /a/y.txt /a/b/x.txt /c/x.txt /c/x.md /[a]/x /q?")
	names := func(_ context.Context, dir string) ([]string, error) {
		var all []string
		for _, file := range files {
			for p := file; p != "/"; p = path.Dir(p) {
				if path.Dir(p) == dir {
					all = append(all, path.Base(p))
				}
			}
		}
		return all, nil
	}
	for pattern, want := range map[string]string{
		"/a/x.txt": "/a/x.txt", "a//x.txt": "/a/x.txt", "/a/../c/x.md": "/c/x.md", "/a/z": "", "/z/x.txt": "", "/a": "/a",
		"/a/*.txt": "/a/x.txt /a/y.txt", "/*/x.txt": "/a/x.txt /c/x.txt", "/?/x.*": "/a/x.txt /c/x.md /c/x.txt",
		"/a/*": "/a/b /a/x.txt /a/y.txt", "/[b-d]/x.md": "/c/x.md", "/[[]a]/x": "/[a]/x", "/*/*/*": "/a/b/x.txt",
		"/a/x.txt/*": "",
	} {
		got, err := Glob(t.Context(), pattern, names)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %s", pattern, got, err, want)
		}
	}
}
