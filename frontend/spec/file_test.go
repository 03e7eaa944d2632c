package spec

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What a file may and may not contain besides a spec. Mistakes are at the line that an editor counts.
func TestFile(t *testing.T) {
	for _, tc := range []struct {
		name, in, want string // empty: it is a spec
	}{
		{"line ends of Windows", "# syntax=x\r\nproject: a\r\nimage:\r\n  env:\r\n    A: |\r\n      b\r\n      c\r\n", ""},
		{"mistake after them", "project: a\r\n\r\nimge: b\r\n", `line 3: unknown key "imge"`},
		{"byte order mark", "\ufeffproject: a\n", ""},
		{"one inside", "project: a\n# \ufeff\n",
			`line 2: the character U+FEFF cannot stand in YAML: write "\ufeff" in double quotes`},
		{"UTF-16", "\xff\xfep\x00r\x00", "line 1: byte 0xff is not UTF-8: save the file as UTF-8"},
		{"Latin-1", "project: a\nimage: {labels: {a: caf\xe9}}\n", "line 2: byte 0xe9 is not UTF-8"},
		{"carriage return", "project: a\nimage:\r  user: b\n", "line 2: a carriage return alone does not end a line"},
		{"in quotes", "project: a\nimage: {user: 'a\rb'}\n", "line 2: a carriage return alone does not end a line"},
		{"in a remark", "# a\rproject: b\n", "line 1: a carriage return alone does not end a line"},
		{"two of them", "project: a\r\r\n", "line 1: a carriage return alone does not end a line"},
		{"control character", "project: a\nimage: {user: \"a\x07\"}\n",
			`line 2: the character U+0007 cannot stand in YAML: write "\u0007" in double quotes`},
		{"NUL", "project: a\n\x00", "line 2: the character U+0000 cannot stand in YAML"},
		{"delete", "# \x7f", "line 1: the character U+007F cannot stand in YAML"},

		{"line separator in a remark", "# a\u2028projct: b\nproject: c\n", ""},
		{"in a text", "image: {labels: {a: b\u2028c, d: 'e\u2029f', g: \"h\u0085i\"}}\nproject: c\n", ""},
		{"mistake after one", "# \u2028\u2028\n\u2029: b\nimage: {usr: 'a\u0085'}\n", `line 2: unknown key "\u2029"`},
		{"in a name", "image: {labels: {\"a\u2028b\": c}}",
			`line 1: image.labels: name "a\u2028b" must be a text of one line`},
		{"in a syntax error", "a: 1\nimage: {user: \u2028", "line 2: not valid YAML"},

		{"second document", "project: a\n---\nproject: b\n", "line 2: a second document begins here"},
		{"empty one", "project: a\n# b\n---\n", "line 3: a second document begins here"},
		{"third", "---\n---\n---\n", "line 2: a second document begins here"},
		{"after an end", "project: a\n...\nproject: b\n", "line 3: "},
		{"first with a mark", "# syntax=x\n---\nproject: a\n...\n", ""},
		{"no YAML after an end", "project: a\n...\n[\n", "line 3: "},
		{"unknown anchor", "project: a\nimage:\n  env: *nowhere\n",
			"line 3: not valid YAML: unknown anchor 'nowhere' referenced"},
		{"tab", "image:\n\tenv: {}", "line 2: not valid YAML: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse([]byte(tc.in), nil)
			inFile(t, []byte(tc.in), err)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.want)) {
				t.Errorf("got  %v\nwant %s…", err, tc.want)
			}
		})
	}
}

