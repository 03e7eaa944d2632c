package e2e

import (
	"crypto/ed25519"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"
	"golang.org/x/crypto/ssh"

	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
)

// Every flag that buildx offers is in the table of what becomes of it.
func TestFlagsOfBuildx(t *testing.T) {
	t.Parallel()
	help := command(t, ".", "docker", "buildx", "build", "--help")
	known := map[string]bool{}
	for _, o := range request.Options {
		known[o.Name] = true
	}
	flags := regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+) `).FindAllStringSubmatch(help, -1)
	if len(flags) < 30 {
		t.Fatalf("%d flags in\n%s", len(flags), help)
	}
	for _, m := range flags {
		if !known[m[1]] {
			t.Errorf("%s is not in request.Options", m[1])
		}
		delete(known, m[1])
	}
	for name := range known {
		if strings.HasPrefix(name, "--") {
			t.Errorf("buildx has no %s", name)
		}
	}
}

// probe writes an app whose build tells what it finds in its container.
func probe(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	project(t, dir, "probe.csproj", "<Version>$(PROBED_VERSION)</Version>")
	edit(t, dir, "probe.csproj", "</Project>", `  <Target Name="Probe" BeforeTargets="BeforeBuild">
    <Exec StandardOutputImportance="high" Command="sed 's/^/host: /' /etc/hosts; echo files: $(ulimit -n); `+
		`echo hostname: $(hostname); echo shm: $(df -k /dev/shm | tail -1); echo proxy: $HTTP_PROXY $no_proxy; `+
		`echo memory: $(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null); `+
		`cat /proc/self/cgroup; echo version: $(Version); echo key: $API_KEY; echo agent: $SSH_AUTH_SOCK; `+
		`echo interfaces: $(grep -c : /proc/net/dev)" IgnoreExitCode="true" />
  </Target>
</Project>`)
	edit(t, dir, "probe.csproj", "$(ulimit", "%24(ulimit") // $( is a property of MSBuild
	for _, word := range []string{"$(hostname", "$(df", "$(cat", "$(grep"} {
		edit(t, dir, "probe.csproj", word, "%24"+word[1:])
	}
	return dir
}

// What buildx says of the containers of a build holds for the steps that execute something.
func TestFlagsOfSteps(t *testing.T) {
	t.Parallel()
	dir := probe(t)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
	log := build(t, dir, "-f", "crosshull.yaml",
		"--add-host", "elsewhere.example:10.1.2.3",
		"--ulimit", "nofile=1000:2000",
		"--shm-size", "96m",
		"--resource", "memory=3g",
		"--network", "none",
		"--build-arg", "BUILDKIT_SANDBOX_HOSTNAME=probed",
		"--build-arg", "HTTP_PROXY=http://proxy.invalid:1", "--build-arg", "no_proxy=127.0.0.1,localhost",
		".")
	const kib = "98304" // 96m, as df has it
	wantContains(t, "log", log, "host: 10.1.2.3\telsewhere.example", "files: 2000", kib,
		"proxy: http://proxy.invalid:1 127.0.0.1,localhost", "hostname: probed", "memory: 3221225472", "interfaces: 1")
	// Proxies are in no key of the cache.
	log = build(t, dir, "-f", "crosshull.yaml", "--add-host", "elsewhere.example:10.1.2.3", "--ulimit", "nofile=1000:2000",
		"--shm-size", "96m", "--resource", "memory=3g",
		"--network", "none", "--build-arg", "BUILDKIT_SANDBOX_HOSTNAME=probed",
		"--build-arg", "HTTP_PROXY=http://other.invalid:1", "--build-arg", "no_proxy=127.0.0.1,localhost", ".")
	if ran(log, `\[publish\] dotnet publish`) {
		t.Errorf("another proxy compiles again:\n%s", log)
	}
}

// Every exec of a build has what the flags say: in process, where all of them can be seen.
func TestFlagsOfEveryExec(t *testing.T) {
	t.Parallel()
	dir := example(t, "complexapp")
	rec := mustSolve(t, dir,
		attr("add-hosts", "elsewhere=10.1.2.3"), attr("ulimit", "nofile=1000:2000"), attr("shm-size", "100663296"),
		attr("cgroup-parent", "crosshull-test"), attr("hostname", "probed"), attr("build-arg:HTTPS_PROXY", ""),
		attr("build-arg:all_proxy", ""), attr("build-arg:FTP_PROXY", "http://x.invalid"))
	if len(rec.execs) < 3 {
		t.Fatalf("%d execs", len(rec.execs))
	}
	for _, op := range rec.execs {
		exec := op.GetExec()
		meta := exec.Meta
		shm := ""
		for _, m := range exec.Mounts {
			if m.Dest == "/dev/shm" {
				shm = m.TmpfsOpt.String()
			}
		}
		if len(meta.ExtraHosts) != 1 || len(meta.Ulimit) != 1 || meta.CgroupParent != "crosshull-test" ||
			meta.Hostname != "probed" || meta.ProxyEnv.GetFtpProxy() == "" ||
			!strings.Contains(shm, "100663296") {
			t.Errorf("%s: %v, /dev/shm %s", meta.Args[:3], meta, shm)
		}
	}
}

