package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/hack/lab/feed"
	"github.com/crosshull/crosshull/hack/lab/run"
)

// webProgram starts only where ASP.NET Core is.
const webProgram = `using Microsoft.AspNetCore.Builder;
public static class Web
{
    public static void Tell()
    {
        WebApplication.CreateBuilder().Build();
        System.Console.WriteLine(typeof(WebApplication).Assembly.GetName().Name);
    }
}
`

// hiddenWeb writes a console app that gets ASP.NET Core from what it references.
func hiddenWeb(t *testing.T, dir, mode, reference, mark string) {
	t.Helper()
	projectWith(t, dir, "app/app.csproj", "</PropertyGroup><ItemGroup>"+reference+"</ItemGroup><PropertyGroup>", mark)
	write(t, dir, "app/Program.cs", "Web.Tell();\n")
	write(t, dir, "crosshull.yaml", header+"project: app\npublish: {mode: "+mode+"}\n")
}

const (
	byLibrary = `<ProjectReference Include="../lib/lib.csproj" />`
	byPackage = `<PackageReference Include="Serilog.AspNetCore" Version="9.0.0" />`
)

// The base has the frameworks that a library or a package brings, and the app starts.
func TestFrameworks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, mode, reference, base string }{
		{"of a library", "portable", byLibrary, "aspnet:10.0"},
		{"of a package", "portable", byPackage, "aspnet:10.0"},
		{"of a package, one file", "single-file", byPackage, "aspnet:10.0"},
		{"of a package, with a launcher", "apphost", byPackage, "aspnet:10.0"},
		{"of a library that keeps it", "portable",
			`<ProjectReference Include="../lib/lib.csproj" PrivateAssets="all" ReferenceOutputAssembly="false" />`,
			"runtime:10.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir, repo := t.TempDir(), repository(t)
			hiddenWeb(t, dir, tc.mode, tc.reference, fresh())
			web := "app"
			if tc.reference != byPackage {
				web = "lib"
				write(t, dir, "lib/lib.csproj", `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><FrameworkReference Include="Microsoft.AspNetCore.App" /></ItemGroup>
</Project>
`)
			}
			write(t, dir, web+"/Web.cs", webProgram)
			want := "Microsoft.AspNetCore"
			if strings.HasPrefix(tc.base, "runtime:") {
				want = "hello"
				write(t, dir, "app/Program.cs", "System.Console.WriteLine(\"hello\");\n")
			}
			rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
			if n := rec.count("[publish] dotnet publish"); tc.mode != "single-file" && n != 1 {
				t.Errorf("published %d times", n)
			}
			_, images := index(t, repo)
			for p, img := range images {
				if got := img.Config.Config.Labels[ocispecs.AnnotationBaseImageName]; got != "mcr.microsoft.com/dotnet/"+tc.base {
					t.Errorf("%s is on %s, want %s", p, got, tc.base)
				}
			}
			res := runContainer(t, run.Spec{Ref: repo})
			wantContains(t, "the container", res.Output, want)
			if res.ExitCode != 0 {
				t.Errorf("it ends with %d", res.ExitCode)
			}
		})
	}
}

// What cannot start is not pushed.
func TestFrameworksMissing(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, dir string, says ...string) {
		t.Helper()
		repo := repository(t)
		rec, err := solve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
		if err == nil {
			t.Fatal("it is built")
		}
		wantContains(t, "the error", err.Error(), says...)
		if rec.count("[image") > 0 || rec.count("exporting") > 0 {
			t.Errorf("ran %q", rec.ran)
		}
		name := strings.TrimPrefix(repo, theLab.Registry())
		res, err := http.Get("http://" + theLab.Registry() + "/v2" + name + "/tags/list")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // read only
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("the registry says %s", res.Status)
		}
	}
	t.Run("a base without ASP.NET Core", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		hiddenWeb(t, dir, "portable", byPackage, ofThisRun)
		write(t, dir, "app/Web.cs", webProgram)
		write(t, dir, "crosshull.yaml", header+"base:\n  image: mcr.microsoft.com/dotnet/runtime:10.0\n")
		refused(t, dir, "crosshull.yaml:3: the app does not start on mcr.microsoft.com/dotnet/runtime:10.0, which has no "+
			"Microsoft.AspNetCore.App",
			"base: {image: mcr.microsoft.com/dotnet/aspnet:10.0}")
	})
	t.Run("another's base without ASP.NET Core", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		hiddenWeb(t, dir, "portable", byPackage, ofThisRun)
		write(t, dir, "app/Web.cs", webProgram)
		base := theLab.Registry() + "/dotnet/runtime@" + baseManifest(t, "dotnet/runtime:10.0", "amd64")
		write(t, dir, "crosshull.yaml", header+"base:\n  image: "+base+"\n")
		_, err := solve(t, dir, platform("linux/amd64"))
		if err == nil {
			t.Fatal("it is built")
		}
		wantContains(t, "the error", err.Error(), "has no Microsoft.AspNetCore.App")
	})
	t.Run("a newer runtime than the base's", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		project(t, dir, "app.csproj", "<RuntimeFrameworkVersion>10.0.99</RuntimeFrameworkVersion>")
		write(t, dir, "crosshull.yaml", header)
		refused(t, dir, ": it needs Microsoft.NETCore.App 10.0.99. Write base: ")
	})
}

