package images

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// smallLab is a toolchain, root file systems and an empty registry, all small.
func smallLab(t *testing.T) Config {
	t.Helper()
	reg := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(reg.Close)
	c := Config{
		Toolchain: makeToolchain(t, []string{"10.0.401"}, []string{"10.0.12"}, []string{"10.0.12"}),
		Muxer:     t.TempDir(),
		Registry:  strings.TrimPrefix(reg.URL, "http://"),
		FeedURL:   "http://127.0.0.1:1/index.json",
		Cache:     t.TempDir(),
	}
	for _, f := range []string{
		"dotnet", "LICENSE.txt", "ThirdPartyNotices.txt", "host/fxr/10.0.12/libhostfxr.so", "sdk/10.0.401/dotnet.dll",
		"shared/Microsoft.NETCore.App/10.0.12/System.dll", "shared/Microsoft.AspNetCore.App/10.0.12/Web.dll",
	} {
		write(t, filepath.Join(c.Toolchain, "sdk", f), f, 0o755)
	}
	write(t, filepath.Join(c.Muxer, "dotnet-arm64"), "launcher", 0o755)
	for _, f := range []string{"Microsoft.NETCore.App", "Microsoft.AspNetCore.App"} {
		writePack(t, pack(c, f, "10.0.12"), "runtimes/linux-arm64/lib/net10.0/"+f+".dll")
	}
	rootfs(t, c)
	// Go's own root is large, and packing it is not what is looked at here.
	goroot := t.TempDir()
	write(t, filepath.Join(goroot, "bin/go"), "go", 0o755)
	write(t, filepath.Join(goroot, "test/x"), "x", 0o644)
	t.Setenv("GOROOT", goroot)
	return c
}

// rootfs puts small root file systems, and a small linker, where those of mmdebstrap would be: the real linker is 700
// MB to download and to pack. The lab makes the real ones when it comes up from nothing.
func rootfs(t *testing.T, c Config) {
	t.Helper()
	m := smallMaker(t, c)
	for _, a := range architectures {
		files(t, m.rootfs(a.debian), "./bin/busybox", "./usr/lib/libicudata.so", "./arch/"+a.debian)
		files(t, m.debianfs(a.debian), "./etc/passwd", "./usr/bin/bash", "./usr/lib/libicudata.so",
			"./var/lib/dpkg/status", "./arch/"+a.debian)
	}
	files(t, m.linkerfs(), "./bin/dash", "./lib/libicudata.so", "./lib/libz.so", "./usr/bin/ld.lld",
		"./usr/lib/llvm-14/lib/libLLVM.a", "./usr/share/doc/lld/copyright")
}

