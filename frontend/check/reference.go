package check

import (
	"path"
	"regexp"
	"strings"

	"github.com/distribution/reference"
)

// imageRef is an image reference in parts.
type imageRef struct {
	repository, tag string
	digest          bool
}

// parseImage splits a reference into parts. They are empty if it is not a reference.
func parseImage(name string) imageRef {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return imageRef{}
	}
	ref := imageRef{repository: named.Name()}
	_, ref.digest = named.(reference.Digested)
	if t, ok := named.(reference.Tagged); ok {
		ref.tag = t.Tag()
	}
	return ref
}

// dotnet returns the name of one of Microsoft's repositories of .NET images, in any registry, or nothing for another
// image.
func (ref imageRef) dotnet() string {
	dir, base := path.Split(ref.repository)
	switch base {
	case "aspnet", "runtime", "runtime-deps", "sdk":
		if strings.HasSuffix(dir, "/dotnet/") || strings.HasSuffix(dir, "/dotnet/nightly/") {
			return base
		}
	}
	return ""
}

var leadingVersion = regexp.MustCompile(`^\d+\.\d+`)

// version is the version of .NET in the tag of a .NET image.
func (ref imageRef) version() (release, bool) {
	if ref.dotnet() == "" {
		return release{}, false
	}
	return versionOf(leadingVersion.FindString(ref.tag))
}

// distribution is the distribution that the name of an image tells: a word of its tag, or the image itself.
func (ref imageRef) distribution() (release, bool) {
	for _, d := range distributions {
		distro, number, _ := strings.Cut(d.name, " ")
		if hasWord(ref.tag, d.tag) ||
			path.Base(ref.repository) == strings.ToLower(distro) && strings.HasPrefix(ref.tag, number) &&
				hasWord(ref.tag, number) {
			return d, true
		}
	}
	return release{}, false
}

// hasWord tells whether a tag contains a whole word: 3.2 is not in 3.20.
func hasWord(tag, word string) bool {
	if word == "" {
		return false
	}
	i := strings.Index(tag, word)
	if i < 0 {
		return false
	}
	isLetter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	isDigit := func(c byte) bool { return c >= '0' && c <= '9' }
	end := i + len(word)
	return (i == 0 || !isLetter(tag[i-1]) && !isDigit(tag[i-1])) &&
		(end == len(tag) || !isLetter(tag[end]) && !isDigit(tag[end]))
}

// hasNoShell tells by the name of an image whether it has no shell.
func (i Image) hasNoShell() bool {
	return !i.Replaced && (strings.Contains(i.Name, "chiseled") || strings.Contains(i.Name, "distroless"))
}

// dotnet returns the name of its repository if that is one of Microsoft's repositories of .NET images, or nothing.
func (i Image) dotnet() string {
	if i.Replaced {
		return ""
	}
	return parseImage(i.Name).dotnet()
}

func floatingBaseTag(r *run, a *App) {
	for _, image := range append(a.images(r), a.tools(r)...) {
		ref := parseImage(image.Name)
		if image.Replaced || ref.digest || ref.tag != "" && ref.tag != "latest" {
			continue
		}
		why := "has no tag, which means latest"
		if ref.tag != "" {
			why = "has the tag latest, which changes"
		}
		r.warn(image.at(), "%s %s: name a version of it", image.Name, why)
	}
}

// located is an image with the place that names it.
type located struct {
	Image
	at func() place
}

// images are the images that a build of the app reads under their own names; replaced ones are left out.
func (a *App) images(r *run) []located {
	var all []located
	for _, image := range []located{
		{a.Base, func() place { return r.whereBase(a) }},
		{a.SDK, func() place { return r.whereSDK(a) }},
		{a.Toolchain, func() place { return r.where(a, inKey("sdk.toolchain"), inKey("sdk")) }},
	} {
		if image.Name != "" && !image.Replaced {
			all = append(all, image)
		}
	}
	return all
}

// whereBase is the place that chooses the base image.
func (r *run) whereBase(a *App) place {
	return r.where(
		a,
		inKey("base.image"),
		inKey("base.family"),
		inProperty("ContainerBaseImage"),
		inProperty("ContainerFamily"),
	)
}
