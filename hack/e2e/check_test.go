package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/lab"
)

// No example has a warning, and neither has the frontend's own way of doing without a spec.
func TestCheckExamples(t *testing.T) {
	t.Parallel()
	specs, err := filepath.Glob(filepath.Join(root, "examples", "*", "crosshull.yaml"))
	if err != nil || len(specs) == 0 {
		t.Fatalf("%v, %d examples", err, len(specs))
	}
	for _, spec := range specs {
		t.Run(filepath.Base(filepath.Dir(spec)), func(t *testing.T) {
			t.Parallel()
			out := build(t, filepath.Dir(spec), "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "--check", ".")
			wantContains(t, "check", out, "Check complete, no warnings found.")
			dt, err := os.ReadFile(spec)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(dt), "project: none") {
				wantContains(t, "check", out, "[describe] dotnet msbuild")
			}
			for _, step := range []string{"[restore]", "[publish]"} {
				if strings.Contains(out, step) {
					t.Errorf("a check has a step %s:\n%s", step, out)
				}
			}
		})
	}
	t.Run("no spec", func(t *testing.T) {
		dir := t.TempDir()
		project(t, dir, "app/app.csproj", "")
		out := build(t, dir, "--build-arg", "BUILDKIT_SYNTAX="+lab.FrontendImage, "--check", ".")
		wantContains(t, "check", out, "Check complete, no warnings found.")
	})
}

// checked is what buildx's --call=check,format=json prints.
type checked struct {
	Warnings []struct {
		RuleName, Description, URL, Detail string
		Location                           location
	}
	Sources []struct {
		Filename, Language string
		Data               []byte
	}
	BuildError *struct {
		Message  string
		Location location
	}
}

type location struct {
	SourceIndex int
	Ranges      []struct{ Start, End struct{ Line int } }
}

// place is the file and the line of a location.
func (c *checked) place(l location) string {
	if l.SourceIndex < 0 || l.SourceIndex >= len(c.Sources) || len(l.Ranges) == 0 {
		return fmt.Sprintf("%+v", l)
	}
	return fmt.Sprintf("%s:%d", c.Sources[l.SourceIndex].Filename, l.Ranges[0].Start.Line)
}

// found lists rules and places.
func (c *checked) found() []string {
	var found []string
	for _, w := range c.Warnings {
		found = append(found, w.RuleName+" "+c.place(w.Location))
	}
	return found
}

// check asks for JSON; it fails if and only if there is something to be found.
func check(t *testing.T, dir string, args ...string) *checked {
	t.Helper()
	args = append([]string{"--progress=none", "-f", "crosshull.yaml", "--call=check,format=json"}, args...)
	out, log, err := tryApart(t, dir, append(args, ".")...)
	c := &checked{}
	if err := json.Unmarshal([]byte(out), c); err != nil {
		t.Fatalf("%v:\n%s\n%s", err, out, log)
	}
	if clean := len(c.Warnings) == 0 && c.BuildError == nil; clean != (err == nil) {
		t.Errorf("exit code %v:\n%s\n%s", err, out, log)
	}
	return c
}

