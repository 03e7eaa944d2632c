// Command differential compares crosshull with plain dotnet publish, on random repositories. Package differential says
// how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/hack/differential"
	"github.com/crosshull/crosshull/hack/differential/judge"
	"github.com/crosshull/crosshull/hack/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "differential:", err)
	}
	os.Exit(code)
}

type options struct {
	recipe differential.Recipe
	n      int    // repositories
	each   int    // edits of each, unless the recipe says which
	jobs   int    // repositories side by side
	write  string // folder for what is built
	shrink bool
	logs   bool
}

// run returns the exit code: 0, 1 for a difference or a failure, 2 for wrong usage.
func run(ctx context.Context, args []string, out io.Writer) (int, error) {
	var o options
	flags := flag.NewFlagSet("differential", flag.ContinueOnError)
	o.recipe.Flags(flags)
	flags.IntVar(&o.n, "n", 1, "`number` of repositories, each of the next seed")
	flags.IntVar(&o.each, "each", 0, "`number` of edits of each repository")
	flags.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "`number` of repositories that are built side by side")
	flags.StringVar(&o.write, "write", "", "write the states of the repository to a `folder`, and build nothing")
	flags.BoolVar(&o.shrink, "shrink", false, "look for the smallest recipe that shows a difference")
	flags.BoolVar(&o.logs, "logs", false, "print the whole log of what fails")
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	if flags.NArg() > 0 {
		return 2, fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	if o.recipe.Edits == nil {
		for n := range o.each {
			o.recipe.Edits = append(o.recipe.Edits, n+1)
		}
	}
	if o.write != "" {
		return 0, write(o.recipe, o.write, out)
	}
	differ, err := soak(ctx, o, out)
	if err != nil || differ {
		return 1, err
	}
	return 0, nil
}

// write writes each state of a repository to a folder, with a spec beside the files.
func write(r differential.Recipe, dir string, out io.Writer) error {
	repo := differential.Generate(r)
	for i := range len(r.Edits) + 1 {
		what := fmt.Sprintf("features %s", strings.Join(repo.Features, ", "))
		if i > 0 {
			repo.Tree, what = differential.Edit(r, r.Edits[i-1], repo)
		}
		to := filepath.Join(dir, fmt.Sprint(i))
		tree := repo.Tree.With(repo.Host).With(differential.Tree{"crosshull.yaml": {Data: repo.Publish.Spec()}})
		if err := tree.Write(to); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "%s: %s\n", to, what)
	}
	_, _ = fmt.Fprintf(out, "plain: dotnet publish %q\n", repo.Publish.Arguments("/source"))
	return nil
}

// summary counts the results of all repositories.
type summary struct {
	mu           sync.Mutex
	out          io.Writer
	repositories int
	kinds        map[string]int
	differ       []string // recipes
}

// soak compares o.n repositories. It tells whether one differs.
func soak(ctx context.Context, o options, out io.Writer) (bool, error) {
	l, err := lab.New()
	if err != nil {
		return false, err
	}
	work, err := os.MkdirTemp("", "differential-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(work) //nolint:errcheck // a temporary folder
	j := &judge.Judge{Addr: l.BuildkitAddr(), Work: work}
	s := &summary{out: out, kinds: map[string]int{}}
	began := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.jobs))
	for i := range o.n {
		g.Go(func() error {
			r := o.recipe
			r.Seed += uint64(i)
			if gctx.Err() != nil {
				return gctx.Err()
			}
			report, err := j.Run(gctx, r)
			if err != nil {
				return err
			}
			if o.shrink && !report.Agree() {
				if report, err = j.Shrink(gctx, report); err != nil {
					return err
				}
			}
			s.add(report, o.logs)
			return nil
		})
	}
	err = g.Wait()
	s.end(time.Since(began))
	return len(s.differ) > 0, err
}

// add prints and counts the result of one repository.
func (s *summary) add(r *judge.Report, logs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }
	s.repositories++
	var words []string
	for i := range r.Steps {
		step := &r.Steps[i]
		s.kinds[step.Kind()]++
		words = append(words, fmt.Sprintf("%s (%.1f s, %.1f s)", map[bool]string{true: step.Kind(),
			false: "DIFFERENT"}[step.Agree()], step.Plain.Time.Seconds(), step.Ours.Time.Seconds()))
	}
	say("seed %d: %d files, %s: %s", r.Recipe.Seed, len(r.Repository.Tree), r.Repository.Publish.Mode,
		strings.Join(words, ", "))
	for i := range r.Steps {
		step := &r.Steps[i]
		if len(step.Unsteady) > 0 {
			say("  plain publish itself gives other bytes each time: %s", strings.Join(step.Unsteady, ", "))
		}
		if i == 0 && step.Plain.Err != nil && step.Ours.Err != nil {
			say("  both fail before the first edit, with %s\n  %s", strings.Join(r.Repository.Features, ","),
				indent(step.Plain.Log, 6))
		}
		if step.Agree() {
			continue
		}
		again := r.Recipe
		again.Edits = r.Recipe.Edits[:i]
		say("  DIFFERENCE: %s", step.Kind())
		if step.Edit != "" {
			say("  edit %d: %s", r.Recipe.Edits[i-1], step.Edit)
		}
		say("  features: %s", strings.Join(r.Repository.Features, ","))
		say("  repeat: make soak ARGS=\"%s\"", again)
		for _, d := range step.Differences {
			say("  %s", strings.ReplaceAll(d.String(), "\n", "\n  "))
		}
		for _, o := range []judge.Outcome{step.Plain, step.Ours} {
			if o.Err != nil {
				say("  %s", indent(o.Err.Error(), 30))
				say("  %s", indent(o.Log, map[bool]int{true: 1 << 20, false: 12}[logs]))
			}
		}
	}
	if !r.Agree() {
		s.differ = append(s.differ, r.Recipe.String())
	}
}

// indent gives the last lines of a text, indented.
func indent(text string, most int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	return "  | " + strings.Join(lines, "\n    | ")
}

// end prints the counts.
func (s *summary) end(took time.Duration) {
	_, _ = fmt.Fprintf(s.out, "\n%d repositories in %s; %d differ\n", s.repositories, took.Round(time.Second),
		len(s.differ))
	for _, kind := range slices.Sorted(maps.Keys(s.kinds)) {
		_, _ = fmt.Fprintf(s.out, "  %4d  %s\n", s.kinds[kind], kind)
	}
	for _, r := range s.differ {
		_, _ = fmt.Fprintf(s.out, "  %s\n", r)
	}
}
