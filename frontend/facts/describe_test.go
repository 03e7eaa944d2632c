package facts_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/solver/errdefs"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/tree"
)

// apps asks about the app of a context.
func apps(t *testing.T, c *gatewaytest.Client) (*facts.Facts, error) {
	t.Helper()
	gw, err := gateway.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gw.Close(&err) })
	req, err := request.Read(t.Context(), gw, nil)
	if err != nil {
		t.Fatal(err)
	}
	if req, err = req.Choose(); err != nil {
		t.Fatal(err)
	}
	sources, err := tree.Read(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	asker, err := facts.New(t.Context(), req, sources)
	if err != nil {
		t.Fatal(err)
	}
	return asker.Apps(t.Context())
}

const describe = "[describe] dotnet msbuild -t:ComputeContainerConfig projects"

// asked is how often MSBuild was asked.
func asked(c *gatewaytest.Client) int {
	n := 0
	for _, name := range c.Solved() {
		if name == describe {
			n++
		}
	}
	return n
}

// MSBuild finds no SDK in a feed whose secret is missing. The error is about the secret then.
func TestSDKWithoutSecret(t *testing.T) {
	const secrets = "[restore] secrets of feeds"
	for _, tc := range []struct {
		name, secret, code string
		of                 error // of the step that wants the secrets
		want               string
		asks               bool // for the secrets
	}{
		{"a missing secret", ", password-secret: token", "MSB4236", errors.New("secret token: not found"),
			`crosshull.yaml:2: secret "token" is missing: `, true},
		{"all secrets", ", password-secret: token", "MSB4236", nil, "describe the project: ", true},
		{"no secrets", "", "MSB4236", nil, "describe the project: ", false},
		{"an error that is about no feed", ", password-secret: token", "MSB4019", nil, "describe the project: ", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Spec("nuget: {feeds: [{name: mine" + tc.secret + "}]}")
			c.Say("nuget.config", `<configuration><packageSources><add key="mine" value="https://mine/" /></packageSources>`+
				`</configuration>`)
			answer := gatewaytest.App("app/app.csproj", nil)
			answer.Errors = []gatewaytest.Problem{{File: "app/app.csproj", Code: tc.code, Message: "not found"}}
			c.Step(gatewaytest.Step{Name: describe, Files: gatewaytest.Description(answer)},
				gatewaytest.Step{Name: secrets, Err: tc.of})
			_, err := apps(t, c)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("error %v\nwant %s…", err, tc.want)
			}
			if got := slices.Contains(c.Solved(), secrets); got != tc.asks {
				t.Errorf("asked for the secrets: %v, want %v", got, tc.asks)
			}
		})
	}
}

