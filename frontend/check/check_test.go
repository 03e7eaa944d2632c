package check

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

const head = "# syntax=ghcr.io/crosshull/crosshull:1\n"

const project = `<Project Sdk="Microsoft.NET.Sdk.Web">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
  </PropertyGroup>
</Project>
`

// build is what a test says about a build. For anything else, it is a web app with a spec of one line.
type build struct {
	asked    bool     // for a check
	present  []string // keys of users that the base has
	spec     string   // follows head, unless it begins with a comment
	args     map[string]string
	files    map[string]string // in addition to the project, or in place of it
	settings []string
	app      dotnet.App // fields that are not zero
	sdk      string
	linker   string // the toolchain
	base     string // its name
	replaced bool   // replaced with --build-context
	env      []string
	user     string
	rids     string
	missing  string
	tests    string          // test projects in place of the app
	noFile   bool            // no spec
	natives  []dotnet.Native // published
	made     []dotnet.Machine
	tools    string

	deprecated []spec.Deprecated // keys of the file
}

// pinned is an image that never changes.
var pinned = "example.com/base:1@sha256:" + strings.Repeat("0", 64)

const web = "mcr.microsoft.com/dotnet/aspnet:10.0"

// facts returns the facts of a build on 26 November 2026.
func (b build) facts(t *testing.T) *Facts {
	t.Helper()
	text := b.spec
	if !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "---") {
		text = head + text
	}
	s, err := spec.Parse([]byte(text), b.args)
	if err != nil {
		t.Fatal(err)
	}
	s.Deprecated = b.deprecated
	f := &Facts{
		Spec:     s,
		Source:   Source{"crosshull.yaml", []byte(text)},
		Written:  []byte(text),
		Files:    dotnet.Files{"src/app/app.csproj": []byte(project)},
		Settings: b.settings,
		BuildRID: "linux-x64",
		Now:      time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC),

		Asked:     b.asked,
		Published: b.natives != nil || b.made != nil,
	}
	if b.noFile {
		f.Source = Source{}
	}
	for name, dt := range b.files {
		f.Files[name] = []byte(dt)
	}
	names := slices.Sorted(maps.Keys(s.Apps))
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		a := App{Spec: &s.App}
		if name != "" {
			a.Prefix, a.Spec = "apps."+name+".", s.Apps[name]
		}
		if b.tests != "" {
			a.Tests = strings.Fields(b.tests)
			f.Apps = append(f.Apps, a)
			continue
		}
		b.describe(t, &a)
		f.Apps = append(f.Apps, a)
	}
	return f
}

func (b build) describe(t *testing.T, a *App) {
	t.Helper()
	app := b.app
	if app.TargetFramework == "" {
		app.TargetFramework = "net10.0"
	}
	if app.Path == "" {
		app.Path = "src/app/app.csproj"
	}
	if app.Closure == nil {
		app.Closure = []dotnet.Node{{Path: app.Path}}
	}
	if app.FrameworkReferences == nil {
		app.FrameworkReferences = []string{"Microsoft.NETCore.App", "Microsoft.AspNetCore.App"}
	}
	app.TargetFileName = "app.dll"
	app.Command.AppCommand = []string{"dotnet", "/app/app.dll"}
	base := web
	if a.Spec.None() {
		app = *dotnet.FilesAlone(a.Spec.Base.Image)
	}
	if len(a.Spec.Publish.Mode) > 0 {
		var err error
		if app.Mode, err = dotnet.ParseMode(a.Spec.Publish.Mode); err != nil {
			t.Fatal(err)
		}
		base = deps
	}
	switch {
	case b.base != "":
		base = b.base
	case a.Spec.Base.Image != "":
		base = a.Spec.Base.Image
	case a.Spec.Base.Family != "":
		base += "-" + a.Spec.Base.Family
	}
	a.Project = &app
	a.Base = Image{base, b.replaced}
	a.SDK = Image{Name: "mcr.microsoft.com/dotnet/sdk:10.0"}
	if b.sdk != "" {
		a.SDK.Name = b.sdk
	}
	a.Toolchain.Name = b.linker
	for _, name := range strings.Fields(b.tools) {
		a.Tools = append(a.Tools, Image{Name: name})
	}
	a.RIDs = strings.Fields(b.rids)
	for _, rid := range a.RIDs {
		a.Outputs = append(a.Outputs, Output{RID: rid, Natives: b.natives, Made: b.made})
	}
	if b.missing != "" {
		a.Missing, a.Has = strings.Fields(b.missing), []string{"linux/amd64", "linux/arm64"}
	}
	env := b.env
	if env == nil {
		env = []string{"APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080", "DOTNET_VERSION=10.0.12", "ASPNET_VERSION=10.0.12"}
	}
	config := dockerspec.DockerOCIImage{Config: dockerspec.DockerOCIImageConfig{ImageConfig: ocispecs.ImageConfig{Env: env,
		User: b.user}}}
	for _, p := range []string{"linux/amd64", "linux/arm64"} {
		img, err := xllb.Config(xllb.ConfigOpt{App: &app, Spec: a.Spec.Image, Base: xllb.Base{Name: base, Config: &config},
			Platform: platforms.MustParse(p)})
		if err != nil {
			t.Fatal(err)
		}
		a.Images = append(a.Images, Configured{config.Config, img.Image.Config, b.present})
	}
}

func csproj(properties string) map[string]string {
	return map[string]string{"src/app/app.csproj": strings.Replace(project, "  </PropertyGroup>",
		"    "+properties+"\n  </PropertyGroup>", 1)}
}

const badConfig = `<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <packageSources>
    <add key="open" value="https://open.example.com/v3/index.json" />
    <add key="url" value="https://me:s3cret@feed.example.com/v3/index.json" />
  </packageSources>
  <packageSourceCredentials>
    <company>
      <add key="Username" value="me" />
      <add value='s3cret'
           key="ClearTextPassword" />
    </company>
    <other><add key="ClearTextPassword" value="%FEED_TOKEN%" /></other>
    <old><add key="Password" value="AQAAANCM" /></old>
  </packageSourceCredentials>
  <apikeys>
    <add key="https://push.example.com" value="k3y" />
  </apikeys>
</configuration>
`

const goodConfig = `<configuration>
  <packageSources>
    <add key="url" value="https://%USER%:%TOKEN%@feed.example.com/v3/index.json" />
  </packageSources>
  <packageSourceCredentials>
    <company>
      <add key="Username" value="me" />
      <add key="ClearTextPassword" value="%FEED_TOKEN%" />
    </company>
  </packageSourceCredentials>
</configuration>
`

const central = `<Project>
  <ItemGroup>
    <PackageVersion Include="Other" Version="1.0.0" />
    <PackageVersion Include="Serilog" Version="4.*" />
  </ItemGroup>
</Project>
`

