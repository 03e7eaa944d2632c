package spec

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

const perPlatform = `
args:
  TARGETARCH:
  TARGETVARIANT:
  TARGETPLATFORM: {description: where it runs}
  BUILDARCH:
  VERSION: 1.0
publish: {properties: {On: "${BUILDARCH}"}}
image:
  labels: {arch: "${TARGETARCH}${TARGETVARIANT}-${VERSION}", literal: "$${TARGETARCH}", same: "${VERSION}"}
  env: {P: "${TARGETPLATFORM}"}
  ports: ["80"]
files:
  - {from: "tools/${TARGETARCH}", to: /opt/}
apps:
  web: {image: {user: "u${TARGETARCH}", entrypoint: ["${TARGETARCH}"]}}
  worker:
`

// Arguments of the platform work as in a Dockerfile: if declared, they have the values of the image's platform.
func TestFor(t *testing.T) {
	s, err := ParseOn([]byte(perPlatform), map[string]string{"VERSION": "2"}, platforms.MustParse("linux/arm64"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"image": true, "image.labels": true, "image.labels.arch": true, "image.labels.literal": false,
		"image.labels.same": false, "image.env": true,
		"image.ports": false, "files": true, "files.0.from": true, "files.0.to": false, "publish": false,
		"apps.web.image.user": true, "apps.web": true,
		"apps.worker": false, "no-such-key": false,
	} {
		if s.PerPlatform(path) != want {
			t.Errorf("%s is per platform: %t", path, !want)
		}
	}
	if got := s.Image.Labels["arch"] + " " + s.Publish.Properties["On"]; got != "${TARGETARCH}${TARGETVARIANT}-2 arm64" {
		t.Errorf("before the platform is known: %s", got)
	}
	for _, tc := range []struct{ platform, want string }{
		{"linux/amd64", "amd64-2 ${TARGETARCH} 2 linux/amd64 tools/amd64 uamd64 [amd64] linux/amd64"},
		{"linux/arm/v7", "armv7-2 ${TARGETARCH} 2 linux/arm/v7 tools/arm uarm [arm] linux/arm/v7"},
	} {
		made, err := s.For(platforms.MustParse(tc.platform))
		if err != nil {
			t.Fatal(err)
		}
		web := made.Of("web")
		got := fmt.Sprint(made.Image.Labels["arch"], " ", made.Image.Labels["literal"], " ", made.Image.Labels["same"], " ",
			made.Image.Env["P"],
			" ", made.Files[0].From[0], " ", web.Image.User, " ", web.Image.Entrypoint, " ", web.Image.Env["P"])
		if got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.platform, got, tc.want)
		}
		if made.Range("image.env.P") != s.Range("image.env.P") || !made.PerPlatform("image.env") || !made.Uses("TARGETARCH") {
			t.Errorf("%s: it is not the same file", tc.platform)
		}
	}
	if strings.Contains(fmt.Sprint(s.Image, s.Files), "amd64") {
		t.Error("the spec has changed")
	}
}

// An app stays the same app.
func TestForApp(t *testing.T) {
	s, err := Parse([]byte(perPlatform), nil)
	if err != nil {
		t.Fatal(err)
	}
	web := s.Of("web")
	made, err := web.For(platforms.MustParse("linux/arm64"))
	if err != nil {
		t.Fatal(err)
	}
	if web.Image.User != "u${TARGETARCH}" || made.Image.User != "uarm64" || s.Image.User != "" ||
		made.Image.Labels["arch"] != "arm64-1.0" {
		t.Errorf("got %q, %q and %q", web.Image.User, made.Image.User, s.Image.User)
	}
	if s.Of("") != s {
		t.Error("no app is another spec")
	}
}

// A spec without such arguments is the same for all platforms. A value from the user applies to all platforms, and a
// default wins as in a Dockerfile.
func TestForAll(t *testing.T) {
	arm := platforms.MustParse("linux/arm64")
	for _, tc := range []struct {
		name, in string
		given    map[string]string
		want     string
	}{
		{"none", "image: {user: a}", nil, "a"},
		{"declared, not used", "args: {TARGETARCH: }\nimage: {user: a}", nil, "a"},
		{"given", "args: {TARGETARCH: }\nimage: {user: '${TARGETARCH}'}", map[string]string{"TARGETARCH": "mine"}, "mine"},
		{"given as nothing", "args: {TARGETARCH: }\nimage: {user: 'a${TARGETARCH}'}", map[string]string{"TARGETARCH": ""},
			"a"},
		{"with a default", "args: {TARGETARCH: all}\nimage: {user: '${TARGETARCH}'}", nil, "all"},
		{"given, elsewhere", "args: {TARGETARCH: }\nproject: '${TARGETARCH}'\nimage: {user: a}",
			map[string]string{"TARGETARCH": "mine"}, "a"},
		{"build platform",
			"args: {BUILDPLATFORM: , BUILDOS: , BUILDARCH: , BUILDVARIANT: }\n" +
				"image: {user: '${BUILDOS}.${BUILDARCH}.${BUILDVARIANT}'}", nil, "linux.arm.v7"},
		{"build platform, given", "args: {BUILDARCH: }\nimage: {user: '${BUILDARCH}'}",
			map[string]string{"BUILDARCH": "mine"}, "mine"},
		{"build platform with a default", "args: {BUILDARCH: all}\nimage: {user: '${BUILDARCH}'}", nil, "all"},
		{"an argument's value is no argument", "args: {A: '$${TARGETARCH}', TARGETARCH: }\nimage: {user: '${A}'}", nil,
			"${TARGETARCH}"},
	} {
		s, err := ParseOn([]byte(tc.in), tc.given, platforms.MustParse("linux/arm/v7"))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if made, err := s.For(arm); err != nil || made != s {
			t.Errorf("%s: another spec, %v", tc.name, err)
		}
		if s.Image.User != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, s.Image.User, tc.want)
		}
	}
	if s, err := (&Spec{}).For(arm); err != nil || s.Image.User != "" {
		t.Errorf("no spec: %v, %v", s, err)
	}
}

