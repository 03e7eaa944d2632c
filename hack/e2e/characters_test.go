package e2e

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hostile are values that mean something to MSBuild, to its command line, or to XML.
var hostile = []string{
	`a";X="b`, `a";X=b`, `a;X=b`, `a,X=b`, `a;"b`, `"`, `""`, `"q"`, `a"b`, `a\"b`, `a\\"b`, `a\`, `a\\`, `a;b\`, `C:\x\y`,
	"a;b", "a,b", ";a", "a;", ";", ",", "a ; b", "%", "100%", "%41", "%3B", "%3b", "%25", "%2541", "%0A", "%(Identity)",
	"$(X)", "a$(Configuration)b", "$([System.IO.File]::ReadAllText('/etc/passwd'))", "$(registry:HKEY@V)", "@(Compile)",
	"@(Compile->'%(Identity)')", "@file", "*", "**/*.cs", "?.cs", "a=b", "=", "-p:X=1", "/p:X=1", "#x", "!x", "it's",
	"`x`", "{x}",
	"a&b<c>", "<![CDATA[x]]>", "&quot;", "a\nb", "a\r\nb", " a ", "\ta\t", "a\u2028b", "é☃", strings.Repeat("x", 5000),
}

// condition is a comparison of a property that holds where it has a value. All of that is written as MSBuild's %XX, so
// as to mean nothing.
func condition(property, value string) string {
	var b strings.Builder
	for _, r := range value {
		if r < 0x80 {
			fmt.Fprintf(&b, "%%%02X", r)
		} else {
			b.WriteString(html.EscapeString(string(r)))
		}
	}
	return fmt.Sprintf("'$(%s)' == '%s'", property, b.String())
}

// quoted is a value as YAML.
func quoted(t *testing.T, value any) string {
	t.Helper()
	dt, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(dt)
}

// arrived is a target that fails before steps of a build where properties do not have their values, or X has one.
func arrived(values map[string]string, steps string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<Project>\n  <Target Name=\"Arrived\" BeforeTargets=%q>\n", steps)
	fmt.Fprintf(&b, "    <Error Condition=\"'$(X)' != ''\" Text=\"X is set: $(X)\" />\n")
	for name, value := range values {
		fmt.Fprintf(&b, "    <Error Condition=\"!(%s)\" Text=\"%s is: $(%[2]s)\" />\n", condition(name, value), name)
	}
	b.WriteString(`    <Message Importance="high" Text="all values arrived in $(MSBuildProjectName)" />` + "\n")
	b.WriteString("  </Target>\n")
	fmt.Fprintf(&b, "  <!-- %s -->\n</Project>\n", fresh())
	return b.String()
}

// Properties of the spec arrive in every step that MSBuild runs as they are: when the projects are described, restored,
// compiled apart, published and tested.
func TestValuesArrive(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "complexapp"), repository(t)
	values := map[string]string{}
	labels := "  <ItemGroup>\n"
	for i, value := range hostile {
		name := fmt.Sprintf("V%02d", i)
		values[name] = value
		labels += fmt.Sprintf("    <ContainerLabel Include=\"test.%s\" Value=\"$(%[1]s)\" />\n", name)
	}
	targets := arrived(values, "ComputeContainerConfig;Restore;CoreCompile;Publish;VSTest")
	write(t, dir, "Directory.Build.targets",
		strings.Replace(targets, "</Project>", labels+"  </ItemGroup>\n</Project>", 1))
	write(t, dir, "crosshull.yaml", fmt.Sprintf(`# syntax=ghcr.io/crosshull/crosshull:1
project: src/complexapp
publish: {properties: %s}
tests: {projects: [tests/libbar.tests], gate: true}
`, quoted(t, values)))
	rec := mustSolve(t, dir, platform("linux/amd64"), attr("multi-platform", "true"), pushTo(repo))
	for _, name := range []string{"libfoo", "libbar", "complexapp", "libbar.tests"} {
		wantContains(t, "log", rec.log, "all values arrived in "+name+"\n")
	}
	_, images := index(t, repo)
	got := images["linux/amd64"].Config.Config.Labels
	for name, value := range values {
		if got["test."+name] != value {
			t.Errorf("the label of %q is %q", value, got["test."+name])
		}
	}
}

// So do the values that the spec has keys of its own for.
func TestValuesOfKeysArrive(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`a";X="b`, "a;X=b", "a,X=b", "%3B%41", "$(X)@(Compile)*?", `it's #!\`} {
		for spec, property := range map[string]string{
			"publish: {configuration: %s}\n": "Configuration",
			"framework: %s\n":                "TargetFramework",
			"base: {family: %s}\n":           "ContainerFamily",
			"base: {image: %s}\n":            "ContainerBaseImage",
		} {
			t.Run(property+" "+value, func(t *testing.T) {
				dir := t.TempDir()
				project(t, dir, "hello.csproj", "")
				// MSBuild itself fails where the name of a configuration is that of a folder, and has ; in it. The import is
				// there so that nothing is restored ahead, for the same reason.
				write(t, dir, "Directory.Build.props", `<Project>
  <Import Project="../none.props" Condition="false" />
  <PropertyGroup>
    <OutputPath>bin/</OutputPath>
    <IntermediateOutputPath>obj/</IntermediateOutputPath>
  </PropertyGroup>
</Project>`)
				// Nor the name of an image, so the build ends with that it has arrived.
				targets := arrived(map[string]string{property: value}, "ComputeContainerConfig")
				targets = strings.Replace(targets, `<Message Importance="high"`, "<Error", 1)
				write(t, dir, "Directory.Build.targets", targets)
				text := fmt.Sprintf(spec, quoted(t, value))
				write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+text)
				_, err := solve(t, dir, platform("linux/amd64"))
				// What can be no framework, no family and no image is refused before MSBuild sees it.
				refused := property != "Configuration" && err != nil &&
					strings.Contains(err.Error(), "crosshull.yaml:2: ") && strings.Contains(err.Error(), " must be ")
				if err == nil || !refused && !strings.Contains(err.Error(), "all values arrived") {
					t.Error(err)
				}
			})
		}
	}
}

