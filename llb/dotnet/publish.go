package dotnet

import (
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
)

// RestoreArgs is the command that restores the closures of apps of one mode, for all of rids at once. Several apps are
// restored through the solution of [Solution], which must be in Paths.MSBuild.
func RestoreArgs(p Project, apps []*App, rids []string, at Paths) []string {
	what := path.Join(at.Source, apps[0].Path)
	args := []string{"dotnet", "restore", projectArgument(what), "-nologo", at.logErrors()}
	if len(apps) > 1 {
		args[2] = path.Join(at.MSBuild, SolutionFile)
	}
	if Foreign(apps) {
		args = append(args, define("CustomAfterMicrosoftCommonCrossTargetingTargets", path.Join(at.MSBuild, restoreTargets)))
	}
	switch {
	case len(rids) == 0:
	case apps[0].Mode.Launchers():
		// A property RuntimeIdentifiers would apply to every library, and its lock file would not fit (NU1004).
		args = append(append(args, defineAll(at.extensions())...), define("CrosshullLaunchers", strings.Join(rids, ";")))
	default:
		args = append(args, define("RuntimeIdentifiers", strings.Join(rids, ";")))
	}
	if slices.ContainsFunc(apps, byPublishing) {
		args = append(args, define("_IsPublishing", "true")) // as dotnet publish does for its restore
	}
	return append(args, p.build(apps[0], at)...)
}

func byPublishing(app *App) bool {
	return slices.ContainsFunc(app.Closure, func(n Node) bool { return n.byPublishing })
}

// RestoreNeedsFiles tells whether the command of [RestoreArgs] reads [MSBuildFiles].
func RestoreNeedsFiles(apps []*App, rids []string) bool {
	return Foreign(apps) || len(rids) > 0 && apps[0].Mode.Launchers()
}

// restoreTargets is one of [MSBuildFiles].
const restoreTargets = "restore.targets"

// PublishArgs is the command that compiles and publishes a restored app. It has the same properties as [RestoreArgs],
// because a restore with other properties is not valid (NETSDK1004, NETSDK1047). It does what
// `dotnet publish --no-restore` does, which is target Publish with property _IsPublishing, and then sorts the output
// into [Layers]. build is the runtime identifier of the machine that builds.
func PublishArgs(p Project, app *App, rid, build string, assets Compression, at Paths) []string {
	args := []string{
		"dotnet", "msbuild", path.Join(at.MSBuild, "publish.proj"), "-nologo", "-verbosity:minimal", "-t:Publish",
		define("_IsPublishing", "true"),
		definePath("CrosshullProject", path.Join(at.Source, app.Path)),
		define("CrosshullReport", path.Join(at.Output, ReportFile)),
		define("PublishDir", path.Join(at.Output, LayerApp)+"/"),
		define("CrosshullOutput", at.Output+"/"),
	}
	args = append(args, app.inputs()...)
	switch assets {
	case CompressBefore:
		args = append(args, define("CrosshullAssets", at.Assets+"/"))
	case CompressBeside:
		args = append(args, define("BuildCompressionFormats", ""), define("PublishCompressionFormats", ""))
	}
	args = append(args, at.inject()...)
	args = append(args, app.framework()...)
	if app.Mode.NeedsToolchain() && architecture(rid) != architecture(build) {
		// with LLVM's linker, clang links for any target; with the machine's own binutils it does not
		args = append(args, define("LinkerFlavor", "lld"), define("ObjCopyName", "llvm-objcopy"))
	}
	args = append(args, p.build(app, at)...)
	if rid != "" {
		args = append(args, define("RuntimeIdentifier", rid))
	}
	if len(app.Closure) > 1 && app.inTurn() {
		// MSBuild would start a process for each processor, and these would wait for each other.
		args = append(args, "-maxCpuCount:1")
	}
	return args
}

// inTurn tells whether the projects of the app can only be compiled one after the other.
func (app *App) inTurn() bool {
	references, longest := map[string][]string{}, map[string]int{}
	for _, n := range app.Closure {
		references[n.Path] = n.References
	}
	// chain gives the most projects of which each needs the next, from a project on.
	var chain func(project string) int
	chain = func(project string) int {
		if n, ok := longest[project]; ok {
			return n
		}
		longest[project] = 0 // in case of a cycle
		n := 0
		for _, ref := range references[project] {
			n = max(n, chain(ref))
		}
		longest[project] = n + 1
		return n + 1
	}
	return chain(app.Path) == len(app.Closure)
}

