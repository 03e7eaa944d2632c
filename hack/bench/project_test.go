package bench

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testSources are the examples as they are, and of the packages as many files as the patterns need.
func testSources(t *testing.T) sources {
	t.Helper()
	modules := t.TempDir()
	for _, file := range []string{
		"bootstrap/dist/css/bootstrap.min.css", "bootstrap/dist/css/bootstrap.min.css.map", "bootstrap/dist/js/bootstrap.js",
		"bootstrap/scss/_alert.scss",
		"jquery/dist/jquery.js", "jquery/src/ajax.js", "jquery-validation/dist/jquery.validate.js",
		"jquery-validation/dist/localization/messages_de.js",
		"jquery-validation-unobtrusive/dist/jquery.validate.unobtrusive.js",
	} {
		if err := writeFile(modules, file, "/* "+file+" */"); err != nil {
			t.Fatal(err)
		}
	}
	return sources{examples: filepath.Join("..", "..", "examples"), wwwroot: modules}
}

// files gives the hash of everything below a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		dt, err := os.ReadFile(filepath.Join(dir, p))
		out[p] = fmt.Sprintf("%x", sha256.Sum256(dt))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// difference gives the names of files that two folders do not have alike.
func difference(a, b map[string]string) []string {
	var out []string
	for name := range a {
		if a[name] != b[name] {
			out = append(out, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			out = append(out, name)
		}
	}
	return out
}

// Every copy is the same, has its project where it should be, and every change reaches one file, each time.
func TestProjects(t *testing.T) {
	src := testSources(t)
	for _, p := range projects {
		t.Run(p.name, func(t *testing.T) {
			dir, again := t.TempDir(), t.TempDir()
			for _, d := range []string{dir, again} {
				if err := p.write(src, d); err != nil {
					t.Fatal(err)
				}
			}
			if d := difference(files(t, dir), files(t, again)); d != nil {
				t.Errorf("written twice, these differ: %q", d)
			}
			if _, err := os.Stat(filepath.Join(dir, p.file)); err != nil {
				t.Error(err)
			}
			for _, pattern := range p.restores {
				if m, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(m) == 0 {
					t.Errorf("%s matches nothing, %v", pattern, err)
				}
			}
			if err := p.stamp(dir, "nonce"); err != nil {
				t.Fatal(err)
			}
			for _, tc := range []struct {
				name  string
				line  line
				times int
			}{{"app", p.app, 3}, {"deep", p.deep, 2}, {"pack", p.pack, 1}} {
				for n := 1; tc.line.file != "" && n <= tc.times; n++ {
					before := files(t, dir)
					if err := tc.line.change(dir, n); err != nil {
						t.Errorf("%s: %v", tc.name, err)
					}
					if d := difference(before, files(t, dir)); len(d) != 1 || d[0] != tc.line.file {
						t.Errorf("change %d of %s: %q, want %s", n, tc.name, d, tc.line.file)
					}
				}
				if tc.line.file != "" {
					if err := tc.line.change(dir, 9); err == nil {
						t.Errorf("%s: the text of change 8 is not there, and that is no error", tc.name)
					}
				}
			}
		})
	}
	if _, err := findProject("other"); err == nil {
		t.Error("a project that there is not is found")
	}
}

// A stamped copy is another one, in what is compiled and in what is served.
func TestStamp(t *testing.T) {
	p, err := findProject(aspnetapp)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := p.write(testSources(t), dir); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"bootstrap/dist/css/bootstrap.min.css.map",
		"jquery-validation/dist/jquery.validate.js"} {
		if _, err := os.Stat(filepath.Join(dir, "aspnetapp/wwwroot/lib", file)); err != nil {
			t.Error(err)
		}
	}
	for _, file := range []string{"bootstrap/scss", "jquery/src", "jquery-validation/dist/localization"} {
		if _, err := os.Stat(filepath.Join(dir, "aspnetapp/wwwroot/lib", file)); err == nil {
			t.Errorf("the template has no %s", file)
		}
	}
	if err := p.stamp(dir, "first"); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	if err := p.stamp(dir, "second"); err != nil {
		t.Fatal(err)
	}
	if d := difference(before, files(t, dir)); len(d) != 2 {
		t.Errorf("another nonce changes %q", d)
	}
}

func TestLibraries(t *testing.T) {
	dir := t.TempDir()
	if err := writeLibraries(dir); err != nil {
		t.Fatal(err)
	}
	all := files(t, dir)
	sources, projects := 0, 0
	for name := range all {
		switch filepath.Ext(name) {
		case ".cs":
			sources++
		case ".csproj":
			projects++
		}
	}
	if sources != 50*20+1 || projects != 51 {
		t.Errorf("%d sources and %d projects", sources, projects)
	}
	used := map[int]bool{}
	for n := range 50 {
		refs := libraryReferences(n)
		if want := map[bool]int{true: 0, false: 3}[n < 10]; len(refs) != want {
			t.Errorf("library %d references %v", n, refs)
		}
		for _, r := range refs {
			used[r] = true
			if r/10 != n/10-1 {
				t.Errorf("library %d references %d", n, r)
			}
		}
	}
	if len(used) != 40 {
		t.Errorf("%d libraries are used by others, want all but the topmost", len(used))
	}
	dt, err := os.ReadFile(filepath.Join(dir, "src/Lib10/Type3.cs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"namespace Lib10;\n",
		"public static int Compute(int x) => x + 10 + Lib00.Type3.Compute(x) + Lib01.Type3.Compute(x) + " +
			"Lib03.Type3.Compute(x);\n",
		"values.Where(v => v % 11 == 0).Select(v => v * 10).Sum();\n",
	} {
		if !strings.Contains(string(dt), want) {
			t.Errorf("no %q in\n%s", want, dt)
		}
	}
}

// The lock file pins every package by its hash, and leaves it to npm's configuration where they come from.
func TestLockFile(t *testing.T) {
	dt, err := locked.ReadFile("wwwroot/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(dt), `"integrity": "sha512-`); n != 4 {
		t.Errorf("%d hashes, want 4", n)
	}
	if strings.Contains(string(dt), `"resolved"`) {
		t.Error("it has addresses of packages")
	}
}