// What MSBuild says of projects that it cannot describe is a result, which BuildKit keeps. An old one that may have
// been about a feed is asked for again.
func TestFailureIsKept(t *testing.T) {
	old, fresh := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	const missing, sdk = "MSB4019: x.props was not found", "MSB4236: The SDK 'X' was not found"
	problem := func(text string) gatewaytest.Problem {
		code, message, _ := strings.Cut(text, ": ")
		return gatewaytest.Problem{File: "app/app.csproj", Code: code, Message: message, Project: "app/app.csproj"}
	}
	left := func(answer gatewaytest.Answer, at time.Time) gatewaytest.Step {
		files := gatewaytest.Description(answer)
		files["description.json"].ModTime = at
		return gatewaytest.Step{Files: files}
	}
	ofApp := func(text string, at time.Time) gatewaytest.Step {
		answer := gatewaytest.App("app/app.csproj", nil)
		answer.Errors = []gatewaytest.Problem{problem(text)}
		return left(answer, at)
	}
	broken := gatewaytest.Candidate{Path: "app/app.csproj", Kind: "broken", Error: new(problem(missing))}
	inLine := func(text string) gatewaytest.Problem {
		of := problem(text)
		of.Line = 2
		return of
	}
	ofLine := func(text string) gatewaytest.Step {
		answer := gatewaytest.App("app/app.csproj", nil)
		answer.Errors = []gatewaytest.Problem{inLine(text)}
		return left(answer, fresh)
	}
	brokenIn := gatewaytest.Candidate{Path: "app/app.csproj", Kind: "broken", Error: new(inLine(missing))}
	library := gatewaytest.Candidate{Path: "lib/lib.csproj", Kind: "library", OutputType: "Library"}
	says := func(line string) string {
		return "describe the project: 1 error in " + describe + "…" + "\napp/app.csproj: error " + line
	}
	const nothing = "crosshull.yaml:1: nothing to publish in the context: …app/app.csproj: error " + missing + ")"
	at := []string{"crosshull.yaml:1"}
	for _, tc := range []struct {
		name string
		step gatewaytest.Step
		want string // how it begins, and how it ends
		at   []string
		runs int
	}{
		{"just now", ofApp(missing, fresh), says(missing), at, 1},
		{"before", ofApp(missing, old), says(missing), at, 1},
		{"in a line of a file", ofLine(missing), "describe the project: …app/app.csproj(2): error " + missing,
			[]string{"app/app.csproj:2"}, 1},
		{"a feed, just now", ofApp(sdk, fresh), says(sdk), at, 1},
		{"a feed, before", ofApp(sdk, old), says(sdk), at, 2},
		{"the only project", left(gatewaytest.Answer{Candidates: []gatewaytest.Candidate{broken}}, old),
			says(missing), at, 1},
		{"one of several projects", left(gatewaytest.Answer{Candidates: []gatewaytest.Candidate{library, broken}}, old),
			nothing, at, 1},
		{"one of several projects, in a line", left(gatewaytest.Answer{
			Candidates: []gatewaytest.Candidate{library, brokenIn},
		}, old), "crosshull.yaml:1: nothing to publish in the context: …app/app.csproj(2): error " + missing + ")",
			[]string{"crosshull.yaml:1", "app/app.csproj:2"}, 1},
		{"a step that fails", gatewaytest.Step{Err: gatewaytest.Failed(describe, "/diagnostics")},
			"describe the project: process…exit code: 1", at, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			tc.step.Name = describe
			c.Step(tc.step)
			_, err := apps(t, c)
			begin, end, _ := strings.Cut(tc.want, "…")
			if err == nil || !strings.HasPrefix(err.Error(), begin) || !strings.HasSuffix(err.Error(), end) {
				t.Errorf("error\n%v\nwant\n%s", err, tc.want)
			}
			gatewaytest.Want{Says: "…", At: tc.at, Solve: tc.step.Err != nil}.Check(t, err)
			var vertex *errdefs.VertexError // whose log the history of builds shows
			if errors.As(err, &vertex) == strings.HasPrefix(begin, "crosshull.yaml:1: nothing to publish") {
				t.Errorf("no vertex, or one that did not fail: %v", err)
			}
			if n := asked(c); n != tc.runs {
				t.Errorf("asked %d times, want %d", n, tc.runs)
			}
		})
	}
}

// MSBuild is asked again with the contents of the files that it wants. What it says before it has them does not count.
func TestRounds(t *testing.T) {
	app := gatewaytest.App("app/app.csproj", nil)
	guess := gatewaytest.App("other/other.csproj", nil)
	guess.Errors = []gatewaytest.Problem{{Message: "the version is empty", Project: "other/other.csproj"}}
	for _, tc := range []struct {
		name  string
		asks  []string // what it wants, round by round
		wants string   // the error
		runs  int
	}{
		{"nothing", nil, "", 1},
		{"once", []string{"VERSION"}, "", 2},
		{"two at a time", []string{"VERSION a.txt"}, "", 2},
		{"by a link", []string{"link.txt"}, "", 2},
		{"three times", []string{"a.txt", "b.txt", "c.txt"}, "", 4},
		{"too often", append(slices.Repeat([]string{"a.txt"}, 19), "VERSION"),
			"describe the project: MSBuild still asks for files after 20 rounds, and VERSION was the last" +
				gatewaytest.Bug, 20},
		{"what is not there", []string{"a.txt", "none.txt"},
			"describe the project: there is no none.txt in the context, or an ignore file leaves it out", 2},
		{"a folder", []string{"app"}, "describe the project: app is not a file", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			for _, name := range []string{"VERSION", "a.txt", "b.txt", "c.txt"} {
				c.Say(name, "1.0")
			}
			c.Context["link.txt"] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("a.txt")}
			files := fstest.MapFS{}
			round := 0
			c.Step(gatewaytest.Step{Name: describe, Files: files, Do: func(context.Context) error {
				says := gatewaytest.Evaluation{Answers: []gatewaytest.Answer{app}, Outputs: []string{"app/out"}}
				if round < len(tc.asks) {
					says = gatewaytest.Evaluation{
						Answers: []gatewaytest.Answer{guess}, Outputs: []string{"a"}, Asks: strings.Fields(tc.asks[round]),
					}
				}
				round++
				maps.Copy(files, says.Files())
				return nil
			}})
			f, err := apps(t, c)
			switch {
			case tc.wants != "":
				gatewaytest.Want{Says: tc.wants}.Check(t, err)
			case err != nil:
				t.Fatal(err)
			case f.App.Path != "app/app.csproj" || !slices.Equal(f.Answer.Outputs, []string{"app/out"}):
				t.Errorf("it takes %s, with outputs %q", f.App.Path, f.Answer.Outputs)
			}
			if n := asked(c); n != tc.runs || round != tc.runs {
				t.Errorf("asked %d times, answered %d times, want %d", n, round, tc.runs)
			}
		})
	}
}
