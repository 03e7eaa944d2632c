package scaffold

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

var (
	// runtimeImage has the repository, the major version and the variant.
	runtimeImage = regexp.MustCompile(`^mcr\.microsoft\.com/dotnet/(aspnet|runtime|runtime-deps)` +
		`(?::(\d+)(?:\.\d+){0,2}(?:-(?:preview|rc)[.\d]*)?(?:-([a-z][a-z0-9.-]*?))??(?:-(?:amd64|arm64v8|arm32v7))?)?$`)
	sdkImage = regexp.MustCompile(`^mcr\.microsoft\.com/dotnet/(?:core/|nightly/)?sdk(?::|@|$)`)
)

// ofBase is what a spec needs for the image that a stage begins with.
func (all *stages) ofBase(s *stage) []Need {
	runtime := runtimeImage.FindStringSubmatch(s.image)
	switch {
	case s.base != nil, sdkImage.MatchString(s.image), runtime != nil && (runtime[3] == "" || !s.final):
		return nil
	case runtime != nil:
		return []Need{{Key: "base.family", Advice: runtime[3]}}
	case s.builds:
		return []Need{{Key: "sdk.image", Advice: "if it has the .NET SDK"}}
	case s.final && s.image != s.BaseName:
		return []Need{{Key: "base.image", Advice: s.image}}
	case s.final:
		return []Need{{Key: "base.image"}}
	case s.image == "scratch":
		return nil
	}
	return []Need{{Key: "publish.tools", Advice: "if a program of it builds something"}}
}

// hasExtra tells whether Microsoft has the image with ICU, too.
func hasExtra(image string) bool {
	runtime := runtimeImage.FindStringSubmatch(image)
	if runtime == nil {
		return false
	}
	major, _ := strconv.Atoi(runtime[2])
	return runtime[1] == "runtime-deps" || major >= 10
}

var (
	// defaultUser are the ways to name the user of Microsoft's images.
	defaultUser = []string{"app", "$APP_UID", "${APP_UID}", "1654"}
	// single are instructions that replace an earlier one.
	single = []string{"cmd", "entrypoint", "healthcheck", "stopsignal", "user", "workdir"}
)

// ofImage is what a spec needs for an instruction that sets the configuration of the image.
func (all *stages) ofImage(s *stage, cmd instructions.Command) []Need {
	if slices.Contains(single, kind(cmd)) && all.last[kind(cmd)] != cmd {
		return nil
	}
	n := Need{Advice: s.ofVariables(cmd)}
	switch c := cmd.(type) {
	case *instructions.EnvCommand:
		n.Key = "image.env"
	case *instructions.LabelCommand, *instructions.MaintainerCommand:
		n.Key = "image.labels"
	case *instructions.ExposeCommand:
		n.Key = "image.ports"
	case *instructions.VolumeCommand:
		n.Key = "image.volumes"
	case *instructions.StopSignalCommand:
		n.Key = "image.stop-signal"
	case *instructions.HealthCheckCommand:
		n.Key = "image.healthcheck"
	case *instructions.UserCommand:
		if slices.Contains(defaultUser, c.User) {
			return nil
		}
		n.Key = "image.user"
	case *instructions.WorkdirCommand:
		return all.ofWorkdir(s, c.Path)
	case *instructions.EntrypointCommand:
		return all.ofStart(c.ShellDependantCmdLine, false)
	case *instructions.CmdCommand:
		return all.ofCmd(c.ShellDependantCmdLine)
	case *instructions.OnbuildCommand:
		n.Advice = "an image of crosshull has no commands for later builds"
	default:
		return nil
	}
	return []Need{n}
}

