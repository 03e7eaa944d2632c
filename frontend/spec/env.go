package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// notExpanded is why a value of image.env cannot use a variable of the base. A PATH like that finds no program.
const notExpanded = "%s cannot have %s: variables of the base are not expanded here, so write the whole value"

// aVariableIn matches what ENV of a Dockerfile expands.
var aVariableIn = regexp.MustCompile(`\$(\w+|\{\w+[^}]*\}?)`)

// byPrefix are all apps, and what they have in common, by the beginning of their keys.
func (d *decoder) byPrefix() map[string]*App {
	all := map[string]*App{"": &d.into.App}
	for name, app := range d.into.Apps {
		all["apps."+name+"."] = app
	}
	return all
}

// env refuses a PATH with a variable.
func (d *decoder) env() {
	all := d.byPrefix()
	for _, prefix := range slices.Sorted(maps.Keys(all)) {
		path := prefix + "image.env.PATH"
		variable := aVariableIn.FindString(all[prefix].Image.Env["PATH"])
		if variable != "" && d.into.Has(path) && !d.into.perPlatform[path] && !d.isWrong(path) {
			d.fail(d.into.Range(path), fmt.Sprintf(notExpanded, where(path), plain(variable)))
		}
	}
}

// ofBase tells whether ${NAME} in the value at a path can only mean a variable of the base.
func ofBase(path, name string) bool {
	_, variable, ok := strings.Cut(path, "image.env.")
	return ok && (variable == name || variable == "PATH")
}
