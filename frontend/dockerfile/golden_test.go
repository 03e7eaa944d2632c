package dockerfile_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

var update = flag.Bool("update", false, "write the golden files")

const everywhere = "linux/amd64,linux/arm64,linux/arm/v7"

// goldens are the specs behind the golden files.
var goldens = []struct {
	name string
	// project are properties of the project of gatewaytest.Console, in addition to the usual ones.
	project gatewaytest.Item
	spec    []string
	change  func(*gatewaytest.Client)
}{
	{name: "portable"},
	{name: "apphost", spec: []string{"publish: {mode: apphost}"}},
	{name: "scratch", project: gatewaytest.Item{"ContainerBaseImage": "scratch", "SelfContained": "true"},
		spec: []string{"publish: {mode: self-contained}", "base: {image: scratch}"}},
	{name: "aot", project: gatewaytest.Item{"PublishAot": "true", "SelfContained": "true"},
		change: func(c *gatewaytest.Client) {
			c.Images["mcr.microsoft.com/dotnet/sdk:10.0-aot"] = c.Images[gatewaytest.SDK]
		}},
	{name: "tests", spec: []string{
		"tests:",
		"  projects: [tests/unit/unit.csproj]",
		"  filter: Category!=Slow&Name~50%",
		"  settings: tests/my ci.runsettings",
		"  args: [--blame, --, RunConfiguration.MaxCpuCount=1]",
		"  gate: true",
		"  secrets: {DB_PASSWORD: db-password}",
	}, change: func(c *gatewaytest.Client) {
		c.Say("tests/unit/unit.csproj", "<Project />")
		c.Say("tests/my ci.runsettings", "<RunSettings />")
		c.Describe(gatewaytest.App("app/app.csproj", nil), gatewaytest.Test("tests/unit/unit.csproj"))
	}},
	{name: "tests-platform", spec: []string{"tests: {projects: [tests/unit/unit.csproj], gate: true, filter: A&B%2C}"},
		change: func(c *gatewaytest.Client) {
			c.Say("global.json", `{"test": {"runner": "Microsoft.Testing.Platform"}}`)
			c.Say("tests/unit/unit.csproj", "<Project />")
			c.Describe(gatewaytest.App("app/app.csproj", nil), gatewaytest.Test("tests/unit/unit.csproj"))
		}},
	{name: "files", spec: []string{
		"image: {workdir: /srv, user: 1000}",
		"files:",
		"  - {to: /data/, mode: 0750}",
		"  - {to: /var/lib/my tmp, mode: 1777}",
		"  - {from: config/app.json, to: /etc/app.json, mode: 0644, owner: app}",
		"  - {context: deploy, from: start.sh, to: /usr/local/bin/start.sh, mode: 0755}",
		"  - {context: '0', to: /zero}",
	}, change: func(c *gatewaytest.Client) {
		c.Say("config/app.json", "{}")
		for _, name := range []string{"deploy", "0"} {
			c.Set("context:"+name, "local:"+name)
		}
	}},
	{name: "users", spec: []string{
		"image:",
		"  user: shop",
		"  groups: [{name: media, gid: 10100}]",
		"  users: [{name: shop, uid: 10001, gid: media, groups: [app]}, {name: web, uid: 33, home: /srv/web}]",
		"files: [{to: /data, mode: '2770'}, {from: a.txt, to: /a, owner: 'web:app'}, {from: a.txt, to: /b, owner: root}]",
	}, change: func(c *gatewaytest.Client) {
		c.Say("a.txt", "x")
		c.Step(gatewaytest.Step{Name: "docker-image://" + gatewaytest.Runtime, Files: fstest.MapFS{
			"etc/passwd": {Data: []byte("root:x:0:0:root:/root:/bin/sh\napp:x:1654:1654::/home/app:/bin/sh\n"), Mode: 0o644},
			"etc/group":  {Data: []byte("root:x:0:\napp:x:1654:\n"), Mode: 0o644},
			"etc/shadow": {Data: []byte("root:*:1::::::\napp:!EOF:1::::::\n"), Mode: 0o640},
		}})
	}},
	{name: "edits", spec: []string{
		"files:",
		"  - {to: /data}",
		"  - {link: /app/data, to: /data}",
		"  - {from: [config/app.json, 'config/*.xml'], to: /etc/app/, exclude: [b.xml]}",
		"  - {from: 'https://example.com/tool.tar.gz', checksum: 'sha256:" + strings.Repeat("0a", 32) + "',",
		"     unpack: true, strip: 1, to: /opt/tool, owner: 1654}",
		"  - {from: 'https://example.com/ca.pem', checksum: 'sha256:" + strings.Repeat("0a", 32) + "', to: /etc/ca.pem}",
		"  - {from: 'https://example.com/tools.git#v1:bin', to: /opt/bin}",
		"  - {image: 'busybox:1.37', from: /bin/busybox, to: /usr/local/bin/busybox}",
		"  - {from: 'https://example.com/tools.git', to: /opt/tools, exclude: ['*.md', 'a b']}",
		"  - {from: 'vendor/x:1.tar.gz', unpack: true, to: /opt/x, exclude: [docs]}",
		"  - {from: vendor/y.tar, unpack: true, strip: 1, to: /opt/y, exclude: [docs]}",
		"  - {from: 'https://example.com/z.tar', checksum: 'sha256:" + strings.Repeat("0a", 32) + "',",
		"     unpack: true, mode: '0700', to: /opt/z}",
		"  - {from: vendor/y.tar, unpack: true, to: /opt/as-it-is}",
		"  - {remove: [/app/*.pdb, /usr/share/doc]}",
		"  - {change: /app/tools, mode: '0755', owner: app}",
	}, change: func(c *gatewaytest.Client) {
		c.Say("config/app.json", "{}")
		c.Say("config/a.xml", "<a/>")
		c.Say("config/b.xml", "<b/>")
		c.Say("vendor/x:1.tar.gz", "")
		c.Say("vendor/y.tar", "")
	}},
	{name: "edits-also", spec: []string{
		"project: app",
		"base: {packages: [curl]}",
		"publish: {also: [{project: tool, to: /tool}], before: [{run: make, inputs: [Makefile]}]}",
		"files:",
		"  - {to: /srv/a/b, mode: '1777', owner: app}",
		"  - {from: gen/out.txt, to: /etc/gen.txt}",
		"  - {from: ['gen/*.txt'], to: /etc/gen/, exclude: [out.txt]}",
		"  - {from: a.tar, unpack: true, strip: 1, to: /opt/a}",
		"  - {remove: [/tool/*.pdb, '/too?/*.xml']}",
		"  - {change: /tool/tool.dll, mode: '0600', owner: '5:60'}",
		"  - {change: /usr/bin/curl, mode: '4755'}",
	}, change: func(c *gatewaytest.Client) {
		c.Say("tool/tool.csproj", "<Project />")
		c.Say("Makefile", "")
		c.Say("a.tar", "")
		c.Describe(gatewaytest.App("app/app.csproj", nil), gatewaytest.App("tool/tool.csproj", nil))
		text := &fstest.MapFile{Data: []byte("x"), Mode: 0o644}
		c.Step(gatewaytest.Step{Name: "[before] make", Files: fstest.MapFS{
			"Makefile": text, "gen/out.txt": text, "gen/more.txt": text,
		}})
	}},
	{name: "commands", spec: []string{
		"args: {VERSION: '1.0', UNUSED: x}",
		"publish:",
		"  before:",
		"    - {run: npm ci --prefix web, inputs: [web/package.json, 'web/a [1].json'], cache: {npm: /root/.npm}}",
		"    - {run: npm run build, secrets: {TOKEN: npm-token}, ssh: [default], network: none}",
		"    - |",
		"      set -e",
		"      cat <<EOF > app/version.txt",
		"      ${VERSION}",
		"      EOF",
		"  after:",
		"    - 'echo \"$TARGETOS\" > \"$PUBLISH_DIR/os.txt\"'",
		"    - 'dotnet ef migrations bundle -r \"$RID\" -o \"$PUBLISH_DIR/efbundle\"'",
		"  tools: [{image: 'node:22', paths: [/usr/local/, /opt/a b]}]",
	}, change: func(c *gatewaytest.Client) {
		c.Say(".config/dotnet-tools.json", "{}")
		c.Say("web/package.json", "{}")
		c.Say("web/a [1].json", "{}")
		node := &dockerspec.DockerOCIImage{}
		node.Platform = ocispecs.Platform{OS: "linux", Architecture: "amd64"}
		node.Config.Env = []string{"PATH=/usr/local/node/bin:/usr/bin"}
		c.Images["docker.io/library/node:22"] = gatewaytest.Image{
			Configs: map[string]*dockerspec.DockerOCIImage{"linux/amd64": node},
		}
		c.Step(gatewaytest.Step{Name: "[before] set -e", Files: c.Context})
	}},
	{name: "packages", spec: []string{
		"base:",
		"  packages:",
		"    install: [tzdata, curl=7.88.1-10+deb12u*, libfontconfig1]",
		"    only: {arm64: [libatomic1]}",
		"    recommends: true",
		"    snapshot: '2026-11-01T00:00:00Z'",
		"    sources:",
		"      tools: deb [arch=amd64] https://packages.example.com/debian stable main",
		"      debian: |",
		"        Types: deb",
		"        URIs: https://debian.example.com/",
		"        Suites: bookworm",
		"        Components: main",
		"    keys: {tools: eng/my tools.asc, debian: eng/debian.gpg}",
		"    skip-scripts: [curl]",
	}, change: func(c *gatewaytest.Client) {
		c.Say("eng/my tools.asc", "x")
		c.Say("eng/debian.gpg", "x")
	}},
	{name: "none", spec: []string{
		"project: none",
		"base: {image: 'example.com/base:1'}",
		"files: [{from: out, to: /app}, {to: /data}]",
		"image: {workdir: /app, entrypoint: [dotnet, a.dll]}",
	}, change: func(c *gatewaytest.Client) {
		c.Say("out/a.dll", "x")
		c.Images["example.com/base:1"] = gatewaytest.Multi("APP_UID=7")
	}},
	{name: "none-tests", spec: []string{
		"project: none",
		"base: {image: 'example.com/base:1'}",
		"files: [{from: out, to: /app}]",
		"tests: {projects: [tests/unit/unit.csproj], gate: true}",
	}, change: func(c *gatewaytest.Client) {
		c.Say("out/a.dll", "x")
		c.Images["example.com/base:1"] = gatewaytest.Multi()
		c.Say("tests/unit/unit.csproj", "<Project />")
		c.Describe(gatewaytest.Test("tests/unit/unit.csproj"))
	}},
	{name: "feeds", spec: []string{
		"nuget:",
		"  feeds:",
		"    - {name: company, source: 'https://nuget.example.com/index.json', username: me, password-secret: feed-token}",
		"    - {name: github, password-secret: github-token}",
		"  secrets: {FEED_URL: feed-url}",
		"  locked-mode: true",
		"  ca: eng/company.pem",
		"publish: {secrets: {SIGNING_KEY: signing-key}, ssh: [default]}",
	}, change: func(c *gatewaytest.Client) { c.Say("eng/company.pem", "") }},
	{name: "apps", spec: []string{
		"base: {family: noble}",
		"image: {env: {LANG: C.UTF-8}}",
		"apps:",
		"  clock: {project: app/app.csproj}",
		"  3d: {project: other/other.csproj, publish: {mode: apphost}, image: {env: {LANG: C}}}",
	}, change: func(c *gatewaytest.Client) {
		c.Say("other/other.csproj", "<Project />")
		c.Describe(gatewaytest.App("other/other.csproj", nil), gatewaytest.App("app/app.csproj", nil, "lib/lib.csproj"))
	}},
	{name: "image", spec: []string{
		"image:",
		"  args: [serve, '--urls=http://+:80?a&b']",
		"  env: {B: two words, A: 'a $5 \"note\"'}",
		"  ports: [8080, 9000-9010/udp]",
		"  labels: {com.example.team: shop}",
		"  annotations: {com.example.cost: '1'}",
		"  volumes: [/data, /var/lib/my app]",
		"  stop-signal: SIGINT",
		"  healthcheck:",
		"    test: [CMD-SHELL, 'curl -f http://localhost || exit 1']",
		"    interval: 30s",
		"    timeout: 1m30s",
		"    retries: 3",
	}},
	{name: "args", spec: []string{
		"args:",
		"  VERSION: 1.0",
		"  CHANNEL: {default: stable, description: where the image goes}",
		"  TARGETARCH:",
		"  FAMILY: noble",
		"publish: {properties: {Version: '${VERSION}', Channel: 'of ${CHANNEL}'}}",
		"base: {family: '${FAMILY}'}",
		"image:",
		"  env: {CHANNEL: '${CHANNEL}', ARCH: '${TARGETARCH}'}",
		"  labels: {com.example.version: 'v${VERSION}'}",
		"  args: ['--channel=${CHANNEL}']",
		"files: [{from: 'config/${TARGETARCH}.json', to: '/etc/${CHANNEL}/app.json'}]",
	}, change: func(c *gatewaytest.Client) {
		c.Say("config/amd64.json", "{}")
		c.Set("build-arg:CHANNEL", "beta")
	}},
	{name: "platforms", spec: []string{
		"args: {TARGETARCH: , TARGETVARIANT: }",
		"image: {args: ['--arch=${TARGETARCH}${TARGETVARIANT}'], annotations: {arch: '${TARGETARCH}'}}",
	}},
}

