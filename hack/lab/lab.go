// Package lab gives a Linux machine with root what the demo, the tests and the benchmarks need: buildkitd, a registry,
// a NuGet feed, .NET images and a buildx builder.
//
//	l, err := lab.New()
//	err = l.Up(ctx, os.Stderr)         // from nothing, or at once if it is all there
//	cmd := exec.Command(l.Bin("docker"), "buildx", "build", …)
//	cmd.Env = append(os.Environ(), l.Env()...)
//
// Up may be called at any time and by several processes at once; it repairs what is missing and keeps what works. What
// it starts outlives the caller, until Down. Everything listens on loopback or on a unix socket.
//
// # Files
//
// Everything is under two folders, none of it under ~/.docker:
//
//	CACHE = ${XDG_CACHE_HOME:-~/.cache}/crosshull   compiled tools, unpacked archives, stand-in images; safe to delete
//	                                                when down
//	DIR   = CROSSHULL_LAB, or CACHE/lab             state, logs (NAME.log), sockets, bin, docker's configuration
//
// # Environment
//
//	CROSSHULL_LAB            folder of this lab
//	CROSSHULL_DOTNET         where .NET comes from: an archive (.tar.xz, .tar.gz), a folder with sdk/ and feed/, or an
//	                         SDK's folder
//	CROSSHULL_LAB_IMAGES     "real": .NET images come from their registry; "local": they are made here. By default that
//	                         depends on whether the registry can be reached when the lab comes up
//	CROSSHULL_LAB_REGISTRY   address of the registry, instead of 127.0.0.1:5000
//	CROSSHULL_LAB_FEED       address of the feed, instead of 127.0.0.1:5080
package lab

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/hack/lab/feed"
)

// Builder is the name of the buildx builder that uses the lab's buildkitd.
const Builder = "crosshull-lab"

// The environment variables New reads.
const (
	envDir      = "CROSSHULL_LAB"
	envDotnet   = "CROSSHULL_DOTNET"
	envImages   = "CROSSHULL_LAB_IMAGES"
	envRegistry = "CROSSHULL_LAB_REGISTRY"
	envFeed     = "CROSSHULL_LAB_FEED"
)

// Where images come from.
const (
	imagesReal  = "real"
	imagesLocal = "local"
)

// Lab is one lab on this machine. Make it with New.
type Lab struct {
	dir, cache     string
	registry, feed string // host:port
	dotnet         string // what CROSSHULL_DOTNET says
	images         string // imagesReal, imagesLocal, or "" for what can be reached
}

// New describes the lab the environment asks for. It has no side effects.
func New() (*Lab, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	cache = filepath.Join(cache, "crosshull")
	l := &Lab{
		dir:      getenv(envDir, filepath.Join(cache, "lab")),
		cache:    cache,
		registry: getenv(envRegistry, "127.0.0.1:5000"),
		feed:     getenv(envFeed, "127.0.0.1:5080"),
		dotnet:   os.Getenv(envDotnet),
		images:   os.Getenv(envImages),
	}
	if l.dir, err = filepath.Abs(l.dir); err != nil {
		return nil, err
	}
	if err := checkSocket(l.dir); err != nil {
		return nil, fmt.Errorf("%s: %w", envDir, err)
	}
	for env, addr := range map[string]string{envRegistry: l.registry, envFeed: l.feed} {
		host, port, err := net.SplitHostPort(addr)
		if err != nil || port == "" {
			return nil, fmt.Errorf("%s: %q is no HOST:PORT", env, addr)
		}
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return nil, fmt.Errorf("%s: %q is no loopback address", env, addr)
		}
	}
	if !slices.Contains([]string{"", imagesReal, imagesLocal}, l.images) {
		return nil, fmt.Errorf("%s: %q is neither %q nor %q", envImages, l.images, imagesReal, imagesLocal)
	}
	return l, nil
}

// Dir is the folder of the lab's state.
func (l *Lab) Dir() string { return l.dir }

// Registry is the address of the registry, HOST:PORT, which speaks plain HTTP.
func (l *Lab) Registry() string { return l.registry }

// FeedURL is the address of the NuGet feed's service index. Build steps reach it too: they share the host's network.
func (l *Lab) FeedURL() string { return "http://" + l.feed + feed.Index }

// BuildkitAddr is the address of buildkitd, as BuildKit's clients take it.
func (l *Lab) BuildkitAddr() string { return "unix://" + socket(l.dir) }

// Bin is the path of a program that Up provides: buildkitd, buildctl, buildx, docker, docker-registry.
func (l *Lab) Bin(name string) string { return filepath.Join(l.dir, "bin", name) }

// Env is what makes plain `docker buildx build` use the lab, as sorted KEY=VALUE lines to add to os.Environ:
// BUILDKIT_HOST, BUILDX_BUILDER, BUILDX_CONFIG, CROSSHULL_FEED, CROSSHULL_REGISTRY, DOCKER_CONFIG and PATH.
func (l *Lab) Env() []string {
	path := os.Getenv("PATH")
	if bin := l.Bin(""); !slices.Contains(filepath.SplitList(path), bin) {
		path = strings.TrimSuffix(bin+string(os.PathListSeparator)+path, string(os.PathListSeparator))
	}
	return []string{
		"BUILDKIT_HOST=" + l.BuildkitAddr(),
		"BUILDX_BUILDER=" + Builder,
		"BUILDX_CONFIG=" + filepath.Join(l.dockerConfig(), "buildx"),
		"CROSSHULL_FEED=" + l.FeedURL(),
		"CROSSHULL_REGISTRY=" + l.registry,
		"DOCKER_CONFIG=" + l.dockerConfig(),
		"PATH=" + path,
	}
}

func (l *Lab) dockerConfig() string { return filepath.Join(l.dir, "docker") }

// socket is that of the buildkitd whose files are in dir.
func socket(dir string) string { return filepath.Join(dir, "buildkitd.sock") }

// checkSocket returns an error if dir makes its name longer than sockaddr_un can hold.
func checkSocket(dir string) error {
	if n := len(socket(dir)); n > 107 {
		return fmt.Errorf("%s is too long for a socket (%d bytes, at most 107)", socket(dir), n)
	}
	return nil
}

func getenv(key, byDefault string) string {
	if v := os.Getenv(key); v != "" {
		return v
	}
	return byDefault
}
