package differential

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
)

// itemFeatures are files that items name, in many ways.
var itemFeatures = []feature{
	{"linked-source", 0.25, linkedSource},
	{"sources-by-wildcard", 0.2, sourcesByWildcard},
	{"content-by-wildcard", 0.25, contentByWildcard},
	{"content-of-library", 0.25, contentOfLibrary},
	{"content-with-odd-names", 0.2, contentWithOddNames},
	{"content-by-transform", 0.15, contentByTransform},
	{"content-by-list", 0.1, contentByList},
	{"content-by-platform", 0.15, contentByPlatform},
	{"content-updated", 0.15, contentUpdated},
	{"embedded", 0.2, embedded},
	{"embedded-by-wildcard", 0.15, embeddedByWildcard},
	{"resx", 0.2, resx},
	{"resx-with-files", 0.12, resxWithFiles},
	{"manifest", 0.1, manifest},
	{"runtime-config-template", 0.15, runtimeConfigTemplate},
	{"app-config", 0.1, appConfig},
	{"explicit-sources", 0.1, explicitSources},
	{"removed-sources", 0.12, removedSources},
	{"documentation", 0.12, documentation},
	{"links", 0.12, links},
	{"names-of-housekeeping", 0.15, namesOfHousekeeping},
	{"ruleset", 0.08, ruleset},
}

func linkedSource(g *generator, r *rand.Rand) bool {
	g.add("shared/Linked.cs", "static class Linked { public const string Text = \"linked v0\"; }\n")
	for range 1 + r.IntN(2) {
		p := g.any(r)
		if !strings.Contains(strings.Join(p.items, ""), "Linked.cs") {
			p.item("Compile", p.to("shared/Linked.cs"), `Link="Linked.cs"`)
			p.says = append(p.says, "Linked.Text")
		}
	}
	return true
}

func sourcesByWildcard(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	exclude := ""
	if r.IntN(2) == 0 {
		exclude = fmt.Sprintf(`Exclude="%s"`, p.to("shared/all/**/Not*.cs"))
		g.add("shared/all/deep/NotThis.cs", "this is no C#\n")
	}
	p.item("Compile", p.to("shared/all/**/*.cs"), exclude)
	p.says = append(p.says, "All.Deep.Text")
	g.add("shared/all/deep/Deep.cs", "namespace All { static class Deep { public const string Text = \"deep v0\"; } }\n")
	g.add("shared/all/Flat.cs", "namespace All { static class Flat { public const string Text = \"flat v0\"; } }\n")
	return true
}

func contentByWildcard(g *generator, r *rand.Rand) bool {
	p := g.app()
	if len(g.projects) > 1 && r.IntN(2) == 0 {
		p = g.library(r)
	}
	kind := []string{"Content", "None"}[r.IntN(2)]
	p.item(kind, p.to("data/json/**/*.json"), `LinkBase="json" CopyToOutputDirectory="PreserveNewest"`)
	g.add("data/json/a.json", "{\"a\": \"v0\"}\n")
	g.add("data/json/deep/b.json", "{\"b\": \"v0\"}\n")
	return true
}

func contentOfLibrary(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.item("None", "notes/**", fmt.Sprintf(`Link="notes/%s-%%(RecursiveDir)%%(Filename)%%(Extension)" `+
		`CopyToOutputDirectory="%s"`, p.name, []string{"PreserveNewest", "Always"}[r.IntN(2)]))
	g.add(p.in("notes/one.txt"), "one v0\n")
	g.add(p.in("notes/deep/two.md"), "two v0\n")
	g.add(p.in("notes/README.md"), "readme v0\n")
	return true
}

func contentWithOddNames(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	folder := "data/" + drawOdd(r) + " files"
	names := []string{folder + "/" + drawOdd(r) + ".txt", folder + "/" + drawOdd(r) + "/plain.txt"}
	for _, name := range names {
		g.add(name, path.Base(name)+" v0\n")
	}
	include := p.to(folder) + p.slashes("/**")
	if strings.ContainsAny(folder, "[]") || r.IntN(2) == 0 {
		include = p.to(names[0]) + ";" + p.to(names[1])
	}
	p.item("Content", include, `LinkBase="odd" CopyToOutputDirectory="PreserveNewest"`)
	return true
}

func contentByTransform(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.items = append(p.items, `<Module Include="Wheel;Door" />`,
		fmt.Sprintf(`<None Include="@(Module->'%s')" Link="modules/%%(Filename)%%(Extension)" `+
			`CopyToOutputDirectory="PreserveNewest" />`, p.slashes(escape(relative(p.dir,
			"data/modules"))+"/%(Identity).module")))
	for _, name := range []string{"Wheel", "Door", "Unused"} {
		g.add("data/modules/"+name+".module", name+" v0\n")
	}
	return true
}

