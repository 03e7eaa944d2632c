package dotnet

import (
	"embed"
	"errors"
	"io/fs"
	"path"
	"strings"
)

// The program that asks MSBuild. It is C#. The frontend's image has it compiled; else the SDK that it asks compiles it.
//
//go:embed evaluator
var evaluator embed.FS

// EvaluatorFiles are the sources of the program that [EvaluateArgs] runs. Put them into Paths.Sources:
// [CompileEvaluatorArgs] compiles them.
func EvaluatorFiles() ([]File, error) { return filesOf(evaluator, "evaluator") }

const (
	// evaluatorFile is what the command of [CompileEvaluatorArgs] leaves in Paths.Output.
	evaluatorFile = "evaluator.dll"
	// evaluatorScript is the source that compiles the others.
	evaluatorScript = "compile.sh"
	// evaluatorSDK is the file of the frontend's image that has the version of the SDK that compiled the program.
	evaluatorSDK = "sdk-version"
)

// runtimeConfig lets the program run on any runtime that an SDK has.
const runtimeConfig = `{"runtimeOptions": {
  "framework": {"name": "Microsoft.NETCore.App", "version": "8.0.0"},
  "rollForward": "LatestMajor",
  "configProperties": {"System.Runtime.TieredPGO": false, "System.Globalization.Invariant": true}
}}
`

// CompileEvaluatorArgs is the command that compiles [EvaluatorFiles].
func CompileEvaluatorArgs(at Paths) []string {
	return []string{"sh", path.Join(at.Sources, evaluatorScript), path.Join(at.Output, evaluatorFile), at.Sources}
}

// EvaluatorConfig is a file to put beside the output of [CompileEvaluatorArgs].
func EvaluatorConfig() File { return File{"evaluator.runtimeconfig.json", []byte(runtimeConfig)} }

// Evaluator is the program that asks MSBuild, compiled when the image of the frontend was made.
type Evaluator struct {
	assembly []byte
	sdk      sdkVersion // that compiled it
}

// ReadEvaluator reads the program from the folder of the frontend's image that has it. The Evaluator is nil if there is
// none, as in a frontend that was built by go build.
func ReadEvaluator(folder fs.FS) (*Evaluator, error) {
	assembly, err := fs.ReadFile(folder, evaluatorFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	version, err := fs.ReadFile(folder, evaluatorSDK)
	if err != nil {
		return nil, err
	}
	sdk, err := parseSDKVersion(strings.TrimSpace(string(version)))
	if err != nil {
		return nil, err
	}
	return &Evaluator{assembly, sdk}, nil
}

// Files are the program for an SDK of a version, to be put into Paths.Evaluator. There are none if the version is
// unknown, or older than the SDK that compiled the program: an older MSBuild may lack a method that the compiler chose.
// Then the SDK has to compile [EvaluatorFiles].
func (e *Evaluator) Files(version string) []File {
	if e == nil {
		return nil
	}
	if sdk, err := parseSDKVersion(version); err != nil || sdk.compare(e.sdk) < 0 {
		return nil
	}
	return []File{{evaluatorFile, e.assembly}, EvaluatorConfig()}
}
