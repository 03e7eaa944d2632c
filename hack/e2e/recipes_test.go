package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	command(t, filepath.Join(root, "docs", "howto", "recipes"), "go", "run",
		"github.com/rhysd/actionlint/cmd/actionlint@v1.7.12", "github.yml", "github-builder.yml")
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
	job := jobs["build-image"]
	runScripts(t, dir, job.Script)
	wantBoth(t, repo)
	if _, err := os.Stat(filepath.Join(dir, job.Artifacts.Paths[0])); err != nil {
		t.Error(err)
	}
}

// The scripts of the pipeline for Azure that check and build. The one that makes a builder needs an engine.
func TestRecipeOfAzure(t *testing.T) {
	t.Parallel()
	dir, repo := hello(t), repository(t)
	var pipeline struct {
		Variables map[string]string
		Steps     []struct{ Script, Publish string }
	}
	if err := yaml.Unmarshal(recipe(t, "azure-pipelines.yml"), &pipeline); err != nil {
		t.Fatal(err)
	}
	if pipeline.Variables["IMAGE"] == "" {
		t.Errorf("variables: %v", pipeline.Variables)
	}
	setenv(t, "IMAGE", repo)
	var scripts []string
	artifact := ""
	for _, step := range pipeline.Steps {
		if strings.HasPrefix(step.Script, "docker buildx build ") {
			scripts = append(scripts, step.Script)
		}
		artifact += step.Publish
	}
	runScripts(t, dir, scripts)
	wantBoth(t, repo)
	if _, err := os.Stat(filepath.Join(dir, artifact)); err != nil {
		t.Error(err)
	}
}

// runScripts runs what a job of a CI service runs: a check, and a build.
func runScripts(t *testing.T, dir string, scripts []string) {
	t.Helper()
	if len(scripts) != 2 {
		t.Errorf("scripts: %q", scripts)
	}
	for _, script := range scripts {
		command(t, dir, "bash", "-euc", script)
	}
}

// A base whose tag has moved runs no step of the app, as docs/howto/rebase.md says.
func TestRecipeOfRebase(t *testing.T) {
	t.Parallel()
	dir, repo := hello(t), repository(t)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nbase: {image: \""+repo+"/base:10.0\"}\n")
	outputs := make([]string, 2)
	for i := range outputs {
		dockerfile := fmt.Sprintf("FROM mcr.microsoft.com/dotnet/runtime:10.0\nENV FIX=%d\n", i)
		if out, err := buildFrom(t, dir, []byte(dockerfile), "-t", repo+"/base:10.0", "--push", "-"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		outputs[i] = build(t, dir, "-f", "crosshull.yaml", "-t", repo, "--push", ".")
		if env := inspect(t, repo, "amd64").Env; !slices.Contains(env, fmt.Sprintf("FIX=%d", i)) {
			t.Errorf("the image is on another base: %q", env)
		}
	}
	wantContains(t, "first output", outputs[0], "ran     describe, restore, publish")
	wantContains(t, "second output", outputs[1], "ran     nothing; reused: describe, publish")
}

// The command of Skaffold's artifact, as Skaffold runs it when the image is for a registry.
func TestRecipeOfSkaffold(t *testing.T) {
	t.Parallel()
	dir, repo := sharedHello(t), repository(t)
	var skaffold struct {
		Build struct {
			Artifacts []struct {
				Custom struct {
					BuildCommand string `yaml:"buildCommand"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(recipe(t, "skaffold.yaml"), &skaffold); err != nil {
		t.Fatal(err)
	}
	setenv(t, "IMAGE", repo)
	setenv(t, "PUSH_IMAGE", "true")
	setenv(t, "PLATFORMS", "linux/amd64,linux/arm64")
	command(t, dir, "sh", "-c", skaffold.Build.Artifacts[0].Custom.BuildCommand)
	wantBoth(t, repo)
}

// The command of the Tiltfile. It pushes the image here, as there is no engine to load it into.
func TestRecipeOfTilt(t *testing.T) {
	t.Parallel()
	dir, repo := sharedHello(t), repository(t)
	m := regexp.MustCompile(`'(docker buildx build .*)',`).FindSubmatch(recipe(t, "Tiltfile"))
	if m == nil {
		t.Fatal("the Tiltfile has no command")
	}
	setenv(t, "EXPECTED_REF", repo)
	command(t, dir, "sh", "-c", strings.Replace(string(m[1]), "--load", "--push", 1))
	inspect(t, repo, "amd64")
}

// Each recipe is in one of the pages, and names the spec.
func TestRecipesAreListed(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "howto", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, page := range pages {
		dt, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(dt)
	}
	entries, err := os.ReadDir(filepath.Join(root, "docs", "howto", "recipes"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		wantContains(t, "the pages in docs/howto", text.String(), "(recipes/"+e.Name()+")")
		if name := e.Name(); !strings.Contains(string(recipe(t, name)), "crosshull.yaml") {
			t.Errorf("%s names no spec", name)
		}
	}
}
