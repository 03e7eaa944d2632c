package differential

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

// Generate makes the repository of a recipe, before its edits.
//
// Each feature draws from its own numbers, so a feature that is left out or new does not change the others.
func Generate(r Recipe) *Repository {
	g := &generator{recipe: r, repo: &Repository{Tree: Tree{}, Host: Tree{}}}
	g.plan()
	for _, f := range features {
		own := stream(r.Seed, f.name)
		wanted := own.Float64() < f.often
		if r.Features != nil {
			wanted = slices.Contains(r.Features, f.name)
		}
		if wanted && f.make(g, own) {
			g.repo.Features = append(g.repo.Features, f.name)
		}
	}
	g.write()
	return g.repo
}

// stream gives numbers that depend on a seed and a name alone.
func stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// feature is something that a repository may have.
type feature struct {
	name  string
	often float64 // share of all repositories that get it
	// make adds it, and tells whether there was a place for it.
	make func(g *generator, r *rand.Rand) bool
}

// features are all of them. The order matters: those that come later see what others made.
var features = slices.Concat(layoutFeatures, importFeatures, itemFeatures, targetFeatures, projectFeatures,
	hiddenFeatures, lateFeatures, besideFeatures)

func findFeature(name string) (feature, bool) {
	i := slices.IndexFunc(features, func(f feature) bool { return f.name == name })
	if i < 0 {
		return feature{}, false
	}
	return features[i], true
}

// Features are the names of all features.
func Features() []string {
	var names []string
	for _, f := range features {
		names = append(names, f.name)
	}
	return names
}

type generator struct {
	recipe   Recipe
	repo     *Repository
	projects []*project // the app first
	others   []*project // which the app does not use
	// props and targets are what Directory.Build.props and Directory.Build.targets of the root have.
	props, targets []string
	// nested says that the folder of the projects also has files with these names, which import those of the root.
	nested  bool
	central bool   // versions of packages are in Directory.Packages.props
	unsaid  bool   // the spec names no project
	src     string // the folder of the projects
}

// project is a project of the repository. Its file is written at the end.
type project struct {
	name       string // of the assembly and of the namespace
	dir, file  string
	sdk        string
	frameworks []string
	backslash  bool // separates parts of its paths
	refs       []reference
	packages   []pkg
	head       []string // what comes first: imports, mostly
	props      []string
	items      []string
	tail       []string // what comes last: targets, mostly
	says       []string // C# expressions whose values the app prints
	program    string   // C#, of an app
	declared   string   // first line of the file
	line       string   // ends of lines
}

// reference is a ProjectReference.
type reference struct {
	to       *project
	include  string // as it is written; "" is the path
	metadata string // attributes
	unused   bool   // no code of it is called
}

type pkg struct{ name, version, says string }

// names are those of projects, each a namespace.
var names = []string{
	"Shop", "Cart", "Orders", "Billing", "Search", "Mail", "Users", "Stock", "Prices", "Taxes", "Audit", "Texts",
	"Rules", "Dates",
	"Money", "Carts", "Pages", "Menus", "Rates", "Units",
}

// plan decides which projects there are, and how they refer to each other.
func (g *generator) plan() {
	r := stream(g.recipe.Seed, "projects")
	n := g.recipe.Projects
	size := r.Float64() // mostly small, as a build of many takes long
	drawn := 2 + r.IntN(4)
	switch {
	case size > 0.98:
		drawn = 21 + r.IntN(40)
	case size > 0.92:
		drawn = 11 + r.IntN(10)
	case size > 0.75:
		drawn = 6 + r.IntN(5)
	}
	if n == 0 {
		n = drawn
	}
	g.src = []string{"src", "", "services/shop/src"}[r.IntN(3)]
	for i := range n {
		p := g.newProject(names[i%len(names)]+map[bool]string{true: fmt.Sprint(i / len(names))}[i >= len(names)], r)
		g.projects = append(g.projects, p)
		if i == 0 {
			p.props = append(p.props, "<OutputType>Exe</OutputType>")
			p.program = "System.Console.WriteLine(" + p.name + ".Says.Text());\n"
			continue
		}
		parents := 1 + r.IntN(2)
		for k := range parents {
			from := max(0, i-5) + r.IntN(i-max(0, i-5))
			if k == 0 && i < 3 {
				from = 0
			}
			parent := g.projects[from]
			if !slices.ContainsFunc(parent.refs, func(ref reference) bool { return ref.to == p }) {
				parent.refs = append(parent.refs, reference{to: p})
			}
		}
	}
	mode := r.Float64()
	g.repo.Publish.Mode = Modes[0]
	switch {
	case mode > 0.92:
		g.repo.Publish.Mode = Modes[2+r.IntN(3)]
	case mode > 0.80:
		g.repo.Publish.Mode = Modes[1]
	case mode > 0.60:
		g.repo.Publish.Unsaid = true
	}
	if g.recipe.Mode != "" {
		g.repo.Publish.Mode, g.repo.Publish.Unsaid = g.recipe.Mode, false
	}
}

