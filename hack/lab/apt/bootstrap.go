package apt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Suites of Debian: that of the machine, and one with newer packages.
const (
	Bookworm = "bookworm"
	Trixie   = "trixie"
)

// Bootstrap makes file: a tar of unpacked packages of a Debian suite for an architecture, with all that they depend on.
// It runs nothing of them, so it needs no emulator.
func Bootstrap(ctx context.Context, suite, arch string, packages []string, file string) error {
	return mmdebstrap(ctx, os.Environ(), suite, packages, file, "--variant=extract", "--architectures="+arch)
}

// Install makes file: a tar of a small Debian with apt and these packages, for the architecture of this machine. It
// runs the scripts of the packages. They take date for the time of the day.
func Install(ctx context.Context, suite string, packages []string, date time.Time, file string) error {
	env := append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", date.Unix()))
	// Without the hook, a package moves all to /usr, and brings Perl to do it.
	return mmdebstrap(ctx, env, suite, packages, file, "--variant=minbase",
		"--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr")
}

func mmdebstrap(
	ctx context.Context, env []string, suite string, packages []string, file string, options ...string,
) error {
	tmp := strings.TrimSuffix(file, ".tar") + ".tmp.tar"
	args := append(options,
		"--include="+strings.Join(packages, ","),
		// One suite is enough, and each is a download.
		`--setup-hook=sed -i -e /-security/d -e /-updates/d "$1/etc/apt/sources.list"`,
		suite, tmp)
	if mirror := Mirror(ctx); mirror != "" {
		args = append(args, mirror)
	}
	var failed error
	for range 3 { // a mirror in the middle of an update gives indexes that do not fit each other
		cmd := exec.CommandContext(ctx, "mmdebstrap", args...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err == nil {
			return os.Rename(tmp, file)
		}
		failed = fmt.Errorf("mmdebstrap %s: %w\n%s", strings.Join(args, " "), err, out)
		if ctx.Err() != nil {
			break
		}
	}
	return failed
}

// Mirror is the archive that this machine's own apt gets Debian's packages from. It is empty if apt does not know one.
// mmdebstrap then takes its own.
func Mirror(ctx context.Context) string {
	// The archive of security updates has another label.
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)",
		"Created-By: Packages").Output()
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(out), "\n") {
		if uri, ok := strings.CutPrefix(line, "Debian Debian "); ok {
			return uri
		}
	}
	return ""
}
