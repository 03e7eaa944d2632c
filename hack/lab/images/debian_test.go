package images

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/llb/dotnet"
)

func TestDebianTree(t *testing.T) {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	plain := func(name, content string, mode int64, gid int) {
		hdr := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Gid: gid, Size: int64(len(content))}
		if err := tw.WriteHeader(hdr); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, content); err != nil {
			t.Fatal(err)
		}
	}
	other := func(hdr *tar.Header) {
		if err := tw.WriteHeader(hdr); err != nil {
			t.Fatal(err)
		}
	}
	folder := func(name string, mode int64) {
		other(&tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode})
	}
	folder("./", 0o755)
	other(&tar.Header{Name: "./bin", Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: "usr/bin"})
	other(&tar.Header{Name: "./dev/null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3})
	plain("./etc/.pwd.lock", "", 0o600, 0)
	plain("./etc/apt/sources.list", "deb http://archive.test/debian bookworm main\n", 0o644, 0)
	plain("./etc/group", "root:x:0:\n", 0o644, 0)
	plain("./etc/gshadow", "root:*::\n", 0o640, 42)
	plain("./etc/ld.so.cache", "cache", 0o644, 0)
	plain("./etc/machine-id", "", 0o444, 0)
	plain("./etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", 0o644, 0)
	plain("./etc/shadow", "root:*:20000:0:99999:7:::\n", 0o640, 42)
	folder("./run/", 0o755)
	folder("./run/lock/", 0o1777)
	folder("./tmp/", 0o1777)
	other(&tar.Header{Name: "./usr/bin/ping", Typeflag: tar.TypeReg, Mode: 0o755, Format: tar.FormatPAX,
		PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "cap", "SCHILY.fflags": "x"}})
	plain("./usr/bin/su", "su", 0o4755, 0)
	other(&tar.Header{Name: "./usr/bin/su2", Typeflag: tar.TypeLink, Mode: 0o4755, Linkname: "./usr/bin/su"})
	plain("./usr/share/doc/su/changelog.gz", "changes", 0o644, 0)
	plain("./usr/share/doc/su/copyright", "copyright", 0o644, 0)
	plain("./usr/share/man/man1/su.1.gz", "man", 0o644, 0)
	other(&tar.Header{Name: "./var/cache/apt/archives/partial/", Typeflag: tar.TypeDir, Mode: 0o700, Uid: 42})
	plain("./var/cache/debconf/config.dat", "answers", 0o644, 0)
	plain("./var/cache/debconf/config.dat-old", "answers", 0o644, 0)
	plain("./var/cache/ldconfig/aux-cache", "cache", 0o600, 0)
	plain("./var/lib/apt/extended_states", "states", 0o644, 0)
	plain("./var/lib/apt/lists/archive.test_InRelease", "list", 0o644, 0)
	plain("./var/lib/dpkg/arch", "amd64\n", 0o644, 0)
	plain("./var/lib/dpkg/status", "status", 0o644, 0)
	plain("./var/lib/dpkg/status-old", "status", 0o644, 0)
	folder("./var/log/apt/", 0o755)
	plain("./var/log/dpkg.log", "log", 0o644, 0)
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	m := &maker{Config: Config{Cache: t.TempDir()}, toolchain: &toolchain{debian: "x"}}
	write(t, m.debianfs("amd64"), b.String(), 0o644)
	tr, err := m.debianTree("amd64")
	if err != nil {
		t.Fatal(err)
	}
	type headers map[string]*tar.Header
	got, content, names := headers{}, map[string]string{}, []string{}
	for r := tar.NewReader(bytes.NewReader(written(t, tr))); ; {
		hdr, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		dt, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[hdr.Name], content[hdr.Name] = hdr, string(dt)
		if hdr.Typeflag != tar.TypeDir {
			names = append(names, hdr.Name)
		}
	}
	if want := []string{
		"bin", "etc/apt/apt.conf.d/docker-autoremove-suggests", "etc/apt/apt.conf.d/docker-clean",
		"etc/apt/apt.conf.d/docker-gzip-indexes", "etc/apt/apt.conf.d/docker-no-languages",
		"etc/apt/sources.list.d/debian.sources", "etc/dpkg/dpkg.cfg.d/docker", "etc/dpkg/dpkg.cfg.d/docker-apt-speedup",
		"etc/group", "etc/gshadow", "etc/passwd", "etc/shadow", "usr/bin/ping", "usr/bin/su", "usr/sbin/policy-rc.d",
		"usr/share/doc/su/copyright", "var/cache/debconf/config.dat", "var/lib/apt/extended_states",
		"var/lib/dpkg/status", "usr/bin/su2",
	}; !reflect.DeepEqual(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
	for name, want := range map[string]string{
		"etc/passwd":  "root:x:0:0:root:/root:/bin/bash\napp:x:1654:1654::/home/app:/bin/sh\n",
		"etc/group":   "root:x:0:\napp:x:1654:\n",
		"etc/shadow":  "root:*:20000:0:99999:7:::\napp:!:20704:0:99999:7:::\n",
		"etc/gshadow": "root:*::\napp:!::\n",
		"etc/apt/sources.list.d/debian.sources": "Types: deb\nURIs: http://archive.test/debian\nSuites: bookworm\n" +
			"Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
	} {
		if content[name] != want {
			t.Errorf("%s is\n%swant\n%s", name, content[name], want)
		}
	}
	if h := got["etc/shadow"]; h.Mode != 0o640 || h.Gid != 42 {
		t.Errorf("etc/shadow has mode %o, and belongs to group %d", h.Mode, h.Gid)
	}
	if h := got["usr/bin/su"]; h.Mode != 0o4755 {
		t.Errorf("usr/bin/su has mode %o", h.Mode)
	}
	if h := got["usr/bin/su2"]; h.Typeflag != tar.TypeLink || h.Linkname != "usr/bin/su" {
		t.Errorf("the hard link is %+v", h)
	}
	want := map[string]string{"SCHILY.xattr.security.capability": "cap"}
	if h := got["usr/bin/ping"]; !reflect.DeepEqual(h.PAXRecords, want) {
		t.Errorf("usr/bin/ping has attributes %q, want %q", h.PAXRecords, want)
	}
	if h := got["home/app/"]; h == nil || h.Uid != appUID || h.Gid != appUID {
		t.Errorf("home/app is %+v", h)
	}
	if h := got["var/cache/apt/archives/partial/"]; h == nil || h.Mode != 0o755 || h.Uid != 0 {
		t.Errorf("apt's folder is %+v", h)
	}
	for name, want := range map[string]bool{"run/": true, "run/lock/": false, "tmp/": true, "var/log/apt/": true,
		"var/cache/ldconfig/": false} {
		if (got[name] != nil) != want {
			t.Errorf("folder %s is there: %t", name, !want)
		}
	}
}

func TestExcluded(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind byte
		want bool
	}{
		{"usr/share/doc/a/changelog.gz", tar.TypeReg, true},
		{"usr/share/doc/a/b/copyright", tar.TypeReg, false}, // * also stands for slashes
		{"usr/share/doc/a/copyright", tar.TypeReg, false},
		{"usr/share/doc/a", tar.TypeDir, false},
		{"usr/share/doc/a", tar.TypeSymlink, false},
		{"usr/share/doc", tar.TypeDir, false},
		{"usr/share/man/man1", tar.TypeDir, true},
		{"usr/share/man", tar.TypeDir, false},
		{"usr/share/locale/de", tar.TypeDir, true},
		{"usr/share/locale/locale.alias", tar.TypeReg, false},
		{"usr/share/zoneinfo/UTC", tar.TypeReg, false},
	} {
		if got := excluded(tt.name, tt.kind); got != tt.want {
			t.Errorf("excluded(%s, %c) = %t", tt.name, tt.kind, got)
		}
	}
}

