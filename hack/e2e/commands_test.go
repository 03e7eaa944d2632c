package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// commands writes a project with commands before and after publish.
func commandsApp(t *testing.T, dir, spec string) {
	t.Helper()
	project(t, dir, "app/app.csproj", "")
	write(t, dir, "web/page.txt", "hello")
	write(t, dir, "README.md", "# readme")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: app\n"+spec)
}

func published(t *testing.T, dir string, opts ...option) (*record, map[string]string) {
	t.Helper()
	out := t.TempDir()
	rec := mustSolve(t, dir, append([]option{attr("target", "publish"), into(out)}, opts...)...)
	files := map[string]string{}
	err := filepath.Walk(out, func(p string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			dt, readErr := os.ReadFile(p)
			if readErr != nil {
				return readErr
			}
			files[strings.TrimPrefix(p, out+"/")] = string(dt)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rec, files
}

// What commands make before publish is a source: MSBuild finds it, and it is published.
func TestCommandsBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	commandsApp(t, dir, `publish:
  before:
    - mkdir -p app/made && tr a-z A-Z < web/page.txt > app/made/page.txt
    - |
      echo 'static class Made { public const string Text = "made"; }' > app/Made.cs
      echo "$PWD $(ls -a | tr '\n' ' ')" > app/made/where.txt
`)
	edit(t, dir, "app/app.csproj", "</Project>",
		`<ItemGroup><None Include="made/**" CopyToPublishDirectory="Always" /></ItemGroup></Project>`)
	rec, files := published(t, dir)
	t.Logf("%q", rec.ran)
	for name := range files {
		t.Log(name)
	}
	if got := files["made/page.txt"]; got != "HELLO" {
		t.Errorf("the published page is %q, want HELLO", got)
	}
	if got := files["made/where.txt"]; got != "/source . .. app web \n" {
		t.Errorf("the command ran in %q", got)
	}
	write(t, dir, "README.md", "# edited")
	rec, _ = published(t, dir)
	if n := rec.count("[before] mkdir") + rec.count("[publish] dotnet") + rec.count("[describe] dotnet"); n != 0 {
		t.Errorf("an edit of the README ran %q", rec.ran)
	}
	t.Logf("readme: %q", rec.ran)
	write(t, dir, "web/page.txt", "other")
	rec, files = published(t, dir)
	if files["made/page.txt"] != "OTHER" || rec.count("[restore] dotnet") != 0 {
		t.Errorf("an edit of what a command reads gave %q, and ran %q", files["made/page.txt"], rec.ran)
	}
}
