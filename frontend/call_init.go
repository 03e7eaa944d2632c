package frontend

import (
	"context"
	"strings"

	"github.com/crosshull/crosshull/frontend/scaffold"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Image is where the frontend will be published, and what `# syntax=` names.
const Image = "ghcr.io/crosshull/crosshull:1"

// scaffoldSpec answers --call=init: a spec for what is in the context, whatever its spec says now.
func scaffoldSpec(ctx context.Context, e *entrypoint) (*answer, error) {
	b, err := newBuild(ctx, &entrypoint{bc: e.bc, spec: &spec.Spec{}})
	if err != nil {
		return nil, err
	}
	descs, err := b.ask(ctx, []dotnet.Project{b.graph.Project})
	if err != nil {
		return nil, err
	}
	found := scaffold.Found{Syntax: Image}
	for _, c := range descs[0].Candidates {
		switch {
		case c.IsTest:
			found.Tests = append(found.Tests, c.Path)
		case c.IsApp:
			found.Apps = append(found.Apps, scaffold.App{Path: c.Path, Frameworks: c.Frameworks})
		default:
			found.Libraries++
		}
	}
	for _, name := range sortedKeys(b.projectFiles) {
		if dotnet.IsSolution(name) {
			found.Solutions = append(found.Solutions, name)
		}
	}
	if b.pin != nil {
		found.GlobalJSON = strings.TrimSpace(b.pin.Version + " " + b.pin.RollForward)
	}
	found.FeedVariables, found.Feeds = dotnet.FeedsOf(b.projectFiles)
	text := scaffold.Spec(found)
	return marshalAnswer(text, map[string]string{"spec": string(text)})
}
