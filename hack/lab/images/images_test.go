package images

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, file, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, file string) {
	t.Helper()
	if err := os.Symlink(to, file); err != nil {
		t.Fatal(err)
	}
}

// member is what a test looks at of a member of an archive.
type member struct {
	name, content, link string
	kind                byte
	mode                int64
	owner               int
}

func dir(name string) member { return member{name: name, kind: tar.TypeDir, mode: 0o755} }

func file(name, content string) member {
	return member{name: name, content: content, kind: tar.TypeReg, mode: 0o644}
}

func program(name, content string) member {
	return member{name: name, content: content, kind: tar.TypeReg, mode: 0o755}
}

func symlink(name, to string) member {
	return member{name: name, link: to, kind: tar.TypeSymlink, mode: 0o777}
}

func members(t *testing.T, r io.Reader) []member {
	t.Helper()
	var out []member
	for tr := tar.NewReader(r); ; {
		hdr, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		dt, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		if !hdr.ModTime.Equal(fileTime) {
			t.Errorf("%s: time %s", hdr.Name, hdr.ModTime)
		}
		out = append(out, member{hdr.Name, string(dt), hdr.Linkname, hdr.Typeflag, hdr.Mode, hdr.Uid})
	}
}

func written(t *testing.T, tr *tree) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tr.write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func checkTree(t *testing.T, tr *tree, want []member) {
	t.Helper()
	if got := members(t, bytes.NewReader(written(t, tr))); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTreeWrite(t *testing.T) {
	hardLink := func(tr *tree, name, to string) {
		tr.addHeader(&tar.Header{Name: name, Typeflag: tar.TypeLink, Mode: 0o644, Linkname: to}, nil)
	}
	for _, tt := range []struct {
		name string
		fill func(tr *tree)
		want []member
	}{
		{"empty", func(*tree) {}, nil},
		{
			"sorted, with parents",
			func(tr *tree) {
				tr.addFile("z", 0o600, []byte("last"))
				tr.addFile("a/b/c", 0o644, []byte("deep"))
				tr.addLink("a/a", "/z")
			},
			[]member{dir("a/"), symlink("a/a", "/z"), dir("a/b/"), file("a/b/c", "deep"),
				{name: "z", content: "last", kind: tar.TypeReg, mode: 0o600}},
		},
		{
			"a parent that was added is kept",
			func(tr *tree) {
				tr.addFile("home/app/x", 0o644, nil)
				tr.addDir("home/app", 0o700, 1654)
			},
			[]member{dir("home/"), {name: "home/app/", kind: tar.TypeDir, mode: 0o700, owner: 1654}, file("home/app/x", "")},
		},
		{
			"the later replaces the earlier",
			func(tr *tree) {
				tr.addFile("a", 0o644, []byte("earlier and longer"))
				tr.addLink("b", "a")
				tr.addFile("a", 0o755, []byte("later"))
				tr.addFile("b", 0o644, []byte("file"))
			},
			[]member{program("a", "later"), file("b", "file")},
		},
		{
			"hard links after what they link to",
			func(tr *tree) {
				hardLink(tr, "a/link", "./z/target")
				hardLink(tr, "b", "z/target")
				tr.addFile("z/target", 0o644, []byte("x"))
			},
			[]member{
				dir("a/"), dir("z/"), file("z/target", "x"),
				{name: "a/link", link: "z/target", kind: tar.TypeLink, mode: 0o644},
				{name: "b", link: "z/target", kind: tar.TypeLink, mode: 0o644},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := &tree{}
			tt.fill(tr)
			checkTree(t, tr, tt.want)
		})
	}
}

func TestTreeWriteIsDeterministic(t *testing.T) {
	names := []string{"usr/bin/a", "usr/lib/b", "etc/c", "d", "opt/e/f/g", "opt/e/h"}
	var first []byte
	for range 20 {
		tr := &tree{}
		for _, n := range names {
			tr.addFile(n, 0o644, []byte(n))
		}
		got := written(t, tr)
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Fatal("the same files gave another archive")
		}
		names = append(names[1:], names[0]) // nor does the order count
	}
}

