package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// One describe, one restore and one publish make images for three platforms, all on the build platform.
func TestOneBuildForThreePlatforms(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "aspnetapp"), repository(t)
	rec := mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	for _, phase := range []string{"[describe] dotnet", "[restore] dotnet", "[publish] dotnet"} {
		if n := rec.count(phase); n != 1 {
			t.Errorf("%s ran %d times, want once: %q", phase, n, rec.ran)
		}
	}
	if len(rec.execs) != 4 { // the program that asks MSBuild is compiled first
		t.Errorf("%d execs in all, want 4", len(rec.execs))
	}
	for _, op := range rec.execs {
		if op.Platform.Architecture != "amd64" { // of the lab's machine
			t.Errorf("%v runs on %s", op.GetExec().Meta.Args, op.Platform.Architecture)
		}
	}

	_, images := index(t, repo)
	if len(images) != 3 {
		t.Fatalf("%d images, want 3", len(images))
	}
	want := images["linux/amd64"].appLayer()
	for p, img := range images {
		if got := img.appLayer(); got.Digest != want.Digest {
			t.Errorf("the app layer of %s is %s, that of linux/amd64 %s", p, got.Digest, want.Digest)
		}
	}

	again := mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	for _, phase := range []string{"describe", "restore", "publish"} {
		if again.count("["+phase+"] dotnet")+again.count("["+phase+"] copy") != 0 {
			t.Errorf("an unchanged build ran %q", again.ran)
		}
	}
	_, unchanged := index(t, repo)
	for p, img := range images {
		if got := unchanged[p].Descriptor.Digest; got != img.Descriptor.Digest {
			t.Errorf("an unchanged build gave another image for %s: %s, was %s", p, got, img.Descriptor.Digest)
		}
	}

	edit(t, dir, "aspnetapp/Program.cs", "var ", "// edited\nvar ")
	edited := mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	if edited.count("[restore] dotnet")+edited.count("[describe] dotnet") != 0 || edited.count("[publish] dotnet") != 1 {
		t.Errorf("an edit of a source ran %q, want one publish and nothing else of .NET", edited.ran)
	}

	edit(t, dir, "aspnetapp/aspnetapp.csproj", "</Project>", "<!-- edited --></Project>")
	project := mustSolve(t, dir, platform(allPlatforms))
	if project.count("[restore] dotnet") != 1 {
		t.Errorf("an edit of the project ran %q, want a restore", project.ran)
	}
}

// Libraries beside the app are found; tests and other apps of the repository are not restored.
func TestClosure(t *testing.T) {
	t.Parallel()
	dir := example(t, "complexapp")
	project(t, dir, "src/other/other.csproj", "")
	rec := mustSolve(t, dir, platform("linux/arm64"))
	restores := 0
	for _, op := range rec.execs {
		args := op.GetExec().Meta.Args
		if !slices.Contains(args, "restore") {
			continue
		}
		restores++
		if !slices.Contains(args, "/source/src/complexapp/complexapp.csproj") {
			t.Errorf("restore is not of the app: %s", args)
		}
	}
	if restores == 0 {
		t.Error("nothing is restored")
	}
	wantContains(t, "log", rec.log, "libfoo ->", "libbar ->", "complexapp ->")
	if strings.Contains(rec.log, "tests") {
		t.Errorf("the tests are part of the build:\n%s", rec.log)
	}
	edit(t, dir, "src/other/other.csproj", "</Project>", "<!-- edited --></Project>")
	other := mustSolve(t, dir, platform("linux/arm64"))
	if other.count("[restore] dotnet") != 0 {
		t.Errorf("an edit of a project that the app does not use ran %q", other.ran)
	}
}

// A folder, a solution and a path with a space each name the project; a .dockerignore is obeyed.
func TestProjectPaths(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, spec string }{
		{"file", "project: my app/söme.csproj\n"},
		{"folder", "project: my app\n"},
		{"solution", "project: all.sln\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			project(t, dir, "my app/söme.csproj", "")
			project(t, dir, "other/other.csproj", "")
			write(t, dir, "all.sln",
				"Microsoft Visual Studio Solution File, Format Version 12.00\n"+
					"Project(\"{9A19103F-16F7-4668-BE54-9A1E7A4F7556}\") = \"söme\", \"my app\\söme.csproj\", \"{1}\"\nEndProject\n")
			write(t, dir, "my app/broken.cs", "this is no C#")
			write(t, dir, ".dockerignore", "**/broken.cs\n")
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+tc.spec)
			rec := mustSolve(t, dir)
			wantContains(t, "log", rec.log, filepath.Join("bin", "Release", "net10.0", "söme.dll"))
		})
	}
}

// What differs between platforms by ${TARGETARCH} and its like is right for each, and the rest is done once for all.
func TestArgumentsOfPlatforms(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "dotnetapp"), repository(t)
	for _, arch := range []string{"amd64", "arm64"} {
		write(t, dir, "conf/"+arch+".conf", arch+fresh()+"\n")
	}
	write(t, dir, "crosshull.yaml", `# syntax=ghcr.io/crosshull/crosshull:1
args:
  TARGETARCH:
  TARGETPLATFORM:
  BUILDARCH:
image:
  env: {ON: "${TARGETARCH} by ${BUILDARCH}"}
  labels: {com.example.platform: "${TARGETPLATFORM}"}
files:
  - {from: "conf/${TARGETARCH}.conf", to: "/etc/hello/${TARGETARCH}.conf"}
`)
	rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
	for step, want := range map[string]int{
		"[describe] dotnet": 1, "[restore] dotnet": 1, "[publish] dotnet": 1,
		"[image linux/amd64] copy files": 1, "[image linux/arm64] copy files": 1, // /etc is a folder of the base
	} {
		if n := rec.count(step); n != want {
			t.Errorf("%s ran %d times, want %d: %q", step, n, want, rec.ran)
		}
	}
	_, images := index(t, repo)
	for _, arch := range []string{"amd64", "arm64"} {
		config := images["linux/"+arch].Config.Config
		if want := "ON=" + arch + " by amd64"; !slices.Contains(config.Env, want) {
			t.Errorf("the variables for %s are %q, want %q", arch, config.Env, want)
		}
		if got := config.Labels["com.example.platform"]; got != "linux/"+arch {
			t.Errorf("the label for %s is %q", arch, got)
		}
	}
}
