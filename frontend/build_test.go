package frontend

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

const sdk, runtime = "mcr.microsoft.com/dotnet/sdk:10.0", "mcr.microsoft.com/dotnet/runtime:10.0"

// config is that of an image for linux/amd64.
func config(env ...string) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	img.OS, img.Architecture = "linux", "amd64"
	img.Config.Env = env
	return img
}

// console is a BuildKit with the context of a console app, whose build succeeds.
func console() *gatewaytest.Client {
	description := `{"Items": {"Answer": [
		{"Question": "0", "Item": "Candidate", "Identity": "/source/app.csproj", "IsApp": "true", "TargetFramework": "net10.0"},
		{"Question": "0", "Item": "Project", "Identity": "/source/app.csproj"},
		{"Question": "0", "Item": "Container", "Kind": "Properties", "Identity": "-", "TargetFramework": "net10.0",
		 "ContainerBaseImage": "mcr.microsoft.com/dotnet/runtime:10.0", "ContainerWorkingDirectory": "/app/"},
		{"Question": "0", "Item": "Container", "Kind": "AppCommand", "Identity": "dotnet"},
		{"Question": "0", "Item": "Container", "Kind": "AppCommand", "Identity": "/app/app.dll"}]}}`
	return &gatewaytest.Client{
		Options: map[string]string{"filename": "crosshull.yaml"},
		Context: fstest.MapFS{
			"crosshull.yaml": {Data: []byte("# syntax=ghcr.io/crosshull/crosshull:1\n")},
			"app.csproj":     {Data: []byte(`<Project Sdk="Microsoft.NET.Sdk" />`)},
		},
		Images: map[string]gatewaytest.Image{
			sdk: {Configs: map[string]*dockerspec.DockerOCIImage{
				"linux/amd64": config("DOTNET_SDK_VERSION=10.0.401"),
			}},
			runtime: {Configs: map[string]*dockerspec.DockerOCIImage{"linux/amd64": config("APP_UID=1654")}},
		},
		Steps: []gatewaytest.Step{
			{Name: "[describe] dotnet msbuild", Files: fstest.MapFS{"description.json": {Data: []byte(description)}, "described": {}}},
			{Name: "[publish] dotnet publish", Files: fstest.MapFS{
				"layers.txt": {Data: []byte("app\n")}, "app/app.dll": {Data: []byte("IL")},
			}},
		},
	}
}

// A build goes through all stages, and its image says what it is.
func TestBuild(t *testing.T) {
	c := console()
	res, err := Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var img ocispecs.Image
	if err := json.Unmarshal(res.Metadata["containerimage.config"], &img); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(img.Config.Entrypoint, " "); got != "dotnet /app/app.dll" {
		t.Errorf("entrypoint %q", got)
	}
	if img.Config.User != "1654" {
		t.Errorf("user %q, want that of the base", img.Config.User)
	}
	if solved := strings.Join(c.Solved(), "\n"); !strings.Contains(solved, "merge base and app") {
		t.Errorf("no image was solved:\n%s", solved)
	}
}
