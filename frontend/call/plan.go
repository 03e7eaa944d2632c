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
	told := &report.Plan{
		Arguments: req.Arguments(), Secrets: req.Secrets(), Tests: req.Spec.Tests.Projects, Gated: req.Spec.Tests.Gate,
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
