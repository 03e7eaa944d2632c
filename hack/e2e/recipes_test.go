package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func recipe(t *testing.T, name string) []byte {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join(root, "docs", "howto", "recipes", name))
	if err != nil {
		t.Fatal(err)
	}
	return dt
}

// wantBoth looks for images of both platforms.
func wantBoth(t *testing.T, repos ...string) {
	t.Helper()
	for _, repo := range repos {
		if _, images := index(t, repo); len(images) != 2 {
			t.Errorf("%s has images for %d platforms", repo, len(images))
		}
	}
}

// bake and Compose build all apps of a spec.
func TestRecipeOfBake(t *testing.T) {
	t.Parallel()
	dir := shared(t, "apps")
	for _, name := range []string{"docker-bake.hcl", "compose.yaml"} {
		repo := repository(t)
		write(t, dir, name, string(recipe(t, name)))
		setenv(t, "REGISTRY", repo)
		setenv(t, "TAG", "latest")
		command(t, dir, "docker", "buildx", "bake", "--allow=fs=*", "-f", name, "--push")
		wantBoth(t, repo+"/clock", repo+"/greeter")
	}
	// What --call=bake writes is a file for bake, too.
	repo := repository(t)
	write(t, dir, "docker-bake.json", answerOf(t, dir, "bake", "--platform", "linux/amd64,linux/arm64"))
	command(t, dir, "docker", "buildx", "bake", "--allow=fs=*", "-f", "docker-bake.json",
		"--set", "clock.tags="+repo+"/clock", "--set", "greeter.tags="+repo+"/greeter", "--push")
	wantBoth(t, repo+"/clock", repo+"/greeter")
}

// The inputs of build-push-action, as it gives them to buildx, from the commit in git that it takes as context.
func TestRecipeOfGitHub(t *testing.T) {
	t.Parallel()
	dir, repo := hello(t), repository(t)
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(recipe(t, "github.yml"), &workflow); err != nil {
		t.Fatal(err)
	}
	steps := workflow.Jobs["image"].Steps
	with := steps[len(steps)-1].With
	args := []string{"--push", "-t", repo, "--build-arg", strings.TrimSpace(with["build-args"]), "-f", with["file"],
		"--platform", with["platforms"], "--provenance", with["provenance"]}
	for _, input := range []string{"cache-from", "cache-to"} {
		args = append(args, "--"+input, strings.Replace(with[input], "type=gha", "type=registry,ref="+repo+":cache", 1))
	}
	build(t, dir, append(args, gitServer(t, dir)+"#main")...)
	if _, images := index(t, repo); len(images) != 3 {
		t.Errorf("%d images", len(images))
	}
	command(t, filepath.Join(root, "docs", "howto", "recipes"), "go", "run", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
		"github.yml", "github-builder.yml")
}

// The script of GitLab's job.
func TestRecipeOfGitLab(t *testing.T) {
	t.Parallel()
	dir, repo := hello(t), repository(t)
	var jobs map[string]struct {
		Script    []string
		Artifacts struct{ Paths []string }
	}
	if err := yaml.Unmarshal(recipe(t, "gitlab-ci.yml"), &jobs); err != nil {
		t.Fatal(err)
	}
	setenv(t, "IMAGE", repo)
	job := jobs["image"]
	if len(job.Script) != 2 {
		t.Errorf("script: %q", job.Script)
	}
	for _, line := range job.Script {
		command(t, dir, "bash", "-euc", line)
	}
	wantBoth(t, repo)
	if _, err := os.Stat(filepath.Join(dir, job.Artifacts.Paths[0])); err != nil {
		t.Error(err)
	}
}

// Recipes of tools that are not here are at least in the page, which says so, and name the spec.
func TestRecipesAreListed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "docs", "howto", "recipes.md"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(root, "docs", "howto", "recipes"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		wantContains(t, "docs/howto/recipes.md", string(page), "(recipes/"+e.Name()+")")
		if name := e.Name(); !strings.Contains(string(recipe(t, name)), "crosshull.yaml") {
			t.Errorf("%s names no spec", name)
		}
	}
	var skaffold struct {
		Build struct {
			Artifacts []struct{ Docker struct{ Dockerfile string } }
		}
	}
	if err := yaml.Unmarshal(recipe(t, "skaffold.yaml"), &skaffold); err != nil ||
		!slices.ContainsFunc(skaffold.Build.Artifacts, func(a struct{ Docker struct{ Dockerfile string } }) bool {
			return a.Docker.Dockerfile == "crosshull.yaml"
		}) {
		t.Errorf("%+v, %v", skaffold, err)
	}
}
