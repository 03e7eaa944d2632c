package llb

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// contextCopies are the copies of a graph from the context.
func contextCopies(t *testing.T, st llb.State) []*pb.FileActionCopy {
	t.Helper()
	var copies []*pb.FileActionCopy
	for _, dt := range marshal(t, st).Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		for _, action := range op.GetFile().GetActions() {
			c := action.GetCopy()
			outputs := func(p string) bool { return strings.HasSuffix(p, "/obj") } // nobody else leaves them out
			if c != nil && slices.ContainsFunc(c.ExcludePatterns, outputs) {
				copies = append(copies, c)
			}
		}
	}
	return copies
}

// A copy of the whole context into an image lacks what git keeps, whether the steps that build have it or not. What an
// entry names is copied, and what a named context has.
func TestFilesLeaveOutGit(t *testing.T) {
	for _, tc := range []struct {
		file spec.File
		out  bool
	}{
		{spec.File{From: spec.Paths{"."}, To: "/a"}, true},
		{spec.File{From: spec.Paths{"./"}, To: "/a", Mode: "0755"}, true},
		{spec.File{From: spec.Paths{"src/.."}, To: "/a"}, true},
		{spec.File{From: spec.Paths{".git"}, To: "/a"}, false},
		{spec.File{From: spec.Paths{"src"}, To: "/a"}, false},
		{spec.File{Context: "extra", From: spec.Paths{"."}, To: "/a"}, false},
		{spec.File{Context: "extra", To: "/a"}, false},
	} {
		for _, exclude := range [][]string{nil, dotnet.GitDirs()} {
			b := builder()
			b.Exclude = exclude
			layer, err := b.Files(entries(b, llb.Local("extra"), tc.file), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			var copies []*pb.FileActionCopy
			for _, dt := range marshal(t, layer.State).Def {
				var op pb.Op
				if err := op.UnmarshalVT(dt); err != nil {
					t.Fatal(err)
				}
				for _, action := range op.GetFile().GetActions() {
					copies = append(copies, action.GetCopy())
				}
			}
			if len(copies) != 1 || slices.Equal(copies[0].ExcludePatterns, dotnet.GitDirs()) != tc.out {
				t.Errorf("%v: %v", tc.file, copies)
			}
		}
	}
}

// Every step that has sources lacks what is none of them, and every one that has anything of the context what git
// keeps.
func TestSourcesLeaveOut(t *testing.T) {
	app := slicedApp()
	b := builder()
	b.Exclude = dotnet.GitDirs()
	b.Housekeeping = dotnet.Housekeeping{Spec: "crosshull.yaml"}
	b.Housekeeping.Add("src/web/README.md")
	b.Housekeeping.AddProjects(dotnet.Files{"src/web/web.csproj": []byte("<Project />")})
	restored, err := b.Restore([]*dotnet.App{app}, nil)
	if err != nil {
		t.Fatal(err)
	}
	published, err := b.Publish(app, restored, "", dotnet.CompressBefore)
	if err != nil {
		t.Fatal(err)
	}
	tested, err := b.Test(app, dotnet.TestRun{}, restored)
	if err != nil {
		t.Fatal(err)
	}
	described, err := b.Describe(b.Project, []dotnet.Project{b.Project}, projectFiles, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		state   llb.State
		copies  int
		sources int
	}{
		"describe":  {described, 1, 0},
		"restore":   {restored.Tree, 1, 0},
		"publish":   {published, 6, 4}, // restore's, a slice's, those of the assets, and sources; of two what is made
		"test":      {tested, 5, 4},
		"workspace": {b.Workspace(app, restored), 3, 2},
	} {
		copies := contextCopies(t, tc.state)
		sources := 0
		for _, c := range copies {
			if !slices.Contains(c.ExcludePatterns, "**/.git") {
				t.Errorf("%s: git's files are among %q", name, c.IncludePatterns)
			}
			if slices.Contains(c.ExcludePatterns, "src/web/README.md") {
				sources++
			}
		}
		if len(copies) != tc.copies || sources != tc.sources {
			t.Errorf("%s: %d copies from the context, %d of them of sources, want %d and %d",
				name, len(copies), sources, tc.copies, tc.sources)
		}
	}
}
