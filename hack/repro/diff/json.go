package diff

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// document gives the manifest of an object without some of its fields, each as a path of names.
func document(o Object, without ...string) (map[string]any, error) {
	dt, err := o.RawManifest()
	if err != nil {
		return nil, err
	}
	doc, err := parse(dt)
	if err != nil {
		return nil, err
	}
	for _, field := range without {
		drop(doc, field)
	}
	return doc, nil
}

// descriptors compares two but for what follows from the content that they describe, and tells whether that is the
// same.
func (c *comparison) descriptors(at path, a, b v1.Descriptor) (same bool, err error) {
	da, err := descriptor(a)
	if err != nil {
		return false, err
	}
	db, err := descriptor(b)
	if err != nil {
		return false, err
	}
	c.documents(at.to("descriptor"), da, db)
	return a.Digest == b.Digest, nil
}

// descriptor is a descriptor without what follows from the content that it describes.
func descriptor(desc v1.Descriptor) (map[string]any, error) {
	desc.Digest, desc.Size, desc.Data = v1.Hash{}, 0, nil
	dt, err := json.Marshal(desc)
	if err != nil {
		return nil, err
	}
	return parse(dt)
}

func parse(dt []byte) (map[string]any, error) {
	var doc map[string]any
	d := json.NewDecoder(bytes.NewReader(dt))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return doc, nil
}

func drop(doc map[string]any, field string) {
	first, rest, deeper := strings.Cut(field, ".")
	if !deeper {
		delete(doc, first)
	} else if below, ok := doc[first].(map[string]any); ok {
		drop(below, rest)
	}
}

// documents compares values of JSON field by field.
func (c *comparison) documents(at path, a, b any) { c.values(at, "", a, b) }

func (c *comparison) values(at path, field string, a, b any) {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			keys := maps.Clone(a)
			maps.Copy(keys, b)
			for _, k := range slices.Sorted(maps.Keys(keys)) {
				c.value(at, field+member(k), a, b, k)
			}
			return
		}
	case []any:
		if b, ok := b.([]any); ok {
			for i := range max(len(a), len(b)) {
				c.element(at, fmt.Sprintf("%s[%d]", field, i), a, b, i)
			}
			return
		}
	}
	if va, vb := text(a), text(b); va != vb {
		c.add(at.to(field), va, vb)
	}
}

func (c *comparison) value(at path, field string, a, b map[string]any, k string) {
	va, inA := a[k]
	vb, inB := b[k]
	c.present(at, field, va, vb, inA, inB)
}

func (c *comparison) element(at path, field string, a, b []any, i int) {
	var va, vb any
	if i < len(a) {
		va = a[i]
	}
	if i < len(b) {
		vb = b[i]
	}
	c.present(at, field, va, vb, i < len(a), i < len(b))
}

// present compares what is in both, and tells of what is in one only, which null is not.
func (c *comparison) present(at path, field string, a, b any, inA, inB bool) {
	switch {
	case inA && inB:
		c.values(at, field, a, b)
	case inA:
		c.add(at.to(field), text(a), Absent)
	default:
		c.add(at.to(field), Absent, text(b))
	}
}

var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// member is a key as jq has it.
func member(k string) string {
	if plain.MatchString(k) {
		return "." + k
	}
	return fmt.Sprintf("[%q]", k)
}

// text is a value as JSON, which json.Decoder made and json.Marshal can write.
func text(v any) string { return string(must(json.Marshal(v))) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func diffIDs(config map[string]any) any {
	if rootfs, ok := config["rootfs"].(map[string]any); ok {
		return rootfs["diff_ids"]
	}
	return nil
}

func hash(dt []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(dt)) }
