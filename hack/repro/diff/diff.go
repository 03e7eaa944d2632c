// Package diff tells what differs between two images, from the index down to the files.
//
// Contract: [Compare] gives at least one difference for two images whose digests differ, unless that comes of
// attestations alone, which are left out: they tell of the build, its times among other things. Of parts whose digests
// are equal nothing is read. Parts are told apart as far down as can be: where a layer has another digest since a file
// in it has another mode, that mode is the difference, not the digest.
//
// # Where things are
//
//	diff.go    index and images
//	json.go    documents: index, manifest, configuration
//	layer.go   layers and the entries of their archives
//	write.go   how differences are shown
package diff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Object is an index or an image of one platform: a [v1.ImageIndex] or a [v1.Image].
type Object interface {
	Digest() (v1.Hash, error)
	MediaType() (types.MediaType, error)
	RawManifest() ([]byte, error)
}

// Difference is one thing in which two images differ.
type Difference struct {
	// Path leads to it from the index, such as "linux/arm64", "layer 3", "app/app.dll", "mode". Layers count from 1; where
	// the two have it in different places, it is that in the first.
	Path []string
	// A and B are what the first and the second have; Absent is for nothing.
	A, B string
}

// Absent is what an image has that lacks something.
const Absent = "(none)"

// String is the difference in one line.
func (d Difference) String() string {
	return strings.Join(d.Path, ": ") + ": " + d.A + " | " + d.B
}

// Get gives what a registry has behind a reference.
func Get(ref string, opts ...remote.Option) (Object, error) {
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(parsed, opts...)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", ref, err)
	}
	if desc.MediaType.IsIndex() {
		return desc.ImageIndex()
	}
	return desc.Image()
}

// Compare gives all differences of two images or indexes, in the order of the first.
func Compare(a, b Object) ([]Difference, error) {
	c := &comparison{}
	if err := c.objects(nil, a, b); err != nil {
		return nil, err
	}
	return c.found, nil
}

type comparison struct{ found []Difference }

func (c *comparison) add(at path, a, b string) {
	c.found = append(c.found, Difference{at, a, b})
}

// path is where a comparison is.
type path []string

func (p path) to(parts ...string) path { return append(slices.Clone(p), parts...) }

func (c *comparison) objects(at path, a, b Object) error {
	da, err := a.Digest()
	if err != nil {
		return err
	}
	db, err := b.Digest()
	if err != nil || da == db {
		return err
	}
	before := len(c.found)
	ia, aIsIndex := a.(v1.ImageIndex)
	ib, bIsIndex := b.(v1.ImageIndex)
	attested := false
	switch {
	case aIsIndex && bIsIndex:
		attested, err = c.indexes(at, ia, ib)
	case !aIsIndex && !bIsIndex:
		err = c.images(at, a.(v1.Image), b.(v1.Image))
	default:
		return c.kinds(at, a, b)
	}
	if err == nil && len(c.found) == before && !attested {
		// The same in other words, such as other white space.
		c.add(at.to("manifest", "bytes"), da.String(), db.String())
	}
	return err
}

// kinds is for an index and an image, which have nothing to compare.
func (c *comparison) kinds(at path, a, b Object) error {
	ma, err := a.MediaType()
	if err != nil {
		return err
	}
	mb, err := b.MediaType()
	if err != nil {
		return err
	}
	c.add(at.to("mediaType"), string(ma), string(mb))
	return nil
}

// indexes tells whether one of both has attestations, beside what it finds.
func (c *comparison) indexes(at path, a, b v1.ImageIndex) (attested bool, err error) {
	da, err := document(a, "manifests")
	if err != nil {
		return false, err
	}
	db, err := document(b, "manifests")
	if err != nil {
		return false, err
	}
	c.documents(at.to("index"), da, db)
	ma, attestedA, err := manifests(a)
	if err != nil {
		return false, err
	}
	mb, attestedB, err := manifests(b)
	if err != nil {
		return false, err
	}
	keysOf := func(list []manifest) []string {
		var keys []string
		for _, m := range list {
			keys = append(keys, m.key)
		}
		return keys
	}
	c.order(at.to("index"), keysOf(ma), keysOf(mb))
	for _, m := range ma {
		i := slices.IndexFunc(mb, func(o manifest) bool { return o.key == m.key })
		if i < 0 {
			c.add(at.to(m.key), m.desc.Digest.String(), Absent)
			continue
		}
		if err := c.manifests(at.to(m.key), m, mb[i]); err != nil {
			return false, fmt.Errorf("%s: %w", m.key, err)
		}
	}
	for _, m := range mb {
		if !slices.ContainsFunc(ma, func(o manifest) bool { return o.key == m.key }) {
			c.add(at.to(m.key), Absent, m.desc.Digest.String())
		}
	}
	return attestedA || attestedB, nil
}

// manifest is what an index has for one platform.
type manifest struct {
	key   string // the platform
	desc  v1.Descriptor
	index v1.ImageIndex
}

// manifests lists those of an index but attestations, and tells whether there are such.
func manifests(idx v1.ImageIndex) (list []manifest, attested bool, err error) {
	m, err := idx.IndexManifest()
	if err != nil {
		return nil, false, err
	}
	seen := map[string]int{}
	for _, desc := range m.Manifests {
		key := "no platform"
		if desc.Platform != nil {
			key = desc.Platform.String()
		}
		if strings.HasPrefix(key, "unknown/") {
			attested = true
			continue
		}
		list = append(list, manifest{numbered(seen, key), desc, idx})
	}
	return list, attested, nil
}

// numbered makes names that come more than once different.
func numbered(seen map[string]int, name string) string {
	if seen[name]++; seen[name] > 1 {
		return fmt.Sprintf("%s #%d", name, seen[name])
	}
	return name
}

func (c *comparison) manifests(at path, a, b manifest) error {
	if same, err := c.descriptors(at, a.desc, b.desc); err != nil || same {
		return err
	}
	oa, err := a.object()
	if err != nil {
		return err
	}
	ob, err := b.object()
	if err != nil {
		return err
	}
	return c.objects(at, oa, ob)
}

func (m manifest) object() (Object, error) {
	if m.desc.MediaType.IsIndex() {
		return m.index.ImageIndex(m.desc.Digest)
	}
	return m.index.Image(m.desc.Digest)
}

func (c *comparison) images(at path, a, b v1.Image) error {
	ma, err := document(a, "layers", "config.digest", "config.size", "config.data")
	if err != nil {
		return err
	}
	mb, err := document(b, "layers", "config.digest", "config.size", "config.data")
	if err != nil {
		return err
	}
	c.documents(at.to("manifest"), ma, mb)
	if err := c.configs(at.to("config"), a, b); err != nil {
		return err
	}
	return c.layers(at, a, b)
}

func (c *comparison) configs(at path, a, b v1.Image) error {
	ra, err := a.RawConfigFile()
	if err != nil {
		return err
	}
	rb, err := b.RawConfigFile()
	if err != nil || string(ra) == string(rb) {
		return err
	}
	ca, err := parse(ra)
	if err != nil {
		return err
	}
	cb, err := parse(rb)
	if err != nil {
		return err
	}
	layersDiffer := string(must(json.Marshal(diffIDs(ca)))) != string(must(json.Marshal(diffIDs(cb))))
	before := len(c.found)
	drop(ca, "rootfs.diff_ids")
	drop(cb, "rootfs.diff_ids")
	c.documents(at, ca, cb)
	if len(c.found) == before && !layersDiffer {
		c.add(at.to("bytes"), hash(ra), hash(rb))
	}
	return nil
}
