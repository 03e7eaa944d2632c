package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPrepareHost(t *testing.T) {
	dir := t.TempDir()
	h := &host{dir: filepath.Join(dir, "host"), feed: "http://127.0.0.1:5080/v3/index.json"}
	copied := filepath.Join(dir, "app", "source")
	if err := writeFile(h.packages(), "some.package/1.0.0/some.package.nuspec", ""); err != nil {
		t.Fatal(err)
	}
	if err := h.prepare(copied); err != nil {
		t.Fatal(err)
	}
	if isDir(h.packages()) {
		t.Error("packages are left")
	}
	dt, err := os.ReadFile(filepath.Join(dir, "app", "nuget.config"))
	if err != nil || !strings.Contains(string(dt), h.feed) {
		t.Errorf("nuget.config above the copy: %v, %s", err, dt)
	}
	if isDir(copied) {
		t.Error("the copy itself was touched")
	}
}

// What the SDK leaves running is ended, and what others run is not.
func TestStopServers(t *testing.T) {
	ours, others := &host{dir: t.TempDir()}, &host{dir: t.TempDir()}
	start := func(h *host) (ended chan error) {
		t.Helper()
		cmd := exec.Command("sleep", "60")
		cmd.Env = append(os.Environ(), h.env()...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		ended = make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for range 100 { // until it is sleep that runs
			pids, err := withEnv(h.salt())
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(pids, cmd.Process.Pid) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		return ended
	}
	server, other := start(ours), start(others)
	if err := ours.stopServers(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-server: //nolint:errcheck // how it ended is no matter
	case <-time.After(5 * time.Second):
		t.Error("ours runs on")
	}
	select {
	case err := <-other:
		t.Errorf("another's has ended: %v", err)
	default:
	}
	if err := ours.stopServers(); err != nil {
		t.Errorf("with nothing to stop: %v", err)
	}
}