// An assembly for one kind of machine is not put into an image for another one.
func TestPlatformTarget(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "app.csproj", "<PlatformTarget>x64</PlatformTarget>")
	write(t, dir, "crosshull.yaml", header)
	const says = "app.csproj has PlatformTarget x64, so it does not start on linux-arm64"
	_, err := solve(t, dir, platform("linux/amd64,linux/arm64"))
	if err == nil {
		t.Fatal("it is built")
	}
	wantContains(t, "the error", err.Error(), says)
	out, err := tryBuild(t, dir, "-f", "crosshull.yaml", "--platform", "linux/arm64", "--check", ".")
	if err == nil {
		t.Error("a check finds nothing")
	}
	wantContains(t, "check", out, says)
	mustSolve(t, dir, platform("linux/amd64"))

	// An app may do without a library, so that is no error.
	dir = t.TempDir()
	project(t, dir, "app/app.csproj",
		`</PropertyGroup><ItemGroup><ProjectReference Include="../lib/lib.csproj" /></ItemGroup><PropertyGroup>`)
	project(t, dir, "lib/lib.csproj", "<OutputType>Library</OutputType><PlatformTarget>x64</PlatformTarget>")
	write(t, dir, "lib/Program.cs", "public class Lib { }\n")
	write(t, dir, "crosshull.yaml", header)
	rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"))
	wantContains(t, "the warnings", strings.Join(rec.warnings, "\n"),
		"PlatformTarget: lib/lib.csproj:5: lib/lib.csproj has PlatformTarget x64, so an app on linux-arm64 cannot load it: "+
			"set PlatformTarget to AnyCPU, or remove it")
}

// Machine code of a package for another C library than that of the base, or for another machine, is warned of.
func TestNativeAssets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "packages/Fast.1.0.0.nupkg", feed.Package("Fast", "1.0.0",
		"lib/net8.0/_._", "",
		"runtimes/linux-x64/native/libfast.so", "machine code",
		"runtimes/win-x64/native/fast.dll", "machine code"))
	write(t, dir, "nuget.config", `<configuration>
  <packageSources><add key="here" value="packages" /></packageSources>
</configuration>
`)
	project(t, dir, "app/app.csproj", "</PropertyGroup><ItemGroup>"+
		`<PackageReference Include="Fast" Version="1.0.0" /></ItemGroup><PropertyGroup>`)
	const fast = "libfast.so of package Fast is for linux-x64"
	for _, tc := range []struct{ name, base, mode, platform, want string }{
		{"glibc", "noble", "portable", "linux/amd64", ""},
		{"musl", "alpine", "portable", "linux/amd64", fast + " (glibc), and not for linux-musl-x64"},
		{"arm64", "noble", "portable", "linux/arm64", fast + ", and not for linux-arm64"},
		{"for each platform", "noble", "single-file", "linux/amd64", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, dir, "crosshull.yaml",
				header+"project: app\nbase: {family: "+tc.base+"}\npublish: {mode: "+tc.mode+"}\n")
			rec := mustSolve(t, dir, platform(tc.platform))
			found := slices.DeleteFunc(rec.warnings, func(w string) bool { return !strings.HasPrefix(w, "NativeAssets: ") })
			switch {
			case tc.want == "" && len(found) > 0, tc.want != "" && len(found) != 1:
				t.Errorf("warned of %q", found)
			case tc.want != "":
				wantContains(t, "the warning", found[0], tc.want)
			}
		})
	}
}
