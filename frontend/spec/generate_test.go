package spec

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const schemaID = "https://raw.githubusercontent.com/crosshull/crosshull/main/frontend/spec/v1.json"

// schemaNode is a schema: the needed parts of draft-07, and extensions of yaml-language-server and VS Code.
type schemaNode struct {
	Dialect              string                 `json:"$schema,omitempty"`
	ID                   string                 `json:"$id,omitempty"`
	Ref                  string                 `json:"$ref,omitempty"`
	Title                string                 `json:"title,omitempty"`
	Description          string                 `json:"description,omitempty"`
	MarkdownDescription  string                 `json:"markdownDescription,omitempty"`
	DoNotSuggest         bool                   `json:"doNotSuggest,omitempty"`
	Deprecated           bool                   `json:"deprecated,omitempty"`
	DeprecationMessage   string                 `json:"deprecationMessage,omitempty"`
	DefaultSnippets      []snippet              `json:"defaultSnippets,omitempty"`
	Type                 any                    `json:"type,omitempty"` // one name or several
	Enum                 any                    `json:"enum,omitempty"`
	EnumDescriptions     []string               `json:"enumDescriptions,omitempty"`
	Const                any                    `json:"const,omitempty"`
	Pattern              string                 `json:"pattern,omitempty"`
	PatternErrorMessage  string                 `json:"patternErrorMessage,omitempty"`
	ErrorMessage         string                 `json:"errorMessage,omitempty"`
	Minimum              *int64                 `json:"minimum,omitempty"`
	Maximum              *int64                 `json:"maximum,omitempty"`
	Items                any                    `json:"items,omitempty"`
	MinItems             int                    `json:"minItems,omitempty"`
	Properties           map[string]*schemaNode `json:"properties,omitempty"`
	PatternProperties    map[string]*schemaNode `json:"patternProperties,omitempty"`
	PropertyNames        *schemaNode            `json:"propertyNames,omitempty"`
	MinProperties        int                    `json:"minProperties,omitempty"`
	Required             []string               `json:"required,omitempty"`
	AdditionalProperties any                    `json:"additionalProperties,omitempty"` // false or a node
	AnyOf                []*schemaNode          `json:"anyOf,omitempty"`
	AllOf                []*schemaNode          `json:"allOf,omitempty"`
	Not                  *schemaNode            `json:"not,omitempty"`
	If                   *schemaNode            `json:"if,omitempty"`
	Then                 *schemaNode            `json:"then,omitempty"`
	Else                 *schemaNode            `json:"else,omitempty"`
	Definitions          map[string]*schemaNode `json:"definitions,omitempty"`
}

// A snippet is text that an editor offers to insert.
type snippet struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Type        string `json:"type"` // type of the inserted text: for an array, that of an item
	Body        body   `json:"body"`
}

// A body keeps its keys in order.
type body string

func (b body) MarshalJSON() ([]byte, error) { return []byte(b), nil }

// generator makes the schema from the types.
type generator struct {
	t    *testing.T
	docs map[string]string // comments by Type.Field
	keys map[string]keyOf  // by Type.Field
	used map[string]bool   // entries of editing that some type has used
}

// at is the field of a key, as Type.Field.
func (k keyOf) at() string {
	in, index := k.of, k.index
	if len(index) > 1 { // a key of App in Spec
		in, index = in.Field(index[0]).Type, index[1:]
	}
	return in.Name() + "." + in.Field(index[0]).Name
}

func newGenerator(t *testing.T) *generator {
	g := &generator{t: t, docs: map[string]string{}, keys: map[string]keyOf{}, used: map[string]bool{}}
	for _, k := range keys() {
		g.keys[k.at()] = k
	}
	file, err := parser.ParseFile(token.NewFileSet(), "spec.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if st, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range st.Fields.List {
				for _, name := range f.Names {
					g.docs[spec.Name.Name+"."+name.Name] = f.Doc.Text()
				}
			}
		}
		return false
	})
	return g
}

