package dotnet

import (
	"encoding/json"
	"path"
	"strings"
	"unicode"
)

// TestRun says how `dotnet test` runs test projects, beyond what the projects say.
type TestRun struct {
	// Filter chooses tests; empty: all. Settings is a file of settings, relative to the context; empty: none. Args are
	// further arguments, the last of the command.
	Filter, Settings string
	Args             []string
	// Platform tells that Microsoft.Testing.Platform runs the tests, and not VSTest: see [TestingPlatform].
	Platform bool
}

// TestArgs is the command that builds and runs a restored test project. With VSTest it leaves a TRX file with the
// project's name in Paths.Output, and coverage if the project has a collector.
//
// With Microsoft.Testing.Platform, `dotnet test` gives each argument that it does not know to the test project, which
// fails if it does not know it either. It knows properties, but no other switch of MSBuild
// (TestCommandDefinition.MicrosoftTestingPlatform).
func TestArgs(p Project, test *App, run TestRun, at Paths) []string {
	name := testName(test)
	project := path.Join(at.Source, test.Path)
	results := []string{"--results-directory", path.Join(at.Output, name)}
	args := []string{"dotnet", "test"}
	if run.Platform {
		args = append(args, "--project", project, "--no-restore")
	} else {
		args = append(args, projectArgument(project), "--no-restore", "-nologo", "--logger", "trx;LogFileName="+name+".trx")
	}
	args = append(args, results...)
	if test.Coverage && !run.Platform {
		args = append(args, "--collect", "XPlat Code Coverage")
	}
	args = append(args, test.inputs()...)
	if test.CrossTargeting {
		args = append(args, "-f", test.TargetFramework)
	}
	if run.Platform {
		args = append(args, defineAll(at.injected())...)
	} else {
		args = append(args, at.inject()...)
	}
	for _, arg := range p.build(test, at) {
		if arg != noNodeReuse || !run.Platform {
			args = append(args, arg)
		}
	}
	return append(args, run.Arguments(at.Source)...)
}

// Arguments are the arguments of `dotnet test` for what run says. source is the folder with the context.
func (run TestRun) Arguments(source string) []string {
	// VSTest gets both as properties of MSBuild, in quotes (TestCommandDefinition.VSTest).
	text := argumentEscaper.Replace
	if run.Platform {
		text = func(s string) string { return s }
	}
	var args []string
	if run.Filter != "" {
		args = append(args, "--filter", text(run.Filter))
	}
	if run.Settings != "" {
		args = append(args, "--settings", text(path.Join(source, run.Settings)))
	}
	return append(args, run.Args...)
}

// TestingPlatform tells whether `dotnet test` of an SDK runs tests by Microsoft.Testing.Platform. The nearest
// global.json says so (https://learn.microsoft.com/dotnet/core/tools/global-json#test), which SDKs before 10 ignore.
// globalJSON is the content of that file, nil if there is none.
func TestingPlatform(globalJSON []byte, sdk string) bool {
	if v, err := parseSDKVersion(sdk); err == nil && v.major < 10 {
		return false
	}
	text := plainJSON(globalJSON, false)
	if !json.Valid(text) {
		return false // the SDK fails
	}
	file, _ := member{value: text}.members()
	test, _ := file["test"].members()
	var runner string
	return json.Unmarshal(test["runner"].value, &runner) == nil && strings.EqualFold(runner, "Microsoft.Testing.Platform")
}

// testName is the name of the project, without characters that mean something to the logger or the shell.
func testName(test *App) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._- +~", r) {
			return r
		}
		return '_'
	}, strings.TrimSuffix(path.Base(test.Path), path.Ext(test.Path)))
}

// TestResults is the TRX file in Paths.Output that the command of [TestArgs] leaves.
func TestResults(test *App) string { return path.Join(testName(test), testName(test)+".trx") }
