package dotnet

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestHintsOfProjects(t *testing.T) {
	for text, want := range map[string]string{
		`<Import Project="../eng/x.inc" />`:                                      "x.inc",
		`<Import Project="$(Eng)y.inc" Condition="Exists('z.inc')" />`:           "y.inc",
		`<Import Project="$(Y)" /><Import Project="*.inc" />`:                    "",
		`$([System.IO.File]::ReadAllText('$(MSBuildThisFileDirectory)VERSION'))`: "VERSION",
		`$([System.IO.File]::ReadAllLines('..\v.txt')) ReadMe(..)`:               "v.txt",
	} {
		got := strings.Join(slices.Sorted(maps.Keys(Hints(Files{"a.csproj": []byte(text)}))), " ")
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
