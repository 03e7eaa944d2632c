package dotnet

import (
	"embed"
	"errors"
	"io/fs"
	"path"
	"strings"
)

// Program is a program of crosshull's in C# that a step runs with the SDK's runtime. The frontend's image has it
// compiled; else the SDK of the build compiles it.
type Program struct {
	// Name is the name of its assembly, without ".dll".
	Name string
	// Sources has its C# files, in no folder.
	Sources fs.FS
}

//go:embed evaluator
var evaluator embed.FS

//go:embed compile.sh
var compileScript []byte

// Evaluator is the program that asks MSBuild: see [EvaluateArgs].
var Evaluator = NewProgram("evaluator", evaluator)

// NewProgram gives the program whose files are in the folder of its name.
func NewProgram(name string, files embed.FS) Program {
	sources, err := fs.Sub(files, name)
	if err != nil { // only for a name that is no path
		panic(err)
	}
	return Program{name, sources}
}

// scriptFile is the file beside the sources that compiles them.
const scriptFile = "compile.sh"

// Files are the sources of p. Put them into Paths.Sources: the command of [Program.CompileArgs] compiles them.
func (p Program) Files() ([]File, error) {
	files, err := filesOf(p.Sources, ".")
	return append(files, File{scriptFile, compileScript}), err
}

// CompileArgs is the command that compiles [Program.Files]. It leaves [Program.Assembly] in Paths.Output.
func (p Program) CompileArgs(at Paths) []string {
	return []string{"sh", path.Join(at.Sources, scriptFile), path.Join(at.Output, p.Assembly()), at.Sources}
}

// Assembly is the name of the file that p is compiled to.
func (p Program) Assembly() string { return p.Name + ".dll" }

// Config is a file to put beside the assembly. It lets p run on any runtime that an SDK has.
func (p Program) Config() File {
	return File{p.Name + ".runtimeconfig.json", []byte(`{"runtimeOptions": {
  "framework": {"name": "Microsoft.NETCore.App", "version": "8.0.0"},
  "rollForward": "LatestMajor",
  "configProperties": {"System.Runtime.TieredPGO": false, "System.Globalization.Invariant": true}
}}
`)}
}

// Compiled are the programs that were compiled when the image of the frontend was made.
type Compiled struct {
	folder fs.FS
	sdk    sdkVersion // that compiled them
}

// compiledBy is the file of the frontend's image that has the version of the SDK that compiled the programs.
const compiledBy = "sdk-version"

// ReadCompiled reads the folder of the frontend's image that has programs. Compiled is nil if there is none, as in a
// frontend that was built by go build.
func ReadCompiled(folder fs.FS) (*Compiled, error) {
	version, err := fs.ReadFile(folder, compiledBy)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sdk, err := parseSDKVersion(strings.TrimSpace(string(version)))
	if err != nil {
		return nil, err
	}
	return &Compiled{folder, sdk}, nil
}

// Files are the assembly of p and its configuration, for an SDK of a version. There are none if the version is unknown,
// or older than the SDK that compiled p: an older framework may lack a method that the compiler chose. Then the SDK has
// to compile [Program.Files].
func (c *Compiled) Files(p Program, version string) ([]File, error) {
	if c == nil {
		return nil, nil
	}
	if sdk, err := parseSDKVersion(version); err != nil || sdk.compare(c.sdk) < 0 {
		return nil, nil
	}
	assembly, err := fs.ReadFile(c.folder, p.Assembly())
	if err != nil {
		return nil, err
	}
	return []File{{p.Assembly(), assembly}, p.Config()}, nil
}
