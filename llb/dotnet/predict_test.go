package dotnet

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestPredict(t *testing.T) {
	repo := Files{
		"src/web/web.csproj": []byte(`<Project Sdk="Microsoft.NET.Sdk.Web"><ItemGroup>
  <ProjectReference Include="..\lib\lib.csproj" />
  <ProjectReference Include="../gen/gen.csproj" OutputItemType="Analyzer"></ProjectReference>
  <PackageReference Include="x" Condition="'$(A)' != ''" />
</ItemGroup></Project>`),
		"src/lib/lib.csproj": []byte(`<Project Sdk="Microsoft.NET.Sdk"><ItemGroup>` +
			`<ProjectReference Include="../gen/gen.csproj" /></ItemGroup></Project>`),
		"src/gen/gen.csproj":     []byte(`<Project Sdk="Microsoft.NET.Sdk" />`),
		"src/other/other.csproj": []byte(`<Project Sdk="Microsoft.NET.Sdk"><Import Project="../../eng/x.xml" /></Project>`),
		"tests/unit/unit.csproj": []byte(`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>` +
			`<OutputType>Exe</OutputType></PropertyGroup><ItemGroup>` +
			`<PackageReference Include="xunit.v3" /></ItemGroup></Project>`),
		"Directory.Build.props": []byte(`<Project><PropertyGroup><Nullable>enable</Nullable></PropertyGroup></Project>`),
		"Directory.Packages.props": []byte(`<Project><ItemGroup>` +
			`<PackageVersion Include="x" Version="1" /></ItemGroup></Project>`),
		"all.slnx": []byte(`<Solution />`),
	}
	for _, tc := range []struct {
		name    string
		project Project
		change  Files
		want    string
	}{
		{"the only app", Project{}, nil, "src/web/web.csproj src/lib/lib.csproj src/gen/gen.csproj"},
		{"a folder", Project{Path: "src/web"}, nil, "src/web/web.csproj src/lib/lib.csproj src/gen/gen.csproj"},
		{"a project", Project{Path: "src/lib/lib.csproj"}, nil, "src/lib/lib.csproj src/gen/gen.csproj"},
		{"portable by the spec", Project{Mode: new(Portable)},
			Files{"Directory.Build.props": []byte(`<Project><PropertyGroup>` +
				`<PublishAot>true</PublishAot></PropertyGroup></Project>`)},
			"src/web/web.csproj src/lib/lib.csproj src/gen/gen.csproj"},
		{"another mode", Project{Mode: new(SelfContained)}, nil, ""},
		{"a mode of the project", Project{},
			Files{"Directory.Build.props": []byte(`<Project><PropertyGroup>` +
				`<PublishAot>true</PublishAot></PropertyGroup></Project>`)}, ""},
		{"a solution", Project{Path: "all.slnx"}, nil, ""},
		{"two apps", Project{}, Files{"src/b/b.csproj": []byte(`<Project Sdk="Microsoft.NET.Sdk.Worker" />`)}, ""},
		{"an expression", Project{},
			Files{"src/lib/lib.csproj": []byte(`<Project><ItemGroup>` +
				`<ProjectReference Include="$(Root)x.csproj" /></ItemGroup></Project>`)}, ""},
		{"a condition above", Project{},
			Files{"src/lib/lib.csproj": []byte(`<Project><ItemGroup Condition="'$(A)' == ''">` +
				`<ProjectReference Include="../gen/gen.csproj" /></ItemGroup></Project>`)}, ""},
		{"a reference to nothing", Project{},
			Files{"src/lib/lib.csproj": []byte(`<Project><ItemGroup>` +
				`<ProjectReference Include="../x/x.csproj" /></ItemGroup></Project>`)}, ""},
		{"an import", Project{},
			Files{"src/lib/lib.csproj": []byte(`<Project><Import Project="../../eng/x.xml" /></Project>`)}, ""},
		{"a reference of all", Project{},
			Files{"src/Directory.Build.targets": []byte(`<Project><ItemGroup>` +
				`<ProjectReference Include="../gen/gen.csproj" /></ItemGroup></Project>`)}, ""},
		{"broken", Project{}, Files{"src/lib/lib.csproj": []byte(`<Project><ItemGroup>`)}, ""},
	} {
		files := maps.Clone(repo)
		maps.Copy(files, tc.change)
		got := ""
		if app := Predict(tc.project, files); app != nil {
			got = strings.Join(ProjectPaths(app.Closure), " ")
			if app.Path != app.Closure[0].Path {
				t.Errorf("%s: the app is %s", tc.name, app.Path)
			}
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	if !slices.Equal(RestoreFiles(Predict(Project{}, repo).Closure, nil),
		RestoreFiles([]Node{{Path: "src/gen/gen.csproj"}, {Path: "src/lib/lib.csproj"}, {Path: "src/web/web.csproj"}}, nil)) {
		t.Error("the order of projects makes another restore")
	}
}

func TestPredictBase(t *testing.T) {
	const web = `<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>` +
		`<TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>`
	for _, tc := range []struct {
		name    string
		project Project
		root    string
		more    string // Directory.Build.props
		want    string
	}{
		{"a web app", Project{}, web, "", "mcr.microsoft.com/dotnet/aspnet:10.0"},
		{"a worker", Project{},
			`<Project Sdk="Microsoft.NET.Sdk.Worker"><PropertyGroup>` +
				`<TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>`, "", "mcr.microsoft.com/dotnet/runtime:9.0"},
		{"a console app, its framework above it", Project{},
			`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup></Project>`,
			`<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>`,
			"mcr.microsoft.com/dotnet/runtime:10.0"},
		{"a family", Project{Family: "alpine"}, web, "", "mcr.microsoft.com/dotnet/aspnet:10.0-alpine"},
		{"a family with variants", Project{Family: "noble-chiseled"}, web, "",
			"mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra"},
		{"named by the spec", Project{BaseImage: "example.com/base"}, web,
			`<Project><PropertyGroup><ContainerFamily>alpine</ContainerFamily></PropertyGroup></Project>`, "example.com/base"},
		{"named by a project", Project{}, web,
			`<Project><PropertyGroup><ContainerBaseImage Condition="true">x</ContainerBaseImage></PropertyGroup></Project>`, ""},
		{"another framework reference", Project{}, web,
			`<Project><ItemGroup><FrameworkReference Include="x" /></ItemGroup></Project>`, ""},
		{"two frameworks", Project{}, web,
			`<Project><PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>`, ""},
		{"a framework that is computed", Project{}, web,
			`<Project><PropertyGroup><TargetFramework>$(Ours)</TargetFramework></PropertyGroup></Project>`, ""},
		{"no framework", Project{}, `<Project Sdk="Microsoft.NET.Sdk.Web" />`, "", ""},
		{"properties of the spec", Project{Properties: map[string]string{"ContainerFamily": "alpine"}}, web, "", ""},
	} {
		files := Files{"web.csproj": []byte(tc.root), "Directory.Build.props": []byte(tc.more)}
		if got := Predict(tc.project, files); got == nil || got.BaseImage != tc.want {
			t.Errorf("%s: got %+v, want %s", tc.name, got, tc.want)
		}
	}
}
