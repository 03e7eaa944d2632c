package gatewaytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
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

// Again begins the name of the step that asks MSBuild after the restore.
const Again = "[describe] what packages of"

// Project is the text of a console app's project.
const Project = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
  </PropertyGroup>
</Project>
`

// Item is what MSBuild says of something: texts by name.
type Item map[string]string

// Answer is what MSBuild says to a question. The zero Answer is that there is no project.
type Answer struct {
	// Candidates are the projects that the question can mean.
	Candidates []Candidate
	// Path is the one that it means; empty: it is not clear which.
	Path string
	// References are the projects that it references. Those reference no others.
	References []string
	// Properties are those of the project, and Items are those of its image by their type, such as ContainerLabel.
	Properties Item
	Items      map[string][]Item
	// Packages tells whether it references any.
	Packages bool
	// Reads are files of the context that it reads, beside its folder.
	Reads []string
	// Unknown is why MSBuild does not know what it reads; empty if it knows.
	Unknown string
	// UnknownToEvaluation tells that MSBuild does not even know what its evaluation reads.
	UnknownToEvaluation bool
	// Earlier are files of the context that have to be older than others.
	Earlier []string
	// ByRuntimeIdentifier tells that it has other files for other runtime identifiers.
	ByRuntimeIdentifier bool
	// RuntimeIdentifiers are those that the project lists.
	RuntimeIdentifiers []string
	// Missing are projects that a solution names and that are not there.
	Missing []string
	// Errors are why MSBuild cannot describe the project.
	Errors []Problem
	// Frameworks are the FrameworkReferences of the project.
	Frameworks []string
}

// Candidate is a project that a question can mean.
type Candidate struct {
	Path           string   `json:"path"`
	Kind           string   `json:"kind"`
	OutputType     string   `json:"outputType,omitempty"`
	Frameworks     []string `json:"frameworks,omitempty"`
	CrossTargeting bool     `json:"crossTargeting,omitempty"`
	Error          *Problem `json:"error,omitempty"`
}

// Problem is an error of MSBuild.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Project string `json:"project"`
}

// Description is what the step that describes projects leaves: the answer to each question, in their order.
func Description(answers ...Answer) fstest.MapFS { return Evaluation{Answers: answers}.Files() }

// Evaluation is all that MSBuild says.
type Evaluation struct {
	Asks    []string // files whose contents it wants
	Outputs []string // folders that builds on the host left
	Answers []Answer
	Hidden  string // a nuget.config of the SDK image
	Same    bool   // no package brings a file into a project, so the answers from before the restore hold
}

// Files are what the step that describes projects leaves.
func (e Evaluation) Files() fstest.MapFS {
	dt, err := json.Marshal(e.document())
	if err != nil {
		panic(err) // strings are JSON
	}
	return fstest.MapFS{"description.json": {Data: dt}, "described": {}}
}

// document is an evaluation as the evaluator writes it (AnswerWriter in llb/dotnet/evaluator).
type document struct {
	Same     bool      `json:"same,omitempty"`
	Hidden   string    `json:"hidden,omitempty"`
	Asks     []string  `json:"asks,omitempty"`
	Outputs  []string  `json:"outputs,omitempty"`
	Projects []project `json:"projects"`
	Answers  []answer  `json:"answers"`
}

func (e Evaluation) document() document {
	doc := document{Same: e.Same, Hidden: e.Hidden, Asks: e.Asks, Outputs: e.Outputs}
	index := map[string]int{}
	add := func(p string) int {
		i, ok := index[p]
		if !ok {
			i = len(doc.Projects)
			index[p] = i
			doc.Projects = append(doc.Projects, project{Path: p, Apart: true})
		}
		return i
	}
	for _, a := range e.Answers {
		out := answer{Candidates: a.Candidates, Missing: a.Missing}
		if a.Path != "" {
			i := add(a.Path)
			doc.Projects[i].Packages, doc.Projects[i].ByRestore = a.Packages, a.Packages
			doc.Projects[i].Unknown, doc.Projects[i].Earlier = a.Unknown, a.Earlier
			doc.Projects[i].ToEvaluation = a.UnknownToEvaluation
			for _, name := range a.Reads {
				doc.Projects[i].Files = append(doc.Projects[i].Files, read{name, "Content item"})
			}
			doc.Projects[i].Target, doc.Projects[i].Frameworks = a.Properties["PlatformTarget"], a.Frameworks
			out.App = &app{
				Path: a.Path, Closure: []int{i}, ByRuntimeIdentifier: a.ByRuntimeIdentifier,
				RuntimeIdentifiers: a.RuntimeIdentifiers, Properties: a.Properties, Items: a.Items, Errors: a.Errors,
			}
			for _, ref := range a.References {
				j := add(ref)
				out.App.Closure = append(out.App.Closure, j)
				doc.Projects[i].References = append(doc.Projects[i].References, j)
			}
		}
		doc.Answers = append(doc.Answers, out)
	}
	return doc
}

type project struct {
	Path         string   `json:"path"`
	Apart        bool     `json:"apart"`
	References   []int    `json:"references"`
	Packages     bool     `json:"packages,omitempty"`
	ByRestore    bool     `json:"byRestore,omitempty"`
	Target       string   `json:"platformTarget,omitempty"`
	Frameworks   []string `json:"frameworkReferences,omitempty"`
	Unknown      string   `json:"unknown,omitempty"`
	ToEvaluation bool     `json:"unknownToEvaluation,omitempty"`
	Earlier      []string `json:"earlier,omitempty"`
	Files        []read   `json:"files,omitempty"`
}

type read struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

type answer struct {
	Candidates []Candidate `json:"candidates"`
	Missing    []string    `json:"missing,omitempty"`
	App        *app        `json:"app,omitempty"`
}

type app struct {
	Path                string            `json:"path"`
	Closure             []int             `json:"closure"`
	ByRuntimeIdentifier bool              `json:"byRuntimeIdentifier,omitempty"`
	RuntimeIdentifiers  []string          `json:"runtimeIdentifiers,omitempty"`
	Errors              []Problem         `json:"errors"`
	Properties          Item              `json:"properties"`
	Items               map[string][]Item `json:"items"`
}

// App is what MSBuild says of a console app and of the projects that it references. properties add to the usual ones,
// or replace them.
func App(project string, properties Item, references ...string) Answer {
	name := strings.TrimSuffix(path.Base(project), path.Ext(project))
	all := Item{
		"TargetFramework": "net10.0", "TargetFileName": name + ".dll", "AssemblyName": name,
		"ContainerBaseImage": Runtime, "ContainerWorkingDirectory": "/app/",
		"ProjectAssetsFile": path.Join(path.Dir(project), "obj/project.assets.json"),
	}
	maps.Copy(all, properties)
	start := []Item{{"name": "dotnet"}, {"name": "/app/" + name + ".dll"}}
	if all["SelfContained"] == "true" || all["PublishAot"] == "true" {
		start = []Item{{"name": "/app/" + name}}
	}
	return Answer{
		Candidates: []Candidate{{Path: project, Kind: "app", OutputType: "Exe", Frameworks: []string{"net10.0"}}},
		Path:       project, References: references, Properties: all,
		Items: map[string][]Item{"ContainerAppCommand": start},
	}
}

// Test is what MSBuild says of a test project.
func Test(project string) Answer {
	return Answer{
		Candidates: []Candidate{{Path: project, Kind: "test", Frameworks: []string{"net10.0"}}},
		Path:       project,
	}
}

// Refused is the answer to a question that has the candidates of a, but means none of them.
func Refused(a Answer) Answer { return Answer{Candidates: a.Candidates} }

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

// Published is what publish leaves: the folders of the layers, and a report that names them. runtimes are the runtime
// identifiers that packages have assets for.
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
			{Name: Again, Files: Evaluation{Same: true}.Files()},
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

// Step puts steps before the existing ones, so that they win.
func (c *Client) Step(steps ...Step) { c.Steps = append(steps, c.Steps...) }

// Describe makes the step that describes projects give answers. The context has what they are about.
func (c *Client) Describe(answers ...Answer) {
	for _, a := range answers {
		for _, candidate := range a.Candidates {
			if c.Context[candidate.Path] == nil {
				c.Say(candidate.Path, Project)
			}
		}
	}
	c.Step(Step{Name: "[describe] dotnet msbuild", Files: Description(answers...)})
}
