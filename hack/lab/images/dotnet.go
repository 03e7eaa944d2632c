package images

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

const (
	appUID     = 1654
	dotnetRoot = "usr/share/dotnet"
	osPath     = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// base is runtime-deps, runtime or aspnet.
func (m *maker) base(parts parts, repo string, v variant, arch string, p v1.Platform) (v1.Image, error) {
	family := v
	if family.suffix == "" { // the plain tag is the default distribution's
		family = variants[1]
	}
	names := []string{"os-" + arch + family.suffix}
	if v.musl {
		names = append(names, "shell")
	}
	env := []string{
		osPath,
		fmt.Sprintf("APP_UID=%d", appUID),
		"ASPNETCORE_HTTP_PORTS=8080",
		"DOTNET_RUNNING_IN_CONTAINER=true",
	}
	if !v.icu {
		env = append(env, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true")
	}
	if repo != "runtime-deps" && v.musl {
		repo = "runtime-deps" // the toolchain has no runtime for musl
	}
	if repo != "runtime-deps" {
		names = append(names, "runtime-"+arch)
		env = append(env, "DOTNET_VERSION="+m.runtime)
	}
	if repo == "aspnet" {
		names = append(names, "aspnet-"+arch)
		env = append(env, "ASPNET_VERSION="+m.aspnet)
	}
	cfg := v1.Config{
		Env:    env,
		Labels: map[string]string{"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": "24.04"},
	}
	if v.chiseled {
		cfg.User = fmt.Sprint(appUID)
	} else {
		cfg.Cmd = []string{"/bin/bash"}
	}
	return assemble(parts, names, cfg, p)
}

// sdkImage is the SDK, on the layers of aspnet as the real one, with more parts on top.
func (m *maker) sdkImage(parts parts, p v1.Platform, more ...string) (v1.Image, error) {
	return assemble(
		parts,
		append([]string{"os-amd64-noble", "runtime-amd64", "aspnet-amd64", "sdk"}, more...),
		v1.Config{
			Env: []string{
				osPath, fmt.Sprintf("APP_UID=%d", appUID), "ASPNETCORE_HTTP_PORTS=", "DOTNET_RUNNING_IN_CONTAINER=true",
				"DOTNET_VERSION=" + m.runtime, "ASPNET_VERSION=" + m.aspnet,
				"DOTNET_GENERATE_ASPNET_CERTIFICATE=false", "DOTNET_NOLOGO=true", "DOTNET_SDK_VERSION=" + m.sdk,
				"DOTNET_USE_POLLING_FILE_WATCHER=true", "NUGET_XMLDOC_MODE=skip",
				// Not in the real image: without internet, every restore waits 15 s for the online check of certificates.
				"NUGET_CERT_REVOCATION_MODE=offline",
			},
			Cmd: []string{"/bin/bash"},
			Labels: map[string]string{
				"org.opencontainers.image.ref.name": "ubuntu",
				"org.opencontainers.image.version":  "24.04",
			},
		},
		p,
	)
}

// assemble makes an image of the named layers. It leaves out those that are not in parts.
func assemble(parts parts, names []string, cfg v1.Config, p v1.Platform) (v1.Image, error) {
	var adds []mutate.Addendum
	for _, n := range names {
		if l, ok := parts[n]; ok {
			adds = append(adds, mutate.Addendum{Layer: l, History: v1.History{
				Created: v1.Time{Time: fileTime}, CreatedBy: "crosshull lab: " + strings.SplitN(n, "-", 2)[0],
			}})
		}
	}
	img, err := mutate.Append(empty.Image, adds...)
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Variant = p.OS, p.Architecture, p.Variant
	file.Config = cfg
	file.Created = v1.Time{Time: fileTime}
	return mutate.ConfigFile(img, file)
}

// fileTime is the time of all files and images.
var fileTime = time.Date(2026, time.September, 8, 0, 0, 0, 0, time.UTC)

func (m *maker) runtimeAMD64() (*tree, error) {
	t := &tree{}
	root := filepath.Join(m.Toolchain, "sdk")
	for _, p := range []string{"dotnet", "LICENSE.txt", "ThirdPartyNotices.txt", "host",
		"shared/Microsoft.NETCore.App/" + m.runtime} {
		if err := t.addDisk(filepath.Join(root, p), path.Join(dotnetRoot, p), nil); err != nil {
			return nil, err
		}
	}
	t.addLink("usr/bin/dotnet", "/"+dotnetRoot+"/dotnet")
	return t, nil
}

func (m *maker) aspnetAMD64() (*tree, error) {
	t := &tree{}
	p := "shared/Microsoft.AspNetCore.App/" + m.aspnet
	return t, t.addDisk(filepath.Join(m.Toolchain, "sdk", p), path.Join(dotnetRoot, p), nil)
}

// runtimeARM64 puts a runtime together from the runtime pack, which has all of it but the launcher.
func (m *maker) runtimeARM64() (*tree, error) {
	t := &tree{}
	err := t.addPack(pack(m.Config, "Microsoft.NETCore.App", m.runtime), func(file string) string {
		if file == "libhostfxr.so" {
			return path.Join(dotnetRoot, "host/fxr", m.runtime, file)
		}
		return path.Join(dotnetRoot, "shared/Microsoft.NETCore.App", m.runtime, file)
	})
	if err != nil {
		return nil, err
	}
	launcher, err := os.ReadFile(filepath.Join(m.Muxer, "dotnet-arm64"))
	if err != nil {
		return nil, err
	}
	t.addFile(dotnetRoot+"/dotnet", 0o755, launcher)
	t.addLink("usr/bin/dotnet", "/"+dotnetRoot+"/dotnet")
	return t, nil
}

func (m *maker) aspnetARM64() (*tree, error) {
	t := &tree{}
	return t, t.addPack(pack(m.Config, "Microsoft.AspNetCore.App", m.aspnet), func(file string) string {
		return path.Join(dotnetRoot, "shared/Microsoft.AspNetCore.App", m.aspnet, file)
	})
}

// addPack adds the files of a runtime pack at the paths that place gives.
func (t *tree) addPack(nupkg string, place func(file string) string) error {
	z, err := zip.OpenReader(nupkg)
	if err != nil {
		return err
	}
	defer z.Close() //nolint:errcheck // read only
	const prefix = "runtimes/linux-arm64/"
	for _, f := range z.File {
		rest, ok := strings.CutPrefix(f.Name, prefix)
		if !ok || (!strings.HasPrefix(rest, "native/") && !strings.HasPrefix(rest, "lib/")) || strings.HasSuffix(rest, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		dt, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := r.Close(); err != nil {
			return err
		}
		file := path.Base(rest)
		mode := int64(0o644)
		if file == "createdump" {
			mode = 0o755
		}
		t.addFile(place(file), mode, dt)
	}
	return nil
}

// sdkTree is what the SDK has beyond the runtimes, and a NuGet configuration with the lab's feed as the only source.
func (m *maker) sdkTree() (*tree, error) {
	t := &tree{}
	root := filepath.Join(m.Toolchain, "sdk")
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "shared" && e.Name() != "host" {
			if err := t.addDisk(filepath.Join(root, e.Name()), path.Join(dotnetRoot, e.Name()), nil); err != nil {
				return nil, err
			}
		}
	}
	t.addFile("root/.nuget/NuGet/NuGet.Config", 0o644, []byte(`<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <packageSources>
    <clear />
    <add key="lab" value="`+m.FeedURL+`" protocolVersion="3" allowInsecureConnections="true" />
  </packageSources>
</configuration>
`))
	return t, nil
}
