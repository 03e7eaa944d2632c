package bench

import (
	"debug/elf"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/crosshull/crosshull/hack/lab"
)

var (
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
)

// pushBase pushes a base for both platforms to a new registry, and gives the registry's address.
func pushBase(t *testing.T, tag string) string {
	t.Helper()
	reg := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(reg.Close)
	addr := strings.TrimPrefix(reg.URL, "http://")
	idx := v1.ImageIndex(empty.Index)
	for _, p := range []v1.Platform{amd64, arm64} {
		img, err := random.Image(1000, 2)
		if err != nil {
			t.Fatal(err)
		}
		idx = mutate.AppendManifests(idx,
			mutate.IndexAddendum{Add: config(t, img, p, nil), Descriptor: v1.Descriptor{Platform: &p}})
	}
	if err := push(t.Context(), idx, addr+"/"+tag); err != nil {
		t.Fatal(err)
	}
	return addr
}

func config(t *testing.T, img v1.Image, p v1.Platform, entrypoint []string) v1.Image {
	t.Helper()
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Variant = p.OS, p.Architecture, p.Variant
	file.Config.WorkingDir, file.Config.Entrypoint = "/app", entrypoint
	if img, err = mutate.ConfigFile(img, file); err != nil {
		t.Fatal(err)
	}
	return img
}

// pushApp pushes an app on a base: a layer for each list of files.
func pushApp(t *testing.T, base, ref string, entrypoint []string, layers ...map[string][]byte) {
	t.Helper()
	bases, err := index(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	idx := v1.ImageIndex(empty.Index)
	for _, p := range []v1.Platform{amd64, arm64} {
		img := bases[platform(p)].Image
		for _, content := range layers {
			for _, name := range slices.Sorted(maps.Keys(content)) {
				layer, err := lab.FileLayer(name, 0o644, content[name])
				if err != nil {
					t.Fatal(err)
				}
				if img, err = mutate.AppendLayers(img, layer); err != nil {
					t.Fatal(err)
				}
			}
		}
		idx = mutate.AppendManifests(idx,
			mutate.IndexAddendum{Add: config(t, img, p, entrypoint), Descriptor: v1.Descriptor{Platform: &p}})
	}
	// An attestation, as buildx adds it.
	idx = mutate.AppendManifests(idx,
		mutate.IndexAddendum{Add: empty.Image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}})
	if err := push(t.Context(), idx, ref); err != nil {
		t.Fatal(err)
	}
}

func TestCompare(t *testing.T) {
	addr := pushBase(t, "base:1")
	base, ref := addr+"/base:1", addr+"/app:1"
	look := func() map[string]image {
		t.Helper()
		got, err := images(t.Context(), ref, base)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	pushApp(t, base, ref, nil, map[string][]byte{"app/lib.dll": []byte("lib"), "app/app.dll": []byte("one")})
	before := look()
	pushApp(t, base, ref, nil, map[string][]byte{"app/lib.dll": []byte("lib"), "app/app.dll": []byte("two")})
	now := look()
	changed := now["linux/amd64"].app()[0] // names are in order: app.dll, lib.dll
	u := uploaded{blobs: map[string]int64{changed.Digest.String(): 100,
		now["linux/arm64"].manifest.Layers[0].Digest.String(): 20, "sha256:config": 3}, manifests: 4}
	var f Figures
	f.compare(before, now, u)
	if f.Pushed != 127 || f.PushedApp != 100 || f.PushedBase != 20 {
		t.Errorf("pushed %d, of it %d and %d", f.Pushed, f.PushedApp, f.PushedBase)
	}
	if f.Changed != changed.Size || f.ChangedLayers != 1 {
		t.Errorf("%d bytes in %d layers changed, want %d in one", f.Changed, f.ChangedLayers, changed.Size)
	}
	for _, p := range two.list() {
		if f.Apps[p] != sizes(now[p].manifest.Layers[2:]) || f.Images[p] <= f.Apps[p] {
			t.Errorf("%s: %d bytes, %d over the base", p, f.Images[p], f.Apps[p])
		}
	}
	if err := moveBase(t.Context(), base, addr+"/moved:10.0", "nonce"); err != nil {
		t.Fatal(err)
	}
	if _, err := images(t.Context(), ref, addr+"/moved:10.0"); err == nil ||
		!strings.Contains(err.Error(), "layer 2 differs") {
		t.Errorf("on another base: %v", err)
	}
}

func TestMoveBase(t *testing.T) {
	addr := pushBase(t, "base:1")
	var last map[string]image
	for _, nonce := range []string{"first", "second"} {
		if err := moveBase(t.Context(), addr+"/base:1", addr+"/moved:10.0", nonce); err != nil {
			t.Fatal(err)
		}
		now, err := images(t.Context(), addr+"/moved:10.0", addr+"/base:1")
		if err != nil {
			t.Fatal(err)
		}
		if len(now) != 2 || len(now["linux/arm64"].app()) != 1 {
			t.Errorf("moved base: %v", now)
		}
		if last != nil && last["linux/amd64"].app()[0].Digest == now["linux/amd64"].app()[0].Digest {
			t.Error("the base has not moved")
		}
		last = now
	}
	if err := copyImages(t.Context(), addr+"/base:1", addr+"/copy:base"); err != nil {
		t.Fatal(err)
	}
	if got, err := images(t.Context(), addr+"/copy:base", addr+"/base:1"); err != nil || len(got) != 2 {
		t.Errorf("copied: %v, %v", got, err)
	}
}

func TestVerify(t *testing.T) {
	addr := pushBase(t, "base:1")
	program := make([]byte, 64)
	copy(program, elf.ELFMAG)
	program[18] = byte(elf.EM_X86_64)
	dll, files := []byte("dll"), []string{"app.dll"}
	for _, tc := range []struct {
		name       string
		platforms  platforms
		entrypoint []string
		content    map[string][]byte
		err        string
	}{
		{"portable", two, []string{"dotnet", "/app/app.dll"}, map[string][]byte{"app/app.dll": dll}, ""},
		{"relative", two, []string{"dotnet", "app.dll"}, map[string][]byte{"app/app.dll": dll}, ""},
		{"launcher of another platform", two, []string{"./app"}, map[string][]byte{"app/app.dll": dll, "app/app": program},
			"image for linux/arm64: app/app is for EM_X86_64, want EM_AARCH64"},
		{"no launcher", two, []string{"./app"}, map[string][]byte{"app/app.dll": dll}, "not in it: app/app"},
		{"empty", two, []string{"dotnet", "app.dll"}, map[string][]byte{"app/app.dll": {}}, "not in it: app/app.dll"},
		{"no entrypoint", two, nil, map[string][]byte{"app/app.dll": dll}, "no entrypoint"},
		{"a platform too few", three, []string{"dotnet", "app.dll"}, map[string][]byte{"app/app.dll": dll},
			"no image for linux/arm/v7"},
		{"a platform too many", one, []string{"dotnet", "app.dll"}, map[string][]byte{"app/app.dll": dll},
			"2 images, want those for amd64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ref := addr + "/app:1"
			pushApp(t, addr+"/base:1", ref, tc.entrypoint, tc.content)
			got, err := images(t.Context(), ref, addr+"/base:1")
			if err != nil {
				t.Fatal(err)
			}
			err = verify(got, tc.platforms, files)
			if (tc.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}
