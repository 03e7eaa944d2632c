package gatewaytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

// References of the images that [Console] has.
const (
	SDK     = "mcr.microsoft.com/dotnet/sdk:10.0"
	Runtime = "mcr.microsoft.com/dotnet/runtime:10.0"
	AspNet  = "mcr.microsoft.com/dotnet/aspnet:10.0"
)

// Project is the text of a console app's project.
const Project = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
  </PropertyGroup>
</Project>
`

// Item is an item of MSBuild's answer: its metadata by name.
type Item map[string]string

// Description is what the step that describes projects leaves: the answer to each question, in their order.
func Description(answers ...[]Item) fstest.MapFS {
	var doc struct{ Items struct{ Answer []Item } }
	for i, items := range answers {
		for _, item := range items {
			item = maps.Clone(item)
			item["Question"] = strconv.Itoa(i)
			doc.Items.Answer = append(doc.Items.Answer, item)
		}
	}
	dt, err := json.Marshal(doc)
	if err != nil {
		panic(err) // strings are JSON
	}
	return fstest.MapFS{"description.json": {Data: dt}, "described": {}}
}

// App is what MSBuild says of a console app and of the projects that it references. properties are those that it has
// beside, or in the place of, the usual ones. PlatformTarget is one of the project itself.
func App(project string, properties Item, references ...string) []Item {
	name := strings.TrimSuffix(path.Base(project), path.Ext(project))
	container := Item{
		"Item": "Container", "Kind": "Properties", "Identity": "-", "TargetFramework": "net10.0",
		"TargetFileName": name + ".dll", "AssemblyName": name,
		"ContainerBaseImage": Runtime, "ContainerWorkingDirectory": "/app/",
		"ProjectAssetsFile": "/source/" + path.Dir(project) + "/obj/project.assets.json",
	}
	maps.Copy(container, properties)
	start := []string{"dotnet", "/app/" + name + ".dll"}
	if container["SelfContained"] == "true" || container["PublishAot"] == "true" {
		start = []string{"/app/" + name}
	}
	items := []Item{
		{
			"Item": "Candidate", "Identity": "/source/" + project, "IsApp": "true", "OutputType": "Exe",
			"TargetFramework": "net10.0",
		},
		closure(project, references...),
	}
	items[1]["PlatformTarget"] = properties["PlatformTarget"]
	for _, ref := range references {
		items = append(items, closure(ref))
	}
	for _, p := range append([]string{project}, references...) {
		items = append(items, Item{
			"Item": "Reach", "Kind": "Done", "Identity": "/source/" + p, "Owner": "/source/" + p,
		})
	}
	items = append(items, container)
	for _, word := range start {
		items = append(items, Item{"Item": "Container", "Kind": "AppCommand", "Identity": word})
	}
	return items
}

// Test is what MSBuild says of a test project.
func Test(project string) []Item {
	return []Item{
		{"Item": "Candidate", "Identity": "/source/" + project, "IsTest": "true", "TargetFramework": "net10.0"},
		closure(project),
		{"Item": "Reach", "Kind": "Done", "Identity": "/source/" + project, "Owner": "/source/" + project},
	}
}

func closure(project string, references ...string) Item {
	var paths []string
	for _, ref := range references {
		paths = append(paths, "/source/"+ref)
	}
	return Item{
		"Item": "Project", "Identity": "/source/" + project, "Apart": "true", "References": strings.Join(paths, "//"),
	}
}

// Config is the configuration of an image for a platform, with an environment.
func Config(platform string, env ...string) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	img.Platform = platforms.MustParse(platform)
	img.Config.Env = env
	return img
}

// Multi is an image for the platforms that Microsoft has, with an environment.
func Multi(env ...string) Image {
	img := Image{Configs: map[string]*dockerspec.DockerOCIImage{}}
	for _, p := range []string{"linux/amd64", "linux/arm64", "linux/arm/v7"} {
		img.Configs[p] = Config(p, env...)
	}
	return img
}

// Index is the index of an image of those platforms, as a file of the source that has it.
func Index() fstest.MapFS {
	var manifests []string
	for i, p := range []string{
		`"architecture":"amd64"`, `"architecture":"arm64","variant":"v8"`, `"architecture":"arm","variant":"v7"`,
	} {
		manifests = append(manifests, fmt.Sprintf(
			`{"digest":"sha256:%064d","platform":{"os":"linux",%s}}`, i+1, p))
	}
	return fstest.MapFS{"index.json": {Data: []byte(`{"manifests":[` + strings.Join(manifests, ",") + `]}`)}}
}

// Published is what publish leaves, in the folders of its layers; the report of it names those. runtimes are the
// runtime identifiers that packages have assets for.
func Published(layers []string, runtimes ...string) fstest.MapFS {
	files := fstest.MapFS{}
	var report strings.Builder
	for _, l := range layers {
		fmt.Fprintln(&report, l)
		files[l+"/"+l+".dll"] = &fstest.MapFile{Data: []byte("IL")}
	}
	for _, rid := range runtimes {
		fmt.Fprintln(&report, "runtimes/"+rid)
		files["runtimes/"+rid+"/native.so"] = &fstest.MapFile{Data: []byte("machine code")}
	}
	files["layers.txt"] = &fstest.MapFile{Data: []byte(report.String()), ModTime: time.Now().Add(time.Hour)}
	return files
}

// Needs makes published files those of an app that needs frameworks, each as NAME/VERSION.
func Needs(published fstest.MapFS, frameworks ...string) fstest.MapFS {
	var all []string
	for _, f := range frameworks {
		name, version, _ := strings.Cut(f, "/")
		all = append(all, fmt.Sprintf(`{"name": %q, "version": %q}`, name, version))
	}
	published["runtimeconfig.json"] = &fstest.MapFile{
		Data: []byte(`{"runtimeOptions": {"frameworks": [` + strings.Join(all, ",") + `]}}`),
	}
	return published
}

// Console is a BuildKit with the context of a console app, app/app.csproj, whose build succeeds.
func Console() *Client {
	return &Client{
		Options: map[string]string{"filename": "crosshull.yaml"},
		Context: fstest.MapFS{
			"crosshull.yaml": {Data: []byte("# syntax=ghcr.io/crosshull/crosshull:1\n")},
			"app/app.csproj": {Data: []byte(Project)},
		},
		Images: map[string]Image{
			SDK:     Multi("DOTNET_SDK_VERSION=10.0.401"),
			Runtime: Multi("APP_UID=1654"),
		},
		Steps: []Step{
			{Name: "docker-image+blob://mcr.microsoft.com/dotnet/", Files: Index()},
			{Name: "[describe] dotnet msbuild", Files: Description(App("app/app.csproj", nil))},
			{Name: "[publish] dotnet publish", Files: Published([]string{"app"})},
		},
	}
}

// Say makes a file of the context hold lines.
func (c *Client) Say(name string, lines ...string) {
	c.Context[name] = &fstest.MapFile{Data: []byte(strings.Join(lines, "\n") + "\n")}
}

// Spec makes the spec hold lines, after the one that names its frontend.
func (c *Client) Spec(lines ...string) {
	c.Say("crosshull.yaml", append([]string{"# syntax=ghcr.io/crosshull/crosshull:1"}, lines...)...)
}

// Set sets an option that buildx sends.
func (c *Client) Set(name, value string) { c.Options[name] = value }

// Step puts steps before those that there are, so that they hold.
func (c *Client) Step(steps ...Step) { c.Steps = append(steps, c.Steps...) }

// Describe makes the step that describes projects give answers.
func (c *Client) Describe(answers ...[]Item) {
	c.Step(Step{Name: "[describe] dotnet msbuild", Files: Description(answers...)})
}
