// Package npm installs the packages in a lock file of npm.
//
// Contract: [Install] installs a folder with package.json and package-lock.json once, from the registry in npm's own
// configuration. The lock file has versions and hashes, but no addresses. No script of a package runs. If npm is
// missing, it comes from Debian's packages, for root.
package npm

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

	"github.com/crosshull/crosshull/hack/lab/apt"
)

// ErrMissing says that there is no npm, and that this process cannot install it.
var ErrMissing = errors.New("there is no npm on PATH; install Node.js: https://nodejs.org")

// Install installs the packages of files into a folder whose name begins with prefix, unless they are there, and gives
// the folder that they are in.
func Install(ctx context.Context, files fs.FS, prefix string, progress io.Writer) (string, error) {
	if _, err := exec.LookPath("npm"); errors.Is(err, exec.ErrNotFound) {
		if !apt.Usable() {
			return "", ErrMissing
		}
		if err := apt.Ensure(ctx, progress, "npm"); err != nil {
			return "", fmt.Errorf("npm is not on PATH: %w", err)
		}
	}
	lock, err := fs.ReadFile(files, "package-lock.json")
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(lock)
	dir := fmt.Sprintf("%s-%x", prefix, key[:8])
	modules := filepath.Join(dir, "node_modules")
	if isDir(modules) {
		return modules, nil
	}
	cache := filepath.Dir(dir)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(cache, ".npm-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := os.CopyFS(tmp, files); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.Rename(tmp, dir); err != nil && !isDir(modules) { // another process may have been faster
		return "", err
	}
	return modules, nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
