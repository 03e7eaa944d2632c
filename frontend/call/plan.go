package call

import (
	"context"

	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
)

// showPlan answers --call=plan.
func showPlan(ctx context.Context, req *request.Request) (*answer, error) {
	all, err := plans(ctx, req)
	if err != nil {
		return nil, err
	}
	named, err := req.Named()
	if err != nil {
		return nil, err
	}
	tests := req.Spec.Tests
	told := &report.Plan{
		Arguments: req.Arguments(), Secrets: named.Secrets(), Tests: tests.Projects, Gated: tests.Gate,
		TestFilter: tests.Filter, TestSettings: tests.Settings, TestArgs: tests.Args,
	}
	for _, p := range all {
		told.Apps = append(told.Apps, p.Report(nil))
	}
	dt, err := text(told.WriteText)
	if err != nil {
		return nil, err
	}
	return marshalAnswer(dt, told)
}
