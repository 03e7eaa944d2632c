package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
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
	"github.com/moby/buildkit/util/grpcerrors"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// Image is a reference resolved for a platform. A named context of that name wins over the registry.
type Image struct {
	Name   string // as asked for, tag included
	State  llb.State
	Config *dockerspec.DockerOCIImage // nil where a named context has none
	Pinned reference.Canonical        // what the registry said; nil if a named context replaces the image
}

// Pin is the reference with the digest that the registry gave, if it did.
func (img *Image) Pin() string {
	if img.Pinned == nil {
		return img.Name
	}
	return img.Name + "@" + img.Pinned.Digest().String()
}

// Env gives a variable of the image's environment, empty where there is none.
func (img *Image) Env(name string) string {
	if img.Config == nil {
		return ""
	}
	for _, kv := range img.Config.Config.Env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v
		}
	}
	return ""
}

// registry keeps the answers of registries, so that a build asks each question once.
type registry struct {
	mu      sync.Mutex
	answers map[string]func() (resolution, error) // by reference and platform
}

// resolution is what a registry says of a reference.
type resolution struct {
	ref    string
	digest digest.Digest
	config []byte
}

// Image resolves ref for platform p; prefix begins the name of its vertex. scratch is the empty image.
func (c *Client) Image(ctx context.Context, ref string, p ocispecs.Platform, prefix string) (*Image, error) {
	if dotnet.IsScratch(ref) {
		return &Image{Name: ref, State: llb.Scratch()}, nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, fmt.Errorf("%q is not an image reference: %w", ref, err)
	}
	named = reference.TagNameOnly(named)
	img := &Image{Name: named.String()}

	nc, err := c.NamedContext(ref, dockerui.ContextOpt{Platform: &p, ResolveMode: c.ImageResolveMode.String()})
	if err != nil {
		return nil, err
	}
	if nc != nil {
		st, config, err := nc.Load(ctx)
		if err != nil {
			return nil, answered(err, named, p)
		}
		img.State, img.Config = *st, config
		return img, nil
	}

	said, err := c.ask(ctx, named, p)
	if err != nil {
		return nil, answered(err, named, p)
	}
	if named, err = reference.ParseNormalizedNamed(said.ref); err != nil { // a source policy can send us elsewhere
		return nil, err
	}
	if img.Pinned, err = reference.WithDigest(named, said.digest); err != nil {
		return nil, err
	}
	img.Config = &dockerspec.DockerOCIImage{}
	if err := json.Unmarshal(said.config, img.Config); err != nil {
		return nil, fmt.Errorf("read configuration of %s: %w", img.Name, err)
	}
	img.State, err = llb.Image(img.Pinned.String(), llb.Platform(p), c.ImageResolveMode,
		llb.WithCustomName(prefix+"FROM "+img.Pinned.String())).WithImageConfig(said.config)
	return img, err
}

// ask asks the registry, once in a build. It asks again if the first request was canceled.
func (c *Client) ask(ctx context.Context, named reference.Named, p ocispecs.Platform) (resolution, error) {
	key := named.String() + " " + platforms.FormatAll(p)
	r := &c.registry
	r.mu.Lock()
	once, ok := r.answers[key]
	if !ok {
		once = sync.OnceValues(func() (_ resolution, err error) {
			defer Recover(&err)
			return c.resolve(ctx, named, p)
		})
		r.answers[key] = once
	}
	r.mu.Unlock()
	said, err := once()
	if err == nil || ctx.Err() != nil || !IsCanceled(err) {
		return said, err
	}
	return c.resolve(ctx, named, p)
}

func (c *Client) resolve(ctx context.Context, named reference.Named, p ocispecs.Platform) (resolution, error) {
	prefix := "[internal]"
	if c.MultiPlatformRequested { // as dockerfile2llb has it
		prefix = "[" + platforms.FormatAll(p) + " internal]"
	}
	ref, dgst, dt, err := c.gw.ResolveImageConfig(ctx, named.String(), sourceresolver.Opt{
		LogName:  prefix + " load metadata for " + named.String(),
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &p, ResolveMode: c.ImageResolveMode.String()},
	})
	// BuildKit names the image in most errors, but not if the registry sends bytes with another digest, for example.
	if err != nil && !IsCanceled(err) && !strings.Contains(err.Error(), reference.Path(named)) {
		err = fmt.Errorf("%s: %w", named, err)
	}
	return resolution{ref, dgst, dt}, err
}

