package llb

import (
	"cmp"
	"context"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/util/system"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// The phases of the commands of the spec.
const (
	PhaseTools  = "tools"
	PhaseBefore = "before"
	PhaseAfter  = "after"
)

// Folders of the steps that run commands.
const (
	// PublishDir is $PUBLISH_DIR.
	PublishDir = "/publish"
	// toolsDir has the packages of local tools, which the SDK finds by absolute paths in a cache of its own.
	toolsDir     = "/dotnet-tools"
	toolCacheDir = ".dotnet/toolResolverCache"
	publishedDir = "/published"
)

// CommandLog is the file that a failed command leaves in [DiagnosticsDir]: the last lines that it printed.
const CommandLog = "command.log"

// maxCommandLog is how many bytes of its output a failed command leaves.
const maxCommandLog = 4 << 10

// runCommand runs a line of the spec as a step of a Dockerfile would. It keeps the end of the output, but only of a
// command that fails: what a step leaves in a mount is kept with the step. A process that the command leaves behind may
// hold the pipe open, so nothing waits longer than a second for it.
var runCommand = `log=` + DiagnosticsDir + `/` + CommandLog + `
mkfifo /tmp/.crosshull
tee "$log" < /tmp/.crosshull &
tee=$!
sh -c "$1" > /tmp/.crosshull 2>&1
code=$?
{ sleep 1; kill "$tee"; } 2> /dev/null &
wait "$tee"
tail -c ` + strconv.Itoa(maxCommandLog) + ` "$log" > "$log.end"
mv "$log.end" "$log"
if [ "$code" = 0 ]; then rm "$log"; fi
exit "$code"`

// Commands are commands of the spec, with what they run in.
type Commands struct {
	Run []Command
	// Cache begins the ids of their cache folders.
	Cache string
}

// Command is a command of the spec, with its variables.
type Command struct {
	spec.Command
	Env []dotnet.KeyValue
}

// Tool is an image with tools for commands.
type Tool struct {
	State llb.State
	// Path is the PATH of the image.
	Path  string
	Paths []string
}

// Equip gives an SDK that has the files of tools, for commands.
func (b *Steps) Equip(tools []Tool) (llb.State, error) {
	st := b.SDK
	for _, t := range tools {
		var action *llb.FileAction
		for _, p := range t.Paths {
			p = clean(p)
			action = action.Copy(t.State, p, p, &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true})
		}
		what := "copy tools " + strings.Join(t.Paths, " ")
		st = st.File(action, b.named(PhaseTools, what)...)
	}
	own, _, err := b.SDK.GetEnv(context.Background(), "PATH")
	if err != nil {
		return st, err
	}
	if all := ToolPath(own, tools); all != own {
		st = st.AddEnv("PATH", all)
	}
	return st, nil
}

// ToolPath is the PATH of an SDK with tools: own, which is that of the SDK, after the folders of the PATHs of images
// that have come with tools.
func ToolPath(own string, tools []Tool) string {
	if len(tools) == 0 {
		return own
	}
	var folders []string
	own = cmp.Or(own, system.DefaultPathEnvUnix) // as BuildKit has it for an image without a PATH
	known := strings.Split(own, ":")
	for _, t := range tools {
		for dir := range strings.SplitSeq(t.Path, ":") {
			in := func(p string) bool { return Within(clean(p), clean(dir)) }
			if path.IsAbs(dir) && slices.ContainsFunc(t.Paths, in) && !slices.Contains(known, dir) {
				folders, known = append(folders, dir), append(known, dir)
			}
		}
	}
	return strings.Join(append(folders, own), ":")
}

