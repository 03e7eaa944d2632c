package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/hack/lab/feed"
)

// An output may depend on what no item of the project names. The rows have the file that plain dotnet publish makes.
func TestAsPlainPublish(t *testing.T) {
	t.Parallel()
	const ops = `<None Include="$(MSBuildStartupDirectory)/ops/*.yml" CopyToOutputDirectory="PreserveNewest" ` +
		`Link="ops/%(Filename)%(Extension)" />`
	const words = `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework>` +
		`</PropertyGroup><ItemGroup><None Update="words.txt" CopyToOutputDirectory="PreserveNewest" /></ItemGroup></Project>`
	for _, tc := range []struct {
		name, inProject string
		files           map[string]string
		want, text      string // a file of the output
	}{
		{"a copy over a file of the same size",
			`<ItemGroup><None Update="stage.json" CopyToOutputDirectory="PreserveNewest" /></ItemGroup>` +
				`<Target Name="Use" AfterTargets="Publish"><Copy SourceFiles="stage.production.json" ` +
				`DestinationFiles="$(PublishDir)stage.json" SkipUnchangedFiles="true" /></Target>`,
			map[string]string{"src/app/stage.json": "dev1", "src/app/stage.production.json": "prod"}, "stage.json", "prod"},
		{"the folder that a build starts in", "<ItemGroup>" + ops + "</ItemGroup>",
			map[string]string{"ops/a.yml": "a: 1"}, "ops/a.yml", "a: 1"},
		{"properties of items that task MSBuild gets",
			`<ItemGroup><Skins Include="../../web/web.proj"><AdditionalProperties>Skin=../skins/blue</AdditionalProperties>` +
				`</Skins></ItemGroup><Target Name="Bundle" AfterTargets="Publish"><MSBuild Projects="@(Skins)" ` +
				`Targets="Bundle" Properties="Out=$(PublishDir)web/" /></Target>`,
			map[string]string{"web/web.proj": `<Project><ItemGroup><F Include="src/**" />` +
				`<F Condition="'$(Skin)' != ''" Include="$(Skin)/**" /></ItemGroup><Target Name="Bundle">` +
				`<Copy SourceFiles="@(F)" DestinationFolder="$(Out)" /></Target></Project>`,
				"web/src/a.css": "a", "skins/blue/b.css": "b"}, "web/b.css", "b"},
		{"a package for a publish alone",
			`<ItemGroup Condition="'$(_IsPublishing)' == 'true'"><PackageReference Include="Team.V" Version="1.0.0" />` +
				`</ItemGroup>`, map[string]string{"version.txt": "1.2"}, "version.txt", "1.2"},
		{"an import for a restore alone",
			`<Import Project="../../eng/restore.props" Condition="'$(MSBuildIsRestoring)' == 'true' and ` +
				`Exists('../../eng/restore.props')" />`,
			map[string]string{"eng/restore.props": `<Project><ItemGroup><PackageReference Include="Team.V" Version="1.0.0" />` +
				`</ItemGroup></Project>`, "version.txt": "4"}, "version.txt", "4"},
		{"files that a target of a restore writes over",
			`<ItemGroup><None Update="stamp.txt" CopyToOutputDirectory="PreserveNewest" /></ItemGroup>` +
				`<Target Name="Stamp" BeforeTargets="Restore"><ReadLinesFromFile File="../../VERSION"><Output TaskParameter=` +
				`"Lines" PropertyName="Read" /></ReadLinesFromFile><WriteLinesToFile File="stamp.txt" Lines="$(Read)" ` +
				`Overwrite="true" /><WriteLinesToFile File="Stamp.cs" Overwrite="true" ` +
				`Lines="class Stamp { public const string Is = &quot;$(Read)&quot;%3B }" /></Target>`,
			map[string]string{"VERSION": "2", "src/app/stamp.txt": "1-old", "src/app/Stamp.cs": "class Stamp;"},
			"stamp.txt", "2\n"},
		{"files of the same size for one place",
			`<PropertyGroup><ErrorOnDuplicatePublishOutputFiles>false</ErrorOnDuplicatePublishOutputFiles></PropertyGroup>` +
				`<ItemGroup><ProjectReference Include="../a/a.csproj" /><ProjectReference Include="../b/b.csproj" /></ItemGroup>`,
			map[string]string{
				"src/a/a.csproj": words, "src/a/words.txt": "one", "src/b/b.csproj": words, "src/b/words.txt": "two",
			}, "words.txt", "two"},
		{"a package where nuget.config puts it",
			`<ItemGroup><PackageReference Include="Team.V" Version="1.0.0" /><None Link="find.sh" ` +
				`Include="../../pkgs/team.v/1.0.0/build/find.sh" CopyToOutputDirectory="PreserveNewest" /></ItemGroup>`,
			map[string]string{"version.txt": "5", "src/nuget.config": `<configuration><config>` +
				`<add key="globalPackagesFolder" value="../pkgs" /></config></configuration>`}, "find.sh", findVersion},
		{"a repository that lets users import nothing",
			`<PropertyGroup><ImportUserLocationsByWildcardAfterMicrosoftCommonTargets>false` +
				`</ImportUserLocationsByWildcardAfterMicrosoftCommonTargets></PropertyGroup>` +
				`<ItemGroup><None Update="a.txt" CopyToOutputDirectory="PreserveNewest" /></ItemGroup>`,
			map[string]string{"src/app/a.txt": "a"}, "a.txt", "a"},
		{"imports, each by the one before", `<Import Project="../../eng/1.inc" />` +
			`<ItemGroup><None Update="a.txt" CopyToOutputDirectory="PreserveNewest" Link="$(At)/a.txt" /></ItemGroup>`,
			map[string]string{"src/app/a.txt": "a", "eng/1.inc": importing("2"), "eng/2.inc": importing("3"),
				"eng/3.inc": importing("4"), "eng/4.inc": importing("5"), "eng/5.inc": importing("6"),
				"eng/6.inc": "<Project><PropertyGroup><At>deep</At></PropertyGroup></Project>"}, "deep/a.txt", "a"},
		{"a command before the build", `<PropertyGroup><PreBuildEvent>cp $(MSBuildProjectDirectory)/../../VERSION ` +
			`$(MSBuildProjectDirectory)/own.txt</PreBuildEvent></PropertyGroup>` +
			`<ItemGroup><None Update="own.txt" CopyToOutputDirectory="PreserveNewest" /></ItemGroup>`,
			map[string]string{"VERSION": "4.4", "src/app/own.txt": "dev"}, "own.txt", "4.4"},
		{"the app runs", `<Target Name="RunTheApp" AfterTargets="Publish">` +
			`<Exec Command="dotnet &quot;$(TargetPath)&quot; &gt; &quot;$(PublishDir)list.txt&quot;" /></Target>`,
			map[string]string{"docs/a.md": "a", "src/app/Program.cs": `var docs = System.IO.Path.Combine("../../docs");
System.Console.Write(System.IO.Directory.Exists(docs) ? System.IO.Directory.GetFiles(docs).Length : 0);
`}, "list.txt", "1"},
		{"a program that sed runs", `<Target Name="Gen" AfterTargets="Publish">` +
			`<Exec Command="sed -f gen.sed gen.in &gt; &quot;$(PublishDir)gen.txt&quot;" /></Target>`,
			map[string]string{"src/app/gen.sed": "s/^VERSION//\nr ../../VERSION.txt\nN\n", "src/app/gen.in": "a\nb\n",
				"VERSION.txt": "9.9\n"}, "gen.txt", "9.9\na\nb\n"},
		{"a feed among artifacts",
			`<ItemGroup><PackageReference Include="Team.V" Version="1.0.0" /></ItemGroup>`,
			map[string]string{"version.txt": "3", "Directory.Build.props": "<Project><PropertyGroup>" +
				"<ArtifactsPath>$(MSBuildThisFileDirectory)eng</ArtifactsPath></PropertyGroup></Project>"}, "version.txt", "3"},
		{"files of the author where outputs go", `<PropertyGroup><OutputPath>../../deploy/</OutputPath>` +
			`<AppendTargetFrameworkToOutputPath>false</AppendTargetFrameworkToOutputPath></PropertyGroup>` +
			`<ItemGroup><Content Include="../../deploy/*.yml" CopyToPublishDirectory="Always" Link="%(Filename).yml" />` +
			`</ItemGroup>`, map[string]string{"deploy/prod.yml": "prod: 1"}, "prod.yml", "prod: 1"},
		{"metadata in another case",
			`<ItemGroup><None Update="README.md" CopyToOutputDirectory="always" /></ItemGroup>`,
			map[string]string{"src/app/README.md": "read"}, "README.md", "read"},
		{"a file whose name has the version of the build", `<Target Name="Notes" AfterTargets="Publish"><PropertyGroup>` +
			`<Note Condition="Exists('../../notes/$(FileVersion).md')">there is a note</Note></PropertyGroup>` +
			`<WriteLinesToFile File="$(PublishDir)note.txt" Lines="$(Note)" /></Target>`,
			map[string]string{"notes/1.0.0.0.md": "note"}, "note.txt", "there is a note\n"},
		{"a file beside an import whose name has the version", "", map[string]string{
			"eng/notes/1.0.0.0.md":    "note",
			"Directory.Build.targets": `<Project><Import Project="eng/notes.targets" /></Project>`,
			"eng/notes.targets": `<Project><Target Name="Notes" AfterTargets="Publish"><PropertyGroup>` +
				`<Note Condition="Exists('$(MSBuildThisFileDirectory)notes/$(FileVersion).md')">there</Note></PropertyGroup>` +
				`<WriteLinesToFile File="$(PublishDir)note.txt" Lines="$(Note)" /></Target></Project>`}, "note.txt", "there\n"},
		{"a file for each published file, by a function of items", `<Target Name="Notes" AfterTargets="Publish"><ItemGroup>` +
			`<ResolvedFileToPublish Include="own" RelativePath="own" /><Note Include="@(ResolvedFileToPublish->Distinct()->` +
			`'../../notes/%(Filename).txt')" /><Known Include="@(Note)" Condition="Exists('%(Note.Identity)')" /></ItemGroup>` +
			`<Copy SourceFiles="@(Known)" DestinationFolder="$(PublishDir)" /></Target>`,
			map[string]string{"notes/app.txt": "about the app"}, "app.txt", "about the app"},
		{"a file for each reference", `<Target Name="Licenses" AfterTargets="Publish"><ItemGroup>` +
			`<Licensed Include="%(ReferencePath.Filename)" ` +
			`Condition="Exists('../../licenses/%(ReferencePath.Filename).txt')" /></ItemGroup>` +
			`<WriteLinesToFile File="$(PublishDir)licensed.txt" Lines="@(Licensed)" /></Target>`,
			map[string]string{"licenses/System.Console.txt": "MIT"}, "licensed.txt", "System.Console\n"},
		{"a folder that a command names", `<Target Name="Native" AfterTargets="Publish"><Exec Command="echo linux" ` +
			`ConsoleToMSBuild="true"><Output TaskParameter="ConsoleOutput" PropertyName="System" /></Exec><PropertyGroup>` +
			`<Native Condition="Exists('../../native/$(System)')">there is a folder</Native></PropertyGroup>` +
			`<WriteLinesToFile File="$(PublishDir)native.txt" Lines="$(Native)" /></Target>`,
			map[string]string{"native/linux/a.so": "a"}, "native.txt", "there is a folder\n"},
		{"a target that runs for each item", `<ItemGroup><Part Include="one;two" /></ItemGroup>` +
			`<Target Name="Parts" AfterTargets="Publish" Outputs="%(Part.Identity)">` +
			`<PropertyGroup><_Part>../../parts/%(Part.Identity).txt</_Part></PropertyGroup><ReadLinesFromFile File="$(_Part)">` +
			`<Output TaskParameter="Lines" ItemName="_Line" /></ReadLinesFromFile>` +
			`<WriteLinesToFile File="$(PublishDir)%(Part.Identity).part" Lines="@(_Line)" /></Target>`,
			map[string]string{"parts/one.txt": "1", "parts/two.txt": "2"}, "one.part", "1\n"},
		{"lines of a file that describe has from the start", `<Target Name="Lines" AfterTargets="Publish">` +
			`<ReadLinesFromFile File="../../tools/tool.rsp"><Output TaskParameter="Lines" ItemName="_Line" />` +
			`</ReadLinesFromFile><WriteLinesToFile File="$(PublishDir)lines.txt" Lines="@(_Line)" /></Target>`,
			map[string]string{"tools/tool.rsp": "-v\n"}, "lines.txt", "-v\n"},
		{"a transform of what a command prints", `<Target Name="Native" AfterTargets="Publish"><Exec Command="echo linux" ` +
			`ConsoleToMSBuild="true"><Output TaskParameter="ConsoleOutput" ItemName="System" /></Exec><Copy ` +
			`SourceFiles="@(System->'../../native/%(Identity).txt')" DestinationFolder="$(PublishDir)" ` +
			`ContinueOnError="true" /></Target>`, map[string]string{"native/linux.txt": "so"}, "linux.txt", "so"},
		{"a license for each assembly of the output", `<Target Name="Licenses" AfterTargets="Publish"><ItemGroup>` +
			`<_Own Include="$(PublishDir)*.dll" /><_License Include="@(_Own->'../../licenses/%(Filename).txt')" />` +
			`<_Known Include="@(_License)" Condition="Exists('%(_License.Identity)')" /></ItemGroup>` +
			`<Copy SourceFiles="@(_Known)" DestinationFolder="$(PublishDir)" /></Target>`,
			map[string]string{"licenses/app.txt": "MIT"}, "app.txt", "MIT"},
		{"a note for each file that a task has copied", `<Target Name="Notes" AfterTargets="Publish">` +
			`<Copy SourceFiles="@(IntermediateAssembly)" DestinationFolder="$(OutDir)more">` +
			`<Output TaskParameter="CopiedFiles" ItemName="_Copied" /></Copy><ItemGroup><_Note ` +
			`Include="../../notes/%(_Copied.Filename).txt" Condition="Exists('../../notes/%(_Copied.Filename).txt')" />` +
			`</ItemGroup><Copy SourceFiles="@(_Note)" DestinationFolder="$(PublishDir)" /></Target>`,
			map[string]string{"notes/app.txt": "note"}, "app.txt", "note"},
		{"a file for each line that a build writes", `<Target Name="Plugins" AfterTargets="Publish">` +
			`<WriteLinesToFile File="$(OutDir)plugins.txt" Lines="one" /><ReadLinesFromFile File="$(OutDir)plugins.txt">` +
			`<Output TaskParameter="Lines" ItemName="_Plugin" /></ReadLinesFromFile><ItemGroup><_File ` +
			`Include="../../plugins/%(_Plugin.Identity).txt" Condition="Exists('../../plugins/%(_Plugin.Identity).txt')" />` +
			`</ItemGroup><Copy SourceFiles="@(_File)" DestinationFolder="$(PublishDir)" /></Target>`,
			map[string]string{"plugins/one.txt": "1"}, "one.txt", "1"},
		{"metadata of references without an item type", `<Target Name="Licenses" AfterTargets="Publish"><ItemGroup>` +
			`<_Licensed Include="@(ReferencePath)" Condition="Exists('../../licenses/%(Filename).txt')" /></ItemGroup>` +
			`<WriteLinesToFile File="$(PublishDir)licensed.txt" Lines="@(_Licensed->'%(Filename)')" /></Target>`,
			map[string]string{"licenses/System.Console.txt": "MIT"}, "licensed.txt", "System.Console\n"},
		{"names in a list that a target empties", `<Target Name="Names" AfterTargets="Publish"><ItemGroup>` +
			`<_File Include="../../locales/*.json" /><_Name Include="@(_File->'%(Filename)')" /><_File Remove="@(_File)" />` +
			`</ItemGroup><WriteLinesToFile File="$(PublishDir)names.txt" Lines="@(_Name)" /></Target>`,
			map[string]string{"locales/de.json": "{}"}, "names.txt", "de\n"},
		{"names in a list that the project empties", `<ItemGroup><_File Include="../../locales/*.json" />` +
			`<_Name Include="@(_File->'%(Filename)')" /><_File Remove="@(_File)" /></ItemGroup><Target Name="Names" ` +
			`AfterTargets="Publish"><WriteLinesToFile File="$(PublishDir)names.txt" Lines="@(_Name)" /></Target>`,
			map[string]string{"locales/de.json": "{}"}, "names.txt", "de\n"},
		{"names of all items None", `<ItemGroup><_Name Include="@(None->'%(Filename)')" /></ItemGroup><Target Name="Names" ` +
			`AfterTargets="Publish"><WriteLinesToFile File="$(PublishDir)names.txt" Lines="@(_Name)" /></Target>`,
			map[string]string{"src/app/README.md": "read"}, "names.txt", "README\n"},
		{"a file beside each project that is referenced", `<ItemGroup><ProjectReference Include="../lib/lib.csproj" />` +
			`</ItemGroup><Target Name="Settings" AfterTargets="Publish"><ItemGroup>` +
			`<_Setting Include="@(ProjectReference->'%(RootDir)%(Directory)../%(Filename).json')" />` +
			`<_Known Include="@(_Setting)" Condition="Exists('%(_Setting.Identity)')" /></ItemGroup>` +
			`<Copy SourceFiles="@(_Known)" DestinationFolder="$(PublishDir)" /></Target>`,
			map[string]string{"src/lib/lib.csproj": libraryText(`<ItemGroup><ProjectReference Include="../core/core.csproj" />` +
				`</ItemGroup>`), "src/core/core.csproj": libraryText(""), "src/core.json": "{}"}, "core.json", "{}"},
		{"a property that a target gives a reference", `<ItemGroup><ProjectReference Include="../lib/lib.csproj" />` +
			`</ItemGroup><Target Name="Set" BeforeTargets="AssignProjectConfiguration"><ItemGroup><ProjectReference>` +
			`<AdditionalProperties>Flavor=b</AdditionalProperties></ProjectReference></ItemGroup></Target>`,
			map[string]string{"src/lib/lib.csproj": libraryText(`<ItemGroup Condition="'$(Flavor)' == 'b'">` +
				`<Content Include="../../data/b.txt" CopyToPublishDirectory="Always" Link="b.txt" /></ItemGroup>`),
				"data/b.txt": "b"}, "b.txt", "b"},
		{"a library that is built both with a property and without",
			`<ItemGroup><ProjectReference Include="../lib/lib.csproj" AdditionalProperties="Flavor=b" /></ItemGroup>`,
			map[string]string{"src/lib/lib.csproj": libraryText(`<ItemGroup><ProjectReference Include="../core/core.csproj" />` +
				`</ItemGroup>`), "src/core/core.csproj": libraryText(`<ItemGroup Condition="'$(Flavor)' == ''">` +
				`<Content Include="../../data/c.txt" CopyToPublishDirectory="Always" Link="c.txt" /></ItemGroup>`),
				"data/c.txt": "c"}, "c.txt", "c"},
		{"a folder that a target of another project returns", `<Target Name="Docs" AfterTargets="Publish">` +
			`<MSBuild Projects="../lib/lib.csproj" Targets="Docs"><Output TaskParameter="TargetOutputs" ItemName="_Docs" />` +
			`</MSBuild><ItemGroup><_File Include="%(_Docs.Folder)/*.txt" /></ItemGroup>` +
			`<Copy SourceFiles="@(_File)" DestinationFolder="$(PublishDir)" /></Target>`,
			map[string]string{"src/lib/lib.csproj": libraryText(`<Target Name="Docs" Returns="@(D)"><ItemGroup>` +
				`<D Include="a" Folder="$(MSBuildProjectDirectory)/../../docs" /></ItemGroup></Target>`), "docs/a.txt": "a"},
			"a.txt", "a"},
		{"the first of two values, by what a build makes", `<Target Name="Choose" AfterTargets="Publish"><PropertyGroup>` +
			`<_File Condition="Exists('$(PublishDir)app.dll')">../../data/a.txt</_File>` +
			`<_File Condition="!Exists('$(PublishDir)app.dll')">../../data/b.txt</_File></PropertyGroup><Copy ` +
			`SourceFiles="$(_File)" DestinationFolder="$(PublishDir)" Condition="Exists('$(_File)')" /></Target>`,
			map[string]string{"data/a.txt": "a", "data/b.txt": "b"}, "a.txt", "a"},
		{"items that stay because of an output", `<Target Name="Stay" AfterTargets="Publish"><ItemGroup>` +
			`<_File Include="../../data/*.txt" />` +
			`<_File Remove="%(_File.Identity)" Condition="!Exists('$(PublishDir)%(_File.Filename).dll')" /></ItemGroup>` +
			`<Copy SourceFiles="@(_File)" DestinationFolder="$(PublishDir)" /></Target>`,
			map[string]string{"data/app.txt": "a"}, "app.txt", "a"},
		{"items of a task that runs because of an output", `<Target Name="Create" AfterTargets="Publish"><CreateItem ` +
			`Include="../../data/*.txt" Condition="Exists('$(PublishDir)app.dll')"><Output TaskParameter="Include" ` +
			`ItemName="_File" /></CreateItem><Copy SourceFiles="@(_File)" DestinationFolder="$(PublishDir)" /></Target>`,
			map[string]string{"data/a.txt": "a"}, "a.txt", "a"},
		{"a folder with a blank in a command", `<Target Name="Docs" AfterTargets="Publish">` +
			`<Exec Command="cp -r ../../my\ docs/. &quot;$(PublishDir)&quot; || true" /></Target>`,
			map[string]string{"my docs/a.txt": "a"}, "a.txt", "a"},
		{"a script of a package that gets the folder of the project",
			`<ItemGroup><PackageReference Include="Team.V" Version="1.0.0" /></ItemGroup>`,
			map[string]string{"version.txt": "7.7.7"}, "version.txt", "7.7.7"},
		{"a file by a condition on each reference", `<Target Name="Use" AfterTargets="Publish"><Copy ` +
			`SourceFiles="../../data/a.txt" DestinationFolder="$(PublishDir)" ` +
			`Condition="'%(ReferencePath.Filename)' == 'System.Console'" /></Target>`,
			map[string]string{"data/a.txt": "a"}, "a.txt", "a"},
		{"properties that a target gives to a reference", `<ItemGroup><ProjectReference Include="../lib/lib.csproj" />` +
			`</ItemGroup><Target Name="Flavor" BeforeTargets="AssignProjectConfiguration"><ItemGroup>` +
			`<ProjectReference AdditionalProperties="Flavor=blue" /></ItemGroup></Target>`,
			map[string]string{"src/lib/lib.csproj": libraryText(`<ItemGroup Condition="'$(Flavor)' == 'blue'">` +
				`<Content Include="../../data/a.txt" CopyToOutputDirectory="Always" /></ItemGroup>`), "data/a.txt": "a"},
			"a.txt", "a"},
		{"files of a list of the SDK that a command prints", `<Target Name="List" ` +
			`BeforeTargets="CopyFilesToOutputDirectory"><Exec Command="echo ../../DATA/A.TXT | tr A-Z a-z" ` +
			`ConsoleToMSBuild="true"><Output TaskParameter="ConsoleOutput" ItemName="_Listed" /></Exec><ItemGroup>` +
			`<ReferenceCopyLocalPaths Include="@(_Listed)" /></ItemGroup></Target>`,
			map[string]string{"data/a.txt": "a"}, "a.txt", "a"},
		{"a package for each file of a list", `<ItemGroup><_Part Include="parts/*.part" />` +
			`<PackageReference Include="@(_Part->'%(Filename)')" Version="1.0.0" /></ItemGroup>`,
			map[string]string{"src/app/parts/Team.V.part": "", "version.txt": "5"}, "version.txt", "5"},
		{"a package if a list has files", `<ItemGroup><_Part Include="../../parts/*.part" /><PackageReference ` +
			`Include="Team.V" Version="1.0.0" Condition="'@(_Part)' != ''" /></ItemGroup>`,
			map[string]string{"parts/a.part": "", "version.txt": "6"}, "version.txt", "6"},
		{"a package that a target adds for a file", `<Target Name="Add" BeforeTargets="CollectPackageReferences">` +
			`<ItemGroup><_Part Include="parts/*.part" /><PackageReference Include="@(_Part->'%(Filename)')" ` +
			`Version="1.0.0" /></ItemGroup></Target>`,
			map[string]string{"src/app/parts/Team.V.part": "", "version.txt": "8"}, "version.txt", "8"},
		{"switches beside the project, which win", `<Target Name="Say" AfterTargets="Publish"><WriteLinesToFile ` +
			`File="$(PublishDir)$(Company).txt" Lines="1" /></Target>`, map[string]string{
			"src/app/MSBuild.rsp": "-p:Company=Acme\n", "Directory.Build.rsp": "-p:Company=Other\n"}, "Acme.txt", "1\n"},
		{"a source of a library that a script reads", `<ItemGroup><ProjectReference Include="../L*/*.csproj" /></ItemGroup>` +
			`<Target Name="Take" AfterTargets="Publish"><Exec Command="sh ../../eng/take.sh &quot;$(PublishDir)&quot;" />` +
			`</Target>`, map[string]string{"eng/take.sh": "cp ../L1/C.cs \"$1\"\n", "src/L1/C.cs": "class C { }",
			"src/L1/L1.csproj": libraryText(""), "src/L2/L2.csproj": libraryText(""), "src/L3/L3.csproj": libraryText(""),
			"src/L4/L4.csproj": libraryText("")}, "C.cs", "class C { }"},
		{"names in a list that loses items", `<ItemGroup><_File Include="../../locales/*.json" />` +
			`<_Name Include="@(_File->'%(Filename)')" /><_File Remove="../../locales/de.json" /></ItemGroup><Target ` +
			`Name="Names" AfterTargets="Publish"><WriteLinesToFile File="$(PublishDir)names.txt" Lines="@(_Name)" /></Target>`,
			map[string]string{"locales/de.json": "{}"}, "names.txt", "de\n"},
		{"a command that a target sets", `<ItemGroup><None Update="own.txt" CopyToPublishDirectory="PreserveNewest" />` +
			`</ItemGroup><Target Name="Set" AfterTargets="CoreCompile"><PropertyGroup><PostBuildEvent>` +
			`cp $(MSBuildProjectDirectory)/../../VERSION $(MSBuildProjectDirectory)/own.txt</PostBuildEvent>` +
			`</PropertyGroup></Target>`, map[string]string{"VERSION": "4.4", "src/app/own.txt": "dev"}, "own.txt", "4.4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			project(t, dir, "src/app/app.csproj", "")
			edit(t, dir, "src/app/app.csproj", "</Project>", tc.inProject+"</Project>")
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
			write(t, dir, "nuget.config", `<configuration><packageSources><clear /><add key="own" value="eng/packages" />`+
				`</packageSources></configuration>`)
			write(t, dir, "eng/packages/Team.V.1.0.0.nupkg", packageWithScript())
			for name, text := range tc.files {
				write(t, dir, name, text)
			}
			out := t.TempDir()
			mustSolve(t, dir, attr("target", "publish"), into(out))
			if dt, err := os.ReadFile(filepath.Join(out, tc.want)); err != nil || string(dt) != tc.text {
				t.Errorf("%s is %q, want %q: %v", tc.want, dt, tc.text, err)
			}
		})
	}
}

