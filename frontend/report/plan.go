// Package report is what crosshull says about a build, before and after it: what is built, from what, and why.
//
// Contract: values that a program reads as JSON, and their text for people. This package finds out nothing itself:
// other packages fill the values from the spec, from what MSBuild says of the project, and from the registry.
package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/crosshull/crosshull/frontend/printable"
)

// Plan is the answer of --call=plan.
type Plan struct {
	Apps []App `json:"apps"`
	// Arguments are the build arguments of the spec, with the values that they have.
	Arguments []Argument `json:"arguments,omitempty"`
	// Secrets are what --secret and --ssh have to give.
	Secrets []Secret `json:"secrets,omitempty"`
	// Tests are projects that --target test runs; Gated: images wait for them.
	Tests []string `json:"tests,omitempty"`
	Gated bool     `json:"gated,omitempty"`
	// TestFilter, TestSettings and TestArgs are what the spec says about how they run.
	TestFilter   string   `json:"testFilter,omitempty"`
	TestSettings string   `json:"testSettings,omitempty"`
	TestArgs     []string `json:"testArgs,omitempty"`
}

// NoProject is the project of an image of files alone.
const NoProject = "none"

// App is one of the apps of a spec.
type App struct {
	// Name is its name in the spec; empty if the spec has only one app.
	Name string `json:"name,omitempty"`
	// Project is [NoProject] for an image of files alone. Then there is no value up to Slices.
	Project       string `json:"project"`
	Framework     string `json:"framework,omitempty"`
	Mode          string `json:"mode,omitempty"`
	Configuration string `json:"configuration,omitempty"`
	// SDK builds it, Toolchain links it where the mode is aot.
	SDK       Image  `json:"sdk,omitzero"`
	Toolchain *Image `json:"toolchain,omitempty"`
	// Projects are all projects that it is built from, its own included.
	Projects []string `json:"projects,omitempty"`
	// Reads are what they read of the context beyond their own folders.
	Reads []Read `json:"reads,omitempty"`
	// Commands are those of publish.before and publish.after, Tools the images whose files they have.
	Commands []Command `json:"commands,omitempty"`
	Tools    []Image   `json:"tools,omitempty"`
	// Slices are the projects that are compiled apart, one list for each step that compiles.
	Slices [][]string `json:"slices,omitempty"`
	// Also are further projects whose files the images have.
	Also   []Also   `json:"also,omitempty"`
	Images []Target `json:"images"`
}

// Also is a further project of an image.
type Also struct {
	Project   string `json:"project"`
	Framework string `json:"framework"`
	Mode      string `json:"mode"`
	// To is its folder in the image.
	To        string `json:"to"`
	Toolchain *Image `json:"toolchain,omitempty"`
	// Projects and Reads are as those of an app.
	Projects []string `json:"projects"`
	Reads    []Read   `json:"reads,omitempty"`
}

// Read is a file or folder that a project reads, and why: what MSBuild says. A path of "." is all of the context.
type Read struct {
	Project string `json:"project"`
	Path    string `json:"path"`
	Why     string `json:"why"`
}

// Command is a command of the spec.
type Command struct {
	// Key is its place in the spec.
	Key string `json:"key"`
	Run string `json:"run"`
	// Inputs are what it reads of the context. Nil: Reads says what, and what that costs.
	Inputs []string `json:"inputs,omitempty"`
	Reads  string   `json:"reads,omitempty"`
	// PerPlatform: it runs for each platform, because it uses these variables.
	PerPlatform []string `json:"perPlatform,omitempty"`
}

// Image is an image as a registry has it.
type Image struct {
	Reference string `json:"reference"`
	// Digest is the digest of what the reference names, mostly an index. Manifest is the digest of the manifest for the
	// platform. Both are empty if they are not known, as for a named context.
	Digest   string `json:"digest,omitempty"`
	Manifest string `json:"manifest,omitempty"`
	Platform string `json:"platform"`
	// Version is what an image of the SDK says it has.
	Version string `json:"version,omitempty"`
}

// Target is the image of a platform.
type Target struct {
	Platform   string   `json:"platform"`
	RID        string   `json:"rid,omitempty"` // not for files alone
	Base       Image    `json:"base"`
	Entrypoint []string `json:"entrypoint"`
	Args       []string `json:"args,omitempty"`
	User       string   `json:"user"`
	WorkingDir string   `json:"workingDir"`
	Ports      []string `json:"ports,omitempty"`
	Layers     []Layer  `json:"layers"`
	// Packages are OS packages beside those of the base; nil if there are none.
	Packages *Packages `json:"packages,omitempty"`
	// Files says what the entries of files do.
	Files []string `json:"files,omitempty"`
	// Removed are the files of the base that the spec removes. The base has them in its layers, and a layer hides them.
	Removed []string `json:"removed,omitempty"`
}

