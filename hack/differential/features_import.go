package differential

import (
	"fmt"
	"math/rand/v2"
	"path"
)

// importFeatures are files that project files import, and other files that decide properties.
var importFeatures = []feature{
	{"import-relative", 0.2, importRelative},
	{"import-wildcard", 0.15, importWildcard},
	{"import-sideways", 0.15, importSideways},
	{"import-by-property", 0.2, importByProperty},
	{"import-if-there", 0.2, importIfThere},
	{"import-of-shared-items", 0.1, importSharedItems},
	{"version-file", 0.2, versionFile},
	{"version-by-property", 0.12, versionByProperty},
	{"count-of-files", 0.1, countOfFiles},
	{"exists-folder", 0.2, existsFolder},
	{"exists-file", 0.15, existsFile},
	{"properties-of-command-line", 0.12, commandLine},
	{"publish-profile", 0.12, publishProfile},
	{"solution", 0.2, solution},
	{"hook-of-common-targets", 0.1, hookOfCommonTargets},
	{"global-json", 0.1, globalJSON},
	{"global-config", 0.12, globalConfig},
}

func propsFile(name, value string) string {
	return fmt.Sprintf("<Project>\n  <PropertyGroup><%s>%s</%[1]s></PropertyGroup>\n</Project>\n", name, value)
}

func (g *generator) metaOfAll(name string) {
	g.props = append(g.props, "<ItemGroup>"+metadata(name, "$("+name+")")+"</ItemGroup>")
}

func importRelative(g *generator, _ *rand.Rand) bool {
	g.props = append(g.props, `<Import Project="build/common.props" />`)
	g.add("build/common.props", "<Project>\n  <Import Project=\"../eng/more.props\" />\n  "+
		"<PropertyGroup><Common>common v0</Common></PropertyGroup>\n</Project>\n")
	g.add("eng/more.props", propsFile("More", "more v0"))
	g.metaOfAll("Common")
	g.metaOfAll("More")
	return true
}

func importWildcard(g *generator, r *rand.Rand) bool {
	pattern := []string{"eng/parts/*.props", "$(MSBuildThisFileDirectory)eng/parts/*.props",
		"eng/parts/**/*.part"}[r.IntN(3)]
	ext := path.Ext(pattern)
	g.props = append(g.props, fmt.Sprintf(`<Import Project="%s" />`, pattern))
	for _, name := range []string{"a", "b"} {
		g.add("eng/parts/"+name+ext, propsFile("Part"+name, name+" v0"))
		g.metaOfAll("Part" + name)
	}
	return true
}

func importSideways(g *generator, r *rand.Rand) bool {
	p, other := g.any(r), g.any(r)
	name := other.in("for-others.props")
	p.head = append(p.head, fmt.Sprintf(`<Import Project="%s" />`, p.to(name)))
	p.meta("ForOthers", "$(ForOthers)")
	g.add(name, propsFile("ForOthers", "for others v0"))
	return true
}

// importByProperty imports a file whose name says nothing, by a path that has to be worked out.
func importByProperty(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.head = append(p.head, "<PropertyGroup>"+
		"<Eng>$([MSBuild]::GetDirectoryNameOfFileAbove('$(MSBuildThisFileDirectory)', 'repository.root'))/eng/</Eng>"+
		"</PropertyGroup>",
		`<Import Project="$(Eng)named.msbuild" />`)
	p.meta("Named", "$(Named)")
	g.add("repository.root", "")
	g.add("eng/named.msbuild", propsFile("Named", "named v0"))
	return true
}

func importIfThere(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.head = append(p.head, `<Import Project="local.props" Condition="Exists('local.props')" />`)
	p.meta("Local", "$(Local)")
	if name := p.in("local.props"); r.IntN(2) == 0 {
		g.add(name, propsFile("Local", "local v0"))
	}
	return true
}