// What rules find comes with its place, and what may not be read is not shown: in a check as text and as JSON, and
// after a build, where it is said once.
func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "src/app/app.csproj", "")
	edit(t, dir, "src/app/app.csproj", "</Project>",
		"  <ItemGroup>\n    <PackageReference Include=\"Newtonsoft.Json\" Version=\"13.*\" />\n  </ItemGroup>\n</Project>")
	write(t, dir, "nuget.config", `<configuration>
  <packageSourceCredentials>
    <company>
      <add key="Username" value="me" />
      <add key="ClearTextPassword" value="s3cret" />
    </company>
  </packageSourceCredentials>
</configuration>
`)
	const spec = `# syntax=ghcr.io/crosshull/crosshull:1
%sargs:
  UNUSED: 1
image:
  user: root
  env:
    API_TOKEN: hunter2
  healthcheck:
    test: [CMD, curl, localhost]
`
	write(t, dir, "crosshull.yaml", fmt.Sprintf(spec, ""))
	want := []string{
		"UnusedArg crosshull.yaml:3", "RootUser crosshull.yaml:5", "SecretInSpec crosshull.yaml:7",
		"MissingHealthcheckTool crosshull.yaml:9",
		"FeedCredentials nuget.config:5", "UnlockedFloatingVersions src/app/app.csproj:9",
	}
	noSecrets := func(what, out string) {
		t.Helper()
		for _, secret := range []string{"hunter2", "s3cret"} {
			if strings.Contains(out, secret) {
				t.Errorf("%s has %s in it:\n%s", what, secret, out)
			}
		}
	}

	c := check(t, dir, "--platform", allPlatforms)
	if got := c.found(); !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	if w := c.Warnings[1]; w.URL != "https://github.com/crosshull/crosshull/blob/main/docs/reference/checks.md#rootuser" ||
		w.Description == "" ||
		w.Detail != "the app runs as root, though mcr.microsoft.com/dotnet/runtime:10.0 has user 1654 for it: set "+
			"image.user to 1654" {
		t.Errorf("got %+v", w)
	}
	if c.Sources[0].Language != "YAML" || c.Sources[1].Language != "XML" {
		t.Errorf("languages %s and %s", c.Sources[0].Language, c.Sources[1].Language)
	}
	for _, source := range c.Sources {
		noSecrets(source.Filename, string(source.Data))
	}

	out, err := tryBuild(t, dir, "-f", "crosshull.yaml", "--check", ".")
	if err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("got %v", err)
	}
	wantContains(t, "check", out, "6 warnings have been found!",
		"WARNING: RootUser - https://github.com/crosshull/crosshull/blob/main/docs/reference/checks.md#rootuser",
		">>>   user: root", ">>>     API_TOKEN: ***", "\nnuget.config:5: here is a password of source company:",
		`>>>       <add key="ClearTextPassword" value="***" />`)
	noSecrets("check", out)

	out = build(t, dir, "--progress=plain", "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", ".")
	wantContains(t, "build", out, "6 warnings found", " - UnusedArg: ", "(line 3)",
		" - FeedCredentials: nuget.config:5: here is a password of source company:",
		" - UnlockedFloatingVersions: src/app/app.csproj:9: Newtonsoft.Json 13.* ")
	const root = " - RootUser: the app runs as root, though mcr.microsoft.com/dotnet/runtime:10.0 has user 1654 for it: " +
		"set image.user to 1654 (line 5)\n"
	if n := strings.Count(out, root); n != 1 {
		t.Errorf("the warning is there %d times:\n%s", n, out)
	}
	noSecrets("build", out)
	out = command(t, dir, "docker", "--debug", "buildx", "build", "-f", "crosshull.yaml", ".")
	wantContains(t, "build with --debug", out, ">>>     API_TOKEN: ***",
		"More info: https://github.com/crosshull/crosshull/blob/main/docs/reference/checks.md#secretinspec")
	noSecrets("build with --debug", out)

	// The user chooses: in the spec, or over it by a build argument.
	for _, tc := range []struct {
		name, directive string
		args            []string
		warnings        int
		fails           string
	}{
		{"one", "# check=skip=RootUser\n", nil, 5, ""},
		{"all", "# check=skip=all;error=true\n", nil, 0, ""},
		{"errors", "# check=skip=UnusedArg,UnlockedFloatingVersions;error=true\n", nil, 4,
			"lint violation found for rules: FeedCredentials, MissingHealthcheckTool, RootUser, SecretInSpec"},
		{"the argument wins", "# check=skip=RootUser;error=true\n",
			[]string{"--build-arg", "BUILDKIT_DOCKERFILE_CHECK=skip=UnusedArg,SecretInSpec"}, 4, ""},
		{"errors by the argument", "", []string{"--build-arg", "BUILDKIT_DOCKERFILE_CHECK=error=true"}, 6,
			"lint violation found for rules: FeedCredentials, "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, dir, "crosshull.yaml", fmt.Sprintf(spec, tc.directive))
			if got := check(t, dir, tc.args...).found(); len(got) != tc.warnings {
				t.Errorf("%d warnings: %q", len(got), got)
			}
			out, err := tryBuild(t, dir, append(tc.args, "-f", "crosshull.yaml", ".")...)
			if (err != nil) != (tc.fails != "") {
				t.Fatalf("build: %v\n%s", err, out)
			}
			if tc.warnings > 0 {
				wantContains(t, "build", out, fmt.Sprintf("%d warnings found", tc.warnings), tc.fails)
			} else if strings.Contains(out, "warning") {
				t.Errorf("warnings:\n%s", out)
			}
			if tc.fails != "" {
				wantContains(t, "error", out, "ERROR: failed to build: failed to solve: "+tc.fails)
			}
		})
	}
}