// AppHostArgs is the command that makes the launchers of a restored app, and of programs that it references: RID/name
// in Paths.Output, for each of rids.
func AppHostArgs(p Project, app *App, rids []string, at Paths) []string {
	args := []string{
		"dotnet", "msbuild", path.Join(at.MSBuild, "apphost.proj"), "-nologo", "-verbosity:minimal", "-t:AppHosts",
		definePath("CrosshullProject", path.Join(at.Source, app.Path)),
		define("CrosshullRuntimeIdentifiers", strings.Join(rids, ";")),
		define("CrosshullOutput", at.Output+"/"),
	}
	referenced := func(n Node) bool { return n.executable && n.Path != app.Path }
	if slices.ContainsFunc(app.Closure, referenced) { // to look for them takes time
		args = append(args, define("CrosshullFurther", "CrosshullAppHostsOfReferences"))
	}
	args = append(args, at.inject()...)
	args = append(args, app.framework()...)
	return append(args, p.build(app, at)...)
}

// AssetsFile is the file with NuGet's graph that restore leaves in the obj folder of each project.
const AssetsFile = "project.assets.json"

// framework chooses one framework of a project with several.
func (app *App) framework() []string {
	if !app.CrossTargeting {
		return nil
	}
	return []string{define("TargetFramework", app.TargetFramework)}
}

// inputs tells targets that the build does not have all of the context. If the compiler does not find a file, it may
// only warn. With this property the targets then fail, and the app is built again from all of the context.
func (app *App) inputs() []string {
	if slices.ContainsFunc(app.Closure, func(n Node) bool { return n.committed }) {
		// BuildKit takes steps that differ only in the times of files for one, and would give the same error again.
		return []string{define("CrosshullCommitted", "true")}
	}
	if slices.ContainsFunc(app.Closure, func(n Node) bool { return !n.reachKnown }) {
		return nil
	}
	return []string{narrow}
}

var narrow = define("CrosshullNarrow", "true")

func architecture(rid string) string { return rid[strings.LastIndexByte(rid, '-')+1:] }

func (p Project) build(app *App, at Paths) []string {
	args := append(p.common(), defineAll(append(p.solution(at), app.Mode.properties()...))...)
	if !app.Mode.PerPlatform() {
		// Without it, a project's own RuntimeIdentifier would limit the output to one platform.
		args = append(args, define("RuntimeIdentifier", ""))
	}
	return args
}

// Plain are the properties that a person types to restore or publish the app. They leave out what the project itself
// says.
func (p Project) Plain(app *App) []string {
	args := []string{define("Configuration", p.Configuration)}
	for _, k := range slices.Sorted(maps.Keys(p.Properties)) {
		args = append(args, define(k, p.Properties[k]))
	}
	if p.Mode != nil {
		args = append(args, defineAll(app.Mode.properties())...)
	} else if !app.Mode.Executable() {
		args = append(args, define("UseAppHost", "false"), define("EnableAppHostPackDownload", "false"))
	}
	if app.Mode.Launchers() { // publish makes the launcher for each platform
		args = slices.DeleteFunc(args, func(a string) bool {
			return a == define("UseAppHost", "false") || a == define("EnableAppHostPackDownload", "false")
		})
	}
	return args
}

const noNodeReuse = "-nodeReuse:false"

// common are the properties of every command, so that all commands see the same project.
func (p Project) common() []string {
	// The container ends with its command, so no process can stay for the next one.
	return append([]string{noNodeReuse}, defineAll(p.properties())...)
}

// properties are those of every project of the spec.
func (p Project) properties() []KeyValue {
	properties := []KeyValue{{"Configuration", p.Configuration}}
	for _, k := range slices.Sorted(maps.Keys(p.Properties)) {
		properties = append(properties, KeyValue{k, p.Properties[k]})
	}
	return properties
}

