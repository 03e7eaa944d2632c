package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/hack/lab/apt"
	"github.com/crosshull/crosshull/hack/lab/images"
	"github.com/crosshull/crosshull/hack/lab/run"
	"github.com/crosshull/crosshull/hack/lab/tools"
)

// Up sets up and starts everything, and writes a line of progress for each step. It does only what is missing, so a
// second Up takes a second or two. It needs root, and a working directory within hack's module.
func (l *Lab) Up(ctx context.Context, progress io.Writer) error {
	if os.Geteuid() != 0 {
		return errors.New("the lab needs root: buildkitd and runc do")
	}
	p, unlock, err := l.begin(ctx, progress)
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.warnOfDisk(p); err != nil {
		return err
	}

	s := l.state()
	if s.Images, err = l.decideImages(ctx, s.Images); err != nil {
		return err
	}
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return err
	}
	if err := p.step("packages", func() (string, error) { return l.packages(ctx, p) }); err != nil {
		return err
	}
	// Compiling takes most of the time of a first run, so all that does not need the result runs beside it.
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return p.step("tools", func() (string, error) { return l.tools(gctx, moduleDir, p) })
	})
	g.Go(func() error {
		err := p.step("toolchain", func() (detail string, err error) {
			s.Toolchain, detail, err = l.findToolchain(gctx, filepath.Dir(moduleDir), s.Images == imagesLocal)
			return detail, err
		})
		if err != nil {
			return err
		}
		sg, sctx := errgroup.WithContext(gctx)
		sg.Go(func() error { return p.start(sctx, l.registryDaemon()) })
		sg.Go(func() error {
			if err := tools.Build(sctx, moduleDir, "./cmd/labfeed", l.Bin("labfeed")); err != nil {
				return err
			}
			return p.start(sctx, l.feedDaemon(s.Toolchain.Feeds))
		})
		sg.Go(func() error { return tools.Build(sctx, moduleDir, "./cmd/labrun", l.Bin(run.Program)) })
		if err := sg.Wait(); err != nil {
			return err
		}
		return p.step("images", func() (string, error) { return l.makeImages(gctx, s, p) })
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if err := p.start(ctx, l.buildkitDaemon(l.dir, s.Images == imagesLocal)); err != nil {
		return err
	}
	if err := p.step("builder",
		func() (string, error) { return Builder + " at " + l.BuildkitAddr(), l.builder(ctx) }); err != nil {
		return err
	}
	return l.saveState(s)
}

// begin makes the lab's folder, and keeps others from changing the lab until unlock.
func (l *Lab) begin(ctx context.Context, progress io.Writer) (p *reporter, unlock func(), err error) {
	p = &reporter{w: progress, began: time.Now()}
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return nil, nil, err
	}
	unlock, err = l.lock(ctx, p)
	return p, unlock, err
}

// wantedSpace is what a run of all tests takes on a machine that has nothing yet, in bytes.
const wantedSpace = 50e9

// warnOfDisk tells early that the disk is nearly full: BuildKit then drops its cache, and tests that need it fail.
func (l *Lab) warnOfDisk(p *reporter) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(l.dir, &fs); err != nil {
		return fmt.Errorf("free space of %s: %w", l.dir, err)
	}
	if free := float64(fs.Bavail) * float64(fs.Bsize); free < wantedSpace {
		p.say("disk", fmt.Sprintf("WARNING: %.0f GB are free in %s; all tests take about %.0f GB", free/1e9, l.dir,
			wantedSpace/1e9))
	}
	return nil
}

