package result

import (
	"context"
	"time"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// headStart is how long the steps that compile wait for the answer about what packages read. If BuildKit has the answer
// in its cache, it comes within that time, and nothing is compiled in vain. Otherwise, these steps wait for the restore
// anyway.
const headStart = 200 * time.Millisecond

// beside compiles apps that are restored together, and meanwhile asks MSBuild what their packages read. The error is a
// [facts.More] if they read more than compile had. asked is the step that ran MSBuild; nil if there was nothing to ask.
func beside(
	ctx context.Context, req *request.Request, f *facts.Facts, group []*dotnet.App, restored xllb.Restored,
	compile func(ctx context.Context) error,
) (asked *llb.State, err error) {
	compiling, stop := context.WithCancel(ctx)
	defer stop()
	var more *facts.Facts
	var unanswered error
	answered := make(chan struct{})
	eg, _ := gateway.Group(ctx) // one that fails does not stop the other
	eg.Go(func() error {
		defer close(answered)
		if more, asked, unanswered = f.Again(ctx, group, restored); more != nil {
			stop()
		}
		return nil
	})
	select {
	case <-answered:
	case <-time.After(headStart):
	}
	if err = compiling.Err(); err == nil {
		err = compile(compiling)
	}
	if bug := eg.Wait(); bug != nil {
		return nil, bug
	}
	if unanswered != nil && err == nil { // otherwise both failed with the restore
		req.Warn(ctx, "the build reads the whole context, because crosshull cannot find out what packages read (to avoid "+
			"that, list those files in publish.inputs): "+
			unanswered.Error())
		more = f.Unknown("it is not known what its packages read")
	}
	if more != nil {
		return nil, &facts.More{Facts: more}
	}
	return asked, err
}