// Characters that only the parser takes for the end of a line stay in texts and move no line.
func TestBreaks(t *testing.T) {
	s, err := Parse([]byte("# \u2028\nimage:\n  labels:\n    a: \"x\u2028y\u0085\"\n    b: z\n"+
		"  env: {C: 'd\u2029', D: \ue000}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if l := s.Image.Labels; l["a"] != "x\u2028y\u0085" || l["b"] != "z" || s.Image.Env["C"] != "d\u2029" ||
		s.Image.Env["D"] != "\ue000" {
		t.Errorf("got %+q and %+q", l, s.Image.Env)
	}
	if r := s.Range("image.labels.b"); r != (Range{5, 5}) {
		t.Errorf("lines %v, want 5", r)
	}
}

// Every range is within the lines of the file, and ends where its value ends.
func TestRanges(t *testing.T) {
	const text = `image:
  env:
    A: "one\ntwo\nthree"

    # about the next
    B: 'one

      two'
    C: plain
      and more
    D: |
      # one

      two
    # no part of it
    E: >-
      folded
      text

  args: [
    a,
    b
  ]
  labels: {a: b,
    c: "d\n\n\n\n"}`
	s, err := Parse([]byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Range{
		"image": {1, 25}, "image.env": {2, 18}, "image.env.A": {3, 3}, "image.env.B": {6, 8}, "image.env.C": {9, 10},
		"image.env.D": {11, 14},
		"image.env.E": {16, 18}, "image.args": {20, 22}, "image.args.1": {22, 22}, "image.labels.a": {24, 24},
		"image.labels.c": {25, 25},
	} {
		if got := s.Range(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	for path, r := range s.lines {
		if r.Start < 1 || r.End < r.Start || r.End > 25 {
			t.Errorf("%s: %v", path, r)
		}
	}
}

func TestShown(t *testing.T) {
	long := strings.Repeat("ä", 150)
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"plain", "a: b\n# ä €\n", "a: b\n# ä €\n"},
		{"line ends of Windows", "a\r\nb\r\n", "a\nb\n"},
		{"carriage return", "a\rb\n\r\n", "a\\rb\n\n"},
		{"tab", "\ta\n", "\\ta\n"},
		{"line ends of others", "a\u2028b\u2029c\u0085d", `a\u2028b\u2029c\u0085d`},
		{"control characters", "\x00\x1b[31m\x7f", `\x00\x1b[31m\x7f`},
		{"direction", "a\u202eb\u200b", `a\u202eb\u200b`},
		{"no UTF-8", "a\xff\xc3(", `a\xff\xc3(`},
		{"byte order mark", "\ufeffa\n\ufeff", "a\n\\ufeff"},
		{"long", long + long + "\nb", long + strings.Repeat("ä", 50) + "…\nb"},
		{"just not long", long + strings.Repeat("b", 50), long + strings.Repeat("b", 50)},
		{"quotes", `"a\n" 'b'`, `"a\n" 'b'`},
	} {
		got := string(Shown([]byte(tc.in)))
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
		if strings.Count(got, "\n") != strings.Count(tc.in, "\n") {
			t.Errorf("%s: it has other lines", tc.name)
		}
	}
}

// A message lists 20 mistakes. Its last line is a mistake, and the line before counts those that are not listed. The
// error has them all.
func TestManyMistakes(t *testing.T) {
	in := func(n int) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "unknown%d: x\n", i)
		}
		return []byte(b.String())
	}
	_, err := Parse(in(1000), nil)
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 21 || lines[19] != "and 980 more mistakes" || !strings.HasPrefix(lines[20],
		"line 20: ") || !strings.HasPrefix(lines[0], "line 1: ") {
		t.Errorf("the message is\n%s", err)
	}
	errs := AsErrors(err)
	first, more := errs.First()
	if len(errs) != 1000 || len(first) != 20 || more != 980 {
		t.Errorf("%d mistakes, %d shown, %d more", len(errs), len(first), more)
	}
	_, err = Parse(in(20), nil)
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 20 || strings.Contains(err.Error(), "more mistakes") {
		t.Errorf("the message of 20 is\n%s", err)
	}
}

// A message shows a value escaped and short, and shows no credentials.
func TestShownValues(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for _, tc := range []struct{ in, want string }{
		{"image: {workdir: " + long + "}", `"` + strings.Repeat("ä", 80) + `…" must be`},
		{`image: {workdir: "a\nb\u2028\e\t"}`, `"a\nb\u2028\x1b\t" must be`},
		{`image: {"a\nb": c}`, `unknown key "image.a\nb"`},
		{`image: {env: {"a\nb": c}}`, `name "a\nb" must be`},
		{`image: {args: "a\nb"}`, `must be a list, not "a\nb": write [a\nb]`},
		{`project: "${a\nb}"`, `build argument "a\nb" is not declared: add it to args, or write $${a\nb}`},
		{"image: {healthcheck: {test: [a], retries: " + long + "}}", strings.Repeat("ä", 80) + `…"`},
	} {
		_, err := Parse([]byte(tc.in), nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got  %v\nwant %s", err, tc.want)
		}
		inFile(t, []byte(tc.in), err)
	}
	_, err := Parse([]byte("nuget: {feeds: [{name: a, source: 'https://user:hunter2@a'}, {name: b, source: 'hunter2'}]}"),
		nil)
	if err == nil || strings.Contains(err.Error(), "hunter2") || len(AsErrors(err)) != 2 {
		t.Errorf("got %v", err)
	}
}