// Packages are OS packages that an image gets.
type Packages struct {
	// Install are those that the spec asks for.
	Install    []string `json:"install"`
	Recommends bool     `json:"recommends,omitempty"`
	// Snapshot is the time of the archive; empty for now.
	Snapshot string `json:"snapshot,omitempty"`
	// Sources are the names of sources beside those of the base.
	Sources []string `json:"sources,omitempty"`
	// Installed are those that apt installed, with all that they need. Only a build knows them.
	Installed []Package `json:"installed,omitempty"`
	// SkippedScripts are those of Installed whose scripts may be left out, because the spec allows it.
	SkippedScripts []string `json:"skippedScripts,omitempty"`
}

// Package is an OS package that was installed.
type Package struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	SHA256       string `json:"sha256"` // of the archive
}

// String is what the spec asks for.
func (p Packages) String() string {
	s := strings.Join(p.Install, ", ")
	if p.Recommends {
		s += "; with what they recommend"
	}
	if p.Snapshot != "" {
		s += "; as of " + p.Snapshot
	}
	if len(p.Sources) > 0 {
		s += "; also from " + strings.Join(p.Sources, ", ")
	}
	return s
}

// Layer is a layer over the base, the first at the bottom. It is left out where nothing of that kind is published.
type Layer struct {
	Name string `json:"name"`
	// To is the folder of a further project that the files are of; empty for the app.
	To string `json:"to,omitempty"`
	// Shared: it is the same for all platforms.
	Shared bool `json:"shared"`
	// Bytes are those of its files, not compressed; 0 where that is not known, as before the build.
	Bytes int64 `json:"bytes,omitempty"`
}

// Argument is a build argument.
type Argument struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	// Given: the value is the user's, and not the default.
	Given bool `json:"given,omitempty"`
}

// Secret is something that a step needs of the user.
type Secret struct {
	ID string `json:"id"`
	// SSH: it is an agent, for --ssh; else a secret, for --secret.
	SSH bool `json:"ssh,omitempty"`
	// Phases are those of the steps that get it, Key is the place in the spec that names it.
	Phases []string `json:"phases"`
	Key    string   `json:"key"`
}

// WriteText writes the plan for people.
func (p *Plan) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) {
		for i, arg := range args {
			args[i] = printable.Text(fmt.Sprint(arg)) // names and texts that others wrote
		}
		_, _ = fmt.Fprintf(tw, format+"\n", args...) // Flush has the error
	}
	for i, app := range p.Apps {
		if i > 0 {
			line("")
		}
		app.write(line)
	}
	if len(p.Tests) > 0 {
		gated := ""
		if p.Gated {
			gated = " (images wait for them)"
		}
		line("\nTESTS%s", gated)
		for _, t := range p.Tests {
			line("  %s", t)
		}
		if p.TestFilter != "" {
			line("  filter\t%s", quote(p.TestFilter))
		}
		if p.TestSettings != "" {
			line("  settings\t%s", p.TestSettings)
		}
		if len(p.TestArgs) > 0 {
			line("  args\t%s", list(p.TestArgs))
		}
	}
	if len(p.Arguments) > 0 {
		line("\nBUILD ARGUMENT\tVALUE\tDESCRIPTION")
		for _, a := range p.Arguments {
			line("%s\t%s\t%s", a.Name, quote(a.Value), a.Description)
		}
	}
	if len(p.Secrets) > 0 {
		line("\nSECRET\tPHASE\tNAMED BY")
		for _, s := range p.Secrets {
			id := s.ID
			if s.SSH {
				id += " (ssh)"
			}
			line("%s\t%s\t%s", id, strings.Join(s.Phases, ", "), s.Key)
		}
	}
	return tw.Flush()
}

func (app App) write(line func(format string, args ...any)) {
	name := "APP"
	if app.Name != "" {
		name += " " + app.Name
	}
	line("%s", name)
	line("  project\t%s", app.Project)
	if app.Project != NoProject {
		app.writeBuild(line)
	}
	for _, t := range app.Images {
		line("  IMAGE %s", t.Platform)
		if t.RID != "" {
			line("    rid\t%s", t.RID)
		}
		line("    base\t%s", t.Base)
		if t.Packages != nil {
			line("    packages\t%s", t.Packages)
		}
		line("    entrypoint\t%s", list(t.Entrypoint))
		line("    args\t%s", list(t.Args))
		line("    user\t%s", quote(t.User))
		line("    workdir\t%s", t.WorkingDir)
		line("    ports\t%s", strings.Join(t.Ports, ", "))
		var layers []string
		for _, l := range t.Layers {
			layers = append(layers, l.String())
		}
		line("    layers\t%s", strings.Join(layers, ", "))
		for i, file := range t.Files {
			line("    %s\t%s", []string{"files", ""}[min(i, 1)], file)
		}
	}
}

