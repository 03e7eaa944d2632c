package site

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that a page names is there, so no page claims that something is tested which is not.
func TestTestsOfPages(t *testing.T) {
	there := map[string]bool{}
	for _, name := range files(t, "*_test.go") {
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(content(t, name), -1) {
			there[m[1]] = true
		}
	}
	named := 0
	for _, name := range files(t, "*.md") {
		if strings.Contains(name, "/testdata/") {
			continue
		}
		for _, test := range regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(content(t, name), -1) {
			if named++; !there[test] {
				t.Errorf("%s: there is no test %s", name, test)
			}
		}
	}
	if named < 30 {
		t.Errorf("pages name %d tests, so this test does not find them", named)
	}
}

// files are those of the repository that a pattern of git matches: what git does not ignore. A page that is not
// committed yet is a page, but not what packages brought.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard",
		pattern).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// content is that of a file; none if it is removed, and that is not committed yet.
func content(t *testing.T, name string) string {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join(root, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(dt)
}
