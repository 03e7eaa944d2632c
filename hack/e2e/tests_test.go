package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// results reads the results of a test project in a folder that a build exported.
func results(t *testing.T, dir, name string) *dotnet.Results {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join(dir, name, name+".trx"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := dotnet.ParseResults(dt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The spec chooses tests, and gives them settings and arguments. An edit of the settings runs the tests again, and
// compiles no app.
func TestChosenTests(t *testing.T) {
	t.Parallel()
	dir, out := example(t, "tests"), t.TempDir()
	mustSolve(t, dir, attr("target", "test"), into(out))
	if r := results(t, out, "tide.tests"); r.Total != 4 || r.Passed != 4 {
		t.Errorf("results %+v", r)
	}
	mustSolve(t, dir, platform(allPlatforms))

	edit(t, dir, "tests/ci.runsettings", "<RunSettings>", "<RunSettings><!-- another -->")
	rec := mustSolve(t, dir, platform(allPlatforms))
	if n := rec.count("[test] dotnet test"); n != 1 {
		t.Errorf("after an edit of the settings, %d tests ran", n)
	}
	if n := rec.count("[publish] dotnet publish"); n != 0 {
		t.Errorf("after an edit of the settings, %d publishes ran", n)
	}

	edit(t, dir, "tests/ci.runsettings", "north", "south")
	_, err := solve(t, dir)
	if err == nil || !strings.Contains(err.Error(), "KnowsItsHarbour") {
		t.Errorf("with other settings: %v", err)
	}

	edit(t, dir, "crosshull.yaml", "Category!=Slow", "FullyQualifiedName~Nothing")
	_, err = solve(t, dir)
	if err == nil || !strings.Contains(err.Error(), "crosshull.yaml:5: the filter matches no test") {
		t.Errorf("a filter for nothing: %v", err)
	}

	edit(t, dir, "crosshull.yaml", "tests/ci.runsettings", "tests/other.runsettings")
	_, err = solve(t, dir)
	if err == nil || !strings.Contains(err.Error(), "crosshull.yaml:6: there is no tests/other.runsettings") {
		t.Errorf("settings that are not there: %v", err)
	}
}

// With Microsoft.Testing.Platform, the test project itself gets what the spec says, and nothing that it would not know.
// The project here only prints its arguments. Of its frameworks, the newest runs: the SDK has no runtime for the other.
func TestTestingPlatform(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "app/app.csproj", "")
	write(t, dir, "global.json", `{"test": {"runner": "Microsoft.Testing.Platform"}}`)
	write(t, dir, "tests/unit/unit.csproj", `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>
<TargetFrameworks>net9.0;net10.0</TargetFrameworks><OutputType>Exe</OutputType><IsTestProject>true</IsTestProject>
<IsTestingPlatformApplication>true</IsTestingPlatformApplication><UseAppHost>false</UseAppHost>
</PropertyGroup><!-- `+fresh()+` --></Project>`)
	write(t, dir, "tests/unit/Program.cs", `System.Console.WriteLine("got " + string.Join("|", args)); return 3;`)
	write(t, dir, "tests/a b.runsettings", "<RunSettings />")
	write(t, dir, "crosshull.yaml", `# syntax=ghcr.io/crosshull/crosshull:1
project: app
tests:
  projects: [tests/unit]
  filter: Name~"50%"
  settings: tests/a b.runsettings
  args: [--report-trx]
`)
	rec, err := solve(t, dir, attr("target", "test"))
	if err == nil {
		t.Error("a project that runs no test is a success")
	}
	wantContains(t, "log", rec.log, `got --results-directory|/app/unit|--filter|Name~"50%"|`+
		`--settings|/source/tests/a b.runsettings|--report-trx|--server`)
}
