// Package judge publishes a repository by crosshull and by plain `dotnet publish`, and says whether they agree.
//
// Contract: for every state of a repository, both have to fail or to publish the same files, except for the few kinds
// of differences that package differential allows. Plain publish begins from nothing each time. Crosshull keeps its
// cache from the states before, so that a step with old files shows up.
//
// # Where things are
//
//	judge.go  a recipe, from the first state to the last edit
//	plain.go  COPY . . and dotnet publish
//	ours.go   crosshull, in this process
//	shrink.go the smallest recipe that still shows a difference
package judge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/crosshull/crosshull/hack/differential"
	"github.com/crosshull/crosshull/hack/inprocess"
)

// Judge runs builds.
type Judge struct {
	// Addr is the address of a buildkitd that has the lab's images.
	Addr string
	// Work is a folder for checkouts and for what is published.
	Work string
}

// Outcome is what a publish made, or why it failed.
type Outcome struct {
	Files differential.Tree
	Err   error // why nothing is published
	Log   string
	Ran   []string
	Time  time.Duration
}

// Step is one state of a repository.
type Step struct {
	Edit        string // the edit that made it; "" for the first state
	Plain, Ours Outcome
	Differences []differential.Difference
	// Unsteady are files that plain publish itself makes differently each time.
	Unsteady []string
}

// Report is the result of a recipe.
type Report struct {
	Recipe     differential.Recipe
	Repository *differential.Repository // after the last edit
	Steps      []Step
}

// Agree tells whether both did the same.
func (s *Step) Agree() bool {
	return (s.Plain.Err == nil) == (s.Ours.Err == nil) && len(s.Differences) == 0
}

// Agree tells whether both did the same in all states.
func (r *Report) Agree() bool {
	return !slices.ContainsFunc(r.Steps, func(s Step) bool { return !s.Agree() })
}

var code = regexp.MustCompile(`\b(error|ERROR)[^:\n]* ?:? ?((?:CS|MSB|NETSDK|NU|BC|RZ|RS)\d{3,5})`)

// Kind names the result of a step in short. Two steps of one kind may have the same cause.
func (s *Step) Kind() string {
	after := map[bool]string{true: "after an edit, "}[s.Edit != ""]
	firstCode := func(o Outcome) string {
		if m := code.FindStringSubmatch(o.Log + "\n" + o.Err.Error()); m != nil {
			return m[2]
		}
		lines := strings.Split(strings.TrimSpace(o.Err.Error()), "\n")
		return lines[len(lines)-1]
	}
	switch {
	case s.Plain.Err == nil && s.Ours.Err != nil:
		return after + "crosshull alone fails: " + firstCode(s.Ours)
	case s.Plain.Err != nil && s.Ours.Err == nil:
		return after + "plain alone fails: " + firstCode(s.Plain)
	case len(s.Differences) > 0:
		first := s.Differences[0]
		return after + first.What + ": " + cmp.Or(filepath.Ext(first.Name), first.Name)
	case s.Plain.Err != nil:
		return "both fail"
	}
	return "both pass"
}

// Run publishes the repository of a recipe, and again after each edit. It goes on after a difference. It returns an
// error if a tool fails, not if a build does.
func (j *Judge) Run(ctx context.Context, r differential.Recipe) (report *Report, err error) {
	dir, err := os.MkdirTemp(j.Work, fmt.Sprintf("%d-", r.Seed))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	report = &Report{Recipe: r, Repository: differential.Generate(r)}
	repo := report.Repository
	for i := range len(r.Edits) + 1 {
		what := ""
		if i > 0 {
			repo.Tree, what = differential.Edit(r, r.Edits[i-1], repo)
		}
		step, err := j.Compare(ctx, dir, repo)
		if err != nil {
			return report, fmt.Errorf("%s: %w", r, err)
		}
		step.Edit = what
		report.Steps = append(report.Steps, *step)
		if i == 0 && step.Plain.Err != nil && step.Ours.Err != nil {
			break // an edit of what nobody can build shows little
		}
	}
	return report, nil
}

// Compare publishes one state of a repository. Checkouts are in dir, which is the same for all states.
func (j *Judge) Compare(ctx context.Context, dir string, repo *differential.Repository) (*Step, error) {
	checkout := func(name string, tree differential.Tree) error { return tree.Write(filepath.Join(dir, name)) }
	err := errors.Join(
		checkout(plainDir, repo.Tree),
		checkout(oursDir, repo.Tree.With(repo.Host)),
		checkout(specDir, differential.Tree{specFile: {Data: repo.Publish.Spec()}}),
	)
	if err != nil {
		return nil, err
	}
	step := &Step{}
	if step.Plain, err = j.plain(ctx, dir, repo.Publish, ""); err != nil {
		return nil, err
	}
	if step.Ours, err = j.ours(ctx, dir, repo.Publish); err != nil {
		return nil, err
	}
	// A build may fail because the builder lacks memory or space. With any other reason it fails again.
	if step.Plain.Err != nil && step.Ours.Err == nil {
		if step.Plain, err = j.plain(ctx, dir, repo.Publish, ""); err != nil {
			return nil, err
		}
	}
	if step.Ours.Err != nil && step.Plain.Err == nil {
		if step.Ours, err = j.ours(ctx, dir, repo.Publish); err != nil {
			return nil, err
		}
	}
	if step.Plain.Err != nil || step.Ours.Err != nil {
		return step, nil
	}
	step.Differences = differential.Compare(step.Plain.Files, step.Ours.Files)
	if len(step.Differences) == 0 {
		return step, nil
	}
	// Does crosshull differ, or does plain publish itself give another result each time?
	again, err := j.plain(ctx, dir, repo.Publish, fmt.Sprint(time.Now().UnixNano()))
	if err != nil {
		return nil, err
	}
	for _, d := range differential.Compare(step.Plain.Files, again.Files) {
		step.Unsteady = append(step.Unsteady, d.Name)
	}
	step.Differences = slices.DeleteFunc(step.Differences, func(d differential.Difference) bool {
		return slices.Contains(step.Unsteady, d.Name)
	})
	return step, nil
}

// The folders of a repository in the work folder.
const (
	plainDir = "plain"
	oursDir  = "ours"
	specDir  = "spec"
	outDir   = "out"
	specFile = "crosshull.yaml"
)

// outcome gives what a build made, or why it made nothing.
func outcome(ctx context.Context, began time.Time, rec *inprocess.Record, failed error, out string) (Outcome, error) {
	if rec == nil || ctx.Err() != nil {
		return Outcome{}, cmp.Or(failed, ctx.Err())
	}
	o := Outcome{Err: failed, Log: rec.Log, Ran: rec.Ran, Time: time.Since(began)}
	if failed != nil {
		return o, nil
	}
	var err error
	o.Files, err = differential.Read(out)
	if err == nil && len(o.Files) == 0 {
		o.Err = errors.New("nothing is published")
	}
	return o, errors.Join(err, os.RemoveAll(out))
}
