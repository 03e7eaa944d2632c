package spec

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write the schema")

// The schema in the repository equals the one made from the types and their comments.
func TestSchema(t *testing.T) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(newGenerator(t).schema()); err != nil {
		t.Fatal(err)
	}
	const file = "v1.json"
	if *update {
		if err := os.WriteFile(file, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		schema = buf.String()
	}
	if !bytes.Equal(Schema(), buf.Bytes()) {
		t.Errorf("%s is not what the types say: go test ./frontend/spec -run TestSchema -update writes it", file)
	}
}

// The files that claim to have every key do have every key.
func TestFull(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range []string{"full.yaml", "full-apps.yaml"} {
		dt, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(dt, nil)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		given(seen, reflect.ValueOf(s).Elem())
	}
	for at := range newGenerator(t).keys {
		if !seen[at] {
			t.Errorf("testdata/full.yaml and full-apps.yaml have no %s", at)
		}
	}
}

// given lists the fields that have a value, as Type.Field.
func given(seen map[string]bool, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		given(seen, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			given(seen, v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			given(seen, v.MapIndex(k))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				seen[v.Type().Name()+"."+v.Type().Field(i).Name] = true
				given(seen, f)
			}
		}
	}
}
