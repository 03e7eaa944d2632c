package dockerfile

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/apt"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// hand is a plan made by hand, which no rule of the spec has checked.
type hand struct {
	spec     *spec.Spec
	app      *dotnet.App
	project  dotnet.Project
	settings dotnet.Settings
	tests    []*dotnet.App
	target   request.Target
	base     dockerspec.DockerOCIImageConfig
	packages *plan.Packages
	name     string // of the spec
}

func newHand() *hand {
	answer := gatewaytest.Description(gatewaytest.App("src/app/app.csproj", nil))["description.json"].Data
	described, err := dotnet.ParseEvaluation(answer, 1)
	if err != nil {
		panic(err)
	}
	return &hand{
		spec:    &spec.Spec{},
		app:     described.Descriptions[0].App,
		project: dotnet.Project{Configuration: "Release", Properties: map[string]string{}},
		name:    "crosshull.yaml",
	}
}

// plan returns the plan for two platforms.
func (h *hand) plan(t testing.TB) *plan.Plan {
	t.Helper()
	p := &plan.Plan{
		Request: &request.Request{Spec: h.spec, Target: h.target},
		App:     h.app, Project: h.project, Dir: xllb.AppDir(h.app),
		Facts: &facts.Facts{
			App: h.app, Tests: h.tests,
			Asker: &facts.Asker{
				Project: h.project, SDK: facts.SDK{Image: &gateway.Image{Name: "sdk:10.0"}},
				Tree: &tree.Tree{Sources: xllb.Sources{Settings: h.settings}},
			},
		},
	}
	for _, name := range []string{"linux/amd64", "linux/arm64"} {
		platform := platforms.MustParse(name)
		s, err := h.spec.For(platform)
		if err != nil {
			t.Fatal(err)
		}
		img := &dockerspec.DockerOCIImage{Config: h.base}
		opt := xllb.ConfigOpt{App: h.app, Spec: s.Image, Base: xllb.Base{Config: img}, Platform: platform}
		config, err := xllb.Config(opt)
		if err != nil {
			t.Skip(err) // no plan contains this
		}
		rid, err := dotnet.RID(platform, dotnet.Glibc)
		if err != nil {
			t.Fatal(err)
		}
		place := plan.Place{Platform: platform, RID: rid, Base: plan.Base{Image: &gateway.Image{Name: "base:1", Config: img}}}
		p.Targets = append(p.Targets, plan.Target{Place: place, Spec: s, Config: config, Packages: h.packages})
	}
	return p
}

func (h *hand) write(t testing.TB) string {
	t.Helper()
	dt, err := Write([]*plan.Plan{h.plan(t)}, h.name)
	if err != nil {
		t.Fatal(err)
	}
	return string(dt)
}

// shells caches the words of commands that a shell has already read.
type shells map[string][][]string

