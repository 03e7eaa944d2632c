package spec

import (
	"maps"
	"slices"
)

// NoProject is the value of project for an image of files alone.
const NoProject = "none"

// None tells whether the app is an image of files alone, for which nothing is compiled.
func (a *App) None() bool { return a.Project == NoProject }

// none checks the keys of images of files alone.
func (d *decoder) none() {
	s := d.into
	if len(s.Apps) == 0 {
		d.noProject("", &s.App)
		if s.None() && len(s.Tests.Projects) == 0 {
			d.noEffect("nuget")
			if !s.Base.Packages.Any() {
				d.noEffect("sdk")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Apps)) {
		d.noProject("apps."+name+".", s.Apps[name])
	}
}

// noProject checks the keys of an app with a prefix. What an app inherits from the keys beside apps is no mistake.
func (d *decoder) noProject(prefix string, app *App) {
	if !app.None() {
		return
	}
	d.noEffect(prefix+"framework", prefix+"publish")
	at := d.into.Range(prefix + "project")
	if app.Base.Image == "" {
		d.fail(at, "project: none needs base.image, as in base: {image: mcr.microsoft.com/dotnet/aspnet:10.0}: without a "+
			"project, the SDK infers no base, and so no variant of one (base.family)")
	}
	if len(app.Files) == 0 && !app.Base.Packages.Any() {
		d.fail(at, "project: none needs files: without them, the image has nothing but its base")
	}
}

// noEffect refuses keys that only a compile reads.
func (d *decoder) noEffect(keys ...string) {
	for _, key := range keys {
		if d.into.Has(key) {
			d.fail(d.into.Range(key), where(key)+" has no effect, as project: none compiles nothing")
		}
	}
}
