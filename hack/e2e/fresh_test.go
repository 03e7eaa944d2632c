package e2e

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A builder that has nothing but a cache in a registry asks MSBuild nothing, restores nothing, compresses no assets,
// and runs what an edit changed; so does the next, from the cache that this one leaves.
func TestCacheOfRegistry(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "aspnetapp"), repository(t)
	cache := "type=registry,ref=" + repo + ":cache"
	args := []string{"-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "-t", repo, "--push",
		"--cache-from", cache, "--cache-to", cache + ",mode=max", "."}
	write(t, dir, "aspnetapp/wwwroot/large.css", "/* "+fresh()+" */\n"+strings.Repeat("body { margin: 0 }\n", 40_000))
	build(t, dir, args...)
	for _, tc := range []struct {
		builder string
		edits   bool
	}{{"second", true}, {"third", true}, {"fourth", false}} {
		if tc.edits {
			edit(t, dir, "aspnetapp/Program.cs", "var ", "// "+fresh()+"\nvar ")
		}
		onFreshBuilder(t)
		log := build(t, dir, args...)
		for vertex, want := range map[string]bool{
			`\[describe\] dotnet`: false, `\[restore\] dotnet`: false, `\[publish\] compress`: false,
			`\[publish\] dotnet publish`: tc.edits,
		} {
			if got := ran(log, vertex); got != want {
				t.Errorf("%s builder: %s ran: %v, want %v\n%s", tc.builder, vertex, got, want, log)
			}
		}
	}
}

// ran tells whether a vertex whose name begins with what a pattern matches ran, by plain progress. One that is taken
// from a registry's cache is told to be cached, or what is pulled for it. A canceled one gave no result, and may not
// have begun (see inprocess.Record). Nor did a run of dotnet that took no time: BuildKit was looking for its result and
// found that of a later vertex.
func ran(log, pattern string) bool {
	not := `CACHED$|CANCELED$|sha256:`
	if strings.Contains(pattern, "dotnet") {
		not += `|DONE 0\.0s$`
	}
	for _, m := range regexp.MustCompile(`(?m)^#(\d+) `+pattern).FindAllStringSubmatch(log, -1) {
		if !regexp.MustCompile(`(?m)^#` + m[1] + ` (` + not + `)`).MatchString(log) {
			return true
		}
	}
	return false
}

// steps counts the vertices of plain progress whose names begin with what a pattern matches, the cached ones too.
func steps(log, pattern string) int {
	numbers := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#(\d+) `+pattern).FindAllStringSubmatch(log, -1) {
		numbers[m[1]] = true
	}
	return len(numbers)
}

// onFreshBuilder makes the rest of a test use a builder that has nothing, with a buildkitd of its own, and gives the
// folder of all that it keeps.
func onFreshBuilder(t *testing.T) (dir string) {
	t.Helper()
	dir, addr := freshBuildkit(t)
	setenv(t, "BUILDX_CONFIG", filepath.Join(dir, "buildx"))
	setenv(t, "BUILDX_BUILDER", "fresh")
	command(t, dir, "docker", "buildx", "create", "--name", "fresh", "--driver", "remote", addr)
	return dir
}

// freshBuildkit starts a buildkitd that has nothing, and ends it with the test.
func freshBuildkit(t *testing.T) (dir, addr string) {
	t.Helper()
	_, started := waiting(t, "daemon")
	second, err := theLab.StartBuildkit(t.Context())
	started()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := second.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return second.Dir, second.Addr
}
