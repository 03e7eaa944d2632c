// Package scaffold writes the first spec of a repository.
//
// Contract: [Spec] takes what was found, and gives a crosshull.yaml that builds it. Its keys are only those that the
// repository needs. Comments show further keys, and what the Dockerfiles of the repository do besides. [spec.Parse]
// accepts the file, whatever names were found: a name that a spec cannot have is left out, with a comment.
package scaffold

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
)

// Found is what there is in a repository.
type Found struct {
	Syntax string // reference of the frontend
	Apps   []App
	// Libraries is how many projects are neither apps nor tests.
	Libraries int
	Tests     []string
	Solutions []string
	// GlobalJSON is what global.json asks for, empty where there is none.
	GlobalJSON string
	// FeedVariables are the environment variables that nuget.config files read.
	FeedVariables []string
	// Feeds are package sources on the net that nuget.config files name.
	Feeds       []string
	Dockerfiles []Dockerfile
}

// App is a project that can be published.
type App struct {
	Path       string
	Frameworks []string // those that Linux runs; several: the spec has to name one
	// CrossTargeting: the project has TargetFrameworks, perhaps with some that Linux does not run.
	CrossTargeting bool
}

// Spec is a crosshull.yaml for what was found.
func Spec(f Found) []byte {
	w := &writer{}
	w.line("# syntax=%s", oneLine(f.Syntax))
	w.line("# How docker buildx builds the images of this repository. Everything is optional. " +
		"A line that is")
	w.line("# commented out shows the default, or an example.")
	w.line("#")
	w.line("# Found: %s.", f.summary())
	if len(f.Dockerfiles) > 0 {
		w.line("#")
		w.dockerfiles(f.Dockerfiles)
	}
	w.line("")
	var apps []App
	for _, app := range f.Apps {
		if isPath(app.Path) {
			apps = append(apps, app)
		} else {
			w.left("project", app.Path)
		}
	}
	switch len(apps) {
	case 0:
		w.line("# No project here can be published: an app has OutputType Exe and is not a test.")
		w.line("#project: src/app/app.csproj")
	case 1:
		w.add(app("", apps[0]))
	default:
		w.line("# What all apps have in common stands here, outside of apps. Each app is a target of buildx.")
	}
	w.common()
	if len(apps) > 1 {
		w.apps(apps)
	}
	w.tests(f.Tests)
	w.nuget(f)
	return []byte(strings.Join(w.lines, "\n") + "\n")
}

func (f Found) summary() string {
	parts := []string{count(len(f.Apps), "app")}
	switch f.Libraries {
	case 0:
	case 1:
		parts = append(parts, "1 library")
	default:
		parts = append(parts, fmt.Sprintf("%d libraries", f.Libraries))
	}
	if len(f.Tests) > 0 {
		parts = append(parts, count(len(f.Tests), "test project"))
	}
	parts = append(parts, f.Solutions...)
	if f.GlobalJSON != "" {
		parts = append(parts, "global.json ("+f.GlobalJSON+")")
	}
	return oneLine(strings.Join(parts, ", "))
}

// Limits on what is written. A spec can have 1000 apps and 1 MiB.
const (
	maxApps  = 1000
	maxBytes = 900_000
)

type writer struct {
	lines []string
	bytes int
}

// line writes a line. Pass arguments that come from the repository through [oneLine] or [scalar].
func (w *writer) line(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
	w.bytes += len(w.lines[len(w.lines)-1]) + 1
}

// add writes lines that belong together, unless the file would be too long.
func (w *writer) add(lines []string) (ok bool) {
	size := 0
	for _, line := range lines {
		size += len(line) + 1
	}
	if w.bytes+size > maxBytes {
		return false
	}
	for _, line := range lines {
		w.line("%s", line)
	}
	return true
}

// left says that a name is left out.
func (w *writer) left(what, name string) {
	w.add([]string{fmt.Sprintf("# Left out: the %s %s, because a spec cannot have that name.", what, oneLine(name))})
}

// more says how many of a kind are left out, and why.
func (w *writer) more(n int, what, why string) {
	if n > 0 {
		w.line("# And %s%s.", count(n, "more "+what), why)
	}
}

// full is why a spec has no more of something.
const full = ": a spec cannot have more"

// app are the lines of an app.
func app(indent string, a App) []string {
	lines := []string{indent + "project: " + scalar(a.Path)}
	switch {
	case len(a.Frameworks) == 1 && a.CrossTargeting:
	case len(a.Frameworks) < 2:
		return lines
	}
	all, last := oneLine(strings.Join(a.Frameworks, ", ")), newest(a.Frameworks)
	if !parses("framework: "+scalar(last), func(s *spec.Spec) bool { return s.Framework == last }) {
		return append(lines, indent+"# It has several frameworks: "+all)
	}
	if len(a.Frameworks) == 1 {
		return append(lines, indent+"framework: "+scalar(last))
	}
	return append(lines, indent+"framework: "+scalar(last)+" # of "+all)
}

// apps writes several apps.
func (w *writer) apps(apps []App) {
	w.line("")
	w.line("apps:")
	written := 0
	for i, name := range names(apps) {
		if i == maxApps || !w.add(append([]string{"  " + name + ":"}, app("    ", apps[i])...)) {
			break
		}
		written++
	}
	w.more(len(apps)-written, "app", full)
}

