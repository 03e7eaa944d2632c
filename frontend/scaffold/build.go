package scaffold

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
)

var (
	// ofSystem matches paths that are rarely those of sources. Commands of publish.before keep nothing there.
	ofSystem = regexp.MustCompile(
		`^/(?:bin|etc|lib|opt|root|sbin|tmp|usr/(?:bin|include|lib|local|sbin|share)|var)(?:/|$)`)
	// installsProgram matches commands that put programs into the SDK.
	installsProgram = regexp.MustCompile(
		`^(?:(?:npm|pnpm) (?:.* )?(?:-g|--global)\b|yarn global |pip3? install |corepack |dpkg -i )`)
	// edits are commands that need a key only after publish, as they then change the app. What they do before is done to
	// the sources, and MSBuild decides what to read.
	edits = append([]string{"rm", "cp", "mv", "touch"}, rights...)
	// rights are commands that change no contents.
	rights = []string{"chmod", "chown"}
)

// ownCommands is the key for further commands of a stage.
func (s *stage) ownCommands() string {
	if s.published {
		return "publish.after"
	}
	return "publish.before"
}

const sdkThatHas = "an SDK image that has "

// ofBuild is what a spec needs for a command of a stage that builds.
func (all *stages) ofBuild(s *stage, dir string, c command) []Need {
	own := Need{Key: s.ownCommands()}
	program := c.program()
	changesSystem := all.changesSystem(dir, c)
	switch {
	case c.into != "":
		return nil // the other program says what it is for
	case program == "dotnet":
		return all.ofDotnet(s, dir, c.words, own)
	case installs.MatchString(program):
		return ofTools(s, c)
	case program == "update-ca-certificates":
		return []Need{{Key: "nuget.ca"}}
	case c.readsScript(), installsProgram.MatchString(c.text()):
		return []Need{{Key: "sdk.image", Advice: sdkThatHas + "it"}}
	case program == "mkdir", program == "rm" && changesSystem, program == "apt-mark", program == "ldconfig":
		return nil
	case changesSystem && (program == "" || slices.Contains(idle, program) || slices.Contains(rights, program)):
		return nil // a note for later commands, such as the RID of the platform
	case changesSystem:
		return []Need{{Key: "sdk.image", Advice: sdkThatHas + "it"}}
	case !s.published && slices.Contains(edits, program):
		return nil
	}
	return []Need{own}
}

// changesSystem tells whether a command changes files that are neither sources nor output.
func (all *stages) changesSystem(dir string, c command) bool {
	changed := slices.Clone(c.writes)
	switch c.program() {
	case "cp", "mv", "ln", "install":
		changed = append(changed, c.words[len(c.words)-1])
	case "apt-key", "chmod", "chown", "curl", "gpg", "rm", "sed", "tar", "tee", "touch", "unzip", "wget":
		changed = append(changed, c.words[1:]...)
	}
	return slices.ContainsFunc(changed, func(name string) bool {
		inOutput := func(output string) bool { return isIn(name, output) }
		return ofSystem.MatchString(name) && (dir == "/" || !isIn(name, dir)) && !slices.ContainsFunc(all.outputs, inOutput)
	})
}

var (
	// inSDK are packages that crosshull's images of the SDK have: those of the SDK, and those to link with AOT.
	inSDK = []string{
		"apt-transport-https", "build-base", "ca-certificates", "clang", "curl", "gcc", "git", "gnupg", "libc6-dev", "lld",
		"llvm", "musl-dev", "tzdata", "wget", "zlib-dev", "zlib1g-dev",
	}
	crossPackage = regexp.MustCompile(`:[a-z0-9]+$|-linux-(?:gnu|musl)|-cross$`)
	// programsOf are the programs of packages that have another name.
	programsOf = map[string][]string{
		"nodejs": {"node", "npm", "npx", "yarn", "pnpm"}, "npm": {"npx"}, "python3-pip": {"pip", "pip3"},
		"protobuf-compiler": {"protoc"},
	}
)

