package result

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/graph"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// published has the results of the steps that publish.
type published struct {
	graph *graph.Graph
	apps  map[string]made // by [graph.Published.Key]
	// assets is the step that made static web assets; nil if publish made them.
	assets *made
	// asked is the step that asked what packages read; nil if there was nothing to ask.
	asked *llb.State
	// also are the results for the plans of Also.
	also []*published
}

// made is the result of a step, and the step's report about it.
type made struct {
	step   string
	state  llb.State
	ref    client.Reference
	ended  time.Duration // after the beginning of the build
	report *dotnet.Report
	// frameworks are what the published app needs to start; nil if that is not known.
	frameworks []dotnet.Framework
}

// publish publishes all apps of a plan for all platforms concurrently. It takes most of the time, so its errors come
// before any image is put together. g has the steps of the plan.
func publish(ctx context.Context, p *plan.Plan, g *graph.Graph) (*published, error) {
	if p.App.None() {
		return &published{graph: g}, nil
	}
	if err := checkSources(ctx, p.Request, p.Facts, g.Builder); err != nil {
		return nil, err
	}
	groups := together(g)
	outs := make([][]*published, len(groups))
	eg, egctx := gateway.Group(ctx)
	for i, group := range groups {
		eg.Go(func() (err error) {
			outs[i], err = publishGroup(egctx, p, group)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(outs...)
	at := func(g *graph.Graph) *published {
		return all[slices.IndexFunc(all, func(out *published) bool { return out.graph.Plan == g.Plan })]
	}
	out := at(g)
	for _, also := range g.Also {
		out.also = append(out.also, at(also))
	}
	return out, nil
}

// together are the graphs of the apps of an image, by what is restored together.
func together(g *graph.Graph) [][]*graph.Graph {
	var groups [][]*graph.Graph
	for _, one := range g.All() {
		restored := func(group []*graph.Graph) bool {
			return slices.ContainsFunc(one.Plan.Group(group[0].Plan.App), one.Plan.App.Same)
		}
		if i := slices.IndexFunc(groups, restored); i >= 0 {
			groups[i] = append(groups[i], one)
		} else {
			groups = append(groups, []*graph.Graph{one})
		}
	}
	return groups
}

// publishGroup publishes apps of p that are restored together.
func publishGroup(ctx context.Context, p *plan.Plan, group []*graph.Graph) ([]*published, error) {
	outs := make([]*published, len(group))
	restored := p.Group(group[0].Plan.App)
	asked, err := beside(ctx, p.Request, p.Facts, restored, group[0].Restored, func(ctx context.Context) error {
		eg, egctx := gateway.Group(ctx)
		for i, g := range group {
			eg.Go(func() (err error) {
				outs[i], err = publishOnce(egctx, g.Plan, g)
				return err
			})
		}
		return eg.Wait()
	})
	for _, out := range outs {
		if err == nil {
			out.asked = asked
		}
	}
	return outs, err
}

// publishOnce publishes from the files that the projects are known to read.
func publishOnce(ctx context.Context, p *plan.Plan, g *graph.Graph) (*published, error) {
	out, err := run(ctx, p, g)
	if err != nil || out.assets == nil {
		return out, err
	}
	for _, app := range out.apps {
		if !app.report.SameAssets(out.assets.report) {
			// The build has made assets that the assets step did not see.
			if g, err = graph.Make(p, dotnet.CompressBefore); err != nil {
				return nil, err
			}
			return run(ctx, p, g)
		}
	}
	return out, nil
}

func run(ctx context.Context, p *plan.Plan, g *graph.Graph) (*published, error) {
	of := ""
	if p.Further() {
		of = " " + p.App.Path
	}
	steps := make([]made, len(g.Published), len(g.Published)+1)
	for i, step := range g.Published {
		steps[i] = made{step: strings.TrimSpace(xllb.PhasePublish + of + " " + step.Key), state: step.State}
	}
	if g.Assets != nil {
		steps = append(steps, made{step: "assets" + of, state: *g.Assets})
	}
	eg, egctx := gateway.Group(ctx)
	for i := range steps {
		eg.Go(func() error {
			file, err := p.Request.Gateway.ReadFile(egctx, steps[i].state, dotnet.ReportFile)
			if err != nil {
				return p.Request.Diagnose(ctx, err, p.Tree.Files)
			}
			steps[i].ref, steps[i].ended = file.Ref, time.Since(p.Request.Begun)
			if steps[i].report, err = dotnet.ParseReport(file.Data); err != nil {
				return err
			}
			steps[i].frameworks, err = frameworks(egctx, file.Ref)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	out := &published{graph: g, apps: map[string]made{}}
	for i, step := range g.Published {
		out.apps[step.Key] = steps[i]
	}
	if g.Assets != nil {
		out.assets = &steps[len(steps)-1]
	}
	return out, nil
}

// frameworks reads what a published app needs to start. A file that we cannot read tells nothing.
func frameworks(ctx context.Context, ref client.Reference) ([]dotnet.Framework, error) {
	dt, err := gateway.ReadRef(ctx, ref, dotnet.RuntimeConfigFile)
	if gateway.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	needed, err := dotnet.ParseRuntimeConfig(dt)
	if err != nil {
		return nil, nil //nolint:nilerr // the host may read what we cannot
	}
	return needed, nil
}

// steps are the steps that published, cached or not.
func (out *published) steps() []made {
	var all []made
	for _, step := range out.graph.Published {
		all = append(all, out.apps[step.Key])
	}
	if out.assets != nil {
		all = append(all, *out.assets)
	}
	for _, also := range out.also {
		all = append(all, also.steps()...)
	}
	return all
}

// layer is a layer of an image, and where its files come from.
type layer struct {
	report.Layer
	made    llb.State        // has folders
	from    client.Reference // made; nil if nobody reads it
	folders []string
	dir     string     // of the app that it belongs to
	asked   *llb.State // [published.asked] of the app
	edit    xllb.Edit  // what the spec changes of it
}

// state is the layer of an image.
func (l layer) state(b *xllb.Builder) llb.State {
	return b.Layer(l.Name, l.made, l.asked, l.dir, l.edit, l.folders...)
}

// all are the layers of all apps of an image. Those of the app of p are the last, as they change most often.
func (out *published) all(p *plan.Plan, t plan.Target) []layer {
	var all []layer
	for _, also := range out.also {
		of := also.graph.Plan
		all = append(all, also.layers(of, of.For(t.Platform))...)
	}
	return append(all, out.layers(p, t)...)
}

// layers are the layers of an app that the plan lists and that have files.
func (out *published) layers(p *plan.Plan, t plan.Target) []layer {
	app := out.apps[p.PublishKey(t)]
	var layers []layer
	for _, l := range t.Layers {
		from, folders, shared := app, l.Folders, l.Shared
		switch {
		case l.Maker == plan.ByFiles, l.Maker == plan.ByUsers, l.Maker == plan.ByPackages:
			continue // the caller adds it
		case l.Maker == plan.ByLaunchers:
			from = made{state: *out.graph.Launchers}
		case l.Name == dotnet.LayerRuntimes:
			folders = slices.DeleteFunc(slices.Clone(folders), func(folder string) bool {
				return !slices.Contains(app.report.Runtimes, strings.TrimPrefix(folder, dotnet.LayerRuntimes+"/"))
			})
			if len(folders) == 0 {
				continue
			}
		case !slices.Contains(app.report.Layers, l.Name):
			continue
		case l.Maker == plan.ByAssets && out.assets != nil:
			from = *out.assets
		case l.Maker == plan.ByAssets: // publish has made the assets after all
			shared = !p.App.Mode.PerPlatform()
		}
		told := report.Layer{Name: l.Name, Shared: shared}
		if p.Further() {
			told.To = p.Dir
		}
		layers = append(layers, layer{
			Layer: told, made: from.state, from: from.ref, folders: folders, dir: p.Dir, asked: out.asked,
		})
	}
	return layers
}

// placed are the layers of apps, in their places on a base.
func placed(b *xllb.Builder, layers []layer, ground xllb.Ground) []xllb.Layer {
	put := make([]xllb.Layer, len(layers))
	for i, l := range layers {
		put[i] = xllb.AppLayer(l.state(b), l.dir, ground)
	}
	return put
}

// places are files of the spec, with the folders of further apps: all that the image gets outside of the folder of its
// app.
func places(p *plan.Plan, files []spec.File) []spec.File {
	all := slices.Clone(files)
	for _, also := range p.Also {
		all = append(all, spec.File{To: also.Dir})
	}
	return all
}
