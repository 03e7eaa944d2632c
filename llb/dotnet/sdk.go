package dotnet

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// SDKRepository is where Microsoft publishes the SDK.
const SDKRepository = "mcr.microsoft.com/dotnet/sdk"

// DefaultSDK is the tag of the SDK that builds if neither spec nor global.json names one: the newest line with
// long-term support. It builds apps for every older TargetFramework too.
const DefaultSDK = "10.0"

// Toolchain returns the image with SDK and linker for AOT if the spec names none: the -aot variant of Microsoft's SDK
// image, or the Alpine one for an Alpine base.
func Toolchain(sdk, base string) (string, error) {
	named, err := reference.ParseNormalizedNamed(sdk)
	if err != nil {
		return "", err
	}
	tagged, ok := named.(reference.Tagged)
	if named.Name() != SDKRepository || !ok {
		return "", fmt.Errorf(
			"AOT needs an SDK with a linker, and %s has no known variant with one: name an image in sdk.toolchain", sdk)
	}
	tag := tagged.Tag()
	if strings.HasSuffix(tag, "-aot") {
		return sdk, nil
	}
	if LibcOf(base) == Musl && !strings.Contains(tag, "alpine") {
		tag, _, _ = strings.Cut(tag, "-")
		tag += "-alpine"
	}
	return SDKRepository + ":" + tag + "-aot", nil
}

// CheckToolchain refuses what would link without an error but not run: machine code for another C library than the
// toolchain's (dotnet/runtime#92294), and musl for another architecture.
func CheckToolchain(toolchain string, rids []string, build string) error {
	libc := LibcOf(toolchain)
	for _, rid := range rids {
		musl := strings.HasPrefix(rid, "linux-musl-")
		switch {
		case musl && architecture(rid) != architecture(build):
			return fmt.Errorf("AOT cannot link %s on %s: there is no cross toolchain for musl; "+
				"use a base with glibc, or a builder of that platform", rid, build)
		case musl && libc == Glibc:
			return fmt.Errorf("AOT with %s would link %s to glibc, which the base does not have: "+
				"use a toolchain on Alpine, as in sdk: {toolchain: %s:%s-alpine-aot}",
				toolchain, rid, SDKRepository, DefaultSDK)
		case !musl && libc == Musl:
			return fmt.Errorf("AOT with %s would link %s to musl, which the base does not have: "+
				"use a toolchain with glibc, as in sdk: {toolchain: %s:%s-aot}",
				toolchain, rid, SDKRepository, DefaultSDK)
		}
	}
	return nil
}
