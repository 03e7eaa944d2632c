package dotnet

import (
	"strings"
	"testing"
)

func TestParseDiagnostics(t *testing.T) {
	const log = "\ufeff" +
		"/source/src/App/Program.cs(3,5): error CS0103: The name 'x' does not exist in the current context " +
		"[/source/src/App/App.csproj]\r\n" +
		"/source/src/App/Program.cs(3,5): error CS0103: The name 'x' does not exist in the current context " +
		"[/source/src/App/App.csproj::TargetFramework=net10.0]\n" +
		`/source/src/App/App.csproj : error NU1101: Unable to find package Nope. No packages exist with this id in ` +
		`source(s): company [/source/crosshull.slnx]
CSC : error CS5001: Program does not contain a static 'Main' method suitable for an entry point ` +
		`[/source/src/App/App.csproj]
MSBUILD : error MSB1009: Project file does not exist.
/usr/share/dotnet/sdk/10.0.401/Sdks/Microsoft.NET.Sdk/targets/Microsoft.NET.TargetFrameworkInference.targets(166,5): ` +
		`error NETSDK1045: The current .NET SDK does not support targeting .NET 11.0. [/source/src/App/App.csproj]
/source/src/App/App.csproj(4,3): error MSB4019: The imported project "/source/eng/x.props" was not found.
     2>/source/a.targets(7,2): error : it says [why] [/source/src/App/App.csproj]
/source/b.cs(1,2,3,4): error CA1822: mark it
error NETSDK1004: no place
warning CS0168: no error
Build FAILED.
`
	want := `src/App/Program.cs(3,5): error CS0103: The name 'x' does not exist in the current context
src/App/App.csproj: error NU1101: Unable to find package Nope. No packages exist with this id in source(s): company ` +
		`[/source/crosshull.slnx]
src/App/App.csproj: error CS5001: Program does not contain a static 'Main' method suitable for an entry point
MSBUILD: error MSB1009: Project file does not exist.
src/App/App.csproj: error NETSDK1045: The current .NET SDK does not support targeting .NET 11.0.
src/App/App.csproj(4,3): error MSB4019: The imported project "eng/x.props" was not found.
a.targets(7,2): error: it says [why]
b.cs(1,2): error CA1822: mark it
error NETSDK1004: no place`
	want = strings.Replace(want, " [/source/crosshull.slnx]", "", 1)
	var got []string
	for _, d := range ParseDiagnostics([]byte(log), "/source") {
		got = append(got, d.String())
	}
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// A task that failed without an error of its own is an error only if there is no other.
func TestSilentTask(t *testing.T) {
	const task = `/source/a.targets(7,2): error MSB4181: The "X" task returned false but did not log an error.` + "\n"
	const source = "/source/C.cs(1,2): error CS0219: unused\n"
	for log, want := range map[string]string{task: "MSB4181", task + source: "CS0219", source + task: "CS0219"} {
		if got := ParseDiagnostics([]byte(log), "/source"); len(got) != 1 || got[0].Code != want {
			t.Errorf("%s: got %v, want %s", log, got, want)
		}
	}
}

// The most common errors have a hint, and every code that has a hint has a page.
func TestHints(t *testing.T) {
	for code, page := range map[string]string{
		"NU1101": "https://learn.microsoft.com/nuget/reference/errors-and-warnings/nu1101", "NU1301": "", "NU1603": "",
		"NETSDK1045": "https://learn.microsoft.com/dotnet/core/tools/sdk-errors/netsdk1045", "NETSDK1047": "",
		"MSB3202": "https://learn.microsoft.com/visualstudio/msbuild/errors/msb3202", "MSB4236": "", "CS0246": "",
	} {
		d := Diagnostic{Code: code}
		if d.Hint() == "" || page != "" && d.HelpPage() != page {
			t.Errorf("%s: hint %q, page %s", code, d.Hint(), d.HelpPage())
		}
	}
	if len(hints) < 20 {
		t.Errorf("%d hints", len(hints))
	}
	for code, hint := range hints {
		if (Diagnostic{Code: code}).HelpPage() == "" || strings.HasSuffix(hint, ".") {
			t.Errorf("%s: %s", code, hint)
		}
	}
	if d := (Diagnostic{Code: "XYZ1"}); d.HelpPage() != "" || d.Hint() != "" {
		t.Errorf("%+v has a page or a hint", d)
	}
}

// A source that only Windows has gets another hint than a feed that is out of reach.
func TestHintOfWindowsFolder(t *testing.T) {
	for message, want := range map[string]bool{
		`The local source 'C:/Program Files (x86)/Microsoft SDKs/NuGetPackages/' doesn't exist.`:   true,
		`The local source 'src/D:/packages' doesn't exist.`:                                        true,
		`The local source 'C:\packages' doesn't exist.`:                                            true,
		`The local source 'src/%USERPROFILE%/packages' doesn't exist.`:                             true,
		`The local source 'packages' doesn't exist.`:                                               false,
		`The local source '/home/me/packages' doesn't exist.`:                                      false,
		`Unable to load the service index for source https://feed.example.com/v3/index.json.`:      false,
		`Failed to retrieve information about 'X' from remote source 'https://feed.example.com/X'`: false,
	} {
		hint := Diagnostic{Code: "NU1301", Message: message}.Hint()
		if got := strings.Contains(hint, "folder of Windows"); got != want || hint == "" {
			t.Errorf("%s: %s", message, hint)
		}
	}
}

// An error that depends only on the files comes again as long as they stay the same.
func TestDiagnosticLasts(t *testing.T) {
	for code, want := range map[string]bool{
		"MSB4019": true, "MSB4025": true, "MSB3202": true, "MSB1009": true, "NETSDK1045": true,
		"MSB4236": false, "MSB4242": false, "MSB4018": false, "MSB4181": false, "MSB3021": false, "NU1301": false, "": false,
	} {
		if got := (Diagnostic{Code: code}).Lasts(); got != want {
			t.Errorf("%q lasts: %v", code, got)
		}
	}
}

// An error may come from a file that is not there, unless it is about the text of a source or about packages.
func TestDiagnosticMayLack(t *testing.T) {
	for _, tc := range []struct {
		code, message string
		want          bool
	}{
		{"CS0246", "The type or namespace name 'X' could not be found", true},
		{"MSB3073", "The command exited with code 1", true},
		{"", "no such file", true},
		{"CS1001", "Identifier expected", false},
		{"CS1039", "Unterminated string literal", false},
		{"CS1040", "Preprocessor directives must appear first", true},
		{"CS10011", "no code of the compiler", true},
		{"NU1101", "Unable to find package X", false},
		{"NU1301", "Unable to load the service index for source https://x/index.json", false},
		{"NU1301", "The local source '/source/feed' doesn't exist", true},
	} {
		if got := (Diagnostic{Code: tc.code, Message: tc.message}).MayLack(); got != tc.want {
			t.Errorf("%s: %s: %v", tc.code, tc.message, got)
		}
	}
}

// An error blames a file if it says where, names one, or is the compiler's.
func TestBlames(t *testing.T) {
	const source = "/source"
	for line, want := range map[string]bool{
		"/source/app/a.cs(1,2): error CS0246: no type X [/source/app/app.csproj]":                      true,
		"CSC : error CS5001: no Main [/source/app/app.csproj]":                                         true,
		"/source/app/app.csproj(3,5): error MSB3073: exited with code 1":                               true,
		"/sdk/x.targets(9,5): error MSB3552: Resource file \"a/b.resx\" is not there [/source/a.proj]": true,
		"/sdk/x.targets(9,5): error MSB6006: \"csc\" exited with code 137. [/source/app/app.csproj]":   false,
		"MSBUILD : error MSB4166: Child node \"2\" exited prematurely. [/source/app/app.csproj]":       false,
		"error : Out of memory": false,
	} {
		all := ParseDiagnostics([]byte(line), source)
		if len(all) != 1 || all[0].Blames() != want {
			t.Errorf("%s: got %+v, want %v", line, all, want)
		}
	}
}
