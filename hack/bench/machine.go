package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Machine is where the measuring was done.
type Machine struct {
	Cores                         int
	Kernel, BuildKit, Buildx, SDK string // versions
}

func (m Machine) String() string {
	return fmt.Sprintf(
		"%d cores, Linux %s, BuildKit %s, buildx %s, .NET SDK %s",
		m.Cores,
		m.Kernel,
		m.BuildKit,
		m.Buildx,
		m.SDK,
	)
}

func (r *runner) machine(ctx context.Context) (Machine, error) {
	m := Machine{Cores: runtime.NumCPU()}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return m, err
	}
	m.Kernel = strings.TrimSpace(string(kernel))
	if m.BuildKit, err = programVersion(exec.CommandContext(ctx, r.lab.Bin("buildkitd"), "--version")); err != nil {
		return m, err
	}
	if m.Buildx, err = programVersion(r.docker(ctx, nil, "buildx", "version")); err != nil {
		return m, err
	}
	m.SDK, err = sdkVersion(ctx, r.dotnetImage("sdk"))
	return m, err
}

var versionNumber = regexp.MustCompile(`\bv?(\d+\.\d+\.\d+\S*)`)

// programVersion finds the version in what a program prints.
func programVersion(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	m := versionNumber.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s: no version in %q", strings.Join(cmd.Args, " "), out)
	}
	return string(m[1]), nil
}

// sdkVersion is what the SDK's image says of itself.
func sdkVersion(ctx context.Context, ref string) (string, error) {
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return "", err
	}
	img, err := remote.Image(parsed, remote.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("get %s: %w", ref, err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return "", err
	}
	for _, kv := range config.Config.Env {
		if v, ok := strings.CutPrefix(kv, "DOTNET_SDK_VERSION="); ok {
			return v, nil
		}
	}
	return "", fmt.Errorf("%s does not say its version", ref)
}
