package frontend

import (
	"context"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// layer is a layer of an image, and where its files come from.
type layer struct {
	plan.Layer
	state   llb.State
	from    client.Reference // nil: not known
	folders []string
}

// layers publishes, and gives the layers for each target. Publishing is the long part, so it is solved here, for all
// platforms side by side, and errors come before any image is put together.
func (b *build) layers(ctx context.Context, dir string) ([][]layer, error) {
	app := b.app
	rids := slices.Clone(b.rids)
	if !app.Mode.PerPlatform() {
		rids = []string{""} // one for all
	}
	slices.Sort(rids)
	rids = slices.Compact(rids)

	restored, restoreFor, err := b.restore()
	if err != nil {
		return nil, err
	}
	by, assets, err := b.publish(ctx, restored, rids)
	if err != nil {
		return nil, err
	}
	var appHosts llb.State
	if app.Mode.Launchers() {
		if appHosts, err = b.graph.AppHosts(app, restored, restoreFor); err != nil {
			return nil, err
		}
	}
	b.log.restored = &restored
	out := make([][]layer, len(b.targets))
	for i := range b.targets {
		rid := b.rids[i]
		if !app.Mode.PerPlatform() {
			rid = ""
		}
		p := by[rid]
		for _, name := range dotnet.Layers {
			from, folders, shared := p, []string{name}, !app.Mode.PerPlatform()
			switch {
			case name == dotnet.LayerLauncher:
				if !app.Mode.Launchers() {
					continue
				}
				from, folders, shared = published{files: appHosts}, []string{b.rids[i]}, false
			case name == dotnet.LayerRuntimes:
				if folders = usable(p.report.Runtimes, b.rids[i]); len(folders) == 0 {
					continue
				}
				shared = false
			case !slices.Contains(p.report.Layers, name):
				continue
			case name == dotnet.LayerAssets && assets != nil:
				from, shared = *assets, true
			}
			out[i] = append(out[i], layer{plan.Layer{Name: name, Shared: shared}, b.graph.Layer(name, from.files, dir, folders...), from.ref, folders})
		}
	}
	return out, nil
}

// published is the output of a step of publish, and what the step says of it.
type published struct {
	files  llb.State
	ref    client.Reference
	report *dotnet.Report
}

// publish publishes for runtime identifiers. assets are the static web assets, where the output has not all of them.
func (b *build) publish(ctx context.Context, restored xllb.Restored, rids []string) (by map[string]published, assets *published, err error) {
	compression := b.graph.Assets.Compression(b.app)
	by, assets, err = b.publishWith(ctx, restored, rids, compression)
	if err != nil || assets == nil {
		return by, nil, err
	}
	for _, p := range by {
		if !p.report.SameAssets(assets.report) {
			// The build makes some of them.
			return b.publishWith(ctx, restored, rids, dotnet.CompressBefore)
		}
	}
	return by, assets, nil
}

// publishWith publishes, and makes the static web assets beside that if compression says so. All is solved side by side,
// the base resolved meanwhile.
func (b *build) publishWith(ctx context.Context, restored xllb.Restored, rids []string, compression dotnet.Compression) (by map[string]published, assets *published, err error) {
	var steps []llb.State
	for _, rid := range rids {
		step, err := b.graph.Publish(b.app, restored, rid, compression)
		if err != nil {
			return nil, nil, err
		}
		steps = append(steps, step)
	}
	if compression == dotnet.CompressBeside {
		step, err := b.graph.StaticAssets(b.app, restored)
		if err != nil {
			return nil, nil, err
		}
		steps = append(steps, step)
	}
	defs := make([]*llb.Definition, len(steps))
	for i, step := range steps {
		if defs[i], err = b.marshal(ctx, step); err != nil {
			return nil, nil, err
		}
	}
	done := make([]published, len(steps))
	eg, egctx := errgroup.WithContext(ctx)
	for i, def := range defs {
		eg.Go(func() error {
			ref, dt, err := b.readResult(egctx, def, dotnet.ReportFile)
			if err != nil {
				return b.diagnose(ctx, err)
			}
			report, err := dotnet.ParseReport(dt)
			done[i] = published{steps[i], ref, report}
			return err
		})
	}
	if b.base == nil {
		eg.Go(func() error {
			if err := b.resolveBase(egctx); err != nil {
				return err
			}
			return b.warnings(ctx)
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, nil, err
	}
	by = map[string]published{}
	for i, rid := range rids {
		by[rid] = done[i]
		b.log.step(strings.TrimSpace(xllb.PhasePublish+" "+rid), done[i].ref, dotnet.ReportFile)
	}
	if compression == dotnet.CompressBeside {
		assets = &done[len(rids)]
		b.log.step("assets", assets.ref, dotnet.ReportFile)
	}
	return by, assets, nil
}

// restore is the restore of the app, for the runtime identifiers that its mode needs.
func (b *build) restore() (restored xllb.Restored, rids []string, err error) {
	if b.needsRIDs() {
		rids = slices.Compact(slices.Sorted(slices.Values(b.rids)))
	}
	restored, err = b.graph.Restore(b.group(b.app), rids)
	return restored, rids, err
}

// group is what is restored together with app: all apps of the spec that are built with the same properties and for the
// same runtime identifiers, and the tests, which are built as portable apps are, if app is one of them. Whatever the
// target, the group is the same, so what it shares is done once.
func (b *build) group(app *dotnet.App) []*dotnet.App {
	var group []*dotnet.App
	if app.Mode == (dotnet.Mode{}) {
		group = slices.Clone(b.tests)
	}
	for _, other := range b.apps {
		if other.Mode == app.Mode && (app.Mode == (dotnet.Mode{}) || other.BaseImage == app.BaseImage) {
			group = append(group, other)
		}
	}
	for _, member := range group {
		if member.Path == app.Path {
			return group
		}
	}
	return []*dotnet.App{app}
}

// imageUser is who an image runs as, by number if that can be known.
func imageUser(img *dockerspec.DockerOCIImage) string {
	user := img.Config.User
	if user == "app" { // the name that Microsoft's images have for it
		if uid := xllb.Getenv(img.Config.Env, "APP_UID"); uid != "" {
			return uid
		}
	}
	if user == "" || user == "root" {
		return "0"
	}
	return user
}

// usable gives the folders of those of assets that the runtime of rid can use.
func usable(assets []string, rid string) []string {
	var folders []string
	for _, id := range dotnet.RuntimeIDs(rid) {
		if slices.Contains(assets, id) {
			folders = append(folders, dotnet.LayerRuntimes+"/"+id)
		}
	}
	return folders
}
