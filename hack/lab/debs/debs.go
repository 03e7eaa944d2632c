// Package debs makes packages of Debian, and a source of them for apt.
package debs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Package is a package to make: what its scripts do, and its files, by their paths. It also has the file
// /usr/share/NAME/own.
type Package struct {
	Name, Depends     string
	Source            string // the source package; empty: the same name
	Preinst, Postinst string
	Files             map[string]string
	// Spoil gives what the source has in place of the archive; nil: the archive.
	Spoil func(archive []byte) []byte
}

// folder has all files of a source. It is what apt asks for if the line of the source names it.
const folder = "made/"

// Line is that of sources.list(5) for a source at an address. No key signs it.
func Line(url string) string { return "deb [trusted=yes] " + url + "/ " + folder }

// Source makes packages for amd64 and arm64, and gives what a server has to have for apt, by its path.
func Source(ctx context.Context, packages ...Package) (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "debs-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	files = map[string][]byte{}
	var list strings.Builder
	for _, p := range packages {
		for _, arch := range []string{"amd64", "arm64"} {
			name := p.Name + "_1.0-1_" + arch + ".deb"
			dt, err := p.pack(ctx, filepath.Join(dir, name), arch)
			if err != nil {
				return nil, fmt.Errorf("make %s: %w", name, err)
			}
			_, _ = fmt.Fprintf(&list, "%sFilename: %s%s\nSize: %d\nSHA256: %x\n\n",
				p.control(arch), folder, name, len(dt), sha256.Sum256(dt))
			if p.Spoil != nil {
				dt = p.Spoil(slices.Clone(dt))
			}
			files["/"+folder+name] = dt
		}
	}
	index := []byte(list.String())
	files["/"+folder+"Packages"] = index
	// Without it, apt asks for the list in all formats that it knows.
	files["/"+folder+"Release"] = fmt.Appendf(nil, "Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n %x %d Packages\n",
		sha256.Sum256(index), len(index))
	return files, nil
}

func (p Package) control(arch string) string {
	text := "Package: " + p.Name + "\nVersion: 1.0-1\nArchitecture: " + arch + "\nMaintainer: a <a@example.com>\n"
	if p.Depends != "" {
		text += "Depends: " + p.Depends + "\n"
	}
	if p.Source != "" {
		text += "Source: " + p.Source + "\n"
	}
	return text + "Description: x\n"
}

// pack makes the archive, as a file beside a folder of its own.
func (p Package) pack(ctx context.Context, file, arch string) ([]byte, error) {
	root := strings.TrimSuffix(file, ".deb")
	put := func(name, text string, mode os.FileMode) error {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return errors.Join(os.WriteFile(name, []byte(text), mode), os.Chmod(name, mode))
	}
	if err := put("DEBIAN/control", p.control(arch), 0o644); err != nil {
		return nil, err
	}
	if err := put("usr/share/"+p.Name+"/own", p.Name+"\n", 0o644); err != nil {
		return nil, err
	}
	for name, text := range p.Files {
		if err := put(name, text, 0o644); err != nil {
			return nil, err
		}
	}
	for name, script := range map[string]string{"preinst": p.Preinst, "postinst": p.Postinst} {
		if script == "" {
			continue
		}
		if err := put("DEBIAN/"+name, "#!/bin/sh\nset -e\n"+script+"\n", 0o755); err != nil {
			return nil, err
		}
	}
	out, err := exec.CommandContext(ctx, "dpkg-deb", "--root-owner-group", "-Zgzip", "-b", root, file).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("dpkg-deb: %w\n%s", err, out)
	}
	return os.ReadFile(file)
}
