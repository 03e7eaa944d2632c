package onengine

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/partial"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/machine"
)

// What docs/quickstart.md does, without its registry: a first spec, what it would build, an image, its page.
func TestQuickstart(t *testing.T) {
	app := filepath.Join(t.TempDir(), "quickstart")
	if err := os.CopyFS(app, os.DirFS(filepath.Join(root, "examples", "aspnetapp"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(app, "crosshull.yaml")); err != nil {
		t.Fatal(err)
	}
	must(t, app, append([]string{"sh", "-euc", `"$@" > crosshull.yaml`, "sh"},
		spec("--build-arg", "BUILDKIT_SYNTAX="+lab.FrontendImage, "--call=init")...)...)
	text, err := os.ReadFile(filepath.Join(app, "crosshull.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	wantContains(t, "spec", string(text), "# syntax="+lab.FrontendImage+"\n", "aspnetapp")
	wantContains(t, "check", must(t, app, spec("-f", "crosshull.yaml", "--check")...),
		"Check complete, no warnings found.")
	plan := must(t, app, spec(append(platforms(), "-f", "crosshull.yaml", "--call=plan")...)...)
	wantContains(t, "plan", plan, "mcr.microsoft.com/dotnet/aspnet:10.0", "aspnetapp.dll")
	if engine.Containerd {
		wantContains(t, "plan", plan, "linux/amd64", "linux/arm64")
	}
	const image = prefix + "quickstart"
	removed(t, image)
	log := must(t, app, spec(append(platforms(), "-f", "crosshull.yaml", "-t", image, "--load")...)...)
	wantContains(t, "log", log, "[publish] dotnet publish", "[summary]")
	wantContains(t, "page", page(t, image), "aspnetapp")
}

// One build gives an image for two platforms, if the builder can.
func TestTwoPlatforms(t *testing.T) {
	if !engine.Several() {
		t.Skip("the engine's image store holds one platform of an image, so all tests build for one; " +
			"turn on the containerd image store: https://docs.docker.com/engine/storage/containerd/")
	}
	to := filepath.Join(t.TempDir(), "image")
	must(t, filepath.Join(root, "examples", "dotnetapp"), spec("-f", "crosshull.yaml", "--provenance=false",
		"--platform", "linux/amd64,linux/arm64", "--output", "type=oci,tar=false,dest="+to)...)
	top, err := layout.ImageIndexFromPath(to)
	if err != nil {
		t.Fatal(err)
	}
	indexes, err := partial.FindIndexes(top, func(v1.Descriptor) bool { return true })
	if err != nil || len(indexes) != 1 {
		t.Fatalf("%d indexes, %v", len(indexes), err)
	}
	manifest, err := indexes[0].IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, image := range manifest.Manifests {
		got = append(got, image.Platform.String())
	}
	slices.Sort(got)
	if want := []string{"linux/amd64", "linux/arm64"}; !slices.Equal(got, want) {
		t.Errorf("platforms %q, want %q", got, want)
	}
}

// A mistake in a spec is told with its line before anything is built.
func TestMistakes(t *testing.T) {
	app := t.TempDir()
	text := "# syntax=" + lab.FrontendImage + "\nprojct: src/app\n"
	if err := os.WriteFile(filepath.Join(app, "crosshull.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{nil, {"--check"}} {
		out, err := try(t, app, spec(append(flags, "-f", "crosshull.yaml")...)...)
		if err == nil {
			t.Errorf("%q: a spec with a mistake is built", flags)
		}
		wantContains(t, "error", out, "crosshull.yaml:2", `unknown key "projct", did you mean "project"?`)
	}
}

// --target test runs the tests of the example, and gives their results.
func TestTestsTarget(t *testing.T) {
	out := t.TempDir()
	must(t, filepath.Join(root, "examples", "complexapp"),
		spec("-f", "crosshull.yaml", "--target", "test", "--output", "type=local,dest="+out)...)
	results, err := os.ReadFile(filepath.Join(out, "libbar.tests", "libbar.tests.trx"))
	if err != nil {
		t.Fatal(err)
	}
	wantContains(t, "results", string(results), `outcome="Passed"`)
}

// page runs an image of a web app, and gives its page.
func page(t *testing.T, image string) string {
	t.Helper()
	port, err := machine.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(image, "/", "-")
	must(t, "", engine.Serve(name, image, port)...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, "docker", "rm", "--force", name).CombinedOutput(); err != nil {
			t.Errorf("remove container %s: %v\n%s", name, err, out)
		}
	})
	text, err := machine.Page(t.Context(), port)
	if err != nil {
		t.Fatalf("%v\n%s", err, must(t, "", "docker", "logs", name))
	}
	return text
}
