package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var root = filepath.Join("..", "..")

// Every relative link in a page of the repository leads to a file of the repository, and its #anchor to a heading.
func TestLinks(t *testing.T) {
	r := &reader{root: root}
	links := 0
	for _, name := range files(t, "*.md") {
		if strings.Contains(name, "/testdata/") {
			continue // a page only in the test that it is for
		}
		p, err := r.read(name)
		if os.IsNotExist(err) {
			continue // it is removed, and that is not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range p.links {
			links++
			if err := r.check(name, l.to); err != nil {
				t.Errorf("%s:%d: %v", name, l.line, err)
			}
		}
	}
	if links < 100 {
		t.Errorf("there are %d links, so the test does not find them", links)
	}
}

func TestRead(t *testing.T) {
	p := read("# A `b` & c_d\n" +
		"\n" +
		"See [text with `](code)`](a.md), [two\nlines](b.md#c), ![image](c.svg \"title\"), [a](<d e.md>),\n" +
		"`[code](no.md)`, [nested ![i](e.svg)](f.md) and [reference][r].\n" +
		"\n" +
		"```sh\n# no heading\n[no](no.md)\n```\n" +
		"\n" +
		"   ~~~text\n```\n# no heading\n~~~\n" +
		"<!-- [no](no.md) -->\n" +
		"## A [link](g.md): `x.y`, ”quoted“\n" +
		"## Ünï\n" +
		"## Same\n" +
		"## Same\n" +
		"[r]: h.md\n")
	var got []string
	for _, l := range p.links {
		got = append(got, fmt.Sprintf("%d %s", l.line, l.to))
	}
	want := "3 a.md, 4 b.md#c, 4 c.svg, 4 d e.md, 5 e.svg, 5 f.md, 17 g.md, 21 h.md"
	if got := strings.Join(got, ", "); got != want {
		t.Errorf("links are\n%s, want\n%s", got, want)
	}
	for _, anchor := range []string{"a-b--c_d", "a-link-xy-quoted", "ünï", "same", "same-1"} {
		if !p.anchors[anchor] {
			t.Errorf("no %q in %v", anchor, p.anchors)
		}
	}
	if len(p.anchors) != 5 {
		t.Errorf("anchors are %v", p.anchors)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.md": "# One\n", "docs/b.md": "# Two\n", "main.go": ""} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ to, want string }{
		{"https://example.com/a", ""},
		{"mailto:a@example.com", ""},
		{"b.md#two", ""},
		{"#two", ""},
		{"../a.md#one", ""},
		{"..", ""},
		{"../main.go#L10", ""},
		{"c.md", "dead link c.md"},
		{"B.md", "dead link B.md"},
		{"#one", "no heading for #one in docs/b.md"},
		{"../a.md#two", "no heading for #two in a.md"},
		{"/a.md", "/a.md is no relative link"},
		{"../../a.md", "../../a.md leads out of the repository"},
	} {
		got := ""
		if err := (&reader{root: dir}).check("docs/b.md", tc.to); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.to, got, tc.want)
		}
	}
}
