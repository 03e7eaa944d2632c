package dockerfile

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// ofSpec is the plan of a spec. Its properties are those of the publish section.
func ofSpec(t *testing.T, args map[string]string, lines ...string) *hand {
	t.Helper()
	s, err := spec.Parse([]byte(strings.Join(lines, "\n")), args)
	if err != nil {
		t.Fatal(err)
	}
	h := newHand()
	h.spec = s
	maps.Copy(h.project.Properties, s.Publish.Properties)
	if s.Publish.Configuration != "" {
		h.project.Configuration = s.Publish.Configuration
	}
	return h
}

// published returns the properties that publish gets in a Dockerfile, with build arguments.
func published(t *testing.T, text string, args ...string) map[string]string {
	t.Helper()
	stages, _, err := read(text, known{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, c := range stages[0].Commands {
		run, ok := c.(*instructions.RunCommand)
		if !ok || !strings.Contains(run.CmdLine[0], "dotnet publish") {
			continue
		}
		words, err := sh(`dotnet() { tell "$@"; }`+"\n"+run.CmdLine[0], args...)
		if err != nil {
			t.Fatal(err)
		}
		properties := map[string]string{}
		for _, w := range words {
			if p, ok := strings.CutPrefix(w, "-p:"); ok {
				name, value, _ := strings.Cut(readProperty(p), "=")
				properties[name] = value
			}
		}
		return properties
	}
	t.Fatalf("nothing is published:\n%s", text)
	return nil
}

// Properties contain the build arguments that a build of the Dockerfile gets.
func TestArgsOfProperties(t *testing.T) {
	text := ofSpec(t, nil, "args: {VERSION: 1.0, PATH: /x, rid: y, CHANNEL: stable, CONFIG: Release}",
		"publish:", "  configuration: ${CONFIG}", "  properties:",
		"    Version: ${VERSION}", "    Mixed: 'of ${CHANNEL}; $5 `x` it''s ${VERSION}'", "    Of: ${PATH}${rid}").write(t)
	for _, value := range []string{"2.0", "a b", "a;b,c", "$X `id` '", `a\`} {
		got := published(t, text, "BUILD_ARG_VERSION="+value, "BUILD_ARG_CHANNEL=beta", "BUILD_ARG_PATH=/p",
			"BUILD_ARG_rid=r", "BUILD_ARG_CONFIG=Debug")
		for name, want := range map[string]string{
			"Version": value, "Mixed": "of beta; $5 `x` it's " + value, "Of": "/pr", "Configuration": "Debug",
		} {
			if got[name] != want {
				t.Errorf("with %q property %s is %q, want %q\n%s", value, name, got[name], want, text)
			}
		}
	}
	_, args, err := read(text, evil{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range args {
		names = append(names, a.Args[0].Key)
	}
	want := []string{
		"CHANNEL", "CONFIG", "PATH", "VERSION", "rid",
		"BUILD_ARG_CHANNEL", "BUILD_ARG_CONFIG", "BUILD_ARG_PATH", "BUILD_ARG_VERSION", "BUILD_ARG_rid",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the file declares %q, want %q", names, want)
	}
	for _, bad := range []string{"\nARG PATH\n", "\nARG rid\n", "\nARG VERSION\n"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q changes what commands do:\n%s", bad, text)
		}
	}
}

// decided are specs with arguments in odd places.
var decided = []struct {
	name  string
	spec  []string
	given map[string]string
	// has are lines that the Dockerfile must have. No line may contain lacks.
	has   []string
	lacks string
}{
	{"a default that a property would have to escape",
		[]string{`args: {A: 'x"y'}`, "publish: {properties: {P: '${A}'}}"}, nil,
		[]string{"# Written for the platforms and build arguments of one call: publish.properties.P."}, "ARG"},
	{"a default of several lines", []string{`args: {A: "x\ny"}`, "image: {env: {E: 'a${A}', F: f}}"}, nil,
		[]string{"# Left out: image.env.E, which has a line break, or another control character.", `ENV F="f"`}, "ARG"},
	{"a default in place of the platform", []string{"args: {TARGETARCH: mine}", "image: {env: {E: '${TARGETARCH}'}}"},
		nil,
		[]string{"# Written for the platforms and build arguments of one call: image.env.E.", `ENV E="mine"`}, "ARG"},
	{"a command", []string{"args: {A: x}", "image: {entrypoint: ['${A}'], args: ['${A}']}"}, map[string]string{"A": "y"},
		[]string{
			"# Written for the platforms and build arguments of one call: image.args.0, image.entrypoint.0.",
			`ENTRYPOINT ["y"]`, `CMD ["y"]`,
		}, "ARG"},
	{"a command that builds", []string{`args: {A: x, B: "y\nz", TARGETARCH: mine, RID: r}`,
		"publish: {before: ['echo $A $B $TARGETARCH'], after: ['echo $RID']}"}, nil,
		[]string{
			`ARG A="x"`, `ARG BUILD_ARG_A="${A}"`, `ARG BUILD_ARG_RID="${RID}"`, "ARG BUILD_ARG_A",
			"# The build argument B has the value of the call that wrote this.",
			"# The build argument TARGETARCH has the value of the call that wrote this.\n" + `RUN <<"EOF"`,
			`export A="${BUILD_ARG_A}"` + "\nexport B='y\nz'\nexport TARGETARCH=mine\necho $A $B $TARGETARCH",
			"export RID=$rid;\n" + `export RID="${BUILD_ARG_RID}"` + "\necho $RID",
		}, "\nARG A\n"},
	{"a port that is told from a variable", []string{"args: {PORT: 81}",
		"image: {env: {ASPNETCORE_HTTP_PORTS: '${PORT}'}}"}, nil,
		[]string{
			"# EXPOSE is for the value that ASPNETCORE_HTTP_PORTS has without build arguments.", "EXPOSE 81/tcp",
			`ENV ASPNETCORE_HTTP_PORTS="${PORT}"`, `ARG PORT="81"`,
		}, "Written for"},
	{"a description that is no directive", []string{
		"args: {check: {default: x, description: '=skip=all;error=true'}, B: {default: y, description: \"of\\nlines\"}}",
		"image: {env: {E: '${check}${B}'}}",
	}, nil, []string{`# B of\nlines`, `ARG check="x"`, `ARG B="y"`}, "skip=all"},
	{"a name that is taken", []string{"args: {A: x, BUILD_ARG_A: y}",
		"publish: {properties: {P: '${A}', Q: '${BUILD_ARG_A}'}}"}, nil,
		[]string{`ARG BUILD_ARG_A="y"`, `ARG BUILD_ARG_A_="${A}"`, `ARG BUILD_ARG_BUILD_ARG_A="${BUILD_ARG_A}"`},
		"Written for"},
	{"a context", []string{"args: {A: x, TARGETARCH: }",
		"files: [{context: 'c-${A}-${TARGETARCH}', from: f, to: /t}]"}, nil,
		[]string{`ARG A="x"`, "FROM c-${A}-${TARGETARCH} AS context", "COPY --link --from=context /f /t"}, "Written for"},
	{"all of the context", []string{"args: {A: .}", "files: [{from: '${A}', to: /a}, {from: ./, to: /b, mode: 0755},",
		"  {from: .git/HEAD, to: /c}, {context: c, from: ., to: /d}]"}, nil,
		[]string{`COPY --link --exclude=**/.git "${A}" /a`, "COPY --link --chmod=0755 --exclude=**/.git ./ /b",
			"COPY --link .git/HEAD /c", "COPY --link --from=c /. /d"}, "Written for"},
	{"a pattern in a path", []string{"args: {A: 'x*'}", "files: [{from: ['a/${A}', b], to: /b/}]"}, nil,
		[]string{`COPY --link "a/${A}" b /b/`}, "Written for"},
	{"a link", []string{"args: {A: x}", "files: [{link: /a, to: '/b/${A}'}]"}, nil,
		[]string{"ARG BUILD_ARG_A", `RUN mkdir -p /links/0 && ln -s "/b/${BUILD_ARG_A}" /links/0/a`}, "Written for"},
	{"a mode", []string{"args: {M: 0644}", "files: [{from: f, to: /t, mode: '${M}'}]"}, nil,
		[]string{"ARG M", "COPY --link --chmod=${M} f /t"}, "Written for"},
}

// A value that cannot be an argument stays as in the plan, and a comment says so.
func TestArgsThatAreDecided(t *testing.T) {
	for _, tc := range decided {
		t.Run(tc.name, func(t *testing.T) {
			text := ofSpec(t, tc.given, tc.spec...).write(t)
			if _, _, err := read(text, known{}); err != nil {
				t.Error(err)
			}
			for _, want := range tc.has {
				if !strings.Contains(text, "\n"+want+"\n") {
					t.Errorf("no line %q", want)
				}
			}
			if strings.Contains(text, tc.lacks) {
				t.Errorf("it has %s", tc.lacks)
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}

// Each of several apps has its own values. Values of the common part that an app replaces are not in the comment.
func TestArgsOfApps(t *testing.T) {
	h := ofSpec(t, nil, "args: {A: one, B: two}", "image: {args: ['${A}'], env: {E: '${A}'}}",
		"apps:", "  a: {image: {args: [fixed], env: {E: '${B}'}}}", "  b: {image: {args: ['x', '${B}']}}")
	var all []*plan.Plan
	for _, name := range []string{"a", "b"} {
		app := *h
		app.spec = h.spec.Of(name)
		app.target = request.Target{Kind: spec.TargetImage, App: name, Prefix: "apps." + name + "."}
		all = append(all, app.plan(t))
	}
	dt, err := Write(all, "crosshull.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# It takes the build arguments A, B.",
		"# Written for the platforms and build arguments of one call: apps.b.image.args.1.",
		"ARG B\n" + `ENV E="${B}"`, "ARG A\n" + `ENV E="${A}"`,
	} {
		if !strings.Contains(string(dt), "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, dt)
		}
	}
}

// A value that something else has set, such as a flag of buildx, no longer comes from the spec.
func TestArgsThatLose(t *testing.T) {
	p := ofSpec(t, nil, "args: {A: one}", "image: {labels: {a: '${A}'}}").plan(t)
	for _, target := range p.Targets {
		target.Config.Image.Config.Labels["a"] = "flag"
	}
	dt, err := Write([]*plan.Plan{p}, "crosshull.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(dt); !strings.Contains(text, "\nLABEL a=\"flag\"\n") || strings.Contains(text, "ARG A") {
		t.Error(text)
	}
}

// If the project makes a value from properties with arguments, the value cannot have the arguments.
func TestLabelsOfProperties(t *testing.T) {
	const says = "\n# Labels that the project makes of its properties are those of the call that wrote this.\n"
	h := ofSpec(t, nil, "args: {VERSION: 1.0}", "publish: {properties: {Version: '${VERSION}'}}")
	if text := h.write(t); strings.Contains(text, says) {
		t.Errorf("it makes no labels:\n%s", text)
	}
	h.app.Labels = []dotnet.KeyValue{{Key: "org.opencontainers.image.version", Value: "1.0"}}
	if text := h.write(t); !strings.Contains(text, says) {
		t.Error(text)
	}
}
