package facts_test

import (
	"slices"
	"testing"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// with is a BuildKit with an app and a tool, and a spec.
func with(spec ...string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(spec...)
	for _, name := range []string{"tool/tool.csproj", "lib/lib.csproj"} {
		c.Say(name, "<Project />")
	}
	return c
}

// The projects of publish.also are described with the app, and restored with it if they have its mode.
func TestAlso(t *testing.T) {
	for _, tc := range []struct {
		name, also string
		group      []string
	}{
		{"the same mode", "{project: tool, to: /tool}", []string{"app/app.csproj", "tool/tool.csproj"}},
		{"another mode", "{project: tool, mode: self-contained, to: /tool/}", []string{"app/app.csproj"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := with("project: app", "publish: {also: ["+tc.also+"]}")
			c.Describe(gatewaytest.App("app/app.csproj", nil), gatewaytest.App("tool/tool.csproj", nil))
			f, err := newAsker(t, c).Apps(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := paths(f.Group(f.App)); !slices.Equal(got, tc.group) {
				t.Errorf("restored together: %q", got)
			}
			if len(f.Also) != 1 || f.Also[0].App.Path != "tool/tool.csproj" || f.Also[0].To != "/tool" {
				t.Errorf("also %+v", f.Also)
			}
			wide := f.Everything("a test")
			if wide.Also[0].App == f.Also[0].App || !slices.Contains(wide.Apps, wide.Also[0].App) {
				t.Error("what is known later is not known of the further app")
			}
		})
	}
}

func TestAlsoMistakes(t *testing.T) {
	app, tool := gatewaytest.App("app/app.csproj", nil), gatewaytest.App("tool/tool.csproj", nil)
	for _, tc := range []struct {
		name, also, says string
		answers          []gatewaytest.Answer
	}{
		{"the app itself", "{project: app, to: /tool}",
			"crosshull.yaml:5: app/app.csproj is in the image already: name each project once",
			[]gatewaytest.Answer{app, app}},
		{"twice", "{project: tool, to: /a}, {project: tool/tool.csproj, to: /b}",
			"crosshull.yaml:5: tool/tool.csproj is in the image already: name each project once",
			[]gatewaytest.Answer{app, tool, tool}},
		{"the folder of the app", "{project: tool, to: /app/}", "crosshull.yaml:5: /app overlaps with /app, the folder of " +
			"app/app.csproj: choose another folder", []gatewaytest.Answer{app, tool}},
		{"a folder in that of the app", "{project: tool, to: /app/tool}", "crosshull.yaml:5: /app/tool overlaps with /app, …",
			[]gatewaytest.Answer{app, tool}},
		{"a folder around that of the app", "{project: tool, to: /}", "crosshull.yaml:5: / overlaps with /app, …",
			[]gatewaytest.Answer{app, tool}},
		{"a file", "{project: tool.cs, to: /tool}",
			"crosshull.yaml:5: tool.cs has no project file, which publish.also needs…",
			[]gatewaytest.Answer{app}},
		{"no project", "{project: none, to: /tool}", "crosshull.yaml:5: none has no project file…",
			[]gatewaytest.Answer{app}},
		{"a project that is not there", "{project: tol, to: /tool}",
			"crosshull.yaml:5: there is no tol in the context, or an ignore file leaves it out: did you mean tool?",
			[]gatewaytest.Answer{app}},
		{"modes that do not go together", "{project: tool, mode: [portable, aot], to: /tool}",
			"crosshull.yaml:5: publish.also.0.mode: portable cannot be combined…", []gatewaytest.Answer{app}},
		{"a project that is no app", "{project: lib, to: /lib}", "crosshull.yaml:5: nothing to publish in lib…",
			[]gatewaytest.Answer{app, gatewaytest.Test("lib/lib.csproj")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := with("project: app", "publish:", "  also:", "    ["+tc.also+"]")
			c.Describe(tc.answers...)
			_, err := newAsker(t, c).Apps(t.Context())
			want{Says: tc.says, At: []string{"crosshull.yaml:5"}}.Check(t, err)
		})
	}
}
