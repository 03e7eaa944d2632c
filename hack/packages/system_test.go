package packages

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/images"
	"github.com/crosshull/crosshull/llb/apt"
)

// tuples are GNU's names of architectures: those that images of .NET have, and one with another byte order.
var tuples = map[string]string{
	"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu", "armhf": "arm-linux-gnueabihf",
	"s390x": "s390x-linux-gnu",
}

// made is a package to make. TUPLE and ARCH in what it has stand for the names of its architecture.
type made struct {
	name     string
	version  string // empty: 1
	control  string // further lines
	only     string // the one architecture that has it; empty: all
	files    map[string]string
	links    map[string]string
	scripts  map[string]string // by their names; they run in the root of the system
	triggers string
	// more are files of one architecture beside files, or in their place.
	more map[string]map[string]string
}

// installation is what a test installs: on a system that has a base, from one architecture for another.
type installation struct {
	base, install []made
	// change changes the base of the other architecture.
	change func(t *testing.T, root string)
	skip   []string // packages whose scripts may be skipped
}

// work has what all tests share.
var work string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "packages-")
	if err != nil {
		log.Fatal(err)
	}
	work = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// installer is the program, and what runs it.
type installer struct{ dotnet, assembly string }

var theInstaller = sync.OnceValues(func() (installer, error) {
	l, err := lab.New()
	if err != nil {
		return installer{}, err
	}
	toolchain := l.Toolchain()
	if toolchain.Dir == "" {
		return installer{}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	assembly, err := images.CompileInstaller(ctx, toolchain.Dir, filepath.Join(work, "program"))
	return installer{filepath.Join(toolchain.Dir, "sdk", "dotnet"), assembly}, err
})

// ready gives the program, if the machine can run it.
func ready(t *testing.T) installer {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	program, err := theInstaller()
	if err != nil {
		t.Fatal(err)
	}
	if program.assembly == "" {
		t.Skip("there is no .NET SDK to compile the program")
	}
	return program
}

// run runs a command of the program. folders are in place of those of a step. The error is what the program tells the
// user.
func (p installer) run(t *testing.T, command string, packages apt.Packages, folders map[string]any) error {
	t.Helper()
	file, err := packages.Request("", time.Unix(0, 0), true)
	if err != nil {
		t.Fatal(err)
	}
	var request map[string]any
	if err := json.Unmarshal(file.Data, &request); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	maps.Copy(request, folders)
	request["errors"] = filepath.Join(dir, "errors")
	dt, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "request.json", string(dt))
	out, err := run(t, p.dotnet, "exec", p.assembly, command, filepath.Join(dir, "request.json"))
	if err == nil {
		return nil
	}
	dt, readErr := os.ReadFile(filepath.Join(dir, "errors"))
	if readErr != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return fmt.Errorf("%s", dt)
}

// system makes the folder of a system that has packages, installed by dpkg with their scripts.
func system(t *testing.T, arch string, packages []made) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "system")
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
		"etc/group":  "root:x:0:\n",
		"etc/shadow": "root:*:20000:0:99999:7:::\n",
		"var/lib/dpkg/status": "Package: dpkg\nStatus: install ok installed\nMaintainer: a <a@example.com>\n" +
			"Architecture: " + arch + "\nVersion: 1\nDescription: x\n\n",
		"var/lib/dpkg/info/dpkg.list": "/.\n",
		"usr/bin/base":                "\x7fELF base " + arch + "\n",
	} {
		write(t, root, name, text)
	}
	for _, dir := range []string{
		"opt", "var/lib/apt", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/lib/dpkg/alternatives",
	} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	install(t, root, archives(t, arch, packages))
	return root
}

// install installs archives by dpkg, with their scripts.
func install(t *testing.T, root, archives string) {
	t.Helper()
	files, err := filepath.Glob(archives + "/archives/*.deb")
	if err != nil || len(files) == 0 {
		return
	}
	args := append([]string{
		"--root=" + root, "--log=/dev/null", "--force-script-chrootless", "--force-architecture", "--force-depends",
		"--force-confold", "--force-confdef", "--force-unsafe-io", "--install",
	}, files...)
	if out, err := run(t, "dpkg", args...); err != nil {
		t.Fatalf("dpkg: %v\n%s", err, out)
	}
}