// importing is the text of a file that imports another one.
func importing(name string) string { return `<Project><Import Project="` + name + `.inc" /></Project>` }

// libraryText is the text of a project of a library.
func libraryText(items string) string {
	return `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>` +
		items + `</Project>`
}

// packageWithScript has a target with a script that publishes the first version.txt upwards from the project.
func packageWithScript() string {
	return feed.Package("Team.V", "1.0.0", "build/find.sh", findVersion,
		"build/Team.V.targets", `<Project><Target Name="Find" AfterTargets="Publish"><Exec Command="`+
			`sh &quot;$(MSBuildThisFileDirectory)find.sh&quot; &quot;$(MSBuildProjectDirectory)&quot; `+
			`&quot;$(PublishDir)&quot;" /></Target></Project>`)
}

// findVersion is the script of that package.
const findVersion = "dir=$1\nwhile [ ! -f \"$dir/version.txt\" ] && [ \"$dir\" != / ]; do dir=${dir%/*}; done\n" +
	"cp \"$dir/version.txt\" \"$2/version.txt\"\n"

// Packages that are committed where nuget.config has NuGet unpack them need no feed.
func TestCommittedPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "src/app/app.csproj", "")
	edit(t, dir, "src/app/app.csproj", "</Project>",
		`<ItemGroup><PackageReference Include="Team.V" Version="1.0.0" /></ItemGroup></Project>`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
	write(t, dir, "nuget.config", `<configuration><packageSources><clear /></packageSources>`+
		`<config><add key="globalPackagesFolder" value="eng/packages" /></config></configuration>`)
	for name, text := range map[string]string{
		"team.v.nuspec": `<package><metadata><id>Team.V</id><version>1.0.0</version><authors>team</authors>` +
			`<description>version of a team</description></metadata></package>`,
		".nupkg.metadata":           `{"version": 2, "contentHash": "AA==", "source": "eng"}`,
		"team.v.1.0.0.nupkg.sha512": "AA==",
		"build/Team.V.targets": `<Project><Target Name="V" AfterTargets="Publish"><WriteLinesToFile Lines="7" ` +
			`File="$(PublishDir)v.txt" /></Target></Project>`,
	} {
		write(t, dir, "eng/packages/team.v/1.0.0/"+name, text)
	}
	out := t.TempDir()
	mustSolve(t, dir, attr("target", "publish"), into(out))
	if dt, err := os.ReadFile(filepath.Join(out, "v.txt")); err != nil || string(dt) != "7\n" {
		t.Errorf("v.txt is %q: %v", dt, err)
	}
	mustSolve(t, dir, attr("target", "sbom"), into(t.TempDir()))
}

