package dotnet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// microsoft are the platforms that Microsoft publishes images for.
var microsoft = []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}

// rids maps OCI platforms to the architecture part of .NET's runtime identifiers. For the last four there are no images
// from Microsoft, but there is a runtime. A portable app runs there on a base that brings the runtime.
var rids = map[string]string{
	"linux/amd64":   "x64",
	"linux/arm64":   "arm64",
	"linux/arm/v7":  "arm",
	"linux/s390x":   "s390x",
	"linux/ppc64le": "ppc64le",
	"linux/riscv64": "riscv64",
	"linux/loong64": "loongarch64",
}

// misspelt are the names that other tools use for architectures.
var misspelt = map[string]string{
	"arm32":   "linux/arm/v7",
	"arm32v7": "linux/arm/v7",
	"arm64v8": "linux/arm64",
	"x64":     "linux/amd64",
}

// PlatformError says that .NET has no runtime for a platform.
type PlatformError struct{ Platform ocispecs.Platform }

func (e *PlatformError) Error() string {
	if p, ok := misspelt[e.Platform.Architecture]; ok && e.Platform.OS == "linux" {
		return fmt.Sprintf("platform %s does not exist: write %s", platforms.Format(e.Platform), p)
	}
	return fmt.Sprintf("crosshull cannot build for platform %s: use %s",
		platforms.Format(e.Platform), strings.Join(microsoft, ", "))
}

// RID returns the portable runtime identifier of a platform with a C library, such as linux-x64 or linux-musl-x64, or a
// [*PlatformError]. .NET does not distinguish variants of amd64 and arm64.
func RID(p ocispecs.Platform, libc Libc) (string, error) {
	p = platforms.Normalize(p)
	if p.Architecture == "amd64" || p.Architecture == "arm64" {
		p.Variant = ""
	}
	arch, ok := rids[platforms.Format(p)]
	if !ok {
		return "", &PlatformError{p}
	}
	if libc == Musl {
		return "linux-musl-" + arch, nil
	}
	return "linux-" + arch, nil
}

// Platforms are the platforms that Microsoft publishes images for.
func Platforms() []ocispecs.Platform {
	ps := make([]ocispecs.Platform, len(microsoft))
	for i, s := range microsoft {
		ps[i] = platforms.MustParse(s)
	}
	return ps
}

// CheckPlatformTarget refuses an app whose assembly is for another machine than that of a runtime identifier. With a
// runtime identifier the SDK refuses it, too (NETSDK1032). Without one it makes an assembly that does not start.
func CheckPlatformTarget(app *App, rid string) error {
	i := slices.IndexFunc(app.Closure, func(n Node) bool { return n.Path == app.Path })
	if i < 0 || app.Closure[i].IsFor(rid) {
		return nil
	}
	return fmt.Errorf("%s has PlatformTarget %s, so it does not start on %s: leave PlatformTarget out of the project, or "+
		"set it to AnyCPU in publish.properties, or build for the platform that it names", app.Path,
		app.Closure[i].PlatformTarget, rid)
}

// IsFor tells whether the machine of a runtime identifier can load the assembly of a project.
func (n Node) IsFor(rid string) bool {
	target := strings.ToLower(n.PlatformTarget)
	return target == "" || strings.HasPrefix(target, "anycpu") || target == architecture(rid)
}
