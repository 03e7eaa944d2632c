// Package suite runs the tests of the repository and shows them while they run: each test, how many of how many, and
// how long; what fails, with its output; at the end the slowest. Each test has a limit of its own (see [Watcher]).
//
// Contract: what is run is what `go test` runs, in both modules; its cache of results is used where a result depends on
// nothing that Go does not see. The last line says what came of it, as test runners write it: DONE 3 tests in 1.5s.
package suite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

// Module is a Go module that has tests.
type Module struct {
	Path string
	Dir  string // its folder
	// Lab are groups of packages whose tests need the lab. One group runs after the other.
	Lab []Group
	// Busy are packages of the others whose tests compute all the time. They run without the race detector, which would
	// take eight times as long.
	Busy []string
	// Engine are packages whose tests need a Docker engine. In the lab, a test of hack/e2e runs them.
	Engine []string
	// Fresh: its tests read files outside of the module, which Go does not look at when it keeps results.
	Fresh bool

	packages []string // other than all, for tests
}

// Group are packages whose tests run side by side.
type Group struct {
	Packages []string
	// Race: they run with the race detector, which takes a fifth of the machine from builds that other tests wait for.
	Race bool
}

// Modules are those of the repository, from the folder of hack.
var Modules = []Module{
	{Path: "github.com/crosshull/crosshull", Dir: ".."},
	{
		Path: "github.com/crosshull/crosshull/hack",
		Dir:  ".",
		Lab: []Group{
			{Packages: []string{"github.com/crosshull/crosshull/hack/e2e"}},
			{Race: true, Packages: []string{
				"github.com/crosshull/crosshull/hack/differential/judge", // runs the frontend in its process
				"github.com/crosshull/crosshull/hack/faults",             // mostly waits, with builders of its own
				"github.com/crosshull/crosshull/hack/packages",           // needs no more than the lab's files of .NET
				"github.com/crosshull/crosshull/hack/site/browser",       // waits for the browser
			}},
		},
		Busy:   []string{"github.com/crosshull/crosshull/hack/editor"},
		Engine: []string{"github.com/crosshull/crosshull/hack/e2e/onengine"},
		Fresh:  true,
	},
}

// pkg is a package that has tests.
type pkg struct {
	Dir, ImportPath           string
	TestGoFiles, XTestGoFiles []string
	tests                     int // subtests not counted
}

// Config says what to run.
type Config struct {
	Modules []Module
	Only    []string      // packages to run, as the report names them; nil: all
	Lab     bool          // with the tests that need the lab; it has to be up
	Engine  bool          // with the tests that need a Docker engine
	HowLab  string        // how to run the tests that need the lab, to be told at the end if they are not run
	Race    bool          // with the race detector, where [Module] does not say otherwise
	Short   bool          // say less: packages, what fails, and what takes more than a second
	Limit   time.Duration // for each test
	Watch   []string      // the command that runs a test binary under a [Watcher], before the path of the binary
	JSON    string        // file for what go test says, or ""
	Out     io.Writer
}

// ErrFailed says that a test failed. Which, is in the output.
var ErrFailed = errors.New("tests failed")

// Run runs the tests.
func Run(ctx context.Context, c Config) error {
	p, err := plan(ctx, c)
	if err != nil {
		return err
	}
	raw, err := create(c.JSON)
	if err != nil {
		return err
	}
	r := newReport(c.Out, p.total, c.Short, time.Now)
	stop := every(time.Second, r.remind)
	for _, run := range p.runs {
		err = errors.Join(err, run.do(ctx, c, r, raw))
	}
	stop()
	r.end(p.notRun(c))
	if err = errors.Join(err, raw.Close(), ctx.Err()); err != nil {
		return err
	}
	if len(r.failed) > 0 {
		return ErrFailed
	}
	return nil
}

// run is one call of go test.
type run struct {
	what string
	dir  string
	args []string
}

// calls are those of go test, what is quick first.
type calls struct {
	runs    []run
	total   int      // tests that they run
	needLab []string // packages that are not run, as they need the lab
	left    int      // tests in these
}

