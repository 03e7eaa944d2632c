package run

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
	"time"
)

// Container runs an image under runc, on the network of the host: two that listen to one port exclude each other.
// An image of another architecture fails as it does in docker, with an exec format error.
func Container(ctx context.Context, s Spec) (_ *Result, err error) {
	bundle, err := os.MkdirTemp("", "crosshull-run-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(bundle)) }()
	platform := s.Platform
	if platform == "" {
		platform = "linux/amd64"
	}
	p, err := unpack(ctx, s, platform, filepath.Join(bundle, "rootfs"))
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

	id := filepath.Base(bundle)
	var out output
	cmd := exec.Command("runc", "run", "--bundle", bundle, id)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start runc (Debian package runc): %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// Force takes a container that runs, and one that never came to be.
	defer exec.Command("runc", "delete", "--force", id).Run() //nolint:errcheck // gone already if all went well

	res := &Result{}
	if s.Port > 0 {
		if res.Body, err = ask(ctx, s, ended); err != nil {
			_ = exec.Command("runc", "delete", "--force", id).Run()
			return nil, fmt.Errorf("run %s: %w\n%s", s.Ref, err, tail(out.String()))
		}
		if err := exec.Command("runc", "kill", id, "TERM").Run(); err != nil {
			return nil, fmt.Errorf("stop %s: %w", s.Ref, err)
		}
	}
	select {
	case err = <-ended:
	case <-ctx.Done():
		return nil, fmt.Errorf("run %s: %w\n%s", s.Ref, ctx.Err(), tail(out.String()))
	}
	res.Output = out.String()
	if res.ExitCode = cmd.ProcessState.ExitCode(); err != nil && strings.Contains(res.Output, "runc run failed") {
		return nil, fmt.Errorf("run %s: %w: %s", s.Ref, err, tail(res.Output))
	}
	return res, nil
}

// ask waits for an answer of the app.
func ask(ctx context.Context, s Spec, ended chan error) (string, error) {
	url := fmt.Sprintf("http://127.0.0.1:%d/%s", s.Port, strings.TrimPrefix(s.Path, "/"))
	for {
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no answer from %s: %w", url, ctx.Err())
		case err := <-ended:
			ended <- err
			return "", fmt.Errorf("it ended before it answered: %w", err)
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
		capabilities = []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"}
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
			{"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": []string{"nosuid", "noexec", "nodev", "mode=1777"}},
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
