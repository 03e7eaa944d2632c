package e2e

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/run"
)

var (
	root      = filepath.Join("..", "..")
	codeBlock = regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```")
)

// Every command in the documentation is run, from the folder of its page: what is written after ```sh as it stands,
// but for /tmp, which is a folder of the test; make, which runs these tests; and docker run, which wants an engine: the
// image is run by runc in its place. Those of docs/concepts/reproducibility.md, which build on one another, are for
// TestRecipe, and those of most examples for hack/e2e/onengine, by [TestUser]: these have an engine.
func TestCommandsInDocs(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(root, "examples", "*", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob(filepath.Join(root, "docs", "*", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	docs = slices.Concat(docs, deeper)
	docs = slices.DeleteFunc(docs, func(page string) bool { return filepath.Base(page) == "reproducibility.md" })
	pages = slices.DeleteFunc(pages, func(page string) bool {
		text := readFile(t, page)
		return !strings.Contains(text, "env=") && !strings.Contains(text, "docker buildx bake")
	})
	feedOfReader(t)
	needScanner(t)
	needDockerfileFrontend(t)
	for i, page := range slices.Concat(docs, pages, []string{filepath.Join(root, "README.md")}) {
		name := filepath.Base(filepath.Dir(page))
		if i < len(docs) {
			name = filepath.Base(page)
		}
		t.Run(name, func(t *testing.T) {
			ran, tmp := 0, t.TempDir()
			for _, m := range codeBlock.FindAllStringSubmatch(readFile(t, page), -1) {
				if m[1] != "sh" || strings.HasPrefix(m[2], "make ") {
					continue
				}
				ran++
				if strings.HasPrefix(m[2], "docker run ") {
					for line := range strings.Lines(m[2]) {
						dockerRun(t, strings.Fields(line))
					}
					continue
				}
				// Another user may run the same commands on this machine.
				command(t, filepath.Dir(page), "bash", "-euc", strings.ReplaceAll(onLab(m[2]), "/tmp/", tmp+"/"))
			}
			if ran == 0 && i >= len(docs) {
				t.Error("the page has no command")
			}
		})
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	dt, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(dt)
}

// onLab puts the lab's registry into a text of the documentation, if it is not where readers are told to have theirs.
func onLab(text string) string {
	if strings.HasSuffix(theLab.Registry(), ":5000") {
		return text
	}
	return strings.ReplaceAll(text, "localhost:5000", theLab.Registry())
}

// feedOfReader is the private feed that the reader of examples/privatefeed has, in the variables that the page names.
func feedOfReader(t *testing.T) {
	t.Helper()
	feed := newPrivate(t, "", "token of the reader", true)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	dt := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: feed.Certificate().Raw})
	if err := os.WriteFile(ca, dt, 0o600); err != nil {
		t.Fatal(err)
	}
	setenv(t, "FEED_URL", feed.index)
	setenv(t, "FEED_TOKEN", "token of the reader")
	setenv(t, "FEED_CA", ca)
}

// dockerRun does what docker run would.
func dockerRun(t *testing.T, args []string) {
	t.Helper()
	s := run.Spec{}
	args = args[2:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "--rm":
			args = args[1:]
		case "-e":
			s.Env, args = append(s.Env, args[1]), args[2:]
		case "-p":
			port, err := strconv.Atoi(strings.Split(args[1], ":")[0])
			if err != nil {
				t.Fatal(err)
			}
			s.Port, args = port, args[2:]
		default:
			t.Fatalf("docker run with %s", args[0])
		}
	}
	s.Ref = onLab(args[0])
	if len(args) > 1 {
		s.Args = args[1:]
	}
	res := runContainer(t, s)
	if s.Port == 0 && res.ExitCode != 0 {
		t.Errorf("docker run %v: exit code %d\n%s", args, res.ExitCode, res.Output)
	}
	for _, arg := range s.Args {
		wantContains(t, "output", res.Output, arg)
	}
}
