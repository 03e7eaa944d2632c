package dotnet

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed msbuild
var msbuild embed.FS

// File is a file with its name.
type File struct {
	Name string
	Data []byte
}

// MSBuildFiles returns the files that [DescribeArgs] refers to. Put them into one folder.
func MSBuildFiles() ([]File, error) {
	entries, err := fs.ReadDir(msbuild, "msbuild")
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		dt, err := msbuild.ReadFile(path.Join("msbuild", e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, File{e.Name(), dt})
	}
	return files, nil
}

// Paths are folders of the build container.
type Paths struct {
	Source   string // the build context
	MSBuild  string // MSBuildFiles
	Output   string // where the command leaves its output
	Assets   string // static web assets that are compressed already
	StandIns string // stand-ins for projects of other slices
	// Diagnostics is the folder for DiagnosticsFile.
	Diagnostics string
}

// Project says how to build a project, as a spec says it.
type Project struct {
	Path          string            // project, folder or solution, relative to the context; empty is the context
	Candidates    []string          // the projects that Path means, if it is a solution
	Test          bool              // look for a test project
	Framework     string            // TargetFramework, if the project has several
	Configuration string            // MSBuild configuration
	Properties    map[string]string // further MSBuild properties
	BaseImage     string            // ContainerBaseImage
	Family        string            // ContainerFamily
	Mode          *Mode             // how to publish, over the project's properties; nil: as they say
}

// inject makes crosshull.targets a part of every project in a build, and makes MSBuild write errors to a file.
func (at Paths) inject() []string {
	targets := path.Join(at.MSBuild, "crosshull.targets")
	return []string{
		define("CustomAfterMicrosoftCommonTargets", targets),
		define("CustomAfterMicrosoftCommonCrossTargetingTargets", targets),
		at.logErrors(),
	}
}

// What [DescribeArgs] leaves in Paths.Output.
const (
	DescriptionFile = "description.json"
	DescribedFile   = "described" // always the same: a step that needs it runs after the question, whatever the answer
)

// DescribeArgs is the command that answers [Questions], all with the configuration and properties of p. It needs no
// restore and no network. Of the context, it needs only the files that match [ProjectFiles].
func DescribeArgs(p Project, at Paths) []string {
	args := []string{
		"dotnet", "msbuild", path.Join(at.MSBuild, "describe.proj"), "-nologo", "-t:Describe",
		"-getItem:Answer",
		"-getResultOutputFile:" + path.Join(at.Output, DescriptionFile),
		define("CrosshullContext", at.Source),
		define("CrosshullDescribed", path.Join(at.Output, DescribedFile)),
	}
	args = append(args, at.inject()...)
	return append(args, p.common()...)
}

// QuestionsFile is the name of the file that [Questions] makes. Put it beside [MSBuildFiles].
const QuestionsFile = "questions.props"

// Questions is the list that describe.proj answers: one question for each project, named by its index.
func Questions(projects []Project, at Paths) []byte {
	var b bytes.Buffer
	b.WriteString("<Project>\n")
	for i, p := range projects {
		kind := ""
		if p.Test {
			kind = "IsTest"
		}
		var candidates []string
		for _, c := range p.Candidates {
			candidates = append(candidates, escapeMSBuild(path.Join(at.Source, c)))
		}
		fmt.Fprintf(&b, "  <ItemGroup>\n    <CrosshullQuestion Include=\"%d\" />\n  </ItemGroup>\n", i)
		fmt.Fprintf(&b, "  <PropertyGroup Condition=\"'$(CrosshullAsked)' == '%d'\">\n", i)
		for _, kv := range []KeyValue{
			{"CrosshullProject", escapeMSBuild(p.Path)},
			{"CrosshullCandidates", strings.Join(candidates, ";")},
			{"CrosshullFramework", escapeMSBuild(p.Framework)},
			{"CrosshullKind", kind},
			{"CrosshullProperties", escapeProperties(p.own())},
		} {
			fmt.Fprintf(&b, "    <%s>%s</%s>\n", kv.Key, escapeXML(kv.Value), kv.Key)
		}
		b.WriteString("  </PropertyGroup>\n")
	}
	b.WriteString("</Project>\n")
	return b.Bytes()
}

// own are the properties of a project that other projects of the same spec may set differently.
func (p Project) own() []KeyValue {
	var properties []KeyValue
	switch {
	case p.BaseImage != "":
		properties = append(properties, KeyValue{"ContainerBaseImage", p.BaseImage})
	case p.Family != "": // a base image in the project would turn off the SDK's inference
		properties = append(properties, KeyValue{"ContainerFamily", p.Family}, KeyValue{"ContainerBaseImage", ""})
	}
	if p.Mode != nil {
		properties = append(properties, p.Mode.properties()...)
	}
	return properties
}