// solution are the properties that a project has where it is built by its solution (SolutionProjectGenerator).
func (p Project) solution(at Paths) []KeyValue {
	if !IsSolution(p.Path) {
		return nil
	}
	file := path.Join(at.Source, p.Path)
	ext := path.Ext(file)
	return []KeyValue{
		{"SolutionDir", path.Dir(file) + "/"},
		{"SolutionExt", ext},
		{"SolutionFileName", path.Base(file)},
		{"SolutionName", strings.TrimSuffix(path.Base(file), ext)},
		{"SolutionPath", file},
	}
}

// ResponseFiles are files for Paths.MSBuild. With them, commands on a project there obey the files of switches of the
// app: MSBuild looks for Directory.Build.rsp from the project upwards (XMake, GetProjectDirectory). An argument @file
// would not do. The dotnet command takes it apart itself, and leaves %MSBuildThisFileDirectory% as it is.
func (app *App) ResponseFiles(at Paths) []File {
	if len(app.Switches) == 0 {
		return nil
	}
	var b strings.Builder
	for _, name := range app.Switches {
		b.WriteString(`@"` + path.Join(at.Source, name) + "\"\n")
	}
	return []File{{"Directory.Build.rsp", []byte(b.String())}}
}

// ProjectFiles are patterns (github.com/moby/patternmatcher) of the files that say what a project is. They match nearly
// all that evaluation reads, and no source: MSBuild asks for the rest, see [Evaluation]. They match nuget.config in any
// case, as NuGet does.
func ProjectFiles() []string {
	return []string{
		"**/*.*proj",
		"**/*.projitems",
		"**/*.props",
		"**/*.targets",
		"**/*.rsp",
		"**/*.sln",
		"**/*.slnx",
		"**/*.slnf",
		"**/" + nugetConfig,
		"**/global.json",
	}
}

// IsProjectFile tells whether [ProjectFiles] match a file of the context. Such a file may be a part of a project.
func IsProjectFile(name string) bool { return !InOutputs(name) && matchesName(name, ProjectFiles()) }

const nugetConfig = "[nN][uU][gG][eE][tT].[cC][oO][nN][fF][iI][gG]"

// escapeDir returns the beginning of a pattern for files in a folder.
func escapeDir(dir string) string {
	if dir == "." {
		return ""
	}
	return Escape(dir) + "/"
}

// AnyOutputs are patterns of output folders, for when the projects are not known yet.
func AnyOutputs() []string { return []string{"**/bin", "**/obj"} }

// InOutputs tells whether [AnyOutputs] match a file.
func InOutputs(name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if base := path.Base(dir); base == "bin" || base == "obj" {
			return true
		}
	}
	return false
}

// Escape returns a pattern that matches only this path. It treats each part of the path alike, so you can append a
// slash and more to match what is in a folder.
func Escape(p string) string {
	p = patternEscaper.Replace(p)
	if !strings.ContainsFunc(p, func(r rune) bool { return r == '!' || unicode.IsSpace(r) }) {
		return p
	}
	parts := strings.Split(p, "/")
	for i, part := range parts {
		parts[i] = escapeEnds(part)
	}
	return strings.Join(parts, "/")
}

// patternEscaper is made once: to make it takes longer than to use it, and a large graph has thousands of patterns. The
// last four characters mean nothing in a pattern, but patternmatcher.Pattern copies them into a regular expression as
// they are.
var patternEscaper = strings.NewReplacer(
	`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`,
	`^`, `\^`, `|`, `\|`, `{`, `\{`, `}`, `\}`,
)

// escapeEnds escapes what has a meaning only at an end of a pattern: patternmatcher.New takes ! at the beginning for an
// exclusion, and trims white space.
func escapeEnds(part string) string {
	if strings.HasPrefix(part, "!") {
		part = `\` + part
	}
	inner := strings.TrimSpace(part)
	start := strings.Index(part, inner)
	class := func(spaces string) string {
		var b strings.Builder
		for _, r := range spaces {
			b.WriteString("[" + string(r) + "]")
		}
		return b.String()
	}
	if inner == "" {
		return class(part)
	}
	return class(part[:start]) + inner + class(part[start+len(inner):])
}
