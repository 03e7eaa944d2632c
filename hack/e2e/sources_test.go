package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shortRun sets up .NET as crosshull's steps do (llb.ShortRun), so that plain builds take no longer.
const shortRun = "ENV DOTNET_TieredPGO=0 DOTNET_TC_CallCountingDelayMs=3E8 DOTNET_EnableWriteXorExecute=0 " +
	"DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=true\n"

// plainly is a Dockerfile that publishes a portable app as a person would.
const plainly = `FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
` + shortRun + `WORKDIR /source
COPY . .
RUN dotnet publish PROJECT -o /out` + portableFlags + `
FROM scratch
COPY --from=build /out /
`

// publishedAsPlain publishes the app in dir in process and by a Dockerfile, and compares. It gives the files, and what
// the build in process did.
func publishedAsPlain(t *testing.T, dir, project string) (map[string]string, *record) {
	t.Helper()
	plain, ours, file := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, file, "Dockerfile", strings.Replace(plainly, "PROJECT", project, 1))
	build(t, dir, "-f", file+"/Dockerfile", "--output", "type=local,dest="+plain, ".")
	rec := mustSolve(t, dir, attr("target", "publish"), platform("linux/amd64"), into(ours))
	got := tree(t, ours)
	wantSameFiles(t, tree(t, plain), got, true)
	return got, rec
}

// wantRan checks how often steps ran.
func wantRan(t *testing.T, what string, rec *record, want map[string]int) {
	t.Helper()
	for _, prefix := range slices.Sorted(maps.Keys(want)) {
		if got := rec.count(prefix); got != want[prefix] {
			t.Errorf("%s: %s ran %d times, want %d: %q", what, prefix, got, want[prefix], rec.ran)
		}
	}
}

// An app with scoped styles, as the template webapp is, is published once, and again once for an edit. The step that
// makes static assets runs for an edit of those, and for no edit of what a style belongs to.
//
// It takes over a minute: nine builds, one after another.
func TestScopedStylesPublishOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: web\n")
	write(t, dir, "web/web.csproj", `<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><ProjectReference Include="../parts/parts.csproj" /></ItemGroup>
  <!-- `+fresh()+` -->
</Project>
`)
	write(t, dir, "web/Program.cs", `var b = WebApplication.CreateBuilder(args);
b.Services.AddRazorPages();
var app = b.Build();
app.MapStaticAssets();
app.MapRazorPages();
app.Run();
`)
	write(t, dir, "web/Pages/Index.cshtml", "@page\n<h1>hi</h1>\n")
	write(t, dir, "web/Pages/Index.cshtml.css", "h1 { color: blue }\n")
	write(t, dir, "web/Pages/Shared/_Layout.cshtml", "<body>@RenderBody()</body>\n")
	write(t, dir, "web/Pages/Shared/_Layout.cshtml.css", "body { margin: 0 }\n")
	write(t, dir, "web/wwwroot/lib/big.js", strings.Repeat("console.log('"+fresh()+"');\n", 20_000))
	write(t, dir, "parts/parts.csproj", `<Project Sdk="Microsoft.NET.Sdk.Razor">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup></Project>`)
	write(t, dir, "parts/Button.razor", "<button>press</button>\n")
	write(t, dir, "parts/Button.razor.css", "button { color: red }\n")
	write(t, dir, "parts/Button.razor.js", "console.log('button');\n")

	const publish, compress = "[publish] dotnet publish", "[publish] compress static assets"
	wantRan(t, "first", mustSolve(t, dir), map[string]int{publish: 1, compress: 1})
	for _, tc := range []struct {
		file, from, to string
		compress       int
	}{
		{"web/Program.cs", "app.Run()", "Console.WriteLine(1); app.Run()", 0},
		{"web/Pages/Index.cshtml", "hi", "hello", 0},
		{"parts/Button.razor", "press", "push", 0},
		{"web/Pages/Index.cshtml.css", "blue", "green", 1},
		{"parts/Button.razor.js", "button", "key", 1},
		{"web/wwwroot/lib/big.js", "console", "window.console", 1},
	} {
		edit(t, dir, tc.file, tc.from, tc.to)
		wantRan(t, "an edit of "+tc.file, mustSolve(t, dir), map[string]int{publish: 1, compress: tc.compress})
	}
	files, _ := publishedAsPlain(t, dir, "web/web.csproj")
	wantContains(t, "styles", files["wwwroot/web.styles.css"], "green", "_content/parts/parts.")
}

