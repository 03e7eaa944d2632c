package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session/secrets/secretsprovider"

	"github.com/crosshull/crosshull/hack/inprocess"
	"github.com/crosshull/crosshull/hack/lab/feed"
)

// commandsApp writes a project, and what its commands read.
func commandsApp(t *testing.T, dir, spec string) {
	t.Helper()
	project(t, dir, "app/app.csproj", "")
	write(t, dir, "web/page.txt", "hello")
	write(t, dir, "README.md", "# readme")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: app\n"+spec)
}

// published builds target publish, and gives the files.
func published(t *testing.T, dir string, opts ...option) (*record, map[string]string) {
	t.Helper()
	out := t.TempDir()
	rec := mustSolve(t, dir, append([]option{attr("target", "publish"), into(out)}, opts...)...)
	return rec, tree(t, out)
}

// What commands make before publish is a source: MSBuild finds it, and it is published.
func TestOwnCommandsBefore(t *testing.T) {
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
	_, files := published(t, dir)
	if got := files["made/page.txt"]; got != "HELLO" {
		t.Errorf("the published page is %q, want HELLO", got)
	}
	if got := files["made/where.txt"]; got != "/source . .. app web \n" {
		t.Errorf("the command ran in %q", got)
	}
	write(t, dir, "README.md", "# edited")
	rec, _ := published(t, dir)
	if n := rec.count("[before] mkdir") + rec.count("[publish] dotnet") + rec.count("[describe] dotnet"); n != 0 {
		t.Errorf("an edit of the README ran %q", rec.ran)
	}
	write(t, dir, "web/page.txt", "other")
	rec, files = published(t, dir)
	if files["made/page.txt"] != "OTHER" || rec.count("[restore] dotnet") != 0 {
		t.Errorf("an edit of what a command reads gave %q, and ran %q", files["made/page.txt"], rec.ran)
	}
}

// What commands leave in $PUBLISH_DIR is published. One run serves all platforms.
func TestOwnCommandsAfter(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	commandsApp(t, dir, `publish:
  after:
    - |
      test -f app.csproj && test -f obj/project.assets.json || exit 7
      ls "$PUBLISH_DIR" > "$PUBLISH_DIR/list.txt"
      rm "$PUBLISH_DIR"/app.pdb
      mkdir "$PUBLISH_DIR/sub dir" && cp ../web/page.txt "$PUBLISH_DIR/sub dir/page.txt"
    - {run: 'cat ../web/page.txt > "$PUBLISH_DIR/narrow.txt"; ls .. >> "$PUBLISH_DIR/narrow.txt"', inputs: [web]}
`)
	edit(t, dir, "app/app.csproj", "</Project>",
		`<ItemGroup><Content Include="../web/page.txt" Link="web.txt" /></ItemGroup></Project>`)
	_, files := published(t, dir)
	want := "app.deps.json\napp.dll\napp.pdb\napp.runtimeconfig.json\nlist.txt\n"
	if files["list.txt"] != want {
		t.Errorf("the command saw %q, want %q", files["list.txt"], want)
	}
	if _, ok := files["app.pdb"]; ok || files["sub dir/page.txt"] != "hello" || files["app.dll"] == "" {
		t.Errorf("published are %q", files)
	}
	if got := files["narrow.txt"]; got != "helloapp\nweb\n" {
		t.Errorf("a command with inputs sees %q", got)
	}
	rec := mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	if n := rec.count("[after] test") + rec.count("[after] cat") + rec.count("[publish] dotnet"); n != 0 {
		t.Errorf("a command that names no platform ran again: %q", rec.ran)
	}
	_, images := index(t, repo)
	for p, img := range images {
		if got := img.appLayer(); got.Digest != images["linux/amd64"].appLayer().Digest {
			t.Errorf("the app layer of %s is not that of linux/amd64", p)
		}
	}
	write(t, dir, "README.md", "# edited")
	if rec, _ = published(t, dir); rec.count("[after] test")+rec.count("[after] cat")+rec.count("[publish] dotnet") != 0 {
		t.Errorf("an edit of the README ran %q", rec.ran)
	}
}

