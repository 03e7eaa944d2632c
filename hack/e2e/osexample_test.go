package e2e

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/hack/lab/run"
)

// The example calls a library of the distribution and reads its time zones, on both architectures. Its report lists
// the packages, and the Dockerfile of its spec installs the same.
func TestOSPackagesExample(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "ospackages"), repository(t)
	rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo))
	const zone = "12:00 UTC is 08:00 in America/New_York"
	wantContains(t, "output on amd64", container(t, repo).Output, "fontconfig 2.", " on X64", zone)
	wantContains(t, "output on arm64", runMachine(t, run.Spec{Ref: repo}).Output, "fontconfig 2.", " on Arm64", zone)

	var told report.Build
	dt, err := base64.StdEncoding.DecodeString(rec.response["frontend.crosshull.report"])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(dt, &told); err != nil {
		t.Fatal(err)
	}
	for _, image := range told.Apps[0].Images {
		names := map[string]bool{}
		for _, p := range image.Packages.Installed {
			names[p.Name] = true
			if len(p.SHA256) != 64 || p.Version == "" {
				t.Errorf("%s: the report has %+v", image.Platform, p)
			}
		}
		if !names["libfontconfig1"] || !names["libfreetype6"] {
			t.Errorf("%s: the report has packages %v", image.Platform, names)
		}
	}

	needDockerfileFrontend(t)
	plain := repository(t)
	write(t, dir, "Dockerfile", answerOf(t, dir, "dockerfile", "--platform", "linux/amd64"))
	build(t, dir, "--platform", "linux/amd64", "-t", plain, "--push", ".")
	_, ours := index(t, repo)
	_, theirs := index(t, plain)
	layer := func(repo string, img pushed) map[string]string {
		return packageEntries(t, repo, img.Layers[osLayer(t, repo, img)])
	}
	compareEntries(t, "linux/amd64", nil, layer(repo, ours["linux/amd64"]), layer(plain, theirs["linux/amd64"]))
}
