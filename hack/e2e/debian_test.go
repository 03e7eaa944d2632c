package e2e

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/hack/lab/run"
)

// The stand-ins for Microsoft's images are what base.packages needs: a system with apt, whose database fits its files.
// Those for other platforms were made without running anything of them, and have the same packages.
func TestStandInsAreDebian(t *testing.T) {
	t.Parallel()
	if !theLab.LocalImages() {
		t.Skip("the lab uses Microsoft's images")
	}
	repo := theLab.Registry() + "/dotnet/runtime-deps"
	const script = `dpkg --audit && dpkg --verify && apt-get check -qq && cat /etc/apt/sources.list.d/*.sources`
	res := runContainer(t, run.Spec{Ref: repo + ":10.0", Args: []string{"bash", "-c", script}})
	if res.ExitCode != 0 || !strings.Contains(res.Output, "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n") {
		t.Errorf("exit code %d\n%s", res.ExitCode, res.Output)
	}
	// What slim images leave out, the database has nevertheless.
	slim := regexp.MustCompile(`^missing +/usr/share/(doc|info|lintian/overrides|locale|man)/`)
	for line := range strings.Lines(res.Output) {
		if strings.HasPrefix(line, "missing") && !slim.MatchString(line) || strings.HasPrefix(line, "??") {
			t.Errorf("dpkg --verify: %s", line)
		}
	}

	var packages string // of amd64
	for _, tt := range []struct {
		arch    string
		machine elf.Machine
	}{{"amd64", elf.EM_X86_64}, {"arm64", elf.EM_AARCH64}, {"arm", elf.EM_ARM}} {
		var status []byte
		programs := 0
		var manifest ocispecs.Manifest
		fetch(t, repo, "manifests/"+baseManifest(t, "dotnet/runtime-deps:10.0", tt.arch), &manifest)
		eachEntry(t, repo, manifest.Layers[0].Digest.String(), func(hdr *tar.Header, r io.Reader) {
			dt, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if path.Clean(hdr.Name) == "var/lib/dpkg/status" {
				status = dt
			}
			if f, err := elf.NewFile(bytes.NewReader(dt)); err == nil {
				programs++
				if f.Machine != tt.machine {
					t.Errorf("%s: %s is for %s", tt.arch, hdr.Name, f.Machine)
				}
			}
		})
		if programs < 500 {
			t.Errorf("%s: %d programs and libraries", tt.arch, programs)
		}
		var list strings.Builder
		for _, m := range regexp.MustCompile(`(?m)^(Package: .*|Status: .*|Version: .*?)(\+b\d+)?$`).
			FindAllSubmatch(status, -1) { // +b1 is a rebuild for one architecture
			list.Write(append(m[1], '\n'))
		}
		if packages == "" {
			packages = list.String()
		}
		const one = "Package: libicu72\nStatus: install ok installed\n"
		if got := list.String(); got != packages || !strings.Contains(got, one) {
			t.Errorf("%s has the packages\n%s", tt.arch, got)
		}
	}
}