// A key whose value must be the same for all platforms cannot use arguments of the platform.
func TestNotPerPlatform(t *testing.T) {
	for _, in := range []string{
		"project: '_'", "framework: '_'", "publish: {configuration: '_'}", "publish: {properties: {A: '_'}}",
		"publish: {mode: '_'}", "publish: {mode: ['_']}",
		"publish: {inputs: ['_']}", "publish: {secrets: {A: '_'}}", "publish: {ssh: ['_']}", "sdk: {version: '_'}",
		"sdk: {image: '_'}", "base: {image: '_'}",
		"base: {family: '_'}", "nuget: {audit: '_'}", "nuget: {feeds: [{name: '_', source: 'https://a'}]}",
		"nuget: {ca: '_'}", "tests: ['_']",
		"image: {vcs: '_'}", "image: {annotate-index: '_'}", "image: {stop-signal: '_'}", "files: [{to: /a, mode: '_'}]",
		"files: [{to: /a, owner: '_'}]",
		"apps: {web: {project: '_'}}",
	} {
		in = strings.ReplaceAll(in, "_", "a${TARGETARCH}")
		_, err := Parse([]byte("args: {TARGETARCH: }\n"+in), nil)
		const want = " cannot have ${TARGETARCH}, because this key is the same for all platforms: only these keys " +
			"can have it: image.entrypoint, image.args, image.user, " +
			"image.workdir, image.env, image.ports, image.labels, image.annotations, image.volumes, image.healthcheck, " +
			"files.context, files.image, files.from, files.exclude, files.checksum, files.to, files.link, files.remove, " +
			"files.change"
		if err == nil || !strings.HasPrefix(err.Error(), "line 2: ") || !strings.HasSuffix(err.Error(),
			want) || len(AsErrors(err)) != 1 {
			t.Errorf("%s: got %v", in, err)
		}
	}
	for _, k := range keys() {
		if section := strings.SplitN(k.path, ".", 2)[0]; k.platform && section != "image" && section != "files[]" {
			t.Errorf("%s may differ between platforms", k.path)
		}
	}
}

// A value that is wrong for one platform is an error for that platform, at its line.
func TestWrongForOne(t *testing.T) {
	s, err := Parse([]byte("args: {TARGETVARIANT: , TARGETARCH: }\nimage:\n  ports:\n    - 80${TARGETVARIANT}\n"+
		"  healthcheck: {test: ['${TARGETARCH}'], retries: '${TARGETARCH}'}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.For(platforms.MustParse("linux/arm/v7"))
	var got []string
	for _, e := range AsErrors(err) {
		got = append(got, e.Error())
	}
	want := []string{
		`line 4: image.ports.0 "80v7" must be ` + rules["port"].is + ", for linux/arm/v7",
		`line 5: "image.healthcheck.retries" must be a whole number from 0 to 2147483647, not "arm", for linux/arm/v7`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Several platforms are read in parallel.
func TestForAtOnce(t *testing.T) {
	s, err := Parse([]byte(perPlatform), nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			made, err := s.For(ocispecs.Platform{OS: "linux", Architecture: fmt.Sprint("cpu", i)})
			if err != nil || made.Files[0].From[0] != fmt.Sprint("tools/cpu", i) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// Which parts of a text are arguments, and which are not.
func TestExpand(t *testing.T) {
	for in, want := range map[string]string{
		"${A}": "a", "x${A}y${A}z": "xayaz", "$${A}": "${A}", "$$${A}": "$${A}", "${A": "${A", "$A {A} $(A)": "$A {A} $(A)",
		"${A}}":    "a}",
		"${A}${B}": "a${A}", "$": "$", "${": "${", "}${A}": "}a", "$${A}${A}": "${A}a",
	} {
		s, err := Parse([]byte("args: {A: a, B: '$${A}'}\nimage: {labels: {l: '"+in+"'}}"), nil)
		if err != nil || s.Image.Labels["l"] != want {
			t.Errorf("%s: got %q, %v, want %q", in, s.Image.Labels["l"], err, want)
		}
	}
	_, err := Parse([]byte("args: {A: a}\nproject: '${}${ A}'"), nil)
	if want := `line 2: build argument "" is not declared`; err == nil || !strings.HasPrefix(err.Error(), want) ||
		len(AsErrors(err)) != 2 {
		t.Errorf("got %v, want %s", err, want)
	}
}