// Description is what MSBuild says of a project, or of all projects that the spec may mean.
type Description struct {
	Candidates []Candidate
	App        *App // nil unless exactly one candidate is an app and its framework is known
}

// Candidate is a project that the spec may mean.
type Candidate struct {
	Path       string // relative to the context
	IsApp      bool   // runs, and is not a test
	IsTest     bool
	OutputType string
	Frameworks []string
	// CrossTargeting: the project has TargetFrameworks, perhaps with one name only. A build has to choose one.
	CrossTargeting bool
	coverage       bool
}

// targetFramework is the only framework of the project, or empty if there are several.
func (c Candidate) targetFramework() string {
	if len(c.Frameworks) == 1 {
		return c.Frameworks[0]
	}
	return ""
}

// App is what MSBuild says of the project to publish.
type App struct {
	Path            string // relative to the context
	Closure         []Node // it and all projects that it references, by path
	TargetFramework string
	CrossTargeting  bool // the same as in its Candidate
	Coverage        bool // a test project with coverlet.collector
	Mode            Mode // as the project's properties say
	Output
	Container
	Runtime
}

// Output is what a build of the app leaves. The fields have the names of MSBuild properties.
type Output struct {
	TargetFileName string // app.dll
	AssemblyName   string // app
	// AssetsFile is the file that restore leaves for it, relative to the context: see [ParseAssets].
	AssetsFile string
}

// Container is what the SDK infers for the image (target ComputeContainerConfig), and what the project sets with the
// properties and items Container….
type Container struct {
	BaseImage        string
	Labels           []KeyValue
	Env              []KeyValue
	Ports            []string // 8080/tcp
	WorkingDirectory string
	User             string
	Command          Command
	PublishesVCS     bool // PublishRepositoryUrl: the image tells its repository and commit
}

// Runtime is what the app needs from the runtime that starts it.
type Runtime struct {
	// InvariantGlobalization and RollForward are the properties with these names, in lower case.
	InvariantGlobalization, RollForward string
	FrameworkReferences                 []string // Microsoft.NETCore.App, Microsoft.AspNetCore.App
	// StaticExecutable tells that the output of AOT needs no C library: see [CheckScratch].
	StaticExecutable bool
}

// KeyValue is an item with a Value.
type KeyValue struct{ Key, Value string }

// Command is what the SDK says that an image runs. The fields have the names of MSBuild items.
type Command struct {
	Instruction    string // ContainerAppCommandInstruction: Entrypoint, DefaultArgs, None, or empty
	AppCommand     []string
	AppCommandArgs []string
	Entrypoint     []string
	EntrypointArgs []string
	DefaultArgs    []string
}

type item map[string]string

// ParseDescription reads the output of the command of [DescribeArgs]: an answer to each of n questions. source is
// Paths.Source.
func ParseDescription(dt []byte, source string, n int) ([]*Description, error) {
	var doc struct {
		Items struct{ Answer []item }
	}
	if err := json.Unmarshal(dt, &doc); err != nil {
		return nil, fmt.Errorf("read MSBuild's description of the project: %w", err)
	}
	answers := make([]map[string][]item, n)
	for i := range answers {
		answers[i] = map[string][]item{}
	}
	for _, it := range doc.Items.Answer {
		i, err := strconv.Atoi(it["Question"])
		if err != nil || i < 0 || i >= n {
			return nil, fmt.Errorf("MSBuild's description answers question %q of %d", it["Question"], n)
		}
		answers[i][it["Item"]] = append(answers[i][it["Item"]], it)
	}
	descs := make([]*Description, n)
	for i, items := range answers {
		var err error
		if descs[i], err = newDescription(items, source); err != nil {
			return nil, err
		}
	}
	return descs, nil
}

