package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/hack/randomspec"
)

// Trial is one build with one fault. Make it with [Trials].
type Trial struct {
	// Where is what fails, and How it does.
	Where, How string
	// Number decides when it fails. With 0, it fails from the first moment.
	Number int
	do     func(ctx context.Context, w *World, t Trial) (Result, error)
}

func (t Trial) String() string { return fmt.Sprintf("%s %s, number %d", t.Where, t.How, t.Number) }

// Result is what a build did that met a fault.
type Result struct {
	// Passed tells whether it made its image all the same.
	Passed bool
	// Message is the last line of its output, if it failed.
	Message string
}

// Trials are all faults, each with a number.
func Trials(number int) []Trial {
	var all []Trial
	of := func(where string, harms []harm, do func(context.Context, *World, Trial, harm) (Result, error)) {
		for _, h := range harms {
			do := func(ctx context.Context, w *World, t Trial) (Result, error) { return do(ctx, w, t, h) }
			all = append(all, Trial{where, h.name, number, do})
		}
	}
	of("registry", meeting(http.MethodPut, "/v2/app/manifests/latest"), pushed)
	of("base", meeting(http.MethodGet, "/v2/base/manifests/10.0"), pulled)
	of("feed", meeting(http.MethodGet, "/v3/index.json"), restored)
	// apt tries an answer again that is an error, and then waits for seconds: one of these answers is enough.
	of("mirror", meeting(http.MethodGet, "/made/tiny.deb", "wants a password", "is asked too much"), installed)
	for _, h := range misnamings {
		do := func(ctx context.Context, w *World, t Trial) (Result, error) { return misnamed(ctx, w, t, h) }
		all = append(all, Trial{"name of the feed", h.name, number, do})
	}
	return append(all,
		Trial{"client", "is killed", number, clientKilled},
		Trial{"client", "is interrupted", number, clientInterrupted},
		Trial{"buildkitd", "is killed", number, daemonKilled},
		Trial{"clock", "jumps", number, clockJumps},
		Trial{"disk", "is full", number, diskFull},
		Trial{"context", "changes", number, contextChanges},
		Trial{"spec", "is random", number, specAtRandom},
	)
}

// meeting are the harms that a request can meet, without those of some names.
func meeting(method, path string, without ...string) []harm {
	r := &http.Request{Method: method, URL: &url.URL{Path: path}, ContentLength: 2}
	return slices.DeleteFunc(slices.Clone(harms), func(h harm) bool {
		return h.hits != nil && !h.hits(r) || slices.Contains(without, h.name)
	})
}

// Run tries it in a world. The error says what is wrong.
func (t Trial) Run(ctx context.Context, w *World) (Result, error) {
	result, err := t.do(ctx, w, t)
	if err == nil {
		err = w.quiet(ctx)
	}
	if err != nil {
		return result, fmt.Errorf("%s: %w", t, err)
	}
	return result, nil
}

// attempt is a build of a context that meets a fault, of an image that was there before.
type attempt struct {
	folder
	name string        // of the image in the registry
	ref  string        // where the build pushes it
	was  digest.Digest // of the image before; none if there is none
	want digest.Digest // of the image that a builder makes that sees no fault
	// early tells that the fault comes before anything is pushed.
	early bool
	args  []string // for buildx, if the builder has what it is to ask for again
}

// lacksLabel is in the warning of a build whose image lacks a label, because the registry does not give the index of
// the base.
const lacksLabel = "the image has no label org.opencontainers.image.base.digest"

// kept is in the error for an image whose bytes have another digest. BuildKit 0.34 keeps these bytes, and finds them
// wrong again in each build with any frontend, until its cache is pruned.
const kept = "unexpected commit digest"

// isError is how a line of an error begins: one of buildx, of MSBuild, or one with a place in the spec.
var isError = regexp.MustCompile(`^ERROR: |: error |^crosshull\.yaml:\d+: `)

