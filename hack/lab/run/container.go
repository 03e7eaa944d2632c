package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// container is [Container], in this process.
func container(ctx context.Context, cache string, s Spec) (_ *Result, err error) {
	bundle, err := os.MkdirTemp("", "crosshull-run-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bundle)) }()
	platform := s.Platform
	if platform == "" {
		platform = "linux/amd64"
	}
	p, err := unpack(ctx, cache, s, platform, filepath.Join(bundle, "rootfs"))
	if err != nil {
		return nil, err
	}
	dt, err := json.Marshal(runtimeSpec(p))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), dt, 0o600); err != nil {
		return nil, err
	}

	if s.Port > 0 {
		if err := checkFree(s.Port); err != nil {
			return nil, fmt.Errorf("run %s: %w", s.Ref, err)
		}
	}

	id := filepath.Base(bundle)
	log := filepath.Join(bundle, "runc.log")
	var out output
	cmd := exec.Command("runc", "--log", log, "run", "--bundle", bundle, id)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start runc (Debian package runc): %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // ProcessState has what is of interest
		close(ended)
	}()
	defer func() {
		for { // again and again: runc may be about to make the container
			_ = exec.Command("runc", "delete", "--force", id).Run() // gone already if all went well
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()

	res := &Result{}
	var kill <-chan time.Time
	if s.Port > 0 {
		if res.Body, err = ask(ctx, s, ended); err != nil {
			return nil, fmt.Errorf("run %s: %w\n%s", s.Ref, err, tail(out.String()))
		}
		_ = exec.Command("runc", "kill", id, "TERM").Run() // fails if the app has ended by itself
		kill = time.After(stopTimeout)
	}
	for waiting := true; waiting; {
		select {
		case <-ended:
			waiting = false
		case <-kill:
			_ = exec.Command("runc", "kill", id, "KILL").Run()
		case <-ctx.Done():
			return nil, fmt.Errorf("run %s: %w\n%s", s.Ref, ctx.Err(), tail(out.String()))
		}
	}
	res.Output, res.ExitCode = out.String(), cmd.ProcessState.ExitCode()
	// Errors of runc are in its log. The output is that of the app, which may print anything.
	if dt, err := os.ReadFile(log); err == nil && bytes.Contains(dt, []byte("level=error")) {
		return nil, fmt.Errorf("run %s: %s", s.Ref, tail(strings.TrimSpace(string(dt))))
	}
	return res, nil
}

// stopTimeout is how long an app may take to end when it is told to, as with docker stop.
const stopTimeout = 10 * time.Second

// checkFree returns an error if another process already answers on the port.
func checkFree(port int) error {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil
	}
	_ = conn.Close()
	return fmt.Errorf("port %d is taken by another process", port)
}

// ask waits for an answer of the app.
func ask(ctx context.Context, s Spec, ended <-chan struct{}) (string, error) {
	url := s.url()
	for {
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no answer from %s: %w", url, ctx.Err())
		case <-ended:
			return "", fmt.Errorf("it ended before it answered at %s", url)
		case <-time.After(100 * time.Millisecond):
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		dt, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil && res.StatusCode == http.StatusOK {
			return string(dt), nil
		}
	}
}

// runtimeSpec is an OCI runtime configuration: own processes and mounts, the network of the host, no privileges beyond
// those that docker gives to root.
func runtimeSpec(p *process) map[string]any {
	var capabilities []string
	if p.uid == 0 {
		capabilities = []string{
			"CAP_CHOWN",
			"CAP_DAC_OVERRIDE",
			"CAP_FOWNER",
			"CAP_KILL",
			"CAP_NET_BIND_SERVICE",
			"CAP_SETGID",
			"CAP_SETUID",
		}
	}
	type object = map[string]any
	return object{
		"ociVersion": "1.0.2",
		"process": object{
			"args": p.args, "env": p.env, "cwd": p.dir,
			"user":            object{"uid": p.uid, "gid": p.gid},
			"noNewPrivileges": true,
			"capabilities":    object{"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
		},
		"root":     object{"path": "rootfs"},
		"hostname": "crosshull",
		"mounts": []object{
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"nosuid", "mode=755"}},
			{
				"destination": "/dev/shm",
				"type":        "tmpfs",
				"source":      "shm",
				"options":     []string{"nosuid", "noexec", "nodev", "mode=1777"},
			},
		},
		"linux": object{"namespaces": []object{{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}}},
	}
}

// output collects what a process prints while others read it.
type output struct {
	mu sync.Mutex
	b  strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
