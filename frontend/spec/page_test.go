package spec

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"
)

const pageURL = "https://github.com/crosshull/crosshull/blob/main/docs/reference/spec.md"

const pageHead = `# The keys of crosshull.yaml

This page describes every key of a spec. Every key is optional, unless its default says that it is needed. An unknown
key is an error. If the spec and the project set the same value, the spec wins. Each example is a complete spec.

Crosshull ignores keys that begin with ` + "`x-`" + `, so you can use them for your own values. Anchors and merge keys
(` + "`<<: *name`" + `) work as in ` + "`compose.yaml`" + `.

*Default* says what applies if you leave the key out. *Dockerfile* has the line of a Dockerfile that does the same, and
*MSBuild* the property or item of the project. A dash means that there is none. *Per platform* marks keys whose value
may contain ` + "`${TARGETARCH}`" + ` and similar [build arguments](options.md#build-arguments).

` + "`go test ./frontend/spec -run TestPage -update`" + ` writes this page from the comments in
[frontend/spec/spec.go](../../frontend/spec/spec.go).

`

// The page in the docs equals the one made from the types and their comments.
func TestPage(t *testing.T) {
	page := newGenerator(t).page()
	file := filepath.Join(docs, "spec.md")
	if *update {
		if err := os.WriteFile(file, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if dt, err := os.ReadFile(file); err != nil || !bytes.Equal(dt, page) {
		t.Errorf("%s is not what the comments say: go test ./frontend/spec -run TestPage -update writes it (%v)", file, err)
	}
}

// docs is the folder of the page.
var docs = filepath.Join("..", "..", "docs", "reference")

func (g *generator) page() []byte {
	var list, body strings.Builder
	seen := map[string]bool{}
	for _, k := range keys() {
		if seen[anchorOf(k.path)] {
			g.t.Errorf("two keys have the anchor of %s", k.path)
		}
		seen[anchorOf(k.path)] = true
		if section, _, below := strings.Cut(k.path, "."); below {
			fmt.Fprintf(&list, ", [%s](#%s)", k.path[len(section)+1:], anchorOf(k.path))
		} else {
			fmt.Fprintf(&list, "\n- [%s](#%s)", k.path, anchorOf(k.path))
		}
		g.entry(&body, k)
	}
	text := strings.TrimSpace(list.String()) + "\n"
	return []byte(pageHead + regexp.MustCompile(`(?m)^(- [^,\n]*), `).ReplaceAllString(text, "$1: ") + body.String())
}

// entry writes what the page says of a key.
func (g *generator) entry(b *strings.Builder, k keyOf) {
	at := k.at()
	a := g.about(at)
	toPage := func(to keyOf) string { return fmt.Sprintf("[`%s`](#%s)", to.path, anchorOf(to.path)) }
	text := func(s string) string { return g.resolve(inCode(s), toPage) }
	level := "##"
	if strings.Contains(k.path, ".") {
		level = "###"
	}
	fmt.Fprintf(b, "\n%s %s\n\n%s\n", level, k.path, wrap(text(a.says)))
	after := ""
	if strings.HasPrefix(k.path, "publish.after[]") { // it shares its comments with publish.before[]
		after = "after "
	}
	example := g.example(at, a.notes[after+"example"])
	fmt.Fprintf(b, "\n```yaml\n# syntax=ghcr.io/crosshull/crosshull:1\n%s```\n", example)
	b.WriteString("\n| | |\n|---|---|\n")
	row := func(name, value string) { fmt.Fprintf(b, "| %s | %s |\n", name, value) }
	row("Type", typeName(k.of.FieldByIndex(k.index).Type))
	if k.rule != nil && k.rule != rules["switch"] {
		if is := allowed(k.rule); is != isText {
			row("Allowed", escaped(is))
		}
	}
	row("Default", g.otherwise(k, text(a.without)))
	var others []string
	for _, e := range shapes[k.of.Name()].excludes {
		for _, pair := range [][2]string{{e.one, e.other}, {e.other, e.one}} {
			if pair[0] == k.key {
				others = append(others, toPage(keyOf{path: strings.TrimSuffix(k.path, k.key) + pair[1]}))
			}
		}
	}
	if len(others) > 0 {
		row("Not with", strings.Join(others, ", "))
	}
	if k.platform {
		row("Per platform", "yes")
	}
	row("Dockerfile", inTicks([]string{a.notes[after+"Dockerfile"]}))
	row("MSBuild", inTicks(strings.Split(a.notes["MSBuild"], ", ")))
	if see := a.notes["see"]; see != "" {
		g.check(see)
		row("See", see)
	}
}

// otherwise says what applies without the key.
func (g *generator) otherwise(k keyOf, says string) string {
	needed := slices.ContainsFunc(shapes[k.of.Name()].needs,
		func(n need) bool { return n.key == k.key && n.with+n.without == "" })
	kind := k.of.FieldByIndex(k.index).Type.Kind()
	switch {
	case needed:
		return "none: the key is needed"
	case says != "":
		return strings.TrimSuffix(says, ".")
	case kind == reflect.Bool:
		return "`false`"
	case kind != reflect.Slice && kind != reflect.Map:
		g.t.Errorf("the comment of %s does not say what applies without it", k.at())
	}
	return "none"
}

// example checks the example of a field, and formats it as a file.
func (g *generator) example(at, text string) string {
	s, err := Parse([]byte(text), nil)
	if err != nil {
		g.t.Errorf("example of %s: %v", at, err)
		return ""
	}
	seen := map[string]bool{}
	if given(seen, reflect.ValueOf(s).Elem()); !seen[at] {
		g.t.Errorf("the example of %s does not have it: %s", at, text)
	}
	var doc node
	var b strings.Builder
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		g.t.Fatal(err)
	}
	blocks(&doc)
	if err := enc.Encode(&doc); err != nil {
		g.t.Fatal(err)
	}
	return b.String()
}

// blocks gives each map, and each list of maps, lines of its own.
func blocks(n *node) {
	for _, c := range n.Content {
		blocks(c)
	}
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode && n.Content[0].Kind == yaml.MappingNode {
		n.Style = 0
	}
}

// check checks that a link leads to a page and a heading of it.
func (g *generator) check(link string) {
	m := regexp.MustCompile(`^\[.+\]\(([^#]+)#?(.*)\)$`).FindStringSubmatch(link)
	if m == nil {
		g.t.Fatalf("%s is no link", link)
	}
	dt, err := os.ReadFile(filepath.Join(docs, filepath.FromSlash(m[1])))
	if err != nil {
		g.t.Error(err)
	}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(dt), -1) {
		if m[2] == "" || m[2] == anchorOf(heading[1]) {
			return
		}
	}
	g.t.Errorf("%s leads nowhere", link)
}

