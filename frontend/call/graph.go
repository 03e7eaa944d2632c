package call

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/frontend/graph"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/result"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// convertLLB is the graph of the image of the first platform. It depends on the published files, so this call
// publishes.
func convertLLB(ctx context.Context, req *request.Request) (*convertllb.Result, error) {
	chosen, err := req.Choose()
	if err != nil {
		return nil, err
	}
	if chosen.Target.Kind != spec.TargetImage {
		return nil, fmt.Errorf("--call=convertllb works for images, and target %s is none: name an app or image in --target",
			req.Gateway.Target)
	}
	asker, err := asker(ctx, chosen)
	if err != nil {
		return nil, err
	}
	p, err := planOf(ctx, chosen, asker)
	if err != nil {
		return nil, err
	}
	def, err := result.FirstImage(ctx, p)
	if err != nil {
		return nil, err
	}
	converted := &convertllb.Result{Def: map[digest.Digest]*pb.Op{}, Metadata: def.Metadata, Source: def.Source}
	err = eachOp(def, func(dgst digest.Digest, op *pb.Op) { converted.Def[dgst] = op })
	return converted, err
}

// eachOp visits the vertices of a graph. Inputs come first.
func eachOp(def *llb.Definition, visit func(digest.Digest, *pb.Op)) error {
	for _, dt := range def.Def {
		op := &pb.Op{}
		if err := op.UnmarshalVT(dt); err != nil {
			return dotnet.Bug(fmt.Errorf("decode LLB: %w", err))
		}
		visit(digest.FromBytes(dt), op)
	}
	return nil
}

// drawGraph answers --call=graph.
func drawGraph(ctx context.Context, req *request.Request) (*answer, error) {
	all, err := plans(ctx, req)
	if err != nil {
		return nil, err
	}
	g := &report.Graph{}
	for _, p := range all {
		for _, of := range p.All() {
			for _, n := range of.App.Closure {
				g.Project(n.Path, n.References)
			}
		}
		if err := draw(ctx, p, g); err != nil {
			return nil, err
		}
	}
	dt, err := text(g.WriteText)
	if err != nil {
		return nil, err
	}
	return marshalAnswer(dt, g)
}

// draw adds the images of an app and the steps that execute something.
func draw(ctx context.Context, p *plan.Plan, into *report.Graph) error {
	g, err := graph.Make(p, p.Compression)
	if err != nil {
		return err
	}
	add := func(st llb.State) (string, error) {
		def, err := p.Request.Gateway.Marshal(ctx, st)
		if err != nil {
			return "", err
		}
		return steps(def, into)
	}
	var shared []string                // steps that all images wait for
	published := map[string][]string{} // by platform
	for _, of := range g.All() {
		for _, step := range of.Published {
			name, err := add(step.State)
			if err != nil {
				return err
			}
			for _, t := range of.Plan.Targets {
				if p := platforms.FormatAll(t.Platform); step.Key == of.Plan.PublishKey(t) {
					published[p] = append(published[p], name)
				}
			}
		}
		for _, st := range []*llb.State{of.Assets, of.Launchers} {
			if st == nil {
				continue
			}
			step, err := add(*st)
			if err != nil {
				return err
			}
			shared = append(shared, step)
		}
	}
	for _, t := range p.Targets {
		name := strings.TrimSpace(p.Request.Target.App+" image ") + " " + platforms.Format(platforms.Normalize(t.Platform))
		base := t.Base.Name
		if t.Packages != nil {
			if base, err = add(t.Base.State); err != nil {
				return err
			}
		}
		after := slices.Concat(published[platforms.FormatAll(t.Platform)], shared, []string{base})
		if image := t.Spec.Image; len(image.Users)+len(image.Groups) > 0 {
			users := "users of " + name
			into.Step(users, []string{base})
			after = append(after, users)
		}
		into.Step(name, after)
	}
	return nil
}

// steps adds the vertices of a graph that execute something, and which of them wait for which. It skips the vertices
// between them, and returns the last one that executes something.
func steps(def *llb.Definition, g *report.Graph) (last string, err error) {
	before := map[digest.Digest][]string{} // the nearest steps that a vertex waits for
	err = eachOp(def, func(dgst digest.Digest, op *pb.Op) {
		var waits []string
		for _, in := range op.Inputs {
			for _, name := range before[digest.Digest(in.Digest)] {
				if !slices.Contains(waits, name) {
					waits = append(waits, name)
				}
			}
		}
		name := def.Metadata[dgst].Description["llb.customname"]
		if op.GetExec() != nil {
			g.Step(name, waits)
			waits, last = []string{name}, name
		}
		if src := op.GetSource(); src != nil && strings.HasPrefix(src.Identifier, "docker-image://") {
			image, _, _ := strings.Cut(strings.TrimPrefix(src.Identifier, "docker-image://"), "@")
			waits = []string{image}
		}
		before[dgst] = waits
	})
	return last, err
}
