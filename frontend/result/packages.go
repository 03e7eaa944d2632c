package result

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/apt"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// install installs the OS packages of all targets, beside restore and publish. The steps are in the graph of the images
// too, so nothing runs twice. It tells what was installed for each target.
func install(ctx context.Context, p *plan.Plan) ([]installation, error) {
	all := make([]installation, len(p.Targets))
	eg, each := gateway.Group(ctx)
	for i, t := range p.Targets {
		eg.Go(func() (err error) {
			all[i], err = installed(each, p, t)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	warnSkips(ctx, p, all)
	return all, nil
}

// warnSkips warns of names in skip-scripts that no image has as a package.
func warnSkips(ctx context.Context, p *plan.Plan, all []installation) {
	for _, name := range p.Request.Spec.Base.Packages.SkipScripts {
		is := func(pkg apt.Package) bool { return pkg.Name == name }
		if !slices.ContainsFunc(all, func(i installation) bool { return slices.ContainsFunc(i.packages, is) }) {
			p.Request.Warn(ctx, fmt.Sprintf("base.packages.skip-scripts has no effect for %s: it is not installed", name))
		}
	}
}

// installation is what was installed for a target. The zero value: the spec asks for nothing.
type installation struct {
	packages []apt.Package
	// skipped are those whose scripts may not have run.
	skipped []string
	// resolved is when apt had the packages, after the beginning of the build. It is negative if an earlier build got
	// them.
	resolved time.Duration
}

// installed installs the OS packages of a target, and tells what was installed.
func installed(ctx context.Context, p *plan.Plan, t plan.Target) (installation, error) {
	if t.Packages == nil {
		return installation{}, nil
	}
	if err := checkApt(ctx, p, t); err != nil {
		return installation{}, err
	}
	if _, err := p.Request.Gateway.Evaluate(ctx, t.Base.State); err != nil {
		return installation{}, p.Request.DiagnosePackages(ctx, err)
	}
	return listed(ctx, p, t)
}

// resolved lets apt find out what to install for a target, and installs nothing.
func resolved(ctx context.Context, p *plan.Plan, t plan.Target) (i installation, err error) {
	if t.Packages == nil {
		return i, nil
	}
	if err := checkApt(ctx, p, t); err != nil {
		return i, err
	}
	return listed(ctx, p, t)
}

// listed tells what apt found out.
func listed(ctx context.Context, p *plan.Plan, t plan.Target) (i installation, err error) {
	gw := p.Request.Gateway
	file, err := gw.ReadFile(ctx, t.Packages.List, apt.ListFile)
	if err != nil {
		return i, p.Request.DiagnosePackages(ctx, err)
	}
	if i.packages, err = apt.ParseList(file.Data); err != nil {
		return i, err
	}
	if !xllb.SamePlatform(t.Platform, gw.BuildPlatform()) {
		for _, pkg := range i.packages {
			if slices.Contains(t.Packages.SkipScripts, pkg.Name) {
				i.skipped = append(i.skipped, pkg.Name)
			}
		}
	}
	i.resolved, err = written(ctx, p.Request, file.Ref, apt.ListFile)
	return i, err
}

// systemPackages are the OS packages of a target, for its bill of materials.
func systemPackages(ctx context.Context, p *plan.Plan, t plan.Target) ([]dotnet.SystemPackage, error) {
	i, err := resolved(ctx, p, t)
	if err != nil || len(i.packages) == 0 {
		return nil, err
	}
	var distribution apt.Distribution
	release, err := p.Request.Gateway.ReadFile(ctx, t.Packages.Bare, apt.ReleaseFile)
	switch {
	case err == nil:
		distribution = apt.ParseRelease(release.Data)
	case !gateway.IsNotFound(err):
		return nil, fmt.Errorf("read %s of %s: %w", apt.ReleaseFile, t.Base.Name, err)
	}
	var all []dotnet.SystemPackage
	for _, pkg := range i.packages {
		all = append(all, dotnet.SystemPackage{
			Name: pkg.Name, Version: pkg.Version, PURL: pkg.PURL(distribution), SHA256: pkg.SHA256,
		})
	}
	return all, nil
}

// tell adds what was installed to a report.
func (i installation) tell(r *report.Packages) {
	for _, pkg := range i.packages {
		r.Installed = append(r.Installed, report.Package{
			Name: pkg.Name, Version: pkg.Version, Architecture: pkg.Architecture, SHA256: pkg.SHA256,
		})
	}
	if r != nil {
		r.SkippedScripts = i.skipped
	}
}

// packagesStep is the step that installs, for the report; none if nothing was installed.
func packagesStep(all []installation) []report.Ran {
	last, some := time.Duration(0), false
	for _, i := range all {
		last, some = max(last, i.resolved), some || i.resolved != 0
	}
	if !some {
		return nil
	}
	return []report.Ran{step(xllb.PhasePackages, last, 0)} // it goes on when apt has the packages
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
	if apk {
		return plan.NoApt(p.Request, t.Base.Image, plan.IsAlpine)
	}
	return plan.NoApt(p.Request, t.Base.Image, plan.HasNoApt)
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
