package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the project says by the SDK's container properties and items is in the image, whole.
func TestContainerProperties(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "worker"), repository(t)
	mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	idx, images := index(t, repo)
	img := images["linux/arm64"]
	cfg := img.Config.Config
	for _, tc := range []struct{ name, got, want string }{
		{"base by ContainerFamily", cfg.Labels["org.opencontainers.image.base.name"],
			"mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled-extra"},
		{"entrypoint with ContainerAppCommandArgs", strings.Join(cfg.Entrypoint, " "),
			"dotnet /srv/worker/worker.dll --Worker:Name=ticker"},
		{"ContainerWorkingDirectory", cfg.WorkingDir, "/srv/worker"},
		{"ContainerUser", cfg.User, "app"},
		{"stop signal of the spec", cfg.StopSignal, "SIGTERM"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
	if _, ok := cfg.ExposedPorts["9090/tcp"]; !ok {
		t.Errorf("ContainerPort: %v has no 9090/tcp", cfg.ExposedPorts)
	}
	if cfg.Healthcheck == nil || cfg.Healthcheck.Test[0] != "CMD" {
		t.Errorf("healthcheck of the spec: %+v", cfg.Healthcheck)
	}
	if !slices.ContainsFunc(cfg.Env, func(kv string) bool { return kv == "Worker__Listen=0.0.0.0:9090" }) {
		t.Errorf("ContainerEnvironmentVariable with a colon: %v", cfg.Env)
	}
	if got := images["linux/arm/v7"].Config.Variant; got != "v7" {
		t.Errorf("variant of linux/arm/v7: %q", got)
	}
	// What crosshull says of the base is an annotation of each manifest, too. The SDK's labels are none: they would win
	// over --annotation. The index has none, as buildx makes none for several nodes.
	for k, annotated := range map[string]bool{"org.opencontainers.image.base.name": true,
		"org.opencontainers.image.version": false, "net.dot.sdk.version": false} {
		annotation := ""
		if annotated {
			annotation = cfg.Labels[k]
		}
		if cfg.Labels[k] == "" || img.Annotations[k] != annotation {
			t.Errorf("%s: label %q, annotation %q", k, cfg.Labels[k], img.Annotations[k])
		}
	}
	if len(idx.Annotations) > 0 {
		t.Errorf("annotations of the index: %v", idx.Annotations)
	}
	const digest = "org.opencontainers.image.base.digest"
	if img.Annotations[digest] != cfg.Labels[digest] ||
		img.Annotations[digest] == images["linux/amd64"].Annotations[digest] {
		t.Errorf("%s: label %q, annotation %q, that of amd64 %q", digest, cfg.Labels[digest], img.Annotations[digest],
			images["linux/amd64"].Annotations[digest])
	}
}

// A base, an entrypoint and default arguments of the project's own are honoured too.
func TestContainerEntrypoint(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	project(t, dir, "app.csproj",
		"<ContainerBaseImage>mcr.microsoft.com/dotnet/aspnet:10.0-noble</ContainerBaseImage>"+
			"<ContainerWorkingDirectory>/srv</ContainerWorkingDirectory>")
	edit(t, dir, "app.csproj", "</Project>", `<ItemGroup>
    <ContainerEntrypoint Include="/usr/bin/env" />
    <ContainerDefaultArgs Include="--greet;world" />
  </ItemGroup></Project>`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
	mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
	_, images := index(t, repo)
	cfg := images["linux/arm64"].Config.Config
	if got := strings.Join(cfg.Entrypoint, " "); got != "/usr/bin/env" {
		t.Errorf("entrypoint %q", got)
	}
	// No slash at the end of the folder: the SDK alone would say /srvapp.dll.
	if got := strings.Join(cfg.Cmd, " "); got != "dotnet /srv/app.dll --greet world" {
		t.Errorf("cmd %q", got)
	}
	if got := cfg.Labels["org.opencontainers.image.base.name"]; got != "mcr.microsoft.com/dotnet/aspnet:10.0-noble" {
		t.Errorf("base %q", got)
	}
}

// With SOURCE_DATE_EPOCH there is a time to tell, and all labels and annotations for it have it. A second build, from
// the cache, gives the same image; TestRepro builds without a cache.
func TestSourceDateEpoch(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	var digests []string
	for range 2 {
		repo := repository(t)
		args := []string{"-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "--provenance=false",
			"--build-arg", "SOURCE_DATE_EPOCH=1700000000", "-t", repo, "--push", "."}
		build(t, dir, args...)
		_, images := index(t, repo)
		for p, img := range images {
			for _, k := range []string{"org.opencontainers.image.created", "org.opencontainers.artifact.created"} {
				if got := img.Config.Config.Labels[k]; got != "2023-11-14T22:13:20Z" {
					t.Errorf("label %s for %s: %q", k, p, got)
				}
				if got := img.Annotations[k]; got != "2023-11-14T22:13:20Z" {
					t.Errorf("annotation %s for %s: %q", k, p, got)
				}
			}
			if got := img.Config.Created; got == nil || got.Unix() != 1700000000 {
				t.Errorf("created of %s: %v", p, got)
			}
		}
		var all []string
		for _, p := range slices.Sorted(maps.Keys(images)) {
			all = append(all, images[p].Descriptor.Digest.String())
		}
		digests = append(digests, strings.Join(all, " "))
	}
	if digests[0] != digests[1] {
		t.Errorf("two builds differ:\n%s\n%s", digests[0], digests[1])
	}
}

// Without --platform the image is for the machine that builds, and without an index.
func TestNoPlatform(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "dotnetapp"), repository(t)
	build(t, dir, "-f", "crosshull.yaml", "--provenance=false", "-t", repo, "--push", ".")
	var manifest struct{ MediaType string }
	fetch(t, repo, "manifests/latest", &manifest)
	if !strings.Contains(manifest.MediaType, "manifest.v1") {
		t.Errorf("got %s, want a manifest", manifest.MediaType)
	}
	if got := inspect(t, repo, "amd64").Architecture; got != "amd64" {
		t.Errorf("architecture %s", got)
	}
}

// Other names of a platform mean the same.
func TestPlatformAliases(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "dotnetapp"), repository(t)
	mustSolve(t, dir, platform("linux/x86_64,linux/aarch64,linux/arm"), pushTo(repo))
	_, images := index(t, repo)
	if got := slices.Sorted(maps.Keys(images)); strings.Join(got, ",") != "linux/amd64,linux/arm/v7,linux/arm64" {
		t.Errorf("platforms: %v", got)
	}
}

