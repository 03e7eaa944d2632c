package lab

import (
	"context"
	"os/exec"

	"github.com/crosshull/crosshull/hack/lab/apt"
)

// Missing names the programs and files that the lab needs, that are not on this machine, and that [Lab.Up] cannot
// install, because there is no apt-get.
func (l *Lab) Missing(ctx context.Context) []string {
	if _, err := exec.LookPath("apt-get"); err == nil {
		return nil
	}
	missing := apt.Missing(ctx, apt.Packages()...)
	for _, name := range []string{"docker", "docker-registry"} {
		if _, err := l.elsewhere(name); err != nil {
			missing = append(missing, name)
		}
	}
	return missing
}
