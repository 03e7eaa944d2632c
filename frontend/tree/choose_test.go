package tree

import (
	"os"
	"path"
	"slices"
	"testing"

	"github.com/moby/patternmatcher"

	xllb "github.com/crosshull/crosshull/llb"
)

// contextOf is a tree of files, and of the folders that they are in. A name that ends in a slash is an empty folder.
func contextOf(files ...string) *Tree {
	seen := map[string]Name{}
	for _, name := range files {
		n := Name{Path: path.Clean(name), Size: 1}
		if path.Clean(name) != name {
			n.Mode = os.ModeDir
		}
		seen[n.Path] = n
		for dir := path.Dir(n.Path); dir != "."; dir = path.Dir(dir) {
			seen[dir] = Name{Path: dir, Mode: os.ModeDir}
		}
	}
	t := &Tree{}
	for _, n := range seen {
		t.Names = append(t.Names, n)
	}
	sortNames(t.Names)
	return t
}

// A part is few literal paths, whatever the patterns of the steps are.
func TestChoose(t *testing.T) {
	all := contextOf(
		"src/app/app.csproj", "src/app/a.cs", "src/app/bin/x.dll", "src/app/obj/x.json", "src/app/wwwroot/x.css",
		"src/lib/lib.csproj", "src/lib/b.cs", "src/lib/sub/obj/x", "src/other/c.cs", "src/app.txt", "src/app-two/d.cs",
		"eng/a.props", "eng/b.props", "tools/t.sh", "tools/readme", "empty/", "[odd] name/x.cs", "README.md",
	)
	outputs := []string{"src/app/bin", "src/app/obj", "src/app/app.csproj.user", "none/obj"}
	for _, tc := range []struct {
		name  string
		reads []xllb.Reads
		want  choice
	}{
		{"nothing", nil, choice{}},
		{"what is not there", []xllb.Reads{{Include: []string{"x", "src/app/none", "**/none.cs"}}}, choice{}},
		{"all", []xllb.Reads{{Exclude: outputs}}, choice{All: true, Except: []string{"src/app/bin", "src/app/obj"}}},
		{"all, by a pattern", []xllb.Reads{{Include: []string{"**"}}}, choice{All: true}},
		{"all, by a folder", []xllb.Reads{{Include: []string{"."}}}, choice{All: true}},
		{"all by parts", []xllb.Reads{{Include: []string{"src", "eng", "tools", "empty", `\[odd\] name`, "README.md"}}},
			choice{All: true}},
		{"folders", []xllb.Reads{{Include: []string{"src/app", "src/app/wwwroot", "src/lib", "empty"}, Exclude: outputs}},
			choice{Folders: []string{"empty", "src/app", "src/lib"}, Except: []string{"src/app/bin", "src/app/obj"}}},
		{"files", []xllb.Reads{{Include: []string{"tools/t.sh", "src/app/a.cs"}}},
			choice{Files: []string{"src/app/a.cs", "tools/t.sh"}}},
		{"all files of a folder", []xllb.Reads{{Include: []string{"eng/a.props", "eng/b.props", "tools/t.sh"}}},
			choice{Folders: []string{"eng"}, Files: []string{"tools/t.sh"}}},
		{"all but outputs", []xllb.Reads{{Include: []string{"src/app/app.csproj", "src/app/a.cs", "src/app/wwwroot"}}},
			choice{Folders: []string{"src/app/wwwroot"}, Files: []string{"src/app/a.cs", "src/app/app.csproj"}}},
		{"names anywhere", []xllb.Reads{{Include: []string{"**/x.json", "**/*.props"}}},
			choice{Folders: []string{"eng", "src/app/obj"}}},
		{"a wildcard in what is wanted", []xllb.Reads{{Include: []string{"src/app/**/*.css", "src/app"}}},
			choice{Folders: []string{"src/app"}}},
		{"characters that mean something", []xllb.Reads{{Include: []string{`\[odd\] name`}}},
			choice{Folders: []string{"[odd] name"}}},
		{"what another step reads", []xllb.Reads{
			{Include: []string{"src/app"}, Exclude: outputs}, {Include: []string{"src/app/obj/x.json"}},
		}, choice{Folders: []string{"src/app"}, Except: []string{"src/app/bin"}}},
		{"what a pattern of another step may match", []xllb.Reads{
			{Include: []string{"src/app"}, Exclude: outputs}, {Include: []string{"src/*/x.dll"}},
		}, choice{Folders: []string{"src/app"}}},
		{"an exception", []xllb.Reads{
			{Include: []string{"src/app"}, Exclude: []string{"src/app/bin", "**/*.cs", "!src/app/bin", "src/app/obj"}},
		}, choice{Folders: []string{"src/app"}, Except: []string{"src/app/obj"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := choose(all, tc.reads)
			if got.All != tc.want.All || !slices.Equal(got.Folders, tc.want.Folders) ||
				!slices.Equal(got.Files, tc.want.Files) || !slices.Equal(got.Except, tc.want.Except) {
				t.Errorf("chosen\n%+v\nwant\n%+v", got, tc.want)
			}
			holdsAll(t, all, tc.reads, got)
		})
	}
}

// holdsAll checks that a part has all that steps read.
func holdsAll(t *testing.T, all *Tree, reads []xllb.Reads, c choice) {
	t.Helper()
	has := map[string]bool{}
	for _, n := range c.files(all) {
		has[n.Path] = true
	}
	for _, r := range reads {
		matches := func(patterns []string, name string) bool {
			ok, err := patternmatcher.MatchesOrParentMatches(name, patterns)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		for _, n := range all.Names {
			read := len(r.Include) == 0 || matches(r.Include, n.Path)
			if n.Mode.IsRegular() && read && !matches(r.Exclude, n.Path) && !has[n.Path] {
				t.Errorf("it lacks %s", n.Path)
			}
		}
	}
}

func TestCovers(t *testing.T) {
	c := choice{Folders: []string{"eng", "src/app"}, Files: []string{"a", "b"}}
	for _, tc := range []struct {
		other choice
		want  bool
	}{
		{choice{}, true},
		{choice{Folders: []string{"eng/x"}, Files: []string{"b", "src/app/x/y"}}, true},
		{choice{Folders: []string{"src"}}, false},
		{choice{Files: []string{"c"}}, false},
		{choice{All: true}, false},
	} {
		if got := c.covers(tc.other); got != tc.want {
			t.Errorf("that it covers %+v is %v", tc.other, got)
		}
	}
	if c.Except = []string{"eng/x"}; c.covers(choice{Folders: []string{"eng"}}) {
		t.Error("it covers what it lacks")
	}
	if !(choice{All: true}).covers(choice{Folders: []string{"src"}}) {
		t.Error("everything does not cover a folder")
	}
}
