package result

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"sync"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	intoto "github.com/in-toto/in-toto-golang/in_toto"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	attestation "github.com/moby/buildkit/solver/result"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/graph"
	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// bill holds what the bills of materials of a build are made from.
type bill struct {
	builder *xllb.Builder
	scan    *scan
	pkgs    []*packages // of each app; none for files alone
}

// newBill resolves the scanner, and reads what restore left.
func newBill(ctx context.Context, p *plan.Plan, g *graph.Graph) (*bill, error) {
	b := &bill{builder: g.Builder}
	eg, ctx := gateway.Group(ctx)
	eg.Go(func() (err error) {
		b.scan, err = newScan(ctx, p, g)
		return err
	})
	if !p.App.None() {
		eg.Go(func() (err error) {
			b.pkgs, err = allPackages(ctx, g)
			return err
		})
	}
	return b, eg.Wait()
}

// packages are the files of restore that describe the packages of an app.
type packages struct {
	plan  *plan.Plan
	file  string // the name of the document
	facts llb.State
	graph *dotnet.PackagesGraph
	files dotnet.Files
}

// allPackages reads what restores left for the apps of an image.
func allPackages(ctx context.Context, g *graph.Graph) ([]*packages, error) {
	graphs := g.All()
	all := make([]*packages, len(graphs))
	eg, ctx := gateway.Group(ctx)
	for i, g := range graphs {
		eg.Go(func() (err error) {
			all[i], err = readPackages(ctx, g.Plan, g)
			return err
		})
	}
	return all, eg.Wait()
}

// readPackages reads what restore left.
func readPackages(ctx context.Context, plan *plan.Plan, g *graph.Graph) (*packages, error) {
	p := &packages{
		plan: plan, file: dotnet.SBOMFile, facts: g.Builder.PackageFacts(plan.App, g.Restored), files: dotnet.Files{},
	}
	if plan.Further() {
		p.file = dotnet.SBOMFileOf(plan.Dir)
	}
	assets, err := plan.Request.Gateway.ReadFile(ctx, p.facts, xllb.FactsAssets)
	if err != nil {
		return nil, plan.Request.Diagnose(ctx, err, plan.Tree.Files)
	}
	if p.graph, err = dotnet.ParseAssets(assets.Data); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	eg, ctx := gateway.Group(ctx)
	eg.SetLimit(readers)
	for _, name := range p.graph.Facts() {
		eg.Go(func() error {
			dt, err := gateway.ReadRef(ctx, assets.Ref, path.Join(xllb.FactsPackages, name))
			if err != nil {
				if gateway.IsNotFound(err) {
					return nil
				}
				return fmt.Errorf("read nuspec files and hashes of packages: %w", err)
			}
			mu.Lock()
			defer mu.Unlock()
			p.files[name] = dt
			return nil
		})
	}
	return p, eg.Wait()
}

// readers is how many files are read at a time.
const readers = 16

// documents is the result of target sbom: a document about the packages of the app for each platform.
func documents(ctx context.Context, p *plan.Plan, g *graph.Graph) (*client.Result, error) {
	all, err := allPackages(ctx, g)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, pkgs := range all {
		of, err := pkgs.graph.Frameworks(pkgs.plan.App)
		if err != nil {
			return nil, err
		}
		names = append(names, of...)
	}
	if p, err = p.ForFrameworks(ctx, names); err != nil {
		return nil, err
	}
	var sts []llb.State
	for _, pkgs := range all {
		of, err := spdx(ctx, p, g.Builder, pkgs)
		switch {
		case err != nil:
			return nil, err
		case sts == nil:
			sts = of
			continue
		}
		for i, t := range p.Targets {
			sts[i] = g.Builder.AddDocument(t.Platform, sts[i], of[i], pkgs.file)
		}
	}
	return each(ctx, p, sts)
}

// spdx gives the document for every platform.
func spdx(ctx context.Context, p *plan.Plan, b *xllb.Builder, pkgs *packages) ([]llb.State, error) {
	builder := p.Request.Gateway.BuildPlatform()
	tools := []dotnet.Image{part(p.SDK.Image, builder, "")}
	if linker := pkgs.plan.Toolchain; linker != nil && linker.Name != p.SDK.Image.Name {
		tools = append(tools, part(linker, builder, ""))
	}
	sts := make([]llb.State, len(p.Targets))
	for i, t := range p.Targets {
		var base dotnet.Image
		if !dotnet.IsScratch(t.Base.Name) {
			base = part(t.Base.Image, t.Platform, t.Base.Manifest)
		}
		var system []dotnet.SystemPackage
		if pkgs.plan.App == p.App { // once, though an image can have several apps
			var err error
			if system, err = systemPackages(ctx, p, t); err != nil {
				return nil, err
			}
		}
		dt, err := dotnet.SPDX(dotnet.SBOM{
			App:      pkgs.plan.App,
			Platform: platforms.Format(platforms.Normalize(t.Platform)),
			RID:      t.RID,
			Graph:    pkgs.graph,
			Facts:    pkgs.files,
			Base:     base,
			System:   system,
			Tools:    tools,
			Created:  p.Epoch,
		})
		if err != nil {
			return nil, err
		}
		sts[i] = b.Document(t.Platform, pkgs.facts, pkgs.file, dt)
	}
	return sts, nil
}

