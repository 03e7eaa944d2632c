package spec

import (
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
