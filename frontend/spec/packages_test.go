package spec

import (
	"strings"
	"testing"
)

// Settings for packages need packages, and packages for some platforms need platforms that there are.
func TestPackagesOfNothing(t *testing.T) {
	const (
		none     = " has no packages to apply to: name these in base.packages.install"
		platform = "a platform such as linux/arm64"
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
