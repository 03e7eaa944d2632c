package plan_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/client/llb/sourceresolver"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
)

type want = gatewaytest.Want

const (
	deps  = "mcr.microsoft.com/dotnet/runtime-deps:10.0"
	aot   = gatewaytest.SDK + "-aot"
	three = "linux/amd64,linux/arm64,linux/arm/v7"
	base  = "example.com/base:1"
)

// build is a BuildKit with an app that has properties, for platforms and with a spec.
func build(platforms string, properties gatewaytest.Item, spec ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Set("platform", platforms)
	c.Spec(spec...)
	c.Images[deps], c.Images[base] = gatewaytest.Multi(), gatewaytest.Multi("APP_UID=7")
	c.Images[aot] = gatewaytest.Multi("DOTNET_SDK_VERSION=10.0.401")
	c.Describe(gatewaytest.App("app/app.csproj", properties))
	return c
}

func makePlan(t *testing.T, c *gatewaytest.Client) *plan.Plan {
	t.Helper()
	p, err := plantest.Plan(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A lock file is for all runtime identifiers of its project. NuGet looks for one with the name of the project first.
func TestRestoreWithLockFile(t *testing.T) {
	own := []string{"linux-arm64", "linux-x64", "win-x64"}
	for file, want := range map[string][]string{
		"app/packages.lock.json":       own,
		"app/packages.app.lock.json":   own,
		"app/packages.other.lock.json": {"linux-x64"},
		"packages.lock.json":           {"linux-x64"},
	} {
		app := gatewaytest.App("app/app.csproj", gatewaytest.Item{"SelfContained": "true"})
		app.RuntimeIdentifiers = own
		c := build("linux/amd64", nil)
		c.Describe(app)
		c.Say(file, "{}")
		if got := makePlan(t, c).RestoreRIDs(); !slices.Equal(got, want) {
			t.Errorf("%s: restored for %q, want %q", file, got, want)
		}
	}
}

// What is restored and published once for all, and what for each platform.
func TestModes(t *testing.T) {
	all := []string{"linux-arm", "linux-arm64", "linux-x64"}
	for _, tc := range []struct {
		mode             string
		properties       gatewaytest.Item
		spec             string
		restore, publish []string
		toolchain        string
	}{
		{"portable", nil, "", nil, []string{""}, ""},
		{"apphost", nil, "publish: {mode: apphost}", all, []string{""}, ""},
		{"self-contained", gatewaytest.Item{"SelfContained": "true"}, "", all, all, ""},
		{"ready-to-run", gatewaytest.Item{"PublishReadyToRun": "true"}, "", all, all, ""},
		{"single-file", gatewaytest.Item{"PublishSingleFile": "true"}, "", all, all, ""},
		{"trimmed", gatewaytest.Item{"PublishTrimmed": "true"}, "", all, all, ""},
		{"aot", gatewaytest.Item{"PublishAot": "true"}, "", all, all, aot},
	} {
		t.Run(tc.mode, func(t *testing.T) {
			p := makePlan(t, build(three, tc.properties, tc.spec))
			if p.App.Mode.String() != tc.mode {
				t.Errorf("mode %s", p.App.Mode)
			}
			if !slices.Equal(p.RIDs(), all) || !slices.Equal(p.RestoreRIDs(), tc.restore) {
				t.Errorf("images for %q, restored for %q", p.RIDs(), p.RestoreRIDs())
			}
			if !slices.Equal(p.PublishRIDs(), tc.publish) || p.NeedsRIDs() != (tc.restore != nil) {
				t.Errorf("published for %q, depends on the platforms: %v", p.PublishRIDs(), p.NeedsRIDs())
			}
			for _, target := range p.Targets {
				if rid := p.PublishRID(target); !slices.Contains(tc.publish, rid) {
					t.Errorf("%s gets what is published for %q", target.RID, rid)
				}
			}
			toolchain := ""
			if p.Toolchain != nil {
				toolchain = p.Toolchain.Name
			}
			if linker := p.Builder().Toolchain; toolchain != tc.toolchain || (linker == nil) != (tc.toolchain == "") {
				t.Errorf("links with %q", toolchain)
			}
		})
	}
}

// The plan has the image of every platform: its base, by the digest of its own manifest, and its configuration.
func TestTargets(t *testing.T) {
	p := makePlan(t, build(three, nil, "image: {env: {A: b}}"))
	for i, target := range p.Targets {
		if got := target.Base.Manifest.String(); !strings.HasSuffix(got, string(rune('1'+i))) {
			t.Errorf("%s is on manifest %s", target.RID, got)
		}
		img := target.Config.Image
		if img.Config.User != "1654" || !slices.Contains(img.Config.Env, "A=b") {
			t.Errorf("%s is configured as %+v", target.RID, img)
		}
		if img.Architecture != target.Platform.Architecture {
			t.Errorf("%s says that it is for %s", target.RID, img.Architecture)
		}
	}
	if !slices.Equal(gateway.Platforms(p.Request.Gateway.Targets()), strings.Split(three, ",")) {
		t.Error("images in another order than asked for")
	}
}

// Only an image has a configuration, and an SDK for a portable app not even a base.
func TestKinds(t *testing.T) {
	for _, tc := range []struct {
		target     string
		properties gatewaytest.Item
		targets    int
		config     bool
	}{
		{"image", nil, 1, true},
		{"publish", nil, 1, false},
		{"sbom", nil, 1, false},
		{"sdk", nil, 0, false},
		{"sdk", gatewaytest.Item{"SelfContained": "true"}, 1, false},
	} {
		c := build("linux/arm64", tc.properties)
		c.Set("target", tc.target)
		p := makePlan(t, c)
		if len(p.Targets) != tc.targets || tc.targets > 0 && (p.Targets[0].Config != nil) != tc.config {
			t.Errorf("%s %v: targets %+v", tc.target, tc.properties, p.Targets)
		}
	}
}

// The C library of a base is what its name says, else what is in it.
func TestLibc(t *testing.T) {
	musl := fstest.MapFS{"lib/ld-musl-aarch64.so.1": {}}
	for _, tc := range []struct {
		name, base string
		files      fstest.MapFS
		rid        string
		looked     bool
	}{
		{"Microsoft's", deps, musl, "linux-arm64", false},
		{"of a name", "example.com/alpine:3", nil, "linux-musl-arm64", false},
		{"musl inside", base, musl, "linux-musl-arm64", true},
		{"something else inside", base, fstest.MapFS{"lib/x": {}}, "linux-arm64", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := build("linux/arm64", gatewaytest.Item{"ContainerBaseImage": tc.base})
			c.Images["example.com/alpine:3"] = gatewaytest.Multi()
			c.Step(gatewaytest.Step{Name: "docker-image://", Files: tc.files})
			p := makePlan(t, c)
			if got := p.RIDs(); !slices.Equal(got, []string{tc.rid}) {
				t.Errorf("%q, want %s", got, tc.rid)
			}
			looked := slices.ContainsFunc(c.Solved(), func(name string) bool {
				return strings.HasPrefix(name, "docker-image://"+tc.base)
			})
			if looked != tc.looked {
				t.Errorf("looked into the base: %v", looked)
			}
		})
	}
}

func TestEpoch(t *testing.T) {
	const commit = "tree 0000000000000000000000000000000000000000\n" +
		"author A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000001 +0000\n\nx\n"
	for _, tc := range []struct {
		name, value string
		git         *sourceresolver.ResolveGitResponse
		want        int64 // 0: none
	}{
		{"nothing said", "", nil, 0},
		{"seconds", "86400", nil, 86400},
		{"of a folder", "context", nil, 0},
		{"of a commit", "context", &sourceresolver.ResolveGitResponse{
			Checksum: "1", CommitObject: []byte(commit),
		}, 1700000001},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := build("linux/amd64", nil)
			c.Set("build-arg:SOURCE_DATE_EPOCH", tc.value)
			if tc.git != nil {
				inGit(c, tc.git)
			}
			p := makePlan(t, c)
			if got := p.Epoch; got == nil != (tc.want == 0) || got != nil && !got.Equal(time.Unix(tc.want, 0)) {
				t.Errorf("%v, want %d", got, tc.want)
			}
			warned := slices.ContainsFunc(c.Warnings(), func(w string) bool { return strings.HasPrefix(w, "SOURCE_DATE_EPOCH") })
			if warned != (tc.value == "context" && tc.want == 0) {
				t.Errorf("it warns of %q", c.Warnings())
			}
		})
	}
}