// With --pull, BuildKit asks for every image anew.
func TestPull(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	for mode, want := range map[string]string{"": "", "pull": "pull"} {
		rec := mustSolve(t, dir, attr("image-resolve-mode", mode), platform("linux/amd64,linux/arm64"))
		images := 0
		for _, s := range rec.sources {
			if !strings.HasPrefix(s.Identifier, "docker-image://") {
				continue
			}
			images++
			if got := s.Attrs[pb.AttrImageResolveMode]; got != want {
				t.Errorf("image-resolve-mode %q: %s has %q, want %q", mode, s.Identifier, got, want)
			}
		}
		if images != 3 { // the SDK, and the base of two platforms
			t.Errorf("%d images, want 3", images)
		}
	}
}

// sshKey makes a key and its file, which buildx's --ssh makes an agent of.
func sshKey(t *testing.T) (file string, key ed25519.PrivateKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, key
}

// Build arguments are those that the spec declares, where it says so; secrets and agents are for the steps that it
// names.
func TestArgsSecretsAgents(t *testing.T) {
	t.Parallel()
	dir, repo := probe(t), repository(t)
	write(t, dir, "crosshull.yaml", `# syntax=ghcr.io/crosshull/crosshull:1
args:
  VERSION: 1.2.3
  TEAM:
publish:
  properties: {PROBED_VERSION: "${VERSION}"}
  inputs: [probe.csproj]
  secrets: {API_KEY: key}
  ssh: [default]
image:
  labels: {team: "${TEAM}"}
`)
	key, _ := sshKey(t)
	setenv(t, "THE_KEY", "not to be seen")
	args := []string{"-f", "crosshull.yaml", "--secret", "id=key,env=THE_KEY", "--ssh", "default=" + key}
	log := build(t, dir,
		append(args, "--build-arg", "VERSION=4.5.6", "--build-arg", "TEAM=shop", "-t", repo, "--push", ".")...)
	wantContains(t, "log", log, "version: 4.5.6", "key: not to be seen", "agent: /run/buildkit/ssh_agent")
	if got := inspect(t, repo, "amd64").Labels["team"]; got != "shop" {
		t.Errorf("label team is %q", got)
	}
	log = build(t, dir, append(args, ".")...)
	wantContains(t, "log without arguments", log, "version: 1.2.3")
	log = build(t, dir, append(args, "--build-arg", "OTHER=1", ".")...)
	wantContains(t, "log", log, "1 warning found")
}

// --no-cache-filter runs a phase again, and nothing before it.
func TestNoCacheFilter(t *testing.T) {
	t.Parallel()
	dir := example(t, "complexapp")
	edit(t, dir, "crosshull.yaml", "tests: [tests/libbar.tests]", "tests: {projects: [tests/libbar.tests], gate: true}")
	args := []string{"-f", "crosshull.yaml"}
	build(t, dir, append(args, ".")...)
	steps := []string{"describe", "restore", "publish", "test"}
	for i, phase := range steps {
		log := build(t, dir, append(args, "--no-cache-filter", phase, ".")...)
		for j, step := range steps {
			again := ran(log, `\[`+step+`\] dotnet`)
			if i == j && !again || j < i && again {
				t.Errorf("--no-cache-filter %s: %s ran: %v\n%s", phase, step, again, log)
			}
		}
	}
}

