package bench

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// The names of the projects.
const (
	aspnetapp   = "aspnetapp"   // examples/aspnetapp, with what the SDK's web template has in wwwroot/lib
	dotnetapp   = "dotnetapp"   // examples/dotnetapp
	sqlite      = "sqlite"      // examples/sqlite: EF Core and SQLite
	ospackages  = "ospackages"  // dotnetapp, with packages of the base's system
	libraries50 = "libraries50" // generated: a web app over 50 libraries
)

// A project is something to build.
type project struct {
	name string
	file string // of the app, relative to the context
	// restores are patterns of the files that a Dockerfile copies for the restore.
	restores []string
	base     string // repository of the base, in portable mode
	web      bool
	// wants are files that the image has to have in /app, beside the program.
	wants []string
	// app is the line that changes in the app, deep that of a library at the bottom; pack holds the version of a package.
	app, deep, pack line
	// packages are of the base's system. A change of them adds the last one.
	packages []string
	write    func(s sources, dir string) error
}

// assembly is the name of the app's program.
func (p project) assembly() string {
	return strings.TrimSuffix(path.Base(p.file), ".csproj")
}

// sources are where projects come from.
type sources struct {
	examples string // folder
	wwwroot  string // folder of node modules
}

// projects are those of the plan. Each has a package that changes its version, but for dotnetapp.
var projects = []project{
	{
		name: aspnetapp, file: "aspnetapp/aspnetapp.csproj", restores: []string{"aspnetapp/*.csproj"}, base: "aspnet",
		web: true,
		wants: []string{
			"aspnetapp.dll",
			"Newtonsoft.Json.dll",
			"wwwroot/lib/bootstrap/dist/css/bootstrap.min.css",
			"wwwroot/lib/bootstrap/dist/css/bootstrap.min.css.br",
			"wwwroot/lib/jquery/dist/jquery.js.gz",
		},
		app:  line{"aspnetapp/EnvironmentReport.cs", `(1L << 20)} MiB"`, `(1L << 20)} MiB #"`},
		pack: newtonsoft("aspnetapp/aspnetapp.csproj"),
		write: func(s sources, dir string) error {
			if err := copyExample(s, aspnetapp, dir); err != nil {
				return err
			}
			if err := copyWWWRoot(s.wwwroot, filepath.Join(dir, "aspnetapp", "wwwroot", "lib")); err != nil {
				return err
			}
			return addNewtonsoft(dir, "aspnetapp/aspnetapp.csproj")
		},
	},
	{
		name: dotnetapp, file: "dotnetapp.csproj", restores: []string{"*.csproj"}, base: "runtime",
		wants: []string{"dotnetapp.dll"},
		app:   line{"Program.cs", `"Good day"`, `"Good day #"`},
		write: func(s sources, dir string) error { return copyExample(s, dotnetapp, dir) },
	},
	{
		name: sqlite, file: "sqlite.csproj", restores: []string{"*.csproj"}, base: "runtime",
		wants: []string{"sqlite.dll", "Newtonsoft.Json.dll", "Microsoft.EntityFrameworkCore.Sqlite.dll"},
		app:   line{"Program.cs", `"Hello from SQLite"`, `"Hello from SQLite #"`},
		pack:  newtonsoft("sqlite.csproj"),
		write: func(s sources, dir string) error {
			if err := copyExample(s, sqlite, dir); err != nil {
				return err
			}
			return addNewtonsoft(dir, "sqlite.csproj")
		},
	},
	{
		name: ospackages, file: "dotnetapp.csproj", restores: []string{"*.csproj"}, base: "runtime",
		wants:    []string{"dotnetapp.dll"},
		app:      line{"Program.cs", `"Good day"`, `"Good day #"`},
		packages: []string{"curl", "libfontconfig1", "tzdata", "less"},
		write:    func(s sources, dir string) error { return copyExample(s, dotnetapp, dir) },
	},
	{
		name: libraries50, file: "src/App/App.csproj", restores: []string{"src/*/*.csproj"}, base: "aspnet", web: true,
		wants: []string{"App.dll", "Newtonsoft.Json.dll", "Lib00.dll", "Lib49.dll"},
		app:   line{"src/App/Program.cs", `"version"`, `"version #"`},
		deep:  line{"src/Lib00/Type0.cs", `x + 0;`, `x + 0 + #;`},
		pack:  newtonsoft("src/App/App.csproj"),
		write: func(_ sources, dir string) error {
			if err := writeLibraries(dir); err != nil {
				return err
			}
			return addNewtonsoft(dir, "src/App/App.csproj")
		},
	},
}

func findProject(name string) (project, error) {
	for _, p := range projects {
		if p.name == name {
			return p, nil
		}
	}
	return project{}, fmt.Errorf("no project %q", name)
}

// copyExample copies an example without what the contenders have their own of.
func copyExample(s sources, name, dir string) error {
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(s.examples, name))); err != nil {
		return err
	}
	for _, out := range []string{"crosshull.yaml", "README.md"} {
		if err := os.Remove(filepath.Join(dir, out)); err != nil {
			return err
		}
	}
	return nil
}

// newtonsoft is the line that addNewtonsoft writes. It changes once.
func newtonsoft(file string) line {
	return line{file, `"Newtonsoft.Json" Version="13.0.3"`, `"Newtonsoft.Json" Version="13.0.4"`}
}

// addNewtonsoft makes a project reference a package of which the lab's feed has two versions.
func addNewtonsoft(dir, file string) error {
	const end = "</Project>"
	return replace(filepath.Join(dir, file), end, "  <ItemGroup>\n    <PackageReference "+
		`Include="Newtonsoft.Json" Version="13.0.3" />`+"\n  </ItemGroup>\n"+end)
}

// stamp makes a copy of a project one that was never seen: every assembly of it comes out different, by a version that
// all have, and if there are static assets, they do too.
func (p project) stamp(dir, nonce string) error {
	err := writeFile(
		dir,
		"Directory.Build.props",
		"<Project>\n  <PropertyGroup>\n    <InformationalVersion>1.0.0-"+nonce+"</InformationalVersion>\n  "+
			"</PropertyGroup>\n</Project>\n",
	)
	if assets := filepath.Join(path.Dir(p.file), "wwwroot"); err == nil && isDir(filepath.Join(dir, assets)) {
		err = writeFile(dir, filepath.Join(assets, "version.js"), "console.log(\""+nonce+"\");\n")
	}
	return err
}

// A line is a place in a file that changes: from first, as it is written, to next, in which # is the number of the
// change.
type line struct{ file, first, next string }

// version is the text after n changes.
func (l line) version(n int) string {
	if n == 0 {
		return l.first
	}
	return strings.ReplaceAll(l.next, "#", strconv.Itoa(n))
}

// change makes the nth change, from 1, in a copy of a project.
func (l line) change(dir string, n int) error {
	return replace(filepath.Join(dir, l.file), l.version(n-1), l.version(n))
}

// replace replaces what a file has once.
func replace(file, from, to string) error {
	dt, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := strings.Count(string(dt), from); n != 1 || from == to {
		return fmt.Errorf("%s has %q %d times, want it once to make %q of it", file, from, n, to)
	}
	return os.WriteFile(file, []byte(strings.Replace(string(dt), from, to, 1)), 0o644)
}

// writeFile writes a file below dir, its folders included.
func writeFile(dir, name, content string) error {
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(content), 0o644)
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}
