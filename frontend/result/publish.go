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
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// published has the results of the steps that publish.
type published struct {
	graph *graph.Graph
	apps  map[string]made // by runtime identifier
	// assets is the step that made static web assets; nil if publish made them.
	assets *made
	// asked is the step that asked what packages read; nil if there was nothing to ask.
	asked *llb.State
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

// publish publishes for all platforms concurrently. It takes most of the time, so its errors come before any image is
// put together. g has the steps of the plan.
func publish(ctx context.Context, p *plan.Plan, g *graph.Graph) (*published, error) {
	if p.App.None() {
		return &published{graph: g}, nil
	}
	if err := checkSources(ctx, p.Request, p.Facts, g.Builder); err != nil {
		return nil, err
	}
	var out *published
	asked, err := beside(ctx, p.Request, p.Facts, p.Group(p.App), g.Restored, func(ctx context.Context) (err error) {
		out, err = publishOnce(ctx, p, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	out.asked = asked
	return out, nil
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
	steps := make([]made, len(g.Published), len(g.Published)+1)
	for i, step := range g.Published {
		steps[i] = made{step: strings.TrimSpace(xllb.PhasePublish + " " + step.Key), state: step.State}
	}
	if g.Assets != nil {
		steps = append(steps, made{step: "assets", state: *g.Assets})
	}
	eg, egctx := gateway.Group(ctx)
	for i := range steps {
		eg.Go(func() error {
			file, err := p.Request.Gateway.ReadFile(egctx, steps[i].state, dotnet.ReportFile)
			if err != nil {
				return p.Request.Diagnose(ctx, err)
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
	return all
}

// layer is a layer of an image, and where its files come from.
type layer struct {
	report.Layer
	made    llb.State        // has folders
	from    client.Reference // made; nil if nobody reads it
	folders []string
	edit    xllb.Edit // what the spec changes of it
}

// state is the layer of an image with the app in dir. asked is [published.asked].
func (l layer) state(b *xllb.Builder, asked *llb.State, dir string) llb.State {
	return b.Layer(l.Name, l.made, asked, dir, l.edit, l.folders...)
}

// layers are the layers of an image that the plan lists and that have files.
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
		layers = append(layers, layer{
			Layer: report.Layer{Name: l.Name, Shared: shared}, made: from.state, from: from.ref, folders: folders,
		})
	}
	return layers
}

// placed are the layers of the app, in their places on a base. The app goes to dir. asked is [published.asked].
func placed(b *xllb.Builder, layers []layer, asked *llb.State, dir string, ground xllb.Ground) []xllb.Layer {
	put := make([]xllb.Layer, len(layers))
	for i, l := range layers {
		put[i] = xllb.AppLayer(l.state(b, asked, dir), dir, ground)
	}
	return put
}
