// Command faults tries builds that meet a fault, for as long as it is told, and prints a table of what came of them.
// Package faults says what is tried, and what has to be right.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/crosshull/crosshull/hack/faults"
	"github.com/crosshull/crosshull/hack/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// run prints each trial to progress, and the table to out. The error says how many trials showed something wrong.
func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	hours := flags.Float64("hours", 0, "go on for so many `hours`; 0: try each fault once")
	first := flags.Int("number", 0, "the `number` of the first turn; it decides when faults come")
	where := flags.String("where", "", "try only what fails in this `place`: as the table names it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	is := func(t faults.Trial) bool { return *where == "" || t.Where == *where }
	if !slices.ContainsFunc(faults.Trials(0), is) {
		return fmt.Errorf("nothing fails in a place %q", *where)
	}
	l, err := lab.New()
	if err != nil {
		return err
	}
	if err := errors.Join(l.Up(ctx, progress), l.PushFrontend(ctx, progress)); err != nil {
		return err
	}
	w, err := faults.New(ctx, l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	var (
		table faults.Table
		end   = time.Now().Add(time.Duration(*hours * float64(time.Hour)))
	)
	for number := *first; number == *first || time.Now().Before(end); number++ {
		for _, trial := range faults.Trials(number) {
			if !is(trial) {
				continue
			}
			began := time.Now()
			result, err := trial.Run(ctx, w)
			if ctx.Err() != nil {
				break
			}
			table.Add(trial, result, err)
			say(progress, time.Since(began), trial, result, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := table.Write(out); err != nil {
		return err
	}
	if *hours > 0 && *where == "" && ctx.Err() == nil {
		load, err := w.Load(ctx, 10, 5)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "\n%d builds of %d projects at once made the images that builds alone make. They took "+
			"%s, a build of each alone %s. A process of the frontend had %d MiB at most.\n", load.Builds, load.Projects,
			load.Took.Round(time.Second), load.Alone.Round(time.Second), load.Memory>>20)
		if err != nil {
			return err
		}
	}
	if n := table.Wrong(); n > 0 {
		return fmt.Errorf("%d of %d builds left something wrong", n, table.Builds())
	}
	return nil
}

func say(progress io.Writer, took time.Duration, trial faults.Trial, result faults.Result, err error) {
	what := "passes all the same"
	switch {
	case err != nil:
		what = "WRONG: " + err.Error()
	case !result.Passed:
		what = "fails, and all is right after it: " + result.Message
	}
	_, _ = fmt.Fprintf(progress, "%5.1fs %s: %s\n", took.Seconds(), trial, what)
}