// check looks at what the build left, and builds again without a fault. An error has to name one of names.
func (a attempt) check(ctx context.Context, w *World, output string, failed error, names ...string) (Result, error) {
	if errors.Is(failed, context.DeadlineExceeded) { // it hangs
		return Result{}, failed
	}
	is, err := w.tag(ctx, a.name)
	if err != nil {
		return Result{}, err
	}
	message := output[strings.LastIndexByte(output, '\n')+1:]
	result := Result{Passed: failed == nil, Message: message}
	switch {
	case failed != nil && a.early && is != a.was:
		return result, fmt.Errorf("the build failed, and the image is %q, want the one before, %q", is, a.was)
	case failed == nil && strings.Contains(output, lacksLabel):
	case failed == nil && is != a.want:
		return result, fmt.Errorf("the build passed, and the image is %q, want %s", is, a.want)
	case is != a.was && is != a.want:
		return result, fmt.Errorf("the image is %q, neither the one before, %q, nor the new one, %s", is, a.was, a.want)
	}
	if failed != nil && len(names) > 0 {
		named := slices.ContainsFunc(names, func(name string) bool { return strings.Contains(message, name) })
		if !named || !isError.MatchString(message) {
			return result, fmt.Errorf("the last line is %q, want an error with one of %q", message, names)
		}
	}
	return result, a.again(ctx, w)
}

// again builds without a fault.
func (a attempt) again(ctx context.Context, w *World) error {
	if err := w.must(ctx, hurt, a.folder, w.lab.Registry()+"/"+a.name, a.args...); err != nil {
		return fmt.Errorf("build again after the fault: %w", err)
	}
	is, err := w.tag(ctx, a.name)
	if err == nil && is != a.want {
		err = fmt.Errorf("the build after the fault made %s, want %s", is, a.want)
	}
	return err
}

// prepare makes an image, and a context of the next one.
func (w *World) prepare(ctx context.Context, before, next content, via string) (a attempt, err error) {
	a.name = w.name()
	a.ref = via + "/" + a.name
	if a.folder, err = w.write("app", before); err != nil {
		return a, err
	}
	if err := w.must(ctx, hurt, a.folder, w.lab.Registry()+"/"+a.name); err != nil {
		return a, fmt.Errorf("build the image before: %w", err)
	}
	if a.was, err = w.tag(ctx, a.name); err != nil {
		return a, err
	}
	if a.folder, err = w.write("app", next); err != nil {
		return a, err
	}
	a.want, err = w.expect(ctx, a.folder)
	return a, err
}

// anew is prepare for a build that restores and compiles anew.
func (w *World) anew(ctx context.Context) (attempt, error) {
	w.serial++
	return w.prepare(ctx, content{base: w.base()}, content{number: w.serial, base: w.base()}, w.lab.Registry())
}

// random gives numbers that depend on that of the trial. which tells decisions apart.
func (t Trial) random(which uint64) *rand.Rand { return rand.New(rand.NewPCG(uint64(t.Number), which)) }

// reach gives the requests that a trial harms: from one to another. Number 0 harms all.
func (t Trial) reach() (after, last int) {
	if t.Number == 0 {
		return 0, 1 << 30
	}
	random := t.random(0)
	after = random.IntN(6) // a feed is asked little
	return after, after + random.IntN(1<<random.IntN(8))
}

// pushed pushes through a registry's proxy.
func pushed(ctx context.Context, w *World, t Trial, h harm) (Result, error) {
	a, err := w.prepare(ctx, content{base: w.base()}, content{note: 1 + t.Number, base: w.base()}, w.registry.Addr)
	if err != nil {
		return Result{}, err
	}
	return w.meet(ctx, a, w.registry, t, h)
}

// pulled asks a registry's proxy for the base, which has moved.
func pulled(ctx context.Context, w *World, t Trial, h harm) (Result, error) {
	moved, err := w.move(ctx)
	if err != nil {
		return Result{}, err
	}
	a, err := w.prepare(ctx, content{base: w.base()}, content{note: 1 + t.Number, base: w.registry.Addr + moved},
		w.lab.Registry())
	if err != nil {
		return Result{}, err
	}
	return w.meet(ctx, a, w.registry, t, h)
}

// restored asks a feed's proxy for packages.
func restored(ctx context.Context, w *World, t Trial, h harm) (Result, error) {
	a, err := w.anew(ctx)
	if err != nil {
		return Result{}, err
	}
	return w.meet(ctx, a, w.feed, t, h)
}

// installed asks a mirror's proxy for OS packages.
func installed(ctx context.Context, w *World, t Trial, h harm) (Result, error) {
	a, err := w.prepare(ctx, content{base: w.base(), packages: true},
		content{note: 1 + t.Number, base: w.base(), packages: true}, w.lab.Registry())
	if err != nil {
		return Result{}, err
	}
	a.args = []string{"--no-cache-filter", "packages"}
	return w.meet(ctx, a, w.mirror, t, h)
}

