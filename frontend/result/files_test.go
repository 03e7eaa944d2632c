package result_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/report"
)

// Mistakes that only the context, an address or an image shows are errors at their line, and nothing is exported.
func TestFilesThatAreWrong(t *testing.T) {
	const content = "certificate\n"
	const sum = "sha256:b0bb0f9a8d7ee6eee1a0f28c3ba3a2a85a5a6b6d0ba1ae9f9cbbda2a9dcfa2f5"
	for _, tc := range []struct{ name, entry, err string }{
		{"no checksum", "{from: 'https://a.example/ca.pem?token=hidden', to: /x}",
			"https://a.example/ca.pem needs a checksum, so that every build gets the same file: if you trust what is there " +
				"now, write checksum: sha256:"},
		{"no commit for a platform", "{from: 'https://a.example/b.git?ref=hidden', checksum: {amd64: " +
			strings.Repeat("1", 40) + "}, to: /x}",
			"checksum has no commit of https://a.example/b.git for linux/arm64: add one, or write one for all platforms"},
		{"no name", "{from: 'https://a.example/', checksum: '" + sum + "', to: /x/}",
			"https://a.example/ has no name of a file: write the name at the end of to"},
		{"a pattern for nothing", "{from: '*.none', to: /x/}", "nothing in the context matches *.none"},
		{"a pattern for several", "{from: '*.txt', to: /x}", "*.txt matches 2 files: write a / at the end of to"},
		{"an empty image", "{image: scratch, from: /a, to: /x}", "image scratch has no files"},
		{"an image for other platforms", "{image: 'other:1', from: /a, to: /x}", "has no image for linux/arm64"},
		{"no archive", "{from: a.txt, unpack: true, to: /x}", "a.txt is no tar archive, neither plain nor compressed"},
		{"nothing to remove", "{remove: '/app/*.none'}", "remove: the image for linux/"},
		{"all of the app", "{remove: /app}", "remove: the app is in /app: name the files to remove"},
		{"what the image starts", "{remove: '/app/app.*'}",
			"remove: the image starts /app/app.dll, and could not without it: name other files"},
		{"nothing to change", "{change: /app/none, mode: 0755}", "change: the image for linux/"},
		{"a link to nothing", "{link: /app/x, to: /app/none}", "the link /app/x leads nowhere: the image for linux/"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := app("linux/amd64,linux/arm64", nil, "files:", "  - "+tc.entry)
			c.Say("a.txt", "a")
			c.Say("b.txt", "b")
			c.Images["docker.io/library/other:1"] = gatewaytest.Image{Configs: map[string]*dockerspec.DockerOCIImage{
				"linux/amd64": gatewaytest.Multi().Configs["linux/amd64"],
			}}
			c.Step(gatewaytest.Step{Name: "https://a.example", Files: fstest.MapFS{
				"crosshull.not-an-archive": {Data: []byte(content), Mode: 0o644},
			}})
			c.Step(gatewaytest.Step{Name: "[image] unpack", Files: fstest.MapFS{
				"crosshull.not-an-archive": {Data: []byte(content), Mode: 0o644},
			}})
			_, err := build(t.Context(), t, c)
			if err == nil || !strings.HasPrefix(err.Error(), "crosshull.yaml:3: ") ||
				!strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("got  %v\nwant %s", err, tc.err)
			}
		})
	}
}

// The size of a layer is that of the files that stay in it, also for a further app of the image.
func TestSizeWithoutRemovedFiles(t *testing.T) {
	c := app("linux/amd64", nil, "project: app", "publish: {also: [{project: tools, to: /migrator}]}",
		"files: [{remove: /migrator/app.dll}]")
	c.Describe(gatewaytest.App(project, nil), gatewaytest.App("tools/tools.csproj", nil))
	for _, l := range told(t, export(t, c)).Apps[0].Images[0].Layers {
		want := report.Layer{Name: "app", Shared: true, Bytes: 2}
		if l.To != "" {
			want = report.Layer{Name: "app", Shared: true, To: "/migrator"}
		}
		if l != want {
			t.Errorf("%#v, want %#v", l, want)
		}
	}
}

// What the spec removes is found in what was published and in the base. Only the base has to be told of.
func TestRemoved(t *testing.T) {
	c := app("linux/amd64", nil, "files: [{remove: ['/app/*.dll', '/etc/*.conf']}]",
		"image: {entrypoint: [/bin/sh]}") // and not what is removed
	c.Step(gatewaytest.Step{Name: "docker-image://" + gatewaytest.Runtime, Files: fstest.MapFS{
		"etc":        {Mode: fs.ModeDir | 0o755},
		"etc/a.conf": {Mode: 0o644}, "etc/b.conf": {Mode: 0o644}, "etc/passwd": {Mode: 0o644},
	}})
	image := told(t, export(t, c)).Apps[0].Images[0]
	if !slices.Equal(image.Removed, []string{"/etc/a.conf", "/etc/b.conf"}) {
		t.Errorf("removed %q", image.Removed)
	}
	if !slices.Equal(image.Files, []string{"remove /app/*.dll, /etc/*.conf"}) {
		t.Errorf("files %q", image.Files)
	}
}
