package lint_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	rules "github.com/crosshull/crosshull/frontend/lint"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
)

func warn(t *testing.T, c *gatewaytest.Client) error {
	t.Helper()
	p, err := plantest.Plan(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	return rules.Warn(t.Context(), p)
}

// A build warns of what --check finds, with the same place and the same page.
func TestWarn(t *testing.T) {
	const root = "the app runs as root, though mcr.microsoft.com/dotnet/runtime:10.0 has user 1654 for it: set " +
		"image.user to 1654"
	inProject := app(gatewaytest.Item{"ContainerUser": "root"})
	inProject.Say("app/app.csproj", "<Project>", "<ContainerUser>root</ContainerUser>", "</Project>")
	noSpec := app(gatewaytest.Item{"ContainerUser": "root"})
	delete(noSpec.Options, "filename")
	delete(noSpec.Context, "crosshull.yaml")
	for _, tc := range []struct {
		name, target string
		c            *gatewaytest.Client
		want         []string
	}{
		{"nothing", "", app(nil), nil},
		{"of the spec", "", app(nil, "image: {user: root}"), []string{
			"crosshull.yaml:2 RootUser: " + root + " (line 2)",
		}},
		{"of a project", "", inProject, []string{"app/app.csproj:2 RootUser: app/app.csproj:2: " + root}},
		{"without a spec", "", noSpec, []string{": RootUser: " + root}},
		{"of files", "publish", app(nil, "image: {user: root}"), nil},
		{"of no image", "sbom", app(nil, "image: {user: root}"), nil},
		{"AOT", "", app(gatewaytest.Item{"PublishAot": "true"}), []string{
			"crosshull.yaml:1 RuntimeMismatch: mcr.microsoft.com/dotnet/runtime:10.0 has a runtime that the app never uses, " +
				"as it is published aot: use dotnet/runtime-deps, or set no base (line 1)",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.c.Set("target", tc.target)
			if err := warn(t, tc.c); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range tc.c.Warned() {
				at := w.SourceInfo.GetFilename() + ":"
				if len(w.Range) > 0 {
					at = fmt.Sprintf("%s%d", at, w.Range[0].Start.Line)
				}
				got = append(got, at+" "+w.Message)
				if w.URL == "" || len(w.Detail) == 0 {
					t.Errorf("%s explains nothing", w.Message)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("warned of\n%q\nwant\n%q", got, tc.want)
			}
		})
	}
}

// Where the user says so, a find ends the build.
func TestWarnFails(t *testing.T) {
	want{
		Says: "lint violation found for rules: RootUser", At: []string{"crosshull.yaml:3"},
	}.Check(t, warn(t, app(nil, "# check=error=true", "image: {user: root}")))
	inProject := app(gatewaytest.Item{"ContainerUser": "root"}, "# check=error=true")
	inProject.Say("app/app.csproj", "<Project>", "<ContainerUser>root</ContainerUser>", "</Project>")
	want{
		Says: "lint violation found for rules: RootUser", At: []string{"app/app.csproj:2"},
	}.Check(t, warn(t, inProject))
}
