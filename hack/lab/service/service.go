// Package service runs daemons that outlive the program that starts them.
//
// A running service has its own session. Its output is in DIR/NAME.log. DIR/NAME.pid has its process id, its start
// time, and a key of what it was started from. A process counts as the service only if its start time fits, so after a
// crash or a reboot an old pid file never makes us send a signal to another process.
package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Service describes one daemon. The zero values of Inputs and Prepare are fine.
type Service struct {
	Name string
	Dir  string   // where its pid and log files are
	Args []string // the command line; Args[0] is the program's path
	// Inputs are files the process reads once, when it starts: after a change of one of them, or of Args or of the
	// program itself, Start replaces a running process.
	Inputs []string
	// Prepare is called when the service is about to be started, with no process of it running.
	Prepare func(context.Context) error
	// Ready returns nil once the service can be used.
	Ready func(context.Context) error
}

const (
	startTimeout = 30 * time.Second // from start to ready
	checkTimeout = 5 * time.Second  // for a running service to answer
	stopTimeout  = 10 * time.Second // from TERM to KILL
	poll         = 20 * time.Millisecond
	tailLines    = 15
)

// Start starts the service and waits until it is ready. It keeps a process that runs already, if that answers and was
// started from the same program, arguments and inputs; otherwise it replaces it. The error of a service that does not
// get ready has the end of its log.
func (s *Service) Start(ctx context.Context) error {
	key, err := s.key()
	if err != nil {
		return err
	}
	if p, ok := s.running(); ok {
		if p.key == key && s.answers(ctx) {
			return nil
		}
		if err := s.Stop(ctx); err != nil {
			return err
		}
	}
	if s.Prepare != nil {
		if err := s.Prepare(ctx); err != nil {
			return err
		}
	}
	return s.launch(ctx, key)
}

// Stop ends the service and what is left of its process group. It is no error if the service does not run.
func (s *Service) Stop(ctx context.Context) error {
	p, ok := s.running()
	if ok {
		if err := p.terminate(ctx, stopTimeout); err != nil {
			return fmt.Errorf("stop %s (pid %d): %w", s.Name, p.pid, err)
		}
	}
	if err := os.Remove(s.pidFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Kill ends the service at once, without a chance to clean up. It is an error if it does not run.
func (s *Service) Kill() error {
	p, ok := s.running()
	if !ok {
		return fmt.Errorf("kill %s: it does not run", s.Name)
	}
	if err := syscall.Kill(p.pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s (pid %d): %w", s.Name, p.pid, err)
	}
	for deadline := time.Now().Add(stopTimeout); p.alive(); time.Sleep(poll) {
		if time.Now().After(deadline) {
			return fmt.Errorf("kill %s (pid %d): still there", s.Name, p.pid)
		}
	}
	return nil
}

// PID is the process id of the running service, or 0.
func (s *Service) PID() int {
	p, _ := s.running()
	return p.pid
}

// Log is the path of the service's log. The log of the run before has ".1" appended.
func (s *Service) Log() string { return filepath.Join(s.Dir, s.Name+".log") }

func (s *Service) pidFile() string { return filepath.Join(s.Dir, s.Name+".pid") }

func (s *Service) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return s.Ready(ctx) == nil
}

// key identifies what a process is started from. Contents count, times do not: compilers touch what is up to date.
func (s *Service) key() (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q\n", s.Args) // writing to a hash never fails
	for _, path := range append([]string{s.Args[0]}, s.Inputs...) {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		n, err := io.Copy(h, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(h, " %d\n", n) // so that bytes that move from one file to the next change the key
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

func (s *Service) launch(ctx context.Context, key string) error {
	if err := os.Rename(s.Log(), s.Log()+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	log, err := os.Create(s.Log())
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()            // the process has its own copy
	cmd := exec.Command(s.Args[0], s.Args[1:]...) // not CommandContext: it is to outlive ctx
	cmd.Dir = s.Dir                               // not a folder the caller may want to remove
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := passOnNothing(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	p := process{pid: cmd.Process.Pid, key: key}
	// Before Wait, so that there is something to read even if the process has ended.
	p.started, _, err = stat(p.pid)
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	if err == nil {
		err = os.WriteFile(s.pidFile(), []byte(p.String()), 0o644)
	}
	if err == nil {
		err = s.await(ctx, exited)
	}
	if err == nil {
		return nil
	}
	// ctx may be what ended the wait; the process must go all the same.
	stopErr := s.Stop(context.WithoutCancel(ctx))
	return errors.Join(fmt.Errorf("start %s: %w\n%s:\n%s", s.Name, err, s.Log(), tail(s.Log())), stopErr)
}

// passOnNothing makes sure that a started process inherits only the standard streams. Otherwise, if flock(1) runs this
// program, a daemon would get its lock, and hold it for as long as the daemon runs.
func passOnNothing() error {
	const dir = "/proc/self/fd"
	open, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// await waits until the service is ready, its process has exited, or time is up.
func (s *Service) await(ctx context.Context, exited <-chan error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not ready after %s", startTimeout))
	defer cancel()
	for {
		err := s.Ready(ctx)
		select {
		case exit := <-exited:
			if exit == nil {
				exit = errors.New("exit status 0")
			}
			return fmt.Errorf("process ended: %w", exit)
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(poll):
		}
	}
}

// running returns the service's process if it lives.
func (s *Service) running() (process, bool) {
	dt, err := os.ReadFile(s.pidFile())
	if err != nil {
		return process{}, false
	}
	var p process
	if _, err := fmt.Sscan(string(dt), &p.pid, &p.started, &p.key); err != nil || p.pid <= 1 || !p.alive() {
		return process{}, false
	}
	return p, true
}

// A process is identified by its id and the time it started, in clock ticks since boot.
type process struct {
	pid     int
	started uint64
	key     string
}

func (p process) String() string { return fmt.Sprintf("%d %d %s\n", p.pid, p.started, p.key) }

func (p process) alive() bool {
	started, ended, err := stat(p.pid)
	return err == nil && !ended && started == p.started
}

// terminate sends TERM to the process's group, and KILL if it has not ended within grace.
func (p process) terminate(ctx context.Context, grace time.Duration) error {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(-p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		for deadline := time.Now().Add(grace); time.Now().Before(deadline); {
			if !p.alive() {
				// The session's leader is gone; what it left behind in its group goes too.
				_ = syscall.Kill(-p.pid, syscall.SIGKILL)
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(poll):
			}
		}
	}
	return errors.New("still there after KILL")
}

// stat reads when a process started, and whether it has ended and merely waits to be reaped.
func stat(pid int) (started uint64, ended bool, err error) {
	dt, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false, err
	}
	// The second field is the program's name in parentheses and may hold anything.
	fields := bytes.Fields(dt[bytes.LastIndexByte(dt, ')')+1:])
	if len(fields) < 20 {
		return 0, false, fmt.Errorf("unexpected /proc/%d/stat: %q", pid, dt)
	}
	started, err = strconv.ParseUint(string(fields[19]), 10, 64)
	return started, fields[0][0] == 'Z' || fields[0][0] == 'X', err
}

// tail returns the last lines of a file.
func tail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }()
	const most = 16 << 10
	if fi, err := f.Stat(); err == nil && fi.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	dt, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(dt), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