func importSharedItems(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.tail = append(p.tail, fmt.Sprintf(`<Import Project="%s" Label="Shared" />`, p.to("shared/items/Items.projitems")))
	p.says = append(p.says, "Items.Text")
	g.add("shared/items/Items.projitems", "<Project>\n  <ItemGroup><Compile "+
		"Include=\"$(MSBuildThisFileDirectory)Items.cs\" /></ItemGroup>\n</Project>\n")
	g.add("shared/items/Items.cs", "static class Items { public const string Text = \"items v0\"; }\n")
	return true
}

func versionFile(g *generator, _ *rand.Rand) bool {
	g.props = append(g.props, "<PropertyGroup>"+
		"<Version>$([System.IO.File]::ReadAllText('$(MSBuildThisFileDirectory)VERSION').Trim())</Version></PropertyGroup>")
	g.add("VERSION", "4.7.1\n")
	return true
}

func versionByProperty(g *generator, _ *rand.Rand) bool {
	g.props = append(g.props, "<PropertyGroup>\n    "+
		"<ShopFile>$(MSBuildThisFileDirectory)shop.properties</ShopFile>\n    "+
		"<ShopText>$([System.IO.File]::ReadAllText($(ShopFile)))</ShopText>\n"+
		"    <FileVersion>$([System.Text.RegularExpressions.Regex]::Match($(ShopText), "+
		"`version=(\\S+)`).Groups[1].Value)</FileVersion>\n  </PropertyGroup>")
	g.add("shop.properties", "name=shop\nversion=5.2.0\n")
	return true
}

func countOfFiles(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.meta("Count", "$([System.IO.Directory]::GetFiles('$(MSBuildProjectDirectory)/"+escape(relative(p.dir,
		"data/count"))+"').Length)")
	g.add("data/count/a.txt", "a v0\n")
	g.add("data/count/b.txt", "b v0\n")
	return true
}

// existsFolder takes files from one folder or another.
func existsFolder(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.add("data/"+[]string{"new", "old"}[r.IntN(2)]+"/choice.txt", "choice v0\n")
	p.prop("Choice", p.to("data/new"))
	p.props = append(p.props, fmt.Sprintf(`<Choice Condition="!Exists('$(Choice)')">%s</Choice>`, p.to("data/old")))
	p.item("Content", "$(Choice)/**/*.txt", `Link="choices/%(Filename)%(Extension)" `+
		`CopyToOutputDirectory="PreserveNewest"`)
	return true
}

func existsFile(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	name := []string{p.in("flags/fast"), "data/flags/fast"}[r.IntN(2)]
	p.props = append(p.props, fmt.Sprintf(`<Fast Condition="Exists('$(MSBuildProjectDirectory)/%s')">is there</Fast>`,
		escape(relative(p.dir, name))))
	p.meta("Fast", "$(Fast)")
	if r.IntN(2) == 0 {
		g.add(name, "")
	}
	g.add(path.Join(path.Dir(name), "slow"), "")
	return true
}

// commandLine has properties that dotnet publish takes from a file.
func commandLine(g *generator, r *rand.Rand) bool {
	g.metaOfAll("Edition")
	dir := []string{".", g.src, g.app().dir}[r.IntN(3)]
	g.add(path.Join(dir, "Directory.Build.rsp"), "# of all builds\n-p:Edition=prov0\n")
	return true
}

func publishProfile(g *generator, r *rand.Rand) bool {
	app := g.app()
	app.prop("PublishProfile", "Container")
	app.meta("Profile", "$(Profile)")
	g.add(app.in("Properties/PublishProfiles/Container.pubxml"), propsFile("Profile", "profile v0"))
	if r.IntN(2) == 0 {
		app.item("None", "extra-of-profile.txt", `CopyToPublishDirectory="PreserveNewest" Condition="'$(Profile)' != ''"`)
		g.add(app.in("extra-of-profile.txt"), "extra of profile v0\n")
	}
	return true
}

