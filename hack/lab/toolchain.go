package lab

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Toolchain is a .NET SDK and packages for it. The zero value means that there is none.
type Toolchain struct {
	Dir   string   // has sdk/, an SDK as shipped, and possibly feed/
	Feeds []string // folders of packages, feed/ first
	Muxer string   // folder with dotnet-arm64, or ""
}

// Where the toolchain's archive is beside the repository.
const besideRepo = "../shared/dotnet/dotnet-lab.tar.xz"

// findToolchain finds the toolchain, and unpacks it if it is an archive. The second result says what it found. If there
// is none, that is an error only if one is needed.
func (l *Lab) findToolchain(ctx context.Context, repo string, needed bool) (Toolchain, string, error) {
	source, err := l.toolchainSource(repo)
	if errors.Is(err, fs.ErrNotExist) && l.dotnet == "" && !needed {
		return Toolchain{}, "none, and none is needed", nil
	}
	if err != nil {
		return Toolchain{}, "", err
	}
	t, err := l.openToolchain(ctx, source)
	if err != nil {
		return Toolchain{}, "", fmt.Errorf("%s: %w", source, err)
	}
	return t, source, nil
}

// toolchainSource says where the toolchain comes from: the environment, beside the repository, the machine's own
// dotnet.
func (l *Lab) toolchainSource(repo string) (string, error) {
	if l.dotnet != "" {
		if _, err := os.Stat(l.dotnet); err != nil {
			return "", fmt.Errorf("%s: %w", envDotnet, err)
		}
		return filepath.Abs(l.dotnet)
	}
	archive := filepath.Join(repo, besideRepo)
	if _, err := os.Stat(archive); err == nil {
		return archive, nil
	}
	if program, err := exec.LookPath("dotnet"); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil && isSDK(filepath.Dir(program)) {
			return filepath.Dir(program), nil
		}
	}
	return "", fmt.Errorf(
		"%w: no .NET SDK to make images from, and mcr.microsoft.com is not to be used or cannot be reached; "+
			"set %s to an archive (.tar.xz, .tar.gz) or a folder of a .NET SDK for linux, or to a folder with sdk/ and, for "+
			"restores without network, feed/",
		fs.ErrNotExist,
		envDotnet,
	)
}

// openToolchain turns an archive or a folder into a toolchain.
func (l *Lab) openToolchain(ctx context.Context, source string) (Toolchain, error) {
	dir := source
	var t Toolchain
	if fi, err := os.Stat(source); err != nil {
		return t, err
	} else if !fi.IsDir() {
		if dir, err = l.unpack(ctx, source); err != nil {
			return t, err
		}
		// More packages may be beside the archive.
		more, err := filepath.Glob(filepath.Join(filepath.Dir(source), "feed-*.tar.*"))
		if err != nil {
			return t, err
		}
		for _, archive := range more {
			unpacked, err := l.unpack(ctx, archive)
			if err != nil {
				return t, err
			}
			t.Feeds = append(t.Feeds, filepath.Join(unpacked, "feed"))
		}
	}
	switch {
	case isSDK(filepath.Join(dir, "sdk")):
		t.Dir = dir
	case isSDK(dir):
		// The shape that the images are made from.
		t.Dir = filepath.Join(l.dir, "toolchain")
		if err := link(dir, filepath.Join(t.Dir, "sdk")); err != nil {
			return t, err
		}
	default:
		return t, errors.New("no .NET SDK in it: neither dotnet nor sdk/dotnet is there")
	}
	if feed := filepath.Join(dir, "feed"); isDir(feed) {
		t.Feeds = slices.Insert(t.Feeds, 0, feed)
	}
	for _, muxer := range []string{filepath.Join(dir, "muxer"), filepath.Join(filepath.Dir(source), "muxer")} {
		if _, err := os.Stat(filepath.Join(muxer, "dotnet-arm64")); err == nil {
			t.Muxer = muxer
			break
		}
	}
	return t, nil
}

// unpack unpacks an archive into the cache, and returns the folder. The same archive in another place, or with another
// time, is not unpacked again.
func (l *Lab) unpack(ctx context.Context, archive string) (string, error) {
	f, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	dir := filepath.Join(l.cache, "dotnet", fmt.Sprintf("%x", sum.Sum(nil)[:8]))
	if isDir(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".unpack-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if out, err := exec.CommandContext(ctx, "tar", "-xf", archive, "-C", tmp,
		"--no-same-owner").CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack: %w: %s", err, out)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, dir); err != nil && !isDir(dir) { // another process may have been faster
		return "", err
	}
	return dir, nil
}

// isSDK reports whether dir is the folder of a .NET SDK: the dotnet program and the versions it has.
func isSDK(dir string) bool {
	fi, err := os.Stat(filepath.Join(dir, "dotnet"))
	return err == nil && fi.Mode().IsRegular() && isDir(filepath.Join(dir, "sdk"))
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}
