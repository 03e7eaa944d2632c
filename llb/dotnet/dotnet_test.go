package dotnet

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/patternmatcher"
)

func TestRID(t *testing.T) {
	for _, tc := range []struct{ platform, want, err string }{
		{"linux/amd64", "linux-x64", ""},
		{"linux/amd64/v2", "linux-x64", ""},
		{"linux/arm64", "linux-arm64", ""},
		{"linux/arm64/v8", "linux-arm64", ""},
		{"linux/aarch64", "linux-arm64", ""},
		{"linux/arm", "linux-arm", ""},
		{"linux/arm/v7", "linux-arm", ""},
		{"linux/s390x", "linux-s390x", ""},
		{"linux/arm/v6", "", "crosshull cannot build for platform linux/arm/v6: use linux/amd64, linux/arm64, linux/arm/v7"},
		{"linux/386", "", "crosshull cannot build for platform linux/386"},
		{"windows/amd64", "", "crosshull cannot build for platform windows/amd64"},
		{"linux/arm32", "", "platform linux/arm32 does not exist: write linux/arm/v7"},
		{"linux/arm64v8", "", "platform linux/arm64v8 does not exist: write linux/arm64"},
	} {
		got, err := RID(platforms.MustParse(tc.platform), Glibc)
		var perr *PlatformError
		switch {
		case tc.err == "" && (err != nil || got != tc.want):
			t.Errorf("%s: got %q, %v, want %q", tc.platform, got, err, tc.want)
		case tc.err != "" && (!errors.As(err, &perr) || !strings.HasPrefix(err.Error(), tc.err)):
			t.Errorf("%s: got error %v, want %s", tc.platform, err, tc.err)
		}
	}
}

