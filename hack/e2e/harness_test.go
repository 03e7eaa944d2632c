package e2e

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/lab/run"
	"github.com/crosshull/crosshull/hack/suite"
)

// patience is how long a test waits for one command, build, container or machine. It is less than the limit that make
// test has for a test, so that one that hangs is ended by its own test, which then cleans up.
const patience = 10 * time.Minute

// waiting is for what a test waits for: it has a limit, and the time is told to what runs the tests.
func waiting(t *testing.T, kind string) (ctx context.Context, done func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	began := time.Now()
	return ctx, func() {
		cancel()
		t.Attr(suite.Attr(kind, time.Since(began)))
	}
}

// variables are those of the commands of a test, by its name.
var variables sync.Map

// setenv sets a variable for the commands of a test and of its subtests. t.Setenv is not for tests that run side by
// side.
func setenv(t *testing.T, key, value string) {
	t.Helper()
	name := t.Name()
	own, _ := variables.Load(name)
	vars, _ := own.([]string)
	variables.Store(name, append(slices.Clone(vars), key+"="+value))
	if own == nil {
		t.Cleanup(func() { variables.Delete(name) })
	}
}

// environ is the environment for the commands of a test.
func environ(t *testing.T) []string {
	t.Helper()
	var vars []string
	for name, more := t.Name(), true; more; {
		own, _ := variables.Load(name)
		list, _ := own.([]string)
		vars = append(slices.Clone(list), vars...) // those of a subtest come last, and win
		i := strings.LastIndexByte(name, '/')
		name, more = name[:max(i, 0)], i > 0
	}
	return append(append(os.Environ(), "BUILDKIT_PROGRESS=plain"), vars...)
}

// getenv gives a variable as the commands of a test have it.
func getenv(t *testing.T, key string) string {
	t.Helper()
	for _, kv := range slices.Backward(environ(t)) {
		if value, ok := strings.CutPrefix(kv, key+"="); ok {
			return value
		}
	}
	return ""
}

// port keeps containers that listen on the machine's ports apart.
var port sync.Mutex

// runContainer runs an image on this machine.
func runContainer(t *testing.T, s run.Spec) *run.Result {
	t.Helper()
	if s.Port > 0 {
		port.Lock()
		defer port.Unlock()
	}
	ctx, done := waiting(t, "container")
	defer done()
	res, err := run.Container(ctx, theLab.Dir(), s)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// theMachine is the emulated arm64 machine: it starts with the first test that needs it, and ends after the last.
var theMachine = sync.OnceValue(func() *run.VM { return run.NewVM(theLab.Dir()) })

// runMachine runs an image on the emulated arm64 machine.
func runMachine(t *testing.T, s run.Spec) *run.Result {
	t.Helper()
	ctx, done := waiting(t, "machine")
	defer done()
	res, err := theMachine().Run(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	return res
}
