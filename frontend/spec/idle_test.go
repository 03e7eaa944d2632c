package spec

import (
	"strings"
	"testing"
)

// Settings for packages need packages, and packages for some platforms need platforms that there are. Tools need
// commands.
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
		{"publish: {" + tool + "}", "line 1: " + tools},
		{"publish: {" + tool + ", before: [], after: []}", "line 1: " + tools},
		{"publish: {" + tool + ", before: [make]}", ""},
		{"publish: {" + tool + ", after: [make]}", ""},
		{"publish: {tools: []}", ""},
		{"publish: {" + tool + "}\napps:\n  a: {project: a}\n  b: {project: b}", "line 1: " + tools},
		{"publish: {" + tool + "}\napps:\n  a: {project: a, publish: {before: [make]}}\n  b: {project: b}", ""},
		{"publish: {before: [make]}\napps:\n  a: {project: a, publish: {" + tool + "}}", ""},
		{"publish: {before: [make]}\napps:\n  a: {project: a, publish: {before: [], " + tool + "}}", "line 3: apps.a." + tools},
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
