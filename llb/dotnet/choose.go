package dotnet

import (
	"fmt"
	"strings"
)

// NothingError says that none of the projects that a spec names is of the kind that the caller asked for.
type NothingError struct {
	Candidates []Candidate
	msg        string
}

func (e *NothingError) Error() string { return e.msg }

// FrameworkError says that a project does not have the one framework that a spec means.
type FrameworkError struct {
	Project string
	msg     string
}

func (e *FrameworkError) Error() string { return e.msg }

// Choose returns the app to publish or the test to run. If it cannot decide, its error says what the spec must name.
// project and framework are what the spec names now.
func (d *Description) Choose(project, framework string, test bool) (*App, error) {
	where := "the context"
	if project != "" {
		where = project
	}
	var apps []Candidate
	for _, c := range d.Candidates {
		if test && c.Kind == "test" || !test && (c.Kind == "app" || c.Path == project && c.runs()) {
			apps = append(apps, c)
		}
	}
	for _, c := range apps {
		if d.App != nil && c.Path == d.App.Path && (framework == "" || contains(c.Frameworks, framework)) {
			return d.App, nil
		}
	}
	switch len(apps) {
	case 0:
		msg := fmt.Sprintf(
			"nothing to publish in %s: an app has OutputType Exe and is not a test, but there is only %s",
			where,
			describe(d.Candidates),
		)
		switch {
		case len(d.Candidates) == 0 && len(d.Missing) > 0:
			msg = fmt.Sprintf("no project of %s is in the context: look at .dockerignore, and at upper and lower case. "+
				"It has %s", where, Some(d.Missing))
		case len(d.Candidates) == 0:
			msg = "no .NET project in " + where
		case test:
			msg = fmt.Sprintf(
				"no test project in %s: a test references Microsoft.NET.Test.Sdk, but there is only %s",
				where,
				describe(d.Candidates),
			)
		}
		return nil, &NothingError{d.Candidates, msg}
	case 1:
	default:
		paths := make([]string, len(apps))
		for i, c := range apps {
			paths[i] = c.Path
		}
		if test {
			return nil, fmt.Errorf("%d test projects in %s, so tests has to name each of them: %s",
				len(apps), where, Some(paths))
		}
		return nil, fmt.Errorf("%d projects in %s can be published, so the spec has to name one, as in project: %s, "+
			"or several in apps. There are %s", len(apps), where, paths[0], Some(paths))
	}
	app := apps[0]
	if framework == "" && len(app.Frameworks) > 1 {
		return nil, &FrameworkError{app.Path, fmt.Sprintf(
			"%s has several frameworks, so the spec has to name one: framework: %s", app.Path,
			strings.Join(app.Frameworks, " or "))}
	}
	if framework != "" && !contains(app.Frameworks, framework) {
		return nil, &FrameworkError{app.Path, fmt.Sprintf("%s has no framework %s: use %s", app.Path, framework,
			strings.Join(app.Frameworks, " or "))}
	}
	if d.App == nil {
		return nil, Bug(fmt.Errorf("MSBuild did not describe %s", app.Path))
	}
	return d.App, nil
}

// Some lists the first of names, and says how many more there are.
func Some(names []string) string {
	const shown = 10
	list := strings.Join(names[:min(shown, len(names))], ", ")
	if more := len(names) - shown; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// describe lists projects, and says for each why it is not an app.
func describe(candidates []Candidate) string {
	var out []string
	for _, c := range candidates {
		why := c.Kind
		switch {
		case c.Error != nil:
			why = c.Error.String()
		case c.Kind == "app":
			why = "an app"
		case c.Kind == "test":
			why = "a test"
		case c.Kind == notForLinux:
			why = "no TargetFramework that Linux can run"
		case c.Kind == "library":
			why = "OutputType " + c.OutputType
		}
		out = append(out, fmt.Sprintf("%s (%s)", c.Path, why))
	}
	return strings.Join(out, ", ")
}

// contains ignores case, as MSBuild does.
func contains(list []string, s string) bool {
	for _, v := range list {
		if strings.EqualFold(v, s) {
			return true
		}
	}
	return false
}

// runs tells whether Linux can run the project, though a search for apps passes it over.
func (c Candidate) runs() bool {
	switch c.Kind {
	case "broken", "test", "library", notForLinux, wasmClient:
		return false
	}
	return true
}

// Kinds of projects, as the evaluator names them (Candidate.KindOf).
const (
	notForLinux = "for another system than Linux"
	wasmClient  = "a Blazor WebAssembly client"
)

// Mistakes are errors that may explain why there is no app: those of the app itself, or of the only project.
func (d *Description) Mistakes() []Diagnostic {
	if len(d.Errors) > 0 {
		return d.Errors
	}
	if len(d.Candidates) == 1 && d.Candidates[0].Error != nil {
		return []Diagnostic{*d.Candidates[0].Error}
	}
	return nil
}

// PassedOver are the other projects that can be published. There are none if project, from the spec, is the file of a
// project.
func (d *Description) PassedOver(project string) []string {
	var paths []string
	for _, c := range d.Candidates {
		if d.App != nil && c.Kind == "app" && c.Path != d.App.Path && !IsProject(project) {
			paths = append(paths, c.Path)
		}
	}
	return paths
}
