// Package apt brings the system packages the lab needs onto a Debian or Ubuntu machine.
//
// It leaves alone what is there already, and never removes anything. A program on PATH counts, wherever it came from: a
// machine whose runc or skopeo was installed by other means is not touched. On other distributions nothing is
// installed; the error names the programs that must be on PATH.
package apt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A requirement is a package and what shows that its content is there: a program on PATH, or a file if it is absolute.
type requirement struct{ pkg, proof string }

// requirements is the one list of packages the lab needs.
var requirements = []requirement{
	{"ca-certificates", "/etc/ssl/certs/ca-certificates.crt"},
	{"cpio", "cpio"},                           // initramfs of the emulated arm64 machine
	{"git", "git"},                             // buildkitd fetches git contexts with it
	{"iproute2", "ip"},                         // loopback of a container that runs what was built
	{"mmdebstrap", "mmdebstrap"},               // root file systems of the stand-in images
	{"qemu-system-arm", "qemu-system-aarch64"}, // the emulated arm64 machine
	{"runc", "runc"},                           // buildkitd's executor, and amd64 images that are run
	{"skopeo", "skopeo"},                       // looking at what was pushed
	{"xz-utils", "xz"},                         // the toolchain's archive
}

// Packages names every package the lab needs installed.
func Packages() []string {
	var pkgs []string
	for _, r := range requirements {
		pkgs = append(pkgs, r.pkg)
	}
	return pkgs
}

// Ensure installs those of pkgs that are missing, without recommended packages and without removing any.
// What apt-get prints goes to w; the error has the end of it.
func Ensure(ctx context.Context, w io.Writer, pkgs ...string) error {
	var missing []string
	for _, pkg := range pkgs {
		if !present(ctx, pkg) {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if !available() {
		return fmt.Errorf("no apt-get on this machine, so these must be provided: %s",
			strings.Join(Missing(ctx, pkgs...), ", "))
	}
	if err := aptGet(ctx, w, "", "update"); err != nil {
		return err
	}
	args := append([]string{"install", "-y", "--no-install-recommends", "--no-remove"}, missing...)
	return aptGet(ctx, w, "", args...)
}

// Missing names what Ensure cannot provide: the programs and files of pkgs that are not there, if there is no apt-get.
func Missing(ctx context.Context, pkgs ...string) []string {
	if available() {
		return nil
	}
	var names []string
	for _, pkg := range pkgs {
		if present(ctx, pkg) {
			continue
		}
		if proof, ok := proofOf(pkg); ok {
			pkg = proof
		}
		names = append(names, pkg)
	}
	return names
}

// Usable reports whether this process may install packages.
func Usable() bool { return available() && os.Geteuid() == 0 }

// Extract unpacks the first of pkgs that the machine's package sources have into dir, replacing it, without installing
// it: none of its scripts runs and no daemon of it starts. It is for a program out of a package that would otherwise
// start a service, and it works for those that need nothing but the C library.
func Extract(ctx context.Context, w io.Writer, dir string, pkgs ...string) error {
	if !available() {
		return errors.New("no apt-get on this machine")
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".extract-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := aptGet(ctx, w, "", "update"); err != nil {
		return err
	}
	var errs []error
	for _, pkg := range pkgs {
		if err := aptGet(ctx, w, tmp, "download", pkg); err != nil {
			errs = append(errs, err)
			continue
		}
		debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
		if err != nil || len(debs) != 1 {
			return fmt.Errorf("apt-get download %s left %d files", pkg, len(debs))
		}
		root := filepath.Join(tmp, "root")
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", debs[0], root).CombinedOutput(); err != nil {
			return fmt.Errorf("unpack %s: %w: %s", pkg, err, bytes.TrimSpace(out))
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		return os.Rename(root, dir)
	}
	return errors.Join(errs...)
}

// available reports whether packages can be installed here.
func available() bool {
	_, err := exec.LookPath("apt-get")
	return err == nil
}

// present reports whether pkg's content is on the machine, or, for packages not in requirements, whether it is
// installed.
func present(ctx context.Context, pkg string) bool {
	proof, ok := proofOf(pkg)
	switch {
	case !ok:
		out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${db:Status-Status}\n", pkg).Output()
		return err == nil && strings.HasPrefix(string(out), "installed")
	case filepath.IsAbs(proof):
		_, err := os.Stat(proof)
		return err == nil
	default:
		_, err := exec.LookPath(proof)
		return err == nil
	}
}

func proofOf(pkg string) (string, bool) {
	for _, r := range requirements {
		if r.pkg == pkg {
			return r.proof, true
		}
	}
	return "", false
}

// aptGet runs apt-get in dir, waiting for another apt to finish.
func aptGet(ctx context.Context, w io.Writer, dir string, args ...string) error {
	var out bytes.Buffer
	// Sandbox: apt's own user may not write to our temporary folders.
	cmd := exec.CommandContext(
		ctx,
		"apt-get",
		append([]string{"-q", "-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout = io.MultiWriter(w, &out)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		return fmt.Errorf(
			"apt-get %s: %w\n%s",
			strings.Join(args, " "),
			err,
			strings.Join(lines[max(0, len(lines)-8):], "\n"),
		)
	}
	return nil
}
