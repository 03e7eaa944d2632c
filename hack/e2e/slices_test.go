package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// chain writes two apps, one of which alone has libraries P1 to P4, over a library Base that both have: two slices.
func chain(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "Directory.Build.props",
		"<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><!-- "+fresh()+" --></Project>\n")
	library := func(name, reference string) {
		body := "7"
		if reference != "" {
			body = reference + ".Number.Of()"
			reference = `<ItemGroup><ProjectReference Include="../` + reference + "/" + reference + `.csproj" /></ItemGroup>`
		}
		write(t, dir, "src/"+name+"/"+name+".csproj", `<Project Sdk="Microsoft.NET.Sdk">`+reference+"</Project>\n")
		write(t, dir, "src/"+name+"/Number.cs",
			"namespace "+name+";\npublic static class Number\n{\n    static int unused;\n    public static int Of() => "+body+
				";\n}\n")
	}
	library("Base", "")
	// A slice with a project that references Base does not have this file.
	edit(t, dir, "src/Base/Base.csproj", "</Project>",
		`<ItemGroup><Content Include="base.txt" CopyToOutputDirectory="PreserveNewest" /></ItemGroup></Project>`)
	write(t, dir, "src/Base/base.txt", "base")
	library("P1", "Base")
	library("P2", "P1")
	library("P3", "P1")
	library("P4", "P3")
	for app, references := range map[string][]string{"One": {"P2", "P4"}, "Two": {"Base"}} {
		items, sum := "", "0"
		for _, ref := range references {
			items += `<ProjectReference Include="../` + ref + "/" + ref + `.csproj" />`
			sum += " + " + ref + ".Number.Of()"
		}
		write(t, dir, "src/"+app+"/"+app+".csproj",
			`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup><ItemGroup>`+items+
				"</ItemGroup></Project>\n")
		write(t, dir, "src/"+app+"/Program.cs", "System.Console.WriteLine(\"the sum is \" + ("+sum+"));\n")
	}
	write(t, dir, "crosshull.yaml",
		"# syntax=ghcr.io/crosshull/crosshull:1\napps: {one: {project: src/One}, two: {project: src/Two}}\n")
	return dir
}

// An edit compiles what it must: the app alone, or a slice and the apps, or what depends on what others see of it.
//
// It takes over a minute: six builds of a repository with slices, one after another.
func TestSlicesOfAnEdit(t *testing.T) {
	t.Parallel()
	const (
		base  = "[publish] dotnet build src/Base/Base.csproj"
		own   = "[publish] dotnet build src/P1/P1.csproj src/P2/P2.csproj src/P3/P3.csproj src/P4/P4.csproj"
		app   = "[publish] dotnet publish src/One/One.csproj"
		early = "[restore] dotnet"
	)
	dir := chain(t)
	ran := func(what string, want map[string]int, opts ...option) *record {
		t.Helper()
		rec := mustSolve(t, dir, append(opts, attr("target", "one"))...)
		for _, prefix := range []string{early, "[describe] dotnet", base, own, app} {
			if n := rec.count(prefix); n != want[prefix] {
				t.Errorf("%s: %s ran %d times, want %d: %q", what, prefix, n, want[prefix], rec.ran)
			}
		}
		return rec
	}
	first := ran("at first", map[string]int{early: 1, "[describe] dotnet": 1, base: 1, own: 1, app: 1})
	for _, name := range []string{"Base", "P1", "P2", "P3", "P4"} { // each is compiled: the compiler warns of its field
		wantContains(t, "log", first.log, "src/"+name+"/Number.cs(4,16): warning CS0169")
	}

	edit(t, dir, "src/One/Program.cs", "the sum is", "in all it is")
	ran("a line of the app", map[string]int{app: 1})
	edit(t, dir, "src/Base/Number.cs", "7", "8")
	ran("the body of a method, deep down", map[string]int{base: 1, app: 1})
	edit(t, dir, "src/Base/Number.cs", "public static int Of", "public static int More() => 1;\n    public static int Of")
	ran("what others see of a library", map[string]int{base: 1, own: 1, app: 1})

	edit(t, dir, "src/P2/Number.cs", "Of() => ", "Of() => 100 + ")
	repo := repository(t)
	ran("the body of a method in a slice of four", map[string]int{own: 1, app: 1}, pushTo(repo))
	wantContains(t, "output", container(t, repo).Output, "in all it is 116")

	write(t, dir, ".editorconfig", "root = true\n[*.cs]\ndotnet_diagnostic.CS0169.severity = error\n")
	if rec, err := solve(t, dir, attr("target", "one")); err == nil || !strings.Contains(rec.log, "error CS0169") {
		t.Errorf("a severity in .editorconfig has no effect: %v\n%s", err, rec.log)
	}
}

