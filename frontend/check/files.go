package check

import (
	"bytes"
	"path"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// whereSDK is the place that decides the SDK: global.json has its version where the spec says nothing.
func (r *run) whereSDK(a *App) place {
	for _, key := range []string{"sdk.image", "sdk.version"} {
		if r.Spec.Has(key) {
			return r.inSpec(key)
		}
	}
	if file, g := r.globalJSON(a); g != nil && g.Ignored == "" {
		return file
	}
	return r.inSpec("sdk")
}

// globalJSON reads the global.json of an app, and gives the place in it that g is about. g is nil if there is none, or
// none that is about the SDK.
func (r *run) globalJSON(a *App) (file place, g *dotnet.GlobalJSON) {
	name := dotnet.NearestGlobalJSON(r.Files, a.Spec.Project)
	if name == "" {
		return place{}, nil
	}
	if g = dotnet.ParseGlobalJSON(r.Files[name]); g == nil {
		return place{}, nil
	}
	return place{Source{name, r.Files[name]}, spec.Range{Start: g.Line, End: g.Line}}, g
}

func ignoredGlobalJSON(r *run, a *App) {
	if file, g := r.globalJSON(a); g != nil && g.Ignored != "" {
		r.warn(file, "the SDK ignores this file: %s", g.Ignored)
	}
}

// missingProject looks at the projects of a solution. Those that are not in the context are left out of the build.
func missingProject(r *run, a *App) {
	solution := a.Spec.Project
	if !dotnet.IsSolution(solution) {
		return
	}
	if a.Project == nil || len(a.Project.Missing) == 0 {
		return
	}
	dt, missing := r.Files[solution], a.Project.Missing
	r.warn(
		at(Source{solution, dt}, max(bytes.Index(dt, []byte(path.Base(missing[0]))), 0)),
		"these projects of the solution are not in the context, and so are not built: %s. Look at .dockerignore, and at "+
			"upper and lower case",
		strings.Join(missing, ", "),
	)
}