// contentByList has the names of files in a file.
func contentByList(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	if strings.ContainsAny(p.dir, "%$@;") {
		return false // the list has no escapes
	}
	const list = "$([MSBuild]::Unescape($([System.IO.File]::ReadAllText('$(MSBuildProjectDirectory)/list.txt').Trim())))"
	p.item("Content", list,
		`Link="listed/%(Filename)%(Extension)" CopyToOutputDirectory="PreserveNewest"`)
	g.add(p.in("list.txt"), relative(p.dir, "data/listed/one.bin")+";"+relative(p.dir, "data/listed/two.bin")+"\n")
	for _, name := range []string{"one", "two", "three"} {
		g.add("data/listed/"+name+".bin", name+" v0\n")
	}
	return true
}

func contentByPlatform(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	for _, rid := range []string{"linux-x64", "linux-arm64", ""} {
		name := "native/" + map[bool]string{true: "any"}[rid == ""] + rid + "/shop.bin"
		g.add(p.in(name), "for "+rid+" v0\n")
		p.items = append(p.items, fmt.Sprintf(`<Content Include="%s" Link="%s.bin" `+
			`CopyToOutputDirectory="PreserveNewest" Condition="'$(RuntimeIdentifier)' == '%s'" />`, p.slashes(name), p.name,
			rid))
	}
	return true
}

func contentUpdated(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.items = append(p.items, fmt.Sprintf(`<None Update="templates/*.tmpl" CopyToOutputDirectory="PreserveNewest" `+
		`Link="templates/%s/%%(Filename)%%(Extension)" />`, p.name))
	g.add(p.in("templates/a.tmpl"), "template v0\n")
	g.add(p.in("templates/b.tmpl"), "template v0\n")
	return true
}

const readResource = `new System.IO.StreamReader(typeof(Says).Assembly.GetManifestResourceStream("%s")).ReadToEnd()`

func embedded(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	name := []string{"shared/words.txt", p.in("words.txt"), p.in("words.md")}[r.IntN(3)]
	p.item("EmbeddedResource", p.to(name), `LogicalName="words"`)
	p.says = append(p.says, fmt.Sprintf(readResource, "words"))
	g.add(name, "words v0\n")
	return true
}

func embeddedByWildcard(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.item("EmbeddedResource", p.to("data/sql/**/*.sql"), `LogicalName="sql/%(RecursiveDir)%(Filename)"`)
	g.add("data/sql/create.sql", "-- v0\n")
	g.add("data/sql/drop/drop.sql", "-- v0\n")
	return true
}

const token = "Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"

func resxFile(data string) string {
	const of = ", System.Windows.Forms, " + token
	head := func(name, value string) string {
		return fmt.Sprintf("  <resheader name=\"%s\"><value>%s</value></resheader>\n", name, value)
	}
	return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<root>\n" + head("resmimetype",
		"text/microsoft-resx") + head("version", "2.0") +
		head("reader", "System.Resources.ResXResourceReader"+of) + head("writer",
		"System.Resources.ResXResourceWriter"+of) + data + "</root>\n"
}

func resx(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	for _, culture := range []string{"", ".de", ".fr-CA"} {
		g.add(p.in("Strings"+culture+".resx"),
			resxFile("  <data name=\"Hello\" xml:space=\"preserve\"><value>hello"+culture+" v0</value></data>\n"))
	}
	if r.IntN(3) == 0 {
		p.prop("SatelliteResourceLanguages", "de")
	}
	return true
}

// resxWithFiles has resources whose values are in files.
func resxWithFiles(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	name := []string{"shared/texts/long.txt", p.in("texts/long.txt")}[r.IntN(2)]
	g.add(p.in("Texts.resx"), resxFile(fmt.Sprintf("  <data name=\"Long\" type=\"System.Resources.ResXFileRef, "+
		"System.Windows.Forms, %s\"><value>%s;System.String, mscorlib, %[1]s;utf-8</value></data>\n", token,
		escapeXML(backslashes(relative(p.dir, name))))))
	g.add(name, "long text v0\n")
	return true
}

func manifest(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	name := []string{p.in("app.manifest"), "shared/app.manifest"}[r.IntN(2)]
	p.prop("ApplicationManifest", p.to(name))
	g.add(name, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<assembly manifestVersion=\"1.0\" "+
		"xmlns=\"urn:schemas-microsoft-com:asm.v1\"><!-- v0 --></assembly>\n")
	return true
}

