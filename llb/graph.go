package llb

import (
	"path"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// SourceDir is where the build container has the build context.
const SourceDir = "/source"

// Other folders of the build container. Like SourceDir they are part of what the compiler writes into its output, so
// they never change.
const (
	packageDir = "/nuget"
	msbuildDir = "/crosshull"
	outputDir  = "/app"
)

// Phases are what `--no-cache-filter` can name, and what vertex names begin with.
const (
	PhaseDescribe = "describe"
	PhaseRestore  = "restore"
	PhasePublish  = "publish"
)

// fileTime is the time of every file that goes into a build or an image: what is built must not depend on when. It is
// the earliest that a zip archive can hold, so tools that make packages take it too.
var fileTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// Builder makes the vertices of one build. Equal Builders make equal vertices.
type Builder struct {
	// Project is what the spec says of the project.
	Project dotnet.Project
	// Context is the build context, .dockerignore applied.
	Context llb.State
	// SDK is the image of the SDK, for the build platform, with the environment of its configuration.
	SDK llb.State
	// Caps are the capabilities of the BuildKit that will run the graph.
	Caps apicaps.CapSet
	// Exec gives what buildx's flags say about the execs of a phase, and the place in the spec that it came from.
	Exec func(phase string) []llb.RunOption
	// Constraints are for every other vertex of a phase.
	Constraints func(phase string) []llb.ConstraintsOpt
}

// Describe asks MSBuild about the project: a state with [dotnet.DescriptionFile] in its root. Its input is only what
// says what a project is, so it is cached while no more than sources change.
func (b *Builder) Describe() (llb.State, error) {
	files, err := msbuildFiles()
	if err != nil {
		return llb.State{}, err
	}
	projects := b.copyContext(PhaseDescribe, llb.Scratch(), "project files", dotnet.ProjectFiles(), dotnet.AnyOutputs())
	args := dotnet.DescribeArgs(b.Project, dotnet.Paths{Source: SourceDir, MSBuild: msbuildDir, Output: outputDir})
	name := b.Project.Path
	if name == "" {
		name = "projects"
	}
	run := b.run(PhaseDescribe, "dotnet msbuild -t:ComputeContainerConfig "+name, args,
		llb.AddMount(SourceDir, projects, llb.ForceNoOutput),
		llb.AddMount(msbuildDir, files, llb.Readonly))
	return run.AddMount(outputDir, llb.Scratch()), nil
}

// Publish restores and publishes app: a state with the published files in its root.
func (b *Builder) Publish(app *dotnet.App) llb.State {
	at := dotnet.Paths{Source: SourceDir, Output: outputDir}

	projects := b.copyContext(PhaseRestore, llb.Scratch(), "project files", dotnet.RestoreFiles(app), dotnet.Outputs(app))
	restore := b.run(PhaseRestore, "dotnet restore "+app.Path, dotnet.RestoreArgs(b.Project, app, at))
	restored := restore.AddMount(SourceDir, projects)
	packages := restore.AddMount(packageDir, llb.Scratch())

	sources := b.copyContext(PhasePublish, restored, "sources", nil, dotnet.Outputs(app))
	publish := b.run(PhasePublish, "dotnet publish "+app.Path, dotnet.PublishArgs(b.Project, app, at),
		llb.AddMount(SourceDir, sources, llb.ForceNoOutput),
		llb.AddMount(packageDir, packages, llb.ForceNoOutput))
	return publish.AddMount(outputDir, llb.Scratch())
}

// Layer makes published files a layer of an image, in folder dir of it: owned by root, writable by nobody else,
// executable only where the file was, all with the same time.
func (b *Builder) Layer(published llb.State, dir string) llb.State {
	info := &llb.CopyInfo{
		CopyDirContentsOnly: true,
		CreateDestPath:      true,
		CreatedTime:         &fileTime,
		ChownOpt:            &llb.ChownOpt{User: &llb.UserOpt{UID: 0}, Group: &llb.UserOpt{UID: 0}},
		// No capability tells of symbolic modes (BuildKit never registers file.copy.modestring): a BuildKit too old for
		// them leaves modes as they are.
		Mode: &llb.ChmodOpt{ModeStr: "u=rwX,go=rX"},
	}
	return llb.Scratch().File(llb.Copy(published, "/", dir, info), b.named(PhasePublish, "copy app to "+dir)...)
}

// Image puts layers on a base image for platform. Merged, the base is neither pulled nor unpacked; where BuildKit
// cannot merge, the layers are copied onto it.
func (b *Builder) Image(base llb.State, platform ocispecs.Platform, layers ...llb.State) llb.State {
	name := "[image " + platforms.Format(platforms.Normalize(platform)) + "] "
	opts := append(b.Constraints("image"), llb.WithCustomName(name+"merge base and app"))
	if b.Caps.Supports(pb.CapMergeOp) == nil {
		return llb.Merge(append([]llb.State{base}, layers...), opts...)
	}
	opts = append(b.Constraints("image"), llb.WithCustomName(name+"copy app onto base"))
	st := base
	for _, layer := range layers {
		st = st.File(llb.Copy(layer, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &fileTime}), opts...)
	}
	return st
}

// copyContext copies the files of the context that match include, all if it is empty, and not exclude, onto st.
func (b *Builder) copyContext(phase string, st llb.State, what string, include, exclude []string) llb.State {
	return st.File(llb.Copy(b.Context, "/", "/", &llb.CopyInfo{
		CopyDirContentsOnly: true,
		IncludePatterns:     include,
		ExcludePatterns:     exclude,
		CreatedTime:         &fileTime,
	}), b.named(phase, "copy "+what)...)
}

// run executes args in the SDK. The root file system is scratch space: results leave through mounts.
func (b *Builder) run(phase, name string, args []string, opts ...llb.RunOption) llb.ExecState {
	opts = append(opts,
		llb.Args(args),
		llb.Dir(SourceDir),
		llb.AddEnv("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
		llb.AddEnv("DOTNET_NOLOGO", "1"),
		llb.AddEnv("DOTNET_GENERATE_ASPNET_CERTIFICATE", "false"),
		llb.AddEnv("NUGET_PACKAGES", packageDir),
		llb.WithCustomName("["+phase+"] "+name),
	)
	return b.SDK.Run(append(opts, b.Exec(phase)...)...)
}

func (b *Builder) named(phase, name string) []llb.ConstraintsOpt {
	return append(b.Constraints(phase), llb.WithCustomName("["+phase+"] "+name))
}

func msbuildFiles() (llb.State, error) {
	files, err := dotnet.MSBuildFiles()
	if err != nil {
		return llb.State{}, err
	}
	var action *llb.FileAction
	for _, f := range files {
		p := "/" + f.Name
		if action == nil {
			action = llb.Mkfile(p, 0o644, f.Data, llb.WithCreatedTime(fileTime))
		} else {
			action = action.Mkfile(p, 0o644, f.Data, llb.WithCreatedTime(fileTime))
		}
	}
	return llb.Scratch().File(action, llb.WithCustomName("["+PhaseDescribe+"] crosshull's MSBuild targets")), nil
}

// AppDir is the folder of the image that the app goes to: the SDK's ContainerWorkingDirectory, without the slash at
// its end.
func AppDir(app *dotnet.App) string {
	if app.WorkingDirectory == "" {
		return outputDir
	}
	return path.Clean("/" + strings.TrimPrefix(app.WorkingDirectory, "/"))
}