// A command that uses the platform runs for each, on the build platform.
func TestOwnCommandsAfterForEachPlatform(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	commandsApp(t, dir, `publish:
  after:
    - echo "$RID ${TARGETARCH} $(uname -m)" > "$PUBLISH_DIR/platform.txt"
`)
	rec := mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	if rec.count("[publish] dotnet") != 1 || rec.count("[after] echo") != 3 {
		t.Errorf("ran %q, want one publish and three commands", rec.ran)
	}
	for _, op := range rec.execs {
		if op.Platform.Architecture != "amd64" {
			t.Errorf("%v runs on %s", op.GetExec().Meta.Args, op.Platform.Architecture)
		}
	}
	_, images := index(t, repo)
	for p, want := range map[string]string{
		"linux/amd64": "linux-x64 amd64 x86_64\n", "linux/arm64": "linux-arm64 arm64 x86_64\n",
		"linux/arm/v7": "linux-arm arm x86_64\n",
	} {
		f := layerFiles(t, repo, images[p].appLayer())["app/platform.txt"]
		if f == nil || string(f.data) != want {
			t.Errorf("%s has %v, want %q", p, f, want)
		}
	}
}

// Commands have tools of an image and local tools of the repository. A local tool comes from the repository's feed.
func TestOwnCommandsTools(t *testing.T) {
	t.Parallel()
	tool := t.TempDir()
	project(t, tool, "greet/greet.csproj", "")
	write(t, tool, "greet/Program.cs",
		`System.Console.WriteLine("greetings from " + System.Environment.CurrentDirectory);`)
	write(t, tool, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
	_, built := published(t, tool)
	dir := t.TempDir()
	commandsApp(t, dir, `publish:
  before:
    - stamp > app/stamp.txt && dotnet greet >> app/stamp.txt
  after:
    - dotnet greet > "$PUBLISH_DIR/greet.txt"; stamp >> "$PUBLISH_DIR/greet.txt"
  tools:
    - {image: stamps, paths: [/opt/stamps]}
    - {image: other, paths: [/usr/local/bin/stamp]}
`)
	edit(t, dir, "app/app.csproj", "</Project>",
		`<ItemGroup><None Include="stamp.txt" CopyToPublishDirectory="Always" /></ItemGroup></Project>`)
	write(t, dir, "nuget.config", `<configuration><packageSources><clear /><add key="local" value="feed" />`+
		`</packageSources><!-- `+fresh()+` --></configuration>`)
	write(t, dir, "feed/greet.1.0.0.nupkg", feed.Tool("greet", "1.0.0",
		"tools/net10.0/any/DotnetToolSettings.xml", `<DotNetCliTool Version="1"><Commands>`+
			`<Command Name="dotnet-greet" EntryPoint="greet.dll" Runner="dotnet" /></Commands></DotNetCliTool>`,
		"tools/net10.0/any/greet.dll", built["greet.dll"],
		"tools/net10.0/any/greet.runtimeconfig.json", built["greet.runtimeconfig.json"]))
	write(t, dir, ".config/dotnet-tools.json",
		`{"version": 1, "isRoot": true, "tools": {"greet": {"version": "1.0.0", "commands": ["dotnet-greet"]}}}`)
	stamps := t.TempDir()
	write(t, stamps, "usr/local/bin/stamp", "#!/bin/sh\nexec cat /opt/stamps/text\n")
	if err := os.Chmod(filepath.Join(stamps, "usr/local/bin/stamp"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, stamps, "opt/stamps/text", "stamped\n")
	mounts := func(so *client.SolveOpt) {
		more, err := inprocess.Mounts(map[string]string{"stamps": stamps})
		if err != nil {
			t.Fatal(err)
		}
		so.LocalMounts["stamps"] = more["stamps"]
	}
	rec, files := published(t, dir, asking(mounts), attr("context:stamps", "local:stamps"),
		attr("context:other", "local:stamps"))
	if files["stamp.txt"] != "stamped\ngreetings from /source\n" ||
		files["greet.txt"] != "greetings from /source/app\nstamped\n" {
		t.Errorf("commands with tools made %q and %q", files["stamp.txt"], files["greet.txt"])
	}
	if n := rec.count("[restore] dotnet tool restore"); n != 1 {
		t.Errorf("local tools were restored %d times: %q", n, rec.ran)
	}
}

// The error of a command names its line, and has the last lines that it printed. Nothing runs twice for it.
func TestOwnCommandsFail(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, spec string
		want       []string
	}{
		{"before", "publish:\n  before:\n    - 'true'\n    - |\n      echo the cause; exit 3\n",
			[]string{"crosshull.yaml:6: [before] echo the cause; exit 3 ended with exit code 3\nthe cause"}},
		{"after", "publish:\n  after:\n    - {run: 'seq 30; exit 4'}\n",
			[]string{"crosshull.yaml:5: [after] seq 30; exit 4 ended with exit code 4\n…\n19\n", "\n30"}},
		{"secret", "publish:\n  before:\n    - run: 'true'\n      secrets: {TOKEN: npm}\n",
			[]string{`crosshull.yaml:6: secret "npm" is missing: give it to the build with --secret id=npm`}},
		{"inputs", "publish:\n  before:\n    - run: 'true'\n      inputs: [web, missing]\n",
			[]string{"crosshull.yaml:6: there is no missing in the context"}},
		{"narrow", "publish:\n  before:\n    - {run: cat README.md, inputs: [web]}\n",
			[]string{"[before] cat README.md ended with exit code 1\ncat: ", "No such file or directory"}},
		{"image", "publish:\n  before: ['true']\n  tools: [{image: 127.0.0.1:5000/missing, paths: [/bin]}]\n",
			[]string{"crosshull.yaml:5: image with tools: 127.0.0.1:5000/missing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			commandsApp(t, dir, tc.spec)
			rec, err := solve(t, dir)
			if err == nil {
				t.Fatal("the build succeeded")
			}
			wantContains(t, "error", err.Error(), tc.want...)
			if len(rec.failed) > 1 {
				t.Errorf("failed: %q", rec.failed)
			}
		})
	}
}

// Secrets, build arguments, caches and networks of a command.
func TestOwnCommandsOptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	commandsApp(t, dir, `args: {VERSION: "1; exit 9", OTHER: x}
publish:
  before:
    - run: |
        echo "$VERSION ${OTHER:-} $(printf %s "$TOKEN" | wc -c)" > app/options.txt
        ls /sys/class/net >> app/options.txt
        echo kept >> /root/kept/file && echo "kept $(wc -l < /root/kept/file) times"
      secrets: {TOKEN: token}
      network: none
      cache: {`+"e2e-"+fresh()+`: /root/kept}
`)
	edit(t, dir, "app/app.csproj", "</Project>",
		`<ItemGroup><None Include="options.txt" CopyToPublishDirectory="Always" /></ItemGroup></Project>`)
	secret := func(so *client.SolveOpt) {
		so.Session = append(so.Session, secretsprovider.FromMap(map[string][]byte{"token": []byte("s3cret")}))
	}
	rec, files := published(t, dir, asking(secret), attr("build-arg:OTHER", `a" b`))
	if got, want := files["options.txt"], "1; exit 9 a\" b 6\nlo\n"; got != want {
		t.Errorf("the command saw %q, want %q", got, want)
	}
	wantContains(t, "log", rec.log, "kept 1 times\n")
	write(t, dir, "web/page.txt", "again")
	rec, _ = published(t, dir, asking(secret), attr("build-arg:OTHER", `a" b`))
	wantContains(t, "log", rec.log, "kept 2 times\n")
}

