package e2e

import (
	"archive/tar"
	"cmp"
	"crypto/sha256"
	"debug/elf"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/hack/lab/run"
)

// withPackages is an app on a base that gets packages.
func withPackages(t *testing.T, packages string) (dir string) {
	t.Helper()
	dir = sharedHello(t)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nbase:\n  packages: "+packages+"\n")
	return dir
}

// packageEntries are the entries of a layer: what each is, as far as an installation decides it.
func packageEntries(t *testing.T, repo string, layer ocispecs.Descriptor) map[string]string {
	t.Helper()
	all := map[string]string{}
	eachEntry(t, repo, layer.Digest.String(), func(h *tar.Header, r io.Reader) {
		dt, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch path.Clean(h.Name) {
		case "etc/shadow":
			dt = shadowDate.ReplaceAll(dt, []byte("$1"))
		case "var/lib/dpkg/triggers/File": // dpkg adds a line when it unpacks a package, and apt tells it in which order
			lines := slices.Sorted(strings.Lines(string(dt)))
			dt = []byte(strings.Join(lines, ""))
		}
		sum := sha256.Sum256(dt)
		var attributes []string
		for _, k := range slices.Sorted(maps.Keys(h.PAXRecords)) {
			if strings.HasPrefix(k, "SCHILY.") {
				attributes = append(attributes, k+"="+h.PAXRecords[k])
			}
		}
		all[path.Clean(h.Name)] = fmt.Sprintf("type %c, mode %o, owner %d:%d, leads to %q, content %x, attributes %q",
			h.Typeflag, h.Mode, h.Uid, h.Gid, h.Linkname, sum[:6], attributes)
	})
	return all
}

// failedScript is in the output of dpkg if a script of a package fails.
var failedScript = regexp.MustCompile(`dpkg: error processing package \S+ \(--configure\)`)

// shadowDate is the day on which a user was added, which is a fixed one in our images.
var shadowDate = regexp.MustCompile(`(?m)^([^:]*:[^:]*:)[0-9]+`)

// leftBehind are paths that differ, and may: caches, lists, logs, locks and backups that apt-get install leaves, and
// folders that have nothing else. What is there only while a machine runs. The number and the keys of a machine: each
// container needs its own. Caches of fonts, which have the times of folders.
var leftBehind = regexp.MustCompile(`^var/(cache/(apt|ldconfig)|lib/apt/lists)(/|$)|` +
	`^var/log(/apt|/.*\.log|/lastlog|/faillog|/btmp|/wtmp)?(/|$)|` +
	`^var/lib/dpkg/(lock.*|triggers/Lock|triggers/Unincorp|triggers|status-old)$|` +
	`^etc/((passwd|group|shadow|gshadow)-|\.pwd\.lock)$|` +
	`^(etc|var/lib/dbus)/machine-id$|^etc/ssh/ssh_host_[a-z0-9]+_key(\.pub)?$|^run/|` +
	`^var/cache/fontconfig/[0-9a-f-]+-le64\.cache-\d+$|` +
	`^(var|var/cache|etc|run|tmp|var/lib|var/lib/dpkg|var/lib/apt)$`)

// packageSets is a file with packages to install together in each line.
var packageSets = flag.String("packages", "testdata/packages/some.txt", "file with sets of packages")

// The layer of packages is what apt-get install makes, file by file. For linux/amd64/v2, they are installed as on a
// platform whose programs cannot run, so that is compared with the truth as well.
func TestPackagesAsInstalled(t *testing.T) {
	t.Parallel()
	dt, err := os.ReadFile(*packageSets)
	if err != nil {
		t.Fatal(err)
	}
	runtime, base := theLab.Registry()+"/dotnet/runtime", map[string]string{}
	var of pushed
	fetch(t, runtime, "manifests/"+baseManifest(t, "dotnet/runtime:10.0", "amd64"), &of.Manifest)
	for _, layer := range of.Layers {
		maps.Copy(base, packageEntries(t, runtime, layer))
	}
	for set := range strings.Lines(string(dt)) {
		names := strings.Fields(set)
		t.Run(strings.Join(names, " "), func(t *testing.T) {
			t.Parallel()
			dir, repo := withPackages(t, "["+strings.Join(names, ", ")+"]"), repository(t)
			// To compress what is read once would take longer than some packages take to install.
			rec, failed := solve(t, dir, platform("linux/amd64,linux/amd64/v2"), pushTo(repo), asking(uncompressed))
			truth := repository(t)
			// All sets share the lists, and their layer.
			write(t, dir, "Dockerfile", "FROM mcr.microsoft.com/dotnet/runtime:10.0\nRUN apt-get update\n"+
				"RUN apt-get install -y --no-install-recommends "+strings.Join(names, " ")+"\n")
			out, err := tryBuild(t, dir, "--provenance=false", "--platform", "linux/amd64",
				"--output", "type=image,push=true,compression=uncompressed,name="+truth, ".")
			if m := failedScript.FindString(out); err != nil && m != "" && failed != nil &&
				strings.Contains(failed.Error(), m) {
				t.Skipf("a script of a package fails in this base, with apt-get, too: %s", m)
			}
			if err != nil {
				t.Fatalf("apt-get fails: %s\ncrosshull: %v", out, failed)
			}
			if failed != nil {
				t.Fatalf("build %s: %v\n%s", dir, failed, rec.log)
			}
			var plain pushed
			fetch(t, truth, "manifests/latest", &plain.Manifest)
			if len(plain.Layers) != len(of.Layers)+2 {
				t.Fatalf("%d layers over a base of %d", len(plain.Layers), len(of.Layers))
			}
			want := packageEntries(t, truth, plain.appLayer())
			_, images := index(t, repo)
			for _, p := range []string{"linux/amd64", "linux/amd64/v2"} {
				compareEntries(t, p, base, packageEntries(t, repo, images[p].Layers[len(of.Layers)]), want)
			}
		})
	}
}

