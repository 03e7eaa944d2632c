package apt

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

func TestMirror(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if got := Mirror(t.Context()); got != "" {
		t.Errorf("without apt-get: %q", got)
	}
	for _, tt := range []struct{ targets, want string }{
		{"echo Debian Debian-Security http://a/debian-security; echo other x http://b; echo Debian Debian http://a/debian/",
			"http://a/debian/"},
		{"echo other Debian http://b", ""},
		{"exit 100", ""},
	} {
		script(t, dir, "apt-get", tt.targets)
		if got := Mirror(t.Context()); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.targets, got, tt.want)
		}
	}
}

func TestBootstrap(t *testing.T) {
	for _, tt := range []struct {
		name, targets string
		run           func(file string) error
		want          string
	}{
		{"for another architecture", "echo Debian Debian http://a/debian",
			func(file string) error { return Bootstrap(t.Context(), Trixie, "arm64", []string{"a", "b"}, file) },
			"none --variant=extract --architectures=arm64 --include=a,b " + one + " trixie FILE.tmp.tar http://a/debian"},
		{"installed, of mmdebstrap's own mirror", "true",
			func(file string) error {
				return Install(t.Context(), Bookworm, []string{"a"}, time.Unix(1000, 0), file)
			},
			"1000 --variant=minbase --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --include=a " + one +
				" bookworm FILE.tmp.tar"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			script(t, dir, "apt-get", tt.targets)
			script(t, dir, "mmdebstrap",
				`for arg; do case $arg in *.tar) echo ${SOURCE_DATE_EPOCH:-none} "$@" > "$arg";; esac; done`)
			file := filepath.Join(dir, "x")
			if err := tt.run(file + ".tar"); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file + ".tar")
			if want := strings.ReplaceAll(tt.want, "FILE", file) + "\n"; err != nil || string(got) != want {
				t.Errorf("got  %s, %v\nwant %s", got, err, want)
			}
			script(t, dir, "mmdebstrap", `echo "E: no $0"; exit 1`)
			if err := tt.run(filepath.Join(dir, "y.tar")); err == nil || !strings.Contains(err.Error(), "E: no ") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// one keeps mmdebstrap at one suite.
const one = `--setup-hook=sed -i -e /-security/d -e /-updates/d "$1/etc/apt/sources.list"`
