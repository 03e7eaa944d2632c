package gateway_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

const (
	app     = "example.com/app:1"
	blob    = "docker-image+blob://example.com/app@"
	refused = "unexpected status from HEAD request: 401 Unauthorized"
	nowhere = "example.com/app:2"
)

// sources are the identifiers of the images in the graph of an image.
func sources(t *testing.T, gw *gateway.Client, img *gateway.Image) []string {
	t.Helper()
	def, err := gw.Marshal(t.Context(), img.State)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		if src := op.GetSource(); src != nil {
			ids = append(ids, src.Identifier)
		}
	}
	return ids
}

func TestImage(t *testing.T) {
	pin := app + "@" + digest.FromString(app).String()
	for _, tc := range []struct {
		name    string
		ref     string
		options map[string]string
		images  map[string]gatewaytest.Image
		pin     string // what the image is, tag and digest
		source  string // where it comes from; empty: from nowhere
		env     string // V of its environment
	}{
		{
			name: "of a registry", ref: app, images: map[string]gatewaytest.Image{app: gatewaytest.Multi("V=1")},
			pin: pin, source: "docker-image://" + pin, env: "1",
		},
		{
			name: "without a tag", ref: "example.com/app",
			images: map[string]gatewaytest.Image{"example.com/app:latest": gatewaytest.Multi()},
			pin:    "example.com/app:latest@" + digest.FromString("example.com/app:latest").String(),
			source: "docker-image://example.com/app:latest@" + digest.FromString("example.com/app:latest").String(),
		},
		{
			name: "where a policy sends us", ref: app,
			images: map[string]gatewaytest.Image{app: {
				Configs:   map[string]*dockerspec.DockerOCIImage{"linux/amd64": gatewaytest.Config("linux/amd64")},
				Elsewhere: "mirror.example.com/app:1",
			}},
			pin:    app + "@" + digest.FromString(app).String(),
			source: "docker-image://mirror.example.com/app:1@" + digest.FromString(app).String(),
		},
		{
			name: "a named context that is an image", ref: app,
			options: map[string]string{"context:" + app: "docker-image://" + nowhere},
			images:  map[string]gatewaytest.Image{nowhere: gatewaytest.Multi("V=2")},
			pin:     app, source: "docker-image://" + nowhere, env: "2",
		},
		{
			name: "a named context that is a folder", ref: app,
			options: map[string]string{"context:" + app: "local:base"},
			pin:     app, source: "local://base",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gw := open(t, &gatewaytest.Client{Options: tc.options, Images: tc.images})
			img, err := gw.Image(t.Context(), tc.ref, amd64, "[sdk] ")
			if err != nil {
				t.Fatal(err)
			}
			if img.Pin() != tc.pin {
				t.Errorf("it is %s, want %s", img.Pin(), tc.pin)
			}
			if got := strings.Join(sources(t, gw, img), " "); got != tc.source && !strings.HasPrefix(got, tc.source+"@") {
				t.Errorf("it comes from %s, want %s", got, tc.source)
			}
			if got := img.Env("V"); got != tc.env {
				t.Errorf("V=%s, want %s", got, tc.env)
			}
		})
	}
}

// garbled is a BuildKit whose registries say nothing that makes sense.
type garbled struct {
	*gatewaytest.Client
	ref    string
	digest digest.Digest
}

func (c garbled) ResolveImageConfig(
	context.Context, string, sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	return c.ref, c.digest, []byte("<html>"), nil
}

func TestImageFails(t *testing.T) {
	fine := digest.FromString("x")
	for _, tc := range []struct {
		name    string
		ref     string
		image   gatewaytest.Image
		context string // the named context in the place of app
		says    string
	}{
		{name: "not a reference", ref: "Example.com/App", says: `"Example.com/App" is not an image reference: …`},
		{name: "not there", ref: nowhere, says: nowhere + ": not found"},
		{name: "refused", ref: app, image: gatewaytest.Image{Err: errors.New(refused)}, says: app + ": " + refused},
		{name: "a named context of no kind", ref: app, context: "ftp:x", says: "unsupported context source ftp for " + app},
		{name: "a named context not there", ref: app, context: "docker-image://" + nowhere, says: nowhere + ": not found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &gatewaytest.Client{Images: map[string]gatewaytest.Image{app: tc.image}, Options: map[string]string{}}
			if tc.context != "" {
				c.Set("context:"+app, tc.context)
			}
			_, err := open(t, c).Image(t.Context(), tc.ref, amd64, "")
			gatewaytest.Want{Says: tc.says}.Check(t, err)
			if err != nil && gateway.NoSuchImage(err) != strings.HasSuffix(tc.name, "not there") {
				t.Error("it says wrongly whether there is such an image")
			}
		})
	}
	for _, tc := range []struct {
		name, says string
		garbled
	}{
		{"a reference that is none", "invalid reference format…", garbled{ref: "::", digest: fine}},
		{"a digest that is none", "invalid digest format", garbled{ref: app, digest: "x"}},
		{
			"a configuration that is none", "read configuration of " + app + ": invalid character '<'…",
			garbled{ref: app, digest: fine},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.Client = &gatewaytest.Client{}
			gw, err := gateway.New(t.Context(), tc.garbled)
			if err != nil {
				t.Fatal(err)
			}
			defer gw.Close(&err)
			_, err = gw.Image(t.Context(), app, amd64, "")
			gatewaytest.Want{Says: tc.says}.Check(t, err)
		})
	}
}

