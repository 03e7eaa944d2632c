// Package dockerfile writes a Dockerfile for a plan.
//
// Contract: pure. [Write] takes the plans of the apps of a spec, and gives what an expert would write by hand for the
// same apps. No value becomes an instruction: one that an instruction cannot hold is left out, with a comment that says
// so.
package dockerfile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Write gives a Dockerfile for apps, whose spec has a name.
func Write(apps []*plan.Plan, name string) ([]byte, error) {
	w := &writer{}
	w.line("# syntax=docker/dockerfile:1")
	w.comment("Written by crosshull (docker buildx build --call=dockerfile): the apps of %s, "+
		"built the same way by a Dockerfile.", name)
	w.comment("It restores and compiles on the platform of the builder, whatever the target, so no step is emulated. " +
		"What crosshull does and this does not: layers by kind of file,")
	w.comment("libraries compiled apart, static assets compressed once, assets of other systems left out, " +
		"labels with the digest of the base, and keeping these lists up to date.")
	if len(apps) > 0 { // those of all are the same
		w.arguments(apps[0])
	}
	for _, p := range apps {
		for _, app := range append([]*dotnet.App{p.App}, p.Tests...) {
			if strings.ContainsAny(app.Path, breaks) {
				return nil, fmt.Errorf("%q has a line break in its path, which no RUN can hold", app.Path)
			}
		}
		if err := w.app(p); err != nil {
			return nil, err
		}
	}
	return []byte(strings.Join(w.lines, "\n") + "\n"), nil
}

// writer is a Dockerfile as it is written.
type writer struct{ lines []string }

