package dockerfile

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// restore writes the steps that get packages.
func (a *app) restore() {
	if a.nuget.Config != nil {
		a.nugetConfig()
	}
	if file := a.Request.Spec.Project; path.Ext(file) == ".cs" {
		a.comment("A project of the file, as the SDK makes it.")
		if a.changed == "" {
			a.line("COPY --link . .")
		}
		into := strings.TrimSuffix(file, ".cs")
		a.put("project", "RUN dotnet project convert "+shellPath(file)+" --output "+shellPath(into))
	} else if a.changed == "" { // commands have all sources already
		a.comment("What a restore can depend on. A project that is added, or a file that one imports, has to be added here.")
		files := append(dotnet.RestoreFiles(a.closures(), a.Tree.Settings), a.Tree.RestoreInputs...)
		a.copy("--parents", files, "./")
	}
	for _, of := range a.All() {
		r := a.run("dotnet restore")
		r.nuget(a.nuget)
		r.word("project", shellPath(of.App.Path))
		r.properties(a.nuget.Args())
		r.properties(of.Project.Plain(of.App))
		if rids := of.RestoreRIDs(); len(rids) > 0 {
			r.word("", shell(`-p:RuntimeIdentifiers="`+strings.Join(rids, ";")+`"`))
		}
		r.write()
	}
}

// closures are the projects that the apps of the image are built from.
func (a *app) closures() []dotnet.Node {
	var nodes []dotnet.Node
	for _, of := range a.All() {
		nodes = append(nodes, of.App.Closure...)
	}
	return nodes
}

// nugetNames are the variable names and paths in a Dockerfile.
var nugetNames = dotnet.NuGetNames{
	Config: dotnet.NuGetConfig, Password: "FEED_", Username: "any", CA: "/run/ca.pem",
}

// nugetConfig writes the file with the feeds.
func (a *app) nugetConfig() {
	a.comment("Feeds beside those of the repository. %%NAME%% is a variable that restore gets by a secret.")
	config := xmlLines(string(a.nuget.Config))
	for line := range strings.SplitSeq(config, "\n") {
		if why := unheld(line); why != "" {
			a.left("nuget.feeds", why)
			return
		}
	}
	begin, rest := heredoc(config)
	a.line("COPY --link %s %s\n%s", begin, nugetNames.Config, rest)
}

// sources writes the step that copies what is compiled.
func (a *app) sources() {
	if path.Ext(a.Request.Spec.Project) == ".cs" || a.changed != "" {
		return
	}
	sources := dotnet.PublishFiles(a.closures())
	for _, input := range a.Request.Spec.Publish.Inputs {
		if len(sources) > 0 {
			sources = append(sources, dotnet.Escape(input))
		}
	}
	if len(sources) == 0 {
		a.line("COPY --link %s . .", noOutputs)
		return
	}
	a.copy(noOutputs+" --parents", sources, "./")
}

const noOutputs = "--exclude=**/bin --exclude=**/obj"

// copy writes a COPY of the files that patterns match.
func (a *app) copy(flags string, patterns []string, to string) {
	var names []string
	simple := true
	for _, p := range patterns {
		name := source(p)
		if why := cmp.Or(unheld(name), unheld(jsonString(name))); why != "" {
			a.left("the file "+p, why)
			continue
		}
		if slices.ContainsFunc(patterns, func(other string) bool { return strings.HasPrefix(p, other+"/") }) {
			continue // its folder is copied already
		}
		simple = simple && plainPattern(name)
		names = append(names, name)
	}
	if len(names) == 0 {
		return
	}
	if simple {
		a.line("COPY --link %s \\\n    %s \\\n    %s", flags, strings.Join(names, " \\\n    "), to)
		return
	}
	for i, name := range names {
		names[i] = jsonString(word(plain(name)))
	}
	a.line("COPY --link %s [ \\\n    %s, \\\n    %s]", flags, strings.Join(names, ", \\\n    "), jsonString(to))
}

// source makes a pattern for COPY. Names of files that may not exist get a wildcard, because COPY fails for other
// missing names.
func source(p string) string {
	if base := path.Base(p); base == ".editorconfig" || base == ".globalconfig" {
		p = strings.TrimSuffix(p, "g") + "[g]"
	}
	p = pattern(p)
	if strings.Contains(p, ":") { // otherwise COPY may take it for an address
		p = "./" + p
	}
	return p
}

