package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/run"
)

// A stranger has a web app, a class library and tests as `dotnet new` writes them, and the Dockerfile that an editor
// added. The commands of the quickstart make an image for two platforms, and it runs. No command fails.
func TestStranger(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	for name, text := range map[string]string{
		"Shop.slnx": `<Solution>
  <Folder Name="/src/">
    <Project Path="src/Shop.Api/Shop.Api.csproj" />
    <Project Path="src/Shop.Core/Shop.Core.csproj" />
  </Folder>
  <Folder Name="/tests/">
    <Project Path="tests/Shop.Tests/Shop.Tests.csproj" />
  </Folder>
</Solution>
`,
		"src/Shop.Api/Shop.Api.csproj": `<Project Sdk="Microsoft.NET.Sdk.Web">
  <ItemGroup>
    <ProjectReference Include="..\Shop.Core\Shop.Core.csproj" />
  </ItemGroup>
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <DockerDefaultTargetOS>Linux</DockerDefaultTargetOS>
  </PropertyGroup>
</Project>
`,
		"src/Shop.Api/Program.cs": `using Shop.Core;

var builder = WebApplication.CreateBuilder(args);
var app = builder.Build();
app.MapGet("/", () => $"{Price.Of(3)} for {app.Configuration["Currency"]}");
app.Run();
`,
		"src/Shop.Api/appsettings.json": `{"Currency": "EUR"}` + "\n",
		"src/Shop.Api/Dockerfile": `FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS base
USER $APP_UID
WORKDIR /app
EXPOSE 8080

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG BUILD_CONFIGURATION=Release
WORKDIR /src
COPY ["src/Shop.Api/Shop.Api.csproj", "src/Shop.Api/"]
COPY ["src/Shop.Core/Shop.Core.csproj", "src/Shop.Core/"]
RUN dotnet restore "./src/Shop.Api/Shop.Api.csproj"
COPY . .
RUN dotnet publish "./src/Shop.Api/Shop.Api.csproj" -c $BUILD_CONFIGURATION -o /app/publish /p:UseAppHost=false

FROM base AS final
WORKDIR /app
COPY --from=build /app/publish .
ENTRYPOINT ["dotnet", "Shop.Api.dll"]
`,
		"src/Shop.Core/Shop.Core.csproj": `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
  </PropertyGroup>
</Project>
`,
		"src/Shop.Core/Price.cs": "namespace Shop.Core;\n\npublic static class Price\n{\n" +
			"    public static int Of(int count) => count * 7;\n}\n",
		"tests/Shop.Tests/Shop.Tests.csproj": `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <IsPackable>false</IsPackable>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.NET.Test.Sdk" Version="18.0.1" />
    <PackageReference Include="xunit" Version="2.9.3" />
    <PackageReference Include="xunit.runner.visualstudio" Version="3.1.5" />
  </ItemGroup>
  <ItemGroup>
    <ProjectReference Include="..\..\src\Shop.Core\Shop.Core.csproj" />
  </ItemGroup>
</Project>
`,
		"tests/Shop.Tests/PriceTests.cs": "using Shop.Core;\nusing Xunit;\n\npublic class PriceTests\n{\n" +
			"    [Fact]\n    public void Adds() => Assert.Equal(21, Price.Of(3));\n}\n",
	} {
		write(t, dir, name, text)
	}
	frontend := theLab.FrontendRef()
	command(t, dir, "bash", "-euc", "docker buildx build --build-arg BUILDKIT_SYNTAX="+frontend+
		" --call=init . > crosshull.yaml")
	text, err := os.ReadFile(filepath.Join(dir, "crosshull.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	wantContains(t, "spec", string(text), "# syntax="+frontend+"\n", "\nproject: src/Shop.Api/Shop.Api.csproj\n",
		"tests/Shop.Tests")
	build(t, dir, "-f", "crosshull.yaml", "--check", ".")
	build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "-t", repo, "--push", ".")
	res := runContainer(t, run.Spec{Ref: repo, Port: 8080})
	if res.Body != "21 for EUR" {
		t.Errorf("the app says %q", res.Body)
	}
	out := t.TempDir()
	build(t, dir, "-f", "crosshull.yaml", "--target", "test", "--output", "type=local,dest="+out, ".")
	results, err := os.ReadFile(filepath.Join(out, "Shop.Tests", "Shop.Tests.trx"))
	if err != nil {
		t.Fatal(err)
	}
	wantContains(t, "results", string(results), `passed="1"`)
}
