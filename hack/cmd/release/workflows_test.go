package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/crosshull/crosshull/hack/lab"
)

var root = filepath.Join("..", "..", "..")

func workflows(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d workflows, %v", len(files), err)
	}
	return files
}

// actionlint knows what GitHub accepts.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{
		"run", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
	}, workflows(t)...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// An action is pinned by its commit, as a tag can move. Dependabot reads the version behind it.
func TestActionsArePinned(t *testing.T) {
	uses := regexp.MustCompile(`(?m)^[ -]*uses: *(.*)$`)
	pinned := regexp.MustCompile(`^(\./\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$`)
	commits := map[string]string{}
	for _, file := range workflows(t) {
		dt, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range uses.FindAllStringSubmatch(string(dt), -1) {
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s: %s is not pinned", file, m[1])
			}
			action, commit, _ := strings.Cut(m[1], "@")
			if was, ok := commits[action]; ok && was != commit {
				t.Errorf("%s: %s is at %s, and elsewhere at %s", file, action, commit, was)
			}
			commits[action] = commit
		}
	}
	if len(commits) == 0 {
		t.Error("no workflow uses an action")
	}
}

// Each job says what it may do and how long it may take.
func TestJobsHaveLimits(t *testing.T) {
	for _, file := range workflows(t) {
		var w struct {
			Permissions *map[string]string
			Concurrency any
			Jobs        map[string]struct {
				Uses    string
				Timeout int `yaml:"timeout-minutes"`
			}
		}
		read(t, file, &w)
		if w.Permissions == nil || w.Concurrency == nil || len(w.Jobs) == 0 {
			t.Errorf("%s: permissions, concurrency or jobs are missing", file)
		}
		for name, job := range w.Jobs {
			if job.Timeout == 0 && job.Uses == "" {
				t.Errorf("%s: job %s has no timeout-minutes", file, name)
			}
		}
	}
}

// What CI builds for is what a release is built for.
func TestPlatforms(t *testing.T) {
	list := regexp.MustCompile(`linux/[\w/]+(?:,linux/[\w/]+){5}`)
	var found []string
	for _, name := range []string{"ci.yml", "release.yml"} {
		dt, err := os.ReadFile(filepath.Join(root, ".github", "workflows", name))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, list.FindString(string(dt)))
	}
	if found[0] == "" || found[0] != found[1] {
		t.Errorf("platforms: %q", found)
	}
}

// A release is compressed like the image that the tests use.
func TestCompression(t *testing.T) {
	var w struct {
		Jobs struct {
			Image struct {
				Steps []struct {
					ID   string
					With map[string]string
				}
			}
		}
	}
	read(t, filepath.Join(root, ".github", "workflows", "release.yml"), &w)
	for _, step := range w.Jobs.Image.Steps {
		if step.ID == "build" && strings.HasSuffix(step.With["outputs"], ",rewrite-timestamp=true,"+lab.FrontendOutput) {
			return
		}
	}
	t.Errorf("no step of release.yml builds with %s: %+v", lab.FrontendOutput, w.Jobs.Image.Steps)
}

// Dependabot looks at every folder that has dependencies.
func TestDependabot(t *testing.T) {
	manifests := map[string]string{"gomod": "go.mod", "npm": "package.json", "docker": "Dockerfile"}
	var config struct {
		Version int
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directory   string
			Directories []string
			Schedule    struct{ Interval string }
			Groups      map[string]struct{ Patterns []string }
			Limit       *int `yaml:"open-pull-requests-limit"`
		}
	}
	read(t, filepath.Join(root, ".github", "dependabot.yml"), &config)
	listed := map[string][]string{}
	for _, u := range config.Updates {
		if u.Directory != "" {
			u.Directories = append(u.Directories, u.Directory)
		}
		listed[u.Ecosystem] = append(listed[u.Ecosystem], u.Directories...)
	}
	if len(listed["github-actions"]) == 0 {
		t.Error("the actions are missing")
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("only a checkout knows which files are the repository's")
	}
	out, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := strings.Fields(string(out))
	for ecosystem, manifest := range manifests {
		var want []string
		for _, file := range files {
			if filepath.Base(file) == manifest && !strings.Contains(file, "/testdata/") {
				want = append(want, strings.TrimSuffix("/"+strings.TrimPrefix(filepath.Dir(file), "."), "/"))
			}
		}
		got := listed[ecosystem]
		for i, dir := range got {
			got[i] = strings.TrimSuffix(dir, "/")
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: Dependabot looks at %q, and %s is in %q", ecosystem, got, manifest, want)
		}
	}
}

// read reads a YAML file into v.
func read(t *testing.T, file string, v any) {
	t.Helper()
	dt, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.NewDecoder(bytes.NewReader(dt)).Decode(v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
