package llb

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// SourceDir is where the build container has the build context.
const SourceDir = "/source"

// Other folders of the build container. The compiler writes their paths into its output, like SourceDir, so they must
// never change.
const (
	packageDir    = "/nuget"
	msbuildDir    = "/crosshull"
	outputDir     = "/app"
	assetsDir     = "/assets"
	standInDir    = "/standins"
	describedFile = "/described"
	sourcesDir    = "/sources"
	evaluatorDir  = "/evaluator"
	contentsDir   = "/contents"
	restoredDir   = "/restored"
)

// DiagnosticsDir is where a failed step has [dotnet.DiagnosticsFile]: in a separate mount, which is no output.
// OutputDir is where it has the output that it made before it failed.
const (
	DiagnosticsDir = "/diagnostics"
	OutputDir      = outputDir
)

var paths = dotnet.Paths{
	Source:      SourceDir,
	MSBuild:     msbuildDir,
	Output:      outputDir,
	Assets:      assetsDir,
	StandIns:    standInDir,
	Diagnostics: DiagnosticsDir,
	Sources:     sourcesDir,
	Evaluator:   evaluatorDir,
	Contents:    contentsDir,
	Restored:    restoredDir,
}

// The phases of a build, which names of vertices begin with.
const (
	PhaseDescribe = "describe"
	PhaseRestore  = "restore"
	PhasePublish  = "publish"
	PhasePackages = "packages"
	PhaseImage    = "image"
)

// Phases are the names that `--no-cache-filter` takes.
var Phases = []string{
	PhaseTools, PhaseBefore, PhaseDescribe, PhaseRestore, PhasePublish, PhaseAfter, PhaseTest, PhasePackages, PhaseImage,
}

// PhaseFiles is the part of PhaseImage that comes from another key of the spec: files.
const PhaseFiles = "image files"

// fileTime is the time of every file that goes into a build or an image: the result must not depend on the time of the
// build. A zip archive can hold no earlier time, so tools that make packages accept this one.
var fileTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// earlierTime is that of files that have to be older than others: see [dotnet.Earlier].
var earlierTime = fileTime.AddDate(0, 0, -1)

// Options are what the daemon can do, and what the user's flags say of every vertex.
type Options struct {
	// Caps are the capabilities of the BuildKit that will run the graph.
	Caps apicaps.CapSet
	// BuildRID is the runtime identifier of the build platform.
	BuildRID string
	// Exec gives the options of the execs of a phase: what buildx's flags say about them, and their place in the spec. The
	// index of a command of the spec follows its phase, as in "before 0".
	Exec func(phase string) []llb.RunOption
	// Constraints are for every other vertex of a phase.
	Constraints func(phase string) []llb.ConstraintsOpt
}

// Sources are the build context, and what is known of it by the names of its files.
type Sources struct {
	// Context is the build context, .dockerignore applied.
	Context llb.State
	// Part gives a part of Context with at least what reads match, so that the client need not send the rest. what is the
	// name of the part: parts of one name have nearly the same files from build to build. Part is nil if BuildKit has all
	// of Context.
	Part func(what string, reads ...Reads) llb.State
	// Exclude are patterns of what no step gets of Context. A local context does not have these files. One that BuildKit
	// fetches, from git or as an archive, has them, because such a source takes no patterns.
	Exclude []string
	// Names are all names of Context, sorted by path.
	Names []dotnet.Name
	// Settings are the files of Context that a restore may read because of their names.
	Settings dotnet.Settings
	// PackageFolders are folders of Context with packages that are unpacked already: see [dotnet.PackageFolders].
	PackageFolders []string
	// PackagesIn are folders that Context does not have, where a build finds its packages, too: see [dotnet.PackagesIn].
	PackagesIn []string
	// Links are the symbolic links of Context.
	Links dotnet.Links
	// Assets are the static web assets of Context.
	Assets dotnet.Assets
	// RestoreInputs are patterns of what restore reads, beyond what belongs to the projects of the closure.
	RestoreInputs []string
	// Housekeeping are the files of Context that are rarely sources.
	Housekeeping dotnet.Housekeeping
}

