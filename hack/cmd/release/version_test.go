package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTags(t *testing.T) {
	for _, tc := range []struct{ name, version, all, want string }{
		{"the first", "v1.0.0", "v1.0.0", "1.0.0 1.0 1"},
		{"a fix", "v1.2.3", "v1.0.0 v1.2.2 v1.2.3", "1.2.3 1.2 1"},
		{"not yet tagged", "v1.2.3", "v1.0.0 v1.2.2", "1.2.3 1.2 1"},
		{"two digits are more than one", "v1.10.0", "v1.9.9 v1.10.0", "1.10.0 1.10 1"},
		{"a fix of an old version", "v1.2.4", "v1.2.3 v1.2.4 v1.3.0", "1.2.4 1.2"},
		{"a fix that comes after the next one", "v1.2.3", "v1.2.3 v1.2.4", "1.2.3"},
		{"another major version", "v1.2.4", "v1.2.4 v2.0.0", "1.2.4 1.2 1"},
		{"the next major version", "v2.0.0", "v1.2.4 v2.0.0", "2.0.0 2.0 2"},
		{"labs are behind no release", "v1.2.3", "v1.2.3 v1.3.0-labs.1", "1.2.3 1.2 1"},
		{"labs", "v1.3.0-labs.1", "v1.2.3 v1.3.0-labs.1", "1.3.0-labs.1 1.3-labs 1-labs"},
		{"labs after labs", "v1.3.0-labs.10", "v1.3.0-labs.9", "1.3.0-labs.10 1.3-labs 1-labs"},
		{"labs of an old version", "v1.2.0-labs.3", "v1.3.0-labs.1", "1.2.0-labs.3 1.2-labs"},
		{"other tags", "v1.0.0", "nightly v1 v1.0.1-rc.1 1.0.1 v01.0.1", "1.0.0 1.0 1"},
	} {
		var out strings.Builder
		all := strings.NewReader(strings.ReplaceAll(tc.all, " ", "\n"))
		err := run([]string{"tags", tc.version, "example.com/x"}, all, &out)
		got := strings.ReplaceAll(strings.Join(strings.Fields(out.String()), " "), "example.com/x:", "")
		if err != nil || got != tc.want {
			t.Errorf("%s: %v, %q, want %q", tc.name, err, got, tc.want)
		}
	}
}

func TestNotes(t *testing.T) {
	const log = "# Changes\n\nAbout.\n\n## Unreleased\n\n### Added\n\n- New.\n\n## [1.1.0] - 2027-02-01\n\n- More.\n" +
		"- And more.\n\n## 1.0.1 - 2027-01-31\n\n## 1.0.0\n\n### Added\n\n- All.\n"
	for _, tc := range []struct{ version, want, err string }{
		{"v1.1.0", "- More.\n- And more.", ""},
		{"v1.0.0", "### Added\n\n- All.", ""},
		{"v1.2.0-labs.1", "### Added\n\n- New.", ""},
		{"v1.0.1", "", `"## 1.0.1" of the change log is empty`},
		{"v1.2.0", "", `no section "## 1.2.0"`},
		{"v1.0", "", `"v1.0" is no version`},
		{"1.0.0", "", `"1.0.0" is no version`},
		{"v1.0.0-rc.1", "", `"v1.0.0-rc.1" is no version`},
		{"v1.0.0-labs.0", "", "is no version"},
		{"v1.99999999999999999999.0", "", "out of range"},
	} {
		var out strings.Builder
		err := run([]string{"notes", tc.version}, strings.NewReader(log), &out)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %v, want %q", tc.version, err, tc.err)
			}
			continue
		}
		if err != nil || out.String() != tc.want+"\n" {
			t.Errorf("%s: %v, %q, want %q", tc.version, err, out.String(), tc.want)
		}
	}
}

// The change log of the repository is one that notes can be cut out of.
func TestChangelog(t *testing.T) {
	dt, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	if found, _ := section(string(dt), "Unreleased"); !found {
		t.Error("CHANGELOG.md has no section for what is not released")
	}
	for line := range strings.Lines(string(dt)) {
		if strings.HasPrefix(line, "## ") && !strings.HasPrefix(line, "## Unreleased") {
			name := strings.Trim(strings.Fields(line)[1], "[]")
			if _, err := parse("v" + name); err != nil {
				t.Errorf("CHANGELOG.md: %v", err)
			}
		}
	}
}
