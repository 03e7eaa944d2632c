package differential

import (
	_ "embed" // of assemblies whose sources are not here
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/hack/lab/feed"
)

// projectFeatures are kinds of projects, and what projects use.
var projectFeatures = []feature{
	{"packages", 0.3, packages},
	{"lock-file", 0.1, lockFile},
	{"package-of-repository", 0.12, packageOfRepository},
	{"sdk-of-repository", 0.06, sdkOfRepository},
	{"native-package", 0.03, nativePackage},
	{"framework-reference", 0.1, frameworkReference},
	{"web-app", 0.2, webApp},
	{"razor-pages", 0.3, razorPages},
	{"static-assets", 0.4, staticAssets},
	{"large-asset", 0.15, largeAsset},
	{"razor-library", 0.12, razorLibrary},
	{"generator", 0.15, generatorProject},
	{"reference-by-wildcard", 0.1, referenceByWildcard},
	{"reference-by-property", 0.15, referenceByProperty},
	{"reference-if-there", 0.15, referenceIfThere},
	{"reference-with-metadata", 0.15, referenceWithMetadata},
	{"direct-references", 0.05, directReferences},
	{"assembly-name-by-property", 0.1, assemblyNameByProperty},
	{"artifacts-output", 0.1, artifactsOutput},
	{"outputs-elsewhere", 0.1, outputsElsewhere},
	{"hint-path", 0.15, hintPath},
	{"signed", 0.1, signed},
}

// fed are packages that the lab's feed has, each with C# that uses it.
var fed = []pkg{
	{"Newtonsoft.Json", "13.0.3", `Newtonsoft.Json.JsonConvert.SerializeObject(new[] { 1, 2 })`},
	{"Newtonsoft.Json", "13.0.4", `Newtonsoft.Json.JsonConvert.SerializeObject(new[] { 1, 2 })`},
	{"Serilog", "4.3.0", "typeof(Serilog.Log).FullName"},
	{"Dapper", "2.1.66", "typeof(Dapper.SqlMapper).FullName"},
	{"System.CommandLine", "2.0.12", "typeof(System.CommandLine.RootCommand).FullName"},
	{"Npgsql", "9.0.3", "typeof(Npgsql.NpgsqlConnection).FullName"},
}

func (p *project) use(of pkg) {
	for _, has := range p.packages {
		if has.name == of.name {
			return
		}
	}
	p.packages = append(p.packages, of)
}

func packages(g *generator, r *rand.Rand) bool {
	newest := r.IntN(2) // one version in a repository: a reference to an older one of a library is an error
	for range 1 + r.IntN(3) {
		of := fed[1+r.IntN(len(fed)-1)]
		if of.name == "Newtonsoft.Json" {
			of = fed[newest]
		}
		g.any(r).use(of)
	}
	return true
}

// lockFile has a library with a lock file that fits.
func lockFile(g *generator, r *rand.Rand) bool {
	p := g.library(r)
	if p == nil || len(p.refs) > 0 || len(p.packages) > 0 || len(p.frameworks) > 1 || g.perPlatform() || g.central {
		return false
	}
	p.packages = []pkg{fed[0]}
	p.prop("RestorePackagesWithLockFile", "true")
	name := p.in("packages.lock.json")
	if r.IntN(2) == 0 {
		name = "eng/locks/" + p.name + ".lock.json"
		p.prop("NuGetLockFilePath", p.to(name))
	}
	if r.IntN(2) == 0 {
		p.prop("RestoreLockedMode", "true")
	}
	g.add(name, `{
  "version": 1,
  "dependencies": {
    "net10.0": {
      "Newtonsoft.Json": {
        "type": "Direct",
        "requested": "[13.0.3, )",
        "resolved": "13.0.3",
        "contentHash": "HrC5BXdl00IP9zeV+0Z848QWPAoCr9P3bDEZguI+gkLcBKAOxix/tLEAAHC+UvDNPv4a2d18lOReHMOagPa+zQ=="
      }
    }
  }
}
`)
	return true
}

// ownFeed makes a folder of the repository a source of packages.
func (g *generator) ownFeed() {
	g.add("nuget.config", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n  <packageSources><add "+
		"key=\"own\" value=\"eng/packages\" /></packageSources>\n</configuration>\n")
}

