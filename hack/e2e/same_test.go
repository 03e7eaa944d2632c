package e2e

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// richApp writes an app that has of everything: a Razor class library with static assets, a source generator, satellite
// assemblies, content files, sources that are content, native assets, assets kept private, documentation, and a linked
// file. All libraries can be compiled apart.
func richApp(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "Directory.Build.props",
		"<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable>"+
			"<ImplicitUsings>enable</ImplicitUsings></PropertyGroup></Project>\n")
	write(t, dir, "src/Site/Site.csproj", `<Project Sdk="Microsoft.NET.Sdk.Web">
  <ItemGroup>
    <ProjectReference Include="../Widgets/Widgets.csproj" />
    <ProjectReference Include="../Numbers/Numbers.csproj" />
    <ProjectReference Include="../Maker/Maker.csproj" OutputItemType="Analyzer" ReferenceOutputAssembly="false" />
    <PackageReference Include="Microsoft.EntityFrameworkCore.Sqlite" Version="10.0.13" />
    <PackageReference Include="coverlet.collector" Version="6.0.4" PrivateAssets="all" />
    <Content Include="../../shared/motd.txt" Link="motd.txt" CopyToOutputDirectory="PreserveNewest" />
    <None Update="data/**" CopyToOutputDirectory="PreserveNewest" />
  </ItemGroup>
</Project>
`)
	write(t, dir, "src/Site/Program.cs",
		"var app = WebApplication.CreateBuilder(args).Build();\n"+
			"app.MapGet(\"/\", () => Texts.Words.Hello + Numbers.Sum.Of(1, 2) + Made.By);\napp.MapStaticAssets();\n"+
			"app.Run(); // "+fresh()+"\n")
	write(t, dir, "src/Site/appsettings.json", "{}\n")
	write(t, dir, "src/Site/data/a/b.json", "{}\n")
	write(t, dir, "src/Site/wwwroot/css/site.css", strings.Repeat("body { margin: 0 }\n", 100))
	write(t, dir, "shared/motd.txt", "welcome\n")
	write(t, dir, "src/Widgets/Widgets.csproj",
		`<Project Sdk="Microsoft.NET.Sdk.Razor"><ItemGroup>`+
			`<FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup></Project>`)
	write(t, dir, "src/Widgets/Button.razor", "<button>press</button>\n")
	write(t, dir, "src/Widgets/wwwroot/widget.js", strings.Repeat("console.log('widget');\n", 100))
	write(t, dir, "src/Numbers/Numbers.csproj", `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><GenerateDocumentationFile>true</GenerateDocumentationFile><Version>1.2.3</Version></PropertyGroup>
  <ItemGroup>
    <ProjectReference Include="../Texts/Texts.csproj" />
    <ProjectReference Include="../Base/Base.csproj" />
    <PackageReference Include="Newtonsoft.Json" Version="13.0.3" />
  </ItemGroup>
</Project>
`)
	write(t, dir, "src/Numbers/Sum.cs",
		"namespace Numbers;\n/// <summary>Adds.</summary>\npublic static class Sum\n{\n"+
			"    /// <summary>Adds two.</summary>\n"+
			"    public static string Of(int a, int b) =>\n"+
			"        Newtonsoft.Json.JsonConvert.SerializeObject(Base.Hidden.Add(a, b)) + Texts.Words.Hello;\n}\n")
	write(t, dir, "src/Base/Base.csproj", `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework /><TargetFrameworks>net10.0</TargetFrameworks></PropertyGroup>
  <ItemGroup>
    <InternalsVisibleTo Include="Numbers" />
    <Compile Remove="templates/**" />
    <None Include="templates/**" CopyToOutputDirectory="PreserveNewest" />
    <EmbeddedResource Include="words.txt" />
  </ItemGroup>
</Project>
`)
	write(t, dir, "src/Base/Hidden.cs",
		"namespace Base;\ninternal static class Hidden { internal static int Add(int a, int b) => a + b; }\n")
	write(t, dir, "src/Base/templates/Class.cs", "class Template { }\n")
	write(t, dir, "src/Base/templates/Class.txt", "template\n")
	write(t, dir, "src/Base/words.txt", "words\n")
	write(t, dir, "src/Texts/Texts.csproj",
		`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><NeutralLanguage>en</NeutralLanguage></PropertyGroup></Project>`)
	write(t, dir, "src/Texts/Words.cs",
		"namespace Texts;\n"+
			"public static class Words { public static string Hello =>\n"+
			"    new System.Resources.ResourceManager(\"Texts.Strings\", typeof(Words).Assembly)\n"+
			"        .GetString(\"Hello\")!; }\n")
	for culture, text := range map[string]string{"": "hello", ".de": "hallo", ".fr": "bonjour"} {
		write(t, dir, "src/Texts/Strings"+culture+".resx", `<?xml version="1.0" encoding="utf-8"?><root>
  <resheader name="resmimetype"><value>text/microsoft-resx</value></resheader>
  <resheader name="version"><value>2.0</value></resheader>
  <resheader name="reader"><value>System.Resources.ResXResourceReader, `+
			`System.Windows.Forms, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089</value></resheader>
  <resheader name="writer"><value>System.Resources.ResXResourceWriter, `+
			`System.Windows.Forms, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089</value></resheader>
  <data name="Hello" xml:space="preserve"><value>`+text+`</value></data></root>`)
	}
	// A generator is compiled against the compiler, which the SDK has.
	write(t, dir, "src/Maker/Maker.csproj",
		`<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><EnforceExtendedAnalyzerRules>false</EnforceExtendedAnalyzerRules></PropertyGroup>
  <ItemGroup><Reference Include="$(RoslynTargetsPath)/bincore/Microsoft.CodeAnalysis.dll" Private="false" /></ItemGroup>
</Project>`)
	write(t, dir, "src/Maker/Maker.cs", `using Microsoft.CodeAnalysis;
[Generator]
public class Maker : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context) =>
        context.RegisterPostInitializationOutput(c => c.AddSource("Made.g.cs",
            "static class Made { public const string By = \"Maker\"; }"));
}
`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/Site\n")
	// What an expert would write by hand, in the same folder, as the compiler writes paths into what it makes.
	write(t, dir, "Dockerfile", `FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
`+shortRun+`WORKDIR /source
COPY . .
RUN dotnet restore src/Site/Site.csproj -p:UseAppHost=false -p:EnableAppHostPackDownload=false && \
    dotnet publish src/Site/Site.csproj --no-restore -o /out`+portableFlags+`
FROM scratch
COPY --from=build /out /
`)
	return dir
}

