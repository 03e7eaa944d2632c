package gateway

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// An error shows the lines around its place, where the file is known, and no password of it.
func TestAt(t *testing.T) {
	const config = "<configuration>\n<packageSources>\n<clear />\n</packageSources>\n<packageSourceCredentials><hub>\n" +
		"<add key=\"ClearTextPassword\" value=\"s3cr3t\" />\n</hub></packageSourceCredentials>\n</configuration>"
	files := dotnet.Files{
		"app/app.csproj": []byte("\ufeff<Project>\r\n<Broken\u001b>\r\n"), "eng/NuGet.Config": []byte(config),
	}
	for _, tc := range []struct {
		name  string
		of    dotnet.Diagnostic
		place string // the lines that it shows; empty: it has no place
	}{
		{"a project", dotnet.Diagnostic{File: "app/app.csproj", Line: 2, Column: 1},
			"app/app.csproj:2\n   1 |     <Project>\n   2 | >>> <Broken\\x1b>\n   3 |     \n"},
		{"a project without a line", dotnet.Diagnostic{File: "app/app.csproj"}, ""},
		{"a line that the file does not have", dotnet.Diagnostic{File: "app/app.csproj", Line: 9}, ""},
		{"a file that nobody has read", dotnet.Diagnostic{File: "app/Program.cs", Line: 1}, ""},
		{"no file", dotnet.Diagnostic{File: "CSC"}, ""},
		{"a password beside the place", dotnet.Diagnostic{File: "eng/NuGet.Config", Line: 5},
			"eng/NuGet.Config:5\n   3 |     <clear />\n   4 |     </packageSources>\n" +
				"   5 | >>> <packageSourceCredentials><hub>\n" +
				"   6 |     <add key=\"ClearTextPassword\" value=\"***\" />\n   7 |     </hub></packageSourceCredentials>\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := At(errors.New("broken"), tc.of, files)
			if err.Error() != "broken" {
				t.Errorf("it says %q", err)
			}
			var b bytes.Buffer
			for _, src := range errdefs.Sources(err) {
				if err := src.Print(&b); err != nil {
					t.Fatal(err)
				}
			}
			got := strings.ReplaceAll(b.String(), "--------------------\n", "")
			if got != tc.place {
				t.Errorf("it shows\n%s\nwant\n%s", got, tc.place)
			}
		})
	}
}

// A large file is too much for an error, but its lines keep their numbers.
func TestAtLineOfLargeFile(t *testing.T) {
	lines := slices.Repeat([]string{strings.Repeat("x", 99)}, 10_000)
	for _, line := range []int{1, 2, 5_000, 9_999, 10_000, 10_001} {
		lines := slices.Clone(lines)
		if line <= len(lines) {
			lines[line-1] = "here"
		}
		err := AtLine(errors.New("broken"), "a.props", []byte(strings.Join(lines, "\n")), line)
		data := errdefs.Sources(err)[0].Info.Data
		if len(data) > largest {
			t.Errorf("line %d: it has %d bytes", line, len(data))
		}
		got := strings.Split(string(data), "\n")
		if line <= len(lines) && (len(got) < line || got[line-1] != "here") {
			t.Errorf("line %d of %d is another one", line, len(got))
		}
		if near := line - 5; near > 0 && near <= len(lines) && got[near-1] == "" {
			t.Errorf("line %d is empty beside line %d", near, line)
		}
	}
}
