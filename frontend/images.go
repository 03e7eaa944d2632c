package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// images resolves references: to a named context of that name if there is one, else in the registry.
type images struct {
	*entrypoint
	mu          sync.Mutex
	resolutions map[string]func() (resolution, error) // of registries, by reference and platform
}

// resolution is what a registry says of a reference.
type resolution struct {
	ref    string
	digest digest.Digest
	config []byte
}

// image is a reference resolved for a platform.
type image struct {
	name   string // as asked for, tag included
	state  llb.State
	config *dockerspec.DockerOCIImage
	pinned reference.Canonical // what the registry said; nil for a named context that is no image in a registry
}

// resolve gives the image for platform p; prefix begins the name of its vertex.
func (r *images) resolve(ctx context.Context, ref string, p ocispecs.Platform, prefix string) (*image, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, fmt.Errorf("%q is not an image reference: %w", ref, err)
	}
	named = reference.TagNameOnly(named)
	img := &image{name: named.String()}

	mode := r.bc.ImageResolveMode.String()
	nc, err := r.bc.NamedContext(ref, dockerui.ContextOpt{Platform: &p, ResolveMode: mode})
	if err != nil {
		return nil, err
	}
	if nc != nil {
		st, config, err := nc.Load(ctx)
		if err != nil {
			return nil, err
		}
		img.state, img.config = *st, config
		return img, nil
	}

	said, err := r.ask(ctx, named, p)
	if err != nil {
		return nil, err
	}
	if named, err = reference.ParseNormalizedNamed(said.ref); err != nil { // a source policy can send us elsewhere
		return nil, err
	}
	if img.pinned, err = reference.WithDigest(named, said.digest); err != nil {
		return nil, err
	}
	img.config = &dockerspec.DockerOCIImage{}
	if err := json.Unmarshal(said.config, img.config); err != nil {
		return nil, fmt.Errorf("read configuration of %s: %w", img.name, err)
	}
	img.state, err = llb.Image(img.pinned.String(), llb.Platform(p), r.bc.ImageResolveMode,
		llb.WithCustomName(prefix+"FROM "+img.pinned.String())).WithImageConfig(said.config)
	return img, err
}

// ask asks the registry, once in a build.
func (r *images) ask(ctx context.Context, named reference.Named, p ocispecs.Platform) (resolution, error) {
	key := named.String() + " " + platforms.FormatAll(p)
	r.mu.Lock()
	once, ok := r.resolutions[key]
	if !ok {
		prefix := "[internal]"
		if r.bc.MultiPlatformRequested { // as dockerfile2llb has it
			prefix = "[" + platforms.FormatAll(p) + " internal]"
		}
		once = sync.OnceValues(func() (resolution, error) {
			ref, dgst, dt, err := r.bc.GatewayClient().ResolveImageConfig(ctx, named.String(), sourceresolver.Opt{
				LogName:  prefix + " load metadata for " + named.String(),
				ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &p, ResolveMode: r.bc.ImageResolveMode.String()},
			})
			return resolution{ref, dgst, dt}, err
		})
		r.resolutions[key] = once
	}
	r.mu.Unlock()
	return once()
}

// askAhead asks about what will probably be resolved, so that the answers are there by then.
func (r *images) askAhead(ctx context.Context, ref string, targets []ocispecs.Platform) {
	for _, p := range targets {
		// An error comes again where the image is needed.
		go func() { _, _ = r.resolveBase(ctx, ref, p) }()
	}
}

// bases is a base image for several platforms, in their order.
type bases struct {
	images    []*image
	manifests []digest.Digest // of the images; empty where they cannot be known
}

