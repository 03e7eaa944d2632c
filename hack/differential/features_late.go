package differential

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// lateFeatures read a file that the first evaluation of a project does not show: it takes a restore, a target of the
// SDK, or another evaluation.
var lateFeatures = []feature{
	{"after-restore", 0.04, afterRestore},
	{"target-of-restore", 0.03, targetOfRestore},
	{"path-of-metadata", 0.04, pathOfMetadata},
	{"restless", 0.03, restless},
	{"star-in-name", 0.03, starInName},
	{"author-in-bin", 0.03, authorInBin},
	{"search-path", 0.03, searchPath},
	{"run-of-folder", 0.02, runOfFolder},
	{"property-of-sdk", 0.03, propertyOfSDK},
	{"output-among-sources", 0.02, outputAmongSources},
	{"run-of-output", 0.02, runOfOutput},
	{"folder-of-copy", 0.03, folderOfCopy},
	{"reference-by-target", 0.02, referenceByTarget},
	{"chain-of-targets", 0.03, chainOfTargets},
}

// afterRestore has items only if NuGet has written its properties.
func afterRestore(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.items = append(p.items, fmt.Sprintf(`<EmbeddedResource Include="%s/*.txt" LogicalName="restored-%%(Filename)" `+
		`Condition="'$(NuGetPackageRoot)' != ''" />`, p.to("data/restored")))
	g.add("data/restored/one.txt", "one v0\n")
	return true
}

// targetOfRestore reads the names of packages from a file.
func targetOfRestore(g *generator, _ *rand.Rand) bool {
	app := g.app()
	app.tail = append(app.tail, fmt.Sprintf(`<Target Name="MorePackages" BeforeTargets="CollectPackageReferences">`+
		`<ReadLinesFromFile File="%s"><Output TaskParameter="Lines" ItemName="MorePackage" /></ReadLinesFromFile>`+
		`<ItemGroup><PackageReference Include="@(MorePackage)" Version="4.3.0" /></ItemGroup></Target>`,
		app.fromProject("data/packages.txt")))
	g.add("data/packages.txt", "Serilog\n")
	return true
}

// pathOfMetadata looks for files by the names of what the SDK publishes.
func pathOfMetadata(g *generator, r *rand.Rand) bool {
	app := g.app()
	g.target(r, app, "TakeByMetadata", `AfterTargets="Publish"`, fmt.Sprintf(
		`<ItemGroup><ByMetadata Include="%s/%%(ResolvedFileToPublish.Filename).*" /></ItemGroup>`+
			`<Copy SourceFiles="@(ByMetadata)" DestinationFolder="$(PublishDir)by" />`, app.fromProject("data/by")))
	g.add("data/by/"+strings.TrimSuffix(app.file, ".csproj")+".note", "note v0\n")
	return true
}

// restless has a property with another value in each evaluation, and reads a file.
func restless(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.prop("Restless", "$([System.Guid]::NewGuid())")
	p.items = append(p.items, metadata("Rest",
		"$([System.IO.File]::ReadAllText('"+p.fromProject("data/rest.txt")+"').Trim())"))
	g.add("data/rest.txt", "rest v0\n")
	return true
}

// starInName has a file whose name looks like a pattern.
func starInName(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.items = append(p.items, fmt.Sprintf(`<EmbeddedResource Include="%s/*" LogicalName="star-%%(Filename)" />`,
		p.to("data/star")))
	g.add("data/star/x*y.txt", "star v0\n")
	return true
}

// authorInBin has files of the author where outputs go: one that an item names, and some that a wildcard finds. What a
// build on the host left is beside them.
func authorInBin(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.items = append(p.items,
		`<Content Include="bin/named.txt" CopyToOutputDirectory="PreserveNewest" />`,
		`<EmbeddedResource Include="bin/found/**/*.txt" LogicalName="found-%(Filename)" />`)
	g.add(p.dir+"/bin/named.txt", "named v0\n")
	g.add(p.dir+"/bin/found/deep/one.txt", "one v0\n")
	g.add(p.dir+"/bin/Debug/net10.0/left.txt", "left v0\n")
	return true
}

// searchPath has an assembly that a reference names without its place. If it is not found, MSBuild only warns.
func searchPath(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.props = append(p.props, "<ReferencePath>"+p.fromProject("vendor/search")+"</ReferencePath>")
	p.items = append(p.items, `<Reference Include="Vendor.Core" />`)
	g.add("vendor/search/Vendor.Core.dll", vendorCore)
	return true
}

// runOfFolder runs a program that reads what no argument names, by the folder of its project.
func runOfFolder(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	out := "$(MSBuildProjectDirectory)/$(IntermediateOutputPath)OfRun.cs"
	g.target(r, p, "RunOfFolder", beforeAttributes, `<Exec Command="dotnet run --project &quot;`+
		p.fromProject("tools/Lister")+`&quot; -- &quot;`+out+`&quot;" />`+
		`<ItemGroup><Compile Include="`+out+`" /></ItemGroup>`)
	lister(g)
	return true
}

// listerProject is the program of [lister].
const listerProject = "tools/Lister/Lister.csproj"