func TestAddDisk(t *testing.T) {
	disk := t.TempDir()
	root := filepath.Join(disk, "root")
	write(t, filepath.Join(root, "run"), "program", 0o700)
	write(t, filepath.Join(root, "data"), "data", 0o600)
	write(t, filepath.Join(root, "lib/test/x"), "x", 0o644)
	write(t, filepath.Join(root, "lib/y"), "y", 0o444)
	write(t, filepath.Join(root, "test/z"), "z", 0o644)
	link(t, "run", filepath.Join(root, "alias"))
	link(t, "/nowhere", filepath.Join(root, "lib/broken"))
	link(t, "lib", filepath.Join(root, "libs"))
	link(t, "root", filepath.Join(disk, "to-folder"))
	link(t, "to-folder", filepath.Join(disk, "to-link"))
	link(t, "root/run", filepath.Join(disk, "to-file"))

	all := []member{
		dir("opt/"), dir("opt/x/"), symlink("opt/x/alias", "run"), file("opt/x/data", "data"),
		dir("opt/x/lib/"), symlink("opt/x/lib/broken", "/nowhere"), dir("opt/x/lib/test/"), file("opt/x/lib/test/x", "x"),
		file("opt/x/lib/y", "y"),
		symlink("opt/x/libs", "lib"), program("opt/x/run", "program"), dir("opt/x/test/"), file("opt/x/test/z", "z"),
	}
	without := func(drop ...string) (out []member) {
		for _, m := range all {
			keep := true
			for _, d := range drop {
				keep = keep && !strings.HasPrefix(m.name, d)
			}
			if keep {
				out = append(out, m)
			}
		}
		return out
	}
	for _, tt := range []struct {
		name, from string
		skip       func(rel string) bool
		want       []member
	}{
		{"folder", "root", nil, all},
		{"link to a folder", "to-folder", nil, all},
		{"link to a link", "to-link", nil, all},
		{"file", "root/run", nil, []member{dir("opt/"), program("opt/x", "program")}},
		{"link to a file", "to-file", nil, []member{dir("opt/"), program("opt/x", "program")}},
		{"skip a folder", "root", func(rel string) bool { return rel == "test" }, without("opt/x/test/")},
		{"skip under a link", "to-folder", func(rel string) bool { return rel == "lib/test" }, without("opt/x/lib/test/")},
		{"skip by name", "root", func(rel string) bool { return path.Base(rel) == "test" },
			without("opt/x/test/", "opt/x/lib/test/")},
		{"skip a file", "root", func(rel string) bool { return rel == "alias" || rel == "lib/y" },
			without("opt/x/alias", "opt/x/lib/y")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := &tree{}
			if err := tr.addDisk(filepath.Join(disk, tt.from), "opt/x", tt.skip); err != nil {
				t.Fatal(err)
			}
			checkTree(t, tr, tt.want)
		})
	}
	for _, from := range []string{"missing", "root/lib/broken"} {
		if err := (&tree{}).addDisk(filepath.Join(disk, from), "opt/x", nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v, want that it does not exist", from, err)
		}
	}
}

