package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// Specs of releases build the examples of today. That all of them are read as ever is tested beside them.
func TestReleasedSpecs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		example string
		images  []string // that the spec makes, as targets
	}{
		{"worker", []string{""}},
		{"apps", []string{"clock", "greeter"}},
	} {
		specs, err := filepath.Glob(filepath.Join(root, "frontend", "spec", "testdata", "released", "*",
			"example-"+tc.example+".yaml"))
		if err != nil || len(specs) == 0 {
			t.Fatalf("%s: %d specs, %v", tc.example, len(specs), err)
		}
		for _, file := range specs {
			release := filepath.Base(filepath.Dir(file))
			t.Run(release+" "+tc.example, func(t *testing.T) {
				t.Parallel()
				spec, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				dir := shared(t, tc.example)
				write(t, dir, "crosshull.yaml", string(spec))
				for _, target := range tc.images {
					repo := repository(t)
					build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "--target", target, "-t", repo,
						"--push", ".")
					wantBoth(t, repo)
				}
			})
		}
	}
}