// What is published is what dotnet publish publishes: every file, and every byte but for the times that the SDK writes
// down of static assets. What other systems need of packages is all that is left out. It is so for a first build, and
// after an edit.
func TestSameAsPlainPublish(t *testing.T) {
	t.Parallel()
	dir := richApp(t)
	log, files := sameAsPlain(t, dir, "Dockerfile", "publish")
	for _, name := range []string{"de/Texts.resources.dll", "data/a/b.json", "motd.txt", "templates/Class.cs",
		"Numbers.xml", "Widgets.dll", "wwwroot/_content/Widgets/widget.js", "wwwroot/css/site.css.br",
		"runtimes/linux-x64/native/libe_sqlite3.so"} {
		if _, ok := files[name]; !ok {
			t.Errorf("the app is not rich: no %s", name)
		}
	}
	slice := "dotnet build src/Base/Base.csproj src/Maker/Maker.csproj src/Texts/Texts.csproj " +
		"src/Widgets/Widgets.csproj src/Numbers/Numbers.csproj"
	wantContains(t, "log", log, slice)
	edit(t, dir, "src/Base/Hidden.cs", "a + b", "a - b")
	log, _ = sameAsPlain(t, dir, "Dockerfile", "publish")
	wantContains(t, "log", log, slice)
}

