// Package images makes stand-ins for the images of mcr.microsoft.com/dotnet, and one for golang, and pushes them to a
// registry on loopback under their real repository names, where a builder's mirror finds them.
//
// Contract: [Ensure] is idempotent: a key stands for the inputs. While the key and the tags in the registry are right,
// it does nothing. The same inputs give the same digests.
//
// What is as in the real images: repositories, tags and platforms, environment, user, labels, media types (Docker
// manifest lists), and the shape of the layers: the OS, the runtime, ASP.NET Core and the SDK apart, shared between
// images. What is not: the OS is Debian 12 rather than Ubuntu 24.04, and its packages come from where this machine gets
// its own; the SDK is for amd64 only, and knows the lab's feed as its one source of packages; images for arm/v7 and of
// the alpine family hold the OS alone, because the toolchain has no runtime for them, and alpine's musl and busybox are
// Debian's. The SDK with a linker can link for arm64 too, which the real one cannot.
package images

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/hack/lab/apt"
	installer "github.com/crosshull/crosshull/llb/apt"
)

// revision is part of the key. Raise it if a change of this package makes other images of the same inputs.
const revision = "3"

// Config is what the images are made of and where they go.
type Config struct {
	Toolchain string // folder with sdk/ (a dotnet root) and optionally feed/ (nupkg files)
	Muxer     string // folder with dotnet-arm64, the launcher of arm64 images; may be empty
	Registry  string // host:port, plain HTTP
	FeedURL   string // NuGet v3 index
	Cache     string // folder for root file systems and layers
}

var architectures = []struct {
	debian   string
	platform v1.Platform
}{
	{"amd64", v1.Platform{OS: "linux", Architecture: "amd64"}},
	{"arm64", v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}},
	{"armhf", v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}},
}

// Ensure makes and pushes what is missing, and writes lines of progress.
func Ensure(ctx context.Context, c Config, progress io.Writer) error {
	tc, err := inspect(ctx, c)
	if err != nil {
		return err
	}
	key := tc.key(c)
	stamp := filepath.Join(c.Cache, "pushed-"+key+".json")
	if pushed(ctx, c.Registry, stamp) {
		return nil
	}
	if err := os.MkdirAll(c.Cache, 0o755); err != nil {
		return err
	}
	m := &maker{Config: c, toolchain: tc, key: key, progress: progress}
	tags, err := m.makeAll(ctx)
	if err != nil {
		return err
	}
	dt, err := json.Marshal(tags)
	if err != nil {
		return err
	}
	if err := prune(c.Cache, key, tc.debian); err != nil {
		return err
	}
	return os.WriteFile(stamp, dt, 0o644)
}

