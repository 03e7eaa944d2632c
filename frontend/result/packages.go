package result

import (
	"context"
	"fmt"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/apt"
)

// installEarly installs OS packages beside restore and publish, which take longer. The steps are in the graph of the
// images too, so nothing runs twice.
func installEarly(ctx context.Context, p *plan.Plan) error {
	eg, ctx := gateway.Group(ctx)
	for _, t := range p.Targets {
		eg.Go(func() error {
			_, err := installed(ctx, p, t)
			return err
		})
	}
	err := eg.Wait()
	if p.App.InferredBase != "" {
		return nil //nolint:nilerr // the app may turn out to need another base: see plan.ForFrameworks
	}
	return err
}

// installed installs the OS packages of a target, and tells what was installed.
func installed(ctx context.Context, p *plan.Plan, t plan.Target) ([]apt.Package, error) {
	if t.Packages == nil {
		return nil, nil
	}
	if err := checkApt(ctx, p, t); err != nil {
		return nil, err
	}
	gw := p.Request.Gateway
	if _, err := gw.Evaluate(ctx, t.Base.State); err != nil {
		return nil, p.Request.DiagnosePackages(ctx, err)
	}
	file, err := gw.ReadFile(ctx, t.Packages.List, apt.ListFile)
	if err != nil {
		return nil, p.Request.DiagnosePackages(ctx, err)
	}
	return apt.ParseList(file.Data)
}

// checkApt checks that the base has apt, before a step fails for the lack of a shell.
func checkApt(ctx context.Context, p *plan.Plan, t plan.Target) error {
	gw := p.Request.Gateway
	has, err := gw.HasFiles(ctx, t.Packages.Native, "/usr/bin", "apt-get")
	if err != nil {
		return p.Request.At("base.packages", fmt.Errorf("look for apt in %s: %w", t.Base.Name, err))
	}
	if has {
		return nil
	}
	apk, err := gw.HasFiles(ctx, t.Packages.Native, "/sbin", "apk")
	if err != nil {
		return p.Request.At("base.packages", fmt.Errorf("look for apk in %s: %w", t.Base.Name, err))
	}
	is := "it has no apt, as chiseled, distroless and RPM images have none"
	if apk {
		is = "it is an image of Alpine, and packages of Alpine are not supported"
	}
	return p.Request.At("base.packages", fmt.Errorf(
		"packages cannot be installed on %s: %s. Take a base of Debian or Ubuntu, such as base: {family: noble}",
		t.Base.Name, is))
}

// packagesLayer is the layer of OS packages, for the report. Its size is not known if BuildKit cannot tell two states
// apart.
func packagesLayer(ctx context.Context, gw *gateway.Client, t plan.Target) (layer, error) {
	l := layer{Layer: report.Layer{Name: plan.LayerOSPackages}, folders: []string{"/"}}
	if caps := gw.Caps(); caps.Supports(pb.CapDiffOp) != nil {
		return l, nil
	}
	name := "[image " + platforms.Format(platforms.Normalize(t.Platform)) + "] what packages add to the base"
	var err error
	l.from, err = gw.Solve(ctx, llb.Diff(t.Packages.Bare, t.Base.State, llb.WithCustomName(name)))
	return l, err
}

// findKeys checks that the keys of package sources are in the context.
func findKeys(ctx context.Context, p *plan.Plan, t plan.Target) error {
	if t.Packages == nil {
		return nil
	}
	for _, s := range t.Packages.Sources {
		if s.Key == "" {
			continue
		}
		if err := p.Tree.Find(s.Key); err != nil {
			return p.Request.At("base.packages.keys."+s.Name, err)
		}
	}
	reads := xllb.KeyReads(t.Packages.Packages)
	if len(reads.Include) == 0 {
		return nil
	}
	return p.Request.At("base.packages.keys", p.Tree.Check(ctx, xllb.KeyPart, reads))
}