// A generator of a package may read what an additional file names, and a task what its settings name.
func TestNamedByFile(t *testing.T) {
	t.Parallel()
	for name, inProject := range map[string]string{
		"api.refitter": `<ItemGroup><AdditionalFiles Include="api.refitter" /></ItemGroup>`,
		"api.json": `<Target Name="Generate" BeforeTargets="CoreCompile"><Own.Task Settings="api.json" />` +
			`</Target>`,
		"late.json": `<Target Name="Add" BeforeTargets="CoreCompile"><ItemGroup><AdditionalFiles Include="late.json" />` +
			`</ItemGroup></Target>`,
	} {
		dir := t.TempDir()
		project(t, dir, "src/app/app.csproj", "")
		edit(t, dir, "src/app/app.csproj", "</Project>", inProject+"</Project>")
		write(t, dir, "src/app/"+name, `{"openApiPath": "../../api/open.json", "namespace": "Shop.Api"}`)
		write(t, dir, "api/open.json", "{}")
		write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
		var p report.Plan
		jsonOf(t, dir, "plan", &p)
		want := report.Read{Project: "src/app/app.csproj", Path: "api/open.json", Why: "named by " + name}
		if len(p.Apps) != 1 || !slices.Contains(p.Apps[0].Reads, want) {
			t.Errorf("got %+v, want %+v in it", p.Apps, want)
		}
	}
}