func runtimeConfigTemplate(g *generator, r *rand.Rand) bool {
	name := "runtimeconfig.template.json"
	if r.IntN(2) == 0 {
		name = "settings.of.runtime"
		g.app().prop("UserRuntimeConfig", "$(MSBuildProjectDirectory)/"+name)
	}
	g.add(g.app().in(name), "{ \"configProperties\": { \"Shop.Setting\": \"v0\" } }\n")
	return true
}

func appConfig(g *generator, _ *rand.Rand) bool {
	g.add(g.app().in("App.config"), "<configuration><!-- v0 --></configuration>\n")
	return true
}

func explicitSources(g *generator, r *rand.Rand) bool {
	p := g.library(r)
	if p == nil {
		return false
	}
	p.prop("EnableDefaultCompileItems", "false")
	p.item("Compile", "Says.cs;Extra.cs", "")
	p.item("Compile", "more/*.cs", "")
	g.add(p.in("Unused.cs"), "this is no C#\n")
	g.add(p.in("more/More.cs"), "static class More { public const string Text = \"more v0\"; }\n")
	p.says = append(p.says, "More.Text")
	for _, name := range []string{"Frameworks.cs", "Warned.cs"} {
		if _, ok := g.repo.Tree[p.in(name)]; ok {
			p.item("Compile", name, "")
		}
	}
	return true
}

func removedSources(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.items = append(p.items, `<Compile Remove="templates/**/*.cs;old.cs" />`, `<None Include="templates/**/*.cs" `+
		`Link="templates/`+p.name+`/%(Filename)%(Extension)" CopyToOutputDirectory="PreserveNewest" />`)
	g.add(p.in("templates/Class.cs"), "class $name$ v0\n")
	g.add(p.in("old.cs"), "this is no C#\n")
	return true
}

func documentation(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.prop("GenerateDocumentationFile", "true")
	p.prop("NoWarn", "$(NoWarn);CS1591")
	g.add(p.in("Documented.cs"), "namespace "+p.name+"\n{\n    /// <summary>documented v0</summary>\n    public "+
		"static class Documented { }\n}\n")
	return true
}

// links has symbolic links: to a source, and to a folder of content.
func links(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.add("shared/Real.cs", "static class Real { public const string Text = \"real v0\"; }\n")
	g.repo.Tree[p.in("Real.cs")] = File{Link: relative(p.dir, "shared/Real.cs")}
	p.says = append(p.says, "Real.Text")
	if strings.Contains(strings.Join(p.props, ""), "EnableDefaultCompileItems") {
		p.item("Compile", "Real.cs", "")
	}
	if r.IntN(2) == 0 {
		g.add("shared/real/linked.dat", "linked v0\n")
		g.repo.Tree[p.in("linked")] = File{Link: relative(p.dir, "shared/real")}
		p.item("None", "linked/**/*.dat", fmt.Sprintf(`Link="linked/%s/%%(Filename)%%(Extension)" `+
			`CopyToOutputDirectory="PreserveNewest"`, p.name))
	}
	return true
}

// namesOfHousekeeping uses files that most projects do not use.
func namesOfHousekeeping(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	names := []string{"README.md", "docker-compose.yml", "Dockerfile", ".gitlab-ci.yml", ".dockerignore.sample",
		".github/notes.txt"}
	name := names[r.IntN(len(names))]
	if r.IntN(2) == 0 {
		name = p.in(name)
	}
	g.add(name, "# v0\n")
	if r.IntN(2) == 0 {
		p.item("EmbeddedResource", p.to(name), `LogicalName="house"`)
	} else {
		p.item("None", p.to(name), fmt.Sprintf(`Link="house-%s.txt" CopyToPublishDirectory="PreserveNewest"`, p.name))
	}
	return true
}

func ruleset(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.add(p.in("Warned2.cs"), "namespace "+p.name+"\n{\n    class Warned2 { int unused; }\n}\n")
	p.prop("CodeAnalysisRuleSet", p.to("eng/team.ruleset"))
	g.add("eng/team.ruleset", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<RuleSet Name=\"team\" "+
		"ToolsVersion=\"17.0\">\n  <Include Path=\"base.ruleset\" Action=\"Default\" />\n</RuleSet>\n")
	g.add("eng/base.ruleset", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<RuleSet Name=\"base\" "+
		"ToolsVersion=\"17.0\">\n  <Rules AnalyzerId=\"C#\" RuleNamespace=\"C#\"><Rule Id=\"CS0169\" Action=\"None\" "+
		"/></Rules>\n</RuleSet>\n")
	return true
}
