package check

import (
	"regexp"
	"strings"
	"time"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// release is something with support up to and including a day.
type release struct {
	name string // the name that people use
	tag  string // the name in tags of images
	end  string
}

func (r release) ended(now time.Time) bool { return now.UTC().Format(time.DateOnly) > r.end }

// versions are versions of .NET, by https://dotnet.microsoft.com/platform/support/policy/dotnet-core.
var versions = []release{
	{".NET Core 1.0", "1.0", "2019-06-27"},
	{".NET Core 1.1", "1.1", "2019-06-27"},
	{".NET Core 2.0", "2.0", "2018-10-01"},
	{".NET Core 2.1", "2.1", "2021-08-21"},
	{".NET Core 2.2", "2.2", "2019-12-23"},
	{".NET Core 3.0", "3.0", "2020-03-03"},
	{".NET Core 3.1", "3.1", "2022-12-13"},
	{".NET 5", "5.0", "2022-05-10"},
	{".NET 6", "6.0", "2024-11-12"},
	{".NET 7", "7.0", "2024-05-14"},
	{".NET 8", "8.0", "2026-11-10"},
	{".NET 9", "9.0", "2026-11-10"},
	{".NET 10", "10.0", "2028-11-14"},
}

// distributions are the ones that .NET images are made of. The dates are the ends of Debian's long term support
// (https://wiki.debian.org/LTS), Ubuntu's standard support (https://ubuntu.com/about/release-cycle) and Alpine's main
// repository (https://alpinelinux.org/releases).
var distributions = []release{
	{"Alpine 3.9", "alpine3.9", "2020-11-01"},
	{"Alpine 3.10", "alpine3.10", "2021-05-01"},
	{"Alpine 3.11", "alpine3.11", "2021-11-01"},
	{"Alpine 3.12", "alpine3.12", "2022-05-01"},
	{"Alpine 3.13", "alpine3.13", "2022-11-01"},
	{"Alpine 3.14", "alpine3.14", "2023-05-01"},
	{"Alpine 3.15", "alpine3.15", "2023-11-01"},
	{"Alpine 3.16", "alpine3.16", "2024-05-23"},
	{"Alpine 3.17", "alpine3.17", "2024-11-22"},
	{"Alpine 3.18", "alpine3.18", "2025-05-09"},
	{"Alpine 3.19", "alpine3.19", "2025-11-01"},
	{"Alpine 3.20", "alpine3.20", "2026-04-01"},
	{"Alpine 3.21", "alpine3.21", "2026-11-01"},
	{"Alpine 3.22", "alpine3.22", "2027-05-01"},
	{"Alpine 3.23", "alpine3.23", "2027-11-01"},
	{"Debian 9", "stretch", "2022-06-30"},
	{"Debian 10", "buster", "2024-06-30"},
	{"Debian 11", "bullseye", "2026-08-31"},
	{"Debian 12", "bookworm", "2028-06-30"},
	{"Ubuntu 18.04", "bionic", "2023-05-31"},
	{"Ubuntu 20.04", "focal", "2025-05-31"},
	{"Ubuntu 22.04", "jammy", "2027-05-31"},
	{"CBL-Mariner 1.0", "mariner1.0", "2023-07-31"},
	{"CBL-Mariner 2.0", "mariner2.0", "2025-07-31"},
	{"CBL-Mariner", "mariner", "2025-07-31"},
}

func versionOf(number string) (release, bool) {
	for _, v := range versions {
		if v.tag == number {
			return v, true
		}
	}
	return release{}, false
}

// frameworkVersion is the version of .NET in a TargetFramework: 10.0 in net10.0, 3.1 in netcoreapp3.1.
func frameworkVersion(framework string) string {
	framework, _, _ = strings.Cut(strings.ToLower(framework), "-")
	for _, prefix := range []string{"netcoreapp", "net"} {
		if rest, ok := strings.CutPrefix(framework, prefix); ok && leadingVersion.FindString(rest) == rest {
			return rest
		}
	}
	return ""
}

func endOfLifeFramework(r *run, a *App) {
	v, ok := versionOf(frameworkVersion(a.Project.TargetFramework))
	if !ok || !v.ended(r.Now) {
		return
	}
	element := regexp.MustCompile(`<TargetFrameworks?\b[^<]*\b` + regexp.QuoteMeta(a.Project.TargetFramework))
	r.warn(
		r.where(a, inKey("framework"), spot{xml: element}, inKey("project")),
		"%s targets %s, and %s has had no support since %s: target net%s",
		a.Project.Path,
		a.Project.TargetFramework,
		v.name,
		v.end,
		dotnet.DefaultSDK,
	)
}

func endOfLifeBase(r *run, a *App) {
	for _, image := range a.images(r) {
		ref := parseImage(image.Name)
		// Another rule reports the version of the TargetFramework.
		if v, ok := ref.version(); ok && v.ended(r.Now) && v.tag != frameworkVersion(a.Project.TargetFramework) {
			r.warn(
				image.at(),
				"%s has %s, which has had no support since %s: use an image of .NET %s",
				image.Name,
				v.name,
				v.end,
				dotnet.DefaultSDK,
			)
		}
		if d, ok := ref.distribution(); ok && d.ended(r.Now) {
			r.warn(
				image.at(),
				"%s is based on %s, which has had no support since %s: use an image of a newer distribution",
				image.Name,
				d.name,
				d.end,
			)
		}
	}
}