// atoms are the smallest parts of a Dockerfile's meaning: each instruction, and for commands each mount and each word.
// Variables that steps set stay as they are. Any other variable would show.
func (asked shells) atoms(t testing.TB, text string) []string {
	t.Helper()
	stages, args, err := read(text, known{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for _, a := range args {
		add("%s", a.Name()+" "+a.Args[0].String())
	}
	var commands []string
	var numbers []int
	for i, s := range stages {
		add("%d FROM %s as %s on %s", i, s.BaseName, s.Name, s.Platform)
		for _, c := range s.Commands {
			name := fmt.Sprintf("%d %s ", i, c.Name())
			for _, atom := range atomsOf(t, c) {
				add("%s%s", name, atom)
			}
			if run, ok := c.(*instructions.RunCommand); ok {
				commands, numbers = append(commands, strings.Join(run.CmdLine, " ")), append(numbers, i)
			}
		}
	}
	for i, words := range asked.wordsOf(t, commands) {
		for _, word := range words {
			add("%d RUN %s", numbers[i], word)
		}
	}
	return all
}

func atomsOf(t testing.TB, c instructions.Command) []string {
	t.Helper()
	switch c := c.(type) {
	case *instructions.EnvCommand:
		return pairs(c.Env)
	case *instructions.LabelCommand:
		return pairs(c.Labels)
	case *instructions.WorkdirCommand:
		return []string{c.Path}
	case *instructions.UserCommand:
		return []string{c.User}
	case *instructions.ExposeCommand:
		return c.Ports
	case *instructions.VolumeCommand:
		return c.Volumes
	case *instructions.StopSignalCommand:
		return []string{c.Signal}
	case *instructions.ArgCommand:
		return []string{c.Args[0].String()}
	case *instructions.EntrypointCommand:
		return []string{fmt.Sprint(len(c.CmdLine), c.PrependShell, " ") + strings.Join(c.CmdLine, "|")}
	case *instructions.CmdCommand:
		return []string{fmt.Sprint(len(c.CmdLine), c.PrependShell, " ") + strings.Join(c.CmdLine, "|")}
	case *instructions.HealthCheckCommand:
		return []string{fmt.Sprint(len(c.Health.Test), c.Health.Interval, " ") + strings.Join(c.Health.Test, "|")}
	case *instructions.CopyCommand:
		return atomsOfCopy(c)
	case *instructions.AddCommand:
		what := fmt.Sprintf("%s %s chown=%s chmod=%s to %s: ", c.Checksum, c.ExcludePatterns, c.Chown, c.Chmod, c.DestPath)
		return []string{what + strings.Join(c.SourcePaths, " ")}
	case *instructions.RunCommand:
		return atomsOfRun(c)
	}
	t.Fatalf("instruction %s", c.Name())
	return nil
}

func pairs(all instructions.KeyValuePairs) []string {
	var out []string
	for _, kv := range all {
		out = append(out, kv.Key+"="+kv.Value)
	}
	return out
}

var class = regexp.MustCompile(`\[\\(.)\]`)

// atomsOfCopy lists sources by their names, with escapes undone.
func atomsOfCopy(c *instructions.CopyCommand) []string {
	var out []string
	what := fmt.Sprintf("%s from=%s chown=%s chmod=%s %v to %s: ",
		c.ExcludePatterns, c.From, c.Chown, c.Chmod, c.Parents, c.DestPath)
	for _, src := range c.SourcePaths {
		out = append(out, what+strings.TrimPrefix(strings.TrimPrefix(class.ReplaceAllString(src, "$1"), "./"), "/"))
	}
	for _, src := range c.SourceContents {
		for line := range strings.Lines(src.Data) {
			out = append(out, what+line)
		}
	}
	return out
}

// atomsOfRun lists the mounts.
func atomsOfRun(c *instructions.RunCommand) []string {
	var out []string
	for _, m := range instructions.GetMounts(c) {
		env := ""
		if m.Env != nil {
			env = *m.Env
		}
		out = append(out, fmt.Sprintf("mount %s from=%s source=%s target=%s id=%s env=%s required=%v",
			m.Type, m.From, m.Source, m.Target, m.CacheID, env, m.Required))
	}
	return out
}

// wordsOf lets a shell run commands. All that it can run is a function that prints its arguments.
func (asked shells) wordsOf(t testing.TB, commands []string) [][]string {
	t.Helper()
	key := strings.Join(commands, "\x00")
	if all, ok := asked[key]; ok {
		return all
	}
	const end = "END OF A COMMAND"
	script := `dotnet() { tell dotnet "$@" "ca=$SSL_CERT_FILE"; }` + "\n" +
		`mkdir() { tell mkdir "$@"; }; rm() { tell rm "$@"; }; ln() { tell ln "$@"; }` + "\n" +
		`tar() { tell tar "$@"; }; chmod() { tell chmod "$@"; }; chown() { tell chown "$@"; }` + "\n" +
		`apt() { tell apt-get "$@"; }; alias apt-get=apt; set -f` + "\n"
	for _, c := range commands {
		script += "(\n" + c + "\n) || exit; tell '" + end + "'\n"
	}
	words, err := sh(script, "TARGETARCH=amd64", "BUILDARCH=arm64")
	if err != nil {
		t.Fatal(err)
	}
	all := make([][]string, len(commands))
	i := 0
	for _, word := range words {
		if word == end {
			i++
			continue
		}
		if arg, ok := strings.CutPrefix(word, "-p:"); ok {
			word = "-p:" + readProperty(arg)
		}
		all[i] = append(all[i], word)
	}
	asked[key] = all
	return all
}

// readProperty is the value of a property as MSBuild reads it.
func readProperty(arg string) string {
	name, value, _ := strings.Cut(arg, "=")
	if inner, ok := strings.CutPrefix(value, `"`); ok {
		value, ok = strings.CutSuffix(inner, `"`)
		if !ok || strings.ContainsAny(value, `"`) {
			return arg + " IS BROKEN"
		}
	} else if strings.ContainsAny(value, `";,`) {
		return arg + " IS BROKEN"
	}
	return name + "=" + unescape(value)
}

// known are the variables that are meant to be there.
type known struct{}

func (known) Get(name string) (string, bool) {
	if name == "BUILDPLATFORM" {
		return "linux/amd64", true
	}
	return "VALUE OF " + name, true
}
func (known) Keys() []string { return nil }

// place is a place in which a value can stand.
type place struct {
	name string
	set  func(h *hand, v string)
	// unheld says why a value is left out. "" means that v stands there unchanged.
	unheld func(v string) string
	// want is how the value stands there; nil: unchanged.
	want func(v string) string
	// with are atoms that are left out together with it.
	with []string
	// skip are values that cannot occur there.
	skip func(v string) bool
}

// mark is the value to compare with: other values must not do more than it does.
const mark = "MARK"

var slashes = func(v string) bool { return v == "" || strings.Contains(v, "/") || path.Clean(v) != v }

var places = []place{
	{name: "image.env value", unheld: unheld,
		set: func(h *hand, v string) { h.spec.Image.Env = map[string]string{"A": v, "Another": "b"} }},
	{name: "image.env name", unheld: unheldKey, skip: func(v string) bool { return strings.Contains(v, "=") },
		set: func(h *hand, v string) { h.spec.Image.Env = map[string]string{v: "a", "Another": "b"} }},
	{name: "env of the project", unheld: unheld,
		set: func(h *hand, v string) { h.app.Env = []dotnet.KeyValue{{Key: "A", Value: v}} }},
	{name: "image.labels value", unheld: unheld,
		set: func(h *hand, v string) { h.spec.Image.Labels = map[string]string{"a": v} }},
	{name: "image.labels name", unheld: unheldKey,
		set: func(h *hand, v string) { h.spec.Image.Labels = map[string]string{v: "a", "Another": "b"} }},
	{name: "label of the project", unheld: unheld,
		set: func(h *hand, v string) { h.app.Labels = []dotnet.KeyValue{{Key: "a", Value: v}} }},
	{name: "image.annotations", unheld: left,
		set: func(h *hand, v string) { h.spec.Image.Annotations = map[string]string{v: v} }},
	{name: "image.user", unheld: unheld, skip: empty, set: func(h *hand, v string) { h.spec.Image.User = v }},
	{name: "user of the project", unheld: unheld, skip: empty, set: func(h *hand, v string) { h.app.User = v }},
	{name: "image.workdir", unheld: unheld, set: func(h *hand, v string) { h.spec.Image.Workdir = "/" + v }},
	{name: "folder of the project", unheld: unheld, skip: slashes,
		set: func(h *hand, v string) { h.app.WorkingDirectory = "/" + v }},
	{name: "image.volumes", unheld: unheld,
		set: func(h *hand, v string) { h.spec.Image.Volumes = []string{"/" + v, "/other"} }},
	{name: "image.stop-signal", unheld: unheld, skip: empty,
		set: func(h *hand, v string) { h.spec.Image.StopSignal = v }},
	{name: "port of the project", unheld: left, set: func(h *hand, v string) { h.app.Ports = []string{v, "80/tcp"} },
		skip: func(v string) bool { _, err := spec.Ports(v); return err == nil }},
	{name: "image.entrypoint", unheld: one8,
		set: func(h *hand, v string) { h.spec.Image.Entrypoint = []string{"x", v} }},
	{name: "image.args", unheld: one8, set: func(h *hand, v string) { h.spec.Image.Args = []string{v, "x"} }},
	{name: "image.healthcheck", unheld: one8, set: func(h *hand, v string) {
		h.spec.Image.Healthcheck = &spec.Healthcheck{Test: []string{"CMD", "x", v}, Interval: "5s"}
	}},
	{name: "files.from", unheld: unheld, skip: slashes, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{From: spec.Paths{v}, To: "/to"}, {To: "/empty"}}
	}},
	{name: "files.from of a context", unheld: unheld, skip: slashes, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{Context: "other", From: spec.Paths{v}, To: "/to"}}
	}},
	{name: "files.to", unheld: unheld,
		set: func(h *hand, v string) { h.spec.Files = []spec.File{{From: spec.Paths{"a"}, To: "/" + v}} }},
	{name: "files.to of a folder", unheld: unheld, skip: slashes,
		set: func(h *hand, v string) { h.spec.Files = []spec.File{{To: "/" + v}} }},
	{name: "files.from at an address", unheld: unheld, skip: slashes, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{From: spec.Paths{"https://x/" + v}, To: "/to"}}
	}},
	{name: "files.exclude", unheld: unheldFlag, skip: empty, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{From: spec.Paths{"a"}, To: "/b", Exclude: []string{v}}}
	}},
	{name: "files.exclude of an archive", unheld: unheldFlag, skip: empty, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{From: spec.Paths{"a.tar"}, To: "/b", Unpack: true, Exclude: []string{v}}}
	}},
	{name: "files.exclude of a repository", unheld: unheldFlag, skip: empty, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{From: spec.Paths{"https://x/y.git"}, To: "/b", Exclude: []string{v}}}
	}},
	{name: "files.image", unheld: unheld, skip: noReference, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{Image: v, From: spec.Paths{"a"}, To: "/b"}}
	}},
	{name: "files.to of a link", unheld: unheld, skip: slashes, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{Link: "/link", To: "/" + v}}
	}, with: append(linked, "1 RUN /links/0/link", "2 COPY [] from=folders chown= chmod= false to /: links/0")},
	{name: "files.link", unheld: unheld, skip: slashes, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{Link: "/dir/" + v, To: "/to"}}
	}, with: append(linked, "1 RUN /to", "2 COPY [] from=folders chown= chmod= false to /dir/: links/0")},
	{name: "files.remove", unheld: unheld, skip: slashes, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{Remove: spec.Paths{"/app/" + v}}}
	}, with: []string{"1 RUN rm", "1 RUN -rf", "1 RUN --"}},
	{name: "files.remove of the base", unheld: unheld, skip: slashes, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{Remove: spec.Paths{"/usr/" + v}}}
	}, with: []string{"1 RUN rm", "1 RUN -rf", "1 RUN --"}},
	{name: "files.change", unheld: unheld, skip: slashes, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{Change: spec.Paths{"/app/" + v}, Owner: "7"}}
	}},
	{name: "files.owner", unheld: unheldFlag, skip: noOwner,
		set: func(h *hand, v string) { h.spec.Files = []spec.File{{From: spec.Paths{"a"}, To: "/b", Owner: v}} },
	},
	{name: "files.mode", unheld: unheldFlag, skip: empty, set: func(h *hand, v string) {
		h.spec.Files = []spec.File{{From: spec.Paths{"a"}, To: "/b", Mode: v}}
	}},
	{name: "publish.configuration", unheld: heldByMSBuild,
		set: func(h *hand, v string) { h.project.Configuration = v }},
	{name: "publish.properties", unheld: heldByMSBuild,
		set: func(h *hand, v string) { h.project.Properties["A"] = v }},
	{name: "publish.inputs", unheld: unheld, skip: noPattern, set: func(h *hand, v string) {
		h.spec.Publish.Inputs = []string{v}
	}},
	{name: "publish.before.inputs", unheld: unheldFlag, skip: isPattern, set: func(h *hand, v string) {
		h.spec.Publish.Before = []spec.Command{{Run: "dotnet", Inputs: []string{v}}}
	}},
	{name: "publish.before.secrets", unheld: unheldID, set: func(h *hand, v string) {
		h.spec.Publish.Before = []spec.Command{{Run: "dotnet", Secrets: map[string]string{"S": v}}}
	}},
	{name: "publish.after.inputs", unheld: unheld, skip: noPattern, set: func(h *hand, v string) {
		h.spec.Publish.After = []spec.Command{{Run: "dotnet", Inputs: []string{v}}}
	}},
	{name: "publish.after.ssh", unheld: unheldID, set: func(h *hand, v string) {
		h.spec.Publish.After = []spec.Command{{Run: "dotnet", SSH: []string{v}}}
	}},
	{name: "publish.after.cache", unheld: unheldID, skip: empty, set: func(h *hand, v string) {
		h.spec.Publish.After = []spec.Command{{Run: "dotnet", Cache: map[string]string{"c": v}}}
	}},
	{name: "publish.secrets", unheld: unheldID,
		set: func(h *hand, v string) { h.spec.Publish.Secrets = map[string]string{"S": v} }},
	{name: "publish.ssh", unheld: unheldID, set: func(h *hand, v string) { h.spec.Publish.SSH = []string{v} }},
	{name: "tests.secrets", unheld: unheldID, set: func(h *hand, v string) {
		h.spec.Tests = spec.Tests{Gate: true, Secrets: map[string]string{"S": v}}
		h.tests = []*dotnet.App{{Path: "tests/a.csproj"}}
	}},
	{name: "tests.args", unheld: unheld, set: func(h *hand, v string) {
		h.spec.Tests = spec.Tests{Gate: true, Args: []string{v}}
		h.tests = []*dotnet.App{{Path: "tests/a.csproj"}}
	}},
	{name: "tests.projects", unheld: unheld, skip: dashes, set: func(h *hand, v string) {
		h.spec.Tests = spec.Tests{Gate: true}
		h.tests = []*dotnet.App{{Path: v}}
	}},
	{name: "project", unheld: unheld, skip: noPattern, set: func(h *hand, v string) {
		h.app.Path = v + "/a.csproj"
		h.app.Closure = []dotnet.Node{{Path: h.app.Path}}
	}},
	{name: "project of a file", unheld: unheld, skip: dashes,
		set:  func(h *hand, v string) { h.spec.Project = v + ".cs" },
		with: []string{"0 RUN dotnet", "0 RUN project", "0 RUN convert", "0 RUN --output", "0 RUN ca="}},
	{name: "framework", unheld: unheld,
		set: func(h *hand, v string) { h.app.CrossTargeting, h.app.TargetFramework = true, v }},
	{name: "nuget.feeds.source", unheld: unheldXML, want: xmlText, skip: notXML, set: func(h *hand, v string) {
		h.spec.NuGet.Feeds = []spec.Feed{{Name: "f", Source: "https://" + v}}
	}},
	{name: "nuget.feeds.username", unheld: unheldXML, want: xmlText, skip: notXML, set: func(h *hand, v string) {
		h.spec.NuGet.Feeds = []spec.Feed{{Name: "f", Username: v, PasswordSecret: "s"}}
	}},
	{name: "nuget.feeds.password-secret", unheld: unheldID, skip: empty, set: func(h *hand, v string) {
		h.spec.NuGet.Feeds = []spec.Feed{{Name: "f", PasswordSecret: v}}
	}},
	{name: "nuget.secrets", unheld: unheldID,
		set: func(h *hand, v string) { h.spec.NuGet.Secrets = map[string]string{"S": v} }},
	{name: "nuget.config-secret", unheld: unheldID, skip: empty,
		set: func(h *hand, v string) { h.spec.NuGet.ConfigSecret = v }},
	{name: "nuget.ca", unheld: unheldID, skip: empty, set: func(h *hand, v string) { h.spec.NuGet.CA = v }},
	{name: "nuget.ca-secret", unheld: unheldID, skip: empty,
		set: func(h *hand, v string) { h.spec.NuGet.CASecret = v }},
	{name: "base.packages", unheld: unheld, set: func(h *hand, v string) {
		h.packages = &plan.Packages{Packages: apt.Packages{Install: []string{v, "another"}}}
	}},
	{name: "base.packages.sources", unheld: unheld, skip: notALine,
		set: func(h *hand, v string) { h.install(apt.Source{Name: "a", Text: "deb https://a/ " + v, Key: "a.gpg"}) },
		with: append(slices.Clone(ofSource),
			"2 RUN mount bind from= source=a.gpg target=/etc/apt/keyrings/a.gpg id= env= required=false")},
	{name: "base.packages.keys", unheld: unheldID, skip: func(v string) bool { return v == "" || path.Ext(v) != "" },
		set: func(h *hand, v string) { h.install(apt.Source{Name: "a", Text: "deb https://a/ b c", Key: v}) },
		with: append(slices.Clone(ofSource),
			"1 COPY [] from= chown= chmod= false to /a.list: deb [signed-by=/etc/apt/keyrings/a.asc] https://a/ b c\n")},
	{name: "name of the spec", unheld: left, set: func(h *hand, v string) { h.name = v }},
	{name: "label of the base", unheld: left, set: func(h *hand, v string) {
		h.base.Labels = map[string]string{"org.opencontainers.image." + v: v}
	}},
}