// inGit makes the context a git repository, of which BuildKit says something, or does not reach.
func inGit(c *gatewaytest.Client, says *sourceresolver.ResolveGitResponse) {
	c.Set("context", "https://user:secret@example.com/repo.git#main")
	c.Step(gatewaytest.Step{Name: "git://", Files: c.Context})
	c.Git = says
}

func TestVCS(t *testing.T) {
	const source, revision = "org.opencontainers.image.source", "org.opencontainers.image.revision"
	const repo = "https://example.com/repo"
	local := map[string]string{"vcs:source": "https://user:secret@example.com/repo.git", "vcs:revision": "abc"}
	ssh := map[string]string{"vcs:source": "ssh://git@example.com/repo.git", "vcs:revision": "abc"}
	wanted := gatewaytest.Item{"PublishRepositoryUrl": "true"}
	for _, tc := range []struct {
		name             string
		opts             map[string]string
		properties       gatewaytest.Item
		spec             string
		git              *sourceresolver.ResolveGitResponse
		source, revision string
	}{
		{name: "nobody wants it", opts: local},
		{name: "the spec wants it", opts: local, spec: "image: {vcs: true}", source: repo, revision: "abc"},
		{name: "the project wants it", opts: local, properties: wanted, source: repo, revision: "abc"},
		{name: "the spec does not want it", opts: local, properties: wanted, spec: "image: {vcs: false}"},
		{name: "by ssh", opts: ssh, properties: wanted, source: "ssh://git@example.com/repo", revision: "abc"},
		{name: "no repository", properties: wanted},
		{name: "a git context", properties: wanted, git: &sourceresolver.ResolveGitResponse{Checksum: "1"},
			source: repo, revision: "1"},
		{name: "a git context at a tag", properties: wanted,
			git:    &sourceresolver.ResolveGitResponse{Checksum: "1", CommitChecksum: "2"},
			source: repo, revision: "2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := build("linux/amd64", tc.properties, tc.spec)
			maps.Copy(c.Options, tc.opts)
			if tc.git != nil {
				inGit(c, tc.git)
			}
			labels := makePlan(t, c).Targets[0].Config.Image.Config.Labels
			if labels[source] != tc.source || labels[revision] != tc.revision {
				t.Errorf("%q", labels)
			}
		})
	}
}

