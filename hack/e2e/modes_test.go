package e2e

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"debug/elf"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/hack/lab/run"
)

// Every mode makes what it says, for both architectures in one build with one restore, and runs on both.
//
// It takes minutes: every mode is published for two platforms, and starts on an emulated machine.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode       string
		base       string // of the label, repository and tag
		entrypoint string
		publishes  int
		native     []string // files of machine code that have to be the target's
	}{
		{"portable", "runtime:10.0", "dotnet /app/hello.dll", 1, nil},
		{"apphost", "runtime:10.0", "/app/hello", 1, []string{"app/hello"}},
		{"self-contained", "runtime-deps:10.0", "/app/hello", 2, []string{"app/hello", "app/libcoreclr.so"}},
		{"single-file", "runtime:10.0", "/app/hello", 2, []string{"app/hello"}},
		{"ready-to-run", "runtime:10.0", "dotnet /app/hello.dll", 2, nil},
		{"[ready-to-run, apphost]", "runtime:10.0", "/app/hello", 2, []string{"app/hello"}},
		{"trimmed", "runtime-deps:10.0-noble-chiseled-extra", "/app/hello", 2, []string{"app/hello"}},
		{"[self-contained, single-file, ready-to-run]", "runtime-deps:10.0", "/app/hello", 2, []string{"app/hello"}},
		{"[single-file, trimmed]", "runtime-deps:10.0-noble-chiseled-extra", "/app/hello", 2, []string{"app/hello"}},
		{"aot", "runtime-deps:10.0-noble-chiseled-extra", "/app/hello", 2, []string{"app/hello"}},
	} {
		t.Run(tc.mode, func(t *testing.T) {
			t.Parallel()
			dir, repo := t.TempDir(), repository(t)
			// A ready-to-run program in a single file would compile the whole runtime again, for minutes.
			project(t, dir, "hello.csproj", "<PublishReadyToRunComposite>false</PublishReadyToRunComposite>")
			write(t, dir, "Program.cs",
				`System.Console.WriteLine("hello from " + System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture);`)
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\npublish:\n  mode: "+tc.mode+"\n")
			rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
			if n := rec.count("[restore] dotnet"); n != 1 {
				t.Errorf("%d restores, want one: %q", n, rec.ran)
			}
			if n := rec.count("[publish] dotnet"); n != tc.publishes {
				t.Errorf("%d publishes, want %d: %q", n, tc.publishes, rec.ran)
			}
			_, images := index(t, repo)
			for p, machine := range map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64} {
				cfg := images[p].Config.Config
				if got := cfg.Labels[ocispecs.AnnotationBaseImageName]; got != "mcr.microsoft.com/dotnet/"+tc.base {
					t.Errorf("base for %s: %s, want %s", p, got, tc.base)
				}
				if got := strings.Join(cfg.Entrypoint, " "); got != tc.entrypoint {
					t.Errorf("entrypoint for %s: %s, want %s", p, got, tc.entrypoint)
				}
				files := appFiles(t, repo, images[p])
				for _, name := range tc.native {
					wantMachine(t, files, p, name, machine)
				}
			}
			wantRuns(t, repo)
		})
	}
}

// A base with musl gets what is made for musl, whether its name says so or only its files do.
func TestMuslBase(t *testing.T) {
	t.Parallel()
	dgst := baseManifest(t, "dotnet/runtime:10.0-alpine", "amd64")
	for name, base := range map[string]string{
		"by name":  "{family: alpine}",
		"by files": "{image: '" + theLab.Registry() + "/dotnet/runtime@" + dgst + "'}",
	} {
		t.Run(name, func(t *testing.T) {
			dir, repo := sharedHello(t), repository(t)
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\npublish: {mode: apphost}\nbase: "+base+"\n")
			mustSolve(t, dir, platform("linux/amd64"), attr("multi-platform", "true"), pushTo(repo))
			_, images := index(t, repo)
			f := appFiles(t, repo, images["linux/amd64"])["app/hello"]
			if f == nil {
				t.Fatal("no launcher")
			}
			if !strings.Contains(string(f.data), "/lib/ld-musl-x86_64.so.1") {
				t.Error("the launcher is not for musl")
			}
		})
	}
}

