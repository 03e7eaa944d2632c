package dotnet

import (
	"strings"

	"github.com/distribution/reference"
)

// Libc is the C library of an image. It decides which machine code runs there.
type Libc string

// The C libraries that .NET has runtimes for.
const (
	Glibc Libc = "glibc"
	Musl  Libc = "musl"
)

// glibcNames are words in the names and tags of images whose C library is glibc.
var glibcNames = []string{
	"debian",
	"ubuntu",
	"ubi",
	"azurelinux",
	"mariner",
	"noble",
	"jammy",
	"focal",
	"resolute",
	"bookworm",
	"trixie",
	"bullseye",
	"chiseled",
}

// LibcOf returns the C library of an image by its name, or nothing if the name does not tell; then look into the image
// itself. Microsoft's .NET images have glibc unless their tag says alpine. For an empty base see [ScratchLibc].
func LibcOf(image string) Libc {
	if IsScratch(image) {
		return ScratchLibc("")
	}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	tag := ""
	if t, ok := named.(reference.Tagged); ok {
		tag = t.Tag()
	}
	text := strings.ToLower(reference.Path(named) + ":" + tag)
	switch {
	case strings.Contains(text, "alpine") || strings.Contains(text, "musl"):
		return Musl
	case tag != "" && strings.HasPrefix(named.Name(), "mcr.microsoft.com/dotnet/"):
		return Glibc
	}
	for _, n := range glibcNames {
		if strings.Contains(text, n) {
			return Glibc
		}
	}
	return ""
}
