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
)

// Build is the frontend: it answers a call, or builds the target that buildx names.
func Build(ctx context.Context, c client.Client) (_ *client.Result, err error) {
	defer func() { err = gateway.Return(err) }()
	defer gateway.Recover(&err)
	gw, err := gateway.New(ctx, c)
	if err != nil {
		return nil, err
	}
	defer gw.Close(&err)
	req, err := request.Read(ctx, gw)
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
	if req, err = req.Choose(); err != nil {
		return nil, err
	}
	res, err := build(ctx, req)
	if unmade := gw.Unmade(ctx, err); unmade != nil {
		return unmade, nil
	}
	return res, err
}

// build is the way of a build: each stage takes what those before it gave.
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
	res, err := finish(ctx, req, f, lint.Warn)
	quiet := func(context.Context, *plan.Plan) error { return nil }
	for more := (*facts.More)(nil); errors.As(err, &more); { // it grows, so that it comes to an end
		f = more.Facts
		res, err = finish(ctx, req, f, quiet)
	}
	diagnostics, lacks := gateway.Lacks(err)
	wide := f.Everything("a step failed with the files that MSBuild names")
	if !lacks || wide == nil {
		return res, err
	}
	// What plain publish can do never fails here.
	if res, err = finish(ctx, req, wide, quiet); err == nil {
		lint.WarnLacks(ctx, req, t, diagnostics)
	}
	return res, err
}

// finish is the way from facts to a result.
func finish(
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