// meet builds while a proxy does harm.
func (w *World) meet(ctx context.Context, a attempt, p *harming, t Trial, h harm) (Result, error) {
	a.early = !strings.HasPrefix(a.ref, p.Addr)
	after, last := t.reach()
	p.set(&h, after, last)
	output, failed := w.run(ctx, a, nil)
	harmed := p.count()
	p.set(nil, 0, 0)
	if t.Number == 0 && harmed == 0 {
		return Result{}, errors.New("the build met no fault")
	}
	if strings.Contains(output, kept) {
		if out, err := w.docker(ctx, "prune", "--builder", hurt, "--all", "--force").CombinedOutput(); err != nil {
			return Result{}, fmt.Errorf("prune: %w\n%s", err, out)
		}
	}
	return a.check(ctx, w, output, failed, p.Addr)
}

// clientKilled kills buildx at some moment of a build.
func clientKilled(ctx context.Context, w *World, t Trial) (Result, error) {
	return clientEnded(ctx, w, t, syscall.SIGKILL)
}

// clientInterrupted is Ctrl-C.
func clientInterrupted(ctx context.Context, w *World, t Trial) (Result, error) {
	return clientEnded(ctx, w, t, syscall.SIGINT)
}

func clientEnded(ctx context.Context, w *World, t Trial, by syscall.Signal) (Result, error) {
	return w.interrupt(ctx, t, func(client *exec.Cmd) error { return syscall.Kill(-client.Process.Pid, by) }, nil)
}

// daemonKilled kills buildkitd at some moment of a build, and starts it again.
func daemonKilled(ctx context.Context, w *World, t Trial) (Result, error) {
	return w.interrupt(ctx, t, func(*exec.Cmd) error { return w.builder.Kill() }, w.builder.Start)
}

// interrupt does harm at some moment of a build that takes a few seconds, and then mends it.
func (w *World) interrupt(
	ctx context.Context, t Trial, harm func(client *exec.Cmd) error, mend func(context.Context) error,
) (Result, error) {
	a, err := w.anew(ctx)
	if err != nil {
		return Result{}, err
	}
	const longest = 6 * time.Second // later, a build has mostly ended
	moment := time.Duration(t.random(1).Int64N(int64(longest)))
	done := make(chan error, 1)
	var timer *time.Timer
	var client *exec.Cmd
	output, failed := w.run(ctx, a, func(cmd *exec.Cmd) {
		client = cmd
		timer = time.AfterFunc(moment, func() { done <- harm(client) })
	})
	if timer == nil {
		return Result{}, failed
	}
	if timer.Stop() { // the build was faster: then it happens right after it, and not to the next build
		done <- harm(client)
	}
	harmed := <-done
	if errors.Is(harmed, syscall.ESRCH) { // the client has ended
		harmed = nil
	}
	time.Sleep(100 * time.Millisecond)
	if mend != nil {
		harmed = errors.Join(harmed, mend(ctx))
	}
	if harmed != nil {
		return Result{}, harmed
	}
	return a.check(ctx, w, output, failed)
}

// clockJumps sets the clock of buildkitd to another time at some moment of a build: up to two years before or after
// the right one. It stays wrong in the next build.
func clockJumps(ctx context.Context, w *World, t Trial) (_ Result, err error) {
	jumping, err := w.jumping(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := errors.Join(jumping.Jump(0), w.builder.Kill(), w.builder.StartAs(ctx, jumping.Path)); err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, w.builder.Kill(), w.builder.Start(context.WithoutCancel(ctx))) }()
	random := t.random(3)
	by := time.Duration(random.Int64N(int64(1) << (30 + random.IntN(27)))) // from a second on; each size is as likely
	if random.IntN(2) == 0 {
		by = -by
	}
	return w.interrupt(ctx, t, func(*exec.Cmd) error { return jumping.Jump(by) }, nil)
}