// What tells of a repository is no source of a project at its root, and of none beside it, unless the project makes
// something of it. It takes long as what is a source has to be published, for each kind of source.
func TestHousekeepingIsNoSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "web.csproj", `<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup>
    <TargetFrameworks>net10.0</TargetFrameworks>
    <DefaultItemExcludes>$(DefaultItemExcludes);lib/**</DefaultItemExcludes>
  </PropertyGroup>
  <ItemGroup>
    <ProjectReference Include="lib/lib.csproj" />
    <Content Include="NEWS.md" CopyToOutputDirectory="Always" />
    <EmbeddedResource Include="compose.words.yaml" LogicalName="words" />
    <None Update="notes.md" CopyToPublishDirectory="PreserveNewest" />
  </ItemGroup>
  <!-- `+fresh()+` -->
</Project>
`)
	write(t, dir, "Program.cs", "System.Console.WriteLine(Lib.Name);\n")
	write(t, dir, "lib/lib.csproj", `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
</Project>
`)
	write(t, dir, "lib/Lib.cs", "public static class Lib { public const string Name = \"lib\"; }\n")
	idle := []string{
		"crosshull.yaml.dockerignore", ".dockerignore", "Dockerfile", "Dockerfile.dev", "compose.yaml",
		"docker-compose.override.yml", "docker-bake.hcl", "README.md", "CHANGELOG.md", ".github/workflows/ci.yml",
		".gitlab-ci.yml", "azure-pipelines.yml", ".gitignore", ".gitattributes", "lib/README.md", "lib/Dockerfile",
	}
	for _, name := range idle {
		write(t, dir, name, "# "+name+"\n")
	}
	const syntax = "# syntax=ghcr.io/crosshull/crosshull:1\n"
	write(t, dir, "crosshull.yaml", syntax+"project: web.csproj\nimage: {labels: {a: b}}\n")
	sources := []string{
		".editorconfig", "NEWS.md", "compose.words.yaml", "notes.md", "appsettings.json", "compose.json",
	}
	for _, name := range sources {
		write(t, dir, name, "{}\n")
	}
	write(t, dir, ".editorconfig", "root = true\n")

	const describe, restore, publish = "[describe] dotnet", "[restore] dotnet", "[publish] dotnet"
	mustSolve(t, dir)
	edit(t, dir, "crosshull.yaml", "a: b", "a: c")
	for _, name := range idle {
		write(t, dir, name, "# edited "+name+"\n")
	}
	wantRan(t, "an edit of a label, "+strings.Join(idle, ", "), mustSolve(t, dir),
		map[string]int{describe: 0, restore: 0, publish: 0})
	write(t, dir, "CONTRIBUTING.md", "# new\n")
	wantRan(t, "a new file", mustSolve(t, dir), map[string]int{describe: 1, restore: 0, publish: 0})
	compiled := map[string]int{describe: 0, restore: 0, publish: 1}
	for _, name := range sources {
		text := `{"edited": "` + name + `"}` + "\n"
		if name == ".editorconfig" {
			text = "root = false\n"
		}
		write(t, dir, name, text)
		wantRan(t, "an edit of "+name, mustSolve(t, dir), compiled)
	}
	files, _ := publishedAsPlain(t, dir, "web.csproj -f net10.0")
	for _, name := range []string{"NEWS.md", "notes.md", "appsettings.json", "compose.json"} {
		wantContains(t, name, files[name], `{"edited": "`+name+`"}`)
	}
	wantContains(t, "web.dll", files["web.dll"], `{"edited": "compose.words.yaml"}`)

	// What the user names is read, too, and so is what a program of the project's may read.
	edit(t, dir, "crosshull.yaml", "project: web.csproj\n", "project: web.csproj\npublish: {inputs: [README.md]}\n")
	mustSolve(t, dir)
	write(t, dir, "README.md", "# again\n")
	wantRan(t, "an edit of an input", mustSolve(t, dir), compiled)
	edit(t, dir, "web.csproj", "</Project>", `<Target Name="Count" AfterTargets="Publish">
    <Exec Command="cat *.md | wc -c > $(PublishDir)/count" />
  </Target>
</Project>`)
	mustSolve(t, dir)
	write(t, dir, "CHANGELOG.md", "# much longer than before\n")
	_, rec := publishedAsPlain(t, dir, "web.csproj -f net10.0")
	wantRan(t, "an edit of what a command may read", rec, compiled)
}

