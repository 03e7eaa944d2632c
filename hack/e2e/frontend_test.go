package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/run"
	"github.com/crosshull/crosshull/hack/lab/service"
)

// container runs an image to its end.
func container(t *testing.T, ref string) *run.Result {
	t.Helper()
	return runContainer(t, run.Spec{Ref: ref})
}

// The frontend image is small, says what it can do, and is one layer.
func TestFrontendImage(t *testing.T) {
	t.Parallel()
	repo := strings.TrimSuffix(theLab.FrontendRef(), ":1")
	var img pushed
	fetch(t, repo, "manifests/1", &img.Manifest)
	fetch(t, repo, "blobs/"+img.Manifest.Config.Digest.String(), &img.Config)
	if len(img.Layers) != 1 {
		t.Errorf("%d layers, want 1", len(img.Layers))
	}
	if size := img.Layers[0].Size; size > 7_000_000 {
		t.Errorf("compressed size %d bytes, want at most 7 MB", size)
	}
	labels := img.Config.Config.Labels
	if labels["moby.buildkit.frontend.network.none"] != "true" {
		t.Errorf("it asks for a network: %v", labels)
	}
	for _, c := range []string{"inputs", "contexts", "gitquerystring", "subrequests"} {
		wantContains(t, "capabilities", labels["moby.buildkit.frontend.caps"], "moby.buildkit.frontend."+c)
	}
}

// The frontend reads what strangers wrote, so it runs without the rights of root.
func TestFrontendHasNoRights(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	ended := make(chan error)
	go func() {
		_, err := tryBuild(t, dir, "-f", "crosshull.yaml", ".")
		ended <- err
	}()
	seen := map[string]bool{}
	for again := true; again; time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-ended:
			if again = false; err != nil {
				t.Fatal(err)
			}
		default:
		}
		for _, ids := range rightsOf(t, "/bin/crosshull-frontend") {
			seen[ids] = true
		}
	}
	const none = "Uid: 65532 65532 65532 65532 Gid: 65532 65532 65532 65532 Groups: CapPrm: 0000000000000000 " +
		"CapEff: 0000000000000000"
	if !seen[none] {
		t.Errorf("the frontend has the rights %q, want %q", slices.Sorted(maps.Keys(seen)), none)
	}
}

// rightsOf gives users, groups and capabilities of the processes of a program, as in /proc/PID/status.
func rightsOf(t *testing.T, program string) []string {
	t.Helper()
	statuses, err := service.Statuses(program)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, status := range statuses {
		var rights []string
		for line := range strings.Lines(status) {
			switch key, _, _ := strings.Cut(line, ":"); key {
			case "Uid", "Gid", "Groups", "CapPrm", "CapEff":
				rights = append(rights, strings.Fields(line)...)
			}
		}
		all = append(all, strings.Join(rights, " "))
	}
	return all
}

