package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("CROSSHULL_LAB", t.TempDir()+"/it's here")
	for _, tc := range []struct {
		args           string
		env            string // CROSSHULL_LAB_FEED
		code           int
		stdout, stderr string
	}{
		{args: "", code: 2, stderr: "usage: lab"},
		{args: "start", code: 2, stderr: "usage: lab"},
		{args: "up now", code: 2, stderr: "usage: lab"},
		{args: "help", code: 0, stdout: "usage: lab"},
		{args: "env", code: 0, stdout: "export BUILDX_BUILDER='crosshull-lab'\n"},
		{args: "env", env: "here", code: 1, stderr: "lab: CROSSHULL_LAB_FEED: \"here\" is no HOST:PORT\n"},
		{args: "status", code: 1, stdout: "not running",
			stderr: "lab: buildkitd: not running; feed: not running; registry: not running\n"},
		{args: "down", code: 0},
	} {
		t.Run(tc.args, func(t *testing.T) {
			t.Setenv("CROSSHULL_LAB_FEED", tc.env)
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), strings.Fields(tc.args), &stdout, &stderr); code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, out := range []struct{ name, got, want string }{
				{"stdout", stdout.String(), tc.stdout}, {"stderr", stderr.String(), tc.stderr},
			} {
				if (out.want == "") != (out.got == "") || !strings.Contains(out.got, out.want) {
					t.Errorf("%s is %q, want %q in it", out.name, out.got, out.want)
				}
			}
		})
	}
}

func TestQuote(t *testing.T) {
	for _, want := range []string{"", "plain", "it's", "$HOME `x` \"y\" \\", "two\nlines"} {
		got, err := exec.Command("/bin/sh", "-c", "printf %s "+quote(want)).Output()
		if err != nil || string(got) != want {
			t.Errorf("the shell makes %q of it, %v; want %q", got, err, want)
		}
	}
}
