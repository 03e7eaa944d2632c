package call_test

import (
	"encoding/json"
	"testing"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/report"
)

// Who decides about images: the spec by names and by versions, the project, or a named context.
func TestExplainsImages(t *testing.T) {
	const tool, base = "example.com/tool:1", "example.com/base:1"
	for _, tc := range []struct {
		name       string
		spec       []string
		project    string
		properties gatewaytest.Item
		want       map[string]string // by key: who decides
	}{
		{"by versions", []string{"sdk: {version: \"10.0\"}", "base: {family: noble}"}, "<Project />", nil, map[string]string{
			"sdk.image": "spec, crosshull.yaml:2", "base.image": "spec, crosshull.yaml:3",
		}},
		{"by names", []string{"sdk: {image: " + tool + ", toolchain: " + tool + "}", "base: {image: " + base + "}"},
			"<Project />", gatewaytest.Item{"ContainerBaseImage": base, "PublishAot": "true"}, map[string]string{
				"sdk.image": "spec, crosshull.yaml:2", "sdk.toolchain": "spec, crosshull.yaml:2",
				"base.image": "spec, crosshull.yaml:3",
			}},
		{"by the project's family", nil, "<ContainerFamily>noble</ContainerFamily>", nil, map[string]string{
			"base.image": "project, app/app.csproj:1 (ContainerFamily)",
		}},
		{"by the project's name", nil, "<ContainerBaseImage>x</ContainerBaseImage>", nil, map[string]string{
			"base.image": "project, app/app.csproj:1 (ContainerBaseImage)",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Spec(tc.spec...)
			c.Say("app/app.csproj", tc.project)
			c.Images[tool], c.Images[base] = gatewaytest.Multi(), gatewaytest.Multi()
			c.Describe(gatewaytest.App("app/app.csproj", tc.properties))
			res, err := ask(t.Context(), t, c, "explain")
			if err != nil {
				t.Fatal(err)
			}
			var explained report.Explanation
			if err := json.Unmarshal(res.Metadata["result.json"], &explained); err != nil {
				t.Fatal(err)
			}
			for _, v := range explained.Apps[0].Values {
				if want, ok := tc.want[v.Key]; ok && v.From+", "+v.At != want {
					t.Errorf("%s is decided by %s, %s, want %s", v.Key, v.From, v.At, want)
				}
				delete(tc.want, v.Key)
			}
			if len(tc.want) > 0 {
				t.Errorf("nothing is said of %q", tc.want)
			}
		})
	}
}
