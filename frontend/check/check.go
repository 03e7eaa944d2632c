// Package check is crosshull's rules: what a spec and its projects can say that is no mistake, and that one would
// rather know of.
//
// Contract: pure. [Run] looks at [Facts], which its caller collected, the time of day among them, and gives
// [Warning]s; it solves and resolves nothing. A rule says nothing where its facts are not known. What a warning shows
// has no secret in it. Every rule is in [Rules], and is explained in docs/checks.md.
package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Facts are what is known of a build.
type Facts struct {
	// Spec is the spec, the zero one where there is no file.
	Spec *spec.Spec
	// Source is the file of the spec; the zero Source where there is none.
	Source Source
	// Apps are those that are built.
	Apps []App
	// Files are the project files of the context, Links its links, and Settings the further files that a restore reads.
	Files    dotnet.Files
	Links    dotnet.Links
	Settings dotnet.Settings
	// BuildRID is the runtime identifier of the build platform.
	BuildRID string
	// Now is the time that ends of support are compared with.
	Now time.Time
}

// Source is a file that a warning points into.
type Source struct {
	Name string
	Data []byte
}

// App is an app of the spec.
type App struct {
	// Prefix begins its keys in the spec, where that has several apps.
	Prefix string
	// Spec is what the spec says of it, what all apps have in common included.
	Spec *spec.App
	// Tests are the test projects that the spec names in the place of an app. Nothing else is known then.
	Tests []string
	// Project is what MSBuild says of it.
	Project *dotnet.App
	// SDK builds it, Toolchain links it where it is published with AOT, and Base is what it is put on.
	SDK, Toolchain, Base Image
	// Lacks are the platforms that Base lacks.
	Lacks
	// RIDs are the runtime identifiers of the platforms.
	RIDs []string
	// Images are those of the platforms that Base has.
	Images []Configured
}

// Lacks are the platforms asked for that a base lacks: Missing. Has are some that it has.
type Lacks struct{ Missing, Has []string }

// Image is an image that a build reads.
type Image struct {
	// Name is the reference as it was asked for; empty: there is no such image.
	Name string
	// Replaced tells that one of buildx's --build-context stands in its place.
	Replaced bool
}

// Configured is the configuration of an image, and that of its base.
type Configured struct {
	Base, Image dockerspec.DockerOCIImageConfig
}

// Rule is something that is looked for.
type Rule struct {
	// Name is what skips it.
	Name string
	// Description says what is wrong with what it finds.
	Description string

	once   func(*run)       // looks at the build, or
	perApp func(*run, *App) // at an app that MSBuild described
}

// URL is where the rule is explained.
func (r Rule) URL() string {
	return "https://github.com/crosshull/crosshull/blob/main/docs/checks.md#" + strings.ToLower(r.Name)
}

// Warning is a find of a rule.
type Warning struct {
	Rule Rule
	// Detail says what it is.
	Detail string
	// Source is the file that it is in, secrets struck out; the zero Source: in none.
	Source Source
	// Location is the place in Source.
	Location []parser.Range
}

// Run gives what the rules find, in the order of the spec and then of other files, each once. The error is that of a
// configuration that makes errors of warnings.
func Run(f *Facts, config *linter.Config) ([]Warning, error) {
	r := &run{Facts: f, shown: f.Shown()}
	c := *config
	c.Warn = func(_, _, _, msg string, location []parser.Range) {
		w := Warning{Rule: r.rule, Detail: msg, Source: r.source, Location: location}
		if w.Source.Name != f.Source.Name { // buildx prints all excerpts under the name of the spec
			w.Detail = fmt.Sprintf("%s:%d: %s", w.Source.Name, location[0].Start.Line, msg)
		}
		r.found = append(r.found, w)
	}
	r.linter = linter.New(&c)
	for _, r.rule = range Rules {
		if r.rule.once != nil {
			r.rule.once(r)
		}
		for i := range f.Apps {
			if r.rule.perApp != nil && f.Apps[i].Project != nil {
				r.rule.perApp(r, &f.Apps[i])
			}
		}
	}
	slices.SortStableFunc(r.found, func(a, b Warning) int {
		if a.Source.Name != b.Source.Name {
			switch f.Source.Name {
			case a.Source.Name:
				return -1
			case b.Source.Name:
				return 1
			}
			return strings.Compare(a.Source.Name, b.Source.Name)
		}
		return line(a) - line(b)
	})
	if r.linter.Error() == nil {
		return r.found, nil
	}
	var names []string
	for _, w := range r.found {
		names = append(names, w.Rule.Name)
	}
	slices.Sort(names)
	return r.found, fmt.Errorf("lint violation found for rules: %s", strings.Join(slices.Compact(names), ", "))
}

func line(w Warning) int {
	if len(w.Location) == 0 {
		return 0
	}
	return w.Location[0].Start.Line
}

// run is one run of the rules.
type run struct {
	*Facts
	shown  Source // the spec, secrets struck out
	linter *linter.Linter
	rule   Rule   // that looks now
	source Source // of what it finds
	found  []Warning
}

// warn tells a find of the rule that looks now.
func (r *run) warn(at place, format string, args ...any) {
	detail := fmt.Sprintf(format, args...)
	location := at.location()
	if slices.ContainsFunc(r.found, func(w Warning) bool { // apps have much in common
		return w.Rule.Name == r.rule.Name && w.Source.Name == at.source.Name && slices.Equal(w.Location, location) &&
			strings.HasSuffix(w.Detail, detail)
	}) {
		return
	}
	r.source = at.source
	r.linter.Run(
		&linter.LinterRule[struct{}]{Name: r.rule.Name, Description: r.rule.Description, URL: r.rule.URL()},
		location,
		detail,
	)
}
