package dotnet

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// Assets is what is known about the static web assets of a context before any step has run.
type Assets struct {
	sizes    map[string]int64 // bytes that publish compresses, by the folder of the project
	modules  []string         // scripts of components and views
	commands []string         // project files that run the author's own commands, which may make assets
	makers   []string         // project files that name something known to make assets
}

// webRoot is the folder in a project with its static web assets.
const webRoot = "wwwroot"

// compressible are the extensions of nearly all files that web apps compress.
var compressible = []string{".css", ".html", ".js", ".json", ".map", ".md", ".mjs", ".svg", ".txt", ".wasm", ".xml"}

// AddFile adds a file of the context with its size in bytes.
func (a *Assets) AddFile(name string, size int64) {
	if owner, ok := strings.CutSuffix(name, ".js"); ok && slices.Contains([]string{".razor", ".cshtml"}, path.Ext(owner)) {
		a.modules = append(a.modules, name)
	}
	project, _, ok := strings.Cut("/"+name, "/"+webRoot+"/")
	if !ok || !slices.Contains(compressible, path.Ext(name)) {
		return
	}
	if a.sizes == nil {
		a.sizes = map[string]int64{}
	}
	a.sizes[path.Clean("."+project)] += size
}

// makers are names in project files whose build makes static web assets: from the client's assemblies, from sources in
// other languages, or from downloads.
var makers = []string{
	"Sdk.BlazorWebAssembly", "TypeScript.MSBuild", "LibraryManager.Build",
	"SassCompiler", "BundlerMinifier", "WebCompiler", "Tailwind", "esproj",
}

// AddProjects reads the project files of the context.
func (a *Assets) AddProjects(files Files) {
	for name, dt := range files {
		if bytes.Contains(dt, []byte("<Exec")) {
			a.commands = append(a.commands, name)
		}
		if slices.ContainsFunc(makers, func(s string) bool { return bytes.Contains(dt, []byte(s)) }) {
			a.makers = append(a.makers, name)
		}
	}
}

// Has tells whether app has files that publish compresses.
func (a *Assets) Has(app *App) bool { return a.size(app) > 0 }

// size is the number of bytes that publish has to compress.
func (a *Assets) size(app *App) int64 {
	var sum int64
	for _, n := range app.Closure {
		sum += a.sizes[path.Dir(n.Path)]
	}
	return sum
}

// A Compression says which step compresses the static web assets of an app.
type Compression int

const (
	// CompressInPublish lets publish compress them, as it does by default.
	CompressInPublish Compression = iota
	// CompressBefore has a step before publish compress the files that exist. Publish compresses what the build makes.
	CompressBefore
	// CompressBeside has a step in parallel with publish make all of them. Publish compresses none.
	CompressBeside
)

// minAssets is the number of bytes from which assets get their own step. At the level that publish uses, brotli needs
// about as long for that many as the process of the step needs to start.
const minAssets = 512 << 10

// Compression returns the step for the static web assets of app. Large ones get their own step, which does not run
// again when sources change. Publish handles assets that the user's own commands make, so that those commands run only
// once. Both must finish before you know whether a step beside publish made all that publish has: see
// [Report.SameAssets].
func (a *Assets) Compression(app *App) Compression {
	read := func(file string) bool { return anyReads(app.Closure, file) }
	switch {
	case a.size(app) < minAssets || slices.ContainsFunc(a.commands, read):
		return CompressInPublish
	case slices.ContainsFunc(a.makers, read):
		return CompressBefore
	}
	return CompressBeside
}

func anyReads(nodes []Node, file string) bool {
	return slices.ContainsFunc(nodes, func(n Node) bool { return n.reads(file) })
}

// Files are patterns of the static web assets of projects. The components and views that styles and scripts belong to
// are left out: assets.proj needs only their names, so an edit of one does not make the assets again.
func (a *Assets) Files(nodes []Node) []string {
	var patterns []string
	for _, p := range allPaths(nodes) {
		dir := escapeDir(path.Dir(p))
		patterns = append(patterns, dir+webRoot, dir+"**/*.razor.css", dir+"**/*.cshtml.css")
	}
	for _, file := range a.modules {
		if anyReads(nodes, file) {
			patterns = append(patterns, Escape(file))
		}
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// CompressArgs is the command that makes the static web assets of a restored app, including the compressed ones. It
// puts them into folder [LayerAssets] of Paths.Output, as publish would. For [CompressBefore], it also writes the
// compressed ones under names that tell their content, and a [Report] of all. If something goes wrong, it makes fewer
// files, and publish makes the rest. So it never fails (which is why it runs in a shell) and prints nothing.
func CompressArgs(p Project, app *App, at Paths) []string {
	args := []string{
		"dotnet", "msbuild", path.Join(at.MSBuild, "assets.proj"), "-nologo", "-noConsoleLogger", "-t:Compress",
		define("_IsPublishing", "true"),
		define("CrosshullMakesAssets", "true"),
		define("CrosshullSource", at.Source+"/"),
		definePath("CrosshullProject", path.Join(at.Source, app.Path)),
		define("CrosshullReport", path.Join(at.Output, ReportFile)),
		define("PublishDir", path.Join(at.Output, LayerAssets)+"/"),
		define("CrosshullOutput", at.Output+"/"),
	}
	args = append([]string{"sh", "-c", `"$@" || :`, "sh"}, args...)
	args = append(args, at.inject()...)
	args = append(args, app.framework()...)
	return append(args, p.build(&App{}, at)...) // assets do not depend on the mode
}
