package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder fills a spec from nodes. It records where each value came from, checks the value by its rule, and collects
// all mistakes instead of stopping at the first.
type decoder struct {
	*source
	into   *Spec
	args   map[string]string // values of ${NAME}; nil while the decoder reads args
	target map[string]string // arguments of the platform that the spec is for; nil: no platform yet
	later  map[string]bool   // arguments that are not known without a platform
	ends   map[*node]int     // last lines of nodes that aliases lead to

	aliases  int  // aliases on the way to the current node
	aliased  int  // values read through aliases
	copied   int  // values that apps inherit from the common part
	expanded int  // bytes that arguments added
	full     bool // one of these is over its limit, and the decoder reads no more

	errs Errors
	said map[Error]bool
}

func (d *decoder) errorf(n *node, format string, args ...any) {
	d.fail(Range{n.Line, n.Line}, fmt.Sprintf(format, args...))
}

// fail adds a mistake, once.
func (d *decoder) fail(at Range, msg string) {
	e := Error{at, msg}
	if d.said[e] {
		return
	}
	if d.said == nil {
		d.said = map[Error]bool{}
	}
	d.said[e] = true
	d.errs = append(d.errs, &e)
}

// stop adds a mistake and ends the reading, because there is too much of something.
func (d *decoder) stop(n *node, format string, args ...any) {
	d.errorf(n, format, args...)
	d.full = true
}

// value reads a value of the key f.
func (d *decoder) value(path string, n *node, v reflect.Value, f field) {
	if n.Kind == yaml.AliasNode {
		d.aliases++
		defer func() { d.aliases-- }()
		n = n.Alias
	}
	if d.aliases > 0 {
		d.aliased++
	}
	if d.aliased > maxAliased && !d.full {
		d.stop(n, "aliases and << repeat more than %d values: use fewer of them", maxAliased)
	}
	if d.full {
		return
	}
	if _, ok := d.into.lines[path]; !ok && path != "" {
		d.into.lines[path] = Range{n.Line, d.last(n)}
	}
	if isNull(n) { // an editor leaves `image:` with nothing below while you type
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if !v.IsNil() { // inherited from the common part
			p.Elem().Set(v.Elem())
		}
		d.value(path, n, p.Elem(), f)
		v.Set(p)
	case reflect.Struct:
		d.section(path, n, v)
	case reflect.Map:
		d.names(path, n, v, f)
	case reflect.Slice:
		d.list(path, n, v, f)
	default:
		d.scalar(path, n, v, f)
	}
}

// scalar reads a text, a number, true or false.
func (d *decoder) scalar(path string, n *node, v reflect.Value, f field) {
	text, known := "", true
	if n.Kind == yaml.ScalarNode {
		text, known = d.expand(path, n, f)
	}
	isNot := func() {
		read := kind(n)
		if n.Kind == yaml.ScalarNode {
			read = show(text)
		}
		d.errorf(n, "%s must be %s, not %s", name(path), f.rule.is, read)
	}
	switch {
	case !known: // not known yet, or expand has reported what is wrong
		if v.Kind() == reflect.String {
			v.SetString(text)
		}
	case v.Kind() == reflect.String && n.Kind != yaml.ScalarNode:
		d.errorf(n, "%s must be a single value, not %s", name(path), kind(n))
	case v.Kind() == reflect.String:
		v.SetString(text) // true, 10.0 and 8080 mean the text as written
		if text != "" {
			d.check(n, f.rule, path, "", text)
		}
	case v.Kind() == reflect.Bool:
		on, err := strconv.ParseBool(text)
		if err != nil {
			isNot()
		}
		v.SetBool(on)
	default:
		i, err := strconv.Atoi(text)
		if err != nil || int64(i) < f.rule.min || int64(i) > f.rule.max {
			isNot()
		}
		v.SetInt(int64(i))
	}
}

