package policy

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/sourcepolicy"
	spb "github.com/moby/buildkit/sourcepolicy/pb"
)

var (
	shaA   = strings.Repeat("a", 64)
	shaB   = strings.Repeat("b", 64)
	commit = strings.Repeat("c", 40)
)

func image(uri, sha string) Material { return Material{uri, map[string]string{"sha256": sha}} }

// BuildKit's own engine applies the policy to what a build asks for, after a way through JSON as buildx goes it.
func TestNew(t *testing.T) {
	for _, tc := range []struct {
		name      string
		material  Material
		asked     string
		want      string
		wantAttrs map[string]string
	}{
		{"image", image("pkg:docker/mcr.microsoft.com/dotnet/sdk@10.0?platform=linux%2Famd64", shaA),
			"docker-image://mcr.microsoft.com/dotnet/sdk:10.0",
			"docker-image://mcr.microsoft.com/dotnet/sdk:10.0@sha256:" + shaA, nil},
		{"image of Docker Hub", image("pkg:docker/alpine@latest", shaA),
			"docker-image://docker.io/library/alpine:latest",
			"docker-image://docker.io/library/alpine:latest@sha256:" + shaA, nil},
		{"image of a registry with a port", image("pkg:docker/127.0.0.1:5000/base@1", shaA),
			"docker-image://127.0.0.1:5000/base:1", "docker-image://127.0.0.1:5000/base:1@sha256:" + shaA, nil},
		{"another image", image("pkg:docker/alpine@latest", shaA), "docker-image://docker.io/library/alpine:3",
			"docker-image://docker.io/library/alpine:3", nil},
		{"image by digest", image("pkg:docker/alpine?digest=sha256:"+shaA, shaA),
			"docker-image://docker.io/library/alpine@sha256:" + shaA,
			"docker-image://docker.io/library/alpine@sha256:" + shaA, nil},
		{"manifest of an image", image("pkg:docker/alpine?digest=sha256:"+shaA+"&ref_type=blob", shaA),
			"docker-image://docker.io/library/alpine:latest", "docker-image://docker.io/library/alpine:latest", nil},
		{"layout on the disk", image("pkg:oci/frontend?digest=sha256:"+shaA, shaA), "oci-layout://frontend@sha256:" + shaA,
			"oci-layout://frontend@sha256:" + shaA, nil},
		{"branch", Material{"https://github.com/a/b.git#main", map[string]string{"sha1": commit}},
			"git://github.com/a/b.git#main", "git://github.com/a/b.git#" + commit, nil},
		{"folder of a branch", Material{"https://github.com/a/b.git#main", map[string]string{"sha1": commit}},
			"git://github.com/a/b.git#main:src/app", "git://github.com/a/b.git#" + commit + ":src/app", nil},
		{"another branch", Material{"https://github.com/a/b.git#main", map[string]string{"sha1": commit}},
			"git://github.com/a/b.git#mainly", "git://github.com/a/b.git#mainly", nil},
		{"repository", Material{"https://github.com/a/b.git", map[string]string{"sha1": commit}},
			"git://github.com/a/b.git", "git://github.com/a/b.git#" + commit, nil},
		{"folder of a repository", Material{"https://github.com/a/b.git", map[string]string{"sha1": commit}},
			"git://github.com/a/b.git#:src", "git://github.com/a/b.git#" + commit + ":src", nil},
		{"file", image("https://example.com/a.tar.gz", shaA), "https://example.com/a.tar.gz", "https://example.com/a.tar.gz",
			map[string]string{pb.AttrHTTPChecksum: "sha256:" + shaA}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			made, err := New([]Material{tc.material, tc.material})
			if err != nil {
				t.Fatal(err)
			}
			if len(made.Rules) > 1 {
				t.Errorf("%d rules for one material", len(made.Rules))
			}
			dt, err := json.Marshal(made)
			if err != nil {
				t.Fatal(err)
			}
			var p spb.Policy
			if err := json.Unmarshal(dt, &p); err != nil {
				t.Fatal(err)
			}
			op := &pb.SourceOp{Identifier: tc.asked}
			if _, err := sourcepolicy.NewEngine([]*spb.Policy{&p}).Evaluate(t.Context(), op); err != nil {
				t.Fatalf("%v\n%s", err, dt)
			}
			if op.Identifier != tc.want {
				t.Errorf("got %s, want %s", op.Identifier, tc.want)
			}
			if fmt.Sprint(op.Attrs) != fmt.Sprint(tc.wantAttrs) {
				t.Errorf("attributes %v, want %v", op.Attrs, tc.wantAttrs)
			}
		})
	}
	for want, materials := range map[string][]Material{
		"it moved meanwhile": {image("pkg:docker/alpine@3", shaA),
			image("pkg:docker/alpine@3?platform=linux%2Farm64", shaB)},
		"no sha256":              {{"pkg:docker/alpine@3", nil}},
		"nothing to pin it to":   {{"https://example.com", nil}},
		"https://example.com/a:": {{"https://example.com/a", map[string]string{"md5": "d"}}},
	} {
		if _, err := New(materials); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestImage(t *testing.T) {
	sdk := "mcr.microsoft.com/dotnet/sdk:10.0@sha256:" + shaA
	for uri, want := range map[string]string{
		"pkg:docker/mcr.microsoft.com/dotnet/sdk@10.0?platform=linux%2Famd64": sdk,
		"pkg:docker/alpine?digest=sha256:" + shaA + "&ref_type=blob":          "",
		"https://github.com/a/b.git#main":                                     "",
	} {
		if got, ok := Image(image(uri, shaA)); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v", uri, got, ok)
		}
	}
}

