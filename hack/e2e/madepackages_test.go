package e2e

import (
	"debug/elf"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/debs"
)

// packageSource serves packages for amd64 and arm64, and gives the line that names their source.
func packageSource(t *testing.T, packages ...debs.Package) (source string) {
	t.Helper()
	files, err := debs.Source(t.Context(), packages...)
	if err != nil {
		t.Fatal(err)
	}
	s := newShop(t)
	for name, dt := range files {
		s.put(name, dt)
	}
	return debs.Line(s.URL)
}

// withMade is an image of files alone that gets made packages.
func withMade(t *testing.T, source, packages string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+
		"project: none\n"+
		"base:\n"+
		"  image: mcr.microsoft.com/dotnet/runtime-deps:10.0\n"+
		"  packages:\n"+
		"    install: ["+packages+"]\n"+
		"    sources: {made: '"+source+"'}\n"+
		"image: {entrypoint: [/bin/sh]}\n")
	return dir
}

// What scripts do on the builder's platform is done for another platform as well, file by file.
func TestEffectsOfScripts(t *testing.T) {
	t.Parallel()
	made := []debs.Package{
		{Name: "overrides", Depends: "adduser", Postinst: "adduser --system --group --no-create-home statov\n" +
			"dpkg-statoverride --update --add statov statov 0750 /usr/share/overrides/own"},
		{Name: "diverts", Preinst: "dpkg-divert --package diverts --add --rename --divert /usr/bin/tac.moved /usr/bin/tac",
			Files: map[string]string{"usr/bin/tac": "ours\n"}},
		{Name: "keeps-time", Postinst: "cd /usr/share/keeps-time\n" +
			"was=$(stat -c %y own); sed -i s/keeps/KEEPS/ own; touch -d \"$was\" own"},
	}
	var names []string
	for _, p := range made {
		names = append(names, p.Name)
	}
	dir, repo := withMade(t, packageSource(t, made...), strings.Join(names, ", ")), repository(t)
	mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
	_, images := index(t, repo)
	layer := func(p string) map[string]string {
		return packageEntries(t, repo, images[p].Layers[osLayer(t, repo, images[p])])
	}
	amd64, arm64 := layer("linux/amd64"), layer("linux/arm64")
	for _, name := range []string{
		"usr/share/overrides/own", "var/lib/dpkg/statoverride", "etc/passwd", "etc/group", "etc/shadow", "etc/shadow-",
		"usr/bin/tac", "var/lib/dpkg/diversions", "usr/share/keeps-time/own",
	} {
		if amd64[name] == "" || amd64[name] != arm64[name] {
			t.Errorf("%s is %s on arm64, and %s on amd64", name, arm64[name], amd64[name])
		}
	}
	files := layerFiles(t, repo, images["linux/arm64"].Layers[osLayer(t, repo, images["linux/arm64"])])
	text := func(name string) string {
		if files[name] == nil {
			t.Errorf("no %s", name)
			return ""
		}
		return string(files[name].data)
	}
	if got := text("var/lib/dpkg/statoverride"); !strings.Contains(got, "statov statov 750 /usr/share/overrides/own\n") {
		t.Errorf("overrides %q", got)
	}
	wantELF(t, "/usr/bin/tac.moved", []byte(text("usr/bin/tac.moved")), elf.EM_AARCH64)
	if got := text("usr/share/keeps-time/own"); got != "KEEPS-time\n" {
		t.Errorf("a file whose time a script keeps has %q", got)
	}
	// The backup has the users of the base as the base has them.
	dates := regexp.MustCompile(`(?m)^root:[^:]*:(\d+):`)
	now, backup := dates.FindStringSubmatch(text("etc/shadow")), dates.FindStringSubmatch(text("etc/shadow-"))
	if now == nil || !slices.Equal(now, backup) {
		t.Errorf("root is %q in shadow, and %q in its backup", now, backup)
	}
	if h := files["usr/share/overrides/own"]; h == nil || h.Mode != 0o750 || h.Uid == 0 {
		t.Errorf("/usr/share/overrides/own is %v", h)
	}
}

// A script that makes what cannot be had for another platform, or that fails, is an error that says so. So is an
// archive that is not the one of the list of packages.
func TestScriptMistakes(t *testing.T) {
	t.Parallel()
	source := packageSource(t,
		debs.Package{Name: "makes-program", Postinst: "{ cat /bin/true; echo; } > /usr/local/bin/made"},
		debs.Package{Name: "fails", Postinst: "echo 'The license was not accepted.'\necho 'Say yes.' >&2\nexit 3"},
		debs.Package{Name: "wants-network", Postinst: "apt-get update -qq"},
		// A library that names no architecture.
		debs.Package{Name: "makes-library", Postinst: "printf '\\177ELF\\002\\001\\001' > /usr/local/lib/made.so"},
		debs.Package{Name: "is-cut", Spoil: func(dt []byte) []byte { return dt[:len(dt)/2] }},
		debs.Package{Name: "is-another", Spoil: func(dt []byte) []byte { dt[len(dt)-1] ^= 1; return dt }},
	)
	for name, want := range map[string][]string{
		"fails": {
			"install fails:\nThe license was not accepted.\nSay yes.\ncrosshull.yaml:6: dpkg: error processing package fails " +
				"(--configure): installed fails package post-installation script subprocess returned error exit status 3",
		},
		"wants-network": {"crosshull.yaml:6: dpkg: error processing package wants-network (--configure): installed ",
			"exit status 100. Scripts have no network"},
		"makes-program": {
			"crosshull.yaml:6: makes-program: a script makes /usr/local/bin/made, which is a program for the build platform",
		},
		"is-cut":        {"crosshull.yaml:7: ", "is-cut", "File has unexpected size"},
		"is-another":    {"crosshull.yaml:7: ", "is-another", "Hash Sum mismatch"},
		"makes-library": {"makes-library: a script makes /usr/local/lib/made.so, which is a program for the build platform"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := solve(t, withMade(t, source, name), platform("linux/arm64"))
			if err == nil {
				t.Fatal("the build succeeds")
			}
			wantContains(t, "error", err.Error(), want...)
		})
	}
}
