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

// restless is another project each time that MSBuild evaluates it, and reads a file.
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
