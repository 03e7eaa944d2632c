package llb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// slice is a part of the project graph, with the output of its compile.
type slice struct {
	dotnet.Slice
	// built is what the compile added to the folder of the context: bin and obj of its projects.
	built llb.State
	// standIns is what other slices are compiled against: reference assemblies. Each one is at its own path, and at the
	// path of the assembly that it stands for.
	standIns llb.State
}

// compile makes a vertex for every slice of apps. Its inputs are the sources of the projects of the slice, what restore
// left for them and for the projects that they reference, and the reference assemblies of the latter. nodes are the
// projects of all apps.
func (b *Builder) compile(apps []*dotnet.App, nodes []dotnet.Node, restored Restored) ([]slice, error) {
	all := dotnet.Slices(apps)
	out := make([]slice, len(all))
	exclude := b.notSources(nodes)
	for i, s := range all {
		seen := s.Projects
		for _, j := range s.Needs {
			seen = append(seen[:len(seen):len(seen)], all[j].Projects...)
		}
		files, err := msbuildFiles(PhasePublish, append(apps[0].ResponseFiles(paths),
			dotnet.File{Name: dotnet.SliceFile, Data: dotnet.SliceItems(s, paths)},
			dotnet.File{Name: dotnet.BuiltFile, Data: dotnet.Built(seen[len(s.Projects):], SourceDir)})...)
		if err != nil {
			return nil, err
		}
		names := some(dotnet.ProjectPaths(s.Projects))
		shown := group(PhasePublish, "dotnet build "+names)
		mounts := append(b.packagesOf(restored), shown, reads(msbuildDir, files))
		for _, j := range s.Needs {
			mounts = append(mounts, reads(dotnet.StandInFolder(j, paths), out[j].standIns))
		}
		sources := b.projects(restored.Tree, s, dotnet.Unseen(nodes, seen), exclude, shown)
		run := b.run(PhasePublish, b.SDK, "dotnet build "+names, dotnet.CompileArgs(b.Project, apps[0], paths), mounts...)
		out[i] = slice{
			Slice: s,
			built: llb.Diff(
				sources,
				run.AddMount(SourceDir, sources),
				append(b.named(PhasePublish, "output of "+names), shown)...),
			standIns: run.AddMount(outputDir, llb.Scratch()),
		}
	}
	return out, nil
}

// some lists projects for the name of a vertex. Of a long list, it gives the first ones and says how many more there
// are.
func some(projects []string) string {
	const all, first = 5, 3
	if len(projects) <= all {
		return strings.Join(projects, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(projects[:first], " "), len(projects)-first)
}

// projects is the folder that a slice is compiled in, without the assemblies that it references. It has the sources of
// the slice, and the project files and obj of the projects that the slice sees. A change of another project file does
// not compile the slice again. unseen are patterns of what the folder does not get of tree, exclude of what it does not
// get of the context.
func (b *Builder) projects(
	tree llb.State, s dotnet.Slice, unseen, exclude []string, shown llb.ConstraintsOpt,
) llb.State {
	action := llb.Copy(tree, "/", "/", b.contextInfo(Reads{nil, unseen}))
	action = b.copySources(action, s.Projects, Reads{b.sources(s.Projects), exclude})
	action = b.copyWritten(action, tree, s.Projects, unseen)
	return llb.Scratch().File(action,
		append(b.named(PhasePublish, "copy sources of "+some(dotnet.ProjectPaths(s.Projects))), shown)...)
}

// group makes the progress show vertices as one with this name: no user needs to see the copies before and after a
// command.
func group(phase, name string) llb.ConstraintsOpt {
	name = "[" + phase + "] " + name
	return llb.ProgressGroup(digest.FromString(name).String(), name, false)
}

// Compiled are the slices that app is built from.
func (r Restored) Compiled(app *dotnet.App) []Compiled {
	var all []Compiled
	for _, s := range r.slices {
		if s.Uses(app) {
			all = append(all, Compiled{dotnet.ProjectPaths(s.Projects), s.built})
		}
	}
	return all
}

// Compiled is a slice that has been compiled.
type Compiled struct {
	Projects []string
	Output   llb.State // bin and obj of the projects, in their places in the context
}

// left counts the projects of app that no slice compiles.
func (r Restored) left(app *dotnet.App) int {
	n := 0
	for _, node := range app.Closure {
		if !slices.ContainsFunc(r.slices, func(s slice) bool { return s.Has(node) }) {
			n++
		}
	}
	return n
}

// workspace gives the folder that app is built in, with the output of the slices that app uses. files are the MSBuild
// files, which name the projects of those slices.
func (b *Builder) workspace(phase string, app *dotnet.App, restored Restored) (sources, files llb.State, err error) {
	var built []dotnet.Node
	var merge []llb.State
	for _, s := range restored.slices {
		if s.Uses(app) {
			built = append(built, s.Projects...)
			merge = append(merge, s.built)
		}
	}
	exclude := append(dotnet.CompiledSources(app.Closure, built, b.Inputs), b.notSources(app.Closure)...)
	sources = b.withSources(phase, restored, app.Closure, exclude)
	if len(merge) == 0 {
		files, err = msbuildFiles(phase, app.ResponseFiles(paths)...)
		return sources, files, err
	}
	sources = llb.Merge(append([]llb.State{sources}, merge...), b.named(phase, "sources and compiled libraries")...)
	files, err = msbuildFiles(phase, append(app.ResponseFiles(paths),
		dotnet.File{Name: dotnet.BuiltFile, Data: dotnet.Built(built, SourceDir)})...)
	return sources, files, err
}
