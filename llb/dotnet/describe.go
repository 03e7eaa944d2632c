package dotnet

import (
	"embed"
	"io/fs"
	"path"
)

//go:embed msbuild
var msbuild embed.FS

// File is a file with its name.
type File struct {
	Name string
	Data []byte
}

// MSBuildFiles returns the files that the commands of this package refer to. Put them into one folder.
func MSBuildFiles() ([]File, error) {
	files, err := filesOf(msbuild, "msbuild")
	importing := `<Project><Import Project="../../../` + targetsFile + `" /></Project>`
	return append(files, File{importedFile, []byte(importing)}), err
}

// targetsFile is one of [MSBuildFiles], and importedFile is where MSBuild looks for files to import into each project:
// below MSBuildUserExtensionsPath (Microsoft.Common.CurrentVersion.targets). Properties such as
// CustomAfterMicrosoftCommonTargets are the repository's own.
const (
	targetsFile  = "crosshull.targets"
	importedFile = "Current/Microsoft.Common.targets/ImportAfter/" + targetsFile
)

func filesOf(from fs.FS, dir string) ([]File, error) {
	entries, err := fs.ReadDir(from, dir)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		dt, err := fs.ReadFile(from, path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, File{e.Name(), dt})
	}
	return files, nil
}

// Paths are folders of the build container.
type Paths struct {
	Source   string // the build context
	MSBuild  string // MSBuildFiles
	Output   string // where the command leaves its output
	Assets   string // static web assets that are compressed already
	StandIns string // stand-ins for projects of other slices
	// Sources are those of the program that asks MSBuild, Evaluator is what they are compiled to, Contents are the
	// contents of project files for it.
	Sources, Evaluator, Contents string
	// Restored is what a restore has made of the context.
	Restored string
	// Diagnostics is the folder for DiagnosticsFile.
	Diagnostics string
}

// Project says how to build a project, as a spec says it.
type Project struct {
	Path          string            // project, folder or solution, relative to the context; empty is the context
	Chosen        string            // the project that Path means; empty: not known yet
	Test          bool              // look for a test project
	Framework     string            // TargetFramework, if the project has several
	Newest        bool              // of several frameworks, the newest is meant, as the spec cannot name one
	Configuration string            // MSBuild configuration
	Properties    map[string]string // further MSBuild properties
	Inputs        []string          // files and folders that commands read, as far as the spec lists them
	BaseImage     string            // ContainerBaseImage
	Family        string            // ContainerFamily
	Mode          *Mode             // how to publish, over the project's properties; nil: as they say
}

// injected makes crosshull.targets part of every project of a build.
func (at Paths) injected() []KeyValue {
	return append(at.extensions(),
		KeyValue{"CustomAfterMicrosoftCommonCrossTargetingTargets", path.Join(at.MSBuild, targetsFile)})
}

// extensions makes crosshull.targets part of projects that are built for one framework. The second property is for
// repositories that turn off what users import by themselves (Microsoft.Common.targets).
func (at Paths) extensions() []KeyValue {
	return []KeyValue{
		{"MSBuildUserExtensionsPath", at.MSBuild},
		{"ImportUserLocationsByWildcardAfterMicrosoftCommonTargets", "true"},
	}
}

// inject is injected as arguments of a command, and makes MSBuild log the errors of the command.
func (at Paths) inject() []string { return append(defineAll(at.injected()), at.logErrors()) }

// Description is what MSBuild says of a project, or of all projects that the spec may mean.
type Description struct {
	Candidates []Candidate
	// Missing are projects that a solution names and that are not there.
	Missing []string
	App     *App // nil unless exactly one candidate is an app and its framework is known
	// Errors are why MSBuild cannot describe App.
	Errors []Diagnostic
}

// Candidate is a project that the spec may mean.
type Candidate struct {
	Path string // relative to the context
	// Kind is "app", "test", "library", "broken" (MSBuild cannot evaluate it), or words for what else it is.
	Kind       string
	Error      *Diagnostic // why MSBuild cannot evaluate it
	OutputType string
	Frameworks []string // those that run on Linux
	// CrossTargeting: the project has TargetFrameworks, perhaps with one name only. A build has to choose one.
	CrossTargeting bool
	coverage       bool
}

// App is what MSBuild says of the project to publish.
type App struct {
	Path            string // relative to the context
	Closure         []Node // it and all projects that it references, by path
	TargetFramework string
	CrossTargeting  bool // the same as in its Candidate
	Coverage        bool // a test project with coverlet.collector
	Mode            Mode // as the project's properties say
	// Missing are projects that its solution names and that are not in the context.
	Missing []string
	// Switches are files with switches for every command, relative to the context: Directory.Build.rsp in a folder above
	// or beside the project, and then MSBuild.rsp beside it, whose switches win.
	Switches []string
	// ByRuntimeIdentifier tells that the project has other files for other runtime identifiers.
	ByRuntimeIdentifier bool
	// KeepsDebug tells that dotnet publish would not use configuration Release: PublishRelease is false.
	KeepsDebug bool
	// RuntimeIdentifiers are those that the project lists itself.
	RuntimeIdentifiers []string
	Output
	Container
	Runtime
}

// FilesAlone is the app of an image without a project, on a base: no project says anything about it.
func FilesAlone(base string) *App { return &App{Mode: Portable, Container: Container{BaseImage: base}} }

// None tells whether there is no project: see [FilesAlone].
func (app *App) None() bool { return app.Path == "" }

// Same tells whether both are the same project in the same mode.
func (app *App) Same(other *App) bool { return app.Path == other.Path && app.Mode == other.Mode }

// Output is what a build of the app leaves. The fields have the names of MSBuild properties.
type Output struct {
	TargetFileName string // app.dll
	AssemblyName   string // app
	// AssetsFile is the file that restore leaves for it, relative to the context: see [ParseAssets].
	AssetsFile string
}

// Container is what the SDK infers for the image (target ComputeContainerConfig), and what the project sets with the
// properties and items Container….
type Container struct {
	BaseImage string
	// InferredBase is BaseImage if the SDK inferred it, from only the frameworks that the project itself names. It is
	// empty if the spec or the project chooses the base. [BaseFor] gives the base for other frameworks.
	InferredBase     string
	Labels           []KeyValue
	Env              []KeyValue
	Ports            []string // 8080/tcp
	WorkingDirectory string
	User             string
	Command          Command
	PublishesVCS     bool // PublishRepositoryUrl: the image tells its repository and commit
}

// Runtime is what the app needs from the runtime that starts it.
type Runtime struct {
	// InvariantGlobalization and RollForward are the properties with these names, in lower case.
	InvariantGlobalization, RollForward string
	// FrameworkReferences are what the projects of the closure name: Microsoft.NETCore.App, Microsoft.AspNetCore.App.
	// Restore knows those of packages, too, and which of them the app gets.
	FrameworkReferences []string
	// StaticExecutable tells that the output of AOT needs no C library: see [CheckScratch].
	StaticExecutable bool
}

// KeyValue is an item with a Value.
type KeyValue struct{ Key, Value string }

// Command is what the SDK says that an image runs. The fields have the names of MSBuild items.
type Command struct {
	Instruction    string // ContainerAppCommandInstruction: Entrypoint, DefaultArgs, None, or empty
	AppCommand     []string
	AppCommandArgs []string
	Entrypoint     []string
	EntrypointArgs []string
	DefaultArgs    []string
}
