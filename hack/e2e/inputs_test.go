package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/hack/lab/run"
)

// monorepo writes 30 projects: an app over three libraries, whose projects read from everywhere, and 26 others.
func monorepo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	library := func(name, body string) {
		write(t, dir, "src/"+name+"/"+name+".csproj",
			fmt.Sprintf("<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup>"+
				"<TargetFramework>net10.0</TargetFramework></PropertyGroup>%s</Project><!-- %s -->\n", body, fresh()))
		write(t, dir, "src/"+name+"/Class.cs",
			"namespace "+name+"; public static class Class { public static string Name => \""+name+"\"; }\n")
	}
	library("Lib1", `<ItemGroup><ProjectReference Include="..\Lib2\Lib2.csproj" /></ItemGroup>`)
	library("Lib2",
		`<Import Project="$(RepoRoot)eng/lib2.msbuild" /><ItemGroup>`+
			`<ProjectReference Include="$(RepoRoot)src/Lib3/Lib3.csproj" /></ItemGroup>`)
	library("Lib3", `<ItemGroup><Compile Include="../../shared/one/Linked.cs" Link="Linked.cs" /></ItemGroup>`)
	for i := range 26 {
		library(fmt.Sprintf("Other%d", i),
			fmt.Sprintf(`<Import Project="$(RepoRoot)eng/other.props" /><ItemGroup>`+
				`<ProjectReference Include="../Other%d/Other%d.csproj" /></ItemGroup>`, max(0, i-1), max(0, i-1)))
	}
	edit(t, dir, "src/Other0/Other0.csproj",
		`<ItemGroup><ProjectReference Include="../Other0/Other0.csproj" /></ItemGroup>`, "")
	project(t, dir, "src/App/App.csproj", "<AssemblyOriginatorKeyFile>../../eng/key.txt</AssemblyOriginatorKeyFile>")
	edit(t, dir, "src/App/App.csproj", "</Project>", `<ItemGroup>
  <ProjectReference Include="../Lib1/Lib1.csproj" />
  <Compile Include="../../shared/all/**/*.cs" />
  <EmbeddedResource Include="$(RepoRoot)data/**" LogicalName="%(Filename)" />
  <PackageReference Include="Newtonsoft.Json" />
</ItemGroup></Project>`)
	write(t, dir, "src/App/Program.cs",
		"System.Console.WriteLine(Lib1.Class.Name + Lib2.Class.Name + Lib3.Linked.Text + All.Deep.Text + "+
			"typeof(Newtonsoft.Json.JsonConvert));\n")
	write(t, dir, "src/Lib3/Use.cs",
		"namespace Lib3; public static class Use { public static string Text => Linked.Text; }\n")
	write(t, dir, "shared/one/Linked.cs",
		"namespace Lib3; public static class Linked { public static string Text => \"linked\"; }\n")
	write(t, dir, "shared/one/Other.cs", "this is not part of it")
	write(t, dir, "shared/all/deep/er/Deep.cs",
		"namespace All; static class Deep { public static string Text => \"deep\"; }\n")
	write(t, dir, "data/words.txt", "words\n")
	write(t, dir, "eng/key.txt", "no key\n")
	write(t, dir, "eng/lib2.msbuild",
		"<Project><PropertyGroup><LangVersion>latest</LangVersion></PropertyGroup></Project>\n")
	write(t, dir, "eng/other.props", "<Project></Project>\n")
	write(t, dir, "eng/version.txt", "1.2.3")
	write(t, dir, "Directory.Build.props",
		`<Project><PropertyGroup><RepoRoot>$([MSBuild]::NormalizeDirectory('$(MSBuildThisFileDirectory)'))</RepoRoot>
  <Version>$([System.IO.File]::ReadAllText('$(MSBuildThisFileDirectory)eng/version.txt'))</Version></PropertyGroup>
  <ItemGroup><SourceRoot Include="$(MSBuildThisFileDirectory)" /></ItemGroup></Project>
`)
	write(t, dir, "Directory.Packages.props",
		`<Project><PropertyGroup><ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally>
  <CentralPackageTransitivePinningEnabled>true</CentralPackageTransitivePinningEnabled></PropertyGroup>
  <ItemGroup><PackageVersion Include="Newtonsoft.Json" Version="13.0.3" /></ItemGroup></Project>
`)
	write(t, dir, "README.md", "# Everything\n")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/App\n")
	return dir
}

