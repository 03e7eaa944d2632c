package dotnet

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// DiagnosticsFile is the file that every step with MSBuild leaves in Paths.Diagnostics. It has one error a line.
const DiagnosticsFile = "errors.log"

// logErrors makes MSBuild write its errors to a file as well as print them.
func (at Paths) logErrors() string {
	return "-fileLoggerParameters1:ErrorsOnly;Verbosity=minimal;Encoding=UTF-8;LogFile=" +
		path.Join(at.Diagnostics, DiagnosticsFile)
}

// Diagnostic is an error from the compiler, MSBuild or NuGet.
type Diagnostic struct {
	// File is relative to the context. It is the file with the error. If the error is in no file of the context, it is the
	// project that was built, or the name of a tool.
	File         string
	Line, Column int // 1-based; 0: not known
	Code         string
	Message      string
}

// diagnostic is a line of MSBuild's canonical format (Microsoft.Build.Shared.CanonicalError), with the project at its
// end.
var diagnostic = regexp.MustCompile(
	`^\s*(?:\d+(?::\d+)?>)?(?:(.*?)(?:\((\d+)(?:,(\d+))?(?:,\d+)*\))? ?: )?(?:[\w ]+ )?` +
		`error ?([A-Za-z]*\d+)? ?: (.*?)(?: \[(/[^\[\]]*?)(?:::[^\[\]]*)?\])?$`,
)

// ParseDiagnostics reads a DiagnosticsFile. It returns every error once, in the order of the log, but none that says
// nothing beside the others. source is Paths.Source.
func ParseDiagnostics(dt []byte, source string) []Diagnostic {
	var all []Diagnostic
	seen := map[Diagnostic]bool{}
	for line := range strings.Lines(string(dt)) {
		m := diagnostic.FindStringSubmatch(strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), "\r\n"))
		if m == nil {
			continue
		}
		d := Diagnostic{File: strings.TrimSpace(m[1]), Code: m[4], Message: strings.ReplaceAll(m[5], source+"/", "")}
		d.Line, _ = strconv.Atoi(m[2]) // an empty text gives 0
		d.Column, _ = strconv.Atoi(m[3])
		project, ofProject := strings.CutPrefix(m[6], source+"/")
		rel, inContext := strings.CutPrefix(d.File, source+"/")
		switch {
		case inContext:
			d.File = rel
		case ofProject: // found by a tool, or in a file of the SDK or of a package
			d.File, d.Line, d.Column = project, 0, 0
		case path.IsAbs(d.File):
			d.File = path.Base(d.File)
		}
		if !seen[d] {
			seen[d] = true
			all = append(all, d)
		}
	}
	// With -warnaserror, MSBuild says of each task that builds other projects that it logged no error: those have it.
	if said := slices.DeleteFunc(slices.Clone(all), silent); len(said) > 0 {
		return said
	}
	return all
}

// silent tells whether an error only says that a task failed without one.
func silent(d Diagnostic) bool { return d.Code == "MSB4181" }

func (d Diagnostic) String() string {
	at := d.File
	if d.Line > 0 {
		at += fmt.Sprintf("(%d", d.Line)
		if d.Column > 0 {
			at += fmt.Sprintf(",%d", d.Column)
		}
		at += ")"
	}
	if at != "" {
		at += ": "
	}
	code := ""
	if d.Code != "" {
		code = " " + d.Code
	}
	return at + "error" + code + ": " + d.Message
}

// passing are MSBuild's own codes for errors that do not come from the files: a feed did not give an SDK, or a task
// failed or crashed by itself.
var passing = []string{
	"MSB4018", "MSB4181", "MSB4236", "MSB4242", "MSB4243", "MSB4244", "MSB4245", "MSB4247", "MSB4276",
}

