package spec

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/moby/buildkit/util/suggest"
)

// elsewhere are keys of Dockerfiles and of Compose that have another name here.
var elsewhere = map[string]string{
	"cmd": "args", "command": "args", "environment": "env", "expose": "ports", "working_dir": "workdir",
	"stop_signal": "stop-signal",
}

// meant suggests what an unknown key of a section may mean.
func (d *decoder) meant(section reflect.Type, key string) string {
	if known := elsewhere[strings.ToLower(key)]; known != "" && section == reflect.TypeFor[Image]() {
		return fmt.Sprintf(": use %q", known)
	}
	if has := otherSection(section, key); has != "" {
		return ": " + has
	}
	keys := sections[section].keys
	if s, ok := d.like(key, len(keys), func() []string { return keys }); ok {
		return fmt.Sprintf(", did you mean %q?", s)
	}
	return ": known are " + strings.Join(keys, ", ")
}

// named are the sections with a name of their own, and the whole spec and an app, which have none.
var named = func() map[reflect.Type]string {
	all := map[reflect.Type]string{reflect.TypeFor[Spec](): "", reflect.TypeFor[App](): ""}
	for key, f := range sections[reflect.TypeFor[Spec]()].fields {
		if t := reflect.TypeFor[Spec]().FieldByIndex(f.index).Type; t.Kind() == reflect.Struct {
			all[t] = key
		}
	}
	return all
}()

// otherSection says which section has a key that one of [named] does not have. It says nothing if there are several.
func otherSection(section reflect.Type, key string) string {
	own, ok := named[section]
	if !ok {
		return ""
	}
	var all []string
	for t, name := range named {
		known := key
		if in, ok := elsewhere[strings.ToLower(key)]; ok && own == "" && name == "image" {
			known = in
		}
		_, has := sections[t].fields[known]
		switch {
		case !has || t == reflect.TypeFor[App](): // the spec has its keys, too
		case name == "":
			all = append(all, fmt.Sprintf("it stands beside %s, as in %s: …", cmp.Or(own, "apps"), key))
		default:
			all = append(all, fmt.Sprintf("%s has it, as in %[1]s: {%s: …}", name, known))
		}
	}
	if len(all) != 1 {
		return ""
	}
	return all[0]
}

// like looks for a similar name among n. It does not if that would take long, or if nobody would see the mistake.
func (d *decoder) like(name string, n int, names func() []string) (string, bool) {
	if len(name) > 64 || n > 1000 || len(d.errs) > 2*shownErrors {
		return "", false
	}
	similar, ok := suggest.Search(name, names(), true)
	// Two other letters, which it allows, make another word of a short one.
	return similar, ok && (len(name) > 4 || strings.HasPrefix(similar, name[:min(1, len(name))]))
}