// The Dockerfiles of a build's plans equal the golden files, and BuildKit can read them.
func TestGolden(t *testing.T) {
	for _, tc := range goldens {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Images["mcr.microsoft.com/dotnet/runtime:10.0-noble"] = c.Images[gatewaytest.Runtime]
			c.Describe(gatewaytest.App("app/app.csproj", tc.project))
			c.Spec(tc.spec...)
			c.Set("platform", everywhere)
			c.Set("requestid", "frontend.dockerfile")
			if tc.change != nil {
				tc.change(c)
			}
			res, err := frontend.Build(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			text := res.Metadata["result.txt"]
			wantGolden(t, filepath.Join("testdata", tc.name+".Dockerfile"), text)
			result, err := parser.Parse(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := instructions.Parse(result.AST, nil); err != nil {
				t.Error(err)
			}
			for _, w := range result.Warnings {
				t.Errorf("the parser warns: %s", w.Short)
			}
			for i, line := range strings.Split(string(text), "\n") {
				if len(line) > 120 && !strings.HasPrefix(line, "FROM ") {
					t.Errorf("line %d has %d columns: %s", i+1, len(line), line)
				}
			}
		})
	}
}

// An image of files alone runs no commands, also if it inherits some, so its files come from the context.
func TestInheritedCommands(t *testing.T) {
	c := gatewaytest.Console()
	c.Spec("publish: {before: [make]}", "apps:", "  web: {project: app}",
		"  texts: {project: none, base: {image: '"+gatewaytest.Runtime+"'}, files: [{from: a.txt, to: /a}]}")
	c.Say("a.txt", "text")
	c.Set("requestid", "frontend.dockerfile")
	c.Set("target", "texts")
	res, err := frontend.Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	text := string(res.Metadata["result.txt"])
	if !strings.Contains(text, "\nCOPY --link a.txt /a\n") || strings.Contains(text, "--from=") {
		t.Error(text)
	}
}

func wantGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("not %s (go test -update writes it):\n%s", name, got)
	}
}
