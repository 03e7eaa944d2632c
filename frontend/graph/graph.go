// Package graph is the fifth stage of a build: the steps of a plan.
//
// Contract: pure. [Make] gives every step that restores, publishes or makes launchers for a plan, as LLB; package llb
// knows what a step is. Nothing is solved, so a call can draw the graph and a build can run it: both have the same.
package graph

import (
	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Graph is the steps of a plan.
type Graph struct {
	Builder  *xllb.Builder
	Restored xllb.Restored
	// Published are the steps that publish, one for each of [plan.Plan.PublishRIDs].
	Published []Published
	// Assets makes the static web assets beside publish; nil where publish makes them.
	Assets *llb.State
	// Launchers makes those of all platforms; nil where the mode has none.
	Launchers *llb.State
}

// Published publishes for a runtime identifier, which is empty where all platforms share what is published.
type Published struct {
	RID   string
	State llb.State
}

// Make gives the steps of a plan. compression is the plan's, or what takes its place.
func Make(p *plan.Plan, compression dotnet.Compression) (*Graph, error) {
	g := &Graph{Builder: p.Builder()}
	var err error
	if g.Restored, err = g.Builder.Restore(p.Group(p.App), p.RestoreRIDs()); err != nil {
		return nil, err
	}
	for _, rid := range p.PublishRIDs() {
		st, err := g.Builder.Publish(p.App, g.Restored, rid, compression)
		if err != nil {
			return nil, err
		}
		g.Published = append(g.Published, Published{rid, st})
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
