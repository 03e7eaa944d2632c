package dotnet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// asked is MSBuild's answer for a project that uses sources and reaches paths.
func asked(t *testing.T, project string, sources, reached []string) Node {
	t.Helper()
	answers := []item{
		{"Item": "Project", "Identity": "/source/" + project},
		{"Item": "Reach", "Kind": reachDone, "Owner": "/source/" + project},
		{"Item": "Reach", "Kind": reachAsked, "Owner": "/source/" + project},
	}
	for _, s := range sources {
		answers = append(answers, item{
			"Item": "Reach", "Kind": reachSource, "Owner": "/source/" + project, "Identity": "/source/" + s,
		})
	}
	for _, r := range reached {
		answers = append(answers, item{
			"Item": "Reach", "Kind": reachItem, "Owner": "/source/" + project, "Identity": "/source/" + r,
		})
	}
	for _, a := range answers {
		a["Question"] = "0"
	}
	dt, err := json.Marshal(map[string]any{"Items": map[string]any{"Answer": answers}})
	if err != nil {
		t.Fatal(err)
	}
	descs, err := ParseDescription(dt, "/source", 1)
	if err != nil {
		t.Fatal(err)
	}
	return descs[0].App.Closure[0]
}

func TestHousekeeping(t *testing.T) {
	files := Files{"app.csproj": nil, "web/web.csproj": nil}
	idle := func(name string) bool {
		return idleOf(t, files, []string{name}, asked(t, "app.csproj", nil, nil)) != ""
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
		"stylecop.json",
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
		idle := h.Idle([]Node{asked(t, "app.csproj", nil, nil)}, nil, Project{}, nil)
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

// Whatever a project file names is a source: by name, by folder, by wildcard, or through a program that may read it.
func TestIdleHousekeeping(t *testing.T) {
	names := []string{"README.md", "NOTES.md", "crosshull.yaml", ".github/a.yml", ".github/b.md", "lib/README.md"}
	all := []string{".github", "NOTES.md", "README.md", "crosshull.yaml", "lib/README.md"}
	for _, tc := range []struct{ name, file, text, used string }{
		{"nothing", "app.csproj", property("AssemblyName", "app"), ""},
		{"a comment", "app.csproj", `<Project><!-- see README.md --></Project>`, ""},
		{"no XML", "app.csproj", "README.md", "README.md"},
		{"an item", "app.csproj", items(`Include="README.md"`), "README.md"},
		{"an item among others", "app.csproj", items(`Include="a.txt; .\NOTES.md;b.txt"`), "NOTES.md"},
		{"an update", "app.csproj", items(`Update="NOTES.md" CopyToPublishDirectory="Always"`), "NOTES.md"},
		{"a removal", "app.csproj", items(`Remove="README.md;**/*.md"`), ""},
		{"an exclusion", "app.csproj", items(`Include="**/*.txt" Exclude="*.md"`), ""},
		{"what is no item", "app.csproj", property("DefaultItemExcludes", "$(DefaultItemExcludes);**/*.md"), ""},
		{"of a package", "app.csproj", property("PackageReadmeFile", "README.md"), ""},
		{"a property", "app.csproj", property("Notes", "NOTES.md"), "NOTES.md"},
		{"a part of a path", "app.csproj", items(`Include="$(Root)/NOTES.md"`), "NOTES.md"},
		{"of items", "app.csproj", items(`Include="@(Y->'%(Directory)NOTES.md')"`), "NOTES.md"},
		{"a wildcard of items", "app.csproj", items(`Include="%(Y.Identity)/N*.md"`), "NOTES.md"},
		{"a wildcard", "app.csproj", items(`Include="*.md"`), "NOTES.md README.md"},
		{"in another case", "app.csproj", items(`Include="read??.MD"`), "README.md"},
		{"for the end", "app.csproj", items(`Include="README*"`), "README.md"},
		{"for folders", "app.csproj", items(`Include="**/README.md"`), "README.md lib/README.md"},
		{"a deep wildcard", "app.csproj", items(`Include="**\*.md"`), ".github NOTES.md README.md lib/README.md"},
		{"as on Windows", "app.csproj", items(`Include="**/*.*"`), strings.Join(all, " ")},
		{"a wildcard elsewhere", "app.csproj", items(`Include="docs/**"`), ""},
		{"a folder", "app.csproj", items(`Include=".github"`), ".github"},
		{"a file in a folder", "app.csproj", items(`Include=".github/a.yml"`), ".github"},
		{"the folder of the project", "app.csproj", target(`<Zip SourceDirectory="." />`), strings.Join(all, " ")},
		{"a folder's name", "app.csproj", property("RootNamespace", "lib"), ""},
		{"a command", "app.csproj", target(`<Exec Command="make" />`), ".github NOTES.md README.md lib/README.md"},
		{"a command of the spec", "app.csproj", target(`<Exec Command="cat" StandardInput="crosshull.yaml" />`),
			strings.Join(all, " ")},
		{"a task", "eng/x.targets", `<Project><UsingTask TaskName="X" AssemblyFile="x.dll" /></Project>`,
			".github NOTES.md README.md lib/README.md"},
		{"relative to the project", "eng/x.props", items(`Include="NOTES.md"`), "NOTES.md"},
		{"relative to the file", "lib/x.props", `<Project><Import Project="README.md" /></Project>`,
			"README.md lib/README.md"},
		{"a response file", "Directory.Build.rsp", "-p:Notes=NOTES.md", "NOTES.md"},
		{"a solution", "all.slnx", `<Solution><File Path="README.md" /></Solution>`, ""},
	} {
		if strings.Contains(string(ReachTargets(Files{tc.file: []byte(tc.text)}, "/source")), "DefaultItemExcludes") {
			t.Errorf("%s: what is left out is reached", tc.name)
		}
		files := Files{"app.csproj": []byte("<Project />"), "lib/lib.csproj": []byte("<Project />")}
		files[tc.file] = []byte(tc.text)
		nodes := []Node{asked(t, "app.csproj", nil, nil), asked(t, "lib/lib.csproj", nil, nil)}
		nodes[0].restoreReach = []string{"eng/x.props", "eng/x.targets", "lib/x.props"}
		idle := strings.Fields(idleOf(t, files, names, nodes...))
		used := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(idle, name) })
		if got := strings.Join(used, " "); got != tc.used {
			t.Errorf("%s: %q is used, want %q", tc.name, got, tc.used)
		}
	}
}