// part describes an image for platform p in a document. manifest is empty if it is not known.
func part(img *gateway.Image, p ocispecs.Platform, manifest digest.Digest) dotnet.Image {
	part := dotnet.Image{
		Name: img.Name, Version: img.Env("DOTNET_SDK_VERSION"),
		Platform: platforms.Format(platforms.Normalize(p)), Manifest: manifest,
	}
	named, err := reference.ParseNormalizedNamed(img.Name)
	if err != nil { // cannot be: the image has been resolved
		return part
	}
	if img.Pinned != nil {
		named, part.Pinned = img.Pinned, img.Pinned.Digest()
	}
	part.Name = named.Name()
	if tagged, ok := named.(reference.Tagged); ok {
		part.Tag = tagged.Tag()
	}
	return part
}

// scan is the scanner, and what it scans besides images.
type scan struct {
	scanner xllb.Scanner
	extras  map[string]llb.State // by name
}

// newScan resolves the scanner.
func newScan(ctx context.Context, p *plan.Plan, g *graph.Graph) (*scan, error) {
	gw := p.Request.Gateway
	extras, err := scanned(p, g)
	if err != nil {
		return nil, err
	}
	img, err := gw.Image(ctx, gw.SBOM.Generator, gw.BuildPlatform(), "[scanner] ")
	if err != nil {
		return nil, fmt.Errorf("SBOM scanner: %w", err)
	}
	s := &scan{xllb.Scanner{Name: img.Name, Image: img.State, Params: gw.SBOM.Parameters}, extras}
	if img.Config != nil {
		s.scanner.Args = slices.Concat(img.Config.Config.Entrypoint, img.Config.Config.Cmd)
	}
	if len(s.scanner.Args) == 0 {
		return nil, fmt.Errorf("SBOM scanner: %s has no entrypoint and no command, so it is no scanner: name another image "+
			"in --sbom generator=", img.Name)
	}
	return s, nil
}

// scanned are the states that the scanner also scans, as build arguments say.
func scanned(p *plan.Plan, g *graph.Graph) (map[string]llb.State, error) {
	extras := map[string]llb.State{}
	for _, part := range []struct {
		arg    string
		states map[string]llb.State
	}{
		{"BUILDKIT_SBOM_SCAN_CONTEXT", map[string]llb.State{"context": p.Tree.Context}},
		{"BUILDKIT_SBOM_SCAN_STAGE", stages(p, g)},
	} {
		v := p.Request.Gateway.BuildArgs[part.arg]
		if v == "" {
			continue
		}
		on, err := strconv.ParseBool(v)
		if err != nil {
			return nil, fmt.Errorf("%s=%s: write true or false: only a Dockerfile has stages to name", part.arg, v)
		}
		if on {
			maps.Copy(extras, part.states)
		}
	}
	return extras, nil
}

// stages are the states that a build makes before the image; none for files alone.
func stages(p *plan.Plan, g *graph.Graph) map[string]llb.State {
	if p.App.None() {
		return nil
	}
	return g.Restored.Parts()
}

// attest adds two SBOMs to the image of each platform: the packages of the app, and what the scanner finds in the
// image. An image of files alone gets only the second. BuildKit does not run the scanner itself if a frontend adds an
// SBOM.
func (b *bill) attest(ctx context.Context, rb *dockerui.ResultBuilder, p *plan.Plan, images []image) error {
	type document struct {
		file string
		of   []llb.State // each platform
	}
	var documents []document
	for _, pkgs := range b.pkgs {
		of, err := spdx(ctx, p, b.builder, pkgs)
		if err != nil {
			return err
		}
		documents = append(documents, document{pkgs.file, of})
	}
	return rb.EachPlatform(ctx, func(ctx context.Context, id string, _ ocispecs.Platform) (err error) {
		defer gateway.Recover(&err)
		i := max(0, slices.IndexFunc(images, func(img image) bool {
			return platforms.FormatAll(platforms.Normalize(img.Platform)) == id
		}))
		add := func(st llb.State, att attestation.Attestation[client.Reference]) (err error) {
			if att.Ref, err = p.Request.Gateway.Solve(ctx, st); err != nil {
				return err
			}
			att.Metadata[attestation.AttestationReasonKey] = []byte(attestation.AttestationReasonSBOM)
			att.InToto.PredicateType = intoto.PredicateSPDX
			rb.AddAttestation(id, att)
			return nil
		}
		const core = "sbom" // what scanners call the document of the image itself
		scanned := b.builder.Scan(b.scan.scanner, images[i].Platform, images[i].state, b.scan.extras)
		err = add(scanned, attestation.Attestation[client.Reference]{
			Kind:     gwpb.AttestationKind_Bundle,
			Metadata: map[string][]byte{attestation.AttestationSBOMCore: []byte(core)},
		})
		for _, d := range documents {
			if err == nil {
				err = add(d.of[i], attestation.Attestation[client.Reference]{
					Kind:     gwpb.AttestationKind_InToto,
					Path:     d.file,
					Metadata: map[string][]byte{},
				})
			}
		}
		return err
	})
}
