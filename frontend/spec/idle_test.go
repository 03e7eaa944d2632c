package spec

import (
	"strings"
	"testing"
)

// Settings for packages need packages, keys need sources, and packages for some platforms need platforms that exist.
// Tools need commands.
func TestIdle(t *testing.T) {
	const (
		none     = " has no packages to apply to: name these in base.packages.install"
		platform = "a platform such as linux/arm64"
		tools    = "publish.tools are for commands: publish.before and publish.after have none. For a program that " +
			"MSBuild runs, set sdk.image to an SDK image that has it"
		tool = "tools: [{image: a, paths: [/a]}]"
	)
	for _, tc := range []struct{ text, want string }{
		{"base: {packages: {recommends: true}}", "line 1: base.packages.recommends" + none},
		{"base: {packages: {skip-scripts: [aa]}}", "line 1: base.packages.skip-scripts" + none},
		{"base: {packages: {sources: {a: deb x ./}, keys: {a: b}}}", "line 1: base.packages.sources" + none},
		{"base: {packages: {only: {arm64: [aa]}, recommends: true}}", ""},
		{"base: {packages: {only: {linux/arm65: [aa]}}}", platform},
		{"base: {packages: {only: {arm65: [aa]}}}", platform},
		{"base: {packages: {only: {arm/v7: [aa]}}}", platform},
		{"base: {packages: {only: {linux/arm/v7: [aa], arm64: [aa]}}}", ""},
		{"apps: {a: {project: a, base: {packages: {install: [bb]}}}}\nbase: {packages: {recommends: true}}", ""},
		{
			"apps:\n  a: {project: a, base: {packages: {recommends: true}}}\n  b: {project: b, base: {packages: [cc]}}",
			"line 2: apps.a.base.packages.recommends" + none,
		},
		{"base:\n  packages: {install: [aa], sources: {a: deb x ./},\n    keys: {a: k}}", ""},
		{"base:\n  packages: {install: [aa], sources: {tools: deb x ./},\n    keys: {tool: k}}",
			"line 3: base.packages.keys.tool: there is no source of that name, did you mean tools?"},
		{"base: {packages: {install: [aa], sources: {a: deb x ./}, keys: {a: k, other.b: k}}}",
			"line 1: base.packages.keys.other.b: there is no source of that name: name it in base.packages.sources"},
		{"base: {packages: {sources: {a: deb x ./}, keys: {b: k}}}\napps:\n  a: {project: a, base: {packages: [aa]}}\n" +
			"  b: {project: b, base: {packages: {install: [b3], sources: {b: deb y ./}}}}", ""},
		{"base: {packages: {sources: {a: deb x ./}}}\napps:\n  a: {project: a, base: {packages: {install: [aa],\n" +
			"    keys: {b: k}}}}", "line 4: apps.a.base.packages.keys.b: there is no source of that name"},
		{"publish: {" + tool + "}", "line 1: " + tools},
		{"publish: {" + tool + ", before: [], after: []}", "line 1: " + tools},
		{"publish: {" + tool + ", before: [make]}", ""},
		{"publish: {" + tool + ", after: [make]}", ""},
		{"publish: {tools: []}", ""},
		{"publish: {" + tool + "}\napps:\n  a: {project: a}\n  b: {project: b}", "line 1: " + tools},
		{"publish: {" + tool + "}\napps:\n  a: {project: a, publish: {before: [make]}}\n  b: {project: b}", ""},
		{"publish: {before: [make]}\napps:\n  a: {project: a, publish: {" + tool + "}}", ""},
		{
			"publish: {before: [make]}\napps:\n  a: {project: a, publish: {before: [], " + tool + "}}",
			"line 3: apps.a." + tools,
		},
	} {
		_, err := Parse([]byte(tc.text), nil)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.text, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %s", tc.text, err, tc.want)
		}
	}
}
