package result

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/crosshull/crosshull/frontend/check"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/lint"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// onBase checks what was published with its base. It gives the plan with the base that fits the frameworks of the app.
// It gives an error if the spec or the project has chosen a base on which the app does not start.
func (out *published) onBase(ctx context.Context, p *plan.Plan) (*plan.Plan, error) {
	if p.App.None() {
		return p, nil
	}
	var needed []dotnet.Framework
	for _, of := range append(out.also, out) {
		for _, app := range of.apps {
			needed = append(needed, app.frameworks...)
		}
	}
	if len(needed) > 0 {
		var err error
		if p, err = p.ForFrameworks(ctx, dotnet.FrameworkNames(needed)); err != nil {
			return nil, err
		}
	}
	err := lint.Published(ctx, p, func(t plan.Target) *dotnet.Report { return out.apps[p.PublishKey(t)].report })
	if err != nil {
		return nil, err
	}
	config, err := p.Request.Rules()
	if err != nil || slices.Contains(config.SkipRules, check.RuntimeMismatch) {
		return p, err
	}
	eg, ctx := gateway.Group(ctx)
	for _, t := range p.Targets {
		for _, of := range append(out.also, out) {
			eg.Go(func() error {
				needed := of.apps[of.graph.Plan.PublishKey(t)].frameworks
				return p.Request.At(p.Request.BaseKey(), starts(ctx, p, t, needed))
			})
		}
	}
	return p, eg.Wait()
}

// starts gives an error if it is sure that an app does not start on the base of a target, because frameworks are
// missing. The name of one of Microsoft's images tells what it has. Another image may have its environment from the
// image that it was made from. So if that environment does not fit, the files of the image decide.
func starts(ctx context.Context, p *plan.Plan, t plan.Target, needed []dotnet.Framework) error {
	config, name, env := t.Config.Image.Config, t.Base.Name, []string(nil)
	if t.Base.Pinned == nil { // another image has its name
		name = ""
	}
	if t.Base.Config != nil {
		env = t.Base.Config.Config.Env
	}
	needed = dotnet.Roll(needed, config.Env, slices.Concat(config.Entrypoint, config.Cmd))
	shared := dotnet.SharedOf(name, env)
	lacks, fit := shared.Lacks(needed)
	if fit != dotnet.Fits && !shared.All && len(shared.Versions) > 0 {
		var err error
		if shared, err = look(ctx, p.Request.Gateway, t.Base.Image); err != nil {
			return fmt.Errorf("look for the frameworks of %s: %w", t.Base.Name, err)
		}
		lacks, fit = shared.Lacks(needed)
	}
	if fit != dotnet.Misfits {
		return nil
	}
	take := "Name a base that has it in base.image of the spec"
	if advice := dotnet.Advice(needed); advice != "" {
		take = fmt.Sprintf("Write base: {image: %s} into the spec, or name another base that has it", advice)
	}
	if p.App.InferredBase == "" {
		take += ", or set no base, and the SDK chooses one"
	}
	return fmt.Errorf("%s. %s. To build the image anyway, write # check=skip=%s below # syntax",
		shared.Tell(t.Base.Name, lacks), take, check.RuntimeMismatch)
}

// dotnetRoots are where images have .NET: Microsoft's, and those with packages of Linux distributions.
var dotnetRoots = []string{"/usr/share/dotnet", "/usr/lib/dotnet", "/usr/lib64/dotnet"}

// look finds the frameworks in an image. If it finds .NET nowhere, it knows of none.
func look(ctx context.Context, gw *gateway.Client, img *gateway.Image) (dotnet.Shared, error) {
	shared := dotnet.Shared{Versions: map[string][]string{}}
	for _, root := range append([]string{img.Env("DOTNET_ROOT")}, dotnetRoots...) {
		if root == "" {
			continue
		}
		dir := path.Join(root, "shared")
		names, err := gw.Folder(ctx, img, dir)
		if err != nil {
			return shared, err
		}
		for _, name := range names {
			versions, err := gw.Folder(ctx, img, path.Join(dir, name))
			if err != nil {
				return shared, err
			}
			shared.Versions[name] = append(shared.Versions[name], versions...)
			shared.All = true
		}
	}
	return shared, nil
}
