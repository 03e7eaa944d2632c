package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/crosshull/crosshull/hack/repro"
	"github.com/crosshull/crosshull/hack/repro/diff"
)

// make repro, on one small example: the bits are the same, however they are built.
//
// It takes a minute: that is four builds without a cache.
func TestRepro(t *testing.T) {
	t.Parallel()
	report, err := repro.Run(t.Context(), theLab, repro.Config{Examples: []string{"dotnetapp"}}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Write(&out); err != nil {
		t.Fatal(err)
	}
	if !report.Equal() {
		t.Errorf("not the same:\n%s", &out)
	}
	e := report.Examples[0]
	if len(e.Results) != 4 || len(e.Layers) == 0 || len(e.Layers)%2 != 0 {
		t.Errorf("%d variants, %d layers, want 4 and those of two images:\n%s", len(e.Results), len(e.Layers), &out)
	}
	wantContains(t, "sources", strings.Join(e.Sources, "\n"), "ghcr.io/crosshull/crosshull:1@sha256:",
		"mcr.microsoft.com/dotnet/runtime:10.0@sha256:", "mcr.microsoft.com/dotnet/sdk:10.0@sha256:")
}

// A change of the sources is told, by the files of the image that it changes.
func TestReproTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	report, err := repro.Run(t.Context(), theLab, repro.Config{
		Examples: []string{"dotnetapp"},
		Variants: regexp.MustCompile("^a git context$"),
		Change: func(dir string) error {
			edit(t, dir, "Program.cs", "Good day", "Good dawn")
			return nil
		},
	}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if report.Equal() {
		t.Error("all is equal, though the sources differ")
	}
	res := report.Examples[0].Results[0]
	for name, diffs := range map[string][]diff.Difference{"index": res.IndexDiff, "layers": res.LayerDiff} {
		var found []string
		for _, d := range diffs {
			found = append(found, strings.Join(d.Path, ": "))
		}
		// The app and its symbols, which have a checksum of the sources in them; and nothing else, in both images.
		for _, p := range []string{"linux/amd64", "linux/arm64"} {
			for _, file := range []string{"app/dotnetapp.dll", "app/dotnetapp.pdb"} {
				if !slices.ContainsFunc(found, func(s string) bool {
					return strings.HasPrefix(s, p+": layer ") && strings.HasSuffix(s, ": "+file+": content")
				}) {
					t.Errorf("%s: %s for %s is not told of: %q", name, file, p, found)
				}
			}
		}
		if len(found) != 4 {
			t.Errorf("%s: %d differences, want 4: %q", name, len(found), found)
		}
	}
}

// The recipe of docs/concepts/reproducibility.md builds an image again after the tag of its base has moved, which
// without the recipe gives another image. The page's commands are run as they stand, in a copy of the repository whose
// example is on a base of the test's own, which can be moved.
func TestRecipe(t *testing.T) {
	t.Parallel()
	dt, err := os.ReadFile(filepath.Join(root, "docs", "concepts", "reproducibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, part := range []string{"go.mod", "go.sum", "cmd", "frontend", "llb", "hack", "examples/dotnetapp"} {
		command(t, root, "cp", "-r", "--parents", part, dir)
	}
	base := repository(t) + ":1"
	move := func(from string) { copyTag(t, theLab.Registry()+"/dotnet/"+from+":10.0", base) }
	if !theLab.LocalImages() {
		move = func(from string) { copyTag(t, "mcr.microsoft.com/dotnet/"+from+":10.0", base) }
	}
	move("runtime")
	write(t, dir, "examples/dotnetapp/crosshull.yaml",
		"# syntax=ghcr.io/crosshull/crosshull:1\nbase: {image: \""+base+"\"}\n")

	var blocks []string
	for _, m := range codeBlock.FindAllStringSubmatch(string(dt), -1) {
		if m[1] == "sh" {
			blocks = append(blocks, strings.ReplaceAll(m[2], "localhost:5000", theLab.Registry()))
		}
	}
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of commands in the page, want that which builds and that which builds again", len(blocks))
	}
	command(t, dir, "bash", "-euc", blocks[0])
	move("aspnet")
	out := command(t, dir, "bash", "-euc", blocks[1])
	wantContains(t, "output", out, "equal, attestations left out")

	without := strings.NewReplacer("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=policy.json ", "", "--no-cache ",
		"").Replace(blocks[1])
	if strings.Contains(without, "POLICY") {
		t.Fatal("the policy is set in another way")
	}
	out, err = try(t, dir, "bash", "-euc", without)
	if err == nil {
		t.Errorf("without a policy, on another base, the image is the same:\n%s", out)
	}
	wantContains(t, "output", out, `linux/arm64: config: .config.Labels["org.opencontainers.image.base.digest"]: "sha256:`,
		"repro: not the same")
}

// copyTag makes a tag name what another names, all platforms of it.
func copyTag(t *testing.T, from, to string) {
	t.Helper()
	desc, err := remote.Get(insecure(t, from), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	idx, err := desc.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(insecure(t, to), idx, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// A branch that has moved is built again as it was, the folder in it too, by the policy of the image.
func TestPolicyOfBranch(t *testing.T) {
	t.Parallel()
	dir, repo := t.TempDir(), repository(t)
	served := filepath.Join(dir, "served")
	if err := os.CopyFS(filepath.Join(dir, "work", "app"),
		os.DirFS(filepath.Join(root, "examples", "dotnetapp"))); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) {
		t.Helper()
		runGit(t, filepath.Join(dir, "work"), args...)
	}
	git("init", "--quiet", "--initial-branch=main")
	write(t, filepath.Join(dir, "work"), "app/Directory.Build.targets", "<Project><!-- "+fresh()+" --></Project>\n")
	commit := func() {
		t.Helper()
		git("add", "--all")
		git("commit", "--quiet", "--message=sources")
	}
	commit()
	git("clone", "--quiet", "--bare", ".", filepath.Join(served, "repo.git"))
	url, stop, err := repro.ServeGit(served)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	setenv(t, "SOURCE_DATE_EPOCH", "1700000000")
	buildTag := func(tag string) {
		t.Helper()
		build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "-t", repo+":"+tag,
			"--push", url+"/repo.git#main:app")
	}
	buildTag("first")
	edit(t, filepath.Join(dir, "work"), "app/Program.cs", "Good day", "Good dawn")
	commit()
	git("push", "--quiet", filepath.Join(served, "repo.git"), "main")
	buildTag("moved")

	program := filepath.Join(dir, "repro")
	command(t, filepath.Join(root, "hack"), "go", "build", "-o", program, "./cmd/repro")
	if out, err := try(t, dir, program, "compare", repo+":first", repo+":moved"); err == nil {
		t.Errorf("after a commit the image is the same:\n%s", out)
	}
	write(t, dir, "policy.json", command(t, dir, program, "policy", repo+":first"))
	setenv(t, "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY", filepath.Join(dir, "policy.json"))
	buildTag("again")
	wantContains(t, "output", command(t, dir, program, "compare", repo+":first", repo+":again"),
		"equal, attestations left out")
}
