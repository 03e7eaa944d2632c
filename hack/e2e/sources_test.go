package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// plainly is a Dockerfile that publishes a portable app as a person would.
const plainly = `FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish PROJECT -p:UseAppHost=false -p:EnableAppHostPackDownload=false -o /out
FROM scratch
COPY --from=build /out /
`

// publishedAsPlain publishes the app in dir in process and by a Dockerfile, and compares. It gives the files.
func publishedAsPlain(t *testing.T, dir, project string) map[string]string {
	t.Helper()
	plain, ours, file := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, file, "Dockerfile", strings.Replace(plainly, "PROJECT", project, 1))
	build(t, dir, "-f", file+"/Dockerfile", "--output", "type=local,dest="+plain, ".")
	mustSolve(t, dir, attr("target", "publish"), platform("linux/amd64"), into(ours))
	got := tree(t, ours)
	wantSameFiles(t, tree(t, plain), got, true)
	return got
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

// An app with scoped styles, as the template webapp is, is published once, and again once for an edit. The step that makes
// static assets runs for an edit of those, and for no edit of what a style belongs to.
func TestScopedStylesPublishOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: web\n")
	write(t, dir, "web/web.csproj", `<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><ProjectReference Include="../parts/parts.csproj" /></ItemGroup>
  <!-- `+fresh()+` -->
</Project>
`)
	write(t, dir, "web/Program.cs", "var b = WebApplication.CreateBuilder(args); b.Services.AddRazorPages(); var app = b.Build(); app.MapStaticAssets(); app.MapRazorPages(); app.Run();\n")
	write(t, dir, "web/Pages/Index.cshtml", "@page\n<h1>hi</h1>\n")
	write(t, dir, "web/Pages/Index.cshtml.css", "h1 { color: blue }\n")
	write(t, dir, "web/Pages/Shared/_Layout.cshtml", "<body>@RenderBody()</body>\n")
	write(t, dir, "web/Pages/Shared/_Layout.cshtml.css", "body { margin: 0 }\n")
	write(t, dir, "web/wwwroot/lib/big.js", strings.Repeat("console.log('"+fresh()+"');\n", 20_000))
	write(t, dir, "parts/parts.csproj", `<Project Sdk="Microsoft.NET.Sdk.Razor"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
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
	files := publishedAsPlain(t, dir, "web/web.csproj")
	wantContains(t, "styles", files["wwwroot/web.styles.css"], "green", "_content/parts/parts.")
}