func TestLayerFile(t *testing.T) {
	folder := t.TempDir()
	kept := filepath.Join(folder, "layer.tar.gz")
	built := 0
	build := func() (*tree, error) {
		built++
		tr := &tree{}
		tr.addFile("etc/x", 0o644, []byte("x"))
		return tr, nil
	}
	var digests []string
	for _, f := range []string{kept, kept, filepath.Join(folder, "again.tar.gz")} {
		layer, err := layerFile(f, build)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := layer.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
		r, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := members(t, r), []member{dir("etc/"), file("etc/x", "x")}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if built != 2 {
		t.Errorf("built %d times for 2 files", built)
	}
	if digests[0] != digests[1] || digests[0] != digests[2] {
		t.Errorf("digests differ: %s", digests)
	}
	wrong := errors.New("wrong")
	if _, err := layerFile(filepath.Join(folder, "bad"), func() (*tree, error) { return nil, wrong }); !errors.Is(err,
		wrong) {
		t.Errorf("error %v, want %v", err, wrong)
	}
	gone := func() (*tree, error) {
		return &tree{entries: []entry{{hdr: &tar.Header{Name: "x", Typeflag: tar.TypeReg, Size: 1},
			disk: filepath.Join(folder, "gone")}}}, nil
	}
	if _, err := layerFile(filepath.Join(folder, "bad"), gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that the file does not exist", err)
	}
	// What failed must leave nothing that looks like a layer, nor its remains.
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("left in the folder: %v", entries)
	}
}