func (g *generator) schema() *schemaNode {
	n := g.object(reflect.TypeFor[Spec]())
	n.Dialect, n.ID, n.Title = "http://json-schema.org/draft-07/schema#", schemaID, "crosshull.yaml"
	n.Description = "How a .NET project becomes multi-platform images. Everything is optional: what the project says " +
		"need not be repeated."
	app := g.object(reflect.TypeFor[App]())
	for key := range app.Properties {
		n.Properties[key] = &schemaNode{Ref: "#/definitions/app/properties/" + key}
	}
	mode := &schemaNode{Title: "mode", Type: "string", Enum: rules["publish-mode"].oneOf}
	for _, name := range rules["publish-mode"].oneOf {
		if modes[name] == "" {
			g.t.Errorf("nothing is said of mode %s", name)
		}
		mode.EnumDescriptions = append(mode.EnumDescriptions, modes[name])
	}
	n.Definitions = map[string]*schemaNode{"app": app, "mode": mode, "owned": {Pattern: ownedName.String()}}
	// Only here: one of apps inherits the keys that its own healthcheck leaves out.
	healthcheck := &schemaNode{Required: []string{"test"},
		Properties: map[string]*schemaNode{"test": {Type: "array", DoNotSuggest: true}}, DoNotSuggest: true}
	image := &schemaNode{Properties: map[string]*schemaNode{"healthcheck": healthcheck}, DoNotSuggest: true}
	n.AllOf = append(n.AllOf, &schemaNode{Properties: map[string]*schemaNode{"image": image}})
	for name := range editing {
		if !g.used[name] {
			g.t.Errorf("no type has %s", name)
		}
	}
	return n
}

// object returns the schema of a struct.
func (g *generator) object(t reflect.Type) *schemaNode {
	n := &schemaNode{
		Type: []string{"object", "null"}, Properties: map[string]*schemaNode{}, AdditionalProperties: false,
		PatternProperties: map[string]*schemaNode{"^x-": {}},
	}
	alone := n
	for _, key := range sections[t].keys {
		f := sections[t].fields[key]
		sf := t.FieldByIndex(f.index)
		if len(f.index) > 1 { // a key of App, which has a schema of its own
			continue
		}
		at := t.Name() + "." + sf.Name
		needed := slices.ContainsFunc(shapes[t.Name()].needs,
			func(n need) bool { return n.key == key && n.with+n.without == "" })
		v := g.value(sf.Type, f.rule, needed)
		if s := sections[t].alone; s != nil && s.key == key {
			alone = &schemaNode{AnyOf: []*schemaNode{g.value(sf.Type, f.rule, needed), n}}
			if len(v.AnyOf) > 0 {
				*alone.AnyOf[0] = *v.AnyOf[0]
			}
			alone.AnyOf[0].Title = key
		}
		v.Description, v.MarkdownDescription = g.describe(at)
		if f.deprecated != "" {
			v.Deprecated, v.DeprecationMessage = true, g.about(at).deprecated
		}
		n.Properties[key] = v
	}
	for _, e := range shapes[t.Name()].excludes {
		n.exclude(t, e)
	}
	if edit, ok := editing[t.Name()]; ok {
		edit(n)
		g.used[t.Name()] = true
	}
	return alone
}

