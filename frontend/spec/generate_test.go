package spec

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/llb/dotnet"
)

const schemaID = "https://raw.githubusercontent.com/crosshull/crosshull/main/frontend/spec/v1.json"

// node is a schema: draft-07, as far as it is needed, and what yaml-language-server and VS Code know beyond it.
type node struct {
	Dialect              string           `json:"$schema,omitempty"`
	ID                   string           `json:"$id,omitempty"`
	Ref                  string           `json:"$ref,omitempty"`
	Title                string           `json:"title,omitempty"`
	Description          string           `json:"description,omitempty"`
	MarkdownDescription  string           `json:"markdownDescription,omitempty"`
	DoNotSuggest         bool             `json:"doNotSuggest,omitempty"`
	DefaultSnippets      []snippet        `json:"defaultSnippets,omitempty"`
	Type                 any              `json:"type,omitempty"` // a name or several
	Enum                 []string         `json:"enum,omitempty"`
	EnumDescriptions     []string         `json:"enumDescriptions,omitempty"`
	Const                any              `json:"const,omitempty"`
	Pattern              string           `json:"pattern,omitempty"`
	PatternErrorMessage  string           `json:"patternErrorMessage,omitempty"`
	ErrorMessage         string           `json:"errorMessage,omitempty"`
	Minimum              *int             `json:"minimum,omitempty"`
	Maximum              *int             `json:"maximum,omitempty"`
	Items                *node            `json:"items,omitempty"`
	MinItems             int              `json:"minItems,omitempty"`
	Properties           map[string]*node `json:"properties,omitempty"`
	PropertyNames        *node            `json:"propertyNames,omitempty"`
	MinProperties        int              `json:"minProperties,omitempty"`
	Required             []string         `json:"required,omitempty"`
	AdditionalProperties any              `json:"additionalProperties,omitempty"` // false or a node
	AnyOf                []*node          `json:"anyOf,omitempty"`
	AllOf                []*node          `json:"allOf,omitempty"`
	Not                  *node            `json:"not,omitempty"`
	If                   *node            `json:"if,omitempty"`
	Then                 *node            `json:"then,omitempty"`
	Else                 *node            `json:"else,omitempty"`
	Definitions          map[string]*node `json:"definitions,omitempty"`
}

// A snippet is what an editor offers to write.
type snippet struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Type        string `json:"type"` // of what is written: for an array, one of its items
	Body        body   `json:"body"`
}

// A body keeps the order of its keys.
type body string

func (b body) MarshalJSON() ([]byte, error) { return []byte(b), nil }

// generator makes the schema out of the types.
type generator struct {
	t    *testing.T
	docs map[string]string // comments by Type.Field
	keys map[string]string // and keys
	used map[string]bool   // rules and shapes
}

func newGenerator(t *testing.T) *generator {
	g := &generator{t: t, docs: map[string]string{}, keys: map[string]string{}, used: map[string]bool{}}
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
					if f.Tag != nil {
						key, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml"), ",")
						g.keys[spec.Name.Name+"."+name.Name] = key
					}
				}
			}
		}
		return false
	})
	return g
}

func (g *generator) schema() *node {
	n := g.object(reflect.TypeFor[Spec]())
	n.Dialect, n.ID, n.Title = "http://json-schema.org/draft-07/schema#", schemaID, "crosshull.yaml"
	n.Description = "How a .NET project becomes multi-platform images. Everything is optional: what the project says need not be repeated."
	app := g.object(reflect.TypeFor[App]())
	for key := range app.Properties {
		n.Properties[key] = &node{Ref: "#/definitions/app/properties/" + key}
	}
	mode := &node{Title: "mode", Type: "string", Enum: dotnet.Modes()}
	for _, name := range mode.Enum {
		if modes[name] == "" {
			g.t.Errorf("nothing is said of mode %s", name)
		}
		mode.EnumDescriptions = append(mode.EnumDescriptions, modes[name])
	}
	n.Definitions = map[string]*node{"app": app, "mode": mode}
	n.If = &node{Required: []string{"apps"}, Properties: map[string]*node{"apps": {Type: "object", MinProperties: 1}}}
	n.Then = &node{Properties: map[string]*node{"project": {
		Type: []string{"string", "null"}, Pattern: `^$|` + anArgument, ErrorMessage: "project belongs into each of apps", DoNotSuggest: true,
	}}}
	// Here alone, as what one of apps leaves out of its healthcheck, it has from here.
	healthcheck := &node{Required: []string{"test"}, Properties: map[string]*node{"test": {Type: "array", DoNotSuggest: true}}, DoNotSuggest: true}
	n.AllOf = []*node{{Properties: map[string]*node{"image": {Properties: map[string]*node{"healthcheck": healthcheck}, DoNotSuggest: true}}}}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(rules)), slices.Collect(maps.Keys(shapes))) {
		if !g.used[name] {
			g.t.Errorf("no type has %s", name)
		}
	}
	return n
}

