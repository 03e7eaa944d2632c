// Package graph is the fifth stage of a build: the steps of a plan.
//
// Contract: pure. [Make] gives all steps of a plan that restore, publish or make launchers, as LLB. Package llb makes
// each step. Make solves nothing, so a call can draw the same graph that a build runs.
package graph

import (
	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Graph is the steps of a plan.
type Graph struct {
	Plan *plan.Plan
	// Also are the steps of plan.Also.
	Also     []*Graph
	Builder  *xllb.Builder
	Restored xllb.Restored
	// Published are the steps that publish, one for each [plan.Plan.PublishKey].
	Published []Published
	// Assets makes the static web assets; nil if publish makes them.
	Assets *llb.State
	// Launchers makes the launchers of all platforms; nil if the mode has none.
	Launchers *llb.State
}

// Published is a step that publishes.
type Published struct {
	// Key is that of [plan.Plan.PublishKey]. It is empty if all platforms share one publish.
	Key   string
	State llb.State
}

// All are the graph itself and those of Also.
func (g *Graph) All() []*Graph { return append([]*Graph{g}, g.Also...) }

// Make gives the steps of a plan; none for an image of files alone. compression is used in place of that of the plan.
func Make(p *plan.Plan, compression dotnet.Compression) (*Graph, error) {
	g := &Graph{Plan: p, Builder: p.Builder()}
	for _, also := range p.Also {
		steps, err := Make(also, also.Compression)
		if err != nil {
			return nil, err
		}
		g.Also = append(g.Also, steps)
	}
	if p.App.None() {
		return g, nil
	}
	var err error
	if g.Restored, err = g.Builder.Restore(p.Group(p.App), p.RestoreRIDs()); err != nil {
		return nil, err
	}
	for _, rid := range p.PublishRIDs() {
		st, err := g.Builder.Publish(p.App, g.Restored, rid, compression)
		if err != nil {
			return nil, err
		}
		if err := g.publish(p, rid, st); err != nil {
			return nil, err
		}
	}
	if compression == dotnet.CompressBeside {
		st, err := g.Builder.StaticAssets(p.App, g.Restored)
		if err != nil {
			return nil, err
		}
		g.Assets = &st
	}
	if p.App.Mode.Launchers() {
		st, err := g.Builder.AppHosts(p.App, g.Restored, p.RIDs())
		if err != nil {
			return nil, err
		}
		g.Launchers = &st
	}
	return g, nil
}
