package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/solver/errdefs"
	"go.yaml.in/yaml/v3"
)

var (
	randomSpecs = flag.Int("random-specs", 6, "number of specs made at random")
	randomSeed  = flag.Uint64("random-seed", 112, "number of the first one")
)

// Specs made at random, from the examples of all keys, are built for real. Each passes, or fails with an error that has
// a place in the spec. A second build does the same: the same image, or the same error.
func TestRandomSpecs(t *testing.T) {
	t.Parallel()
	examples := examplesOfKeys(t)
	for i := range *randomSpecs {
		seed := *randomSeed + uint64(i)
		t.Run(fmt.Sprintf("seed_%d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 0))
			dir := contextOfExamples(t)
			text := randomSpec(t, random, examples)
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+text)
			first, err := tryRandom(t, dir)
			t.Logf("%s\n%s", text, first)
			if err != nil {
				wantOwnError(t, err)
			}
			if again, _ := tryRandom(t, dir); again != first {
				t.Errorf("the first build says\n%s\nand the second one\n%s", first, again)
			}
		})
	}
}

// examplesOfKeys are the specs of the reference, one for each key.
func examplesOfKeys(t *testing.T) (all []map[string]any) {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join(root, "docs", "reference", "spec.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range codeBlock.FindAllStringSubmatch(string(dt), -1) {
		if m[1] != "yaml" {
			continue
		}
		var spec map[string]any
		if err := yaml.Unmarshal([]byte(m[2]), &spec); err != nil {
			t.Fatalf("%v in\n%s", err, m[2])
		}
		all = append(all, spec)
	}
	if len(all) < 50 {
		t.Fatalf("the reference has only %d examples", len(all))
	}
	return all
}

// elsewhere are keys whose examples are for other projects, or need what is not on this machine. With these, few builds
// would get far, so most specs are without.
var elsewhere = []string{
	"project", "apps", "sdk", "publish.before", "publish.after", "publish.tools", "publish.ssh", "publish.secrets",
	"publish.also", "nuget.feeds", "nuget.secrets", "nuget.config-secret", "nuget.ca-secret", "nuget.locked-mode", "tests",
	"base.image", "base.packages.sources", "base.packages.keys", "base.packages.snapshot",
}

// leaveOut takes a key out of a spec, and the keys above it that then have none.
func leaveOut(spec map[string]any, key []string) {
	if below, ok := spec[key[0]].(map[string]any); ok && len(key) > 1 {
		leaveOut(below, key[1:])
		if len(below) > 0 {
			return
		}
	} else if len(key) > 1 {
		return
	}
	delete(spec, key[0])
}

// randomSpec joins some examples.
func randomSpec(t *testing.T, random *rand.Rand, examples []map[string]any) string {
	t.Helper()
	spec := map[string]any{}
	for range 2 + random.IntN(5) {
		join(spec, examples[random.IntN(len(examples))])
	}
	for _, key := range elsewhere {
		if random.IntN(16) > 0 {
			leaveOut(spec, strings.Split(key, "."))
		}
	}
	dt, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(dt)
}

// join puts what from has into a map, and what both have into one.
func join(into, from map[string]any) {
	for key, value := range from {
		if below, ok := value.(map[string]any); ok {
			both, ok := into[key].(map[string]any)
			if !ok {
				both = map[string]any{}
			}
			join(both, below)
			value = both
		}
		into[key] = value
	}
}

// contextOfExamples has an app, and some of the files that examples name.
func contextOfExamples(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	sharedProject(t, dir, "app.csproj", "")
	for _, name := range []string{
		"certs/a.pem", "web/package.json", "web/package-lock.json", "eng/company.pem", "eng/icons/a.svg",
		"shared/texts/a.txt", "config/a.json", "deploy/run.sh", "tools/a.sh", "out/app", "a.asc",
	} {
		write(t, dir, name, "\n")
	}
	return dir
}

// tryRandom builds, and gives the digest of the image, or the error.
func tryRandom(t *testing.T, dir string) (result string, err error) {
	t.Helper()
	repo := repository(t)
	secret := func(so *client.SolveOpt) {
		so.Session = append(so.Session, secretsprovider.FromMap(map[string][]byte{}))
	}
	if _, err := solve(t, dir, asking(secret), pushTo(repo), attr("build-arg:SOURCE_DATE_EPOCH", "1700000000"),
		platform("linux/amd64,linux/arm64")); err != nil {
		// The steps of the platforms run side by side, and the first one that fails is told.
		return strings.ReplaceAll(err.Error(), "linux/arm64", "linux/amd64"), err
	}
	got, _ := index(t, repo)
	for _, m := range got.Manifests {
		result += m.Digest.String() + "\n"
	}
	return result, nil
}

// wantOwnError wants an error that a user can act on: with a place in the spec, and nothing of the inside of crosshull.
func wantOwnError(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if !regexp.MustCompile(`crosshull\.yaml:\d+`).MatchString(text) && len(errdefs.Sources(err)) == 0 {
		t.Errorf("the error has no place in the spec: %s", text)
	}
	inside := []string{"panic", "runtime error", "goroutine", "rpc error", "nil pointer", "bug in crosshull"}
	if i := slices.IndexFunc(inside, func(s string) bool { return strings.Contains(text, s) }); i >= 0 {
		t.Errorf("the error has %q: %s", inside[i], text)
	}
}
