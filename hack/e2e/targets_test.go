package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/run"
)

// exists tells whether a file is there.
func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

// --target test runs the tests once, on the machine that builds, and gives their results; what fails is named.
func TestTests(t *testing.T) {
	t.Parallel()
	dir, out := example(t, "complexapp"), t.TempDir()
	log := build(t, dir, "-f", "crosshull.yaml", "--platform", allPlatforms, "--target", "test",
		"--output", "type=local,dest="+out, ".")
	if n := steps(log, `\[test\] dotnet test `); n != 1 {
		t.Errorf("the tests ran %d times, want once:\n%s", n, log)
	}
	trx, err := os.ReadFile(filepath.Join(out, "libbar.tests", "libbar.tests.trx"))
	if err != nil {
		t.Fatal(err)
	}
	wantContains(t, "results", string(trx), `outcome="Passed"`)
	coverage, err := filepath.Glob(filepath.Join(out, "libbar.tests", "*", "coverage.cobertura.xml"))
	if err != nil || len(coverage) != 1 {
		t.Errorf("coverage: %v, %v", coverage, err)
	}

	// A test that fails fails the image, too, if the spec says so, and nothing is pushed.
	edit(t, dir, "tests/libbar.tests/HoldTests.cs", "[Fact]",
		"[Fact] public void Sinks() => Assert.Fail(\"water in the hold\");\n    [Fact]")
	log, err = tryBuild(t, dir, "-f", "crosshull.yaml", "--target", "test", ".")
	if err == nil {
		t.Errorf("a failing test is no failure:\n%s", log)
	}
	wantContains(t, "log", log, "Sinks", "water in the hold", "crosshull.yaml:")
	write(t, dir, "crosshull.yaml",
		"# syntax=ghcr.io/crosshull/crosshull:1\nproject: complexapp.slnx\ntests:\n  projects: [tests/libbar.tests]\n"+
			"  gate: true\n")
	repo := repository(t)
	log, err = tryBuild(t, dir, "-f", "crosshull.yaml", "-t", repo, "--push", ".")
	if err == nil || !strings.Contains(log, "water in the hold") {
		t.Errorf("an image past a failing test: %v\n%s", err, log)
	}
	if out, err := try(t, dir, "skopeo", "inspect", "--tls-verify=false", "docker://"+repo); err == nil {
		t.Errorf("something was pushed:\n%s", out)
	}
	edit(t, dir, "tests/libbar.tests/HoldTests.cs", "Assert.Fail(\"water in the hold\")", "Assert.True(true)")
	build(t, dir, "-f", "crosshull.yaml", "-t", repo, "--push", ".")
	inspect(t, repo, "amd64")
}

// Several apps of one spec are targets, and a bake file names them all. TestRecipeOfBake builds them by it.
func TestApps(t *testing.T) {
	t.Parallel()
	dir := shared(t, "apps")
	out, err := tryBuild(t, dir, "-f", "crosshull.yaml", ".")
	if err == nil {
		t.Errorf("no target was chosen, and something built:\n%s", out)
	}
	wantContains(t, "output", out,
		"crosshull.yaml:5: this spec has several apps, so --target has to name one: clock, clock-publish, clock-sbom, "+
			"clock-sdk, greeter")

	repo := repository(t)
	build(t, dir, "-f", "crosshull.yaml", "--target", "clock", "-t", repo, "--push", ".")
	res := container(t, repo)
	wantContains(t, "clock", res.Output, "the clock of the fleet")

	bake := answerOf(t, dir, "bake", "--platform", "linux/amd64,linux/arm64")
	var file struct {
		Group  map[string]struct{ Targets []string }
		Target map[string]struct{ Platforms []string }
	}
	if err := json.Unmarshal([]byte(bake), &file); err != nil {
		t.Fatalf("%v\n%s", err, bake)
	}
	if got := strings.Join(file.Group["default"].Targets, " "); got != "clock greeter" {
		t.Errorf("group: %s", got)
	}
	if got := strings.Join(file.Target["clock"].Platforms, " "); got != "linux/amd64 linux/arm64" {
		t.Errorf("platforms: %s", got)
	}
}