// ofTools is what a spec needs for packages that a build installs. Commands find the programs of publish.tools. MSBuild
// finds only what the SDK image has.
func ofTools(s *stage, c command) []Need {
	in := readInstall(c.words)
	if !in.adds() {
		return nil
	}
	var tools, others []string
	var needs []Need
	for _, p := range in.packages {
		name := packageName(p)
		runs := func(program string) bool { return s.programs[program] }
		switch {
		case crossPackage.MatchString(p):
			needs = append(needs, Need{Key: "sdk.toolchain", Advice: "an image that has them"})
		case slices.Contains(inSDK, name), strings.HasPrefix(name, "dotnet-sdk-"):
		case runs(name), slices.ContainsFunc(programsOf[name], runs):
			tools = append(tools, name)
		default:
			others = append(others, p)
		}
	}
	if len(tools) > 0 {
		needs = append(needs, Need{Key: "publish.tools", Advice: "an image that has " + strings.Join(tools, ", ")})
	}
	switch {
	case len(others) == 0:
	case s.final: // it can be for the app
		in.packages = others
		needs = append(needs, ofInstall(s.image, c.program(), in)...)
	default:
		needs = append(needs, Need{Key: "sdk.image", Advice: sdkThatHas + strings.Join(others, ", ")})
	}
	return needs
}

// outputOptions are the options and properties for the folder of a build.
var outputOptions = []string{"artifacts-path", "artifactspath", "o", "outdir", "output", "publishdir"}

// maxOutputs is a limit on the folders that are compared with those of each COPY.
const maxOutputs = 100

// ofDotnet is what a spec needs for a command of dotnet in a stage that builds.
func (all *stages) ofDotnet(s *stage, dir string, words []string, own Need) []Need {
	if len(words) < 2 {
		return nil
	}
	arguments := words[2:]
	switch words[1] {
	case "tool":
		if slices.Contains(arguments, "restore") {
			return nil // commands have the tools of the manifest
		}
		own.Advice = "with the tool in .config/dotnet-tools.json"
	case "dev-certs":
		return []Need{{Advice: "mount the certificate when the container starts, as an image is no place for its key"}}
	case "workload":
		return []Need{{Key: "sdk.image", Advice: sdkThatHas + "it"}}
	case "restore", "build", "publish", "msbuild", "clean":
		project, options := readOptions(words[1], arguments)
		set := properties(options)
		for _, o := range slices.Concat(options, set) {
			if slices.Contains(outputOptions, strings.ToLower(o.name)) && len(all.outputs) < maxOutputs {
				all.outputs = append(all.outputs, resolve(dir, s.value(o.value)))
			}
		}
		needs := slices.Concat(ofModes(set), ofProperties(s, set), ofRestore(options))
		if words[1] == "publish" {
			s.published = true
			needs = append(needs, all.ofProject(resolve(dir, project))...)
		}
		return needs
	case "test", "vstest":
		return []Need{{Key: "tests", Advice: ofTests(arguments)}}
	case "nuget":
		switch {
		case slices.Contains(arguments, "source"):
			return []Need{{Key: "nuget.feeds"}}
		case slices.Contains(arguments, "locals"): // the cache of packages
			return nil
		}
	case "--info", "--version", "--list-sdks", "--list-runtimes", "build-server", "help":
		return nil
	}
	return []Need{own}
}

// ofProject is what a spec needs for a project that is published: nothing for the first one.
func (all *stages) ofProject(project string) []Need {
	if strings.HasSuffix(path.Ext(project), "proj") {
		project = path.Dir(project)
	}
	known := all.projects[project]
	if all.projects[project] = true; known || len(all.projects) == 1 {
		return nil
	}
	return []Need{{Key: "publish.also", Advice: "or apps, if each has an image of its own"}}
}

// option is an option of dotnet. Its name has no dashes.
type option struct{ name, value string }

// withValue are the options of build, publish and restore that have a value.
var withValue = []string{
	"a", "arch", "artifacts-path", "c", "configfile", "configuration", "f", "framework", "manifest", "o", "os", "output",
	"p", "packages", "property", "r", "runtime", "s", "source", "v", "verbosity", "version-suffix",
}

// readOptions reads the arguments of a command of dotnet. project is empty if they name none.
func readOptions(command string, arguments []string) (project string, options []option) {
	for i := 0; i < len(arguments); i++ {
		a := arguments[i]
		if !strings.HasPrefix(a, "-") && (!strings.HasPrefix(a, "/") || !strings.Contains(a, ":")) {
			if project == "" {
				project = a
			}
			continue
		}
		name, value, next := strings.ToLower(strings.TrimLeft(a, "-/")), "", ""
		if i+1 < len(arguments) {
			next = arguments[i+1]
		}
		switch end := strings.IndexAny(a, ":="); {
		case end >= 0:
			name, value = strings.ToLower(strings.TrimLeft(a[:end], "-/")), a[end+1:]
		case name == "f" && command == "restore": // --force
			continue
		case slices.Contains(withValue, name),
			slices.Contains([]string{"self-contained", "sc"}, name) && (next == "true" || next == "false"):
			value = next
			i++
		}
		options = append(options, option{name, value})
	}
	return project, options
}

