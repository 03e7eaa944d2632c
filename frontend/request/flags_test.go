package request_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
)

// Check refuses what cannot be built, before anybody is asked.
func TestCheck(t *testing.T) {
	const old = "this BuildKit is too old to %s: run docker buildx create for a newer one, or update Docker"
	tooOld := func(what string) want { return want{Says: strings.ReplaceAll(old, "%s", what)} }
	for _, tc := range []struct {
		name string
		spec []string
		opts map[string]string
		lack apicaps.CapID
		want want
	}{
		{name: "patterns", lack: pb.CapFileCopyIncludeExcludePatterns,
			want: tooOld("copy single files, which every build needs")},
		{name: "ulimit", lack: pb.CapExecMetaUlimit, opts: map[string]string{"ulimit": "nofile=1:2"},
			want: tooOld("obey --ulimit")},
		{name: "shm", lack: pb.CapExecMountTmpfsSize, opts: map[string]string{"shm-size": "1"},
			want: tooOld("obey --shm-size")},
		{name: "cgroup", lack: pb.CapExecMetaCgroupParent, opts: map[string]string{"cgroup-parent": "x"},
			want: tooOld("obey --cgroup-parent")},
		{name: "resource", lack: pb.CapExecMetaLinuxResources, opts: map[string]string{"memory": "1"},
			want: tooOld("obey --resource")},
		{name: "secrets", lack: pb.CapExecSecretEnv, spec: []string{"publish: {secrets: {A: a}}"},
			want: tooOld("give secrets to steps as variables")},
		{name: "a platform without a runtime", opts: map[string]string{"platform": "linux/amd64,linux/mips64le"}, want: want{
			Says: "crosshull cannot build for platform linux/mips64le: use linux/amd64, linux/arm64, linux/arm/v7",
		}},
		{name: "modes that exclude each other", spec: []string{"publish:", "  mode: [aot, single-file]"}, want: want{
			Says: "crosshull.yaml:3: publish.mode: aot and single-file cannot be combined: keep aot, which makes one " +
				"file already",
			At: []string{"crosshull.yaml:3"},
		}},
		{name: "rules that are none", spec: []string{"# check=skip"}, want: want{
			Says: `crosshull.yaml:2: # check: invalid check option "skip"`, At: []string{"crosshull.yaml:2"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := withSpec(tc.spec...)
			maps.Copy(c.Options, tc.opts)
			c.Lacks = []apicaps.CapID{tc.lack}
			_, err := plantest.Request(t.Context(), t, c)
			tc.want.Check(t, err)
		})
	}
}

// What is a secret as a file needs no BuildKit that can give variables.
func TestCheckOfFiles(t *testing.T) {
	c := withSpec("nuget: {config-secret: config, ca-secret: ca}", "publish: {ssh: [default]}")
	c.Lacks = []apicaps.CapID{pb.CapExecSecretEnv, pb.CapExecMetaUlimit, pb.CapExecMountTmpfsSize}
	if _, err := plantest.Request(t.Context(), t, c); err != nil {
		t.Error(err)
	}
}

func TestProject(t *testing.T) {
	c := shop()
	c.Set("target", "web")
	req, err := read(t, c).Choose()
	if err != nil {
		t.Fatal(err)
	}
	if p, err := req.Project(); err != nil || p.Path != "src/web" || p.Configuration != "Release" || p.Mode != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := req.ProjectOf("worker"); err != nil || p.Path != "src/worker" || p.Mode.String() != "aot" {
		t.Errorf("%+v, %v", p, err)
	}
	c = withSpec("apps:", "  web: {project: src/web}", "  worker: {project: w, publish: {mode: [aot, single-file]}}")
	c.Set("target", "web")
	if req, err = read(t, c).Choose(); err != nil {
		t.Fatal(err)
	}
	_, err = req.ProjectOf("worker")
	want{
		Says: "crosshull.yaml:4: publish.mode: aot and single-file cannot be combined: keep aot, which makes one " +
			"file already",
		At: []string{"crosshull.yaml:4"},
	}.Check(t, err)
}

// .NET has to run where steps do.
func TestOptionsFail(t *testing.T) {
	c := withSpec()
	c.Worker = "linux/mips64le"
	c.Set("platform", "linux/amd64")
	req, err := plantest.Request(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = req.Options()
	want{
		Says: "crosshull cannot build for platform linux/mips64le: use linux/amd64, linux/arm64, linux/arm/v7",
	}.Check(t, err)
}

// ran is the vertex of a step of a phase, by what the options say.
type ran struct {
	*pb.ExecOp
	metadata llb.OpMetadata
	// line is the one of the spec that it comes from.
	line int32
}

func step(t *testing.T, c *gatewaytest.Client, phase string) ran {
	t.Helper()
	req, err := plantest.Request(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	options, err := req.Options()
	if err != nil {
		t.Fatal(err)
	}
	if options.BuildRID != "linux-x64" {
		t.Errorf("it builds on %s", options.BuildRID)
	}
	opts := append([]llb.RunOption{llb.Args([]string{"x"})}, options.Exec(phase)...)
	def, err := req.Gateway.Marshal(t.Context(), llb.Image("sdk").Run(opts...).Root())
	if err != nil {
		t.Fatal(err)
	}
	head, err := def.Head()
	if err != nil {
		t.Fatal(err)
	}
	var op pb.Op
	if err := op.UnmarshalVT(def.Def[len(def.Def)-2]); err != nil {
		t.Fatal(err)
	}
	r := ran{ExecOp: op.GetExec(), metadata: def.Metadata[head]}
	for _, at := range def.Source.Locations[string(head)].GetLocations() {
		r.line = at.Ranges[0].Start.Line
	}
	return r
}

// Flags of buildx hold for every step that executes something.
func TestFlags(t *testing.T) {
	c := withSpec()
	for name, value := range map[string]string{
		"build-arg:HTTP_PROXY": "http://p", "build-arg:https_proxy": "https://p", "build-arg:FTP_PROXY": "ftp://p",
		"build-arg:no_proxy": "localhost", "build-arg:ALL_PROXY": "all://p", "build-arg:OTHER": "x",
		"add-hosts": "feed=10.0.0.1", "force-network-mode": "none", "hostname": "builder", "ulimit": "nofile=1:2",
		"shm-size": "64", "cgroup-parent": "slice", "memory": "1024", "cpuperiod": "7",
	} {
		c.Set(name, value)
	}
	for _, phase := range []string{"describe", "restore", "publish", "test", "image linux/amd64"} {
		r := step(t, c, phase)
		proxy := r.Meta.ProxyEnv
		for name, got := range map[string]string{
			"http://p": proxy.GetHttpProxy(), "https://p": proxy.GetHttpsProxy(), "ftp://p": proxy.GetFtpProxy(),
			"localhost": proxy.GetNoProxy(), "all://p": proxy.GetAllProxy(),
			"none": strings.ToLower(r.Network.String()), "builder": r.Meta.Hostname, "slice": r.Meta.CgroupParent,
		} {
			if got != name {
				t.Errorf("%s: %q, want %q", phase, got, name)
			}
		}
		if h := r.Meta.ExtraHosts; len(h) != 1 || h[0].Host != "feed" || h[0].IP != "10.0.0.1" {
			t.Errorf("%s: hosts %v", phase, h)
		}
		if u := r.Meta.Ulimit; len(u) != 1 || u[0].Name != "nofile" || u[0].Soft != 1 || u[0].Hard != 2 {
			t.Errorf("%s: ulimits %v", phase, u)
		}
		if res := r.metadata.LinuxResources; res.GetMemory() != 1024 || res.GetCpuPeriod() != 7 {
			t.Errorf("%s: resources %v", phase, res)
		}
		shm := func(m *pb.Mount) bool { return m.Dest == "/dev/shm" && m.GetTmpfsOpt().GetSize() == 64 }
		if !slices.ContainsFunc(r.Mounts, shm) {
			t.Errorf("%s: mounts %v", phase, r.Mounts)
		}
	}
	if r := step(t, withSpec(), "publish"); r.Meta.ProxyEnv != nil || len(r.Mounts) != 1 ||
		r.metadata.LinuxResources != nil {
		t.Errorf("without flags there is %v", r)
	}
}

// Each phase gets the secrets and agents that the spec has for it, and no others.
func TestSecretsOfPhases(t *testing.T) {
	c := withSpec(
		"publish: {secrets: {TOKEN: token, KEY: key}, ssh: [default, deploy]}",
		"tests: {projects: [t], secrets: {DB: db}}",
	)
	for phase, want := range map[string]string{
		"describe": "", "restore": "", "publish": "KEY=key TOKEN=token ssh:default ssh:deploy", "test": "DB=db", "image": "",
	} {
		r := step(t, c, phase)
		var got []string
		for _, s := range r.Secretenv {
			got = append(got, s.Name+"="+s.ID)
		}
		for _, m := range r.Mounts {
			if m.MountType == pb.MountType_SSH {
				got = append(got, "ssh:"+m.SSHOpt.ID)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s gets %q, want %q", phase, got, want)
		}
	}
}

// A step points at the key that it comes from, and at the project where the spec has no such key.
func TestLinesOfPhases(t *testing.T) {
	c := withSpec(
		"project: app",              // 2
		"nuget: {audit: true}",      // 3
		"publish: {mode: portable}", // 4
		"tests: [t]",                // 5
	)
	for phase, line := range map[string]int32{
		"describe": 2, "restore": 3, "publish": 4, "test": 5, "image": 2, "image files": 2,
	} {
		if r := step(t, c, phase); r.line != line {
			t.Errorf("%s points at line %d, want %d", phase, r.line, line)
		}
	}
	files := withSpec("files:", "- {from: a, to: /a}", "- from: https://example.com/b.git#main", "  to: /b")
	if r := step(t, files, "image files 1"); r.line != 4 {
		t.Errorf("the source of an entry of files points at line %d", r.line)
	}
	if r := step(t, withSpec("project: app"), "restore"); r.line != 2 {
		t.Errorf("restore points at line %d", r.line)
	}
	if r := step(t, &gatewaytest.Client{}, "restore"); r.line != 0 {
		t.Errorf("without a spec restore points at line %d", r.line)
	}
}

func TestNoCache(t *testing.T) {
	for _, tc := range []struct {
		name    string
		opts    map[string]string
		ignored []string // phases
	}{
		{name: "nothing said"},
		{"all", map[string]string{"no-cache": ""}, []string{"describe", "restore", "publish", "image linux/amd64"}},
		{"some", map[string]string{"no-cache": "restore,image"}, []string{"restore", "image linux/amd64"}},
		{"some, with spaces", map[string]string{"no-cache": " describe, Image ,"}, []string{"describe", "image linux/amd64"}},
		{"in capitals", map[string]string{"no-cache": "PUBLISH"}, []string{"publish"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := withSpec()
			maps.Copy(c.Options, tc.opts)
			for _, phase := range []string{"describe", "restore", "publish", "image linux/amd64"} {
				if got := step(t, c, phase).metadata.IgnoreCache; got != slices.Contains(tc.ignored, phase) {
					t.Errorf("%s runs again: %v", phase, got)
				}
			}
		})
	}
}