func (w *writer) line(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// breaks end a line, and so an instruction or a comment.
const breaks = "\n\r"

func (w *writer) comment(format string, args ...any) {
	text := strings.NewReplacer("\n", " ", "\r", " ").Replace(fmt.Sprintf(format, args...))
	w.lines = append(w.lines, "# "+text)
}

// set writes an instruction that has values in it. what they are is said where the instruction cannot hold them.
func (w *writer) set(what, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if strings.ContainsAny(text, breaks) {
		w.comment("%s is left out: it has a line break, which no instruction can hold.", what)
		return
	}
	w.lines = append(w.lines, text)
}

// arguments says what became of those of the spec.
func (w *writer) arguments(p *plan.Plan) {
	var values []string
	for _, a := range p.Request.Arguments() {
		values = append(values, a.Name+"="+shell(a.Value))
	}
	if len(values) > 0 {
		w.comment("Where the spec has build arguments, this has their values: %s.", strings.Join(values, " "))
	}
}

// app writes the stages of an app.
func (w *writer) app(p *plan.Plan) error {
	stage := func(name string) string {
		if p.Request.Target.App != "" {
			return name + "-" + p.Request.Target.App
		}
		return name
	}
	w.line("")
	sdk := p.SDK.Image.Pin()
	if p.Toolchain != nil {
		w.comment("AOT links with the tools of this image, for each target.")
		sdk = p.Toolchain.Pin()
	}
	w.line("FROM --platform=$BUILDPLATFORM %s AS %s", sdk, stage("build"))
	w.line("WORKDIR /source")
	if err := w.restore(p); err != nil {
		return err
	}
	w.sources(p)
	if p.Request.Spec.Tests.Gate {
		w.tests(p, stage)
		w.line("")
		w.comment("Publish waits for the tests.")
		w.line("FROM %s AS %s", stage("build"), stage("publish"))
	}
	w.publish(p, stage)
	return w.image(p, stage)
}

// restore writes the steps that get packages.
func (w *writer) restore(p *plan.Plan) error {
	nuget, err := xllb.NuGet(p.Request.Spec.NuGet).Settings(nugetNames)
	if err != nil {
		return err
	}
	if nuget.Config != nil {
		w.comment("Feeds beside those of the repository. %%NAME%% is a variable that restore gets by a secret.")
		w.line("COPY --link <<\"EOF\" %s\n%sEOF", nuget.ConfigPath(), nuget.Config)
	}
	if file := p.Request.Spec.Project; path.Ext(file) == ".cs" {
		w.comment("A project of the file, as the SDK makes it.")
		w.line("COPY --link . .")
		w.set("The file of the app", "RUN dotnet project convert %s --output %s",
			shell(file), shell(strings.TrimSuffix(file, ".cs")))
	} else {
		w.comment("What a restore can depend on. A project that is added, or a file that one imports, has to be added here.")
		w.copy("--parents", append(dotnet.RestoreFiles(p.App.Closure, p.Tree.Settings), p.Tree.RestoreInputs...), "./")
	}
	rids := p.RestoreRIDs()
	args := append(nuget.Args(), p.Project.Plain(p.App)...)
	if len(rids) > 0 {
		args = append(args, `-p:RuntimeIdentifiers="`+strings.Join(rids, ";")+`"`)
	}
	w.line("RUN %sdotnet restore %s%s", w.nuget(nuget), shell(p.App.Path), shellArgs(args))
	return nil
}

// nugetNames are those that a Dockerfile has.
var nugetNames = dotnet.NuGetNames{Password: "FEED_", Username: "any", CA: "/run/ca.pem"}

// nuget is what the RUN of a restore begins with.
func (w *writer) nuget(s dotnet.NuGetSettings) string {
	var b strings.Builder
	for _, secret := range s.SecretEnv {
		b.WriteString(w.mount(secret.Value, "type=secret,id=%s,env=%s,required=true", secret.Value, secret.Key))
	}
	for _, secret := range s.SecretFiles {
		b.WriteString(w.mount(secret.Value, "type=secret,id=%s,target=%s,required=true", secret.Value, secret.Key))
	}
	for _, file := range s.Files {
		b.WriteString(w.mount(file.Value, "type=bind,source=%s,target=%s", file.Value, file.Key))
	}
	for _, kv := range s.Env {
		fmt.Fprintf(&b, "%s=%s ", kv.Key, kv.Value)
	}
	return b.String()
}

// mount is a flag of RUN that has a name in it; nothing, and a comment, where a flag cannot hold the name.
func (w *writer) mount(name, format string, args ...any) string {
	if !plainWord.MatchString(name) || strings.Contains(name, ",") {
		w.comment("The mount of %s is left out: no flag can hold this name.", name)
		return ""
	}
	return fmt.Sprintf("--mount="+format+" \\\n    ", args...)
}

// sources writes the step that brings what is compiled.
func (w *writer) sources(p *plan.Plan) {
	if path.Ext(p.Request.Spec.Project) == ".cs" {
		return
	}
	sources := dotnet.PublishFiles(p.App.Closure)
	for _, input := range p.Request.Spec.Publish.Inputs {
		if len(sources) > 0 {
			sources = append(sources, dotnet.Escape(input))
		}
	}
	const outputs = "--exclude=**/bin --exclude=**/obj"
	if len(sources) == 0 {
		w.line("COPY --link %s . .", outputs)
		return
	}
	w.copy(outputs+" --parents", sources, "./")
}

// copy writes COPY of what patterns match. Names that may not be there get a wildcard: COPY fails for others.
func (w *writer) copy(flags string, patterns []string, to string) {
	var names []string
	for _, p := range patterns {
		if slices.ContainsFunc(patterns, func(other string) bool { return strings.HasPrefix(p, other+"/") }) {
			continue // in a folder that is copied
		}
		if base := path.Base(p); base == ".editorconfig" || base == ".globalconfig" {
			p = strings.TrimSuffix(p, "g") + "[g]"
		}
		names = append(names, p)
	}
	w.line("COPY --link %s%s", flags, words(" \\\n    ", append(names, to)...))
}

// words are paths as COPY takes them, each after a separator: with a list where one has a space or a line break in it.
func words(separator string, paths ...string) string {
	escaped := make([]string, len(paths))
	list := false
	for i, p := range paths {
		escaped[i] = word(p)
		list = list || strings.ContainsAny(p, " \t<"+breaks)
	}
	if list {
		return " " + jsonList(escaped)
	}
	return separator + strings.Join(escaped, separator)
}

// word is a value as instructions take it that look for variables and quotes in theirs.
func word(s string) string {
	return strings.NewReplacer(`\`, `\\`, `$`, `\$`, `"`, `\"`, `'`, `\'`).Replace(s)
}

// tests writes the stage of tests that images wait for.
func (w *writer) tests(p *plan.Plan, stage func(string) string) {
	w.line("")
	w.line("FROM %s AS %s", stage("build"), stage("test"))
	w.line("COPY --link --exclude=**/bin --exclude=**/obj . .")
	mounts := w.secrets(p.Request.Spec.Tests.Secrets)
	for _, t := range p.Tests {
		w.line("RUN %sdotnet test %s --logger trx --results-directory /results", mounts, shell(t.Path))
	}
}

// secrets are mounts of secrets, by the variables that they are for.
func (w *writer) secrets(ids map[string]string) string {
	var b strings.Builder
	for _, name := range request.SortedKeys(ids) {
		b.WriteString(w.mount(ids[name], "type=secret,id=%s,env=%s,required=true", ids[name], name))
	}
	return b.String()
}

// publish writes the step that compiles and publishes.
func (w *writer) publish(p *plan.Plan, stage func(string) string) {
	args := p.Project.Plain(p.App)
	if p.App.CrossTargeting {
		args = append(args, "-f", p.App.TargetFramework)
	}
	run := "RUN "
	if p.Request.Spec.Tests.Gate {
		run += "--mount=type=bind,from=" + stage("test") + ",source=/results,target=/results \\\n    "
	}
	run += w.secrets(p.Request.Spec.Publish.Secrets)
	for _, id := range p.Request.Spec.Publish.SSH {
		run += w.mount(id, "type=ssh,id=%s,required=true", id)
	}
	command := "dotnet publish " + shell(p.App.Path) + " --no-restore -o /app" + shellArgs(args)
	if !p.NeedsRIDs() {
		w.comment("Once for all platforms: nothing here depends on the target.")
		w.line("%s%s", run, command)
		return
	}
	w.comment("From here on for each platform.")
	w.line("ARG TARGETARCH")
	if p.App.Mode.NeedsToolchain() {
		w.line("ARG BUILDARCH")
		w.comment("Another architecture is linked by LLVM's tools.")
		const cross = `cross="-p:LinkerFlavor=lld -p:ObjCopyName=llvm-objcopy"`
		command = `if [ "$TARGETARCH" != "$BUILDARCH" ]; then ` + cross + "; fi; \\\n    " +
			command + " $cross && rm -f /app/*.dbg"
	}
	command = strings.Replace(command, "--no-restore", "--no-restore -r $rid", 1)
	w.line("%scase \"$TARGETARCH\" in %s *) echo \"not for $TARGETARCH\"; exit 1;; esac; \\\n    %s",
		run, strings.Join(ridCases(p.Targets), " "), command)
}

// ridCases are the branches of a shell's case, from Docker's architectures to runtime identifiers.
func ridCases(targets []plan.Target) []string {
	var cases []string
	for _, t := range targets {
		c := fmt.Sprintf("%s) rid=%s;;", t.Platform.Architecture, t.RID)
		if !slices.Contains(cases, c) {
			cases = append(cases, c)
		}
	}
	return cases
}

// image writes the stage of the image.
func (w *writer) image(p *plan.Plan, stage func(string) string) error {
	config := p.Targets[0].Config.Image.Config
	dir := xllb.AppDir(p.App)
	from := stage("build")
	if p.Request.Spec.Tests.Gate {
		from = stage("publish")
	}
	var folders []spec.File
	for _, f := range p.Request.Spec.Files {
		if f.From == "" && f.Context == "" {
			folders = append(folders, f)
		}
	}
	if len(folders) > 0 {
		w.line("")
		w.comment("Empty folders, made where commands can run.")
		w.line("FROM %s AS %s", from, stage("folders"))
		for i := range folders {
			w.line("RUN mkdir -p /folders/%d", i)
		}
	}
	w.line("")
	w.line("FROM %s AS %s", p.Targets[0].Base.Pin(), cmp.Or(p.Request.Target.App, "image"))
	if base := p.Targets[0].Base.Config; base == nil || base.Config.WorkingDir != config.WorkingDir {
		w.set("The working directory", "WORKDIR %s", word(config.WorkingDir))
	}
	empty := 0
	for _, f := range p.Request.Spec.Files {
		w.file(f, p.Targets[0].Config.User(), stage("folders"), &empty)
	}
	w.line("COPY --link --from=%s%s", from, words(" ", "/app", strings.TrimSuffix(dir, "/")+"/"))
	w.config(p)
	return nil
}

// file writes the COPY of an entry of files.
func (w *writer) file(f spec.File, user, folders string, empty *int) {
	flags := "--link"
	owner := f.Owner
	if owner == "app" || owner == "" && f.From == "" && f.Context == "" {
		owner = user
	}
	if owner != "" && owner != "0" {
		if !strings.Contains(owner, ":") {
			owner += ":" + owner
		}
		flags += " --chown=" + owner
	}
	if f.Mode != "" {
		flags += " --chmod=" + f.Mode
	}
	from, to := dotnet.Escape(f.From), f.To
	switch {
	case f.Context != "":
		flags += " --from=" + f.Context
		from = "/" + from
	case f.From == "":
		flags += " --from=" + folders
		from, to = fmt.Sprintf("/folders/%d", *empty), strings.TrimSuffix(f.To, "/")+"/"
		*empty++
	}
	w.set("A file for "+f.To, "COPY %s%s", flags, words(" ", from, to))
}

// config writes what the configuration of the image has beyond that of the base.
func (w *writer) config(p *plan.Plan) {
	c, from := p.Targets[0].Config.Image.Config, p.Targets[0].Config.Origins
	decided := func(key string) bool { return from[key] != xllb.FromBase }
	for _, kv := range c.Env {
		name, value, _ := strings.Cut(kv, "=")
		if decided("env." + name) {
			w.set("The variable "+name, "ENV %s=%s", word(name), quoted(value))
		}
	}
	var base map[string]struct{}
	if img := p.Targets[0].Base.Config; img != nil {
		base = img.Config.ExposedPorts
	}
	for _, port := range slices.Sorted(maps.Keys(c.ExposedPorts)) {
		if _, ok := base[port]; !ok {
			w.set("A port", "EXPOSE %s", word(port))
		}
	}
	for _, name := range request.SortedKeys(c.Labels) {
		// The digest of the base is another one for each platform, and a Dockerfile has one label for all.
		if decided("labels."+name) && name != "org.opencontainers.image.base.digest" {
			key := name
			if !plainWord.MatchString(name) {
				key = quoted(name)
			}
			w.set("The label "+name, "LABEL %s=%s", key, quoted(c.Labels[name]))
		}
	}
	if decided("volumes") && len(c.Volumes) > 0 {
		volumes := slices.Sorted(maps.Keys(c.Volumes))
		for i, v := range volumes {
			volumes[i] = word(v)
		}
		w.line("VOLUME %s", jsonList(volumes))
	}
	if decided("stop-signal") {
		w.set("The signal to stop", "STOPSIGNAL %s", word(c.StopSignal))
	}
	if h := c.Healthcheck; h != nil && decided("healthcheck") {
		w.set("The health check", "%s", healthcheckLine(h.Test, p.Request.Spec.Image.Healthcheck))
	}
	if c.User != "" {
		w.set("The user", "USER %s", word(c.User))
	}
	if c.Entrypoint != nil {
		w.line("ENTRYPOINT %s", jsonList(c.Entrypoint))
	}
	if c.Cmd != nil {
		w.line("CMD %s", jsonList(c.Cmd))
	}
}

func healthcheckLine(test []string, h *spec.Healthcheck) string {
	line := "HEALTHCHECK"
	for _, option := range []struct{ name, value string }{
		{"interval", h.Interval}, {"timeout", h.Timeout}, {"start-period", h.StartPeriod},
	} {
		if option.value != "" {
			line += " --" + option.name + "=" + option.value
		}
	}
	if h.Retries > 0 {
		line += fmt.Sprintf(" --retries=%d", h.Retries)
	}
	switch test[0] {
	case "NONE":
		return "HEALTHCHECK NONE"
	case "CMD-SHELL":
		return line + " CMD " + strings.Join(test[1:], " ")
	}
	return line + " CMD " + jsonList(test[1:])
}

func jsonList(list []string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(list); err != nil {
		panic(err) // strings are JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// quoted is a value as ENV and LABEL take it.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(s) + `"`
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// shell is a word as a shell takes it.
func shell(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// shellArgs are arguments of dotnet, which takes an escaped line break of a property for one.
func shellArgs(args []string) string {
	var b strings.Builder
	for _, a := range args {
		b.WriteString(" " + shell(strings.NewReplacer("\n", "%0A", "\r", "%0D").Replace(a)))
	}
	return b.String()
}
