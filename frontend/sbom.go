package frontend

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
	"golang.org/x/sync/errgroup"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// packages are what restore left that tells of the packages of the app.
type packages struct {
	facts llb.State
	graph *dotnet.PackagesGraph
	files dotnet.Files
}

// packages reads what restore left.
func (b *build) packages(ctx context.Context) (*packages, error) {
	restored, _, err := b.restore()
	if err != nil {
		return nil, err
	}
	p := &packages{facts: b.graph.PackageFacts(b.app, restored), files: dotnet.Files{}}
	def, err := b.marshal(ctx, p.facts)
	if err != nil {
		return nil, err
	}
	ref, err := b.solve(ctx, def)
	if err != nil {
		return nil, err
	}
	dt, err := dockerui.ReadFile(ctx, ref, xllb.FactsAssets)
	if err != nil {
		return nil, b.diagnose(ctx, err)
	}
	if p.graph, err = dotnet.ParseAssets(dt); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(walkers)
	for _, name := range p.graph.Facts() {
		eg.Go(func() error {
			dt, err := dockerui.ReadFile(ctx, ref, path.Join(xllb.FactsPackages, name))
			if err != nil {
				if isNotFound(err) {
					return nil
				}
				return fmt.Errorf("read what packages say of themselves: %w", err)
			}
			mu.Lock()
			defer mu.Unlock()
			p.files[name] = dt
			return nil
		})
	}
	return p, eg.Wait()
}

// documents is the target of the documents about the packages of the app, a file for each platform.
func (b *build) documents(ctx context.Context) (*client.Result, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	eg, egctx := errgroup.WithContext(ctx)
	var pkgs *packages
	eg.Go(func() (err error) {
		pkgs, err = b.packages(egctx)
		return err
	})
	if b.base == nil {
		eg.Go(func() error { return b.resolveBase(egctx) })
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	sts, err := b.spdx(pkgs)
	if err != nil {
		return nil, err
	}
	return b.each(ctx, sts)
}

// spdx gives the document for every platform.
func (b *build) spdx(pkgs *packages) ([]llb.State, error) {
	builder := b.bc.BuildPlatforms[0]
	tools := []dotnet.Image{b.sdkImage.part(builder, "")}
	if b.toolchainImage != nil && b.toolchainImage.name != b.sdkImage.name {
		tools = append(tools, b.toolchainImage.part(builder, ""))
	}
	sts := make([]llb.State, len(b.targets))
	for i, p := range b.targets {
		dt, err := dotnet.SPDX(dotnet.SBOM{
			App:      b.app,
			Platform: platforms.Format(platforms.Normalize(p)),
			RID:      b.rids[i],
			Graph:    pkgs.graph,
			Facts:    pkgs.files,
			Base:     b.base.images[i].part(p, b.base.manifests[i]),
			Tools:    tools,
			Created:  b.epoch,
		})
		if err != nil {
			return nil, err
		}
		sts[i] = b.graph.Document(p, pkgs.facts, dotnet.SBOMFile, dt)
	}
	return sts, nil
}

// part is what a document says of an image for platform p, whose manifest is empty if it is not known.
func (img *image) part(p ocispecs.Platform, manifest digest.Digest) dotnet.Image {
	part := dotnet.Image{Name: img.name, Version: version(img), Platform: platforms.Format(platforms.Normalize(p)), Manifest: manifest}
	named, err := reference.ParseNormalizedNamed(img.name)
	if err != nil { // it has been resolved
		return part
	}
	if img.pinned != nil {
		named, part.Pinned = img.pinned, img.pinned.Digest()
	}
	part.Name = named.Name()
	if tagged, ok := named.(reference.Tagged); ok {
		part.Tag = tagged.Tag()
	}
	return part
}

// scan is how images are scanned, and what besides.
type scan struct {
	scanner xllb.Scanner
	extras  map[string]llb.State // by name
}

// scan resolves the scanner.
func (b *build) scan(ctx context.Context) (*scan, error) {
	extras, err := b.scanned()
	if err != nil {
		return nil, err
	}
	img, err := b.images.resolve(ctx, b.bc.SBOM.Generator, b.bc.BuildPlatforms[0], "[scanner] ")
	if err != nil {
		// Not %w: on its way to the user, an error of the gateway keeps its own message and loses ours.
		return nil, fmt.Errorf("SBOM scanner: %v", err)
	}
	s := &scan{xllb.Scanner{Name: img.name, Image: img.state, Params: b.bc.SBOM.Parameters}, extras}
	if img.config != nil {
		s.scanner.Args = slices.Concat(img.config.Config.Entrypoint, img.config.Config.Cmd)
	}
	if len(s.scanner.Args) == 0 {
		return nil, fmt.Errorf("SBOM scanner: %s has no command", img.name)
	}
	return s, nil
}

// scanned are the states to scan beside images, as build arguments say.
func (b *build) scanned() (map[string]llb.State, error) {
	extras := map[string]llb.State{}
	asked := func(arg string) (bool, error) {
		v := b.bc.BuildArgs[arg]
		if v == "" {
			return false, nil
		}
		on, err := strconv.ParseBool(v)
		if err != nil {
			return false, fmt.Errorf("%s=%s: write true or false, as a spec has no stages to name", arg, v)
		}
		return on, nil
	}
	if on, err := asked("BUILDKIT_SBOM_SCAN_CONTEXT"); err != nil {
		return nil, err
	} else if on {
		extras["context"] = b.graph.Context
	}
	if on, err := asked("BUILDKIT_SBOM_SCAN_STAGE"); err != nil {
		return nil, err
	} else if on {
		restored, _, err := b.restore()
		if err != nil {
			return nil, err
		}
		maps.Copy(extras, restored.Parts())
	}
	return extras, nil
}

// attest adds two SBOMs to the image of each platform: what the scanner finds in it, which BuildKit leaves to a frontend
// that adds any of its own, and the packages of the app.
func (b *build) attest(ctx context.Context, rb *dockerui.ResultBuilder, s *scan, pkgs *packages, images []platformImage) error {
	documents, err := b.spdx(pkgs)
	if err != nil {
		return err
	}
	return rb.EachPlatform(ctx, func(ctx context.Context, id string, _ ocispecs.Platform) error {
		i := max(0, slices.IndexFunc(b.targets, func(p ocispecs.Platform) bool { return platforms.FormatAll(platforms.Normalize(p)) == id }))
		add := func(st llb.State, att attestation.Attestation[client.Reference]) error {
			def, err := b.marshal(ctx, st)
			if err != nil {
				return err
			}
			if att.Ref, err = b.solve(ctx, def); err != nil {
				return err
			}
			att.Metadata[attestation.AttestationReasonKey] = []byte(attestation.AttestationReasonSBOM)
			att.InToto.PredicateType = intoto.PredicateSPDX
			rb.AddAttestation(id, att)
			return nil
		}
		const core = "sbom" // what scanners call the document of the image itself
		err := add(b.graph.Scan(s.scanner, b.targets[i], images[i].state, s.extras), attestation.Attestation[client.Reference]{
			Kind:     gwpb.AttestationKind_Bundle,
			Metadata: map[string][]byte{attestation.AttestationSBOMCore: []byte(core)},
		})
		if err != nil {
			return err
		}
		return add(documents[i], attestation.Attestation[client.Reference]{
			Kind:     gwpb.AttestationKind_InToto,
			Path:     dotnet.SBOMFile,
			Metadata: map[string][]byte{},
		})
	})
}