// What the project's own properties ask for is done without a word in the spec.
func TestModeOfProject(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	project(t, dir, "hello.csproj",
		"<PublishSelfContained>true</PublishSelfContained><PublishSingleFile>true</PublishSingleFile>"+
			"<RuntimeIdentifiers>linux-x64;linux-arm64;win-x64</RuntimeIdentifiers>")
	write(t, dir, "Program.cs",
		`System.Console.WriteLine("hello from " + System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture);`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
	mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
	_, images := index(t, repo)
	if got := images["linux/arm64"].Config.Config.Entrypoint; !slices.Equal(got, []string{"/app/hello"}) {
		t.Errorf("entrypoint %q", got)
	}
	wantMachine(t, appFiles(t, repo, images["linux/arm64"]), "linux/arm64", "app/hello", elf.EM_AARCH64)
	wantRuns(t, repo)
}

// wantRuns runs the image of [TestModes]' app on this machine, and on an emulated arm64 one.
func wantRuns(t *testing.T, repo string) {
	t.Helper()
	wantContains(t, "output on amd64", container(t, repo).Output, "hello from X64")
	wantContains(t, "output on arm64", runMachine(t, run.Spec{Ref: repo}).Output, "hello from Arm64")
}

// Assets of packages are pruned to what the platform can use, and the app still finds them. An edit of a source sends
// the app's layer alone, the same one for all platforms.
func TestLayers(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "sqlite"), repository(t)
	project(t, dir, "lib/lib.csproj", "<OutputType>Library</OutputType>")
	write(t, dir, "lib/Program.cs", "public static class Lib { public static string Name => \"lib\"; }\n")
	project(t, dir, "deep/deep.csproj", "<OutputType>Library</OutputType>")
	write(t, dir, "deep/Program.cs", "public static class Deep { public static string Name => \"deep\"; }\n")
	edit(t, dir, "lib/lib.csproj", "</Project>",
		`<ItemGroup><ProjectReference Include="../deep/deep.csproj" /></ItemGroup></Project>`)
	edit(t, dir, "sqlite.csproj", "</ItemGroup>",
		`<ProjectReference Include="lib/lib.csproj" /><Compile Remove="lib/**;deep/**" /></ItemGroup>`)
	mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	_, before := index(t, repo)

	amd64, arm64 := before["linux/amd64"], before["linux/arm64"]
	ours := func(p pushed) []ocispecs.Descriptor { return p.Layers[len(p.Layers)-4:] } // packages, runtimes, projects, app
	for i, want := range []struct {
		name   string
		files  []string
		shared bool
	}{
		{"packages", []string{"app/Microsoft.EntityFrameworkCore.dll"}, true},
		{"runtimes", nil, false},
		{"projects", []string{"app/lib.dll", "app/deep.dll"}, true}, // what the app references, directly or not
		{"app", []string{"app/sqlite.dll"}, true},
	} {
		a, b := ours(amd64)[i], ours(arm64)[i]
		if (a.Digest == b.Digest) != want.shared {
			t.Errorf("layer %s: %s on amd64, %s on arm64; shared should be %v", want.name, a.Digest, b.Digest, want.shared)
		}
		files := layerFiles(t, repo, a)
		for _, name := range want.files {
			if files[name] == nil {
				t.Errorf("layer %s has no %s", want.name, name)
			}
		}
	}
	for p, rid := range map[string]string{"linux/amd64": "linux-x64", "linux/arm64": "linux-arm64",
		"linux/arm/v7": "linux-arm"} {
		var rids []string
		for name := range appFiles(t, repo, before[p]) {
			if rest, ok := strings.CutPrefix(name, "app/runtimes/"); ok {
				rids = append(rids, strings.Split(rest, "/")[0])
			}
		}
		if !slices.Equal(rids, []string{rid}) {
			t.Errorf("assets for %s: of %q, want %s alone", p, rids, rid)
		}
	}

	edit(t, dir, "Program.cs", "Hello from SQLite", "Greetings from SQLite")
	mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	_, after := index(t, repo)
	sent := map[string]int64{}
	for p := range before {
		was, is := before[p].Layers, after[p].Layers
		if len(was) != len(is) {
			t.Fatalf("%s: %d layers, were %d", p, len(is), len(was))
		}
		for i := range is {
			if is[i].Digest != was[i].Digest {
				sent[is[i].Digest.String()] = is[i].Size
				if i != len(is)-1 {
					t.Errorf("%s: an edit of a source changed layer %d of %d", p, i+1, len(is))
				}
			}
		}
	}
	if len(sent) != 1 {
		t.Errorf("an edit of a source sends %v, want one layer", sent)
	}
	t.Logf("an edit of a source sends %v bytes", sent)

	wantContains(t, "output on amd64", container(t, repo).Output, "Greetings from SQLite on X64")
	// SQLite's library takes libm for granted, as the real dotnet is linked to it; the lab's launcher for arm64 is not.
	res := runMachine(t, run.Spec{Ref: repo, Env: []string{"LD_PRELOAD=libm.so.6"}})
	wantContains(t, "output on arm64", res.Output, "Greetings from SQLite on Arm64")
}