// anchorOf is the anchor that GitHub gives a heading.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

func typeName(t reflect.Type) string {
	some := func(of reflect.Type) string {
		return regexp.MustCompile(`^list|\b(text|map)\b`).ReplaceAllString(typeName(of), "${0}s")
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Bool:
		return "`true` or `false`"
	case reflect.Int:
		return "number"
	case reflect.Slice:
		if isOneOrMore(t) {
			return "text or list of texts"
		}
		return "list of " + some(t.Elem())
	case reflect.Map:
		if t == reflect.TypeFor[Checksums]() {
			return "text or map of texts"
		}
		return "map of " + some(t.Elem())
	case reflect.Struct:
		if s := sections[t]; s.alone != nil {
			return typeName(t.FieldByIndex(s.alone.index).Type) + " or map"
		}
		return "map"
	default:
		return "text"
	}
}

// allowed is a rule as the page shows it.
func allowed(r *rule) string {
	says := r.is
	if len(r.oneOf) > 0 {
		says = "one of " + strings.Join(r.oneOf, ", ")
	}
	if r.names == nil {
		return says
	}
	if says != "" && says != isText {
		says = "; a value: " + says
	} else {
		says = ""
	}
	return "a name: " + r.names.is + says
}

// escaped is a text for a table, without characters that mean something in Markdown.
func escaped(text string) string {
	return strings.NewReplacer("|", `\|`, "_", `\_`, "*", `\*`, "<", `\<`).Replace(text)
}

// inTicks writes names, and lines of a file, as code. What has words is text, unless it is a line of a Dockerfile.
func inTicks(values []string) string {
	for i, v := range values {
		switch {
		case v == "":
			values[i] = "–"
		case !strings.HasPrefix(v, "the "):
			values[i] = "`" + v + "`"
		}
	}
	return strings.Join(values, ", ")
}

// wrap breaks a text into lines of 120 columns.
func wrap(text string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case column+1+n > 120:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
