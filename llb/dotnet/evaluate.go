package dotnet

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Names of what [EvaluateArgs] refers to in Paths.MSBuild, and leaves in Paths.Output.
const (
	RequestFile     = "request.json"
	NamesFile       = "names.gz"
	DescriptionFile = "description.json"
	DescribedFile   = "described" // the same whatever MSBuild says: a step that needs it only waits for the answer
)

// EvaluateArgs is the command that answers a request. It needs no restore. Of the context it needs the names, and the
// contents of project files in Paths.Contents.
func EvaluateArgs(at Paths) []string {
	return []string{
		"dotnet", path.Join(at.Evaluator, Evaluator.Assembly()), path.Join(at.MSBuild, RequestFile),
		path.Join(at.Output, DescriptionFile), path.Join(at.Output, DescribedFile),
	}
}

// EvaluateAgainArgs is the command that answers a request after a restore: Paths.Restored is the context as the restore
// has left it. The packages have to be where NuGet put them.
func EvaluateAgainArgs(at Paths) []string { return append(EvaluateArgs(at), at.Restored) }

// Name is a file, a folder or a link of the context.
type Name struct {
	Path   string
	Folder bool
	Target string // of a link, as it is in the file system; empty: not a link
}

// Names makes a [NamesFile] of names that are sorted by path: see Tree.Lay of the evaluator. It leaves out what .NET
// cannot read, and what builds on the host leave beside projects.
func Names(names []Name) ([]byte, error) {
	projects := map[string]bool{}
	for _, n := range names {
		if IsProject(n.Path) {
			projects[path.Dir(n.Path)] = true
		}
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for _, n := range names {
		if !utf8.ValidString(n.Path) || hostOutput(n, projects) {
			continue
		}
		kind, end := "f", "\x00"
		switch {
		case n.Folder:
			kind = "d"
		case n.Target != "":
			kind, end = "l", "\x00"+n.Target+"\x00"
		}
		if _, err := w.Write([]byte(kind + n.Path + end)); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

// hostOutput tells whether a build on the host left a name beside a project: in obj, or in a folder of a configuration
// in bin. Other files in bin may be the author's, and their paths imply the folder bin. The file PROJECT.user belongs
// to one machine.
func hostOutput(n Name, projects map[string]bool) bool {
	if project, ok := strings.CutSuffix(n.Path, ".user"); ok && IsProject(project) {
		return true
	}
	if n.Folder && path.Base(n.Path) == "bin" && projects[path.Dir(n.Path)] {
		return true
	}
	for dir := range foldersOf(n.Path + "/x") {
		for _, output := range outputFolders {
			if beside, ok := strings.CutSuffix("./"+dir, "/"+output); ok && projects[path.Clean(beside)] {
				return true
			}
		}
	}
	return false
}

// outputFolders are those of builds with the default values of Configurations (Microsoft.NET.Sdk.props), beside a
// project.
var outputFolders = []string{"obj", "bin/Debug", "bin/Release"}

// Request makes a [RequestFile] that asks about projects. All have the configuration and properties of common. folder
// is where commands run, relative to the context. doubtful are files that projects find by wildcards, but mostly do not
// use.
func Request(common Project, asked []Project, folder string, doubtful []string, at Paths) ([]byte, error) {
	type question struct {
		Project    string            `json:"project"`
		Kind       string            `json:"kind,omitempty"`
		Framework  string            `json:"framework,omitempty"`
		Newest     bool              `json:"newest,omitempty"`
		Properties map[string]string `json:"properties,omitempty"`
	}
	questions := make([]question, len(asked))
	for i, p := range asked {
		properties := asGlobals(append(p.solution(at), p.own()...))
		questions[i] = question{
			Project: cmp.Or(p.Chosen, p.Path), Framework: p.Framework, Newest: p.Newest, Properties: properties,
		}
		if p.Test {
			questions[i].Kind = "test"
		}
	}
	properties := append(common.properties(), at.injected()...)
	return json.Marshal(struct {
		Root               string            `json:"root"`
		Names              string            `json:"names"`
		Contents           string            `json:"contents"`
		Folder             string            `json:"folder"`
		Properties         map[string]string `json:"properties"`
		RuntimeIdentifiers []string          `json:"runtimeIdentifiers"`
		ModeProperties     []string          `json:"modeProperties"`
		Doubtful           []string          `json:"doubtful,omitempty"`
		Questions          []question        `json:"questions"`
	}{
		at.Source, path.Join(at.MSBuild, NamesFile), at.Contents, folder, asGlobals(properties), evaluatedRIDs(),
		ModeProperties(), doubtful, questions,
	})
}

// evaluatedRIDs are the runtime identifiers of all platforms that Microsoft has images for. MSBuild is asked about all
// of them, so that every build can use the answer.
func evaluatedRIDs() []string {
	var all []string
	for _, p := range Platforms() {
		for _, libc := range []Libc{Glibc, Musl} {
			if rid, err := RID(p, libc); err == nil {
				all = append(all, rid)
			}
		}
	}
	return all
}

// asGlobals are properties as MSBuild has them when it has read them from a command.
func asGlobals(properties []KeyValue) map[string]string {
	globals := map[string]string{}
	for _, kv := range properties {
		globals[kv.Key] = argumentEscaper.Replace(kv.Value)
	}
	return globals
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

// Read is a file or folder of the context that a project reads.
type Read struct {
	Path string `json:"path"`
	// Evaluation tells that MSBuild reads it to know what the project is, so that a restore needs it, too.
	Evaluation bool   `json:"evaluation"`
	Why        string `json:"why"`
}

// problem is an error of MSBuild, as the evaluator writes it.
type problem struct {
	File         string
	Line, Column int
	Code         string
	Message      string
	Project      string
}

func (p *problem) diagnostic() Diagnostic {
	d := Diagnostic{File: p.File, Line: p.Line, Column: p.Column, Code: p.Code, Message: p.Message}
	if path.IsAbs(d.File) || d.File == "" { // of the SDK
		d.File, d.Line, d.Column = p.Project, 0, 0
	}
	return d
}

// answer is what the evaluator writes: see AnswerWriter.
type answer struct {
	Same     bool
	Endless  []string
	Hidden   string
	Asks     []string
	Outputs  []string
	Projects []answerProject
	Answers  []answerTo
}

type answerProject struct {
	Path                           string
	Apart, TakesRuntime            bool
	Framework                      string
	DirectReferences, Executable   bool
	LockFile                       string
	LockedMode                     bool
	FrameworkReferences            []string
	PlatformTarget                 string
	Floating                       []KeyValue
	References                     []int
	Missing                        []string
	RunsTools, Packages, ByRestore bool
	ByPublishing, OwnBin           bool
	InRestore                      bool
	ForeignFrameworks              bool
	Unknown                        string
	UnknownToEvaluation            bool
	Files, Folders                 []Read
	Existing, Earlier              []string
}

// answerTo is the answer to a question.
type answerTo struct {
	Candidates []answerCandidate
	Missing    []string
	Error      *problem // of the solution
	App        *answerApp
}

type answerCandidate struct {
	Path, Kind, OutputType string
	Frameworks             []string
	CrossTargeting         bool
	Coverage               bool
	Error                  *problem
}

type answerApp struct {
	Path                string
	Error               *problem
	Switches            []string
	ByRuntimeIdentifier bool
	RuntimeIdentifiers  []string
	Closure             []int
	Errors              []problem
	Properties          map[string]string
	Items               map[string][]struct{ Name, Value, Type string }
}

// Evaluation is MSBuild's answer to a request.
type Evaluation struct {
	// Same tells that no project imports a file of a package. So the answers from before the restore still hold, and
	// MSBuild was not asked again.
	Same bool
	// Endless is a project whose references have no end, or lead to more projects than the evaluator follows. Empty:
	// there is none, and else there is no more in the answer.
	Endless string
	// Hidden is a nuget.config of the SDK image that NuGet does not read if there is one in its place: see [NuGetConfig].
	// It is empty if the image has none.
	Hidden string
	// Asks are files whose contents MSBuild wants and did not get. If there are any, do not rely on the rest.
	Asks []string
	// Outputs are folders that builds on the host left.
	Outputs []string
	// Descriptions answer the questions.
	Descriptions []*Description
}

// ParseEvaluation reads the [DescriptionFile] that [EvaluateArgs] left for n questions.
func ParseEvaluation(dt []byte, n int) (*Evaluation, error) {
	var doc answer
	if err := json.Unmarshal(dt, &doc); err != nil {
		return nil, Bug(fmt.Errorf("read MSBuild's answer: %w", err))
	}
	if doc.Same {
		return &Evaluation{Same: true}, nil
	}
	if len(doc.Endless) > 0 {
		return &Evaluation{Endless: doc.Endless[0]}, nil
	}
	if len(doc.Answers) != n {
		return nil, Bug(fmt.Errorf("MSBuild answers %d questions, but was asked %d", len(doc.Answers), n))
	}
	if err := doc.check(); err != nil {
		return nil, Bug(err)
	}
	e := &Evaluation{Hidden: doc.Hidden, Asks: doc.Asks, Outputs: doc.Outputs}
	nodes := doc.nodes()
	for i := range n {
		e.Descriptions = append(e.Descriptions, doc.description(i, nodes))
	}
	return e, nil
}

// check cleans the paths of an answer. It gives an error if one leads out of the context, or if an index is that of no
// project. Our own program writes the answer, but it runs expressions of the projects that it asks about.
func (a *answer) check() error {
	for _, p := range a.paths() {
		clean := path.Clean(*p)
		if clean == "." || !fs.ValidPath(clean) {
			return fmt.Errorf("MSBuild's answer has a path outside of the build context: %q", *p)
		}
		*p = clean
	}
	for _, i := range a.indexes() {
		if i < 0 || i >= len(a.Projects) {
			return fmt.Errorf("MSBuild's answer is about project number %d, but there are %d", i, len(a.Projects))
		}
	}
	return nil
}

// paths are all paths for which other code looks at the folders above.
func (a *answer) paths() []*string {
	var all []*string
	for i := range a.Projects {
		p := &a.Projects[i]
		all = append(all, &p.Path)
		for i := range p.Files {
			all = append(all, &p.Files[i].Path)
		}
		for i := range p.Folders {
			all = append(all, &p.Folders[i].Path)
		}
		for i := range p.Existing {
			all = append(all, &p.Existing[i])
		}
		for i := range p.Earlier {
			all = append(all, &p.Earlier[i])
		}
	}
	for i := range a.Answers {
		for j := range a.Answers[i].Candidates {
			all = append(all, &a.Answers[i].Candidates[j].Path)
		}
		if app := a.Answers[i].App; app != nil {
			all = append(all, &app.Path)
		}
	}
	return all
}

// indexes are all indexes of projects.
func (a *answer) indexes() []int {
	var all []int
	for _, p := range a.Projects {
		all = append(all, p.References...)
	}
	for _, answer := range a.Answers {
		if answer.App != nil {
			all = append(all, answer.App.Closure...)
		}
	}
	return all
}

// nodes are the projects, in their order.
func (a *answer) nodes() []Node {
	nodes := make([]Node, len(a.Projects))
	for i, p := range a.Projects {
		n := Node{
			Path: p.Path, Framework: p.Framework, Apart: p.Apart, takesRuntime: p.TakesRuntime, direct: p.DirectReferences,
			Locked:  Locked{Floating: p.Floating, LockFile: p.LockFile, LockedMode: p.LockedMode},
			Missing: p.Missing, Packages: p.Packages, ByRestore: p.ByRestore, byPublishing: p.ByPublishing, ownBin: p.OwnBin,
			FrameworkReferences: p.FrameworkReferences, PlatformTarget: p.PlatformTarget, executable: p.Executable,
			foreign: p.ForeignFrameworks, earlier: p.Earlier, inRestore: p.InRestore,
			Reads: Reads{
				Files: p.Files, Folders: p.Folders, Existing: p.Existing, Unknown: p.Unknown,
				unknownToEvaluation: p.UnknownToEvaluation, runsTools: p.RunsTools,
			},
		}
		for _, ref := range p.References {
			n.References = append(n.References, a.Projects[ref].Path)
		}
		n.reach = n.Reads.reach(path.Dir(n.Path))
		nodes[i] = n
	}
	return nodes
}

// description is the answer to a question.
func (a *answer) description(i int, nodes []Node) *Description {
	from := a.Answers[i]
	desc := &Description{Missing: from.Missing}
	for _, c := range from.Candidates {
		candidate := Candidate{
			Path: c.Path, Kind: c.Kind, OutputType: c.OutputType, Frameworks: c.Frameworks,
			CrossTargeting: c.CrossTargeting, coverage: c.Coverage,
		}
		if c.Error != nil {
			candidate.Error = new(c.Error.diagnostic())
		}
		desc.Candidates = append(desc.Candidates, candidate)
	}
	if from.Error != nil {
		desc.Errors = append(desc.Errors, from.Error.diagnostic())
	}
	if from.App == nil {
		return desc
	}
	for _, e := range from.App.Errors {
		desc.Errors = append(desc.Errors, e.diagnostic())
	}
	if from.App.Error != nil {
		desc.Errors = append(desc.Errors, from.App.Error.diagnostic())
	}
	app := &App{
		Path: from.App.Path, TargetFramework: from.App.Properties["TargetFramework"], Switches: from.App.Switches,
		ByRuntimeIdentifier: from.App.ByRuntimeIdentifier, Missing: from.Missing,
		RuntimeIdentifiers: from.App.RuntimeIdentifiers,
	}
	for _, p := range from.App.Closure {
		app.Closure = append(app.Closure, nodes[p])
	}
	slices.SortFunc(app.Closure, func(a, b Node) int { return strings.Compare(a.Path, b.Path) })
	for _, c := range desc.Candidates {
		if c.Path == app.Path {
			app.CrossTargeting, app.Coverage = c.CrossTargeting, c.coverage
		}
	}
	app.take(from.App.Properties)
	for _, n := range app.Closure {
		app.FrameworkReferences = append(app.FrameworkReferences, n.FrameworkReferences...)
	}
	slices.Sort(app.FrameworkReferences)
	app.FrameworkReferences = slices.Compact(app.FrameworkReferences)
	if app.InferredBase != "" {
		app.BaseImage = BaseFor(app.InferredBase, app.FrameworkReferences)
	}
	for kind, items := range from.App.Items {
		for _, it := range items {
			app.addItem(kind, it.Name, it.Value, it.Type)
		}
	}
	desc.App = app
	return desc
}

// take sets the fields that MSBuild's properties decide.
func (app *App) take(properties map[string]string) {
	isTrue := func(name string) bool { return strings.EqualFold(properties[name], "true") }
	app.TargetFileName = properties["TargetFileName"]
	app.BaseImage = properties["ContainerBaseImage"]
	if properties["_CrosshullChosenBaseImage"] == "" {
		app.InferredBase = app.BaseImage
	}
	app.WorkingDirectory = properties["ContainerWorkingDirectory"]
	app.User = properties["ContainerUser"]
	app.Command.Instruction = properties["ContainerAppCommandInstruction"]
	app.AssemblyName = properties["AssemblyName"]
	app.Mode = modeOf(properties)
	app.KeepsDebug = strings.EqualFold(properties["PublishRelease"], "false")
	app.StaticExecutable = isTrue("StaticExecutable")
	app.PublishesVCS = isTrue("PublishRepositoryUrl")
	app.InvariantGlobalization = strings.ToLower(properties["InvariantGlobalization"])
	app.RollForward = strings.ToLower(properties["RollForward"])
	app.AssetsFile = path.Clean(properties["ProjectAssetsFile"])
}

// addItem adds an item that target ComputeContainerConfig made.
func (app *App) addItem(kind, name, value, proto string) {
	add := func(to *[]string) { *to = append(*to, name) }
	switch kind {
	case "ContainerLabel":
		app.Labels = append(app.Labels, KeyValue{name, value})
	case "ContainerEnvironmentVariable":
		app.Env = append(app.Env, KeyValue{name, value})
	case "ContainerPort":
		if proto == "" {
			proto = "tcp"
		}
		app.Ports = append(app.Ports, name+"/"+strings.ToLower(proto))
	case "ContainerAppCommand":
		add(&app.Command.AppCommand)
	case "ContainerAppCommandArgs":
		add(&app.Command.AppCommandArgs)
	case "ContainerEntrypoint":
		add(&app.Command.Entrypoint)
	case "ContainerEntrypointArgs":
		add(&app.Command.EntrypointArgs)
	case "ContainerDefaultArgs":
		add(&app.Command.DefaultArgs)
	}
}
