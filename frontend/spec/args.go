package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// declare decides what the build arguments of the spec stand for: the value that the user gives, or the default, or the
// value of a platform for some names, as in a Dockerfile (dockerfile2llb, dispatchArg).
func (d *decoder) declare() {
	d.args, d.later = map[string]string{}, map[string]bool{}
	for name, arg := range d.into.Args {
		if v, ok := d.given[name]; ok {
			d.args[name] = v
			continue
		}
		d.args[name] = arg.Default
		if arg.Default != "" {
			continue
		}
		if v, ok := d.target[name]; ok {
			d.args[name] = v
		} else if v, ok := d.build[name]; ok {
			d.args[name] = v
		} else if d.target == nil && targetArgs[name] {
			d.later[name] = true
		}
	}
}

// expand replaces ${NAME} in a text of the file with the build argument, and $${NAME} with ${NAME}. The text is known
// only if all its arguments are known by now.
func (d *decoder) expand(path string, n *node, f field) (text string, known bool) {
	if f.rule != nil && f.rule.verbatim {
		for name := range d.into.Args {
			d.into.used[name] = d.into.used[name] || Names(n.Value, name)
		}
		return n.Value, true
	}
	if !strings.Contains(n.Value, "${") {
		return n.Value, true
	}
	var b strings.Builder
	known = true
	used := false
	for rest := n.Value; rest != "" && !d.full; {
		before, found, after := cutArg(rest)
		rest = after
		literal, escaped := strings.CutSuffix(before, "$")
		switch {
		case found == "":
			b.WriteString(before)
		case escaped:
			b.WriteString(literal + found)
		default:
			v, ok := d.argument(path, n, f, found)
			known = known && ok
			used = true
			b.WriteString(before + v)
		}
	}
	if used && known {
		d.into.written[path] = n.Value
	}
	return b.String(), known
}

// argument returns what ${NAME} stands for, or ${NAME} itself if that is not known.
func (d *decoder) argument(path string, n *node, f field, found string) (value string, known bool) {
	name := argName(found)
	if d.args == nil {
		d.errorf(n, "%s cannot have %s, because values in args take no build arguments: write $%[2]s for the text as it is",
			where(path), plain(found))
		return found, false
	}
	d.into.used[name] = true
	v, ok := d.args[name]
	switch {
	case !ok:
		d.errorf(n, "%s", d.undeclared(path, found))
	case d.later[name] && f.platform:
		d.differs(path)
	case d.later[name]:
		d.errorf(n, "%s cannot have %s, because this key is the same for all platforms: only these keys can have it: %s",
			where(path), found, perPlatformKeys)
	default:
		if d.expanded += len(v); d.expanded > maxExpanded {
			d.stop(n, "build arguments add more than %d bytes to the values", maxExpanded)
		}
		return v, true
	}
	return found, false
}

// differs records that a value depends on the platform, and so does everything that contains it.
func (d *decoder) differs(path string) {
	for !d.into.perPlatform[path] {
		d.into.perPlatform[path] = true
		path = path[:max(lastDot(path), 0)]
	}
}

// undeclared is the mistake of ${NAME} in the value at a path, if args has no such name.
func (d *decoder) undeclared(path, found string) string {
	name := argName(found)
	msg := fmt.Sprintf("build argument %s is not declared", show(name))
	if s, ok := d.like(name, len(d.args), func() []string { return slices.Sorted(maps.Keys(d.args)) }); ok {
		return msg + fmt.Sprintf(", did you mean ${%s}?", s)
	}
	if ofBase(path, name) {
		return fmt.Sprintf(notExpanded, where(path), plain(found))
	}
	return msg + fmt.Sprintf(": add it to args, or write $${%s} for the text as it is", plain(name))
}