// packageOfRepository has a package whose targets read files of the project.
func packageOfRepository(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	if p.dir == "." {
		return false
	}
	g.ownFeed()
	p.use(pkg{name: "Team.Stamp", version: "1.0.0"})
	const targets = `<Project>
  <ItemGroup>
    <EmbeddedResource Include="$(MSBuildProjectDirectory)/*.stamp" LogicalName="stamp/%(Filename)" />
  </ItemGroup>
  <Target Name="TeamStamp" BeforeTargets="GetAssemblyAttributes">
    <ReadLinesFromFile File="$(MSBuildProjectDirectory)/../team.txt">
    <Output TaskParameter="Lines" ItemName="TeamLine" /></ReadLinesFromFile>
    <ItemGroup><AssemblyMetadata Include="Team" Value="@(TeamLine)" /></ItemGroup>
  </Target>
</Project>
`
	g.add("eng/packages/Team.Stamp.1.0.0.nupkg", feed.Package("Team.Stamp", "1.0.0", "build/Team.Stamp.targets", targets))
	g.add(p.in("one.stamp"), "stamp v0\n")
	g.add(p.in("../team.txt"), "team v0\n")
	return true
}

// sdkOfRepository has an SDK in a package of a folder.
func sdkOfRepository(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.ownFeed()
	p.head = append(p.head, `<Sdk Name="Team.Sdk" Version="1.0.0" />`)
	p.meta("TeamSdk", "$(TeamSdk)")
	g.add("eng/packages/Team.Sdk.1.0.0.nupkg", feed.Package("Team.Sdk", "1.0.0", "Sdk/Sdk.props", propsFile("TeamSdk",
		"team sdk v0"), "Sdk/Sdk.targets", "<Project />\n"))
	return true
}

func nativePackage(g *generator, r *rand.Rand) bool {
	g.any(r).use(pkg{"SQLitePCLRaw.lib.e_sqlite3", "2.1.13", ""})
	return true
}

// frameworkReference has a library that needs ASP.NET Core, in an app that does not say so.
func frameworkReference(g *generator, r *rand.Rand) bool {
	p := g.library(r)
	if p == nil {
		return false
	}
	p.item("FrameworkReference", "Microsoft.AspNetCore.App", "")
	p.says = append(p.says, "typeof(Microsoft.AspNetCore.Http.HttpContext).FullName")
	return true
}

const sdkWeb = "Microsoft.NET.Sdk.Web"

func webApp(g *generator, _ *rand.Rand) bool {
	app := g.app()
	app.sdk = sdkWeb
	app.program = webProgram(app, "")
	g.add(app.in("appsettings.json"), "{ \"Shop\": \"v0\" }\n")
	g.add(app.in("appsettings.Production.json"), "{ \"Shop\": \"v0\" }\n")
	return true
}

func webProgram(app *project, pages string) string {
	more := map[bool]string{true: "builder.Services.AddRazorPages();\n"}[pages != ""]
	return "using Microsoft.AspNetCore.Builder;\nusing Microsoft.Extensions.DependencyInjection;\nvar builder = " +
		"WebApplication.CreateBuilder(args);\n" + more +
		"var app = builder.Build();\nSystem.Console.WriteLine(" + app.name + ".Says.Text());\napp.MapStaticAssets();\n" +
		pages + "app.Run();\n"
}

func razorPages(g *generator, r *rand.Rand) bool {
	app := g.app()
	if app.sdk != sdkWeb {
		return false
	}
	app.program = webProgram(app, "app.MapRazorPages();\n")
	g.add(app.in("Views/Index.cshtml"), "@page\n<h1>index v0</h1>\n")
	if r.IntN(2) == 0 {
		g.add(app.in("Views/Index.cshtml.css"), "h1 { color: blue } /* v0 */\n")
	}
	if r.IntN(3) == 0 {
		g.add(app.in("Views/Index.cshtml.js"), "console.log('v0');\n")
	}
	return true
}

func staticAssets(g *generator, r *rand.Rand) bool {
	app := g.app()
	if app.sdk != sdkWeb {
		return false
	}
	g.add(app.in("wwwroot/css/site.css"), "body { margin: 0 } /* v0 */\n")
	g.add(app.in("wwwroot/js/site.js"), "console.log('v0');\n")
	if r.IntN(3) == 0 {
		app.item("Content", app.to("data/assets/**"), `Link="wwwroot/linked/%(RecursiveDir)%(Filename)%(Extension)"`)
		g.add("data/assets/logo.svg", "<svg><!-- v0 --></svg>\n")
	}
	return true
}