func (g *generator) newProject(name string, r *rand.Rand) *project {
	p := &project{name: name, sdk: "Microsoft.NET.Sdk", frameworks: []string{"net10.0"}, line: "\n",
		backslash: r.IntN(4) == 0}
	if len(g.projects) > 0 {
		p.frameworks = slices.Clone(g.app().frameworks)
	}
	p.dir = path.Join(g.src, name)
	p.file = name + ".csproj"
	return p
}

// perPlatform tells whether the publish is for a runtime identifier.
func (g *generator) perPlatform() bool {
	return g.repo.Publish.Mode != "portable" && g.repo.Publish.Mode != "apphost"
}

func (g *generator) app() *project { return g.projects[0] }

// any draws a project of those that the app consists of.
func (g *generator) any(r *rand.Rand) *project { return g.projects[r.IntN(len(g.projects))] }

// library draws one that is not the app. There is none if the app is alone.
func (g *generator) library(r *rand.Rand) *project {
	if len(g.projects) < 2 {
		return nil
	}
	return g.projects[1+r.IntN(len(g.projects)-1)]
}

// add puts a file into the repository.
func (g *generator) add(name, data string) { g.repo.Tree[path.Clean(name)] = File{Data: data} }

func (p *project) path() string { return path.Join(p.dir, p.file) }

// in is a path below the folder of the project.
func (p *project) in(name string) string { return path.Join(p.dir, name) }

// to is the path of something of the repository as the project's file writes it.
func (p *project) to(name string) string { return p.slashes(escape(relative(p.dir, name))) }

