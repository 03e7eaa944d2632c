// Package scaffold writes the first spec of a repository.
//
// Contract: [Spec] takes what was found, and gives a crosshull.yaml that builds it, with comments on what else can be
// said. What needs no word is a comment, so the file says what is particular about the repository and nothing else.
package scaffold

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

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
	Feeds []string
}

// App is a project that can be published.
type App struct {
	Path       string
	Frameworks []string // several: the spec has to name one
}

// Spec is a crosshull.yaml for what was found.
func Spec(f Found) []byte {
	w := &writer{}
	w.line("# syntax=%s", f.Syntax)
	w.line(
		"# How docker buildx builds the images of this repository. Everything is optional; what is commented out is what",
	)
	w.line("# there is without it, or an example.")
	w.line("#")
	w.line("# Found: %s.", f.summary())
	w.line("")
	switch len(f.Apps) {
	case 0:
		w.line("# No project here can be published: an app has OutputType Exe and is no test.")
		w.line("#project: src/app/app.csproj")
	case 1:
		w.line("project: %s", scalar(f.Apps[0].Path))
		w.framework("", f.Apps[0])
	default:
		w.line("# What all apps have in common stands here, outside of apps. Each app is a target of buildx.")
	}
	w.common()
	if len(f.Apps) > 1 {
		w.line("")
		w.line("apps:")
		names := names(f.Apps)
		for i, app := range f.Apps {
			w.line("  %s:", names[i])
			w.line("    project: %s", scalar(app.Path))
			w.framework("    ", app)
		}
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
	return strings.Join(parts, ", ")
}

type writer struct{ lines []string }

// line adds a line, which stays one whatever is in it.
func (w *writer) line(format string, args ...any) {
	text := strings.NewReplacer("\n", " ", "\r", " ").Replace(fmt.Sprintf(format, args...))
	w.lines = append(w.lines, text)
}

func (w *writer) framework(indent string, app App) {
	if len(app.Frameworks) > 1 {
		w.line("%sframework: %s # of %s", indent, newest(app.Frameworks), strings.Join(app.Frameworks, ", "))
	}
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
	for _, t := range tests {
		w.line("    - %s", scalar(t))
	}
	w.line("  gate: false")
}

func (w *writer) nuget(f Found) {
	if len(f.FeedVariables) == 0 && len(f.Feeds) == 0 {
		return
	}
	w.line("")
	if len(f.FeedVariables) > 0 {
		w.line(
			"# Variables of nuget.config, by the ids of secrets: --secret id=%s,env=%s",
			id(f.FeedVariables[0]),
			f.FeedVariables[0],
		)
		w.line("nuget:")
		w.line("  secrets:")
		for _, v := range f.FeedVariables {
			w.line("    %s: %s", v, id(v))
		}
		return
	}
	w.line(
		"# Credentials for feeds of nuget.config that want some, by the ids of secrets: --secret " +
			"id=feed-token,env=FEED_TOKEN",
	)
	w.line("#nuget:")
	w.line("#  feeds:")
	for _, name := range f.Feeds {
		w.line("#    - name: %s", scalar(name))
		w.line("#      password-secret: feed-token")
	}
}

// names gives every app a name that is a target of buildx: that of its project, or with the folder before it where two
// projects have the same, or with a number after it where that is another's.
func names(apps []App) []string {
	out := make([]string, len(apps))
	all := map[string]int{}
	for i, app := range apps {
		out[i] = name(strings.TrimSuffix(path.Base(app.Path), path.Ext(app.Path)))
		all[out[i]]++
	}
	taken := map[string]bool{}
	for i, n := range out {
		if taken[n] {
			n = name(strings.TrimSuffix(app(apps[i].Path), path.Ext(apps[i].Path)))
			for base, k := n, 2; taken[n] || all[n] > 0; k++ {
				n = fmt.Sprintf("%s-%d", base, k)
			}
		}
		out[i], taken[n] = n, true
	}
	return out
}

// app is a path with its folders joined to one word.
func app(p string) string { return strings.ReplaceAll(p, "/", "-") }

var notInName = regexp.MustCompile(`[^a-z0-9_-]+`)

func name(s string) string {
	const most = 100 // of 128 that a name can have, as more may come after it
	s = strings.Trim(notInName.ReplaceAllString(strings.ToLower(s), "-"), "-_")
	s = strings.TrimRight(s[:min(len(s), most)], "-_")
	if s == "" || spec.Reserved(s) {
		s = strings.Trim(s+"-app", "-")
	}
	return s
}

func id(variable string) string { return strings.ReplaceAll(strings.ToLower(variable), "_", "-") }

var plain = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./ +-]*$`)

// scalar is a text as YAML takes it.
func scalar(s string) string {
	if plain.MatchString(s) && !strings.HasSuffix(s, " ") {
		return s
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s) // in which YAML has the escapes of Go
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// newest is the framework with the highest version.
func newest(frameworks []string) string {
	return slices.MaxFunc(frameworks, func(a, b string) int {
		if len(a) != len(b) { // net10.0 is after net9.0
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
