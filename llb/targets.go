package llb

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/spec"
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
		reads(SourceDir, sources),
		reads(packageDir, restored.packages),
		reads(msbuildDir, files))
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
	reads := Reads{b.sources(app.Closure), b.notSources(app.Closure)}
	sources := restored.Tree.File(b.copySources(nil, app.Closure, reads), b.named(PhasePublish, "copy sources")...)
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}
	return b.SDK.
		File(llb.Copy(sources, "/", SourceDir, info), b.named(PhasePublish, "copy sources to "+SourceDir)...).
		File(llb.Copy(restored.packages, "/", packageDir, info), b.named(PhasePublish, "copy packages to "+packageDir)...)
}

// WorkspaceEnv is the environment that commands in a workspace need.
var WorkspaceEnv = map[string]string{"NUGET_PACKAGES": packageDir}

// Convert makes a project of a file-based app. It gives the context with a new folder beside the file, which has the
// name of the file without .cs.
func (b *Steps) Convert(file string) llb.State {
	into := strings.TrimSuffix(file, path.Ext(file))
	run := b.run(PhaseDescribe, b.SDK, "dotnet project convert "+file, []string{
		"dotnet", "project", "convert", path.Join(SourceDir, file), "--output", path.Join(SourceDir, into),
	})
	return run.AddMount(SourceDir, b.Context)
}

// Files is a layer with the files of the spec, in the places that [Look] found. user is the user of the image, contexts
// are the named contexts.
func (b *Builder) Files(
	files []spec.File, user string, contexts map[string]llb.State, ground Ground,
) (layer Layer, err error) {
	var action *llb.FileAction // one action for all: each step would make a layer
	taken := false
	from := b.Context
	if reads := FileReads(files); len(reads.Include) > 0 {
		from = b.part(FilePart, reads)
	}
	for _, f := range files {
		spot := ground.at(f.To)
		taken = taken || spot.Taken
		if spot.App != "" { // or it would get the mode and owner of the entry
			action = action.Mkdir(spot.App, 0o755, llb.WithParents(true), llb.WithCreatedTime(fileTime))
		}
		if action, err = b.file(action, f, spot, user, from, contexts); err != nil {
			return Layer{}, err
		}
	}
	for _, p := range changed(files, ground) {
		action = touch(action, p)
	}
	layer = Layer{phase: PhaseFiles, name: "files"}
	if taken {
		layer.copy = action
		return layer, nil
	}
	name := llb.WithCustomName("[image] add files")
	layer.State = llb.Scratch().File(action, append(b.Constraints(PhaseFiles), name)...)
	return layer, nil
}

// FilePart is the name of the part of the context that has the files of the spec.
const FilePart = "files of the image"

// ReadOf limits what the client sends of a named context, if that is a folder of the user's machine: it sends only what
// files of the spec take from it.
func ReadOf(context string, files []spec.File) []llb.LocalOption {
	var paths []string
	for _, f := range files {
		if f.Context != context {
			continue
		}
		if from := path.Clean(f.From); f.From != "" && from != "." && !strings.ContainsAny(from, `*?[\`) {
			paths = append(paths, from)
		} else {
			return nil
		}
	}
	return []llb.LocalOption{llb.FollowPaths(paths)}
}

// FileReads are what files of the spec read of the context.
func FileReads(files []spec.File) Reads {
	var reads Reads
	for _, f := range files {
		if f.Context == "" && f.From != "" {
			reads.Include = append(reads.Include, dotnet.Escape(path.Clean(f.From)))
		}
	}
	return reads
}

// file adds an entry of files to action.
func (b *Builder) file(
	action *llb.FileAction, f spec.File, spot Spot, user string, from llb.State, contexts map[string]llb.State,
) (*llb.FileAction, error) {
	owner, err := chown(f, user)
	if err != nil {
		return nil, err
	}
	info := &llb.CopyInfo{
		FollowSymlinks: true, CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: &fileTime, ChownOpt: owner,
	}
	if f.Mode != "" {
		mode, err := spec.FileMode(f.Mode)
		if err != nil {
			return nil, fmt.Errorf("files: %w", err)
		}
		info.Mode = &llb.ChmodOpt{Mode: mode}
	}
	if isEmptyFolder(f) {
		return folder(action, spot, info), nil
	}
	if info.Mode == nil {
		info.Mode = b.readable()
	}
	if f.Context != "" {
		from = contexts[f.Context]
	}
	if IsWholeContext(f) {
		info.ExcludePatterns = dotnet.GitDirs()
	}
	return action.Copy(from, path.Join("/", f.From), f.To, info), nil
}

// IsWholeContext tells whether an entry copies all of the build context. Such a copy leaves out .git. If the user keeps
// .git in the context, it is for the steps that build: an image would get the whole history, and another layer with
// every commit.
func IsWholeContext(f spec.File) bool {
	return f.Context == "" && f.From != "" && path.Clean(f.From) == "."
}

// forUser tells whether a file belongs to the user that the image runs as.
func forUser(f spec.File) bool { return f.Owner == "app" || f.Owner == "" && isEmptyFolder(f) }

// ForUser tells whether one of files belongs to the user that the image runs as, so that its layer is of that user.
func ForUser(files []spec.File) bool { return slices.ContainsFunc(files, forUser) }

// chown gives the owner of a file by number, because a separate layer has no /etc/passwd with names.
func chown(f spec.File, user string) (*llb.ChownOpt, error) {
	owner := cmp.Or(f.Owner, "0")
	if forUser(f) {
		owner = user
	}
	uid, gid, both := strings.Cut(owner, ":")
	if !both {
		gid = uid
	}
	u, errU := number(uid)
	g, errG := number(gid)
	if errU != nil || errG != nil {
		return nil, fmt.Errorf("files: the owner of %s has no number: %s", f.To, owner) // see [Users.Owned]
	}
	return &llb.ChownOpt{User: &llb.UserOpt{UID: u}, Group: &llb.UserOpt{UID: g}}, nil
}

// number is the number of a user or a group. Root needs no file to have one.
func number(name string) (int, error) {
	if name == "root" {
		return 0, nil
	}
	return strconv.Atoi(name)
}
