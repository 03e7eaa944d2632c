package frontend

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

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// convertLLB is the graph of the image of the first platform. It depends on what publish leaves, so that is built.
func (e *entrypoint) convertLLB(ctx context.Context) (*convertllb.Result, error) {
	chosen, kind, err := e.choose()
	if err != nil {
		return nil, err
	}
	if kind != targetImage {
		return nil, fmt.Errorf("convertllb is for images: target %s is none", e.bc.Target)
	}
	b, err := newBuild(ctx, chosen)
	if err != nil {
		return nil, err
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	images, err := b.platformImages(ctx)
	if err != nil {
		return nil, err
	}
	def := images[0].def
	converted := &convertllb.Result{Def: map[digest.Digest]*pb.Op{}, Metadata: def.Metadata, Source: def.Source}
	err = eachOp(def, func(dgst digest.Digest, op *pb.Op) { converted.Def[dgst] = op })
	return converted, err
}

// eachOp visits the vertices of a graph, each after its inputs.
func eachOp(def *llb.Definition, visit func(digest.Digest, *pb.Op)) error {
	for _, dt := range def.Def {
		op := &pb.Op{}
		if err := op.UnmarshalVT(dt); err != nil {
			return fmt.Errorf("decode LLB: %w", err)
		}
		visit(digest.FromBytes(dt), op)
	}
	return nil
}

// drawGraph answers --call=graph.
func drawGraph(ctx context.Context, e *entrypoint) (*answer, error) {
	all, err := e.learnAll(ctx)
	if err != nil {
		return nil, err
	}
	g := &plan.Graph{}
	for _, k := range all {
		for _, n := range k.app.Closure {
			g.Project(n.Path, n.References)
		}
		if err := k.draw(ctx, g); err != nil {
			return nil, err
		}
	}
	dt, err := text(g.WriteText)
	if err != nil {
		return nil, err
	}
	return marshalAnswer(dt, g)
}

// draw adds the steps of the app that execute something, and its images.
func (k *known) draw(ctx context.Context, g *plan.Graph) error {
	restored, rids, err := k.restore()
	if err != nil {
		return err
	}
	compression := k.graph.Assets.Compression(k.app)
	forRIDs := []string{""}
	if k.app.Mode.PerPlatform() {
		forRIDs = rids
	}
	published := map[string][]string{} // by runtime identifier
	add := func(rid string, st llb.State, err error) error {
		if err != nil {
			return err
		}
		def, err := k.marshal(ctx, st)
		if err != nil {
			return err
		}
		step, err := steps(def, g)
		if err == nil && !slices.Contains(published[rid], step) {
			published[rid] = append(published[rid], step)
		}
		return err
	}
	for _, rid := range forRIDs {
		st, err := k.graph.Publish(k.app, restored, rid, compression)
		if err := add(rid, st, err); err != nil {
			return err
		}
	}
	var shared []func(rid string) error
	if compression == dotnet.CompressBeside {
		shared = append(shared, func(rid string) error {
			st, err := k.graph.StaticAssets(k.app, restored)
			return add(rid, st, err)
		})
	}
	if k.app.Mode.Launchers() {
		shared = append(shared, func(rid string) error {
			st, err := k.graph.AppHosts(k.app, restored, rids)
			return add(rid, st, err)
		})
	}
	for _, f := range shared {
		for _, rid := range forRIDs {
			if err := f(rid); err != nil {
				return err
			}
		}
	}
	for i, p := range k.targets {
		rid := ""
		if k.app.Mode.PerPlatform() {
			rid = k.rids[i]
		}
		name := strings.TrimSpace(k.appName+" image ") + " " + platforms.Format(platforms.Normalize(p))
		g.Step(name, append(slices.Clone(published[rid]), k.base.images[i].name))
	}
	return nil
}

// steps adds the vertices of a graph that execute something, with those that they wait for, however far away. The last of
// them is returned.
func steps(def *llb.Definition, g *plan.Graph) (last string, err error) {
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