// So it is where a step of its own makes the static web assets, whatever they come from. What a build makes is noticed,
// and then publish has it.
//
// It takes minutes: each kind of asset is published twice, and compressing is slow.
func TestStaticAssetsAsPlainPublish(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, targets string
		publishes     int
	}{
		{"of the context", "", 1},
		{"made by the build", `<Target Name="Make" BeforeTargets="BeforeBuild">
    <WriteLinesToFile File="wwwroot/made.css" Lines="a { color: red }" Overwrite="true" />
    <ItemGroup><Content Include="wwwroot/made.css" /></ItemGroup>
  </Target>`, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := richApp(t)
			var large strings.Builder
			for i := range 30_000 {
				fmt.Fprintf(&large, ".c%d { width: %dpx }\n", i, i*i)
			}
			write(t, dir, "src/Site/wwwroot/css/large.css", large.String())
			write(t, dir, "src/Site/Pages/Index.cshtml", "@page\n<h1>index</h1>\n")
			write(t, dir, "src/Site/Pages/Index.cshtml.css", "h1 { color: blue }\n")
			write(t, dir, "src/Site/Pages/Index.cshtml.js", "console.log('index');\n")
			write(t, dir, "src/Widgets/Button.razor.css", "button { color: red }\n")
			write(t, dir, "src/Widgets/Button.razor.js", "console.log('button');\n")
			write(t, dir, "src/Widgets/wwwroot/Widgets.lib.module.js", "export function beforeWebStart() { }\n")
			edit(t, dir, "src/Site/Site.csproj", "</Project>", tc.targets+"</Project>")
			log, files := sameAsPlain(t, dir, "Dockerfile", "publish")
			for _, name := range []string{"wwwroot/css/large.css.br", "wwwroot/Site.styles.css.gz",
				"wwwroot/Pages/Index.cshtml.js", "wwwroot/_content/Widgets/Button.razor.js.br", "wwwroot/Site.modules.json"} {
				if _, ok := files[name]; !ok {
					t.Errorf("the app is not rich: no %s in %v", name, slices.Sorted(maps.Keys(files)))
				}
			}
			wantContains(t, "log", log, "[publish] compress static assets of src/Site/Site.csproj")
			if n := steps(log, `\[publish\] dotnet publish `); n != tc.publishes {
				t.Errorf("publish ran %d times, want %d", n, tc.publishes)
			}
		})
	}
}

// So it is with every example, whatever the mode.
//
// It takes minutes: each example is published twice, and AOT and trimming are slow.
func TestExamplesAsPlainPublish(t *testing.T) {
	t.Parallel()
	const portable = portableFlags
	feedOfReader(t)
	for _, tc := range []struct {
		name, example, image string
		run                  string // a script that publishes into /out
		args                 []string
		target               string
	}{
		{"aot", "aot", "10.0-aot", "dotnet publish aot.csproj -r linux-x64 -o /out && rm /out/aot.dbg", nil, "publish"},
		{"apps portable", "apps", "10.0", "dotnet publish src/clock/clock.csproj -o /out" + portable, nil, "clock-publish"},
		{"apps apphost", "apps", "10.0", "dotnet publish src/greeter/greeter.csproj -o /out", nil, "greeter-publish"},
		{"aspnetapp", "aspnetapp", "10.0", "dotnet publish aspnetapp/aspnetapp.csproj -o /out" + portable, nil, "publish"},
		{"complexapp", "complexapp", "10.0", "dotnet publish src/complexapp/complexapp.csproj -o /out" + portable, nil,
			"publish"},
		{"dotnetapp", "dotnetapp", "10.0", "dotnet publish dotnetapp.csproj -o /out" + portable, nil, "publish"},
		{"filebased", "filebased", "10.0",
			"dotnet project convert hello.cs --output hello && dotnet publish hello -p:PublishAot=false -o /out" + portable, nil,
			"publish"},
		{"privatefeed", "privatefeed", "10.0",
			`export SSL_CERT_FILE=/ca.pem "NuGetPackageSourceCredentials_company=Username=any;Password=$TOKEN" && dotnet ` +
				`publish privatefeed.csproj -o /out` + portable,
			[]string{"--secret", "id=feed-url,env=FEED_URL", "--secret", "id=feed-token,env=FEED_TOKEN",
				"--secret", "id=company-ca,src=" + getenv(t, "FEED_CA")}, "publish"},
		{"sqlite", "sqlite", "10.0", "dotnet publish sqlite.csproj -o /out" + portable, nil, "publish"},
		{"trimmed", "trimmed", "10.0", "dotnet publish trimmed.csproj -r linux-x64 -o /out", nil, "publish"},
		{"worker", "worker", "10.0", "dotnet publish worker.csproj -o /out" + portable, nil, "publish"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel() // a build has one core idle half of the time
			dir, elsewhere := shared(t, tc.example), t.TempDir()
			write(t, elsewhere, "Dockerfile", "FROM mcr.microsoft.com/dotnet/sdk:"+tc.image+` AS build
WORKDIR /source
COPY . .
RUN --mount=type=secret,id=feed-url,env=FEED_URL --mount=type=secret,id=feed-token,env=TOKEN \
    --mount=type=secret,id=company-ca,target=/ca.pem \
    `+tc.run+`
FROM scratch
COPY --from=build /out /
`)
			sameAsPlain(t, dir, filepath.Join(elsewhere, "Dockerfile"), tc.target, tc.args...)
		})
	}
}