// writeBuild writes how the app is built.
func (app App) writeBuild(line func(format string, args ...any)) {
	line("  framework\t%s", app.Framework)
	line("  mode\t%s, configuration %s", app.Mode, app.Configuration)
	line("  sdk\t%s", app.SDK)
	if app.Toolchain != nil {
		line("  toolchain\t%s", app.Toolchain)
	}
	line("  projects\t%s", built(app.Projects))
	for _, r := range app.Reads {
		line("    %s\treads %s: %s", r.Project, r.Path, r.Why)
	}
	for _, t := range app.Tools {
		line("  tools\t%s", t)
	}
	for _, c := range app.Commands {
		c.write(line)
	}
	if len(app.Slices) > 0 {
		apart := 0
		for _, s := range app.Slices {
			apart += len(s)
		}
		line("  compiled apart\t%s, by %s", count(apart, "project"), count(len(app.Slices), "step"))
	}
	for _, also := range app.Also {
		line("  ALSO %s", also.To)
		line("    project\t%s", also.Project)
		line("    framework\t%s", also.Framework)
		line("    mode\t%s", also.Mode)
		if also.Toolchain != nil {
			line("    toolchain\t%s", also.Toolchain)
		}
		line("    projects\t%s", built(also.Projects))
		for _, r := range also.Reads {
			line("      %s\treads %s: %s", r.Project, r.Path, r.Why)
		}
	}
}

func (c Command) write(line func(format string, args ...any)) {
	line("  %s\t%s", c.Key, quote(strings.TrimSpace(c.Run)))
	reads := c.Reads
	if reads == "" {
		reads = strings.Join(c.Inputs, ", ")
	}
	line("    reads\t%s", reads)
	if len(c.PerPlatform) > 0 {
		line("    runs\tfor each platform, because of %s", strings.Join(c.PerPlatform, ", "))
	}
}

// String is the reference with what is known of it.
func (i Image) String() string {
	s := i.Reference
	if i.Digest != "" {
		s += "@" + i.Digest
	}
	s += ", on " + i.Platform
	if i.Version != "" {
		s += ", " + i.Version
	}
	return s
}

// String is the name, with a mark if it is shared.
func (l Layer) String() string {
	name := l.Name
	if l.To != "" {
		name += " in " + l.To
	}
	if l.Shared {
		name += " (shared)"
	}
	return name
}

func list(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = fmt.Sprintf("%q", a)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quote is a value, in quotes if it is empty, has spaces, or has what a terminal does not print. It escapes the latter.
func quote(s string) string {
	if s == "" || strings.Contains(s, " ") || printable.Text(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// built is the number of projects that an app is built from.
func built(projects []string) string {
	if len(projects) == 1 {
		return "1"
	}
	return fmt.Sprintf("%d, with those that it references", len(projects))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Explanation is the answer of --call=explain.
type Explanation struct {
	Apps []Explained `json:"apps"`
}

// Explained is an app.
type Explained struct {
	Name   string  `json:"name,omitempty"`
	Values []Value `json:"values"`
}

// Value is a value of the build or of the image.
type Value struct {
	// Key is the key of the spec that would decide the value.
	Key   string `json:"key"`
	Value string `json:"value"`
	// From says who decided it: spec, project, SDK, global.json, base, build argument, buildx, or crosshull.
	From string `json:"from"`
	// At is the place, as FILE:LINE, or else the reason.
	At string `json:"at,omitempty"`
	// Platform is the one that the value is for, where platforms differ.
	Platform string `json:"platform,omitempty"`
}

// WriteText writes the explanation for people.
func (e *Explanation) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, app := range e.Apps {
		if i > 0 {
			_, _ = fmt.Fprintln(tw) // Flush has the error
		}
		name := "KEY"
		if app.Name != "" {
			name += " OF " + app.Name
		}
		_, _ = fmt.Fprintf(tw, "%s\tVALUE\tFROM\n", name)
		for _, v := range app.Values {
			from := v.From
			if v.At != "" {
				from += ", " + v.At
			}
			key := v.Key
			if v.Platform != "" {
				key += " [" + v.Platform + "]"
			}
			_, _ = fmt.Fprintf(tw, "%s\t%s\t%s\n", printable.Text(key), quote(v.Value), printable.Text(from))
		}
	}
	return tw.Flush()
}

// Merge makes one list from the values of each platform. A value that is the same for all platforms is listed once.
func Merge(platforms []string, values [][]Value) []Value {
	var out []Value
	for i, vs := range values {
		for _, v := range vs {
			if slices.ContainsFunc(out, v.same) {
				continue
			}
			if differs(v, values) {
				v.Platform = platforms[i]
			}
			at := len(out) // beside those of the same key
			for j, o := range out {
				if o.Key == v.Key {
					at = j + 1
				}
			}
			out = slices.Insert(out, at, v)
		}
	}
	return out
}

// same tells whether another platform has the same value from the same source.
func (v Value) same(o Value) bool { return o.Key == v.Key && o.Value == v.Value && o.From == v.From }

// differs tells whether a platform has another value, or none.
func differs(v Value, values [][]Value) bool {
	for _, vs := range values {
		if !slices.ContainsFunc(vs, v.same) {
			return true
		}
	}
	return false
}