// Reads are patterns of what a step copies from the context: all that matches Include, or all if it is empty, and does
// not match Exclude.
type Reads struct{ Include, Exclude []string }

// part gives a part of the context with at least what reads match.
func (s Sources) part(what string, reads ...Reads) llb.State {
	if s.Part == nil {
		return s.Context
	}
	return s.Part(what, reads...)
}

// Steps makes the vertices that do not depend on MSBuild's answers: those that ask it, and those that run before that
// or beside it.
type Steps struct {
	Options
	Sources
	// SDK is the image of the SDK, for the build platform, with the environment of its configuration.
	SDK llb.State
	// SDKVersion is the version of SDK; empty if it is not known.
	SDKVersion string
	// Compiled are the programs that came with the frontend; nil if it has none.
	Compiled *dotnet.Compiled
	// Folder is the folder of the context that commands run in: the SDK looks for global.json from there upwards.
	Folder string
	// NuGet is what the spec says of packages.
	NuGet spec.NuGet
	// Equipped is SDK with the tools that the spec names, for commands; nil if there are none.
	Equipped *llb.State
}

// Builder makes the vertices of an app and of its tests. Equal Builders make equal vertices.
type Builder struct {
	Steps
	// Project is what the spec says of the project.
	Project dotnet.Project
	// Built are the apps and tests whose sources the steps take from the context. If there are none, they take all of it.
	Built []*dotnet.App
	// Inputs are files and folders of the context that publish reads, beyond what MSBuild says.
	Inputs []string
	// Toolchain is the image that publishes for AOT, which has a linker. If it is nil, SDK publishes.
	Toolchain *llb.State
	// Outputs are folders of the context that builds on the host left, beside those that are excluded by their names.
	Outputs []string
	// Described is the state that Describe made; nil if MSBuild was not asked.
	Described *llb.State
}

// Describe asks MSBuild about projects that have the configuration and the properties of common. It gives a state with
// [dotnet.DescriptionFile] and [dotnet.DescribedFile] in its root. The step succeeds even if MSBuild cannot evaluate a
// project, so that BuildKit caches that answer too. Its inputs are all names of the context, and the contents of
// project files and of the files in contents, which MSBuild has asked for. So it stays cached if only sources change.
// If restored is not nil, the projects also import the files of their packages.
func (b *Steps) Describe(
	common dotnet.Project, asked []dotnet.Project, files dotnet.Files, contents []string, restored *Restored,
) (llb.State, error) {
	if err := dotnet.CheckQuestions(asked, files); err != nil {
		return llb.State{}, err
	}
	request, err := dotnet.Request(common, asked, b.Folder, b.Housekeeping.Doubtful(), paths)
	if err != nil {
		return llb.State{}, err
	}
	laid, err := dotnet.Names(b.Names)
	if err != nil {
		return llb.State{}, err
	}
	targets, err := msbuildFiles(PhaseDescribe,
		dotnet.File{Name: dotnet.RequestFile, Data: request},
		dotnet.File{Name: dotnet.NamesFile, Data: laid})
	if err != nil {
		return llb.State{}, err
	}
	program, err := b.program(PhaseDescribe, dotnet.Evaluator, "the program that asks MSBuild")
	if err != nil {
		return llb.State{}, err
	}
	var names []string
	for _, p := range asked {
		names = append(names, cmp.Or(p.Chosen, p.Path, "projects"))
	}
	_, opts, err := b.nuget(PhaseDescribe)
	if err != nil {
		return llb.State{}, err
	}
	opts = append(opts,
		reads(msbuildDir, targets),
		reads(evaluatorDir, program),
		reads(contentsDir, b.projectFiles(contents)),
		llb.AddMount(SourceDir, llb.Scratch(), llb.Tmpfs()),
		llb.Dir("/"), // or BuildKit would make folders of root in the tmpfs that the program writes into
	)
	what, args := "dotnet msbuild -t:ComputeContainerConfig "+strings.Join(names, " "), dotnet.EvaluateArgs(paths)
	if restored == nil {
		opts = append(opts, llb.AddEnv("NUGET_PACKAGES", "/tmp"+packageDir))
	} else {
		what, args = "what packages of "+some(names)+" read", dotnet.EvaluateAgainArgs(paths)
		opts = append(opts, reads(restoredDir, restored.Tree), reads(packageDir, restored.packages))
	}
	return b.run(PhaseDescribe, b.SDK, what, args, opts...).AddMount(outputDir, llb.Scratch()), nil
}