// resolveAll gives the base image for every platform, or an error that names the platform it lacks and those it has.
func (r *images) resolveAll(ctx context.Context, ref string, targets []ocispecs.Platform) (*bases, error) {
	b := &bases{images: make([]*image, len(targets)), manifests: make([]digest.Digest, len(targets))}
	errs := make([]error, len(targets))
	var wg sync.WaitGroup
	for i, p := range targets {
		wg.Go(func() { b.images[i], errs[i] = r.resolveBase(ctx, ref, p) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, r.lacking(ctx, ref, targets[i], err)
		}
	}
	return b, nil
}

// resolveBase resolves ref for p, and checks that p is what came: an image that is no index is for one platform.
func (r *images) resolveBase(ctx context.Context, ref string, p ocispecs.Platform) (*image, error) {
	img, err := r.resolve(ctx, ref, p, "[image "+platforms.Format(platforms.Normalize(p))+"] ")
	if err != nil {
		return nil, err
	}
	if img.config != nil && img.config.Architecture != "" && !platforms.Only(p).Match(img.config.Platform) {
		return nil, &otherPlatformError{img.config.Platform}
	}
	return img, nil
}

// otherPlatformError says that an image is for a platform that was not asked for.
type otherPlatformError struct{ is ocispecs.Platform }

func (e *otherPlatformError) Error() string { return "it is for " + platforms.Format(e.is) }

// lacksPlatform tells an index or an image without a platform from all else that can go wrong with it: a network, a
// password, a policy. The gateway gives text only (containerd, core/images: Manifest).
func lacksPlatform(err error) bool {
	var other *otherPlatformError
	return errors.As(err, &other) || strings.Contains(err.Error(), "no match for platform in manifest")
}

// lacking explains why ref cannot be had for p: if it is p that is missing, it names the platforms that are there.
func (r *images) lacking(ctx context.Context, ref string, p ocispecs.Platform, err error) error {
	if !lacksPlatform(err) {
		return err
	}
	has := r.available(ctx, ref)
	if len(has) == 0 {
		return err
	}
	return fmt.Errorf("%s has no image for %s: use %s", ref, platforms.Format(p), strings.Join(has, ", "))
}

// available are the platforms, of those that Microsoft publishes for, that ref can be had for.
func (r *images) available(ctx context.Context, ref string) []string {
	var has []string
	for _, p := range dotnet.Platforms() {
		if _, err := r.resolveBase(ctx, ref, p); err == nil {
			has = append(has, platforms.Format(p))
		}
	}
	return has
}

// addManifests reads the index of the base, to know the manifest of each platform. Where that cannot be had they stay
// unknown, without a word: the image is as good without its label. BuildKit 0.34 gives a frontend no other way to
// them. Of a docker-image source it tells the digest of the index alone, and AttestationChain, which has the manifest,
// ends the daemon where the index is a Docker manifest list, as Microsoft's are (source/containerimage:
// ResolveImageMetadata has no chain for it and takes its Root all the same).
func (b *bases) addManifests(ctx context.Context, e *entrypoint, targets []ocispecs.Platform) {
	pinned := b.images[0].pinned
	if pinned == nil || !readsBlobs(e.bc.BuildOpts().LLBCaps) {
		return
	}
	index, err := e.readIndex(ctx, pinned, b.images[0].name)
	if err != nil {
		return // a source policy that denies this kind of source, or a registry that does not give an index to all
	}
	for i, p := range targets {
		b.manifests[i] = manifestFor(index, p)
		if len(index.Manifests) == 0 { // a manifest: the image of one platform
			b.manifests[i] = pinned.Digest()
		}
	}
}

// readsBlobs tells whether BuildKit can have a blob as a source. A Docker engine without the containerd image store
// says so and cannot: it would show an error in a build that works. It cannot merge either, and says that.
func readsBlobs(caps apicaps.CapSet) bool {
	return caps.Supports(pb.CapSourceImageBlob) == nil && caps.Supports(pb.CapMergeOp) == nil
}

// readIndex reads an index, or a manifest, which has no manifests.
func (e *entrypoint) readIndex(ctx context.Context, pinned reference.Canonical, of string) (ocispecs.Index, error) {
	var index ocispecs.Index
	blob, err := reference.WithDigest(reference.TrimNamed(pinned), pinned.Digest())
	if err != nil {
		return index, err
	}
	// A registry gives a manifest by digest just as a blob, and BuildKit has it in its cache from then on.
	const name = "index.json"
	st := llb.ImageBlob(blob.String(), llb.Filename(name), dockerui.WithInternalName("load index of "+of))
	_, dt, err := e.readFile(ctx, st, name)
	if err != nil {
		return index, err
	}
	return index, json.Unmarshal(dt, &index)
}

// libc looks into an image whose name does not tell its C library: musl's loader is there, or it is glibc.
func (r *images) libc(ctx context.Context, img *image) (dotnet.Libc, error) {
	def, err := r.marshal(ctx, img.state)
	if err != nil {
		return "", err
	}
	ref, err := r.solve(ctx, def)
	if err != nil || ref == nil {
		return dotnet.Glibc, err
	}
	found, err := ref.ReadDir(ctx, client.ReadDirRequest{Path: "/lib", IncludePattern: "ld-musl-*"})
	if err != nil && !isNotFound(err) {
		return "", err
	}
	if len(found) > 0 {
		return dotnet.Musl, nil
	}
	return dotnet.Glibc, nil
}

// manifestFor picks a manifest as BuildKit does when it pulls.
func manifestFor(index ocispecs.Index, p ocispecs.Platform) digest.Digest {
	m := platforms.Only(p)
	var best *ocispecs.Descriptor
	for _, desc := range index.Manifests {
		if desc.Platform != nil && m.Match(*desc.Platform) && (best == nil || m.Less(*desc.Platform, *best.Platform)) {
			best = &desc
		}
	}
	if best == nil {
		return ""
	}
	return best.Digest
}
