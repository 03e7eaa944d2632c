package e2e

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/hack/repro"
)

// hello writes a console app that BuildKit has not seen, with a spec, into a folder of a folder.
func hello(t *testing.T) (dir string) {
	t.Helper()
	return helloWith(t, fresh())
}

// sharedHello is hello for tests to whom it is all one whether the app is built anew.
func sharedHello(t *testing.T) (dir string) {
	t.Helper()
	return helloWith(t, ofThisRun)
}

func helloWith(t *testing.T, mark string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "repository", "app")
	projectWith(t, dir, "hello.csproj", "", mark)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
	return dir
}

// buildFrom is build with a file as standard input.
func buildFrom(t *testing.T, dir string, stdin []byte, args ...string) (string, error) {
	t.Helper()
	cmd, done := prepare(t, dir, "docker", append([]string{"buildx", "build", "--progress=plain"}, args...)...)
	defer done()
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// archive makes a tar archive of a folder.
func archive(t *testing.T, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// runGit runs git in a folder, which may be another user's.
func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	config := []string{"-c", "user.name=e2e", "-c", "user.email=e2e@localhost", "-c", "safe.directory=*"}
	return command(t, dir, "git", append(config, args...)...)
}

// gitServer serves a folder as a repository, whose branch main and tag v1 are the same commit, and gives its URL.
func gitServer(t *testing.T, dir string) string {
	t.Helper()
	served := t.TempDir()
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"add", "--all"}, {"commit", "--quiet", "--message=sources"},
		{"tag", "v1"},
		{"clone", "--quiet", "--bare", ".", filepath.Join(served, "app.git")},
	} {
		runGit(t, dir, args...)
	}
	url, stop, err := repro.ServeGit(served)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url + "/app.git"
}

// Wherever the sources and the spec come from, the images are the same.
func TestContexts(t *testing.T) {
	t.Parallel()
	dir := sharedHello(t)
	repository0 := filepath.Dir(dir)
	text, err := os.ReadFile(filepath.Join(dir, "crosshull.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, repository0, "deploy/shop.crosshull.yaml", string(text))
	sources := archive(t, dir)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(sources)
	}))
	t.Cleanup(server.Close)
	git := gitServer(t, repository0)

	var digests []string
	for _, tc := range []struct {
		name  string
		stdin []byte
		args  []string
	}{
		{"a folder", nil, []string{"-f", "crosshull.yaml", "."}},
		{"a spec outside of it", nil, []string{"-f", "../deploy/shop.crosshull.yaml", "."}},
		{"a spec from standard input", text, []string{"-f", "-", "."}},
		{"an archive from standard input", sources, []string{"-f", "crosshull.yaml", "-"}},
		{"an archive on the net", nil, []string{"-f", "crosshull.yaml", server.URL + "/sources.tar"}},
		{"git, a folder of a branch", nil, []string{"-f", "crosshull.yaml", git + "#main:app"}},
		{"git, a folder of a tag", nil, []string{"-f", "crosshull.yaml", git + "#v1:app"}},
		{"a frontend on the command line", nil,
			[]string{"--build-arg", "BUILDKIT_SYNTAX=ghcr.io/crosshull/crosshull:1", "."}},
	} {
		repo := repository(t)
		args := append([]string{"--platform", "linux/amd64,linux/arm64", "--build-arg", "SOURCE_DATE_EPOCH=1700000000",
			"--provenance=false", "-t", repo, "--push"}, tc.args...)
		out, err := buildFrom(t, dir, tc.stdin, args...)
		if err != nil {
			t.Errorf("%s: %v\n%s", tc.name, err, out)
			continue
		}
		idx, _ := index(t, repo)
		var all []string
		for _, m := range idx.Manifests {
			all = append(all, m.Digest.String())
		}
		digests = append(digests, strings.Join(all, " "))
		if digests[0] != digests[len(digests)-1] {
			t.Errorf("%s: %s, want %s", tc.name, digests[len(digests)-1], digests[0])
		}
	}
	out, err := buildFrom(t, dir, text, "-")
	if err == nil || !strings.Contains(out, "no .NET project in the context") {
		t.Errorf("a spec alone from standard input: %v\n%s", err, out)
	}
	out = build(t, dir, "-f", "crosshull.yaml", "--build-arg", "SOURCE_DATE_EPOCH=context",
		"--platform", "linux/amd64,linux/arm64", git+"#main:app")
	wantContains(t, "log", out, "[image linux/arm64] merge base and app")
}

