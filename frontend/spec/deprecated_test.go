package spec

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// aged has deprecated keys, because a spec has none.
type aged struct {
	Title string `yaml:"title" rule:"line"`
	Name  string `yaml:"name" rule:"line" deprecated:"use title"`
	Parts []part `yaml:"parts"`
}

type part struct {
	Name string `yaml:"name" rule:"line" deprecated:"remove it"`
}

// A deprecated key is read like any other, and noted at each place that has it.
func TestDeprecated(t *testing.T) {
	addSection(sections, reflect.TypeFor[aged]())
	src, err := read([]byte("title: a\nname: b\nparts:\n  - name: c\n  - {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got aged
	s := &Spec{lines: map[string]Range{}, used: map[string]bool{}, perPlatform: map[string]bool{}}
	d := &decoder{source: src, into: s, ends: map[*node]int{}}
	d.value("", src.root, reflect.ValueOf(&got).Elem(), field{})
	if len(d.errs) > 0 || got.Name != "b" || got.Parts[0].Name != "c" {
		t.Errorf("read %+v, %v", got, d.errs)
	}
	want := []Deprecated{{"name", "use title"}, {"parts.0.name", "remove it"}}
	if !slices.Equal(s.Deprecated, want) || s.Range(want[1].Key).Start != 4 {
		t.Errorf("deprecated are %v, want %v; the last is on line %d", s.Deprecated, want, s.Range(want[1].Key).Start)
	}
}

// Editors and the reference say what to write in place of a deprecated key.
func TestDeprecatedInReference(t *testing.T) {
	of := reflect.TypeFor[part]()
	addSection(sections, of)
	g := newGenerator(t)
	g.docs["part.Name"] = "Name is the name of the part. Empty: none.\n"
	k := keyOf{sections[of].fields["name"], "name", of}
	g.keys[k.at()] = k
	const says = "Deprecated: remove it. A later version removes this key."
	if a := g.about("part.Name"); a.says != says+" The name of the part." {
		t.Errorf("the page says %q", a.says)
	}
	n := g.object(of).Properties["name"]
	if !n.Deprecated || n.DeprecationMessage != says || !strings.HasPrefix(n.Description, says) ||
		!strings.HasPrefix(n.MarkdownDescription, says) {
		t.Errorf("the schema has %+v", n)
	}
}
