package dockerfile

import (
	"strings"
	"testing"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// What differs between platforms is right for each platform.
func TestPlatforms(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(p *plan.Plan)
		has    string
	}{
		{"nothing", func(*plan.Plan) {}, "\nFROM base:1 AS image\n"},
		{"the base", func(p *plan.Plan) {
			p.Targets[1].Base.Image = &gateway.Image{Name: "base:2", Config: p.Targets[1].Base.Config}
		},
			"\nFROM base:2 AS image-arm64\n"},
		{"the user", func(p *plan.Plan) { p.Targets[1].Config.Image.Config.User = "7" }, "\nUSER 7\n"},
		{"a label of the project", func(p *plan.Plan) {
			labels := map[string]string{"a": "arm"}
			p.Targets[1].Config.Image.Config.Labels = labels
			p.Targets[1].Config.Origins["labels.a"] = 1
		}, "\nLABEL a=\"arm\"\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newHand().plan(t)
			tc.change(p)
			dt, err := Write([]*plan.Plan{p}, "crosshull.yaml")
			if err != nil {
				t.Fatal(err)
			}
			stages, _, err := read(string(dt), known{})
			if err != nil {
				t.Fatal(err)
			}
			last := stages[len(stages)-1]
			chooses := last.BaseName == "image-${TARGETARCH}${TARGETVARIANT}"
			if last.Name != "image" || chooses != (tc.name != "nothing") || !strings.Contains(string(dt), tc.has) {
				t.Errorf("it ends with %s from %s\n%s", last.Name, last.BaseName, dt)
			}
		})
	}
}

