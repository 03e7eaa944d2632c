package call

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/scaffold"
	"github.com/crosshull/crosshull/frontend/tree"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Limits on the Dockerfiles that init reads.
const (
	maxDockerfiles     = 100
	maxDockerfileBytes = 1 << 20
)

// scaffoldSpec answers --call=init: a first spec for the context. It ignores the spec that is there.
func scaffoldSpec(ctx context.Context, req *request.Request) (*answer, error) {
	asker, err := asker(ctx, req.Default())
	if err != nil {
		return nil, err
	}
	descs, _, err := asker.Ask(ctx, []facts.Question{{Project: asker.Project, Key: "project"}})
	if err != nil {
		return nil, err
	}
	found := scaffold.Found{Syntax: req.Frontend()}
	for _, c := range descs[0].Candidates {
		switch c.Kind {
		case "test":
			found.Tests = append(found.Tests, c.Path)
		case "app":
			found.Apps = append(found.Apps, scaffold.App{
				Path: c.Path, Frameworks: c.Frameworks, CrossTargeting: c.CrossTargeting,
			})
		default:
			found.Libraries++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(asker.Tree.Files)) {
		if dotnet.IsSolution(name) {
			found.Solutions = append(found.Solutions, name)
		}
	}
	if pin := asker.SDK.Pin; pin != nil {
		found.GlobalJSON = strings.TrimSpace(pin.Version + " " + pin.RollForward)
	}
	found.FeedVariables, found.Feeds = dotnet.FeedsOf(asker.Tree.Files)
	if found.Dockerfiles, err = dockerfiles(ctx, asker.Tree); err == nil && len(found.Dockerfiles) == 0 {
		found.Dockerfiles, err = ignoredDockerfiles(ctx, req.Gateway, found.Apps)
	}
	if err != nil {
		return nil, err
	}
	text := scaffold.Spec(found)
	return marshalAnswer(text, map[string]string{"spec": string(text)})
}

// ignoredDockerfiles reads the Dockerfiles of a context whose .dockerignore excludes them, as that of Visual Studio
// does: Docker needs none in the context. They are in its folder, or beside an app.
func ignoredDockerfiles(ctx context.Context, gw *gateway.Client, apps []scaffold.App) ([]scaffold.Dockerfile, error) {
	local, err := gw.Local(ctx)
	if err != nil || local == nil {
		return nil, err
	}
	names := []string{"Dockerfile"}
	for _, app := range apps {
		if name := path.Join(path.Dir(app.Path), "Dockerfile"); !slices.Contains(names, name) && len(names) < maxDockerfiles {
			names = append(names, name)
		}
	}
	load := gateway.Transfer{Name: "load Dockerfiles", Hint: "Dockerfiles"}
	for _, name := range names {
		load.Include = append(load.Include, gateway.ClientPattern(name))
	}
	ref, err := gw.Evaluate(ctx, local.All().State(load))
	if err != nil {
		return nil, err
	}
	var found []scaffold.Dockerfile
	for _, name := range names {
		dt, err := gateway.ReadRef(ctx, ref, name)
		if gateway.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if len(dt) <= maxDockerfileBytes {
			found = append(found, scaffold.ReadDockerfile(name, dt))
		}
	}
	return found, nil
}

// dockerfiles reads the Dockerfiles of a context.
func dockerfiles(ctx context.Context, t *tree.Tree) ([]scaffold.Dockerfile, error) {
	var names []string
	for _, n := range t.Names {
		if scaffold.IsDockerfile(n.Path) && n.Mode.IsRegular() && n.Size <= maxDockerfileBytes &&
			len(names) < maxDockerfiles {
			names = append(names, n.Path)
		}
	}
	t, err := t.With(ctx, names)
	if err != nil {
		return nil, err
	}
	var found []scaffold.Dockerfile
	for _, name := range names {
		found = append(found, scaffold.ReadDockerfile(name, t.Files[name]))
	}
	return found, nil
}
