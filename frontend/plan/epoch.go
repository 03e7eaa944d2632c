package plan

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/crosshull/crosshull/frontend/request"
)

// epoch gives the time of SOURCE_DATE_EPOCH: seconds since 1970, or "context" for the time of the git commit.
func epoch(ctx context.Context, req *request.Request) (*time.Time, error) {
	gw := req.Gateway
	v := gw.BuildArgs["SOURCE_DATE_EPOCH"]
	switch v {
	case "":
		return nil, nil
	case "context":
		t, err := gw.ResolveMainContextSourceDateEpoch(ctx)
		if err != nil {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH=context: %w", err)
		}
		if t == nil {
			req.Warn(ctx, "SOURCE_DATE_EPOCH=context does nothing for this context, which has no time of its own: give seconds "+
				"since 1970, as of git log -1 --format=%ct")
		}
		return t, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH=%s: write seconds since 1970, or context", v)
	}
	t := time.Unix(n, 0).UTC()
	return &t, nil
}
