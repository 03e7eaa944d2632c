// Package tools compiles the programs that hack's go.mod pins as tools.
//
// A compiled program is kept at CACHE/NAME-VERSION/NAME, outside the repository, and is compiled again only when the
// version in go.mod changes. Programs appear there whole or not at all, so an interrupted or a concurrent run does no
// harm.
package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Module is the path of the module whose go.mod pins the tools.
const Module = "github.com/crosshull/crosshull/hack"

// A tool is a main package of a module that has its version stamped into a package of its own.
type tool struct{ name, module string }

func pinned() []tool {
	return []tool{
		{"buildkitd", "github.com/moby/buildkit"},
		{"buildctl", "github.com/moby/buildkit"},
		{"buildx", "github.com/docker/buildx"},
	}
}

// ModuleDir returns the folder of Module, which the working directory must be in or below.
func ModuleDir(ctx context.Context) (string, error) {
	dir, err := goOutput(ctx, "", "list", "-m", "-f", "{{.Dir}}", Module)
	if err != nil {
		return "", fmt.Errorf("the lab must be run from within module %s (go -C hack run ./cmd/lab): %w", Module, err)
	}
	return dir, nil
}

// Ensure compiles what is missing in cache and returns the programs' paths by name. moduleDir is where Module is.
// It says on w what it compiles, since that takes minutes.
func Ensure(ctx context.Context, moduleDir, cache string, w io.Writer) (map[string]string, error) {
	return ensure(ctx, moduleDir, cache, pinned(), w)
}

func ensure(ctx context.Context, moduleDir, cache string, tools []tool, w io.Writer) (map[string]string, error) {
	paths := map[string]string{}
	versions := map[string]string{}
	var missing []tool
	for _, t := range tools {
		if versions[t.module] == "" {
			v, err := t.version(ctx, moduleDir)
			if err != nil {
				return nil, err
			}
			versions[t.module] = v
		}
		path := filepath.Join(cache, t.name+"-"+versions[t.module], t.name)
		paths[t.name] = path
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			missing = append(missing, t)
		} else if err != nil {
			return nil, err
		}
	}
	for _, t := range missing {
		_, _ = fmt.Fprintf(w, "compiling %s %s\n", t.name, versions[t.module]) // a progress line that is lost harms nothing
		if err := compile(ctx, moduleDir, t, versions[t.module], paths[t.name]); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// Build compiles a program of Module, or of a module it requires, to out. Nothing is done when out is up to date.
func Build(ctx context.Context, moduleDir, pkg, out string, flags ...string) error {
	return goBuild(ctx, moduleDir, append(flags, "-o", out, pkg)...)
}

// BuildPinned compiles the pinned program of a name to out, with flags of go build that are not for all.
func BuildPinned(ctx context.Context, moduleDir, name, out string, flags ...string) error {
	for _, t := range pinned() {
		if t.name != name {
			continue
		}
		version, err := t.version(ctx, moduleDir)
		if err != nil {
			return err
		}
		return t.build(ctx, moduleDir, version, out, flags...)
	}
	return fmt.Errorf("no pinned program has the name %s", name)
}

func compile(ctx context.Context, moduleDir string, t tool, version, path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, ".build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	out := filepath.Join(tmp, t.name)
	if err := t.build(ctx, moduleDir, version, out); err != nil {
		return err
	}
	return os.Rename(out, path)
}

func (t tool) build(ctx context.Context, moduleDir, version, out string, flags ...string) error {
	// Making debug information and dropping it would be a fifth of the time.
	ldflags := fmt.Sprintf("-s -w -X %s/version.Version=%s", t.module, version)
	return goBuild(ctx, moduleDir, append(flags, "-gcflags=all=-dwarf=false", "-ldflags", ldflags, "-o", out,
		t.module+"/cmd/"+t.name)...)
}

func (t tool) version(ctx context.Context, moduleDir string) (string, error) {
	return goOutput(ctx, moduleDir, "list", "-m", "-f", "{{.Version}}", t.module)
}

func goBuild(ctx context.Context, dir string, args ...string) error {
	_, err := goOutput(ctx, dir, append([]string{"build"}, args...)...)
	return err
}

func goOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// The compiler collects its garbage less often: a quarter less CPU, for memory that a compilation soon gives back.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOGC=400")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(stdout.String()), nil
}
