package dockerfile

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// before writes the stage with the commands that change the sources. The stage that builds begins with it.
func (a *app) before(sdk string) error {
	commands := a.Request.Spec.Publish.Before
	a.comment("What it makes and changes are sources for all steps below.")
	a.from("--platform=$BUILDPLATFORM ", sdk, a.changed)
	if err := a.tools(); err != nil {
		return err
	}
	a.line("WORKDIR /source")
	if manifest, files := dotnet.ToolManifest(a.Steps.Names, "."); manifest != "" {
		a.copy("--parents", files, "./")
		a.localTools()
	}
	var had []string
	whole := false
	for i, c := range commands {
		key := fmt.Sprintf("publish.before.%d", i)
		switch {
		case whole:
		case len(c.Inputs) == 0:
			whole = true
			a.line("COPY --link %s%s . .", noOutputs, a.excludes(had))
		default:
			a.copy("--parents", inputs(c, had), "./")
			had = append(had, c.Inputs...)
		}
		a.runCommand(key, c, nil)
	}
	if !whole {
		a.line("COPY --link %s%s . .", noOutputs, a.excludes(had))
	}
	return nil
}

// inputs are patterns of what a command reads, without what the stage had before.
func inputs(c spec.Command, had []string) []string {
	var patterns []string
	for _, input := range c.Inputs {
		if !slices.Contains(had, input) {
			patterns = append(patterns, dotnet.Escape(path.Clean(input)))
		}
	}
	return patterns
}

// excludes are flags that leave out paths.
func (a *app) excludes(paths []string) string {
	var b strings.Builder
	for _, p := range paths {
		if why := unheldFlag(p); why != "" {
			a.left("--exclude="+p, why)
			continue
		}
		b.WriteString(" \\\n    " + flag("exclude", dotnet.Escape(path.Clean(p))))
	}
	return b.String()
}

// after writes the stage with the commands that change what was published.
func (a *app) after() error {
	a.line("")
	a.from("", a.published, a.publish)
	if err := a.tools(); err != nil {
		return err
	}
	dir := path.Join("/source", path.Dir(a.App.Path))
	a.put("project", "WORKDIR "+word(plain(dir)))
	if manifest, _ := dotnet.ToolManifest(a.Steps.Names, path.Dir(a.App.Path)); manifest != "" {
		a.localTools()
	}
	a.line("ENV PUBLISH_DIR=/app")
	var had []string
	for i, c := range a.Request.Spec.Publish.After {
		if a.changed == "" { // otherwise all sources are there already
			a.copy("--parents", inputs(c, had), "/source/")
			had = append(had, c.Inputs...)
		}
		var before []string
		for _, name := range c.PlatformVars() {
			if name != spec.VarRID {
				a.use(text{{Arg: name}})
				continue
			}
			a.use(text{{Arg: "TARGETARCH"}})
			before = append(before, `case "$TARGETARCH" in`)
			before = append(before, ridCases(a.Targets)...)
			before = append(before, `*) echo "not for $TARGETARCH"; exit 1;;`, `esac;`, `export RID=$rid;`)
		}
		a.runCommand(fmt.Sprintf("publish.after.%d", i), c, before)
	}
	return nil
}

// tools copies what commands have of other images.
func (a *app) tools() error {
	for i, t := range a.Tools {
		ref, err := image(t.Image.Pin())
		if err != nil {
			return err
		}
		for j, p := range t.Paths {
			key, p := fmt.Sprintf("publish.tools.%d.paths.%d", i, j), path.Clean(p)
			if why := unheldList([]string{p}); why != "" {
				a.left(key, why)
				continue
			}
			// Not --link: the SDK may have a link to a folder there.
			a.line("COPY --from=%s \\\n    %s", ref, copyWords(p, p))
		}
	}
	if dirs := a.ToolPath(); dirs != "" {
		a.put("publish.tools", "ENV "+pair("PATH", plain(dirs)))
	}
	return nil
}

// copyWords are the words of a COPY, as JSON if one is not plain.
func copyWords(words ...string) string {
	if !slices.ContainsFunc(words, func(w string) bool { return !plainWord.MatchString(w) }) {
		return strings.Join(words, " ")
	}
	return list(words)
}

// localTools restores the local tools of the repository.
func (a *app) localTools() {
	r := a.run("dotnet tool restore")
	r.nuget(a.nuget)
	r.write()
}

// plainCommand matches a line that an instruction can have as it is.
var plainCommand = regexp.MustCompile(`^[A-Za-z0-9_./$"'][^\n\r<\\]*$`)

// runCommand writes a RUN for a command of the spec. before are lines of the shell before it.
func (a *app) runCommand(key string, c spec.Command, before []string) {
	if why := unheldScript(c.Run); why != "" {
		a.left(key, why)
		return
	}
	before = append(before, a.exports(c)...)
	r := a.run("")
	if c.Network == "none" || c.Network == "host" {
		r.mounts = append(r.mounts, "--network="+c.Network)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Cache)) {
		r.mount(key+".cache."+name, mount("cache", "id", "crosshull-"+name, "target", c.Cache[name]), c.Cache[name])
	}
	r.secrets(key+".secrets", c.Secrets)
	for i, id := range c.SSH {
		r.mount(key+".ssh."+strconv.Itoa(i), mount("ssh", "id", id, "required", "true"), id)
	}
	for _, left := range r.left {
		left()
	}
	line := strings.TrimRight(c.Run, "\n")
	flags := strings.Join(append(r.mounts, ""), " \\\n    ")
	if len(before) == 0 && plainCommand.MatchString(line) && len(line) < maxLine {
		a.line("RUN %s%s", flags, line)
		return
	}
	script := strings.Join(append(before, line), "\n")
	if strings.HasPrefix(script, "#!") { // BuildKit would run another program than sh
		script = "\n" + script
	}
	begin, rest := heredoc(script)
	a.line("RUN %s%s\n%s", flags, begin, rest)
}

// exports are the lines of the shell that give a command its build arguments. They are for this command alone: an ARG
// with the name of a property would change what MSBuild does in all steps below.
func (a *app) exports(c spec.Command) []string {
	args := a.Request.Spec.ArgsOf(c)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		value := shell(args[name])
		switch why := unheldScript(value); {
		case a.takes(name):
			a.used[name], a.inBuild[name] = true, true
			t := text{{Arg: a.buildName(name)}}
			a.use(t)
			value = shellText(t)
		case why != "":
			a.left("args."+name, why)
			continue
		default:
			a.comment("The build argument %s has the value of the call that wrote this.", name)
		}
		lines = append(lines, "export "+name+"="+value)
	}
	return lines
}

// unheldScript says why the lines of a file cannot hold a script; "" means that they can.
func unheldScript(script string) string {
	for line := range strings.SplitSeq(strings.TrimRight(script, "\n"), "\n") {
		if why := unheld(line); why != "" {
			return why
		}
	}
	return ""
}
