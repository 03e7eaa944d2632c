package tree_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

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
	rest := xllb.Reads{Exclude: []string{
		"app", "app/bin/Debug", "app/bin/Release", "app/obj", "lib/bin/Debug", "lib/bin/Release", "lib/obj", "**/.git",
		"made.txt", // else the file of the context would take its place
	}}
	for _, tc := range []struct {
		name  string
		c     *gatewaytest.Client
		given xllb.Reads
		want  []string
		read  files
		rest  xllb.Reads // what is added of the context
	}{
		{"of everything but some", before.client(), xllb.Reads{Exclude: []string{"README.md"}},
			[]string{"README.md", "app", "app/app.csproj", "app/made.props", "made.txt"},
			files{"app/app.csproj": "changed", "app/made.props": "3"},
			xllb.Reads{Include: []string{"README.md"}, Exclude: []string{"**/.git"}}},
		{"of some", before.client(), xllb.Reads{Include: []string{"app"}},
			[]string{"README.md", "app", "app/app.csproj", "app/made.props", "lib", "lib/lib.csproj", "made.txt", "web",
				"web/a.js"},
			files{"app/app.csproj": "changed", "app/made.props": "3", "lib/lib.csproj": "2"},
			rest},
		{"of some of a large context", before.large(), xllb.Reads{Include: []string{"app"}},
			[]string{"README.md", "app", "app/app.csproj", "app/made.props", "data", "data/" + big, "lib", "lib/lib.csproj",
				"made.txt", "web", "web/a.js"},
			files{"app/app.csproj": "changed", "app/made.props": "3", "lib/lib.csproj": "2"},
			rest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			after := fstest.MapFS{}
			for name, text := range left {
				after[name] = &fstest.MapFile{Data: []byte(text)}
			}
			tc.c.Step(gatewaytest.Step{Name: "[before] command", Files: after})
			req := open(t, tc.c)
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
			states := []llb.State{got.Context}
			if got.Part != nil {
				states = append(states, got.Part("a part", xllb.Reads{}))
			}
			for _, of := range states {
				if rest := addedTo(t, of); !slices.Equal(rest.Include, tc.rest.Include) ||
					!slices.Equal(rest.Exclude, tc.rest.Exclude) {
					t.Errorf("%q is added, want %q", rest, tc.rest)
				}
			}
			if len(got.Files) != len(tc.read) {
				t.Errorf("%d project files are read, want %d", len(got.Files), len(tc.read))
			}
		})
	}
}

// addedTo gives what is added to what commands left: the last copy of a state.
func addedTo(t *testing.T, st llb.State) (rest xllb.Reads) {
	t.Helper()
	def, err := st.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		for _, a := range op.GetFile().GetActions() {
			rest = xllb.Reads{Include: a.GetCopy().GetIncludePatterns(), Exclude: a.GetCopy().GetExcludePatterns()}
		}
	}
	return rest
}
