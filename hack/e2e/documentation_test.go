package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What comments include from a file that nothing names is in the published documentation, and an edit of it as well,
// be the library compiled with the app or apart, and even if its author turned the warning off.
func TestIncludedDocumentation(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		libraries int
		fails     string // without the file
	}{
		{"with the app", 1, "[publish] dotnet publish src/app/app.csproj"},
		{"apart", 4, "[publish] dotnet build src/L1/L1.csproj src/L2/L2.csproj src/L3/L3.csproj src/L4/L4.csproj"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			references := ""
			for i := range tc.libraries {
				name := fmt.Sprintf("L%d", i+1)
				project(t, dir, "src/"+name+"/"+name+".csproj",
					"<OutputType>Library</OutputType><GenerateDocumentationFile>true</GenerateDocumentationFile>")
				write(t, dir, "src/"+name+"/Program.cs", "#pragma warning disable CS1589\n"+
					"/// <include file='../../docs/c.xml' path='d/c/*'/>\npublic class "+name+" { }\n")
				references += `<ProjectReference Include="../` + name + "/" + name + `.csproj" />`
			}
			project(t, dir, "src/app/app.csproj", "")
			edit(t, dir, "src/app/app.csproj", "</Project>", "<ItemGroup>"+references+"</ItemGroup></Project>")
			write(t, dir, "docs/c.xml", "<d><c><summary>one</summary></c></d>")
			write(t, dir, "docs/other.xml", "<d/>")
			const spec = "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n"
			write(t, dir, "crosshull.yaml", spec)
			build := func(want string) *record {
				t.Helper()
				out := t.TempDir()
				rec := mustSolve(t, dir, attr("target", "publish"), into(out))
				dt, err := os.ReadFile(filepath.Join(out, "L1.xml"))
				if err != nil || !strings.Contains(string(dt), want) {
					t.Errorf("the documentation has no %s: %v\n%s", want, err, dt)
				}
				return rec
			}
			first := build("<summary>one</summary>")
			if len(first.failed) != 1 || !strings.HasPrefix(first.failed[0], tc.fails+":") {
				t.Errorf("it was not %s that failed: %q", tc.fails, first.failed)
			}
			wantContains(t, "warnings", strings.Join(first.warnings, "\n"), "publish: {inputs: [docs/c.xml]}")
			edit(t, dir, "docs/c.xml", "one", "two")
			build("<summary>two</summary>")

			write(t, dir, "crosshull.yaml", spec+"publish: {inputs: [docs/c.xml]}\n")
			build("<summary>two</summary>")
			edit(t, dir, "docs/c.xml", "two", "three")
			named := build("<summary>three</summary>")
			if len(named.failed)+len(named.warnings) > 0 {
				t.Errorf("with the file: %q failed, and there are warnings: %q", named.failed, named.warnings)
			}

			write(t, dir, "crosshull.yaml", spec)
			if err := os.Remove(filepath.Join(dir, "docs/c.xml")); err != nil {
				t.Fatal(err)
			}
			build(`<include file="../../docs/c.xml" path="d/c/*" />`) // as by plain publish
		})
	}
}