// oddFolder is a path with all characters that mean something to MSBuild, to a shell, or to BuildKit's patterns, and
// that `dotnet publish` can build in.
const oddFolder = "a b/it's/(x)/[x]/[^a]/{x}{2}/$(X)/$(Configuration)/%/100%/%(Identity)/@/@()/" +
	"a,b/a=b/!x/#/&/<x>/^/~/ lead/trail / /-x/é"

// move puts all files of a context into a folder of it.
func move(t *testing.T, dir, folder string) {
	t.Helper()
	tmp := t.TempDir()
	if err := os.CopyFS(tmp, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(tmp)); err != nil {
		t.Fatal(err)
	}
}

// Projects build in any folder that `dotnet publish` builds them in, with libraries, tests, static assets, and in a
// solution of several.
func TestCharactersInPaths(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, example, folder, project, tests, file string }{
		{"libraries and tests", "complexapp", oddFolder + "/a;b", "/complexapp.slnx", "/tests/libbar.tests",
			"app/complexapp.dll"},
		{"static assets", "aspnetapp", oddFolder, "/aspnetapp", "", "app/wwwroot/css/site.css"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, repo := example(t, tc.example), repository(t)
			move(t, dir, tc.folder)
			text := "# syntax=ghcr.io/crosshull/crosshull:1\nproject: " + quoted(t, tc.folder+tc.project) + "\n"
			if tc.tests != "" {
				text += fmt.Sprintf("tests: {projects: [%s], gate: true}\n", quoted(t, tc.folder+tc.tests))
			}
			write(t, dir, "crosshull.yaml", text)
			mustSolve(t, dir, platform("linux/amd64"), attr("multi-platform", "true"), pushTo(repo))
			_, images := index(t, repo)
			if files := appFiles(t, repo, images["linux/amd64"]); files[tc.file] == nil {
				t.Errorf("no %s", tc.file)
			}
		})
	}
	t.Run("apps of one odd name", func(t *testing.T) {
		const file = "/[1] it's $(X) %41;.csproj"
		dir, repo := t.TempDir(), repository(t)
		project(t, dir, oddFolder+"/a;b"+file, "")
		project(t, dir, oddFolder+`/a"b`+file, "")
		write(t, dir, "crosshull.yaml", fmt.Sprintf(`# syntax=ghcr.io/crosshull/crosshull:1
apps:
  one: {project: %s}
  two: {project: %s}
`, quoted(t, oddFolder+"/a;b"+file), quoted(t, oddFolder+`/a"b`)))
		for _, target := range []string{"one", "two"} {
			mustSolve(t, dir, platform("linux/amd64"), attr("multi-platform", "true"), attr("target", target), pushTo(repo))
			_, images := index(t, repo)
			want := "/app/[1] it's $(X) %41;.dll"
			if got := images["linux/amd64"].Config.Config.Entrypoint; len(got) != 2 || got[1] != want {
				t.Errorf("entrypoint %q, want %q", got, want)
			}
		}
	})
}

// Where `dotnet publish` cannot build, the error names path and character, and MSBuild is not asked.
func TestCharactersThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"a*b", "a?b", "%41", "a:b", "@(Compile)", `a\b`} {
		t.Run(folder, func(t *testing.T) {
			dir := t.TempDir()
			project(t, dir, "src/"+folder+"/hello.csproj", "")
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
			_, err := solve(t, dir, platform("linux/amd64"))
			want := fmt.Sprintf("src/%s/hello.csproj: %[1]s has ", folder)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "error MSB") {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