func smallMaker(t *testing.T, c Config) *maker {
	t.Helper()
	tc, err := inspect(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return &maker{Config: c, toolchain: tc, progress: io.Discard}
}

// files makes an archive of empty files.
func files(t *testing.T, archive string, names ...string) {
	t.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, f := range names {
		if err := tw.WriteHeader(&tar.Header{Name: f, Typeflag: tar.TypeReg, Mode: 0o755}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, archive, b.String(), 0o644)
}

func index(t *testing.T, c Config, tag string) v1.ImageIndex {
	t.Helper()
	ref, err := name.ParseReference(c.Registry+"/"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	idx, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	return idx
}

// pushedImage is what a tag has for a platform.
type pushedImage struct {
	*v1.ConfigFile
	layers []string
	files  []string // names that are no folders
}

func images(t *testing.T, c Config, tag string) map[string]pushedImage {
	t.Helper()
	idx := index(t, c, tag)
	manifest, err := idx.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]pushedImage{}
	for _, d := range manifest.Manifests {
		img, err := idx.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		m, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		p := pushedImage{ConfigFile: cfg}
		for _, l := range m.Layers {
			p.layers = append(p.layers, l.Digest.String())
		}
		r := mutate.Extract(img)
		for _, m := range members(t, r) {
			if m.kind != tar.TypeDir {
				p.files = append(p.files, m.name)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got := cfg.Platform().String(); got != d.Platform.String() {
			t.Errorf("%s: the index says %s, the image %s", tag, d.Platform, got)
		}
		out[d.Platform.String()] = p
	}
	return out
}

func TestEnsure(t *testing.T) {
	c := smallLab(t)
	var progress strings.Builder
	if err := Ensure(t.Context(), c, &progress); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(progress.String(), "arm64 images hold the OS alone") {
		t.Errorf("no runtime for arm64:\n%s", &progress)
	}

	three := []string{"linux/amd64", "linux/arm/v7", "linux/arm64/v8"}
	debian := map[string]string{"linux/amd64": "amd64", "linux/arm/v7": "armhf", "linux/arm64/v8": "arm64"}
	const invariant = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true"
	for _, v := range variants {
		var below map[string]pushedImage
		for _, tt := range []struct {
			repo string
			env  []string
			not  []string
		}{
			{"runtime-deps", nil, []string{"DOTNET_VERSION", "ASPNET_VERSION"}},
			{"runtime", []string{"DOTNET_VERSION=10.0.12"}, []string{"ASPNET_VERSION"}},
			{"aspnet", []string{"DOTNET_VERSION=10.0.12", "ASPNET_VERSION=10.0.12"}, nil},
		} {
			tag := "dotnet/" + tt.repo + ":10.0" + v.suffix
			t.Run(tag, func(t *testing.T) {
				got := images(t, c, tag)
				if p := slices.Sorted(maps.Keys(got)); !reflect.DeepEqual(p, three) {
					t.Fatalf("platforms %q, want %q", p, three)
				}
				if v.musl { // the OS alone, whatever the repository
					tt.env, tt.not = nil, []string{"DOTNET_VERSION", "ASPNET_VERSION"}
				}
				for platform, img := range got {
					checkEnv(t, img,
						append([]string{"APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080", "DOTNET_RUNNING_IN_CONTAINER=true"}, tt.env...),
						tt.not)
					if slices.Contains(img.Config.Env, invariant) == v.icu {
						t.Errorf("%s: ICU is there: %t, and the environment is %q", platform, v.icu, img.Config.Env)
					}
					if want := map[bool]string{true: "1654"}[v.chiseled]; img.Config.User != want {
						t.Errorf("%s: user %q, want %q", platform, img.Config.User, want)
					}
					for file, want := range map[string]bool{
						"arch/" + debian[platform]: true, "usr/bin/bash": v.debian(), "var/lib/dpkg/status": v.debian(),
						"etc/apt/apt.conf.d/docker-clean": v.debian(), "bin/busybox": v.musl, "bin/sh": v.musl,
					} {
						if slices.Contains(img.files, file) != want {
							t.Errorf("%s: %s is there: %t, files %q", platform, file, !want, img.files)
						}
					}
					// Each image stands on the layers of the one before, and has one of its own where there is a runtime.
					if below == nil {
						continue
					}
					want := len(below[platform].layers)
					if platform != "linux/arm/v7" && !v.musl {
						want++
					}
					if n := len(below[platform].layers); len(img.layers) != want ||
						!reflect.DeepEqual(img.layers[:n], below[platform].layers) {
						t.Errorf("%s: layers %q do not stand on %q", platform, img.layers, below[platform].layers)
					}
				}
				below = got
			})
		}
	}
	for _, tag := range []string{"10.0", "10.0-noble", "10.0.401"} {
		got := images(t, c, "dotnet/sdk:"+tag)
		if p := slices.Sorted(maps.Keys(got)); !reflect.DeepEqual(p, []string{"linux/amd64"}) {
			t.Errorf("platforms %q of the SDK", p)
		}
		sdk, aspnet := got["linux/amd64"], images(t, c, "dotnet/aspnet:10.0")["linux/amd64"]
		checkEnv(t, sdk, []string{"DOTNET_SDK_VERSION=10.0.401", "DOTNET_NOLOGO=true", "ASPNETCORE_HTTP_PORTS="}, nil)
		if n := len(aspnet.layers); !reflect.DeepEqual(sdk.layers[:n], aspnet.layers) {
			t.Errorf("the SDK does not stand on ASP.NET Core: %q, %q", sdk.layers, aspnet.layers)
		}
		aot := images(t, c, "dotnet/sdk:"+tag+"-aot")["linux/amd64"]
		if n := len(sdk.layers); len(aot.layers) != n+1 || !reflect.DeepEqual(aot.layers[:n], sdk.layers) {
			t.Fatalf("the SDK with a linker is not the SDK and a layer: %q, %q", aot.layers, sdk.layers)
		}
	}
}

// The layer of the linker has what the SDK's image does not have, and of that what links.
func TestLinkerTree(t *testing.T) {
	c := smallLab(t)
	tr, err := smallMaker(t, c).linkerTree()
	if err != nil {
		t.Fatal(err)
	}
	checkTree(t, tr, []member{dir("usr/"), dir("usr/bin/"), program("usr/bin/ld.lld", ""), dir("usr/lib/"),
		program("usr/lib/libz.so", "")})
}

func checkEnv(t *testing.T, img pushedImage, want, not []string) {
	t.Helper()
	for _, kv := range want {
		if !slices.Contains(img.Config.Env, kv) {
			t.Errorf("%s: no %s in %q", img.Architecture, kv, img.Config.Env)
		}
	}
	for _, k := range not {
		if slices.ContainsFunc(img.Config.Env, func(kv string) bool { return strings.HasPrefix(kv, k+"=") }) {
			t.Errorf("%s: %s in %q", img.Architecture, k, img.Config.Env)
		}
	}
}

// Ensure does what is missing, and nothing else; what it makes anew is the same.
func TestEnsureAgain(t *testing.T) {
	c := smallLab(t)
	const tag = "dotnet/aspnet:10.0"
	ensure := func() string {
		t.Helper()
		var progress strings.Builder
		if err := Ensure(t.Context(), c, &progress); err != nil {
			t.Fatal(err)
		}
		return progress.String()
	}
	digest := func() string {
		t.Helper()
		d, err := index(t, c, tag).Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	if ensure() == "" {
		t.Error("no progress of the first time")
	}
	first := digest()
	if p := ensure(); p != "" {
		t.Errorf("work for nothing:\n%s", p)
	}

	// Somebody pushes something else under one of the tags.
	ref, err := name.ParseReference(c.Registry+"/"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index(t, c, "dotnet/runtime:10.0")); err != nil {
		t.Fatal(err)
	}
	if p := ensure(); p == "" || digest() != first {
		t.Errorf("after another push: %s, was %s", digest(), first)
	}

	other := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(other.Close)
	c.Registry = strings.TrimPrefix(other.URL, "http://")
	if ensure() == "" || digest() != first {
		t.Errorf("in an empty registry: %s, was %s", digest(), first)
	}

	c.Cache = t.TempDir()
	rootfs(t, c)
	if ensure() == "" || digest() != first {
		t.Errorf("with an empty cache: %s, was %s", digest(), first)
	}

	if err := os.Remove(filepath.Join(c.Muxer, "dotnet-arm64")); err != nil {
		t.Fatal(err)
	}
	if p := ensure(); !strings.Contains(p, "arm64 images hold the OS alone") || digest() == first {
		t.Errorf("without a launcher: %s, was %s\n%s", digest(), first, p)
	}
}

// Not only within one run: another machine gives the same on another day.
func TestTreeWriteIsTheSameEverywhere(t *testing.T) {
	tr := &tree{}
	tr.addFile("etc/x", 0o644, []byte("x"))
	tr.addDir("home/app", 0o755, appUID)
	tr.addLink("bin/sh", "/bin/busybox")
	const want = "daccf6c78822f38696ed554511c4de453cd21758cc40131103151f08ce36a855"
	if got := fmt.Sprintf("%x", sha256.Sum256(written(t, tr))); got != want {
		t.Errorf("sha256 of the archive is %s, want %s", got, want)
	}
}
