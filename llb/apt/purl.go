package apt

import (
	"net/url"
	"strings"
)

// ReleaseFile says which distribution an image has: os-release(5).
const ReleaseFile = "etc/os-release"

// Distribution is a distribution of packages, as a ReleaseFile names it: debian and 12. Fields that the file does not
// have are empty.
type Distribution struct{ ID, Version string }

// ParseRelease reads a ReleaseFile.
func ParseRelease(dt []byte) Distribution {
	var d Distribution
	for line := range strings.Lines(string(dt)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"'`)
		switch name {
		case "ID":
			d.ID = value
		case "VERSION_ID":
			d.Version = value
		}
	}
	return d
}

// PURL is the package URL of a package of a distribution (github.com/package-url/purl-spec, deb). Scanners make one of
// the same type, name and version for a package that they find in the database of dpkg. Distributions publish what is
// wrong with a package under the name of its source: upstream is the key that Syft gives it, and Grype reads.
func (p Package) PURL(d Distribution) string {
	u := "pkg:deb/"
	if d.ID != "" {
		u += escape(d.ID) + "/"
	}
	u += escape(p.Name) + "@" + escape(p.Version) + "?arch=" + escape(p.Architecture)
	if d.ID != "" && d.Version != "" {
		u += "&distro=" + escape(d.ID+"-"+d.Version)
	}
	if p.Source != "" {
		name, version, differs := strings.Cut(p.Source, " (")
		u += "&upstream=" + escape(name)
		if differs {
			u += "%40" + escape(strings.TrimSuffix(version, ")"))
		}
	}
	return u
}

// escape escapes a part of a package URL. Versions of Debian often have a +, which PathEscape leaves.
func escape(s string) string { return strings.ReplaceAll(url.PathEscape(s), "+", "%2B") }