// plainPattern tells whether a pattern needs no quotes in a line of its own.
func plainPattern(p string) bool {
	return !strings.HasPrefix(p, "[") && plainWord.MatchString(strings.NewReplacer("[", "", "]", "").Replace(p))
}

// tests writes the stages of tests that images wait for, and the stage that continues after them.
func (a *app) tests() error {
	run, err := a.TestRun(a.Request.Spec.Tests)
	if err != nil {
		return a.Request.At("tests.settings", err)
	}
	a.line("")
	a.from("", a.build, a.test)
	if a.changed == "" {
		a.line("COPY --link %s . .", noOutputs)
	}
	for _, t := range a.Tests {
		r := a.run("dotnet test")
		r.nuget(a.nuget)
		r.secrets("tests.secrets", a.Request.Spec.Tests.Secrets)
		if run.Platform {
			r.word("", "--project")
		}
		r.word("tests", shellPath(t.Path))
		r.properties(a.nuget.Args())
		if !run.Platform {
			r.word("", "--logger trx")
		}
		r.word("", "--results-directory /results")
		r.framework("tests", t)
		for _, arg := range run.Arguments("/source") {
			r.word("tests.filter, tests.settings or tests.args", shell(arg))
		}
		r.write()
	}
	if a.App.None() { // the image itself waits
		return nil
	}
	a.line("")
	a.comment("Publish waits for the tests.")
	a.from("", a.build, a.published)
	return nil
}

// publishApps writes the steps that compile and publish. Those that are the same for all platforms come first.
func (a *app) publishApps() {
	for _, of := range a.All() {
		if !of.NeedsRIDs() {
			a.publishApp(of)
		}
	}
	platform := false
	for _, of := range a.All() {
		if of.NeedsRIDs() && !platform {
			platform = true
			a.comment("From here on for each platform.")
			a.line("ARG TARGETARCH")
		}
		if of.NeedsRIDs() {
			a.publishApp(of)
		}
	}
}

// output is the folder that an app of the image is published to.
func output(of *plan.Plan) string {
	if of.Further() {
		return path.Join("/also", of.Dir)
	}
	return "/app"
}

// publishApp writes the step that compiles and publishes an app of the image.
func (a *app) publishApp(of *plan.Plan) {
	out := output(of)
	r := a.run("dotnet publish")
	if a.Request.Spec.Tests.Gate {
		r.mount("", mount("bind", "from", a.test, "source", "/results", "target", "/results"), a.test)
	}
	r.secrets("publish.secrets", a.Request.Spec.Publish.Secrets)
	for _, id := range a.Request.Spec.Publish.SSH {
		r.mount("publish.ssh", mount("ssh", "id", id, "required", "true"), id)
	}
	r.word("project", shellPath(of.App.Path))
	r.word("", "--no-restore")
	if of.NeedsRIDs() {
		r.word("", "-r $rid")
	}
	r.word("publish.also", "-o "+shell(out))
	r.properties(of.Project.Plain(of.App))
	r.framework("framework", of.App)
	if !of.NeedsRIDs() {
		a.comment("Once for all platforms: nothing here depends on the target.")
		r.write()
		return
	}
	r.before = append(r.before, `case "$TARGETARCH" in`)
	r.before = append(r.before, ridCases(a.Targets)...)
	r.before = append(r.before, `*) echo "not for $TARGETARCH"; exit 1;;`, `esac;`)
	if of.App.Mode.NeedsToolchain() {
		a.line("ARG BUILDARCH")
		a.comment("Another architecture is linked by LLVM's tools.")
		const cross = "-p:LinkerFlavor=lld -p:ObjCopyName=llvm-objcopy"
		r.before = append(r.before, `if [ "$TARGETARCH" != "$BUILDARCH" ]; then cross="`+cross+`"; fi;`)
		r.word("", "$cross && rm -f "+shell(out)+"/*.dbg")
	}
	r.write()
}

