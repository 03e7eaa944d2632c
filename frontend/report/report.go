package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Version is that of the form of a Build. It changes when a field changes its meaning.
const Version = 1

// Build is what was built: frontend.crosshull.report in the file of --metadata-file.
type Build struct {
	Version int   `json:"version"`
	Apps    []App `json:"apps"`
	Steps   []Ran `json:"steps"`
	// Tests are the results of those that images waited for.
	Tests []Tests `json:"tests,omitempty"`
}

// Ran is a step of the build.
type Ran struct {
	Name string `json:"name"`
	// Cached: its result was there before the build.
	Cached bool `json:"cached"`
}

// Tests are the results of a test project.
type Tests struct {
	Project string `json:"project"`
	Total   int    `json:"total"`
	Passed  int    `json:"passed"`
	Failed  int    `json:"failed"`
	Skipped int    `json:"skipped"`
}

// WriteText writes the report for people: some lines.
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
	var ran, cached []string
	for _, s := range r.Steps {
		if s.Cached {
			cached = append(cached, s.Name)
		} else {
			ran = append(ran, s.Name)
		}
	}
	if len(ran) == 0 {
		ran = []string{"nothing"}
	}
	fmt.Fprintf(&b, "  ran     %s", strings.Join(ran, ", "))
	if len(cached) > 0 {
		fmt.Fprintf(&b, "; cached: %s", strings.Join(cached, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (app App) summary(b *strings.Builder) {
	var platforms []string
	var shared []Layer
	for _, t := range app.Images {
		platforms = append(platforms, t.Platform)
	}
	fmt.Fprintf(b, "%s, %s, %s for %s\n", app.Project, app.Mode, app.Framework, strings.Join(platforms, ", "))
	if len(app.Images) == 0 {
		return
	}
	fmt.Fprintf(b, "  base    %s\n", app.Images[0].Base.named())
	fmt.Fprintf(b, "  sdk     %s\n", app.SDK.named())
	for _, l := range app.Images[0].Layers {
		if l.Shared && len(app.Images) > 1 {
			shared = append(shared, l)
		}
	}
	if len(shared) > 0 {
		fmt.Fprintf(b, "  layers  %s, the same for all\n", sizes(shared))
	}
	for _, t := range app.Images {
		own := slices.DeleteFunc(slices.Clone(t.Layers), func(l Layer) bool { return l.Shared && len(app.Images) > 1 })
		switch {
		case len(own) == 0:
		case len(app.Images) == 1:
			fmt.Fprintf(b, "  layers  %s\n", sizes(own))
		default:
			fmt.Fprintf(b, "          %s for %s\n", sizes(own), t.Platform)
		}
	}
}

// named is the reference with the beginning of its digest.
func (i Image) named() string {
	const short = len("sha256:") + 12
	if len(i.Digest) <= short {
		return i.Reference
	}
	return i.Reference + "@" + i.Digest[:short]
}

func sizes(layers []Layer) string {
	var parts []string
	for _, l := range layers {
		part := l.Name
		if l.Bytes > 0 {
			part += " " + size(l.Bytes)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
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
