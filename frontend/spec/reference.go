package spec

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Key is what a reference says about a key.
type Key struct {
	// Path is the path of the key, such as "image.env". In each entry of a list it is like "files[].to", and in each entry
	// of a map like "args.*.default".
	Path string
	// Type is text, number, true or false, list of texts, or map of texts.
	Type string
	// Rule says what is allowed for the value, or for each item, or for each name and value.
	Rule string
	// About says what the key is for. Default says what applies without the key, or is empty.
	About, Default string
	// PerPlatform tells whether the value may contain ${TARGETARCH} and similar arguments.
	PerPlatform bool
}

// Keys returns all keys that have a value, in the order of the types. Each of apps has the keys of [App] too, but they
// are listed only once.
func Keys() []Key {
	var root described
	_ = json.Unmarshal([]byte(schema), &root) // a test writes the schema
	var all []Key
	for _, k := range keys() {
		about, without, _ := strings.Cut(root.find(root.Definitions, k.path), " Without it: ")
		all = append(all, Key{k.path, k.typeName, k.rule.String(), about, without, k.platform})
	}
	return all
}

// keyOf is a key in the types.
type keyOf struct {
	field
	path, typeName string
}

func keys() []keyOf {
	var all []keyOf
	addKeys(&all, reflect.TypeFor[Spec](), "")
	return all
}

func addKeys(all *[]keyOf, t reflect.Type, prefix string) {
	s := sections[t]
	for _, key := range s.keys {
		f := s.fields[key]
		ft, path := t.FieldByIndex(f.index).Type, prefix+key
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		switch {
		case f.rule != nil:
			*all = append(*all, keyOf{f, path, typeName(ft)})
			if ft == reflect.TypeFor[map[string]Arg]() {
				addKeys(all, ft.Elem(), path+".*.")
			}
		case ft.Kind() == reflect.Slice:
			addKeys(all, ft.Elem(), path+"[].")
		default:
			addKeys(all, ft, path+".")
		}
	}
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "number"
	case reflect.Slice:
		return "list of texts"
	case reflect.Map:
		return "map of texts"
	default:
		return "text"
	}
}

// described is the part of the schema that describes keys.
type described struct {
	Description string
	Ref         string `json:"$ref"`
	Properties  map[string]*described
	Items       *described
	AnyOf       []*described
	Definitions map[string]*described
	// Additional is false, or describes the values of a map.
	Additional json.RawMessage `json:"additionalProperties"`
}

// find returns the description of a key below n.
func (n *described) find(definitions map[string]*described, path string) string {
	key, rest, below := strings.Cut(path, ".")
	key, inList := strings.CutSuffix(key, "[]")
	for _, at := range append([]*described{n}, n.AnyOf...) {
		to := at.Properties[key]
		if key == "*" {
			_ = json.Unmarshal(at.Additional, &to)
		}
		if to == nil {
			continue
		}
		if strings.HasPrefix(to.Ref, "#/definitions/app/properties/") {
			to = definitions["app"].Properties[key]
		}
		if inList {
			to = to.Items
		}
		if below {
			return to.find(definitions, rest)
		}
		return to.Description
	}
	return ""
}
