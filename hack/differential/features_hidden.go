package differential

import (
	"fmt"
	"math/rand/v2"
	"path"
)

// hiddenFeatures are targets of the repository that read a file in a way that is easily missed. If the file is missing,
// no build fails: it makes something else.
var hiddenFeatures = []feature{
	{"condition-of-target", 0.04, conditionOfTarget},
	{"condition-of-task", 0.04, conditionOfTask},
	{"condition-in-target", 0.04, conditionInTarget},
	{"order-of-targets", 0.04, orderOfTargets},
	{"script-by-cd", 0.04, scriptByCd},
	{"script-with-space", 0.04, scriptWithSpace},
	{"written-expression", 0.04, writtenExpression},
	{"variable-of-exec", 0.04, variableOfExec},
	{"task-reads-beside", 0.04, taskReadsBeside},
	{"property-of-exec", 0.04, propertyOfExec},
}

// flag adds a file that only has to be there, or leaves it out.
func (g *generator) flag(r *rand.Rand, name string) {
	if r.IntN(4) > 0 {
		g.add(name, "flag v0\n")
	}
}

// conditionOfTarget runs a target if a file is there.
func conditionOfTarget(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.tail = append(p.tail, fmt.Sprintf(`<Target Name="IfThere" %s Condition="Exists('%s')">%s</Target>`,
		beforeAttributes, p.fromProject("data/if/target.flag"), metaInTarget("IfThere", "target is there")))
	g.flag(r, "data/if/target.flag")
	return true
}

// conditionOfTask runs a task if another file is there than the one that it reads.
func conditionOfTask(g *generator, r *rand.Rand) bool {
	app := g.app()
	g.target(r, app, "CopyIfThere", `AfterTargets="Publish"`, fmt.Sprintf(
		`<Copy SourceFiles="%s" DestinationFolder="$(PublishDir)" Condition="Exists('%s')" />`,
		app.fromProject("data/if/copied.txt"), app.fromProject("data/if/task.flag")))
	g.add("data/if/copied.txt", "copied v0\n")
	g.flag(r, "data/if/task.flag")
	return true
}

// conditionInTarget sets a property in a target if a file is there.
func conditionInTarget(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.target(r, p, "SetIfThere", beforeAttributes, fmt.Sprintf(
		`<PropertyGroup><SetIf Condition="Exists('%s')">property is there</SetIf></PropertyGroup>`,
		p.fromProject("data/if/property.flag"))+metaInTarget("SetIf", "$(SetIf)"))
	g.flag(r, "data/if/property.flag")
	return true
}

// orderOfTargets has a target that uses a property of one that comes after it in the file.
func orderOfTargets(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.tail = append(p.tail,
		`<Target Name="TakeFromThere" DependsOnTargets="SayWhere" `+beforeAttributes+
			`><ItemGroup><FromThere Include="$(There)/**/*.dat" /></ItemGroup>`+
			metaInTarget("FromThere", "@(FromThere->Count())")+`</Target>`,
		fmt.Sprintf(`<Target Name="SayWhere"><PropertyGroup><There>%s</There></PropertyGroup></Target>`,
			p.fromProject("data/there")))
	g.add("data/there/one.dat", "one v0\n")
	g.add("data/there/deep/two.dat", "two v0\n")
	return true
}

const scriptText = `here=$(dirname "$0")
echo "static class %s { public const string Text = \"$(cat "$here/../data/%[1]s.txt")\"; }" > "$1"
`

// script has a script that writes a class, out of a file that only the script names.
func (g *generator) script(r *rand.Rand, p *project, class, file, command string) {
	command += " &quot;$(MSBuildProjectDirectory)/$(IntermediateOutputPath)" + class + ".cs&quot;"
	g.target(r, p, "Make"+class, `BeforeTargets="BeforeBuild"`, exec(command)+
		`<ItemGroup><Compile Include="$(IntermediateOutputPath)`+class+`.cs" /></ItemGroup>`)
	p.says = append(p.says, class+".Text")
	g.add(file, fmt.Sprintf(scriptText, class))
	g.add("data/"+class+".txt", class+" v0\n")
}