// What a project reads is known even where it is named in an unusual way, so the build does not get all of the context.
func TestReadsOfProject(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ inProject, reads string }{
		"a list in metadata": {`<ItemGroup><Part Include="one" Needs="../../data/a.txt;../../data/b.txt" /></ItemGroup>`,
			"data/b.txt"},
		"metadata of an item definition": {`<ItemDefinitionGroup><Part><Needs>../../data/a.txt</Needs></Part>` +
			`</ItemDefinitionGroup><ItemGroup><Part Include="one" /></ItemGroup>`, "data/a.txt"},
		"an assembly beside one without HintPath": {`<ItemGroup><Reference Include="../../vendor/A.dll" /></ItemGroup>`,
			"vendor/B.dll"},
		"metadata without an item type in a condition": {`<ItemGroup><Part Include="a;b" /></ItemGroup>` +
			`<Target Name="Use" AfterTargets="Publish"><Copy SourceFiles="@(Part->'../../data/%(Identity).txt')" ` +
			`DestinationFolder="$(PublishDir)" Condition="Exists('../../data/%(Identity).on')" /></Target>`, "data/b.on"},
		"a pattern for a task": {`<Target Name="Use" AfterTargets="Publish"><Own.Task Files="..\..\data\*.txt" /></Target>`,
			"data"},
		"a part of a setting of a task": {`<Target Name="Use" AfterTargets="Publish">` +
			`<Own.Task Options="--in=../../data --out=obj" /></Target>`, "data"},
		"metadata of items for a task": {`<ItemGroup><Part Include="one" From="../../data" /></ItemGroup>` +
			`<Target Name="Use" AfterTargets="Publish"><Own.Task Parts="@(Part)" /></Target>`, "data"},
		"a file of a library for each platform": {`<ItemGroup><ProjectReference Include="../lib/lib.csproj" /></ItemGroup>`,
			"data/b.txt"},
		"settings of a tool": {`<Target Name="Tool" AfterTargets="Publish"><Exec Command="own-tool build" /></Target>`,
			".toolrc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			project(t, dir, "src/app/app.csproj", "")
			edit(t, dir, "src/app/app.csproj", "</Project>", tc.inProject+"</Project>")
			for _, name := range []string{
				"data/a.txt", "data/b.txt", "data/b.on", "vendor/A.dll", "vendor/B.dll", ".toolrc",
			} {
				write(t, dir, name, name)
			}
			write(t, dir, "src/lib/lib.csproj", libraryText(`<PropertyGroup><RuntimeIdentifiers>linux-x64;linux-arm64`+
				`</RuntimeIdentifiers></PropertyGroup><ItemGroup Condition="'$(RuntimeIdentifier)' != ''">`+
				`<Content Include="../../data/b.txt" /></ItemGroup>`))
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
			var p report.Plan
			jsonOf(t, dir, "plan", &p)
			reads := func(path string) bool {
				return slices.ContainsFunc(p.Apps[0].Reads, func(r report.Read) bool { return r.Path == path })
			}
			if !reads(tc.reads) || reads(".") {
				t.Errorf("got %+v, want %s in it, and not everything", p.Apps[0].Reads, tc.reads)
			}
		})
	}
}

