package e2e

import (
	"path/filepath"
	"testing"
)

// An image of output that was built before: no SDK, no command, one layer for all platforms, and the same labels, bill
// of materials and provenance as for an app. The Dockerfile of it makes the same image.
func TestBuiltBefore(t *testing.T) {
	t.Parallel()
	needScanner(t)
	needDockerfileFrontend(t)
	dir, repo := example(t, "built-before"), repository(t)
	build(t, shared(t, "dotnetapp"), "-f", "crosshull.yaml", "--target", "publish",
		"--output", "type=local,dest="+filepath.Join(dir, "out"), ".")

	rec := mustSolve(t, dir, platform(allPlatforms))
	if len(rec.execs) > 0 {
		t.Errorf("%d steps execute something:\n%s", len(rec.execs), rec.log)
	}
	if len(rec.warnings) > 0 {
		t.Errorf("warned of %q", rec.warnings)
	}

	log := build(t, dir, "-f", "crosshull.yaml", "--platform", allPlatforms, "--sbom=true", "--provenance=mode=max",
		"-t", repo, "--push", ".")
	wantContains(t, "log", log, "[summary] files alone for linux/amd64, linux/arm64, linux/arm/v7")
	_, images := index(t, repo)
	if len(images) != 3 {
		t.Fatalf("%d images", len(images))
	}
	last := func(p string) string { return images[p].Layers[len(images[p].Layers)-1].Digest.String() }
	for p, img := range images {
		c := img.Config.Config
		if c.User != "1654" || c.WorkingDir != "/app" || len(c.Entrypoint) != 2 || last(p) != last("linux/amd64") ||
			c.Labels["org.opencontainers.image.base.name"] != "mcr.microsoft.com/dotnet/runtime:10.0" ||
			c.Labels["org.opencontainers.image.base.digest"] == "" {
			t.Errorf("%s: %+v, last layer %s", p, c, last(p))
		}
	}
	statements := attestations(t, repo)
	for _, p := range []string{"linux/amd64", "linux/arm64", "linux/arm/v7"} {
		if n := len(statements[p]); n != 2 { // the scanner's document, and the provenance
			t.Errorf("%s has %d statements", p, n)
		}
	}
	wantContains(t, "output", container(t, repo).Output, " from .NET!", "X64")

	text := answerOf(t, dir, "dockerfile", "--platform", "linux/amd64,linux/arm64")
	dockerfile := filepath.Join(t.TempDir(), "Dockerfile")
	write(t, filepath.Dir(dockerfile), "Dockerfile", text)
	plain, ours := t.TempDir(), t.TempDir()
	build(t, dir, "-f", dockerfile, "--platform", "linux/arm64", "--output", "type=local,dest="+plain, ".")
	build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/arm64", "--output", "type=local,dest="+ours, ".")
	wantSameFiles(t, tree(t, filepath.Join(plain, "app")), tree(t, filepath.Join(ours, "app")), true)
}
