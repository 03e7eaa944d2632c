package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// pushed is an image of one platform in the lab's registry.
type pushed struct {
	ocispecs.Manifest
	Descriptor ocispecs.Descriptor
	Config     dockerspec.DockerOCIImage
}

// appLayer is the layer that crosshull made: the last.
func (p pushed) appLayer() ocispecs.Descriptor { return p.Layers[len(p.Layers)-1] }

const accept = "application/vnd.oci.image.index.v1+json,application/vnd.oci.image.manifest.v1+json," +
	"application/vnd.docker.distribution.manifest.list.v2+json,application/vnd.docker.distribution.manifest.v2+json"

// fetch gets a document of a repository, as curl would.
func fetch(t *testing.T, repo, path string, into any) {
	t.Helper()
	host, name, _ := strings.Cut(repo, "/")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/v2/"+name+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read only
	dt, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s of %s: %s %v\n%s", path, repo, res.Status, err, dt)
	}
	if err := json.Unmarshal(dt, into); err != nil {
		t.Fatalf("GET %s of %s: %v\n%s", path, repo, err, dt)
	}
}

// index gets the index of a repository's tag latest, and its images by platform, attestations left out.
func index(t *testing.T, repo string) (ocispecs.Index, map[string]pushed) {
	t.Helper()
	var idx ocispecs.Index
	fetch(t, repo, "manifests/latest", &idx)
	images := map[string]pushed{}
	for _, desc := range idx.Manifests {
		if desc.Platform == nil || desc.Platform.OS == "unknown" {
			continue
		}
		key := desc.Platform.OS + "/" + desc.Platform.Architecture
		if desc.Platform.Variant != "" {
			key += "/" + desc.Platform.Variant
		}
		images[key] = image(t, repo, desc)
	}
	return idx, images
}

func image(t *testing.T, repo string, desc ocispecs.Descriptor) pushed {
	t.Helper()
	p := pushed{Descriptor: desc}
	fetch(t, repo, "manifests/"+desc.Digest.String(), &p.Manifest)
	fetch(t, repo, "blobs/"+p.Manifest.Config.Digest.String(), &p.Config)
	return p
}