const (
	chiseled  = "mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled"
	alpine    = "mcr.microsoft.com/dotnet/aspnet:10.0-alpine"
	deps      = "mcr.microsoft.com/dotnet/runtime-deps:10.0"
	invariant = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true"
)

func library(target string) dotnet.App {
	library := dotnet.Node{Path: "lib/lib.csproj", PlatformTarget: target}
	return dotnet.App{Closure: []dotnet.Node{{Path: "src/app/app.csproj"}, library}}
}

func natives(rids ...string) []dotnet.Native {
	var all []dotnet.Native
	for _, rid := range rids {
		all = append(all, dotnet.Native{Package: "P", RID: rid, Name: "libp.so"})
	}
	return all
}

func floating(n dotnet.Node) dotnet.App {
	n.Path = "src/app/app.csproj"
	return dotnet.App{Closure: []dotnet.Node{n}}
}

// cases are builds with their expected finding: the rule and the place. A build must have no other finding.
var cases = []struct {
	name  string
	build build
	rule  string   // the rule that the case is about
	want  []string // places
}{
	{"one line", build{}, "", nil},
	{"no spec", build{noFile: true}, "MissingSyntax", nil},

	{"no syntax", build{spec: "# a remark\nproject: src/app\n"}, "MissingSyntax", []string{"crosshull.yaml:1"}},
	{"syntax below a remark", build{spec: "# a remark\n#syntax = ghcr.io/crosshull/crosshull:1\n"}, "MissingSyntax",
		[]string{"crosshull.yaml:2"}},
	{"syntax below a document", build{spec: "---\n" + head}, "MissingSyntax", []string{"crosshull.yaml:2"}},
	{"syntax below check", build{spec: "# check=error=true\n" + head}, "MissingSyntax", nil},

	{"check below a remark", build{spec: head + "# a remark\n# check=skip=RootUser\n"}, "MisplacedCheck",
		[]string{"crosshull.yaml:3"}},
	{"check below keys", build{spec: "project: src/app\n# check=skip=all\n"}, "MisplacedCheck",
		[]string{"crosshull.yaml:3"}},
	{"check below syntax", build{spec: head + "# check=skip=RootUser\n"}, "MisplacedCheck", nil},
	{"a remark on checks", build{spec: "# check = what we do\n" + head}, "MisplacedCheck", nil},

	{"an argument of no use", build{spec: "args:\n  A: 1\n  B: 2\nimage: {env: {X: '${A}', Y: '$${B}'}}\n"}, "UnusedArg",
		[]string{"crosshull.yaml:4"}},
	{"an argument of an app", build{spec: "args:\n  A: 1\napps:\n  web: {image: {env: {X: 'a${A}b'}}}\n"},
		"UnusedArg", nil},

	{"a deprecated key", build{spec: "image:\n  env: {A: b}\n  workdir: /app\n",
		deprecated: []spec.Deprecated{{Key: "image.workdir", Instead: "use image.folder"}}}, "DeprecatedKey",
		[]string{"crosshull.yaml:4"}},
	{"a key that stays", build{spec: "image: {workdir: /app}\n"}, "DeprecatedKey", nil},

	{"a password in env", build{spec: "image:\n  env:\n    Db__Password: hunter2\n"}, "SecretInSpec",
		[]string{"crosshull.yaml:4"}},
	{"a key in env", build{spec: "image:\n  env:\n    Jwt__Key: x\n"}, "SecretInSpec", []string{"crosshull.yaml:4"}},
	{"an API key in a label", build{spec: "image:\n  labels: {maps-api-key: x}\n"}, "SecretInSpec",
		[]string{"crosshull.yaml:3"}},
	{"a token in a property of an app",
		build{spec: "apps:\n  web:\n    publish:\n      properties:\n        UploadToken: x\n"}, "SecretInSpec",
		[]string{"crosshull.yaml:6"}},
	{"a connection string",
		build{spec: "image:\n  env:\n    ConnectionStrings__Db: Server=db;User Id=sa;Password=hunter2\n"}, "SecretInSpec",
		[]string{"crosshull.yaml:4"}},
	{"a URL with a password", build{spec: "image: {env: {REDIS: 'redis://me:hunter2@redis:6379'}}\n"}, "SecretInSpec",
		[]string{"crosshull.yaml:2"}},
	{"an argument for a secret", build{spec: "args:\n  NUGET_TOKEN:\nimage: {env: {X: '${NUGET_TOKEN}'}}\n"},
		"SecretInSpec", []string{"crosshull.yaml:3"}},
	{"a secret of all apps", build{spec: "image: {env: {PASSWORD: hunter2}}\napps: {a: , b: }\n"}, "SecretInSpec",
		[]string{"crosshull.yaml:2"}},
	{"what is about secrets", build{spec: `
image:
  env:
    PASSWORD_FILE: /run/secrets/password
    DB_PASSWORD: /run/secrets/password
    TokenLifetime: "3600"
    Jwt__RequireSecret: "true"
    PUBLIC_API_KEY: abc
    ConnectionStrings__Db: Server=db;Integrated Security=true
    URL: https://example.com:8443/a@b
    Monkey: banana
  labels: {token: "<none>"}
publish:
  properties: {PublicKeyToken: abc, AssemblyOriginatorKeyFile: key.snk, ApiKey: $(API_KEY)}
`}, "SecretInSpec", nil},

	{"a filter as on a command line", build{spec: "tests:\n  projects: [t]\n  filter: Name=A<b%2Cc>\n"},
		"EscapedTestFilter", []string{"crosshull.yaml:4"}},
	{"a filter as it is", build{spec: "tests: {projects: [t], filter: 'Name=A<b,c>|Name=100%'}\n"}, "EscapedTestFilter",
		nil},

	{"files that nothing starts", build{spec: "project: none\nbase: {image: 'b:1'}\nfiles: [{to: /a}]\n"},
		"MissingEntrypoint", []string{"crosshull.yaml:2"}},
	{"files with an entrypoint", build{spec: "project: none\nbase: {image: 'b:1'}\nfiles: [{to: /a}]\n" +
		"image: {entrypoint: [a]}\n"}, "MissingEntrypoint", nil},

	{"a test in the place of the app", build{spec: "project: tests/Unit\n", tests: "tests/Unit/Unit.csproj"},
		"TestProject", []string{"crosshull.yaml:2"}},
	{"a test in the place of one of the apps",
		build{spec: "apps:\n  a:\n    project: tests/Unit\n", tests: "tests/Unit/Unit.csproj"}, "TestProject",
		[]string{"crosshull.yaml:4"}},
	{"a test where it belongs", build{spec: "project: src/app\ntests: [tests/Unit]\n"}, "TestProject", nil},

	{"a solution with a project that is not there",
		build{spec: "project: All.sln\n", files: map[string]string{"All.sln": "Project(\"{1}\") = \"app\", " +
			"\"src\\app\\app.csproj\", \"{2}\"\nProject(\"{1}\") = \"tests\", \"tests\\tests.csproj\", \"{3}\"\n"},
			app: dotnet.App{Missing: []string{"tests/tests.csproj"}}},
		"MissingProject", []string{"All.sln:2"}},
	{"a solution whose projects are all there",
		build{spec: "project: All.slnx\n", files: map[string]string{
			"All.slnx": `<Solution><Project Path="src/app/app.csproj" /></Solution>`}},
		"MissingProject", nil},

	{"a version of the SDK that is none",
		build{files: map[string]string{"global.json": "{\n  \"sdk\": {\n    \"version\": \"8.0.x\"\n  }\n}\n"}},
		"IgnoredGlobalJSON", []string{"global.json:3"}},
	{"a policy that there is not",
		build{spec: "project: src/app\n", files: map[string]string{
			"src/global.json": `{"sdk": {"version": "10.0.100", "rollForward": "newest"}}`}},
		"IgnoredGlobalJSON", []string{"src/global.json:1"}},
	{"a version of the SDK",
		build{files: map[string]string{"global.json": `{"sdk": {"version": "10.0.100"}}`, "src/global.json": "{"}},
		"IgnoredGlobalJSON", nil},

	{"an old framework",
		build{app: dotnet.App{TargetFramework: "net8.0"},
			files: map[string]string{"src/app/app.csproj": strings.Replace(project, "net10.0", "net8.0", 1)},
			base:  "mcr.microsoft.com/dotnet/aspnet:8.0", env: []string{"APP_UID=1654", "DOTNET_VERSION=8.0.30"}},
		"EndOfLifeFramework", []string{"src/app/app.csproj:3"}},
	{"an old framework in the folders above",
		build{app: dotnet.App{TargetFramework: "netcoreapp3.1"}, files: map[string]string{
			"src/app/app.csproj": "<Project/>",
			"src/Directory.Build.props": "<Project>\n<PropertyGroup>\n" +
				"<TargetFrameworks>netcoreapp3.1;net10.0</TargetFrameworks>",
			"Directory.Build.props":       "<TargetFramework>netcoreapp3.1",
			"other/Directory.Build.props": "<TargetFramework>netcoreapp3.1",
		}, base: "mcr.microsoft.com/dotnet/aspnet:3.1", env: []string{"APP_UID=1654", "DOTNET_VERSION=3.1.32"}},
		"EndOfLifeFramework", []string{"src/Directory.Build.props:3"}},
	{"an old framework of the spec",
		build{spec: "framework: net9.0\n", app: dotnet.App{TargetFramework: "net9.0"},
			env: []string{"APP_UID=1654", "DOTNET_VERSION=9.0.19"}},
		"EndOfLifeFramework", []string{"crosshull.yaml:2"}},
	{"an old framework of a file",
		build{spec: "project: hello.cs\n", app: dotnet.App{Path: "hello/hello.csproj", TargetFramework: "net8.0"},
			env: []string{"APP_UID=1654", "DOTNET_VERSION=8.0.30"}},
		"EndOfLifeFramework", []string{"crosshull.yaml:2"}},
	{"a new framework",
		build{app: dotnet.App{TargetFramework: "net11.0"}, env: []string{"APP_UID=1654", "DOTNET_VERSION=11.0.0"}},
		"EndOfLifeFramework", nil},

	{"an old Alpine", build{spec: "base: {image: 'mcr.microsoft.com/dotnet/aspnet:10.0-alpine3.20'}\n"}, "EndOfLifeBase",
		[]string{"crosshull.yaml:2"}},
	{"an old Debian in the project",
		build{base: "registry.example.com/base:1-bullseye-slim",
			files: csproj("<ContainerBaseImage>registry.example.com/base:1-bullseye-slim</ContainerBaseImage>")},
		"EndOfLifeBase", []string{"src/app/app.csproj:4"}},
	{"an old Ubuntu itself", build{spec: "base:\n  image: ubuntu:20.04\n"}, "EndOfLifeBase", []string{"crosshull.yaml:3"}},
	{"an old runtime below a self-contained app",
		build{spec: "base: {image: 'mcr.microsoft.com/dotnet/runtime-deps:8.0'}\n",
			app: dotnet.App{Mode: dotnet.SelfContained}}, "EndOfLifeBase", []string{"crosshull.yaml:2"}},
	{"an old SDK", build{spec: "sdk:\n  version: 9.0\n", sdk: "mcr.microsoft.com/dotnet/sdk:9.0"}, "EndOfLifeBase",
		[]string{"crosshull.yaml:3"}},
	{"an old SDK in global.json",
		build{files: map[string]string{"global.json": "{\n  \"sdk\": {\n    \"version\": \"9.0.100\"\n  }\n}\n"},
			sdk: "mcr.microsoft.com/dotnet/sdk:9.0.100"}, "EndOfLifeBase", []string{"global.json:3"}},
	{"images with support",
		build{spec: "base: {image: 'mcr.microsoft.com/dotnet/aspnet:10.0-alpine3.23'}\n" +
			"sdk: {image: 'mcr.microsoft.com/dotnet/sdk:10.0-noble'}\n", linker: "mcr.microsoft.com/dotnet/sdk:10.0-noble-aot"},
		"EndOfLifeBase", nil},
	{"an old image that is replaced",
		build{spec: "base: {image: 'mcr.microsoft.com/dotnet/aspnet:10.0-bullseye'}\n", replaced: true},
		"EndOfLifeBase", nil},
	{"another's version", build{spec: "base: {image: 'registry.example.com/base:8.0'}\n"}, "EndOfLifeBase", nil},

	{"no tag", build{spec: "base:\n  image: registry.example.com/base\n"}, "FloatingBaseTag",
		[]string{"crosshull.yaml:3"}},
	{"latest", build{spec: "sdk: {image: 'registry.example.com/sdk:latest'}\n", sdk: "registry.example.com/sdk:latest"},
		"FloatingBaseTag", []string{"crosshull.yaml:2"}},
	{"latest linker", build{spec: "sdk: {toolchain: 'registry.example.com/sdk'}\n", linker: "registry.example.com/sdk"},
		"FloatingBaseTag", []string{"crosshull.yaml:2"}},
	{"no tag in the project",
		build{base: "registry.example.com/base",
			files: csproj("<ContainerBaseImage>registry.example.com/base</ContainerBaseImage>")}, "FloatingBaseTag",
		[]string{"src/app/app.csproj:4"}},
	{"a digest", build{spec: "base: {image: 'registry.example.com/base@sha256:" + strings.Repeat("0", 64) + "'}\n"},
		"FloatingBaseTag", nil},
	{"no tag, and a context", build{spec: "base: {image: base}\n", replaced: true}, "FloatingBaseTag", nil},

	{"a file without a checksum", build{spec: "files:\n  - from: https://a/b?c=d\n    to: /b\n"}, "UnpinnedFile",
		[]string{"crosshull.yaml:3"}},
	{"a branch", build{spec: "files: [{from: 'https://a/b.git#main', to: /b}]\n"}, "UnpinnedFile",
		[]string{"crosshull.yaml:2"}},
	{"the tag of an image", build{spec: "files: [{image: 'a:1', from: /b, to: /b}]\n"}, "UnpinnedFile",
		[]string{"crosshull.yaml:2"}},
	{"files that stay the same", build{spec: "files: [{from: 'https://a/b', checksum: 'sha256:" +
		strings.Repeat("0", 64) + "', to: /b}, {from: 'https://a/b.git#" + strings.Repeat("0", 40) + ":c', to: /c},\n" +
		"  {from: 'https://a/b.git#v1', checksum: " + strings.Repeat("a", 40) + ", to: /d}, {from: x, to: /e},\n" +
		"  {image: 'a@sha256:" + strings.Repeat("0", 64) + "', from: /b, to: /b}]\n"}, "UnpinnedFile", nil},

	{"a floating version",
		build{files: map[string]string{"src/app/app.csproj": "<Project>\n<PackageReference Include=\"Serilog\"\n" +
			"  Version=\"4.*\" />\n"},
			app: floating(dotnet.Node{Locked: dotnet.Locked{Floating: []dotnet.KeyValue{{Key: "Serilog", Value: "4.*"}}}})},
		"UnlockedFloatingVersions", []string{"src/app/app.csproj:2"}},
	{"a floating version by central management",
		build{files: map[string]string{"src/app/app.csproj": `<Project><PackageReference Include="Serilog"/>`,
			"Directory.Packages.props": central},
			app: floating(dotnet.Node{Locked: dotnet.Locked{Floating: []dotnet.KeyValue{{Key: "Serilog", Value: "4.*"}}}})},
		"UnlockedFloatingVersions", []string{"Directory.Packages.props:4"}},
	{"a floating version of a property",
		build{files: map[string]string{"src/app/app.csproj": "\n<PackageReference Include=\"serilog\" Version=\"$(V)\"/>"},
			app: floating(dotnet.Node{Locked: dotnet.Locked{Floating: []dotnet.KeyValue{{Key: "Serilog", Value: "(,4.0]"}}}})},
		"UnlockedFloatingVersions", []string{"src/app/app.csproj:2"}},
	{"a floating version from elsewhere",
		build{app: floating(dotnet.Node{Locked: dotnet.Locked{Floating: []dotnet.KeyValue{{Key: "Serilog", Value: "*"}}}})},
		"UnlockedFloatingVersions", []string{"crosshull.yaml:1"}},
	{"a floating version that is locked",
		build{settings: []string{"src/app/packages.lock.json"},
			app: floating(dotnet.Node{Locked: dotnet.Locked{LockedMode: true,
				Floating: []dotnet.KeyValue{{Key: "Serilog", Value: "4.*"}}}})}, "UnlockedFloatingVersions", nil},
	{"a floating version that another file locks",
		build{app: floating(dotnet.Node{Locked: dotnet.Locked{LockFile: "my.lock.json",
			Floating: []dotnet.KeyValue{{Key: "Serilog", Value: "4.*"}}}})}, "UnlockedFloatingVersions", nil},

	{"a lock file", build{settings: []string{"src/app/packages.app.lock.json", "other/packages.lock.json"}},
		"LockFileNotEnforced", []string{"crosshull.yaml:1"}},
	{"a lock file and feeds", build{spec: "nuget:\n  audit: false\n", settings: []string{"src/app/packages.lock.json"}},
		"LockFileNotEnforced", []string{"crosshull.yaml:2"}},
	{"a lock file that the spec enforces",
		build{spec: "nuget: {locked-mode: true}\n", settings: []string{"src/app/packages.lock.json"}},
		"LockFileNotEnforced", nil},
	{"a lock file that the project enforces",
		build{settings: []string{"src/app/packages.lock.json"},
			app: floating(dotnet.Node{Locked: dotnet.Locked{LockedMode: true}})}, "LockFileNotEnforced", nil},
	{"a lock file that the spec does not enforce",
		build{spec: "nuget:\n  audit: true\n  locked-mode: false\n", settings: []string{"src/app/packages.lock.json"},
			app: floating(dotnet.Node{Locked: dotnet.Locked{LockedMode: true}})},
		"LockFileNotEnforced", []string{"crosshull.yaml:4"}},
	{"another project's lock file", build{settings: []string{"src/other/packages.lock.json"}}, "LockFileNotEnforced", nil},

	{"credentials", build{files: map[string]string{"NuGet.Config": badConfig}}, "FeedCredentials",
		[]string{"NuGet.Config:5", "NuGet.Config:10", "NuGet.Config:14", "NuGet.Config:17"}},
	{"credentials in another encoding",
		build{files: map[string]string{"NuGet.Config": strings.Replace(badConfig, "utf-8", "windows-1252", 1)}},
		"FeedCredentials", []string{"NuGet.Config:5", "NuGet.Config:10", "NuGet.Config:14", "NuGet.Config:17"}},
	{"credentials in the environment",
		build{files: map[string]string{"nuget.config": goodConfig, "src/nuget.config": "not XML"}}, "FeedCredentials", nil},
	{"credentials beside", build{files: map[string]string{"other/nuget.config": badConfig}}, "FeedCredentials", nil},

	{"a platform that the base lacks",
		build{spec: "base: {image: 'registry.example.com/base:1'}\n", missing: "linux/s390x"}, "PlatformMissing",
		[]string{"crosshull.yaml:2"}},
	{"two platforms that the base of a project lacks",
		build{missing: "linux/arm/v7 linux/s390x", files: csproj("<ContainerFamily>azurelinux3.0</ContainerFamily>")},
		"PlatformMissing", []string{"src/app/app.csproj:4", "src/app/app.csproj:4"}},
	{"all platforms", build{spec: "base: {image: 'registry.example.com/base:1'}\n"}, "PlatformMissing", nil},

	{"no runtime", build{spec: "base: {image: '" + deps + "'}\n", env: []string{"APP_UID=1654"}}, "RuntimeMismatch",
		[]string{"crosshull.yaml:2"}},
	{"an older runtime",
		build{spec: "base: {image: 'registry.example.com/base:1'}\n", env: []string{"APP_UID=1654", "DOTNET_VERSION=9.0.1"}},
		"RuntimeMismatch", []string{"crosshull.yaml:2"}},
	{"a newer runtime",
		build{spec: "base: {image: 'registry.example.com/base:1'}\n",
			env: []string{"APP_UID=1654", "DOTNET_VERSION=11.0.0-rc.1"}}, "RuntimeMismatch", []string{"crosshull.yaml:2"}},
	{"no ASP.NET Core",
		build{spec: "base: {image: 'mcr.microsoft.com/dotnet/runtime:10.0'}\n",
			env: []string{"APP_UID=1654", "DOTNET_VERSION=10.0.12"}}, "RuntimeMismatch", []string{"crosshull.yaml:2"}},
	{"a runtime of no use", build{spec: "base: {image: '" + web + "'}\n", app: dotnet.App{Mode: dotnet.SelfContained}},
		"RuntimeMismatch", []string{"crosshull.yaml:2"}},
	{"a newer runtime to roll forward to",
		build{spec: "base: {image: 'registry.example.com/base:1'}\n",
			app: dotnet.App{Runtime: dotnet.Runtime{RollForward: "major"}},
			env: []string{"APP_UID=1654", "DOTNET_VERSION=11.0.0"}}, "RuntimeMismatch", nil},
	{"a runtime of its own",
		build{spec: "base: {image: '" + deps + "'}\n", app: dotnet.App{Mode: dotnet.SelfContained},
			env: []string{"APP_UID=1654"}}, "RuntimeMismatch", nil},
	{"a runtime that the base does not tell",
		build{spec: "base: {image: 'registry.example.com/base:1'}\n", env: []string{"APP_UID=1654"}}, "RuntimeMismatch", nil},

	{"no ICU", build{spec: "base:\n  family: alpine\n", base: alpine, env: []string{"APP_UID=1654", invariant}},
		"InvariantMode", []string{"crosshull.yaml:3"}},
	{"no ICU, by the project",
		build{files: csproj("<ContainerFamily>alpine</ContainerFamily>"), base: alpine,
			env: []string{"APP_UID=1654", invariant}}, "InvariantMode", []string{"src/app/app.csproj:4"}},
	{"ICU that is wanted",
		build{spec: "base: {family: alpine}\n", base: alpine, env: []string{"APP_UID=1654", invariant},
			app: dotnet.App{Runtime: dotnet.Runtime{InvariantGlobalization: "false"}}}, "InvariantMode",
		[]string{"crosshull.yaml:2"}},
	{"ICU that the environment wants",
		build{spec: "base: {family: alpine}\nimage:\n  env:\n    DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: false\n",
			base: alpine, env: []string{"APP_UID=1654", invariant}}, "InvariantMode", []string{"crosshull.yaml:5"}},
	{"ICU of no use",
		build{spec: "base: {image: '" + chiseled + "-extra'}\n",
			app: dotnet.App{Runtime: dotnet.Runtime{InvariantGlobalization: "true"}}}, "InvariantMode",
		[]string{"crosshull.yaml:2"}},
	{"no ICU, none wanted",
		build{base: alpine, env: []string{"APP_UID=1654", invariant},
			app: dotnet.App{Runtime: dotnet.Runtime{InvariantGlobalization: "true"}}}, "InvariantMode", nil},
	{"no ICU, none wanted by the environment",
		build{base: alpine, env: []string{"APP_UID=1654", invariant},
			app: dotnet.App{Container: dotnet.Container{Env: []dotnet.KeyValue{{Key: "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT",
				Value: "1"}}}}}, "InvariantMode", nil},
	{"ICU of the app's own",
		build{files: csproj("<!-- System.Globalization.AppLocalIcu -->"), base: alpine,
			env: []string{"APP_UID=1654", invariant}}, "InvariantMode", nil},

	{"AOT for another C library",
		build{spec: "publish: {mode: aot}\n", base: deps + "-alpine", linker: "mcr.microsoft.com/dotnet/sdk:10.0-aot",
			rids: "linux-musl-x64", app: dotnet.App{Mode: dotnet.SelfContained | dotnet.Aot}}, "AotOnMusl",
		[]string{"crosshull.yaml:2"}},
	{"AOT for another architecture",
		build{files: csproj("<PublishAot>true</PublishAot>"), base: deps + "-alpine",
			linker: "mcr.microsoft.com/dotnet/sdk:10.0-alpine-aot", rids: "linux-musl-x64 linux-musl-arm64",
			app: dotnet.App{Mode: dotnet.SelfContained | dotnet.Aot}}, "AotOnMusl", []string{"src/app/app.csproj:4"}},
	{"AOT",
		build{base: deps, linker: "mcr.microsoft.com/dotnet/sdk:10.0-aot", rids: "linux-x64 linux-arm64",
			app: dotnet.App{Mode: dotnet.SelfContained | dotnet.Aot}}, "AotOnMusl", nil},

	{"a library for another machine",
		build{rids: "linux-x64 linux-arm64", app: library("x64"), files: map[string]string{
			"lib/lib.csproj": "<Project>\n<PlatformTarget>x64</PlatformTarget>\n</Project>"}},
		"PlatformTarget", []string{"lib/lib.csproj:2"}},
	{"a library for its machine", build{rids: "linux-x64", app: library("x64")}, "PlatformTarget", nil},

	{"machine code for another C library",
		build{spec: "base: {family: alpine}\n", base: alpine, rids: "linux-musl-x64", natives: natives("linux-x64")},
		"NativeAssets", []string{"crosshull.yaml:2"}},
	{"machine code for another machine", build{rids: "linux-x64 linux-arm64", natives: natives("linux-x64")},
		"NativeAssets", []string{"crosshull.yaml:1"}},
	{"machine code for all", build{rids: "linux-x64 linux-arm64", natives: natives("linux-x64", "linux-arm64")},
		"NativeAssets", nil},

	{"a command that makes a program for the builder",
		build{spec: "publish:\n  after: [make]\n", rids: "linux-x64 linux-arm64",
			made: []dotnet.Machine{{Architecture: "x64", Path: "tool"}}},
		"CommandArchitecture", []string{"crosshull.yaml:3"}},
	{"a command that makes a program for the image",
		build{spec: "publish: {after: [make]}\n", rids: "linux-arm64",
			made: []dotnet.Machine{{Architecture: "arm64", Path: "tool"}}},
		"CommandArchitecture", nil},
	{"a tool without a tag", build{
		spec:  "publish:\n  before: [make]\n  tools:\n    - {image: a:1, paths: [/b]}\n    - {image: node, paths: [/c]}\n",
		tools: "docker.io/library/a:1 docker.io/library/node:latest",
	}, "FloatingBaseTag", []string{"crosshull.yaml:6"}},
	{"a tool with a digest", build{
		spec:  "publish: {before: [make], tools: [{image: 'node@sha256:" + strings.Repeat("0", 64) + "', paths: [/c]}]}\n",
		tools: "docker.io/library/node@sha256:" + strings.Repeat("0", 64),
	}, "FloatingBaseTag", nil},

	{"root by the spec", build{spec: "image:\n  user: root:root\n"}, "RootUser", []string{"crosshull.yaml:3"}},
	{"root by the project",
		build{app: dotnet.App{Container: dotnet.Container{User: "0"}}, files: csproj("<ContainerUser>0</ContainerUser>")},
		"RootUser", []string{"src/app/app.csproj:4"}},
	{"root by the base", build{spec: "base:\n  image: registry.example.com/base:1\n", env: []string{}}, "RootUser",
		[]string{"crosshull.yaml:3"}},
	{"root without a spec", build{noFile: true, env: []string{}}, "RootUser", []string{":0"}},
	{"a user of the base", build{spec: "base: {image: 'registry.example.com/base:1'}\n", env: []string{}, user: "nobody"},
		"RootUser", nil},
	{"a number", build{spec: "image: {user: '1000:0'}\n"}, "RootUser", nil},
	{"root by another name", build{spec: "image:\n  user: toor\n  users: [{name: toor, uid: 0}]\n"}, "RootUser",
		[]string{"crosshull.yaml:3"}},

	{"a user of nothing", build{
		spec: "image:\n  users:\n    - {name: one, uid: 7}\n    - {name: two, uid: 8}\n  user: 7\n",
	}, "UnusedUser", []string{"crosshull.yaml:5"}},
	{"a user of the image", build{spec: "image: {user: 'one:two', users: [{name: one, uid: 7}]}\n"}, "UnusedUser", nil},
	{"a user of a file", build{spec: "image: {users: [{name: one, uid: 7}]}\nfiles: [{to: /a, owner: 'one:5'}]\n"},
		"UnusedUser", nil},
	{"a user of a command", build{spec: "image: {users: [{name: one, uid: 7}], entrypoint: [gosu, one, /app/app]}\n"},
		"UnusedUser", nil},
	{"users of the base", build{
		spec:    "image:\n  user: one\n  users:\n    - {name: one, uid: 7}\n  groups:\n    - {name: two, gid: 7}\n",
		present: []string{"image.users.0", "image.groups.0"},
	}, "UserInBase", []string{"crosshull.yaml:5", "crosshull.yaml:7"}},
	{"a user of the base in a further group", build{
		spec:    "image: {user: one, users: [{name: one, uid: 7, groups: [two]}]}\n",
		present: []string{"image.users.0"},
	}, "UserInBase", nil},

	{"packages twice", build{
		spec: "base:\n  packages:\n    - curl\n    - tzdata\n    - curl\n    - tzdata=2026*\n",
	}, "DuplicatePackage", []string{"crosshull.yaml:6", "crosshull.yaml:7"}},
	{"a package of a platform and of all", build{
		spec: "base:\n  packages:\n    install: [curl]\n    only:\n      amd64: [libx, libx]\n" +
			"      arm64:\n        - libx\n        - curl\n",
	}, "DuplicatePackage", []string{"crosshull.yaml:6", "crosshull.yaml:9"}},
	{"packages once", build{spec: "base: {packages: {install: [one, two], only: {amd64: [three], arm64: [three]}}}\n"},
		"DuplicatePackage", nil},
	{"packages on a pinned base", build{spec: "base:\n  image: '" + pinned + "'\n  packages: [one=1.0, two]\n"},
		"UnpinnedPackages", []string{"crosshull.yaml:4"}},
	{"pinned packages on a pinned base", build{
		spec: "base: {image: '" + pinned + "', packages: [one=1.0]}\n",
	}, "UnpinnedPackages", nil},
	{"a snapshot on a pinned base", build{
		spec: "base:\n  image: '" + pinned + "'\n  packages: {install: [one], snapshot: '2026-01-01T00:00:00Z'}\n",
	}, "UnpinnedPackages", nil},

	{"packages twice in an image of files alone", build{
		spec: "project: none\nbase:\n  image: 'b:1'\n  packages: [curl, curl]\nimage: {entrypoint: [a]}\n",
	}, "DuplicatePackage", []string{"crosshull.yaml:5"}},
	{"pinned files alone with packages", build{
		spec: "project: none\nbase: {image: '" + pinned + "', packages: [one]}\nimage: {entrypoint: [a]}\n",
	}, "UnpinnedPackages", []string{"crosshull.yaml:3"}},
	{"packages of the first build", build{asked: true, spec: "base:\n  packages: [one=1.0, two=2.*]\n"},
		"CachedPackages", []string{"crosshull.yaml:3"}},
	{"packages of the first build, in a build", build{spec: "base:\n  packages: [one]\n"}, "CachedPackages", nil},
	{"packages of a version", build{asked: true, spec: "base: {packages: [one=1.0]}\n"}, "CachedPackages", nil},
	{"packages of a snapshot", build{
		asked: true, spec: "base: {packages: {install: [one], snapshot: '2026-01-01T00:00:00Z'}}\n",
	}, "CachedPackages", nil},

	{"a privileged port", build{spec: "image:\n  ports:\n    - 8080\n    - 443/tcp\n"}, "PrivilegedPort",
		[]string{"crosshull.yaml:5"}},
	{"a privileged port of the environment", build{spec: "image:\n  env:\n    ASPNETCORE_URLS: http://+:80\n"},
		"PrivilegedPort", []string{"crosshull.yaml:4"}},
	{"a privileged port of the project",
		build{app: dotnet.App{Container: dotnet.Container{Ports: []string{"80/tcp"}}},
			files: csproj("</PropertyGroup><ItemGroup>" +
				"<ContainerPort Include=\"80\" Type=\"tcp\" /></ItemGroup><PropertyGroup>")},
		"PrivilegedPort", []string{"src/app/app.csproj:4"}},
	{"a privileged port of root", build{spec: "image: {ports: [80], user: 0}\n"}, "RootUser",
		[]string{"crosshull.yaml:2"}},
	{"a high port", build{spec: "image: {ports: [1024, 8443/udp]}\n"}, "PrivilegedPort", nil},

	{"a loopback address",
		build{spec: "image:\n  env:\n    ASPNETCORE_URLS: http://localhost:5000;https://127.0.0.1:5001\n"}, "LoopbackAddress",
		[]string{"crosshull.yaml:4"}},
	{"a loopback address of an endpoint",
		build{spec: "image:\n  env:\n    Kestrel__Endpoints__Http__Url: http://[::1]:5000\n"}, "LoopbackAddress",
		[]string{"crosshull.yaml:4"}},
	{"a loopback address in arguments", build{spec: "image:\n  args: [--urls, 'http://localhost:5000']\n"},
		"LoopbackAddress", []string{"crosshull.yaml:3"}},
	{"a loopback address beside another",
		build{spec: "image:\n  env: {ASPNETCORE_URLS: 'http://localhost:5000;http://+:8080', API_URL: " +
			"'http://localhost:1'}\n  args: ['--urls=http://*:8080']\n"}, "LoopbackAddress", nil},

	{"a shell in a health check",
		build{spec: "image:\n  healthcheck:\n    test: [CMD-SHELL, test -f /tmp/healthy]\n", base: chiseled},
		"ShellInHealthcheck", []string{"crosshull.yaml:4"}},
	{"a shell by its path",
		build{spec: "image: {healthcheck: {test: [/bin/sh, -c, test -f /tmp/healthy]}}\n", base: "gcr.io/distroless/base:1"},
		"ShellInHealthcheck", []string{"crosshull.yaml:2"}},
	{"a shell in the entrypoint", build{spec: "image:\n  entrypoint: [sh, -c, exec dotnet app.dll]\n", base: chiseled},
		"ShellInHealthcheck", []string{"crosshull.yaml:3"}},
	{"a script in the entrypoint", build{spec: "image:\n  entrypoint: [/start.sh, dotnet]\n", base: chiseled},
		"ShellInHealthcheck", []string{"crosshull.yaml:3"}},
	{"a script in a health check", build{spec: "image:\n  healthcheck: {test: [CMD, ./probe.sh]}\n", base: chiseled},
		"ShellInHealthcheck", []string{"crosshull.yaml:3"}},
	{"a shell where there is one", build{spec: "image: {healthcheck: {test: [CMD-SHELL, test -f /tmp/healthy]}}\n"},
		"ShellInHealthcheck", nil},
	{"no shell, and none needed", build{spec: "image: {healthcheck: {test: [dotnet, app.dll, check]}}\n", base: chiseled},
		"ShellInHealthcheck", nil},

	{"curl", build{spec: "image: {healthcheck: {test: [CMD, curl, -f, 'http://localhost:8080']}}\n"},
		"MissingHealthcheckTool", []string{"crosshull.yaml:2"}},
	{"wget in a shell",
		build{spec: "image: {healthcheck: {test: [CMD-SHELL, 'test -f /x && /usr/bin/wget -q localhost:8080 || exit 1']}}\n"},
		"MissingHealthcheckTool", []string{"crosshull.yaml:2"}},
	{"wget of busybox",
		build{spec: "image: {healthcheck: {test: [CMD, wget, -q, 'http://localhost:8080']}}\n", base: alpine},
		"MissingHealthcheckTool", nil},
	{"curl that is brought",
		build{spec: "image: {healthcheck: {test: [CMD, /usr/bin/curl, localhost]}}\n" +
			"files: [{from: tools/curl, to: /usr/bin/}]\n"}, "MissingHealthcheckTool", nil},
	{"curl that is installed",
		build{spec: "base: {packages: [curl=8.*]}\nimage: {healthcheck: {test: [CMD, /usr/bin/curl, localhost]}}\n"},
		"MissingHealthcheckTool", nil},
	{"curl of another base",
		build{spec: "base: {image: 'registry.example.com/base:1'}\nimage: {healthcheck: {test: [CMD, curl, localhost]}}\n"},
		"MissingHealthcheckTool", nil},
}