// scriptByCd goes to the folder of a script first.
func scriptByCd(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.script(r, p, "ByCd", "tools/bycd.sh", "cd "+shell(path.Dir(relative(p.dir, "tools/bycd.sh")))+
		" &amp;&amp; sh bycd.sh")
	return true
}

// scriptWithSpace has a script in a folder whose name has a space, so its path is in quotes.
func scriptWithSpace(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.script(r, p, "WithSpace", "our tools/make.sh", "sh &quot;"+p.fromProject("our tools/make.sh")+"&quot;")
	return true
}

// writtenExpression writes what an expression says of a file.
func writtenExpression(g *generator, r *rand.Rand) bool {
	app := g.app()
	g.target(r, app, "WriteTheExpression", `AfterTargets="Publish"`, fmt.Sprintf(
		`<WriteLinesToFile File="$(PublishDir)expression.txt" Lines="$([System.IO.File]::Exists('%s'))" `+
			`Overwrite="true" />`, app.fromProject("data/if/written.flag")))
	g.flag(r, "data/if/written.flag")
	return true
}

// variableOfExec gives a folder to a command in a variable.
func variableOfExec(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	g.target(r, p, "ReadByVariable", `BeforeTargets="BeforeBuild"`,
		`<MakeDir Directories="$(IntermediateOutputPath)" />`+fmt.Sprintf(
			`<Exec Command="cat $FROM/*.txt &gt; $(IntermediateOutputPath)variable.txt || true" `+
				`WorkingDirectory="$(MSBuildProjectDirectory)" EnvironmentVariables="FROM=%s" />`,
			escape(relative(p.dir, "data/variable")))+
			`<ItemGroup><EmbeddedResource Include="$(IntermediateOutputPath)variable.txt" LogicalName="variable" />`+
			`</ItemGroup>`)
	g.add("data/variable/one.txt", "one v0\n")
	return true
}

// taskReadsBeside is a task whose code reads what lies beside the file that it is given.
func taskReadsBeside(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.tail = append(p.tail, `<UsingTask TaskName="CountBeside" TaskFactory="RoslynCodeTaskFactory"
             AssemblyFile="$(MSBuildToolsPath)/Microsoft.Build.Tasks.Core.dll">
    <ParameterGroup><File Required="true" /><Count Output="true" /></ParameterGroup>
    <Task><Code Type="Fragment" Language="cs"><![CDATA[
      Count = System.IO.Directory.GetFiles(System.IO.Path.GetDirectoryName(File)).Length.ToString();
    ]]></Code></Task>
  </UsingTask>`, fmt.Sprintf(`<Target Name="CallCountBeside" %s>
    <CountBeside File="%s"><Output TaskParameter="Count" PropertyName="Beside" /></CountBeside>
    %s
  </Target>`, beforeAttributes, p.fromProject("data/task/one.txt"), metaInTarget("Beside", "$(Beside)")))
	g.add("data/task/one.txt", "one v0\n")
	g.add("data/task/two.txt", "two v0\n")
	return true
}

// propertyOfExec takes the name of a folder from what a command prints.
func propertyOfExec(g *generator, r *rand.Rand) bool {
	app := g.app()
	g.target(r, app, "CopyWhatIsPrinted", `AfterTargets="Publish"`, fmt.Sprintf(
		`<Exec Command="echo printed" ConsoleToMSBuild="true" StandardOutputImportance="low">`+
			`<Output TaskParameter="ConsoleOutput" PropertyName="Printed" /></Exec>
    <ItemGroup><PrintedFile Include="%s/$(Printed)/*.txt" /></ItemGroup>
    <Copy SourceFiles="@(PrintedFile)" DestinationFolder="$(PublishDir)printed/" />
  `, app.fromProject("data/of")))
	g.add("data/of/printed/one.txt", "one v0\n")
	return true
}
