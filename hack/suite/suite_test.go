package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is also what watches the tests of the fake module.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "watch" {
		limit, err := time.ParseDuration(strings.TrimPrefix(os.Args[2], "-limit="))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		w := &Watcher{Limit: limit, Out: os.Stdout}
		code, err := w.Run(context.Background(), os.Args[3:])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// fake runs tests of the module in testdata, and gives what is shown of them.
func fake(t *testing.T, c Config, packages ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c.Modules = []Module{{Path: "example.com/fake", Dir: "testdata/fake", packages: packages}}
	c.Watch, c.Out = []string{self, "watch"}, &out
	err = Run(t.Context(), c)
	t.Logf("%s", &out)
	return out.String(), err
}

func wantLines(t *testing.T, out string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !regexp.MustCompile("(?m)" + want).MatchString(out) {
			t.Errorf("nothing matches %s", want)
		}
	}
}

// A test that hangs is ended with its name, its output and its place, and with what it started. All others run.
func TestHanging(t *testing.T) {
	t.Parallel()
	out, err := fake(t, Config{Limit: 2 * time.Second}, "./hangs")
	if !errors.Is(err, ErrFailed) {
		t.Errorf("error %v", err)
	}
	wantLines(t, out,
		`^  0m\d\ds  1/8  pass     0\.0s  example\.com/fake/hangs TestBefore$`,
		`^  0m\d\ds  2/8  fail +\d+\.\ds  example\.com/fake/hangs TestHangs$`, "said before it hangs",
		"TestHangs has reached the limit of 2s", `hangs_test\.go:20`,
		"fail .*TestParts/one_that_hangs$", `fail .*TestParts$`,
		`fail .*TestParent$`, `fail .*TestBesideHanging$`, `pass .*TestLong$`, `skip .*TestSkipped: not today$`,
		`^Skipped:$`, `^  skip .*TestSkipped: not today$`,
		`pass .*TestAfter$`, `^ +\d+\.\ds  example\.com/fake/hangs TestLong  \(2 build 2s\)$`,
		`^FAIL\texample\.com/fake/hangs\t`, `^DONE 8 tests, 1 skipped, 4 failures in \d+\.\d{3}s$`)
	if strings.Contains(out, "not shown") {
		t.Error("the output of a test that passes is shown")
	}
	for _, other := range []string{"runtime.gopark", "testing.(*M).Run"} {
		if strings.Contains(out, other+"(") {
			t.Errorf("goroutines that are in no test are shown: %s", other)
		}
	}
	var pid int
	if m := regexp.MustCompile(`sleeper: (\d+)`).FindStringSubmatch(out); m == nil {
		t.Error("what the test printed is not shown")
	} else if _, err := fmt.Sscan(m[1], &pid); err != nil {
		t.Error(err)
	} else if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("what the test started still runs: %v", err)
	}
}

// A test that ends its binary takes no other with it.
func TestPanicking(t *testing.T) {
	t.Parallel()
	out, err := fake(t, Config{Limit: time.Minute}, "./panics")
	if !errors.Is(err, ErrFailed) {
		t.Errorf("error %v", err)
	}
	wantLines(t, out, `1/5  fail .*TestPanics$`, "out of order", `fail .*TestPartPanics/part$`,
		`2/5  fail .*TestPartPanics$`, `3/5  fail .*TestGoroutinePanics$`, "somewhere else",
		`4/5  fail .*TestExits$`, `5/5  pass .*TestAfter$`, `^DONE 5 tests, 4 failures in`)
}

// What passes and what does not compile; the results of what passes are kept by Go.
func TestShort(t *testing.T) {
	t.Parallel()
	for _, cached := range []string{"", `\(cached\)$`} {
		out, err := fake(t, Config{Limit: time.Minute, Short: true}, "./fine", "./broken")
		if !errors.Is(err, ErrFailed) {
			t.Errorf("error %v", err)
		}
		wantLines(t, out, "NoSuchMethod", `fail  example.com/fake/broken$`, `3/4  ok  example.com/fake/fine`,
			`^ok  \texample.com/fake/fine\t`+cached, `^DONE 3 tests, 1 failure in`)
	}
	out, err := fake(t, Config{Limit: time.Minute, Short: true}, "./fine")
	if err != nil {
		t.Error(err)
	}
	wantLines(t, out, `^DONE 3 tests in`)
}