// In a repository of 30 projects, a change rebuilds what it can change, and nothing else. What builds on the host left
// behind, and the history of the repository, are no input.
//
// It takes minutes: a build after each edit that something has to run for, and one after all others.
func TestInputs(t *testing.T) {
	t.Parallel()
	dir := monorepo(t)
	first := mustSolve(t, dir, platform("linux/amd64,linux/arm64"))
	wantContains(t, "log", first.log, "Lib3 ->", "App ->")
	if strings.Contains(first.log, "Other") {
		t.Errorf("other projects are built:\n%s", first.log)
	}
	touch := func(name string) {
		text := "// " + fresh() + "\n"
		switch {
		case strings.Contains(name, "/bin/"), strings.Contains(name, "/obj/"): // neither JSON nor XML, and no assembly
		case strings.HasSuffix(name, "proj"), strings.HasSuffix(name, ".props"), strings.HasSuffix(name, ".msbuild"):
			edit(t, dir, name, "</Project>", "<!-- "+fresh()+" --></Project>")
			return
		case name == "eng/version.txt":
			edit(t, dir, name, "1.2.3", "1.2.4")
			return
		case strings.HasSuffix(name, ".cs") && !strings.Contains(name, "Other") && !strings.Contains(name, "New"):
			edit(t, dir, name, ";", "; "+text)
			return
		}
		write(t, dir, name, text)
	}
	for _, tc := range []struct {
		files                      string
		describe, restore, publish int
	}{
		{"src/Other5/Class.cs README.md shared/one/Other.cs src/Other5/bin/Debug/x.dll src/Lib1/obj/project.assets.json " +
			"src/App/App.csproj.user src/App/obj/project.assets.json src/App/obj/App.csproj.nuget.g.props " +
			"src/App/bin/Debug/net10.0/App.dll .git/HEAD", 0, 0, 0},
		{"src/Other5/Other5.csproj", 1, 0, 0}, // what it may be has to be asked, and then nothing follows
		{"eng/other.props", 1, 0, 0},
		{"docs/new.md", 1, 0, 0},
		{"src/App/Program.cs", 0, 0, 1},
		{"src/Lib3/Class.cs", 0, 0, 1},
		{"shared/one/Linked.cs", 0, 0, 1},
		{"shared/all/deep/er/Deep.cs", 0, 0, 1},
		{"shared/all/New.cs", 1, 0, 1}, // a new name, which wildcards may find: MSBuild is asked
		{"data/words.txt", 0, 0, 1},
		{"data/more.txt", 1, 0, 1},
		{"src/App/data/bin/x.txt", 1, 0, 1}, // beside no project, so a folder like any other
		{"eng/key.txt", 0, 0, 1},
		{".editorconfig", 1, 0, 1},
		{"src/Lib2/Lib2.csproj", 1, 1, 1},
		{"eng/lib2.msbuild", 1, 1, 1},
		{"Directory.Build.props", 1, 1, 1},
		{"Directory.Packages.props", 1, 1, 1},
	} {
		for _, name := range strings.Fields(tc.files) {
			touch(name)
		}
		rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"))
		wantRan(t, "after a change of "+tc.files, rec, map[string]int{
			"[describe] dotnet": tc.describe, "[restore] dotnet": tc.restore, "[publish] dotnet": tc.publish,
		})
	}
}

// A symbolic link brings what it leads to, be that a source, a folder of sources, a project or what projects import.
//
// It takes most of a minute: a build with all kinds of links, and then one after each of seven edits.
func TestLinks(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	project(t, dir, "src/App/App.csproj", "")
	write(t, dir, "src/App/Program.cs",
		"System.Console.WriteLine(Lib.Name + One.Name + Two.Name + Linked.Name);\n#if !COMMON\n"+
			"#error the properties are missing\n#endif\n")
	write(t, dir, "real/Lib/Lib.csproj",
		`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>`+
			`<TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>`)
	write(t, dir, "real/Lib/Lib.cs", "public static class Lib { public static string Name => \"lib \"; } // "+fresh()+"\n")
	write(t, dir, "real/Other/Other.cs", "nothing that compiles\n")
	write(t, dir, "shared/One.cs", "public static class One { public static string Name => \"one \"; }\n")
	write(t, dir, "shared/more/deep/Two.cs", "public static class Two { public static string Name => \"two \"; }\n")
	write(t, dir, "shared/Linked.cs", "public static class Linked { public static string Name => \"three\"; }\n")
	write(t, dir, "eng/common.xml",
		"<Project><PropertyGroup><DefineConstants>$(DefineConstants);COMMON</DefineConstants></PropertyGroup></Project>\n")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/App\n")
	for link, target := range map[string]string{
		"libs":                  "real",
		"src/App/One.cs":        "../../shared/One.cs",
		"src/App/more":          "../../shared/more",
		"src/App/Linked.cs":     "hop.cs",
		"src/App/hop.cs.link":   "/etc/hosts",
		"src/App/loop":          "loop/loop",
		"Directory.Build.props": "eng/common.xml",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../shared/Linked.cs", filepath.Join(dir, "src/App/hop.cs")); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "src/App/App.csproj", "</Project>",
		`<ItemGroup><Compile Remove="hop.cs" />`+
			`<ProjectReference Include="../../libs/Lib/Lib.csproj" /></ItemGroup></Project>`)
	mustSolve(t, dir, platform("linux/amd64"), pushTo(repo))
	wantContains(t, "output", container(t, repo).Output, "lib one two three")

	for _, tc := range []struct {
		file                       string
		describe, restore, publish int
	}{
		{"real/Other/Other.cs", 0, 0, 0},
		{"shared/One.cs", 0, 0, 1},
		{"shared/Linked.cs", 0, 0, 1},
		{"shared/more/deep/Two.cs", 0, 0, 1},
		{"real/Lib/Lib.cs", 0, 0, 1},
		{"real/Lib/Lib.csproj", 1, 1, 1},
		{"eng/common.xml", 1, 1, 1},
	} {
		dt, err := os.ReadFile(filepath.Join(dir, tc.file))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, tc.file, string(dt)+"\n")
		rec := mustSolve(t, dir, platform("linux/amd64"))
		wantRan(t, "after a change of "+tc.file, rec, map[string]int{
			"[describe] dotnet": tc.describe, "[restore] dotnet": tc.restore, "[publish] dotnet": tc.publish,
		})
	}
}

