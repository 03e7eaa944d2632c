package diff

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// layer is one of an image's.
type layer struct {
	v1.Layer
	number int // from 1
	desc   v1.Descriptor
}

func layersOf(img v1.Image) ([]layer, error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	list, err := img.Layers()
	if err != nil {
		return nil, err
	}
	if len(list) != len(m.Layers) {
		return nil, fmt.Errorf("%d layers in the configuration, %d in the manifest", len(list), len(m.Layers))
	}
	out := make([]layer, len(list))
	for i, l := range list {
		out[i] = layer{l, i + 1, m.Layers[i]}
	}
	return out, nil
}

// layers leaves alone what both have, and pairs the rest in order.
func (c *comparison) layers(at path, a, b v1.Image) error {
	la, err := layersOf(a)
	if err != nil {
		return err
	}
	lb, err := layersOf(b)
	if err != nil {
		return err
	}
	c.order(at.to("layers"), digests(la), digests(lb))
	restA, restB := without(la, lb), without(lb, la)
	for i := range max(len(restA), len(restB)) {
		switch {
		case i >= len(restB):
			c.add(at.to(fmt.Sprintf("layer %d", restA[i].number)), restA[i].desc.Digest.String(), Absent)
		case i >= len(restA):
			c.add(at.to(fmt.Sprintf("layer %d", restB[i].number)), Absent, restB[i].desc.Digest.String())
		default:
			if err := c.pair(at.to(fmt.Sprintf("layer %d", restA[i].number)), restA[i], restB[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// digests are the names of layers, told apart where one comes twice.
func digests(layers []layer) []string {
	seen := map[string]int{}
	var out []string
	for _, l := range layers {
		out = append(out, numbered(seen, l.desc.Digest.String()))
	}
	return out
}

// without gives those of a that are not in b, with all that the manifest says of them.
func without(a, b []layer) []layer {
	count := map[string]int{}
	for _, l := range b {
		count[text(l.desc)]++
	}
	var out []layer
	for _, l := range a {
		if count[text(l.desc)]--; count[text(l.desc)] < 0 {
			out = append(out, l)
		}
	}
	return out
}

// order tells that what both have is in another order.
func (c *comparison) order(at path, a, b []string) {
	common := func(list, other []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !slices.Contains(other, s) })
	}
	for i, ours, theirs := 0, common(a, b), common(b, a); i < len(ours); i++ {
		if ours[i] != theirs[i] {
			c.add(at.to("order"), ours[i], theirs[i])
			return
		}
	}
}

func (c *comparison) pair(at path, a, b layer) error {
	if same, err := c.descriptors(at, a.desc, b.desc); err != nil || same {
		return err
	}
	ea, err := read(a)
	if err != nil {
		return fmt.Errorf("layer %d of the first: %w", a.number, err)
	}
	eb, err := read(b)
	if err != nil {
		return fmt.Errorf("layer %d of the second: %w", b.number, err)
	}
	before := len(c.found)
	c.archives(at, ea, eb)
	if len(c.found) > before {
		return nil
	}
	if ea.hash != eb.hash {
		c.add(at.to("archive"), ea.hash, eb.hash)
	} else {
		c.add(at.to("compression"), a.desc.Digest.String(), b.desc.Digest.String())
	}
	return nil
}

// archive is what a layer holds.
type archive struct {
	names   []string
	entries map[string]map[string]string // fields by name
	hash    string                       // of all, uncompressed
}

func (c *comparison) archives(at path, a, b archive) {
	c.order(at, a.names, b.names)
	for _, name := range a.names {
		if _, ok := b.entries[name]; !ok {
			c.add(at.to(name), a.entries[name]["content"], Absent)
			continue
		}
		ours, theirs := a.entries[name], b.entries[name]
		fields := maps.Clone(ours)
		maps.Copy(fields, theirs)
		for _, f := range slices.Sorted(maps.Keys(fields)) {
			va, inA := ours[f]
			vb, inB := theirs[f]
			if !inA {
				va = Absent
			}
			if !inB {
				vb = Absent
			}
			if va != vb {
				c.add(at.to(name, f), va, vb)
			}
		}
	}
	for _, name := range b.names {
		if _, ok := a.entries[name]; !ok {
			c.add(at.to(name), Absent, b.entries[name]["content"])
		}
	}
}

// read reads a layer to its end.
func read(l v1.Layer) (_ archive, err error) {
	r, err := l.Uncompressed()
	if err != nil {
		return archive{}, err
	}
	defer r.Close() //nolint:errcheck // read only
	sum := sha256.New()
	all := io.TeeReader(r, sum)
	out := archive{entries: map[string]map[string]string{}}
	seen := map[string]int{}
	for t := tar.NewReader(all); ; {
		hdr, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return archive{}, err
		}
		content := sha256.New()
		n, err := io.Copy(content, t)
		if err != nil {
			return archive{}, err
		}
		name := numbered(seen, hdr.Name)
		out.names = append(out.names, name)
		out.entries[name] = fields(hdr)
		out.entries[name]["content"] = fmt.Sprintf("sha256:%x, %d bytes", content.Sum(nil), n)
		if hdr.Typeflag != tar.TypeReg {
			out.entries[name]["content"] = out.entries[name]["type"]
		}
	}
	if _, err := io.Copy(io.Discard, all); err != nil { // what follows the last entry
		return archive{}, err
	}
	out.hash = fmt.Sprintf("sha256:%x", sum.Sum(nil))
	return out, nil
}

var kinds = map[byte]string{
	tar.TypeReg: "file", tar.TypeLink: "hard link", tar.TypeSymlink: "symbolic link", tar.TypeChar: "character device",
	tar.TypeBlock: "block device", tar.TypeDir: "folder", tar.TypeFifo: "pipe",
}

// fields are those of an entry but its content, each under its name.
func fields(hdr *tar.Header) map[string]string {
	kind, ok := kinds[hdr.Typeflag]
	if !ok {
		kind = fmt.Sprintf("type %q", hdr.Typeflag)
	}
	out := map[string]string{
		"type":   kind,
		"mode":   fmt.Sprintf("%#o", hdr.Mode),
		"owner":  strings.TrimSpace(fmt.Sprintf("%d:%d %s %s", hdr.Uid, hdr.Gid, hdr.Uname, hdr.Gname)),
		"time":   hdr.ModTime.UTC().Format(time.RFC3339Nano),
		"format": hdr.Format.String(),
	}
	if hdr.Linkname != "" {
		out["target"] = hdr.Linkname
	}
	if hdr.Devmajor != 0 || hdr.Devminor != 0 {
		out["device"] = fmt.Sprintf("%d:%d", hdr.Devmajor, hdr.Devminor)
	}
	for k, v := range hdr.PAXRecords {
		switch k {
		case "path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime": // told above
		default:
			out[k] = fmt.Sprintf("%q", v)
		}
	}
	return out
}
