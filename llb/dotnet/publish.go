package dotnet

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// portable makes an output of IL that any platform's runtime can run, whatever the project says.
var portable = []string{
	define("SelfContained", "false"),
	define("PublishAot", "false"),
	define("PublishSingleFile", "false"),
	define("PublishTrimmed", "false"),
	define("PublishReadyToRun", "false"),
}

// packless keeps restore from asking for packs that a portable app has no use for. UseAppHost=false alone does not
// stop the download of the apphost (dotnet/sdk, ProcessFrameworkReferences).
var packless = []string{
	define("UseAppHost", "false"),
	define("EnableAppHostPackDownload", "false"),
	define("EnableRuntimePackDownload", "false"),
}

// RestoreArgs is the command that restores the closure of an app.
func RestoreArgs(p Project, app *App, at Paths) []string {
	args := []string{"dotnet", "restore", path.Join(at.Source, app.Path)}
	return append(args, p.build()...)
}

// PublishArgs is the command that compiles and publishes an app that has been restored with [RestoreArgs]. Both get
// the same properties: a restore made for others is not valid (NETSDK1004, NETSDK1047).
func PublishArgs(p Project, app *App, at Paths) []string {
	args := []string{"dotnet", "publish", path.Join(at.Source, app.Path), "--no-restore", "-o", at.Output}
	if app.CrossTargeting {
		args = append(args, "-f", app.TargetFramework)
	}
	return append(args, p.build()...)
}

func (p Project) build() []string {
	return slices.Concat([]string{"-nologo"}, p.common(), portable, packless)
}

// common are the properties of every command, so that all of them see the same project.
func (p Project) common() []string {
	args := []string{
		// No process outlives the command: its container ends with it.
		"-nodeReuse:false",
		define("Configuration", p.Configuration),
		// Platforms come from buildx. With RuntimeIdentifiers the SDK would answer for several images at once, and the
		// answer of ComputeContainerConfig is empty.
		define("RuntimeIdentifier", ""),
		define("RuntimeIdentifiers", ""),
	}
	for _, k := range slices.Sorted(maps.Keys(p.Properties)) {
		args = append(args, define(k, p.Properties[k]))
	}
	return args
}

// define is an MSBuild property as an argument. In a bare value ; and , would end the property, so such a value gets
// double quotes as part of the argument; %3B is not decoded here.
func define(name, value string) string {
	if strings.ContainsAny(value, ";,") && !strings.HasPrefix(value, `"`) {
		value = `"` + value + `"`
	}
	return "-p:" + name + "=" + value
}

// ProjectFiles are patterns (github.com/moby/patternmatcher) of the files that say what a project is: all that
// evaluation and restore read, and no source. nuget.config is found in any case, as NuGet does.
func ProjectFiles() []string {
	return append(sharedFiles(), "**/*.*proj")
}

// RestoreFiles are patterns of the files that can change a restore of an app: the projects of its closure, and what
// any project can import or NuGet reads.
func RestoreFiles(app *App) []string {
	patterns := sharedFiles()
	for _, p := range app.Closure {
		patterns = append(patterns, Escape(p))
	}
	return patterns
}

func sharedFiles() []string {
	return []string{
		"**/*.props",
		"**/*.targets",
		"**/*.rsp",
		"**/*.sln",
		"**/*.slnx",
		"**/[nN][uU][gG][eE][tT].[cC][oO][nN][fF][iI][gG]",
		"**/global.json",
		"**/packages.lock.json",
		"**/*.packages.lock.json",
		"**/dotnet-tools.json",
	}
}

// Outputs are patterns of what builds on the host leave beside the projects of an app.
func Outputs(app *App) []string {
	var patterns []string
	for _, p := range app.Closure {
		dir := path.Dir(p)
		patterns = append(patterns, Escape(path.Join(dir, "bin")), Escape(path.Join(dir, "obj")))
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// AnyOutputs are patterns of such folders where the projects are not known yet.
func AnyOutputs() []string { return []string{"**/bin", "**/obj"} }

// Escape makes a path a pattern that matches it alone.
func Escape(p string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(p)
}
