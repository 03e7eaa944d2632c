package apt

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// script puts an executable named name into dir.
func script(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestEnsureLeavesProgramsOnPathAlone(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	script(t, dir, "runc", "")
	script(t, dir, "ip", "")
	script(t, dir, "apt-get", "exit 1")
	if err := Ensure(t.Context(), &bytes.Buffer{}, "runc", "iproute2"); err != nil {
		t.Fatal(err)
	}
}

func TestEnsureInstallsTheMissing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	script(t, dir, "runc", "")
	script(t, dir, "dpkg-query", "exit 1")
	script(t, dir, "apt-get", `echo "$@"`)
	var out bytes.Buffer
	if err := Ensure(t.Context(), &out, "runc", "skopeo", "some-package"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], " update") ||
		!strings.HasSuffix(lines[1], " install -y --no-install-recommends --no-remove skopeo some-package") {
		t.Errorf("apt-get was run with\n%s", out.String())
	}
}

func TestEnsureErrors(t *testing.T) {
	for _, tc := range []struct {
		name, aptGet string
		want         []string
	}{
		{"no apt-get", "", []string{"no apt-get", "qemu-system-aarch64", "some-package"}},
		{"apt-get fails", "echo E: no such thing; exit 100",
			[]string{"apt-get update", "exit status 100", "E: no such thing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir)
			if tc.aptGet != "" {
				script(t, dir, "apt-get", tc.aptGet)
			}
			err := Ensure(t.Context(), &bytes.Buffer{}, "qemu-system-arm", "some-package")
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not have %q", err, want)
				}
			}
		})
	}
}

func TestPackagesAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, pkg := range Packages() {
		if seen[pkg] {
			t.Errorf("%s is listed twice", pkg)
		}
		seen[pkg] = true
	}
}
