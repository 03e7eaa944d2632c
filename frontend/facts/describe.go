package facts

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/gateway"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// run lets MSBuild describe projects, and gives its description.
func (a *Asker) run(ctx context.Context, steps xllb.Steps, projects []dotnet.Project) (Answer, []byte, error) {
	gw := a.req.Gateway
	st, err := steps.Describe(a.Project, projects, a.Tree.Files)
	if err != nil {
		return Answer{}, nil, err
	}
	ref, err := gw.Evaluate(ctx, st)
	if err != nil {
		return Answer{}, nil, a.req.Diagnose(ctx, err)
	}
	if steps.KeepsFailures() {
		if err := a.failure(ctx, st, ref); err != nil {
			return Answer{}, nil, err
		}
	}
	dt, err := gateway.ReadRef(ctx, ref, dotnet.DescriptionFile)
	return Answer{st, ref}, dt, err
}

// refused is the error of MSBuild for projects that it cannot describe.
type refused struct {
	error
	diagnostics []dotnet.Diagnostic
	at          time.Time
}

func (e *refused) Unwrap() error { return e.error }

// failure is the error of MSBuild, which the step keeps in its result; nil if MSBuild did not fail.
func (a *Asker) failure(ctx context.Context, st llb.State, ref client.Reference) error {
	_, err := gateway.ReadRef(ctx, ref, dotnet.DescribedFile)
	if err == nil || !gateway.IsNotFound(err) {
		return err
	}
	dt, err := gateway.ReadRef(ctx, ref, dotnet.DiagnosticsFile)
	if err != nil && !gateway.IsNotFound(err) {
		return err
	}
	e := &refused{diagnostics: dotnet.ParseDiagnostics(dt, xllb.SourceDir)}
	if stat, err := ref.StatFile(ctx, client.StatRequest{Path: dotnet.DiagnosticsFile}); err == nil {
		e.at = time.Unix(0, stat.ModTime)
	}
	e.error = a.req.Locate("project", a.req.Gateway.FailedStep(ctx, st, e.diagnostics))
	return e
}

// stale tells whether an error comes from the cache of an older build, and may be gone if MSBuild runs again.
func stale(err error, begun time.Time) bool {
	var e *refused
	if !errors.As(err, &e) || e.at.After(begun) {
		return false
	}
	mayPass := func(d dotnet.Diagnostic) bool { return !d.Lasts() }
	return len(e.diagnostics) == 0 || slices.ContainsFunc(e.diagnostics, mayPass)
}
