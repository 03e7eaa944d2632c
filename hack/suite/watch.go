package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Watcher runs a test binary so that each test has a limit of its own. A test that reaches the limit is ended and
// fails; a test that panics takes no other with it: the binary is started again for the tests that are left.
//
// It is what `go test -json -exec` starts in the place of the binary. That has one timer for a whole package.
type Watcher struct {
	Limit time.Duration // how long a test may take, its subtests not counted
	Out   io.Writer     // takes what the binary prints, for go test to read

	done   []string        // patterns of what is not to run again: tests that ended, and what was ended
	broken map[string]bool // tests with a subtest that was ended
	failed bool
}

// grace is how long a binary has to print its goroutines, and what its tests started to let go of its output.
const grace = 10 * time.Second

// Run runs a binary with the arguments that go test gives it, and returns the exit code.
func (w *Watcher) Run(ctx context.Context, args []string) (int, error) {
	w.broken = map[string]bool{}
	args = logging(args)
	for {
		before := strings.Join(w.done, "|")
		r, err := w.once(ctx, args)
		switch {
		case err != nil:
			return 1, err
		case ctx.Err() != nil:
			return 1, ctx.Err()
		case r.verdict != "" && w.failed:
			_, err := io.WriteString(w.Out, marker+"FAIL\n")
			return 1, err
		case r.verdict != "":
			_, err := io.WriteString(w.Out, r.verdict)
			return r.code, err
		case strings.Join(w.done, "|") == before: // it ends before it comes to a test
			return max(1, r.code), nil
		}
		w.failed = true
	}
}

// logging makes a binary write down what files and variables it reads, where go test looks for that before it keeps a
// result for the next time. It does not ask for it with -exec, as the binary may then run on another machine.
func logging(args []string) []string {
	file := filepath.Join(filepath.Dir(args[0]), "testlog.txt")
	return slices.Insert(slices.Clone(args), 1, "-test.testlogfile="+file)
}

// once runs the binary for the tests that are left, to its end or to that of a test that reaches the limit.
func (w *Watcher) once(ctx context.Context, args []string) (*round, error) {
	r := newRound(w)
	cmd := exec.CommandContext(ctx, args[0], w.skipping(args[1:])...)
	cmd.Stdout, cmd.Stderr = r, r
	cmd.WaitDelay = grace
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// A group of its own, to end what its tests have started with it. On Linux it ends with the thread that starts it.
	cmd.SysProcAttr = ownGroup()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	group := -cmd.Process.Pid
	ended := make(chan struct{})
	var guard sync.WaitGroup
	guard.Go(func() { r.guard(ended, cmd.Process.Pid) })
	err := cmd.Wait()
	close(ended)
	guard.Wait()
	_ = syscall.Kill(group, syscall.SIGKILL) // fails if nothing is left
	r.flush()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return nil, err
	}
	r.code = cmd.ProcessState.ExitCode()
	if r.verdict == "" {
		r.settle()
	}
	return r, nil
}

// skipping adds what is done to a binary's arguments.
func (w *Watcher) skipping(args []string) []string {
	const flag = "-test.skip="
	skip := slices.Clone(w.done)
	args = slices.Clone(args)
	for i, arg := range args {
		if pattern, ok := strings.CutPrefix(arg, flag); ok {
			args = slices.Delete(args, i, i+1)
			skip = append(skip, pattern)
			break
		}
	}
	if len(skip) == 0 {
		return args
	}
	return slices.Insert(args, 0, flag+strings.Join(skip, "|"))
}

// pattern matches one test, as the flag -test.skip takes it.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// marker begins what package testing says of tests, in the form that test2json reads.
const marker = "\x16"

// round is one run of a binary.
type round struct {
	*Watcher
	code    int
	verdict string // the binary's last line, PASS or FAIL, if it came to it

	mu      sync.Mutex
	line    []byte
	tests   map[string]*state
	failing string        // the test that has just failed: what panics says so first
	panics  string        // the test that panicked
	hung    string        // the test that is being ended
	dump    *bytes.Buffer // what the binary prints from then on
	written error
}

// state is that of a test that has begun.
type state struct {
	since  time.Time // when it began, or its last subtest ended
	paused bool      // it waits for others, being parallel
}

func newRound(w *Watcher) *round {
	return &round{Watcher: w, tests: map[string]*state{}}
}

// Write takes the binary's output.
func (r *round) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.line = append(r.line, p...)
	for {
		i := bytes.IndexByte(r.line, '\n')
		if i < 0 {
			return len(p), r.written
		}
		r.take(string(r.line[:i+1]))
		r.line = r.line[i+1:]
	}
}

func (r *round) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.line) > 0 {
		r.take(string(r.line) + "\n")
		r.line = nil
	}
}