// Examples with machine code of their own build for the platforms that there are packs for, and run.
func TestNativeExamples(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"trimmed": "with its own runtime, on X64",
		"aot": "Hello, compiled ahead, on X64"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, repo := shared(t, name), repository(t)
			build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "-t", repo, "--push", ".")
			wantContains(t, "output", container(t, repo).Output, want)
			_, images := index(t, repo)
			got := images["linux/arm64"].Config.Config.Labels["org.opencontainers.image.base.name"]
			if got != "mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled" {
				t.Errorf("base %s", got)
			}
		})
	}
}

// portable are the examples that build for all platforms.
var portable = firstBuilds("aspnetapp", "complexapp", "dotnetapp", "filebased", "files", "sqlite", "worker")

func firstBuilds(names ...string) map[string]func() (*firstBuild, error) {
	builds := map[string]func() (*firstBuild, error){}
	for _, name := range names {
		builds[name] = sync.OnceValues(func() (*firstBuild, error) { return buildFirst(name) })
	}
	return builds
}

// firstBuild is the build of an example before all others of [shared] copies, so that its log is of one that ran.
type firstBuild struct{ log, repo string }

// buildFirst builds an example with the command of its README.
func buildFirst(name string) (*firstBuild, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dir, err := os.MkdirTemp("", "crosshull-example-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the next test has another
	if err := copyExample(dir, name, ofThisRun); err != nil {
		return nil, err
	}
	repo := theLab.Registry() + "/e2e/first/" + name + "-" + ofThisRun
	cmd := exec.CommandContext(ctx, "docker", "buildx", "build", "-f", "crosshull.yaml", "--platform", allPlatforms,
		"-t", repo, "--push", ".")
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, append(os.Environ(), "BUILDKIT_PROGRESS=plain"), 10*time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return &firstBuild{string(out), repo}, nil
}

// builtFirst gives the first build of an example.
func builtFirst(t *testing.T, name string) *firstBuild {
	t.Helper()
	_, done := waiting(t, "build")
	defer done()
	first, err := portable[name]()
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// Every portable example builds for all platforms with the command of its README, without a warning. Those that end by
// themselves do on amd64 what they are for.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		want []string // of its output, for one that ends
	}{
		{"filebased", []string{`"Hello":"from a file"`, "X64"}},
		{"aspnetapp", nil},
		{"dotnetapp", []string{"Hello from .NET!", "Arguments:", "from", "X64"}},
		{"complexapp", []string{"complexapp"}},
		{"worker", nil},
		{"files", []string{
			"configuration: common.conf site-1.conf site-2.conf\n", "symbols: \n", "greet leads to: /app/tools/greet.sh\n",
			"its mode: 755\n", "/data/note.txt: written\n",
		}},
		{"sqlite", []string{"Hello from SQLite on X64"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			first := builtFirst(t, tc.name)
			if strings.Contains(first.log, "warning") || strings.Contains(first.log, "WARN") {
				t.Errorf("the build warns:\n%s", first.log)
			}
			_, images := index(t, first.repo)
			if len(images) != 3 {
				t.Fatalf("%d images, want 3", len(images))
			}
			if tc.want != nil {
				wantContains(t, "output", container(t, first.repo).Output, tc.want...)
			}
		})
	}
}