// newDescription reads the items of one answer, grouped by name.
func newDescription(items map[string][]item, source string) (*Description, error) {
	desc := &Description{}
	for _, it := range items["Candidate"] {
		p, err := inContext(it["Identity"], source)
		if err != nil {
			return nil, err
		}
		desc.Candidates = append(desc.Candidates, Candidate{
			Path:       p,
			IsApp:      it["IsApp"] == "true",
			IsTest:     it["IsTest"] == "true",
			OutputType: it["OutputType"],
			Frameworks: list(it["TargetFrameworks"], it["TargetFramework"]),

			CrossTargeting: it["TargetFrameworks"] != "",
			coverage:       it["Coverage"] == "true",
		})
	}
	slices.SortFunc(desc.Candidates, func(a, b Candidate) int { return strings.Compare(a.Path, b.Path) })
	if len(items["Container"]) == 0 && len(items["Project"]) == 0 {
		return desc, nil
	}
	app := &App{}
	for _, it := range items["Project"] {
		n, err := newNode(it, source)
		if err != nil {
			return nil, err
		}
		app.Closure = append(app.Closure, n)
	}
	if len(app.Closure) == 0 {
		return nil, fmt.Errorf("MSBuild's description names no project")
	}
	app.Path = app.Closure[0].Path // the target adds a project before what it references
	slices.SortFunc(app.Closure, func(a, b Node) int { return strings.Compare(a.Path, b.Path) })
	addReach(app.Closure, items["Reach"], source)
	for _, c := range desc.Candidates {
		if c.Path == app.Path {
			app.CrossTargeting = c.CrossTargeting
			app.Coverage = c.coverage
			app.TargetFramework = c.targetFramework()
		}
	}
	app.container(items["Container"], source)
	desc.App = app
	return desc, nil
}

// newNode reads an item of the target CrosshullClosure.
func newNode(it item, source string) (n Node, err error) {
	n = Node{
		Framework: it["Framework"],
		Apart:     it["Apart"] == "true",
		Locked:    Locked{LockFile: it["LockFile"], LockedMode: strings.EqualFold(it["LockedMode"], "true")},
		direct:    it["DirectReferences"] == "true",
	}
	for floating := range strings.SplitSeq(it["Floating"], ";") {
		if id, version, ok := strings.Cut(floating, "="); ok {
			n.Floating = append(n.Floating, KeyValue{id, version})
		}
	}
	if n.Path, err = inContext(it["Identity"], source); err != nil {
		return n, err
	}
	for _, ref := range splitPaths(it["References"]) {
		p, err := inContext(ref, source)
		if err != nil {
			return n, err
		}
		n.References = append(n.References, p)
	}
	return n, nil
}

// container reads the items of the target CrosshullContainer.
func (app *App) container(items []item, source string) {
	for _, it := range items {
		id := it["Identity"]
		switch it["Kind"] {
		case "Properties":
			app.TargetFramework = it["TargetFramework"]
			app.TargetFileName = it["TargetFileName"]
			app.BaseImage = it["ContainerBaseImage"]
			app.WorkingDirectory = it["ContainerWorkingDirectory"]
			app.User = it["ContainerUser"]
			app.Command.Instruction = it["ContainerAppCommandInstruction"]
			app.AssemblyName = it["AssemblyName"]
			app.Mode = modeOf(it)
			app.StaticExecutable = strings.EqualFold(it["StaticExecutable"], "true")
			app.PublishesVCS = strings.EqualFold(it["PublishRepositoryUrl"], "true")
			app.InvariantGlobalization = strings.ToLower(it["InvariantGlobalization"])
			app.RollForward = strings.ToLower(it["RollForward"])
			app.FrameworkReferences = list(it["FrameworkReferences"])
			app.AssetsFile = strings.TrimPrefix(path.Clean(it["ProjectAssetsFile"]), path.Clean(source)+"/")
		case "Label":
			app.Labels = append(app.Labels, KeyValue{id, it["Value"]})
		case "EnvironmentVariable":
			app.Env = append(app.Env, KeyValue{id, it["Value"]})
		case "Port":
			proto := it["Type"]
			if proto == "" {
				proto = "tcp"
			}
			app.Ports = append(app.Ports, id+"/"+strings.ToLower(proto))
		case "AppCommand":
			app.Command.AppCommand = append(app.Command.AppCommand, id)
		case "AppCommandArgs":
			app.Command.AppCommandArgs = append(app.Command.AppCommandArgs, id)
		case "Entrypoint":
			app.Command.Entrypoint = append(app.Command.Entrypoint, id)
		case "EntrypointArgs":
			app.Command.EntrypointArgs = append(app.Command.EntrypointArgs, id)
		case "DefaultArgs":
			app.Command.DefaultArgs = append(app.Command.DefaultArgs, id)
		}
	}
}

// splitPaths splits a list of absolute paths that are joined by //. A clean path does not contain //.
func splitPaths(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "//")
}

// list splits the first MSBuild list that is not empty.
func list(values ...string) []string {
	for _, v := range values {
		if v != "" {
			return strings.FieldsFunc(v, func(r rune) bool { return r == ';' || r == ' ' || r == '\n' })
		}
	}
	return nil
}
