package main

import (
	"bytes"
	"encoding/json"
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
)

// push puts what tests compare into a registry of their own, and gives its address: a and b differ in a label, c is a
// with provenance.
func push(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(registry.New())
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	image := func(label string) v1.Image {
		img, err := mutate.Config(empty.Image, v1.Config{Labels: map[string]string{"is": label}})
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	index := func(img v1.Image) v1.ImageIndex {
		return mutate.AppendManifests(empty.Index,
			mutate.IndexAddendum{Add: img,
				Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	}
	attested, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer: static.NewLayer([]byte(`{"predicate": {"materials": [{"uri": "pkg:docker/alpine@3", `+
			`"digest": {"sha256": "`+strings.Repeat("a", 64)+`"}}]}}`), "application/vnd.in-toto+json"),
		Annotations: map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for tag, idx := range map[string]v1.ImageIndex{
		"a": index(image("a")),
		"b": index(image("b")),
		"c": mutate.AppendManifests(index(image("a")), mutate.IndexAddendum{Add: attested, Descriptor: v1.Descriptor{
			Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"}}}),
	} {
		ref, err := name.ParseReference(host+"/app:"+tag, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.WriteIndex(ref, idx); err != nil {
			t.Fatal(err)
		}
	}
	return host + "/app:"
}

func TestRun(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	app := push(t)
	for _, tc := range []struct {
		args           []string
		feed           string // CROSSHULL_LAB_FEED
		code           int
		stdout, stderr string // what is in it; "" for nothing at all
	}{
		{args: []string{"--help"}, stdout: "usage: repro"},
		{args: []string{"compare", "--help"}, stdout: "usage: repro"},
		{args: []string{"-variant", "("}, code: 2, stderr: "missing closing )"},
		{args: []string{"dotnetapp"}, code: 2, stderr: "repro: unexpected \"dotnetapp\"\nusage: repro"},
		{args: []string{"compare", "a"}, code: 2, stderr: "1 references, want 2"},
		{args: []string{"compare", "-x", "a", "b"}, code: 2, stderr: `unexpected "-x"`},
		{args: []string{"policy"}, code: 2, stderr: "0 references, want 1"},
		{args: []string{"-variant", "no such"}, code: 3, stderr: "repro: no variant matches\n"},
		{args: []string{"-example", "no such"}, code: 3, stderr: "repro: no such example: "},
		{feed: "here", code: 3, stderr: "repro: CROSSHULL_LAB_FEED: \"here\" is no HOST:PORT\n"},
		{args: []string{"compare", app + "a", app + "a"}, stdout: "equal\n"},
		{args: []string{"compare", app + "a", app + "c"}, stdout: "equal, attestations left out\n"},
		{args: []string{"compare", app + "a", app + "b"}, code: 1,
			stdout: `linux/amd64: config: .config.Labels.is: "a" | "b"`, stderr: "repro: not the same\n"},
		{args: []string{"compare", app + "a", app + "d"}, code: 3, stderr: "repro: get " + app + "d: "},
		{args: []string{"policy", app + "a"}, code: 3, stderr: "has no provenance"},
		{args: []string{"policy", app + "c"}, stdout: "docker-image://docker.io/library/alpine:3@sha256:aaaa"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			t.Setenv("CROSSHULL_LAB_FEED", tc.feed)
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), tc.args, &stdout, &stderr); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, out := range []struct{ name, got, want string }{
				{"stdout", stdout.String(), tc.stdout}, {"stderr", stderr.String(), tc.stderr},
			} {
				if (out.want == "") != (out.got == "") || !strings.Contains(out.got, out.want) {
					t.Errorf("%s is %q, want %q in it", out.name, out.got, out.want)
				}
			}
			if len(tc.args) > 0 && tc.args[0] == "policy" && tc.code == 0 && !json.Valid(stdout.Bytes()) {
				t.Errorf("no JSON: %s", &stdout)
			}
		})
	}
}