// linked are words of the command that makes a link.
var linked = []string{"1 RUN mkdir", "1 RUN -p", "1 RUN /links/0", "1 RUN ln", "1 RUN -s"}

// isPattern finds what stands in a pattern in other words than itself, or in none.
func isPattern(v string) bool { return noPattern(v) || dotnet.Escape(v) != v || unheldFlag(v) != "" }

// noReference finds what is no reference of an image, which the spec refuses or a registry does.
func noReference(v string) bool { return !reference.MatchString(v) }

// install makes the image install a package from a source.
func (h *hand) install(s apt.Source) {
	h.packages = &plan.Packages{Packages: apt.Packages{Install: []string{"tool"}, Sources: []apt.Source{s}}}
}

// notALine finds values of which other lines come, or none.
func notALine(v string) bool {
	return v == "" || strings.TrimSpace(v) != v || strings.Contains(v, "\n")
}

// ofSource are the mounts of a source.
var ofSource = []string{
	"2 RUN mount bind from=package-sources source=/a.list target=/etc/apt/sources.list.d/a.list id= env= required=false",
	"2 RUN mount bind from=package-sources source=/none target=/etc/apt/sources.list.d/a.sources id= env= required=false",
}

// noOwner says why an owner is left out: it is another owner, or two.
func noOwner(v string) bool { return v == "" || v == "0" || v == "app" || strings.Contains(v, ":") }

