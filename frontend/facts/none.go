package facts

import (
	"context"
	"maps"
	"path"
	"slices"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// none gives the facts about an image of files alone. MSBuild is asked only about tests that the image waits for.
func (a *Asker) none(ctx context.Context) (*Facts, error) {
	for _, name := range slices.Sorted(maps.Keys(a.Tree.Files)) {
		if path.Dir(name) == spec.NoProject && dotnet.IsProject(name) {
			a.req.Warn(ctx, "project: none compiles nothing: to build "+name+", write project: ./none")
		}
	}
	f := &Facts{Asker: a, App: dotnet.FilesAlone(a.req.Spec.Base.Image)}
	if !a.req.Spec.Tests.Gate {
		return f, nil
	}
	var err error
	f.Tests, f.Answer, err = a.describe(ctx, a.testQuestions())
	return f, err
}
