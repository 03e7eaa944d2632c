package dotnet

import (
	"strings"
	"testing"
)

func TestAssets(t *testing.T) {
	app := &App{Closure: []Node{{Path: "src/web/web.csproj", reach: reach{restoreReach: []string{"eng/web.xml"}}},
		{Path: "src/widgets/widgets.csproj"}}}
	files := func(names ...string) Files {
		f := Files{}
		for _, name := range names {
			f[name] = []byte(`<Project><Target Name="T"><Exec Command="npm run build" /></Target></Project>`)
		}
		return f
	}
	named := func(text string) Files { return Files{"src/widgets/widgets.csproj": []byte(text)} }
	for _, tc := range []struct {
		name  string
		sizes map[string]int64
		files Files
		want  Compression
	}{
		{"large", map[string]int64{"src/web/wwwroot/lib/a.css": 300 << 10, "src/widgets/wwwroot/b.js": 300 << 10}, nil,
			CompressBeside},
		{"small", map[string]int64{"src/web/wwwroot/a.css": 100 << 10}, nil, CompressInPublish},
		{"pictures", map[string]int64{"src/web/wwwroot/a.png": 1 << 30}, nil, CompressInPublish},
		{"of another project", map[string]int64{"src/other/wwwroot/a.css": 1 << 30}, nil, CompressInPublish},
		{"no assets", map[string]int64{"src/web/client/a.css": 1 << 30}, nil, CompressInPublish},
		{"made by a command", map[string]int64{"src/web/wwwroot/a.css": 1 << 30}, files("src/web/web.csproj"),
			CompressInPublish},
		{"made by a command of all", map[string]int64{"src/web/wwwroot/a.css": 1 << 30}, files("Directory.Build.targets"),
			CompressInPublish},
		{"made by a command that is imported", map[string]int64{"src/web/wwwroot/a.css": 1 << 30}, files("eng/web.xml"),
			CompressInPublish},
		{"a command of another project", map[string]int64{"src/web/wwwroot/a.css": 1 << 30},
			files("src/other/other.csproj", "eng/other.xml"), CompressBeside},
		{"of a client", map[string]int64{"src/web/wwwroot/a.css": 1 << 30},
			named(`<Project Sdk="Microsoft.NET.Sdk.BlazorWebAssembly" />`), CompressBefore},
		{"made of TypeScript", map[string]int64{"src/web/wwwroot/a.css": 1 << 30},
			named(`<PackageReference Include="Microsoft.TypeScript.MSBuild" />`), CompressBefore},
	} {
		var a Assets
		for name, size := range tc.sizes {
			a.AddFile(name, size)
		}
		a.AddProjects(tc.files)
		if got := a.Compression(app); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
	var modules Assets
	modules.AddFile("src/web/Pages/[id].razor.js", 1)
	modules.AddFile("src/other/Other.razor.js", 1)
	got := strings.Join(modules.Files(app.Closure), " ")
	for pattern, want := range map[string]bool{
		`src/web/Pages/\[id\].razor.js`: true,
		`src/web/Pages/\[id\].razor`:    false,
		"src/widgets/wwwroot":           true,
		"src/widgets/**/*.razor.css":    true,
		"src/other/Other.razor.js":      false,
	} {
		if strings.Contains(" "+got+" ", " "+pattern+" ") != want {
			t.Errorf("%s among the files of assets: want %v in %s", pattern, want, got)
		}
	}
	var a Assets
	a.AddFile("wwwroot/a.css", 1<<30)
	if a.Compression(&App{Closure: []Node{{Path: "web.csproj"}}}) != CompressBeside {
		t.Error("the assets of a project at the root are not found")
	}
}
