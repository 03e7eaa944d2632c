// Package result is the last stage of a build: the result of a target.
//
// Contract: each function takes a plan, or the facts about tests, solves the steps, and gives the result that BuildKit
// exports: images with their attestations and report, or files. Errors of steps have the text of the compiler, NuGet or
// the tests. This stage makes no decision of the plan again. When it knows the frameworks of the app, it asks the plan
// for the base that they need.
package result

import (
	"context"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/graph"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
)

// Build gives the result of the target of a plan.
func Build(ctx context.Context, p *plan.Plan) (*client.Result, error) {
	if p.Request.Target.Kind == spec.TargetSDK {
		return workspace(ctx, p)
	}
	g, err := graph.Make(p, p.Compression)
	if err != nil {
		return nil, err
	}
	switch p.Request.Target.Kind {
	case spec.TargetPublish:
		return files(ctx, p, g)
	case spec.TargetSBOM:
		return documents(ctx, p, g)
	}
	return images(ctx, p, g)
}

// image is the image of a platform, not yet solved.
type image struct {
	plan.Target
	state  llb.State
	layers []layer
	// removed are the files of the base that the spec removes.
	removed []string
}

// built is the images, and the steps that they are made of.
type built struct {
	plan   *plan.Plan // with the base that the images are on
	images []image
	steps  []made
	tests  []report.Tests
	graph  *xllb.Restored
}

// images builds the image of every platform.
func images(ctx context.Context, p *plan.Plan, g *graph.Graph) (*client.Result, error) {
	eg, egctx := gateway.Group(ctx)
	var b *built
	eg.Go(func() (err error) {
		b, err = assemble(egctx, p, g)
		return err
	})
	var sbom *bill
	var packages []installation
	var refused error
	eg.Go(func() error {
		packages, refused = install(egctx, p)
		if p.App.InferredBase == "" {
			return refused
		}
		return nil // the app may turn out to need another base: see plan.ForFrameworks
	})
	if p.Request.Gateway.SBOM != nil {
		eg.Go(func() (err error) {
			sbom, err = newBill(egctx, p, g)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	if b.plan.Targets[0].Base.Name != p.Targets[0].Base.Name {
		packages, refused = install(ctx, b.plan)
	}
	if refused != nil {
		return nil, refused
	}
	p = b.plan
	gw := p.Request.Gateway
	rb, err := gw.Build(
		ctx,
		func(ctx context.Context, _ *ocispecs.Platform, idx int) (_ *dockerui.BuildResult, err error) {
			defer gateway.Recover(&err)
			img := b.images[idx]
			ref, err := gw.Solve(ctx, img.state)
			if err != nil {
				return nil, err
			}
			return &dockerui.BuildResult{
				Reference: ref, Image: img.Config.Image, BaseImage: img.Base.Config, Epoch: p.Epoch,
			}, nil
		},
	)
	if err != nil {
		return nil, err
	}
	annotate(rb, p)
	if sbom != nil {
		if err := sbom.attest(ctx, rb, p, b.images); err != nil {
			return nil, err
		}
	}
	if err := addReport(ctx, rb, p, b, packages); err != nil {
		// The images are there, and the report only tells of them.
		p.Request.Warn(ctx, err.Error())
	}
	return rb.Finalize()
}

// assemble publishes, runs the tests that images wait for, and puts the images together.
func assemble(ctx context.Context, p *plan.Plan, g *graph.Graph) (*built, error) {
	if err := findFiles(ctx, p); err != nil {
		return nil, err
	}
	eg, egctx := gateway.Group(ctx)
	var tests []report.Tests
	if p.Request.Spec.Tests.Gate {
		eg.Go(func() (err error) {
			_, tests, err = runTests(egctx, p.Request, p.Facts)
			return err
		})
	}
	var out *published
	eg.Go(func() (err error) {
		out, err = publish(egctx, p, g)
		return err
	})
	var known *plan.Plan
	eg.Go(func() (err error) {
		known, err = p.WithUsers(egctx)
		return p.Request.DiagnosePackages(ctx, err) // a base with OS packages has their users
	})
	var entries [][]xllb.Entry
	eg.Go(func() (err error) {
		entries, err = allEntries(egctx, p, g.Builder)
		return err
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	on, err := out.onBase(ctx, p)
	switch {
	case err != nil:
		return nil, err
	case on == p:
		p = known
	default: // another base
		if p, err = on.WithUsers(ctx); err != nil {
			return nil, err
		}
	}
	imgs, err := out.images(ctx, p, entries)
	return &built{p, imgs, out.steps(), tests, &out.graph.Restored}, err
}

// images puts the image of every platform together. entries are the files of the spec, for each of them.
func (out *published) images(ctx context.Context, p *plan.Plan, entries [][]xllb.Entry) ([]image, error) {
	layers := make([][]layer, len(p.Targets))
	for i, t := range p.Targets {
		layers[i] = out.all(p, t)
	}
	under, err := grounds(ctx, p, layers)
	if err != nil {
		return nil, err
	}
	all := make([]image, len(p.Targets))
	eg, ctx := gateway.Group(ctx)
	for i, t := range p.Targets {
		eg.Go(func() (err error) {
			s := &site{plan: p, Target: t, builder: out.graph.Builder, layers: layers[i], entries: entries[i]}
			for j, f := range t.Spec.Files { // with the numbers of owners
				s.entries[j].File = f
			}
			all[i], err = s.image(ctx, under[i])
			return err
		})
	}
	return all, eg.Wait()
}

// FirstImage is the graph of the image of the first platform. It depends on the published files, so FirstImage
// publishes.
func FirstImage(ctx context.Context, p *plan.Plan) (*llb.Definition, error) {
	g, err := graph.Make(p, p.Compression)
	if err != nil {
		return nil, err
	}
	b, err := assemble(ctx, p, g)
	if err != nil {
		return nil, err
	}
	return p.Request.Gateway.Marshal(ctx, b.images[0].state)
}

// checkSources checks that the client can read all sources.
func checkSources(ctx context.Context, req *request.Request, f *facts.Facts, b *xllb.Builder) error {
	return req.Locate("project", f.Tree.Check(ctx, b.SourcePart(), b.SourceReads()...))
}

// annotate puts the annotations of every image on its manifest. The index gets none unless the spec asks for them: if
// several nodes build, buildx makes the index without annotations of the frontend, and its digest would differ from
// that of one node. An annotation that is the same for all images names no platform. So --annotation with a platform
// wins over it in BuildKit.
func annotate(rb *dockerui.ResultBuilder, p *plan.Plan) {
	multi := p.Request.Gateway.MultiPlatformRequested
	for _, t := range p.Targets {
		n := platforms.Normalize(t.Platform)
		for k, v := range t.Config.Annotations {
			of := &n
			if !multi || p.SameAnnotation(k) {
				of = nil
			}
			rb.AddMeta(exptypes.AnnotationManifestKey(of, k), []byte(v))
		}
	}
	if !p.Request.Spec.Image.AnnotateIndex || !multi {
		return
	}
	first := p.Targets[0]
	for k, v := range first.Config.Annotations {
		if k == ocispecs.AnnotationBaseImageDigest { // the index of the base has another digest than its manifests
			if first.Base.Pinned == nil {
				continue
			}
			v = first.Base.Pinned.Digest().String()
		}
		rb.AddMeta(exptypes.AnnotationIndexKey(k), []byte(v))
	}
}
