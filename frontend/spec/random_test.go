package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/platforms"
	"go.yaml.in/yaml/v3"
)

// Any file that the schema allows, or nearly allows, is a spec or has mistakes at lines of the file. Reading it is
// quick and takes little memory. Most files that the schema accepts are specs.
func TestRandom(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	parsed, refused := 0, 0
	for seed := uint64(1); seed <= 1500; seed++ {
		w := &writer{rand.New(rand.NewPCG(seed, 1)), schema["definitions"].(map[string]any), 1 + int(seed%4)}
		if seed%100 == 0 {
			w.wide = 40
		}
		v := w.value(schema, 0)
		valid := seed%2 == 0
		if !valid {
			for range 1 + w.IntN(3) {
				v = w.spoil(v)
			}
		}
		dt, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if dt = dt[:min(len(dt), 64<<10)]; !valid {
			dt = w.spoilText(dt)
		}
		var s *Spec
		took, bytes := cost(func() {
			if s, err = Parse(dt, nil); err == nil {
				s, err = s.For(platforms.MustParse("linux/arm/v7"))
			}
		})
		inFile(t, dt, err)
		if took > 2*time.Second || bytes > 200<<20 {
			t.Errorf("%v and %d MB for %d KB", took, bytes>>20, len(dt)>>10)
		}
		for path, r := range rangesOf(s) {
			if r.Start < 1 || r.End < r.Start || r.End > strings.Count(string(dt), "\n")+1 {
				t.Errorf("%s is on lines %v", path, r)
			}
		}
		switch {
		case t.Failed():
			t.Fatalf("seed %d:\n%s", seed, dt)
		case valid && err == nil:
			parsed++
		case !valid && err != nil:
			refused++
		}
	}
	t.Logf("%d of 750 are specs, and %d of 750 spoilt ones are none", parsed, refused)
	if parsed < 400 || refused < 400 {
		t.Errorf("%d of 750 are specs, and %d of 750 spoilt ones are none: that tries too little of one of them", parsed,
			refused)
	}
}

func rangesOf(s *Spec) map[string]Range {
	if s == nil {
		return nil
	}
	return s.lines
}

// writer writes random files that a schema allows.
type writer struct {
	*rand.Rand
	definitions map[string]any
	wide        int // the greatest size of lists and maps
}

func (w *writer) value(n map[string]any, depth int) any {
	if ref, ok := n["$ref"].(string); ok {
		def := w.definitions
		at := strings.Split(strings.TrimPrefix(ref, "#/definitions/"), "/")
		for _, key := range at[:len(at)-1] {
			def = def[key].(map[string]any)
		}
		return w.value(def[at[len(at)-1]].(map[string]any), depth)
	}
	if all, ok := n["anyOf"].([]any); ok {
		return w.value(all[w.IntN(len(all))].(map[string]any), depth)
	}
	if other, ok := n["else"].(map[string]any); ok && n["type"] == nil {
		if also := n["if"].(map[string]any); w.IntN(4) > 0 || also["type"] == nil {
			return w.value(other, depth)
		}
		if n["then"] != nil {
			return w.list(n["then"].(map[string]any), depth)
		}
		return w.value(n["if"].(map[string]any), depth)
	}
	if enum, ok := n["enum"].([]any); ok {
		return enum[w.IntN(len(enum))]
	}
	switch w.kind(n["type"]) {
	case "object":
		return w.object(n, depth)
	case "array":
		return w.list(n, depth)
	case "boolean":
		return w.IntN(2) == 0
	case "number", "integer":
		low, high := number(n["minimum"], -10), number(n["maximum"], 1000)
		return low + w.Int64N(high-low+1)
	case "string":
		return w.text(n)
	default:
		return nil
	}
}

func number(v any, otherwise int64) int64 {
	if f, ok := v.(float64); ok {
		return int64(f)
	}
	return otherwise
}

// kind picks one of the types of a schema, and seldom none at all.
func (w *writer) kind(types any) string {
	list, ok := types.([]any)
	if !ok {
		return fmt.Sprint(types)
	}
	if kind := list[w.IntN(len(list))].(string); kind != "null" || w.IntN(8) == 0 {
		return kind
	}
	return list[0].(string)
}

func (w *writer) list(n map[string]any, depth int) any {
	items, _ := n["items"].(map[string]any)
	list := []any{}
	for range max(w.IntN(w.wide+1), int(number(n["minItems"], 0))) {
		list = append(list, w.value(items, depth+1))
	}
	return list
}

