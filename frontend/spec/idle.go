package spec

import (
	"fmt"
	"maps"
	"slices"
)

// Any tells whether there are packages to install, on some platform at least.
func (p Packages) Any() bool { return len(p.Install)+len(p.Only) > 0 }

// idle refuses keys of apps that have nothing to apply to.
func (d *decoder) idle() {
	d.idleKeys(
		func(app *App) bool { return app.Base.Packages.Any() },
		" has no packages to apply to: name these in base.packages.install",
		"base.packages.recommends", "base.packages.snapshot", "base.packages.sources", "base.packages.skip-scripts",
	)
	d.idleKeys(
		func(app *App) bool {
			p := app.Publish
			return len(p.Tools) == 0 || len(p.Before)+len(p.After) > 0 || app.None() // none refuses all of publish
		},
		" are for commands: publish.before and publish.after have none. For a program that MSBuild runs, set sdk.image to "+
			"an SDK image that has it",
		"publish.tools",
	)
	d.idleAptKeys()
}

// idleKeys refuses keys where nothing uses them. What apps have in common is for those that use it.
func (d *decoder) idleKeys(uses func(*App) bool, why string, keys ...string) {
	refuse := func(prefix string) {
		for _, key := range keys {
			if key = prefix + key; d.into.Has(key) {
				d.fail(d.into.Range(key), where(key)+why)
			}
		}
	}
	some := uses(&d.into.App)
	for _, name := range slices.Sorted(maps.Keys(d.into.Apps)) {
		if uses(d.into.Apps[name]) {
			some = true
		} else {
			refuse("apps." + name + ".")
		}
	}
	if !some {
		refuse("")
	}
}

// idleAptKeys refuses keys of sources that there are not. It looks only at maps of the file, and not at those that apps
// inherit.
func (d *decoder) idleAptKeys() {
	all := d.byPrefix()
	const sources, keys = "base.packages.sources", "base.packages.keys"
	some := map[string]bool{} // the sources of any app
	for prefix, app := range all {
		if d.into.Has(prefix + sources) {
			for name := range app.Base.Packages.Sources {
				some[name] = true
			}
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(all)) {
		if !d.into.Has(prefix + keys) {
			continue
		}
		of := all[prefix].Base.Packages
		for _, name := range slices.Sorted(maps.Keys(of.Keys)) {
			key := prefix + keys + "." + name
			_, used := of.Sources[name]
			if used || prefix == "" && some[name] || !d.into.Has(key) {
				continue
			}
			instead := ": name it in " + sources
			names := func() []string { return slices.Sorted(maps.Keys(of.Sources)) }
			if similar, ok := d.like(name, len(of.Sources), names); ok {
				instead = fmt.Sprintf(", did you mean %s?", similar)
			}
			d.fail(d.into.Range(key), where(key)+": there is no source of that name"+instead)
		}
	}
}