// Before runs commands in the sources, one after the other. It gives what they leave: the files that they had, with
// their changes. given are patterns of what they had of the context.
func (b *Steps) Before(commands Commands) (left llb.State, given Reads, err error) {
	tools, err := b.localTools(".")
	if err != nil {
		return llb.State{}, Reads{}, err
	}
	left = llb.Scratch()
	all := false // whether they had the context but for given.Exclude
	for i, c := range commands.Run {
		// A later command sees what earlier ones made of a file, so it must not get the file again.
		reads := b.CommandReads(c.Command)
		more := Reads{reads.Include, slices.Concat(reads.Exclude, given.Include)}
		switch everything := len(c.Inputs) > 0 && len(reads.Include) == 0; {
		case all && everything:
			more = Reads{Include: given.Exclude}
		case all:
			more = Reads{Include: covered(given.Exclude, reads.Include)}
		}
		if !all || len(more.Include) > 0 {
			left = b.copyContext(PhaseBefore, b.part("what commands read", more), left, "what commands read", more)
		}
		switch {
		case all:
			given.Exclude = without(given.Exclude, more.Include)
		case len(reads.Include) == 0:
			all = true
			given = Reads{Exclude: without(reads.Exclude, covered(reads.Exclude, given.Include))}
		default:
			given.Include = append(given.Include, reads.Include...)
		}
		left = b.command(PhaseBefore, i, commands, SourceDir, tools...).AddMount(SourceDir, left)
	}
	return left, given, nil
}

// covered gives what paths include of the files and folders that are excluded.
func covered(excluded, paths []string) []string {
	var all []string
	for _, p := range paths {
		for _, e := range excluded {
			switch {
			case Within(p, e):
				all = append(all, e)
			case Within(e, p):
				all = append(all, p)
			}
		}
	}
	return all
}

// without gives what is in all, and not in some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// CommandReads are what a command reads of the context: its inputs, or else everything but outputs of builds on the
// host and the files that are about the repository. A command is the author's own program, so it may read any file. But
// a build has to stay cached when somebody edits the README.
func (b *Steps) CommandReads(c spec.Command) Reads {
	var reads Reads
	for _, p := range c.Inputs {
		reads.Include = append(reads.Include, dotnet.Escape(path.Clean(p)))
	}
	if slices.Contains(reads.Include, ".") {
		reads.Include = nil
	}
	if len(c.Inputs) > 0 {
		return reads
	}
	for _, name := range b.Housekeeping.Doubtful() {
		reads.Exclude = append(reads.Exclude, dotnet.Escape(name))
	}
	reads.Exclude = append(reads.Exclude, dotnet.HostOutputs(b.Names)...)
	return reads
}

// AddRest adds to what commands left a part of the context that they did not have. The rest is added to it, and not the
// other way round, because it may be much less.
func AddRest(left, from llb.State, rest Reads) llb.State {
	if from.Output() == nil || len(rest.Include)+len(rest.Exclude) == 0 {
		return left
	}
	info := &llb.CopyInfo{
		CopyDirContentsOnly: true, IncludePatterns: rest.Include, ExcludePatterns: rest.Exclude, CreatedTime: &fileTime,
	}
	const name = "[" + PhaseBefore + "] add what commands did not read"
	return left.File(llb.Copy(from, "/", "/", info), llb.WithCustomName(name))
}

// After runs commands on what was published: a state of [Builder.Publish]. It gives a state of the same kind. A file
// that they leave as it is stays in its layer. What they make or change goes to [dotnet.LayerApp]. env has the
// variables that differ between platforms.
func (b *Builder) After(
	app *dotnet.App, restored Restored, published llb.State, commands Commands, env []dotnet.KeyValue,
) (llb.State, error) {
	tools, err := b.localTools(path.Dir(app.Path))
	if err != nil {
		return llb.State{}, err
	}
	var action *llb.FileAction
	for _, folder := range dotnet.PublishedFolders() {
		action = action.Copy(published, folder, "/", &llb.CopyInfo{
			CopyDirContentsOnly: true, AllowWildcard: true, AllowEmptyWildcard: true, CreatedTime: &fileTime,
		})
	}
	dir := llb.Scratch().File(action, b.named(PhaseAfter, "copy what was published")...)
	for i, c := range commands.Run {
		var sources llb.State
		if len(c.Inputs) > 0 {
			reads := b.CommandReads(c.Command)
			from := b.part("what commands read", reads)
			folder := llb.Mkdir(path.Join("/", path.Dir(app.Path)), 0o755, llb.WithParents(true), llb.WithCreatedTime(fileTime))
			sources = llb.Scratch().File(folder, b.named(PhaseAfter, "make the folder of the project")...)
			sources = b.copyContext(PhaseAfter, from, sources, "what commands read", reads)
		} else {
			sources = b.withSources(PhasePublish, restored, app.Closure, b.notSources(app.Closure))
		}
		opts := append(slices.Concat(tools, b.packagesOf(restored)),
			reads(SourceDir, sources),
			llb.AddEnv(spec.VarPublishDir, PublishDir))
		for _, kv := range env {
			opts = append(opts, llb.AddEnv(kv.Key, kv.Value))
		}
		in := path.Join(SourceDir, path.Dir(app.Path))
		dir = b.command(PhaseAfter, i, commands, in, opts...).AddMount(PublishDir, dir)
	}
	sort := b.run(PhaseAfter, b.SDK, "sort files into layers", dotnet.SortArgs(publishedDir, PublishDir, paths),
		reads(publishedDir, published),
		reads(PublishDir, dir),
		llb.Dir("/"))
	return sort.AddMount(outputDir, llb.Scratch()), nil
}