func TestMakeFails(t *testing.T) {
	const refused = "unexpected status from HEAD request: 401 Unauthorized"
	aotApp := gatewaytest.Item{"PublishAot": "true", "ContainerBaseImage": deps}
	ourBase := gatewaytest.Item{"ContainerBaseImage": base}
	for _, tc := range []struct {
		name       string
		platforms  string
		properties gatewaytest.Item
		spec       []string
		change     func(*gatewaytest.Client)
		want       want
	}{
		{name: "no base", properties: gatewaytest.Item{"ContainerBaseImage": "example.com/none:1"}, want: want{
			Says: "crosshull.yaml:1: base image: example.com/none:1: not found", At: []string{"crosshull.yaml:1"},
		}},
		{name: "the spec's base is not there", spec: []string{"project: app", "base: {image: example.com/none:1}"},
			properties: gatewaytest.Item{"ContainerBaseImage": "example.com/none:1"}, want: want{
				Says: "crosshull.yaml:3: base image: example.com/none:1: not found", At: []string{"crosshull.yaml:3"},
			}},
		{name: "the registry refuses", change: func(c *gatewaytest.Client) {
			c.Images[gatewaytest.Runtime] = gatewaytest.Image{Err: errors.New(refused)}
		}, want: want{
			Says: "crosshull.yaml:1: base image: " + gatewaytest.Runtime + ": " + refused, At: []string{"crosshull.yaml:1"},
		}},
		{name: "a platform that the base lacks", platforms: "linux/s390x", spec: []string{"base: {family: noble}"},
			want: want{
				Says: "crosshull.yaml:2: base image: mcr.microsoft.com/dotnet/runtime:10.0 has no image for linux/s390x: " +
					"use linux/amd64, linux/arm64, linux/arm/v7",
				At: []string{"crosshull.yaml:2"},
			}},
		{name: "an empty base", spec: []string{"project: app", "base: {image: scratch}"},
			properties: gatewaytest.Item{"ContainerBaseImage": "scratch"}, want: want{
				Says: "crosshull.yaml:3: scratch has nothing in it, and an app that is published as portable needs " +
					"the .NET runtime: …",
				At: []string{"crosshull.yaml:3"},
			}},
		{name: "a base that cannot be looked into", properties: ourBase, change: func(c *gatewaytest.Client) {
			c.Step(gatewaytest.Step{Name: "docker-image://" + base, Err: errors.New(refused)})
		}, want: want{
			Says: "crosshull.yaml:1: look for the C library of example.com/base:1: " + refused, At: []string{"crosshull.yaml:1"},
		}},
		{name: "nothing to link with", properties: aotApp, change: func(c *gatewaytest.Client) {
			delete(c.Images, aot)
		}, want: want{
			Says: "crosshull.yaml:1: AOT needs an SDK with a linker, " + aot + ": " + aot + ": not found",
			At:   []string{"crosshull.yaml:1"},
		}},
		{name: "an SDK without a linker", properties: aotApp, spec: []string{"sdk: {image: example.com/base:1}"}, want: want{
			Says: "crosshull.yaml:2: AOT needs an SDK with a linker, and example.com/base:1 has no known variant with one: " +
				"name an image in sdk.toolchain",
			At: []string{"crosshull.yaml:2"},
		}},
		{name: "a toolchain for another C library", spec: []string{"sdk: {toolchain: example.com/alpine}"},
			properties: aotApp, want: want{
				Says: "crosshull.yaml:1: AOT with example.com/alpine would link linux-x64 to musl, which the base does not have: " +
					"use a toolchain with glibc, as in sdk: {toolchain: mcr.microsoft.com/dotnet/sdk:10.0-aot}",
				At: []string{"crosshull.yaml:1"},
			}},
		{name: "a command that makes no sense", properties: gatewaytest.Item{"ContainerAppCommandInstruction": "Run"},
			want: want{
				Says: "app/app.csproj: ContainerAppCommandInstruction Run is not known: use Entrypoint, DefaultArgs or None",
			}},
		{name: "a time that is none", change: func(c *gatewaytest.Client) {
			c.Set("build-arg:SOURCE_DATE_EPOCH", "now")
		}, want: want{Says: "SOURCE_DATE_EPOCH=now: write seconds since 1970, or context"}},
		{name: "a commit whose time is not known", change: func(c *gatewaytest.Client) {
			c.Set("build-arg:SOURCE_DATE_EPOCH", "context")
			inGit(c, nil)
		}, want: want{Says: "SOURCE_DATE_EPOCH=context: the repository cannot be reached"}},
		{name: "a commit that is not known", spec: []string{"image: {vcs: true}"},
			change: func(c *gatewaytest.Client) { inGit(c, nil) },
			want:   want{Says: "resolve the commit of the context: the repository cannot be reached"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := build(tc.platforms, tc.properties, tc.spec...)
			if tc.change != nil {
				tc.change(c)
			}
			_, err := plantest.Plan(t.Context(), t, c)
			tc.want.Check(t, err)
		})
	}
}