// value returns the schema of a type whose key has a rule. filled says that the value must not be empty: it is an item,
// or its key is needed.
func (g *generator) value(t reflect.Type, r *rule, filled bool) *schemaNode {
	switch {
	case t == reflect.TypeFor[Modes]():
		one, some := &schemaNode{Ref: "#/definitions/mode"}, &schemaNode{Type: "string", Pattern: anArgument}
		return &schemaNode{AnyOf: []*schemaNode{one, {
			If:   &schemaNode{Type: []string{"array", "null"}},
			Then: &schemaNode{Items: &schemaNode{AnyOf: []*schemaNode{one, some}}},
			Else: some,
		}}}
	case t == reflect.TypeFor[Paths]():
		one := g.value(reflect.TypeFor[string](), r, true)
		return &schemaNode{AnyOf: []*schemaNode{{
			If:   &schemaNode{Type: []string{"array", "null"}},
			Then: &schemaNode{Items: one},
			Else: g.value(reflect.TypeFor[string](), r, false),
		}}}
	case t == reflect.TypeFor[Checksums]():
		one := g.value(reflect.TypeFor[string](), r, true)
		return &schemaNode{AnyOf: []*schemaNode{{
			If: &schemaNode{Type: []string{"object", "null"}},
			Then: &schemaNode{
				AdditionalProperties: one, PropertyNames: &schemaNode{Pattern: mergeKey + r.names.match.String()},
			},
			Else: one,
		}}}
	case t == reflect.TypeFor[App]():
		return &schemaNode{Ref: "#/definitions/app"}
	case t.Kind() == reflect.Pointer:
		return g.value(t.Elem(), r, filled)
	case t.Kind() == reflect.Struct:
		return g.object(t)
	case t.Kind() == reflect.Slice:
		n := &schemaNode{Type: []string{"array", "null"}, Items: g.value(t.Elem(), r, true)}
		if r == nil || len(r.never) == 0 {
			return n
		}
		n.Not = &schemaNode{}
		for _, begins := range r.never {
			var items []*schemaNode
			for _, one := range begins.items {
				items = append(items, &schemaNode{Enum: one})
			}
			n.Not.AnyOf = append(n.Not.AnyOf, &schemaNode{Type: "array", MinItems: begins.least, Items: items})
		}
		return n
	case t.Kind() == reflect.Map:
		n := &schemaNode{Type: []string{"object", "null"}, AdditionalProperties: g.value(t.Elem(), r, true)}
		// A merge key is not a name, but editors do not know that.
		n.PropertyNames = &schemaNode{Pattern: mergeKey + r.names.match.String(), PatternErrorMessage: must(r.names.is)}
		if r.names.not == ownedName {
			n.PropertyNames.Not = &schemaNode{Ref: "#/definitions/owned"}
		} else if r.names.not != nil {
			n.PropertyNames.Not = &schemaNode{Pattern: r.names.not.String()}
		}
		return n
	case t.Kind() == reflect.Bool:
		return &schemaNode{
			Type: []string{"boolean", "string", "integer", "null"}, Minimum: new(int64(0)), Maximum: new(int64(1)),
			Pattern: `^([10tTfF]|true|True|TRUE|false|False|FALSE)$|` + anArgument, PatternErrorMessage: must(r.is),
		}
	case t.Kind() == reflect.Int:
		return text(&schemaNode{Type: []string{"integer", "null"}, Minimum: &r.min, Maximum: &r.max}, `^\+?[0-9]+$`,
			must(r.is))
	case t.Kind() == reflect.String:
		pattern := r.match.String()
		if !filled && !r.match.MatchString("") {
			pattern = "^$|" + pattern
		}
		return text(bare(r, filled), pattern, must(r.is))
	default:
		g.t.Fatalf("what is the schema of a %s?", t)
		return nil
	}
}

func must(is string) string { return "Must be " + is + "." }

// bare matches values without quotes that count as the text they are written as: a number, true or false, or nothing.
// The pattern does not see them.
func bare(r *rule, filled bool) *schemaNode {
	n := &schemaNode{}
	var types []string
	fits := func(texts ...string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return r.wrong(text) != "" && (text != "" || filled) })
	}
	switch {
	case fits("1.5"):
		types = append(types, "number")
	case fits("0") || r.max > 0:
		types = append(types, "integer")
	}
	if len(types) > 0 && !fits("-1") {
		n.Minimum = &r.min
	}
	switch {
	case r.max > 0:
		n.Maximum = &r.max
	case len(types) > 0 && !fits("7"):
		n.Maximum = new(int64(0))
	}
	if fits("true", "false") {
		types = append(types, "boolean")
	}
	if fits("") {
		types = append(types, "null")
	}
	if len(types) == 0 {
		return nil
	}
	n.Type = types
	return n
}

