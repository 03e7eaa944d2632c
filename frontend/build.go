package frontend

import (
	"context"
	"errors"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/frontend/call"
	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/lint"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/result"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/frontend/tree"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Build is the frontend: it answers a call, or builds the target that buildx names. In each build the SDK compiles the
// programs that steps run.
func Build(ctx context.Context, c client.Client) (*client.Result, error) { return handle(ctx, c, nil) }

// With gives the frontend with programs that are compiled already. If they are nil, With gives [Build].
func With(compiled *dotnet.Compiled) client.BuildFunc {
	return func(ctx context.Context, c client.Client) (*client.Result, error) { return handle(ctx, c, compiled) }
}

func handle(ctx context.Context, c client.Client, compiled *dotnet.Compiled) (_ *client.Result, err error) {
	defer func() { err = gateway.Return(err) }()
	defer gateway.Recover(&err)
	gw, err := gateway.New(ctx, c)
	if err != nil {
		return nil, err
	}
	defer gw.Close(&err)
	req, err := request.Read(ctx, gw, compiled)
	switch {
	case err != nil:
		return nil, err
	case req.Call != "":
		return call.Answer(ctx, req)
	case req.Mistakes() != nil:
		return nil, req.Mistakes()
	}
	req.WarnMissing(ctx)
	req.WarnUnused(ctx)
	req.WarnPhases(ctx)
	req.WarnRecorded(ctx)
	if req, err = req.Choose(); err != nil {
		return nil, err
	}
	res, err := build(ctx, req)
	if unmade := gw.Unmade(ctx, err); unmade != nil {
		return unmade, nil
	}
	return res, err
}

// build runs the stages of a build. Each stage takes what the stages before it gave.
func build(ctx context.Context, req *request.Request) (*client.Result, error) {
	if err := req.Check(); err != nil {
		return nil, err
	}
	t, err := tree.Read(ctx, req)
	if err != nil {
		return nil, err
	}
	asker, err := facts.New(ctx, req, t)
	if err != nil {
		return nil, err
	}
	f, err := asker.Target(ctx)
	if err != nil {
		return nil, err
	}
	res, f, err := finish(ctx, req, f, lint.Warn)
	diagnostics, lacks := gateway.Lacks(err)
	if !lacks {
		return res, err
	}
	failed := err
	// An app that a plain dotnet publish can publish must not fail here.
	wide := f.Everything("a step failed with the files that MSBuild names")
	if wide != nil {
		if res, f, err = finish(ctx, req, wide, quiet); err == nil {
			lint.WarnLacks(ctx, req, t, failed, diagnostics)
			return res, nil
		}
		err = decisive(failed, err)
	}
	if committed := f.AsCommitted(); committed != nil {
		res, _, again := finish(ctx, req, committed, quiet)
		switch {
		case again != nil:
			return nil, decisive(err, again)
		case wide == nil && !lint.Blames(diagnostics): // it may have passed without a change, too
			lint.WarnPassed(ctx, req, failed, diagnostics)
		default:
			req.Warn(ctx, "a target of a project failed. It makes files that the context also has, so the build used those. "+
				"If they are up to date, you need not do anything. Else look at the error of the target in the log of the step")
		}
		return res, nil
	}
	return nil, err
}

// decisive gives the one of two errors that is about the project. An attempt with more files may also fail for what has
// nothing to do with it: one of these files cannot be read, say.
func decisive(first, again error) error {
	if gateway.OfStep(again) || gateway.IsCanceled(again) {
		return again
	}
	return first
}

// quiet gives no warnings: the first attempt gave them all.
func quiet(context.Context, *plan.Plan) error { return nil }

// finish makes a result from facts. Each time a build finds that it reads more, finish starts again with more facts.
func finish(
	ctx context.Context, req *request.Request, f *facts.Facts, warn func(context.Context, *plan.Plan) error,
) (*client.Result, *facts.Facts, error) {
	res, err := attempt(ctx, req, f, warn)
	for more := (*facts.More)(nil); errors.As(err, &more); { // facts only grow, so the loop ends
		f = more.Facts
		res, err = attempt(ctx, req, f, quiet)
	}
	return res, f, err
}

// attempt makes a result from facts, once.
func attempt(
	ctx context.Context, req *request.Request, f *facts.Facts, warn func(context.Context, *plan.Plan) error,
) (*client.Result, error) {
	if req.Target.Kind == spec.TargetTest {
		return result.Tests(ctx, req, f)
	}
	p, err := plan.Make(ctx, req, f)
	if err != nil {
		return nil, err
	}
	if err := warn(ctx, p); err != nil {
		return nil, err
	}
	return result.Build(ctx, p)
}
