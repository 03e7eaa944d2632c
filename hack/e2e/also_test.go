package e2e

import (
	"debug/elf"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"
)

// An image has the files of further projects: one restore for all, layers of their own that platforms share, and an
// edit of one publishes that one alone.
func TestAlso(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "also"), repository(t)
	rec := mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	if n := rec.count("[restore] dotnet restore"); n != 1 {
		t.Errorf("%d restores", n)
	}
	if n := rec.count("[publish] dotnet publish"); n != 2 {
		t.Errorf("%d publishes", n)
	}
	_, images := index(t, repo)
	own := func(p string) []string {
		var digests []string
		for _, l := range images[p].Layers {
			digests = append(digests, l.Digest.String())
		}
		return digests[len(digests)-6:] // packages, projects and app of each
	}
	for _, p := range []string{"linux/arm64", "linux/arm/v7"} {
		if !slices.Equal(own(p), own("linux/amd64")) {
			t.Errorf("%s has layers of its own: %v", p, own(p))
		}
	}
	wantContains(t, "app", container(t, repo).Output, `{"who":"shop","schema":3}`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/shop\npublish:\n"+
		"  also: [{project: tools/migrator, to: /migrator}]\nimage: {entrypoint: [dotnet, /migrator/migrator.dll]}\n")
	tool := repository(t) + "-tool"
	mustSolve(t, dir, pushTo(tool))
	wantContains(t, "tool", container(t, tool).Output, `{"who":"migrator","schema":3}`)

	for edited, published := range map[string]string{
		"src/shop/Program.cs": "src/shop/shop.csproj", "tools/migrator/Program.cs": "tools/migrator/migrator.csproj",
	} {
		edit(t, dir, edited, "Console.WriteLine(", "Console.WriteLine(\"\" + ")
		rec = mustSolve(t, dir, platform(allPlatforms))
		ran := slices.DeleteFunc(slices.Clone(rec.ran), func(name string) bool {
			return !strings.HasPrefix(name, "[publish] dotnet publish") && !strings.HasPrefix(name, "[restore] dotnet")
		})
		if want := []string{"[publish] dotnet publish " + published}; !slices.Equal(ran, want) {
			t.Errorf("after an edit of %s, %q ran", edited, ran)
		}
	}
}

// A further project may have another mode, which is made for each platform. What merges can do, copies can do too.
func TestAlsoInAnotherMode(t *testing.T) {
	t.Parallel()
	dir := example(t, "also")
	edit(t, dir, "crosshull.yaml", "      to: /migrator", "      mode: self-contained\n      to: /migrator")
	type files struct{ app, tool map[string]string }
	var all []files
	for _, lack := range [][]option{nil, {without(pb.CapMergeOp)}} {
		out := t.TempDir()
		rec := mustSolve(t, dir, append(lack, platform("linux/amd64,linux/arm64"), into(out))...)
		if n := rec.count("[restore] dotnet restore"); lack == nil && n != 2 {
			t.Errorf("%d restores, want one for each mode", n)
		}
		for name, machine := range map[string]elf.Machine{"linux_amd64": elf.EM_X86_64, "linux_arm64": elf.EM_AARCH64} {
			launcher := filepath.Join(out, name, "migrator", "migrator")
			file, err := elf.Open(launcher)
			if err != nil {
				t.Fatal(err)
			}
			if file.Machine != machine {
				t.Errorf("%s is for %v", launcher, file.Machine)
			}
			if !exists(t, filepath.Join(out, name, "app", "shop.dll")) || exists(t, filepath.Join(out, name, "app", "shop")) {
				t.Errorf("%s: the app is not portable", name)
			}
		}
		arm := filepath.Join(out, "linux_arm64")
		all = append(all, files{tree(t, filepath.Join(arm, "app")), tree(t, filepath.Join(arm, "migrator"))})
	}
	wantSameFiles(t, all[0].app, all[1].app, true)
	wantSameFiles(t, all[0].tool, all[1].tool, true)
}

// There is a document about the packages of each project, and the Dockerfile of the spec makes the same files.
func TestAlsoElsewhere(t *testing.T) {
	t.Parallel()
	needScanner(t)
	needDockerfileFrontend(t)
	dir, repo, out := example(t, "also"), repository(t), t.TempDir()
	build(t, dir, "-f", "crosshull.yaml", "--target", "sbom", "--output", "type=local,dest="+out, ".")
	for _, name := range []string{"sbom-nuget.spdx.json", "sbom-nuget-migrator.spdx.json"} {
		wantContains(t, name, tree(t, out)[name], "pkg:nuget/Newtonsoft.Json@13.0.4")
	}
	build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "--sbom=true", "-t", repo, "--push",
		".")
	for p, statements := range attestations(t, repo) {
		if len(statements) < 3 { // the scanner's, and two of crosshull
			t.Errorf("%s has %d statements", p, len(statements))
		}
	}
	text := answerOf(t, dir, "dockerfile", "--platform", "linux/amd64")
	dockerfile := filepath.Join(t.TempDir(), "Dockerfile")
	write(t, filepath.Dir(dockerfile), "Dockerfile", text)
	plain, ours := t.TempDir(), t.TempDir()
	build(t, dir, "-f", dockerfile, "--platform", "linux/amd64", "--output", "type=local,dest="+plain, ".")
	build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64", "--output", "type=local,dest="+ours, ".")
	for _, folder := range []string{"app", "migrator"} {
		wantSameFiles(t, tree(t, filepath.Join(plain, folder)), tree(t, filepath.Join(ours, folder)), true)
	}
}
