package result_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/result"
)

// told is the report of a build.
func told(t *testing.T, res *client.Result) report.Build {
	t.Helper()
	dt, err := base64.StdEncoding.DecodeString(string(res.Metadata["frontend.crosshull.report"]))
	if err != nil {
		t.Fatal(err)
	}
	var r report.Build
	if err := json.Unmarshal(dt, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// The report has the layers that there are, their sizes, and what ran in this build.
func TestReport(t *testing.T) {
	c := app("linux/amd64,linux/arm64", nil)
	published := gatewaytest.Published([]string{"packages", "app"}, "linux-arm64", "win-x64")
	c.Step(gatewaytest.Step{Name: publish, Files: published})
	libs := []string{"lib/a/a.csproj", "lib/b/b.csproj", "lib/c/c.csproj", "lib/d/d.csproj"}
	c.Describe(gatewaytest.App(project, nil, libs...))
	c.Step(gatewaytest.Step{Name: "[restore] dotnet", Files: fstest.MapFS{"app/obj/project.assets.json": {}}})
	c.Step(gatewaytest.Step{Name: "[publish] output of", Files: fstest.MapFS{"lib/a/bin/a.dll": {}}})
	r := told(t, export(t, c))
	if len(r.Apps) != 1 || len(r.Apps[0].Images) != 2 {
		t.Fatalf("%+v", r)
	}
	layers := func(i int) []report.Layer { return r.Apps[0].Images[i].Layers }
	shared := []report.Layer{{Name: "packages", Shared: true, Bytes: 2}, {Name: "app", Shared: true, Bytes: 2}}
	if !slices.Equal(layers(0), shared) {
		t.Errorf("amd64: %+v", layers(0))
	}
	if want := (report.Layer{Name: "runtimes", Bytes: 12}); len(layers(1)) != 3 || layers(1)[1] != want {
		t.Errorf("arm64: %+v", layers(1))
	}
	var steps []string
	for _, s := range r.Steps {
		name := s.Name
		if s.Cached {
			name += " (cached)"
		}
		steps = append(steps, name)
	}
	want := []string{"describe (cached)", "restore (cached)", "compile lib/a/a.csproj and 3 more (cached)", "publish"}
	if !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
}

// The report says of the files of the spec what the plan says.
func TestReportOfFiles(t *testing.T) {
	for spec, shared := range map[string]bool{
		"files: [{to: /data}]":                                  true,
		"args: {TARGETARCH: }\nfiles: [{to: '/${TARGETARCH}'}]": false,
	} {
		r := told(t, export(t, app("linux/amd64,linux/arm64", nil, spec)))
		for _, image := range r.Apps[0].Images {
			files := slices.IndexFunc(image.Layers, func(l report.Layer) bool { return l.Name == "files" })
			if files < 0 || image.Layers[files].Shared != shared {
				t.Errorf("%s: layers of %s are %+v", spec, image.Platform, image.Layers)
			}
		}
	}
}

// What was cached waited for nothing that is looked at.
func TestReportOfCached(t *testing.T) {
	c := app("linux/amd64", nil)
	files := gatewaytest.Published([]string{"app"})
	files["layers.txt"].ModTime = files["layers.txt"].ModTime.AddDate(-1, 0, 0)
	c.Step(gatewaytest.Step{Name: publish, Files: files})
	r := told(t, export(t, c))
	if !slices.Equal(r.Steps, []report.Ran{{Name: "describe", Cached: true}, {Name: "publish", Cached: true}}) {
		t.Errorf("steps %+v", r.Steps)
	}
}

// A report that cannot be made is no reason to fail.
func TestReportFails(t *testing.T) {
	c := app("linux/amd64", nil)
	c.Step(gatewaytest.Step{
		Name: publish, Files: gatewaytest.Published([]string{"app"}),
		Errs: map[string]error{"app": errors.New("input/output error")},
	})
	res := export(t, c)
	if _, ok := res.Metadata["frontend.crosshull.report"]; ok {
		t.Error("there is a report")
	}
	if got := c.Warnings(); !slices.Equal(got, []string{"report of the build: input/output error"}) {
		t.Errorf("warned of %q", got)
	}
}

// The summary says when the steps ended that ran in this build. The report does not, as equal builds have equal
// reports.
func TestEnded(t *testing.T) {
	begun := time.Now().Add(-time.Hour)
	at := func(d time.Duration) *fstest.MapFile { return &fstest.MapFile{ModTime: begun.Add(d)} }
	for _, tc := range []struct {
		name     string
		restored fstest.MapFS
		want     string
	}{
		{"one file", fstest.MapFS{"app/obj/project.assets.json": at(2 * time.Second)},
			"restore after 2.0 s, "},
		{"a library that is restored last", fstest.MapFS{"app/obj/project.assets.json": at(time.Second),
			"lib/obj/project.assets.json": at(3 * time.Second)},
			"restore after 3.0 s, "},
		{"files elsewhere", fstest.MapFS{}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := app("linux/amd64", nil)
			c.Describe(gatewaytest.App(project, nil, "lib/lib.csproj"))
			c.Step(gatewaytest.Step{Name: publish, Files: gatewaytest.Published([]string{"app"})})
			c.Step(gatewaytest.Step{Name: "[restore] dotnet", Files: tc.restored})
			p, err := plantest.Plan(t.Context(), t, c)
			if err != nil {
				t.Fatal(err)
			}
			p.Request.Begun = begun
			res, err := result.Build(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(`(?m)^\[summary\] ended   ` + tc.want + `publish after 36\d\d\.\d s$`).
				MatchString(strings.Join(c.Ran(), "\n")) {
				t.Errorf("no %q in\n%s", tc.want, strings.Join(c.Ran(), "\n"))
			}
			for _, s := range told(t, res).Steps {
				if s.Ended != 0 {
					t.Errorf("the report says when %s ended", s.Name)
				}
			}
		})
	}
}

func TestSummary(t *testing.T) {
	for value, shown := range map[string]bool{"": true, "true": true, "perhaps": true, "false": false, "0": false} {
		c := app("linux/amd64", nil)
		c.Set("build-arg:CROSSHULL_SUMMARY", value)
		res := export(t, c)
		summary := slices.ContainsFunc(c.Ran(), func(name string) bool { return strings.HasPrefix(name, "[summary] ") })
		if summary != shown || len(res.Metadata["frontend.crosshull.report"]) == 0 {
			t.Errorf("CROSSHULL_SUMMARY=%s: shown %v", value, summary)
		}
	}
}