func items(attributes string) string {
	return "<Project><ItemGroup><X " + attributes + " /></ItemGroup></Project>"
}

func property(name, value string) string {
	return fmt.Sprintf("<Project><PropertyGroup><%[1]s>%[2]s</%[1]s></PropertyGroup></Project>", name, value)
}

func target(task string) string { return `<Project><Target Name="T">` + task + "</Target></Project>" }

// Items and paths from MSBuild's answer are sources. Without an answer, all files are.
func TestAnswersOfHousekeeping(t *testing.T) {
	names := []string{"README.md", "compose.json", ".github/a.yml"}
	files := Files{"app.csproj": []byte("<Project />")}
	unknown := asked(t, "app.csproj", nil, nil)
	unknown.sourcesKnown = false
	dark := asked(t, "app.csproj", nil, nil)
	dark.reachKnown = false
	for _, tc := range []struct {
		name, idle string
		node       Node
	}{
		{"nothing", ".github README.md compose.json", asked(t, "app.csproj", nil, nil)},
		{"an item", ".github README.md", asked(t, "app.csproj", []string{"compose.json"}, nil)},
		{"a path", ".github compose.json", asked(t, "app.csproj", nil, []string{"README.md"})},
		{"a wildcard", ".github compose.json", asked(t, "app.csproj", nil, []string{escapeWildcards("**/*.md")})},
		{"a folder", "README.md compose.json", asked(t, "app.csproj", nil, []string{".github"})},
		{"the context", "", asked(t, "app.csproj", nil, []string{""})},
		{"no answer", "", unknown},
		{"no answer of paths", "", dark},
		{"a project there", "README.md compose.json", asked(t, ".github/tool/tool.csproj", nil, nil)},
	} {
		if got := idleOf(t, files, names, tc.node); got != tc.idle {
			t.Errorf("%s: %q is idle, want %q", tc.name, got, tc.idle)
		}
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
		idle := h.Idle([]Node{asked(t, "app.csproj", nil, nil)}, tc.links, tc.project, tc.inputs)
		if got := strings.ReplaceAll(strings.Join(idle, " "), `\`, ""); got != tc.idle {
			t.Errorf("%s: %q is idle, want %q", tc.name, got, tc.idle)
		}
	}
}

func TestNames(t *testing.T) {
	var h Housekeeping
	if dt := h.Names(nil, Paths{Source: "/source"}); dt != nil {
		t.Errorf("no names: %s", dt)
	}
	for _, name := range []string{"README.md", "lib/a&b;$(c).md", "docs/other.md", ".github/x.md", "link.md"} {
		h.Add(name)
	}
	h.AddProjects(Files{"lib/lib.csproj": nil})
	got := string(h.Names(testLinks("link.md", "docs/other.md"), Paths{Source: "/source"}))
	want := `<Project>
  <ItemGroup>
    <CrosshullName Include="/source/README.md" />
    <CrosshullName Include="/source/lib/a&amp;b%3B%24%28c%29.md" />
    <CrosshullName Include="/source/link.md" IsThere="true" />
  </ItemGroup>
</Project>
`
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