// largeAsset makes the assets so large that crosshull has a step for them.
func largeAsset(g *generator, _ *rand.Rand) bool {
	app := g.app()
	if app.sdk != sdkWeb {
		return false
	}
	g.add(app.in("wwwroot/js/large.js"), strings.Repeat("console.log('large v0');\n", 25_000))
	return true
}

func razorLibrary(g *generator, r *rand.Rand) bool {
	p := g.library(r)
	if p == nil || g.app().sdk != sdkWeb || len(p.frameworks) > 1 {
		return false
	}
	p.sdk = "Microsoft.NET.Sdk.Razor"
	p.item("FrameworkReference", "Microsoft.AspNetCore.App", "")
	g.add(p.in("Button.razor"), "<button>press v0</button>\n")
	g.add(p.in("Button.razor.css"), "button { color: red } /* v0 */\n")
	g.add(p.in("wwwroot/widget.js"), "console.log('widget v0');\n")
	return true
}

// generatorProject has a source generator, which reads text templates.
func generatorProject(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	if len(p.frameworks) > 1 {
		return false
	}
	maker := g.newProject("Maker", r)
	maker.item("Reference", "$(RoslynTargetsPath)/bincore/Microsoft.CodeAnalysis.dll", `Private="false"`)
	maker.prop("EnforceExtendedAnalyzerRules", "false")
	g.add(maker.in("Maker.cs"), `using Microsoft.CodeAnalysis;

[Generator]
public class TextMaker : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        context.RegisterPostInitializationOutput(c =>
            c.AddSource("Maker.g.cs", "static class MadeByMaker { public const string Text = \"maker v0\"; }"));
        context.RegisterSourceOutput(context.AdditionalTextsProvider, (c, text) =>
        {
            var name = System.IO.Path.GetFileNameWithoutExtension(text.Path);
            var constant = "{ public const string Text = \"" + text.GetText().ToString().Trim() + "\"; }";
            c.AddSource("Template" + name + ".g.cs", "static class Template" + name + constant);
        });
    }
}
`)
	g.others = append(g.others, maker)
	p.refs = append(p.refs, reference{to: maker, metadata: `OutputItemType="Analyzer" ReferenceOutputAssembly="false"`,
		unused: true})
	p.says = append(p.says, "MadeByMaker.Text", "TemplateOne.Text")
	name := []string{p.in("One.template"), "shared/templates/One.template"}[r.IntN(2)]
	p.item("AdditionalFiles", p.to(name), "")
	g.add(name, "template v0\n")
	return true
}

// referenceByWildcard references all projects of a folder.
func referenceByWildcard(g *generator, r *rand.Rand) bool {
	app := g.app()
	if app.dir == "." {
		return false
	}
	module := g.newProject("Module", r)
	module.dir, module.file = "modules/One", "One.csproj"
	g.others = append(g.others, module)
	app.items = append(app.items, fmt.Sprintf(`<ProjectReference Include="%s" />`, app.to("modules/**/*.csproj")))
	app.says = append(app.says, "Module.Says.Text()")
	return true
}

func referenceByProperty(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	if len(p.refs) == 0 {
		return false
	}
	ref := &p.refs[r.IntN(len(p.refs))]
	g.props = append(g.props, "<PropertyGroup><RootOfAll>$(MSBuildThisFileDirectory)</RootOfAll></PropertyGroup>")
	ref.include = "$(RootOfAll)" + escape(ref.to.path())
	return true
}

// referenceIfThere references a project only if it is there, and says so.
func referenceIfThere(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	optional := g.newProject("Optional", r)
	file := p.to(optional.path())
	p.items = append(p.items, fmt.Sprintf(`<ProjectReference Include="%s" Condition="Exists('%[1]s')" />`, file))
	p.meta("Optional", "$([System.IO.File]::Exists('$(MSBuildProjectDirectory)/"+escape(relative(p.dir,
		optional.path()))+"'))")
	if r.IntN(2) == 0 {
		g.others = append(g.others, optional)
	}
	return true
}