// What a project names may need what lies beside it: an assembly needs others, and a generator knows a path.
func TestBesideWhatIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "src/app/app.csproj", "")
	edit(t, dir, "src/app/app.csproj", "</Project>", `<ItemGroup><Reference Include="Vendor.Api" />`+
		`<None Include="../../vendor/Vendor.Api.dll" /><AdditionalFiles Include="../../schema/a.xml" />`+
		`<ProjectReference Include="../gen/gen.csproj" OutputItemType="Analyzer" ReferenceOutputAssembly="false" />`+
		`</ItemGroup></Project>`)
	project(t, dir, "src/gen/gen.csproj", "<OutputType>Library</OutputType>")
	write(t, dir, "src/gen/Program.cs", "class Generator { }\n")
	for _, name := range []string{"vendor/Vendor.Api.dll", "vendor/Vendor.Core.dll", "schema/a.xml", "schema/a.xsd"} {
		write(t, dir, name, name)
	}
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
	var p report.Plan
	jsonOf(t, dir, "plan", &p)
	for name, why := range map[string]string{
		"vendor/Vendor.Core.dll": "beside a referenced assembly", "schema/a.xsd": "beside a file for a generator",
	} {
		want := report.Read{Project: "src/app/app.csproj", Path: name, Why: why}
		if len(p.Apps) != 1 || !slices.Contains(p.Apps[0].Reads, want) {
			t.Errorf("got %+v, want %+v in it", p.Apps, want)
		}
	}
}

