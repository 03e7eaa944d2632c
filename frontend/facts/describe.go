package facts

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/printable"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// maxRounds is how often MSBuild is asked at most. Each time, it may want the contents of more files: a file that it
// imports may import another one. Nearly all projects need one or two rounds.
const maxRounds = 20

// run lets MSBuild describe projects, before or after a restore. In the first round, MSBuild has the contents of
// project files and of wanted.
func (a *Asker) run(
	ctx context.Context, steps xllb.Steps, projects []dotnet.Project, wanted []string, restored *xllb.Restored,
) (Answer, *dotnet.Evaluation, error) {
	from, wanted := a.Tree, slices.Clone(wanted)
	for round := 1; ; round++ {
		st, err := steps.Describe(a.Project, projects, from.Files, wanted, restored)
		if err != nil {
			return Answer{}, nil, err
		}
		answer, e, err := a.ask(ctx, st, from.Files, len(projects))
		if err != nil || len(e.Asks) == 0 {
			answer.asked, answer.wanted = projects, wanted
			return answer, e, err
		}
		wanted = append(wanted, e.Asks...)
		if from, err = from.With(ctx, wanted); err != nil || round == maxRounds {
			if err == nil {
				err = dotnet.Bug(
					fmt.Errorf("MSBuild still asks for files after %d rounds, and %s was the last", maxRounds, e.Asks[0]),
				)
			}
			return Answer{}, nil, err
		}
	}
}

// hinted are files that MSBuild will probably want. Giving them at once saves a round.
func hinted(t *tree.Tree) []string {
	const most, largest = 100, 1 << 20
	var names []string
	hints := dotnet.Hints(t.Files)
	for _, n := range t.Names {
		_, known := t.Files[n.Path]
		if !known && n.Mode.IsRegular() && n.Size < largest && len(names) < most && hints[path.Base(n.Path)] {
			names = append(names, n.Path)
		}
	}
	return names
}

// ask is one round, with n questions. files are the contents that MSBuild has, and more.
func (a *Asker) ask(ctx context.Context, st llb.State, files dotnet.Files, n int) (Answer, *dotnet.Evaluation, error) {
	ref, err := a.req.Gateway.Evaluate(ctx, st)
	if err != nil {
		return Answer{}, nil, a.req.Diagnose(ctx, err, files)
	}
	ended := time.Since(a.req.Begun)
	dt, err := gateway.ReadRef(ctx, ref, dotnet.DescriptionFile)
	if gateway.IsNotFound(err) {
		err = dotnet.Bug(err)
	}
	if err != nil {
		return Answer{}, nil, err
	}
	e, err := dotnet.ParseEvaluation(dt, n)
	if err != nil {
		return Answer{}, nil, err
	}
	if err := checkHidden(a.req, e.Hidden); err != nil {
		return Answer{}, nil, err
	}
	if e.Endless != "" {
		return Answer{}, nil, a.req.At("project", fmt.Errorf("the references of %s have no end, or lead to over "+
			"50,000 projects, counted once for each framework and each set of properties: does a project reference itself, "+
			"with another property each time?", printable.Text(e.Endless)))
	}
	if len(e.Asks) > 0 {
		return Answer{}, e, nil // an error may come from the contents that it lacks
	}
	return Answer{State: st, Ref: ref, Ended: ended}, e, a.failure(ctx, st, ref, e, files)
}

// refused is the error of MSBuild for projects that it cannot describe.
type refused struct {
	error
	diagnostics []dotnet.Diagnostic
	at          time.Time
}

func (e *refused) Unwrap() error { return e.error }

// failure is MSBuild's error about projects that it cannot describe; nil if there are none.
func (a *Asker) failure(
	ctx context.Context, st llb.State, ref client.Reference, of *dotnet.Evaluation, files dotnet.Files,
) error {
	e := &refused{}
	for _, d := range of.Descriptions {
		e.diagnostics = append(e.diagnostics, d.Mistakes()...)
	}
	if len(e.diagnostics) == 0 {
		return nil
	}
	if stat, err := ref.StatFile(ctx, client.StatRequest{Path: dotnet.DescriptionFile}); err == nil {
		e.at = time.Unix(0, stat.ModTime)
	}
	e.error = a.req.Gateway.FailedStep(ctx, st, e.diagnostics, files)
	if len(errdefs.Sources(e.error)) == 0 {
		e.error = a.req.Locate("project", e.error)
	}
	return e
}

// mayPass tells whether projects may be described another time, although they have not changed.
func (e *refused) mayPass() bool {
	return len(e.diagnostics) == 0 ||
		slices.ContainsFunc(e.diagnostics, func(d dotnet.Diagnostic) bool { return !d.Lasts() })
}

// stale tells whether an error comes from the cache of an older build, and may be gone if MSBuild runs again.
func stale(err error, begun time.Time) bool {
	var e *refused
	return errors.As(err, &e) && !e.at.After(begun) && e.mayPass()
}

// missingSecret is the error about a secret that MSBuild's error may come from; nil if there is none.
func (a *Asker) missingSecret(ctx context.Context, of error) error {
	var e *refused
	has := slices.ContainsFunc(a.req.Secrets(), func(s report.Secret) bool {
		return slices.Contains(s.Phases, xllb.PhaseDescribe)
	})
	if !has || !errors.As(of, &e) || !e.mayPass() {
		return nil
	}
	st, err := a.Steps.FeedSecrets()
	if err == nil {
		_, err = a.req.Gateway.Evaluate(ctx, st)
	}
	return a.req.MissingSecret(err)
}