// program gives a program of crosshull's for a step of a phase: compiled already, or by the SDK. what it is stands in
// the name of the step that compiles it.
func (b *Steps) program(phase string, p dotnet.Program, what string) (llb.State, error) {
	const own = "crosshull's program"
	compiled, err := b.Compiled.Files(p, b.SDKVersion)
	if err != nil {
		return llb.State{}, err
	}
	if len(compiled) > 0 {
		return made(compiled, b.named(phase, own)...), nil
	}
	files, err := p.Files()
	if err != nil {
		return llb.State{}, err
	}
	name := "compile " + what
	shown := group(phase, name)
	run := b.run(phase, b.SDK, name, p.CompileArgs(paths), shown,
		reads(sourcesDir, made(files, append(b.named(phase, own), shown)...)))
	config := made([]dotnet.File{p.Config()},
		append(b.named(phase, "runtime configuration of crosshull's program"), shown)...)
	return run.AddMount(outputDir, config), nil
}

// Anew gives steps that run even if the cache has their results.
func (b Steps) Anew() Steps {
	exec := b.Exec
	b.Exec = func(phase string) []llb.RunOption { return append(exec(phase), llb.IgnoreCache) }
	return b
}

// projectFiles gives the project files of the context, and its files with names.
func (b *Steps) projectFiles(names []string) llb.State {
	include := append(dotnet.ProjectFiles(), b.Links.ProjectFiles()...)
	for _, name := range names {
		include = append(include, dotnet.Escape(name))
	}
	reads := Reads{include, dotnet.AnyOutputs()}
	if slices.ContainsFunc(names, dotnet.InOutputs) { // bin or obj, but no output folder
		reads.Exclude = nil
	}
	return b.copyContext(PhaseDescribe, b.part("project files", reads), llb.Scratch(), "project files", reads)
}

// Restored is what a restore leaves, and the slices that are compiled apart.
type Restored struct {
	Tree     llb.State // the project files, with obj beside each
	packages llb.State
	slices   []slice
}

// Restore gets the packages of the closures of apps of one mode, for all runtime identifiers that will be published at
// once.
func (b *Builder) Restore(apps []*dotnet.App, rids []string) (Restored, error) {
	settings, opts, err := b.nuget(PhaseRestore)
	if err != nil {
		return Restored{}, err
	}
	var nodes []dotnet.Node
	var names []string
	for _, app := range apps {
		if err := app.CheckPaths(b.Assets.Has(app)); err != nil {
			return Restored{}, err
		}
		nodes = append(nodes, app.Closure...)
		names = append(names, app.Path)
	}
	var own []dotnet.File // files of crosshull that the restore reads
	if dotnet.RestoreNeedsFiles(apps, rids) {
		if own, err = dotnet.MSBuildFiles(); err != nil {
			return Restored{}, err
		}
	}
	what := "crosshull's MSBuild targets"
	if len(apps) > 1 {
		own = append(own, dotnet.File{Name: dotnet.SolutionFile, Data: dotnet.Solution(names, SourceDir)})
		own = append(own, apps[0].ResponseFiles(paths)...)
		what = "solution of " + strings.Join(names, " ")
	}
	if len(own) > 0 {
		opts = append(opts, reads(msbuildDir, made(own, b.named(PhaseRestore, what)...)))
	}
	include := dotnet.RestoreFiles(nodes, b.Settings)
	if len(include) > 0 {
		include = append(include, b.RestoreInputs...)
		slices.Sort(include)
	}
	reads := Reads{slices.Compact(include), b.outputs(nodes)}
	from := b.part("what restores "+some(names), reads)
	projects := b.folders(PhaseRestore, nodes,
		b.copyContext(PhaseRestore, from, llb.Scratch(), "project files", reads))
	if len(b.PackageFolders) > 0 {
		var dirs []string
		for _, dir := range b.PackageFolders {
			dirs = append(dirs, path.Join(SourceDir, dir))
		}
		opts = append(opts, llb.AddEnv("NUGET_FALLBACK_PACKAGES", strings.Join(dirs, ";")))
	}
	args := append(dotnet.RestoreArgs(b.Project, apps, rids, paths), settings.Args()...)
	restore := b.run(PhaseRestore, b.SDK, "dotnet restore "+strings.Join(names, " "), args, opts...)
	restored := Restored{
		Tree:     restore.AddMount(SourceDir, projects),
		packages: restore.AddMount(packageDir, llb.Scratch()),
	}
	if b.Caps.Supports(pb.CapMergeOp) == nil && b.Caps.Supports(pb.CapDiffOp) == nil {
		restored.slices, err = b.compile(apps, nodes, restored)
	}
	return restored, err
}