// Lasts tells whether the error depends only on the project files, and so comes again until they change. Such errors
// are about syntax and evaluation (MSB4…), a project that does not exist (MSB1009, MSB3202), or the SDK's rules
// (NETSDK…).
func (d Diagnostic) Lasts() bool {
	switch {
	case slices.Contains(passing, d.Code):
		return false
	case d.Code == "MSB1009", d.Code == "MSB3202":
		return true
	}
	return strings.HasPrefix(d.Code, "MSB4") || strings.HasPrefix(d.Code, "NETSDK")
}

// ofSyntax finds the codes of the compiler for source text that it cannot parse. It then reports nothing else.
var ofSyntax = regexp.MustCompile(`^CS10(0[1-9]|1[0-9]|2[0-9]|3[0-9])$`)

// MayLack tells whether the error may come from a missing file. Most errors can: without its source, the compiler does
// not know a type. An error of syntax, or one of NuGet about packages, cannot.
func (d Diagnostic) MayLack() bool {
	switch {
	case d.Code == "NU1301": // a source, which may be a folder of the repository
		return !strings.Contains(d.Message, "://")
	case strings.HasPrefix(d.Code, "NU"):
		return false
	}
	return !ofSyntax.MatchString(d.Code)
}

// Blames tells whether the error is about a file: it has a line, a name of a file is in its text, or it is the
// compiler's, which says what sources lack. An error of a tool or a process alone may as well come from the machine.
func (d Diagnostic) Blames() bool {
	return d.Line > 0 || ofCompiler.MatchString(d.Code) || NamedPath.MatchString(d.Message)
}

// ofCompiler finds the codes of compilers.
var ofCompiler = regexp.MustCompile(`^(CS|BC|FS)\d`)

// NamedPath finds what may be a path of the context in a message.
var NamedPath = regexp.MustCompile(`[^\s"'()\[\]]*[/\\][^\s"'()\[\]]+`)

// helpPages are the addresses of documentation, by the first letters of a code. %s is the code in lower case.
var helpPages = []struct{ prefix, page string }{
	{"NETSDK", "https://learn.microsoft.com/dotnet/core/tools/sdk-errors/%s"},
	{"MSB", "https://learn.microsoft.com/visualstudio/msbuild/errors/%s"},
	{"NU", "https://learn.microsoft.com/nuget/reference/errors-and-warnings/%s"},
	{"CS", "https://learn.microsoft.com/dotnet/csharp/misc/%s"},
	{"CA", "https://learn.microsoft.com/dotnet/fundamentals/code-analysis/quality-rules/%s"},
	{"IDE", "https://learn.microsoft.com/dotnet/fundamentals/code-analysis/style-rules/%s"},
	{"IL2", "https://learn.microsoft.com/dotnet/core/deploying/trimming/trim-warnings/%s"},
	{"IL3", "https://learn.microsoft.com/dotnet/core/deploying/native-aot/warnings/%s"},
	{"SYSLIB", "https://learn.microsoft.com/dotnet/fundamentals/syslib-diagnostics/%s"},
	{"BC", "https://learn.microsoft.com/dotnet/visual-basic/misc/%s"},
}

// HelpPage is the address of the documentation for the code, or empty.
func (d Diagnostic) HelpPage() string {
	for _, p := range helpPages {
		if strings.HasPrefix(d.Code, p.prefix) {
			return fmt.Sprintf(p.page, strings.ToLower(d.Code))
		}
	}
	return ""
}

// Hint says what to do about the error in a build with crosshull. It is empty unless that differs from what a developer
// does on their own machine, or is easy to forget.
func (d Diagnostic) Hint() string {
	if d.Code == "NU1301" && windowsFolder.MatchString(d.Message) {
		return "the source is a folder of Windows, which the build does not have: move it to the nuget.config of the " +
			"user who has that folder, or list the sources of the build as RestoreSources in publish.properties of the spec"
	}
	return hints[d.Code]
}

// windowsFolder matches NuGet's words about a folder of Windows: one with a drive or in a variable. NuGet takes it for
// a folder beside nuget.config, and turns most backslashes into slashes.
var windowsFolder = regexp.MustCompile(`local source '(?:[^']*/)?(?:[A-Za-z]:|%\w+%)[/\\]`)