// A command that only copies what a build makes reads nothing else: no edit elsewhere runs the build again.
// A program that the build makes, or a project that a command builds, can read anything.
func TestCopyOfOutputIsNarrow(t *testing.T) {
	t.Parallel()
	for command, all := range map[string]bool{
		`mkdir -p ../../plugins &amp;&amp; cp &quot;$(TargetPath)&quot; ../../plugins/`: false,
		`sed -e 's/a/b/;s/c/d/' own.txt`:                                                false,
		`dotnet &quot;$(TargetPath)&quot;`:                                              true,
		`$(OutDir)app --list`:                                                           true,
		`dotnet build -p:Flavor=b`:                                                      true,
		`dotnet run --project gen/gen.csproj`:                                           true,
		`&quot;$(DOTNET_HOST_PATH)&quot; run --project gen`:                             true,
		`find ../.. -name '*.proto'`:                                                    true,
		`cat ../../d*/a.txt`:                                                            true,
	} {
		dir := t.TempDir()
		project(t, dir, "src/app/app.csproj", "")
		edit(t, dir, "src/app/app.csproj", "</Project>",
			`<Target Name="After" AfterTargets="Build"><Exec Command="`+command+`" /></Target></Project>`)
		project(t, dir, "src/app/gen/gen.csproj", "")
		write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
		wantAll(t, dir, command, all)
	}
}

