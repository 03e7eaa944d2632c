package dotnet

import "fmt"

// Scratch names the base that has nothing in it, as in a Dockerfile's FROM. It is in no registry.
const Scratch = "scratch"

// IsScratch tells whether a reference means the empty base. As in a Dockerfile (BuildKit,
// dockerfile2llb.emptyImageName) it is that word alone: scratch:latest and example.com/scratch are images.
func IsScratch(image string) bool { return image == Scratch }

// ScratchLibc is the C library that an app on an empty base brings along: that of the toolchain that links it, where
// the spec names one (it may be empty), else musl, which is made to be linked statically.
func ScratchLibc(toolchain string) Libc {
	if toolchain != "" && LibcOf(toolchain) == Glibc {
		return Glibc
	}
	return Musl
}

// ScratchError says why an app cannot start on an empty base.
type ScratchError struct {
	Mode Mode
	// Needs is what the app needs and the base does not have.
	Needs string
}

func (e *ScratchError) Error() string {
	return fmt.Sprintf("%s has nothing in it, and an app that is published as %s needs %s: "+
		"use publish: {mode: aot, properties: {StaticExecutable: true}}, or another base", Scratch, e.Mode, e.Needs)
}

// CheckScratch gives a [*ScratchError] for an app that cannot start on an empty base: all but a self-contained one
// need a runtime, and machine code that is not linked statically needs a C library. static is the property
// StaticExecutable, which Microsoft.NETCore.Native.Unix.targets reads. A self-contained app is let through: musl's
// loader, which it needs, can come with files of the spec.
func CheckScratch(mode Mode, static bool) error {
	switch {
	case !mode.BringsRuntime():
		return &ScratchError{mode, "the .NET runtime"}
	case mode.NeedsToolchain() && !static:
		return &ScratchError{mode, "a C library"}
	}
	return nil
}
