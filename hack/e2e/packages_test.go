package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/feed"
)

// dataTargets publish the files of a folder beside the project, and what a task finds in a folder above.
const dataTargets = `<Project>
  <UsingTask TaskName="FindVersion" TaskFactory="RoslynCodeTaskFactory"
             AssemblyFile="$(MSBuildToolsPath)/Microsoft.Build.Tasks.Core.dll">
    <ParameterGroup><Folder Required="true" /><Found Output="true" /></ParameterGroup>
    <Task><Using Namespace="System.IO" /><Code Type="Fragment" Language="cs">
      for (var at = new DirectoryInfo(Folder); at != null; at = at.Parent)
      {
        var file = at.FullName + "/version.json";
        if (File.Exists(file)) { Found = File.ReadAllText(file); break; }
      }
    </Code></Task>
  </UsingTask>
  <ItemGroup>
    <Content Include="$(MSBuildProjectDirectory)/../data/**" Link="data/%(RecursiveDir)%(Filename)%(Extension)"
             CopyToPublishDirectory="Always" />
  </ItemGroup>
  <Target Name="TeamVersion" BeforeTargets="AssignTargetPaths">
    <FindVersion Folder="$(MSBuildProjectDirectory)">
      <Output TaskParameter="Found" PropertyName="TeamFound" />
    </FindVersion>
    <WriteLinesToFile File="$(IntermediateOutputPath)version.txt" Lines="$(TeamFound)" Overwrite="true" />
    <ItemGroup><Content Include="$(IntermediateOutputPath)version.txt" Link="version.txt"
                        CopyToPublishDirectory="Always" /></ItemGroup>
  </Target>
</Project>
`

// What targets of a package read of the repository gets into the image, and an edit of it as well. All else runs
// nothing again.
func TestPackagesRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "src/app/app.csproj", "")
	edit(t, dir, "src/app/app.csproj", "</Project>",
		`<ItemGroup><PackageReference Include="Team.Data" Version="1.0.0" /></ItemGroup></Project>`)
	write(t, dir, "nuget.config",
		`<configuration><packageSources><add key="own" value="eng/packages" /></packageSources></configuration>`)
	write(t, dir, "eng/packages/Team.Data.1.0.0.nupkg",
		feed.Package("Team.Data", "1.0.0", "build/Team.Data.targets", dataTargets+"<!-- "+fresh()+" -->"))
	write(t, dir, "src/data/words/a.txt", "one")
	write(t, dir, "src/other/a.txt", "nothing")
	write(t, dir, "version.json", "1.0")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
	const ask = "[describe] what packages of src/app/app.csproj read"
	for _, tc := range []struct {
		name, file, text  string
		words, version    string
		describe, publish int
		ask               int
	}{
		{"at first", "src/data/words/a.txt", "one", "one", "1.0", 1, 1, 1},
		{"nothing", "src/data/words/a.txt", "one", "one", "1.0", 0, 0, 0},
		{"a file that is published", "src/data/words/a.txt", "two", "two", "1.0", 0, 1, 0},
		{"a file that a task finds", "version.json", "2.0", "two", "2.0", 0, 1, 0},
		{"a file that nobody reads", "src/other/a.txt", "something", "two", "2.0", 0, 0, 0},
		{"a line of the app", "src/app/Program.cs", "System.Console.WriteLine(1);", "two", "2.0", 0, 1, 0},
		{"a new file that nobody reads", "docs/README.md", "read", "two", "2.0", 1, 0, 1},
	} {
		write(t, dir, tc.file, tc.text)
		out := t.TempDir()
		rec := mustSolve(t, dir, attr("target", "publish"), into(out))
		for name, want := range map[string]string{"data/words/a.txt": tc.words, "version.txt": tc.version + "\n"} {
			if dt, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(dt) != want {
				t.Errorf("%s: %s is %q, want %q: %v", tc.name, name, dt, want, err)
			}
		}
		// Publish may begin without these files while MSBuild is asked.
		for prefix, want := range map[string]int{
			"[describe] dotnet": tc.describe, ask: tc.ask, "[publish] dotnet": tc.publish,
		} {
			if got := rec.count(prefix); got != want && (prefix != "[publish] dotnet" || tc.ask == 0) {
				t.Errorf("%s: %s ran %d times, want %d: %q", tc.name, prefix, got, want, rec.ran)
			}
		}
	}
}