// solution has one solution, and a project that takes files from the folder of the solution.
func solution(g *generator, r *rand.Rand) bool {
	kind := []string{".sln", ".slnx", ".slnf"}[r.IntN(3)]
	dir := []string{".", "build"}[r.IntN(2)]
	file := path.Join(dir, "Shop"+kind)
	g.repo.Publish.Project = file
	p := g.any(r)
	p.item("Compile", "$(SolutionDir)SharedInfo.cs", `Link="SharedInfo.cs"`)
	p.says = append(p.says, "SharedInfo.Text")
	g.add(path.Join(dir, "SharedInfo.cs"), "static class SharedInfo { public const string Text = \"of the solution "+
		"v0\"; }\n")
	var sln, slnx, slnf string
	for i, p := range g.projects {
		name := relative(dir, p.path())
		sln += fmt.Sprintf("Project(\"{9A19103F-16F7-4668-BE54-9A1E7A4F7556}\") = \"%s\", \"%s\", "+
			"\"{11111111-0000-0000-0000-%012d}\"\nEndProject\n", p.name, backslashes(name), i)
		slnx += fmt.Sprintf("  <Project Path=\"%s\" />\n", escapeXML(name))
		slnf += fmt.Sprintf("%s\"%s\"", map[bool]string{true: ", "}[i > 0], doubled(backslashes(name)))
	}
	switch kind {
	case ".slnx":
		g.add(file, "<Solution>\n"+slnx+"</Solution>\n")
	case ".slnf":
		g.add(file, fmt.Sprintf("{ \"solution\": { \"path\": \"Shop.sln\", \"projects\": [%s] } }\n", slnf))
		fallthrough
	default:
		g.add(path.Join(dir, "Shop.sln"), "Microsoft Visual Studio Solution File, Format Version 12.00\n"+sln+"Global\n"+
			"EndGlobal\n")
	}
	return true
}

// hookOfCommonTargets uses a property by which crosshull, too, has its targets imported.
func hookOfCommonTargets(g *generator, r *rand.Rand) bool {
	name := []string{"CustomAfterMicrosoftCommonTargets", "CustomBeforeMicrosoftCommonTargets",
		"CustomAfterMicrosoftCSharpTargets", "BeforeMicrosoftNETSdkTargets"}[r.IntN(4)]
	g.props = append(g.props, fmt.Sprintf("<PropertyGroup><%s>$(MSBuildThisFileDirectory)eng/hook.targets</%[1]s>"+
		"</PropertyGroup>", name))
	g.add("eng/hook.targets", "<Project>\n  <ItemGroup>"+metadata("Hook", "hook v0")+"</ItemGroup>\n</Project>\n")
	return true
}

func globalJSON(g *generator, r *rand.Rand) bool {
	g.add("global.json", []string{
		"{ \"sdk\": { \"version\": \"10.0.100\", \"rollForward\": \"latestFeature\" } }\n",
		"{\n  // of the team\n  \"sdk\": { \"version\": \"10.0.100\", \"rollForward\": \"latestMinor\", " +
			"\"allowPrerelease\": false }\n}\n",
		"{ \"sdk\": { \"version\": \"8.0.100\", \"rollForward\": \"major\" } }\n",
		"{ \"msbuild-sdks\": { \"Company.Sdk\": \"1.0.0\" } }\n",
	}[r.IntN(4)])
	return true
}

// globalConfig sets the severity of a warning of the compiler.
func globalConfig(g *generator, r *rand.Rand) bool {
	severity := []string{"none", "suggestion", "warning"}[r.IntN(3)]
	p := g.any(r)
	g.add(p.in("Warned.cs"), "namespace "+p.name+"\n{\n    class Warned { int unused; }\n}\n")
	if r.IntN(2) == 0 {
		g.add(".editorconfig", "root = true\n[*.cs]\ndotnet_diagnostic.CS0169.severity = "+severity+"\n")
	} else {
		g.add(".globalconfig", "is_global = true\ndotnet_diagnostic.CS0169.severity = "+severity+"\n")
	}
	return true
}
