package differential

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
)

// besideFeatures are what lies in a repository beside the app, and how the spec names that.
var besideFeatures = []feature{
	{"broken-beside", 0.2, brokenBeside},
	{"app-beside", 0.15, appBeside},
	{"test-beside", 0.12, testBeside},
	{"git", 0.15, git},
	{"git-kept", 0.08, gitKept},
	{"host-outputs", 0.25, hostOutputs},
	{"much-beside", 0.1, muchBeside},
	{"project-unsaid", 0.25, projectUnsaid},
	{"project-is-folder", 0.25, projectIsFolder},
}

// brokenBeside has a project that cannot be built, and that nobody builds.
func brokenBeside(g *generator, r *rand.Rand) bool {
	if g.app().dir == "." && r.IntN(2) == 0 {
		return false
	}
	for range 1 + r.IntN(2) {
		switch r.IntN(5) {
		case 0:
			g.add("beside/NoSdk/NoSdk.csproj", "<Project Sdk=\"Company.Not.Here/1.0.0\">\n  "+
				"<PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>\n</Project>\n")
		case 1:
			g.add("beside/Old/Old.csproj", `<?xml version="1.0" encoding="utf-8"?>
<Project ToolsVersion="15.0" xmlns="http://schemas.microsoft.com/developer/msbuild/2003">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFrameworkVersion>v4.8</TargetFrameworkVersion>
    <AssemblyName>old</AssemblyName></PropertyGroup>
  <ItemGroup><Compile Include="Program.cs" /></ItemGroup>
  <Import Project="$(MSBuildToolsPath)\Microsoft.CSharp.targets" />
</Project>
`)
		case 2:
			g.add("beside/NoXml/NoXml.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\">\n  <PropertyGroup>\n</Project>\n")
		case 3:
			g.add("beside/NoImport/NoImport.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\">\n  "+
				"<PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>\n  <Import "+
				"Project=\"../not/here.props\" />\n</Project>\n")
		case 4:
			g.add("beside/Desktop/Desktop.csproj", "<Project Sdk=\"Microsoft.NET.Sdk\">\n  "+
				"<PropertyGroup><OutputType>WinExe</OutputType><TargetFramework>net10.0-windows</TargetFramework>"+
				"<UseWindowsForms>true</UseWindowsForms></PropertyGroup>\n</Project>\n")
		}
	}
	return true
}

func appBeside(g *generator, r *rand.Rand) bool {
	if g.app().dir == "." {
		return false
	}
	p := g.newProject("Second", r)
	p.props = append(p.props, "<OutputType>Exe</OutputType>")
	p.program = "System.Console.WriteLine(Second.Says.Text());\n"
	if lib := g.library(r); lib != nil && len(lib.frameworks) == 1 {
		p.refs = []reference{{to: lib, unused: true}}
	}
	g.others = append(g.others, p)
	return true
}

func testBeside(g *generator, r *rand.Rand) bool {
	if g.app().dir == "." {
		return false
	}
	p := g.newProject("ShopTests", r)
	p.dir = path.Join("tests", p.name)
	p.packages = []pkg{{name: "Microsoft.NET.Test.Sdk", version: "18.0.1"}, {name: "xunit", version: "2.9.3"}}
	p.refs = []reference{{to: g.any(r), unused: true}}
	g.others = append(g.others, p)
	return true
}

const commit = "0123456789abcdef0123456789abcdef01234567"

func (g *generator) gitDir() {
	for name, data := range map[string]string{
		"HEAD": "ref: refs/heads/main\n", "refs/heads/main": commit + "\n",
		"config": "[core]\n\trepositoryformatversion = 0\n\tbare = false\n", "objects/info/packs": "\n",
	} {
		g.repo.Host[".git/"+name] = File{Data: data}
	}
	g.add(".gitignore", "bin/\nobj/\n")
	g.add(".gitattributes", "* text=auto\n")
}

// git has data of Git, which enters no build.
func git(g *generator, _ *rand.Rand) bool {
	g.gitDir()
	return true
}

// gitKept has data of Git that enters the build, so the version of each assembly tells the commit.
func gitKept(g *generator, _ *rand.Rand) bool {
	g.gitDir()
	g.repo.Publish.Git = true
	for name, f := range g.repo.Host {
		if strings.HasPrefix(name, ".git/") {
			g.repo.Tree[name] = f
			delete(g.repo.Host, name)
		}
	}
	return true
}

func hostOutputs(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	for name, data := range map[string]string{
		"obj/project.assets.json": staleAssets,
		"obj/" + p.file + ".nuget.g.props": "<Project>\n  <PropertyGroup>" +
			"<NuGetPackageRoot>C:\\Users\\dev\\.nuget\\packages\\</NuGetPackageRoot></PropertyGroup>\n</Project>\n",
		"obj/Release/net10.0/Stale.cs":           "this is no C#\n",
		"bin/Release/net10.0/" + p.name + ".dll": "this is no assembly\n",
		p.file + ".user": "<Project>\n  <PropertyGroup><Product>of one " +
			"user</Product></PropertyGroup>\n</Project>\n",
	} {
		g.repo.Host[p.in(name)] = File{Data: data}
	}
	return true
}

func muchBeside(g *generator, r *rand.Rand) bool {
	for i := range 100 + r.IntN(400) {
		g.add(fmt.Sprintf("beside/much/%d/%d.txt", i%10, i), fmt.Sprintf("%d v0\n", i))
	}
	return true
}

// projectUnsaid leaves the project out of the spec. It has to be the one app then.
func projectUnsaid(g *generator, _ *rand.Rand) bool {
	for _, p := range g.others {
		if p.program != "" {
			return false
		}
	}
	if g.repo.Publish.Project != "" {
		return false
	}
	g.unsaid = true
	return true
}

// projectIsFolder names the folder of the app.
func projectIsFolder(g *generator, _ *rand.Rand) bool {
	if g.unsaid || g.repo.Publish.Project != "" {
		return false
	}
	g.repo.Publish.Project = g.app().dir
	return true
}
