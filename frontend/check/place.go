package check

import (
	"bytes"
	"path"
	"regexp"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/crosshull/crosshull/frontend/spec"
)

// place is a range of lines in a file. The zero place is in no file.
type place struct {
	source Source
	lines  spec.Range
}

func (p place) location() []parser.Range {
	if p.source.Name == "" {
		return nil
	}
	return []parser.Range{{Start: parser.Position{Line: p.lines.Start}, End: parser.Position{Line: p.lines.End}}}
}

// at returns the line at an offset of a file.
func at(source Source, offset int) place {
	n := 1 + bytes.Count(source.Data[:offset], []byte("\n"))
	return place{source, spec.Range{Start: n, End: n}}
}

// inSpec returns the lines of a key of the spec, or of the nearest parent that the file has.
func (r *run) inSpec(key string) place {
	if r.Source.Name == "" {
		return place{}
	}
	return place{r.shown, r.Spec.Range(key)}
}

// key returns the key of the spec that sets a value for an app: the app's own, or the one of all apps.
func (r *run) key(a *App, name string) (string, bool) {
	if own := a.Prefix + name; r.Spec.Has(own) {
		return own, true
	}
	return name, r.Spec.Has(name)
}

// spot is a place that may set a value: a key of the spec, or the project of an app.
type spot struct {
	key string
	xml *regexp.Regexp
}

func inKey(name string) spot { return spot{key: name} }

// inProperty is the place of an MSBuild property.
func inProperty(name string) spot { return spot{xml: regexp.MustCompile(`<` + name + `\b`)} }

// inItem is the place of an MSBuild item.
func inItem(kind, name string) spot {
	return spot{xml: regexp.MustCompile(`<` + kind + `\s[^>]*\b(?:Include|Update)\s*=\s*"` + regexp.QuoteMeta(name) + `"`)}
}

// where returns the first of spots that sets the value. If none does, it returns the place where the spec would set it.
func (r *run) where(a *App, spots ...spot) place {
	for _, s := range spots {
		if s.xml == nil {
			if key, ok := r.key(a, s.key); ok {
				return r.inSpec(key)
			}
			continue
		}
		if a.Project == nil {
			continue
		}
		if p, ok := r.inProject(a, a.Project.Path, s.xml); ok {
			return p
		}
	}
	for _, s := range spots {
		if s.key != "" {
			return r.inSpec(a.Prefix + s.key)
		}
	}
	return r.inSpec(a.Prefix + "project")
}

// inProject finds what pattern matches in a project of an app, or in files above it. It skips the project of a
// file-based app, because crosshull makes that project and the user cannot edit it.
func (r *run) inProject(a *App, project string, pattern *regexp.Regexp) (place, bool) {
	name, offset, ok := r.Files.Find(project, pattern)
	if !ok || project == "" || name == project && path.Ext(a.Spec.Project) == ".cs" {
		return place{}, false
	}
	return at(Source{name, r.Files[name]}, offset), true
}