// What only MSBuild and registries know, in the check of one project each.
func TestCheckFacts(t *testing.T) {
	t.Parallel()
	untagged := repository(t)
	command(t, ".", "skopeo", "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false",
		"docker://"+theLab.Registry()+"/dotnet/runtime:10.0", "docker://"+untagged)
	for _, tc := range []struct {
		name, path, properties string
		files                  map[string]string
		spec                   string // after the syntax line
		args                   []string
		want                   []string
		detail                 string // of the first
	}{
		{"a framework without support", "app/app.csproj", "<TargetFrameworks>net6.0;net10.0</TargetFrameworks>", nil,
			"framework: net6.0\nbase: {image: 'mcr.microsoft.com/dotnet/runtime:10.0'}\n", nil,
			[]string{"EndOfLifeFramework crosshull.yaml:2", "RuntimeMismatch crosshull.yaml:3"},
			"app/app.csproj targets net6.0, and .NET 6 has had no support since 2024-11-12: target net10.0"},
		{"a platform that the base lacks", "app/app.csproj", "", nil, "", []string{"--platform", "linux/amd64,linux/s390x"},
			[]string{"PlatformMissing crosshull.yaml:1"},
			"mcr.microsoft.com/dotnet/runtime:10.0 has no image for linux/s390x: use linux/amd64, linux/arm64, linux/arm/v7, " +
				"or another base"},
		{"a test", "tests/Unit/Unit.csproj", "<IsTestProject>true</IsTestProject>", nil, "project: tests/Unit\n", nil,
			[]string{"TestProject crosshull.yaml:2"},
			"tests/Unit/Unit.csproj is a test project, which is not published: name an app here, and this one in tests"},
		{"AOT across architectures on musl", "app/app.csproj", "", nil,
			"publish: {mode: aot}\nbase: {image: 'mcr.microsoft.com/dotnet/runtime-deps:10.0-alpine-extra'}\n" +
				"sdk: {toolchain: 'mcr.microsoft.com/dotnet/sdk:10.0-aot'}\n", []string{"--platform", "linux/arm64"},
			[]string{"AotOnMusl crosshull.yaml:2"},
			"AOT cannot link linux-musl-arm64 on linux-x64: there is no cross toolchain for musl; use a base with glibc, or a " +
				"builder of that platform"},
		{"no ICU", "app/app.csproj", "<ContainerFamily>alpine</ContainerFamily>", nil, "", nil,
			[]string{"InvariantMode app/app.csproj:5"},
			"app/app.csproj:5: mcr.microsoft.com/dotnet/runtime:10.0-alpine has no ICU, so all cultures are the same " +
				"to the app"},
		{"a lock file", "app/app.csproj", "<RestorePackagesWithLockFile>true</RestorePackagesWithLockFile>",
			map[string]string{"app/packages.lock.json": "{}"}, "", nil,
			[]string{"LockFileNotEnforced crosshull.yaml:1"}, "if app/packages.lock.json does not fit the projects"},
		{"a lock file that is enforced", "app/app.csproj", "<RestoreLockedMode>true</RestoreLockedMode>",
			map[string]string{"app/packages.lock.json": "{}"}, "", nil, nil, ""},
		{"an image of a context", "app/app.csproj", "", nil, "base: {image: base}\n",
			[]string{"--build-context", "base=docker-image://mcr.microsoft.com/dotnet/runtime:10.0"}, nil, ""},
		{"an image without a tag", "app/app.csproj", "", nil, "base: {image: " + untagged + "}\n", nil,
			[]string{"FloatingBaseTag crosshull.yaml:2"}, untagged + " has no tag, which means latest: name a version of it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sharedProject(t, dir, tc.path, tc.properties)
			if strings.Contains(tc.properties, "<TargetFrameworks>") {
				edit(t, dir, tc.path, "<TargetFramework>net10.0</TargetFramework>", "")
			}
			for name, dt := range tc.files {
				write(t, dir, name, dt)
			}
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+tc.spec)
			c := check(t, dir, tc.args...)
			if got := c.found(); !slices.Equal(got, tc.want) || c.BuildError != nil {
				t.Fatalf("got  %q, %v\nwant %q", got, c.BuildError, tc.want)
			}
			if len(c.Warnings) > 0 && !strings.HasPrefix(c.Warnings[0].Detail, tc.detail) {
				t.Errorf("got %s", c.Warnings[0].Detail)
			}
		})
	}
}

