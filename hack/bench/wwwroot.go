package bench

import (
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/crosshull/crosshull/hack/lab/npm"
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
	return npm.Install(ctx, files, filepath.Join(cache, "wwwroot"), progress)
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