// sliced writes an app with four libraries, which are compiled apart: L1 references L2.
func sliced(t *testing.T, inApp string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "Directory.Build.props", "<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework>"+
		"</PropertyGroup><!-- "+fresh()+" --></Project>\n")
	for _, name := range []string{"L1", "L2", "L3", "L4"} {
		reference := ""
		if name == "L1" {
			reference = `<ItemGroup><ProjectReference Include="../L2/L2.csproj" /></ItemGroup>`
		}
		write(t, dir, "src/"+name+"/"+name+".csproj", `<Project Sdk="Microsoft.NET.Sdk">`+reference+"</Project>\n")
		write(t, dir, "src/"+name+"/C.cs", "/// <summary>of "+name+"</summary>\npublic class "+name+" { }\n")
	}
	write(t, dir, "src/App/App.csproj", `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType>`+
		`</PropertyGroup><ItemGroup><ProjectReference Include="../L*/*.csproj" /></ItemGroup>`+inApp+"</Project>\n")
	write(t, dir, "src/App/Program.cs", "System.Console.WriteLine(1);\n")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/App\n")
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}

// docsIntoApp makes each library write its documentation into the folder of the app.
const docsIntoApp = "<Project><PropertyGroup Condition=\"'$(MSBuildProjectName)' != 'App'\"><DocumentationFile>" +
	"$(MSBuildThisFileDirectory)App/Docs/$(MSBuildProjectName).xml</DocumentationFile></PropertyGroup>" +
	"<Import Project=\"../Directory.Build.props\" /></Project>"

// flavored makes a library have another name if it is built with a property.
var flavored = map[string]string{"src/L1/L1.csproj": `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>` +
	`<AssemblyName Condition="'$(Flavor)' == 'b'">L1.b</AssemblyName></PropertyGroup></Project>`}

// Libraries are compiled apart only if a plain publish gives the same.
func TestSlicesAsPlainPublish(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, inApp string
		files       map[string]string
		apart       int
		there, not  string // files of the output
	}{
		{"a library with all that is beside it", `<Target Name="Plug" AfterTargets="Publish"><ItemGroup><Plug ` +
			`Include="../L1/bin/$(Configuration)/net10.0/**/*" /></ItemGroup><Copy SourceFiles="@(Plug)" ` +
			`DestinationFolder="$(PublishDir)plugins/" /></Target>`, nil, 0, "plugins/L2.dll", ""},
		{"files that libraries write where the app looks",
			`<ItemGroup><Content Include="Docs/*.xml" CopyToOutputDirectory="PreserveNewest" /></ItemGroup>`,
			map[string]string{"src/Directory.Build.props": docsIntoApp, "src/App/Docs/L1.xml": "<old />"}, 0,
			"Docs/L1.xml", "Docs/L3.xml"},
		{"a library with a property of its own",
			`<ItemGroup><ProjectReference Update="../L1/L1.csproj" AdditionalProperties="Flavor=b" /></ItemGroup>`, flavored, 0,
			"L1.b.dll", "L1.dll"},
		{"a library that a task builds once more", `<Target Name="Again" AfterTargets="Publish">` +
			`<MSBuild Projects="../L1/L1.csproj" Targets="Build" Properties="Flavor=b;OutDir=$(PublishDir)more/" /></Target>`,
			flavored, 0, "more/L1.b.dll", "L1.b.dll"},
		{"a script that reads sources of a library", `<Target Name="Use" AfterTargets="Publish"><Exec ` +
			`Command="sh ../../tools/use.sh &quot;$(PublishDir)&quot;" /></Target>`,
			map[string]string{"tools/use.sh": `cp ../L3/C.cs "$1"`,
				"crosshull.yaml": "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/App\npublish: {inputs: [tools]}\n"},
			1, "C.cs", ""},
		{"a property that references do not get", "", map[string]string{"src/L1/L1.csproj": `<Project ` +
			`Sdk="Microsoft.NET.Sdk"><PropertyGroup><AssemblyName Condition="'$(SelfContained)' != ''">L1.b</AssemblyName>` +
			`</PropertyGroup></Project>`, "crosshull.yaml": "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/App\n" +
			"publish: {mode: self-contained}\n"}, 1, "L1.dll", "L1.b.dll"},
		{"switches at the root", `<Target Name="Say" AfterTargets="Publish"><WriteLinesToFile ` +
			`File="$(PublishDir)$(Company).txt" Lines="1" /></Target>`,
			map[string]string{"Directory.Build.rsp": "-p:Company=Acme\n"}, 1, "Acme.txt", ""},
		{"switches beside the app", `<Target Name="Say" AfterTargets="Publish"><WriteLinesToFile ` +
			`File="$(PublishDir)$(Company).txt" Lines="1" /></Target>`,
			map[string]string{"src/App/MSBuild.rsp": "-p:Company=Acme\n"}, 0, "Acme.txt", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			rec := mustSolve(t, sliced(t, tc.inApp, tc.files), attr("target", "publish"), into(out))
			if n := rec.count("[publish] dotnet build"); n != tc.apart {
				t.Errorf("%d slices, want %d: %q", n, tc.apart, rec.ran)
			}
			if len(rec.warnings) > 0 || rec.count("[publish] dotnet publish") != 1 {
				t.Errorf("ran %q with warnings %q", rec.ran, rec.warnings)
			}
			if _, err := os.Stat(filepath.Join(out, tc.there)); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(out, tc.not)); tc.not != "" && err == nil {
				t.Errorf("%s is published", tc.not)
			}
		})
	}
}