// ofVariables is the advice for an instruction that has variables.
func (s *stage) ofVariables(cmd instructions.Command) string {
	names := s.uses[cmd]
	for _, name := range names {
		if !slices.Contains(s.arguments, name) {
			return "write the whole value, as crosshull does not expand $" + name
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "${" + strings.Join(names, "}, ${") + "}, with " + strings.Join(names, ", ") + " in args"
}

// ofWorkdir is what a spec needs for the work directory of the image. The app has to move with it, or it does not find
// its files.
func (all *stages) ofWorkdir(s *stage, dir string) []Need {
	switch {
	case dir == "/app", s.builds:
		return nil
	case !all.compiles:
		return []Need{{Key: "image.workdir", Advice: dir + ", with project: none"}}
	}
	return []Need{{
		Key: "publish.properties", Advice: "ContainerWorkingDirectory: " + dir + ", only if something names that path",
	}}
}

// ofCmd is what a spec needs for CMD.
func (all *stages) ofCmd(c instructions.ShellDependantCmdLine) []Need {
	entrypoint, ok := all.last["entrypoint"].(*instructions.EntrypointCommand)
	switch {
	case len(c.CmdLine) == 0:
		return nil
	case ok && len(entrypoint.CmdLine) > 0, strings.HasPrefix(c.CmdLine[0], "-"): // the base may have an entrypoint
		return []Need{{Key: "image.args"}}
	}
	return all.ofStart(c, true)
}

// ofStart is what a spec needs for the command that the image runs. replaced: arguments of docker run replace it.
func (all *stages) ofStart(c instructions.ShellDependantCmdLine, replaced bool) []Need {
	n := Need{Key: "image.entrypoint"}
	switch program, args, ok := all.start(c); {
	case len(c.CmdLine) == 0, ok && len(args) == 0 && all.compiles:
		return nil
	case ok && !all.compiles:
		n.Advice = "with project: none"
	case ok && replaced:
		return []Need{{Key: "image.args", Advice: list(args)}}
	case ok && program == "":
		n.Advice = "as it is only if publish.mode makes a launcher, else [dotnet, NAME.dll, …]"
	case ok:
		n.Advice = list(slices.Concat([]string{"dotnet", program}, args))
	case needsSDK.MatchString(strings.Join(c.CmdLine, " ")):
		return []Need{{Advice: "the image has no SDK, and starts the published app"}}
	case c.PrependShell:
		n.Advice = `[sh, -c, "…"]`
	}
	return []Need{n}
}

var (
	needsSDK = regexp.MustCompile(`^(?:exec )?dotnet (?:run|watch)\b`)
	// scriptName matches programs that are no app.
	scriptName = regexp.MustCompile(`\.(?:sh|bash|py|rb|pl|js|ps1)$`)
)

// start reads a command that starts the app, and nothing else: program is the .dll that it names, or empty for a
// launcher, and args are the arguments of the app.
func (all *stages) start(c instructions.ShellDependantCmdLine) (program string, args []string, ok bool) {
	words := c.CmdLine
	if c.PrependShell {
		text := strings.TrimPrefix(strings.TrimSpace(strings.Join(words, " ")), "exec ")
		parts := commands(text)
		if len(parts) != 1 || len(parts[0].writes) > 0 || strings.ContainsAny(text, "$`") ||
			!strings.HasPrefix(strings.TrimLeft(text, `'"`), parts[0].program()) { // a variable or a keyword stands before it
			return "", nil, false
		}
		words = parts[0].words
	}
	switch {
	case len(words) > 1 && path.Base(words[0]) == "dotnet" && path.Ext(words[1]) == ".dll":
		return path.Base(words[1]), words[2:], true
	case len(words) > 0 && all.isLauncher(words[0]):
		return "", words[1:], true
	}
	return "", nil, false
}

// isLauncher tells whether a program can be the app's own.
func (all *stages) isLauncher(name string) bool {
	dir := "/app"
	if c, ok := all.last["workdir"].(*instructions.WorkdirCommand); ok {
		dir = c.Path
	}
	if !strings.HasPrefix(name, "./") && !strings.HasPrefix(name, "/app/") && !strings.HasPrefix(name, dir+"/") {
		return false
	}
	return !scriptName.MatchString(name) && !slices.Contains(all.copied, path.Base(name))
}

// list is a list as a spec has it.
func list(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = scalar(w)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// Advice for files of the image.
const (
	fromURL    = "from: URL; a file needs a checksum, and the error without one says which"
	fromGit    = "from: https://….git#REF:FOLDER"
	withUnpack = "unpack: true, and strip for --strip-components"
)

// ofTarget is what a spec needs for a command that runs in the image.
func (all *stages) ofTarget(s *stage, _ string, c command) []Need {
	if needs, ok := ofPackages(s.image, c); ok {
		return needs
	}
	if c.into != "" && c.into != "tar" {
		return nil // the other program says what it is for
	}
	advice := ""
	switch program := c.program(); program {
	case "rm":
		advice = "remove, for files of the app and of the base"
	case "ln":
		advice = "link and to"
	case "mkdir", "install":
		advice = "an entry without from is an empty folder; owner and mode are keys of it"
	case "chown", "chmod":
		advice = "mode and owner of an entry, or change for files that are there already"
	case "curl", "wget":
		advice = fromURL
	case "tar":
		advice = withUnpack
	case "git":
		advice = fromGit
	case "update-ca-certificates":
		advice = "a file of the context in PEM format, to: /etc/ssl/certs/"
	default:
		if program == "" || program == "tee" || program == "sed" || slices.Contains(idle, program) {
			advice = "a file of the context that has the whole text"
			break
		}
		if n := ofUsers(c.words); n != nil {
			return []Need{*n}
		}
		return []Need{{Advice: "crosshull runs nothing in the image: do it in a base of your own (base.image)"}}
	}
	return []Need{{Key: "files", Advice: advice}}
}
