package bench

import (
	"archive/tar"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// image is what a registry has for one platform.
type image struct {
	v1.Image
	manifest *v1.Manifest
	base     int // number of layers that are the base's
}

// app are the layers over the base.
func (i image) app() []v1.Descriptor { return i.manifest.Layers[i.base:] }

// size is that of the layers, compressed, and the configuration.
func (i image) size() int64 { return i.manifest.Config.Size + sizes(i.manifest.Layers) }

func sizes(layers []v1.Descriptor) int64 {
	var n int64
	for _, l := range layers {
		n += l.Size
	}
	return n
}

// images gets the images behind ref, by platform as --platform has it. Each has to begin with the layers of base.
func images(ctx context.Context, ref, base string) (map[string]image, error) {
	got, err := index(ctx, ref)
	if err != nil {
		return nil, err
	}
	bases, err := index(ctx, base)
	if err != nil {
		return nil, err
	}
	for p, img := range got {
		b, ok := bases[p]
		if !ok {
			return nil, fmt.Errorf("%s has %s, which its base %s has not", ref, p, base)
		}
		for n, l := range b.manifest.Layers {
			if n >= len(img.manifest.Layers) || img.manifest.Layers[n].Digest != l.Digest {
				return nil, fmt.Errorf("%s for %s is not on %s: layer %d differs", ref, p, base, n)
			}
		}
		img.base = len(b.manifest.Layers)
		got[p] = img
	}
	return got, nil
}

// index gets the images of an index, attestations left out, and what is no index as one image.
func index(ctx context.Context, ref string) (map[string]image, error) {
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(parsed, remote.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", ref, err)
	}
	all := map[string]v1.Image{}
	if desc.MediaType.IsIndex() {
		idx, err := desc.ImageIndex()
		if err != nil {
			return nil, err
		}
		m, err := idx.IndexManifest()
		if err != nil {
			return nil, err
		}
		for _, d := range m.Manifests {
			if d.Platform == nil || d.Platform.OS == "unknown" {
				continue
			}
			if all[platform(*d.Platform)], err = idx.Image(d.Digest); err != nil {
				return nil, err
			}
		}
	} else {
		img, err := desc.Image()
		if err != nil {
			return nil, err
		}
		config, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		all[platform(*config.Platform())] = img
	}
	out := map[string]image{}
	for p, img := range all {
		m, err := img.Manifest()
		if err != nil {
			return nil, err
		}
		out[p] = image{Image: img, manifest: m}
	}
	return out, nil
}

// platform is p as --platform has it: arm64 has its variant by default.
func platform(p v1.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" && p.Architecture != "arm64" {
		s += "/" + p.Variant
	}
	return s
}

// compare adds to f what can be said of images that were pushed, and of before, which were there.
func (f *Figures) compare(before, now map[string]image, u uploaded) {
	f.Pushed = u.total()
	f.Images, f.Apps = map[string]int64{}, map[string]int64{}
	old := map[v1.Hash]bool{}
	for _, img := range before {
		for _, l := range img.manifest.Layers {
			old[l.Digest] = true
		}
	}
	seen := map[v1.Hash]bool{}
	for p, img := range now {
		f.Images[p], f.Apps[p] = img.size(), sizes(img.app())
		for n, l := range img.manifest.Layers {
			if seen[l.Digest] {
				continue
			}
			seen[l.Digest] = true
			if n < img.base {
				f.PushedBase += u.blobs[l.Digest.String()]
				continue
			}
			f.PushedApp += u.blobs[l.Digest.String()]
			if !old[l.Digest] {
				f.Changed += l.Size
				f.ChangedLayers++
			}
		}
	}
}

// verify checks that images are for platforms and have app in them, so that nobody is fast by doing less: the program
// that they start, for the platform if it is machine code, and files.
func verify(images map[string]image, want platforms, files []string) error {
	for _, p := range want.list() {
		img, ok := images[p]
		if !ok {
			return fmt.Errorf("no image for %s", p)
		}
		if err := img.verify(p, files); err != nil {
			return fmt.Errorf("image for %s: %w", p, err)
		}
	}
	if len(images) != len(want.list()) {
		return fmt.Errorf("%d images, want those for %s", len(images), want)
	}
	return nil
}

var machines = map[string]elf.Machine{
	"linux/amd64":  elf.EM_X86_64,
	"linux/arm64":  elf.EM_AARCH64,
	"linux/arm/v7": elf.EM_ARM,
}

func (i image) verify(p string, files []string) error {
	config, err := i.ConfigFile()
	if err != nil {
		return err
	}
	entrypoint := config.Config.Entrypoint
	if len(entrypoint) == 0 {
		return errors.New("no entrypoint")
	}
	start := entrypoint[len(entrypoint)-1]
	if !path.IsAbs(start) {
		start = path.Join(config.Config.WorkingDir, start)
	}
	missing := []string{strings.TrimPrefix(start, "/")}
	for _, f := range files {
		if f = "app/" + f; !slices.Contains(missing, f) {
			missing = append(missing, f)
		}
	}
	for _, l := range i.app() {
		layer, err := i.LayerByDigest(l.Digest)
		if err != nil {
			return err
		}
		if missing, err = stillMissing(layer, missing, machines[p]); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("not in it: %s", strings.Join(missing, ", "))
	}
	return nil
}

// stillMissing gives what of wanted is not in a layer. A program in it has to be for machine.
func stillMissing(layer v1.Layer, wanted []string, machine elf.Machine) ([]string, error) {
	r, err := layer.Uncompressed()
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // read only
	for t := tar.NewReader(r); ; {
		hdr, err := t.Next()
		if err == io.EOF {
			return wanted, nil
		}
		if err != nil {
			return nil, err
		}
		n := slices.Index(wanted, path.Clean(strings.TrimPrefix(hdr.Name, "/")))
		if n < 0 || hdr.Size == 0 {
			continue
		}
		found := wanted[n]
		wanted = slices.Delete(slices.Clone(wanted), n, n+1)
		if path.Ext(found) != "" {
			continue
		}
		head := make([]byte, 20) // up to e_machine
		if _, err := io.ReadFull(t, head); err != nil {
			return nil, err
		}
		if got := elf.Machine(uint16(head[18]) | uint16(head[19])<<8); string(head[:4]) != elf.ELFMAG || got != machine {
			return nil, fmt.Errorf("%s is for %s, want %s", found, got, machine)
		}
	}
}

// cacheSize is the size of the blobs that a cache in a registry names.
func cacheSize(ctx context.Context, ref string) (int64, error) {
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return 0, err
	}
	desc, err := remote.Get(parsed, remote.WithContext(ctx))
	if err != nil {
		return 0, fmt.Errorf("get %s: %w", ref, err)
	}
	m, err := v1.ParseManifest(strings.NewReader(string(desc.Manifest)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", ref, err)
	}
	if len(m.Layers) == 0 {
		return 0, fmt.Errorf("%s: a cache without blobs", ref)
	}
	return m.Config.Size + sizes(m.Layers), nil
}