// What buildx writes beside the image: labels, annotations, digests, and the report of the build.
func TestMetadata(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "dotnetapp"), repository(t)
	edit(t, dir, "crosshull.yaml", "image:", "image:\n  annotate-index: true\n  annotations: {team: shop}")
	metadata, iid := filepath.Join(t.TempDir(), "metadata.json"), filepath.Join(t.TempDir(), "iid")
	log := build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "-t", repo, "--push",
		"--label", "team=shop", "--annotation", "index:cost=1", "--annotation", "manifest:cost=2",
		"--metadata-file", metadata, "--iidfile", iid, ".")
	idx, images := index(t, repo)
	base := "org.opencontainers.image.base."
	if idx.Annotations["cost"] != "1" || idx.Annotations["team"] != "shop" ||
		idx.Annotations[base+"name"] != "mcr.microsoft.com/dotnet/runtime:10.0" ||
		!strings.HasPrefix(idx.Annotations[base+"digest"], "sha256:") {
		t.Errorf("annotations of the index: %v", idx.Annotations)
	}
	for p, img := range images {
		if img.Annotations["cost"] != "2" || img.Annotations["team"] != "shop" ||
			img.Config.Config.Labels["team"] != "shop" || img.Annotations[base+"digest"] == idx.Annotations[base+"digest"] {
			t.Errorf("%s: labels %v, annotations %v", p, img.Config.Config.Labels, img.Annotations)
		}
	}
	dt, err := os.ReadFile(metadata)
	if err != nil {
		t.Fatal(err)
	}
	var meta struct {
		Digest string       `json:"containerimage.digest"`
		Report report.Build `json:"frontend.crosshull.report"`
	}
	if err := json.Unmarshal(dt, &meta); err != nil {
		t.Fatalf("%v\n%s", err, dt)
	}
	app := meta.Report.Apps[0]
	if meta.Report.Version != report.Version || app.Project != "dotnetapp.csproj" || len(app.Images) != 2 ||
		app.SDK.Digest == "" || app.Images[0].Base.Digest != idx.Annotations[base+"digest"] {
		t.Errorf("report: %+v", meta.Report)
	}
	for _, want := range []report.Ran{{Name: "describe"}, {Name: "restore"}, {Name: "publish"}} {
		if !slices.Contains(meta.Report.Steps, want) {
			t.Errorf("step %+v is not in the report: %+v", want, meta.Report.Steps)
		}
	}
	if last := app.Images[0].Layers[len(app.Images[0].Layers)-1]; last.Name != "app" || !last.Shared || last.Bytes < 1000 {
		t.Errorf("last layer: %+v", last)
	}
	digest, err := os.ReadFile(iid)
	if err != nil || string(digest) != meta.Digest {
		t.Errorf("iidfile has %s, the metadata %s: %v", digest, meta.Digest, err)
	}
	wantContains(t, "summary", log, " [summary] dotnetapp.csproj, portable, net10.0 for linux/amd64, linux/arm64\n",
		" [summary] ran     describe, restore, publish\n", "the same for all")
	ended := regexp.MustCompile(
		`\[summary\] ended   describe after \d+\.\d s, restore after \d+\.\d s, publish after \d+\.\d s\n`)
	if !ended.MatchString(log) {
		t.Errorf("the summary does not say when the steps ended:\n%s", log)
	}

	log = build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "-t", repo, "--push", ".")
	wantContains(t, "summary of an unchanged build", log, " [summary] ran     nothing; reused: describe, publish\n")
	if strings.Contains(log, "[summary] ended") {
		t.Errorf("steps of an unchanged build ended:\n%s", log)
	}
	log = build(t, dir, "-f", "crosshull.yaml", "--build-arg", "CROSSHULL_SUMMARY=false", "-t", repo, "--push", ".")
	if strings.Contains(log, "[summary]") {
		t.Errorf("CROSSHULL_SUMMARY=false prints\n%s", log)
	}
}

// The commit is told where the spec or the project want it, without .git in the context and without the secrets of its
// URL.
func TestVCS(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	runGit(t, dir, "init", "--quiet", "--initial-branch=main")
	runGit(t, dir, "add", "--all")
	runGit(t, dir, "commit", "--quiet", "--message=sources")
	runGit(t, dir, "remote", "add", "origin", "https://user:token@git.example.com/shop/app.git")
	revision := strings.TrimSpace(runGit(t, dir, "rev-parse", "HEAD"))
	setenv(t, "GIT_CONFIG_COUNT", "1") // for the git that buildx runs: the folder has another owner here than there
	setenv(t, "GIT_CONFIG_KEY_0", "safe.directory")
	setenv(t, "GIT_CONFIG_VALUE_0", "*")
	for _, tc := range []struct {
		name, spec, property string
		want                 bool
	}{
		{"nobody asks", "", "", false},
		{"the spec", "\nimage: {vcs: true}\n", "", true},
		{"the project", "", "<PublishRepositoryUrl>true</PublishRepositoryUrl>", true},
		{"the project, and not the spec", "\nimage: {vcs: false}\n", "<PublishRepositoryUrl>true</PublishRepositoryUrl>",
			false},
	} {
		repo := repository(t)
		write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1"+tc.spec+"\n")
		if tc.property != "" {
			write(t, dir, "Directory.Build.props", "<Project><PropertyGroup>"+tc.property+"</PropertyGroup></Project>\n")
		}
		build(t, dir, "-f", "crosshull.yaml", "-t", repo, "--push", ".")
		labels := inspect(t, repo, "amd64").Labels
		source, commit := labels["org.opencontainers.image.source"], labels["org.opencontainers.image.revision"]
		if tc.want && (source != "https://git.example.com/shop/app" || !strings.HasPrefix(commit, revision)) || !tc.want &&
			source+commit != "" {
			t.Errorf("%s: source %q, revision %q, want them: %v", tc.name, source, commit, tc.want)
		}
	}
}
