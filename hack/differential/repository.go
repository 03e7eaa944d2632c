package differential

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Repository is a checkout and what is to be published of it.
type Repository struct {
	// Tree is what a fresh checkout has.
	Tree Tree
	// Host is what work on a machine leaves in a checkout: outputs, settings of one user, data of Git. No build may read
	// it, so plain publish does not get it.
	Host Tree
	// Publish says what is published.
	Publish Publish
	// Features are the names of those that it has.
	Features []string
}

// Publish says what is published, and how.
type Publish struct {
	// App is the project file of the app.
	App string
	// Project is the project of the spec: the file of the app, its folder, a solution, or "" if the app is the only one.
	Project string
	// Framework is one of several frameworks of the app, or "".
	Framework string
	// Mode is a mode of crosshull's.
	Mode string
	// Unsaid leaves portable mode out of the spec.
	Unsaid bool
	// Git takes .git into the build.
	Git bool
}

// Modes are those that a repository may be published in, the usual one first.
var Modes = []string{"portable", "apphost", "self-contained", "single-file", "ready-to-run"}

// RID is the runtime identifier that all is published for.
const RID = "linux-x64"

// Spec gives the crosshull.yaml.
func (p Publish) Spec() string {
	var b strings.Builder
	if p.Project != "" {
		fmt.Fprintf(&b, "project: %q\n", p.Project)
	}
	if p.Framework != "" {
		fmt.Fprintf(&b, "framework: %s\n", p.Framework)
	}
	if !p.Unsaid {
		fmt.Fprintf(&b, "publish: {mode: %s}\n", p.Mode)
	}
	return b.String()
}

// Arguments gives the arguments of dotnet publish, for a checkout in root. docs/reference/publish-modes.md has those of
// each mode.
func (p Publish) Arguments(root string) []string {
	args := []string{path.Join(root, p.App), "-nologo"}
	if p.Framework != "" {
		args = append(args, "-p:TargetFramework="+p.Framework)
	}
	noLauncher := []string{"-p:UseAppHost=false", "-p:EnableAppHostPackDownload=false"}
	switch p.Mode {
	case "portable":
		args = append(args, noLauncher...)
	case "self-contained":
		args = append(args, "-r", RID, "-p:SelfContained=true")
	case "single-file":
		args = append(args, "-r", RID, "-p:PublishSingleFile=true", "-p:SelfContained=false")
	case "ready-to-run":
		args = append(args, append(noLauncher, "-r", RID, "-p:PublishReadyToRun=true", "-p:SelfContained=false")...)
	}
	return append(args, p.solution(root)...)
}

// solution gives the properties that MSBuild gives to each project of a solution. dotnet publish takes no output folder
// for a whole solution (NETSDK1194), so it publishes the app.
func (p Publish) solution(root string) []string {
	ext := path.Ext(p.Project)
	if !slices.Contains([]string{".sln", ".slnx", ".slnf"}, ext) {
		return nil
	}
	file := path.Join(root, p.Project)
	name := path.Base(file)
	return []string{
		"-p:SolutionDir=" + path.Dir(file) + "/",
		"-p:SolutionExt=" + ext,
		"-p:SolutionFileName=" + name,
		"-p:SolutionName=" + strings.TrimSuffix(name, ext),
		"-p:SolutionPath=" + file,
	}
}