// All apps of a spec are checked, or the one that --target names.
func TestCheckApps(t *testing.T) {
	t.Parallel()
	dir := shared(t, "apps")
	edit(t, dir, "crosshull.yaml", "    publish:\n", "    image: {user: '0'}\n    publish:\n")
	for target, want := range map[string][]string{"": {"RootUser crosshull.yaml:10"},
		"greeter": {"RootUser crosshull.yaml:10"}, "greeter-publish": {"RootUser crosshull.yaml:10"}, "clock": nil} {
		if c := check(t, dir, "--target", target); !slices.Equal(c.found(), want) || c.BuildError != nil {
			t.Errorf("target %s: got %q, %v, want %q", target, c.found(), c.BuildError, want)
		}
	}
	out, err := tryBuild(t, dir, "-f", "crosshull.yaml", "--target", "web", "--check", ".")
	if err == nil || !strings.Contains(out, `target "web" does not exist`) {
		t.Errorf("%v\n%s", err, out)
	}
}

// A mistake is the answer to a check: where it is, and what else is wrong.
func TestCheckMistakes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, spec string
		project    string
		warnings   []string
		place      string
		want       []string // in the message
	}{
		{"unknown keys", "projct: a\nimage:\n  workdir: app\n", "", nil, "crosshull.yaml:2",
			[]string{`crosshull.yaml:2: unknown key "projct", did you mean "project"?`,
				`crosshull.yaml:4: image.workdir "app" must be an absolute path`}},
		{"no YAML", "image: [\n", "", nil, "crosshull.yaml:", []string{"not valid YAML"}},
		{"no such project", "args: {A: 1}\nproject: src/web\n", "", []string{"UnusedArg crosshull.yaml:2"},
			"crosshull.yaml:3", []string{"there is no src in the context", "the context has app/app.csproj"}},
		{"no such mode", "publish: {mode: native}\n", "", nil, "crosshull.yaml:2", []string{`"native" is not known`}},
		{"no such base", "base: {family: nobel}\n", "", nil, "crosshull.yaml:2",
			[]string{"base image: ", "10.0-nobel", "not found"}},
		{"no such rule option", "# check=skipp=RootUser\n", "", nil, "crosshull.yaml:2",
			[]string{`crosshull.yaml:2: # check: invalid check option "skipp"`}},
		{"no such test", "tests: [app]\n", "", nil, "crosshull.yaml:2", []string{"no test project in app"}},
		{"no project file", "", "<Project>", nil, "app/app.csproj:1", []string{"app/app.csproj", "MSB4025"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			sharedProject(t, dir, "app/app.csproj", "")
			if tc.project != "" {
				write(t, dir, "app/app.csproj", tc.project)
			}
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+tc.spec)
			c := check(t, dir)
			if c.BuildError == nil {
				t.Fatalf("no mistake: %+v", c)
			}
			if got := c.place(c.BuildError.Location); !strings.HasPrefix(got, tc.place) ||
				!slices.Equal(c.found(), tc.warnings) {
				t.Errorf("at %s with %q, want %s with %q", got, c.found(), tc.place, tc.warnings)
			}
			wantContains(t, "message", c.BuildError.Message, tc.want...)
			out, err := tryBuild(t, dir, "-f", "crosshull.yaml", "--check", ".")
			if err == nil || !strings.Contains(err.Error(), "exit status 1") {
				t.Errorf("got %v", err)
			}
			wantContains(t, "output", out, append(tc.want, ">>> ")...)
		})
	}
}

// Without its first line a spec is no spec to plain buildx; with BUILDKIT_SYNTAX it works, and the check tells.
func TestCheckSyntax(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sharedProject(t, dir, "app/app.csproj", "")
	write(t, dir, "crosshull.yaml", "# the app\n# syntax=ghcr.io/crosshull/crosshull:1\n")
	c := check(t, dir, "--build-arg", "BUILDKIT_SYNTAX="+lab.FrontendImage)
	if want := []string{"MissingSyntax crosshull.yaml:2"}; !slices.Equal(c.found(), want) {
		t.Errorf("got %q, want %q", c.found(), want)
	}
}

// A clean build has no warning, and what is found without a spec is said too.
func TestCheckInBuild(t *testing.T) {
	t.Parallel()
	dir := shared(t, "aspnetapp")
	if rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64")); len(rec.warnings) > 0 {
		t.Errorf("warnings: %q", rec.warnings)
	}
	dir = t.TempDir()
	project(t, dir, "app/app.csproj", "<ContainerUser>root</ContainerUser>")
	out := build(t, dir, "--build-arg", "BUILDKIT_SYNTAX="+lab.FrontendImage, ".")
	wantContains(t, "output", out, "2 warnings found", " - RootUser: app/app.csproj:5: the app runs as root")
}
