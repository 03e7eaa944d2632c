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
	modules  []string         // scripts of components and views
	commands []string         // project files that run commands of their author, which may make assets
	makers   []string         // project files that name what is known to make assets
}

// webRoot is the folder of a project that its static web assets are in.
const webRoot = "wwwroot"

// compressible are the extensions of nearly all that web apps have compressed.
var compressible = []string{".css", ".html", ".js", ".json", ".map", ".md", ".mjs", ".svg", ".txt", ".wasm", ".xml"}

// AddFile takes a file of the context into account, and its size in bytes.
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

// makers are what project files name whose build makes static web assets: of the client's assemblies, of sources in
// other languages, of what is downloaded.
var makers = []string{
	"Sdk.BlazorWebAssembly", "TypeScript.MSBuild", "LibraryManager.Build",
	"SassCompiler", "BundlerMinifier", "WebCompiler", "Tailwind", "esproj",
}

// AddProjects takes the project files of the context into account.
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

// size is how many bytes there are for publish to compress.
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
	// CompressInPublish is publish, as it does by itself.
	CompressInPublish Compression = iota
	// CompressBefore is a step before publish, which takes what is there, and compresses what the build makes.
	CompressBefore
	// CompressBeside is a step that makes all of them, beside publish, which compresses none.
	CompressBeside
)

// minAssets is how many bytes have to be there to compress them apart: brotli takes about as long for them, at the
// level that publish asks for, as the process that does so takes to start.
const minAssets = 512 << 10

// Compression gives the step for the static web assets of app: one of their own, which an edit of sources leaves
// alone, if they are large. What commands of the user's make is left to publish, so that they run once. Whether a step
// beside publish makes all that publish has is known when both have run: see [Report.SameAssets].
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

// Files are patterns of the static web assets of projects. What styles and scripts of components and views belong to is
// not among them: assets.proj makes do with its name, so that an edit of it makes no assets anew.
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

// CompressArgs is the command that makes the static web assets of a restored app, compressed ones included: as publish
// would in folder [LayerAssets] of Paths.Output, the compressed ones once more by names that tell what is in them for
// [CompressBefore], and a [Report] of all. Whatever goes wrong, it leaves less, and publish does the rest: so it
// neither fails, which takes a shell, nor says a word.
func CompressArgs(p Project, app *App, at Paths) []string {
	args := []string{
		"sh", "-c", `"$@" || :`, "sh",
		"dotnet", "msbuild", path.Join(at.MSBuild, "assets.proj"), "-nologo", "-noConsoleLogger", "-t:Compress",
		define("_IsPublishing", "true"),
		define("CrosshullMakesAssets", "true"),
		define("CrosshullSource", at.Source+"/"),
		definePath("CrosshullProject", path.Join(at.Source, app.Path)),
		define("CrosshullReport", path.Join(at.Output, ReportFile)),
		define("PublishDir", path.Join(at.Output, LayerAssets)+"/"),
		define("CrosshullOutput", at.Output+"/"),
	}
	args = append(args, at.inject()...)
	args = append(args, app.framework()...)
	return append(args, p.build(&App{})...) // whatever the mode, assets are the same
}