// diskFull builds with the cache on a disk that is too small, and then on a larger one.
func diskFull(ctx context.Context, w *World, t Trial) (result Result, err error) {
	a, err := w.anew(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := w.builder.Kill(); err != nil {
		return Result{}, err
	}
	size := 64 + t.random(2).IntN(1<<10) // MiB: the SDK alone takes more
	if err := mount(ctx, w.builder.Root(), size, ""); err != nil {
		return Result{}, err
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(err, w.builder.Kill(), unmount(ctx, w.builder.Root()), w.builder.Start(ctx))
	}()
	if err := w.builder.Start(ctx); err != nil {
		return Result{}, err
	}
	output, failed := w.run(ctx, a, nil)
	if failed == nil {
		return Result{}, fmt.Errorf("the build has enough space with %d MiB", size)
	}
	if err := mount(ctx, w.builder.Root(), 8<<10, "remount,"); err != nil {
		return Result{}, err
	}
	return a.check(ctx, w, output, failed, "no space left on device")
}

func mount(ctx context.Context, dir string, mebibytes int, options string) error {
	options += fmt.Sprintf("size=%dm", mebibytes)
	out, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount %s: %w\n%s", dir, err, out)
	}
	return nil
}

// unmount takes away a disk, and what is mounted on it.
func unmount(ctx context.Context, dir string) error {
	out, err := exec.CommandContext(ctx, "umount", "--recursive", "--lazy", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("unmount %s: %w\n%s", dir, err, out)
	}
	return nil
}

// contextChanges changes sources while they are sent and built. That build may ship any of them. The next one ships
// what is there at the end.
func contextChanges(ctx context.Context, w *World, t Trial) (Result, error) {
	a, err := w.anew(ctx)
	if err != nil {
		return Result{}, err
	}
	sources := filepath.Join(a.dir, "Program.cs")
	last, err := os.ReadFile(sources)
	if err != nil {
		return Result{}, err
	}
	changes, end := context.WithCancel(ctx)
	changed := make(chan error)
	go func() {
		var err error
		for i := 0; changes.Err() == nil && err == nil; i++ {
			text := strings.Repeat(fmt.Sprintf("// %d\n", i), 1+i%100) + string(last)
			err = os.WriteFile(sources, []byte(text), 0o644)
			time.Sleep(time.Duration(1+t.Number%20) * time.Millisecond)
		}
		changed <- err
	}()
	output, failed := w.run(ctx, a, nil)
	end()
	if err := errors.Join(<-changed, os.WriteFile(sources, last, 0o644)); err != nil {
		return Result{}, err
	}
	if failed == nil {
		if _, err := w.tag(ctx, a.name); err != nil {
			return Result{}, err
		}
		// It is one of many, and tag found it whole. A checksum of the sources is in the symbols, so each is another one.
		return Result{Passed: true}, a.again(ctx, w)
	}
	return a.check(ctx, w, output, failed)
}

// specAtRandom builds a spec made at random, and then builds it again, without what the builder has of the first build.
// Nothing fails but what the spec asks for.
func specAtRandom(ctx context.Context, w *World, t Trial) (Result, error) {
	f, err := w.write("spec", content{base: w.base()})
	if err != nil {
		return Result{}, err
	}
	files := map[string]string{}
	for _, name := range randomspec.Files {
		files[name] = "\n"
	}
	const seed = 112 // its build fails soon, and make test tries no other one here
	if files["crosshull.yaml"], err = w.specs.Spec(uint64(seed + t.Number)); err != nil {
		return Result{}, err
	}
	if err := writeFiles(f.dir, files); err != nil {
		return Result{}, err
	}
	first, err := w.outcome(ctx, attempt{folder: f, name: w.name()})
	if err != nil {
		return Result{}, err
	}
	second, err := w.outcome(ctx, attempt{folder: f, name: w.name(), args: []string{"--no-cache"}})
	if err == nil {
		err = randomspec.Judge(first, second)
	}
	if err != nil {
		err = fmt.Errorf("%w\nof the spec\n%s", err, files["crosshull.yaml"])
	}
	return Result{Passed: first.Error == "", Message: first.Error}, err
}

// source is how buildx shows a place in a spec, before the error.
var source = regexp.MustCompile(`(?m)^crosshull\.yaml:\d+\n-{20}$`)

// outcome builds, and gives what came of it.
func (w *World) outcome(ctx context.Context, a attempt) (randomspec.Outcome, error) {
	a.ref = w.lab.Registry() + "/" + a.name
	output, failed := w.run(ctx, a, nil)
	switch {
	case failed != nil && output == "": // it hangs, or did not begin
		return randomspec.Outcome{}, failed
	case failed != nil:
		return randomspec.Outcome{
			Error: output[max(0, strings.LastIndex(output, "ERROR: ")):], Place: source.MatchString(output),
		}, nil
	}
	image, err := w.tag(ctx, a.name)
	return randomspec.Outcome{Image: string(image)}, err
}