// Provenance is found in a registry, of either version, for every platform; other attestations are left alone.
func TestMaterials(t *testing.T) {
	srv := httptest.NewServer(registry.New())
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	statement := func(format, uri, sha string) string {
		return fmt.Sprintf(format, fmt.Sprintf(`[{"uri": %q, "digest": {"sha256": %q}}]`, uri, sha))
	}
	const (
		v02 = `{"predicate": {"materials": %s}}`
		v1p = `{"predicate": {"buildDefinition": {"resolvedDependencies": %s}}}`
	)
	type attested struct{ predicate, statement string }
	for _, tc := range []struct {
		name string
		all  []attested
		want string // URIs, or the error
	}{
		{"version 0.2", []attested{{provenance + "v0.2", statement(v02, "pkg:docker/a@1", shaA)}}, "pkg:docker/a@1"},
		{"version 1", []attested{{provenance + "v1", statement(v1p, "pkg:docker/a@1", shaA)}}, "pkg:docker/a@1"},
		{"two platforms", []attested{
			{provenance + "v1", statement(v1p, "pkg:docker/b@1", shaA)},
			{provenance + "v1", statement(v1p, "pkg:docker/a@1", shaA)},
			{provenance + "v1", statement(v1p, "pkg:docker/a@1", shaA)},
		}, "pkg:docker/a@1 pkg:docker/b@1"},
		{"a list of parts", []attested{{"https://spdx.dev/Document", statement(v1p, "pkg:docker/a@1", shaA)}},
			"has no provenance"},
		{"nothing", nil, "has no provenance"},
		{"no JSON", []attested{{provenance + "v1", "x"}}, "provenance of " + host},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var idx v1.ImageIndex = empty.Index
			idx = mutate.AppendManifests(idx,
				mutate.IndexAddendum{Add: empty.Image,
					Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
			for i, a := range tc.all {
				img, err := mutate.Append(empty.Image, mutate.Addendum{
					Layer:       static.NewLayer([]byte(a.statement), "application/vnd.in-toto+json"),
					Annotations: map[string]string{predicateType: a.predicate},
				})
				if err != nil {
					t.Fatal(err)
				}
				img = mutate.Annotations(img, map[string]string{"n": fmt.Sprint(i)}).(v1.Image)
				idx = mutate.AppendManifests(idx,
					mutate.IndexAddendum{Add: img,
						Descriptor: v1.Descriptor{Annotations: map[string]string{referenceType: attestation}}})
			}
			ref, err := name.ParseReference(host+"/app:1", name.Insecure)
			if err != nil {
				t.Fatal(err)
			}
			if err := remote.WriteIndex(ref, idx); err != nil {
				t.Fatal(err)
			}
			got, err := Materials(ref.String())
			if err != nil {
				if !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %q", err, tc.want)
				}
				return
			}
			var uris []string
			for _, m := range got {
				if m.Digest["sha256"] != shaA {
					t.Errorf("%s has %v", m.URI, m.Digest)
				}
				uris = append(uris, m.URI)
			}
			if strings.Join(uris, " ") != tc.want {
				t.Errorf("got %q, want %q", uris, tc.want)
			}
		})
	}
}