// AskAhead asks about a base in the background, before the build is sure to need it, so that the answers come sooner.
func (c *Client) AskAhead(ref string, targets []ocispecs.Platform) {
	for _, p := range targets {
		// If the build needs the image, it gets the same error.
		c.Go(func(ctx context.Context) { _, _ = c.Base(ctx, ref, p) })
	}
}

// absent is the answer of a registry that it does not have an image.
type absent struct {
	error
	// platform tells that there is the image, but not for this platform.
	platform bool
}

func (e *absent) Unwrap() error { return e.error }

// answered turns err into [absent] if it is a registry's answer that it does not have an image for p. Other errors come
// back as they are: the registry was not reached, wants a password or limits requests, or a policy forbids the image.
// The gateway gives only text. It comes from containerd's core/images (Manifest) and core/remotes/docker (Resolve).
func answered(err error, named reference.Named, p ocispecs.Platform) error {
	if strings.Contains(err.Error(), "no match for platform in manifest") {
		return &absent{Reword(err, fmt.Sprintf("%s has no image for %s", named, platforms.Format(p))), true}
	}
	name, none := strings.CutSuffix(err.Error(), ": not found")
	if none { // of an image, and of nothing else
		_, parseErr := reference.ParseNormalizedNamed(name)
		none = parseErr == nil
	}
	if none || grpcerrors.Code(err) == codes.NotFound {
		return &absent{err, false}
	}
	return err
}

// NoSuchImage tells whether err says that a registry does not have the image for any platform.
func NoSuchImage(err error) bool {
	var none *absent
	return errors.As(err, &none) && !none.platform
}

// NoSuchPlatform tells whether err says that there is an image, but not for the platform.
func NoSuchPlatform(err error) bool {
	var none *absent
	return errors.As(err, &none) && none.platform
}

// Base resolves ref for p, and checks that the image is for p: without an index, an image has only one platform.
func (c *Client) Base(ctx context.Context, ref string, p ocispecs.Platform) (*Image, error) {
	return c.only(ctx, ref, p, "[image "+platforms.Format(platforms.Normalize(p))+"] ")
}

// Tool resolves ref for the build platform, with the same check as [Client.Base].
func (c *Client) Tool(ctx context.Context, ref string) (*Image, error) {
	return c.only(ctx, ref, c.BuildPlatform(), "[tools] ")
}

func (c *Client) only(ctx context.Context, ref string, p ocispecs.Platform, prefix string) (*Image, error) {
	img, err := c.Image(ctx, ref, p, prefix)
	if err != nil {
		return nil, err
	}
	if img.Config != nil && img.Config.Architecture != "" && !isFor(img.Config.Platform, p) {
		is := platforms.Format(img.Config.Platform)
		return nil, &absent{fmt.Errorf("%s has no image for %s: it is for %s", ref, platforms.Format(p), is), true}
	}
	return img, nil
}

// isFor tells whether an image can be the base of one for p. BuildKit picks an image if a machine can run it. That is
// not enough here: arm64 can run a base for arm/v7, which has no loader for what is published for arm64.
func isFor(is, p ocispecs.Platform) bool {
	is, p = platforms.Normalize(is), platforms.Normalize(p)
	return is.Architecture == p.Architecture && platforms.Only(p).Match(is)
}

