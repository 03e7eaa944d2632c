package frontend

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
)

// result builds the image of every platform.
func (b *build) result(ctx context.Context) (*client.Result, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	eg, egctx := errgroup.WithContext(ctx)
	var images []platformImage
	eg.Go(func() (err error) {
		images, err = b.platformImages(egctx)
		return err
	})
	var scanning *scan
	var pkgs *packages
	if b.bc.SBOM != nil {
		eg.Go(func() (err error) {
			scanning, err = b.scan(egctx)
			return err
		})
		eg.Go(func() (err error) {
			pkgs, err = b.packages(egctx)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	rb, err := b.bc.Build(ctx, func(ctx context.Context, _ *ocispecs.Platform, idx int) (_ *dockerui.BuildResult, err error) {
		defer recovered(&err)
		img := images[idx]
		ref, err := b.solve(ctx, img.def)
		if err != nil {
			return nil, err
		}
		return &dockerui.BuildResult{Reference: ref, Image: img.config.Image, BaseImage: img.base, Epoch: b.epoch}, nil
	})
	if err != nil {
		return nil, err
	}
	b.annotate(rb, images)
	if b.bc.SBOM != nil {
		if err := b.attest(ctx, rb, scanning, pkgs, images); err != nil {
			return nil, err
		}
	}
	if err := b.addReport(ctx, rb, images); err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// platformImages publishes what has been prepared, and says how the image of every platform is put together.
func (b *build) platformImages(ctx context.Context) ([]platformImage, error) {
	if err := b.checkFiles(ctx); err != nil {
		return nil, err
	}
	eg, egctx := errgroup.WithContext(ctx)
	if b.spec.Tests.Gate {
		eg.Go(func() error {
			_, err := b.test(egctx)
			return err
		})
	}
	var layers [][]layer
	eg.Go(func() (err error) {
		layers, err = b.layers(egctx, xllb.AppDir(b.app))
		return err
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	vcs, err := b.vcs(ctx)
	if err != nil {
		return nil, err
	}
	images := make([]platformImage, len(b.targets))
	for i, platform := range b.targets {
		from := b.base.images[i]
		config, err := b.config(i, vcs)
		if err != nil {
			return nil, err
		}
		if len(b.spec.Files) > 0 {
			contexts, err := b.namedContexts(ctx, platform)
			if err != nil {
				return nil, err
			}
			extra, err := b.graph.Files(b.spec.Files, imageUser(config.Image), contexts)
			if err != nil {
				return nil, b.at("files", err)
			}
			// Before the app, which changes more often.
			layers[i] = slices.Insert(layers[i], len(layers[i])-1, layer{Layer: plan.Layer{Name: "files"}, state: extra})
		}
		st := b.graph.Image(from.state, platform, states(layers[i])...)
		def, err := b.marshal(ctx, st)
		if err != nil {
			return nil, err
		}
		images[i] = platformImage{config, from.config, st, def, layers[i]}
	}
	return images, nil
}

// platformImage is all that there is of the image of a platform before it is built.
type platformImage struct {
	config *xllb.Configuration
	base   *dockerspec.DockerOCIImage
	state  llb.State
	def    *llb.Definition
	layers []layer
}

// config is the configuration of the image of target i.
func (b *build) config(i int, vcs xllb.VCS) (*xllb.Configuration, error) {
	from := b.base.images[i]
	config, err := xllb.Config(xllb.ConfigOpt{
		App:      b.app,
		Spec:     b.spec.Image,
		Base:     xllb.Base{Name: from.name, Digest: b.base.manifests[i], Config: from.config},
		Platform: b.targets[i],
		Labels:   b.bc.Labels,
		Epoch:    b.epoch,
		VCS:      vcs,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.app.Path, err)
	}
	return config, nil
}

// namedContexts are those that files of the spec come from, for the image of a platform.
func (b *build) namedContexts(ctx context.Context, p ocispecs.Platform) (map[string]llb.State, error) {
	contexts := map[string]llb.State{}
	for i, f := range b.spec.Files {
		if _, ok := contexts[f.Context]; ok || f.Context == "" {
			continue
		}
		key := fmt.Sprintf("files.%d", i)
		nc, err := b.bc.NamedContext(f.Context, dockerui.ContextOpt{Platform: &p, ResolveMode: b.bc.ImageResolveMode.String()})
		if err != nil {
			return nil, b.at(key, err)
		}
		if nc == nil {
			return nil, b.at(key, fmt.Errorf("there is no context %s: give it by --build-context %s=FOLDER, or an image or a git repository in the place of the folder", f.Context, f.Context))
		}
		st, _, err := nc.Load(ctx)
		if err != nil {
			return nil, b.at(key, fmt.Errorf("context %s: %v", f.Context, err))
		}
		contexts[f.Context] = *st
	}
	return contexts, nil
}

// annotate puts the annotations of every image on its manifest. The index gets none unless the spec asks for them: where
// several nodes build a platform each, buildx makes the index, without what the frontend would say about it, and the digests
// would differ.
func (b *build) annotate(rb *dockerui.ResultBuilder, images []platformImage) {
	for i, img := range images {
		var p *ocispecs.Platform
		if b.bc.MultiPlatformRequested {
			n := platforms.Normalize(b.targets[i])
			p = &n
		}
		for k, v := range img.config.Annotations {
			rb.AddMeta(exptypes.AnnotationManifestKey(p, k), []byte(v))
		}
	}
	if !b.spec.Image.AnnotateIndex || !b.bc.MultiPlatformRequested {
		return
	}
	for k, v := range images[0].config.Annotations {
		if k == ocispecs.AnnotationBaseImageDigest { // of a manifest there, of the index here
			if b.base.images[0].pinned == nil {
				continue
			}
			v = b.base.images[0].pinned.Digest().String()
		}
		rb.AddMeta(exptypes.AnnotationIndexKey(k), []byte(v))
	}
}
