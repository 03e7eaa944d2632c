package spec

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// pair is a key of a map and its value.
type pair struct {
	key, value *node
	merged     bool // merged into the map with <<
}

// pairs returns the keys of a map with their values, each key once. The map's own keys come first, and then the keys
// that it merges. If several maps have a key, the first one counts, as in compose.yaml
// (https://yaml.org/type/merge.html). names is the rule of the keys, if they are names.
func (d *decoder) pairs(path string, n *node, names *rule) []pair {
	var pairs []pair
	var merge *node
	seen := map[string]*node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := follow(n.Content[i])
		id := names.same(k.Value)
		isMerge := isMerge(k)
		if isMerge {
			id = "<<"
		}
		switch was := seen[id]; {
		case k.Kind != yaml.ScalarNode:
			d.errorf(n.Content[i], "a key of %s must be a single value, not %s", name(path), kind(k))
		case was != nil && was.Value != k.Value:
			d.errorf(k, "key %s is already on line %d, as %s", name(join(path, k.Value)), was.Line, show(was.Value))
		case was != nil:
			d.errorf(k, "key %s is already on line %d", name(join(path, k.Value)), was.Line)
		case isMerge:
			seen[id], merge = k, n.Content[i+1]
		default:
			seen[id] = k
			pairs = append(pairs, pair{k, n.Content[i+1], false})
		}
	}
	if merge != nil {
		pairs = d.merge(pairs, merge, names, seen, []*node{n})
	}
	return pairs
}

// merge adds the keys of <<, which is a map or a list of maps. within are the maps around it.
func (d *decoder) merge(pairs []pair, n *node, names *rule, seen map[string]*node, within []*node) []pair {
	maps := []*node{n}
	if list := follow(n); list.Kind == yaml.SequenceNode {
		maps = list.Content
	}
	for _, m := range maps {
		switch of := follow(m); {
		case d.full:
		case of.Kind != yaml.MappingNode:
			d.errorf(m, "<< must be a map, or a list of maps, not %s", kind(of))
		case slices.Contains(within, of):
			d.errorf(m, "<< merges a map into itself")
		case len(within) > maxMerges:
			d.stop(m, "<< merges more than %d maps one into another", maxMerges)
		default:
			pairs = d.mergeMap(pairs, of, names, seen, append(slices.Clone(within), of))
		}
	}
	return pairs
}

func (d *decoder) mergeMap(pairs []pair, of *node, names *rule, seen map[string]*node, within []*node) []pair {
	var further []*node
	for i := 0; i+1 < len(of.Content) && !d.full; i += 2 {
		k := follow(of.Content[i])
		if d.aliased++; d.aliased > maxAliased {
			d.stop(k, "aliases and << repeat more than %d values: use fewer of them", maxAliased)
		}
		switch id := names.same(k.Value); {
		case isMerge(k):
			further = append(further, of.Content[i+1])
		case k.Kind == yaml.ScalarNode && seen[id] == nil:
			seen[id] = k
			pairs = append(pairs, pair{k, of.Content[i+1], true})
		}
	}
	for _, n := range further {
		pairs = d.merge(pairs, n, names, seen, within)
	}
	return pairs
}

func isMerge(k *node) bool { return k.Kind == yaml.ScalarNode && k.Tag == "!!merge" }

// pair calls fn, which reads the value of a pair.
func (d *decoder) pair(p pair, fn func()) {
	if p.merged {
		d.aliases++
		defer func() { d.aliases-- }()
	}
	fn()
}
