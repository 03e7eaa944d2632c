package request_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/llb/dotnet"
)

func TestArguments(t *testing.T) {
	c := withSpec("args: {B: {default: 1, description: what}, A: x}", "image: {labels: {b: \"${B}\", a: \"${A}\"}}")
	c.Set("build-arg:B", "2")
	want := []report.Argument{
		{Name: "A", Value: "x"},
		{Name: "B", Value: "2", Description: "what", Given: true},
	}
	if got := read(t, c).Arguments(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

// keyring is a spec with secrets of all kinds.
func keyring() *gatewaytest.Client {
	return withSpec(
		"nuget:",
		"  secrets: {FEED: feed-url}",
		"  ca-secret: ca",
		"  feeds:",
		"    - {name: company, source: https://feed, password-secret: token}",
		"    - {name: open, source: https://open}",
		"publish: {secrets: {KEY: key}, ssh: [default]}",
		"apps:",
		"  web: {project: w, publish: {secrets: {WEB: web}}}",
		"  worker: {project: x, publish: {ssh: [deploy]}}",
		"  static: {project: none, base: {image: nginx}, files: [{from: www, to: /www}]}",
		"tests: {projects: [t], secrets: {DB: db}}",
	)
}

func TestSecrets(t *testing.T) {
	common := []string{
		"ca describe+restore nuget.ca-secret",
		"token describe+restore nuget.feeds.0.password-secret",
		"feed-url describe+restore nuget.secrets.FEED",
	}
	for target, want := range map[string][]string{
		"": {
			"key publish publish.secrets.KEY", "ssh default publish publish.ssh.0",
			"web publish apps.web.publish.secrets.WEB", "ssh deploy publish apps.worker.publish.ssh.0",
			"db test tests.secrets.DB",
		},
		"web": {
			"key publish publish.secrets.KEY", "web publish publish.secrets.WEB", "ssh default publish publish.ssh.0",
			"db test tests.secrets.DB",
		},
		"static": {"db test tests.secrets.DB"},
	} {
		c := keyring()
		c.Set("target", target)
		req := read(t, c)
		if target != "" {
			var err error
			if req, err = req.Choose(); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, s := range req.Secrets() {
			kind := ""
			if s.SSH {
				kind = "ssh "
			}
			got = append(got, fmt.Sprintf("%s%s %s %s", kind, s.ID, strings.Join(s.Phases, "+"), s.Key))
		}
		if want := slices.Concat(common, want); !slices.Equal(got, want) {
			t.Errorf("target %q:\n%q\nwant\n%q", target, got, want)
		}
	}
}

// A secret or an agent that nobody gave is told with the line that names it, and how to give it.
func TestMissingSecret(t *testing.T) {
	const secret = `secret %q is missing: give it to the build with --secret id=%s,env=VARIABLE or --secret id=%s,src=FILE`
	const agent = `an SSH agent %q is missing: give it to the build with --ssh %s`
	test := &dotnet.App{Path: "t/t.csproj"}
	for _, tc := range []struct {
		name, daemon string
		want         want
	}{
		{"secret", "failed to solve: secret token: not found", want{
			Says: "crosshull.yaml:6: " + fmt.Sprintf(secret, "token", "token", "token"), At: []string{"crosshull.yaml:6"},
		}},
		{"secret of an app", "secret web: not found", want{
			Says: "crosshull.yaml:10: " + fmt.Sprintf(secret, "web", "web", "web"), At: []string{"crosshull.yaml:10"},
		}},
		{"agent", "unset ssh forward key default", want{
			Says: "crosshull.yaml:8: " + fmt.Sprintf(agent, "default", "default"), At: []string{"crosshull.yaml:8"},
		}},
		{"no agents at all", `no SSH key "deploy" forwarded from the client`, want{
			Says: "crosshull.yaml:11: " + fmt.Sprintf(agent, "deploy", "deploy"), At: []string{"crosshull.yaml:11"},
		}},
		{"of others", "secret other: not found", want{Says: "secret other: not found"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := read(t, keyring())
			tc.want.Check(t, req.Diagnose(t.Context(), errors.New(tc.daemon), nil))
			tc.want.Check(t, req.DiagnoseTest(t.Context(), errors.New(tc.daemon), test, nil))
		})
	}
	t.Run("none", func(t *testing.T) {
		req := read(t, keyring())
		err := errors.Join(req.Diagnose(t.Context(), nil, nil), req.DiagnoseTest(t.Context(), nil, test, nil))
		if err != nil {
			t.Error(err)
		}
	})
}

// What failed steps left is read where package llb has them leave it.
func TestDiagnose(t *testing.T) {
	const restore, tests = "[restore] dotnet restore app", "[test] dotnet test t/t.csproj"
	c := withSpec()
	c.Mounts = map[string]fstest.MapFS{
		restore + " /diagnostics": {"errors.log": {Data: []byte("/source/app/app.csproj(2,1): error MSB4025: broken\n")}},
		tests + " /app": {"t/t.trx": {Data: []byte(`<TestRun><Results><UnitTestResult testName="A" outcome="Failed" />` +
			`</Results><ResultSummary><Counters total="1" executed="1" failed="1" /></ResultSummary></TestRun>`)}},
	}
	req := read(t, c)
	files := dotnet.Files{"app/app.csproj": []byte("<Project>\n<Broken>\n")}
	want{
		Says: "1 error in " + restore + "\n" +
			"    MSB4025: see https://learn.microsoft.com/visualstudio/msbuild/errors/msb4025\n" +
			"app/app.csproj(2,1): error MSB4025: broken",
		At: []string{"app/app.csproj:2"}, Solve: true,
	}.Check(t, req.Diagnose(t.Context(), gatewaytest.Failed(restore, "/source", "/diagnostics"), files))
	want{Says: "1 of 1 tests failed in " + tests + "\nA: ", Solve: true}.Check(t,
		req.DiagnoseTest(t.Context(), gatewaytest.Failed(tests, "/app", "/diagnostics"), &dotnet.App{Path: "t/t.csproj"},
			files))
}
