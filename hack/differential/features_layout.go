package differential

import (
	"math/rand/v2"
	"path"
	"strings"
)

// layoutFeatures say where projects are, what their files are called, and for which frameworks they are.
var layoutFeatures = []feature{
	{"odd-folders", 0.2, oddFolders},
	{"odd-project-files", 0.15, oddProjectFiles},
	{"root-app", 0.1, rootApp},
	{"nested-props", 0.25, nestedProps},
	{"central-packages", 0.3, centralPackages},
	{"several-frameworks", 0.12, severalFrameworks},
	{"framework-of-app", 0.06, frameworkOfApp},
	{"encoding", 0.12, encoding},
	{"line-ends", 0.15, lineEnds},
	{"framework-above", 0.15, frameworkAbove},
}

// odd are parts of names that some tool stumbles over.
var odd = []string{"Bob's", "R&D", "(new)", "50% off", "größe", "日本", "a b", "a+b", "#1", "x,y", "~old", "[x]",
	"@home", "$1", "{x}", "a=b", "!now", "e\u0301"}

func drawOdd(r *rand.Rand) string { return odd[r.IntN(len(odd))] }

func oddFolders(g *generator, r *rand.Rand) bool {
	for range 1 + r.IntN(2) {
		p := g.any(r)
		p.dir = path.Join(g.src, drawOdd(r)+" "+p.name)
	}
	return true
}

func oddProjectFiles(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.file = p.name + " " + drawOdd(r) + ".csproj"
	p.prop("RootNamespace", p.name)
	return true
}

// rootApp puts the app where the wildcards of its project reach everything.
func rootApp(g *generator, _ *rand.Rand) bool {
	g.app().dir = "."
	return true
}

// excludeOthers takes all other folders of the repository out of the wildcards of an app that is at the root.
func (g *generator) excludeOthers() {
	list := []string{"$(DefaultItemExcludes)"}
	for _, top := range []string{"eng", "shared", "data", "plugins", "tools", "vendor", "beside", "native", "modules"} {
		list = append(list, top+"/**")
	}
	seen := map[string]bool{}
	for _, p := range append(g.projects[1:], g.others...) {
		if top := parts(p.dir)[0]; !seen[top] {
			seen[top] = true
			list = append(list, escape(top)+"/**")
		}
	}
	g.app().prop("DefaultItemExcludes", strings.Join(list, ";"))
}

func nestedProps(g *generator, r *rand.Rand) bool {
	if g.src == "" {
		return false
	}
	g.nested = true
	g.global("Root", "root v0")
	g.any(r).meta("Nested", "$(Nested)")
	return true
}

func centralPackages(g *generator, _ *rand.Rand) bool {
	g.central = true
	return true
}

func severalFrameworks(g *generator, r *rand.Rand) bool {
	p := g.library(r)
	if p == nil || len(p.refs) > 0 || g.perPlatform() {
		return false
	}
	p.frameworks = []string{"net10.0", "net9.0"}
	p.says = append(p.says, "Frameworks.Text")
	g.add(p.in("Frameworks.cs"), "namespace "+p.name+"\n{\n    static class Frameworks\n    {\n#if "+
		"NET10_0_OR_GREATER\n        public const string Text = \"ten v0\";\n#else\n"+
		"        public const string Text = \"nine v0\";\n#endif\n    }\n}\n")
	g.add(p.in("for/net10.0/note.txt"), "ten v0\n")
	g.add(p.in("for/net9.0/note.txt"), "nine v0\n")
	p.item("None", "for/$(TargetFramework)/*.txt", `Link="note-of-`+p.name+`.txt" CopyToOutputDirectory="PreserveNewest"`)
	return true
}

func frameworkOfApp(g *generator, _ *rand.Rand) bool {
	app := g.app()
	if len(app.refs) > 0 && !g.frameworksOfAll("net9.0") || g.perPlatform() || g.repo.Publish.Mode == "apphost" {
		return false
	}
	app.frameworks = []string{"net9.0", "net10.0"}
	g.repo.Publish.Framework = "net10.0" // the lab has no base for the other one
	return true
}

// frameworksOfAll adds a framework to all libraries, unless there are many.
func (g *generator) frameworksOfAll(framework string) bool {
	if len(g.projects) > 4 {
		return false
	}
	for _, p := range g.projects[1:] {
		if len(p.frameworks) == 1 {
			p.frameworks = append(p.frameworks, framework)
		}
	}
	return true
}

func encoding(g *generator, r *rand.Rand) bool {
	p := g.any(r)
	p.declared = []string{
		"\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?>",
		`<?xml version="1.0" encoding="iso-8859-1"?>`,
		`<?xml version="1.0" encoding="us-ascii"?>`,
		"<!-- a comment v0 -->",
	}[r.IntN(4)]
	return true
}

func lineEnds(g *generator, r *rand.Rand) bool {
	g.any(r).line = "\r\n"
	return true
}

// frameworkAbove has the framework in a property of all projects.
func frameworkAbove(g *generator, _ *rand.Rand) bool {
	for _, p := range g.projects {
		if len(p.frameworks) == 1 {
			p.frameworks = []string{"$(Framework)"}
		}
	}
	g.props = append(g.props, "<PropertyGroup><Framework>net10.0</Framework></PropertyGroup>")
	return true
}
