package tools

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var printer = []tool{{"printer", "example.com/dep"}}

// module makes a module that requires a tool's module, and that module beside it, so that compiling takes no network
// and no minutes. The tool prints the version that was stamped into it.
func module(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module example.com/hack\n\ngo 1.24\n\nrequire example.com/dep " + version +
			"\n\nreplace example.com/dep => ./dep\n",
		// Keeps the requirement, as a tool line would.
		"keep.go":                "package hack\n\nimport _ \"example.com/dep/version\"\n",
		"dep/go.mod":             "module example.com/dep\n\ngo 1.24\n",
		"dep/version/version.go": "package version\n\nvar Version = \"none\"\n",
		"dep/cmd/printer/main.go": "package main\n\nimport \"example.com/dep/version\"\n\n" +
			"func main() { print(version.Version) }\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestEnsure(t *testing.T) {
	cache := t.TempDir()
	for _, tc := range []struct {
		name, version string
		compiles      bool
	}{
		{"first", "v1.2.3", true},
		{"again", "v1.2.3", false},
		{"another version", "v1.3.0", true},
		{"back", "v1.2.3", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			paths, err := ensure(t.Context(), module(t, tc.version), cache, printer, &out)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(out.String(), "compiling printer "+tc.version); got != tc.compiles {
				t.Errorf("compiled: %v, want %v", got, tc.compiles)
			}
			if want := filepath.Join(cache, "printer-"+tc.version, "printer"); paths["printer"] != want {
				t.Errorf("path %s, want %s", paths["printer"], want)
			}
			printed, err := exec.Command(paths["printer"]).CombinedOutput()
			if err != nil || string(printed) != tc.version {
				t.Errorf("the program prints %q, %v; want %s", printed, err, tc.version)
			}
		})
	}
}

func TestEnsureLeavesNothingOfAFailure(t *testing.T) {
	dir, cache := module(t, "v1.0.0"), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dep/cmd/printer/main.go"),
		[]byte("package main\n\nfunc main() { undefined() }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := ensure(t.Context(), dir, cache, printer, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "undefined: undefined") {
		t.Errorf("error %v, want the compiler's message", err)
	}
	left, _ := filepath.Glob(filepath.Join(cache, "printer-v1.0.0", "*"))
	hidden, _ := filepath.Glob(filepath.Join(cache, "printer-v1.0.0", ".*"))
	if len(left)+len(hidden) != 0 {
		t.Errorf("left behind: %v %v", left, hidden)
	}
}

func TestPinnedToolsHaveVersions(t *testing.T) {
	dir, err := ModuleDir(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range pinned() {
		v, err := tool.version(t.Context(), dir)
		if err != nil || !strings.HasPrefix(v, "v") {
			t.Errorf("%s: version %q, %v", tool.module, v, err)
		}
	}
}