// Merge keys and keys that begin with x- mean the same as in compose.yaml.
func TestMerge(t *testing.T) {
	s, err := Parse([]byte(`x-env: &env {A: 1, B: 2}
x-more: &more {B: 3, C: 4}
x-anything: [{whatever: '${UNDECLARED}'}, &app {image: {user: app, x-note: y}, framework: net9.0}]
x-image: &image
  x-why: because
  env: {<<: [*env, *more], C: 5}
  user: root
<<: {project: src/Web}
image:
  x-b: c
  <<: *image
  user: app
  labels: {x-a: kept}
publish: {x-c: d, properties: {x-d: kept}}
args: {A: {default: b, x-e: f}}
files: [{to: /a, x-f: g}]
tests: {projects: [t], x-g: h}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, got, want string }{
		{"key of the whole", s.Project, "src/Web"},
		{"merged", fmt.Sprint(s.Image.Env), "map[A:1 B:2 C:5]"},
		{"own over merged", s.Image.User, "app"},
		{"name of a label", s.Image.Labels["x-a"], "kept"},
		{"name of a property", s.Publish.Properties["x-d"], "kept"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, tc.got, tc.want)
		}
	}
	if r := s.Range("image.env.A"); r != (Range{1, 1}) {
		t.Errorf("a merged value is on line %v", r)
	}

	s, err = Parse([]byte(`x-app: &app {framework: net9.0, image: {env: {A: 1}}}
image: {env: {B: 2}}
apps:
  web: {<<: *app, project: web}
  worker: {<<: [*app], framework: net10.0}
  x-small: *app
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	web, worker, small := s.Apps["web"], s.Apps["worker"], s.Apps["x-small"]
	got := fmt.Sprint(web.Project, web.Framework, web.Image.Env, worker.Framework, small.Framework, small.Image.Env,
		s.Image.Env)
	if want := "webnet9.0map[A:1 B:2]net10.0net9.0map[A:1 B:2] map[B:2]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	for in, want := range map[string]string{
		"<<: [a]":                      "line 1: << must be a map, or a list of maps, not \"a\"",
		"image: {<<: a}":               "line 1: << must be a map, or a list of maps",
		"image: {<<: }":                "line 1: << must be a map, or a list of maps",
		"x-a: &a\n  <<: *a\nimage: *a": "line 2: << merges a map into itself",
		"x-a: &a {env: {}}\nx-b: &b {<<: [*a, *a]}\nimage:\n  <<: *b\n  <<: *a": "line 5: key \"image.<<\" is already " +
			"on line 4",
		"x-a: &a\n  usr: b\nimage: {<<: *a}": `line 2: unknown key "image.usr", ` +
			`did you mean "user"?`,
		"image: {'<<': {user: a}}": `line 1: unknown key "image.<<"`,
		"image: {env: {x-a: b}}":   `line 1: image.env: name "x-a" must be`,
		"image: {? [a] : b}": `line 1: a key of "image" must be a ` +
			`single value, not a list`,
	} {
		_, err := Parse([]byte(in), nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

// Names that are equal to MSBuild and NuGet count as one name.
func TestCaseless(t *testing.T) {
	for in, want := range map[string]string{
		"publish:\n  properties:\n    Foo: a\n    foo: b": "" +
			`line 4: key "publish.properties.foo" is already on line 3, as "Foo"`,
		"nuget:\n  feeds:\n  - {name: Git, source: 'https://a'}\n  - {name: git, source: 'https://b'}": "" +
			`line 4: nuget.feeds.1.name "git": the feed on line 3 has the same name`,
	} {
		_, err := Parse([]byte(in), nil)
		if err == nil || err.Error()[:min(len(want), len(err.Error()))] != want {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
	s, err := Parse([]byte("publish: {properties: {Foo: a, Bar: b}}\nimage: {env: {a: 1, A: 2}}\n"+
		"apps: {web: {publish: {properties: {FOO: c}}}}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Apps["web"].Publish.Properties, s.Publish.Properties,
		s.Image.Env); got != "map[Bar:b FOO:c] map[Bar:b Foo:a] map[A:2 a:1]" {
		t.Errorf("got %s", got)
	}
}

// Apps get what they have in common. What one app adds is only its own.
func TestAppsShare(t *testing.T) {
	s, err := Parse([]byte(`
apps:
  a: {image: {env: {A: own}, healthcheck: {interval: 5s}, vcs: false, args: [own]}}
  b:
  c: {image: {env: , healthcheck: {retries: 7}}}
image: {env: {A: all, B: all}, healthcheck: {test: [x]}, vcs: true, args: [all]}
project: ''
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, app := range []*App{&s.App, s.Apps["a"], s.Apps["b"], s.Apps["c"]} {
		h := app.Image.Healthcheck
		got = append(got, fmt.Sprintf("%v %v %s %d %t %v", app.Image.Env, h.Test, h.Interval, h.Retries, *app.Image.VCS,
			app.Image.Args))
	}
	want := []string{
		"map[A:all B:all] [x]  0 true [all]", "map[A:own B:all] [x] 5s 0 false [own]", "map[A:all B:all] [x]  0 true [all]",
		"map[A:all B:all] [x]  7 true [all]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Keys that exclude or need one another, within the common part and between it and an app.
func TestShapes(t *testing.T) {
	for in, want := range map[string]string{
		"framework: net10.0\napps: {web: }": "line 1: framework cannot stand " +
			"beside apps: write it in each app",
		"apps: {web: }\nproject: a": "line 2: project cannot stand beside apps: write it in each app",
		"base: {image: a}\napps:\n  web:\n    base:\n      family: b": "line 5: base.image and base.family " +
			"exclude each other",
		"base: {family: a}\napps:\n  web:\n    base:\n      image: b": "line 4: base.image and base.family " +
			"exclude each other",
		"nuget:\n  ca: a\n  ca-secret: b": "line 3: nuget.ca and nuget.ca-secret " +
			"exclude each other",
		"nuget:\n  feeds: [{name: a, source: 'https://a'}]\n  config-secret: b": "line 2: nuget.config-secret and " +
			"nuget.feeds exclude each other",
		"tests:\n  gate: true": "line 1: tests.gate has no tests to " +
			"wait for",
		"image:\n  healthcheck: {}":                             "line 2: image.healthcheck needs a test",
		"image:\n  healthcheck: {test: }":                       "line 2: image.healthcheck needs a test",
		"apps:\n  web:\n    image: {healthcheck: {retries: 1}}": "line 3: image.healthcheck needs a test",
		"files: [{from: a}]":                                    "line 1: an entry of files needs the key to",
	} {
		_, err := Parse([]byte(in), nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(AsErrors(err)) != 1 {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
	for _, in := range []string{
		"framework: ''\nproject: \napps: {web: {project: a, framework: b}}", "project: a\napps: {}",
		"base: {image: a, family: ''}",
		"base: {image: a}\napps: {web: {base: {image: '', family: b}}}", "nuget: {feeds: [], config-secret: a}",
		"tests: {gate: false}", "image: {healthcheck: {test: [a]}}\napps: {web: {image: {healthcheck: {retries: 1}}}}",
		"nuget: {feeds: [{name: a, password-secret: b}]}",
	} {
		if _, err := Parse([]byte(in), nil); err != nil {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestPorts(t *testing.T) {
	for in, want := range map[string]string{
		"80": "80/tcp", "80/UDP": "80/udp", "80/sctp": "80/sctp", "8000-8002/udp": "8000/udp 8001/udp 8002/udp",
		"7-7": "7/tcp", "65535": "65535/tcp",
	} {
		got, err := Ports(in)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, %v, want %s", in, got, err, want)
		}
	}
	if all, err := Ports("1-65535"); err != nil || len(all) != 65535 {
		t.Errorf("%d ports, %v", len(all), err)
	}
	for _, in := range []string{"", "0", "65536", "8002-8000", "http", "80/icmp"} {
		if got, err := Ports(in); err == nil {
			t.Errorf("%s: got %v", in, got)
		}
	}
}

func TestFileMode(t *testing.T) {
	for in, want := range map[string]uint32{"0644": 0o644, "755": 0o755, "1777": 0o1777, "4755": 0o4755, "07777": 0o7777,
		"0000": 0} {
		got, err := FileMode(in)
		if err != nil || uint32(got) != want {
			t.Errorf("%s: got %o, %v, want %o", in, uint32(got), err, want)
		}
	}
	for _, in := range []string{"", "9", "rw", "10000", "-1"} {
		if got, err := FileMode(in); err == nil {
			t.Errorf("%s: got %v", in, got)
		}
	}
}
