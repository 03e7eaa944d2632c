// Package policy makes a source policy of BuildKit out of an image's provenance, by which it can be built again from
// what it was built from.
//
// Contract: [Materials] reads the SLSA provenance that buildx attached to an image in a registry, of any version and
// mode. [New] pins every image of it to its digest, every git repository to its commit and every file from the web to
// its checksum, under the name that the build asked for, so that a moved tag or branch is overruled. What is named by
// digest already needs no rule. What was not named, such as a local context and NuGet packages, is not in there.
package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/solver/pb"
	spb "github.com/moby/buildkit/sourcepolicy/pb"
	"github.com/moby/buildkit/util/gitutil"
	"github.com/moby/buildkit/util/purl"
)

// Material is something that a build read, as provenance has it.
type Material struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// The annotations by which attestations are known.
const (
	referenceType = "vnd.docker.reference.type"
	attestation   = "attestation-manifest"
	predicateType = "in-toto.io/predicate-type"
	provenance    = "https://slsa.dev/provenance/"
)

// Materials gives what the provenance of an image in a registry names, for all its platforms, sorted by URI.
func Materials(ref string, opts ...remote.Option) ([]Material, error) {
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return nil, err
	}
	desc, err := remote.Get(parsed, opts...)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", ref, err)
	}
	found := map[string]Material{}
	if desc.MediaType.IsIndex() {
		idx, err := desc.ImageIndex()
		if err != nil {
			return nil, err
		}
		if err := read(idx, found); err != nil {
			return nil, fmt.Errorf("provenance of %s: %w", ref, err)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf(
			"%s has no provenance that names anything: build it with --provenance=mode=max, or without --provenance=false",
			ref,
		)
	}
	var out []Material
	for _, k := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[k])
	}
	return out, nil
}

// read adds what the attestations of an index name.
func read(idx v1.ImageIndex, found map[string]Material) error {
	m, err := idx.IndexManifest()
	if err != nil {
		return err
	}
	for _, desc := range m.Manifests {
		if desc.Annotations[referenceType] != attestation {
			continue
		}
		img, err := idx.Image(desc.Digest)
		if err != nil {
			return err
		}
		m, err := img.Manifest()
		if err != nil {
			return err
		}
		for _, l := range m.Layers {
			if !strings.HasPrefix(l.Annotations[predicateType], provenance) {
				continue
			}
			layer, err := img.LayerByDigest(l.Digest)
			if err != nil {
				return err
			}
			materials, err := statement(layer)
			if err != nil {
				return err
			}
			for _, m := range materials {
				found[m.URI+" "+digests(m)] = m
			}
		}
	}
	return nil
}

// statement reads an in-toto statement of SLSA provenance, version 0.2 or 1.
func statement(l v1.Layer) (_ []Material, err error) {
	r, err := l.Compressed() // it is not
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // read only
	dt, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var st struct {
		Predicate struct {
			Materials       []Material // 0.2
			BuildDefinition struct {   // 1
				ResolvedDependencies []Material
			}
		}
	}
	if err := json.Unmarshal(dt, &st); err != nil {
		return nil, err
	}
	return append(st.Predicate.Materials, st.Predicate.BuildDefinition.ResolvedDependencies...), nil
}

func digests(m Material) string {
	var out []string
	for _, alg := range slices.Sorted(maps.Keys(m.Digest)) {
		out = append(out, alg+":"+m.Digest[alg])
	}
	return strings.Join(out, " ")
}

// New gives the policy that pins materials. One that cannot be pinned, and one name for two things, are errors.
func New(materials []Material) (*spb.Policy, error) {
	p := &spb.Policy{Version: 1}
	seen := map[string]string{}
	for _, m := range materials {
		rule, err := pin(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.URI, err)
		}
		if rule == nil {
			continue
		}
		from := rule.Selector.Identifier
		if before, ok := seen[from]; !ok {
			seen[from] = digests(m)
			p.Rules = append(p.Rules, rule)
		} else if before != digests(m) {
			return nil, fmt.Errorf("%s was %s and %s in one build: it moved meanwhile", m.URI, before, digests(m))
		}
	}
	return p, nil
}

// Image gives an image as a reference with its digest; ok tells whether the material is one that was asked for by name.
func Image(m Material) (ref string, ok bool) {
	if !strings.HasPrefix(m.URI, "pkg:docker/") {
		return "", false
	}
	ref, _, err := purl.PURLToRef(m.URI)
	if err != nil || strings.Contains(ref, "@") {
		return "", false
	}
	return ref + "@sha256:" + m.Digest["sha256"], true
}

// pin gives the rule that makes what the build asked for what it got; nil if that was named by digest.
func pin(m Material) (*spb.Rule, error) {
	selector, updates := &spb.Selector{MatchType: spb.MatchType_EXACT}, &spb.Update{}
	switch {
	case strings.HasPrefix(m.URI, "pkg:docker/"):
		ref, _, err := purl.PURLToRef(m.URI)
		if err != nil || strings.Contains(ref, "@") {
			return nil, err
		}
		if m.Digest["sha256"] == "" {
			return nil, fmt.Errorf("no sha256 in %v", m.Digest)
		}
		selector.Identifier = "docker-image://" + ref
		updates.Identifier = selector.Identifier + "@sha256:" + m.Digest["sha256"]
	case strings.HasPrefix(m.URI, "pkg:"): // such as an OCI layout on the disk
		return nil, nil
	case m.Digest["sha1"] != "":
		u, err := gitutil.ParseURL(m.URI)
		if err != nil {
			return nil, err
		}
		// As llb.Git has it, whatever the protocol; but provenance does not tell the folder, which comes after the branch.
		id := "git://" + u.Host + "/" + strings.TrimPrefix(u.Path, "/")
		updates.Identifier = id + "#" + m.Digest["sha1"] + "${1}"
		selector.MatchType = spb.MatchType_REGEX
		if u.Opts != nil && u.Opts.Ref != "" {
			selector.Identifier = "^" + regexp.QuoteMeta(id+"#"+u.Opts.Ref) + "(:.*)?$"
		} else {
			selector.Identifier = "^" + regexp.QuoteMeta(id) + "(?:#(:.*)?)?$"
		}
	case m.Digest["sha256"] != "":
		selector.Identifier = m.URI
		updates.Identifier, updates.Attrs = m.URI, map[string]string{pb.AttrHTTPChecksum: "sha256:" + m.Digest["sha256"]}
	default:
		return nil, fmt.Errorf("nothing to pin it to in %v", m.Digest)
	}
	return &spb.Rule{Action: spb.PolicyAction_CONVERT, Selector: selector, Updates: updates}, nil
}