func referenceWithMetadata(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	if len(p.refs) == 0 {
		return false
	}
	ref := &p.refs[r.IntN(len(p.refs))]
	ref.metadata = []string{`PrivateAssets="all"`, `Private="false"`, `ReferenceOutputAssembly="false"`,
		`ExcludeAssets="contentFiles"`, `GlobalPropertiesToRemove="Nothing"`}[r.IntN(5)]
	ref.unused = strings.HasPrefix(ref.metadata, "Ref")
	return true
}

func directReferences(g *generator, _ *rand.Rand) bool {
	g.props = append(g.props, "<PropertyGroup>"+
		"<DisableTransitiveProjectReferences>true</DisableTransitiveProjectReferences></PropertyGroup>")
	return true
}

func assemblyNameByProperty(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.prop("AssemblyName", "Company.$(MSBuildProjectName.Length)."+p.name)
	return true
}

// staleAssets is what a restore on Windows leaves.
const staleAssets = `{
  "version": 3, "targets": { "net10.0": {} }, "libraries": {}, "projectFileDependencyGroups": { "net10.0": [] },
  "packageFolders": { "C:\\Users\\dev\\.nuget\\packages\\": {} },
  "project": {
    "version": "1.0.0", "restore": { "projectPath": "C:\\work\\shop.csproj" }, "frameworks": { "net10.0": {} }
  }
}
`

// artifactsOutput has outputs in one folder, and what a build of the host left there.
func artifactsOutput(g *generator, r *rand.Rand) bool {
	if slices.Contains(g.repo.Features, "copy-after-build") {
		return false // it takes a file from bin
	}
	g.props = append(g.props, "<PropertyGroup><UseArtifactsOutput>true</UseArtifactsOutput></PropertyGroup>")
	p := g.any(r)
	name := strings.TrimSuffix(p.file, ".csproj")
	g.repo.Host["artifacts/obj/"+name+"/project.assets.json"] = File{Data: staleAssets}
	g.repo.Host["artifacts/bin/"+name+"/debug/Stale.cs"] = File{Data: "this is no C#\n"}
	return true
}

// outputsElsewhere has intermediate outputs in a folder of its own.
func outputsElsewhere(g *generator, r *rand.Rand) bool {
	if len(g.props) > 0 && strings.Contains(strings.Join(g.props, ""), "UseArtifactsOutput") || g.app().dir == "." {
		return false
	}
	g.props = append(g.props, "<PropertyGroup>"+
		"<BaseIntermediateOutputPath>$(MSBuildThisFileDirectory)out/obj/$(MSBuildProjectName)/</BaseIntermediateOutputPath>"+
		"</PropertyGroup>")
	p := g.any(r)
	g.repo.Host["out/obj/"+strings.TrimSuffix(p.file, ".csproj")+"/project.assets.json"] = File{Data: staleAssets}
	return true
}

// hintPath has an assembly that is in the repository, beside another one that it needs.
func hintPath(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.items = append(p.items, fmt.Sprintf(`<Reference Include="Vendor.Api"><HintPath>%s</HintPath></Reference>`,
		p.to("vendor/lib/Vendor.Api.dll")))
	p.says = append(p.says, "Vendor.Api.Client.Name")
	g.add("vendor/lib/Vendor.Api.dll", vendorAPI)
	g.add("vendor/lib/Vendor.Core.dll", vendorCore)
	if r.IntN(2) == 0 {
		g.add("vendor/lib/Vendor.Api.xml", "<doc><!-- v0 --></doc>\n")
	}
	return true
}

var (
	//go:embed testdata/Vendor.Api.dll
	vendorAPI string
	//go:embed testdata/Vendor.Core.dll
	vendorCore string
)

// teamKey is a public key as the compiler takes it. Its numbers mean nothing, because nobody verifies a signature.
var teamKey = "\x00\x24\x00\x00\x04\x80\x00\x00\x94\x00\x00\x00\x06\x02\x00\x00\x00\x24\x00\x00" +
	"RSA1\x00\x04\x00\x00\x01\x00\x01\x00" +
	strings.Repeat("key v0..", 16)

func signed(g *generator, r *rand.Rand) bool {
	p := g.library(r)
	if p == nil || len(p.refs) > 0 {
		return false
	}
	p.prop("SignAssembly", "true")
	p.prop("PublicSign", "true")
	p.prop("AssemblyOriginatorKeyFile", p.to("eng/keys/team.snk"))
	g.add("eng/keys/team.snk", teamKey)
	return true
}
