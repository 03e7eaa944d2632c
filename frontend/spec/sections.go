package spec

import (
	"reflect"
	"slices"
	"strings"
)

// field is a key of a section.
type field struct {
	key   string
	index []int // index of the field in the struct
	rule  *rule // nil: the key is a section, or a list of them
	// platform tells whether a value may differ between platforms.
	platform bool
	// deprecated says what to write in place of the key, such as "use base.family". Empty: the key stays.
	deprecated string
}

// section describes a struct as a map of keys.
type section struct {
	keys   []string // in the order of the struct
	fields map[string]field
	alone  *field // the field for a list or a value in place of the map
}

// sections are the sections of a spec, by type.
var sections = func() map[reflect.Type]*section {
	all := map[reflect.Type]*section{}
	addSection(all, reflect.TypeFor[Spec]())
	return all
}()

func addSection(all map[reflect.Type]*section, t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || all[t] != nil {
		return
	}
	s := &section{fields: map[string]field{}}
	all[t] = s
	for _, sf := range reflect.VisibleFields(t) {
		key, option, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if key == "" {
			continue
		}
		name, platform, _ := strings.Cut(sf.Tag.Get("rule"), ",")
		f := field{key, sf.Index, rules[name], platform != "", sf.Tag.Get("deprecated")}
		s.keys = append(s.keys, key)
		s.fields[key] = f
		if option == "alone" {
			s.alone = &f
		}
		addSection(all, sf.Type)
	}
}

// keyOf is a key in the types.
type keyOf struct {
	field
	path string       // such as "image.env", "files[].to" and "args.*.default"
	of   reflect.Type // the section that has the key
}

// keys returns all keys, in the order of the types. Each of apps has the keys of [App] too, but they are listed only
// once.
func keys() []keyOf {
	var all []keyOf
	addKeys(&all, reflect.TypeFor[Spec](), "")
	return all
}

func addKeys(all *[]keyOf, t reflect.Type, prefix string) {
	s := sections[t]
	for _, key := range s.keys {
		f := s.fields[key]
		path := prefix + key
		*all = append(*all, keyOf{f, path, t})
		ft := t.FieldByIndex(f.index).Type
		switch ft.Kind() {
		case reflect.Pointer:
			ft = ft.Elem()
		case reflect.Slice:
			ft, path = ft.Elem(), path+"[]"
		case reflect.Map:
			ft, path = ft.Elem(), path+".*"
		}
		if ft.Kind() == reflect.Struct {
			addKeys(all, ft, path+".")
		}
	}
}

// A shape says which keys of a section go together.
type shape struct {
	excludes []exclusion
	needs    []need
}

// exclusion allows a value for at most one of two keys.
type exclusion struct{ one, other, says string }

// need requires a value for a key: always, or if the key "with" has a value, or if the key "without" has none.
type need struct{ key, with, without, says string }

