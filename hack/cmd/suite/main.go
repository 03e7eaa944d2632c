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
	"syscall"
	"time"

	"github.com/crosshull/crosshull/hack/page"
	"github.com/crosshull/crosshull/hack/suite"
)

const usage = `usage: suite [-short] [-limit DURATION] all|check|times
       suite watch [-limit DURATION] TEST-BINARY [ARGUMENT...]

  all     all tests; the lab has to be up
  check   those that need no lab
  times   write into docs/testing.md where the last run of all spent its time
  watch   run a test binary for go test -exec, each test with the limit
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
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
	last := filepath.Join(cache, "crosshull", "tests.json")
	switch flags.Arg(0) {
	case "all":
		c.Lab, c.JSON = true, last
		err = suite.Run(ctx, c)
	case "check":
		err = suite.Run(ctx, c)
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
