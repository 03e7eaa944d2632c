package spec

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/util/suggest"
	"go.yaml.in/yaml/v3"
)

// argument finds ${NAME} in a value, and $${NAME}, which is ${NAME} as text.
var argument = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

// substitute puts build arguments into the values of a spec, but for the section that declares them.
func (d *decoder) substitute(root *yaml.Node, given map[string]string) {
	declared := &struct {
		Args map[string]Arg `yaml:"args"`
	}{}
	var values []*yaml.Node
	for i := 0; i+1 < len(root.Content) && root.Kind == yaml.MappingNode; i += 2 {
		if root.Content[i].Value != "args" {
			values = append(values, root.Content[i+1])
			continue
		}
		// Mistakes in it are found when it is read once more.
		(&decoder{lines: map[string]Range{}}).value("args", root.Content[i+1], reflect.ValueOf(&declared.Args).Elem())
	}
	args := map[string]string{}
	for name, arg := range declared.Args {
		args[name] = arg.Default
		if v, ok := given[name]; ok {
			args[name] = v
		}
	}
	done := map[*yaml.Node]bool{} // aliases lead to the same nodes
	for _, n := range values {
		d.substituteIn(n, args, done)
	}
}

func (d *decoder) substituteIn(n *yaml.Node, args map[string]string, done map[*yaml.Node]bool) {
	if n == nil || done[n] {
		return
	}
	done[n] = true
	switch n.Kind {
	case yaml.ScalarNode:
		if !strings.Contains(n.Value, "${") {
			return
		}
		n.Value = argument.ReplaceAllStringFunc(n.Value, func(text string) string {
			if escaped, ok := strings.CutPrefix(text, "$$"); ok {
				return "$" + escaped
			}
			name := strings.TrimSuffix(strings.TrimPrefix(text, "${"), "}")
			d.used[name] = true
			v, ok := args[name]
			if !ok {
				d.errorf(n, "%s", undeclared(name, args))
			}
			return v
		})
		n.Tag = "!!str" // an empty one is a text all the same
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			d.substituteIn(n.Content[i], args, done)
		}
	case yaml.AliasNode:
		d.substituteIn(n.Alias, args, done)
	default:
		for _, c := range n.Content {
			d.substituteIn(c, args, done)
		}
	}
}

func undeclared(name string, args map[string]string) string {
	msg := fmt.Sprintf("build argument %q is not declared", name)
	if s, ok := suggest.Search(name, slices.Sorted(maps.Keys(args)), true); ok {
		return msg + fmt.Sprintf(", did you mean ${%s}?", s)
	}
	return msg + fmt.Sprintf(": add it to args, or write $${%s} for the text as it is", name)
}
