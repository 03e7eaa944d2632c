package dotnet

import (
	"slices"
	"strings"
	"testing"
)

func testLinks(pairs ...string) Links {
	l := Links{}
	for i := 0; i < len(pairs); i += 2 {
		l.Add(pairs[i], pairs[i+1])
	}
	return l
}

func TestLinksResolve(t *testing.T) {
	links := testLinks("libs", "real", "real/old", "new", "a/up", "../b", "a/out", "../../x", "a/abs", "/etc", "loop",
		"loop/loop", "all", ".")
	for p, want := range map[string]string{
		"src/a.cs":       "src/a.cs",
		"libs/x/x.cs":    "real/x/x.cs",
		"libs/old/x.cs":  "real/new/x.cs",
		"a/up":           "b",
		"a/out/x":        "a/out/x",
		"a/abs/x":        "a/abs/x",
		"all/src/a.cs":   "src/a.cs",
		"libsother/x.cs": "libsother/x.cs",
	} {
		if got := links.Resolve(p); got != want {
			t.Errorf("%s: got %s, want %s", p, got, want)
		}
	}
	links.Resolve("loop/x") // ends
}

// If an app reads through links, it gets what they lead to, and nothing else from there.
func TestFollow(t *testing.T) {
	links := testLinks(
		"libs", "real", // the path of a project goes through it
		"src/app/One.cs", "../../shared/One.cs",
		"src/app/more", "../../shared/more",
		"shared/more/far", "../../far[1]",
		"Directory.Build.props", "eng/common.xml",
		"eng/common.xml", "base.xml",
		"docs", "site/docs",
		"src/other/x.cs", "../../secret/x.cs",
		"loop", "loop/loop",
	)
	app := &App{Closure: []Node{
		{Path: "libs/lib/lib.csproj", reach: reach{reachKnown: true}, Reads: Reads{Existing: []string{"docs/api", "docs"}}},
		{Path: "src/app/app.csproj", reach: reach{reachKnown: true, publishReach: []string{"loop/x", "libs/words.txt"}}},
	}}
	app.Follow(links)
	restore, publish := RestoreFiles(app.Closure, Settings{"real/lib/build/x.props"}), PublishFiles(app.Closure)
	for _, want := range []string{"libs", "real/lib/lib.csproj", "real/lib/build/x.props", "eng/common.xml",
		"eng/base.xml", "docs"} {
		if !slices.Contains(restore, want) {
			t.Errorf("restore misses %s: %q", want, restore)
		}
	}
	for _, want := range []string{"libs", "real/lib", "shared/One.cs", "shared/more", `far\[1\]`, "eng/common.xml",
		"eng/base.xml", "libs/words.txt", "real/words.txt"} {
		if !slices.Contains(publish, want) {
			t.Errorf("publish misses %s: %q", want, publish)
		}
	}
	for _, p := range append(restore, publish...) {
		if p == "real" || strings.HasPrefix(p, "site") || strings.HasPrefix(p, "secret") {
			t.Errorf("%s is read, and nothing leads to it", p)
		}
	}
	for _, p := range restore {
		if strings.HasSuffix(p, ".cs") {
			t.Errorf("restore reads %s", p)
		}
	}
	// A folder that a project looks for is there where the link leads, and the link stays one.
	if folders := Folders(app.Closure); !slices.Equal(folders, []string{"site/docs", "site/docs/api"}) {
		t.Errorf("folders %q", folders)
	}
	projects := links.ProjectFiles()
	for _, want := range []string{"libs", "docs", "eng/common.xml", "eng/base.xml"} {
		if !slices.Contains(projects, want) {
			t.Errorf("describe misses %s: %q", want, projects)
		}
	}
	if slices.Contains(projects, "real") || slices.Contains(projects, "shared/One.cs") {
		t.Errorf("describe reads sources: %q", projects)
	}
}
