// Package plantest runs the stages of a build up to its plan, for unit tests.
//
// Contract: the functions run the stages as package frontend does, with a BuildKit that answers from tables. They
// return the error of the stage that fails.
package plantest

import (
	"context"
	"testing"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/tree"
)

// Read reads the request of the build that c answers. The end of the test ends the build.
func Read(ctx context.Context, t testing.TB, c *gatewaytest.Client) (*request.Request, error) {
	t.Helper()
	gw, err := gateway.New(ctx, c)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		var err error
		if gw.Close(&err); err != nil {
			t.Error(err)
		}
	})
	return request.Read(ctx, gw, nil)
}

// Request is [Read] for the target that --target names. Mistakes in the spec are an error.
func Request(ctx context.Context, t testing.TB, c *gatewaytest.Client) (*request.Request, error) {
	t.Helper()
	req, err := Read(ctx, t, c)
	if err != nil {
		return nil, err
	}
	if err := req.Mistakes(); err != nil {
		return nil, err
	}
	if req, err = req.Choose(); err != nil {
		return nil, err
	}
	return req, req.Check()
}

// Asker gives the request, and the [facts.Asker] for its target.
func Asker(ctx context.Context, t testing.TB, c *gatewaytest.Client) (*request.Request, *facts.Asker, error) {
	t.Helper()
	req, err := Request(ctx, t, c)
	if err != nil {
		return nil, nil, err
	}
	inContext, err := tree.Read(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	asker, err := facts.New(ctx, req, inContext)
	return req, asker, err
}

// Plan is the plan of the target.
func Plan(ctx context.Context, t testing.TB, c *gatewaytest.Client) (*plan.Plan, error) {
	t.Helper()
	req, asker, err := Asker(ctx, t, c)
	if err != nil {
		return nil, err
	}
	f, err := asker.Apps(ctx)
	if err != nil {
		return nil, err
	}
	return plan.Make(ctx, req, f)
}
