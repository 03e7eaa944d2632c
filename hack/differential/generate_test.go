package differential

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// The same recipe gives the same repository and the same edits.
func TestGenerateAgain(t *testing.T) {
	for seed := range uint64(200) {
		r := Recipe{Seed: seed}
		a, b := Generate(r), Generate(r)
		if !maps.Equal(a.Tree, b.Tree) || !maps.Equal(a.Host, b.Host) || a.Publish != b.Publish ||
			!slices.Equal(a.Features, b.Features) {
			t.Fatalf("seed %d gives two repositories", seed)
		}
		for n := 1; n < 6; n++ {
			ta, what := Edit(r, n, a)
			tb, again := Edit(r, n, b)
			if !maps.Equal(ta, tb) || what != again {
				t.Fatalf("edit %d of seed %d gives %q and %q", n, seed, what, again)
			}
		}
	}
}

// Each feature and each kind of edit comes up, and edits do something.
func TestGenerateAll(t *testing.T) {
	had, done, sizes := map[string]int{}, map[string]int{}, map[int]int{}
	for seed := range uint64(500) {
		r := Recipe{Seed: seed}
		repo := Generate(r)
		for _, name := range repo.Features {
			had[name]++
		}
		count := 0
		for name := range repo.Tree {
			if path.Ext(name) == ".csproj" {
				count++
			}
		}
		sizes[count]++
		for n := 1; n < 5; n++ {
			tree, what := Edit(r, n, repo)
			kind, _, _ := strings.Cut(what, ":")
			done[kind]++
			if maps.Equal(tree, repo.Tree) && !strings.HasPrefix(kind, "switch") {
				t.Errorf("edit %d of seed %d does nothing: %s", n, seed, what)
			}
			repo.Tree = tree
		}
	}
	for _, name := range Features() {
		if had[name] < 5 {
			t.Errorf("%d of 500 repositories have %s", had[name], name)
		}
	}
	for _, k := range kinds {
		if done[k.name] < 5 {
			t.Errorf("%d edits are to %s", done[k.name], k.name)
		}
	}
	if small := sizes[2] + sizes[3] + sizes[4] + sizes[5] + sizes[6]; small < 250 {
		t.Errorf("%d of 500 repositories are small: %v", small, sizes)
	}
}

// A project file is XML, whatever the names of files are, but for those that are broken on purpose.
func TestGenerateXML(t *testing.T) {
	for seed := range uint64(300) {
		for name, f := range Generate(Recipe{Seed: seed}).Tree {
			if !slices.Contains([]string{".csproj", ".props", ".targets", ".slnx", ".resx"}, path.Ext(name)) ||
				strings.Contains(name, "NoXml") {
				continue
			}
			dec := xml.NewDecoder(strings.NewReader(f.Data))
			dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
			for {
				if _, err := dec.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Errorf("seed %d, %s: %v\n%s", seed, name, err, f.Data)
					break
				}
			}
		}
	}
}

// Features that are named are the ones that there are, and each stands alone.
func TestGenerateNamed(t *testing.T) {
	for _, name := range Features() {
		repo := Generate(Recipe{Seed: 7, Projects: 3, Features: []string{name}})
		if len(repo.Features) > 1 || len(repo.Features) == 1 && repo.Features[0] != name {
			t.Errorf("asked for %s, got %v", name, repo.Features)
		}
	}
	if repo := Generate(Recipe{Seed: 7, Features: []string{}}); len(repo.Features) > 0 {
		t.Errorf("asked for none, got %v", repo.Features)
	}
}

func TestRecipe(t *testing.T) {
	for _, r := range []Recipe{
		{},
		{Seed: 17},
		{Seed: 18446744073709551615, Projects: 3, Features: []string{"links", "resx"}, Mode: "apphost", Edits: []int{2, 1}},
		{Seed: 1, Features: []string{}},
	} {
		got, err := ParseRecipe(r.String())
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != r.String() || (got.Features == nil) != (r.Features == nil) {
			t.Errorf("got %s, want %s", got, r)
		}
	}
	for _, text := range []string{"17", "-seed x", "-features nothing", "-edits 0", "-edits x"} {
		if _, err := ParseRecipe(text); err == nil {
			t.Errorf("%q is no recipe", text)
		}
	}
}

func TestRelative(t *testing.T) {
	for _, tc := range []struct{ dir, name, want string }{
		{"src/App", "shared/a.txt", "../../shared/a.txt"},
		{"src/App", "src/Lib/Lib.csproj", "../Lib/Lib.csproj"},
		{"src/App", "src/App/a.txt", "a.txt"},
		{"src/App", "src/App/b/a.txt", "b/a.txt"},
		{".", "src/App/a.txt", "src/App/a.txt"},
		{"src", "a.txt", "../a.txt"},
	} {
		if got := relative(tc.dir, tc.name); got != tc.want {
			t.Errorf("from %s to %s: got %s, want %s", tc.dir, tc.name, got, tc.want)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, tc := range []struct {
		publish Publish
		spec    string
		want    []string
	}{
		{
			Publish{App: "src/App/App.csproj", Project: "src/App", Mode: "portable"},
			"project: \"src/App\"\npublish: {mode: portable}\n",
			[]string{"/source/src/App/App.csproj", "-nologo", "-p:UseAppHost=false", "-p:EnableAppHostPackDownload=false"},
		},
		{
			Publish{App: "App.csproj", Project: "build/Shop.slnx", Mode: "apphost", Framework: "net9.0"},
			"project: \"build/Shop.slnx\"\nframework: net9.0\npublish: {mode: apphost}\n",
			[]string{"/source/App.csproj", "-nologo", "-p:TargetFramework=net9.0", "-p:SolutionDir=/source/build/",
				"-p:SolutionExt=.slnx",
				"-p:SolutionFileName=Shop.slnx", "-p:SolutionName=Shop", "-p:SolutionPath=/source/build/Shop.slnx"},
		},
		{
			Publish{App: "App.csproj", Mode: "self-contained"},
			"publish: {mode: self-contained}\n",
			[]string{"/source/App.csproj", "-nologo", "-r", "linux-x64", "-p:SelfContained=true"},
		},
		{Publish{App: "App.csproj", Mode: "portable", Unsaid: true}, "", []string{"/source/App.csproj", "-nologo",
			"-p:UseAppHost=false", "-p:EnableAppHostPackDownload=false"}},
	} {
		if got := tc.publish.Arguments("/source"); !slices.Equal(got, tc.want) {
			t.Errorf("got %q, want %q", got, tc.want)
		}
		if got := tc.publish.Spec(); got != tc.spec {
			t.Errorf("got %q, want %q", got, tc.spec)
		}
	}
}
