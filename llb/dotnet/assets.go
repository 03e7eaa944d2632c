package dotnet

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// Assets are what is known of the static web assets of a context before anything has run.
type Assets struct {
	sizes    map[string]int64 // bytes of what publish compresses, by the folder of the project
	commands []string         // project files that run commands of their author, which may make assets
}

// webRoot is the folder of a project that its static web assets are in.
const webRoot = "wwwroot"

// compressible are the extensions of nearly all that web apps have compressed.
var compressible = []string{".css", ".html", ".js", ".json", ".map", ".md", ".mjs", ".svg", ".txt", ".wasm", ".xml"}

// AddFile takes a file of the context into account, and its size in bytes.
func (a *Assets) AddFile(name string, size int64) {
	project, _, ok := strings.Cut("/"+name, "/"+webRoot+"/")
	if !ok || !slices.Contains(compressible, path.Ext(name)) {
		return
	}
	if a.sizes == nil {
		a.sizes = map[string]int64{}
	}
	a.sizes[path.Clean("."+project)] += size
}

// AddProjects takes the project files of the context into account.
func (a *Assets) AddProjects(files Files) {
	for name, dt := range files {
		if bytes.Contains(dt, []byte("<Exec")) {
			a.commands = append(a.commands, name)
		}
	}
}

// minAssets is how many bytes have to be there to compress them apart: brotli takes about as long for them, at the level
// that publish asks for, as the process that does so takes to start.
const minAssets = 512 << 10

// Apart tells whether the static web assets of app are to be compressed by a step of their own, which an edit of sources
// leaves alone. What commands of the user's make is left to publish, so that they run once.
func (a *Assets) Apart(app *App) bool {
	var sum int64
	for _, n := range app.Closure {
		sum += a.sizes[path.Dir(n.Path)]
	}
	return sum >= minAssets && !slices.ContainsFunc(a.commands, func(file string) bool {
		return slices.ContainsFunc(app.Closure, func(n Node) bool { return n.reads(file) })
	})
}

// AssetFiles are patterns of the static web assets of projects.
func AssetFiles(nodes []Node) []string {
	var patterns []string
	for _, p := range allPaths(nodes) {
		patterns = append(patterns, escapeDir(path.Dir(p))+webRoot)
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// CompressArgs is the command that compresses the static web assets of a restored app into Paths.Output, by names that
// tell what is in them, for [PublishArgs] to find. Whatever goes wrong, it leaves less, and publish does the rest: so it
// neither fails nor says a word.
func CompressArgs(p Project, app *App, at Paths) []string {
	args := []string{
		"dotnet", "msbuild", path.Join(at.MSBuild, "assets.proj"), "-nologo", "-noConsoleLogger", "-t:Compress",
		define("_IsPublishing", "true"),
		define("CrosshullProject", path.Join(at.Source, app.Path)),
		define("CrosshullOutput", at.Output+"/"),
	}
	args = append(args, at.inject()...)
	args = append(args, app.framework()...)
	return append(args, p.build(&App{})...) // whatever the mode, assets are the same
}
