package request_test

import (
	"slices"
	"testing"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
)

// shop is a spec of two apps and a test.
func shop() *gatewaytest.Client {
	return withSpec(
		"tests: [tests/unit]",
		"apps:",
		"  web: {project: src/web}",
		"  worker: {project: src/worker, publish: {mode: aot}}",
	)
}

func TestTargets(t *testing.T) {
	for _, tc := range []struct {
		name  string
		c     *gatewaytest.Client
		want  []string
		lines []int32
	}{
		{"no spec", &gatewaytest.Client{}, []string{"image (default)", "publish", "sbom", "sdk"}, nil},
		{"one app", withSpec("project: app"), []string{"image (default)", "publish", "sbom", "sdk"}, []int32{2, 2, 2, 2}},
		{"tests", withSpec("tests: [a]"), []string{"image (default)", "publish", "sbom", "sdk", "test"},
			[]int32{1, 1, 1, 1, 2}},
		{"one of apps", withSpec("apps:", "  web: {project: src/web}"),
			[]string{"web (default)", "web-publish", "web-sbom", "web-sdk"}, []int32{3, 3, 3, 3}},
		{"apps", shop(), []string{
			"web", "web-publish", "web-sbom", "web-sdk", "worker", "worker-publish", "worker-sbom", "worker-sdk", "test",
		}, []int32{4, 4, 4, 4, 5, 5, 5, 5, 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var names []string
			var lines []int32
			for _, target := range read(t, tc.c).Targets() {
				if target.Default {
					target.Name += " (default)"
				}
				names = append(names, target.Name)
				if target.Location != nil {
					lines = append(lines, target.Location.Ranges[0].Start.Line)
				}
			}
			if !slices.Equal(names, tc.want) || !slices.Equal(lines, tc.lines) {
				t.Errorf("%q at lines %d\nwant %q at %d", names, lines, tc.want, tc.lines)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	const all = "web, web-publish, web-sbom, web-sdk, worker, worker-publish, worker-sbom, worker-sdk, test"
	for _, tc := range []struct {
		name, target string
		c            *gatewaytest.Client
		want         request.Target
		project      string
		err          want
	}{
		{name: "default", c: withSpec("project: app"), want: request.Target{Kind: spec.TargetImage}, project: "app"},
		{name: "kind", target: "sbom", c: withSpec("project: app"), want: request.Target{Kind: spec.TargetSBOM},
			project: "app"},
		{name: "tests", target: "test", c: shop(), want: request.Target{Kind: spec.TargetTest}},
		{name: "app", target: "web", c: shop(), project: "src/web",
			want: request.Target{Kind: spec.TargetImage, App: "web", Prefix: "apps.web."}},
		{name: "kind of app", target: "worker-sdk", c: shop(), project: "src/worker",
			want: request.Target{Kind: spec.TargetSDK, App: "worker", Prefix: "apps.worker."}},
		{name: "the only app", c: withSpec("apps: {web: {project: src/web}}"), project: "src/web",
			want: request.Target{Kind: spec.TargetImage, App: "web", Prefix: "apps.web."}},
		{name: "none of several", c: shop(), err: want{
			Says: "crosshull.yaml:3: this spec has several apps, so --target has to name one: " + all +
				". `docker buildx build --call=bake` prints a bake file for all of them",
			At: []string{"crosshull.yaml:3"},
		}},
		{name: "unknown", target: "image", c: shop(), err: want{Says: `target "image" does not exist: use ` + all}},
		{name: "no tests", target: "test", c: withSpec(), err: want{
			Says: `target "test" does not exist: use image, publish, sbom, sdk`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.target != "" {
				tc.c.Set("target", tc.target)
			}
			asked := read(t, tc.c)
			req, err := asked.Choose()
			if tc.err.Says != "" {
				tc.err.Check(t, err)
				if _, err = asked.EachApp(); tc.target != "" {
					tc.err.Check(t, err)
				} else if err != nil {
					t.Errorf("a call about all apps: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if req.Target != tc.want || req.Spec.Project != tc.project {
				t.Errorf("%+v with project %q", req.Target, req.Spec.Project)
			}
			if asked.Target != (request.Target{}) {
				t.Error("the choice changed what was asked")
			}
		})
	}
}

func TestEachApp(t *testing.T) {
	for _, tc := range []struct {
		name, target string
		c            *gatewaytest.Client
		want         []string
	}{
		{"one app", "", withSpec("project: app"), []string{"app"}},
		{"all", "", shop(), []string{"src/web", "src/worker"}},
		{"named", "web-publish", shop(), []string{"src/web"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.c.Set("target", tc.target)
			apps, err := read(t, tc.c).EachApp()
			if err != nil {
				t.Fatal(err)
			}
			var projects []string
			for _, app := range apps {
				projects = append(projects, app.Spec.Project)
				if image := app.ForImage(); image.Target.Kind != spec.TargetImage || image.Target.App != app.Target.App {
					t.Errorf("its image is of target %+v", image.Target)
				}
			}
			if !slices.Equal(projects, tc.want) {
				t.Errorf("%q, want %q", projects, tc.want)
			}
		})
	}
	c := shop()
	c.Set("target", "test")
	_, err := read(t, c).EachApp()
	want{Says: "this call is about one app, and target test is about all: name an app with --target"}.Check(t, err)
}

// What --call=init asks about is the context alone, whatever the spec says.
func TestDefault(t *testing.T) {
	req := read(t, withSpec("project: app", "projct: x"))
	if req.Mistakes() == nil {
		t.Fatal("no mistakes to leave out")
	}
	d := req.Default()
	if d.Mistakes() != nil || d.Source != nil || d.Spec.Project != "" || d.Target.Kind != spec.TargetImage {
		t.Errorf("%+v", d)
	}
}
