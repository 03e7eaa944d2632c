package spec

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/util/suggest"
	"go.yaml.in/yaml/v3"
)

// Error is one mistake in a spec.
type Error struct {
	Range Range
	Msg   string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Range.Start, e.Msg) }

// Errors are all mistakes of a spec, by line; never empty.
type Errors []*Error

func (e Errors) Error() string {
	msgs := make([]string, len(e))
	for i, err := range e {
		msgs[i] = err.Error()
	}
	return strings.Join(msgs, "\n")
}

// Parse reads a spec. args are the build arguments that the user gives, of which the spec takes those that it declares. The
// error is an [Errors].
func Parse(dt []byte, args map[string]string) (*Spec, error) {
	s := &Spec{lines: map[string]Range{}, used: map[string]bool{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(dt, &doc); err != nil {
		return nil, Errors{syntaxError(err)}
	}
	if len(doc.Content) == 0 { // nothing but comments
		return s, nil
	}
	d := &decoder{lines: s.lines, used: s.used}
	root := doc.Content[0]
	d.substitute(root, args)
	if root.Kind == yaml.MappingNode || !isNull(root) {
		d.value("", root, reflect.ValueOf(s).Elem())
	}
	if root.Kind == yaml.MappingNode {
		s.inherit(root)
	}
	validate(s, d)
	if len(d.errs) > 0 {
		slices.SortStableFunc(d.errs, func(a, b *Error) int { return a.Range.Start - b.Range.Start })
		return nil, d.errs
	}
	return s, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntaxError gives the parser's message a range; the library has it in text only.
func syntaxError(err error) *Error {
	line, msg := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		msg = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	return &Error{Range{line, line}, "not valid YAML: " + msg}
}

// decoder fills Go values from nodes, keeps where each came from, and collects every mistake rather than the first.
type decoder struct {
	lines map[string]Range
	used  map[string]bool // build arguments
	errs  Errors
}

func (d *decoder) errorf(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, &Error{Range{n.Line, n.Line}, fmt.Sprintf(format, args...)})
}

func (d *decoder) value(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if path != "" {
		d.lines[path] = Range{n.Line, lastLine(n)}
	}
	if isNull(n) { // `image:` with nothing below is what an editor leaves while one types
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(path, n, v.Elem())
	case reflect.Struct:
		if f, ok := aloneField(v); ok && (f.Kind() == reflect.Slice) == (n.Kind == yaml.SequenceNode) && n.Kind != yaml.MappingNode {
			d.value(path, n, f)
			return
		}
		d.fields(path, n, v)
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.errorf(n, "%s must be a map of names to values, not %s", name(path), kind(n))
			return
		}
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		d.pairs(path, n, func(k, val *yaml.Node) {
			e := reflect.New(v.Type().Elem()).Elem()
			d.value(join(path, k.Value), val, e)
			v.SetMapIndex(reflect.ValueOf(k.Value), e)
		})
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[Modes]() && n.Kind == yaml.ScalarNode {
			v.Set(reflect.ValueOf(Modes{n.Value}))
			return
		}
		if n.Kind != yaml.SequenceNode {
			d.errorf(n, "%s must be a list, not %s: write [%s]", name(path), kind(n), n.Value)
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, c := range n.Content {
			d.value(join(path, strconv.Itoa(i)), c, v.Index(i))
		}
	case reflect.Bool:
		on, err := strconv.ParseBool(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil {
			d.errorf(n, "%s must be true or false, not %s", name(path), kind(n))
			return
		}
		v.SetBool(on)
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil {
			d.errorf(n, "%s must be a whole number, not %s", name(path), kind(n))
			return
		}
		v.SetInt(int64(i))
	default:
		if n.Kind != yaml.ScalarNode {
			d.errorf(n, "%s must be a single value, not %s", name(path), kind(n))
			return
		}
		v.SetString(n.Value) // true, 10.0 and 8080 mean the text as written
	}
}

func (d *decoder) fields(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.errorf(n, "%s must be a map of keys to values, not %s", name(path), kind(n))
		return
	}
	fields := map[string]reflect.Value{}
	keys := d.keys(v, fields)
	d.pairs(path, n, func(k, val *yaml.Node) {
		f, ok := fields[k.Value]
		if !ok {
			msg := fmt.Sprintf("unknown key %q", join(path, k.Value))
			if s, ok := suggest.Search(k.Value, keys, true); ok {
				msg += fmt.Sprintf(", did you mean %q?", s)
			} else {
				msg += ": known are " + strings.Join(keys, ", ")
			}
			d.errorf(k, "%s", msg)
			return
		}
		d.value(join(path, k.Value), val, f)
		d.lines[join(path, k.Value)] = Range{k.Line, lastLine(val)}
	})
}

// keys lists the keys of a struct, those of embedded ones included, and finds their fields.
func (d *decoder) keys(v reflect.Value, fields map[string]reflect.Value) []string {
	var keys []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			keys = append(keys, d.keys(v.Field(i), fields)...)
			continue
		}
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" {
			fields[key] = v.Field(i)
			keys = append(keys, key)
		}
	}
	return keys
}

// aloneField is the field of a struct that a list or a value alone means.
func aloneField(v reflect.Value) (reflect.Value, bool) {
	for i := range v.NumField() {
		if _, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); option == "alone" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// inherit gives every app what the file says for all of them: the common part is read again, and the app's own over it.
// Mistakes have been found already.
func (s *Spec) inherit(root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		apps := root.Content[i+1]
		if apps.Kind == yaml.AliasNode {
			apps = apps.Alias
		}
		if root.Content[i].Value != "apps" || apps.Kind != yaml.MappingNode {
			continue
		}
		for j := 0; j+1 < len(apps.Content); j += 2 {
			app, silent := &Spec{}, &decoder{lines: map[string]Range{}}
			silent.value("", root, reflect.ValueOf(app).Elem())
			app.Project, app.Framework = "", ""
			silent.value("", apps.Content[j+1], reflect.ValueOf(&app.App).Elem())
			s.Apps[apps.Content[j].Value] = &app.App
		}
	}
}

// pairs calls fn for each key and value of a mapping, once per key.
func (d *decoder) pairs(path string, n *yaml.Node, fn func(k, v *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if line, ok := seen[k.Value]; ok {
			d.errorf(k, "key %q is already on line %d", join(path, k.Value), line)
			continue
		}
		seen[k.Value] = k.Line
		fn(k, n.Content[i+1])
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func lastLine(n *yaml.Node) int {
	last := n.Line + strings.Count(strings.TrimRight(n.Value, "\n"), "\n")
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 { // which begin below their key
		last++
	}
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(n.Value)
	}
}

func name(path string) string {
	if path == "" {
		return "the spec"
	}
	return strconv.Quote(path)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func lastDot(path string) int { return strings.LastIndexByte(path, '.') }

// AsErrors gives the mistakes inside err, or nil.
func AsErrors(err error) Errors {
	var errs Errors
	errors.As(err, &errs)
	return errs
}