// Static web assets have a layer, with the manifest of them, and no layer is empty.
func TestAssetLayer(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "aspnetapp"), repository(t)
	mustSolve(t, dir, platform("linux/amd64"), pushTo(repo), attr("multi-platform", "true"))
	_, images := index(t, repo)
	layers := images["linux/amd64"].Layers
	assets, app := layerFiles(t, repo, layers[len(layers)-2]), layerFiles(t, repo, layers[len(layers)-1])
	const manifest = "app/aspnetapp.staticwebassets.endpoints.json"
	for name := range assets {
		if !strings.HasPrefix(name, "app/wwwroot/") && name != manifest {
			t.Errorf("%s is in the layer of assets", name)
		}
	}
	for name := range app {
		if strings.HasPrefix(name, "app/wwwroot/") {
			t.Errorf("%s is in the layer of the app", name)
		}
	}
	if len(assets) < 2 || assets[manifest] == nil || app["app/aspnetapp.dll"] == nil {
		t.Errorf("%d assets and %d files of the app", len(assets), len(app))
	}
}

// file is a file of a layer.
type file struct {
	*tar.Header
	data []byte
}

// layerFiles are the regular files of a layer.
func layerFiles(t *testing.T, repo string, desc ocispecs.Descriptor) map[string]*file {
	t.Helper()
	files := map[string]*file{}
	eachEntry(t, repo, desc.Digest.String(), func(h *tar.Header, r io.Reader) {
		if h.Typeflag != tar.TypeReg {
			return
		}
		dt, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[path.Clean(h.Name)] = &file{h, dt}
	})
	return files
}

// eachEntry calls fn for each entry of a layer.
func eachEntry(t *testing.T, repo, digest string, fn func(*tar.Header, io.Reader)) {
	t.Helper()
	host, name, _ := strings.Cut(repo, "/")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/v2/"+name+"/blobs/"+digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read only
	layer := bufio.NewReader(res.Body)
	var archive io.Reader = layer
	magic, err := layer.Peek(2)
	if string(magic) == "\x1f\x8b" {
		archive, err = gzip.NewReader(layer)
	}
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		fn(h, r)
	}
}

// appFiles are the files under /app of an image, whichever layer they are in.
func appFiles(t *testing.T, repo string, img pushed) map[string]*file {
	t.Helper()
	files := map[string]*file{}
	for i := len(img.Layers) - 1; i >= 0; i-- {
		found := false
		for name, f := range layerFiles(t, repo, img.Layers[i]) {
			if strings.HasPrefix(name, "app/") {
				files[name], found = f, true
			}
		}
		if !found { // the base's
			break
		}
	}
	return files
}

func wantMachine(t *testing.T, files map[string]*file, platform, name string, want elf.Machine) {
	t.Helper()
	f := files[name]
	if f == nil {
		t.Errorf("%s: no %s", platform, name)
		return
	}
	e, err := elf.NewFile(strings.NewReader(string(f.data)))
	if err != nil {
		t.Errorf("%s: %s: %v", platform, name, err)
		return
	}
	if e.Machine != want {
		t.Errorf("%s: %s is for %s, want %s", platform, name, e.Machine, want)
	}
	if f.Mode&0o777 != 0o755 && path.Ext(name) == "" {
		t.Errorf("%s: %s has mode %o", platform, name, f.Mode)
	}
}

// layerOwner gives the owner of a folder of a layer.
func layerOwner(t *testing.T, repo, digest, name string) int {
	t.Helper()
	owner := -1
	eachEntry(t, repo, digest, func(h *tar.Header, _ io.Reader) {
		if path.Clean(h.Name) == name {
			owner = h.Uid
		}
	})
	return owner
}
