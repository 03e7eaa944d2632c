package spec

import (
	"maps"
	"slices"
)

// Any tells whether there are packages to install, on some platform at least.
func (p Packages) Any() bool { return len(p.Install)+len(p.Only) > 0 }

// packages refuses settings for packages where there are none. What apps have in common is for those that have some.
func (d *decoder) packages() {
	s := d.into
	some := s.Base.Packages.Any()
	for _, name := range slices.Sorted(maps.Keys(s.Apps)) {
		app := s.Apps[name]
		some = some || app.Base.Packages.Any()
		if !app.Base.Packages.Any() {
			d.noPackages("apps." + name + ".")
		}
	}
	if !some {
		d.noPackages("")
	}
}

// noPackages refuses the settings of an app with a prefix.
func (d *decoder) noPackages(prefix string) {
	for _, key := range []string{"recommends", "snapshot", "sources", "skip-scripts"} {
		if key = prefix + "base.packages." + key; d.into.Has(key) {
			d.fail(d.into.Range(key), where(key)+" has no packages to apply to: name these in base.packages.install")
		}
	}
}