// Publish compiles and publishes app, for a runtime identifier unless rid is empty. It gives a state with a folder for
// every layer, see [dotnet.Layers], and with [dotnet.ReportFile], which lists the folders. The report is in the same
// state because a cache in a registry has only the graph of the image: if the report were apart, a new builder would
// have to publish again to get it. With [dotnet.CompressBeside], [dotnet.LayerAssets] is not complete:
// [Builder.StaticAssets] makes the whole of it.
func (b *Builder) Publish(
	app *dotnet.App,
	restored Restored,
	rid string,
	compression dotnet.Compression,
) (llb.State, error) {
	name := "dotnet publish " + app.Path
	if rid != "" {
		name += " -r " + rid
	}
	from := b.SDK
	if b.Toolchain != nil {
		from = *b.Toolchain
	}
	sources, files, err := b.workspace(PhasePublish, app, restored)
	if err != nil {
		return llb.State{}, err
	}
	mounts := []llb.RunOption{
		reads(SourceDir, sources),
		reads(msbuildDir, files),
	}
	mounts = append(mounts, b.packagesOf(restored)...)
	if b.Described != nil {
		// A cache in a registry has only the graph of the image. Without this mount, Described would be no part of that, and
		// a new builder would have to ask MSBuild again.
		mounts = append(mounts, reads(describedFile, *b.Described, llb.SourcePath(dotnet.DescribedFile)))
	}
	if compression == dotnet.CompressBefore {
		assets, err := b.StaticAssets(app, restored)
		if err != nil {
			return llb.State{}, err
		}
		mounts = append(mounts, reads(assetsDir, assets))
	}
	if restored.left(app) == 1 {
		// The compiler's server is a second process. It pays off from the second project on.
		mounts = append(mounts, llb.AddEnv("UseSharedCompilation", "false"))
	}
	publish := b.run(
		PhasePublish,
		from,
		name,
		dotnet.PublishArgs(b.Project, app, rid, b.BuildRID, compression, paths),
		mounts...)
	return publish.AddMount(outputDir, llb.Scratch()), nil
}

// StaticAssets makes the static web assets of app, compressed ones included: [dotnet.LayerAssets] of a publish, and
// [dotnet.ReportFile]. They are the same for all platforms.
func (b *Builder) StaticAssets(app *dotnet.App, restored Restored) (llb.State, error) {
	files, err := msbuildFiles(PhasePublish, app.ResponseFiles(paths)...)
	if err != nil {
		return llb.State{}, err
	}
	action := llb.Copy(b.sourceTree(), "/", "/", b.contextInfo(b.assets(app)))
	sources := restored.Tree.File(b.copyWritten(action, restored.Tree, app.Closure, nil),
		b.named(PhasePublish, "copy static assets")...)
	run := b.run(PhasePublish, b.SDK, "compress static assets of "+app.Path, dotnet.CompressArgs(b.Project, app, paths),
		append(b.packagesOf(restored), reads(SourceDir, sources), reads(msbuildDir, files))...)
	return run.AddMount(outputDir, llb.Scratch()), nil
}

