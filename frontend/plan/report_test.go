package plan_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/report"
)

// What is told of a plan is the plan.
func TestReport(t *testing.T) {
	c := build("linux/amd64,linux/arm64", gatewaytest.Item{"PublishAot": "true", "ContainerBaseImage": deps},
		"args: {V: 1}", "image: {ports: [8080], args: [\"${V}\"]}")
	libs := []string{"lib/a/a.csproj", "lib/b/b.csproj", "lib/c/c.csproj", "lib/d/d.csproj"}
	c.Describe(gatewaytest.App("app/app.csproj", gatewaytest.Item{
		"PublishAot": "true", "ContainerBaseImage": deps,
	}, libs...))
	p := makePlan(t, c)
	got := p.Report(nil)
	image := func(ref, platform string) report.Image {
		return report.Image{Reference: ref, Digest: digest.FromString(ref).String(), Platform: platform}
	}
	sdk, toolchain := image(gatewaytest.SDK, "linux/amd64"), image(aot, "linux/amd64")
	sdk.Version = "10.0.401"
	want := report.App{
		Project: "app/app.csproj", Framework: "net10.0", Mode: "aot", Configuration: "Release",
		SDK: sdk, Toolchain: &toolchain,
		Projects: append([]string{"app/app.csproj"}, libs...), Slices: [][]string{libs},
		Images: got.Images,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
	if len(got.Images) != 2 {
		t.Fatalf("images %+v", got.Images)
	}
	arm := got.Images[1]
	base := image(deps, "linux/arm64")
	base.Manifest = fmt.Sprintf("sha256:%064d", 2) // the second of gatewaytest.Index
	wantImage := report.Target{
		Platform: "linux/arm64", RID: "linux-arm64", Base: base,
		Entrypoint: []string{"/app/app"}, Args: []string{"1"}, WorkingDir: "/app", Ports: []string{"8080/tcp"},
		Layers: []report.Layer{{Name: "projects"}, {Name: "app"}},
	}
	if !reflect.DeepEqual(arm, wantImage) {
		t.Errorf("%+v\nwant\n%+v", arm, wantImage)
	}
	built := p.Report([][]report.Layer{{{Name: "app", Bytes: 1}}, {{Name: "app", Bytes: 2}}})
	for i, img := range built.Images {
		if !slices.Equal(img.Layers, []report.Layer{{Name: "app", Bytes: int64(i + 1)}}) {
			t.Errorf("layers %+v", img.Layers)
		}
	}
}

// Of an image that is a named context there is no digest.
func TestReportOfContext(t *testing.T) {
	c := build("linux/amd64", nil)
	c.Set("context:"+gatewaytest.Runtime, "local:base")
	got := makePlan(t, c).Report(nil).Images[0].Base
	if want := (report.Image{Reference: gatewaytest.Runtime, Platform: "linux/amd64"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
