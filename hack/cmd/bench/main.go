// Command bench measures crosshull side by side with other ways to the same images, and prints a table. Package bench
// says what is compared and how. It sets up what is missing, and leaves the lab up.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/crosshull/crosshull/hack/bench"
	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/tools"
)

const usage = `usage: bench [-rounds N] [-case RE] [-situation RE] [-against RE] [-with FILE] [-docs DIR] [-traces DIR]

  -rounds N      rounds of everything (default 3)
  -case RE       only cases that match, such as "aspnetapp, portable, amd64+arm64"
  -situation RE  only situations that match: cold, nothing changed, app line changed, deep library changed,
                 package changed, OS packages changed, base moved, fresh builder
  -against RE    only comparisons with what matches: seed, seed+mounts, portable, apt, syntax, sdk, floor,
                 "crosshull, amd64"
  -with FILE     add what an earlier run of as many rounds on this machine wrote to BENCH_JSON, so that everything can
                 be measured in parts
  -docs DIR      write the tables into performance.md, and performance.svg, in DIR; without it a run of everything does
                 so in the repository's docs
  -traces DIR    keep what every build reported, a file each, to see where its time went

A relative DIR or FILE is in the folder where the program runs: hack, with make.

environment, beside the lab's:
  BENCH_JSON     file for all figures, an array of objects
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options is what the command line asks for.
type options struct {
	bench.Config
	with, docs string
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.Rounds, "rounds", 3, "")
	flags.StringVar(&o.with, "with", "", "")
	flags.StringVar(&o.docs, "docs", "", "")
	flags.StringVar(&o.Traces, "traces", "", "")
	expression := func(name string, into **regexp.Regexp) {
		flags.Func(name, "", func(s string) (err error) {
			*into, err = regexp.Compile(s)
			return err
		})
	}
	expression("case", &o.Filter.Case)
	expression("situation", &o.Filter.Situation)
	expression("against", &o.Filter.Against)
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	if o.Rounds < 1 {
		return o, errors.New("-rounds: at least 1")
	}
	return o, nil
}

// run returns the exit code: 0, 1 for a failure, 2 for wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = io.WriteString(stdout, usage)
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "bench: %v\n%s", err, usage)
		return 2
	}
	if err := measure(ctx, o, stdout, stderr); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted") // the errors of interrupted steps are of no use
		}
		_, _ = fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	return 0
}

// measure runs what is asked for, and writes the figures. If the run fails, it writes those that it has, but no docs.
func measure(ctx context.Context, o options, stdout, stderr io.Writer) error {
	l, err := lab.New()
	if err != nil {
		return err
	}
	report, failed := bench.Run(ctx, l, o.Config, stderr)
	if report == nil {
		return failed
	}
	if o.with != "" {
		if err := join(report, o.with); err != nil {
			return err
		}
	}
	if err := errors.Join(report.WriteTable(stdout), writeJSON(report, os.Getenv("BENCH_JSON"))); err != nil ||
		failed != nil {
		return errors.Join(failed, err)
	}
	if o.docs == "" && o.Filter.Complete() {
		moduleDir, err := tools.ModuleDir(ctx)
		if err != nil {
			return err
		}
		o.docs = filepath.Join(filepath.Dir(moduleDir), "docs")
	}
	if o.docs == "" {
		return nil
	}
	return report.WriteDocs(o.docs)
}

func join(report *bench.Report, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	return report.Join(f)
}

func writeJSON(report *bench.Report, file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(report.WriteJSON(f), f.Close())
}
