package dotnet

import (
	"errors"
	"strings"
	"testing"
)

func TestIsScratch(t *testing.T) {
	for image, want := range map[string]bool{
		"scratch":                           true,
		"":                                  false,
		"scratch:latest":                    false,
		"docker.io/library/scratch":         false,
		"example.com/scratch":               false,
		"mcr.microsoft.com/dotnet/aspnet:9": false,
	} {
		if got := IsScratch(image); got != want {
			t.Errorf("%q: got %v, want %v", image, got, want)
		}
	}
}

// An app that brings all that it needs starts on an empty base. For any other app, an error says what is missing.
func TestCheckScratch(t *testing.T) {
	for _, tc := range []struct {
		modes  string
		static bool
		needs  string // nothing: it passes
	}{
		{"portable", false, "the .NET runtime"},
		{"portable", true, "the .NET runtime"},
		{"apphost", false, "the .NET runtime"},
		{"ready-to-run", false, "the .NET runtime"},
		{"single-file", false, "the .NET runtime"},
		{"self-contained", false, ""},
		{"self-contained,single-file", false, ""},
		{"trimmed", false, ""},
		{"aot", false, "a C library"},
		{"aot", true, ""},
	} {
		mode, err := ParseMode(strings.Split(tc.modes, ","))
		if err != nil {
			t.Fatal(err)
		}
		err = CheckScratch(mode, tc.static)
		if tc.needs == "" {
			if err != nil {
				t.Errorf("%s, static %v: %v", tc.modes, tc.static, err)
			}
			continue
		}
		var scratch *ScratchError
		if !errors.As(err, &scratch) || scratch.Needs != tc.needs {
			t.Errorf("%s, static %v: got %v", tc.modes, tc.static, err)
			continue
		}
		for _, text := range []string{tc.needs, mode.String(), Scratch} {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s, static %v: no %q in %v", tc.modes, tc.static, text, err)
			}
		}
	}
}

// What runs on an empty base is linked with musl, unless the spec names a toolchain with glibc.
func TestScratchIsMusl(t *testing.T) {
	if got := LibcOf(Scratch); got != Musl {
		t.Errorf("got %q", got)
	}
	for toolchain, want := range map[string]Libc{
		"": Musl,
		"mcr.microsoft.com/dotnet/sdk:10.0-alpine-aot": Musl,
		"mcr.microsoft.com/dotnet/sdk:10.0-aot":        Glibc,
		"example.com/linker:1":                         Musl,
	} {
		if got := ScratchLibc(toolchain); got != want {
			t.Errorf("linked by %q: got %s, want %s", toolchain, got, want)
		}
	}
	got, err := Toolchain("mcr.microsoft.com/dotnet/sdk:10.0", Scratch)
	if want := "mcr.microsoft.com/dotnet/sdk:10.0-alpine-aot"; err != nil || got != want {
		t.Errorf("toolchain %s, want %s: %v", got, want, err)
	}
}