// object writes some of the possible keys, and those that are needed.
func (w *writer) object(n map[string]any, depth int) any {
	m := map[string]any{}
	properties, _ := n["properties"].(map[string]any)
	names, free := n["propertyNames"].(map[string]any)
	if free {
		for range w.IntN(w.wide + 1) {
			m[w.text(names)] = w.value(n["additionalProperties"].(map[string]any), depth+1)
		}
		return m
	}
	needed, _ := n["required"].([]any)
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(needed, any(key)) || w.IntN(3+depth) == 0 {
			m[key] = w.value(properties[key].(map[string]any), depth+1)
		}
	}
	if w.IntN(10) == 0 {
		m["x-"+fmt.Sprint(w.IntN(9))] = []any{map[string]any{"a": "${B}"}}
	}
	for _, pair := range [][2]string{{"image", "version"}, {"image", "family"}, {"ca", "ca-secret"},
		{"config-secret", "feeds"}, {"apps", "project"}, {"apps", "framework"}} {
		if m[pair[0]] != nil && m[pair[1]] != nil && w.IntN(8) > 0 {
			delete(m, pair[1])
		}
	}
	return m
}

// text writes a text that matches the pattern of a schema, or has a build argument if the schema allows one.
func (w *writer) text(n map[string]any) string {
	pattern, ok := n["pattern"].(string)
	if !ok {
		return "text"
	}
	pattern = strings.TrimPrefix(pattern, mergeKey)
	if strings.HasSuffix(pattern, "|"+anArgument) && len(pattern) > len(anArgument)+1 {
		pattern = strings.TrimSuffix(pattern, "|"+anArgument)
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	w.match(&b, re.Simplify())
	return b.String()
}

// match writes a text that an expression matches.
func (w *writer) match(b *strings.Builder, re *syntax.Regexp) {
	times := 1
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
		return
	case syntax.OpCharClass:
		i := w.IntN(len(re.Rune)/2) * 2
		low, high := re.Rune[i], min(re.Rune[i+1], re.Rune[i]+100)
		b.WriteRune(low + w.Int32N(high-low+1))
		return
	case syntax.OpAlternate:
		w.match(b, re.Sub[w.IntN(len(re.Sub))])
		return
	case syntax.OpStar:
		times = w.IntN(4)
	case syntax.OpPlus:
		times = 1 + w.IntN(4)
	case syntax.OpQuest:
		times = w.IntN(2)
	}
	for range times {
		for _, sub := range re.Sub {
			w.match(b, sub)
		}
	}
}

// odd returns a value that is wrong or difficult in most places.
func (w *writer) odd() any {
	all := []any{
		nil, "", "../a", `a\b`, "/", -1, 99999, 1.5, true, "a\nb", "a\x00b", "a\u2028b", "\r", "${A}", "${TARGETARCH}",
		"$${A}", "<<", strings.Repeat("long ", 2000),
		[]any{}, []any{nil}, []any{[]any{}}, map[string]any{}, map[string]any{"a": "b"}, map[string]any{"": nil},
		map[string]any{"<<": "x"}, "99999999999999999999", "-1s", "8010-8000",
	}
	return all[w.IntN(len(all))]
}

// spoil puts an odd value somewhere.
func (w *writer) spoil(v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) == 0 || w.IntN(6) == 0 {
			v[fmt.Sprint("odd", w.odd())] = w.odd()
			return v
		}
		key := keys[w.IntN(len(keys))]
		v[key] = w.spoil(v[key])
		return v
	case []any:
		if len(v) == 0 {
			return w.odd()
		}
		i := w.IntN(len(v))
		v[i] = w.spoil(v[i])
		return v
	default:
		return w.odd()
	}
}

// spoilText changes the text of some of the files.
func (w *writer) spoilText(dt []byte) []byte {
	if len(dt) == 0 || w.IntN(3) > 0 {
		return dt
	}
	bits := []string{"\r", "\u2028", "\xff", "\t", "\x00", "---\n", "*a", "&a ", "<<: *a\n", ": ", "- ", "[", "}", "'",
		"\"", "${", "? ", "| ", "#"}
	at := w.IntN(len(dt))
	return slices.Concat(dt[:at], []byte(bits[w.IntN(len(bits))]), dt[at:])
}