// global.json chooses the image of the SDK, the nearest to the project first. A plan says which image that is, after
// MSBuild ran in it, so its SDK accepts the global.json. It is the one that builds.
func TestGlobalJSON(t *testing.T) {
	t.Parallel()
	sdk, _ := sdkVersions(t)
	for _, tc := range []struct{ name, root, near, spec, want string }{
		{"exact", fmt.Sprintf(`{"sdk": {"version": %q}} // pinned`, sdk), "", "", "sdk:" + sdk},
		{"a band", `{"sdk": {"version": "10.0.100", "rollForward": "latestFeature"}}`, "", "", "sdk:10.0"},
		{"none", "", "", "", "sdk:10.0"},
		{"the nearest", `{"sdk": {"version": "9.9.999"}}`,
			fmt.Sprintf(`{"sdk": {"version": %q, "rollForward": "disable"}}`, sdk), "project: src/app\n", "sdk:" + sdk},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			project(t, dir, "src/app/app.csproj", "")
			if tc.root != "" {
				write(t, dir, "global.json", tc.root)
			}
			if tc.near != "" {
				write(t, dir, "src/global.json", tc.near)
			}
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+tc.spec)
			var p report.Plan
			jsonOf(t, dir, "plan", &p)
			image := p.Apps[0].SDK
			if image.Reference != "mcr.microsoft.com/dotnet/"+tc.want || !strings.HasPrefix(image.Digest, "sha256:") {
				t.Errorf("it builds with %+v, want %s", image, tc.want)
			}
			if tc.near == "" {
				return
			}
			rec := mustSolve(t, dir)
			if all := strings.Join(append(rec.ran, rec.cached...), "\n"); !strings.Contains(all, tc.want+"@") {
				t.Errorf("no %s:\n%s", tc.want, all)
			}
		})
	}
}

// A lock file is kept to, though the build is for other platforms than the one it was made on.
func TestLockedMode(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	project(t, dir, "app.csproj", "<RestorePackagesWithLockFile>true</RestorePackagesWithLockFile>")
	edit(t, dir, "app.csproj", "</Project>",
		`<ItemGroup><PackageReference Include="Newtonsoft.Json" Version="13.0.3" /></ItemGroup></Project>`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nnuget: {locked-mode: true}\n")
	write(t, dir, "unlocked.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
	build(t, dir, "-f", "unlocked.yaml", "--target", "sdk", "-t", repo, "--push", ".")
	res := runContainer(t, run.Spec{Ref: repo, Args: []string{"cat", "/source/packages.lock.json"}})
	write(t, dir, "packages.lock.json", res.Output)
	mustSolve(t, dir, platform(allPlatforms))

	edit(t, dir, "app.csproj", "13.0.3", "13.0.4")
	rec, err := solve(t, dir, platform(allPlatforms))
	if err == nil || !strings.Contains(rec.log, "NU1004") {
		t.Errorf("a lock file that does not fit: %v\n%s", err, rec.log)
	}

	edit(t, dir, "app.csproj", "13.0.4", "13.0.3")
	other := regexp.MustCompile(`"contentHash": "[^"]+"`).ReplaceAllString(res.Output, `"contentHash": "AAAA"`)
	write(t, dir, "packages.lock.json", other)
	_, err = solve(t, dir, platform(allPlatforms))
	if err == nil || !strings.Contains(err.Error(), "error NU1403: ") {
		t.Errorf("a feed that gives another package than the lock file has: %v", err)
	}
}
