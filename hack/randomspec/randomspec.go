// Package randomspec makes specs at random, from the examples of all keys in the reference, and says what has to hold
// when one of them is built twice.
package randomspec

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Maker makes specs. Make it with [New].
type Maker struct{ examples []map[string]any }

var codeBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// New reads the examples of the reference, one for each key. root is the folder of the repository.
func New(root string) (*Maker, error) {
	dt, err := os.ReadFile(filepath.Join(root, "docs", "reference", "spec.md"))
	if err != nil {
		return nil, err
	}
	m := &Maker{}
	for _, block := range codeBlock.FindAllStringSubmatch(string(dt), -1) {
		var spec map[string]any
		if err := yaml.Unmarshal([]byte(block[1]), &spec); err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, block[1])
		}
		m.examples = append(m.examples, spec)
	}
	if len(m.examples) < 50 {
		return nil, fmt.Errorf("the reference has only %d examples", len(m.examples))
	}
	return m, nil
}

// Files are some of the files that examples name, for a context with one app.
var Files = []string{
	"certs/a.pem", "web/package.json", "web/package-lock.json", "eng/company.pem", "eng/icons/a.svg", "shared/texts/a.txt",
	"config/a.json", "deploy/run.sh", "tools/a.sh", "out/app", "a.asc",
}

// elsewhere are keys whose examples are for other projects, or need what is not on this machine. With these, few builds
// would get far, so most specs are without.
var elsewhere = []string{
	"project", "apps", "sdk", "publish.before", "publish.after", "publish.tools", "publish.ssh", "publish.secrets",
	"publish.also", "nuget.feeds", "nuget.secrets", "nuget.config-secret", "nuget.ca-secret", "nuget.locked-mode", "tests",
	"base.image", "base.packages.sources", "base.packages.keys", "base.packages.snapshot",
}

// Spec joins some examples. One seed always gives the same spec.
func (m *Maker) Spec(seed uint64) (string, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	spec := map[string]any{}
	for range 2 + random.IntN(5) {
		join(spec, m.examples[random.IntN(len(m.examples))])
	}
	for _, key := range elsewhere {
		if random.IntN(16) > 0 {
			leaveOut(spec, strings.Split(key, "."))
		}
	}
	dt, err := yaml.Marshal(spec)
	return "# syntax=ghcr.io/crosshull/crosshull:1\n" + string(dt), err
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

// Outcome is what a build of a spec gave.
type Outcome struct {
	Image string // its digest, or those of its platforms
	// Error is what the build said, if it failed, and Place tells whether it showed a place in the spec beside that.
	Error string
	Place bool
}

var place = regexp.MustCompile(`crosshull\.yaml:\d+`)

// Judge gives an error if two builds of one spec differ, or if they failed with an error that a user cannot act on: one
// without a place in the spec, or with something of the inside of crosshull.
func Judge(first, second Outcome) error {
	if first.Error != "" && !first.Place && !place.MatchString(first.Error) {
		return fmt.Errorf("the error has no place in the spec: %s", first.Error)
	}
	inside := []string{"panic", "runtime error", "goroutine", "rpc error", "nil pointer", "bug in crosshull"}
	if i := slices.IndexFunc(inside, func(s string) bool { return strings.Contains(first.Error, s) }); i >= 0 {
		return fmt.Errorf("the error has %q: %s", inside[i], first.Error)
	}
	// The steps of the platforms run side by side, and the first one that fails is told.
	one := func(text string) string { return strings.ReplaceAll(text, "linux/arm64", "linux/amd64") }
	if first.Image != second.Image || one(first.Error) != one(second.Error) {
		return fmt.Errorf("the first build says\n%s%s\nand the second one\n%s%s",
			first.Image, first.Error, second.Image, second.Error)
	}
	return nil
}
