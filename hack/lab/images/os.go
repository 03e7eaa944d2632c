package images

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/crosshull/crosshull/hack/lab/apt"
)

// packages make the OS of every image: what .NET needs, and busybox for a shell.
var packages = []string{
	"base-files", "libc6", "libstdc++6", "libgcc-s1", "zlib1g", "libicu72", "libssl3", "tzdata", "ca-certificates", "busybox-static",
}

// bootstrap makes the root file system of an architecture: packages unpacked, nothing run.
func (m *maker) bootstrap(ctx context.Context, arch string) error {
	file := m.rootfs(arch)
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	m.say("Debian root file system for %s", arch)
	return apt.Bootstrap(ctx, arch, packages, file)
}

func (m *maker) rootfs(arch string) string { return filepath.Join(m.Cache, "rootfs-"+arch+".tar") }

// chiselled tells what Ubuntu Chiseled images do not have.
func chiselled(name string, icu bool) bool {
	for _, p := range []string{"bin/", "sbin/", "usr/bin/", "usr/sbin/", "var/lib/dpkg", "etc/dpkg", "etc/apt", "usr/share/doc", "usr/share/man", "usr/share/busybox"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return !icu && (strings.HasPrefix(name, "usr/share/zoneinfo") || strings.Contains(name, "/libicu"))
}

// osTree is a root file system without what changes between two runs, and with what maintainer scripts would have made.
func (m *maker) osTree(arch string, v variant) (*tree, error) {
	f, err := os.Open(m.rootfs(arch))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	t := &tree{}
	var bundle bytes.Buffer
	for r := tar.NewReader(f); ; {
		hdr, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		name := strings.Trim(strings.TrimPrefix(hdr.Name, "./"), "/")
		switch {
		case name == "", strings.HasPrefix(name, "var/log/"), strings.HasPrefix(name, "var/cache/"), strings.HasPrefix(name, "var/lib/apt/"),
			name == "etc/resolv.conf", name == "etc/hostname", name == "etc/hosts", strings.HasPrefix(name, "dev/"):
			continue
		case v.chiseled && chiselled(name, v.icu), !v.chiseled && strings.HasPrefix(name, "usr/share/doc/"):
			continue
		}
		dt, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(name, "usr/share/ca-certificates/") && strings.HasSuffix(name, ".crt") {
			bundle.Write(dt)
		}
		t.addHeader(&tar.Header{
			Name: name, Typeflag: hdr.Typeflag, Mode: hdr.Mode, Uid: hdr.Uid, Gid: hdr.Gid, Linkname: hdr.Linkname, Size: hdr.Size,
		}, dt)
	}
	// MSBuild spins for ever without /etc/passwd.
	t.addFile("etc/passwd", 0o644, []byte(fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\napp:x:%d:%d::/home/app:/bin/sh\n", appUID, appUID)))
	t.addFile("etc/group", 0o644, []byte(fmt.Sprintf("root:x:0:\napp:x:%d:\n", appUID)))
	t.addFile("etc/nsswitch.conf", 0o644, []byte("passwd: files\ngroup: files\nhosts: files dns\n"))
	t.addFile("etc/ssl/certs/ca-certificates.crt", 0o644, bundle.Bytes())
	t.addDir("tmp", 0o1777, 0)
	t.addDir("home/app", 0o755, appUID)
	return t, nil
}

// applets are what builds and people look for in an image with a shell.
var applets = strings.Fields(`ash awk base64 basename bash cat chmod chown cmp cp cut date dd df diff dirname du echo
	env expr false find grep gunzip gzip head hostname id install kill ln ls md5sum mkdir mktemp mv nproc od printenv
	printf ps pwd readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat tail tar tee test touch tr true uname
	uniq unzip vi wc wget which whoami xargs`)

// shellTree links busybox under the names of what it can do.
func shellTree() (*tree, error) {
	t := &tree{}
	for _, a := range applets {
		t.addLink("bin/"+a, "/bin/busybox")
	}
	return t, nil
}
