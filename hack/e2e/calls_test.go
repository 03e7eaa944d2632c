package e2e

import (
	"encoding/json"
	"testing"
)

// buildx's calls are answered from the spec; nothing is built.
func TestCalls(t *testing.T) {
	dir := example(t, "dotnetapp")
	call := func(args ...string) string {
		return build(t, dir, append(append([]string{"-f", "crosshull.yaml"}, args...), ".")...)
	}
	wantContains(t, "check", call("--check"), "Check complete, no warnings found.")
	wantContains(t, "targets", call("--call=targets"), "image (default)", "sbom")
	wantContains(t, "outline", call("--call=outline"), "TARGET:", "image", "SOURCE_DATE_EPOCH")
	wantContains(t, "describe", call("--call=subrequests.describe"), "outline", "targets")

	var list struct{ Targets []struct{ Name string } }
	out := command(t, dir, "docker", "buildx", "build", "--progress=none", "-f", "crosshull.yaml", "--call=targets,format=json", ".")
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Targets) != 4 || list.Targets[0].Name != "image" {
		t.Errorf("targets as JSON: %v\n%s", err, out)
	}

	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nprojct: a\n")
	out, err := try(t, dir, "docker", "buildx", "build", "-f", "crosshull.yaml", "--check", ".")
	if err == nil {
		t.Errorf("a check of a spec with a mistake succeeds:\n%s", out)
	}
	wantContains(t, "check", out, `crosshull.yaml:2: unknown key "projct"`)
}