// A git context tells its commit by itself.
func TestVCSOfGitContext(t *testing.T) {
	t.Parallel()
	dir, repo := sharedHello(t), repository(t)
	edit(t, dir, "crosshull.yaml", "\n", "\nimage: {vcs: true}\n")
	git := gitServer(t, filepath.Dir(dir))
	build(t, dir, "-f", "crosshull.yaml", "-t", repo, "--push", git+"#v1:app")
	labels := inspect(t, repo, "amd64").Labels
	revision := strings.TrimSpace(command(t, filepath.Dir(dir), "git", "-c", "safe.directory=*", "rev-parse", "v1"))
	if got := labels["org.opencontainers.image.revision"]; got != revision {
		t.Errorf("revision %s, want %s", got, revision)
	}
	if got := labels["org.opencontainers.image.source"]; got != strings.TrimSuffix(git, ".git") {
		t.Errorf("source %s, want %s", got, git)
	}
}

// .dockerignore holds, and the one of the spec instead of it.
func TestDockerignore(t *testing.T) {
	t.Parallel()
	dir := hello(t)
	write(t, dir, "More.cs", "static class More { public const string Text = \"more\"; }\n")
	write(t, dir, "Program.cs", "System.Console.WriteLine(More.Text);\n")
	write(t, dir, ".dockerignore", "# not for images\nMo*\n")
	out, err := tryBuild(t, dir, "-f", "crosshull.yaml", ".")
	if err == nil || !strings.Contains(out, "Program.cs(1,26): error CS0103: The name 'More' does not exist") {
		t.Errorf("%v\n%s", err, out)
	}
	write(t, dir, "crosshull.yaml.dockerignore", "*.md\nMo*\n!More.cs\n")
	build(t, dir, "-f", "crosshull.yaml", ".")
}

