package graph

import (
	"slices"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// publish adds the step that published for a runtime identifier, followed by the commands of publish.after. They run
// once, or once for each platform if they use what differs.
func (g *Graph) publish(p *plan.Plan, rid string, published llb.State) error {
	vars := p.Request.PlatformVars()
	after := p.Request.Spec.Publish.After
	if len(after) == 0 || p.Further() { // they change only what the app of the target publishes
		g.Published = append(g.Published, Published{rid, published})
		return nil
	}
	add := func(key string, env []dotnet.KeyValue) error {
		if slices.ContainsFunc(g.Published, func(other Published) bool { return other.Key == key }) {
			return nil
		}
		st, err := g.Builder.After(p.App, g.Restored, published, p.Request.Commands(after), env)
		g.Published = append(g.Published, Published{key, st})
		return err
	}
	if len(vars) == 0 {
		return add(rid, nil)
	}
	for _, t := range p.Targets {
		if p.PublishRID(t) != rid {
			continue
		}
		if err := add(p.PublishKey(t), request.PlatformEnv(vars, t.Platform, t.RID)); err != nil {
			return err
		}
	}
	return nil
}