// Stages have unique names, whatever the names of apps and contexts are. The stage of an app's image has the app's
// name.
func TestStages(t *testing.T) {
	var all []*plan.Plan
	for _, name := range []string{"web", "build-web", "web-amd64", "3d", "_x", "scratch"} {
		h := newHand()
		h.target.App = name
		h.spec.Image.Entrypoint = []string{"x"}
		h.spec.Files = []spec.File{
			{Context: "folders-web", From: spec.Paths{"f"}, To: "/t"}, {Context: "0", To: "/zero"}, {To: "/empty"},
		}
		p := h.plan(t)
		p.Targets[1].Config.Image.Config.User = "7" // a stage for each platform
		all = append(all, p)
	}
	dt, err := Write(all, "crosshull.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stages, _, err := read(string(dt), known{})
	if err != nil {
		t.Fatalf("%v\n%s", err, dt)
	}
	names := map[string]bool{}
	for _, s := range stages {
		if names[s.Name] || s.Name == "scratch" || s.Name == "folders-web" {
			t.Errorf("stage %s is there already", s.Name)
		}
		names[s.Name] = true
	}
	for _, want := range strings.Fields("web build-web web-amd64 app-3d app-_x scratch-2 build-web-2 web-for-amd64") {
		if !names[want] {
			t.Errorf("no stage %s in %v", want, names)
		}
	}
}

// A reference that no registry can contain is refused.
func TestReferences(t *testing.T) {
	for _, ref := range []string{"", "a b", "a\nRUN x", "--platform=x", "$X", "a AS b", `"a"`, "a@b\\"} {
		for _, set := range []func(p *plan.Plan){
			func(p *plan.Plan) { p.SDK.Image = &gateway.Image{Name: ref} },
			func(p *plan.Plan) { p.Toolchain = &gateway.Image{Name: ref} },
			func(p *plan.Plan) { p.Targets[1].Base.Image = &gateway.Image{Name: ref} },
		} {
			p := newHand().plan(t)
			set(p)
			if dt, err := Write([]*plan.Plan{p}, "crosshull.yaml"); err == nil {
				t.Errorf("%q stands in\n%s", ref, dt)
			}
		}
	}
}

// images are plans with the lines expected for their image.
var images = []struct {
	name string
	set  func(h *hand)
	has  []string
	not  string
}{
	{"no command, of a base that has one", func(h *hand) {
		h.base.Entrypoint, h.base.Cmd = []string{"dotnet"}, []string{"x"}
		h.app.Command = dotnet.Command{Instruction: "DefaultArgs", DefaultArgs: []string{"y"}}
	}, []string{"ENTRYPOINT []", `CMD ["y"]`}, ""},
	{"nothing to run", func(h *hand) {
		h.base.Cmd = []string{"x"}
		h.app.Command = dotnet.Command{Instruction: "DefaultArgs"}
	}, []string{"CMD []"}, "ENTRYPOINT"},
	{"the folder of the base", func(h *hand) { h.base.WorkingDir = "/app" },
		[]string{"COPY --link --from=build /app /app/"}, "WORKDIR /app"},
	{"a check by the shell", func(h *hand) {
		h.spec.Image.Healthcheck = &spec.Healthcheck{Test: []string{"CMD-SHELL", "a | b"}, Retries: 2, StartPeriod: "1m"}
	}, []string{"HEALTHCHECK --start-period=1m0s --retries=2 CMD a | b"}, ""},
	{"a check of several lines", func(h *hand) {
		h.spec.Image.Healthcheck = &spec.Healthcheck{Test: []string{"CMD-SHELL", "a\nb"}}
	}, []string{`HEALTHCHECK CMD ["/bin/sh", "-c", "a\nb"]`}, ""},
	{"a check that looks like a list", func(h *hand) {
		h.base.Shell = []string{"/bin/ash", "-ec"}
		h.spec.Image.Healthcheck = &spec.Healthcheck{Test: []string{"CMD-SHELL", `["a"]`}}
	}, []string{`HEALTHCHECK CMD ["/bin/ash", "-ec", "[\"a\"]"]`}, ""},
	{"a check that goes on", func(h *hand) {
		h.spec.Image.Healthcheck = &spec.Healthcheck{Test: []string{"CMD-SHELL", `a \`}}
	}, []string{`HEALTHCHECK CMD ["/bin/sh", "-c", "a \\"]`}, ""},
	{"a check with arguments", func(h *hand) {
		h.spec.Image.Healthcheck = &spec.Healthcheck{Test: []string{"CMD-SHELL", "echo $0", "x"}}
	}, []string{`HEALTHCHECK CMD ["/bin/sh", "-c", "echo $0", "x"]`}, ""},
	{"no check", func(h *hand) { h.spec.Image.Healthcheck = &spec.Healthcheck{Test: []string{"NONE"}} },
		[]string{"HEALTHCHECK NONE"}, ""},
	{"an owner by name", func(h *hand) { h.spec.Files = []spec.File{{From: spec.Paths{"a"}, To: "/b", Owner: "me"}} },
		[]string{"COPY --chown=me a /b"}, ""},
	{"an owner that no flag has", func(h *hand) {
		h.spec.Files = []spec.File{{From: spec.Paths{"a"}, To: "/b", Owner: "mé"}}
	}, []string{"# Left out: files.0.owner, which has a character that a flag cannot have."}, "COPY --link a"},
	{"a file that looks like an address", func(h *hand) {
		h.spec.Files = []spec.File{{From: spec.Paths{"git://x"}, To: "/b"}}
	}, []string{"COPY --link /git://x /b"}, ""},
	{"a file from an address", func(h *hand) {
		h.spec.Files = []spec.File{
			{From: spec.Paths{"http://x/y?a=b"}, To: "/b", Checksum: spec.Checksums{"": "sha256:1"}},
		}
	}, []string{"ADD --checksum=sha256:1 \\\n    --link --chmod=0644 http://x/y?a=b /b"}, ""},
	{"an archive from an address", func(h *hand) {
		h.spec.Files = []spec.File{{From: spec.Paths{"http://x/y"}, To: "/b", Unpack: true, Owner: "7"}}
	}, []string{"ADD --unpack=true --link --chown=7:7 http://x/y /b/"}, ""},
	{"an archive with a folder", func(h *hand) {
		h.spec.Files = []spec.File{{From: spec.Paths{"a.tar"}, To: "/b", Unpack: true, Strip: 1}}
	}, []string{
		"COPY a.tar /archives/0.tar",
		"RUN mkdir -p /archives/0 && tar -xf /archives/0.tar --strip-components=1 --no-same-owner -C /archives/0",
		"COPY --link --from=folders /archives/0 /b/",
	}, ""},
	{"a repository", func(h *hand) {
		h.spec.Files = []spec.File{{From: spec.Paths{"http://x/y.git#a:b"}, To: "/b"}}
	}, []string{"ADD --link \"http://x/y.git#a:b\" /b/"}, ""},
	{"several files", func(h *hand) {
		h.spec.Files = []spec.File{{From: spec.Paths{"a", "b/*.c"}, To: "/b/", Exclude: []string{"**/*.d"}}}
	}, []string{"COPY --link --exclude=**/*.d a b/*.c /b/"}, ""},
	{"files of an image", func(h *hand) {
		h.spec.Files = []spec.File{{Image: "x/y:1", From: spec.Paths{"/a", "/b*"}, To: "/b/"}, {Image: "x", To: "/c"}}
	}, []string{"COPY --link --from=x/y:1 /a /b* /b/", "COPY --link --from=x / /c"}, ""},
	{"a link", func(h *hand) { h.spec.Files = []spec.File{{Link: "/a b/c", To: "/d"}} },
		[]string{"RUN mkdir -p /links/0 && ln -s /d /links/0/c", `COPY --from=folders ["/links/0", "\"/a b/\""]`}, ""},
	{"remove of the app", func(h *hand) { h.spec.Files = []spec.File{{Remove: spec.Paths{"/app/*.p[d-f]b", "/app/a b"}}} },
		[]string{"FROM build AS app", "RUN rm -rf -- /app/*.p[d-f]b '/app/a b'", "COPY --link --from=app /app /app/"},
		"/usr"},
	{"remove of the base", func(h *hand) {
		h.base.User = "7"
		h.spec.Files = []spec.File{{Remove: spec.Paths{"/usr/a*"}}}
	}, []string{"USER 0", "RUN rm -rf -- /usr/a*", "USER 7"}, "AS app"},
	{"change of the app", func(h *hand) {
		h.spec.Files = []spec.File{{Change: spec.Paths{"/app/a/*.sh"}, Mode: "0755", Owner: "7"}}
	}, []string{"RUN chmod -R 0755 -- /app/a/*.sh",
		"COPY --chown=7:7 --chmod=0755 --parents --from=app /app/a/./*.sh /app/a/"}, ""},
	{"change of the base", func(h *hand) {
		h.spec.Files = []spec.File{{Change: spec.Paths{"/etc/x"}, Owner: "7"}}
	}, []string{"COPY --chown=7:7 --parents --from=base:1 /etc/./x /etc/"}, "RUN chown"},
	{"change of an entry before", func(h *hand) {
		h.spec.Files = []spec.File{
			{From: spec.Paths{"a"}, To: "/opt/"}, {Change: spec.Paths{"/opt/x"}, Owner: "7", Mode: "0700"},
		}
	}, []string{"RUN chown -R 7:7 -- /opt/x", "RUN chmod -R 0700 -- /opt/x"}, ""},
	{"the root", func(h *hand) { h.spec.Files = []spec.File{{To: "/"}} },
		[]string{"COPY --link --from=folders /folders/0 /"}, ""},
	{"ports of the base", func(h *hand) {
		h.base.ExposedPorts = map[string]struct{}{"1/tcp": {}}
		h.app.Ports = []string{"2/udp"}
	}, []string{"EXPOSE 2/udp"}, "EXPOSE 1"},
	{"labels of the base", func(h *hand) {
		h.base.Labels = map[string]string{"org.opencontainers.image.version": "1", "team": "x"}
	}, []string{"# The base has these, and a Dockerfile cannot drop them: label org.opencontainers.image.version."},
		"LABEL"},
	{"the digest of the base", func(h *hand) {
		h.spec.Image.Labels = map[string]string{"org.opencontainers.image.base.digest": "sha256:1"}
	}, []string{"# Left out: image.labels.org.opencontainers.image.base.digest, which differs for each platform."},
		"LABEL"},
	{"a label without a name", func(h *hand) { h.app.Labels = []dotnet.KeyValue{{Value: "x"}} },
		[]string{"# Left out: the label , whose name is empty."}, "LABEL"},
	{"a list that is not UTF-8", func(h *hand) { h.spec.Image.Args = []string{"\xff"} },
		[]string{"# Left out: image.args, which is not UTF-8."}, "CMD"},
	{"a list that is too long", func(h *hand) { h.spec.Image.Args = strings.Split(strings.Repeat("x,", 20_000), ",") },
		[]string{"# Left out: image.args, which is longer than a line can be."}, "CMD"},
	{"a line that is too long", func(h *hand) { h.spec.Image.User = strings.Repeat("$", maxLine-10) },
		[]string{"# Left out: image.user, which is longer than a line can be."}, "USER"},
	{"feeds that are too long", func(h *hand) {
		h.spec.NuGet.Feeds = []spec.Feed{{Name: "f", Source: strings.Repeat("x", maxLine+1)}}
	}, []string{"# Left out: nuget.feeds, which is longer than a line can be."}, "EOF"},
	{"several frameworks", func(h *hand) { h.app.CrossTargeting, h.app.TargetFramework = true, "net10.0" }, nil, "\xff"},
	{"tests with several frameworks", func(h *hand) {
		h.spec.Tests.Gate = true
		h.tests = []*dotnet.App{{Path: "tests/a.csproj", CrossTargeting: true, TargetFramework: "net10.0"}}
	}, []string{"RUN dotnet test tests/a.csproj --logger trx --results-directory /results --framework=net10.0"}, ""},
	{"linked", func(h *hand) { h.app.Mode = dotnet.Aot | dotnet.SelfContained | dotnet.Trimmed },
		[]string{"ARG BUILDARCH", "    amd64) rid=linux-x64;; \\", "    $cross && rm -f /app/*.dbg"}, ""},
}

// The lines of the image contain what the plan adds to the base.
func TestImage(t *testing.T) {
	for _, tc := range images {
		t.Run(tc.name, func(t *testing.T) {
			h := newHand()
			tc.set(h)
			text := h.write(t)
			shells{}.atoms(t, text)
			for _, want := range tc.has {
				if !strings.Contains(text, "\n"+want+"\n") {
					t.Errorf("no line %q in\n%s", want, text)
				}
			}
			if tc.not != "" && strings.Contains(text, tc.not) {
				t.Errorf("it has %q:\n%s", tc.not, text)
			}
		})
	}
}

// Names that cannot exist do not make a Dockerfile fail.
func TestNoFiles(t *testing.T) {
	h := newHand()
	h.app.Closure = []dotnet.Node{{Path: "a\nb.csproj"}}
	text := h.write(t)
	if !strings.Contains(text, `# Left out: the file a\nb.csproj, which has a line break, or another control character.`) {
		t.Error(text)
	}
	if _, err := Write(nil, "x"); err != nil {
		t.Error(err)
	}
}
