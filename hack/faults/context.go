package faults

import (
	"fmt"
	"os"
	"path/filepath"
)

// folder writes a context in a folder: a small app with a package of the world's feed. base is what it runs on. number
// is in its sources, and in what is restored, so that a build with another number restores and compiles anew. note is a
// file of the image: a build with another note only makes a layer.
func (w *World) folder(name string, number, note int, base string) (string, error) {
	dir := filepath.Join(w.dir, name)
	return dir, writeFiles(dir, map[string]string{
		"crosshull.yaml": "# syntax=ghcr.io/crosshull/crosshull:1\nfiles: [{from: note.txt, to: /note.txt}]\n" +
			"base: {image: \"" + base + "\"}\n",
		"note.txt": fmt.Sprintln(note),
		"app.csproj": `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageReference Include="Newtonsoft.Json" Version="13.0.3" /></ItemGroup>
  <!-- ` + fmt.Sprint(number) + ` -->
</Project>
`,
		"Program.cs": fmt.Sprintf("System.Console.WriteLine(Newtonsoft.Json.JsonConvert.SerializeObject(%d));\n", number),
		"nuget.config": `<configuration><packageSources><clear />
  <add key="faults" value="http://` + w.feed.Addr + `/v3/index.json" allowInsecureConnections="true" />
</packageSources></configuration>
`,
	})
}

func writeFiles(dir string, files map[string]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
