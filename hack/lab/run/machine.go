package run

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/crosshull/crosshull/hack/lab/apt"
)

// labDir is the folder in the root of the image that has files of the lab.
const labDir = "/.lab"

// machineReserve is how long before the deadline a machine ends its app, so that there is still a report of what the
// app printed. The machine's own start takes some of it.
const machineReserve = 20 * time.Second

// modules of the kernel that the machine loads, in this order.
var modules = []string{
	"virtio",
	"virtio_ring",
	"virtio_pci_legacy_dev",
	"virtio_pci_modern_dev",
	"virtio_pci",
	"virtio_blk",
	"overlay",
}

// parts are files of the machine: a kernel for arm64, its modules, and a busybox, in one folder.
type parts string

func (p parts) kernel() string  { return filepath.Join(string(p), "vmlinuz") }
func (p parts) busybox() string { return filepath.Join(string(p), "busybox") }
func (p parts) module(name string) string {
	return filepath.Join(string(p), name+".ko")
}

// machineParts gives the parts, out of Debian packages. They are kept in cache.
func machineParts(ctx context.Context, cache string) (_ parts, err error) {
	p := parts(filepath.Join(cache, "arm64-machine"))
	if _, err := os.Stat(p.module(modules[0])); err == nil {
		return p, nil
	}
	tmp, err := os.MkdirTemp("", "crosshull-kernel-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	archive := filepath.Join(tmp, "kernel.tar")
	if err := apt.Bootstrap(ctx, apt.Bookworm, "arm64", []string{"linux-image-cloud-arm64", "busybox-static"},
		archive); err != nil {
		return "", err
	}
	files := map[string]string{"boot/vmlinuz-*": p.kernel(), "bin/busybox": p.busybox()}
	args := []string{
		"--extract",
		"--directory",
		tmp,
		"--file",
		archive,
		"--wildcards",
		"./boot/vmlinuz-*",
		"./bin/busybox",
	}
	for _, m := range modules {
		args = append(args, "./lib/modules/*/"+m+".ko")
		files["lib/modules/*/kernel/*/"+m+".ko"] = p.module(m)
		files["lib/modules/*/kernel/*/*/"+m+".ko"] = p.module(m)
	}
	if out, err := exec.CommandContext(ctx, "tar", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack: %w\n%s", err, out)
	}
	if err := os.MkdirAll(string(p), 0o755); err != nil {
		return "", err
	}
	return p, keep(tmp, files, p.module(modules[0]))
}

// keep copies files from a folder. files gives the path of each copy, by a pattern of the file. The file last is copied
// at the end, because its presence means that all are there.
func keep(from string, files map[string]string, last string) error {
	var end string
	for pattern, to := range files {
		found, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil {
			return err
		}
		switch {
		case len(found) == 0:
			continue
		case to == last:
			end = found[0]
		default:
			if err := copyFile(found[0], to); err != nil {
				return err
			}
		}
	}
	for _, to := range files {
		if _, err := os.Stat(to); err != nil && to != last {
			return fmt.Errorf("the packages of the machine have no %s", filepath.Base(to))
		}
	}
	if end == "" {
		return fmt.Errorf("the packages of the machine have no %s", filepath.Base(last))
	}
	return copyFile(end, last)
}

func copyFile(from, to string) error {
	dt, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	tmp := to + ".tmp"
	if err := os.WriteFile(tmp, dt, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}

// findProgram makes the program an absolute path, as execvp would find it in the image.
func (p *process) findProgram(root string) error {
	if strings.Contains(p.args[0], "/") {
		return nil
	}
	for _, kv := range p.env {
		v, ok := strings.CutPrefix(kv, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range strings.Split(v, ":") {
			if !path.IsAbs(dir) {
				dir = path.Join(p.dir, dir)
			}
			// A link may be absolute, and then leads out of root: take it as it is.
			info, err := os.Lstat(filepath.Join(root, dir, p.args[0]))
			if err == nil && (info.Mode()&os.ModeSymlink != 0 || info.Mode().IsRegular() && info.Mode()&0o111 != 0) {
				p.args[0] = path.Join(dir, p.args[0])
				return nil
			}
		}
	}
	return fmt.Errorf("the image has no %s in its PATH", p.args[0])
}

// makeKnown gives the user an entry in the image's /etc/passwd if there is none: busybox asks for one, docker does not.
func makeKnown(uid, gid int, root string) error {
	if _, known, err := homeOf(uid, root); known || err != nil {
		return err
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // holds nothing
	file, err := resolve(r, "etc/passwd")
	if err != nil {
		return err
	}
	if err := r.MkdirAll(path.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := r.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "\nlab:x:%d:%d::/:\n", uid, gid)
	return errors.Join(err, f.Close())
}

// The parts of the report that the machine prints at its end.
const (
	beginReport = "=== crosshull report"
	endReport   = "=== crosshull end"
)

// initScript is the first process in the files of an image: it starts the app, asks it, and reports. After limit, if
// it is not 0, it kills the app.
func initScript(s Spec, p *process, limit time.Duration) string {
	var b strings.Builder
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	say("#!%s/busybox sh", labDir)
	say("b=%s/busybox", labDir)
	say("$b mkdir -p /proc /sys /dev /tmp")
	say("$b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs devtmpfs /dev")
	say("$b mkdir -p /dev/shm; $b mount -t tmpfs -o mode=1777 shm /dev/shm; $b ln -s /proc/self/fd /dev/fd")
	say("$b ifconfig lo 127.0.0.1 up")
	say("$b mkdir -p %[1]s; cd %[1]s", quote(p.dir))
	// start-stop-daemon changes the user and becomes the app; the image may have no su and no shell.
	app := []string{"$b", "env", "-i"}
	for _, kv := range p.env {
		app = append(app, quote(kv))
	}
	app = append(
		app,
		labDir+"/busybox",
		"start-stop-daemon",
		"-S",
		"-q",
		"-c",
		fmt.Sprintf("%d:%d", p.uid, p.gid),
		"-x",
		quote(p.args[0]),
		"--",
	)
	for _, a := range p.args[1:] {
		app = append(app, quote(a))
	}
	say("%s > %s/output 2>&1 &", strings.Join(app, " "), labDir)
	say("pid=$!")
	if limit > 0 {
		say("($b sleep %d; $b kill -KILL $pid) 2>/dev/null &", int(limit.Seconds()))
	}
	say("answered=")
	if s.Port > 0 {
		say(": > %s/body", labDir) // also there if the answer is empty
		say("while $b kill -0 $pid 2>/dev/null; do")
		say("  $b wget -q -O %s/body %s 2>/dev/null && answered=yes && break", labDir, quote(s.url()))
		say("  $b sleep 0.2")
		say("done")
		say("$b kill -TERM $pid 2>/dev/null")
		say("($b sleep %d; $b kill -KILL $pid) 2>/dev/null &", int(stopTimeout.Seconds()))
	}
	say("wait $pid; code=$?")
	say("echo; echo '%s'; echo exit $code", beginReport)
	say("echo output:; $b base64 < %s/output", labDir)
	say(`if [ "$answered" ]; then echo body:; $b base64 < %s/body; fi`, labDir)
	say("echo '%s'", endReport)
	return b.String()
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// The colons keep the titles apart from base64.
var report = regexp.MustCompile(
	`(?s)` + beginReport + `\s+exit (\d+)\s+output:\s+([A-Za-z0-9+/=\s]*?)(?:(body:)\s+([A-Za-z0-9+/=\s]*?))?` + endReport,
)

// kernelMessage can come anywhere, also within a line.
var kernelMessage = regexp.MustCompile(`\[ *\d+\.\d+\] [^\n]*`)

// parseConsole finds the report in what the machine printed, and tells whether the app answered: an answer may be
// empty.
func parseConsole(console string) (res *Result, answered bool, err error) {
	console = kernelMessage.ReplaceAllString(console, "")
	m := report.FindStringSubmatch(console)
	if m == nil {
		return nil, false, errors.New("the machine ended without a report")
	}
	res = &Result{}
	if res.ExitCode, err = strconv.Atoi(m[1]); err != nil {
		return nil, false, err
	}
	for i, into := range map[int]*string{2: &res.Output, 4: &res.Body} {
		dt, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(m[i]), ""))
		if err != nil {
			return nil, false, fmt.Errorf("read the report: %w", err)
		}
		*into = string(dt)
	}
	return res, m[3] != "", nil
}
