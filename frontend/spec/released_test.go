package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// A spec that a release could read means the same for ever. testdata/released/README.md says how a spec gets there.
func TestReleased(t *testing.T) {
	specs, err := filepath.Glob(filepath.Join("testdata", "released", "*", "*.yaml"))
	if err != nil || len(specs) < 30 {
		t.Fatalf("%d specs, %v", len(specs), err)
	}
	values, err := filepath.Glob(filepath.Join("testdata", "released", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range values {
		if !slices.Contains(specs, strings.TrimSuffix(file, "json")+"yaml") {
			t.Errorf("%s has lost its spec", file)
		}
	}
	for _, file := range specs {
		got := released(t, file)
		golden := strings.TrimSuffix(file, "yaml") + "json"
		want, err := os.ReadFile(golden)
		switch {
		case errors.Is(err, fs.ErrNotExist) && *update: // what is there already stays
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		case err != nil:
			t.Error(err)
		case !bytes.Equal(got, want):
			t.Errorf("%s no longer means what it meant. It was\n%s\nand now it is\n%s", file, want, got)
		}
	}
}

// released returns what a spec means for linux/arm64, as JSON with the keys of the spec, and without keys that have no
// value: so a new key changes nothing here.
func released(t *testing.T, file string) []byte {
	t.Helper()
	dt, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseOn(dt, nil, ocispecs.Platform{OS: "linux", Architecture: "amd64"})
	if err == nil {
		s, err = s.For(ocispecs.Platform{OS: "linux", Architecture: "arm64"})
	}
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(meaning(reflect.ValueOf(s))); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// meaning returns a value of a spec as JSON takes it.
func meaning(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return meaning(v.Elem())
	case reflect.Struct:
		out := map[string]any{}
		for key, f := range sections[v.Type()].fields {
			if of := v.FieldByIndex(f.index); !of.IsZero() {
				out[key] = meaning(of)
			}
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, name := range v.MapKeys() {
			out[name.String()] = meaning(v.MapIndex(name))
		}
		return out
	case reflect.Slice:
		if _, ok := v.Interface().(Paths); ok && v.Len() == 1 { // it was a single value
			return meaning(v.Index(0))
		}
		out := []any{}
		for i := range v.Len() {
			out = append(out, meaning(v.Index(i)))
		}
		return out
	default:
		return v.Interface()
	}
}
