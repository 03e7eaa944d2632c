package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// library writes a class library that references others, all of them in folders of src.
func library(t *testing.T, dir, name string, references ...string) {
	t.Helper()
	var items strings.Builder
	for _, r := range references {
		fmt.Fprintf(&items, `<ProjectReference Include="../%s/%[1]s.csproj" />`, r)
	}
	write(t, dir, "src/"+name+"/"+name+".csproj", `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>`+
		`<TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup>`+items.String()+`</ItemGroup></Project>`)
	write(t, dir, "src/"+name+"/Class.cs", "public static class "+name+" { public static int Number => 1; }\n")
}

// A repository of 1,000 projects, with 60,000 files beside them, 5,000 in a folder, meets no limit. Of the projects,
// only those that the app reaches are asked about.
func TestLargeRepository(t *testing.T) {
	t.Parallel()
	const layers, perLayer = 10, 100
	dir := t.TempDir()
	name := func(layer, i int) string { return fmt.Sprintf("L%dN%d", layer, i%perLayer) }
	var top []string
	for layer := range layers {
		for i := range perLayer {
			var references []string
			if layer > 0 {
				references = []string{name(layer-1, i), name(layer-1, i+1)}
			}
			library(t, dir, name(layer, i), references...)
		}
	}
	for i := range perLayer {
		top = append(top, name(layers-1, i))
	}
	for app, references := range map[string][]string{"All": top, "Some": {name(3, 0)}} {
		library(t, dir, app, references...)
		edit(t, dir, "src/"+app+"/"+app+".csproj", "<PropertyGroup>", "<PropertyGroup><OutputType>Exe</OutputType>")
		write(t, dir, "src/"+app+"/Class.cs", "System.Console.WriteLine(1);\n")
	}
	for folder := range 12 {
		data := filepath.Join(dir, "data", fmt.Sprint(folder))
		if err := os.MkdirAll(data, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 5000 {
			if err := os.WriteFile(filepath.Join(data, fmt.Sprint(i)), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tc := range []struct {
		app  string
		want int
	}{{"All", 1 + layers*perLayer}, {"Some", 1 + 1 + 2 + 3 + 4}} {
		write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/"+tc.app+"\n")
		var p struct {
			Apps []struct{ Projects []string }
		}
		jsonOf(t, dir, "plan", &p)
		if len(p.Apps) != 1 || len(p.Apps[0].Projects) != tc.want {
			t.Errorf("%s: %d apps, want one with %d projects", tc.app, len(p.Apps), tc.want)
		}
	}
	mustSolve(t, dir, attr("target", "publish"), into(t.TempDir()))
}
