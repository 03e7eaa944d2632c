// Package check holds crosshull's rules. A rule finds something in a spec or its projects that is not a mistake, but
// that you would want to know.
//
// Contract: pure. [Run] looks at [Facts], which its caller collects, including the time of day. It returns [Warning]s,
// and solves and resolves nothing. A rule gives no warning if it lacks a fact. A warning never shows a secret. Every
// rule is in [Rules], and docs/reference/checks.md explains it.
package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/printable"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Facts are what is known about a build.
type Facts struct {
	// Spec is the spec, or the zero one if there is no file.
	Spec *spec.Spec
	// Source is the file of the spec, or the zero Source if there is none.
	Source Source
	// Written is that file as it is, with its directives.
	Written []byte
	// Frontend is the image of this frontend.
	Frontend string
	// Apps are the apps that the build makes.
	Apps []App
	// Files are the project files of the context. Links are its links. Settings are further files that a restore reads.
	Files    dotnet.Files
	Links    dotnet.Links
	Settings dotnet.Settings
	// BuildRID is the runtime identifier of the build platform.
	BuildRID string
	// Now is the time to compare ends of support with.
	Now time.Time
	// Asked tells whether the user asked for a check, and not for a build.
	Asked bool
	// Published tells whether the apps have been published. If so, only the rules about published files run.
	Published bool
}

// Source is a file that a warning points into.
type Source struct {
	Name string
	Data []byte // as warnings show it
}

// App is an app of the spec.
type App struct {
	// Prefix is the beginning of its keys in the spec, if the spec has several apps.
	Prefix string
	// Spec is what the spec says about the app, including what all apps have in common.
	Spec *spec.App
	// Tests are the test projects that the spec names in place of an app. If there are any, nothing else is known.
	Tests []string
	// Project is what MSBuild says about it. For an image of files alone it is [dotnet.FilesAlone].
	Project *dotnet.App
	// Tools are the images that publish.tools names.
	Tools []Image
	// SDK builds the app, and Toolchain links it with AOT. Base is what the app is put on.
	SDK, Toolchain, Base Image
	// Lacks are the platforms that Base lacks.
	Lacks
	// RIDs are the runtime identifiers of the platforms.
	RIDs []string
	// Images are the images for those platforms that Base has.
	Images []Configured
	// Outputs are what was published for each platform.
	Outputs []Output
}

// Output is what was published for a platform.
type Output struct {
	RID string
	// Natives are the files of machine code that packages have, for this and for other platforms.
	Natives []dotnet.Native
	// Made are the files of machine code that commands of publish.after made.
	Made []dotnet.Machine
}

// Lacks says which platforms a base lacks. Missing are the platforms that the user asked for and the base lacks. Has
// are some that it has.
type Lacks struct{ Missing, Has []string }

// Image is an image that a build reads.
type Image struct {
	// Name is the reference that the build asks for. Empty: there is no such image.
	Name string
	// Replaced tells that one of buildx's --build-context replaces it.
	Replaced bool
}

// Configured is the configuration of an image, and the configuration of its base.
type Configured struct {
	Base, Image dockerspec.DockerOCIImageConfig
	// Present are the keys of users and groups of the spec that the base has already, such as "image.users.0".
	Present []string
}

// Rule is something to look for.
type Rule struct {
	// Name is what the user writes to skip the rule.
	Name string
	// Description says what the rule asks for.
	Description string

	once      func(*run)       // looks at the build, or
	perApp    func(*run, *App) // at an app that MSBuild described, or
	published func(*run, *App) // at what was published
	// none tells that perApp also looks at an image of files alone.
	none bool
}

// URL is the address of the rule's explanation.
func (r Rule) URL() string {
	return "https://github.com/crosshull/crosshull/blob/main/docs/reference/checks.md#" + strings.ToLower(r.Name)
}

// Warning is a finding of a rule.
type Warning struct {
	Rule Rule
	// Detail says what the rule found.
	Detail string
	// Source is the file with the finding, with secrets replaced by stars. The zero Source: no file.
	Source Source
	// Location is the place in Source.
	Location []parser.Range
}

// Run returns what the rules find, each finding once. Findings in the spec come first, in the order of its lines, and
// then those in other files. The error is for a configuration that turns warnings into errors.
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
		once, perApp := r.rule.once, r.rule.perApp
		if f.Published {
			once, perApp = nil, r.rule.published
		}
		if once != nil {
			once(r)
		}
		for i := range f.Apps {
			if project := f.Apps[i].Project; perApp != nil && project != nil && (r.rule.none || !project.None()) {
				perApp(r, &f.Apps[i])
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

// run is a single run of the rules.
type run struct {
	*Facts
	shown  Source // the spec, secrets replaced by stars
	linter *linter.Linter
	rule   Rule   // the rule that runs now
	source Source // the file of its finding
	found  []Warning
}

// warn adds a finding of the rule that runs now.
func (r *run) warn(at place, format string, args ...any) {
	detail := printable.Text(fmt.Sprintf(format, args...)) // values and names that others wrote
	location := at.location()
	if slices.ContainsFunc(r.found, func(w Warning) bool { // several apps may give the same warning
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
