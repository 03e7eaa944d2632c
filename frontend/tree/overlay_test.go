package tree_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
)

// What commands leave takes the place of what they had. All else stays as it is in the context.
func TestOverlay(t *testing.T) {
	before := files{
		"app/app.csproj": "1", "app/gone.cs": "x", "app/obj/project.assets.json": "x", "web/a.js": "x", "README.md": "x",
		"made.txt": "of the context", "lib/lib.csproj": "2",
	}
	left := files{"app/app.csproj": "changed", "app/made.props": "3", "made.txt": "of a command"}
	for _, tc := range []struct {
		name  string
		given xllb.Reads
		want  []string
		read  files
	}{
		{"of everything but some", xllb.Reads{Exclude: []string{"README.md"}},
			[]string{"README.md", "app", "app/app.csproj", "app/made.props", "made.txt"},
			files{"app/app.csproj": "changed", "app/made.props": "3"}},
		{"of some", xllb.Reads{Include: []string{"app"}},
			[]string{"README.md", "app", "app/app.csproj", "app/made.props", "lib", "lib/lib.csproj", "made.txt", "web",
				"web/a.js"},
			files{"app/app.csproj": "changed", "app/made.props": "3", "lib/lib.csproj": "2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := before.client()
			after := fstest.MapFS{}
			for name, text := range left {
				after[name] = &fstest.MapFile{Data: []byte(text)}
			}
			c.Step(gatewaytest.Step{Name: "[before] command", Files: after})
			req := open(t, c)
			of, err := tree.Read(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			st := llb.Scratch().Run(llb.Shlex("x"), llb.WithCustomName("[before] command")).AddMount("/source", of.Context)
			got, err := of.Changed(t.Context(), req, st, tc.given)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, n := range got.Names {
				names = append(names, n.Path)
			}
			if !slices.Equal(names, tc.want) {
				t.Errorf("names are %q, want %q", names, tc.want)
			}
			for name, text := range tc.read {
				if string(got.Files[name]) != text {
					t.Errorf("%s is %q, want %q", name, got.Files[name], text)
				}
			}
			if len(got.Files) != len(tc.read) {
				t.Errorf("%d project files are read, want %d", len(got.Files), len(tc.read))
			}
		})
	}
}