// Down stops what Up started. What was pushed and built stays for the next Up. It is no error if nothing runs.
func (l *Lab) Down(ctx context.Context) error {
	if _, err := os.Stat(l.dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	unlock, err := l.lock(ctx, &reporter{w: io.Discard, began: time.Now()})
	if err != nil {
		return err
	}
	defer unlock()
	var errs []error
	for _, d := range l.daemons() {
		errs = append(errs, d.service.Stop(ctx))
	}
	if errs[0] == nil {
		errs = append(errs, cleanBuildkit(ctx, l.dir))
	}
	errs = append(errs, l.stopOthers(ctx))
	if err := os.Remove(l.statePath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ServiceStatus is the status of one of the lab's services.
type ServiceStatus struct {
	Name    string
	Address string
	PID     int   // 0: not running
	Err     error // why it cannot be used, nil if it can
	Log     string
}

// Status asks every service.
func (l *Lab) Status(ctx context.Context) []ServiceStatus {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var out []ServiceStatus
	for _, d := range l.daemons() {
		st := ServiceStatus{Name: d.service.Name, Address: d.address, PID: d.service.PID(), Log: d.service.Log()}
		if st.PID == 0 {
			st.Err = errors.New("not running")
		} else {
			st.Err = d.service.Ready(ctx)
		}
		out = append(out, st)
	}
	return out
}

// Toolchain is where .NET comes from: that of the last Up, while the lab is up.
func (l *Lab) Toolchain() Toolchain { return l.state().Toolchain }

// LocalImages reports whether the .NET images are stand-ins made here, as the last Up decided.
func (l *Lab) LocalImages() bool { return l.state().Images == imagesLocal }

// state is what Up decided. The next Up keeps it, until Down.
type state struct {
	Images    string
	Toolchain Toolchain
}

func (l *Lab) statePath() string { return filepath.Join(l.dir, "state.json") }

// state is empty if the lab is down, and also if the file cannot be read: then Up decides anew.
func (l *Lab) state() state {
	var s state
	if dt, err := os.ReadFile(l.statePath()); err == nil {
		_ = json.Unmarshal(dt, &s)
	}
	return s
}

func (l *Lab) saveState(s state) error {
	dt, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(l.statePath(), string(dt)+"\n")
}

// decideImages says where images come from. If the environment does not say, it keeps what an earlier Up decided, so
// that a network that comes and goes does not change the images of a builder. The first Up takes the real ones if their
// registry answers.
func (l *Lab) decideImages(ctx context.Context, before string) (string, error) {
	if l.images != "" {
		return l.images, nil
	}
	if before != "" {
		return before, nil
	}
	probe, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if get(probe, "https://mcr.microsoft.com/v2/") == nil {
		return imagesReal, nil
	}
	return imagesLocal, ctx.Err()
}

func (l *Lab) packages(ctx context.Context, p *reporter) (string, error) {
	log, err := os.Create(filepath.Join(l.dir, "apt.log"))
	if err != nil {
		return "", err
	}
	defer func() { _ = log.Close() }()
	say := sync.OnceFunc(func() { p.say("packages", "installing, see "+log.Name()) })
	out := writerFunc(func(dt []byte) (int, error) { say(); return log.Write(dt) })
	pkgs := apt.Packages()
	if err := apt.Ensure(ctx, out, pkgs...); err != nil {
		return "", err
	}
	// The packages of these programs would start daemons, and that of the registry would take our port.
	for _, program := range []struct {
		name     string
		packages []string
	}{
		{"docker", []string{"docker-cli", "docker.io"}},
		{"docker-registry", []string{"docker-registry"}},
	} {
		path, err := l.elsewhere(program.name)
		if err != nil {
			dir := filepath.Join(l.cache, "tools", program.name)
			path = filepath.Join(dir, "usr", "bin", program.name)
			if _, err := os.Stat(path); err != nil {
				if err := apt.Extract(ctx, out, dir, program.packages...); err != nil {
					return "", fmt.Errorf("%s is not on PATH: %w", program.name, err)
				}
			}
		}
		if err := link(path, l.Bin(program.name)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s, docker, docker-registry", strings.Join(pkgs, ", ")), nil
}

// elsewhere finds a program on PATH, but not in the lab's own folder.
func (l *Lab) elsewhere(name string) (string, error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if dir == "" || filepath.Clean(dir) == filepath.Dir(l.Bin(name)) {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", exec.ErrNotFound
}

func (l *Lab) tools(ctx context.Context, moduleDir string, p *reporter) (string, error) {
	paths, err := tools.Ensure(ctx, moduleDir, filepath.Join(l.cache, "tools"), p.lines("tools"))
	if err != nil {
		return "", err
	}
	for name, path := range paths {
		if err := link(path, l.Bin(name)); err != nil {
			return "", err
		}
	}
	return filepath.Base(filepath.Dir(paths["buildkitd"])) + ", " + filepath.Base(filepath.Dir(paths["buildx"])), nil
}

func (l *Lab) makeImages(ctx context.Context, s state, p *reporter) (string, error) {
	if s.Images == imagesReal {
		return "those of mcr.microsoft.com", nil
	}
	return "stand-ins in " + l.registry, images.Ensure(ctx, images.Config{
		Toolchain: s.Toolchain.Dir,
		Muxer:     s.Toolchain.Muxer,
		Registry:  l.registry,
		FeedURL:   l.FeedURL(),
		Cache:     filepath.Join(l.cache, "images"),
	}, p)
}

// builder makes the buildx builder, unless it is there, and checks that it answers.
func (l *Lab) builder(ctx context.Context) error {
	if err := link(l.Bin("buildx"), filepath.Join(l.dockerConfig(), "cli-plugins", "docker-buildx")); err != nil {
		return err
	}
	buildx := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, l.Bin("docker"), append([]string{"buildx"}, args...)...)
		cmd.Env = append(os.Environ(), l.Env()...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("docker buildx %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
		}
		return string(out), nil
	}
	if out, err := buildx("inspect", "--bootstrap", Builder); err == nil && strings.Contains(out, l.BuildkitAddr()) {
		return nil
	}
	_, _ = buildx("rm", "--force", Builder) // fails if there is none; if it fails for another reason, create fails too
	if _, err := buildx("create", "--name", Builder, "--driver", "remote", l.BuildkitAddr()); err != nil {
		return err
	}
	_, err := buildx("inspect", "--bootstrap", Builder)
	return err
}

// lock keeps other processes from changing the lab at the same time.
func (l *Lab) lock(ctx context.Context, p *reporter) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(l.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for said := false; ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // which gives up the lock
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if !said {
			p.say("lab", "waiting for another process that is changing it")
			said = true
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// link makes path a symbolic link to target. It replaces an older link in one step.
func link(target, path string) error {
	if old, err := os.Readlink(path); err == nil && old == target {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp := path + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func writeFile(path, content string) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(content), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// get returns nil if url answers with 200.
func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