// object is the schema of a struct.
func (g *generator) object(t reflect.Type) *node {
	n := &node{Type: []string{"object", "null"}, Properties: map[string]*node{}, AdditionalProperties: false}
	alone := n
	for i := range t.NumField() {
		f := t.Field(i)
		key, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		at := t.Name() + "." + f.Name
		v := g.value(f.Type, at)
		if option == "alone" {
			alone = &node{AnyOf: []*node{g.value(f.Type, at), n}}
			if len(v.AnyOf) > 0 {
				*alone.AnyOf[0] = *v.AnyOf[0]
			}
			alone.AnyOf[0].Title = key
		}
		v.Description, v.MarkdownDescription = g.describe(at)
		n.Properties[key] = v
	}
	if shape, ok := shapes[t.Name()]; ok {
		shape(n)
		g.used[t.Name()] = true
	}
	return alone
}

// value is the schema of a type at a field.
func (g *generator) value(t reflect.Type, at string) *node {
	r, ok := rules[at]
	if ok {
		g.used[at] = true
	} else {
		r.also = plain
	}
	switch {
	case t == reflect.TypeFor[Modes]():
		one, some := &node{Ref: "#/definitions/mode"}, &node{Type: "string", Pattern: anArgument}
		return &node{AnyOf: []*node{one, {
			If:   &node{Type: []string{"array", "null"}},
			Then: &node{Items: &node{AnyOf: []*node{one, some}}},
			Else: some,
		}}}
	case t == reflect.TypeFor[App]():
		return &node{Ref: "#/definitions/app"}
	case t.Kind() == reflect.Pointer:
		return g.value(t.Elem(), at)
	case t.Kind() == reflect.Struct:
		return g.object(t)
	case t.Kind() == reflect.Slice:
		return &node{Type: []string{"array", "null"}, Items: g.value(t.Elem(), at)}
	case t.Kind() == reflect.Map:
		n := &node{Type: []string{"object", "null"}, AdditionalProperties: g.value(t.Elem(), at)}
		if r.names != "" {
			n.PropertyNames = &node{Pattern: r.names, PatternErrorMessage: r.unnamed}
		}
		if r.reserved != "" {
			n.PropertyNames.Not = &node{Pattern: r.reserved}
		}
		return n
	case t.Kind() == reflect.Bool:
		return &node{
			Type: []string{"boolean", "string", "integer", "null"}, Minimum: new(0), Maximum: new(1),
			Pattern: `^([10tTfF]|true|True|TRUE|false|False|FALSE)$|` + anArgument, PatternErrorMessage: "That is neither true nor false.",
		}
	case t.Kind() == reflect.Int:
		return text(integers, `^\+?[0-9]+$`, "That is not a whole number.")
	case t.Kind() == reflect.String:
		return text(r.also, r.pattern, r.says)
	default:
		g.t.Fatalf("%s is a %s", at, t)
		return nil
	}
}

// text is the schema of a text that may be something else too. It is written so that editors do not offer true, false and
// null for a project, as they do where a schema says by type or by alternatives that they are allowed; yaml-language-server
// takes anyOf, be it of one, for the sign to write a colon after the key.
func text(also *node, pattern, says string) *node {
	n := &node{Type: "string"}
	if pattern != "" {
		n.Pattern, n.PatternErrorMessage = pattern+"|"+anArgument, says
	}
	if also == nil {
		return n
	}
	return &node{AnyOf: []*node{{If: also, Else: n}}}
}

// Parts of a comment: the name that it begins with, links to other fields, what holds for an empty value, and code.
var (
	subject = regexp.MustCompile(`^(\w+) (is |are |says )?`)
	link    = regexp.MustCompile(`\[(\w+\.\w+)\]`)
	without = regexp.MustCompile(` (?:Empty|Nil): `)
	code    = regexp.MustCompile(`--[a-z][a-z-]+(?:=\w+)?|\$\{\w+\}|%\w+%|"[^"]+"|\b[\w.]+\.(?:config|json)\b|\bmcr\.[\w./]+\w|\b(?:Container|Publish)[A-Z]\w+|\b(?:TargetFramework|NuGetAudit|UID:GID|UID)\b|\b[A-Z]+_[A-Z_]+\b`)
)

// describe turns the comment of a field into what the writer of a spec is told, plainly and in Markdown.
func (g *generator) describe(at string) (plain, markdown string) {
	doc := strings.Join(strings.Fields(g.docs[at]), " ")
	_, field, _ := strings.Cut(at, ".")
	m := subject.FindStringSubmatch(doc)
	if m == nil || m[1] != field {
		g.t.Errorf("%s has no comment that begins with its name: %q", at, doc)
		return "", ""
	}
	doc = strings.TrimPrefix(doc, m[0])
	doc = strings.ToUpper(doc[:1]) + doc[1:]
	keys := func(format string) string {
		return link.ReplaceAllStringFunc(doc, func(s string) string {
			key, ok := g.keys[strings.Trim(s, "[]")]
			if !ok {
				g.t.Errorf("the comment of %s leads to %s, which is no key", at, s)
			}
			return fmt.Sprintf(format, key)
		})
	}
	plain = without.ReplaceAllString(keys("%s"), " Without it: ")
	markdown = code.ReplaceAllStringFunc(keys("%q"), func(s string) string { return "`" + strings.Trim(s, `"`) + "`" })
	return plain, without.ReplaceAllString(markdown, "\n\nWithout it: ")
}
