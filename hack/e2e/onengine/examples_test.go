package onengine

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var codeBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// Each example is built and run by the commands of its page. There is no registry, so images go to the engine.
func TestExamples(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "examples", "*", "README.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		name := filepath.Base(filepath.Dir(page))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			blocks := codeBlock.FindAllStringSubmatch(string(text), -1)
			if len(blocks) == 0 {
				t.Fatal("the page has no command")
			}
			image := prefix + name
			removed(t, image)
			for _, block := range blocks {
				example(t, filepath.Dir(page), image, block[1])
			}
		})
	}
}

// needed are the variables that a page asks its reader to set.
var needed = regexp.MustCompile(`env=(\w+)`)

// example runs the commands of a block of an example's page. All of its images have one name.
func example(t *testing.T, in, image, block string) {
	t.Helper()
	for _, m := range needed.FindAllStringSubmatch(block, -1) {
		if os.Getenv(m[1]) == "" {
			t.Skipf("the page asks for %s, which is not set", m[1])
		}
	}
	switch {
	case strings.Contains(block, "docker buildx bake"):
		t.Run("bake", func(t *testing.T) {
			t.Skip("bake would pull the frontend from its registry: hack/e2e builds by bake in the lab")
		})
	case strings.HasPrefix(block, "docker buildx build "):
		must(t, in, "sh", "-euc", onEngine(block, image, filepath.Base(in) == "aot"))
	case strings.HasPrefix(block, "docker run "):
		for line := range strings.Lines(block) {
			dockerRun(t, image, strings.Fields(line))
		}
	default:
		t.Errorf("the page has a command that no test knows:\n%s", block)
	}
}

var (
	target  = regexp.MustCompile(`-t localhost:5000/\S+ --push`)
	several = regexp.MustCompile(`--platform \S+`)
	isName  = regexp.MustCompile(`^localhost:5000/\S+$`)
)

// onEngine is a command that builds with the frontend of this repository, and gives its image to the engine. It builds
// for the platform of the engine alone if that holds no other, or if one is asked for.
func onEngine(block, image string, one bool) string {
	// Another user may run the same commands on this machine.
	text := strings.ReplaceAll(block, "/tmp/", dir+"/")
	text = strings.ReplaceAll(text, "docker buildx build", "'"+strings.Join(engine.Spec(dir), "' '")+"'")
	text = target.ReplaceAllString(text, "-t "+image+" --load")
	if one || !engine.Containerd {
		text = several.ReplaceAllString(text, "")
	}
	return text
}

// dockerRun runs the image by the words of a docker run. It gets the page of one that publishes a port.
func dockerRun(t *testing.T, image string, words []string) {
	t.Helper()
	for i, word := range words {
		if word == "-p" {
			page(t, image)
			return
		}
		if isName.MatchString(word) {
			words[i] = image
		}
	}
	out := must(t, "", words...)
	if last := words[len(words)-1]; last != image {
		wantContains(t, "output", out, last)
	}
	if strings.TrimSpace(out) == "" {
		t.Errorf("%s prints nothing", strings.Join(words, " "))
	}
}
