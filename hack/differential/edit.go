package differential

import (
	"fmt"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Edit does the edit of a number to the files of a repository, and says what it did. The same recipe, number and files
// give the same edit.
func Edit(r Recipe, number int, repo *Repository) (Tree, string) {
	own := stream(r.Seed, fmt.Sprint("edit ", number))
	e := &editing{Rand: own, recipe: r, number: number, repo: repo, tree: repo.Tree.With(nil)}
	for range 20 { // not each kind has a place in each repository
		kind := e.draw()
		// Plain publish gets only the name of a solution, so it passes without the file. That crosshull fails then is right.
		_, had := repo.Tree[repo.Publish.Project]
		what := kind.do(e)
		if _, has := e.tree[repo.Publish.Project]; what != "" && (has || !had) {
			return e.tree, kind.name + ": " + what
		}
		e.tree = repo.Tree.With(nil)
	}
	return e.tree, "nothing"
}

type editing struct {
	*rand.Rand
	recipe Recipe
	number int
	repo   *Repository
	tree   Tree
}

type kind struct {
	name  string
	often int
	do    func(e *editing) string // what it did, or ""
}

// kinds are what people do between two builds.
var kinds = []kind{
	{"change a file", 30, changeFile},
	{"change what others see", 6, changeSurface},
	{"add a source", 8, addSource},
	{"add a file like another", 10, addLike},
	{"delete a file", 8, deleteFile},
	{"rename a file", 8, renameFile},
	{"change the case of a name", 4, changeCase},
	{"move a folder", 3, moveFolder},
	{"set a property", 6, setProperty},
	{"add an import", 4, addImport},
	{"remove a line of a project", 6, removeLine},
	{"add a project", 5, addProject},
	{"add a file that is looked for", 8, addLookedFor},
	{"switch to another branch", 4, switchBranch},
	{"switch half to another branch", 2, switchHalf},
	{"change a file beside", 3, changeBeside},
}

func (e *editing) draw() kind {
	sum := 0
	for _, k := range kinds {
		sum += k.often
	}
	n := e.IntN(sum)
	for _, k := range kinds {
		if n -= k.often; n < 0 {
			return k
		}
	}
	return kinds[0]
}

// pick draws a name of those that fit, or gives "".
func (e *editing) pick(fits func(name string, f File) bool) string {
	var list []string
	for _, name := range e.tree.Names() {
		if fits(name, e.tree[name]) && !strings.HasPrefix(name, ".git/") {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return list[e.IntN(len(list))]
}

func (e *editing) set(name, data string) { e.tree[path.Clean(name)] = File{Data: data} }

var (
	mark    = regexp.MustCompile(`v\d+`)
	numbers = regexp.MustCompile(`\d+`)
)

func marked(_ string, f File) bool { return mark.MatchString(f.Data) }

// bump replaces one of the places that match by one with the number of the edit.
func (e *editing) bump(data string, places *regexp.Regexp) string {
	all := places.FindAllStringIndex(data, -1)
	at := all[e.IntN(len(all))]
	return data[:at[0]] + strings.TrimRight(data[at[0]:at[1]], "0123456789") + strconv.Itoa(100+e.number) + data[at[1]:]
}

func changeFile(e *editing) string {
	name := e.pick(func(name string, f File) bool {
		return marked(name, f) || name == "VERSION" || path.Ext(name) == ".properties"
	})
	if name == "" {
		return ""
	}
	data, places := e.tree[name].Data, mark
	if !mark.MatchString(data) {
		places = numbers
	}
	e.set(name, e.bump(data, places))
	return name
}

func isSource(name string, f File) bool { return path.Ext(name) == ".cs" && f.Link == "" }

// changeSurface adds a member to a class of a library, so what depends on it is compiled anew.
func changeSurface(e *editing) string {
	name := e.pick(func(name string, _ File) bool { return path.Base(name) == "Says.cs" })
	if name == "" {
		return ""
	}
	const class = "public static class Says\n    {\n"
	e.set(name, strings.Replace(e.tree[name].Data, class, class+fmt.Sprintf("        public const int Added%d = "+
		"%[1]d;\n", e.number), 1))
	return name
}

func addSource(e *editing) string {
	beside := e.pick(isSource)
	if beside == "" {
		return ""
	}
	name := path.Join(path.Dir(beside), fmt.Sprintf("Added%d.cs", e.number))
	if e.IntN(3) == 0 {
		name = path.Join(path.Dir(beside), "deeper", path.Base(name))
	}
	e.set(name, fmt.Sprintf("static class Added%d { public const string Text = \"added v0\"; }\n", e.number))
	return name
}

// addLike adds a copy of a file beside it, which a wildcard may find.
func addLike(e *editing) string {
	of := e.pick(func(name string, _ File) bool {
		return !slices.Contains([]string{".cs", ".csproj", ".nupkg"}, path.Ext(name)) &&
			!strings.HasPrefix(path.Base(name), "Directory.")
	})
	if of == "" {
		return ""
	}
	ext := path.Ext(of)
	name := strings.TrimSuffix(of, ext) + fmt.Sprint("-", e.number) + ext
	e.tree[name] = e.tree[of]
	return name
}

func deleteFile(e *editing) string {
	name := ""
	if e.IntN(2) == 0 { // one that does no harm
		name = e.pick(func(name string, _ File) bool { return path.Base(name) == "Extra.cs" })
	}
	if name == "" {
		name = e.pick(func(name string, _ File) bool { return name != e.repo.Publish.App && path.Base(name) != "Says.cs" })
	}
	if name == "" {
		return ""
	}
	delete(e.tree, name)
	return name
}

func renameFile(e *editing) string {
	from := ""
	if e.IntN(2) == 0 {
		from = e.pick(isSource)
	}
	if from == "" {
		from = e.pick(func(name string, _ File) bool { return name != e.repo.Publish.App })
	}
	if from == "" {
		return ""
	}
	to := path.Join(path.Dir(from), fmt.Sprint("renamed-", e.number, "-", path.Base(from)))
	if e.IntN(3) == 0 {
		to = path.Join(path.Dir(from), "moved", path.Base(from))
	}
	e.move(from, to)
	return from + " to " + to
}

func (e *editing) move(from, to string) {
	e.tree[to] = e.tree[from]
	delete(e.tree, from)
}

func changeCase(e *editing) string {
	from := e.pick(func(name string, _ File) bool { return name != e.repo.Publish.App })
	if from == "" {
		return ""
	}
	dir, base := path.Split(from)
	to := dir + strings.ToUpper(base)
	if to == from {
		to = dir + strings.ToLower(base)
	}
	if to == from {
		return ""
	}
	e.move(from, to)
	return from + " to " + to
}

func moveFolder(e *editing) string {
	var dirs []string
	for _, dir := range e.tree.dirs() {
		if dir != "." && !strings.HasPrefix(e.repo.Publish.App, dir+"/") && !strings.HasPrefix(dir, ".git") {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return ""
	}
	from := dirs[e.IntN(len(dirs))]
	to := from + fmt.Sprint("-", e.number)
	for _, name := range e.tree.Names() {
		if rest, below := strings.CutPrefix(name, from+"/"); below {
			e.move(name, to+"/"+rest)
		}
	}
	return from + " to " + to
}

func isProject(name string, _ File) bool {
	return slices.Contains([]string{".csproj", ".props", ".targets"}, path.Ext(name))
}

// insert puts a line at the end of a project file.
func (e *editing) insert(name, line string) {
	data := e.tree[name].Data
	if i := strings.LastIndex(data, "</Project>"); i >= 0 {
		e.set(name, data[:i]+"  "+line+"\n"+data[i:])
	}
}

func setProperty(e *editing) string {
	name := e.pick(isProject)
	if name == "" {
		return ""
	}
	property := []string{"Product", "Company", "Version", "DebugType", "LangVersion", "ImplicitUsings", "Optimize",
		"InvariantGlobalization", "AssemblyTitle", "DefineConstants"}[e.IntN(10)]
	value := map[string]string{"Version": fmt.Sprintf("9.%d.0", e.number), "DebugType": "embedded",
		"LangVersion": "latest", "ImplicitUsings": "enable", "Optimize": "false",
		"InvariantGlobalization": "true"}[property]
	if value == "" {
		value = fmt.Sprint("EDIT", e.number)
	}
	e.insert(name, fmt.Sprintf("<PropertyGroup><%s>%s</%[1]s></PropertyGroup>", property, value))
	return name + ", " + property
}

func addImport(e *editing) string {
	name := e.pick(isProject)
	if name == "" {
		return ""
	}
	file := fmt.Sprintf("imported-%d.props", e.number)
	if e.IntN(2) == 0 {
		file = "../" + file
		if path.Dir(name) == "." {
			return ""
		}
	}
	e.insert(name, fmt.Sprintf(`<Import Project="$(MSBuildThisFileDirectory)%s" />`, file))
	if e.IntN(8) > 0 {
		e.set(path.Join(path.Dir(name), file), "<Project>\n  <ItemGroup>"+metadata(fmt.Sprint("Imported", e.number),
			"imported v0")+"</ItemGroup>\n</Project>\n")
	}
	return name + ", of " + file
}

func removeLine(e *editing) string {
	name := e.pick(isProject)
	if name == "" {
		return ""
	}
	lines := strings.SplitAfter(e.tree[name].Data, "\n")
	var whole []int // a line that can go without the XML being broken
	for i, line := range lines {
		text := strings.TrimSpace(line)
		if strings.HasSuffix(text, "/>") && strings.HasPrefix(text, "<") || strings.HasPrefix(text, "<PropertyGroup><") {
			whole = append(whole, i)
		}
	}
	if len(whole) == 0 {
		return ""
	}
	i := whole[e.IntN(len(whole))]
	what := strings.TrimSpace(lines[i])
	e.set(name, strings.Join(slices.Delete(lines, i, i+1), ""))
	return name + ", " + what
}

// addProject adds a library, and makes a project reference it.
func addProject(e *editing) string {
	user := e.pick(func(name string, _ File) bool { return path.Ext(name) == ".csproj" })
	if user == "" {
		return ""
	}
	name := fmt.Sprint("New", e.number)
	dir := path.Join(path.Dir(user), "..", name)
	if path.Dir(user) == "." {
		return ""
	}
	e.set(path.Join(dir, name+".csproj"), "<Project Sdk=\"Microsoft.NET.Sdk\">\n  "+
		"<PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>\n</Project>\n")
	e.set(path.Join(dir, name+".cs"), fmt.Sprintf("public static class %s { public const string Text = \"new v0\"; }\n",
		name))
	e.insert(user, fmt.Sprintf(`<ItemGroup><ProjectReference Include="..\%s\%[1]s.csproj" /></ItemGroup>`, name))
	e.set(path.Join(path.Dir(user), fmt.Sprintf("Uses%d.cs", e.number)), fmt.Sprintf("static class Uses%d { public "+
		"static string Text() => %s.Text; }\n", e.number, name))
	return dir + ", for " + user
}

// lookedFor are files that a build looks for in a folder and those above it.
var lookedFor = map[string]string{
	"Directory.Build.props": "<Project>\n  <ItemGroup><AssemblyMetadata Include=\"Found\" Value=\"props v0\" " +
		"/></ItemGroup>\n</Project>\n",
	"Directory.Build.targets": "<Project>\n  <ItemGroup><AssemblyMetadata Include=\"FoundToo\" Value=\"targets v0\" " +
		"/></ItemGroup>\n</Project>\n",
	"Directory.Build.rsp": "-p:Product=foundv0\n",
	"Directory.Packages.props": "<Project>\n  <PropertyGroup>" +
		"<ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally></PropertyGroup>\n</Project>\n",
	".editorconfig": "root = true\n[*.cs]\ndotnet_diagnostic.CS0169.severity = error\n",
	".globalconfig": "is_global = true\ndotnet_diagnostic.CS0169.severity = error\n",
	"nuget.config": "<configuration>\n  <config><add key=\"dependencyVersion\" value=\"Lowest\" " +
		"/></config>\n</configuration>\n",
	"global.json":         "{ \"sdk\": { \"version\": \"10.0.100\", \"rollForward\": \"latestFeature\" } }\n",
	"local.props":         "<Project>\n  <PropertyGroup><Local>appears v0</Local></PropertyGroup>\n</Project>\n",
	"App.config":          "<configuration><!-- appears v0 --></configuration>\n",
	"packages.config":     "<packages />\n",
	"data/new/choice.txt": "appears v0\n",
	"flags/fast":          "",
}

func addLookedFor(e *editing) string {
	dirs := []string{"."}
	for dir := range strings.SplitSeq(path.Dir(e.pick(func(name string,
		_ File) bool {
		return path.Base(name) == "Says.cs"
	})), "/") {
		dirs = append(dirs, path.Join(dirs[len(dirs)-1], dir))
	}
	names := Tree{}
	for name := range lookedFor {
		names[name] = File{}
	}
	base := names.Names()[e.IntN(len(names))]
	name := path.Join(dirs[e.IntN(len(dirs))], base)
	if _, there := e.tree[name]; there {
		return ""
	}
	e.set(name, lookedFor[base])
	return name
}

// branch is what another branch has: the same projects, half of the features, and some others.
func (e *editing) branch() Tree {
	r := e.recipe
	r.Edits, r.Features = nil, []string{}
	for _, f := range features {
		had := slices.Contains(e.repo.Features, f.name)
		if had && e.IntN(2) == 0 || !had && e.Float64() < f.often/2 && e.recipe.Features == nil {
			r.Features = append(r.Features, f.name)
		}
	}
	other := Generate(r)
	if other.Publish.App != e.repo.Publish.App || other.Publish.Git != e.repo.Publish.Git {
		return nil // then it is another app, or only plain publish would see .git
	}
	if _, lists := other.Tree[listerProject]; e.repo.Publish.Project == "" &&
		(lists || slices.Contains(other.Features, "app-beside")) {
		return nil // then there are two programs, and the spec has to say which
	}
	for _, name := range other.Tree.Names() {
		if mark.MatchString(other.Tree[name].Data) && e.IntN(3) == 0 {
			other.Tree[name] = File{Data: e.bump(other.Tree[name].Data, mark)}
		}
	}
	return other.Tree
}

func switchBranch(e *editing) string {
	other := e.branch()
	if other == nil {
		return ""
	}
	e.tree = other
	return fmt.Sprint(len(other), " files")
}

func switchHalf(e *editing) string {
	other := e.branch()
	if other == nil {
		return ""
	}
	n := 0
	for _, name := range e.tree.With(other).Names() {
		if e.IntN(2) == 0 || name == e.repo.Publish.App {
			continue
		}
		n++
		if f, ok := other[name]; ok {
			e.tree[name] = f
		} else {
			delete(e.tree, name)
		}
	}
	return fmt.Sprint(n, " files")
}

// changeBeside changes what no build should read.
func changeBeside(e *editing) string {
	name := []string{"README.md", "docs/notes.txt", "beside/notes.txt", ".github/workflows/ci.yml"}[e.IntN(4)]
	e.set(name, fmt.Sprintf("beside v%d\n", e.number))
	return name
}