// The tests of packages that need the lab or an engine are run where there is one, and only there.
func TestPlan(t *testing.T) {
	const dir, module = "testdata/fake", "example.com/fake"
	unit := run{"the tests of " + module, dir, []string{"-race", module + "/broken", module + "/fine"}}
	builds := []string{"-count=1", "-parallel=" + strconv.Itoa(runtime.GOMAXPROCS(0)+1)}
	lab := run{"the tests of " + module + "/hangs", dir, slices.Concat(builds, []string{"-p=1", module + "/hangs"})}
	engine := run{"the tests of " + module + "/panics", dir, slices.Concat(builds, []string{module + "/panics"})}
	fine := run{"the tests of " + module, dir, []string{module + "/fine"}}
	const notRun = "NOT RUN: 8 tests, which need the lab (example.com/fake/hangs). Use another machine."
	for _, tc := range []struct {
		name   string
		config Config
		total  int
		want   []run
		notRun string
	}{
		{"neither", Config{Race: true}, 4, []run{unit}, ""},
		{"lab", Config{Race: true, Lab: true, HowLab: "Use another machine."}, 12, []run{unit, lab}, ""},
		{"engine", Config{Race: true, Engine: true, HowLab: "Use another machine."}, 9, []run{unit, engine}, notRun},
		{"a package", Config{Only: []string{module + "/fine"}}, 3, []run{fine}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lab := []Group{{Packages: []string{module + "/hangs"}}}
			m := Module{Path: module, Dir: dir, Lab: lab, Engine: []string{module + "/panics"}}
			tc.config.Modules = []Module{m}
			all, err := plan(t.Context(), tc.config)
			if err != nil || all.total != tc.total || !reflect.DeepEqual(all.runs, tc.want) {
				t.Errorf("%d tests, %v, %v; want %d, %v", all.total, all.runs, err, tc.total, tc.want)
			}
			if got := all.notRun(tc.config); got != tc.notRun {
				t.Errorf("said %q, want %q", got, tc.notRun)
			}
		})
	}
	both := []string{module + "/hangs", module + "/panics"}
	all, err := plan(t.Context(), Config{Race: true, Lab: true, Modules: []Module{
		{Path: module, Dir: dir, Lab: []Group{{Packages: both, Race: true}}},
	}})
	together := run{"the tests of " + strings.Join(both, ", "), dir, slices.Concat([]string{"-race"}, builds,
		[]string{"-p=2"}, both)}
	if want := []run{unit, together}; err != nil || !reflect.DeepEqual(all.runs, want) {
		t.Errorf("side by side: %v, %v; want %v", all.runs, err, want)
	}
	all, err = plan(t.Context(), Config{Race: true, Only: []string{module + "/fine"}, Modules: []Module{
		{Path: module, Dir: dir, Busy: []string{module + "/fine"}},
	}})
	busy := run{"the tests of " + module + " that compute", dir, []string{module + "/fine"}}
	if want := []run{busy}; err != nil || !reflect.DeepEqual(all.runs, want) {
		t.Errorf("without the race detector: %v, %v; want %v", all.runs, err, want)
	}
	m := Module{Path: module, Dir: dir, Lab: []Group{{Packages: []string{module + "/hangs"}}}}
	for _, name := range []string{module + "/hangs", module + "/nowhere"} {
		_, err := plan(t.Context(), Config{Modules: []Module{m}, Only: []string{name}})
		if err == nil || !strings.Contains(err.Error(), name+" is no package with tests that can run here") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// What runs is told when nothing else has been for a while.
func TestRemind(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	r := newReport(&out, 3, false, func() time.Time { return now })
	r.take(event{Time: now, Action: "run", Package: "p", Test: "TestA"})
	r.take(event{Time: now, Action: "run", Package: "p", Test: "TestA/part"})
	now = now.Add(29 * time.Second)
	r.remind()
	if out.Len() > 0 {
		t.Errorf("said too soon: %s", &out)
	}
	now = now.Add(time.Second)
	r.remind()
	r.remind()
	if got, want := out.String(), "  0m30s  0/3  runs: p TestA/part, for 0m30s\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	out.Reset()
	r.take(event{Time: now, Action: "pass", Package: "p", Test: "TestA/part"})
	r.take(event{Time: now, Action: "pass", Package: "p", Test: "TestA"})
	r.compiles("the tests of q")
	now = now.Add(30 * time.Second)
	r.remind()
	want := "  0m30s  1/3  pass     0.0s  p TestA\n" +
		"  0m30s  1/3  compiles the tests of q\n" +
		"  1m00s  1/3  compiles the tests of q\n"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A run's file tells where its time went: compiling, tests, and what they waited for.
func TestTimes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tests.json")
	events := strings.ReplaceAll(`{"Time":"2026-01-01T00:00:00Z","Action":"called"}
no event
{"Time":"2026-01-01T00:00:20Z","Action":"start","Package":"E2E"}
{"Time":"2026-01-01T00:00:20Z","Action":"run","Package":"E2E","Test":"TestA"}
{"Time":"2026-01-01T00:00:20Z","Action":"run","Package":"E2E","Test":"TestA/one"}
{"Time":"2026-01-01T00:00:25Z","Action":"attr","Package":"E2E","Test":"TestA/one","Key":"spent-build","Value":"4.000"}
{"Time":"2026-01-01T00:00:25Z","Action":"attr","Package":"E2E","Test":"TestA/one","Key":"other","Value":"4.000"}
{"Time":"2026-01-01T00:00:30Z","Action":"attr","Package":"E2E","Test":"TestA/one","Key":"spent-machine","Value":"5.000"}
{"Time":"2026-01-01T00:00:30Z","Action":"pass","Package":"E2E","Test":"TestA/one","Elapsed":10}
{"Time":"2026-01-01T00:00:33Z","Action":"attr","Package":"E2E","Test":"TestA","Key":"spent-build","Value":"3.000"}
{"Time":"2026-01-01T00:00:33Z","Action":"pass","Package":"E2E","Test":"TestA","Elapsed":13}
{"Time":"2026-01-01T00:00:34Z","Action":"pass","Package":"E2E","Test":"TestB","Elapsed":1}
{"Time":"2026-01-01T00:00:35Z","Action":"pass","Package":"E2E","Elapsed":15}
`, "E2E", "github.com/crosshull/crosshull/hack/e2e")
	if err := os.WriteFile(file, []byte(events), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Times(file)
	if err != nil {
		t.Fatal(err)
	}
	const want = `| packages | compiling | tests |
|---|--:|--:|
| hack/e2e | 20 s | 15 s |

| tests wait for | times | in all | each |
|---|--:|--:|--:|
| build | 2 | 7 s | 3.5 s |
| machine | 1 | 5 s | 5.0 s |

| test | in all | of that |
|---|--:|---|
| hack/e2e TestA | 13 s | 2 build 7s, 1 machine 5s |
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