// An index that cannot be read costs a label, and no word: a policy that allows images alone is a good one.
func TestIndexUnread(t *testing.T) {
	c := build("linux/amd64", nil)
	c.Step(gatewaytest.Step{Name: "docker-image+blob://", Err: errors.New("denied by policy")})
	if got := makePlan(t, c).Targets[0].Base.Manifest; got != "" {
		t.Errorf("the base is on manifest %s", got)
	}
	if got := c.Warnings(); len(got) != 0 {
		t.Errorf("warned of %q", got)
	}
}

func TestCanceled(t *testing.T) {
	for _, tc := range []struct {
		name, image string
		properties  gatewaytest.Item
		says        string
	}{
		{"base", deps, gatewaytest.Item{"ContainerBaseImage": deps}, "crosshull.yaml:1: base image: context canceled"},
		{"toolchain", aot, gatewaytest.Item{"PublishAot": "true", "ContainerBaseImage": deps},
			"crosshull.yaml:1: AOT needs an SDK with a linker, " + aot + ": context canceled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			c := build("linux/amd64", tc.properties)
			c.Images[tc.image] = gatewaytest.Image{Do: func(ctx context.Context) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			}}
			_, err := plantest.Plan(ctx, t, c)
			want{Says: tc.says, At: []string{"crosshull.yaml:1"}, Canceled: true}.Check(t, err)
		})
	}
}

// An empty base is in no registry, and no label names it.
func TestScratch(t *testing.T) {
	c := build("linux/amd64", gatewaytest.Item{
		"ContainerBaseImage": "scratch", "PublishAot": "true", "StaticExecutable": "true",
	}, "base: {image: scratch}", "sdk: {toolchain: example.com/alpine}")
	c.Images["example.com/alpine:latest"] = gatewaytest.Multi()
	p := makePlan(t, c)
	if got := p.Targets[0].Base; got.Pinned != nil || got.Config != nil {
		t.Errorf("the base is %+v", got.Image)
	}
	if solved := strings.Join(c.Solved(), "\n"); strings.Contains(solved, "scratch") {
		t.Errorf("asked for it:\n%s", solved)
	}
}