func (p *project) slashes(name string) string {
	if p.backslash {
		return strings.ReplaceAll(name, "/", `\`)
	}
	return name
}

// relative is the path from a folder to a file.
func relative(dir, name string) string {
	from, to := parts(dir), parts(name)
	for len(from) > 0 && len(to) > 1 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	return strings.Repeat("../", len(from)) + strings.Join(to, "/")
}

func parts(name string) []string {
	if name = path.Clean(name); name == "." {
		return nil
	}
	return strings.Split(name, "/")
}

// escape makes a path a literal of MSBuild in XML. Wildcards stay.
func escape(name string) string {
	return strings.NewReplacer("%", "%25", ";", "%3B", "'", "%27", "@", "%40", "$", "%24", "&", "&amp;", "<", "&lt;",
		`"`, "&quot;").Replace(name)
}

// prop adds a property to a project.
func (p *project) prop(name, value string) {
	p.props = append(p.props, fmt.Sprintf("<%s>%s</%[1]s>", name, value))
}

// item adds an item to a project; attributes may be empty.
func (p *project) item(kind, include, attributes string) {
	p.items = append(p.items, fmt.Sprintf(`<%s Include="%s"%s />`, kind, include, leading(attributes)))
}

// meta makes a value of MSBuild part of the assembly.
func (p *project) meta(key, value string) {
	p.items = append(p.items, metadata(key, value))
}

func metadata(key, value string) string {
	return fmt.Sprintf(`<AssemblyMetadata Include="%s" Value="%s" />`, key, value)
}

func leading(attributes string) string {
	if attributes == "" {
		return ""
	}
	return " " + attributes
}

// global adds a property to all projects, and says its value in all of their assemblies.
func (g *generator) global(name, value string) {
	g.props = append(g.props, fmt.Sprintf("<PropertyGroup><%s>%s</%[1]s></PropertyGroup>\n  "+
		"<ItemGroup>%[3]s</ItemGroup>", name, value, metadata(name, "$("+name+")")))
}

// write writes the files of all projects, and what is above them.
func (g *generator) write() {
	if g.app().dir == "." {
		g.excludeOthers()
	}
	for _, p := range append(g.projects, g.others...) {
		g.writeProject(p)
	}
	file := func(name string, parts []string) {
		if len(parts) == 0 {
			return
		}
		g.add(name, "<Project>\n  "+strings.Join(parts, "\n  ")+"\n</Project>\n")
		if g.nested && g.src != "" {
			g.add(path.Join(g.src, name), fmt.Sprintf("<Project>\n  <Import "+
				"Project=\"$([MSBuild]::GetPathOfFileAbove('%s', '$(MSBuildThisFileDirectory)../'))\" />\n"+
				"  <PropertyGroup><Nested>nested v0</Nested></PropertyGroup>\n</Project>\n", name))
		}
	}
	file("Directory.Build.props", g.props)
	file("Directory.Build.targets", g.targets)
	g.repo.Publish.App = g.app().path()
	if g.repo.Publish.Project == "" && !g.unsaid {
		g.repo.Publish.Project = g.repo.Publish.App
	}
	g.writeCentral()
}

// writeCentral writes the versions of packages, if that is where they are.
func (g *generator) writeCentral() {
	if !g.central {
		return
	}
	lines := []string{"<PropertyGroup><ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally>" +
		"</PropertyGroup>", "<ItemGroup>"}
	seen := map[string]bool{}
	for _, p := range append(g.projects, g.others...) {
		for _, pkg := range p.packages {
			if !seen[pkg.name] {
				seen[pkg.name] = true
				lines = append(lines, fmt.Sprintf(`  <PackageVersion Include="%s" Version="%s" />`, pkg.name, pkg.version))
			}
		}
	}
	g.add("Directory.Packages.props", "<Project>\n  "+strings.Join(append(lines, "</ItemGroup>"), "\n  ")+"\n</Project>\n")
}

func (g *generator) writeProject(p *project) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if p.declared != "" {
		line("%s", p.declared)
	}
	line(`<Project Sdk="%s">`, p.sdk)
	for _, text := range p.head {
		line("  %s", text)
	}
	line("  <PropertyGroup>")
	if len(p.frameworks) == 1 {
		line("    <TargetFramework>%s</TargetFramework>", p.frameworks[0])
	} else {
		line("    <TargetFrameworks>%s</TargetFrameworks>", strings.Join(p.frameworks, ";"))
	}
	line("    <AssemblyName>%s</AssemblyName>", p.name)
	for _, text := range p.props {
		line("    %s", text)
	}
	line("  </PropertyGroup>")
	line("  <ItemGroup>")
	for _, ref := range p.refs {
		include := ref.include
		if include == "" {
			include = p.to(ref.to.path())
		}
		line(`    <ProjectReference Include="%s"%s />`, include, leading(ref.metadata))
	}
	for _, pkg := range p.packages {
		if g.central {
			line(`    <PackageReference Include="%s" />`, pkg.name)
		} else {
			line(`    <PackageReference Include="%s" Version="%s" />`, pkg.name, pkg.version)
		}
	}
	for _, text := range p.items {
		line("    %s", text)
	}
	line("  </ItemGroup>")
	for _, text := range p.tail {
		line("  %s", text)
	}
	line("</Project>")
	g.add(p.path(), strings.ReplaceAll(b.String(), "\n", p.line))
	g.writeCode(p)
}

// writeCode writes a class that says what the project is made of, and another one that nobody needs.
func (g *generator) writeCode(p *project) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("using System.Reflection;\n")
	line("namespace %s\n{\n    public static class Says\n    {\n        public static string Text()\n        {", p.name)
	line("            var all = new System.Collections.Generic.List<string> { %q };", p.name+" v0")
	line("            foreach (var made in typeof(Says).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>())")
	line("                all.Add(made.Key + \"=\" + made.Value);")
	for _, text := range p.says {
		line("            all.Add(%s);", text)
	}
	for _, pkg := range p.packages {
		if pkg.says != "" {
			line("            all.Add(%s);", pkg.says)
		}
	}
	for _, ref := range p.refs {
		if !ref.unused {
			line("            all.Add(%s.Says.Text());", ref.to.name)
		}
	}
	line("            return string.Join(\"\\n\", all);\n        }\n    }\n}")
	g.add(p.in("Says.cs"), b.String())
	g.add(p.in("Extra.cs"), fmt.Sprintf("namespace %s\n{\n    static class Extra\n    {\n        public const string "+
		"Text = \"extra v0\";\n    }\n}\n", p.name))
	if p.program != "" {
		g.add(p.in("Program.cs"), p.program)
	}
}

func backslashes(name string) string { return strings.ReplaceAll(name, "/", `\`) }

func doubled(name string) string { return strings.ReplaceAll(name, `\`, `\\`) }

func escapeXML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;").Replace(text)
}
