package spec

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestParseFull(t *testing.T) {
	dt, err := os.ReadFile(filepath.Join("testdata", "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(dt, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, got, want string }{
		{"project", s.Project, "src/Web/Web.csproj"},
		{"framework", s.Framework, "net10.0"},
		{"mode", strings.Join(s.Publish.Mode, " "), "self-contained trimmed"},
		{"a property that YAML takes for a boolean", s.Publish.Properties["TreatWarningsAsErrors"], "true"},
		{"a version that YAML takes for a number", s.SDK.Version, "10.0"},
		{"family", s.Base.Family, "noble"},
		{"ports", strings.Join(s.Image.Ports, " "), "8080 9090/udp"},
		{"args", strings.Join(s.Image.Args, " "), "--urls http://+:80"},
		{"env", s.Image.Env["LANG"], "C.UTF-8"},
		{"healthcheck", strings.Join(s.Image.Healthcheck.Test, " "), "CMD dotnet /app/probe.dll"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
	for _, tc := range []struct {
		path string
		want Range
	}{
		{"project", Range{6, 6}},
		{"publish", Range{8, 29}},
		{"publish.properties.Nullable", Range{13, 13}},
		{"image.ports.1", Range{58, 58}},
		{"image.no-such-key", Range{42, 73}},
		{"no-such-key", Range{1, 1}},
	} {
		if got := s.Range(tc.path); got != tc.want {
			t.Errorf("range of %s: got %v, want %v", tc.path, got, tc.want)
		}
	}
}

// A text with several lines ends at its last line.
func TestRangeOfText(t *testing.T) {
	s, err := Parse([]byte("image:\n  env:\n    A: |\n      one\n      two\n    B: >-\n      one\n    C: c\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Range{"image.env.A": {3, 5}, "image.env.B": {6, 7}, "image.env.C": {8, 8}} {
		if got := s.Range(path); got != want {
			t.Errorf("range of %s: got %v, want %v", path, got, want)
		}
	}
}

// One line is a complete spec, and so is an empty file.
func TestParseEmpty(t *testing.T) {
	for _, dt := range []string{"", "# syntax=x\n", "# syntax=x\n# a remark\n\n", "---\n", "project:\nimage:\n", "null"} {
		s, err := Parse([]byte(dt), nil)
		if err != nil {
			t.Errorf("%q: %v", dt, err)
			continue
		}
		if s.Project != "" || s.Image.Env != nil {
			t.Errorf("%q: got %+v, want all defaults", dt, s)
		}
	}
}

func TestParseMistakes(t *testing.T) {
	for _, tc := range []struct {
		name, in, want string
	}{
		{"unknown key", "projct: a.csproj", `line 1: unknown key "projct", did you mean "project"?`},
		{"unknown key below", "image:\n  enviroment: {}",
			`line 2: unknown key "image.enviroment": known are entrypoint, args,`},
		{"case counts", "Project: a.csproj", `line 1: unknown key "Project", did you mean "project"?`},
		{"twice", "project: a\nproject: b", "line 2: "},
		{"no map", "- project", "line 1: the spec must be a map of keys to values, not a list"},
		{"text", "hello", `line 1: the spec must be a map of keys to values, not "hello"`},
		{"list for a value", "project: [a, b]", `line 1: "project" must be a single value, not a list`},
		{"value for a list", "image:\n  entrypoint: ./app",
			`line 2: "image.entrypoint" must be a list, not "./app": write [./app]`},
		{"command for a list", "image:\n  entrypoint: dotnet /app/a.dll --urls http://+:8080",
			`line 2: "image.entrypoint" must be a list, not "dotnet /app/a.dll --urls http://+:8080": ` +
				`write [dotnet, /app/a.dll, --urls, "http://+:8080"]`},
		{"command of a shell", "image: {healthcheck: {test: curl -f http://localhost || exit 1}}",
			`line 1: "image.healthcheck.test" must be a list, not "curl -f http://localhost || exit 1": ` +
				`write [CMD-SHELL, "curl -f http://localhost || exit 1"]`},
		{"list for a map", "image:\n  env: [A=1]",
			`line 2: "image.env" must be a map of names to values, not a list: write {A: 1}`},
		{"list of nothing", "image: {env: [[]]}", `line 1: "image.env" must be a map of names to values, not a list`},
		{"image for a map", "base: debian:12",
			`line 1: "base" must be a map of keys to values, not "debian:12": write {image: debian:12}`},
		{"key of a Dockerfile", "image: {cmd: [a]}", `line 1: unknown key "image.cmd": use "args"`},
		{"key of Compose", "image: {working_dir: /a}", `line 1: unknown key "image.working_dir": use "workdir"`},
		{"key of Compose at the top", "command: [a]", `line 1: unknown key "command": image has it, as in image: {args: …}`},
		{"key of a Dockerfile in an app", "apps: {a: {expose: 80}}",
			`line 1: unknown key "apps.a.expose": image has it, as in image: {ports: …}`},
		{"key of Compose in tests", "tests: {command: a}", `line 1: unknown key "tests.command": known are projects, filter`},
		{"key of another section", "ports: [80]", `line 1: unknown key "ports": image has it, as in image: {ports: …}`},
		{"packages at the top", "packages: [a]", `line 1: unknown key "packages": base has it, as in base: {packages: …}`},
		{"key of image in publish", "publish: {env: {A: b}}",
			`line 1: unknown key "publish.env": image has it, as in image: {env: …}`},
		{"key that is no section's", "publish: {framework: a}",
			`line 1: unknown key "publish.framework": it stands beside publish, as in framework: …`},
		{"key that is no app's", "apps: {a: {sdk: {version: 9.0}}}",
			`line 1: unknown key "apps.a.sdk": it stands beside apps, as in sdk: …`},
		{"key of several sections", "secrets: {A: b}", `line 1: unknown key "secrets": known are project, framework`},
		{"key of no section", "name: a", `line 1: unknown key "name": known are project, framework`},
		{"another key of no section", "tags: [a]", `line 1: unknown key "tags": known are project, framework`},
		{"short key", "imge: {}", `line 1: unknown key "imge", did you mean "image"?`},
		{"root", "project: /src/app",
			`line 1: project "/src/app" must be a path relative to the build context: it begins with ` +
				"the root of the file system; remove the / at its beginning if you mean the context"},
		{"no YAML", "project: [", "line 1: not valid YAML: "},
		{"tab", "image:\n\tenv: {}", "line 2: not valid YAML: a line cannot begin with a tab: use spaces"},
		{"mode", "publish:\n  mode: {aot: true}", `line 2: "publish.mode" must be a list, not a map`},
		{"outside", "project: ../other/a.csproj",
			`line 1: project "../other/a.csproj" must be a path relative to the build context: it leads out of the context`},
		{"backslash", `project: src\a.csproj`,
			`line 1: project "src\\a.csproj" must be a path relative to the build context: write / between folders`},
		{"owned property", "publish:\n  properties:\n    RuntimeIdentifier: linux-x64",
			`line 3: publish.properties: name "RuntimeIdentifier": crosshull sets this property: use buildx's --platform`},
		{"bad property", "publish: {properties: {'a b': c}}",
			`line 1: publish.properties: name "a b" must be letters, digits, - and _, and the first is a letter or _`},
		{"sdk twice", "sdk: {image: a, version: b}", "line 1: sdk.image and sdk.version exclude each other"},
		{"base twice", "base:\n  image: a\n  family: b", "line 3: base.image and base.family exclude each other"},
		{"app name", "apps:\n  Web: {}", `line 2: apps: name "Web" must be lower-case letters`},
		{"reserved app", "apps:\n  test: {}", `line 2: apps: name "test": it is the name of another target`},
		{"reserved end", "apps:\n  web-sbom: {}", `line 2: apps: name "web-sbom": it is the name of another target`},
		{"mistake in an app", "image: {workdir: /a}\napps:\n  web:\n    image:\n      workdir: b",
			`line 5: apps.web.image.workdir "b" must be`},
		{"mistake for all apps", "image: {workdir: a}\napps:\n  web: {}", `line 1: image.workdir "a" must be`},
		{"project beside apps", "project: a\napps: {web: {}}", "line 1: project cannot stand beside apps"},
		{"unknown key of an app", "apps:\n  web: {bse: {}}", `line 2: unknown key "apps.web.bse", did you mean "base"?`},
		{"apps that are none", "apps: [web]", `line 1: "apps" must be a map`},
		{"gate without tests", "tests: {gate: true}", "line 1: tests.gate has no tests"},
		{"a further project without a folder", "publish:\n  also:\n    - {project: a}",
			"line 3: an entry of publish.also needs the key to"},
		{"a further folder without a project", "publish: {also: [{to: /a}]}",
			"line 1: an entry of publish.also needs a project"},
		{"a further project in a folder that is none", "publish: {also: [{project: a, to: b}]}",
			`line 1: publish.also.0.to "b" must be an absolute path`},
		{"no project and no base", "project: none\nfiles: [{to: /a}]", "line 1: project: none needs base.image"},
		{"no project and a family", "files: [{to: /a}]\nproject: none\nbase: {family: noble}",
			"line 2: project: none needs base.image"},
		{"no project and no files", "base: {image: a}\nproject: none", "line 2: project: none needs files"},
		{"no project of one of apps", "base: {image: a}\napps:\n  a: {project: a}\n  b:\n    project: none",
			"line 5: project: none needs files"},
		{"no project, and what only a compile reads",
			"project: none\nbase: {image: a}\nfiles: [{to: /a}]\npublish: {mode: aot}\nframework: net10.0\nsdk: {version: 9.0}",
			"line 4: publish has no effect, as project: none compiles nothing\nline 5: framework has no effect, as project: " +
				"none compiles nothing\nline 6: sdk has no effect"},
		{"filter without tests", "tests: {filter: a}", "line 1: tests.filter has no tests"},
		{"settings without tests", "tests:\n  settings: a", "line 1: tests.settings has no tests"},
		{"secrets without tests", "tests: {secrets: {A: b}}", "line 1: tests.secrets has no tests"},
		{"arguments without tests", "tests: {args: [a]}", "line 1: tests.args has no tests"},
		{"settings outside", "tests: {projects: [t], settings: ../a}", "line 1: tests.settings \"../a\" must be a path"},
		{"an argument with a key", "tests:\n  projects: [t]\n  args: [--blame, --filter=a]",
			"line 3: tests.args: it cannot have \"--filter=a\": write tests.filter"},
		{"an argument of crosshull", "tests: {projects: [t], args: [--no-build]}",
			"line 1: tests.args: it cannot have \"--no-build\": the step builds the tests"},
		{"test outside", "tests:\n  - ../t.csproj",
			`line 2: tests.0 "../t.csproj" must be a path relative to the build context: it leads out of the context`},
		{"file to nowhere", "files:\n  - from: a\n    to: b", `line 3: files.0.to "b" must be an absolute path`},
		{"file mode", "files: [{from: a, to: /b, mode: rw}]", `line 1: files.0.mode "rw" must be an octal number`},
		{"file owner", "files: [{to: /b, owner: 007}]", `line 1: files.0.owner "007" must be a user, or user:group`},
		{"boolean", "nuget: {locked-mode: maybe}", `line 1: "nuget.locked-mode" must be true or false, not "maybe"`},
		{"feed without a name", "nuget: {feeds: [{source: 'https://x'}]}", `line 1: a feed needs a name`},
		{"certificates outside", "nuget:\n  ca: /etc/ca.pem",
			`line 2: nuget.ca "/etc/ca.pem" must be a path relative to the build context`},
		{"feed with credentials", "nuget: {feeds: [{name: a, source: 'https://u:p@x'}]}",
			"line 1: nuget.feeds.0.source must be a URL that begins with https:// or http://, without credentials: use " +
				"username and password-secret"},
		{"feed that says nothing", "nuget: {feeds: [{name: a}]}", "line 1: a feed needs a source or a password-secret"},
		{"argument", "args: {VERSION: 1}\nproject: ${VERSON}",
			`line 2: build argument "VERSON" is not declared, did you mean ${VERSION}?`},
		{"PATH of the base", "image:\n  env:\n    PATH: $PATH:/opt/tools",
			"line 3: image.env.PATH cannot have $PATH: variables of the base are not expanded here, so write the whole value"},
		{"PATH of the base, in braces", "image: {env: {PATH: '${PATH}:/opt/tools'}}",
			"line 1: image.env.PATH cannot have ${PATH}: variables of the base are not expanded here"},
		{"PATH of the base, as text", "image: {env: {PATH: '/opt:$${PATH}'}}",
			"line 1: image.env.PATH cannot have ${PATH}: variables of the base are not expanded here"},
		{"PATH with a default", "image: {env: {PATH: '/opt:$${PATH:-/bin}'}}",
			"line 1: image.env.PATH cannot have ${PATH:-/bin}: variables of the base are not expanded here"},
		{"PATH of another variable", "image: {env: {JAVA_HOME: /java, PATH: '/bin:$JAVA_HOME/bin'}}",
			"line 1: image.env.PATH cannot have $JAVA_HOME: variables of the base"},
		{"PATH of an argument", "args: {P: '$PATH:/a'}\nimage: {env: {PATH: '${P}'}}",
			"line 2: image.env.PATH cannot have $PATH: variables of the base"},
		{"PATH of an app", "apps:\n  a:\n    project: a\n    image: {env: {PATH: '$PATH:/a'}}",
			"line 4: apps.a.image.env.PATH cannot have $PATH: variables of the base"},
		{"variable of the base", "image:\n  env: {LD_LIBRARY_PATH: '${LD_LIBRARY_PATH}:/a'}",
			"line 2: image.env.LD_LIBRARY_PATH cannot have ${LD_LIBRARY_PATH}: variables of the base"},
		{"argument in PATH", "args: {HOME_OF_X: /x}\nimage: {env: {PATH: '${HOME_OF_Y}/bin'}}",
			`line 2: build argument "HOME_OF_Y" is not declared, did you mean ${HOME_OF_X}?`},
		{"argument in an argument", "args:\n  A: a\n  B: x${A}",
			"line 3: args.B cannot have ${A}, because values in args take no build arguments: write $${A} for the text as"},
		{"argument in a description", "args:\n  A: {default: a,\n    description: \"for ${B\\x1b}\"}",
			`line 3: args.A.description cannot have ${B\x1b}, because values in args take no build arguments: write $${B\x1b}`},
		{"argument in the name of a label", "args: {A: a}\nimage:\n  labels:\n    com.example.${A}: x",
			`line 4: image.labels: name "com.example.${A}": a name takes no build arguments, a value does`},
		{"argument in the name of an annotation", "args: {A: a}\nimage: {annotations: {'$${A}': x}}",
			`line 2: image.annotations: name "$${A}": a name takes no build arguments, a value does`},
		{"argument name", "args: {1A: x}", `line 1: args: name "1A" must be letters, digits and _`},
		{"argument of BuildKit", "args:\n  SOURCE_DATE_EPOCH: 1",
			`line 2: args: name "SOURCE_DATE_EPOCH": BuildKit itself reads this argument: remove it from args`},
		{"argument that is a list", "args:\n  A: [1]", `line 2: "args.A" must be a single value or a map, not a list`},
		{"command that is a list", "publish: {before: [[npm, ci]]}",
			`line 1: "publish.before.0" must be a single value or a map, not a list`},
		{"packages as a text", "base: {packages: curl tzdata}",
			`line 1: "base.packages" must be a list or a map, not "curl tzdata": write [curl, tzdata]`},
		{"packages with commas", "base: {packages: {install: 'curl, tzdata=1:2'}}",
			`line 1: "base.packages.install" must be a list, not "curl, tzdata=1:2": write [curl, "tzdata=1:2"]`},
		{"tests as a text", "tests: tests/Unit",
			`line 1: "tests" must be a list or a map, not "tests/Unit": write [tests/Unit]`},
		{"secret name", "publish: {secrets: {a-b: x}}", `line 1: publish.secrets: name "a-b" must be letters, digits and _`},
		{"secret without an id", "tests:\n  projects: [a]\n  secrets:\n    A:",
			`line 4: tests.secrets.A "" must be the id of`},
		{"env name", "image: {env: {1A: x}}", `line 1: image.env: name "1A" must be letters, digits and _`},
		{"port", "image:\n  ports:\n    - http", `line 3: image.ports.0 "http" must be a port from 1 to 65535`},
		{"workdir", "image: {workdir: app}", `line 1: image.workdir "app" must be an absolute path`},
		{"healthcheck", "image:\n  healthcheck: {interval: 30s}", "line 2: image.healthcheck needs a test"},
		{"duration", "image:\n  healthcheck:\n    test: [NONE]\n    interval: 30",
			`line 4: image.healthcheck.interval "30" must be a duration`},
		{"retries", "image:\n  healthcheck:\n    test: [NONE]\n    retries: often",
			`line 4: "image.healthcheck.retries" must be a whole number from 0 to 2147483647, not "often"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse([]byte(tc.in), nil)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got  %s\nwant %s…", err, tc.want)
			}
		})
	}
}

// All mistakes are reported at once, in the order of the file.
func TestParseAllMistakes(t *testing.T) {
	_, err := Parse([]byte("projct: a\nimage:\n  workdir: app\n  ports: [http]\n  user: [1]\n"), nil)
	errs := AsErrors(err)
	var lines []int
	for _, e := range errs {
		lines = append(lines, e.Range.Start)
	}
	if len(lines) != 4 || lines[0] != 1 || lines[1] != 3 || lines[2] != 4 || lines[3] != 5 {
		t.Errorf("mistakes on lines %v, want 1 3 4 5:\n%v", lines, err)
	}
}

// An app has the file's common values, and its own values replace them.
func TestApps(t *testing.T) {
	s, err := Parse([]byte(`
publish: {mode: apphost, properties: {A: 1, B: 2}}
base: {family: noble-chiseled}
image: {args: [a, b], env: {X: 1}}
apps:
  web:
    project: src/Web
    publish: {mode: portable, properties: {B: 3}}
    image: {args: [c], env: {Y: 2}}
  worker:
tests: [tests/Unit]
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	web, worker := s.Apps["web"], s.Apps["worker"]
	for _, tc := range []struct{ name, got, want string }{
		{"project", web.Project, "src/Web"},
		{"mode", strings.Join(web.Publish.Mode, " "), "portable"},
		{"property of all", web.Publish.Properties["A"], "1"},
		{"own property", web.Publish.Properties["B"], "3"},
		{"family", web.Base.Family, "noble-chiseled"},
		{"list", strings.Join(web.Image.Args, " "), "c"},
		{"map", web.Image.Env["X"] + web.Image.Env["Y"], "12"},
		{"worker", strings.Join(worker.Publish.Mode, " ") + worker.Publish.Properties["B"], "apphost2"},
		{"common part", s.Publish.Properties["B"] + s.Image.Env["Y"], "2"},
		{"tests", strings.Join(s.Tests.Projects, " "), "tests/Unit"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
	if got := s.Range("apps.web.image.env.Y"); got != (Range{9, 9}) {
		t.Errorf("range %v", got)
	}
}

// A build argument has the value from the user, or its default. Using an undeclared one is a mistake.
func TestArgs(t *testing.T) {
	const text = `
args:
  VERSION: 1.0
  CHANNEL: {default: stable, description: where it goes}
  EMPTY:
  TEXT: {default: "$${CHANNEL}$${${", description: "as $${CHANNEL} $X"}
publish: {properties: {Version: "${VERSION}-${CHANNEL}"}}
image:
  labels: {"$X ${": "[${TEXT}]"}
  env: &env {A: "[${EMPTY}]", B: "$${HOME} $(X) $VERSION"}
  args: ["${VERSION}"]
  healthcheck: {test: [NONE], retries: "${RETRIES}"}
apps:
  web: {image: {user: "${EMPTY}", env: *env}}
`
	s, err := Parse([]byte(strings.Replace(text, "EMPTY:", "EMPTY:\n  RETRIES: 3", 1)),
		map[string]string{"VERSION": "2.1", "OTHER": "x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, got, want string }{
		{"given and default", s.Publish.Properties["Version"], "2.1-stable"},
		{"neither", s.Image.Env["A"], "[]"},
		{"what is no argument", s.Image.Env["B"], "${HOME} $(X) $VERSION"},
		{"in a list", strings.Join(s.Image.Args, " "), "2.1"},
		{"in a number", strconv.Itoa(s.Image.Healthcheck.Retries), "3"},
		{"in an app", s.Apps["web"].Publish.Properties["Version"] + s.Apps["web"].Image.Env["A"], "2.1-stable[]"},
		{"what is no argument, by an argument", s.Image.Labels["$X ${"], "[${CHANNEL}$${${]"},
		{"default", s.Args["VERSION"].Default, "1.0"},
		{"default that looks like an argument", s.Args["TEXT"].Default, "${CHANNEL}$${${"},
		{"description that looks like an argument", s.Args["TEXT"].Description, "as ${CHANNEL} $X"},
		{"description", s.Args["CHANNEL"].Description, "where it goes"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
	for arg, want := range map[string]bool{"VERSION": true, "CHANNEL": true, "RETRIES": true, "TEXT": true, "HOME": false,
		"OTHER": false} {
		if s.Uses(arg) != want {
			t.Errorf("uses %s: %v", arg, !want)
		}
	}
	_, err = Parse([]byte(text), nil)
	if want := `line 12: build argument "RETRIES" is not declared: add it to args, ` +
		`or write $${RETRIES} for the text as it is`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// No file makes the parser panic, and every mistake and every value is at lines of the file.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"project: a\nimage: {env: {A: 1}, ports: [1]}", "a: &a [*a]", "<<: {project: a}",
		"apps: {web: {project: a}, b: , c: &c {image: {env: {A: 1}}}, d: *c}", "args: {A: }\nproject: ${A}${B}$${C}",
		"x: &x {a: {}}\napps: *x",
		"args: {TARGETARCH: }\nimage: {labels: {a: '${TARGETARCH}'}, healthcheck: {test: [a], retries: '${TARGETARCH}'}}",
		"x-a: &a {env: {A: b}}\nimage:\n  <<: [*a, *a]\n  env: {<<: {C: d}}\n",
		"image:\r\n  env:\r\n    A: |+\r\n      a\r\n\r\n    B: >-\r\n      c\r\n",
		"# \u2028\nimage: {labels: {a: \"\u2028\u2029\u0085\"}}", "a\rb: c", "---\nproject: a\n---\n",
		"? [a]\n: b\n? |\n  c\n: d", "\ufeffproject: \"a\\\n  b\"\n...\n",
		"nuget: {feeds: [{name: a, source: 'https://a:b@c'}]}",
		"project: !!binary YQ==\nimage: !x {env: !!map {A: !!null b}}",
		"%YAML 1.1\n---\nfiles:\n- &f {to: /a}\n- *f\n- <<: *f\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, dt []byte) {
		s, err := Parse(dt, map[string]string{"A": "${A}"})
		if (s == nil) == (err == nil) {
			t.Fatalf("got %v, %v", s, err)
		}
		inFile(t, dt, err)
		if s != nil {
			_, err := s.For(ocispecs.Platform{OS: "linux", Architecture: "amd64"})
			inFile(t, dt, err)
		}
		lines := bytes.Count(dt, []byte("\n")) + 1
		for path, r := range rangesOf(s) {
			if r.Start < 1 || r.End < r.Start || r.End > lines {
				t.Fatalf("%s: lines %v of %d", path, r, lines)
			}
		}
		if shown := Shown(dt); bytes.Count(shown, []byte("\n"))+1 != lines || !utf8.Valid(shown) {
			t.Fatalf("shown is %q", shown)
		}
	})
}