// What apps and tests of one spec have in common is restored once and compiled once, whichever of them is built first.
func TestSharedWork(t *testing.T) {
	t.Parallel()
	dir := example(t, "apps")
	edit(t, dir, "crosshull.yaml", "    publish:\n      mode: apphost\n", "")
	edit(t, dir, "src/fleet/Fleet.cs", "namespace Fleet;", "namespace Fleet; // "+fresh())
	clock := mustSolve(t, dir, attr("target", "clock"))
	if n := clock.count("[restore] dotnet restore src/clock/clock.csproj src/greeter/greeter.csproj"); n != 1 {
		t.Errorf("%d restores of both: %q", n, clock.ran)
	}
	if n := clock.count("[publish] dotnet build src/fleet/fleet.csproj"); n != 1 {
		t.Errorf("%d builds of the library: %q", n, clock.ran)
	}
	if n := clock.count("[describe] dotnet msbuild -t:ComputeContainerConfig src/clock src/greeter"); n != 1 {
		t.Errorf("%d descriptions of both: %q", n, clock.ran)
	}
	greeter := mustSolve(t, dir, attr("target", "greeter"))
	if n := greeter.count("[describe] dotnet"); n != 0 {
		t.Errorf("the second app was described again: %q", greeter.ran)
	}
	if greeter.count("[restore] dotnet")+greeter.count("[publish] dotnet build") != 0 ||
		greeter.count("[publish] dotnet publish") != 1 {
		t.Errorf("the second app ran %q, want its publish alone", greeter.ran)
	}
	if strings.Contains(greeter.log, "CoreCompile") || strings.Contains(greeter.log, "error") {
		t.Errorf("log:\n%s", greeter.log)
	}

	// So it is in a mode with a publish for each platform.
	edit(t, dir, "crosshull.yaml", "base:\n", "publish:\n  mode: self-contained\nbase:\n")
	repo := repository(t)
	clock = mustSolve(t, dir, attr("target", "clock"), platform("linux/amd64,linux/arm64"))
	greeter = mustSolve(t, dir, attr("target", "greeter"), platform("linux/amd64,linux/arm64"), pushTo(repo))
	for prefix, want := range map[string]int{"[describe] dotnet": 1, "[restore] dotnet": 1, "[publish] dotnet build": 1,
		"[publish] dotnet publish": 4} {
		if n := clock.count(prefix) + greeter.count(prefix); n != want {
			t.Errorf("%s ran %d times, want %d: %q, %q", prefix, n, want, clock.ran, greeter.ran)
		}
	}
	wantContains(t, "greeter", container(t, repo).Output, "the fleet")

	gated := example(t, "complexapp")
	write(t, gated, "crosshull.yaml",
		"# syntax=ghcr.io/crosshull/crosshull:1\nproject: complexapp.slnx\n"+
			"tests: {projects: [tests/libbar.tests], gate: true}\n")
	rec := mustSolve(t, gated, platform("linux/amd64,linux/arm64"))
	for prefix, want := range map[string]int{"[describe] dotnet": 1, "[restore] dotnet": 1, "[publish] dotnet build": 1,
		"[publish] dotnet publish": 1, "[test] dotnet": 1} {
		if n := rec.count(prefix); n != want {
			t.Errorf("%s ran %d times, want %d: %q", prefix, n, want, rec.ran)
		}
	}
	rec = mustSolve(t, gated, attr("target", "test"))
	for _, ran := range rec.ran {
		if strings.Contains(ran, "] dotnet") {
			t.Errorf("the tests alone ran what the image has run: %s", ran)
		}
	}
}

// The published files come out as they are, for each platform; the SDK's image has what a publish sees.
func TestOtherTargets(t *testing.T) {
	t.Parallel()
	dir, out, repo := shared(t, "sqlite"), t.TempDir(), repository(t)
	build(t, dir, "-f", "crosshull.yaml", "--target", "publish", "--platform", "linux/amd64,linux/arm64",
		"--output", "type=local,dest="+out, ".")
	for _, name := range []string{"linux_amd64/sqlite.dll", "linux_arm64/sqlite.dll",
		"linux_arm64/runtimes/linux-arm64/native/libe_sqlite3.so"} {
		if !exists(t, filepath.Join(out, name)) {
			t.Errorf("no %s", name)
		}
	}
	if exists(t, filepath.Join(out, "linux_amd64/runtimes/linux-arm64")) ||
		exists(t, filepath.Join(out, "linux_amd64/usr")) {
		t.Error("there is more than the app of the platform")
	}
	build(t, dir, "-f", "crosshull.yaml", "--target", "sdk", "-t", repo, "--push", ".")
	res := runContainer(t,
		run.Spec{Ref: repo, Args: []string{"sh", "-c", "pwd && ls && ls $NUGET_PACKAGES && dotnet --version"}})
	sdk, _ := sdkVersions(t)
	wantContains(t, "workspace", res.Output, "/source", "Program.cs", "obj", "microsoft.entityframeworkcore.sqlite", sdk)
}

