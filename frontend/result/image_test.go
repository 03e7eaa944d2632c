package result_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/result"
)

// config is the configuration of an image in a result, of a platform where it is one of several.
func config(t *testing.T, res *client.Result, platform string) ocispecs.Image {
	t.Helper()
	key := "containerimage.config"
	if platform != "" {
		key += "/" + platform
	}
	var img ocispecs.Image
	if err := json.Unmarshal(res.Metadata[key], &img); err != nil {
		t.Fatal(err)
	}
	return img
}

func TestImages(t *testing.T) {
	res := export(t, app("linux/amd64,linux/arm64", nil, "image: {env: {A: b}}"))
	for _, arch := range []string{"amd64", "arm64"} {
		img := config(t, res, "linux/"+arch)
		if img.Architecture != arch || img.Config.User != "1654" || !slices.Contains(img.Config.Env, "A=b") {
			t.Errorf("%s: %+v", arch, img)
		}
		if len(res.Metadata["containerimage.base.config/linux/"+arch]) == 0 {
			t.Errorf("%s: nothing is said of the base", arch)
		}
	}
	var platforms struct{ Platforms []struct{ ID string } }
	if err := json.Unmarshal(res.Metadata["refs.platforms"], &platforms); err != nil || len(platforms.Platforms) != 2 {
		t.Errorf("platforms %+v, %v", platforms, err)
	}
	single := export(t, app("linux/arm64", nil))
	if img := config(t, single, ""); single.Ref == nil || img.Architecture != "arm64" {
		t.Errorf("one image: %+v", img)
	}
}

// The time of SOURCE_DATE_EPOCH goes to the exporter.
func TestEpoch(t *testing.T) {
	for _, target := range []string{"image", "publish"} {
		c := app("linux/amd64", nil)
		c.Set("build-arg:SOURCE_DATE_EPOCH", "86400")
		c.Set("target", target)
		if got := string(export(t, c).Metadata["source.date.epoch"]); got != "86400" {
			t.Errorf("%s: %q", target, got)
		}
	}
}

func TestAnnotations(t *testing.T) {
	spec := "image: {annotations: {a: b}, annotate-index: true}"
	answer := gatewaytest.App(project, nil)
	answer.Items["ContainerLabel"] = []gatewaytest.Item{{"name": "org.opencontainers.image.base.name", "value": "x"}}
	of := func(platforms string, spec ...string) map[string]string {
		c := app(platforms, nil, spec...)
		c.Describe(answer)
		found := map[string]string{}
		for k, v := range export(t, c).Metadata {
			if rest, ok := strings.CutPrefix(k, "annotation"); ok {
				found[rest] = string(v)
			}
		}
		return found
	}
	if got := of("linux/amd64"); got["-manifest.org.opencontainers.image.base.name"] != gatewaytest.Runtime {
		t.Errorf("one image: %q", got)
	}
	got := of("linux/amd64,linux/arm64")
	digests := map[string]bool{}
	for k, v := range got {
		if strings.HasSuffix(k, "base.digest") {
			digests[v] = true
		}
		if strings.Contains(k, "index") {
			t.Errorf("the index has %s, which nobody asked for", k)
		}
	}
	if len(digests) != 2 {
		t.Errorf("the digests of two bases are %q", got)
	}
	got = of("linux/amd64,linux/arm64", spec)
	if got["-index.a"] != "b" || !digests[got["-manifest[linux/amd64].org.opencontainers.image.base.digest"]] {
		t.Errorf("with those of the index: %q", got)
	}
	if d := got["-index.org.opencontainers.image.base.digest"]; d == "" || digests[d] {
		t.Errorf("the index is said to be on %q", d)
	}
}

// Large static assets are made beside publish, and with it where the build makes some of them.
func TestAssets(t *testing.T) {
	published := func(assets string) fstest.MapFS {
		files := gatewaytest.Published([]string{"app", "assets"})
		files["layers.txt"].Data = append(files["layers.txt"].Data, assets...)
		return files
	}
	const a, b = "asset a 1 Never\n", "asset b 2 Never\n"
	for _, tc := range []struct {
		name, project, assets string
		publishes             int
	}{
		{"the same", a, a, 1},
		{"others", a + b, a, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := app("linux/amd64,linux/arm64", nil)
			c.Say("app/wwwroot/site.css", strings.Repeat("x", 1<<20))
			c.Step(
				gatewaytest.Step{Name: publish, Files: published(tc.project)},
				gatewaytest.Step{Name: "[publish] compress", Files: published(tc.assets)},
			)
			r := told(t, export(t, c))
			want := map[string]int{
				"[describe] dotnet msbuild -t:ComputeContainerConfig projects": 1, "[restore] dotnet restore " + project: 1,
			}
			want["[publish] compress static assets of "+project], want[publish+" "+project] = 1, tc.publishes
			if got := commands(c); !maps.Equal(got, want) {
				t.Errorf("ran %v, want %v", got, want)
			}
			beside := slices.ContainsFunc(r.Steps, func(s report.Ran) bool { return s.Name == "assets" })
			if beside != (tc.publishes == 1) {
				t.Errorf("steps %+v", r.Steps)
			}
		})
	}
}

// The graph of the first image has all that the image is made of.
func TestFirstImage(t *testing.T) {
	p, err := plantest.Plan(t.Context(), t, app(three, nil))
	if err != nil {
		t.Fatal(err)
	}
	def, err := result.FirstImage(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	head, err := def.Head()
	if err != nil {
		t.Fatal(err)
	}
	if name := def.Metadata[head].Description["llb.customname"]; name != "[image linux/amd64] merge base and app" {
		t.Errorf("it is %q", name)
	}
	broken := app(three, nil)
	broken.Step(gatewaytest.Step{Name: publish, Err: errors.New("no space left on device")})
	if p, err = plantest.Plan(t.Context(), t, broken); err != nil {
		t.Fatal(err)
	}
	_, err = result.FirstImage(t.Context(), p)
	want{Says: "no space left on device", At: []string{"crosshull.yaml:1"}}.Check(t, err)
}

// Files of the spec can go into folders of the app's own.
func TestFilesInApp(t *testing.T) {
	c := app("linux/amd64", nil, "files: [{from: a.txt, to: /app/app/}]")
	c.Context["a.txt"] = &fstest.MapFile{}
	export(t, c)
	if !slices.Contains(c.Ran(), "[image] add files") {
		t.Errorf("ran %q", c.Ran())
	}
}
