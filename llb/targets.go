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

// Files is a layer with the files of the spec, in the places that [Look] found. user is the user of the image. It gives
// nil if the entries change only layers of the app.
func (b *Builder) Files(entries []Entry, user string, ground Ground) (*Layer, error) {
	var action *llb.FileAction // one action for all: each step would make a layer
	var err error
	taken := false
	for _, e := range entries {
		for _, place := range e.Place() {
			spot := ground.at(place)
			taken = taken || spot.Taken
			if spot.App != "" && e.makes() { // or it would get the mode and owner of the entry
				action = action.Mkdir(spot.App, 0o755, llb.WithParents(true), llb.WithCreatedTime(fileTime))
			}
		}
		if action, err = b.file(action, e, ground, user); err != nil {
			return nil, err
		}
	}
	if action == nil {
		return nil, nil
	}
	for _, p := range changed(entries, ground) {
		action = touch(action, p)
	}
	layer := &Layer{phase: PhaseFiles, name: "files"}
	if taken || slices.ContainsFunc(entries, func(e Entry) bool { return len(e.Found) > 0 }) {
		layer.copy = action
		return layer, nil
	}
	layer.State = llb.Scratch().File(action, b.ofFiles("add files")...)
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
		if len(f.From) == 0 {
			return nil
		}
		for _, from := range f.From {
			from = strings.TrimPrefix(path.Join("/", from), "/")
			if from == "" || strings.ContainsAny(from, `*?[\`) {
				return nil
			}
			paths = append(paths, from)
		}
	}
	return []llb.LocalOption{llb.FollowPaths(paths)}
}

// FileReads are what copies of files of the context read. names are those files.
func FileReads(names []string) Reads {
	var reads Reads
	for _, name := range names {
		reads.Include = append(reads.Include, dotnet.Escape(path.Clean(name)))
	}
	return reads
}

// file adds an entry of files to action.
func (b *Builder) file(action *llb.FileAction, e Entry, ground Ground, user string) (*llb.FileAction, error) {
	info := &llb.CopyInfo{
		FollowSymlinks: true, CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: &fileTime,
	}
	var err error
	if info.ChownOpt, err = chown(e.File, user); err != nil {
		return nil, err
	}
	if info.Mode, err = chmod(e.File); err != nil {
		return nil, err
	}
	switch e.Kind() {
	case spec.MakesFolder:
		return folder(action, ground.at(e.To), info), nil
	case spec.Links:
		info.FollowSymlinks = false
		return action.Copy(symlink(path.Base(path.Clean(e.Link)), e.To), "/", e.Place()[0], info), nil
	case spec.Removes:
		for _, p := range e.Found {
			action = action.Rm(p, llb.WithAllowNotFound(true)) // it may be in one that is removed already
		}
		return action, nil
	case spec.Changes:
		for _, p := range e.Found {
			action = change(action, e.Below, p, info.Mode, info.ChownOpt, nil)
		}
		return action, nil
	}
	if info.Mode == nil && !e.KeepsModes {
		info.Mode = b.readable()
	}
	info.ExcludePatterns = e.Exclude
	for _, src := range e.Sources {
		from := *info
		from.ExcludePatterns = slices.Concat(e.Exclude, src.Exclude)
		action = action.Copy(src.State, src.Path, e.To, &from)
	}
	return action, nil
}

// forUser tells whether a file belongs to the user that the image runs as.
func forUser(f spec.File) bool {
	return f.Owner == "app" || f.Owner == "" && f.Kind() == spec.MakesFolder
}

// ForUser tells whether one of files belongs to the user that the image runs as, so that its layer is of that user.
func ForUser(files []spec.File) bool { return slices.ContainsFunc(files, forUser) }

// chown gives the owner of a file by number, because a separate layer has no /etc/passwd with names. It is nil if the
// owner stays.
func chown(f spec.File, user string) (*llb.ChownOpt, error) {
	if kind := f.Kind(); kind == spec.Removes || kind == spec.Changes && f.Owner == "" {
		return nil, nil
	}
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
		return nil, fmt.Errorf("files: the owner of %s has no number: %s", f, owner) // see [Users.Owned]
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