// makeToolchain has the folders of these versions.
func makeToolchain(t *testing.T, sdk, runtime, aspnet []string) string {
	t.Helper()
	root := t.TempDir()
	for dir, versions := range map[string][]string{
		"sdk": sdk, "shared/Microsoft.NETCore.App": runtime, "shared/Microsoft.AspNetCore.App": aspnet,
	} {
		for _, v := range versions {
			if err := os.MkdirAll(filepath.Join(root, "sdk", dir, v), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

func TestInspect(t *testing.T) {
	one := []string{"9.0.1"}
	for _, tt := range []struct {
		name                 string
		sdk, runtime, aspnet []string
		muxer, pack          bool
		aspnetPack           bool
		want                 toolchain
		missing              string
	}{
		{name: "amd64 alone", sdk: []string{"9.0.102"}, runtime: one, aspnet: one,
			want: toolchain{sdk: "9.0.102", runtime: "9.0.1", aspnet: "9.0.1"}},
		{
			name: "the newest",
			sdk:  []string{"10.0.100", "9.0.310", "Current"}, runtime: []string{"9.0.9", "9.0.10"},
			aspnet: []string{"10.0.0-rc.1", "10.0.0"},
			want:   toolchain{sdk: "10.0.100", runtime: "9.0.10", aspnet: "10.0.0"},
		},
		{name: "arm64", sdk: one, runtime: one, aspnet: one, muxer: true, pack: true, aspnetPack: true,
			want: toolchain{sdk: "9.0.1", runtime: "9.0.1", aspnet: "9.0.1", arm64: true}},
		{name: "pack of ASP.NET Core missing", sdk: one, runtime: one, aspnet: one, muxer: true, pack: true,
			want: toolchain{sdk: "9.0.1", runtime: "9.0.1", aspnet: "9.0.1"}},
		{name: "launcher without pack", sdk: one, runtime: one, aspnet: one, muxer: true,
			want: toolchain{sdk: "9.0.1", runtime: "9.0.1", aspnet: "9.0.1"}},
		{name: "pack without launcher", sdk: one, runtime: one, aspnet: one, pack: true,
			want: toolchain{sdk: "9.0.1", runtime: "9.0.1", aspnet: "9.0.1"}},
		{name: "no SDK", sdk: []string{"NuGetFallbackFolder"}, runtime: one, aspnet: one, missing: "sdk/sdk"},
		{name: "no runtime", sdk: one, aspnet: one, missing: "sdk/shared/Microsoft.NETCore.App"},
		{name: "no ASP.NET Core", sdk: one, runtime: one, missing: "sdk/shared/Microsoft.AspNetCore.App"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Toolchain: makeToolchain(t, tt.sdk, tt.runtime, tt.aspnet), Muxer: t.TempDir()}
			if tt.muxer {
				write(t, filepath.Join(c.Muxer, "dotnet-arm64"), "", 0o755)
			}
			if tt.pack {
				write(t, filepath.Join(c.Toolchain, "feed/microsoft.netcore.app.runtime.linux-arm64.9.0.1.nupkg"), "", 0o644)
			}
			if tt.aspnetPack {
				write(t, filepath.Join(c.Toolchain, "feed/microsoft.aspnetcore.app.runtime.linux-arm64.9.0.1.nupkg"), "", 0o644)
			}
			got, err := inspect(t.Context(), c)
			if tt.missing != "" {
				if want := "no .NET toolchain in " + c.Toolchain + ": " + tt.missing + " is missing"; err == nil ||
					err.Error() != want {
					t.Errorf("error %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.sdk != tt.want.sdk || got.runtime != tt.want.runtime || got.aspnet != tt.want.aspnet ||
				got.arm64 != tt.want.arm64 {
				t.Errorf("got %+v, want %+v", *got, tt.want)
			}
			if _, err := os.Stat(filepath.Join(got.goroot, "src/fmt")); err != nil || got.goversion == "" ||
				strings.HasPrefix(got.goversion, "go") {
				t.Errorf("Go %q in %q: %v", got.goversion, got.goroot, err)
			}
		})
	}
}

func TestCompareVersions(t *testing.T) {
	order := []string{"8.0.20", "9.0.0-preview.7", "9.0.0-rc.1", "9.0.0", "9.0.9", "9.0.10", "9.0.100", "10.0.0",
		"10.0.0.1"}
	for i, a := range order {
		for j, b := range order {
			got := compareVersions(a, b)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("compareVersions(%s, %s) = %d", a, b, got)
			}
		}
	}
}

func TestKey(t *testing.T) {
	base, c := toolchain{sdk: "9.0.102", runtime: "9.0.1", aspnet: "9.0.1",
		goversion: "1.26"}, Config{FeedURL: "http://127.0.0.1:1"}
	keys := map[string]bool{base.key(c): true}
	if same := base; !keys[same.key(Config{FeedURL: c.FeedURL, Cache: "elsewhere"})] {
		t.Error("the folder of the cache changes the key")
	}
	for i, change := range []func(*toolchain, *Config){
		func(tc *toolchain, _ *Config) { tc.sdk = "9.0.103" },
		func(tc *toolchain, _ *Config) { tc.runtime = "9.0.2" },
		func(tc *toolchain, _ *Config) { tc.aspnet = "9.0.2" },
		func(tc *toolchain, _ *Config) { tc.arm64 = true },
		func(tc *toolchain, _ *Config) { tc.goversion = "1.27" },
		func(tc *toolchain, _ *Config) { tc.debian = "1" },
		func(_ *toolchain, c *Config) { c.FeedURL = "http://127.0.0.1:2" },
	} {
		tc, c := base, c
		change(&tc, &c)
		if k := tc.key(c); keys[k] {
			t.Errorf("change %d gives a key that was there", i)
		} else {
			keys[k] = true
		}
	}
}

func TestChiselled(t *testing.T) {
	for _, tt := range []struct {
		name          string
		gone, withICU bool
	}{
		{"bin/busybox", true, true},
		{"usr/bin/env", true, true},
		{"usr/sbin/chroot", true, true},
		{"sbin/ldconfig", true, true},
		{"usr/share/doc/libc6/copyright", true, true},
		{"usr/share/zoneinfo/UTC", true, false},
		{"usr/lib/x86_64-linux-gnu/libicudata.so.72", true, false},
		{"usr/lib/x86_64-linux-gnu/libssl.so.3", false, false},
		{"lib/x86_64-linux-gnu/libc.so.6", false, false},
		{"usr/share/ca-certificates/mozilla/a.crt", false, false},
		{"etc/passwd", false, false},
		{"bin", false, false},
		{"opt/bin/x", false, false},
	} {
		if got := chiselled(tt.name, false); got != tt.gone {
			t.Errorf("chiselled(%s, false) = %t", tt.name, got)
		}
		if got := chiselled(tt.name, true); got != tt.withICU {
			t.Errorf("chiselled(%s, true) = %t", tt.name, got)
		}
	}
}

func TestOSTree(t *testing.T) {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, m := range []member{
		dir("./"), dir("./bin/"), program("./bin/busybox", "busybox"), dir("./dev/"), file("./dev/x", ""),
		file("./etc/hostname", "here"), file("./etc/passwd", "root:x:0:0::/:\n"), dir("./lib/"),
		file("./lib/libc.so", "libc"),
		{name: "./lib/link.so", link: "./lib/libc.so", kind: tar.TypeLink, mode: 0o644},
		file("./usr/lib/libicudata.so", "icu"), file("./lib/x86_64-linux-gnu/libm.so.6", "glibc"),
		file("./lib/ld-musl-x86_64.so.1", "musl"),
		file("./usr/share/ca-certificates/a.crt", "A\n"), file("./usr/share/ca-certificates/b.crt", "B\n"),
		file("./usr/share/ca-certificates/README", "no"),
		file("./usr/share/doc/x", "doc"), file("./usr/share/zoneinfo/UTC", "utc"), file("./var/cache/x", ""),
		file("./etc/apt/sources.list", "deb"), file("./var/lib/apt/x", ""),
		file("./var/lib/dpkg/status", "dpkg"), file("./var/log/x", "log"),
	} {
		hdr := &tar.Header{Name: m.name, Typeflag: m.kind, Mode: m.mode, Linkname: m.link, Size: int64(len(m.content)),
			ModTime: time.Now()}
		if err := tw.WriteHeader(hdr); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, m.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	m := &maker{Config: Config{Cache: t.TempDir()}}
	write(t, m.rootfs("amd64"), b.String(), 0o644)

	always := []string{
		"bin/", "dev/", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "home/app/", "lib/libc.so", "lib/link.so", "tmp/",
		"usr/share/ca-certificates/README",
	}
	never := []string{"dev/x", "etc/hostname", "usr/share/doc/x", "var/cache/x", "var/lib/apt/x", "var/log/x", "./", "",
		"etc/apt/sources.list", "var/lib/dpkg/status"}
	shell, icu := []string{"bin/busybox"}, []string{"usr/lib/libicudata.so", "usr/share/zoneinfo/UTC"}
	for _, v := range variants {
		if v.debian() {
			continue
		}
		t.Run("noble"+v.suffix, func(t *testing.T) {
			tr, err := m.osTree("amd64", v)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]member{}
			for _, m := range members(t, bytes.NewReader(written(t, tr))) {
				got[m.name] = m
			}
			check := func(names []string, want bool) {
				for _, n := range names {
					if _, ok := got[n]; ok != want {
						t.Errorf("%q is there: %t, want %t", n, ok, want)
					}
				}
			}
			check(always, true)
			check(never, false)
			check(shell, !v.chiseled)
			check(icu, v.icu)
			check([]string{"lib/x86_64-linux-gnu/libm.so.6"}, !v.musl)
			check([]string{"lib/ld-musl-x86_64.so.1", "etc/alpine-release"}, v.musl)
			if p := got["etc/passwd"].content; !strings.Contains(p, "app:x:1654:1654:") {
				t.Errorf("etc/passwd is %q", p)
			}
			if c := got["etc/ssl/certs/ca-certificates.crt"].content; c != "A\nB\n" {
				t.Errorf("the bundle of certificates is %q", c)
			}
			if l := got["lib/link.so"]; l.kind != tar.TypeLink || l.link != "lib/libc.so" {
				t.Errorf("the hard link is %+v", l)
			}
			if h := got["home/app/"]; h.owner != 1654 {
				t.Errorf("home/app belongs to %d", h.owner)
			}
			if d := got["tmp/"]; d.mode != 0o1777 {
				t.Errorf("tmp has mode %o", d.mode)
			}
		})
	}
	if _, err := m.osTree("arm64", variants[2]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that there is no root file system", err)
	}
}

func TestRuntimeTrees(t *testing.T) {
	top := makeToolchain(t, []string{"9.0.102"}, []string{"9.0.1"}, []string{"9.0.1"})
	for name, mode := range map[string]os.FileMode{
		"dotnet": 0o755, "LICENSE.txt": 0o644, "ThirdPartyNotices.txt": 0o644, "host/fxr/9.0.1/libhostfxr.so": 0o644,
		"shared/Microsoft.NETCore.App/9.0.1/System.dll": 0o644, "shared/Microsoft.AspNetCore.App/9.0.1/Web.dll": 0o644,
		"sdk/9.0.102/dotnet.dll": 0o644, "packs/x": 0o644,
	} {
		write(t, filepath.Join(top, "sdk", name), name, mode)
	}
	muxer := t.TempDir()
	write(t, filepath.Join(muxer, "dotnet-arm64"), "launcher", 0o755)
	c := Config{Toolchain: top, Muxer: muxer, FeedURL: "http://127.0.0.1:1/index.json"}
	writePack(t, pack(c, "Microsoft.NETCore.App", "9.0.1"), "runtimes/linux-arm64/native/libhostfxr.so",
		"runtimes/linux-arm64/native/createdump",
		"runtimes/linux-arm64/lib/net9.0/System.dll", "runtimes/linux-arm64/other/x", "LICENSE.TXT")
	tc, err := inspect(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{Config: c, toolchain: tc}
	for _, tt := range []struct {
		name  string
		build func() (*tree, error)
		want  []string // files; a program with a * after its name
	}{
		{"runtime amd64", m.runtimeAMD64, []string{
			"usr/bin/dotnet", "usr/share/dotnet/LICENSE.txt", "usr/share/dotnet/ThirdPartyNotices.txt",
			"usr/share/dotnet/dotnet*",
			"usr/share/dotnet/host/fxr/9.0.1/libhostfxr.so", "usr/share/dotnet/shared/Microsoft.NETCore.App/9.0.1/System.dll",
		}},
		{"ASP.NET Core amd64", m.aspnetAMD64, []string{"usr/share/dotnet/shared/Microsoft.AspNetCore.App/9.0.1/Web.dll"}},
		{"SDK", m.sdkTree,
			[]string{"root/.nuget/NuGet/NuGet.Config", "usr/share/dotnet/packs/x", "usr/share/dotnet/sdk/9.0.102/dotnet.dll"}},
		{"runtime arm64", m.runtimeARM64, []string{
			"usr/bin/dotnet", "usr/share/dotnet/dotnet*", "usr/share/dotnet/host/fxr/9.0.1/libhostfxr.so",
			"usr/share/dotnet/shared/Microsoft.NETCore.App/9.0.1/System.dll",
			"usr/share/dotnet/shared/Microsoft.NETCore.App/9.0.1/createdump*",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr, err := tt.build()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range members(t, bytes.NewReader(written(t, tr))) {
				switch {
				case m.kind == tar.TypeReg && m.mode == 0o755:
					got = append(got, m.name+"*")
				case m.kind != tar.TypeDir:
					got = append(got, m.name)
				}
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
	if _, err := m.aspnetARM64(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that there is no pack", err)
	}
}

func writePack(t *testing.T, file string, names ...string) {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		w, err := z.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, n); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, file, b.String(), 0o644)
}

func TestPrune(t *testing.T) {
	cache := t.TempDir()
	for _, name := range []string{"layer-new-os.tar.gz", "layer-old-os.tar.gz", "pushed-new.json", "pushed-old.json",
		"rootfs-amd64.tar", "debian-this/amd64.tar", "debian-other/amd64.tar", "debian-1.tmp/made/amd64.tar"} {
		write(t, filepath.Join(cache, name), "", 0o644)
	}
	if err := prune(cache, "new", "this"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		files[i] = filepath.Base(f)
	}
	if got := strings.Join(files, " "); got != "debian-this layer-new-os.tar.gz pushed-new.json rootfs-amd64.tar" {
		t.Errorf("left: %s", got)
	}
}
