package packages

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The cache of the loader has what ldconfig writes, which can run for the architecture of this machine.
func TestLoaderCache(t *testing.T) {
	to, from := runtime.GOARCH, "arm64"
	if to == from {
		from = "amd64"
	}
	libraries := "/usr/lib/" + tuples[to] + "/"
	read := func(name string) string {
		dt, err := os.ReadFile(libraries + name)
		if err != nil {
			t.Skip(err)
		}
		return string(dt)
	}
	if _, err := exec.LookPath("ldconfig"); err != nil {
		t.Skip(err)
	}
	libc, lib := read("libc.so.6"), read("libdl.so.2") // a small one
	const folders = 60
	i := installation{
		change: func(t *testing.T, root string) {
			write(t, root, libraries+"libc.so.6", libc)
			for _, version := range []string{"2.1", "2.8", "2.9", "2.10", "2.7", "2.a", "1", "2.10.1", "2.10.0", "2.3"} {
				write(t, root, libraries+"libdl.so."+version, lib)
			}
			link(t, root, libraries+"libother.so.3", "libdl.so.2.1")
			link(t, root, "opt/links/libother.so.3", "libdl.so.2.1")
			write(t, root, "opt/links/libdl.so.2.1", lib)
			write(t, root, "opt/links/libscript.so", "GROUP(libdl.so.2)\n")
			conf := "/opt/links\n/opt/debug\n"
			for i := range folders {
				dir := fmt.Sprintf("opt/cut%d", i)
				write(t, root, dir+"/libdl.so.2.1", lib[:len(lib)*i/folders/2])
				conf += "/" + dir + "\n"
			}
			write(t, root, "etc/ld.so.conf", conf)
			if _, err := exec.LookPath("objcopy"); err == nil {
				write(t, root, "opt/debug/libdl.so.2.1", lib)
				file := filepath.Join(root, "opt/debug/libdl.so.2.1")
				if out, err := run(t, "objcopy", "--only-keep-debug", file); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
		},
		install: []made{script("echo > etc/ld.so.cache")},
	}
	r, err := i.apply(t, from, to, true)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "ldconfig", "-r", r.want); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, want := loaded(t, r.got), loaded(t, r.want)
	if len(want) < 3 {
		t.Errorf("ldconfig finds only %q", want)
	}
	if !maps.Equal(got, want) {
		t.Errorf("the cache has\n%s\nwant\n%s", lines(got), lines(want))
	}
}

// loaded says which file a system has for the name and the folder of each library of its cache. ldconfig makes a link
// with the name of a library to its file.
func loaded(t *testing.T, root string) map[string]string {
	t.Helper()
	out, err := run(t, "ldconfig", "-r", root, "-p")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) \((.*)\) => (\S+)/(\S+)$`).FindAllStringSubmatch(out, -1) {
		to, err := filepath.EvalSymlinks(filepath.Join(root, m[3], m[4]))
		if err != nil {
			t.Fatal(err)
		}
		all[m[1]+" ("+m[2]+") of "+m[3]] = filepath.Base(to)
	}
	return all
}

func lines(all map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		_, _ = fmt.Fprintf(&text, "%s: %s\n", key, all[key])
	}
	return text.String()
}
