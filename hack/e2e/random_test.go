package e2e

import (
	"flag"
	"fmt"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/crosshull/crosshull/hack/randomspec"
)

var (
	randomSpecs = flag.Int("random-specs", 6, "number of specs made at random")
	randomSeed  = flag.Uint64("random-seed", 112, "number of the first one")
)

// Specs made at random, from the examples of all keys, are built for real. Each passes, or fails with an error that has
// a place in the spec. A second build does the same: the same image, or the same error.
func TestRandomSpecs(t *testing.T) {
	t.Parallel()
	maker, err := randomspec.New(root)
	if err != nil {
		t.Fatal(err)
	}
	for i := range *randomSpecs {
		seed := *randomSeed + uint64(i)
		t.Run(fmt.Sprintf("seed_%d", seed), func(t *testing.T) {
			t.Parallel()
			text, err := maker.Spec(seed)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			sharedProject(t, dir, "app.csproj", "")
			for _, name := range randomspec.Files {
				write(t, dir, name, "\n")
			}
			write(t, dir, "crosshull.yaml", text)
			first := tryRandom(t, dir)
			t.Logf("%s\n%s%s", text, first.Image, first.Error)
			if err := randomspec.Judge(first, tryRandom(t, dir)); err != nil {
				t.Error(err)
			}
		})
	}
}

// tryRandom builds a spec.
func tryRandom(t *testing.T, dir string) (got randomspec.Outcome) {
	t.Helper()
	repo := repository(t)
	secret := func(so *client.SolveOpt) {
		so.Session = append(so.Session, secretsprovider.FromMap(map[string][]byte{}))
	}
	if _, err := solve(t, dir, asking(secret), pushTo(repo), attr("build-arg:SOURCE_DATE_EPOCH", "1700000000"),
		platform("linux/amd64,linux/arm64")); err != nil {
		return randomspec.Outcome{Error: err.Error(), Place: len(errdefs.Sources(err)) > 0}
	}
	made, _ := index(t, repo)
	for _, m := range made.Manifests {
		got.Image += m.Digest.String() + "\n"
	}
	return got
}
