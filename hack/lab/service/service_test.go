package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell is a service that runs a script, ready once the script has made the file "ready". It is stopped with the test.
func shell(t *testing.T, script string) *Service {
	t.Helper()
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	s := &Service{
		Name: "test",
		Dir:  dir,
		Args: []string{"/bin/sh", "-c", script},
		Prepare: func(context.Context) error {
			if err := os.Remove(ready); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		},
		Ready: func(context.Context) error { _, err := os.Stat(ready); return err },
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func start(t *testing.T, s *Service) int {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := s.PID()
	if pid == 0 {
		t.Fatal("started, but not running")
	}
	return pid
}

// A daemon does not hold a lock that its starter was given.
func TestPassesOnNothing(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock")
	fd, err := syscall.Open(lock, syscall.O_CREAT|syscall.O_RDWR, 0o600) // passed on, unlike what os.Open gives
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd) //nolint:errcheck // nothing is written
	pid := start(t, shell(t, serve))
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(open) < 3 {
		t.Fatalf("open files %q, %v", open, err)
	}
	for _, name := range open {
		if target, err := os.Readlink(name); err == nil && target == lock {
			t.Errorf("the daemon has %s open", lock)
		}
	}
}

const serve = "echo up; touch ready; exec sleep 100"

func TestStartKeepsStops(t *testing.T) {
	s := shell(t, serve)
	if s.PID() != 0 {
		t.Fatal("runs before it was started")
	}
	pid := start(t, s)
	if sid, _, errno := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0); errno != 0 || int(sid) != pid {
		t.Errorf("session %d (%v), want its own, %d", sid, errno, pid)
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || cwd != s.Dir {
		t.Errorf("working directory %s, %v; want %s", cwd, err, s.Dir)
	}
	if again := start(t, s); again != pid {
		t.Errorf("a second Start replaced process %d by %d", pid, again)
	}
	if log, err := os.ReadFile(s.Log()); err != nil || string(log) != "up\n" {
		t.Errorf("log %q, %v", log, err)
	}
	for range 2 { // the second time there is nothing to stop
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.PID() != 0 {
			t.Error("runs after Stop")
		}
	}
	if _, err := os.Stat(s.pidFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("pid file left behind: %v", err)
	}
}

func TestStartReplaces(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, s *Service)
	}{
		{"killed", func(t *testing.T, s *Service) { kill(t, s) }},
		{"changed input", func(t *testing.T, s *Service) { writeFile(t, s.Inputs[0], "two") }},
		{"other arguments", func(_ *testing.T, s *Service) { s.Args = append(s.Args, "more") }},
		{"no answer", func(t *testing.T, s *Service) {
			if err := os.Remove(filepath.Join(s.Dir, "ready")); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := shell(t, serve)
			s.Inputs = []string{filepath.Join(s.Dir, "input")}
			writeFile(t, s.Inputs[0], "one")
			pid := start(t, s)
			tc.change(t, s)
			if again := start(t, s); again == pid {
				t.Errorf("process %d is still the one", pid)
			}
			if _, err := os.Stat(s.Log() + ".1"); err != nil {
				t.Errorf("the log of the run before: %v", err)
			}
		})
	}
}

// A pid file whose process is gone, with the pid now a stranger's.
func TestStrangerIsLeftAlone(t *testing.T) {
	stranger := exec.Command("sleep", "100")
	stranger.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group of its own, which Stop would reach
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
	s := shell(t, serve)
	for _, content := range []string{
		fmt.Sprintf("%d 1 key\n", stranger.Process.Pid), "", "nonsense", "1 1 key", "-1 1 key", "999999999 1 key",
	} {
		writeFile(t, s.pidFile(), content)
		if pid := s.PID(); pid != 0 {
			t.Errorf("%q: pid %d", content, pid)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, ended, err := stat(stranger.Process.Pid); err != nil || ended {
		t.Errorf("the stranger is gone: %v", err)
	}
}

func TestKillsWhatIgnoresTerm(t *testing.T) {
	s := shell(t, "trap '' TERM; sleep 100 & echo $! > child; touch ready; while :; do wait; done")
	start(t, s)
	dt, err := os.ReadFile(filepath.Join(s.Dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(dt)))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := s.running()
	if err := p.terminate(t.Context(), 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if s.PID() != 0 {
		t.Error("runs after it was killed")
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(poll) {
		if _, ended, err := stat(child); err != nil || ended {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("its child runs on")
		}
	}
}

func TestStartErrors(t *testing.T) {
	t.Run("ends", func(t *testing.T) {
		s := shell(t, "echo cannot bind >&2; exit 3")
		err := s.Start(t.Context())
		for _, want := range []string{"start test: process ended: exit status 3", s.Log(), "cannot bind"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not have %q", err, want)
			}
		}
	})
	t.Run("never ready", func(t *testing.T) {
		s := shell(t, "echo still loading; exec sleep 100")
		ctx, cancel := context.WithCancel(t.Context())
		s.Ready = func(context.Context) error {
			if log, err := os.ReadFile(s.Log()); err == nil && len(log) > 0 { // it runs, so nobody has to guess how long
				cancel()
			}
			return errors.New("no answer")
		}
		err := s.Start(ctx)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "still loading") {
			t.Errorf("error %v, want that of ctx with the log", err)
		}
		if s.PID() != 0 {
			t.Error("left running")
		}
	})
	t.Run("no program", func(t *testing.T) {
		s := shell(t, "")
		s.Args = []string{filepath.Join(s.Dir, "missing")}
		if err := s.Start(t.Context()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("prepare", func(t *testing.T) {
		s := shell(t, serve)
		want := errors.New("port taken")
		s.Prepare = func(context.Context) error { return want }
		if err := s.Start(t.Context()); !errors.Is(err, want) || s.PID() != 0 {
			t.Errorf("error %v, pid %d", err, s.PID())
		}
	})
}

func TestTail(t *testing.T) {
	var lines []string
	for i := range 5000 {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	path := filepath.Join(t.TempDir(), "log")
	writeFile(t, path, strings.Join(lines, "\n")+"\n")
	if got, want := tail(path), strings.Join(lines[len(lines)-tailLines:], "\n"); got != want {
		t.Errorf("tail is %q, want %q", got, want)
	}
}

func kill(t *testing.T, s *Service) {
	t.Helper()
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); s.PID() != 0; time.Sleep(poll) {
		if time.Now().After(deadline) {
			t.Fatal("survives KILL")
		}
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
