package dotnet_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/llb/dotnet"
)

func lay(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func laid(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		if info.IsDir() {
			return nil
		}
		dt, err := os.ReadFile(p)
		files[name] = string(dt)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const elf = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"

// The script keeps a file in its layer if it is as it was. All else is the app.
func TestSort(t *testing.T) {
	published := map[string]string{
		"layers.txt": "app\npackages\nassets\nruntimes/linux-x64\nasset site.css x y\n" +
			"native p/runtimes/linux-x64/native/p.so\n",
		"runtimeconfig.json": "{}", "app/app.dll": "1", "packages/a.dll": "2", "packages/b.dll": "3",
		"packages/de/a.dll": "4", "packages/runtimes/unix/lib/u.dll": "9",
		"runtimes/linux-x64/runtimes/linux-x64/native/p.so": elf, "assets/wwwroot/site.css": "5",
		"assets/app.staticwebassets.endpoints.json": "{}", "projects/lib.dll": "6",
	}
	changed := map[string]string{
		"app.dll": "1", "a.dll": "2", "b.dll": "other", "runtimes/linux-x64/native/p.so": elf, "wwwroot/site.css": "5",
		"app.staticwebassets.endpoints.json": "{}", "lib.dll": "6", "with space/new's": "7", "tool": elf,
		"wwwroot/more.css": "8", "runtimes/unix/lib/u.dll": "9",
	}
	sort := func(t *testing.T) (map[string]string, string, error) {
		t.Helper()
		from, now, out := t.TempDir(), t.TempDir(), t.TempDir()
		lay(t, from, published)
		lay(t, now, changed)
		args := dotnet.SortArgs(from, now, dotnet.Paths{Output: out, Diagnostics: t.TempDir()})
		said, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		if empty, _ := filepath.Glob(filepath.Join(out, "app/runtimes")); err == nil && len(empty) > 0 {
			t.Errorf("folders without files stay in the app: %q", empty)
		}
		return laid(t, out), string(said), err
	}
	got, said, err := sort(t)
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	want := map[string]string{
		"layers.txt": "app\npackages\nprojects\nassets\nruntimes/linux-x64\nasset site.css x y\n" +
			"native p/runtimes/linux-x64/native/p.so\nmachine b700 tool\n",
		"runtimeconfig.json": "{}", "app/app.dll": "1", "packages/a.dll": "2", "app/b.dll": "other", "projects/lib.dll": "6",
		"runtimes/linux-x64/runtimes/linux-x64/native/p.so": elf, "assets/wwwroot/site.css": "5",
		"assets/app.staticwebassets.endpoints.json": "{}", "app/with space/new's": "7", "app/tool": elf,
		"app/wwwroot/more.css": "8", "packages/runtimes/unix/lib/u.dll": "9",
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s is %q, want %q", name, got[name], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d files, want %d: %q", len(got), len(want), got)
	}
	report, err := dotnet.ParseReport([]byte(got["layers.txt"]))
	if err != nil || !slices.Equal(report.Made, []dotnet.Machine{{Architecture: "arm64", Path: "tool"}}) {
		t.Errorf("the report is %+v, %v", report, err)
	}
	if wrong := dotnet.WrongMachines(report.Made, "linux-musl-x64"); !slices.Equal(wrong,
		[]string{"tool is for arm64, but the image is for x64"}) {
		t.Errorf("wrong are %q", wrong)
	}
	if wrong := dotnet.WrongMachines(report.Made, "linux-arm64"); len(wrong) > 0 {
		t.Errorf("wrong are %q", wrong)
	}
	changed["wwwroot/site.css"] = "edited"
	if _, said, err = sort(t); err == nil || !strings.Contains(said, "changes wwwroot/site.css, but app.staticwebassets") {
		t.Errorf("a changed asset gives %v: %s", err, said)
	}
}

func TestToolManifest(t *testing.T) {
	names := func(paths ...string) (all []dotnet.Name) {
		for _, p := range paths {
			all = append(all, dotnet.Name{Path: p})
		}
		return all
	}
	for _, tc := range []struct {
		name, folder string
		names        []dotnet.Name
		want, dir    string
	}{
		{"none", ".", names("app/app.csproj"), "", ""},
		{"of the root", "src/app", names(".config/dotnet-tools.json"), ".config/dotnet-tools.json", "."},
		{"the nearest", "src/app", names(".config/dotnet-tools.json", "src/dotnet-tools.json"),
			"src/dotnet-tools.json", "src"},
		{"of another folder", ".", names("src/.config/dotnet-tools.json"), "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := dotnet.ToolManifest(tc.names, tc.folder)
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if got != "" && dotnet.ToolFolder(got) != tc.dir {
				t.Errorf("it is for %s, want %s", dotnet.ToolFolder(got), tc.dir)
			}
		})
	}
}