// uncompressed pushes layers as they are.
func uncompressed(so *client.SolveOpt) { so.Exports[0].Attrs["compression"] = "uncompressed" }

// compareEntries compares layers over a base. A script may write a file of the base again as it was.
func compareEntries(t *testing.T, platform string, base, got, want map[string]string) {
	t.Helper()
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		got, want := cmp.Or(got[name], base[name]), cmp.Or(want[name], base[name])
		if got != want && !leftBehind.MatchString(name) {
			t.Errorf("%s: %s is\n%s, want\n%s", platform, name, got, want)
		}
	}
}

// The image for arm64 has what the packages are there: programs for arm64, the same files otherwise, and a database
// that dpkg finds right. A program that loads the library runs there.
func TestPackagesOfAnotherPlatform(t *testing.T) {
	t.Parallel()
	dir, repo := withPackages(t, "[libfontconfig1, tzdata, curl]\nimage: {entrypoint: [/bin/sh, -c]}"), repository(t)
	// An earlier run may have left the same packages in the builder's cache.
	rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64,linux/arm/v7"), attr("no-cache", "packages"), pushTo(repo))
	if rec.count("[packages linux/amd64] apt-get install") != 1 {
		t.Errorf("the packages are not installed once on the builder's platform: %q", rec.ran)
	}
	for _, op := range rec.execs {
		if op.Platform.GetArchitecture() != "amd64" {
			t.Errorf("%v runs on %s", op.GetExec().Meta.Args, op.Platform.GetArchitecture())
		}
	}
	_, images := index(t, repo)
	files := layerFiles(t, repo, images["linux/arm64"].Layers[osLayer(t, repo, images["linux/arm64"])])
	programs := 0
	for name, f := range files {
		if strings.HasPrefix(string(f.data), "\x7fELF") {
			wantELF(t, name, f.data, elf.EM_AARCH64)
			programs++
		}
		if strings.Contains(name, "x86_64") || strings.Contains(name, "amd64") {
			t.Errorf("a file for amd64: %s", name)
		}
	}
	if programs < 10 {
		t.Errorf("%d programs and libraries", programs)
	}
	res := runMachine(t, run.Spec{
		Ref: repo,
		Args: []string{"dpkg --audit && dpkg --verify curl libfontconfig1 && apt-get --version && curl --version && " +
			"dpkg-query -W libfontconfig1 && TZ=Europe/Berlin date +%Z"},
	})
	wantContains(t, "output", res.Output, "curl 7", "aarch64", "libfontconfig1:arm64", "CE")
	if strings.Contains(res.Output, "??5") {
		t.Errorf("dpkg finds changed files:\n%s", res.Output)
	}
}

// osLayer is the index of the layer of packages: the one with the database of dpkg that is last.
func osLayer(t *testing.T, repo string, img pushed) int {
	t.Helper()
	for i := len(img.Layers) - 1; i >= 0; i-- {
		if layerFiles(t, repo, img.Layers[i])["var/lib/dpkg/status"] != nil {
			return i
		}
	}
	t.Fatal("no layer has a database of dpkg")
	return 0
}

func wantELF(t *testing.T, name string, data []byte, want elf.Machine) {
	t.Helper()
	f, err := elf.NewFile(strings.NewReader(string(data)))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if f.Machine != want {
		t.Errorf("%s is for %s, want %s", name, f.Machine, want)
	}
}

