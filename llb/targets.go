package llb

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// PhaseTest is the phase of the tests.
const PhaseTest = "test"

// Test builds and runs a test project, on the build platform: a state with the results in a folder of its name.
func (b *Builder) Test(test *dotnet.App, restored Restored) (llb.State, error) {
	sources, files, err := b.workspace(PhaseTest, test, restored)
	if err != nil {
		return llb.State{}, err
	}
	run := b.run(PhaseTest, b.SDK, "dotnet test "+test.Path, dotnet.TestArgs(b.Project, test, paths),
		reads(SourceDir, sources),
		reads(packageDir, restored.packages),
		reads(msbuildDir, files))
	return run.AddMount(outputDir, llb.Scratch()), nil
}

// Collect puts the results of tests into one state, each in a folder of its own.
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
	sources := b.copyContext(PhasePublish, restored.Tree, "sources", b.sources(app.Closure), dotnet.Outputs(app.Closure))
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true}
	return b.SDK.
		File(llb.Copy(sources, "/", SourceDir, info), b.named(PhasePublish, "copy sources to "+SourceDir)...).
		File(llb.Copy(restored.packages, "/", packageDir, info), b.named(PhasePublish, "copy packages to "+packageDir)...)
}

// WorkspaceEnv is the environment that commands of a workspace want.
var WorkspaceEnv = map[string]string{"NUGET_PACKAGES": packageDir}

// Convert makes a project of a file-based app: the context with a folder beside the file, named as it is without .cs.
func (b *Steps) Convert(file string) llb.State {
	into := strings.TrimSuffix(file, path.Ext(file))
	run := b.run(PhaseDescribe, b.SDK, "dotnet project convert "+file, []string{
		"dotnet", "project", "convert", path.Join(SourceDir, file), "--output", path.Join(SourceDir, into),
	})
	return run.AddMount(SourceDir, b.Context)
}

// Files is a layer with the files that the spec adds. user is who the image runs as, contexts are named contexts.
func (b *Builder) Files(files []spec.File, user string, contexts map[string]llb.State) (llb.State, error) {
	var action *llb.FileAction // one for all: each step of its own would be a layer
	for _, f := range files {
		owner, err := chown(f, user)
		if err != nil {
			return llb.State{}, err
		}
		mode := b.readable()
		folderMode := os.FileMode(0o755)
		if f.Mode != "" {
			if folderMode, err = spec.FileMode(f.Mode); err != nil {
				return llb.State{}, fmt.Errorf("files: %w", err)
			}
			mode = &llb.ChmodOpt{Mode: folderMode}
		}
		if f.From == "" && f.Context == "" {
			to := path.Clean(f.To)
			action = action.Mkdir(to, folderMode, llb.WithParents(true), owner, llb.WithCreatedTime(fileTime))
			if folderMode&^os.ModePerm != 0 && to != "/" {
				// Mkdir drops the setuid, setgid and sticky bits (solver/llbsolver/file), a copy over the folder does not.
				empty := llb.Scratch().File(llb.Mkdir(path.Join("/", path.Base(to)), 0o755, owner), b.Constraints(PhaseFiles)...)
				info := &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &fileTime, Mode: mode, ChownOpt: owner}
				action = action.Copy(empty, "/", path.Dir(to), info)
			}
			continue
		}
		from := b.Context
		if f.Context != "" {
			from = contexts[f.Context]
		}
		info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: &fileTime, Mode: mode, ChownOpt: owner}
		action = action.Copy(from, path.Join("/", f.From), f.To, info)
	}
	return llb.Scratch().File(action, append(b.Constraints(PhaseFiles), llb.WithCustomName("[image] add files"))...), nil
}

// chown gives the owner of a file, by number: a layer of its own has no /etc/passwd to look a name up.
func chown(f spec.File, user string) (*llb.ChownOpt, error) {
	owner := f.Owner
	if owner == "" && (f.From != "" || f.Context != "") {
		owner = "0"
	}
	if owner == "" || owner == "app" {
		owner = user
	}
	uid, gid, both := strings.Cut(owner, ":")
	if !both {
		gid = uid
	}
	u, errU := strconv.Atoi(uid)
	g, errG := strconv.Atoi(gid)
	if errU != nil || errG != nil {
		return nil, fmt.Errorf("files: %s is to belong to the user of the image, which is %q: write owner as a number", f.To, user)
	}
	return &llb.ChownOpt{User: &llb.UserOpt{UID: u}, Group: &llb.UserOpt{UID: g}}, nil
}