// The example of the docs, for three platforms.
func TestOwnCommandsExample(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "commands"), repository(t)
	rec := mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	if rec.count("[after] cd") != 1 || rec.count("[publish] dotnet") != 1 {
		t.Errorf("ran %q, want one publish and one command for all platforms", rec.ran)
	}
	_, images := index(t, repo)
	for p, img := range images {
		if f := layerFiles(t, repo, img.appLayer()); f["app/SHA256SUMS"] == nil || f["app/commands.dll"] == nil {
			t.Errorf("the app layer of %s lacks files", p)
		}
	}
	write(t, dir, "README.md", "# edited")
	if rec = mustSolve(t, dir, platform(allPlatforms)); rec.count("[before] sh")+rec.count("[after] cd") != 0 {
		t.Errorf("an edit of the README ran %q", rec.ran)
	}
}

// Commands with inputs get only these of a large context, and other steps get the rest. Tests and the workspace have
// what commands made.
func TestOwnCommandsInLargeContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	commandsApp(t, dir, `publish:
  before:
    - {run: 'rm web/gone.txt; sed -i s/hello/changed/ web/page.txt; ls > web/list.txt', inputs: [web]}
tests: [unit]
`)
	write(t, dir, "web/gone.txt", "x")
	write(t, dir, "lib/text.txt", "of the context")
	for i := range 3 {
		write(t, dir, fmt.Sprintf("data/%d.bin", i), strings.Repeat(fresh(), 100_000))
	}
	edit(t, dir, "app/app.csproj", "</Project>", `<ItemGroup>
  <None Include="../web/**" LinkBase="web" CopyToPublishDirectory="Always" />
  <None Include="../lib/text.txt" CopyToPublishDirectory="Always" /></ItemGroup></Project>`)
	project(t, dir, "unit/unit.csproj", "<IsTestProject>true</IsTestProject>")
	edit(t, dir, "unit/unit.csproj", "</Project>", `<Target Name="See" BeforeTargets="CoreCompile"><Error
  Text="the tests see $([System.IO.File]::ReadAllText('../web/page.txt'))" /></Target></Project>`)
	rec, files := published(t, dir)
	want := map[string]string{"web/page.txt": "changed", "web/list.txt": "web\n", "text.txt": "of the context"}
	for name, text := range want {
		if files[name] != text {
			t.Errorf("%s is %q, want %q", name, files[name], text)
		}
	}
	if _, ok := files["web/gone.txt"]; ok {
		t.Error("a file that a command removed is published")
	}
	for _, source := range rec.sources {
		if source.Identifier == "local://context" && source.Attrs["local.includepattern"] == "" &&
			source.Attrs["local.followpaths"] == "" && source.Attrs["local.metadatatransfer"] == "" {
			t.Errorf("the whole context was sent: %v", source.Attrs)
		}
	}
	write(t, dir, "lib/text.txt", "edited")
	rec, files = published(t, dir)
	if files["text.txt"] != "edited" || rec.count("[before] rm") != 0 {
		t.Errorf("an edit of what no command reads gave %q, and ran %q", files["text.txt"], rec.ran)
	}
	out := t.TempDir()
	rec = mustSolve(t, dir, attr("target", "sdk"), into(out))
	dt, err := os.ReadFile(filepath.Join(out, "source/web/page.txt"))
	if err != nil || string(dt) != "changed" {
		t.Errorf("the workspace has %q, %v", dt, err)
	}
	if rec.count("[before]") != 0 {
		t.Errorf("the workspace ran %q", rec.ran)
	}
	if _, err = solve(t, dir, attr("target", "test")); err == nil {
		t.Fatal("the tests did not run")
	}
	wantContains(t, "error", err.Error(), "the tests see changed")
}

