package dotnet

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// reading is MSBuild's answer for a project that reads files, and folders, whose names end with a slash.
func reading(t *testing.T, project string, reads ...string) Node {
	t.Helper()
	files, folders := []Read{}, []Read{}
	for _, p := range reads {
		if folder, ok := strings.CutSuffix(p, "/"); ok {
			folders = append(folders, Read{Path: folder})
		} else {
			files = append(files, Read{Path: p})
		}
	}
	dt, err := json.Marshal(map[string]any{"path": project, "files": files, "folders": folders})
	if err != nil {
		t.Fatal(err)
	}
	return told(t, string(dt))[0]
}

func TestHousekeeping(t *testing.T) {
	files := Files{"app.csproj": nil, "web/web.csproj": nil}
	idle := func(name string) bool {
		return idleOf(t, files, []string{name}, reading(t, "app.csproj")) != ""
	}
	for _, name := range []string{
		"crosshull.yaml", "crosshull.yaml.dockerignore", "deploy/shop.crosshull.yml", "deploy/prod.yaml",
		"deep/down/.dockerignore", "Dockerfile", "Dockerfile.arm64", "web.Dockerfile", "Containerfile", "compose.yaml",
		"compose.override.yml", "compose.json", "docker-compose.yml", "docker-bake.hcl", "docker-bake.override.json",
		"skaffold.yaml", "README.md", "readme.txt", "README", "CHANGELOG.md", ".gitignore", ".gitattributes",
		".gitlab-ci.yml", ".github/workflows/ci.yml", "azure-pipelines.yml", "azure-pipelines-2.yml", "Jenkinsfile",
		".vscode/settings.json", "web/Dockerfile", "web/README.md", "web/.gitignore", "web/.idea/x/y.xml",
	} {
		if !idle(name) {
			t.Errorf("%s is a source", name)
		}
	}
	for _, name := range []string{
		".editorconfig", ".globalconfig", "appsettings.json", "version.json", "GitVersion.yml", "Program.cs",
		"app.yaml", "data.json", "global.json", "Directory.Build.props", "config/prod.yml", "docs/README.md",
		"docs/.github/x.yml", "other/Dockerfile", "lib/compose.yaml", "web/bin/README.md", "compose.cs", "LICENSE",
		"stylecop.json", "Readme.razor.css", "web/Readme.razor.js", "web/Dockerfile.cshtml.css",
		".config/dotnet-tools.json",
	} {
		if idle(name) {
			t.Errorf("%s is no source", name)
		}
	}
}

// If the user keeps .git, files that git reads are kept too. A submodule or a worktree has a file with that name.
func TestKeptGit(t *testing.T) {
	for keep, want := range map[bool]string{
		false: ".git .gitattributes .gitignore .gitmodules README.md sub/.git",
		true:  "README.md",
	} {
		h := Housekeeping{Git: keep}
		for _, name := range []string{".git", ".gitmodules", ".gitignore", ".gitattributes", "sub/.git", "README.md"} {
			h.Add(name)
		}
		h.AddProjects(Files{"app.csproj": nil, "sub/sub.csproj": nil})
		idle := h.Idle([]Node{reading(t, "app.csproj")}, nil, Project{}, nil)
		if got := strings.Join(idle, " "); got != want {
			t.Errorf("kept is %v, and no sources are %q, want %q", keep, got, want)
		}
	}
}

// idleOf returns the files among names that a project does not use.
func idleOf(t *testing.T, files Files, names []string, nodes ...Node) string {
	t.Helper()
	h := Housekeeping{Spec: "prod.yaml"}
	for _, name := range names {
		h.Add(name)
	}
	h.AddProjects(files)
	return strings.Join(h.Idle(nodes, nil, Project{}, nil), " ")
}

