package llb

import (
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// PhaseTest is the phase of the tests.
const PhaseTest = "test"

// Test builds and runs a test project on the build platform, as how says. It gives a state with the results, in a
// folder with the name of the project.
func (b *Builder) Test(test *dotnet.App, how dotnet.TestRun, restored Restored) (llb.State, error) {
	sources, files, err := b.workspace(PhaseTest, test, restored)
	if err != nil {
		return llb.State{}, err
	}
	if how.Settings != "" { // in its place, as it may name other files relative to itself
		reads := TestReads(how)
		sources = b.copyContext(PhaseTest, b.part(TestPart, reads), sources, "settings", reads)
	}
	run := b.run(PhaseTest, b.SDK, "dotnet test "+test.Path, dotnet.TestArgs(b.Project, test, how, paths),
		append(b.packagesOf(restored), reads(SourceDir, sources), reads(msbuildDir, files))...)
	return run.AddMount(outputDir, llb.Scratch()), nil
}

// TestPart is the name of the part of the context that only tests read, and TestReads are what they read of it.
const TestPart = "settings of tests"

// TestReads are what tests read of the context beside the sources.
func TestReads(how dotnet.TestRun) Reads {
	return Reads{Include: []string{dotnet.Escape(how.Settings)}}
}

// Collect puts the results of tests into one state, in the folders of [dotnet.ResultsFolders].
func (b *Builder) Collect(tests []*dotnet.App, results []llb.State) llb.State {
	st := llb.Scratch()
	for i, folder := range dotnet.ResultsFolders(tests) {
		info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: folder != "."}
		st = st.File(llb.Copy(results[i], "/", path.Join("/", folder), info), b.named(PhaseTest, "collect results")...)
	}
	return st
}

// Workspace is the SDK with all that a publish of app sees: its sources and packages.
func (b *Builder) Workspace(app *dotnet.App, restored Restored) llb.State {
	sources := b.withSources(PhasePublish, restored, app.Closure, b.notSources(app.Closure))
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}
	return b.SDK.
		File(llb.Copy(sources, "/", SourceDir, info), b.named(PhasePublish, "copy sources to "+SourceDir)...).
		File(llb.Copy(restored.packages, "/", packageDir, info), b.named(PhasePublish, "copy packages to "+packageDir)...)
}

// WorkspaceEnv is the environment that commands in a workspace need.
var WorkspaceEnv = []string{"NUGET_PACKAGES=" + packageDir}

// Convert makes a project of a file-based app. It gives the context with a new folder beside the file, which has the
// name of the file without .cs.
func (b *Steps) Convert(file string) llb.State {
	into := strings.TrimSuffix(file, path.Ext(file))
	run := b.run(PhaseDescribe, b.SDK, "dotnet project convert "+file, []string{
		"dotnet", "project", "convert", path.Join(SourceDir, file), "--output", path.Join(SourceDir, into),
	})
	return run.AddMount(SourceDir, b.Context)
}
