package request_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/moby/buildkit/solver/errdefs"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/request"
)

// readText reads a spec.
func readText(t *testing.T, text string) *request.Request {
	t.Helper()
	gw, err := gateway.New(t.Context(), &gatewaytest.Client{
		Options: map[string]string{"filename": "crosshull.yaml"},
		Context: fstest.MapFS{"crosshull.yaml": {Data: []byte(text)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gw.Close(&err) })
	req, err := request.Read(t.Context(), gw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// Mistakes come in the order of the file, each with its place, and the last line of the message is one of them.
func TestMistakesOfSpec(t *testing.T) {
	var spec strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&spec, "key%d: x\n", i)
	}
	err := readText(t, spec.String()).Mistakes()
	lines := strings.Split(err.Error(), "\n")
	for i, want := range map[int]string{
		0: `crosshull.yaml:1: unknown key "key0"`, len(lines) - 2: "and 980 more mistakes",
		len(lines) - 1: `crosshull.yaml:20: unknown key "key19"`,
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d of %d is %q, want %q", i, len(lines), lines[i], want)
		}
	}
	if len(lines) != 21 {
		t.Errorf("%d lines", len(lines))
	}
}

// What an excerpt of a spec shows is text, in as many lines as the file has for those who count.
func TestExcerptIsText(t *testing.T) {
	err := readText(t, "project: a\rb\nimage: {env: {A: \"x\u2028y\", B: \"\tz\xff\"}}\nkey: x\n").Mistakes()
	sources := errdefs.Sources(err)
	if len(sources) == 0 {
		t.Fatalf("no place in %v", err)
	}
	var b strings.Builder
	if err := sources[0].Print(&b); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\r\u2028\t") || !utf8.ValidString(b.String()) {
		t.Errorf("not as text:\n%q", b.String())
	}
}

// Who gives a step no secret or agent is told where the spec asks for it. Names that begin alike are told apart.
func TestMissingSecrets(t *testing.T) {
	req := readText(t, `# syntax=x
publish:
  ssh: [deploy, deploy2]
  secrets:
    KEY: api
    OTHER: api.key
`)
	for _, tc := range []struct{ daemon, want string }{
		{"failed to solve: secret api: not found",
			`crosshull.yaml:5: secret "api" is missing: give it to the build with --secret id=api,env=VARIABLE or --secret ` +
				`id=api,src=FILE`},
		{"secret api.key: not found",
			`crosshull.yaml:6: secret "api.key" is missing: give it to the build with --secret id=api.key,env=VARIABLE or ` +
				`--secret id=api.key,src=FILE`},
		{"unset ssh forward key deploy",
			`crosshull.yaml:3: an SSH agent "deploy" is missing: give it to the build with --ssh deploy`},
		{"unset ssh forward key deploy2",
			`crosshull.yaml:3: an SSH agent "deploy2" is missing: give it to the build with --ssh deploy2`},
		{`no SSH key "deploy2" forwarded from the client`,
			`crosshull.yaml:3: an SSH agent "deploy2" is missing: give it to the build with --ssh deploy2`},
		{"secret another: not found", ""},
		{"no such file or directory", ""},
	} {
		failed := gatewaytest.Failed("[publish]", "/diagnostics")
		err := fmt.Errorf("%s: %w", tc.daemon, failed)
		got := req.Diagnose(t.Context(), err, nil)
		if !errors.Is(got, failed) {
			t.Errorf("%s: the chain is lost", tc.daemon)
		}
		if tc.want == "" {
			if got != err { //nolint:errorlint // the very error
				t.Errorf("%s became %v", tc.daemon, got)
			}
			continue
		}
		if got.Error() != tc.want {
			t.Errorf("%s: %v, want %s", tc.daemon, got, tc.want)
		}
		if sources := errdefs.Sources(got); len(sources) != 1 {
			t.Errorf("%s: %d places", tc.daemon, len(sources))
		}
	}
}