// wantAll checks whether the plan of an app says that it reads the whole context. what is for the error.
func wantAll(t *testing.T, dir, what string, all bool, args ...string) {
	t.Helper()
	var p report.Plan
	jsonOf(t, dir, "plan", &p, args...)
	reads := slices.ContainsFunc(p.Apps[0].Reads, func(r report.Read) bool { return r.Path == "." })
	if reads != all {
		t.Errorf("%s: reads all is %v: %+v", what, reads, p.Apps[0].Reads)
	}
}

// If .git is kept, git must not take files that a step does not get for deleted ones.
func TestStateOfRepository(t *testing.T) {
	t.Parallel()
	for command, all := range map[string]bool{
		`git -c core.quotePath=off describe --always`: false,
		`git describe --always --dirty=-changed`:      true,
		`git rev-parse HEAD &amp;&amp; git status -s`: true,
		`dotnet gitversion /showvariable SemVer`:      true,
	} {
		dir := t.TempDir()
		project(t, dir, "src/app/app.csproj", "")
		edit(t, dir, "src/app/app.csproj", "</Project>",
			`<Target Name="State" AfterTargets="Build"><Exec Command="`+command+`" /></Target></Project>`)
		write(t, dir, ".git/HEAD", "ref: refs/heads/main\n")
		write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
		for _, keep := range []string{"0", "1"} {
			wantAll(t, dir, command+", kept "+keep, all && keep == "1",
				"--build-arg", "BUILDKIT_CONTEXT_KEEP_GIT_DIR="+keep)
		}
	}
}

