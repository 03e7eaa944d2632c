package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
)

// namedPackage is an OS package that the spec names, with the path of its key. On is a platform or an architecture, and
// empty for a package of every image.
type namedPackage struct{ text, on, key string }

// name is the package without its version or suite.
func (p namedPackage) name() string {
	name, _, _ := strings.Cut(p.text, "=")
	name, _, _ = strings.Cut(name, "/")
	return name
}

// osPackages are the packages of base.packages, in the order of the section.
func osPackages(of spec.Packages) []namedPackage {
	var all []namedPackage
	for i, text := range of.Install {
		all = append(all, namedPackage{text, "", fmt.Sprintf("base.packages.install.%d", i)})
	}
	for _, on := range slices.Sorted(maps.Keys(of.Only)) {
		for i, text := range of.Only[on] {
			all = append(all, namedPackage{text, on, fmt.Sprintf("base.packages.only.%s.%d", on, i)})
		}
	}
	return all
}

// duplicatePackage finds packages that an image would get twice.
func duplicatePackage(r *run, a *App) {
	all := osPackages(a.Spec.Base.Packages)
	for i, p := range all {
		first := slices.IndexFunc(all[:i], func(other namedPackage) bool {
			return other.name() == p.name() && (other.on == "" || other.on == p.on)
		})
		if first < 0 {
			continue
		}
		at := r.where(a, inKey(p.key), inKey(strings.Replace(p.key, ".install.", ".", 1)))
		switch other := all[first]; {
		case other.text != p.text:
			r.warn(at, "base.packages has %s and %s: apt takes one of them. Keep the one that you want", other.text, p.text)
		case p.on != "":
			r.warn(at, "base.packages has %s for every platform already", p.text)
		default:
			r.warn(at, "base.packages has %s twice", p.text)
		}
	}
}

// unpinned tells whether packages are those of the day. A source of the spec may be a snapshot.
func unpinned(of spec.Packages) bool {
	return of.Snapshot == "" && len(of.Sources) == 0 && slices.ContainsFunc(osPackages(of), func(p namedPackage) bool {
		return !strings.Contains(p.text, "=") || strings.Contains(p.text, "*")
	})
}

// unpinnedPackages finds packages of any day on a base that the spec pins.
func unpinnedPackages(r *run, a *App) {
	if parseImage(a.Spec.Base.Image).digest && unpinned(a.Spec.Base.Packages) {
		r.warn(r.where(a, inKey("base.packages")),
			"the base has a digest, but base.packages installs the packages of the day: set base.packages.snapshot, too")
	}
}

// cachedPackages finds packages of any day on a base that gets fixes. A build does not repeat this each time.
func cachedPackages(r *run, a *App) {
	if r.Asked && !parseImage(a.Spec.Base.Image).digest && unpinned(a.Spec.Base.Packages) {
		r.warn(r.where(a, inKey("base.packages")), "BuildKit keeps the packages of the first build while the base, the "+
			"SDK and the list are the same: build with --no-cache-filter packages now and then, or set base.packages.snapshot")
	}
}
