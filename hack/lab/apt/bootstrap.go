package apt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Suites of Debian: that of the machine, and one with newer packages.
const (
	Bookworm = "bookworm"
	Trixie   = "trixie"
)

// Bootstrap makes file: a tar of unpacked packages of a Debian suite for an architecture, with all that they depend on.
// It runs nothing of them, so it needs no emulator.
func Bootstrap(ctx context.Context, suite, arch string, packages []string, file string) error {
	tmp := strings.TrimSuffix(file, ".tar") + ".tmp.tar"
	var failed error
	for range 3 { // a mirror in the middle of an update gives indexes that do not fit each other
		cmd := exec.CommandContext(
			ctx,
			"mmdebstrap",
			"--variant=extract",
			"--architectures="+arch,
			"--include="+strings.Join(packages, ","),
			// One suite is enough, and each is a download.
			`--setup-hook=sed -i -e /-security/d -e /-updates/d "$1/etc/apt/sources.list"`,
			suite,
			tmp,
		)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return os.Rename(tmp, file)
		}
		failed = fmt.Errorf("mmdebstrap of %s for %s: %w\n%s", strings.Join(packages, ", "), arch, err, out)
		if ctx.Err() != nil {
			break
		}
	}
	return failed
}