// What git keeps beside sources is none of them: of a repository, a worktree or a submodule, in a folder or an archive.
func TestGitIsNoSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "app.csproj", "")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: app.csproj\n")
	write(t, dir, ".dockerignore", "bin\n!**/.git\n")
	git := []string{".git", "libs/words/.git", "libs/tool/.git/HEAD"}
	change := func() {
		write(t, dir, git[0], "gitdir: ../.git/worktrees/"+fresh()+"\n")
		write(t, dir, git[1], "gitdir: ../../.git/modules/"+fresh()+"\n")
		write(t, dir, git[2], "ref: refs/heads/"+fresh()+"\n")
	}
	change()
	// From an archive BuildKit takes all there is.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(archive(t, dir))
	}))
	t.Cleanup(server.Close)
	fetched, keep := attr("context", server.URL+"/context.tar"), attr("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR", "1")
	for _, tc := range []struct {
		name string
		opts []option
		want int
	}{
		{"a folder", nil, 0},
		{"an archive", []option{fetched}, 0},
		{"a folder, kept", []option{keep}, 1},
		{"an archive, kept", []option{fetched, keep}, 1},
	} {
		if tc.want > 0 { // the SDK would read that of the project
			if err := os.RemoveAll(filepath.Join(dir, ".git")); err != nil {
				t.Fatal(err)
			}
			git[0] = "libs/.git"
		}
		mustSolve(t, dir, tc.opts...)
		change()
		rec := mustSolve(t, dir, tc.opts...)
		wantRan(t, tc.name, rec, map[string]int{"[restore] dotnet": 0, "[publish] dotnet": tc.want})
	}
}

// Two test projects of one name have their results in folders of their own; one of a single name has them where it
// ever had.
func TestResultsOfOneName(t *testing.T) {
	t.Parallel()
	dir, out := example(t, "complexapp"), t.TempDir()
	for _, folder := range []string{"tests/one", "tests/two"} {
		to, from := filepath.Join(dir, folder, "libbar.tests"), os.DirFS(filepath.Join(dir, "tests/libbar.tests"))
		if err := os.CopyFS(to, from); err != nil {
			t.Fatal(err)
		}
		edit(t, dir, folder+"/libbar.tests/libbar.tests.csproj", `Include="../../`, `Include="../../../`)
	}
	write(t, dir, "crosshull.yaml", `# syntax=ghcr.io/crosshull/crosshull:1
project: src/complexapp
tests: [tests/one/libbar.tests, tests/two/libbar.tests]
`)
	mustSolve(t, dir, attr("target", "test"), into(out))
	for _, folder := range []string{"tests/one", "tests/two"} {
		trx, err := os.ReadFile(filepath.Join(out, folder, "libbar.tests/libbar.tests/libbar.tests.trx"))
		if err != nil {
			t.Fatal(err)
		}
		wantContains(t, "results", string(trx), `outcome="Passed"`, "/source/"+folder)
	}
}

// A file that is not there, or is a link that leads nowhere, is an error at its line, before anything is compiled.
func TestFilesThatAreNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "app/app.csproj", "")
	write(t, dir, "data/real.txt", "real\n")
	for link, target := range map[string]string{
		"data/broken": "nowhere.txt", "data/out": "/etc/hosts", "folder": "none", "fine": "data",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ from, want string }{
		{"data/broken", "data/broken is a symbolic link to nowhere.txt, which is not in the context"},
		{"data/out", "data/out is a symbolic link to /etc/hosts, which is not in the context"},
		{"folder/x.txt", "folder is a symbolic link to none, which is not in the context"},
		{"data/other.txt", "there is no data/other.txt in the context, or an ignore file leaves it out"},
		{"fine/other.txt", "there is no fine/other.txt in the context, or an ignore file leaves it out"},
		{"fine/real.txt", ""},
	} {
		write(t, dir, "crosshull.yaml", `# syntax=ghcr.io/crosshull/crosshull:1
project: app
files:
  - {from: `+tc.from+`, to: /data/x}
`)
		rec, err := solve(t, dir)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.from, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), "crosshull.yaml:4: "+tc.want)):
			t.Errorf("%s: got %v, want %s", tc.from, err, tc.want)
		case tc.want != "" && rec.count("[publish] dotnet") != 0:
			t.Errorf("%s: all was built before: %q", tc.from, rec.ran)
		}
	}
}
