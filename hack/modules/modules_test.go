// Package modules holds the modules that the frontend is made of to what a user may expect of them.
package modules

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

var root = filepath.Join("..", "..")

// permissive are licenses, by SPDX identifier, that let everybody ship the frontend with their texts.
var permissive = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// Each module that is in the frontend has a permissive license, whatever else is in go.mod.
func TestLicenses(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/crosshull-frontend")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]string{} // of modules
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct{ Module *struct{ Path, Dir string } }
		if err := decoder.Decode(&pkg); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if pkg.Module != nil {
			folders[pkg.Module.Path] = pkg.Module.Dir
		}
	}
	if len(folders) < 20 {
		t.Fatalf("the frontend has %d modules, so this test does not find them", len(folders))
	}
	for module, dir := range folders {
		if err := license(dir); err != nil {
			t.Errorf("%s: %v", module, err)
		}
	}
}

// license gives an error if a folder has no license, or one that is not permissive.
func license(dir string) error {
	for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING"} {
		dt, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		found := licensecheck.Scan(dt)
		for _, m := range found.Match {
			if !slices.Contains(permissive, m.ID) {
				return fmt.Errorf("%s is %s, want one of %s", name, m.ID, strings.Join(permissive, ", "))
			}
		}
		if len(found.Match) == 0 {
			return fmt.Errorf("%s is no license that is known", name)
		}
		return nil
	}
	return fmt.Errorf("%s has no license", dir)
}

// Each module that go.mod of the product asks for has a reason beside it.
func TestReasons(t *testing.T) {
	dt, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	required := regexp.MustCompile(`(?m)^\t(\S+) v\S+(.*)$`).FindAllStringSubmatch(string(dt), -1)
	if len(required) < 20 {
		t.Fatalf("go.mod requires %d modules, so this test does not find them", len(required))
	}
	for _, m := range required {
		if len(strings.TrimPrefix(strings.TrimSpace(m[2]), "// ")) < len("indirect") {
			t.Errorf("%s: write behind it what it is for", m[1])
		}
	}
}