// Files of the context and folders to write to are put into the image, with the modes and owners that the spec says.
func TestImageFiles(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "sqlite"), repository(t)
	write(t, dir, "deploy/start.sh", "#!/bin/sh\n")
	write(t, dir, "deploy/more/notes.txt", "notes\n")
	write(t, dir, "crosshull.yaml", `# syntax=ghcr.io/crosshull/crosshull:1
image: {volumes: [/data]}
files:
  - to: /data
  - {from: deploy/start.sh, to: /usr/local/bin/start.sh, mode: "0755"}
  - {from: deploy, to: /opt/deploy/, owner: "1000:1001"}
`)
	mustSolve(t, dir, platform("linux/amd64"), attr("multi-platform", "true"), pushTo(repo))
	_, images := index(t, repo)
	layers := images["linux/amd64"].Layers
	files := layerFiles(t, repo, layers[len(layers)-2])
	if f := files["usr/local/bin/start.sh"]; f == nil || f.Mode&0o777 != 0o755 || f.Uid != 0 {
		t.Errorf("start.sh: %+v", f)
	}
	if f := files["opt/deploy/more/notes.txt"]; f == nil || f.Mode&0o777 != 0o644 || f.Uid != 1000 || f.Gid != 1001 {
		t.Errorf("notes.txt: %+v", f)
	}
	res := container(t, repo) // writes its database to /data, as the user of the image
	wantContains(t, "output", res.Output, "Hello from SQLite")
	if cfg := images["linux/amd64"].Config.Config; cfg.User != "1654" {
		t.Errorf("user %q", cfg.User)
	}
	if owner := layerOwner(t, repo, layers[len(layers)-2].Digest.String(), "data"); owner != 1654 {
		t.Errorf("/data belongs to %d", owner)
	}
}

// What differs between platforms, and what changes seldom, lies under the layer that an edit changes.
func TestLayersOfAppHost(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	// Launchers are nothing that a lock file knows of: neither that of the app nor that of a library.
	const locked = "<RestoreLockedMode>true</RestoreLockedMode>"
	project(t, dir, "hello.csproj", locked+`<EnableDefaultCompileItems>false</EnableDefaultCompileItems></PropertyGroup>`+
		`<ItemGroup><Compile Include="Program.cs" /><ProjectReference Include="lib/lib.csproj" /></ItemGroup><PropertyGroup>`)
	write(t, dir, "packages.lock.json", `{"version": 1, "dependencies": {"net10.0": {"lib": {"type": "Project"}}}}`)
	write(t, dir, "lib/lib.csproj", `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>`+
		`<TargetFramework>net10.0</TargetFramework>`+locked+`</PropertyGroup></Project>`)
	write(t, dir, "lib/packages.lock.json", `{"version": 1, "dependencies": {"net10.0": {}}}`)
	write(t, dir, "notes.txt", "notes\n")
	write(t, dir, "crosshull.yaml",
		"# syntax=ghcr.io/crosshull/crosshull:1\npublish: {mode: apphost}\nfiles: [{from: notes.txt, to: /etc/notes.txt}]\n")
	mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
	_, images := index(t, repo)
	amd64, arm64 := images["linux/amd64"].Layers, images["linux/arm64"].Layers
	for i, want := range []struct {
		file   string
		shared bool
	}{{"app/hello.dll", true}, {"etc/notes.txt", true}, {"app/hello", false}} {
		a, b := amd64[len(amd64)-1-i], arm64[len(arm64)-1-i]
		if files := layerFiles(t, repo, a); len(files) == 0 || files[want.file] == nil {
			t.Errorf("layer %d from the last has %q, want %s", i, slices.Sorted(maps.Keys(files)), want.file)
		}
		if got := a.Digest == b.Digest; got != want.shared {
			t.Errorf("the layer of %s is shared: %v, want %v", want.file, got, want.shared)
		}
	}
}

// A C# file alone is an app.
func TestFileBasedApp(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	write(t, dir, "tools/lib/lib.csproj",
		`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>`+
			`<TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>`)
	write(t, dir, "tools/lib/Lib.cs", "public static class Lib { public static string Name => \"lib "+fresh()+"\"; }\n")
	write(t, dir, "tools/hello.cs",
		"#:package Newtonsoft.Json@13.0.4\n#:project lib\n"+
			"System.Console.WriteLine(Newtonsoft.Json.JsonConvert.SerializeObject(new { hello = Lib.Name }));\n")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: tools/hello.cs\n")
	rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
	if n := rec.count("[publish] dotnet"); n != 1 {
		t.Errorf("%d publishes: %q", n, rec.ran)
	}
	wantContains(t, "output", container(t, repo).Output, `{"hello":"lib `)
}

// A solution filter names the app of a solution with several.
func TestSolutionFilter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "src/one/one.csproj", "")
	project(t, dir, "src/two/two.csproj", "")
	write(t, dir, "all.slnx",
		`<Solution><Project Path="src/one/one.csproj" /><Project Path="src/two/two.csproj" /></Solution>`)
	write(t, dir, "filters/one.slnf", `{"solution": {"path": "..\\all.slnx", "projects": ["src\\one\\one.csproj"]}}`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: filters/one.slnf\n")
	wantContains(t, "log", mustSolve(t, dir).log, "one ->")
}