// command runs one of commands in a folder.
func (b *Steps) command(phase string, i int, commands Commands, dir string, opts ...llb.RunOption) llb.ExecState {
	c := commands.Run[i]
	opts = append(opts,
		llb.Dir(dir),
		// Another process must not go on with the files of a step that has ended.
		llb.AddEnv("MSBUILDDISABLENODEREUSE", "1"))
	for _, kv := range c.Env {
		opts = append(opts, llb.AddEnv(kv.Key, kv.Value))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Cache)) {
		opts = append(opts, llb.AddMount(clean(c.Cache[name]), llb.Scratch(),
			llb.AsPersistentCacheDir(commands.Cache+name, llb.CacheMountShared)))
	}
	return b.run(phase+" "+strconv.Itoa(i), b.equipped(), short(c.Run), shellArgs(c.Run), opts...)
}

// shellArgs is the command of a step that runs a line.
func shellArgs(line string) []string { return []string{"sh", "-c", runCommand, "sh", line} }

// equipped is what commands run in.
func (b *Steps) equipped() llb.State {
	if b.Equipped != nil {
		return *b.Equipped
	}
	return b.SDK
}

// maxCommandName is how much of a line names its step.
const maxCommandName = 80

// short is a line as the name of its step.
func short(line string) string {
	line = strings.Join(strings.Fields(line), " ")
	if r := []rune(line); len(r) > maxCommandName {
		return strings.TrimSpace(string(r[:maxCommandName])) + "…"
	}
	return line
}

// localTools restores the local tools that commands in a folder of the context find (dotnet-tools.json). Only this step
// gets the credentials of feeds.
func (b *Steps) localTools(folder string) ([]llb.RunOption, error) {
	manifest, files := dotnet.ToolManifest(b.Names, folder)
	if manifest == "" {
		return nil, nil
	}
	settings, opts, err := b.nuget(PhaseRestore)
	if err != nil {
		return nil, err
	}
	home, _, err := b.home(PhaseRestore)
	if err != nil {
		return nil, err
	}
	include := slices.Compact(slices.Sorted(slices.Values(append(files, b.RestoreInputs...))))
	of := Reads{Include: include}
	sources := b.copyContext(PhaseRestore, b.part("what restores tools", of), llb.Scratch(), "tool manifests", of)
	opts = append(opts,
		reads(SourceDir, sources),
		llb.Dir(path.Join(SourceDir, dotnet.ToolFolder(manifest))),
		llb.AddEnv("NUGET_PACKAGES", toolsDir))
	run := b.run(PhaseRestore, b.SDK, "dotnet tool restore",
		shellArgs(dotnet.ToolRestore(settings)), opts...)
	cache := path.Join(home, toolCacheDir)
	return []llb.RunOption{
		reads(toolsDir, run.AddMount(toolsDir, llb.Scratch())),
		reads(cache, run.AddMount(cache, llb.Scratch())),
	}, nil
}