// An asset that a command makes before publish is one as any other. After publish, the list of assets is made, and
// commands must not make it untrue.
func TestOwnCommandsAndAssets(t *testing.T) {
	t.Parallel()
	dir := shared(t, "aspnetapp")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\npublish:\n  before:\n"+
		"    - {run: 'yes body{} | head -n 99 > aspnetapp/wwwroot/css/made.css', inputs: [aspnetapp/wwwroot]}\n")
	_, files := published(t, dir)
	for _, name := range []string{"wwwroot/css/made.css", "wwwroot/css/made.css.gz", "wwwroot/css/made.css.br"} {
		if files[name] == "" {
			t.Errorf("%s is not published", name)
		}
	}
	wantContains(t, "list of assets", files["aspnetapp.staticwebassets.endpoints.json"], "css/made.")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\npublish:\n  after:\n"+
		"    - echo x > \"$PUBLISH_DIR/wwwroot/more.txt\"\n    - rm \"$PUBLISH_DIR/wwwroot/css/site.css\"\n")
	_, err := solve(t, dir)
	if err == nil {
		t.Fatal("a command removed an asset, and the build succeeded")
	}
	wantContains(t, "error", err.Error(), "crosshull.yaml:3: [after] sort files into layers ended with exit code 1\n"+
		"publish.after changes wwwroot/css/site.css, but aspnetapp.staticwebassets.endpoints.json has its size and its hash")
}