// What makes a difference to whether libraries are compiled apart. The builds are not run.
func TestApart(t *testing.T) {
	t.Parallel()
	const own = `<PropertyGroup><TargetFramework>net10.0</TargetFramework>`
	for _, tc := range []struct {
		name, inApp string
		files       map[string]string
		apart       bool
	}{
		{"nothing", "", nil, true},
		{"an assembly in bin", `<ItemGroup><Reference Include="L2"><HintPath>..\L2\bin\$(Configuration)\net10.0\L2.dll` +
			`</HintPath></Reference></ItemGroup>`, nil, false},
		{"by a property of a target", `<Target Name="T" AfterTargets="Build"><PropertyGroup><Of>../L2</Of></PropertyGroup>` +
			`<ItemGroup><X Include="$(Of)/bin/**" /></ItemGroup></Target>`, nil, false},
		{"a command", `<Target Name="T" AfterTargets="Publish"><Exec Command="cp -r ../L3/bin x" /></Target>`, nil, false},
		{"beside each reference", `<Target Name="T" AfterTargets="Publish"><ItemGroup><X Include="` +
			`%(ProjectReference.RootDir)%(ProjectReference.Directory)bin/$(Configuration)/*/*.json" /></ItemGroup></Target>`,
			nil, false},
		{"any folder of an assembly", `<Target Name="T" AfterTargets="Publish"><ItemGroup><X Include="` +
			`%(ReferencePath.RootDir)%(ReferencePath.Directory)*.json" /></ItemGroup></Target>`, nil, false},
		{"a wildcard over all projects", `<ItemGroup><Content Include="../**/*.json" /></ItemGroup>`, nil, false},
		{"properties of a reference",
			`<ItemGroup><ProjectReference Update="../L2/L2.csproj" AdditionalProperties="A=b" /></ItemGroup>`, nil, false},
		{"properties of all references", `<ItemDefinitionGroup><ProjectReference><SetConfiguration>A=b</SetConfiguration>` +
			`</ProjectReference></ItemDefinitionGroup>`, nil, false},
		{"properties of references by a target", `<Target Name="T" BeforeTargets="ResolveProjectReferences"><ItemGroup>` +
			`<_MSBuildProjectReferenceExistent><AdditionalProperties>A=b</AdditionalProperties>` +
			`</_MSBuildProjectReferenceExistent></ItemGroup></Target>`, nil, false},
		{"a property that references do not get", `<PropertyGroup><_GlobalPropertiesToRemoveFromProjectReferences>` +
			`;Configuration</_GlobalPropertiesToRemoveFromProjectReferences></PropertyGroup>`, nil, false},
		{"targets of a reference",
			`<ItemGroup><ProjectReference Update="../L2/L2.csproj" Targets="Build" /></ItemGroup>`, nil, false},
		{"a task builds it", `<Target Name="T" AfterTargets="Publish"><MSBuild Projects="../L2/L2.csproj" /></Target>`, nil,
			false},
		{"a task asks it", `<Target Name="T" AfterTargets="Publish"><MSBuild Projects="../L2/L2.csproj" ` +
			`Targets="GetTargetPath" /></Target>`, nil, true},
		{"a file of a library", `<ItemGroup><Content Include="../L1/*.json" /></ItemGroup>`, nil, true},
		{"a target writes into the app", "", map[string]string{"src/Directory.Build.targets": `<Project><Target Name="T" ` +
			`AfterTargets="Build" Condition="'$(MSBuildProjectName)' != 'App'"><Copy SourceFiles="$(TargetPath)" ` +
			`DestinationFolder="$(MSBuildThisFileDirectory)App/plugins" /></Target></Project>`}, false},
		{"a target writes where the app looks", `<ItemGroup><Content Include="../../plugins/**" /></ItemGroup>`,
			map[string]string{"src/Directory.Build.targets": `<Project><Target Name="T" AfterTargets="Build"><Exec ` +
				`Command="mkdir -p ../../plugins; cp $(TargetPath) ../../plugins/" /></Target></Project>`}, false},
		{"a target writes where nobody looks", "", map[string]string{"src/Directory.Build.targets": `<Project><Target ` +
			`Name="T" AfterTargets="Build"><Copy SourceFiles="$(TargetPath)" DestinationFolder="$(MSBuildThisFileDirectory)` +
			`../dist/$(MSBuildProjectName)" /></Target></Project>`}, true},
		{"what it references, in its own output", "", map[string]string{"src/Directory.Build.targets": `<Project>` +
			`<Target Name="T" AfterTargets="Build"><Copy SourceFiles="$(OutDir)settings.json" ` +
			`DestinationFolder="$(IntermediateOutputPath)x" /></Target></Project>`}, false},
		{"assemblies that it references, as resources", "", map[string]string{"src/Directory.Build.targets": `<Project>` +
			`<Target Name="T" AfterTargets="ResolveAssemblyReferences"><ItemGroup><EmbeddedResource ` +
			`Include="@(ReferenceCopyLocalPaths)" LogicalName="%(Filename)" /></ItemGroup></Target></Project>`}, false},
		{"its own assembly", "", map[string]string{"src/Directory.Build.targets": `<Project><Target Name="T" ` +
			`AfterTargets="Build"><Copy SourceFiles="$(TargetPath)" DestinationFolder="$(IntermediateOutputPath)x" />` +
			`</Target></Project>`}, true},
		{"outputs that its own wildcards find", "", map[string]string{"src/Directory.Build.props": "<Project>" + own +
			`<OutputPath>out/</OutputPath></PropertyGroup></Project>`}, false},
		{"documentation beside it", "", map[string]string{"src/L1/L1.xml": "", "src/L2/L2.xml": "", "src/L3/L3.xml": "",
			"src/L4/L4.xml": "", "src/Directory.Build.props": "<Project>" + own +
				`<DocumentationFile>$(MSBuildProjectName).xml</DocumentationFile></PropertyGroup></Project>`}, true},
		{"documentation in bin", "", map[string]string{"src/Directory.Build.props": "<Project>" + own +
			`<DocumentationFile>bin\$(Configuration)\$(TargetFramework)\$(MSBuildProjectName).xml</DocumentationFile>` +
			`<GenerateDocumentationFile>true</GenerateDocumentationFile></PropertyGroup></Project>`}, true},
		{"outputs elsewhere", "", map[string]string{"src/Directory.Build.props": "<Project>" + own + `<RepoRoot>` +
			`$(MSBuildThisFileDirectory)../</RepoRoot><Out>$(RepoRoot)build/</Out><OutputPath>$(Out)bin/` +
			`$(MSBuildProjectName)/$(Configuration)/</OutputPath></PropertyGroup></Project>`}, true},
		{"artifacts", "", map[string]string{"src/Directory.Build.props": "<Project>" + own +
			`<UseArtifactsOutput>true</UseArtifactsOutput></PropertyGroup></Project>`}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			graph := answerOf(t, sliced(t, tc.inApp, tc.files), "graph")
			if apart := strings.Contains(graph, "[publish] dotnet build"); apart != tc.apart {
				t.Errorf("apart: %v, want %v\n%s", apart, tc.apart, graph)
			}
		})
	}
}