// assets are what the static web assets of app are made from.
func (b *Builder) assets(app *dotnet.App) Reads {
	return Reads{b.Assets.Files(app.Closure), b.outputs(app.Closure)}
}

// SourceReads are what the steps that compile read of the context, for all apps and tests of [Builder.Built]. Steps
// may leave out more of it.
func (b *Builder) SourceReads() []Reads {
	var reads []Reads
	for _, app := range b.Built {
		reads = append(reads, Reads{b.sources(app.Closure), b.outputs(app.Closure)}, b.assets(app))
	}
	return reads
}

// SourcePart is the name of the part of the context that the steps that compile read.
func (b *Builder) SourcePart() string {
	var names []string
	for _, app := range b.Built {
		names = append(names, app.Path)
	}
	return "sources of " + some(names)
}

// sourceTree is the part of the context that the steps that compile read. All of these steps share it, because the
// client walks the context once for each part, and the builder stores each part.
func (b *Builder) sourceTree() llb.State {
	if len(b.Built) == 0 {
		return b.Context
	}
	return b.part(b.SourcePart(), b.SourceReads()...)
}

// sources are patterns of what projects are built from; nil for all files.
func (b *Builder) sources(nodes []dotnet.Node) []string {
	patterns := dotnet.PublishFiles(nodes)
	if len(patterns) > 0 {
		for _, p := range b.Inputs {
			patterns = append(patterns, dotnet.Escape(p))
		}
		if b.Housekeeping.Git { // the compiler writes the commit into assemblies (Microsoft.Build.Tasks.Git)
			patterns = append(patterns, dotnet.GitAbove(nodes)...)
		}
	}
	return patterns
}

// outputs are patterns of what builds on the host left.
func (b *Builder) outputs(nodes []dotnet.Node) []string {
	patterns := dotnet.Outputs(nodes)
	for _, dir := range b.Outputs {
		patterns = append(patterns, dotnet.Escape(dir))
	}
	return patterns
}

// folders makes the folders that have to exist for projects, although they read nothing in them.
func (b *Builder) folders(phase string, nodes []dotnet.Node, st llb.State) llb.State {
	var action *llb.FileAction
	for _, dir := range dotnet.Folders(nodes) {
		action = action.Mkdir("/"+dir, 0o755, llb.WithParents(true), llb.WithCreatedTime(fileTime))
	}
	if action == nil {
		return st
	}
	return st.File(action, b.named(phase, "make folders that projects look for")...)
}

// notSources are patterns of what [Builder.sources] match, but no project is built from: outputs and housekeeping.
func (b *Builder) notSources(nodes []dotnet.Node) []string {
	return append(b.outputs(nodes), b.Housekeeping.Idle(nodes, b.Links, b.Project, b.Inputs)...)
}

// AppHosts makes the launchers of app for runtime identifiers: a state with a folder for each. They depend on no
// source, so an edit of a source does not make them again.
func (b *Builder) AppHosts(app *dotnet.App, restored Restored, rids []string) (llb.State, error) {
	files, err := msbuildFiles(PhasePublish, app.ResponseFiles(paths)...)
	if err != nil {
		return llb.State{}, err
	}
	run := b.run(
		PhasePublish,
		b.SDK,
		"apphost for "+strings.Join(rids, ", "),
		dotnet.AppHostArgs(b.Project, app, rids, paths),
		reads(SourceDir, restored.Tree),
		reads(packageDir, restored.packages),
		reads(msbuildDir, files),
	)
	return run.AddMount(outputDir, llb.Scratch()), nil
}