// What a project reads is a source, as MSBuild says. If it does not know, all files are.
func TestIdleHousekeeping(t *testing.T) {
	names := []string{"README.md", "NOTES.md", "prod.yaml", ".github/a.yml", ".github/b.md", "lib/README.md"}
	const all = ".github NOTES.md README.md lib/README.md prod.yaml"
	files := Files{"app.csproj": nil, "lib/lib.csproj": nil}
	unknown, tools := reading(t, "app.csproj"), reading(t, "app.csproj")
	unknown.reachKnown = false
	tools.runsTools = true
	both := reading(t, "app.csproj", "prod.yaml")
	both.runsTools = true
	for _, tc := range []struct {
		name, idle string
		nodes      []Node
	}{
		{"nothing", all, []Node{reading(t, "app.csproj")}},
		{"no project", all, nil},
		{"a file", ".github NOTES.md lib/README.md prod.yaml", []Node{reading(t, "app.csproj", "README.md")}},
		{"a file of another project", ".github NOTES.md README.md prod.yaml",
			[]Node{reading(t, "app.csproj"), reading(t, "lib/lib.csproj", "lib/README.md")}},
		{"a file that is not there", all, []Node{reading(t, "app.csproj", "CHANGELOG.md", "lib/NOTES.md")}},
		{"a folder", ".github NOTES.md README.md prod.yaml", []Node{reading(t, "app.csproj", "lib/")}},
		{"a folder of housekeeping", "NOTES.md README.md lib/README.md prod.yaml",
			[]Node{reading(t, "app.csproj", ".github/")}},
		{"a file in that folder", "NOTES.md README.md lib/README.md prod.yaml",
			[]Node{reading(t, "app.csproj", ".github/b.md")}},
		{"the spec", ".github NOTES.md README.md lib/README.md", []Node{reading(t, "app.csproj", "prod.yaml")}},
		{"a project in that folder", "NOTES.md README.md lib/README.md prod.yaml",
			[]Node{reading(t, ".github/tool/tool.csproj")}},
		{"a tool, which may read anything but the spec", "prod.yaml", []Node{reading(t, "lib/lib.csproj"), tools}},
		{"a tool that reads the spec", "", []Node{both}},
		{"what MSBuild does not know", "", []Node{reading(t, "lib/lib.csproj"), unknown}},
	} {
		if got := idleOf(t, files, names, tc.nodes...); got != tc.idle {
			t.Errorf("%s: %q is idle, want %q", tc.name, got, tc.idle)
		}
	}
}

// MSBuild is asked about all that may be idle.
func TestDoubtful(t *testing.T) {
	var h Housekeeping
	if got := h.Doubtful(); len(got) > 0 {
		t.Errorf("of nothing, %q is doubtful", got)
	}
	for _, name := range []string{
		"lib/README.md", "README.md", "docs/other.md", ".github/x.md", "lib/obj/README.md", "deploy/crosshull.yaml", "a.cs",
	} {
		h.Add(name)
	}
	h.AddProjects(Files{"lib/lib.csproj": nil})
	want := []string{".github/x.md", "README.md", "deploy/crosshull.yaml", "lib/README.md"}
	if got := h.Doubtful(); !slices.Equal(got, want) {
		t.Errorf("%q is doubtful, want %q", got, want)
	}
}

// What the user names is a source. So is the target of a link that is a source.
func TestNamedHousekeeping(t *testing.T) {
	const all = ".github AGENTS.md CLAUDE.md a[1].md"
	notes := Project{Properties: map[string]string{"Notes": "x/AGENTS.md"}}
	claude := func(more ...string) Links { return testLinks(append(more, "CLAUDE.md", "AGENTS.md")...) }
	for _, tc := range []struct {
		name, idle string
		links      Links
		project    Project
		inputs     []string
	}{
		{"nothing", all, nil, Project{}, nil},
		{"an input", ".github AGENTS.md CLAUDE.md", nil, Project{}, []string{"./a[1].md"}},
		{"a folder", "AGENTS.md CLAUDE.md a[1].md", nil, Project{}, []string{".github"}},
		{"a file in a folder", "AGENTS.md CLAUDE.md a[1].md", nil, Project{}, []string{".github/x.md"}},
		{"everything", "", nil, Project{}, []string{"."}},
		{"a property", ".github CLAUDE.md a[1].md", nil, notes, nil},
		{"a link that is idle", all, claude(), Project{}, nil},
		{"a link that is named", ".github a[1].md", claude(), Project{}, []string{"CLAUDE.md"}},
		{"links of links", ".github a[1].md", claude("x", "y", "y", "CLAUDE.md"), Project{}, nil},
		{"a link to a file", ".github CLAUDE.md a[1].md", testLinks("docs/index.md", "../AGENTS.md"), Project{}, nil},
		{"a link into a folder", "AGENTS.md CLAUDE.md a[1].md", testLinks("x.md", ".github/x.md"), Project{}, nil},
		{"a link in a folder", all, testLinks(".github/y.md", "../AGENTS.md"), Project{}, nil},
		{"a link to all", "", testLinks("loop", "."), Project{}, nil},
	} {
		var h Housekeeping
		for _, name := range []string{"AGENTS.md", "CLAUDE.md", "a[1].md", ".github/x.md", ".github/y.md"} {
			h.Add(name)
		}
		h.AddProjects(Files{"app.csproj": nil})
		idle := h.Idle([]Node{reading(t, "app.csproj")}, tc.links, tc.project, tc.inputs)
		if got := strings.ReplaceAll(strings.Join(idle, " "), `\`, ""); got != tc.idle {
			t.Errorf("%s: %q is idle, want %q", tc.name, got, tc.idle)
		}
	}
}
