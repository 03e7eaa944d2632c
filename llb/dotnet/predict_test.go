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
		"src/lib/lib.csproj":       []byte(`<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><ProjectReference Include="../gen/gen.csproj" /></ItemGroup></Project>`),
		"src/gen/gen.csproj":       []byte(`<Project Sdk="Microsoft.NET.Sdk" />`),
		"src/other/other.csproj":   []byte(`<Project Sdk="Microsoft.NET.Sdk"><Import Project="../../eng/x.xml" /></Project>`),
		"tests/unit/unit.csproj":   []byte(`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup><ItemGroup><PackageReference Include="xunit.v3" /></ItemGroup></Project>`),
		"Directory.Build.props":    []byte(`<Project><PropertyGroup><Nullable>enable</Nullable></PropertyGroup></Project>`),
		"Directory.Packages.props": []byte(`<Project><ItemGroup><PackageVersion Include="x" Version="1" /></ItemGroup></Project>`),
		"all.slnx":                 []byte(`<Solution />`),
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
		{"portable by the spec", Project{Mode: &Mode{}}, Files{"Directory.Build.props": []byte(`<Project><PropertyGroup><PublishAot>true</PublishAot></PropertyGroup></Project>`)}, "src/web/web.csproj src/lib/lib.csproj src/gen/gen.csproj"},
		{"another mode", Project{Mode: &Mode{SelfContained: true}}, nil, ""},
		{"a mode of the project", Project{}, Files{"Directory.Build.props": []byte(`<Project><PropertyGroup><PublishAot>true</PublishAot></PropertyGroup></Project>`)}, ""},
		{"a solution", Project{Path: "all.slnx"}, nil, ""},
		{"two apps", Project{}, Files{"src/b/b.csproj": []byte(`<Project Sdk="Microsoft.NET.Sdk.Worker" />`)}, ""},
		{"an expression", Project{}, Files{"src/lib/lib.csproj": []byte(`<Project><ItemGroup><ProjectReference Include="$(Root)x.csproj" /></ItemGroup></Project>`)}, ""},
		{"a condition above", Project{}, Files{"src/lib/lib.csproj": []byte(`<Project><ItemGroup Condition="'$(A)' == ''"><ProjectReference Include="../gen/gen.csproj" /></ItemGroup></Project>`)}, ""},
		{"a reference to nothing", Project{}, Files{"src/lib/lib.csproj": []byte(`<Project><ItemGroup><ProjectReference Include="../x/x.csproj" /></ItemGroup></Project>`)}, ""},
		{"an import", Project{}, Files{"src/lib/lib.csproj": []byte(`<Project><Import Project="../../eng/x.xml" /></Project>`)}, ""},
		{"a reference of all", Project{}, Files{"src/Directory.Build.targets": []byte(`<Project><ItemGroup><ProjectReference Include="../gen/gen.csproj" /></ItemGroup></Project>`)}, ""},
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
	if !slices.Equal(RestoreFiles(Predict(Project{}, repo).Closure), RestoreFiles([]Node{{Path: "src/gen/gen.csproj"}, {Path: "src/lib/lib.csproj"}, {Path: "src/web/web.csproj"}})) {
		t.Error("the order of projects makes another restore")
	}
}
