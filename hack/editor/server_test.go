package editor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// header is how a spec in a folder of examples begins.
const header = `# syntax=ghcr.io/crosshull/crosshull:1
# yaml-language-server: $schema=../../frontend/spec/v1.json
`

// The language server of VS Code and others says what is wrong, tells what a key means, and offers what can be written.
func TestServer(t *testing.T) {
	c := startServer(t)
	dir, err := filepath.Abs(filepath.Join(root, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	for i, tc := range []struct {
		name, text string // with | where the cursor is
		wrong      string // what one of the diagnostics begins with, if there are to be some
		hover      []string
		offers     map[string]string // what is written, by label
		not        []string          // what is not offered
	}{
		{name: "nothing but the header", text: ""},
		{name: "a spec",
			text: "project: src/Web\nimage:\n  user: 1000\n  ports: [8080, 9090/udp]\n  env:\n    A:\ntests: [tests/Unit]\n"},
		{name: "keys without values", text: "project:\npublish:\nimage:\nfiles:\napps:\n"},
		{name: "unknown key", text: "projct: a\n", wrong: "3: Property projct is not allowed."},
		{name: "mode", text: "publish:\n  mode: native\n", wrong: `4: Value is not accepted. Valid values: "portable", `},
		{name: "pattern", text: "image:\n  ports: [http]\n",
			wrong: "4: Must be a port from 1 to 65535, or a range such as 8000-8010;"},
		{name: "keys that exclude each other", text: "sdk:\n  image: a\n  version: b\n",
			wrong: "5: sdk.image and sdk.version exclude each other"},
		{name: "owned property", text: "publish:\n  properties:\n    PublishAot: true\n",
			wrong: "5: crosshull sets this property: use publish.mode."},
		{name: "merge keys, and keys of one's own",
			text: "x-env: &env {A: b}\nimage:\n  x-why: c\n  env:\n    <<: *env\n    D: e\n"},
		{name: "mistake that is merged", text: "x-image: &image {usr: b}\nimage:\n  <<: *image\n",
			wrong: "3: Property usr is not allowed."},

		{name: "hover over a section", text: "pub|lish:\n  mode: aot\n", hover: []string{"How the app is published."}},
		{name: "hover over a mode", text: "publish:\n  m|ode: aot\n", hover: []string{
			"\n\nWithout it: what the project's own properties ask for", "* `aot`: Native code for each platform",
			"(https://github.com/crosshull/crosshull/blob/main/docs/reference/spec.md#publishmode)",
		}},
		{name: "hover over Markdown", text: "sdk:\n  ver|sion: 10.0\n",
			hover: []string{"A tag of `mcr.microsoft.com/dotnet/sdk`, such as `10.0`."}},
		{name: "hover in an app", text: "apps:\n  web:\n    pro|ject: a\n",
			hover: []string{"relative to the context. Write `none` for an image",
				"\n\nWithout it: the one app of the context."}},

		{name: "keys", text: "|", offers: map[string]string{
			"project": "project: ", "framework": "framework: ", "publish": "publish:\n  ", "sdk": "sdk:\n  ",
			"base": "base:\n  ", "image": "image:\n  ",
			"nuget": "nuget:\n  ", "files": "files:\n  - ", "tests": "tests: ", "args": "args:\n  ",
		}},
		{name: "keys that are left", text: "project: a\n|", offers: map[string]string{"image": "image:\n  "},
			not: []string{"project"}},
		{name: "keys of an app", text: "apps:\n  web:\n    |\n", offers: map[string]string{"base": "base:\n  "},
			not: []string{"nuget"}},
		{name: "modes", text: "publish:\n  mode: |\n", offers: map[string]string{
			"portable": "portable", "apphost": "apphost", "self-contained": "self-contained", "single-file": "single-file",
			"ready-to-run": "ready-to-run", "trimmed": "trimmed", "aot": "aot",
		}, not: []string{"null"}},
		{name: "modes of a list", text: "publish:\n  mode:\n    - |\n", offers: map[string]string{"trimmed": "trimmed"},
			wrong: "5: "},
		{name: "yes or no", text: "nuget:\n  audit: |\n", offers: map[string]string{"true": "true", "false": "false"}},
		{name: "a text, which is nothing to offer for", text: "project: |\n", not: []string{"true", "false", "null"}},
		{name: "feed", text: "nuget:\n  feeds:\n    - |\n", wrong: "5: ", offers: map[string]string{
			"name":                               "name: ",
			"feed of nuget.config, with a token": "name: ${1:github}\n  password-secret: ${2:feed-token}",
		}},
		{name: "first file", text: "files:\n  |\n", offers: map[string]string{"folder to write to": "- to: ${1:/data}"}},
		{name: "healthcheck", text: "image:\n  healthcheck:\n    |\n", offers: map[string]string{
			"healthcheck by a command": "test:\n  - CMD\n  - dotnet\n  - ${1:app.dll}\n  - ${2:check}\ninterval: ${3:30s}\n" +
				"timeout: ${4:5s}\nretries: ${5:3}",
		}},
		{name: "app", text: "apps:\n  |\n", offers: map[string]string{"app": "${1:web}:\n  project: ${2:src/Web}"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.t = t
			before, after, cursor := strings.Cut(tc.text, "|")
			uri := fmt.Sprintf("file://%s/%d/crosshull.yaml", filepath.ToSlash(dir), i)
			var wrong []string
			for _, d := range c.open(uri, header+before+after) {
				wrong = append(wrong, fmt.Sprintf("%d: %s", d.Range.Start.Line+1, d.Message))
			}
			switch {
			case tc.wrong == "" && len(wrong) > 0:
				t.Errorf("it has mistakes: %q", wrong)
			case tc.wrong != "" && !slices.ContainsFunc(wrong, func(w string) bool { return strings.HasPrefix(w, tc.wrong) }):
				t.Errorf("its mistakes are %q, want %q", wrong, tc.wrong)
			}
			if !cursor {
				return
			}
			before = header + before
			at := position{Line: strings.Count(before, "\n"), Character: len(before) - 1 - strings.LastIndex(before, "\n")}
			if len(tc.hover) > 0 {
				got := c.hover(uri, at)
				for _, want := range tc.hover {
					if !strings.Contains(got, want) {
						t.Errorf("hover shows\n%s\nwithout %q", got, want)
					}
				}
				return
			}
			got := map[string]completion{}
			for _, item := range c.complete(uri, at) {
				got[item.Label] = item
			}
			for label, text := range tc.offers {
				item, ok := got[label]
				if !ok || item.InsertText != text {
					t.Errorf("%s: offered is %q, want %q", label, item.InsertText, text)
				}
			}
			for _, label := range tc.not {
				if _, ok := got[label]; ok {
					t.Errorf("%s is offered", label)
				}
			}
		})
	}
}

// The lock file pins every package by its hash, and leaves it to npm's configuration where they come from.
func TestLockFile(t *testing.T) {
	dt, err := os.ReadFile(filepath.Join("server", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	packages, hashes := strings.Count(string(dt), `    "node_modules/`), strings.Count(string(dt), `"integrity": "sha512-`)
	if packages == 0 || packages != hashes {
		t.Errorf("%d packages and %d hashes", packages, hashes)
	}
	if strings.Contains(string(dt), `"resolved"`) {
		t.Error("it has addresses of packages")
	}
}
