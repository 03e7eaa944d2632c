package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, tc := range []struct {
		args           []string
		env            string // CROSSHULL_LAB_FEED
		code           int
		stdout, stderr string
	}{
		{args: []string{"-h"}, stdout: "usage: bench"},
		{args: []string{"-rounds", "0"}, code: 2, stderr: "bench: -rounds: at least 1\nusage: bench"},
		{args: []string{"-rounds", "many"}, code: 2, stderr: "usage: bench"},
		{args: []string{"-case", "("}, code: 2, stderr: "missing closing )"},
		{args: []string{"aspnetapp"}, code: 2, stderr: `bench: unexpected "aspnetapp"`},
		{args: []string{"-case", "no such case"}, code: 1, stderr: "bench: nothing of the plan matches\n"},
		{env: "here", code: 1, stderr: "bench: CROSSHULL_LAB_FEED: \"here\" is no HOST:PORT\n"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			t.Setenv("CROSSHULL_LAB_FEED", tc.env)
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), tc.args, &stdout, &stderr); code != tc.code {
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

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "1", "-case", "aspnetapp", "-docs", "out"})
	if err != nil {
		t.Fatal(err)
	}
	if o.Rounds != 1 || !o.Filter.Case.MatchString("aspnetapp, portable, amd64") || o.Filter.Complete() ||
		o.docs != "out" {
		t.Errorf("got %+v", o)
	}
	if o, err = parse(nil); err != nil || o.Rounds != 3 || !o.Filter.Complete() {
		t.Errorf("without flags: %+v, %v", o, err)
	}
}