// Packages are installed anew when they change, and then only they. An edit of a source does not touch them, and they
// come out the same each time, with and without merges.
func TestPackagesAreALayerOfTheirOwn(t *testing.T) {
	t.Parallel()
	const both = "linux/amd64,linux/arm64"
	dir, repo := withPackages(t, "[libfontconfig1]"), repository(t)
	mustSolve(t, dir, platform(both), pushTo(repo))
	_, first := index(t, repo)

	write(t, dir, "More.cs", "class More;\n")
	rec := mustSolve(t, dir, platform(both), pushTo(repo))
	if n := rec.count("[packages linux/"); n != 0 {
		t.Errorf("an edit of a source ran %d steps of packages: %q", n, rec.ran)
	}

	again := repository(t)
	mustSolve(t, dir, platform(both), pushTo(again), attr("no-cache", "packages"), without(pb.CapMergeOp))
	_, second := index(t, again)
	for p := range first {
		i := osLayer(t, repo, first[p])
		if first[p].Layers[i].Digest != second[p].Layers[i].Digest {
			t.Errorf("%s: the layer of packages is %s and %s", p, first[p].Layers[i].Digest, second[p].Layers[i].Digest)
		}
	}

	edit(t, dir, "crosshull.yaml", "[libfontconfig1]", "[libfontconfig1, libexpat1, ncurses-term]")
	// Without the cache of packages, as an earlier run of this test has filled it.
	rec = mustSolve(t, dir, platform(both), pushTo(repo), attr("no-cache", "packages"))
	if rec.count("[publish] dotnet publish") != 0 || rec.count("[packages linux/") == 0 {
		t.Errorf("other packages ran %q", rec.ran)
	}
}

// What apt says is an error at the line of the package.
func TestPackageMistakes(t *testing.T) {
	t.Parallel()
	shop := newShop(t)
	shop.put("/a_b/Packages", []byte("Nackage: x\nVersion: 1\n\n"))
	shop.put("/none/Packages", fmt.Appendf(nil, "Package: none\nVersion: 1\nArchitecture: all\nMaintainer: a\n"+
		"Filename: none/none.deb\nSize: 5\nSHA256: %s\n\n",
		strings.TrimPrefix(shop.put("/none/none.deb", []byte("none\n")), "sha256:")))
	for _, tc := range []struct {
		name, base, packages string
		want                 []string
	}{
		{"unknown", "", "[tzdata, no-such-package]", []string{"crosshull.yaml:3: Unable to locate package no-such-package"}},
		{"no version", "", "[curl=1.2.3]", []string{
			"crosshull.yaml:3: Version '1.2.3' for 'curl' was not found: there is 7.",
		}},
		{"virtual", "", "[mail-transport-agent]", []string{
			"Package mail-transport-agent is a virtual package provided by:", "postfix",
			"crosshull.yaml:3: Package 'mail-transport-agent' has no installation candidate",
		}},
		{"conflict", "", "[exim4-daemon-light, postfix]", []string{"crosshull.yaml:3: ", "Conflicts: mail-transport-agent"}},
		{"snapshot", "", `{install: [curl], snapshot: "2026-11-01T00:00:00Z"}`, []string{
			"snapshot needs apt 2.7.12 or later, and the base has 2.6.1",
		}},
		{"alpine", "  family: alpine\n", "[curl]", []string{"crosshull.yaml:", "packages of Alpine are not supported"}},
		{"chiseled", "  family: noble-chiseled\n", "[curl]", []string{"crosshull.yaml:", "has no apt"}},
		{"mirror that is down", "", `{install: [curl], sources: {debian: "deb http://127.0.0.1:1/debian bookworm main"}}`,
			[]string{"Could not connect to 127.0.0.1:1"}},
		{"source that is none", "", "\n    install: [curl]\n    sources:\n      x: debx nonsense", []string{
			"crosshull.yaml:6: Type 'debx' is not known on line 1 in source list base.packages.sources.x",
		}},
		{"mirror that is down, at its line", "", "\n    install: [curl]\n    sources:\n      x: deb http://127.0.0.1:1/ ./",
			[]string{"crosshull.yaml:6: Failed to fetch http://127.0.0.1:1/"}},
		{"list that is none", "", "\n    install: [curl]\n    sources:\n      x: deb [trusted=yes] " + shop.URL + "/ a_b/",
			[]string{
				"crosshull.yaml:6: Problem with MergeList " + strings.TrimPrefix(shop.URL, "http://") + "/a_b/Packages",
				"Encountered a section with no Package: header",
			}},
		{"archive that is none", "",
			"\n    install: [none]\n    sources:\n      x: deb [trusted=yes] " + shop.URL + "/ none/", []string{
				"crosshull.yaml:4: none: none_1_all.deb is no archive of a package: dpkg-deb ",
				"'none_1_all.deb' is not a Debian format archive",
			}},
		{"no key", "", `{install: [curl], sources: {x: "deb http://127.0.0.1:1/ ./"}, keys: {x: no.asc}}`,
			[]string{"no.asc"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir, repo := sharedHello(t), repository(t)
			write(t, dir, "crosshull.yaml",
				"# syntax=ghcr.io/crosshull/crosshull:1\nbase:\n  packages: "+tc.packages+"\n"+tc.base)
			_, err := solve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
			if err == nil {
				t.Fatal("the build succeeds")
			}
			wantContains(t, "error", err.Error(), tc.want...)
		})
	}
}