// common writes what an app can say.
func (w *writer) common() {
	w.line("#publish:")
	w.line("#  mode: portable             # or apphost, self-contained, single-file, ready-to-run, trimmed, aot")
	w.line("#base:")
	w.line("#  family: noble-chiseled     # a variant of the image that the SDK infers")
	w.line("#image:")
	w.line("#  env:")
	w.line("#    TZ: UTC")
	w.line("#files:")
	w.line("#  - to: /data                # a folder that the app can write to")
}

func (w *writer) tests(tests []string) {
	if len(tests) == 0 {
		return
	}
	w.line("")
	w.line("# --target test runs them. With gate: true, every image waits for them.")
	w.line("tests:")
	w.line("  projects:")
	more := 0
	for _, t := range tests {
		if !isPath(t) {
			w.left("test project", t)
		} else if !w.add([]string{"    - " + scalar(t)}) {
			more++
		}
	}
	w.more(more, "test project", full)
	w.line("  gate: false")
}

// nuget writes the secrets that feeds need.
func (w *writer) nuget(f Found) {
	variables := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(f.FeedVariables))), func(v string) bool {
		return !parses(secret(v), func(s *spec.Spec) bool { return s.NuGet.Secrets[v] == id(v) })
	})
	if len(variables) > 0 {
		w.secrets(variables)
		return
	}
	seen := map[string]bool{} // NuGet ignores case
	feeds := slices.DeleteFunc(slices.Clone(f.Feeds), func(name string) bool {
		key := strings.ToLower(name)
		again := seen[key]
		seen[key] = true
		return again || !parses(feed(name), func(s *spec.Spec) bool { return s.NuGet.Feeds[0].Name == name })
	})
	if len(feeds) == 0 {
		return
	}
	w.line("")
	w.line("# Credentials for feeds of nuget.config that need them, by the ids of secrets: " +
		"--secret id=feed-token,env=FEED_TOKEN")
	w.line("#nuget:")
	w.line("#  feeds:")
	for _, name := range feeds {
		w.add([]string{"#    - name: " + scalar(name), "#      password-secret: feed-token"})
	}
}

// secrets writes variables of nuget.config files.
func (w *writer) secrets(variables []string) {
	first := variables[0]
	w.line("")
	w.line("# Variables of nuget.config, by the ids of secrets: --secret id=%s,env=%s", oneLine(id(first)), oneLine(first))
	w.line("nuget:")
	w.line("  secrets:")
	more := 0
	for _, v := range variables {
		if !w.add([]string{"    " + scalar(v) + ": " + scalar(id(v))}) {
			more++
		}
	}
	w.more(more, "variable", full)
}

// secret and feed give a spec with nothing but one secret or one feed.
func secret(variable string) string {
	return "nuget: {secrets: {" + scalar(variable) + ": " + scalar(id(variable)) + "}}"
}

func feed(name string) string {
	return "nuget: {feeds: [{name: " + scalar(name) + ", password-secret: feed-token}]}"
}

// isPath tells whether a spec can name a project.
func isPath(p string) bool {
	return p != "" && parses("project: "+scalar(p), func(s *spec.Spec) bool { return s.Project == p })
}

// parses tells whether a line is a valid spec, for which says gives true.
func parses(line string, says func(*spec.Spec) bool) bool {
	s, err := spec.Parse([]byte(line), nil)
	return err == nil && says(s)
}

// names gives every app a name that can be a target of buildx. It is the name of the project. If another app has that
// name, it is the whole path of the project, and if that is taken too, a number follows.
func names(apps []App) []string {
	out := make([]string, len(apps))
	taken := map[string]bool{}
	for i, a := range apps {
		stem := strings.TrimSuffix(a.Path, path.Ext(a.Path))
		free := name(path.Base(stem))
		if taken[free] {
			free = name(strings.ReplaceAll(stem, "/", "-"))
		}
		for n, base := 2, free; taken[free]; n++ {
			free = fmt.Sprintf("%s-%d", base, n)
		}
		taken[free] = true
		out[i] = free
	}
	return out
}

var notInName = regexp.MustCompile(`[^a-z0-9_-]+`)

// maxName leaves room for what is put behind a name: a target of buildx has 128 characters.
const maxName = 100

func name(s string) string {
	s = notInName.ReplaceAllString(strings.ToLower(s), "-")
	s = strings.Trim(s[:min(len(s), maxName)], "-_")
	if s == "" || spec.Reserved(s) {
		s = strings.Trim(s+"-app", "-")
	}
	return s
}

func id(variable string) string { return strings.ReplaceAll(strings.ToLower(variable), "_", "-") }

// newest is the framework with the highest version.
func newest(frameworks []string) string {
	return slices.MaxFunc(frameworks, func(a, b string) int {
		return slices.Compare(versionOf(a), versionOf(b))
	})
}

var versionDigits = regexp.MustCompile(`\d+`)

// versionOf is the version in the name of a framework: 10 and 0 for net10.0, 3 and 1 for netcoreapp3.1.
func versionOf(framework string) []int {
	var version []int
	for _, digits := range versionDigits.FindAllString(framework, -1) {
		n, _ := strconv.Atoi(digits) // one that is too long is no version
		version = append(version, n)
	}
	return version
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