// ridCases are the branches of a shell's case that turn Docker's architectures into runtime identifiers.
func ridCases(targets []plan.Target) []string {
	var cases []string
	for _, t := range targets {
		c := fmt.Sprintf("%s) rid=%s;;", shell(t.Platform.Architecture), shell(t.RID))
		if !slices.Contains(cases, c) {
			cases = append(cases, c)
		}
	}
	return cases
}

// run is a RUN with its mounts and its command, which may have several lines.
type run struct {
	app     *app
	command string
	mounts  []string
	before  []string // lines before the command
	env     []string
	words   []string
	left    []func() // comments about what is left out
	args    text     // build arguments in the words
}

func (a *app) run(command string) *run { return &run{app: a, command: command} }

// word adds a word that the caller has escaped for the shell. key is its name in the spec.
func (r *run) word(key, word string) {
	if why := unheld(word); why != "" {
		r.left = append(r.left, func() { r.app.left(key, why) })
		return
	}
	r.words = append(r.words, word)
}

// mount adds a flag. key is the name of its value in the spec.
func (r *run) mount(key, flag, value string) {
	if why := cmp.Or(unheldID(value), unheld(flag)); why != "" {
		r.left = append(r.left, func() { r.app.left(key, why) })
		return
	}
	r.mounts = append(r.mounts, flag)
}

// secrets adds variables with secrets.
func (r *run) secrets(key string, secrets map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		r.secret(key+"."+name, name, secrets[name])
	}
}

func (r *run) secret(key, variable, id string) {
	r.mount(key, mount("secret", "id", id, "env", variable, "required", "true"), id)
}

// nuget adds what restore needs.
func (r *run) nuget(s dotnet.NuGetSettings) {
	for _, secret := range s.SecretEnv {
		r.secret("nuget, the secret of "+secret.Key, secret.Key, secret.Value)
	}
	for _, file := range s.SecretFiles {
		m := mount("secret", "id", file.Value, "target", file.Key, "required", "true")
		r.mount("nuget, the secret in "+file.Key, m, file.Value)
	}
	for _, file := range s.Files {
		r.mount("nuget.ca", mount("bind", "source", file.Value, "target", file.Key), file.Value)
	}
	for _, kv := range s.Env {
		r.env = append(r.env, kv.Key+"="+shell(kv.Value))
	}
}

// framework chooses one framework of a project with several. key names it in the spec.
func (r *run) framework(key string, app *dotnet.App) {
	if app.CrossTargeting {
		r.word(key, shell("--framework="+app.TargetFramework))
	}
}

// properties adds arguments -p:NAME=VALUE, with the build arguments that the spec has in the values.
func (r *run) properties(args []string) {
	for _, arg := range args {
		name, escaped, _ := strings.Cut(strings.TrimPrefix(arg, "-p:"), "=")
		key, planned := "publish.properties."+name, ""
		if v, ok := r.app.Project.Properties[name]; ok {
			planned = v
		}
		if name == "Configuration" {
			key, planned = "publish.configuration", r.app.Project.Configuration
		}
		value := plain(escaped)
		if simpleProperty(planned) {
			value = r.app.buildValue(r.app.Request.Spec, key, planned)
		}
		if value.hasArgs() {
			r.args = append(r.args, value...)
			r.word(key, shellText(propertyText(name, value)))
			continue
		}
		r.word(key, shell(property(arg)))
	}
}

// simpleProperty tells whether a value needs only quotes around it for MSBuild. The value of a build argument is not
// escaped.
func simpleProperty(s string) bool { return !strings.ContainsAny(s, `%"\@`) }

// maxColumns is where a command continues on the next line.
const maxColumns = 110

// write writes the RUN, after comments about what is left out.
func (r *run) write() {
	for _, left := range r.left {
		left()
	}
	r.app.use(r.args)
	var b strings.Builder
	b.WriteString("RUN ")
	for _, line := range append(r.mounts, r.before...) {
		b.WriteString(line + " \\\n    ")
	}
	column := 4
	for i, word := range append(append(slices.Clone(r.env), r.command), r.words...) {
		switch {
		case i == 0:
		case column+len(word) > maxColumns:
			b.WriteString(" \\\n    ")
			column = 4
		default:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	r.app.line("%s", b.String())
}