// Every rule finds what it is for, at the right place, once, and nothing else. Every rule also has a case in which it
// finds nothing.
func TestRules(t *testing.T) {
	finds, silent := map[string]bool{}, map[string]bool{}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			found, err := Run(tc.build.facts(t), &linter.Config{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range found {
				if w.Rule.Name != tc.rule {
					t.Errorf("%s at %s:%d: %s", w.Rule.Name, w.Source.Name, line(w), w.Detail)
					continue
				}
				got = append(got, w.Source.Name+":"+strconv.Itoa(line(w)))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s: got %v, want %v", tc.rule, got, tc.want)
			}
		})
		if len(tc.want) > 0 {
			finds[tc.rule] = true
		} else {
			silent[tc.rule] = true
		}
	}
	for _, r := range Rules {
		if !finds[r.Name] || !silent[r.Name] {
			t.Errorf("%s has a case that finds something: %v, one that finds nothing: %v", r.Name, finds[r.Name], silent[r.Name])
		}
	}
}

// Nothing that is shown contains a secret, neither the text of a rule nor the excerpt of the file.
func TestSecretsAreNotShown(t *testing.T) {
	f := build{
		spec: head + `args:
  NUGET_TOKEN: {default: hunter1}
image:
  env:
    PASSWORD: hunter2 # a remark
    "ApiKey": |
      hunter3

      hunter4
    Db__Password: >-
      hunter8

      hunter9
    LEVEL: info
  labels: {a: b, secret: hunter5, c: d}
publish:
  properties:
    Db: "Password=hunter6"
project: src/app
`,
		args:  map[string]string{"NUGET_TOKEN": "hunter7"},
		files: map[string]string{"nuget.config": badConfig},
	}.facts(t)
	found, err := Run(f, &linter.Config{})
	if err != nil || len(found) < 9 {
		t.Fatalf("%v, and %d found", err, len(found))
	}
	for _, w := range found {
		if text := w.Detail + string(w.Source.Data); regexp.MustCompile(`hunter\d|s3cret|k3y|AQAAANCM`).MatchString(text) {
			t.Errorf("%s shows a secret: %s", w.Rule.Name, text)
		}
		original := f.Source.Data
		if w.Source.Name != f.Source.Name {
			original = f.Files[w.Source.Name]
		}
		if got, want := bytes.Count(w.Source.Data, []byte("\n")), bytes.Count(original,
			[]byte("\n")); w.Source.Name == f.Source.Name && got != want {
			t.Errorf("%s has %d lines as it is shown, and %d in fact", w.Source.Name, got, want)
		}
	}
	for _, want := range []string{"\n  NUGET_TOKEN: ***\n",
		"\n    PASSWORD: ***\n    \"ApiKey: ***\n***\n***\n***\n    Db__Password: ***\n***\n***\n***\n    LEVEL: info\n",
		"\n  labels: {a: b, secret: ***\n", "\nproject: src/app\n"} {
		if shown := string(f.Shown().Data); !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
}

// A finding quotes values. It is one line, and gives a terminal no orders.
func TestFindingsArePrintable(t *testing.T) {
	f := build{spec: head + `image: {env: {ASPNETCORE_URLS: "http://localhost:5000/\e[2J\n"}}` + "\n"}.facts(t)
	found, err := Run(f, &linter.Config{})
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, and %d found", err, len(found))
	}
	if got := found[0].Detail; !strings.Contains(got, `http://localhost:5000/\x1b[2J\n: listen`) {
		t.Errorf("it says %q", got)
	}
}