// prune removes the layers and stamps of other keys, and Debian of other keys: they are half a gigabyte each.
func prune(cache, key, debian string) error {
	for pattern, key := range map[string]string{"layer-*.tar.gz": key, "pushed-*.json": key, "debian-*": debian} {
		files, err := filepath.Glob(filepath.Join(cache, pattern))
		if err != nil {
			return err
		}
		for _, file := range files {
			if !strings.Contains(filepath.Base(file), "-"+key) {
				if err := os.RemoveAll(file); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pushed tells whether the registry has every tag of the stamp with its digest.
func pushed(ctx context.Context, registry, stamp string) bool {
	dt, err := os.ReadFile(stamp)
	if err != nil {
		return false
	}
	var tags map[string]string
	if json.Unmarshal(dt, &tags) != nil || len(tags) == 0 {
		return false
	}
	for tag, digest := range tags {
		ref, err := name.ParseReference(registry+"/"+tag, name.Insecure)
		if err != nil {
			return false
		}
		desc, err := remote.Head(ref, remote.WithContext(ctx))
		if err != nil || desc.Digest.String() != digest {
			return false
		}
	}
	return true
}

// toolchain is what a folder with a dotnet root holds.
type toolchain struct {
	sdk, runtime, aspnet string // versions
	arm64                bool   // there is a runtime for arm64
	goroot, goversion    string
	debian               string // debianKey
}

func inspect(ctx context.Context, c Config) (*toolchain, error) {
	tc := &toolchain{}
	root := filepath.Join(c.Toolchain, "sdk")
	for dir, into := range map[string]*string{
		"sdk":                             &tc.sdk,
		"shared/Microsoft.NETCore.App":    &tc.runtime,
		"shared/Microsoft.AspNetCore.App": &tc.aspnet,
	} {
		versions, err := filepath.Glob(filepath.Join(root, dir, "[0-9]*"))
		if err != nil || len(versions) == 0 {
			return nil, fmt.Errorf("no .NET toolchain in %s: %s is missing", c.Toolchain, filepath.Join("sdk", dir))
		}
		for i, v := range versions {
			versions[i] = filepath.Base(v)
		}
		*into = slices.MaxFunc(versions, compareVersions)
	}
	if c.Muxer != "" {
		_, errMuxer := os.Stat(filepath.Join(c.Muxer, "dotnet-arm64"))
		_, errRuntime := os.Stat(pack(c, "Microsoft.NETCore.App", tc.runtime))
		_, errAspnet := os.Stat(pack(c, "Microsoft.AspNetCore.App", tc.aspnet))
		tc.arm64 = errMuxer == nil && errRuntime == nil && errAspnet == nil
	}
	out, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("ask Go for its root: %w", err)
	}
	lines := strings.Fields(string(out))
	if len(lines) != 2 {
		return nil, fmt.Errorf("go env GOROOT GOVERSION: got %q", out)
	}
	tc.goroot, tc.goversion = lines[0], strings.TrimPrefix(lines[1], "go")
	tc.debian, err = debianKey(installer.Program, apt.Mirror(ctx))
	return tc, err
}

// compareVersions orders 9.0.10 after 9.0.9, and a release after its previews.
func compareVersions(a, b string) int {
	a, previewA, _ := strings.Cut(a, "-")
	b, previewB, _ := strings.Cut(b, "-")
	byNumber := func(x, y string) int { return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)) }
	if c := slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), byNumber); c != 0 {
		return c
	}
	if previewA == "" || previewB == "" {
		return cmp.Compare(len(previewB), len(previewA))
	}
	return cmp.Compare(previewA, previewB)
}

// pack is the runtime pack for arm64.
func pack(c Config, framework, version string) string {
	return filepath.Join(c.Toolchain, "feed", strings.ToLower(framework+".runtime.linux-arm64."+version+".nupkg"))
}

func (tc *toolchain) key(c Config) string {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, revision, tc.sdk, tc.runtime, tc.aspnet, tc.arm64, tc.goversion, tc.debian, c.FeedURL,
		goEnv())
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// channel is the major.minor of a version, as in the tags.
func channel(version string) string {
	return strings.Join(strings.SplitN(version, ".", 3)[:2], ".")
}

// maker holds the parts that images share.
type maker struct {
	Config
	*toolchain
	key      string
	progress io.Writer
}

func (m *maker) say(format string, args ...any) {
	_, _ = fmt.Fprintf(m.progress, "  "+format+"\n", args...)
}

// variant is a family of base images.
type variant struct {
	suffix   string
	chiseled bool
	icu      bool
	musl     bool
}

// debian tells whether a variant is Debian with its packages, rather than a part of their files.
func (v variant) debian() bool { return !v.chiseled && !v.musl }

var variants = []variant{
	{"", false, true, false},
	{"-noble", false, true, false},
	{"-noble-chiseled", true, false, false},
	{"-noble-chiseled-extra", true, true, false},
	{"-alpine", false, false, true},
	{"-alpine-extra", false, true, true},
}

