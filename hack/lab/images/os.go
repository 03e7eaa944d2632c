package images

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/hack/lab/apt"
)

// packages make the OS of the chiseled and alpine families: what .NET needs. busybox, for a shell, and musl are for the
// alpine family alone.
var packages = []string{
	"base-files", "libc6", "libstdc++6", "libgcc-s1", "zlib1g", "libicu72", "libssl3", "tzdata", "ca-certificates",
	"busybox-static", "musl",
}

// linker are the packages that AOT needs beside the SDK, to link for the machine itself and for arm64.
var linker = []string{
	"clang",
	"lld",
	"llvm",
	"libc6-dev",
	"zlib1g-dev",
	"gcc-aarch64-linux-gnu",
	"libc6-dev-arm64-cross",
	"zlib1g-dev:arm64",
}

// bootstrap makes file, a tar of unpacked packages for an architecture, unless it is there. It runs no script of a
// package.
func (m *maker) bootstrap(ctx context.Context, what, arch string, packages []string, file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	m.say("%s", what)
	return apt.Bootstrap(ctx, apt.Bookworm, arch, packages, file)
}

func (m *maker) rootfs(arch string) string { return filepath.Join(m.Cache, "rootfs-musl-"+arch+".tar") }

func (m *maker) linkerfs() string { return filepath.Join(m.Cache, "linker.tar") }

// superfluous are the beginnings of names of files that linking does not need.
var superfluous = []string{
	"usr/share/", "var/", "etc/", "dev/", "proc/", "sys/", "run/", "tmp/", "boot/", "usr/lib/python3",
	"usr/lib/gcc/x86_64-linux-gnu/12/cc1", "usr/lib/gcc-cross/aarch64-linux-gnu/12/cc1",
	"usr/lib/gcc-cross/aarch64-linux-gnu/12/lto", "usr/lib/gcc/x86_64-linux-gnu/12/lto", "usr/lib/x86_64-linux-gnu/perl",
	"usr/lib/systemd", "bin/", "sbin/",
}

// merged is where a file is in an image whose /bin, /lib and the like are links to folders in /usr.
func merged(name string) string {
	if first, _, ok := strings.Cut(name, "/"); ok && slices.Contains([]string{"bin", "lib", "lib64", "sbin"}, first) {
		return "usr/" + name
	}
	return name
}

// linkerTree is the part of the linker's file system that the OS of the SDK image does not have.
func (m *maker) linkerTree() (*tree, error) {
	has, err := m.debianTree("amd64")
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, e := range has.entries {
		names[e.hdr.Name] = true
	}
	f, err := os.Open(m.linkerfs())
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	t := &tree{}
	for r := tar.NewReader(f); ; {
		hdr, err := r.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		unpacked := strings.Trim(strings.TrimPrefix(hdr.Name, "./"), "/")
		name := merged(unpacked)
		static := strings.HasSuffix(name, ".a") && strings.Contains(name, "llvm")
		if name == "" || names[name] || static || hdr.Typeflag == tar.TypeDir ||
			slices.ContainsFunc(superfluous, func(p string) bool { return strings.HasPrefix(unpacked, p) }) {
			continue
		}
		dt, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		link := hdr.Linkname
		if hdr.Typeflag == tar.TypeLink {
			link = merged(strings.TrimPrefix(link, "./"))
		}
		t.addHeader(&tar.Header{Name: name, Typeflag: hdr.Typeflag, Mode: hdr.Mode, Linkname: link, Size: hdr.Size}, dt)
	}
}

// gnu tells whether a file is of glibc, or of something that is linked to it.
func gnu(name string) bool {
	return strings.Contains(name, "-linux-gnu") || strings.HasPrefix(name, "lib64") || strings.Contains(name, "/ld-linux")
}

// chiselled tells whether Ubuntu Chiseled images lack a file.
func chiselled(name string, icu bool) bool {
	for _, p := range []string{"bin/", "sbin/", "usr/bin/", "usr/sbin/", "usr/share/doc", "usr/share/man",
		"usr/share/busybox"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return !icu && globalization(name)
}

// globalization tells whether a file is for cultures or time zones, which some images lack.
func globalization(name string) bool {
	return strings.HasPrefix(name, "usr/share/zoneinfo") || strings.Contains(name, "/libicu")
}

// osTree is the OS of a chiseled or an alpine image: a root file system without what changes between two runs, and with
// what maintainer scripts would have made. It has no database of packages.
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
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		name := strings.Trim(strings.TrimPrefix(hdr.Name, "./"), "/")
		switch {
		case name == "",
			strings.HasPrefix(name, "var/log/"),
			strings.HasPrefix(name, "var/cache/"),
			strings.HasPrefix(name, "var/lib/apt/"),
			strings.HasPrefix(name, "var/lib/dpkg"),
			strings.HasPrefix(name, "etc/apt"),
			strings.HasPrefix(name, "etc/dpkg"),
			name == "etc/resolv.conf",
			name == "etc/hostname",
			name == "etc/hosts",
			strings.HasPrefix(name, "dev/"):
			continue
		case !v.musl && strings.Contains(name, "-musl"), v.musl && (gnu(name) || !v.icu && globalization(name)):
			continue
		case v.chiseled && chiselled(name, v.icu), v.musl && strings.HasPrefix(name, "usr/share/doc/"):
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
			Name: name, Typeflag: hdr.Typeflag, Mode: hdr.Mode, Uid: hdr.Uid, Gid: hdr.Gid, Linkname: hdr.Linkname,
			Size: hdr.Size,
		}, dt)
	}
	if v.musl {
		t.addFile("etc/alpine-release", 0o644, []byte("3.22.0\n"))
	}
	// MSBuild spins for ever without /etc/passwd.
	t.addFile(
		"etc/passwd",
		0o644,
		[]byte(fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\napp:x:%d:%d::/home/app:/bin/sh\n", appUID, appUID)),
	)
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

// shellTree has a link to busybox for each of applets.
func shellTree() (*tree, error) {
	t := &tree{}
	for _, a := range applets {
		t.addLink("bin/"+a, "/bin/busybox")
	}
	return t, nil
}
