// Package editor tests what an editor, and the services that keep a repository up to date, make of crosshull.yaml: the
// schema, in a language server too, and the snippets of docs/howto/editor. It needs no lab.
package editor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

var (
	root      = filepath.Join("..", "..")
	codeBlock = regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```")
)

// Every spec in the documentation, the examples and the tests is one, for the parser and by the schema.
func TestSpecs(t *testing.T) {
	s := schema(t)
	for name, dt := range specs(t) {
		if err := parse(dt); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Validate(value(t, dt)); err != nil {
			t.Errorf("%s: by the schema: %v", name, err)
		}
		if !strings.HasPrefix(dt, "# syntax=ghcr.io/crosshull/crosshull:1\n") {
			t.Errorf("%s does not begin with the syntax line", name)
		}
	}
}

// What is mistaken is refused by the schema as by the parser.
func TestMistakes(t *testing.T) {
	s := schema(t)
	for _, tc := range []struct{ name, in string }{
		{"unknown key", "projct: a.csproj"},
		{"unknown key below", "image:\n  enviroment: {}"},
		{"unknown key of an app", "apps: {web: {bse: {}}}"},
		{"unknown key of an argument", "args: {A: {defalt: x}}"},
		{"no key of a spec", "syntax: ghcr.io/crosshull/crosshull:1"},
		{"no map", "- project"},
		{"text", "hello"},
		{"list for a value", "project: [a, b]"},
		{"value for a list", "image: {entrypoint: ./app}"},
		{"list for a map", "image: {env: [A=1]}"},
		{"map for a mode", "publish: {mode: {aot: true}}"},
		{"mode", "publish: {mode: native}"},
		{"mode in a list", "publish: {mode: [aot, native]}"},
		{"path outside", "project: ../other/a.csproj"},
		{"absolute path", "tests: [/src/tests]"},
		{"backslash", `project: src\a.csproj`},
		{"owned property", "publish: {properties: {RuntimeIdentifier: linux-x64}}"},
		{"bad property", "publish: {properties: {'a b': c}}"},
		{"sdk twice", "sdk: {image: a, version: b}"},
		{"base twice", "base: {image: a, family: b}"},
		{"base twice in an app", "apps: {web: {base: {image: a, family: b}}}"},
		{"certificates twice", "nuget: {ca: a, ca-secret: b}"},
		{"configuration and feeds", "nuget: {config-secret: a, feeds: [{name: a, source: 'https://x'}]}"},
		{"app name", "apps: {Web: {}}"},
		{"reserved app", "apps: {test: {}}"},
		{"app named as a target of another", "apps: {web-publish: {}}"},
		{"project beside apps", "project: a\napps: {web: {}}"},
		{"apps that are none", "apps: [web]"},
		{"gate without tests", "tests: {gate: true}"},
		{"gate that is none", "tests: {projects: [a], gate: maybe}"},
		{"file to nowhere", "files: [{from: a}]"},
		{"file to a relative path", "files: [{from: a, to: b}]"},
		{"file mode", "files: [{to: /b, mode: rw}]"},
		{"file owner", "files: [{to: /b, owner: a b}]"},
		{"file of a context", "files: [{context: A, to: /b}]"},
		{"feed without a name", "nuget: {feeds: [{source: 'https://x'}]}"},
		{"feed of a folder", "nuget: {feeds: [{name: a, source: ./packages}]}"},
		{"feed with credentials", "nuget: {feeds: [{name: a, source: 'https://u:p@x'}]}"},
		{"feed that says nothing", "nuget: {feeds: [{name: a}]}"},
		{"argument name", "args: {1A: x}"},
		{"argument of BuildKit", "args: {SOURCE_DATE_EPOCH: 1}"},
		{"proxy", "args: {https_proxy: x}"},
		{"argument that is a list", "args: {A: [1]}"},
		{"secret name", "publish: {secrets: {a-b: x}}"},
		{"secret without an id", "nuget: {secrets: {A: }}"},
		{"name of a variable", "image: {env: {1A: x}}"},
		{"port", "image: {ports: [http]}"},
		{"protocol", "image: {ports: [8080/icmp]}"},
		{"port beyond the last", "image: {ports: [65536]}"},
		{"port that is none", "image: {ports: [0]}"},
		{"end of a range beyond the last", "image: {ports: [8000-99999]}"},
		{"signal", "image: {stop-signal: SIGBOGUS}"},
		{"number of a signal", "image: {stop-signal: 65}"},
		{"user of three parts", "image: {user: 'a:b:c'}"},
		{"user of two lines", `image: {user: "a\nb"}`},
		{"number of a user", "image: {user: 4294967296}"},
		{"label without a name", "image: {labels: {'': a}}"},
		{"NUL", `image: {labels: {a: "\0"}}`},
		{"entrypoint of nothing", "image: {entrypoint: []}"},
		{"entrypoint of an empty word", "image: {entrypoint: ['']}"},
		{"probe without a command", "image: {healthcheck: {test: [CMD]}}"},
		{"no probe, and what it is", "image: {healthcheck: {test: [NONE, a]}}"},
		{"negative duration", "image: {healthcheck: {test: [NONE], interval: -1s}}"},
		{"too many retries", "image: {healthcheck: {test: [NONE], retries: 2147483648}}"},
		{"file mode beyond the last", "files: [{to: /b, mode: '17777'}]"},
		{"file owner beyond the last", "files: [{to: /b, owner: 4294967295}]"},
		{"owned property in other letters", "publish: {properties: {outdir: a}}"},
		{"property of crosshull's", "publish: {properties: {CrosshullX: a}}"},
		{"secret as a property", "publish: {secrets: {PublishDir: a}}"},
		{"framework beside apps", "framework: net10.0\napps: {web: {}}"},
		{"empty path", "tests: ['']"},
		{"framework of two lines", `framework: "a\nb"`},
		{"working directory", "image: {workdir: app}"},
		{"volume", "image: {volumes: [data]}"},
		{"healthcheck", "image: {healthcheck: {interval: 30s}}"},
		{"healthcheck of nothing", "image: {healthcheck: {test: []}}"},
		{"duration", "image: {healthcheck: {test: [NONE], interval: 30}}"},
		{"retries", "image: {healthcheck: {test: [NONE], retries: often}}"},
		{"fewer retries than none", "image: {healthcheck: {test: [NONE], retries: -1}}"},
	} {
		if err := parse(tc.in); err == nil {
			t.Errorf("%s: the parser takes %s", tc.name, tc.in)
		}
		if err := s.Validate(value(t, tc.in)); err == nil {
			t.Errorf("%s: the schema takes %s", tc.name, tc.in)
		}
	}
}

// What can be said in more ways than one can be said in all of them.
func TestForms(t *testing.T) {
	s := schema(t)
	for _, in := range []string{
		"null",
		"publish: {mode: aot}",
		"publish: {mode: [self-contained, single-file]}",
		"args: {MODE: aot}\npublish: {mode: '${MODE}'}",
		"args: {MODE: trimmed}\npublish: {mode: [single-file, '${MODE}']}",
		"tests: [tests/Unit]",
		"tests: {projects: [tests/Unit], gate: true}",
		"args: {A: , B: 1.0, C: true, D: text, E: {default: 1, description: what for}, F: {}}",
		"args: {GATE: false, RETRIES: 3}\ntests: {projects: [a], gate: '${GATE}'}\n" +
			"image: {healthcheck: {test: [a], retries: '${RETRIES}'}}",
		"args: {IMAGE: , VERSION: 10.0}\nsdk: {image: '${IMAGE}', version: '${VERSION}'}",
		"sdk: {version: 10.0, image: }",
		"image: {ports: [1, 65535, 8000-8010/tcp, 7/SCTP], stop-signal: 15, user: '1654:1654', volumes: [/a]}",
		"image: {entrypoint: [a, ''], healthcheck: {test: [CMD, a, ''], interval: 0, timeout: 1ms, retries: 2147483647}, " +
			"stop-signal: sigrtmin+3}",
		"files: [{to: /a, mode: 1777, owner: 4294967294}]",
		"x-a: {b: [c]}\nimage: {x-d: e, labels: {x-f: g}}\napps: {web: {x-h: }, x-i: {}}\nargs: {A: {x-j: k}}\n" +
			"tests: {x-l: m}\nfiles: [{to: /n, x-o: p}]",
		"image: {user: 1000, env: {A: 1, B: true, C: , D: 1.5}, ports: [80, 81/udp], entrypoint: [a, 1, true]}",
		"files: [{to: /a, mode: 0755, owner: 0}, {to: /b, mode: '0755', owner: '1:1'}]",
		"image: {healthcheck: {test: [a]}}\napps: {web: {image: {healthcheck: {interval: 5s}}}, worker: }",
		"project: ''\napps: {web: {project: a}}",
	} {
		if err := parse(in); err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if err := s.Validate(value(t, in)); err != nil {
			t.Errorf("%s: by the schema: %v", in, err)
		}
	}
}

// The schema takes whatever the parser takes, as an editor that is wrong about a spec is worse than none; and it
// refuses what the parser refuses, but for what is listed. Every value of the full specs is replaced by every other
// kind of value.
func TestSchemaAndParser(t *testing.T) {
	s := schema(t)
	beyond := map[string]bool{ // patterns of what only the parser refuses, and whether there was some
		// Numbers are not read as texts: 0755 is one in YAML 1.1 and another in 1.2.
		`^files\.\d+\.(context|mode|owner): -?\d`: false,
		// What goes together in an entry depends on what kind of entry it is, and on whether from is an address.
		`^files(\.\d+)?( without |: |\.(from|to|link|remove|change|image|context|mode|owner)\b)`: false,
		`^files\.\d+\.(checksum|unpack|strip|exclude)\b`:                                         false,

		`^base\.packages\.(sources|keys): `: false, // each key is for a source

		`\$\{VERSION\}`:                      false, // what an argument brings
		`^args(: | without )|^ without args`: false, // which arguments are declared
	}
	patterns := map[string]*regexp.Regexp{}
	for pattern := range beyond {
		patterns[pattern] = regexp.MustCompile(pattern)
	}
	isBeyond := func(what string) bool {
		for pattern, re := range patterns {
			if re.MatchString(what) {
				beyond[pattern] = true
				return true
			}
		}
		return false
	}
	probes := []string{
		"null", `""`, "x", "a/b", "/a", "../a", `a\b`, "-1", "0", "7", "8080", "1.5", "true", `"true"`, "30s", "https://a",
		"${VERSION}", "7${VERSION}",
		"[]", "[null]", "[x]", "[/a]", "[[x]]", "[{}]", "{}", "{x: y}", "{x: null}", "{A: b}", "{A: [b]}", "{test: [x]}",
		"{to: /a}",
	}
	type variant struct {
		file, what, text string
		value            any // of text
	}
	variants := make(chan variant)
	refused, taken := 0, 0
	var mu sync.Mutex // of the counts and of beyond
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for v := range variants {
				parsed, validated := parse(v.text), s.Validate(v.value)
				mu.Lock()
				switch {
				case parsed == nil && validated != nil:
					t.Errorf("%s: the parser takes %s, and the schema refuses it: %v", v.file, v.what, validated)
				case parsed != nil && validated == nil && !isBeyond(v.what):
					t.Errorf("%s: the schema takes %s, and the parser refuses it: %v", v.file, v.what, parsed)
				case parsed != nil:
					refused++
				default:
					taken++
				}
				mu.Unlock()
			}
		})
	}
	for _, file := range []string{"full.yaml", "full-apps.yaml"} {
		dt, err := os.ReadFile(filepath.Join(root, "frontend", "spec", "testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(dt, &doc); err != nil {
			t.Fatal(err)
		}
		check := func(what string) {
			dt, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			variants <- variant{file, what, string(dt), valueOf(t, doc.Content[0])}
		}
		walk(doc.Content[0], "", func(path string, n *yaml.Node) {
			was := *n
			for _, probe := range probes {
				var p yaml.Node
				if err := yaml.Unmarshal([]byte(probe), &p); err != nil {
					t.Fatal(err)
				}
				*n = *p.Content[0]
				check(path + ": " + probe)
			}
			*n = was
			for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 { // without one of its keys
				n.Content = append(append([]*yaml.Node{}, was.Content[:i]...), was.Content[i+2:]...)
				check(path + " without " + was.Content[i].Value)
			}
			*n = was
		})
	}
	close(variants)
	workers.Wait()
	for pattern, found := range beyond {
		if !found {
			t.Errorf("the schema refuses all that %s is about", pattern)
		}
	}
	if refused < 100 || taken < 100 {
		t.Errorf("%d specs refused and %d taken: that is no comparison", refused, taken)
	}
}

// walk calls fn for a node and all that it holds.
func walk(n *yaml.Node, path string, fn func(path string, n *yaml.Node)) {
	fn(path, n)
	for i, c := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			walk(c, fmt.Sprintf("%s.%d", path, i), fn)
		case i%2 == 1:
			walk(c, strings.TrimPrefix(path+"."+n.Content[i-1].Value, "."), fn)
		}
	}
}

// specs are all that the repository has, by where they are.
func specs(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	each(t, []string{"README.md", "docs/*.md", "docs/*/*.md", "examples/*/README.md"}, func(page, dt string) {
		for _, m := range codeBlock.FindAllStringSubmatch(dt, -1) {
			if m[1] == "yaml" {
				out[page+": "+m[2]] = m[2]
			}
		}
	})
	if len(out) < 5 {
		t.Errorf("%d specs in the documentation", len(out))
	}
	each(t, []string{"examples/*/crosshull.yaml", "frontend/spec/testdata/*.yaml"},
		func(file, dt string) { out[file] = dt })
	return out
}

// each calls fn for every file of the repository that matches a pattern; each pattern has some.
func each(t *testing.T, patterns []string, fn func(file, dt string)) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			dt, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			rel, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			fn(filepath.ToSlash(rel), string(dt))
		}
	}
}

// parse is what the frontend says of a spec before it looks at the context.
func parse(dt string) error {
	s, err := spec.Parse([]byte(dt), nil)
	if err != nil {
		return err
	}
	apps := []*spec.App{&s.App}
	for _, app := range s.Apps {
		apps = append(apps, app)
	}
	for _, app := range apps {
		if _, err := dotnet.ParseMode(app.Publish.Mode); err != nil {
			return err
		}
	}
	return nil
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(spec.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("v1.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("v1.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value is what a validator is given of a spec: JSON, with every key a text.
func value(t *testing.T, dt string) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(dt), &doc); err != nil {
		t.Fatalf("%v in\n%s", err, dt)
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return valueOf(t, doc.Content[0])
}

func valueOf(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch {
	case n.Kind == yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = valueOf(t, n.Content[i+1])
		}
		return m
	case n.Kind == yaml.SequenceNode:
		s := []any{}
		for _, c := range n.Content {
			s = append(s, valueOf(t, c))
		}
		return s
	case n.Tag == "!!null" || n.Tag == "!!bool" || n.Tag == "!!int" || n.Tag == "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			t.Fatal(err)
		}
		return v
	default:
		return n.Value
	}
}
