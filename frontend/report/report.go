package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/crosshull/crosshull/frontend/printable"
)

// Version is the version of the format of a Build. It changes when a field changes its meaning.
const Version = 1

// Build is what was built: frontend.crosshull.report in the file of --metadata-file.
type Build struct {
	Version int   `json:"version"`
	Apps    []App `json:"apps"`
	Steps   []Ran `json:"steps"`
	// Tests are the results of the tests that images waited for.
	Tests []Tests `json:"tests,omitempty"`
}

// Ran is a step of the build.
type Ran struct {
	Name string `json:"name"`
	// Cached: its result was there before the build.
	Cached bool `json:"cached"`
	// Ended is how long after the beginning of the build the step had its result; 0: cached, or not known. The JSON does
	// not have it, because builds that do the same give the same report.
	Ended time.Duration `json:"-"`
}

// Tests are the results of a test project.
type Tests struct {
	Project string `json:"project"`
	Total   int    `json:"total"`
	Passed  int    `json:"passed"`
	Failed  int    `json:"failed"`
	Skipped int    `json:"skipped"`
	// Step is the step that ran the tests. It is one of [Build.Steps], too.
	Step Ran `json:"-"`
}

// WriteText writes the report for people, in a few lines.
func (r *Build) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, app := range r.Apps {
		app.summary(&b)
	}
	for _, t := range r.Tests {
		fmt.Fprintf(&b, "  tests   %s: %d passed", t.Project, t.Passed)
		if t.Skipped > 0 {
			fmt.Fprintf(&b, ", %d skipped", t.Skipped)
		}
		b.WriteString("\n")
	}
	var ran, reused, ended []string
	for _, s := range r.Steps {
		if s.Ended > 0 {
			ended = append(ended, fmt.Sprintf("%s after %.1f s", s.Name, s.Ended.Seconds()))
		}
		if s.Cached {
			reused = append(reused, s.Name)
		} else {
			ran = append(ran, s.Name)
		}
	}
	if len(ran) == 0 {
		ran = []string{"nothing"}
	}
	fmt.Fprintf(&b, "  ran     %s", strings.Join(ran, ", "))
	if len(reused) > 0 {
		fmt.Fprintf(&b, "; reused: %s", strings.Join(reused, ", "))
	}
	if len(ended) > 0 {
		fmt.Fprintf(&b, "\n  ended   %s", strings.Join(ended, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (app App) summary(b *strings.Builder) {
	var platforms []string
	for _, t := range app.Images {
		platforms = append(platforms, t.Platform)
	}
	what := fmt.Sprintf("%s, %s, %s", app.Project, app.Mode, app.Framework)
	if app.Project == NoProject {
		what = "files alone"
	}
	fmt.Fprintf(b, "%s for %s\n", what, strings.Join(platforms, ", "))
	if len(app.Images) == 0 {
		return
	}
	fmt.Fprintf(b, "  base    %s\n", app.Images[0].Base.named())
	if app.Project != NoProject {
		fmt.Fprintf(b, "  sdk     %s\n", app.SDK.named())
	}
	several := len(app.Images) > 1
	for _, l := range app.Images[0].Layers {
		switch {
		case !several:
			l.summary(b, "")
		case l.Shared:
			l.summary(b, ", the same for all platforms")
		}
	}
	for i, t := range app.Images {
		if len(t.Removed) > 0 && (i == 0 || !slices.Equal(t.Removed, app.Images[i-1].Removed)) {
			fmt.Fprintf(b, "  removed %s: the base keeps them in its layers, and the image hides them\n",
				printable.Text(some(t.Removed)))
		}
		for _, l := range t.Layers {
			if several && !l.Shared {
				l.summary(b, " for "+t.Platform)
			}
		}
	}
}

// some are the first of many paths, and how many more there are.
func some(paths []string) string {
	const most = 5
	if len(paths) <= most {
		return strings.Join(paths, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(paths[:most], ", "), len(paths)-most)
}

// named is the reference with the beginning of its digest.
func (i Image) named() string {
	const short = len("sha256:") + 12
	if len(i.Digest) <= short {
		return i.Reference
	}
	name, _, _ := strings.Cut(i.Reference, "@")
	return name + "@" + i.Digest[:short]
}

// holds says what the layers have, by their names.
var holds = map[string]string{
	"os-packages":      "OS packages of base.packages",
	"packages":         "NuGet packages",
	"packages-preview": "pre-release NuGet packages",
	"runtimes":         "native files of NuGet packages",
	"projects":         "projects that the app references",
	"assets":           "static web assets",
	"launcher":         "the launcher",
	"files":            "files of the spec",
	"users":            "users and groups of the spec",
	"app":              "the app",
}

func (l Layer) summary(b *strings.Builder, of string) {
	bytes := "-"
	if l.Bytes > 0 {
		bytes = size(l.Bytes)
	}
	in := ""
	if l.To != "" {
		in = " in " + l.To
	}
	fmt.Fprintf(b, "  layer   %-9s %9s  %s%s\n", l.Name, bytes, holds[l.Name]+in, of)
}

// size is a number of bytes in powers of ten, as registries count.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