// list reads a list. The rule of the key applies to each item.
func (d *decoder) list(path string, n *node, v reflect.Value, f field) {
	if isOneOrMore(v.Type()) && n.Kind == yaml.ScalarNode {
		one := reflect.MakeSlice(v.Type(), 1, 1)
		if d.value(path, n, one.Index(0), f); one.Index(0).String() != "" {
			v.Set(one)
		} else if v.Type() == reflect.TypeFor[Modes]() {
			d.check(n, f.rule, path, "", "")
		}
		return
	}
	if n.Kind != yaml.SequenceNode {
		instead := ""
		if n.Kind == yaml.ScalarNode {
			instead = ": write " + asList(path, n.Value)
		}
		d.errorf(n, "%s must be a list, not %s%s", name(path), kind(n), instead)
		return
	}
	before := len(d.errs)
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		d.item(join(path, strconv.Itoa(i)), c, v.Index(i), f)
	}
	d.accounts(path, v.Interface())
	if f.rule == nil || f.rule.list == nil || len(d.errs) > before || d.into.perPlatform[path] {
		return
	}
	if words, ok := v.Interface().([]string); ok {
		if why := f.rule.list(words); why != "" {
			d.errorf(n, "%s: %s", where(path), why)
		}
	}
}

// asList is how to write a text that should be a list. A command and packages get an item for each word.
func asList(path, text string) string {
	words := strings.Fields(text)
	command := slices.Contains([]string{"entrypoint", "args", "test"}, path[strings.LastIndexByte(path, '.')+1:])
	if strings.Contains(path, "base.packages") {
		words, command = strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' }), true
	}
	if !command || len(words) < 2 || text != plain(text) {
		return "[" + plain(text) + "]"
	}
	if strings.HasSuffix(path, "healthcheck.test") { // for a shell, as Docker and Compose read such a text
		return "[CMD-SHELL, " + strconv.Quote(text) + "]"
	}
	for i, word := range words {
		if strings.ContainsAny(word, "\"'`,[]{}#&*!|>%@:$") {
			words[i] = strconv.Quote(word)
		}
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// firstItem is the first item of a list of texts; empty if there is none.
func firstItem(n *node) string {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || follow(n.Content[0]).Kind != yaml.ScalarNode {
		return ""
	}
	return follow(n.Content[0]).Value
}

// item reads an item of a list or a map. An empty item must obey the rule too, although an empty key means the same as
// no key.
func (d *decoder) item(path string, n *node, v reflect.Value, f field) {
	d.value(path, n, v, f)
	to := follow(n)
	switch {
	case v.Kind() == reflect.String && v.String() == "" && to.Kind == yaml.ScalarNode && !d.full:
		d.check(to, f.rule, path, "", "")
	case v.Kind() == reflect.Struct && isNull(to) && f.rule == nil:
		d.errorf(to, "%s is empty", where(path))
	}
}

// isOneOrMore tells whether a single value may stand for a list of that type.
func isOneOrMore(t reflect.Type) bool {
	return t == reflect.TypeFor[Modes]() || t == reflect.TypeFor[Paths]()
}

// names reads a map of names. The rule of the key applies to each value.
func (d *decoder) names(path string, n *node, v reflect.Value, f field) {
	if v.Type() == reflect.TypeFor[Checksums]() && n.Kind == yaml.ScalarNode {
		one := reflect.New(v.Type().Elem()).Elem()
		d.item(path, n, one, f)
		v.Set(reflect.ValueOf(Checksums{"": one.String()}))
		return
	}
	if n.Kind != yaml.MappingNode {
		instead := ""
		if key, value, ok := strings.Cut(firstItem(n), "="); ok {
			instead = ": write {" + plain(key) + ": " + plain(value) + "}"
		}
		d.errorf(n, "%s must be a map of names to values, not %s%s", name(path), kind(n), instead)
		return
	}
	pairs := d.pairs(path, n, f.rule.names)
	_, apps := v.Interface().(map[string]*App)
	if apps && len(pairs) > maxApps {
		d.stop(pairs[maxApps].key, "%d apps are too many: %d is the most", len(pairs), maxApps)
	}
	m := d.own(n, v, pairs, f)
	for _, p := range pairs {
		key := p.key.Value
		if !d.check(p.key, f.rule.names, path, ": name", key) && len(key) > 128 {
			continue // all paths below would contain the name
		}
		e := reflect.New(v.Type().Elem()).Elem()
		if apps { // each app begins with what all have in common
			app := d.into.App
			app.Project, app.Framework = "", ""
			e.Set(reflect.ValueOf(&app))
		}
		d.pair(p, func() { d.item(join(path, key), p.value, e, f) })
		m.SetMapIndex(reflect.ValueOf(key), e)
	}
	v.Set(m)
}

// own returns the map to put pairs into. All apps share the map of the common part, so an app that adds to it gets a
// copy.
func (d *decoder) own(n *node, v reflect.Value, pairs []pair, f field) reflect.Value {
	if v.Len() > 0 && len(pairs) == 0 {
		return v
	}
	if d.copied += v.Len(); d.copied > maxCopied {
		d.stop(n, "apps inherit more than %d values: move keys from beside apps into the apps that need them", maxCopied)
	}
	m := reflect.MakeMapWithSize(v.Type(), v.Len()+len(pairs))
	if d.full {
		return m
	}
	again := map[string]bool{}
	for _, p := range pairs {
		again[f.rule.names.same(p.key.Value)] = true
	}
	for it := v.MapRange(); it.Next(); {
		if !again[f.rule.names.same(it.Key().String())] {
			m.SetMapIndex(it.Key(), it.Value())
		}
	}
	return m
}

// section reads a map of keys. If a list or a single value means one of the keys, it reads that too.
func (d *decoder) section(path string, n *node, v reflect.Value) {
	s := sections[v.Type()]
	if n.Kind != yaml.MappingNode {
		if s.alone != nil {
			if alone := v.FieldByIndex(s.alone.index); (alone.Kind() == reflect.Slice) == (n.Kind == yaml.SequenceNode) {
				d.value(path, n, alone, *s.alone)
				return
			}
		}
		instead := ""
		if path == "base" && n.Kind == yaml.ScalarNode {
			instead = ": write {image: " + plain(n.Value) + "}"
		}
		must := "%s must be a map of keys to values, not %s%s"
		switch {
		case s.alone == nil:
		case v.FieldByIndex(s.alone.index).Kind() != reflect.Slice:
			must = "%s must be a single value or a map, not %s%s"
		default:
			must, instead = "%s must be a list or a map, not %s%s", ": write "+asList(path, n.Value)
		}
		d.errorf(n, must, name(path), kind(n), instead)
		return
	}
	before := len(d.errs)
	pairs := d.pairs(path, n, nil)
	if path == "" {
		slices.SortStableFunc(pairs, func(a, b pair) int { return rank(a) - rank(b) })
	}
	for _, p := range pairs {
		key := p.key.Value
		if strings.HasPrefix(key, "x-") { // for the author's own use, as in compose.yaml
			continue
		}
		if path == "" && key != "args" && d.args == nil {
			d.declare()
		}
		f, ok := s.fields[key]
		if !ok {
			d.errorf(p.key, "unknown key %s%s", name(join(path, key)), d.meant(v.Type(), key))
			continue
		}
		if !d.full {
			d.into.lines[join(path, key)] = Range{p.key.Line, max(p.key.Line, d.last(p.value))}
		}
		if f.deprecated != "" {
			d.into.Deprecated = append(d.into.Deprecated, Deprecated{join(path, key), f.deprecated})
		}
		d.pair(p, func() { d.value(join(path, key), p.value, v.FieldByIndex(f.index), f) })
	}
	d.shape(path, v, d.errs[before:])
}

// rank is the order in which to read the keys of the whole file. Build arguments come first, because all values use
// them, and apps come last, because they inherit everything else.
func rank(p pair) int {
	switch p.key.Value {
	case "args":
		return 0
	case "apps":
		return 2
	default:
		return 1
	}
}

// feeds checks that no two feeds have the same name.
func (d *decoder) feeds() {
	lines := map[string]int{}
	for i, f := range d.into.NuGet.Feeds {
		at := d.into.Range(fmt.Sprintf("nuget.feeds.%d.name", i))
		id := strings.ToLower(f.Name) // NuGet ignores case
		if line, ok := lines[id]; ok && f.Name != "" {
			const has = "nuget.feeds.%d.name %s: the feed on line %d has the same name, because NuGet ignores case"
			d.fail(at, fmt.Sprintf(has, i, show(f.Name), line))
		} else {
			lines[id] = at.Start
		}
	}
}

// last returns the last line of a value.
func (d *decoder) last(n *node) int {
	if last, ok := d.ends[n]; ok {
		return last
	}
	last := d.lastIn(n)
	if n.Anchor != "" { // many aliases may lead to it
		d.ends[n] = last
	}
	return last
}

func (d *decoder) lastIn(n *node) int {
	last := max(n.Line, d.far[n])
	for _, c := range n.Content {
		last = max(last, d.lastIn(c))
	}
	return last
}

func kind(n *node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	default:
		return show(n.Value)
	}
}

func name(path string) string {
	if path == "" {
		return "the spec"
	}
	return `"` + where(path) + `"`
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func lastDot(path string) int { return strings.LastIndexByte(path, '.') }