// counted is an image, and how often a registry was asked for it.
func counted() (gatewaytest.Image, *atomic.Int32) {
	n := &atomic.Int32{}
	img := gatewaytest.Multi()
	img.Do = func(context.Context) error {
		n.Add(1)
		return nil
	}
	return img, n
}

// A registry is asked once in a build, be it ahead.
func TestAskedOnce(t *testing.T) {
	img, n := counted()
	gw := open(t, &gatewaytest.Client{Images: map[string]gatewaytest.Image{app: img}})
	gw.AskAhead(app, []ocispecs.Platform{amd64, arm64})
	for range 2 {
		if _, err := gw.Bases(t.Context(), app, []ocispecs.Platform{amd64, arm64}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.Load(); got != 2 {
		t.Errorf("asked %d times for two platforms", got)
	}
}

// An answer that nobody waited for is no answer for others.
func TestAskedAgain(t *testing.T) {
	img, n := counted()
	gw := open(t, &gatewaytest.Client{Images: map[string]gatewaytest.Image{app: img}})
	_, err := gw.Image(ended(t), app, amd64, "")
	gatewaytest.Want{Says: "context canceled", Canceled: true}.Check(t, err)
	for range 2 {
		if _, err := gw.Image(t.Context(), app, amd64, ""); err != nil {
			t.Fatal(err)
		}
	}
	if n.Load() == 0 {
		t.Error("never asked")
	}
}

func TestBases(t *testing.T) {
	two := gatewaytest.Multi()
	delete(two.Configs, "linux/arm/v7")
	wrong := gatewaytest.Image{Configs: map[string]*dockerspec.DockerOCIImage{
		"linux/amd64": gatewaytest.Config("linux/amd64"), "linux/arm64": gatewaytest.Config("linux/amd64"),
	}}
	older := gatewaytest.Image{Configs: map[string]*dockerspec.DockerOCIImage{
		"linux/amd64": gatewaytest.Config("linux/amd64"), "linux/arm64": gatewaytest.Config("linux/arm/v7"),
	}}
	v2 := gatewaytest.Config("linux/amd64/v2")
	newer := gatewaytest.Image{Configs: map[string]*dockerspec.DockerOCIImage{"linux/amd64": v2, "linux/amd64/v3": v2}}
	all := []ocispecs.Platform{amd64, arm64, armv7}
	for _, tc := range []struct {
		name    string
		image   gatewaytest.Image
		targets []ocispecs.Platform
		says    string
	}{
		{"all there", gatewaytest.Multi(), all, ""},
		{"one not", two, all, app + " has no image for linux/arm/v7: use linux/amd64, linux/arm64"},
		{"one for another platform", wrong, all[:2], app + " has no image for linux/arm64: use linux/amd64"},
		{"one that the other's machine runs", older, all[:2], app + " has no image for linux/arm64: use linux/amd64"},
		{"a variant of the same", newer, []ocispecs.Platform{platforms.MustParse("linux/amd64/v3")}, ""},
		{"a variant that is more", newer, all[:1], app + " has no image for linux/amd64: it is for linux/amd64/v2"},
		{"none", gatewaytest.Image{Err: errors.New(refused)}, all, app + ": " + refused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gw := open(t, &gatewaytest.Client{Images: map[string]gatewaytest.Image{app: tc.image}})
			images, err := gw.Bases(t.Context(), app, tc.targets, all)
			if tc.says != "" {
				gatewaytest.Want{Says: tc.says}.Check(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, img := range images {
				if img.Config.Architecture != tc.targets[i].Architecture {
					t.Errorf("%s in the place of %s", img.Config.Architecture, tc.targets[i].Architecture)
				}
			}
		})
	}
	t.Run("a panic", func(t *testing.T) {
		img := gatewaytest.Image{Do: func(context.Context) error { panic("boom") }}
		gw := open(t, &gatewaytest.Client{Images: map[string]gatewaytest.Image{app: img}})
		_, err := gw.Bases(t.Context(), app, all, all)
		bug(t, err, "boom", "images_test.go")
	})
}

func TestManifests(t *testing.T) {
	zeros := "sha256:" + strings.Repeat("0", 63)
	index := []string{zeros + "1", zeros + "2", zeros + "3"}
	itself := digest.FromString(app).String()
	file := func(text string) fstest.MapFS { return fstest.MapFS{"index.json": {Data: []byte(text)}} }
	for _, tc := range []struct {
		name string
		c    gatewaytest.Step
		lack apicaps.CapID
		want []string
		says string // in the error
	}{
		{name: "of an index", c: gatewaytest.Step{Files: gatewaytest.Index()}, want: index},
		{name: "of one platform", c: gatewaytest.Step{Files: file(`{"config": {}}`)}, want: []string{itself, itself, itself}},
		{name: "an index without them", c: gatewaytest.Step{Files: file(`{"manifests": [{}]}`)}, want: []string{"", "", ""}},
		{name: "an old BuildKit", lack: pb.CapSourceImageBlob, want: []string{"", "", ""}},
		{name: "an engine that cannot merge", lack: pb.CapMergeOp, want: []string{"", "", ""}},
		{name: "no JSON", c: gatewaytest.Step{Files: file("<html>")}, want: []string{"", "", ""},
			says: "invalid character"},
		{name: "a registry that fails", c: gatewaytest.Step{Err: errors.New("500")}, want: []string{"", "", ""}, says: "500"},
		{name: "denied", c: gatewaytest.Step{Err: errors.New("source denied by policy")}, want: []string{"", "", ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.c.Name = blob
			gw := open(t, &gatewaytest.Client{
				Images: map[string]gatewaytest.Image{app: gatewaytest.Multi()},
				Steps:  []gatewaytest.Step{tc.c}, Lacks: []apicaps.CapID{tc.lack},
			})
			img, err := gw.Image(t.Context(), app, amd64, "")
			if err != nil {
				t.Fatal(err)
			}
			got, err := gw.Manifests(t.Context(), img, []ocispecs.Platform{amd64, arm64, armv7})
			if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want %q", err, tc.says)
			}
			var digests []string
			for _, d := range got {
				digests = append(digests, d.String())
			}
			if !slices.Equal(digests, tc.want) {
				t.Errorf("%q, want %q", digests, tc.want)
			}
		})
	}
}

func TestHasFiles(t *testing.T) {
	musl := fstest.MapFS{"lib/ld-musl-x86_64.so.1": {Mode: os.ModeSymlink, Data: []byte("libc.so")}}
	for _, tc := range []struct {
		name string
		step gatewaytest.Step
		want bool
		says string
	}{
		{name: "there", step: gatewaytest.Step{Files: musl}, want: true},
		{name: "others there", step: gatewaytest.Step{Files: fstest.MapFS{"lib/libc.so.6": {}}}},
		{name: "no folder"},
		{
			name: "not to be read", step: gatewaytest.Step{Errs: map[string]error{"lib": errors.New("no space left")}},
			says: "no space left",
		},
		{name: "not to be pulled", step: gatewaytest.Step{Err: errors.New(refused)}, says: refused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.step.Name = "docker-image://"
			gw := open(t, &gatewaytest.Client{
				Images: map[string]gatewaytest.Image{app: gatewaytest.Multi()}, Steps: []gatewaytest.Step{tc.step},
			})
			img, err := gw.Image(t.Context(), app, amd64, "")
			if err != nil {
				t.Fatal(err)
			}
			got, err := gw.HasFiles(t.Context(), img, "/lib", "ld-musl-*")
			if tc.says != "" {
				gatewaytest.Want{Says: tc.says}.Check(t, err)
			} else if err != nil || got != tc.want {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	t.Run("an image of nothing", func(t *testing.T) {
		gw := open(t, &gatewaytest.Client{Options: map[string]string{"context:" + app: "docker-image://scratch"}})
		img, err := gw.Image(t.Context(), app, amd64, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := gw.HasFiles(t.Context(), img, "/lib", "*"); got || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}