// makeAll pushes all images and gives tag → digest.
func (m *maker) makeAll(ctx context.Context) (map[string]string, error) {
	parts, err := m.parts(ctx)
	if err != nil {
		return nil, err
	}
	indexes := map[string]v1.ImageIndex{}
	for _, v := range variants {
		for _, repo := range []string{"runtime-deps", "runtime", "aspnet"} {
			index := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
			for _, a := range architectures {
				img, err := m.base(parts, repo, v, a.debian, a.platform)
				if err != nil {
					return nil, err
				}
				index = add(index, img, a.platform)
			}
			indexes["dotnet/"+repo+":"+channel(m.runtime)+v.suffix] = index
		}
	}
	amd64 := architectures[0].platform
	for suffix, more := range map[string][]string{"": nil, "-aot": {"linker"}} {
		sdk, err := m.sdkImage(parts, amd64, more...)
		if err != nil {
			return nil, err
		}
		for _, tag := range []string{channel(m.sdk), channel(m.sdk) + "-noble", m.sdk, m.sdk + "-noble"} {
			indexes["dotnet/sdk:"+tag+suffix] = add(mutate.IndexMediaType(empty.Index, types.DockerManifestList), sdk, amd64)
		}
	}
	golang, err := m.golangImage(parts, amd64)
	if err != nil {
		return nil, err
	}
	indexes["library/golang:"+channel(m.goversion)] = add(
		mutate.IndexMediaType(empty.Index, types.DockerManifestList),
		golang,
		amd64,
	)

	m.say("pushing %d tags to %s", len(indexes), m.Registry)
	tags := map[string]string{}
	for _, tag := range slices.Sorted(maps.Keys(indexes)) {
		ref, err := name.ParseReference(m.Registry+"/"+tag, name.Insecure)
		if err != nil {
			return nil, err
		}
		if err := remote.WriteIndex(ref, indexes[tag], remote.WithContext(ctx)); err != nil {
			return nil, fmt.Errorf("push %s: %w", tag, err)
		}
		digest, err := indexes[tag].Digest()
		if err != nil {
			return nil, err
		}
		tags[tag] = digest.String()
	}
	return tags, nil
}

func add(index v1.ImageIndex, img v1.Image, p v1.Platform) v1.ImageIndex {
	return mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
}

// parts are the layers, by name; some are absent where the toolchain has nothing to put into them.
type parts map[string]v1.Layer

// parts makes all layers, two at a time.
func (m *maker) parts(ctx context.Context) (parts, error) {
	if !m.arm64 {
		m.say("no runtime for arm64 in %s: arm64 images hold the OS alone", m.Toolchain)
	}
	eg, egctx := errgroup.WithContext(ctx)
	eg.SetLimit(2)
	eg.Go(func() error { return m.makeDebian(egctx) })
	for _, a := range architectures {
		eg.Go(func() error {
			return m.bootstrap(egctx, "Debian root file system for "+a.debian, a.debian, packages, m.rootfs(a.debian))
		})
	}
	eg.Go(func() error { return m.bootstrap(egctx, "linker for AOT", "amd64,arm64", linker, m.linkerfs()) })
	if err := eg.Wait(); err != nil {
		return nil, err
	}

	type part struct {
		name  string
		build func() (*tree, error)
	}
	var todo []part
	for _, a := range architectures {
		for _, v := range variants[1:] {
			build := func() (*tree, error) { return m.osTree(a.debian, v) }
			if v.debian() {
				build = func() (*tree, error) { return m.debianTree(a.debian) }
			}
			todo = append(todo, part{"os-" + a.debian + v.suffix, build})
		}
	}
	todo = append(todo,
		part{"runtime-amd64", m.runtimeAMD64},
		part{"aspnet-amd64", m.aspnetAMD64},
		part{"sdk", m.sdkTree},
		part{"linker", m.linkerTree},
		part{"shell", shellTree},
		part{"golang", m.golangTree},
	)
	if m.arm64 {
		todo = append(todo, part{"runtime-arm64", m.runtimeARM64}, part{"aspnet-arm64", m.aspnetARM64})
	}
	layers := make([]v1.Layer, len(todo))
	eg, _ = errgroup.WithContext(ctx)
	eg.SetLimit(2)
	for i, p := range todo {
		eg.Go(func() error {
			file := filepath.Join(m.Cache, "layer-"+m.key+"-"+p.name+".tar.gz")
			layer, err := layerFile(file, p.build)
			if err != nil {
				return fmt.Errorf("layer %s: %w", p.name, err)
			}
			layers[i] = layer
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	out := parts{}
	for i, p := range todo {
		out[p.name] = layers[i]
	}
	return out, nil
}