// A base and files of the image come from named contexts of every kind.
func TestKindsOfContexts(t *testing.T) {
	t.Parallel()
	dir := sharedHello(t)
	spec := func(from string) {
		write(t, dir, "crosshull.yaml",
			"# syntax=ghcr.io/crosshull/crosshull:1\nbase: {image: example.com/our/base:1}\nfiles: [{context: extra, from: "+
				from+", to: /extra/}]\n")
	}
	folder, layout := t.TempDir(), filepath.Join(t.TempDir(), "layout")
	write(t, folder, "etc/os-release", "ID=folder\n")
	command(t, dir, "skopeo", "copy", "--all", "--src-tls-verify=false",
		"docker://"+theLab.Registry()+"/dotnet/runtime:10.0-noble-chiseled", "oci:"+layout+":1")
	git := gitServer(t, folder)
	sources := archive(t, folder)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(sources)
	}))
	t.Cleanup(server.Close)
	const image = "docker-image://mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled"
	for _, tc := range []struct{ name, base, extra string }{
		{"images", image, image},
		{"layouts", "oci-layout://" + layout + ":1", "oci-layout://" + layout + ":1"},
		{"folders", folder, folder},
		{"git", git + "#main", git + "#main"},
		{"file", image, server.URL + "/extra.tar"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, from := t.TempDir(), "etc/os-release"
			if tc.name == "file" {
				from = "context" // BuildKit's name for it
			}
			spec(from)
			build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "--build-context",
				"example.com/our/base:1="+tc.base, "--build-context", "extra="+tc.extra, "--output", "type=local,dest="+out, ".")
			for _, p := range []string{"linux_amd64", "linux_arm64"} {
				for _, name := range []string{"app/hello.dll", "extra/" + path.Base(from), "etc/os-release"} {
					if _, err := os.Stat(filepath.Join(out, p, name)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}

	// A target of bake is one, too.
	repo := repository(t)
	spec("etc/os-release")
	write(t, dir, "Dockerfile.base", "FROM mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled\nLABEL base=ours\n")
	bake, err := json.Marshal(map[string]any{"target": map[string]any{
		"base": map[string]any{"dockerfile": "Dockerfile.base", "platforms": []string{"linux/amd64", "linux/arm64"}},
		"app": map[string]any{"dockerfile": "crosshull.yaml", "platforms": []string{"linux/amd64", "linux/arm64"},
			"tags": []string{repo}, "output": []string{"type=registry"},
			"contexts": map[string]string{"example.com/our/base:1": "target:base", "extra": folder}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "docker-bake.json", string(bake))
	command(t, dir, "docker", "buildx", "bake", "--allow=fs=*", "-f", "docker-bake.json", "app")
	if got := inspect(t, repo, "arm64").Labels["base"]; got != "ours" {
		t.Errorf("the base of bake is not the one of the image: label base is %q", got)
	}
}

// Every exporter takes what is built.
func TestOutputs(t *testing.T) {
	t.Parallel()
	dir := hello(t)
	const both = "linux/amd64,linux/arm64"
	names := func(dt []byte) []string {
		t.Helper()
		var names []string
		for r := tar.NewReader(bytes.NewReader(dt)); ; {
			hdr, err := r.Next()
			if err != nil {
				return names
			}
			names = append(names, hdr.Name)
		}
	}
	for _, tc := range []struct {
		output, platforms, target string
		want                      string // file of a folder, or entry of an archive
		archive                   bool
	}{
		{"type=local", both, "image", "linux_arm64/app/hello.dll", false},
		{"type=local", both, "publish", "linux_arm64/hello.dll", false},
		{"type=local", "linux/amd64", "publish", "hello.dll", false},
		{"type=tar", "linux/arm64", "image", "app/hello.dll", true},
		{"type=tar", "linux/arm64", "publish", "hello.dll", true},
		{"type=oci", both, "image", "index.json", true},
		{"type=oci,tar=false", both, "image", "index.json", false},
		{"type=docker", "linux/amd64", "image", "manifest.json", true},
	} {
		dest := filepath.Join(t.TempDir(), "out")
		build(t, dir, "-f", "crosshull.yaml", "--platform", tc.platforms, "--target", tc.target,
			"--output", tc.output+",dest="+dest, ".")
		if !tc.archive {
			if _, err := os.Stat(filepath.Join(dest, tc.want)); err != nil {
				t.Errorf("%s of %s: %v", tc.output, tc.target, err)
			}
			continue
		}
		dt, err := os.ReadFile(dest)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(dt); !slices.Contains(got, tc.want) {
			t.Errorf("%s of %s has no %s: %q", tc.output, tc.target, tc.want, got)
		}
	}
	repo := repository(t)
	build(t, dir, "-f", "crosshull.yaml", "--platform", both,
		"--output", "type=image,name="+repo+",push=true,compression=zstd,force-compression=true,annotation-index.x=y", ".")
	idx, images := index(t, repo)
	if last := images["linux/arm64"].appLayer(); idx.Annotations["x"] != "y" ||
		last.MediaType != "application/vnd.oci.image.layer.v1.tar+zstd" {
		t.Errorf("annotations %v, last layer %s", idx.Annotations, last.MediaType)
	}
}

// A cache in a folder serves a builder that has nothing else, and neither it nor one in a registry has the SDK.
func TestCacheOfFolder(t *testing.T) {
	t.Parallel()
	dir, cache := example(t, "dotnetapp"), filepath.Join(t.TempDir(), "cache")
	args := []string{"-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64",
		"--cache-to", "type=local,mode=max,dest=" + cache, "."}
	onFreshBuilder(t) // one with a history exports every key that a step was ever found by
	build(t, dir, args...)
	foreign := map[string]string{} // layers of images by digest
	for _, name := range []string{"sdk", "runtime"} {
		for _, p := range []string{"amd64", "arm64"} {
			if name == "sdk" && p == "arm64" {
				continue
			}
			repo := theLab.Registry() + "/dotnet/" + name
			var m ocispecs.Manifest
			fetch(t, repo, "manifests/"+baseManifest(t, "dotnet/"+name+":10.0", p), &m)
			for _, l := range m.Layers {
				foreign[l.Digest.Encoded()] = name // the layers that the SDK has of the runtime are the runtime's
			}
		}
	}
	var own int64
	err := filepath.WalkDir(filepath.Join(cache, "blobs"), func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		switch foreign[d.Name()] {
		case "sdk":
			t.Errorf("a layer of the SDK is in the cache: %d bytes", info.Size())
		case "":
			own += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if own < 1000 || own > 200_000 {
		t.Errorf("the cache of a console app has %d bytes besides the base", own)
	}
	edit(t, dir, "Program.cs", "using", "// "+fresh()+"\nusing")
	onFreshBuilder(t)
	log := build(t, dir, append([]string{"--cache-from", "type=local,src=" + cache}, args...)...)
	for vertex, want := range map[string]bool{`\[describe\] dotnet`: false, `\[restore\] dotnet`: false,
		`\[publish\] dotnet publish`: true} {
		if got := ran(log, vertex); got != want {
			t.Errorf("%s ran: %v, want %v\n%s", vertex, got, want, log)
		}
	}
}

// mode=max maps every step to a line of the spec.
func TestProvenance(t *testing.T) {
	t.Parallel()
	dir, repo := hello(t), repository(t)
	write(t, dir, "crosshull.yaml",
		"# syntax=ghcr.io/crosshull/crosshull:1\nproject: hello.csproj\nnuget: {audit: false}\npublish: {mode: portable}\n")
	build(t, dir, "-f", "crosshull.yaml", "--provenance", "mode=max", "-t", repo, "--push", ".")
	out := command(t, dir, "docker", "buildx", "imagetools", "inspect", "--format", "{{json .Provenance.SLSA}}", repo)
	var slsa struct {
		BuildDefinition struct {
			ResolvedDependencies []struct{ URI string }
			InternalParameters   struct {
				BuildConfig struct {
					LLBDefinition []struct {
						ID string
						Op struct {
							Op struct {
								Exec *struct{ Meta struct{ Args []string } }
							}
						}
					}
				}
			}
		}
		RunDetails struct {
			Metadata struct {
				BuildKit struct {
					Source struct {
						Locations map[string]struct {
							Locations []struct {
								Ranges []struct{ Start struct{ Line int } }
							}
						}
					}
				} `json:"buildkit_metadata"`
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &slsa); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := map[string]int{}
	for _, step := range slsa.BuildDefinition.InternalParameters.BuildConfig.LLBDefinition {
		if exec := step.Op.Op.Exec; exec != nil {
			l := slsa.RunDetails.Metadata.BuildKit.Source.Locations[step.ID].Locations
			if len(l) != 1 || len(l[0].Ranges) != 1 {
				t.Errorf("%q has the places %v", exec.Meta.Args[:3], l)
				continue
			}
			name := filepath.Base(exec.Meta.Args[1] + "/" + filepath.Base(exec.Meta.Args[2]))
			lines[name] = l[0].Ranges[0].Start.Line
		}
	}
	want := map[string]int{"request.json": 2, "hello.csproj": 3, "publish.proj": 4}
	if !maps.Equal(lines, want) {
		t.Errorf("steps are mapped to lines %v, want %v", lines, want)
	}
	for _, want := range []string{"pkg:docker/mcr.microsoft.com/dotnet/sdk@10.0?platform=linux%2Famd64",
		"pkg:docker/mcr.microsoft.com/dotnet/runtime@10.0?platform=linux%2Famd64"} {
		if !slices.ContainsFunc(slsa.BuildDefinition.ResolvedDependencies,
			func(d struct{ URI string }) bool { return d.URI == want }) {
			t.Errorf("no %s in %v", want, slsa.BuildDefinition.ResolvedDependencies)
		}
	}
}
