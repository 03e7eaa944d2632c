package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	for _, tc := range []struct{ name, before, after, err string }{
		{"no page", "", "<!-- x:begin -->\nnew\n<!-- x:end -->\n", ""},
		{"a page", "# A\n<!-- x:begin -->\nold\nolder\n<!-- x:end -->\nB\n",
			"# A\n<!-- x:begin -->\nnew\n<!-- x:end -->\nB\n", ""},
		{"others", "<!-- y:begin -->\n<!-- y:end -->\n", "", `no line "<!-- x:begin -->"`},
		{"no end", "<!-- x:end -->\n<!-- x:begin -->\n", "", `no line "<!-- x:end -->"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "docs", "page.md")
			if tc.before != "" {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(tc.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // what was written is replaced
				err := Write(file, "x", "new\n")
				if tc.err != "" {
					if err == nil || !strings.Contains(err.Error(), tc.err) || Check(file, "x") == nil {
						t.Errorf("got %v, want %s", err, tc.err)
					}
					continue
				}
				if err != nil || Check(file, "x") != nil {
					t.Fatal(err, Check(file, "x"))
				}
				if dt, err := os.ReadFile(file); err != nil || string(dt) != tc.after {
					t.Errorf("got %q, %v, want %q", dt, err, tc.after)
				}
			}
		})
	}
}
