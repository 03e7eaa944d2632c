package differential

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// targetFeatures are files that targets of the repository read while they run.
var targetFeatures = []feature{
	{"read-lines", 0.15, readLines},
	{"xml-peek", 0.1, xmlPeek},
	{"exec-of-tool", 0.12, execOfTool},
	{"exec-of-script", 0.12, execOfScript},
	{"copy-after-publish", 0.15, copyAfterPublish},
	{"copy-after-build", 0.12, copyAfterBuild},
	{"file-to-publish", 0.15, fileToPublish},
	{"write-to-publish", 0.1, writeToPublish},
	{"list-in-target", 0.12, listInTarget},
	{"plugins", 0.12, plugins},
	{"other-kind-of-project", 0.1, otherKindOfProject},
	{"inline-task", 0.04, inlineTask},
	{"initial-targets", 0.08, initialTargets},
	{"made-source", 0.12, madeSource},
}

// fromProject is the path of a file of the repository, by the folder of the project.
func (p *project) fromProject(name string) string {
	return "$(MSBuildProjectDirectory)/" + escape(relative(p.dir, name))
}

// exec runs a command in the folder of the project, which writes into that of intermediate outputs.
func exec(command string) string {
	return `<MakeDir Directories="$(IntermediateOutputPath)" />` +
		fmt.Sprintf(`<Exec Command="%s" WorkingDirectory="$(MSBuildProjectDirectory)" />`, command)
}

// target adds a target to a project, or to all of them.
func (g *generator) target(r *rand.Rand, p *project, name, hook, body string) {
	text := fmt.Sprintf("<Target Name=\"%s\" %s>%s</Target>", name, hook, body)
	if r.IntN(3) > 0 {
		p.tail = append(p.tail, text)
		return
	}
	g.targets = append(g.targets, strings.Replace(text, hook,
		hook+` Condition="'$(MSBuildProjectName)' == '`+escape(strings.TrimSuffix(p.file, ".csproj"))+`'"`, 1))
}

const beforeAttributes = `BeforeTargets="GetAssemblyAttributes"`

func metaInTarget(key, value string) string {
	return "<ItemGroup>" + metadata(key, value) + "</ItemGroup>"
}

func readLines(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.target(r, p, "ReadTheLines", beforeAttributes, fmt.Sprintf(`<ReadLinesFromFile File="%s">`+
		`<Output TaskParameter="Lines" ItemName="TheLine" /></ReadLinesFromFile>`, p.fromProject("data/lines.txt"))+
		metaInTarget("Lines", "@(TheLine, ' ')"))
	g.add("data/lines.txt", "first v0\nsecond\n")
	return true
}

func xmlPeek(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.target(r, p, "PeekAtXml", beforeAttributes, fmt.Sprintf(`<XmlPeek XmlInputPath="%s" Query="/shop/name/text()">`+
		`<Output TaskParameter="Result" ItemName="Peeked" /></XmlPeek>`, p.fromProject("data/shop.xml"))+
		metaInTarget("Peeked", "@(Peeked)"))
	g.add("data/shop.xml", "<shop><name>peeked v0</name></shop>\n")
	return true
}

func execOfTool(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	from := []string{"data/tool/*.txt", "data/tool/one.txt"}[r.IntN(2)]
	command := fmt.Sprintf(`cat %s &gt; $(IntermediateOutputPath)tool.txt`, shell(relative(p.dir, from)))
	g.target(r, p, "RunTheTool", `BeforeTargets="BeforeBuild"`, exec(command)+
		`<ItemGroup><EmbeddedResource Include="$(IntermediateOutputPath)tool.txt" LogicalName="tool" /></ItemGroup>`)
	g.add("data/tool/one.txt", "one v0\n")
	g.add("data/tool/two.txt", "two v0\n")
	return true
}

