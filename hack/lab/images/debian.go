package images

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/hack/lab/apt"
	installer "github.com/crosshull/crosshull/llb/apt"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// debianPackages are what .NET needs beside a small Debian.
var debianPackages = []string{
	"ca-certificates", "libgcc-s1", "libicu72", "libssl3", "libstdc++6", "tzdata", "zlib1g",
}

// debianKey stands for what the root file systems of Debian are made from.
func debianKey(program dotnet.Program, mirror string) (string, error) {
	files, err := program.Files()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, _ = fmt.Fprintln(h, "1", debianPackages, mirror, fileTime)
	for _, f := range files {
		_, _ = fmt.Fprintf(h, "%s %d\n%s", f.Name, len(f.Data), f.Data)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// debianDir has the root file systems of Debian, one for each architecture. They have the same versions of packages, as
// they are made together.
func (m *maker) debianDir() string { return filepath.Join(m.Cache, "debian-"+m.debian) }

func (m *maker) debianfs(arch string) string { return filepath.Join(m.debianDir(), arch+".tar") }

// makeDebian makes the root file systems of Debian, unless they are there. That for the architecture of this machine
// is installed. The others get the same packages from the program that installs packages for base.packages of a spec,
// which runs nothing of them.
func (m *maker) makeDebian(ctx context.Context) error {
	if _, err := os.Stat(m.debianDir()); err == nil {
		return nil
	}
	m.say("Debian for amd64")
	work, err := os.MkdirTemp(m.Cache, "debian-*.tmp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) //nolint:errcheck // what is left is removed with the files of other keys
	made := filepath.Join(work, "made")
	if err := os.Mkdir(made, 0o755); err != nil {
		return err
	}
	native := filepath.Join(made, "amd64.tar")
	if err := apt.Install(ctx, apt.Bookworm, debianPackages, fileTime, native); err != nil {
		return err
	}
	twin, err := m.unpackTwin(ctx, work, native)
	if err != nil {
		return fmt.Errorf("prepare Debian for other architectures: %w", err)
	}
	eg, egctx := errgroup.WithContext(ctx)
	for _, a := range architectures[1:] {
		eg.Go(func() error {
			m.say("Debian for %s", a.debian)
			if err := twin.apply(egctx, a.debian, filepath.Join(made, a.debian+".tar")); err != nil {
				return fmt.Errorf("make Debian for %s: %w", a.debian, err)
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	return os.Rename(made, m.debianDir())
}

// twin is Debian for the architecture of this machine: as it is installed, and unpacked without a script being run.
// Debian for another architecture is unpacked in the same way, and gets what the scripts did here.
type twin struct {
	dotnet   string // the launcher
	assembly string // the program that installs packages
	work     string
	packages []string
	sources  string // see deb822
}

func (t *twin) installed() string         { return filepath.Join(t.work, "installed") }
func (t *twin) pristine() string          { return filepath.Join(t.work, "pristine") }
func (t *twin) target(arch string) string { return filepath.Join(t.work, "target-"+arch) }

// unpackTwin takes the installed system from an archive.
func (m *maker) unpackTwin(ctx context.Context, work, archive string) (*twin, error) {
	t := &twin{dotnet: filepath.Join(m.Toolchain, "sdk", "dotnet"), work: work}
	if err := os.Mkdir(t.installed(), 0o755); err != nil {
		return nil, err
	}
	if _, err := output(ctx, nil, "tar", "--extract", "--file", archive, "--directory", t.installed(), "--numeric-owner",
		"--preserve-permissions", "--xattrs", "--xattrs-include=*", "--exclude=./dev/*"); err != nil {
		return nil, err
	}
	database := filepath.Join(t.installed(), "var/lib/dpkg")
	names, err := output(ctx, nil, "dpkg-query", "--admindir="+database, "--show", "--showformat=${Package}\n")
	if err != nil {
		return nil, err
	}
	t.packages = strings.Fields(names)
	sources, err := os.ReadFile(filepath.Join(t.installed(), "etc/apt/sources.list"))
	if err != nil {
		return nil, err
	}
	if t.sources, err = deb822(string(sources), filepath.Join(t.installed(), keyring)); err != nil {
		return nil, err
	}
	if t.assembly, err = CompileInstaller(ctx, m.Toolchain, filepath.Join(work, "program")); err != nil {
		return nil, err
	}
	if err := skeleton(t.pristine(), "amd64"); err != nil {
		return nil, err
	}
	return t, t.install(ctx, "amd64", installer.Unpack)
}

// CompileInstaller compiles the program that installs packages into a new folder, and returns its assembly.
func CompileInstaller(ctx context.Context, toolchain, dir string) (string, error) {
	files, err := installer.Program.Files()
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	for _, f := range append(files, installer.Program.Config()) {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			return "", err
		}
	}
	path := filepath.Join(toolchain, "sdk") + string(os.PathListSeparator) + os.Getenv("PATH")
	args := installer.Program.CompileArgs(dotnet.Paths{Sources: dir, Output: dir})
	if _, err := output(ctx, []string{"PATH=" + path}, args[0], args[1:]...); err != nil {
		return "", err
	}
	return filepath.Join(dir, installer.Program.Assembly()), nil
}

// skeleton makes a system without packages, which dpkg can unpack packages into.
func skeleton(root, arch string) error {
	links := []string{"bin", "sbin", "lib"}
	if arch == "amd64" {
		links = append(links, "lib64")
	}
	for _, l := range links {
		if err := os.MkdirAll(filepath.Join(root, "usr", l), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("usr/"+l, filepath.Join(root, l)); err != nil {
			return err
		}
	}
	for _, dir := range []string{
		"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/lib/apt", "etc/apt/apt.conf.d",
		"etc/apt/preferences.d",
	} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	// The architecture of a system is that of its dpkg.
	return os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), []byte("Package: dpkg\n"+
		"Status: purge ok not-installed\nPriority: required\nSection: admin\nArchitecture: "+arch+"\n\n"), 0o644)
}

// apply makes archive: the system for another architecture.
func (t *twin) apply(ctx context.Context, arch, archive string) error {
	if err := t.install(ctx, arch, installer.Apply); err != nil {
		return err
	}
	_, err := output(ctx, nil, "tar", "--create", "--file", archive, "--directory", t.target(arch), "--numeric-owner",
		"--sort=name", "--xattrs", "--xattrs-include=*", ".")
	return err
}

// install makes the system for an architecture.
func (t *twin) install(ctx context.Context, arch, command string) error {
	if err := skeleton(t.target(arch), arch); err != nil {
		return err
	}
	state := filepath.Join(t.work, "state-"+arch)
	if err := os.Mkdir(state, 0o755); err != nil {
		return err
	}
	packages := installer.Packages{
		Install: t.packages,
		Sources: []installer.Source{{Name: "debian", Text: t.sources}},
	}
	file, err := packages.Request(state, fileTime, false)
	if err != nil {
		return err
	}
	var request map[string]any
	if err := json.Unmarshal(file.Data, &request); err != nil {
		return err
	}
	// The folders of the request are those of a step in a container.
	maps.Copy(request, map[string]any{
		"target": t.target(arch), "state": state, "unpacked": t.target("amd64"), "installed": t.installed(),
		"pristine": t.pristine(),
	})
	dt, err := json.Marshal(request)
	if err != nil {
		return err
	}
	name := filepath.Join(state, file.Name)
	if err := os.WriteFile(name, dt, 0o644); err != nil {
		return err
	}
	for _, c := range []string{installer.Resolve, command} {
		if _, err := output(ctx, nil, t.dotnet, t.assembly, c, name); err != nil {
			return err
		}
	}
	return nil
}

// output runs a program, with variables beside those of this process. The error has the end of what it wrote.
func output(ctx context.Context, env []string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, all strings.Builder
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, &all), &all
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(all.String()), "\n")
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, strings.Join(lines[max(0, len(lines)-20):], "\n"))
	}
	return out.String(), nil
}

// keyring has the keys of Debian, in every Debian.
const keyring = "usr/share/keyrings/debian-archive-keyring.gpg"

// pathExcludes and pathIncludes say which files a slim image of Debian leaves out, in the words of dpkg(1).
var (
	pathExcludes = []string{
		"/usr/share/doc/*", "/usr/share/groff/*", "/usr/share/info/*", "/usr/share/linda/*",
		"/usr/share/lintian/overrides/*", "/usr/share/locale/*", "/usr/share/man/*",
	}
	pathIncludes = []string{"/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias"}
)

// settings are files that images of Debian have beside those of packages.
func settings() map[string]string {
	var slim strings.Builder
	for _, p := range pathExcludes {
		_, _ = fmt.Fprintln(&slim, "path-exclude", p)
	}
	for _, p := range pathIncludes {
		_, _ = fmt.Fprintln(&slim, "path-include", p)
	}
	return map[string]string{
		"etc/dpkg/dpkg.cfg.d/docker":                    slim.String(),
		"etc/dpkg/dpkg.cfg.d/docker-apt-speedup":        "force-unsafe-io\n",
		"etc/apt/apt.conf.d/docker-autoremove-suggests": "Apt::AutoRemove::SuggestsImportant \"false\";\n",
		"etc/apt/apt.conf.d/docker-clean": `DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb ` +
			`/var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
`,
		"etc/apt/apt.conf.d/docker-gzip-indexes": "Acquire::GzipIndexes \"true\";\n",
		"etc/apt/apt.conf.d/docker-no-languages": "Acquire::Languages \"none\";\n",
	}
}

// excluded tells whether dpkg leaves out a file because of pathExcludes. It keeps folders and links in which a file of
// pathIncludes could be.
func excluded(name string, kind byte) bool {
	name = "/" + name
	if !slices.ContainsFunc(pathExcludes, func(p string) bool { return matches(p, name) }) {
		return false
	}
	return !slices.ContainsFunc(pathIncludes, func(p string) bool {
		folder, _, _ := strings.Cut(p, "/*")
		return matches(p, name) || (kind == tar.TypeDir || kind == tar.TypeSymlink) && strings.HasPrefix(name, folder)
	})
}

// matches tells whether dpkg's pattern is that of a path. Its one * also stands for slashes.
func matches(pattern, name string) bool {
	before, after, ok := strings.Cut(pattern, "*")
	if !ok {
		return name == pattern
	}
	rest, ok := strings.CutPrefix(name, before)
	return ok && strings.HasSuffix(rest, after)
}

// unwanted tells whether an image leaves out a file because only a machine that runs has it, because it is a log or a
// cache, or because it is only of the installation.
func unwanted(name string, kind byte) bool {
	for _, dir := range []string{"dev/", "proc/", "run/", "sys/", "tmp/", "var/tmp/"} {
		if strings.HasPrefix(name, dir) {
			return true
		}
	}
	switch name {
	case "", "etc/.pwd.lock", "etc/apt/sources.list", "etc/hostname", "etc/hosts", "etc/ld.so.cache", "etc/machine-id",
		"etc/resolv.conf", "var/lib/dpkg/arch":
		return true
	case "lib32", "libx32", "usr/lib32", "usr/libx32": // mmdebstrap makes them if there is no debootstrap
		return true
	}
	if kind == tar.TypeDir {
		return false
	}
	for _, dir := range []string{"var/cache/", "var/lib/apt/lists/", "var/log/"} {
		// debconf keeps the answers to the questions of packages there.
		if strings.HasPrefix(name, dir) && !strings.HasPrefix(name, "var/cache/debconf/") {
			return true
		}
	}
	return strings.HasPrefix(name, "var/") && strings.HasSuffix(name, "-old")
}

// debianTree is Debian as slim images have it: with the database of its packages, sources, keys and settings, and the
// user of Microsoft's images.
func (m *maker) debianTree(arch string) (*tree, error) {
	f, err := os.Open(m.debianfs(arch))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	user := map[string]string{
		"etc/passwd":  fmt.Sprintf("app:x:%d:%d::/home/app:/bin/sh\n", appUID, appUID),
		"etc/group":   fmt.Sprintf("app:x:%d:\n", appUID),
		"etc/shadow":  fmt.Sprintf("app:!:%d:0:99999:7:::\n", fileTime.Unix()/(24*60*60)),
		"etc/gshadow": "app:!::\n",
	}
	t := &tree{}
	for r := tar.NewReader(f); ; {
		hdr, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		dt, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		name := strings.Trim(strings.TrimPrefix(hdr.Name, "./"), "/")
		if name == "etc/apt/sources.list" {
			sources, err := deb822(string(dt), "/"+keyring)
			if err != nil {
				return nil, err
			}
			t.addFile("etc/apt/sources.list.d/debian.sources", 0o644, []byte(sources))
		}
		if unwanted(name, hdr.Typeflag) || excluded(name, hdr.Typeflag) {
			continue
		}
		dt = append(dt, user[name]...)
		kept := &tar.Header{
			Name: name, Typeflag: hdr.Typeflag, Mode: hdr.Mode, Uid: hdr.Uid, Gid: hdr.Gid, Linkname: hdr.Linkname,
			Size: int64(len(dt)), PAXRecords: map[string]string{},
		}
		if path.Base(name) == "partial" { // apt has given them to its own user where it has run, and does so again
			kept.Mode, kept.Uid, kept.Gid = 0o755, 0, 0
		}
		for k, v := range hdr.PAXRecords {
			if strings.HasPrefix(k, "SCHILY.xattr.") {
				kept.PAXRecords[k] = v
			}
		}
		t.addHeader(kept, dt)
	}
	for name, content := range settings() {
		t.addFile(name, 0o644, []byte(content))
	}
	t.addFile("usr/sbin/policy-rc.d", 0o755, []byte("#!/bin/sh\nexit 101\n")) // starts no services
	t.addDir("home/app", 0o755, appUID)
	return t, nil
}

var sourceLine = regexp.MustCompile(`^deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s+(\S.*)$`)

// deb822 writes the lines of a sources.list(5) as images of Debian have them. keys is the file that signs them.
func deb822(lines, keys string) (string, error) {
	var stanzas []string
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := sourceLine.FindStringSubmatch(line)
		if words == nil {
			return "", fmt.Errorf("no source of packages: %q", line)
		}
		stanzas = append(stanzas, fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n",
			words[1], words[2], words[3], keys))
	}
	return strings.Join(stanzas, "\n"), nil
}