func TestDeb822(t *testing.T) {
	const stanza = "Types: deb\nURIs: http://a/debian\nSuites: bookworm\nComponents: main contrib\nSigned-By: /k.gpg\n"
	for _, tt := range []struct{ lines, want, err string }{
		{"deb http://a/debian bookworm main contrib\n", stanza, ""},
		{"# none\n\ndeb [signed-by=\"/x.gpg\" arch=amd64] http://a/debian bookworm main contrib", stanza, ""},
		{"deb http://a/debian bookworm main contrib\ndeb http://b x main\n",
			stanza + "\nTypes: deb\nURIs: http://b\nSuites: x\nComponents: main\nSigned-By: /k.gpg\n", ""},
		{"deb http://a/debian", "", `no source of packages: "deb http://a/debian"`},
	} {
		got, err := deb822(tt.lines, "/k.gpg")
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%q: got\n%s%v", tt.lines, got, err)
		}
	}
}

func TestDebianKey(t *testing.T) {
	keys := map[string]bool{}
	for _, tt := range []struct{ file, content, mirror string }{
		{"A.cs", "class A;", "http://a"}, {"A.cs", "class B;", "http://a"}, {"B.cs", "class A;", "http://a"},
		{"A.cs", "class A;", "http://b"}, {"A.cs", "class A;", ""},
	} {
		program := dotnet.Program{Name: "p", Sources: fstest.MapFS{tt.file: {Data: []byte(tt.content)}}}
		key, err := debianKey(program, tt.mirror)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := debianKey(program, tt.mirror); again != key || err != nil {
			t.Errorf("%v: %s, and then %s, %v", tt, key, again, err)
		}
		if keys[key] {
			t.Errorf("%v gives a key that was there", tt)
		}
		keys[key] = true
	}
}

// What fails leaves nothing behind that looks like a root file system.
func TestMakeDebianFails(t *testing.T) {
	bin := t.TempDir()
	write(t, filepath.Join(bin, "mmdebstrap"), "#!/bin/sh\necho E: no mirror; exit 1\n", 0o755)
	t.Setenv("PATH", bin)
	m := &maker{Config: Config{Cache: t.TempDir()}, toolchain: &toolchain{debian: "x"}, progress: io.Discard}
	if err := m.makeDebian(t.Context()); err == nil || !strings.Contains(err.Error(), "E: no mirror") {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(m.Cache)
	if err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