// lister adds a program that reads what no argument names.
func lister(g *generator) {
	g.unsaid = false // there are two programs now
	g.add(listerProject, `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><ImplicitUsings>enable</ImplicitUsings>
    <TargetFramework>net10.0</TargetFramework></PropertyGroup>
</Project>
`)
	g.add("tools/Lister/Program.cs", `var root = new DirectoryInfo(AppContext.BaseDirectory);
while (!Directory.Exists(Path.Combine(root.FullName, "tools"))) root = root.Parent!;
var data = Path.Combine(root.FullName, "data", "listed");
var names = Directory.Exists(data) ? string.Join(",", Directory.GetFiles(data).Select(Path.GetFileName).Order()) : "";
File.WriteAllText(args[0], $"static class OfRun {{ public const string Names = \"{names}\"; }}\n");
`)
	g.add("data/listed/one.txt", "one v0\n")
}

// propertyOfSDK has a path with a property that only a target of the SDK sets.
func propertyOfSDK(g *generator, r *rand.Rand) bool {
	app := g.app()
	file := app.fromProject("data/legal") + "/$(FileVersion)"
	g.target(r, app, "TakeByVersion", `AfterTargets="Publish"`, fmt.Sprintf(
		`<Copy SourceFiles="%s.txt" DestinationFolder="$(PublishDir)legal" Condition="Exists('%s.txt')" />`, file, file))
	g.add("data/legal/1.0.0.0.txt", "legal v0\n")
	return true
}

// outputAmongSources has a library whose output goes into a folder with a file that others import.
func outputAmongSources(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.head = append(p.head, `<Import Project="`+p.fromProject("engineering/common.props")+`" />`)
	p.prop("OutputPath", p.fromProject("engineering")+"/")
	p.prop("AppendTargetFrameworkToOutputPath", "false")
	g.add("engineering/common.props", "<Project><PropertyGroup><Company>v0</Company></PropertyGroup></Project>\n")
	return true
}

// runOfOutput runs the program that a reference makes, by the path of its assembly.
func runOfOutput(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	out := "$(MSBuildProjectDirectory)/$(IntermediateOutputPath)OfOutput.cs"
	p.items = append(p.items, `<ProjectReference Include="`+p.fromProject("tools/Lister/Lister.csproj")+
		`" ReferenceOutputAssembly="false" />`)
	p.tail = append(p.tail, `<Target Name="RunOfOutput" BeforeTargets="CoreCompile" `+
		`DependsOnTargets="ResolveProjectReferences"><Exec Command="dotnet &quot;`+
		p.fromProject("tools/Lister")+`/bin/$(Configuration)/net10.0/Lister.dll&quot; &quot;`+out+`&quot;" />`+
		`<ItemGroup><Compile Include="`+out+`" /></ItemGroup></Target>`)
	lister(g)
	return true
}

// folderOfCopy copies a folder, if it is there, and zips another one.
func folderOfCopy(g *generator, r *rand.Rand) bool {
	app := g.app()
	g.target(r, app, "CopyTheFolder", `AfterTargets="Publish"`, fmt.Sprintf(
		`<Copy SourceFolders="%[1]s" DestinationFolder="$(PublishDir)copied" Condition="Exists('%[1]s')" />`+
			`<ZipDirectory SourceDirectory="%[2]s" DestinationFile="$(IntermediateOutputPath)zipped.zip" Overwrite="true" />`+
			`<Unzip SourceFiles="$(IntermediateOutputPath)zipped.zip" DestinationFolder="$(PublishDir)zipped" />`,
		app.fromProject("data/copied"), app.fromProject("data/zipped")))
	g.add("data/copied/deep/one.txt", "one v0\n")
	g.add("data/zipped/two.txt", "two v0\n")
	return true
}

// referenceByTarget has a target that adds references.
func referenceByTarget(g *generator, _ *rand.Rand) bool {
	app := g.app()
	app.head = append(app.head, `<Import Project="`+app.fromProject("parts/parts.props")+`" />`)
	g.add("parts/parts.props", `<Project InitialTargets="AddParts">
  <Target Name="AddParts">
    <ItemGroup><ProjectReference Include="$(MSBuildThisFileDirectory)**/*.csproj" /></ItemGroup>
  </Target>
</Project>
`)
	g.add("parts/Part/Part.csproj", `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
</Project>
`)
	g.add("parts/Part/Part.cs", "public class Part { public string Text() => \"part v0\"; }\n")
	return true
}

// chainOfTargets has targets that get from one another where files are. The first to run is the last in the file.
func chainOfTargets(g *generator, _ *rand.Rand) bool {
	app := g.app()
	app.tail = append(app.tail,
		`<Target Name="CopyDocs" AfterTargets="Publish" DependsOnTargets="FindDocs">`+
			`<ItemGroup><_Doc Include="$(DocsDir)/**" /></ItemGroup>`+
			`<Copy SourceFiles="@(_Doc)" DestinationFolder="$(PublishDir)docs" /></Target>`,
		`<Target Name="FindDocs" DependsOnTargets="FindRoot"><PropertyGroup><DocsDir>$(DocsRoot)/public</DocsDir>`+
			`</PropertyGroup></Target>`,
		`<Target Name="FindRoot" DependsOnTargets="FindData"><PropertyGroup><DocsRoot>$(DataRoot)/docs</DocsRoot>`+
			`</PropertyGroup></Target>`,
		`<Target Name="FindData"><PropertyGroup><DataRoot>`+app.fromProject("data")+`</DataRoot></PropertyGroup></Target>`)
	g.add("data/docs/public/one.txt", "one v0\n")
	return true
}
