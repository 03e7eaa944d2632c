package facts

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// entry is an entry of publish.also of the target, and the question about it.
type entry struct {
	spec.Also
	key      string
	question int
}

// alsoQuestions are about the projects of publish.also: those of all apps, so that each target asks the same. own are
// the entries of the target.
func (a *Asker) alsoQuestions() (questions []Question, own []entry, err error) {
	asked := map[string]int{}
	add := func(app *spec.App, prefix string) (entries []entry, err error) {
		for i, also := range app.Publish.Also {
			key := fmt.Sprintf("publish.also.%d", i)
			if a.req.Spec.Has(prefix + key) {
				key = prefix + key
			}
			if also.Project == spec.NoProject || path.Ext(also.Project) == ".cs" {
				err := fmt.Errorf("%s has no project file, which publish.also needs: name a project, its folder or its solution",
					also.Project)
				return nil, a.req.At(key+".project", err)
			}
			id := strings.Join(append(also.Mode, also.Project, also.Framework), " ")
			if _, ok := asked[id]; !ok {
				p, err := a.req.AlsoOf(app, also, key)
				if err != nil {
					return nil, err
				}
				asked[id] = len(questions)
				questions = append(questions, Question{p, key + ".project"})
			}
			entries = append(entries, entry{also, key, asked[id]})
		}
		return entries, nil
	}
	s := a.req.Spec
	if len(s.Apps) == 0 || path.Ext(s.Project) == ".cs" {
		own, err = add(&s.App, a.req.Target.Prefix)
		return questions, own, err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Apps)) {
		if !a.together(s.Apps[name]) {
			continue
		}
		entries, err := add(s.Apps[name], "apps."+name+".")
		if err != nil {
			return nil, nil, err
		}
		if name == a.req.Target.App {
			own = entries
		}
	}
	return questions, own, nil
}

// also gives the apps of entries, for the image of app. described are the answers to the questions.
func (a *Asker) also(app *dotnet.App, entries []entry, described []*dotnet.App) ([]Also, error) {
	all := make([]Also, len(entries))
	for i, e := range entries {
		other := described[e.question]
		// It is put on the base of app, so both have the same runtime identifiers.
		other.BaseImage, other.InferredBase = app.BaseImage, app.InferredBase
		all[i] = Also{App: other, To: path.Clean(e.To), Key: e.key}
		if len(e.Mode) > 0 {
			all[i].Mode = &other.Mode
		}
		if other.Path == app.Path || slices.ContainsFunc(all[:i], func(b Also) bool { return b.App.Path == other.Path }) {
			return nil, a.req.At(e.key+".project", fmt.Errorf("%s is in the image already: name each project once", other.Path))
		}
		if err := apart(app, all[:i], all[i].To); err != nil {
			return nil, a.req.At(e.key+".to", err)
		}
	}
	return all, nil
}

// apart gives an error if a folder is not apart from the folders of app and of others.
func apart(app *dotnet.App, others []Also, to string) error {
	taken := map[string]string{xllb.AppDir(app): app.Path}
	for _, other := range others {
		taken[other.To] = other.App.Path
	}
	for _, folder := range slices.Sorted(maps.Keys(taken)) {
		if xllb.Within(folder, to) || xllb.Within(to, folder) {
			return fmt.Errorf("%s overlaps with %s, the folder of %s: choose another folder", to, folder, taken[folder])
		}
	}
	return nil
}
