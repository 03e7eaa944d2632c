package dotnet

import "fmt"

// Scratch is the name of the empty base, as in a Dockerfile's FROM. No registry has it.
const Scratch = "scratch"

// IsScratch tells whether a reference means the empty base. As in a Dockerfile, only this one word does (BuildKit,
// dockerfile2llb.emptyImageName): scratch:latest and example.com/scratch are images.
func IsScratch(image string) bool { return image == Scratch }

// ScratchLibc is the C library that an app on an empty base brings along. If the spec names a toolchain, it is the C
// library of that toolchain, which may be unknown. Otherwise it is musl, which is made for static linking.
func ScratchLibc(toolchain string) Libc {
	if toolchain != "" && LibcOf(toolchain) == Glibc {
		return Glibc
	}
	return Musl
}

// ScratchError says why an app cannot start on an empty base.
type ScratchError struct {
	Mode Mode
	// Needs is what the app needs and the base lacks.
	Needs string
}

func (e *ScratchError) Error() string {
	return fmt.Sprintf("%s has nothing in it, and an app that is published as %s needs %s: "+
		"use publish: {mode: aot, properties: {StaticExecutable: true}}, or another base", Scratch, e.Mode, e.Needs)
}

// CheckScratch returns a [*ScratchError] for an app that cannot start on an empty base. An app that is not
// self-contained needs a runtime. Machine code that is not linked statically needs a C library. static is the property
// StaticExecutable, which Microsoft.NETCore.Native.Unix.targets reads. A self-contained app passes: it needs musl's
// loader, which files of the spec can provide.
func CheckScratch(mode Mode, static bool) error {
	switch {
	case !mode.BringsRuntime():
		return &ScratchError{mode, "the .NET runtime"}
	case mode.NeedsToolchain() && !static:
		return &ScratchError{mode, "a C library"}
	}
	return nil
}
