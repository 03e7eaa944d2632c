package frontend

import (
	"context"
	"slices"

	"github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// layers publishes, and gives the layers for each target. Publishing is the long part, so it is solved here, for all
// platforms side by side, and errors come before any image is put together. The base is resolved meanwhile, unless
// prepare did.
func (b *build) layers(ctx context.Context, dir string) ([][]llb.State, error) {
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
	published := map[string]xllb.Published{}
	var defs []*llb.Definition
	for _, rid := range rids {
		p, err := b.graph.Publish(app, restored, rid)
		if err != nil {
			return nil, err
		}
		published[rid] = p
		def, err := b.marshal(ctx, p.Report)
		if err != nil {
			return nil, err
		}
		defs = append(defs, def)
	}
	reports := make([][]byte, len(defs))
	eg, egctx := errgroup.WithContext(ctx)
	if b.base == nil {
		eg.Go(func() error { return b.resolveBase(egctx) })
	}
	for i, def := range defs {
		eg.Go(func() (err error) {
			if reports[i], err = b.readResult(egctx, def, dotnet.ReportFile); err != nil {
				return b.missingSecret(err)
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}

	var appHosts llb.State
	if app.Mode.Launchers() {
		if appHosts, err = b.graph.AppHosts(app, restored, restoreFor); err != nil {
			return nil, err
		}
	}
	out := make([][]llb.State, len(b.targets))
	for i := range b.targets {
		rid := b.rids[i]
		if !app.Mode.PerPlatform() {
			rid = ""
		}
		folders, assets, err := dotnet.ParseReport(reports[slices.Index(rids, rid)])
		if err != nil {
			return nil, err
		}
		for _, name := range dotnet.Layers {
			from := []string{name}
			switch {
			case name == dotnet.LayerRuntimes:
				if from = usable(assets, b.rids[i]); len(from) == 0 {
					continue
				}
			case !slices.Contains(folders, name):
				continue
			}
			out[i] = append(out[i], b.graph.Layer(name, published[rid].Files, dir, from...))
		}
		if app.Mode.Launchers() {
			out[i] = append(out[i], b.graph.Layer("launcher", appHosts, dir, b.rids[i]))
		}
	}
	return out, nil
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
