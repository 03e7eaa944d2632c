package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/crosshull/crosshull/hack/lab"
)

// host runs the SDK on the machine itself, as a fresh machine of a CI service would that has the SDK: no packages, no
// compiler server left over.
type host struct {
	sdk  string // folder
	dir  string // for what the SDK keeps between runs
	feed string // NuGet source, or "" for the usual one
	base string // registry and path of Microsoft's images, with a slash at the end
	push string // registry to push to, plain HTTP
}

func newHost(l *lab.Lab, dir, push string) (*host, error) {
	t := l.Toolchain()
	if t.Dir == "" {
		return nil, errors.New(
			"no .NET SDK on this machine: set CROSSHULL_DOTNET, or leave the contenders sdk and floor out with -against",
		)
	}
	h := &host{sdk: filepath.Join(t.Dir, "sdk"), dir: dir, base: dotnetImages, push: push}
	if l.LocalImages() {
		h.feed, h.base = l.FeedURL(), push+"/dotnet/"
	}
	return h, os.MkdirAll(filepath.Join(dir, "tmp"), 0o755)
}

// prepare gives a copy of a project in dir the feed, in the folder above it: nothing in it is to be other than what a
// container gets. No packages are left from runs before.
func (h *host) prepare(dir string) error {
	if err := os.RemoveAll(h.packages()); err != nil || h.feed == "" {
		return err
	}
	return writeFile(filepath.Dir(dir), "nuget.config", `<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <packageSources>
    <clear />
    <add key="lab" value="`+h.feed+`" protocolVersion="3" allowInsecureConnections="true" />
  </packageSources>
</configuration>
`)
}

func (h *host) packages() string { return filepath.Join(h.dir, "packages") }

// floor restores and publishes, without a word about platforms, to a folder.
func (h *host) floor(ctx context.Context, r recipe, dir, out string) error {
	if err := h.dotnet(ctx, dir, append([]string{"restore", r.project.file}, noAppHost...)...); err != nil {
		return err
	}
	return h.dotnet(ctx, dir, append([]string{"publish", r.project.file, "--no-restore", "-o", out}, noAppHost...)...)
}

// publishContainer makes the SDK push an index to a repository, as latest.
func (h *host) publishContainer(ctx context.Context, r recipe, dir, repository string) error {
	return h.dotnet(ctx, dir, "publish", r.project.file, "-t:PublishContainer",
		"-p:RuntimeIdentifiers="+runtimeIdentifiers(r.platforms),
		"-p:ContainerBaseImage="+h.base+r.baseRepository()+":"+dotnetTag,
		"-p:ContainerRegistry="+h.push, "-p:ContainerRepository="+repository, "-p:ContainerImageTag=latest")
}

// runtimeIdentifiers is a list as a property takes it: in quotes that MSBuild sees, else ; would end it.
func runtimeIdentifiers(p platforms) string {
	rids := map[string]string{"linux/amd64": "linux-x64", "linux/arm64": "linux-arm64", "linux/arm/v7": "linux-arm"}
	var out []string
	for _, platform := range p.list() {
		out = append(out, rids[platform])
	}
	return `"` + strings.Join(out, ";") + `"`
}

// stopServers ends what the SDK leaves running, for the next run to start without: all processes that have our salt.
// `dotnet build-server shutdown` leaves some of them on a busy machine.
func (h *host) stopServers() error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		pids, err := withEnv(h.salt())
		if err != nil || len(pids) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v do not end", pids)
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end process %d: %w", pid, err)
			}
		}
	}
}

// withEnv lists the processes that have a KEY=VALUE in their environment.
func withEnv(kv string) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, file := range files {
		dt, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(dt), "\x00"), kv) {
			continue // it has ended, or is another's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

func (h *host) salt() string { return "MSBUILDNODEHANDSHAKESALT=" + h.dir }

func (h *host) dotnet(ctx context.Context, dir string, args ...string) error {
	cmd := command(ctx, dir, filepath.Join(h.sdk, "dotnet"), args...)
	cmd.Env = append(os.Environ(), h.env()...)
	return output(cmd)
}

// env keeps the SDK from everything that others have on this machine. It finds servers by a socket in TMPDIR or by the
// salt, so that it uses none but those of the same run.
func (h *host) env() []string {
	return []string{
		"PATH=" + h.sdk + string(os.PathListSeparator) + os.Getenv("PATH"),
		"DOTNET_ROOT=" + h.sdk,
		"DOTNET_CLI_HOME=" + h.dir,
		"DOTNET_CLI_TELEMETRY_OPTOUT=1",
		"DOTNET_NOLOGO=1",
		"DOTNET_GENERATE_ASPNET_CERTIFICATE=false",
		"DOTNET_CONTAINER_INSECURE_REGISTRIES=" + h.push,
		h.salt(),
		"NUGET_CERT_REVOCATION_MODE=offline", // as in the lab's image of the SDK
		"NUGET_HTTP_CACHE_PATH=" + filepath.Join(h.packages(), ".http"),
		"NUGET_PACKAGES=" + h.packages(),
		"TMPDIR=" + filepath.Join(h.dir, "tmp"),
	}
}

// command is a program that an end of ctx interrupts, so that it can clean up, and ends ten seconds later.
func command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// output runs a command whose output matters only if it fails.
func output(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