// shell makes a path a word of a shell's command in XML. Wildcards stay.
func shell(name string) string {
	var b strings.Builder
	for _, c := range name {
		if strings.ContainsRune(" '\"&()$#;!<>|~`[]{}", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return escape(b.String())
}

// execOfScript runs a script, of which nobody can tell what it reads.
func execOfScript(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	command := fmt.Sprintf(`sh %s $(IntermediateOutputPath)Script.cs`, shell(relative(p.dir, "tools/make.sh")))
	g.target(r, p, "RunTheScript", `BeforeTargets="BeforeBuild"`, exec(command)+
		`<ItemGroup><Compile Include="$(IntermediateOutputPath)Script.cs" /></ItemGroup>`)
	p.says = append(p.says, "Script.Text")
	g.add("tools/make.sh", `here=$(dirname "$0")
echo "static class Script { public const string Text = \"$(cat "$here/../data/script.txt")\"; }" > "$1"
`)
	g.add("data/script.txt", "script v0\n")
	return true
}

func copyAfterPublish(g *generator, r *rand.Rand) bool {
	app := g.app()
	g.target(r, app, "CopyAtTheEnd", `AfterTargets="Publish"`, fmt.Sprintf(`
    <ItemGroup><AtTheEnd Include="%s" /></ItemGroup>
    <Copy SourceFiles="@(AtTheEnd)" DestinationFolder="$(PublishDir)end/%%(RecursiveDir)" />
  `, app.fromProject("data/end/**/*")))
	g.add("data/end/one.txt", "one v0\n")
	g.add("data/end/deep/two.txt", "two v0\n")
	return true
}

// copyAfterBuild copies into the output of a project, and the app takes it from there.
func copyAfterBuild(g *generator, r *rand.Rand) bool {
	p, app := g.any(r), g.app()
	if len(p.frameworks) > 1 || len(app.frameworks) > 1 || g.perPlatform() {
		return false
	}
	p.tail = append(p.tail, fmt.Sprintf(`<Target Name="CopyAfterBuild" AfterTargets="Build">
    <Copy SourceFiles="%s" DestinationFiles="$(OutDir)after-build.txt" />
  </Target>`, p.fromProject("data/after.txt")))
	app.tail = append(app.tail, fmt.Sprintf(`<Target Name="TakeFromOutput" AfterTargets="Publish">
    <Copy SourceFiles="%s/$(Configuration)/$(TargetFramework)/after-build.txt" DestinationFolder="$(PublishDir)" />
  </Target>`, app.to(p.in("bin"))))
	g.add("data/after.txt", "after v0\n")
	return true
}

func fileToPublish(g *generator, r *rand.Rand) bool {
	app := g.app()
	g.target(r, app, "AddToPublish", `BeforeTargets="ComputeResolvedFilesToPublishList"`, fmt.Sprintf(
		`<ItemGroup><ResolvedFileToPublish Include="%s" RelativePath="added.txt" CopyToPublishDirectory="PreserveNewest" />`+
			`</ItemGroup>`, app.fromProject("data/added.txt")))
	g.add("data/added.txt", "added v0\n")
	return true
}

func writeToPublish(g *generator, r *rand.Rand) bool {
	const lines = "$(AssemblyName);$(Version);$(Configuration);$(TargetFramework)"
	g.target(r, g.app(), "WriteAtTheEnd", `AfterTargets="Publish"`,
		`<WriteLinesToFile File="$(PublishDir)written.txt" Lines="`+lines+`" Overwrite="true" />`)
	return true
}

func listInTarget(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.target(r, p, "ListTheFiles", beforeAttributes,
		fmt.Sprintf(`<ItemGroup><Listed Include="%s" /></ItemGroup>`, p.fromProject("data/counted/**/*.dat"))+
			metaInTarget("Listed", "@(Listed->Count())"))
	g.add("data/counted/one.dat", "")
	g.add("data/counted/deep/two.dat", "")
	return true
}

// plugins are projects that a target publishes, and that nobody references.
func plugins(g *generator, r *rand.Rand) bool {
	if g.perPlatform() {
		return false
	}
	words, greeter := g.newProject("PluginWords", r), g.newProject("PluginGreeter", r)
	words.dir, greeter.dir = "plugins/Words", "plugins/Greeter"
	greeter.refs = []reference{{to: words}}
	g.others = append(g.others, words, greeter)
	app := g.app()
	include := app.to(greeter.path())
	if r.IntN(2) == 0 {
		include = app.to("plugins/**/PluginG*.csproj")
	}
	app.tail = append(app.tail, fmt.Sprintf(`<Target Name="PublishPlugins" AfterTargets="Publish">
    <ItemGroup><Plugin Include="%s" /></ItemGroup>
    <MSBuild Projects="@(Plugin)" Targets="Restore"
             Properties="PublishDir=;MSBuildRestoreSessionId=$([System.Guid]::NewGuid())" />
    <MSBuild Projects="@(Plugin)" Targets="Publish" Properties="PublishDir=$(PublishDir)plugins/%%(Filename)/" />
  </Target>`, include))
	return true
}

// otherKindOfProject is one without an SDK, which runs a tool.
func otherKindOfProject(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	if len(p.frameworks) > 1 {
		return false
	}
	p.item("ProjectReference", p.to("native/native.proj"),
		`ReferenceOutputAssembly="false" SkipGetTargetFrameworkProperties="true"`)
	p.item("None", p.to("native/made/shop.so"), `Link="shop.so" CopyToOutputDirectory="PreserveNewest"`)
	g.add("native/native.proj", `<Project DefaultTargets="Build">
  <Target Name="Build">
    <Exec Command="mkdir -p made &amp;&amp; cat code/shop.c &gt; made/shop.so"
          WorkingDirectory="$(MSBuildThisFileDirectory)" />
  </Target>
  <Target Name="GetTargetPath" />
  <Target Name="GetTargetFrameworks" />
  <Target Name="GetNativeManifest" />
  <Target Name="GetCopyToOutputDirectoryItems" />
  <Target Name="GetCopyToPublishDirectoryItems" />
</Project>
`)
	g.add("native/code/shop.c", "native v0\n")
	return true
}

// inlineTask is a task whose code is in the project.
func inlineTask(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.tail = append(p.tail, `<UsingTask TaskName="SayIt" TaskFactory="RoslynCodeTaskFactory"
             AssemblyFile="$(MSBuildToolsPath)/Microsoft.Build.Tasks.Core.dll">
    <ParameterGroup><File Required="true" /><Text Output="true" /></ParameterGroup>
    <Task><Code Type="Fragment" Language="cs"><![CDATA[Text = System.IO.File.ReadAllText(File).Trim();]]></Code></Task>
  </UsingTask>`, fmt.Sprintf(`<Target Name="CallSayIt" %s>
    <SayIt File="%s"><Output TaskParameter="Text" PropertyName="Said" /></SayIt>
    %s
  </Target>`, beforeAttributes, p.fromProject("data/said.txt"), metaInTarget("Said", "$(Said)")))
	g.add("data/said.txt", "said v0\n")
	return true
}

// initialTargets run before anything that is asked for.
func initialTargets(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.head = append(p.head, fmt.Sprintf(`<Import Project="%s" />`, p.to("eng/initial.targets")))
	g.add("eng/initial.targets", `<Project InitialTargets="ReadInitial">
  <Target Name="ReadInitial">
    <ReadLinesFromFile File="$(MSBuildThisFileDirectory)../data/initial.txt">
      <Output TaskParameter="Lines" ItemName="InitialLine" />
    </ReadLinesFromFile>
    `+metaInTarget("Initial", "@(InitialLine)")+"\n  </Target>\n</Project>\n")
	g.add("data/initial.txt", "initial v0\n")
	return true
}

// madeSource is code that a target writes, out of a template.
func madeSource(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.target(r, p, "MakeTheSource", `BeforeTargets="BeforeBuild"`, fmt.Sprintf(`
    <PropertyGroup><Template>$([System.IO.File]::ReadAllText('%s').Trim())</Template></PropertyGroup>
    <WriteLinesToFile File="$(IntermediateOutputPath)Made.cs" Overwrite="true"
                      Lines="static class Made { public const string Text = &quot;$(Template)&quot;%%3B }" />
    <ItemGroup><Compile Include="$(IntermediateOutputPath)Made.cs" /></ItemGroup>
  `, p.fromProject("data/source.template")))
	p.says = append(p.says, "Made.Text")
	g.add("data/source.template", "template v0\n")
	return true
}