// plan gives the calls of go test.
//
// Those that need the lab or an engine always run, as Go does not see all that they depend on.
func plan(ctx context.Context, c Config) (calls, error) {
	var all calls
	var shared []run
	var ran, race []string
	if c.Race {
		race = []string{"-race"}
	}
	// A build that waits, for a registry or another build, leaves its processor to one test more. With two more, the cores
	// are hardly busier, and long tests reach their limit.
	builds := []string{"-count=1", "-parallel=" + strconv.Itoa(runtime.GOMAXPROCS(0)+1)}
	for _, m := range c.Modules {
		pkgs, err := list(ctx, m)
		if err != nil {
			return calls{}, err
		}
		var fresh []string
		if m.Fresh {
			fresh = []string{"-count=1"}
		}
		var units, busy, inLab []string
		for _, p := range pkgs {
			lab, engine := m.needsLab(p.ImportPath), slices.Contains(m.Engine, p.ImportPath)
			switch {
			case lab && !c.Lab:
				all.needLab = append(all.needLab, short(p.ImportPath))
				all.left += p.tests
				continue
			case engine && !c.Engine, c.Only != nil && !slices.Contains(c.Only, short(p.ImportPath)):
				continue
			case lab:
				inLab = append(inLab, p.ImportPath)
			case engine:
				shared = append(shared, run{"the tests of " + p.ImportPath, m.Dir, slices.Concat(builds, []string{p.ImportPath})})
			case slices.Contains(m.Busy, p.ImportPath):
				busy = append(busy, p.ImportPath)
			default:
				units = append(units, p.ImportPath)
			}
			ran = append(ran, short(p.ImportPath))
			all.total += p.tests
		}
		if len(units) > 0 {
			all.runs = append(all.runs, run{"the tests of " + m.Path, m.Dir, slices.Concat(race, fresh, units)})
		}
		if len(busy) > 0 {
			all.runs = append(all.runs, run{"the tests of " + m.Path + " that compute", m.Dir, slices.Concat(fresh, busy)})
		}
		for _, g := range m.Lab {
			together := slices.DeleteFunc(slices.Clone(g.Packages), func(p string) bool { return !slices.Contains(inLab, p) })
			if len(together) == 0 {
				continue
			}
			args := slices.Concat(builds, []string{"-p=" + strconv.Itoa(len(together))}, together)
			if g.Race {
				args = slices.Concat(race, args)
			}
			shared = append(shared, run{"the tests of " + strings.Join(together, ", "), m.Dir, args})
		}
	}
	for _, name := range c.Only {
		if !slices.Contains(ran, name) {
			return calls{}, fmt.Errorf("%s is no package with tests that can run here", name)
		}
	}
	all.runs = append(all.runs, shared...)
	return all, nil
}

func (m Module) needsLab(pkg string) bool {
	return slices.ContainsFunc(m.Lab, func(g Group) bool { return slices.Contains(g.Packages, pkg) })
}

// notRun says which tests are left out because they need the lab, and how to run them; "" if there is nothing to say.
func (all calls) notRun(c Config) string {
	if all.left == 0 || c.HowLab == "" {
		return ""
	}
	return fmt.Sprintf("NOT RUN: %d tests, which need the lab (%s). %s", all.left, strings.Join(all.needLab, ", "),
		c.HowLab)
}

// do calls go test. That tests fail is no error, but in the report.
func (run run) do(ctx context.Context, c Config, r *report, raw io.Writer) error {
	r.compiles(run.what)
	var quoted []string
	for _, word := range append(slices.Clone(c.Watch), "-limit="+c.Limit.String()) {
		quoted = append(quoted, "'"+word+"'")
	}
	// The linters have vetted the tests.
	args := append([]string{"test", "-json", "-vet=off", "-timeout=0", "-exec=" + strings.Join(quoted, " ")}, run.args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = run.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.Stderr = r
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := json.NewEncoder(raw).Encode(event{Time: time.Now(), Action: called}); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	failed := len(r.failed)
	err = r.read(io.TeeReader(stdout, raw))
	waited := cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(waited, &exit) && len(r.failed) > failed {
		waited = nil // that is told
	}
	return errors.Join(err, waited)
}

// create makes a file with its folder; "" is none.
func create(name string) (io.WriteCloser, error) {
	if name == "" {
		name = os.DevNull
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	return os.Create(name)
}

// every calls f again and again until stop is called.
func every(d time.Duration, f func()) (stop func()) {
	tick, done, ended := time.NewTicker(d), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

// newLines reads lines of any length that a test prints.
func newLines(stream io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 64<<20)
	return lines
}

// list lists the packages of a module that have tests.
func list(ctx context.Context, m Module) ([]*pkg, error) {
	packages := m.packages
	if packages == nil {
		packages = []string{"./..."}
	}
	cmd := exec.CommandContext(
		ctx,
		"go",
		append([]string{"list", "-json=Dir,ImportPath,TestGoFiles,XTestGoFiles"}, packages...)...)
	cmd.Dir, cmd.Stderr = m.Dir, os.Stderr
	listed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", m.Dir, err)
	}
	var out []*pkg
	for dec := json.NewDecoder(bytes.NewReader(listed)); ; {
		p := &pkg{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		if p.tests, err = p.count(); err != nil {
			return nil, err
		}
		if p.tests > 0 {
			out = append(out, p)
		}
	}
}

// count counts the tests in the package's files.
func (p *pkg) count() (int, error) {
	n := 0
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return 0, err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && isTest(f) {
				n++
			}
		}
		for _, e := range doc.Examples(file) {
			if e.Output != "" || e.EmptyOutput {
				n++
			}
		}
	}
	return n, nil
}

// isTest tells a test or a fuzz test, as go test does.
func isTest(f *ast.FuncDecl) bool {
	if f.Recv != nil || f.Name.Name == "TestMain" {
		return false
	}
	for _, prefix := range []string{"Test", "Fuzz"} {
		if rest, ok := strings.CutPrefix(f.Name.Name, prefix); ok {
			first, _ := utf8.DecodeRuneInString(rest)
			return rest == "" || !unicode.IsLower(first)
		}
	}
	return false
}
