package dotnet

import "testing"

func TestAssets(t *testing.T) {
	app := &App{Closure: []Node{{Path: "src/web/web.csproj", restoreReach: []string{"eng/web.xml"}}, {Path: "src/widgets/widgets.csproj"}}}
	files := func(names ...string) Files {
		f := Files{}
		for _, name := range names {
			f[name] = []byte(`<Project><Target Name="T"><Exec Command="npm run build" /></Target></Project>`)
		}
		return f
	}
	for _, tc := range []struct {
		name  string
		sizes map[string]int64
		files Files
		want  bool
	}{
		{"large", map[string]int64{"src/web/wwwroot/lib/a.css": 300 << 10, "src/widgets/wwwroot/b.js": 300 << 10}, nil, true},
		{"small", map[string]int64{"src/web/wwwroot/a.css": 100 << 10}, nil, false},
		{"pictures", map[string]int64{"src/web/wwwroot/a.png": 1 << 30}, nil, false},
		{"of another project", map[string]int64{"src/other/wwwroot/a.css": 1 << 30}, nil, false},
		{"no assets", map[string]int64{"src/web/client/a.css": 1 << 30}, nil, false},
		{"made by a command", map[string]int64{"src/web/wwwroot/a.css": 1 << 30}, files("src/web/web.csproj"), false},
		{"made by a command of all", map[string]int64{"src/web/wwwroot/a.css": 1 << 30}, files("Directory.Build.targets"), false},
		{"made by a command that is imported", map[string]int64{"src/web/wwwroot/a.css": 1 << 30}, files("eng/web.xml"), false},
		{"a command of another project", map[string]int64{"src/web/wwwroot/a.css": 1 << 30}, files("src/other/other.csproj", "eng/other.xml"), true},
	} {
		var a Assets
		for name, size := range tc.sizes {
			a.AddFile(name, size)
		}
		a.AddProjects(tc.files)
		if got := a.Apart(app); got != tc.want {
			t.Errorf("%s: got %v", tc.name, got)
		}
	}
	var a Assets
	a.AddFile("wwwroot/a.css", 1<<30)
	if !a.Apart(&App{Closure: []Node{{Path: "web.csproj"}}}) {
		t.Error("the assets of a project at the root are not found")
	}
}