// Layer makes a layer of an image from folders of published files. The files go to folder dir of the image. Root owns
// them, nobody else can write to them, and all have the same time. A file stays executable if it was. edit is what the
// spec changes of them. If asked is not nil, the layer depends on it.
func (b *Builder) Layer(
	name string, published llb.State, asked *llb.State, dir string, edit Edit, folders ...string,
) llb.State {
	var action *llb.FileAction
	if asked != nil {
		// This copies nothing, but makes asked part of the graph of the image, which is all that a cache in a registry has.
		nothing := &llb.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true, CreatedTime: &fileTime}
		action = action.Copy(*asked, "/nothing*", "/", nothing)
	}
	for _, folder := range folders {
		info := &llb.CopyInfo{
			CopyDirContentsOnly: true,
			CreateDestPath:      true,
			CreatedTime:         &fileTime,
			ExcludePatterns:     slices.Concat(dotnet.NotShipped(), edit.removed(dir)),
			ChownOpt:            &llb.ChownOpt{User: &llb.UserOpt{UID: 0}, Group: &llb.UserOpt{UID: 0}},
			Mode:                b.readable(),
		}
		action = action.Copy(published, "/"+folder, dir, info)
	}
	st := llb.Scratch().File(action, b.named(PhasePublish, "copy "+name+" to "+dir)...)
	return b.changed(name, st, edit)
}

// readable is the mode of files in an image: for everybody to read, for the owner to write, executable where they
// were. It is nil for a BuildKit older than 0.17, which takes a symbolic mode for 000. Then files keep their modes from
// publish, which are nearly the same. There is no capability for symbolic modes (BuildKit never registers
// file.copy.modestring), so we ask for one that came in the same version.
func (b *Steps) readable() *llb.ChmodOpt {
	if b.Caps.Supports(pb.CapGCFreeSpaceFilter) != nil {
		return nil
	}
	return &llb.ChmodOpt{ModeStr: "u=rwX,go=rX"}
}

// copyContext copies what a step reads of the context, or of a part of it, onto st.
func (b *Steps) copyContext(phase string, from, st llb.State, what string, reads Reads) llb.State {
	return st.File(llb.Copy(from, "/", "/", b.contextInfo(reads)), b.named(phase, "copy "+what)...)
}

// contextInfo is how files of the context are copied.
func (b *Steps) contextInfo(reads Reads) *llb.CopyInfo {
	return &llb.CopyInfo{
		CopyDirContentsOnly: true,
		IncludePatterns:     reads.Include,
		ExcludePatterns:     slices.Concat(reads.Exclude, b.Exclude),
		CreatedTime:         &fileTime,
	}
}

// copySources copies what is read of the sources of projects.
func (b *Builder) copySources(action *llb.FileAction, nodes []dotnet.Node, reads Reads) *llb.FileAction {
	action = action.Copy(b.sourceTree(), "/", "/", b.contextInfo(reads))
	if earlier := dotnet.Earlier(nodes); len(earlier) > 0 {
		info := b.contextInfo(Reads{earlier, reads.Exclude})
		info.CreatedTime = &earlierTime
		action = action.Copy(b.sourceTree(), "/", "/", info)
	}
	return action
}

// copyWritten copies what a restore left over the sources of projects, if targets of their own run in a restore. Such
// targets may write files that the context has, too, and a build then has what they wrote. unseen are patterns of what
// is not copied.
func (b *Builder) copyWritten(
	action *llb.FileAction, restored llb.State, nodes []dotnet.Node, unseen []string,
) *llb.FileAction {
	if !dotnet.RunInRestore(nodes) {
		return action
	}
	return action.Copy(restored, "/", "/", b.contextInfo(Reads{nil, unseen}))
}

// withSources is what a restore left, with the sources of projects. exclude are patterns of what they do not get of the
// context.
func (b *Builder) withSources(phase string, restored Restored, nodes []dotnet.Node, exclude []string) llb.State {
	action := b.copySources(nil, nodes, Reads{b.sources(nodes), exclude})
	return restored.Tree.File(b.copyWritten(action, restored.Tree, nodes, nil), b.named(phase, "copy sources")...)
}

// packagesOf mounts the packages that a restore got, also where a nuget.config of the context wants them.
func (b *Steps) packagesOf(restored Restored) []llb.RunOption {
	opts := []llb.RunOption{reads(packageDir, restored.packages)}
	for _, dir := range b.PackagesIn {
		opts = append(opts, reads(path.Join(SourceDir, dir), restored.packages))
	}
	return opts
}

