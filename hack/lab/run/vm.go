package run

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// vm is an emulated machine that runs one image after the other: a Debian kernel, and for each image a root of its
// own. It keeps the files that it gets, because images share most of them.
type vm struct {
	cache string
	parts parts
	dir   string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	has   map[string]bool
	bytes int64 // of what it has
	runs  int
}

const (
	block    = 1 << 20
	diskSize = 2 << 30 // for the archive of one image
	memory   = 4096    // MB
	keeps    = 1 << 30 // bytes of files before it is started anew
)

// ready is what the machine says when it waits for an image.
const ready = "=== crosshull ready"

// guestInit is the machine's first process. It reads numbers from the console. For each, it copies that many blocks of
// the disk into a file, unpacks that as an archive, and runs the script in it. The archive is not unpacked from the
// disk or a pipe: pipes are slow in an emulated machine, and busybox's tar would read the disk to its end.
const guestInit = `#!/busybox sh
b=/busybox
$b mkdir -p /proc /sys /dev /w
$b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs devtmpfs /dev
$b mount -t tmpfs -o size=90% w /w
for m in MODULES; do $b insmod /$m.ko; done
$b ifconfig lo 127.0.0.1 up
$b stty -echo < /dev/console
while echo; echo '` + ready + `'; read -r blocks; do
  echo 3 > /proc/sys/vm/drop_caches
  $b dd if=/dev/vda of=/w/archive bs=BLOCK count="$blocks" 2>/dev/null
  $b tar -x -f /w/archive -C /w
  $b rm /w/archive
  . /w/job
done
$b poweroff -f
`

// jobScript makes root n the root of an image, starts its first process, and cleans up.
const jobScript = `n=%d
$b mkdir -p /w/$n.up /w/$n.work /w/$n.root
$b mount -t overlay -o lowerdir=/w/$n,upperdir=/w/$n.up,workdir=/w/$n.work overlay /w/$n.root
$b chroot /w/$n.root ` + labDir + `/busybox sh ` + labDir + `/init
$b kill -KILL -1
$b umount -l /w/$n.root
$b rm -rf /w/$n /w/$n.up /w/$n.work /w/$n.root
`

// run runs an image. After an error it ends the machine, and the next image starts another one.
func (v *vm) run(ctx context.Context, s Spec) (_ *Result, err error) {
	if err := v.boot(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.close())
		}
	}()
	size, err := v.hand(ctx, s)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = v.cmd.Process.Kill() }) // which ends the reading
	defer stop()
	if _, err := fmt.Fprintln(v.in, (size+block-1)/block); err != nil {
		return nil, err
	}
	console, err := v.until(ready)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("run %s on the arm64 machine: %w\n%s", s.Ref, err, tail(console))
	}
	res, answered, err := parseConsole(console)
	if err != nil {
		return nil, fmt.Errorf("run %s on the arm64 machine: %w\n%s", s.Ref, err, tail(console))
	}
	if s.Port > 0 && !answered {
		return nil, fmt.Errorf("run %s on the arm64 machine: no answer from %s\n%s", s.Ref, s.url(), tail(res.Output))
	}
	if v.bytes > keeps {
		return res, v.close()
	}
	return res, nil
}

// boot starts the machine, unless it runs.
func (v *vm) boot(ctx context.Context) (err error) {
	if v.cmd != nil {
		return nil
	}
	if v.parts, err = machineParts(ctx, v.cache); err != nil {
		return fmt.Errorf("get the kernel of the arm64 machine: %w", err)
	}
	if v.dir, err = os.MkdirTemp("", "crosshull-machine-"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.close())
		}
	}()
	v.has, v.bytes = map[string]bool{}, 0
	initrd, err := v.initrd(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(v.disk(), nil, 0o600); err != nil {
		return err
	}
	if err := os.Truncate(v.disk(), diskSize); err != nil {
		return err
	}
	// qemu need not emulate features of a processor that .NET does not use. That saves a quarter of the time.
	cmd := exec.Command(
		"qemu-system-aarch64",
		"-M",
		"virt",
		"-nic",
		"none",
		"-cpu",
		"max,pauth=off,sve=off",
		"-smp",
		"2",
		"-m",
		fmt.Sprint(memory),
		"-nographic",
		"-no-reboot",
		"-kernel",
		v.parts.kernel(),
		"-initrd",
		initrd,
		"-append",
		"console=ttyAMA0 quiet panic=-1 rdinit=/init",
		"-drive",
		"file="+v.disk()+",format=raw,if=none,id=disk",
		"-device",
		"virtio-blk-pci,drive=disk",
	)
	if v.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("arm64 machine (Debian package qemu-system-arm): %w", err)
	}
	v.cmd, v.out = cmd, bufio.NewReader(out)
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	if console, err := v.until(ready); err != nil {
		return fmt.Errorf("start the arm64 machine: %w\n%s", errors.Join(ctx.Err(), err), tail(console))
	}
	return nil
}

func (v *vm) disk() string { return filepath.Join(v.dir, "disk") }