func TestSameAnnotation(t *testing.T) {
	p := makePlan(t, build(three, nil, "image: {annotations: {a: b}}"))
	p.Targets[1].Config.Annotations["c"] = "d"
	p.Targets[0].Config.Annotations["e"], p.Targets[1].Config.Annotations["e"] = "1", "2"
	for key, want := range map[string]bool{"a": true, "c": false, "e": false, "f": false} {
		if got := p.SameAnnotation(key); got != want {
			t.Errorf("%s is the same for all: %v", key, got)
		}
	}
}

// An assembly for one kind of machine is refused on another one, whatever the mode.
func TestPlatformTarget(t *testing.T) {
	x64 := gatewaytest.Item{"PlatformTarget": "x64"}
	makePlan(t, build("linux/amd64", x64))
	for _, spec := range []string{"", "publish: {mode: apphost}"} {
		c := build("linux/amd64,linux/arm64", x64, "project: app", spec)
		c.Say("Directory.Build.props",
			"<Project><PropertyGroup>\n<PlatformTarget>x64</PlatformTarget></PropertyGroup></Project>")
		_, err := plantest.Plan(t.Context(), t, c)
		want{
			Says: "crosshull.yaml:2: app/app.csproj has PlatformTarget x64, so it does not start on linux-arm64…",
			At:   []string{"crosshull.yaml:2", "Directory.Build.props:2"},
		}.Check(t, err)
	}
}

// The base that the SDK infers has the frameworks of all projects whose files are in the image.
func TestBaseOfAlso(t *testing.T) {
	c := build("linux/amd64,linux/arm64", nil, "project: app", "publish: {also: [{project: web, to: /web}]}")
	c.Images[gatewaytest.AspNet] = gatewaytest.Multi("APP_UID=7")
	c.Say("web/web.csproj", "<Project />")
	web := gatewaytest.App("web/web.csproj", nil)
	web.Frameworks = []string{"Microsoft.AspNetCore.App"}
	c.Describe(gatewaytest.App("app/app.csproj", nil), web)
	p := makePlan(t, c)
	if got := p.Targets[0].Base.Name; got != gatewaytest.AspNet {
		t.Errorf("the base is %s", got)
	}
	if len(p.Also) != 1 || p.Also[0].Dir != "/web" || p.Also[0].Project.Mode != nil {
		t.Fatalf("also %+v", p.Also)
	}
	if got := written(p.Also[0].For(p.Targets[1].Platform).Layers); !strings.HasSuffix(got, " app*") {
		t.Errorf("its layers are %s", got)
	}
	other, err := p.ForFrameworks(t.Context(), []string{"Microsoft.NETCore.App", "Microsoft.AspNetCore.App"})
	if err != nil || other != p {
		t.Errorf("the same frameworks make another plan, %v", err)
	}
	other, err = p.ForFrameworks(t.Context(), []string{"Microsoft.NETCore.App"})
	if err != nil || len(other.Also) != 1 || other.Also[0].Targets[0].Base.Name != gatewaytest.Runtime {
		t.Errorf("on another base it is %+v, %v", other.Also, err)
	}
}

// Frameworks that the SDK did not know of change the base that it inferred, and what follows from that.
func TestForFrameworks(t *testing.T) {
	c := build("linux/amd64,linux/arm64", nil)
	c.Images[gatewaytest.AspNet] = gatewaytest.Multi("APP_UID=7", "ASPNETCORE_HTTP_PORTS=8080")
	p := makePlan(t, c)
	same, err := p.ForFrameworks(t.Context(), []string{"Microsoft.NETCore.App"})
	if err != nil || same != p {
		t.Errorf("the same frameworks make another plan, %v", err)
	}
	other, err := p.ForFrameworks(t.Context(), []string{"Microsoft.NETCore.App", "Microsoft.AspNetCore.App"})
	if err != nil {
		t.Fatal(err)
	}
	for i, target := range other.Targets {
		config := target.Config.Image.Config
		if target.Base.Name != gatewaytest.AspNet || target.Base.Manifest == "" || target.RID != p.Targets[i].RID ||
			config.User != "7" || len(config.ExposedPorts) != 1 {
			t.Errorf("%s: %+v", target.RID, config)
		}
	}
	if p.Targets[0].Base.Name != gatewaytest.Runtime {
		t.Error("the plan has changed")
	}
	given := makePlan(t, build("linux/amd64", gatewaytest.Item{"_CrosshullChosenBaseImage": gatewaytest.Runtime}))
	if same, err = given.ForFrameworks(t.Context(), []string{"Microsoft.AspNetCore.App"}); err != nil || same != given {
		t.Errorf("a base that was chosen is changed, %v", err)
	}
}