// properties are the MSBuild properties that options set.
func properties(options []option) []option {
	var set []option
	for _, o := range options {
		switch o.name {
		case "p", "property":
			for part := range strings.FieldsFuncSeq(o.value, func(r rune) bool { return r == ';' || r == ',' }) {
				if name, value, ok := strings.Cut(part, "="); ok {
					set = append(set, option{strings.TrimSpace(name), strings.TrimSpace(value)})
				}
			}
		case "self-contained", "sc":
			set = append(set, option{"SelfContained", o.value})
		case "c", "configuration":
			set = append(set, option{"Configuration", o.value})
		case "f", "framework":
			set = append(set, option{"TargetFramework", o.value})
		case "version-suffix":
			set = append(set, option{"VersionSuffix", o.value})
		}
	}
	return set
}

// ofRestore is what a spec needs for the options of a restore.
func ofRestore(options []option) []Need {
	var needs []Need
	for _, o := range options {
		switch o.name {
		case "s", "source":
			if !strings.Contains(o.value, "api.nuget.org") {
				needs = append(needs, Need{Key: "nuget.feeds"})
			}
		case "configfile":
			if !strings.EqualFold(strings.TrimPrefix(o.value, "./"), "nuget.config") {
				needs = append(needs, Need{Key: "nuget.config-secret", Advice: "or nuget.config in the root of the context"})
			}
		case "locked-mode":
			needs = append(needs, Need{Key: "nuget.locked-mode"})
		}
	}
	return needs
}

// modes are the properties of publish.mode, each with the modes that it makes needless or that do not go with it.
var modes = []struct {
	property, mode string
	without        []string
}{
	{"PublishAot", "aot", []string{"trimmed", "self-contained", "single-file", "ready-to-run", "apphost"}},
	{"PublishTrimmed", "trimmed", []string{"self-contained", "apphost"}},
	{"SelfContained", "self-contained", []string{"apphost"}},
	{"PublishSelfContained", "self-contained", []string{"apphost"}},
	{"PublishSingleFile", "single-file", []string{"apphost"}},
	{"PublishReadyToRun", "ready-to-run", nil},
	{"UseAppHost", "apphost", nil},
}

// ofModes is what a spec needs for the properties that are modes.
func ofModes(set []option) []Need {
	var on, off, without []string
	for _, m := range modes {
		for _, o := range set {
			switch {
			case !strings.EqualFold(o.name, m.property):
			case strings.EqualFold(o.value, "false") && strings.HasPrefix(m.property, "Publish"):
				off = append(off, m.mode)
			case !strings.EqualFold(o.value, "false") && !slices.Contains(slices.Concat(on, without), m.mode):
				on, without = append(on, m.mode), append(without, m.without...)
			}
		}
	}
	switch {
	case len(on) == 1:
		return []Need{{Key: "publish.mode", Advice: on[0]}}
	case len(on) > 1:
		return []Need{{Key: "publish.mode", Advice: list(on)}}
	case len(off) > 0:
		return []Need{{Key: "publish.mode", Advice: "without " + strings.Join(off, ", ") + ", if the project asks for it"}}
	}
	return nil
}

// ofProperties is what a spec needs for the other properties.
func ofProperties(s *stage, set []option) []Need {
	var needs []Need
	var names []string
	for _, o := range set {
		switch key, own := spec.Owned(o.name); {
		case !own:
			names = append(names, o.name)
		case key == "publish.configuration":
			value := s.value(o.value)
			if !strings.EqualFold(value, "Release") && !strings.HasPrefix(value, "$") {
				needs = append(needs, Need{Key: key, Advice: value})
			}
		case key == "framework", strings.HasPrefix(key, "base."):
			needs = append(needs, Need{Key: key, Advice: o.value})
		}
	}
	if len(names) > 0 {
		needs = append(needs, Need{Key: "publish.properties", Advice: strings.Join(names, ", ")})
	}
	return needs
}

var property = regexp.MustCompile(`^(?:--?|/)(?:p|property)(?:[:=]|$)`)

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
