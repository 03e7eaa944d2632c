package scaffold

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Dockerfile is a Dockerfile of the repository, and what a spec needs to replace it.
type Dockerfile struct {
	Path  string
	Needs []Need
	// Err says why it cannot be read.
	Err error
}

// Need is an instruction of a Dockerfile that does more than build the app and start it.
type Need struct {
	Line int
	Text string
	// Key is the key of the spec for it, such as "image.env". Empty: there is none.
	Key string
	// Advice says what to write, or what to do if there is no key.
	Advice string
}

// IsDockerfile tells whether a file has a name that Dockerfiles have.
func IsDockerfile(name string) bool {
	base := path.Base(name)
	return base == "Dockerfile" || strings.HasPrefix(base, "Dockerfile.") && path.Ext(base) != ".dockerignore" ||
		path.Ext(base) == ".Dockerfile"
}

// ReadDockerfile finds what a spec needs to replace a Dockerfile. From the final stage, and the stages that it is made
// from, it takes what the image has beside the app. From the other stages it takes what is not a plain build.
func ReadDockerfile(name string, dt []byte) Dockerfile {
	d := Dockerfile{Path: name}
	parsed, err := parser.Parse(bytes.NewReader(dt))
	if err != nil {
		d.Err = err
		return d
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil || len(stages) == 0 {
		d.Err = err
		return d
	}
	final := finalStages(stages)
	var named []string // projects
	for i, stage := range stages {
		isFinal := slices.Contains(final, i)
		if n := ofBase(stages, i, isFinal); n != nil {
			n.Line, n.Text = line(stage.Location), "FROM "+stage.BaseName
			d.Needs = append(d.Needs, *n)
		}
		published := false
		for _, cmd := range stage.Commands {
			needs := inBuild(cmd, &published)
			if isFinal {
				needs = inImage(cmd, stages)
			}
			if cmd, ok := cmd.(*instructions.CmdCommand); ok && isFinal && ownEntrypoint(stage) && len(cmd.CmdLine) > 0 {
				needs = key("image.args") // the entrypoint of the author gets them
			}
			if project := publishes(cmd); project != "" && !slices.Contains(named, project) {
				if named = append(named, project); len(named) > 1 {
					needs = append(needs, Need{Key: "publish.also", Advice: "or apps, if each has an image of its own"})
				}
			}
			for _, n := range needs {
				n.Line, n.Text = line(cmd.Location()), text(cmd)
				d.Needs = append(d.Needs, n)
			}
		}
	}
	return d
}

// line is the first line of a place; 0 for none.
func line(place []parser.Range) int {
	if len(place) == 0 {
		return 0
	}
	return place[0].Start.Line
}

// finalStages are the indexes of the last stage, and of those that it is made from.
func finalStages(stages []instructions.Stage) []int {
	final := []int{len(stages) - 1}
	for {
		base := stageOf(stages, stages[final[len(final)-1]].BaseName, final[len(final)-1])
		if base < 0 {
			return final
		}
		final = append(final, base)
	}
}

// stageOf is the index of the stage with a name, before another one; -1 for none.
func stageOf(stages []instructions.Stage, name string, before int) int {
	for i := before - 1; i >= 0; i-- {
		if strings.EqualFold(stages[i].Name, name) && name != "" {
			return i
		}
	}
	return -1
}

// ownEntrypoint tells whether a stage starts something else than the app alone.
func ownEntrypoint(stage instructions.Stage) bool {
	return slices.ContainsFunc(stage.Commands, func(cmd instructions.Command) bool {
		c, ok := cmd.(*instructions.EntrypointCommand)
		return ok && !startsApp(c.ShellDependantCmdLine)
	})
}

var (
	runtimeImage = regexp.MustCompile(`^mcr\.microsoft\.com/dotnet/(?:aspnet|runtime|runtime-deps)` +
		`(?::\d+(?:\.\d+){0,2}(?:-(?:preview|rc)[.\d]*)?(?:-([a-z][a-z0-9.-]*))?)?$`)
	sdkImage = regexp.MustCompile(`^mcr\.microsoft\.com/dotnet/sdk(?::|$)`)
)

// ofBase is what a spec needs for the image that a stage begins with; nil for nothing.
func ofBase(stages []instructions.Stage, i int, final bool) *Need {
	image := stages[i].BaseName
	if stageOf(stages, image, i) >= 0 {
		return nil
	}
	switch variant := runtimeImage.FindStringSubmatch(image); {
	case variant != nil && variant[1] == "", sdkImage.MatchString(image):
		return nil
	case variant != nil && final:
		return &Need{Key: "base.family", Advice: variant[1]}
	case variant != nil:
		return nil
	case final:
		return &Need{Key: "base.image"}
	}
	return &Need{Key: "publish.tools", Advice: "if a program of it builds something"}
}

// defaultUser are the ways to name the user of Microsoft's images.
var defaultUser = []string{"app", "$APP_UID", "${APP_UID}", "1654"}

// inImage is what a spec needs for an instruction of the image.
func inImage(cmd instructions.Command, stages []instructions.Stage) []Need {
	switch c := cmd.(type) {
	case *instructions.EnvCommand:
		return key("image.env")
	case *instructions.LabelCommand, *instructions.MaintainerCommand:
		return key("image.labels")
	case *instructions.ExposeCommand:
		return key("image.ports")
	case *instructions.VolumeCommand:
		return key("image.volumes")
	case *instructions.StopSignalCommand:
		return key("image.stop-signal")
	case *instructions.HealthCheckCommand:
		return key("image.healthcheck")
	case *instructions.UserCommand:
		if !slices.Contains(defaultUser, c.User) {
			return key("image.user")
		}
	case *instructions.WorkdirCommand:
		if path.Clean(c.Path) != "/app" {
			return key("image.workdir")
		}
	case *instructions.EntrypointCommand:
		if !startsApp(c.ShellDependantCmdLine) {
			return key("image.entrypoint")
		}
	case *instructions.CmdCommand:
		if !startsApp(c.ShellDependantCmdLine) {
			return key("image.args")
		}
	case *instructions.CopyCommand:
		switch {
		case c.From == "" && !compiles(stages):
			return []Need{{Key: "files", Advice: "with project: none, as this Dockerfile compiles nothing"}}
		case c.From == "":
			return key("files")
		case strings.ContainsAny(c.From, ":/") && stageOf(stages, c.From, len(stages)) < 0:
			return []Need{{Key: "files", Advice: "with image: " + c.From}}
		}
	case *instructions.AddCommand:
		return ofAdd(c)
	case *instructions.RunCommand:
		return inShell(c, ofTarget)
	}
	return nil
}

var publishCommand = regexp.MustCompile(`\bdotnet publish +"?([^-"\s][^"\s]*)`)

// publishes is the project that a command publishes, if it names one.
func publishes(cmd instructions.Command) string {
	run, ok := cmd.(*instructions.RunCommand)
	if !ok {
		return ""
	}
	m := publishCommand.FindStringSubmatch(strings.Join(run.CmdLine, " "))
	if m == nil {
		return ""
	}
	return path.Clean(m[1])
}

// compiles tells whether a stage runs dotnet, to make what the image has.
func compiles(stages []instructions.Stage) bool {
	return slices.ContainsFunc(stages, func(s instructions.Stage) bool {
		return slices.ContainsFunc(s.Commands, func(cmd instructions.Command) bool {
			run, ok := cmd.(*instructions.RunCommand)
			return ok && strings.Contains(strings.Join(run.CmdLine, " "), "dotnet ")
		})
	})
}

func key(name string) []Need { return []Need{{Key: name}} }

// startsApp tells whether a command is how the SDK starts an app, without arguments.
func startsApp(c instructions.ShellDependantCmdLine) bool {
	words := c.CmdLine
	if c.PrependShell && len(words) == 1 {
		words = strings.Fields(words[0])
	}
	switch len(words) {
	case 1:
		return strings.HasPrefix(words[0], "./") || strings.HasPrefix(words[0], "/app/")
	case 2:
		return words[0] == "dotnet" && strings.HasSuffix(words[1], ".dll")
	}
	return false
}

// inBuild is what a spec needs for an instruction of a stage that builds. published tells whether the stage has
// published the app, and becomes true when it does.
func inBuild(cmd instructions.Command, published *bool) []Need {
	switch c := cmd.(type) {
	case *instructions.RunCommand:
		return inShell(c, func(words []string) *Need { return ofBuild(words, published) })
	case *instructions.AddCommand:
		return ofAdd(c)
	}
	return nil
}

// ofAdd is what a spec needs for ADD.
func ofAdd(c *instructions.AddCommand) []Need {
	url := func(src string) bool { return strings.HasPrefix(src, "https://") || strings.HasPrefix(src, "http://") }
	if slices.ContainsFunc(c.SourcePaths, url) {
		return []Need{{Key: "files", Advice: "from: URL; a file needs a checksum, and the error without one says which"}}
	}
	return []Need{{Key: "files", Advice: "with unpack: true for an archive"}}
}

var commandEnds = regexp.MustCompile(`&&|\|\||[;|\n]`)

// inShell is what a spec needs for the commands of RUN, each need once.
func inShell(c *instructions.RunCommand, of func(words []string) *Need) []Need {
	var needs []Need
	add := func(n Need) {
		if !slices.Contains(needs, n) {
			needs = append(needs, n)
		}
	}
	// Only Expand reads the mounts. Neither their values nor mistakes in them matter here.
	_ = c.Expand(func(word string) (string, error) { return word, nil })
	for _, m := range instructions.GetMounts(c) {
		switch m.Type {
		case instructions.MountTypeSecret:
			add(Need{Key: "nuget.secrets", Advice: "or publish.secrets, if the compiler needs it"})
		case instructions.MountTypeSSH:
			add(Need{Key: "publish.ssh"})
		}
	}
	script := strings.Join(c.CmdLine, " ")
	for _, f := range c.Files {
		script += "\n" + f.Data
	}
	for _, command := range commandEnds.Split(script, -1) {
		words := strings.Fields(command)
		for len(words) > 0 && (strings.Contains(words[0], "=") || words[0] == "sudo" || words[0] == "exec") {
			words = words[1:]
		}
		if len(words) == 0 || strings.HasPrefix(words[0], "#") || strings.HasPrefix(words[0], "<<") ||
			slices.Contains(idle, words[0]) && !strings.Contains(command, sourcesList) {
			continue
		}
		if n := of(words); n != nil {
			add(*n)
		}
	}
	return needs
}

// idle are commands that leave nothing in an image.
var idle = []string{"cd", "echo", "ls", "set", "true", "pwd", "cat", "env", "printenv", "test", "[", "if", "then", "fi"}

// ofTarget is what a spec needs for a command that runs in the image; nil for nothing.
func ofTarget(words []string) *Need {
	if n, ok := ofPackages(words); ok {
		return n
	}
	switch words[0] {
	case "rm":
		return &Need{Key: "files", Advice: "remove, for files of the app and of the base"}
	case "ln":
		return &Need{Key: "files", Advice: "link and to"}
	case "mkdir", "install":
		return &Need{Key: "files", Advice: "an entry without from is an empty folder; owner and mode are keys of it"}
	case "chown", "chmod":
		return &Need{Key: "files", Advice: "mode and owner of an entry, or change for files that are there already"}
	case "curl", "wget":
		return &Need{Key: "files", Advice: "from: URL with a checksum; the error without one says which"}
	case "tar":
		return &Need{Key: "files", Advice: "unpack: true, and strip for --strip-components"}
	case "git":
		return &Need{Key: "files", Advice: "from: https://….git#REF:FOLDER"}
	}
	if n := ofUsers(words); n != nil {
		return n
	}
	return &Need{Advice: "crosshull runs nothing in the image: do it in a base of your own (base.image)"}
}

// ofBuild is what a spec needs for a command that runs in a stage that builds; nil for nothing. See [inBuild] for
// published.
func ofBuild(words []string, published *bool) *Need {
	own := &Need{Key: "publish.before"}
	if *published {
		own.Key = "publish.after"
	}
	if words[0] != "dotnet" {
		switch {
		case words[0] == "mkdir", slices.Contains(idle, words[0]),
			!*published && slices.Contains([]string{"rm", "cp", "mv", "chmod"}, words[0]):
			return nil
		case installs.MatchString(words[0]):
			return &Need{Key: "publish.tools", Advice: "an image that has the program"}
		}
		return own
	}
	if len(words) < 2 {
		return nil
	}
	*published = *published || words[1] == "publish"
	switch words[1] {
	case "tool":
		if slices.Contains(words, "restore") {
			return nil // commands have the tools of the manifest
		}
		own.Advice = "with the tool in .config/dotnet-tools.json"
	case "restore", "build", "publish", "msbuild", "clean", "--info", "--version":
		return ofPublish(words[2:])
	case "test", "vstest":
		return &Need{Key: "tests", Advice: ofTests(words[2:])}
	case "nuget":
		return &Need{Key: "nuget.feeds"}
	}
	return own
}

// ofTests is the advice for the options of dotnet test; empty for none.
func ofTests(options []string) string {
	var keys []string
	for i := 0; i < len(options); i++ {
		name, _, own := strings.Cut(options[i], "=")
		key := "args"
		switch name {
		case "--no-build", "--no-restore", "--nologo", "-nologo":
			continue
		case "-c", "--configuration", "-l", "--logger", "--results-directory", "-v", "--verbosity", "--collect":
			if !own {
				i++
			}
			continue
		case "--filter":
			key = "filter"
		case "-s", "--settings":
			key = "settings"
		}
		if strings.HasPrefix(name, "-") && !property.MatchString(name) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return "with " + strings.Join(keys, ", ")
}

var property = regexp.MustCompile(`^(?:--?|/)(?:p|property):?=?(\w+)?`)

// ofPublish is what a spec needs for the options of a build; nil for nothing.
func ofPublish(options []string) *Need {
	for i, o := range options {
		next := ""
		if i+1 < len(options) {
			next = options[i+1]
		}
		switch m := property.FindStringSubmatch(o); {
		case o == "--self-contained" && next != "false", o == "--sc" && next != "false":
			return &Need{Key: "publish.mode", Advice: "self-contained"}
		case m != nil && strings.EqualFold(m[1], "UseAppHost"): // the default of mode portable
		case m != nil && strings.EqualFold(m[1], "SelfContained"), m != nil && strings.HasPrefix(m[1], "Publish"):
			return &Need{Key: "publish.mode"}
		case m != nil:
			return &Need{Key: "publish.properties"}
		case (o == "-c" || o == "--configuration") && next != "Release" && !strings.HasPrefix(next, "$"):
			return &Need{Key: "publish.configuration"}
		}
	}
	return nil
}

// text is an instruction as the file has it, or its name alone.
func text(cmd instructions.Command) string {
	if s, ok := cmd.(fmt.Stringer); ok {
		return s.String()
	}
	return cmd.Name()
}

// Limits on what is written about Dockerfiles.
const (
	maxDockerfiles = 20
	maxNeeds       = 40 // of one
	maxText        = 60 // characters of an instruction
)

// dockerfiles writes what a spec needs to replace Dockerfiles.
func (w *writer) dockerfiles(all []Dockerfile) {
	for _, d := range all[:min(len(all), maxDockerfiles)] {
		name := oneLine(d.Path)
		switch {
		case d.Err != nil:
			w.line("# Crosshull does not use the file %s, and cannot read it: %s.", name, oneLine(d.Err.Error()))
		case len(d.Needs) == 0:
			w.line("# Crosshull does not use the file %s. This spec does all that the file does.", name)
		default:
			w.line("# Crosshull does not use the file %s. What this file does beyond a plain build, with the key for it:", name)
		}
		for _, n := range d.Needs[:min(len(d.Needs), maxNeeds)] {
			to := n.Key
			switch {
			case to == "":
				to = "no key: " + n.Advice
			case n.Advice != "":
				to += " (" + n.Advice + ")"
			}
			w.line("# - line %d: %s", n.Line, oneLine(short(n.Text)+" -> "+to))
		}
		w.more(len(d.Needs)-maxNeeds, "line", "")
		w.line("#")
	}
	w.more(len(all)-maxDockerfiles, "Dockerfile", "")
}

// short is the beginning of a text.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxText {
		return strings.TrimSpace(string(r[:maxText])) + "…"
	}
	return s
}