// initrd makes the machine's own file system.
func (v *vm) initrd(ctx context.Context) (string, error) {
	dir, file := filepath.Join(v.dir, "initrd.d"), filepath.Join(v.dir, "initrd")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	if err := copyFile(v.parts.busybox(), filepath.Join(dir, "busybox")); err != nil {
		return "", err
	}
	for _, m := range modules {
		if err := copyFile(v.parts.module(m), filepath.Join(dir, m+".ko")); err != nil {
			return "", err
		}
	}
	script := strings.NewReplacer("MODULES", strings.Join(modules, " "), "BLOCK", fmt.Sprint(block)).Replace(guestInit)
	if err := os.WriteFile(filepath.Join(dir, "init"), []byte(script), 0o755); err != nil {
		return "", err
	}
	pack := exec.CommandContext(
		ctx,
		"sh",
		"-c",
		`find . -print0 | cpio --null --create --format=newc --quiet > "$1"`,
		"sh",
		file,
	)
	pack.Dir = dir
	if out, err := pack.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pack the files of the machine (Debian package cpio): %w\n%s", err, out)
	}
	return file, nil
}

// until returns what the machine prints before a line. If the machine ends first, it returns an error with what was
// printed.
func (v *vm) until(line string) (string, error) {
	var console strings.Builder
	for {
		s, err := v.out.ReadString('\n')
		if err != nil {
			return console.String() + s, fmt.Errorf("the machine has ended: %w", err)
		}
		if strings.TrimSpace(kernelMessage.ReplaceAllString(s, "")) == line {
			return console.String(), nil
		}
		console.WriteString(s)
	}
}

// close ends the machine.
func (v *vm) close() error {
	if v.cmd != nil {
		_ = v.cmd.Process.Kill() // fails if it has ended
		_ = v.cmd.Wait()         // it was killed
		v.cmd = nil
	}
	if v.dir == "" {
		return nil
	}
	err := os.RemoveAll(v.dir)
	v.dir = ""
	return err
}

// hand writes an archive of an image, with the script that runs it, onto the disk.
func (v *vm) hand(ctx context.Context, s Spec) (size int64, err error) {
	v.runs++
	root := filepath.Join(v.dir, fmt.Sprint(v.runs))
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	p, err := unpack(ctx, v.cache, s, "linux/arm64", root)
	if err != nil {
		return 0, err
	}
	if err := p.findProgram(root); err != nil {
		return 0, err
	}
	if err := os.Mkdir(filepath.Join(root, labDir), 0o755); err != nil {
		return 0, err
	}
	if err := copyFile(v.parts.busybox(), filepath.Join(root, labDir, "busybox")); err != nil {
		return 0, err
	}
	if err := makeKnown(p.uid, p.gid, root); err != nil {
		return 0, err
	}
	var limit time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		limit = max(time.Until(deadline)-machineReserve, time.Second)
	}
	// Not /init: that may be a link of the image, and lead to a file of this machine.
	if err := os.WriteFile(filepath.Join(root, labDir, "init"), []byte(initScript(s, p, limit)), 0o755); err != nil {
		return 0, err
	}
	disk, err := os.OpenFile(v.disk(), os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, disk.Close()) }()
	w := bufio.NewWriterSize(disk, 1<<20)
	if err := v.write(w, root); err != nil {
		return 0, err
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	if size, err = disk.Seek(0, io.SeekCurrent); err == nil && size > diskSize {
		err = fmt.Errorf("%s is too large for the machine: %d bytes", s.Ref, size)
	}
	return size, err
}

// write writes an archive of a root. Files that the machine has already become links to them. Files are the same if
// content, owner, mode and time are equal.
func (v *vm) write(to io.Writer, root string) error {
	w := tar.NewWriter(to)
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		return v.writeEntry(w, file, path.Join(filepath.Base(root), filepath.ToSlash(rel)), d)
	})
	if err != nil {
		return err
	}
	job := fmt.Sprintf(jobScript, v.runs)
	h := &tar.Header{Name: "job", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(job)), Format: tar.FormatGNU}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	if _, err := io.WriteString(w, job); err != nil {
		return err
	}
	return w.Close()
}

func (v *vm) writeEntry(w *tar.Writer, file, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	link := ""
	if d.Type()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(file); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name, h.Uname, h.Gname, h.Format = name, "", "", tar.FormatGNU
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
	if h.Typeflag != tar.TypeReg {
		return w.WriteHeader(h)
	}
	dt, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%x %o %d %d %d", sha256.Sum256(dt), h.Mode, h.Uid, h.Gid, h.ModTime.Unix()))
	known := fmt.Sprintf("files/%x", sum)
	if !v.has[known] {
		v.has[known] = true
		v.bytes += h.Size
		content := *h
		content.Name = known
		if err := w.WriteHeader(&content); err != nil {
			return err
		}
		if _, err := w.Write(dt); err != nil {
			return err
		}
	}
	return w.WriteHeader(
		&tar.Header{
			Name:     name,
			Typeflag: tar.TypeLink,
			Linkname: known,
			Mode:     h.Mode,
			Uid:      h.Uid,
			Gid:      h.Gid,
			ModTime:  h.ModTime,
			Format:   tar.FormatGNU,
		},
	)
}
