package repro

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// repository makes a git repository of a folder, and serves it on loopback until stop.
func (r *runner) repository(ctx context.Context, src, tmp string) (url string, stop func(), err error) {
	work := filepath.Join(tmp, "work")
	if err := r.copy(src, work); err != nil {
		return "", nil, err
	}
	git := func(dir string, args ...string) error {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = dir
		cmd.Env = append(
			os.Environ(),
			"GIT_CONFIG_GLOBAL=/dev/null",
			"GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=repro",
			"GIT_AUTHOR_EMAIL=repro@localhost",
			"GIT_COMMITTER_NAME=repro",
			"GIT_COMMITTER_EMAIL=repro@localhost",
		)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	// The folder has got an owner that git distrusts.
	if err := os.Chown(work, os.Geteuid(), os.Getegid()); err != nil {
		return "", nil, err
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "--all", "--force"},
		{"commit", "--quiet", "--message=sources"},
		{"clone", "--quiet", "--bare", ".", filepath.Join(tmp, "served", "repo.git")},
	} {
		if err := git(work, args...); err != nil {
			return "", nil, err
		}
	}
	url, stop, err = ServeGit(filepath.Join(tmp, "served"))
	return url + "/repo.git#main", stop, err
}

// ServeGit serves the bare repositories in a folder by HTTP on loopback, as git's own server program does, until stop.
func ServeGit(dir string) (url string, stop func(), err error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return "", nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: &cgi.Handler{
		Path: program,
		Args: []string{"http-backend"},
		Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null",
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}}
	go srv.Serve(ln) //nolint:errcheck // ends with Close
	return "http://" + ln.Addr().String(), func() { _ = srv.Close() }, nil
}
