package faults

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/crosshull/crosshull/hack/lab/debs"
)

// content is what makes one context differ from another.
type content struct {
	// number is in the sources, and in what is restored, so that a build with another number restores and compiles anew.
	number int
	// note is a file of the image: a build with another note only makes a layer.
	note int
	base string // what the app runs on
	// packages tells whether the image gets a package of the world's mirror. It then has no app, and is for one platform:
	// neither is asked for packages, and each would take time.
	packages bool
}

// folder is a context, and what it is built for.
type folder struct{ dir, platforms string }

// write writes a context in a folder: a small app with a package of the world's feed, or an image with an OS package.
func (w *World) write(name string, c content) (folder, error) {
	f := folder{filepath.Join(w.dir, name), "linux/amd64,linux/arm64"}
	spec := "# syntax=ghcr.io/crosshull/crosshull:1\nfiles: [{from: note.txt, to: /note.txt}]\n" +
		"base:\n  image: \"" + c.base + "\"\n"
	if c.packages {
		f.platforms = "linux/amd64"
		spec += "  packages: {install: [tiny], sources: {debian: '" + debs.Line("http://"+w.mirror.Addr) + "'}}\n" +
			"project: none\nimage: {entrypoint: [/bin/sh]}\n"
	}
	return f, writeFiles(f.dir, map[string]string{
		"crosshull.yaml": spec,
		"note.txt":       fmt.Sprintln(c.note),
		"app.csproj": `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageReference Include="Newtonsoft.Json" Version="13.0.3" /></ItemGroup>
  <!-- ` + fmt.Sprint(c.number) + ` -->
</Project>
`,
		"Program.cs":   fmt.Sprintf("System.Console.WriteLine(Newtonsoft.Json.JsonConvert.SerializeObject(%d));\n", c.number),
		"nuget.config": feedConfig(w.feed.Addr),
	})
}

// feedConfig is a nuget.config with the feed at HOST:PORT alone.
func feedConfig(addr string) string {
	return `<configuration><packageSources><clear />
  <add key="faults" value="http://` + addr + `/v3/index.json" allowInsecureConnections="true" />
</packageSources></configuration>
`
}

func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