// shapes are the shapes of sections, by type.
var shapes = map[string]shape{
	"Spec": {excludes: []exclusion{
		{
			"apps", "project",
			"project cannot stand beside apps: write it in each app, as in apps: {web: {project: src/Web}}",
		},
		{
			"apps", "framework",
			"framework cannot stand beside apps: write it in each app, as in apps: {web: {framework: net10.0}}",
		},
	}},
	"SDK": {excludes: []exclusion{
		{
			"image", "version",
			"sdk.image and sdk.version exclude each other: keep sdk.version for an SDK of Microsoft, or sdk.image with the " +
				"version in its tag",
		},
	}},
	"Base": {excludes: []exclusion{
		{
			"image", "family",
			"base.image and base.family exclude each other: keep base.family for another variant of the image that the SDK " +
				"takes, or base.image for any other image",
		},
	}},
	"NuGet": {excludes: []exclusion{
		{
			"ca", "ca-secret",
			"nuget.ca and nuget.ca-secret exclude each other: keep nuget.ca for a file of the context, or nuget.ca-secret " +
				"for a file that you give with --secret",
		},
		{
			"config-secret", "feeds",
			"nuget.config-secret and nuget.feeds exclude each other: keep nuget.feeds, or nuget.config-secret and name all " +
				"feeds in that secret",
		},
	}},
	"Feed": {needs: []need{
		{
			key:  "name",
			says: "a feed needs a name: add the key of its source in nuget.config, or a new one, as in name: github",
		},
		{
			key: "password-secret", without: "source",
			says: "a feed needs a source or a password-secret: add source: URL for a new source, or password-secret: ID for " +
				"the source of that name in nuget.config",
		},
	}},
	"Also": {needs: []need{
		{key: "project", says: "an entry of publish.also needs a project"},
		{key: "to", says: "an entry of publish.also needs the key to: a folder of the image, such as /migrator"},
	}},
	"File": {excludes: []exclusion{ // for editors; see [File.Kind] for the rest
		{"context", "image", "an entry of files has context or image, not both"},
		{"link", "from", "an entry of files with link has only to beside it: where the link leads"},
		{"remove", "to", "an entry of files with remove has no other key"},
		{"change", "to", "an entry of files with change has only mode and owner beside it"},
	}},
	"User": {needs: []need{
		{key: "name", says: "an entry of image.users needs a name: add one, as in name: shop"},
		{key: "uid", says: "an entry of image.users needs a uid: add a number, as in uid: 10001"},
	}},
	"Group": {needs: []need{
		{key: "name", says: "an entry of image.groups needs a name: add one, as in name: media"},
		{key: "gid", says: "an entry of image.groups needs a gid: add a number, as in gid: 10100"},
	}},
	"Packages": {needs: []need{
		{key: "sources", with: "keys", says: "base.packages.keys are for sources: name these in base.packages.sources"},
	}},
	"Healthcheck": {needs: []need{
		{
			key: "test",
			says: "image.healthcheck needs a test: add the command to run, as in test: [CMD, dotnet, /app/probe.dll], or " +
				"test: [NONE] to have no health check",
		},
	}},
	"Command": {needs: []need{{key: "run", says: noRun}}},
	"Tool": {needs: []need{
		{key: "image", says: "an entry of publish.tools needs an image"},
		{
			key: "paths",
			says: "an entry of publish.tools needs paths: the files and folders of the image that commands use, such as " +
				"/usr/local",
		},
	}},
	"Tests": {needs: []need{
		{key: "projects", with: "gate", says: "tests.gate has no tests to wait for: name them in tests.projects"},
		{key: "projects", with: "filter", says: "tests.filter has no tests to choose from: name them in tests.projects"},
		{key: "projects", with: "settings", says: "tests.settings has no tests to apply to: name them in tests.projects"},
		{key: "projects", with: "args", says: "tests.args has no tests to apply to: name them in tests.projects"},
		{key: "projects", with: "secrets", says: "tests.secrets has no tests to apply to: name them in tests.projects"},
	}},
}

// shape checks which keys of a section go together. errs are the mistakes found in the section: a key with a mistake
// counts as present, though it has no value.
func (d *decoder) shape(path string, v reflect.Value, errs Errors) {
	has := func(key string) bool {
		f := v.FieldByIndex(sections[v.Type()].fields[key].index)
		return !f.IsZero() && (f.Kind() != reflect.Map && f.Kind() != reflect.Slice || f.Len() > 0)
	}
	wrong := func(key string) bool {
		at, ok := d.into.lines[join(path, key)]
		return ok && slices.ContainsFunc(errs, func(e *Error) bool {
			return at.Start <= e.Range.Start && e.Range.Start <= at.End
		})
	}
	s := shapes[v.Type().Name()]
	for _, e := range s.excludes {
		if has(e.one) && has(e.other) {
			d.fail(d.into.Range(join(path, e.other)), e.says)
		}
	}
	for _, n := range s.needs {
		applies := (n.with == "" || has(n.with)) && (n.without == "" || !has(n.without) && !wrong(n.without))
		if applies && !has(n.key) && !wrong(n.key) {
			d.fail(d.into.Range(path), n.says)
		}
	}
}