// The name of a resource comes from a class beside it, even if the project does not compile that.
func TestResourceNamedByClass(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "src/app/app.csproj", "")
	edit(t, dir, "src/app/app.csproj", "</Project>",
		`<ItemGroup><EmbeddedResource Include="../../shared/S.resx" /></ItemGroup></Project>`)
	write(t, dir, "shared/S.resx", `<root><resheader name="resmimetype"><value>text/microsoft-resx</value></resheader>`+
		`<data name="A"><value>a</value></data></root>`)
	write(t, dir, "shared/S.cs", "namespace Company.Texts { class S { } }\n")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
	out := t.TempDir()
	mustSolve(t, dir, attr("target", "publish"), into(out))
	dt, err := os.ReadFile(filepath.Join(out, "app.dll"))
	if err != nil || !bytes.Contains(dt, []byte("Company.Texts.S.resources")) {
		t.Errorf("app.dll has no resource of that class: %v", err)
	}
}

// Folders with the names of outputs can be the author's, even those that projects are in.
func TestProjectsInFoldersOfOutputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "bin/App/App.csproj", "")
	edit(t, dir, "bin/App/App.csproj", "</Project>", `<ItemGroup><ProjectReference Include="../../lib/obj/L.csproj" />`+
		`<None Include="../obj/x/*.txt" CopyToOutputDirectory="PreserveNewest" /></ItemGroup></Project>`)
	project(t, dir, "lib/obj/L.csproj", "<OutputType>Library</OutputType>")
	write(t, dir, "lib/obj/Program.cs", "public class L { }\n")
	write(t, dir, "bin/Directory.Build.props", "<Project><PropertyGroup><Company>Us</Company></PropertyGroup></Project>")
	write(t, dir, "bin/obj/x/a.txt", "a")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: bin/App/App.csproj\n")
	out := t.TempDir()
	mustSolve(t, dir, attr("target", "publish"), into(out))
	for _, name := range []string{"App.dll", "L.dll", "a.txt"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}