// lastModified are the times of files in a manifest of static assets.
var lastModified = regexp.MustCompile(`\{"Name":"Last-Modified","Value":"[^"]*"\}`)

// sameAsPlain publishes the app in dir by a Dockerfile and by a target of its crosshull.yaml, and compares. It gives
// the log of the latter and the files.
func sameAsPlain(t *testing.T, dir, dockerfile, target string, args ...string) (log string, got map[string]string) {
	t.Helper()
	plain, ours := t.TempDir(), t.TempDir()
	build(t, dir, append(args, "-f", dockerfile, "--output", "type=local,dest="+plain, ".")...)
	log = build(t, dir,
		append(args, "-f", "crosshull.yaml", "--target", target, "--platform", "linux/amd64",
			"--output", "type=local,dest="+ours, ".")...)
	got = tree(t, ours)
	wantSameFiles(t, tree(t, plain), got, true)
	return log, got
}

// wantSameFiles compares what is published plainly with what crosshull publishes, all bytes or names alone.
func wantSameFiles(t *testing.T, want, got map[string]string, bytes bool) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		foreign := strings.HasPrefix(name, "runtimes/") && !strings.HasPrefix(name, "runtimes/linux-x64/")
		_, there := got[name]
		switch {
		case foreign && there:
			t.Errorf("%s is of another system", name)
		case !foreign && !there:
			t.Errorf("%s is missing", name)
		case bytes && there && want[name] != got[name] &&
			lastModified.ReplaceAllString(want[name], "") != lastModified.ReplaceAllString(got[name], ""):
			t.Errorf("%s differs", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is too much", name)
		}
	}
	if len(want) == 0 {
		t.Error("nothing was published")
	}
}

// Built again from another checkout, at another time, with files of other times, every published file is the same: the
// manifest of static assets too, which holds times, of what the app compresses and of what its libraries do.
func TestSameTwice(t *testing.T) {
	t.Parallel()
	first, second := richApp(t), t.TempDir()
	write(t, first, "src/Second/Second.csproj",
		`<Project Sdk="Microsoft.NET.Sdk.Web"><ItemGroup>`+
			`<ProjectReference Include="../Widgets/Widgets.csproj" /></ItemGroup></Project>`)
	write(t, first, "src/Second/Program.cs", "WebApplication.CreateBuilder(args).Build().Run();\n")
	write(t, first, "src/Widgets/Button.razor.css", "button { color: red }\n")
	write(t, first, "crosshull.yaml",
		"# syntax=ghcr.io/crosshull/crosshull:1\napps: {site: {project: src/Site}, second: {project: src/Second}}\n")
	if err := os.CopyFS(second, os.DirFS(first)); err != nil {
		t.Fatal(err)
	}
	// Never the same: a file of the same name, size and time as one of a run before would not be sent to the builder.
	then := time.Date(2020, time.May, 4, 3, 2, 1, int(time.Now().UnixNano()%1e9), time.UTC)
	err := filepath.WalkDir(second, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(p, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
	var trees []map[string]string
	for _, dir := range []string{first, second} {
		out := t.TempDir()
		log := build(t, dir, "-f", "crosshull.yaml", "--no-cache", "--target", "site-publish", "--platform", "linux/amd64",
			"--output", "type=local,dest="+out, ".")
		wantContains(t, "log", log, "src/Widgets/Widgets.csproj")
		trees = append(trees, tree(t, out))
	}
	for name, dt := range trees[0] {
		if trees[1][name] != dt {
			t.Errorf("%s differs:\n%.2000q\n%.2000q", name, dt, trees[1][name])
		}
	}
	if len(trees[0]) != len(trees[1]) {
		t.Errorf("%d files and %d files", len(trees[0]), len(trees[1]))
	}
	endpoints := trees[0]["Site.staticwebassets.endpoints.json"]
	wantContains(t, "endpoints", endpoints, "Last-Modified", "Widgets.bundle.scp.css", "site.css.br")
}

// tree gives the files below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		dt, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		files[rel] = string(dt)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