func TestCommandResolve(t *testing.T) {
	app := []string{"dotnet", "/app/a.dll"}
	for _, tc := range []struct {
		name       string
		base       []string
		command    Command
		entrypoint string
		cmd        string
		err        string
	}{
		{"app", nil, Command{AppCommand: app}, "dotnet /app/a.dll", "", ""},
		{"app over base", []string{"/init"}, Command{AppCommand: app}, "dotnet /app/a.dll", "", ""},
		{"arguments", nil, Command{AppCommand: app, AppCommandArgs: []string{"--x"}, DefaultArgs: []string{"--y"}},
			"dotnet /app/a.dll --x", "--y", ""},
		{"own entrypoint", nil, Command{AppCommand: app, Entrypoint: []string{"/init"}, EntrypointArgs: []string{"-a"}},
			"/init -a", "dotnet /app/a.dll", ""},
		{"own entrypoint and defaults", nil,
			Command{AppCommand: app, Entrypoint: []string{"/init"}, DefaultArgs: []string{"--y"}}, "/init",
			"dotnet /app/a.dll --y", ""},
		{"entrypoint arguments alone, as in SDK 7", nil, Command{AppCommand: app, EntrypointArgs: []string{"--x"}},
			"dotnet /app/a.dll", "--x", ""},
		{"default args on the base's entrypoint", []string{"/init"}, Command{Instruction: "DefaultArgs", AppCommand: app},
			"/init", "dotnet /app/a.dll", ""},
		{"default args, base starts dotnet", []string{"/usr/bin/dotnet"},
			Command{Instruction: "DefaultArgs", AppCommand: app}, "", "dotnet /app/a.dll", ""},
		{"none", []string{"/init"}, Command{Instruction: "None", AppCommand: app, DefaultArgs: []string{"x"}}, "/init",
			"x", ""},
		{"none with own entrypoint", nil, Command{Instruction: "None", AppCommand: app, Entrypoint: []string{"/e"}}, "/e",
			"", ""},
		{"none and arguments", nil, Command{Instruction: "None", AppCommand: app, AppCommandArgs: []string{"x"}}, "", "",
			"ContainerAppCommandArgs, which exclude each other"},
		{"two entrypoints", nil, Command{Instruction: "Entrypoint", AppCommand: app, Entrypoint: []string{"/e"}}, "", "",
			"ContainerAppCommandInstruction=Entrypoint, which exclude each other"},
		{"arguments of nothing", nil, Command{Instruction: "None", EntrypointArgs: []string{"x"}}, "", "",
			"without ContainerEntrypoint: set both, or image.entrypoint in the spec"},
		{"unknown", nil, Command{Instruction: "Run"}, "", "", "ContainerAppCommandInstruction Run is not known"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			entrypoint, cmd, err := tc.command.Resolve(tc.base)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(entrypoint, " "); got != tc.entrypoint {
				t.Errorf("entrypoint: got %q, want %q", got, tc.entrypoint)
			}
			if got := strings.Join(cmd, " "); got != tc.cmd {
				t.Errorf("cmd: got %q, want %q", got, tc.cmd)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	nodes := []Node{{Path: "src/a [1]/a.csproj"}, {Path: "lib/lib.fsproj"}}
	cases := []struct {
		file              string
		describe, restore bool
	}{
		{"src/a [1]/a.csproj", true, true},
		{"lib/lib.fsproj", true, true},
		{"other/other.vbproj", true, false},
		{"Directory.Build.props", true, true},
		{"src/Directory.Packages.props", true, true},
		{"lib/Directory.Build.targets", true, true},
		{"src/custom.targets", true, false},
		{"src/a [1]/build/custom.targets", true, true},
		{"NuGet.Config", true, true},
		{"src/nuget.config", true, true},
		{"global.json", true, true},
		{"src/a [1]/packages.lock.json", false, true},
		{".config/dotnet-tools.json", false, true},
		{"all.slnx", true, false},
		{"other/Directory.Build.props", true, false},
		{"other/nuget.config", true, false},
		{"src/a [1]/Program.cs", false, false},
		{"src/a [1]/appsettings.json", false, false},
		{"wwwroot/site.css", false, false},
		{"src/.config/dotnet-tools.json", false, true},
		{"src/a [1]/msbuild.rsp", true, true},
		{"lib/web.packages.lock.json", false, true},
		{"lib/packages.lib.lock.json", false, true},
		{"src/web.packages.lock.json", false, false},
		{"src/package.json", false, false},
	}
	var settings Settings
	for _, tc := range cases {
		settings.Add(tc.file)
	}
	for _, tc := range cases {
		for what, c := range map[string]struct {
			patterns []string
			want     bool
		}{"describe": {ProjectFiles(), tc.describe}, "restore": {RestoreFiles(nodes, settings), tc.restore}} {
			m, err := patternmatcher.New(c.patterns)
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.MatchesOrParentMatches(tc.file)
			if err != nil || got != c.want {
				t.Errorf("%s of %s: got %v, %v, want %v", what, tc.file, got, err, c.want)
			}
		}
	}
	m, err := patternmatcher.New(Outputs(nodes))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{
		"src/a [1]/obj/project.assets.json": true,
		"src/a [1]/bin/Release/a.dll":       true,
		"src/a [1]/bin/tool.dll":            true,
		"lib/obj/x":                         true,
		"bin/tool.sh":                       false, // a folder with that name, but not beside a project, is the user's
		"src/a [1]/objects/x":               false,
		"lib/lib.fsproj.user":               true,
	} {
		if got, err := m.MatchesOrParentMatches(file); err != nil || got != want {
			t.Errorf("output %s: got %v, %v, want %v", file, got, err, want)
		}
	}
}

// If bin has files of the author, only the folders of configurations are outputs.
func TestOutputsBesideFiles(t *testing.T) {
	got := Outputs([]Node{{Path: "a/a.csproj", ownBin: true}, {Path: "b/b.csproj"}})
	want := []string{"a/a.csproj.user", "a/bin/Debug", "a/bin/Release", "a/obj", "b/b.csproj.user", "b/bin", "b/obj"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Restore and publish must see the same properties. Otherwise publish does not find what restore made.
func TestRestoreAndPublishAgree(t *testing.T) {
	p := Project{Configuration: "Release", Properties: map[string]string{"X": "1", "L": "a;b"}}
	at := Paths{Source: "/source", Output: "/app", MSBuild: "/crosshull"}
	for _, names := range [][]string{nil, {"apphost"}, {"self-contained", "single-file"}, {"ready-to-run"}, {"trimmed"},
		{"aot"}} {
		mode, err := ParseMode(names)
		if err != nil {
			t.Fatal(err)
		}
		app := &App{Path: "a.csproj", TargetFramework: "net10.0", CrossTargeting: true, Mode: mode}
		var rids []string
		var rid string
		if mode.PerPlatform() {
			rids, rid = []string{"linux-arm64", "linux-x64"}, "linux-x64"
		}
		restore, publish := RestoreArgs(p, []*App{app}, rids, at), PublishArgs(p, app, rid, "linux-x64",
			CompressInPublish, at)
		for _, a := range restore {
			if strings.HasPrefix(a, "-p:") && !strings.HasPrefix(a, "-p:RuntimeIdentifiers=") && !slices.Contains(publish, a) {
				t.Errorf("%s: restore has %s, publish has not: %v", mode, a, publish)
			}
		}
		if !slices.Contains(publish, `-p:L="a;b"`) {
			t.Errorf("a list is not quoted: %v", publish)
		}
		if !slices.Contains(publish, "-p:TargetFramework=net10.0") || slices.Contains(restore, "-p:TargetFramework=net10.0") {
			t.Errorf("the framework is publish's: %v\n%v", publish, restore)
		}
		if mode.PerPlatform() && !slices.Contains(restore, `-p:RuntimeIdentifiers="linux-arm64;linux-x64"`) {
			t.Errorf("%s: one restore is for all platforms: %v", mode, restore)
		}
	}
}

func TestLibcOf(t *testing.T) {
	for image, want := range map[string]Libc{
		"mcr.microsoft.com/dotnet/aspnet:10.0":                      Glibc,
		"mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra": Glibc,
		"mcr.microsoft.com/dotnet/runtime-deps:10.0-alpine":         Musl,
		"mcr.microsoft.com/dotnet/runtime-deps@sha256:" + sixtyFour: "",
		"alpine:3.22":                    Musl,
		"docker.io/library/debian:12":    Glibc,
		"registry.example.com/base:v1":   "",
		"registry.example.com/ubuntu:24": Glibc,
	} {
		if got := LibcOf(image); got != want {
			t.Errorf("%s: got %q, want %q", image, got, want)
		}
	}
}

var sixtyFour = strings.Repeat("0123456789abcdef", 4)

func TestToolchain(t *testing.T) {
	for _, tc := range []struct{ sdk, base, want, err string }{
		{SDKRepository + ":10.0", "mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled",
			SDKRepository + ":10.0-aot", ""},
		{SDKRepository + ":10.0.401-noble", "x/ubuntu", SDKRepository + ":10.0.401-noble-aot", ""},
		{SDKRepository + ":10.0-noble-aot", "", SDKRepository + ":10.0-noble-aot", ""},
		{SDKRepository + ":10.0", "mcr.microsoft.com/dotnet/runtime-deps:10.0-alpine",
			SDKRepository + ":10.0-alpine-aot", ""},
		{"registry.example.com/sdk:1", "", "", "name an image in sdk.toolchain"},
	} {
		got, err := Toolchain(tc.sdk, tc.base)
		if got != tc.want || (tc.err != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s for %s: got %q, %v, want %q, %q", tc.sdk, tc.base, got, err, tc.want, tc.err)
		}
	}
	for _, tc := range []struct{ toolchain, rid, err string }{
		{SDKRepository + ":10.0-aot", "linux-arm64", ""},
		{SDKRepository + ":10.0-aot", "linux-musl-x64", "would link linux-musl-x64 to glibc"},
		{SDKRepository + ":10.0-alpine-aot", "linux-musl-x64", ""},
		{SDKRepository + ":10.0-alpine-aot", "linux-musl-arm64", "there is no cross toolchain for musl"},
		{SDKRepository + ":10.0-alpine-aot", "linux-x64", "would link linux-x64 to musl"},
		{"registry.example.com/sdk:1", "linux-x64", ""},
	} {
		err := CheckToolchain(tc.toolchain, []string{tc.rid}, "linux-x64")
		if (tc.err != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s for %s: got %v, want %q", tc.toolchain, tc.rid, err, tc.err)
		}
	}
}

func TestRuntimeIDs(t *testing.T) {
	for rid, want := range map[string]string{
		"linux-x64":        "linux-x64 linux unix-x64 unix any base",
		"linux-musl-arm64": "linux-musl-arm64 linux-musl linux-arm64 linux unix-arm64 unix any base",
	} {
		if got := strings.Join(RuntimeIDs(rid), " "); got != want {
			t.Errorf("%s: got %s, want %s", rid, got, want)
		}
	}
}

func TestParseReport(t *testing.T) {
	parse := func(text string) *Report {
		t.Helper()
		r, err := ParseReport([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := parse("app\npackages\nruntimes/unix\nruntimes/linux-x64\n")
	if strings.Join(r.Layers, " ") != "app packages" || strings.Join(r.Runtimes, " ") != "linux-x64 unix" {
		t.Errorf("got %v", r)
	}
	if _, err := ParseReport([]byte("oddity\n")); err == nil {
		t.Error("no error for an unknown layer")
	}
	const assets = "asset wwwroot/a.css hashA PreserveNewest\nasset wwwroot/b c.js hashB PreserveNewest\n"
	if !parse("app\nassets\n" + assets).SameAssets(parse(assets)) {
		t.Error("the same assets differ")
	}
	for _, other := range []string{"", strings.ReplaceAll(assets, "hashB", "hashC"),
		assets + "asset wwwroot/made.css hashD PreserveNewest\n"} {
		if parse(assets).SameAssets(parse(other)) {
			t.Errorf("other assets are taken for the same: %s", other)
		}
	}
}

// XML takes both quotes.
func TestSingleQuotesInNuGetConfig(t *testing.T) {
	files := Files{"nuget.config": []byte(`<configuration><packageSources><add key='own' value='eng/feed' />
		<add key='team' value='https://example.com/index.json' /></packageSources>
		<config><add value='eng/packages' key='globalPackagesFolder' /></config></configuration>`)}
	if got := RestoreInputs(files); !slices.Equal(got, []string{"eng/feed", "eng/packages"}) {
		t.Errorf("got %q", got)
	}
	if _, names := FeedsOf(files); !slices.Equal(names, []string{"team"}) {
		t.Errorf("got %q", names)
	}
}

func TestRestoreInputs(t *testing.T) {
	got := RestoreInputs(Files{"src/NuGet.Config": []byte(`<configuration><packageSources>` +
		`<add key="l" value="..\feed" /><add key="n" value="https://x/index.json" />` +
		`<add key="e" value="%HOME%/x" /></packageSources><other><add key="a" value="b" /></other>` +
		`<config><add key="dependencyVersion" value="c" /><add key="GlobalPackagesFolder" value="packages" /></config>` +
		`<fallbackPackageFolders><add key="f" value="more" /></fallbackPackageFolders></configuration>`)})
	if want := "feed src/more src/packages"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
}

func TestPackageFolders(t *testing.T) {
	files := Files{"nuget.config": []byte(`<configuration><config>` +
		`<add key="globalPackagesFolder" value="pkgs" /></config>` +
		`<fallbackPackageFolders><add key="f" value="more" /></fallbackPackageFolders></configuration>`)}
	for there, want := range map[bool][2]string{true: {"pkgs more", ""}, false: {"", "pkgs"}} {
		has := func(folder string) bool { return there && folder == "pkgs" }
		if got := strings.Join(PackageFolders(files, has), " "); got != want[0] {
			t.Errorf("it is there: %t: got %q, want %q", there, got, want[0])
		}
		if got := strings.Join(PackagesIn(files, has), " "); got != want[1] {
			t.Errorf("it is there: %t: build finds packages in %q, want %q", there, got, want[1])
		}
	}
	files["nuget.config"] = []byte(`<configuration><fallbackPackageFolders><add key="f" value="more" />` +
		`</fallbackPackageFolders></configuration>`)
	if got := PackageFolders(files, func(string) bool { return true }); got != nil {
		t.Errorf("without a globalPackagesFolder: got %q", got)
	}
}

func TestSolution(t *testing.T) {
	got := string(Solution([]string{"a & b/c.csproj", "100%/d.csproj", "e/C.csproj"}, "/source"))
	want := `<Solution>
  <Project Path="/source/a &amp; b/c.csproj" />
  <Project Path="/source/100%25/d.csproj" />
  <Folder Name="/2/">
    <Project Path="/source/e/C.csproj" />
  </Folder>
</Solution>
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Results have a name that the logger accepts unchanged.
func TestTestResults(t *testing.T) {
	for p, want := range map[string]string{
		"tests/Shop.Tests/Shop.Tests.csproj": "Shop.Tests/Shop.Tests.trx",
		"a;b=c,d %41 é.csproj":               "a_b_c_d _41 é/a_b_c_d _41 é.trx",
	} {
		if got := TestResults(&App{Path: p}); got != want {
			t.Errorf("%s: got %s, want %s", p, got, want)
		}
	}
}

// A property is looked for in the project first, and then in the folders above, the nearest first.
func TestFind(t *testing.T) {
	files := Files{
		"src/app/app.csproj":          []byte("<Project>\n<A>1</A></Project>"),
		"src/Directory.Build.props":   []byte("<Project><B>2</B></Project>"),
		"Directory.Packages.props":    []byte("<Project><B>3</B><C>3</C></Project>"),
		"other/Directory.Build.props": []byte("<Project><D>4</D></Project>"),
		"src/app/other.props":         []byte("<Project><E>5</E></Project>"),
	}
	for element, want := range map[string]string{"A": "src/app/app.csproj:10", "B": "src/Directory.Build.props:9",
		"C": "Directory.Packages.props:17", "D": "", "E": ""} {
		got := ""
		if name, offset, ok := files.Find("src/app/app.csproj", regexp.MustCompile("<"+element+">")); ok {
			got = fmt.Sprintf("%s:%d", name, offset)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", element, got, want)
		}
	}
}
