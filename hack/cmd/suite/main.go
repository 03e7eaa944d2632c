// Command suite runs the tests of the repository, and shows them while they run. Package suite says what that is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/crosshull/crosshull/hack/page"
	"github.com/crosshull/crosshull/hack/suite"
)

const usage = `usage: suite [-short] [-limit DURATION] [-only PACKAGE,...] all|check
       suite place|times
       suite watch [-limit DURATION] TEST-BINARY [ARGUMENT...]

  all     all tests that this machine can run: in the lab, which is set up, or with its Docker engine
  check   those that need neither
  place   say which of the two it is, or what is missing
  times   write into docs/testing.md where the last run of all in the lab spent its time
  watch   run a test binary for go test -exec, each test with the limit

  -only   packages to run, as they are named in the output: hack/e2e,frontend/spec
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The Go programs that this starts, such as the compiler, the tests and the lab's daemons, collect their garbage less
	// often: less processor time, for memory that most of them soon give back.
	if os.Getenv("GOGC") == "" {
		_ = os.Setenv("GOGC", "400") // fails for no such name
	}
	code, err := run(ctx, os.Args[1:])
	if err != nil && !errors.Is(err, suite.ErrFailed) {
		fmt.Fprintln(os.Stderr, "suite:", err)
	}
	os.Exit(code)
}

// run returns the exit code: 0, 1 for a failure, 2 for wrong usage.
func run(ctx context.Context, args []string) (int, error) {
	flags := flag.NewFlagSet("suite", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	limit := flags.Duration("limit", 15*time.Minute, "")
	short := flags.Bool("short", false, "")
	only := flags.String("only", "", "")
	if len(args) > 0 && args[0] == "watch" {
		if flags.Parse(args[1:]) != nil || flags.NArg() == 0 {
			return 2, nil
		}
		w := suite.Watcher{Limit: *limit, Out: os.Stdout}
		return w.Run(ctx, flags.Args())
	}
	if flags.Parse(args) != nil || flags.NArg() != 1 {
		flags.Usage()
		return 2, nil
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return 1, err
	}
	c := suite.Config{
		Modules: suite.Modules, Short: *short, Limit: *limit, Watch: []string{self, "watch"}, Out: os.Stdout,
	}
	if *only != "" {
		c.Only = strings.Split(*only, ",")
	}
	last := filepath.Join(cache, "crosshull", "tests.json")
	switch flags.Arg(0) {
	case "all":
		err = runAll(ctx, c, last)
	case "check":
		err = runTests(ctx, c)
	case "place":
		_, err = choose(ctx, os.Stdout)
	case "times":
		err = writeTimes(last)
	default:
		flags.Usage()
		return 2, nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

func writeTimes(file string) error {
	text, err := suite.Times(file)
	if err != nil {
		return err
	}
	return page.Write(filepath.Join("..", "docs", "testing.md"), "times", text)
}
