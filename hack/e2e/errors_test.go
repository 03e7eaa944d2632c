package e2e

import (
	"strings"
	"testing"
)

// What goes wrong is said once, by name, and with the line of the spec that has to change.
func TestErrors(t *testing.T) {
	t.Parallel()
	app := func(t *testing.T, dir string) { sharedProject(t, dir, "src/app/app.csproj", "") }
	for _, tc := range []struct {
		name  string
		files func(t *testing.T, dir string)
		spec  string // after the syntax line
		args  []string
		want  []string
	}{
		{"unknown key", app, "projct: src/app\n", nil, []string{
			`crosshull.yaml:2: unknown key "projct", did you mean "project"?`, ">>> projct: src/app",
		}},
		{"two mistakes", app, "projct: a\nimage:\n  workdir: app\n", nil, []string{
			`crosshull.yaml:2: unknown key "projct"`, `crosshull.yaml:4: image.workdir "app" must be an absolute path`,
		}},
		{"several projects", func(t *testing.T, dir string) {
			app(t, dir)
			sharedProject(t, dir, "src/other/other.csproj", "")
		}, "", nil, []string{
			"2 projects in the context can be published", "project: src/app/app.csproj", "src/other/other.csproj",
			"crosshull.yaml:1",
		}},
		{"no project", func(*testing.T, string) {}, "", nil, []string{"no .NET project in the context"}},
		{"only a library", func(t *testing.T, dir string) {
			write(t, dir, "lib/lib.csproj",
				`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>`+
					`<TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>`)
		}, "project: lib\n", nil,
			[]string{"crosshull.yaml:2: nothing to publish in lib", "lib/lib.csproj (OutputType Library)"}},
		{"several frameworks", func(t *testing.T, dir string) {
			sharedProject(t, dir, "app/app.csproj", "<TargetFrameworks>net10.0;net9.0</TargetFrameworks>")
			edit(t, dir, "app/app.csproj", "<TargetFramework>net10.0</TargetFramework>", "")
		}, "", nil, []string{"app/app.csproj has several frameworks", "framework: net10.0 or net9.0"}},
		{"modes that exclude each other", app, "publish:\n  mode: [aot, single-file]\n", nil, []string{
			"crosshull.yaml:3: publish.mode: aot and single-file cannot be combined",
		}},
		{"an unknown mode", app, "publish:\n  mode: native\n", nil,
			[]string{`crosshull.yaml:3: publish.mode: "native" is not known: use portable, apphost`}},
		{"AOT for another C library", app,
			"publish: {mode: aot}\nbase: {family: alpine}\nsdk: {toolchain: 'mcr.microsoft.com/dotnet/sdk:10.0'}\n",
			[]string{"--platform", "linux/amd64"}, []string{
				"would link linux-musl-x64 to glibc",
			}},
		{"AOT across architectures on musl", app,
			"publish: {mode: aot}\nbase: {image: 'mcr.microsoft.com/dotnet/runtime-deps:10.0-alpine'}\n",
			[]string{"--platform", "linux/arm64"}, []string{
				"AOT cannot link linux-musl-arm64 on linux-x64",
			}},
		{"a compiler's error", func(t *testing.T, dir string) {
			app(t, dir)
			write(t, dir, "src/app/Program.cs", "System.Console.WriteLin();\n")
		}, "project: src/app\n", nil,
			[]string{"/source/src/app/Program.cs(1,16): error CS0117", "[publish] dotnet publish src/app/app.csproj",
				"failed to solve: 1 error in [publish] dotnet publish src/app/app.csproj\n" +
					"    CS0117: see https://learn.microsoft.com/dotnet/csharp/misc/cs0117\n" +
					"src/app/Program.cs(1,16): error CS0117: 'Console' does not contain", ">>> project: src/app",
			}},
		{"many of them", func(t *testing.T, dir string) {
			app(t, dir)
			write(t, dir, "src/app/Program.cs", strings.Repeat("System.Console.WriteLin();\n", 9))
		}, "", nil, []string{"9 errors in [publish]", "Program.cs(5,16): error CS0117", "and 4 more in the log of the step"}},
		{"a package that no feed has", func(t *testing.T, dir string) {
			app(t, dir)
			edit(t, dir, "src/app/app.csproj", "</Project>",
				`<ItemGroup><PackageReference Include="No.Such.Package" Version="1.0.0" /></ItemGroup></Project>`)
		}, "project: src/app\nnuget: {audit: false}\n", nil, []string{
			"1 error in [restore] dotnet restore src/app/app.csproj\n    NU1101: see",
			"\nsrc/app/app.csproj: error NU1101: Unable to find package No.Such.Package",
			"see https://learn.microsoft.com/nuget/reference/errors-and-warnings/nu1101", "hint: no feed has the package",
			">>> nuget: {audit: false}",
		}},
		{"an SDK that projects do not find", func(t *testing.T, dir string) {
			write(t, dir, "app.csproj", `<Project Sdk="No.Such.Sdk" />`)
		}, "", nil,
			[]string{"describe the project: ", "app.csproj: error MSB4236: The SDK 'No.Such.Sdk' specified could not be found",
				"hint: an SDK of the project file was not found"}},
		{"an import that is missing", func(t *testing.T, dir string) {
			app(t, dir)
			edit(t, dir, "src/app/app.csproj", "</Project>", "\n  <Import Project=\"no.props\" />\n</Project>")
		}, "project: src/app\n", nil,
			[]string{"app.csproj(", "error MSB4019", "src/app/app.csproj:", `>>>   <Import Project="no.props" />`}},
		{"a target that fails", func(t *testing.T, dir string) {
			app(t, dir)
			edit(t, dir, "src/app/app.csproj", "</Project>",
				"\n  <Target Name=\"T\" BeforeTargets=\"Build\">\n    <Error Text=\"no license\" />\n  </Target>\n</Project>")
		}, "project: src/app\n", nil,
			[]string{"error : no license", ">>> project: src/app", `>>>     <Error Text="no license" />`}},
		{"a project that references itself, again and again", func(t *testing.T, dir string) {
			app(t, dir)
			edit(t, dir, "src/app/app.csproj", "</Project>", `<ItemGroup><ProjectReference Include="app.csproj" `+
				`AdditionalProperties="Turn=$([MSBuild]::Add(0$(Turn), 1))" /></ItemGroup></Project>`)
		}, "project: src/app\n", nil, []string{
			"crosshull.yaml:2: the references of src/app/app.csproj have no end, or lead to over 50,000 projects",
		}},
		{"a test that fails", func(t *testing.T, dir string) {
			sharedProject(t, dir, "t.csproj", "<OutputType>Library</OutputType>")
			edit(t, dir, "t.csproj", "</Project>",
				`<ItemGroup><PackageReference Include="Microsoft.NET.Test.Sdk" Version="18.0.1" />`+
					`<PackageReference Include="xunit" Version="2.9.3" />`+
					`<PackageReference Include="xunit.runner.visualstudio" Version="3.1.5" /></ItemGroup></Project>`)
			write(t, dir, "Program.cs",
				"public class Sums { [Xunit.Fact] public void Add() => Xunit.Assert.Equal(3, 1 + 1); [Xunit.Fact] public void "+
					"Same() { } }\n")
		}, "tests: [t.csproj]\n", []string{"--target", "test"},
			[]string{"1 of 2 tests failed in [test] dotnet test t.csproj\n" +
				"Sums.Add: Assert.Equal() Failure: Values differ; Expected: 3; Actual:   2",
				">>> tests: [t.csproj]"}},
		{"a secret that is not given", app, "publish:\n  secrets:\n    KEY: api-key\n", nil,
			[]string{`crosshull.yaml:4: secret "api-key" is missing: give it to the build with --secret id=api-key`}},
		{"an agent that is not given", app, "publish: {ssh: [deploy]}\n", nil,
			[]string{`crosshull.yaml:2: an SSH agent "deploy" is missing: give it to the build with --ssh deploy`}},
		{"a context that is not given", app, "files: [{context: extra, to: /extra/}]\n", nil,
			[]string{"crosshull.yaml:2: there is no context extra: give it with --build-context extra=FOLDER"}},
		{"an argument that is not declared", app, "image: {env: {V: '${VERSION}'}}\n", nil,
			[]string{`crosshull.yaml:2: build argument "VERSION" is not declared`}},
		{"linux/arm32", app, "", []string{"--platform", "linux/arm32"},
			[]string{"platform linux/arm32 does not exist: write linux/arm/v7"}},
		{"a platform .NET lacks", app, "", []string{"--platform", "linux/amd64,linux/386"}, []string{
			"crosshull cannot build for platform linux/386: use linux/amd64, linux/arm64, linux/arm/v7",
		}},
		{"a platform the base lacks", app, "", []string{"--platform", "linux/amd64,linux/s390x"}, []string{
			"mcr.microsoft.com/dotnet/runtime:10.0 has no image for linux/s390x: use linux/amd64, linux/arm64, linux/arm/v7",
		}},
		{"no such base", app, "base:\n  family: nobel\n", nil,
			[]string{"crosshull.yaml:3: base image:", "10.0-nobel", "not found"}},
		{"no such SDK", app, "sdk:\n  version: 10.0.999\n", nil,
			[]string{"crosshull.yaml:3: SDK image:", "dotnet/sdk:10.0.999", "not found"}},
		{"a global.json that no image fits", func(t *testing.T, dir string) {
			app(t, dir)
			write(t, dir, "global.json", "{\n  \"sdk\": {\n    \"version\": \"10.0.100\"\n  }\n}\n")
		}, "", nil, []string{
			"global.json:3: asks for SDK 10.0.100, rollForward patch, but no image fits: " +
				"mcr.microsoft.com/dotnet/sdk:10.0.100 does not exist",
			"mcr.microsoft.com/dotnet/sdk:10.0 has SDK 10.0.4", `"rollForward": "latestFeature" would accept it`,
			`>>>     "version": "10.0.100"`,
		}},
		{"a global.json against the spec", func(t *testing.T, dir string) {
			app(t, dir)
			write(t, dir, "global.json", "{\n  \"sdk\": {\"version\": \"11.0.100\"}\n}\n")
		}, "sdk: {version: '10.0'}\n", nil,
			[]string{"global.json:2: asks for SDK 11.0.100", "but mcr.microsoft.com/dotnet/sdk:10.0 has SDK "}},
		{"a global.json that is none", func(t *testing.T, dir string) {
			app(t, dir)
			write(t, dir, "src/global.json", "{\"sdk\": {},}\n")
		}, "project: src/app\n", nil, []string{"src/global.json:1: not valid JSON"}},
		{"a framework that no SDK has", func(t *testing.T, dir string) {
			sharedProject(t, dir, "app/app.csproj", "<TargetFrameworks>net42.0</TargetFrameworks>")
		}, "", nil, []string{"SDK image:", "mcr.microsoft.com/dotnet/sdk:42.0", "not found"}},
		{"no such target", app, "", []string{"--target", "web"},
			[]string{`target "web" does not exist: use image, publish, sbom, sdk`}},
		{"no such test", app, "tests: [src/app]\n", []string{"--target", "test"},
			[]string{"crosshull.yaml:2: no test project in src/app", "src/app/app.csproj (an app)"}},
		{"no such solution", app, "project: all.sln\n", nil,
			[]string{"crosshull.yaml:2: there is no all.sln in the context"}},
		{"files for a user without a number", app, "image: {user: shop}\nfiles: [{to: /data}]\n", nil,
			[]string{"crosshull.yaml:2: image.user: there is no user shop: the image has root, "}},
		{"no such project", app, "project: src/ap\n", nil, []string{
			"crosshull.yaml:2: there is no src/ap in the context, or an ignore file leaves it out: did you mean src/app?",
		}},
		{"an epoch that is none", app, "", []string{"--build-arg", "SOURCE_DATE_EPOCH=today"},
			[]string{"SOURCE_DATE_EPOCH=today: write seconds since 1970, or context"}},
		{"a call that there is not", app, "", []string{"--call", "nonsense"}, []string{ // it is not built in its place
			"unsupported request frontend.nonsense",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tc.files(t, dir)
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+tc.spec)
			out, err := tryBuild(t, dir, append(tc.args, "-f", "crosshull.yaml", ".")...)
			if err == nil {
				t.Fatalf("the build succeeded:\n%s", out)
			}
			wantContains(t, "output", out, tc.want...)
			// Some clients show the last line alone.
			last := lastLine(out)
			if strings.Contains(last, "see http") || strings.Contains(last, "hint: ") || strings.Contains(last, " more ") {
				t.Errorf("the last line is no error: %s", last)
			}
			if strings.Contains(out, "panic") || strings.Contains(out, "goroutine") {
				t.Errorf("a stack trace:\n%s", out)
			}
		})
	}
}

// What is only of no use is warned about, and built.
func TestUnusedBuildArg(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	rec := mustSolve(t, dir, attr("build-arg:VERSION", "1"), attr("build-arg:HTTP_PROXY", ""))
	if len(rec.warnings) != 1 || !strings.Contains(rec.warnings[0], "build-args [VERSION] were not consumed") {
		t.Errorf("warnings: %q", rec.warnings)
	}
}
