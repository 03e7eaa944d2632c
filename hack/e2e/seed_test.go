package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/run"
)

// Microsoft's text on multi-platform builds with a Dockerfile shows, command by command, what people do and see. Here
// crosshull does the same: a build for one platform, then one for all and a push.
func TestSeedDocument(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "aspnetapp"), repository(t)

	// docker build … --platform linux/arm64; docker inspect … | grep Arch
	arm := repo + "-arm64"
	build(t, dir, "-f", "crosshull.yaml", "-t", arm, "--platform", "linux/arm64", "--push", ".")
	if got := inspect(t, arm, "arm64").Architecture; got != "arm64" {
		t.Errorf("architecture of a build for linux/arm64: %s", got)
	}

	// docker build … --platform with all at once, and a push
	build(t, dir, "-f", "crosshull.yaml", "-t", repo, "--platform", allPlatforms, "--push", ".")

	// curl …/v2/aspnetapp/tags/list
	var tags struct {
		Name string
		Tags []string
	}
	fetch(t, repo, "tags/list", &tags)
	if !strings.HasSuffix(repo, tags.Name) || !slices.Equal(tags.Tags, []string{"latest"}) {
		t.Errorf("tags: %+v, want one, latest", tags)
	}

	// curl …/v2/aspnetapp/manifests/latest
	idx, images := index(t, repo)
	if idx.MediaType != "application/vnd.oci.image.index.v1+json" {
		t.Errorf("media type of the index: %s", idx.MediaType)
	}
	for _, p := range strings.Split(allPlatforms, ",") {
		if _, ok := images[p]; !ok {
			t.Errorf("the index has no %s: %v", p, idx.Manifests)
		}
	}

	// skopeo inspect, and with --override-arch arm64: all labels and variables of the document, its own values where
	// they were right, and right ones where they were cut at a colon.
	for _, arch := range []string{"amd64", "arm64"} {
		got := inspect(t, repo, arch)
		if got.Architecture != arch || got.Os != "linux" {
			t.Errorf("skopeo for %s: %s/%s", arch, got.Os, got.Architecture)
		}
		base := images["linux/"+arch].Config.Config.Labels["org.opencontainers.image.base.digest"]
		if !strings.HasPrefix(base, "sha256:") || base != baseManifest(t, "dotnet/aspnet:10.0", arch) {
			t.Errorf("base.digest for %s is %s, want the manifest's %s", arch, base, baseManifest(t, "dotnet/aspnet:10.0", arch))
		}
		sdk, runtime := sdkVersions(t)
		want := map[string]string{
			"net.dot.runtime.majorminor":           "10.0",
			"net.dot.sdk.version":                  sdk,
			"org.opencontainers.image.authors":     "aspnetapp",
			"org.opencontainers.image.base.digest": base,
			"org.opencontainers.image.base.name":   "mcr.microsoft.com/dotnet/aspnet:10.0",
			"org.opencontainers.image.ref.name":    "ubuntu",
			"org.opencontainers.image.version":     "1.0.0",
			"org.opencontainers.image.created":     "", // there is no clock without SOURCE_DATE_EPOCH
			"org.opencontainers.artifact.created":  "",
		}
		for k, v := range want {
			if got.Labels[k] != v {
				t.Errorf("label %s for %s: got %q, want %q", k, arch, got.Labels[k], v)
			}
		}
		for _, kv := range []string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"APP_UID=1654",
			"ASPNETCORE_HTTP_PORTS=8080",
			"DOTNET_RUNNING_IN_CONTAINER=true",
			"DOTNET_VERSION=" + runtime,
			"ASPNET_VERSION=" + runtime,
		} {
			if !slices.Contains(got.Env, kv) {
				t.Errorf("env for %s has no %s: %v", arch, kv, got.Env)
			}
		}
	}

	// docker run of the arm64 image on an x64 machine: exec format error
	wrong := runContainer(t, run.Spec{Ref: repo, Platform: "linux/arm64"})
	if wrong.ExitCode == 0 || !strings.Contains(wrong.Output, "exec format error") {
		t.Errorf("an arm64 image on this machine: exit code %d and %q, want an exec format error", wrong.ExitCode,
			wrong.Output)
	}

	// "This image can now be … pulled onto an Arm64 machine and will work", and so it does on this one.
	onArm := runMachine(t, run.Spec{Ref: repo, Port: 8080})
	wantContains(t, "page of the arm64 image", onArm.Body, "<title>aspnetapp</title>", "Arm64")
	here := runContainer(t, run.Spec{Ref: repo, Port: 8089, Env: []string{"ASPNETCORE_HTTP_PORTS=8089"}})
	wantContains(t, "page of the amd64 image", here.Body, "<title>aspnetapp</title>", "X64")
}

// inspected is what skopeo inspect prints.
type inspected struct {
	Architecture, Os string
	Labels           map[string]string
	Env              []string
}

func inspect(t *testing.T, repo, arch string) inspected {
	t.Helper()
	out := command(t, ".", "skopeo", "inspect", "--tls-verify=false", "--override-arch", arch, "docker://"+repo)
	var got inspected
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("skopeo inspect: %v\n%s", err, out)
	}
	return got
}

// baseManifest gives the digest of the manifest for an architecture in the index of a base, as the registry has it.
func baseManifest(t *testing.T, name, arch string) string {
	t.Helper()
	repo, tag, _ := strings.Cut(name, ":")
	var idx struct {
		Manifests []struct {
			Digest   string
			Platform struct{ Architecture string }
		}
	}
	fetch(t, theLab.Registry()+"/"+repo, "manifests/"+tag, &idx)
	for _, m := range idx.Manifests {
		if m.Platform.Architecture == arch {
			return m.Digest
		}
	}
	t.Fatalf("%s has no %s", name, arch)
	return ""
}

// sdkVersions gives the versions of SDK and runtime that the SDK image says it has.
func sdkVersions(t *testing.T) (sdk, runtime string) {
	t.Helper()
	for _, kv := range inspect(t, theLab.Registry()+"/dotnet/sdk:10.0", "amd64").Env {
		if v, ok := strings.CutPrefix(kv, "DOTNET_SDK_VERSION="); ok {
			sdk = v
		}
		if v, ok := strings.CutPrefix(kv, "DOTNET_VERSION="); ok {
			runtime = v
		}
	}
	return sdk, runtime
}