// archives makes packages, and gives a folder for the state of the program that has them.
func archives(t *testing.T, arch string, packages []made) (state string) {
	t.Helper()
	state = t.TempDir()
	if err := os.Mkdir(filepath.Join(state, "archives"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		if p.only == "" || p.only == arch {
			p.pack(t, arch, filepath.Join(state, "archives"))
		}
	}
	return state
}

func (p made) pack(t *testing.T, arch, dir string) {
	t.Helper()
	named := strings.NewReplacer("TUPLE", tuples[arch], "ARCH", arch).Replace
	root := t.TempDir()
	version := p.version
	if version == "" {
		version = "1"
	}
	write(t, root, "DEBIAN/control", "Package: "+p.name+"\nVersion: "+version+"\nArchitecture: "+arch+
		"\nMaintainer: a <a@example.com>\nDescription: x\n"+named(p.control))
	files := maps.Clone(p.files)
	if files == nil {
		files = map[string]string{}
	}
	maps.Copy(files, p.more[arch])
	var conffiles strings.Builder
	for name, text := range files {
		write(t, root, named(name), named(text))
		if strings.HasPrefix(name, "etc/") {
			conffiles.WriteString("/" + named(name) + "\n")
		}
	}
	if conffiles.Len() > 0 {
		write(t, root, "DEBIAN/conffiles", conffiles.String())
	}
	for name, to := range p.links {
		link(t, root, named(name), named(to))
	}
	for name, script := range p.scripts {
		write(t, root, "DEBIAN/"+name, "#!/bin/sh\nset -e\ncd \"$DPKG_ROOT/\"\n"+script+"\n")
		if err := os.Chmod(filepath.Join(root, "DEBIAN", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if p.triggers != "" {
		write(t, root, "DEBIAN/triggers", p.triggers+"\n")
	}
	// Files of one version have the same time, which differs between architectures as it does after a rebuild.
	built := time.Unix(1_600_000_000+int64(len(arch+tuples[arch]))*86400, 0)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink != 0 {
			return err
		}
		return os.Chtimes(path, built, built)
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", root,
		filepath.Join(dir, p.name+"_"+version+"_"+arch+".deb")); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
}

// result is a system that the program made, and that which dpkg makes with the scripts.
type result struct{ got, want string }

// apply does an installation from one architecture for another, and the true one if asked for. err is what the program
// tells the user.
func (i installation) apply(t *testing.T, from, to string, truly bool) (r result, err error) {
	t.Helper()
	program := ready(t)
	pristine, target := system(t, from, i.base), system(t, to, i.base)
	if i.change != nil {
		i.change(t, target)
	}
	states := map[string]string{from: archives(t, from, i.install), to: archives(t, to, i.install)}
	installed, unpacked, truth := copied(t, pristine), copied(t, pristine), copied(t, target)
	install(t, installed, states[from])
	if truly {
		install(t, truth, states[to])
	}
	for _, step := range []struct{ command, target, arch string }{
		{apt.Unpack, unpacked, from}, {apt.Apply, target, to},
	} {
		if err := program.run(t, step.command, apt.Packages{SkipScripts: i.skip}, map[string]any{
			"target": step.target, "state": states[step.arch], "unpacked": unpacked, "installed": installed,
			"pristine": pristine,
		}); err != nil {
			return result{}, err
		}
	}
	return result{target, truth}, nil
}

// check does an installation, and compares the result with the truth.
func (i installation) check(t *testing.T, from, to string) result {
	t.Helper()
	r, err := i.apply(t, from, to, true)
	if err != nil {
		t.Fatal(err)
	}
	got, want := entries(t, r.got), entries(t, r.want)
	for name := range want {
		if _, ok := got[name]; !ok {
			got[name] = "missing"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			t.Errorf("%s is\n%s, want\n%s", name, got[name], want[name])
		}
	}
	return r
}

// leftBehind are files that differ, and may: locks, logs, backups, and what is there only while a machine runs.
var leftBehind = regexp.MustCompile(
	`^var/lib/dpkg/(lock.*|triggers/(Lock|Unincorp)|status-old|arch)$|^(run|var/log)(/|$)`)

// entries says of each file of a system what it is.
func entries(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	first := map[uint64]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name := strings.TrimPrefix(path, root+"/")
		if leftBehind.MatchString(name) {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		all[name] = fmt.Sprintf("%v, owner %d:%d", info.Mode(), st.Uid, st.Gid)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			all[name] += ", leads to " + to
			return err
		case info.Mode().IsRegular():
			dt, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text := string(dt)
			if name == "var/lib/dpkg/diversions" || name == "var/lib/dpkg/diversions-old" {
				text = inOrder(text)
			}
			if len(text) > 400 {
				text = fmt.Sprintf("%x", sha256.Sum256(dt))
			}
			all[name] += fmt.Sprintf(", content %q", text)
			if time.Since(info.ModTime()) > 24*time.Hour && info.ModTime().Unix() != 0 {
				all[name] += ", of " + info.ModTime().UTC().String()
			}
			if st.Nlink > 1 {
				if first[st.Ino] == "" {
					first[st.Ino] = name
				}
				all[name] += ", one with " + first[st.Ino]
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// inOrder sorts dpkg's list of diversions, of three lines each. dpkg writes them in the order of hashes.
func inOrder(diversions string) string {
	lines := strings.SplitAfter(diversions, "\n")
	var all []string
	for d := range slices.Chunk(lines, 3) {
		all = append(all, strings.Join(d, ""))
	}
	slices.Sort(all)
	return strings.Join(all, "")
}