// A user can choose which rules to skip, and whether warnings are errors.
func TestConfig(t *testing.T) {
	b := build{spec: "args: {A: 1}\nimage: {user: root, ports: [80]}\n"}
	for _, tc := range []struct {
		name, options string
		want          string // rules
		err           string
	}{
		{"nothing", "", "UnusedArg RootUser", ""},
		{"one", "skip=RootUser", "UnusedArg", ""},
		{"several", "skip=RootUser, UnusedArg", "", ""},
		{"all", "skip=all", "", ""},
		{"errors", "error=true", "UnusedArg RootUser", "lint violation found for rules: RootUser, UnusedArg"},
		{"errors but for one", "skip=RootUser;error=true", "UnusedArg", "lint violation found for rules: UnusedArg"},
		{"no errors", "skip=all;error=true", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			config, err := linter.ParseLintOptions(tc.options)
			if err != nil {
				t.Fatal(err)
			}
			found, err := Run(b.facts(t), config)
			var got []string
			for _, w := range found {
				got = append(got, w.Rule.Name)
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("got %s, want %s", s, tc.want)
			}
			if (err != nil) != (tc.err != "") || err != nil && err.Error() != tc.err {
				t.Errorf("error %v, want %s", err, tc.err)
			}
		})
	}
}

// Warnings in the spec come first, in the order of lines, and then those in other files, which name the file.
func TestOrder(t *testing.T) {
	f := build{spec: "image:\n  ports: [80]\n  env: {PASSWORD: x}\nargs: {A: 1}\n",
		files: map[string]string{"nuget.config": badConfig, "NuGet.config": badConfig}}.facts(t)
	found, err := Run(f, &linter.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range found {
		got = append(got, w.Source.Name+":"+strconv.Itoa(line(w)))
	}
	want := "crosshull.yaml:3 crosshull.yaml:4 crosshull.yaml:5 NuGet.config:5 NuGet.config:10 NuGet.config:14 " +
		"NuGet.config:17 nuget.config:5 nuget.config:10 nuget.config:14 nuget.config:17"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if got := found[3].Detail; !strings.HasPrefix(got, "NuGet.config:5: here is a password in the URL of source url: ") {
		t.Errorf("got %s", got)
	}
}

// Support lasts until the end of its last day.
func TestEnds(t *testing.T) {
	eight, ok := versionOf("8.0")
	if !ok {
		t.Fatal("no .NET 8")
	}
	for day, want := range map[string]bool{"2026-11-10T23:59:59Z": false, "2026-11-11T00:00:00Z": true,
		"2026-11-11T01:00:00+02:00": false} {
		now, err := time.Parse(time.RFC3339, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := eight.ended(now); got != want {
			t.Errorf("%s ended on %s: %v", eight.name, day, got)
		}
	}
	for _, r := range slices.Concat(versions, distributions) {
		if _, err := time.Parse(time.DateOnly, r.end); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
	}
}

func TestNames(t *testing.T) {
	for image, want := range map[string]string{ // version of .NET, distribution
		"mcr.microsoft.com/dotnet/aspnet:8.0":                              ".NET 8, ",
		"mcr.microsoft.com/dotnet/aspnet:8.0.11-alpine3.2":                 ".NET 8, ",
		"mcr.microsoft.com/dotnet/nightly/sdk:9.0-alpine3.20-amd64":        ".NET 9, Alpine 3.20",
		"registry.example.com/dotnet/runtime:3.1-bionic":                   ".NET Core 3.1, Ubuntu 18.04",
		"registry.example.com/runtime:8.0":                                 ", ",
		"mcr.microsoft.com/dotnet/runtime-deps:8.0-cbl-mariner2.0":         ".NET 8, CBL-Mariner 2.0",
		"mcr.microsoft.com/dotnet/runtime-deps:8.0-cbl-mariner-distroless": ".NET 8, CBL-Mariner",
		"debian:11-slim":    ", Debian 11",
		"debian:11.9":       ", Debian 11",
		"alpine:3.20.1":     ", Alpine 3.20",
		"alpine:3.2":        ", ",
		"ubuntu:focal-2024": ", Ubuntu 20.04",
		"ubuntu:24.04":      ", ",
		"not an image":      ", ",
		"app:focalpoint":    ", ",
	} {
		ref := parseImage(image)
		v, _ := ref.version()
		d, _ := ref.distribution()
		if got := v.name + ", " + d.name; got != want {
			t.Errorf("%s: got %q, want %q", image, got, want)
		}
	}
	for framework, want := range map[string]string{"net10.0": "10.0", "NET8.0-windows10.0.1": "8.0",
		"netcoreapp3.1": "3.1", "netstandard2.0": "", "net48": "", "": ""} {
		if got := frameworkVersion(framework); got != want {
			t.Errorf("%s: got %q, want %q", framework, got, want)
		}
	}
}

// The documentation explains every rule and nothing else, in the order of the table, with bad and good examples.
func TestDocs(t *testing.T) {
	looks := func(r Rule) (times int) {
		for _, is := range []bool{r.once != nil, r.perApp != nil, r.published != nil} {
			if is {
				times++
			}
		}
		return times
	}
	dt, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "checks.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(dt), "\n### ")[1:]
	var got, want []string
	for _, s := range sections {
		name, text, _ := strings.Cut(s, "\n")
		got = append(got, name)
		for _, word := range []string{"\nBad:", "\nGood:"} {
			if !strings.Contains(text, word) {
				t.Errorf("%s has no %q", name, word)
			}
		}
	}
	for _, r := range Rules {
		want = append(want, r.Name)
		if anchor := "docs/reference/checks.md#" + strings.ToLower(r.Name); !strings.HasSuffix(r.URL(), anchor) {
			t.Errorf("%s is explained at %s", r.Name, r.URL())
		}
		if r.Description == "" || looks(r) != 1 {
			t.Errorf("%s is not whole", r.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/reference/checks.md explains %v\nand the rules are %v", got, want)
	}
}

// Rules find what the documentation calls bad, and not what it calls good. Rules for which the spec is not enough are
// left out.
func TestExamplesInDocs(t *testing.T) {
	dt, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "checks.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile("(?s)\n### (\\w+)\n|\n(Bad|Good):|```yaml\n(.*?)```").FindAllStringSubmatch(string(dt), -1)
	rule, kind, seen := "", "", 0
	for _, m := range parts {
		switch {
		case m[1] != "":
			rule = m[1]
		case m[2] != "":
			kind = m[2]
		case rule != "" && !slices.Contains([]string{
			"TestProject", "LockFileNotEnforced", "PlatformMissing", "AotOnMusl", "NativeAssets", "UserInBase",
			"CommandArchitecture",
		}, rule):
			seen++
			b := build{spec: m[3], asked: rule == "CachedPackages"}
			if strings.HasSuffix(m[3], "family: alpine}\n") {
				b.env = []string{"APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080", invariant}
			}
			found, err := Run(b.facts(t), &linter.Config{})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, w := range found {
				names = append(names, w.Rule.Name)
			}
			if bad := slices.Contains(names, rule); bad != (kind == "Bad") {
				t.Errorf("%s, %s: found %v in\n%s", rule, kind, names, m[3])
			}
		}
	}
	if seen < 25 {
		t.Errorf("%d examples seen", seen)
	}
}