// Bases gives the base image for every platform. If a platform is missing, the error names the platforms of others that
// the base has.
func (c *Client) Bases(ctx context.Context, ref string, targets, others []ocispecs.Platform) ([]*Image, error) {
	images := make([]*Image, len(targets))
	errs := make([]error, len(targets))
	eg, _ := Group(ctx)
	for i, p := range targets {
		eg.Go(func() error {
			images[i], errs[i] = c.Base(ctx, ref, p)
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		if !NoSuchPlatform(err) {
			return nil, err
		}
		has := c.Available(ctx, ref, others)
		if len(has) == 0 {
			return nil, err
		}
		lacks := fmt.Sprintf("%s has no image for %s: use ", ref, platforms.Format(targets[i]))
		return nil, Reword(err, lacks+strings.Join(has, ", "))
	}
	return images, nil
}

// Available are those of the given platforms that ref has an image for.
func (c *Client) Available(ctx context.Context, ref string, of []ocispecs.Platform) []string {
	var has []string
	for _, p := range of {
		if _, err := c.Base(ctx, ref, p); err == nil {
			has = append(has, platforms.Format(p))
		}
	}
	return has
}

// Manifests gives the digest of each platform's manifest in the index of img. A digest that BuildKit cannot get is
// empty: only a label depends on it. The error is for a registry that fails to give the index. BuildKit 0.34 gives a
// frontend no other way. For a docker-image source it gives only the digest of the index. Its AttestationChain has the
// manifest, but crashes the daemon if the index is a Docker manifest list, as Microsoft's are (source/containerimage:
// ResolveImageMetadata has no chain for it and takes its Root all the same).
func (c *Client) Manifests(ctx context.Context, img *Image, targets []ocispecs.Platform) ([]digest.Digest, error) {
	manifests := make([]digest.Digest, len(targets))
	if img.Pinned == nil || !readsBlobs(c.Caps()) {
		return manifests, nil
	}
	index, err := c.readIndex(ctx, img)
	if err != nil {
		if strings.Contains(err.Error(), "denied by policy") { // the user does not want this kind of source
			err = nil
		}
		return manifests, err
	}
	for i, p := range targets {
		if manifests[i] = manifestFor(index, p); len(index.Manifests) == 0 { // a manifest: the image of one platform
			manifests[i] = img.Pinned.Digest()
		}
	}
	return manifests, nil
}

// readsBlobs tells whether BuildKit can read a blob as a source. A Docker engine without the containerd image store
// claims it, but fails, and would show an error in a build that works. Such an engine admits that it cannot merge, so
// that is checked too.
func readsBlobs(caps apicaps.CapSet) bool {
	return caps.Supports(pb.CapSourceImageBlob) == nil && caps.Supports(pb.CapMergeOp) == nil
}

// readIndex reads an index, or a manifest, which has no manifests.
func (c *Client) readIndex(ctx context.Context, img *Image) (ocispecs.Index, error) {
	var index ocispecs.Index
	blob, err := reference.WithDigest(reference.TrimNamed(img.Pinned), img.Pinned.Digest())
	if err != nil {
		return index, err
	}
	// A registry gives a manifest by digest like a blob. BuildKit then keeps it in its cache.
	const name = "index.json"
	st := llb.ImageBlob(blob.String(), llb.Filename(name), dockerui.WithInternalName("load index of "+img.Name))
	file, err := c.ReadFile(ctx, st, name)
	if err != nil {
		return index, err
	}
	if err := json.Unmarshal(file.Data, &index); err != nil {
		return index, fmt.Errorf("read index of %s: %w", img.Name, err)
	}
	return index, nil
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

// HasFiles tells whether a folder of an image has files whose names match a pattern of one element.
func (c *Client) HasFiles(ctx context.Context, img *Image, folder, pattern string) (bool, error) {
	found, err := c.list(ctx, img, client.ReadDirRequest{Path: folder, IncludePattern: pattern})
	return len(found) > 0, err
}

// Folder gives the names in a folder of an image; none if there is no such folder.
func (c *Client) Folder(ctx context.Context, img *Image, folder string) ([]string, error) {
	return c.list(ctx, img, client.ReadDirRequest{Path: folder})
}

func (c *Client) list(ctx context.Context, img *Image, req client.ReadDirRequest) ([]string, error) {
	ref, err := c.Solve(ctx, img.State)
	if err != nil || ref == nil {
		return nil, err
	}
	found, err := ref.ReadDir(ctx, req)
	if err != nil && !IsNotFound(err) {
		return nil, err
	}
	names := make([]string, len(found))
	for i, st := range found {
		names[i] = path.Base(st.Path)
	}
	return names, nil
}

// Platforms are names of platforms as users write them.
func Platforms(ps []ocispecs.Platform) []string {
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = platforms.Format(platforms.Normalize(p))
	}
	return names
}
