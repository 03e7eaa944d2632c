package request_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
	"github.com/crosshull/crosshull/frontend/request"
)

type want = gatewaytest.Want

// read reads what is asked of a BuildKit, which has to go well.
func read(t *testing.T, c *gatewaytest.Client) *request.Request {
	t.Helper()
	req, err := plantest.Read(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// withSpec is a BuildKit whose context has a spec with lines, from the second on.
func withSpec(lines ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(lines...)
	return c
}

func TestRead(t *testing.T) {
	const dockerfile, yaml = "# syntax=x\n\nFROM scratch\n", "project: app\n"
	for _, tc := range []struct {
		name     string
		filename string // empty: buildx was given no -f
		files    map[string]string
		spec     string // the file that is the spec, empty where there is none
		why      string // why there is none
	}{
		{"named", "deploy/app.yaml", map[string]string{"deploy/app.yaml": yaml}, "deploy/app.yaml", ""},
		{"not named", "", map[string]string{"crosshull.yaml": yaml}, "crosshull.yaml", ""},
		{"beside a Dockerfile", "", map[string]string{"crosshull.yaml": yaml, "Dockerfile": dockerfile},
			"crosshull.yaml", ""},
		{"named Dockerfile", "", map[string]string{"Dockerfile": yaml}, "Dockerfile", ""},
		{"named Dockerfile, and empty", "", map[string]string{"Dockerfile": "# nothing\n"}, "Dockerfile", ""},
		{"nothing", "", nil, "", "there is no crosshull.yaml"},
		{"a Dockerfile alone", "", map[string]string{"Dockerfile": dockerfile}, "",
			"Dockerfile is a Dockerfile and is not used, and there is no crosshull.yaml"},
		{"a Dockerfile with a byte order mark", "",
			map[string]string{"Dockerfile": "\ufeff# from an editor\r\nFROM\tscratch\r\n"}, "",
			"Dockerfile is a Dockerfile and is not used, and there is no crosshull.yaml"},
		{"a Dockerfile in small letters", "", map[string]string{"dockerfile": "arg A\n"}, "",
			"Dockerfile is a Dockerfile and is not used, and there is no crosshull.yaml"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &gatewaytest.Client{Context: fstest.MapFS{}, Options: map[string]string{}}
			if tc.filename != "" {
				c.Set("filename", tc.filename)
			}
			for name, text := range tc.files {
				c.Say(name, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
			}
			req := read(t, c)
			if err := req.Mistakes(); err != nil {
				t.Errorf("it has mistakes: %v", err)
			}
			if tc.spec == "" {
				if req.Source != nil || req.Missing == nil || req.Missing.Why != tc.why {
					t.Fatalf("spec %v, missing %v, want none because %s", req.Source, req.Missing, tc.why)
				}
				if req.SpecName() != "crosshull.yaml" || req.Line("project") != "" || req.Place("project") != nil {
					t.Error("it says where it is")
				}
				return
			}
			if req.Source == nil || req.Source.Filename != tc.spec || req.SpecName() != tc.spec || req.Missing != nil {
				t.Fatalf("spec %v, missing %v, want %s", req.Source, req.Missing, tc.spec)
			}
		})
	}
}

func TestReadFails(t *testing.T) {
	denied := func(name string) *gatewaytest.Client {
		c := &gatewaytest.Client{}
		c.Step(gatewaytest.Step{Name: "local://dockerfile", Errs: map[string]error{name: errors.New("permission denied")}})
		return c
	}
	for _, tc := range []struct {
		name, filename string
		c              *gatewaytest.Client
		want           want
	}{
		{"not there", "deploy/app.yaml", &gatewaytest.Client{}, want{
			Says: "spec deploy/app.yaml does not exist: give -f the path of a crosshull.yaml, " +
				"or no -f to build with the defaults",
		}},
		{"a Dockerfile", "app.yaml", &gatewaytest.Client{Context: fstest.MapFS{"app.yaml": {Data: []byte("FROM x")}}}, want{
			Says: "app.yaml is a Dockerfile, not a spec: give -f the path of a crosshull.yaml, " +
				"or no -f to build with the defaults",
		}},
		{"not to be read", "app.yaml", denied("app.yaml"), want{Says: "failed to read dockerfile: permission denied"}},
		{"not named, and not to be read", "Dockerfile", denied("crosshull.yaml"), want{
			Says: "failed to read dockerfile: permission denied",
		}},
		{"not sent", "app.yaml", &gatewaytest.Client{Steps: []gatewaytest.Step{
			{Name: "local://dockerfile", Err: errors.New("no local sources enabled")},
		}}, want{Says: "failed to read dockerfile: no local sources enabled"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.c.Options = map[string]string{"filename": tc.filename}
			_, err := plantest.Read(t.Context(), t, tc.c)
			tc.want.Check(t, err)
		})
	}
	t.Run("canceled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := plantest.Read(ctx, t, gatewaytest.Console())
		want{Says: "failed to resolve dockerfile: context canceled", Canceled: true}.Check(t, err)
	})
}

// Mistakes are told all at once, each with its line.
func TestMistakesHaveLines(t *testing.T) {
	req := read(t, withSpec("project: app", "projct: app"))
	want{
		Says: `crosshull.yaml:3: unknown key "projct", did you mean "project"?`, At: []string{"crosshull.yaml:3"},
	}.Check(t, req.Mistakes())
	var lines []string
	for line := range strings.Lines(read(t, withSpec("projct: app", "imag: {}")).Mistakes().Error()) {
		at, _, _ := strings.Cut(line, ": ")
		lines = append(lines, at)
	}
	if !slices.Equal(lines, []string{"crosshull.yaml:2", "crosshull.yaml:3"}) {
		t.Errorf("mistakes in %q", lines)
	}
}

func TestWarnings(t *testing.T) {
	const phases = "tools, before, describe, restore, publish, after, test, packages, image"
	for _, tc := range []struct {
		name string
		c    *gatewaytest.Client
		opts map[string]string
		want []string
	}{
		{"nothing to say", withSpec("args: {V: 1}", "image: {labels: {v: \"${V}\"}}"), map[string]string{
			"build-arg:V": "2", "build-arg:http_proxy": "x", "build-arg:SOURCE_DATE_EPOCH": "0", "no-cache": "publish,RESTORE",
		}, nil},
		{"--no-cache", withSpec(), map[string]string{"no-cache": ""}, nil},
		{"no spec", &gatewaytest.Client{}, map[string]string{}, []string{
			"there is no crosshull.yaml: building the project of this context with crosshull's defaults",
		}},
		{"arguments of nobody", withSpec(), map[string]string{
			"build-arg:B": "2", "build-arg:A": "", "build-arg:--no-cache": "",
		}, []string{
			"build-args [--no-cache A B] were not consumed: declare a build argument in args of the spec " +
				"(to set an MSBuild property, use publish.properties)",
		}},
		{"a password in a provenance", withSpec("args: {V: 1, W: ''}",
			"image: {labels: {v: \"${V}${W}\"}}"), map[string]string{
			"attest:provenance": "mode=max,builder-id=x", "build-arg:V": "https://user:secret@example.com/v",
			"build-arg:HTTP_PROXY": "http://user:secret@proxy:1", "build-arg:W": "https://user@example.com",
		}, []string{"--provenance=mode=max shows the password in build-args [HTTP_PROXY V] to everybody who can pull the " +
			"image: use mode=min, or set the proxy of the builder itself"}},
		{"a password in no provenance", withSpec(), map[string]string{
			"attest:provenance": "mode=min", "build-arg:HTTP_PROXY": "http://user:secret@proxy:1",
		}, nil},
		{"phases that there are not", withSpec(), map[string]string{"no-cache": "publsh, build"}, []string{
			"--no-cache-filter publsh,build does nothing: the phases of a build are " + phases,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.c.Context != nil {
				tc.opts["filename"] = "crosshull.yaml"
			}
			tc.c.Options = tc.opts
			req := read(t, tc.c)
			req.WarnMissing(t.Context())
			req.WarnUnused(t.Context())
			req.WarnPhases(t.Context())
			req.WarnRecorded(t.Context())
			if got := tc.c.Warnings(); !slices.Equal(got, tc.want) {
				t.Errorf("warned of\n%q\nwant\n%q", got, tc.want)
			}
			for _, w := range tc.c.Warned() {
				if req.Source != nil && w.SourceInfo.GetFilename() != "crosshull.yaml" {
					t.Errorf("%q points at %q", w.Message, w.SourceInfo.GetFilename())
				}
			}
		})
	}
}

// A Dockerfile that is not used is what the warning about the missing spec points at.
func TestWarnsOfDockerfile(t *testing.T) {
	c := &gatewaytest.Client{Context: fstest.MapFS{"Dockerfile": {Data: []byte("FROM scratch\n")}}}
	read(t, c).WarnMissing(t.Context())
	warned := c.Warned()
	if len(warned) != 1 || warned[0].SourceInfo.GetFilename() != "Dockerfile" {
		t.Errorf("%v", warned)
	}
}

func TestRules(t *testing.T) {
	for _, tc := range []struct {
		name     string
		c        *gatewaytest.Client
		argument string
		skip     []string
		fail     bool // a warning is an error
	}{
		{"nothing", withSpec(), "", nil, false},
		{"no spec", &gatewaytest.Client{Options: map[string]string{}}, "", nil, false},
		{"directive", withSpec("# check=skip=A,B;error=true"), "", []string{"A", "B"}, true},
		{"argument over directive", withSpec("# check=skip=A"), "skip=C", []string{"C"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.argument != "" {
				tc.c.Set("build-arg:BUILDKIT_DOCKERFILE_CHECK", tc.argument)
			}
			config, err := read(t, tc.c).Rules()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(config.SkipRules, tc.skip) || config.ReturnAsError != tc.fail {
				t.Errorf("%+v", config)
			}
		})
	}
	_, err := read(t, withSpec("# check=skip")).Rules()
	want{
		Says: `crosshull.yaml:2: # check: invalid check option "skip"`, At: []string{"crosshull.yaml:2"},
	}.Check(t, err)
}