func empty(v string) bool  { return v == "" }
func left(string) string   { return "never stands in an instruction" }
func dashes(v string) bool { return v == "" || strings.HasPrefix(v, "-") || strings.HasPrefix(v, "@") }

// noPattern finds paths that dotnet.Escape has to escape, which is not the subject here.
func noPattern(v string) bool {
	return slashes(v) || dashes(v) || strings.HasPrefix(v, "!") || strings.TrimSpace(v) != v || strings.HasPrefix(v,
		"..") || v == "."
}

// one8 is unheld for an item of a list.
func one8(v string) string { return unheldList([]string{v, v}) }

// heldByMSBuild is unheld for what MSBuild unescapes.
func heldByMSBuild(v string) string { return unheld(shell(property(v))) }

// notXML finds values that XML cannot hold or that are too long.
func notXML(v string) bool {
	return v == "" || !utf8.ValidString(v) || len(v) > maxLine/10 || strings.ContainsFunc(v, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff'
	})
}

func unheldXML(string) string { return "" }

// xmlText is a value as it stands in an XML attribute.
func xmlText(v string) string {
	names := map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\'': "&#39;", '\t': "&#x9;"}
	var b strings.Builder
	for _, r := range v {
		switch {
		case names[r] != "":
			b.WriteString(names[r])
		case unheldRune(r):
			fmt.Fprintf(&b, "&#x%X;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// sharp are hostile values, one of each kind. [TestLanguages] and the fuzz targets have more.
var sharp = []string{
	"", "  two  words  ", "\ttab\there\t", "--from=evil", "@file", "#comment", `["a","b"]`, "a]b[c", "**/*", "!not",
	"~root", "a:b", "http://evil/x", "it's", `a "quoted" word`, `"; RUN echo PWNED`, "'; echo PWNED; '", `a";X="b`, "`id`",
	"$(echo PWNED)", "$X", "${X:-default}", "${X", `\`, `a\`, `a \`, "<<EOF", `<<"EOF"`, "EOF", "a;b", "a,b", "a=b", "%25",
	"@(Compile)", "\n", "a\nRUN echo PWNED", "a\r\nRUN echo PWNED", "a\rRUN echo PWNED", "a\\\nRUN echo PWNED",
	"\u2028RUN echo PWNED", "\u0085x", "\x1b[31m", "\x00", "\ufeffx", "\xff", "à la carte", "\u00a0", "NONE",
	strings.Repeat("long ", 20_000),
}

// A value with a special meaning changes only itself. The Dockerfile has the same instructions, flags and words as with
// another value, or a comment in place of what it cannot hold.
func TestHostileValues(t *testing.T) {
	for _, pl := range places {
		t.Run(pl.name, func(t *testing.T) {
			t.Parallel()
			h := newHand()
			pl.set(h, mark)
			sh := shells{}
			meant := sh.atoms(t, h.write(t))
			for _, v := range sharp {
				if pl.skip == nil || !pl.skip(v) {
					pl.check(t, sh, meant, v)
				}
			}
		})
	}
}

func (pl place) check(t testing.TB, sh shells, meant []string, v string) {
	t.Helper()
	h := newHand()
	pl.set(h, v)
	text := h.write(t)
	got := sh.atoms(t, text)
	why := pl.unheld(v)
	want := slices.Clone(meant)
	as := v
	if pl.want != nil {
		as = pl.want(v)
	}
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], mark, as)
	}
	if why != "" {
		want = slices.DeleteFunc(slices.Clone(meant), func(atom string) bool { return strings.Contains(atom, mark) })
		for _, atom := range pl.with {
			i := slices.Index(want, atom)
			want = slices.Delete(want, i, i+1)
		}
	}
	slices.Sort(got) // maps with the values as keys
	slices.Sort(want)
	if !slices.Equal(got, want) {
		extra := slices.DeleteFunc(slices.Clone(got), func(atom string) bool { return slices.Contains(want, atom) })
		lacks := slices.DeleteFunc(slices.Clone(want), func(atom string) bool { return slices.Contains(got, atom) })
		t.Errorf("%.80q makes\n%.1000q\nand not\n%.1000q\n%.5000s", v, extra, lacks, text)
	}
	if why != "" && pl.unheld("x") == "" && !strings.Contains(text, "# Left out: ") {
		t.Errorf("%.80q is left out, and no comment says so:\n%.5000s", v, text)
	}
}

func FuzzPlaces(f *testing.F) {
	for i := range places {
		f.Add(uint8(i), "a\nRUN echo PWNED")
	}
	f.Fuzz(func(t *testing.T, i uint8, v string) {
		pl := places[int(i)%len(places)]
		if strings.Contains(v, mark) || pl.skip != nil && pl.skip(v) {
			return
		}
		h := newHand()
		pl.set(h, mark)
		sh := shells{}
		pl.check(t, sh, sh.atoms(t, h.write(t)), v)
	})
}