// text returns the schema of a text that may also be written as another type. A schema that allows these types by
// "type" or by alternatives would make editors offer true, false and null for a project. This form avoids that.
// An anyOf, even of one, also makes yaml-language-server write a colon after the key.
func text(also *schemaNode, pattern, says string) *schemaNode {
	n := &schemaNode{Type: "string", Pattern: pattern + "|" + anArgument, PatternErrorMessage: says}
	if also == nil {
		return n
	}
	return &schemaNode{AnyOf: []*schemaNode{{If: also, Else: n}}}
}

// Parts of a comment: the name at the beginning, links to other fields, the meaning of an empty value, code, and lines
// for the page.
var (
	subject = regexp.MustCompile(`^(\w+) (is |are |says )?`)
	link    = regexp.MustCompile(`\[(\w+\.\w+)\]`)
	without = regexp.MustCompile(` (?:Empty|Nil): `)
	code    = regexp.MustCompile(`--[a-z][a-z-]+(?:=\w+)?|\$\{\w+\}|%\w+%|"[^"]+"|` +
		`\b[\w.]+\.(?:config|json)\b|\bmcr\.[\w./]+\w|\b(?:Container|Publish)[A-Z]\w+|` +
		`\b(?:TargetFramework|NuGetAudit|UID:GID|UID)\b|\b[A-Z]+_[A-Z_]+\b`)
	note = regexp.MustCompile(`(?m)^\t((?:after )?(?:example|Dockerfile)|MSBuild|see): (.+)\n`)
)

// about is what the comment of a key says, before links to fields are resolved.
type about struct {
	says, without string
	deprecated    string // is the beginning of says
	notes         map[string]string
}

func (g *generator) about(at string) about {
	a := about{notes: map[string]string{}}
	for _, m := range note.FindAllStringSubmatch(g.docs[at], -1) {
		a.notes[m[1]] = m[2]
	}
	doc := strings.Join(strings.Fields(note.ReplaceAllString(g.docs[at], "")), " ")
	_, field, _ := strings.Cut(at, ".")
	m := subject.FindStringSubmatch(doc)
	if m == nil || m[1] != field {
		g.t.Errorf("%s has no comment that begins with its name: %q", at, doc)
		return a
	}
	doc = strings.TrimPrefix(doc, m[0])
	doc = strings.ToUpper(doc[:1]) + doc[1:]
	parts := append(without.Split(doc, 2), "")
	a.says, a.without = parts[0], parts[1]
	if instead := g.keys[at].deprecated; instead != "" {
		a.deprecated = "Deprecated: " + instead + ". A later version removes this key."
		a.says = a.deprecated + " " + a.says
	}
	return a
}

// resolve writes the links to fields in a text.
func (g *generator) resolve(text string, write func(k keyOf) string) string {
	return link.ReplaceAllStringFunc(text, func(s string) string {
		k, ok := g.keys[strings.Trim(s, "[]")]
		if !ok {
			g.t.Errorf("%s is no key: %s", s, text)
		}
		return write(k)
	})
}

func inCode(text string) string {
	return code.ReplaceAllStringFunc(text, func(s string) string { return "`" + strings.Trim(s, `"`) + "`" })
}

// describe turns the comment of a field into a description for editors, as plain text and in Markdown.
func (g *generator) describe(at string) (plain, markdown string) {
	a, k := g.about(at), g.keys[at]
	plain, markdown = a.says, inCode(a.says)
	if a.without != "" {
		plain += " Without it: " + a.without
		markdown += "\n\nWithout it: " + inCode(a.without)
	}
	page := pageURL + "#" + anchorOf(k.path)
	plain = g.resolve(plain, func(k keyOf) string { return k.key }) + " " + page
	markdown = g.resolve(markdown, func(k keyOf) string { return "`" + k.key + "`" })
	return plain, fmt.Sprintf("%s\n\n[%s in the reference](%s)", markdown, k.path, page)
}