// frontendImage builds the image of the frontend as a release is built, with more flags, and tells what is in it.
func frontendImage(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	build(t, root, append(args, "--provenance=false", "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "--platform",
		"linux/amd64", "--output", "type=oci,tar=false,dest="+dir+",rewrite-timestamp=true", ".")...)
	read := func(name string, into any) {
		t.Helper()
		dt, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = json.Unmarshal(dt, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var index ocispecs.Index
	if read(ocispecs.ImageIndexFile, &index); len(index.Manifests) != 1 {
		t.Fatalf("an index of %d manifests, want one", len(index.Manifests))
	}
	var img ocispecs.Manifest
	read(filepath.Join(ocispecs.ImageBlobsDir, "sha256", index.Manifests[0].Digest.Encoded()), &img)
	content := []digest.Digest{img.Config.Digest}
	for _, l := range img.Layers {
		content = append(content, l.Digest)
	}
	if len(content) != 2 {
		t.Errorf("%d layers, want 1", len(img.Layers))
	}
	return fmt.Sprint(content)
}

// `# syntax=` takes the frontend from an OCI layout on the client's disk: no registry needed to try one's own.
func TestFrontendFromLayout(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "dotnetapp"), repository(t)
	layout := filepath.Join(t.TempDir(), "layout")
	command(t, dir, "skopeo", "copy", "--src-tls-verify=false", "docker://"+theLab.FrontendRef(), "oci:"+layout+":1")
	out := build(t, dir, "-f", "crosshull.yaml", "--build-context", lab.FrontendImage+"=oci-layout://"+layout+":1",
		"--platform", "linux/amd64,linux/arm64", "-t", repo, "--push", ".")
	wantContains(t, "progress", out, "[publish] dotnet publish", "[context "+lab.FrontendImage+"]")
	if strings.Contains(out, "compile the program that asks MSBuild") {
		t.Errorf("the build compiles the program that comes with the frontend's image:\n%s", out)
	}
	if _, images := index(t, repo); len(images) != 2 {
		t.Errorf("%d images, want 2", len(images))
	}
}

// A repository without a spec is built with the defaults, and told so, once.
func TestNoSpec(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, file, content, want string }{
		{"no file", "", "", "there is no crosshull.yaml: building the project of this context with crosshull's defaults"},
		{"a Dockerfile", "Dockerfile", "# what we use today\nFROM scratch\n",
			"Dockerfile is a Dockerfile and is not used, and there is no crosshull.yaml"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, repo := shared(t, "dotnetapp"), repository(t)
			if err := os.Remove(filepath.Join(dir, "crosshull.yaml")); err != nil {
				t.Fatal(err)
			}
			if tc.file != "" {
				write(t, dir, tc.file, tc.content)
			}
			out := build(t, dir, "--build-arg", "BUILDKIT_SYNTAX="+lab.FrontendImage, "--platform", allPlatforms, "-t", repo,
				"--push", ".")
			wantContains(t, "output", out, "1 warning found")
			wantContains(t, "output",
				command(t, dir, "docker", "--debug", "buildx", "build", "--build-arg", "BUILDKIT_SYNTAX="+lab.FrontendImage, "."),
				tc.want)
			if _, images := index(t, repo); len(images) != 3 {
				t.Errorf("%d images, want 3", len(images))
			}
		})
	}
	t.Run("crosshull.yaml without -f", func(t *testing.T) {
		dir := shared(t, "dotnetapp")
		out := build(t, dir, "--build-arg", "BUILDKIT_SYNTAX="+lab.FrontendImage, ".")
		if strings.Contains(out, "warning") {
			t.Errorf("a spec was found, but the build warns:\n%s", out)
		}
	})
}

// Named contexts stand in for base and SDK, so that both can come from elsewhere.
func TestNamedContexts(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "dotnetapp"), repository(t)
	out := build(t, dir, "-f", "crosshull.yaml",
		"--build-context",
		"mcr.microsoft.com/dotnet/runtime:10.0=docker-image://mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra",
		"--build-context", "mcr.microsoft.com/dotnet/sdk:10.0=docker-image://mcr.microsoft.com/dotnet/sdk:10.0-noble",
		"--platform", "linux/amd64,linux/arm64", "-t", repo, "--push", ".")
	wantContains(t, "progress", out, "[context mcr.microsoft.com/dotnet/sdk:10.0")
	_, images := index(t, repo)
	img := images["linux/arm64"]
	const other = "dotnet/aspnet"
	var base pushed
	fetch(t, theLab.Registry()+"/"+other, "manifests/"+baseManifest(t, other+":10.0-noble-chiseled-extra", "arm64"),
		&base.Manifest)
	if n := len(base.Layers); n == 0 || len(img.Layers) <= n || img.Layers[n-1].Digest != base.Layers[n-1].Digest {
		t.Errorf("the image is not on the other base: it has layers %v, the base %v", img.Layers, base.Layers)
	}
}