var hints = map[string]string{
	"CS0006": "a library that the project references was not compiled: look at its errors first; if a command makes " +
		"it, name the files that the command reads in publish.inputs",
	"CS0103": "if a source generator makes this name, list the files that the generator reads in publish.inputs",
	"CS0234": "if a package has the namespace, restore did not get the package: look at PackageReference and its " +
		"conditions; if a source file has it, .dockerignore may leave that out",
	"CS0246": "if a package has the type, restore did not get the package: look at PackageReference and its " +
		"conditions; if a source file has it, .dockerignore may leave that out",
	"CS2001": "the file is not in the build: .dockerignore leaves it out, the case of its name differs, or " +
		"publish.inputs has to name it",
	"CS5001":  "the sources with Main are not in the build: look at .dockerignore and at Compile items with conditions",
	"MSB1009": "the project is not in the context: look at .dockerignore, and at the case of its name",
	"MSB3073": "a command of the project failed: Microsoft's SDK images have no node, npm or python; if it needs one, " +
		"name an image that has it in sdk.image of the spec",
	"MSB3202": "a project that is referenced is not in the context: look at .dockerignore, at the case of its " +
		"name, and whether the context has to be a folder above",
	"MSB4019": "a file that is imported is not in the build: look at .dockerignore, and name it in publish.inputs " +
		"if its path is computed",
	"MSB4236": "an SDK of the project file was not found: it needs a version in msbuild-sdks of global.json, and a " +
		"feed; if the feed needs credentials, name it in nuget.feeds of the spec",
	"MSB6006":    "a tool ended with an error: its output is in the log of the step",
	"NETSDK1004": "the app does not reference the project, so it was not restored: add a ProjectReference",
	"NETSDK1045": "the SDK is too old for the TargetFramework: set a newer one in sdk.version of the spec or global.json",
	"NETSDK1047": "the project sets a RuntimeIdentifier by a condition that restore does not see: leave it to " +
		"crosshull, which sets it from --platform",
	"NETSDK1083": "the runtime identifier does not exist: leave it to crosshull, which sets it from --platform",
	"NETSDK1094": "ready-to-run needs the Crossgen pack: name a feed that has it in nuget.feeds of the spec",
	"NETSDK1147": "the project needs a workload, which Microsoft's SDK images do not have: name an image that has it in " +
		"sdk.image of the spec",
	"NETSDK1152": "two files have the same place in the output: exclude one by CopyToPublishDirectory=Never, or set " +
		"ErrorOnDuplicatePublishOutputFiles=false in publish.properties",
	"NU1004": "packages.lock.json does not fit the projects: run dotnet restore --force-evaluate and commit it",
	"NU1010": "Directory.Packages.props has no version for the package: add a PackageVersion for it",
	"NU1015": "the package has no version: if Directory.Packages.props has it, .dockerignore may leave that out",
	"NU1101": "no feed has the package: if its feed needs credentials, name the feed in nuget.feeds of the spec, and " +
		"give its password with --secret",
	"NU1102": "feeds have other versions of the package: look for the feed that has this one, or change the version",
	"NU1103": "there are only pre-release versions of the package: name one of them",
	"NU1301": "a feed was not reached: behind a proxy, give --build-arg HTTPS_PROXY; for a private certificate, " +
		"set nuget.ca in the spec; for credentials, nuget.feeds",
	"NU1302": "the feed is on http: use https, or set allowInsecureConnections in nuget.config",
	"NU1403": "the package has another hash than in packages.lock.json: if you expect that, run dotnet " +
		"restore --force-evaluate and commit the lock file",
	"NU1603": "the version asked for does not exist, and warnings are errors: name the version that the message " +
		"says was found",
	"NU1605": "a package needs a newer version of another package than the project names: name that version",
	"NU1903": "a package has a known vulnerability, and warnings are errors: take a newer version, or set " +
		"nuget.audit: false in the spec",
}