var (
	begins = regexp.MustCompile(`^=== (RUN|PAUSE|CONT) +(\S+)\n`)
	ends   = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): (\S+) \(`)
)

// take passes a line on, and learns from it.
func (r *round) take(line string) {
	if r.dump != nil {
		r.dump.WriteString(line)
		return
	}
	if at := strings.LastIndex(line, marker); at >= 0 {
		r.failing = ""
		said := line[at+len(marker):]
		if said == "PASS\n" || said == "FAIL\n" {
			r.verdict, line = marker+said, line[:at]
		} else if m := begins.FindStringSubmatch(said); m != nil {
			r.begin(m[1], m[2])
		} else if m := ends.FindStringSubmatch(said); m != nil {
			if m[1] == "PASS" && r.broken[m[2]] {
				line = strings.Replace(line, "--- PASS:", "--- FAIL:", 1)
			}
			if m[1] == "FAIL" {
				r.failing = m[2]
			}
			r.end(m[2])
		}
	} else if strings.HasPrefix(line, "panic: ") {
		r.panics = r.failing
	}
	if r.written == nil && line != "" {
		_, r.written = io.WriteString(r.Out, line)
	}
}

func (r *round) begin(what, test string) {
	r.tests[test] = &state{since: time.Now(), paused: what == "PAUSE"}
}

func (r *round) end(test string) {
	delete(r.tests, test)
	parent, ok := parentOf(test)
	if !ok {
		r.skip(test)
	} else if s := r.tests[parent]; s != nil {
		s.since = time.Now()
	}
}

// skip keeps a test from running again. A pattern of a part of it would hide that of the whole from package testing.
func (r *round) skip(test string) {
	whole := pattern(test)
	r.done = slices.DeleteFunc(r.done, func(p string) bool { return strings.HasPrefix(p, whole+"/") })
	r.done = append(r.done, whole)
}

func parentOf(test string) (string, bool) {
	i := strings.LastIndexByte(test, '/')
	if i < 0 {
		return "", false
	}
	return test[:i], true
}

// busy lists the tests that run code of their own. One whose subtests are paused may wait for them to have their turn;
// if no other test has it, they wait for their parent.
func (r *round) busy() []string {
	var own, waiting []string
	for test, s := range r.tests {
		runs, pauses := false, false
		for other, o := range r.tests {
			if strings.HasPrefix(other, test+"/") {
				runs, pauses = runs || !o.paused, pauses || o.paused
			}
		}
		switch {
		case s.paused || runs:
		case pauses:
			waiting = append(waiting, test)
		default:
			own = append(own, test)
		}
	}
	if len(own) == 0 {
		own = waiting
	}
	slices.Sort(own)
	return own
}

// guard ends the binary when a test has reached the limit: first it is asked for its goroutines.
func (r *round) guard(ended <-chan struct{}, pid int) {
	tick := time.NewTicker(min(time.Second, r.Limit/4))
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		if r.overdue() {
			break
		}
	}
	_ = syscall.Kill(pid, syscall.SIGQUIT) // fails if it has just ended
	select {
	case <-ended:
	case <-time.After(grace):
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
}

// overdue finds a test that has reached the limit.
func (r *round) overdue() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.verdict != "" {
		return false
	}
	for _, test := range r.busy() {
		if time.Since(r.tests[test].since) >= r.Limit {
			r.hung, r.dump = test, &bytes.Buffer{}
			return true
		}
	}
	return false
}

// settle says of the tests that ended the binary that they failed. They do not run again.
func (r *round) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.hung != "":
		const why = "%s has reached the limit of %s, and is ended here:\n%s"
		r.fail(r.hung, fmt.Sprintf(why, r.hung, r.Limit, ofTests(r.dump.String())))
	case r.panics != "":
		r.drop(r.panics)
	default:
		for _, test := range r.busy() {
			r.fail(test, fmt.Sprintf("the test binary ended in %s\n", test))
		}
	}
}

// drop keeps a test from running again; those that it is part of run again without it, and fail.
func (r *round) drop(test string) {
	r.skip(test)
	for parent, ok := parentOf(test); ok; parent, ok = parentOf(parent) {
		r.broken[parent] = true
	}
}

func (r *round) fail(test, why string) {
	r.drop(test)
	_, err := fmt.Fprintf(
		r.Out,
		"%s=== NAME  %s\n%s%s--- FAIL: %s (%.2fs)\n",
		marker,
		test,
		why,
		marker,
		test,
		time.Since(r.tests[test].since).Seconds(),
	)
	if r.written == nil {
		r.written = err
	}
}

// ofTests picks the goroutines that are in a test out of a dump of all, without the frames below and above it, or
// gives the dump as it is.
func ofTests(dump string) string {
	var picked []string
	for stack := range strings.SplitSeq(dump, "\n\n") {
		if strings.HasPrefix(stack, "goroutine ") && strings.Contains(stack, "_test.go:") {
			picked = append(picked, framesOfRuntime.ReplaceAllString(stack+"\n", ""))
		}
	}
	if picked == nil {
		return dump
	}
	return strings.Join(picked, "\n")
}

// framesOfRuntime are calls within Go's packages runtime and testing, each with the line of its place.
var framesOfRuntime = regexp.MustCompile(`(?m)^(created by )?(runtime|testing)\..*\n\t.*\n`)