// ShortRun sets up .NET for programs that end within seconds, such as MSBuild and the compiler. It turns off what pays
// off after hours. These programs then take up to a third less processor time, and make the same.
func ShortRun() []llb.RunOption {
	return []llb.RunOption{
		// Do not count how often code runs.
		llb.AddEnv("DOTNET_TieredPGO", "0"),
		// Wait longer until code is compiled again to run faster: until no new code came for 1000 ms, not for 100 ms. Most
		// code has run for the last time by then. The runtime reads numbers as hexadecimal ones.
		llb.AddEnv("DOTNET_TC_CallCountingDelayMs", "3E8"),
		// Do not map compiled code twice, once to write it and once to run it. That guards a program against its own holes,
		// and a build runs what its repository has in any case.
		llb.AddEnv("DOTNET_EnableWriteXorExecute", "0"),
		// Do not download the news about workloads (advertising manifests) beside the build. The SDK keeps them for its next
		// command, and no step has what another one kept.
		llb.AddEnv("DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE", "true"),
	}
}

// run executes args in an image that has the SDK. The root file system is scratch space: results leave through mounts.
func (b *Steps) run(phase string, from llb.State, name string, args []string, opts ...llb.RunOption) llb.ExecState {
	if phase != PhaseTest { // which runs the user's own code, as it runs elsewhere
		opts = append(opts, ShortRun()...)
	}
	opts = append([]llb.RunOption{
		llb.Dir(path.Join(SourceDir, b.Folder)),
		llb.AddEnv("NUGET_PACKAGES", packageDir),
		// If projects have files for the same place, the last one counts. MSBuild would leave out its copy if size and time
		// are those of the file that is there, and all files have the same time here (task Copy, SkipUnchangedFiles).
		llb.AddEnv("SkipCopyUnchangedFiles", "false"),
	}, opts...)
	shown, _, _ := strings.Cut(phase, " ")
	opts = append(opts,
		llb.Args(args),
		llb.AddEnv("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
		llb.AddEnv("DOTNET_NOLOGO", "1"),
		llb.AddEnv("DOTNET_GENERATE_ASPNET_CERTIFICATE", "false"),
		llb.WithCustomName("["+shown+"] "+name),
	)
	run := from.Run(append(opts, b.Exec(phase)...)...)
	run.AddMount(DiagnosticsDir, llb.Scratch())
	return run
}

// reads mounts what a step reads. The mount is not read-only: the step can write, and its changes are dropped. If two
// steps with the same read-only mount fail at the same time, BuildKit loses the error of one (frontend/gateway,
// registerResultIDsLocked).
func reads(dir string, st llb.State, opts ...llb.MountOption) llb.RunOption {
	return llb.AddMount(dir, st, append(opts, llb.ForceNoOutput)...)
}

func (b *Steps) named(phase, name string) []llb.ConstraintsOpt {
	return append(b.Constraints(phase), llb.WithCustomName("["+phase+"] "+name))
}

// msbuildFiles is a folder with crosshull's targets, and with what is made for a run of MSBuild.
func msbuildFiles(phase string, more ...dotnet.File) (llb.State, error) {
	files, err := dotnet.MSBuildFiles()
	if err != nil {
		return llb.State{}, err
	}
	return made(append(files, more...), llb.WithCustomName("["+phase+"] crosshull's MSBuild targets")), nil
}

// made is a folder with files that crosshull makes.
func made(files []dotnet.File, opts ...llb.ConstraintsOpt) llb.State {
	var action *llb.FileAction
	for _, f := range files {
		if dir := path.Dir("/" + f.Name); dir != "/" {
			action = action.Mkdir(dir, 0o755, llb.WithParents(true), llb.WithCreatedTime(fileTime))
		}
		action = action.Mkfile("/"+f.Name, 0o644, f.Data, llb.WithCreatedTime(fileTime))
	}
	return llb.Scratch().File(action, opts...)
}

// AppDir is the folder of the image that the app goes to: the SDK's ContainerWorkingDirectory, without the slash at
// its end.
func AppDir(app *dotnet.App) string {
	if app.WorkingDirectory == "" {
		return outputDir
	}
	return path.Clean("/" + strings.TrimPrefix(app.WorkingDirectory, "/"))
}
