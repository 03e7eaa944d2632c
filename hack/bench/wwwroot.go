package bench

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/crosshull/crosshull/hack/lab/apt"
)

// locked is what npm installs: package.json and its lock file, which has versions and hashes, and no addresses.
//
//go:embed all:wwwroot
var locked embed.FS

// assets are the files of the packages that the SDK's web template has in wwwroot/lib, by patterns.
var assets = []string{
	"bootstrap/dist/css/*",
	"bootstrap/dist/js/*",
	"jquery/dist/jquery*",
	"jquery-validation/dist/*.js",
	"jquery-validation-unobtrusive/dist/*.js",
}

// installWWWRoot gets the packages by npm, once, into a folder below cache, and gives the folder that they are in.
func installWWWRoot(ctx context.Context, cache string, progress io.Writer) (string, error) {
	files, err := fs.Sub(locked, "wwwroot")
	if err != nil {
		return "", err
	}
	lock, err := fs.ReadFile(files, "package-lock.json")
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(lock)
	dir := filepath.Join(cache, fmt.Sprintf("wwwroot-%x", key[:8]))
	modules := filepath.Join(dir, "node_modules")
	if isDir(modules) {
		return modules, nil
	}
	if _, err := exec.LookPath("npm"); errors.Is(err, exec.ErrNotFound) {
		if err := apt.Ensure(ctx, progress, "npm"); err != nil {
			return "", fmt.Errorf("npm is not on PATH: %w", err)
		}
	}
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

// copyWWWRoot copies the assets into a folder, as the web template has them.
func copyWWWRoot(modules, dir string) error {
	for _, pattern := range assets {
		files, err := filepath.Glob(filepath.Join(modules, pattern))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("no %s in %s", pattern, modules)
		}
		for _, file := range files {
			dt, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(modules, file)
			if err != nil {
				return err
			}
			if err := writeFile(dir, rel, string(dt)); err != nil {
				return err
			}
		}
	}
	return nil
}
