package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
)

// subrequests answers buildx's --call. A frontend that does not answer check, outline and targets has its file read as
// a Dockerfile by buildx, which is worse than an answer that has little to say. By the time they are asked the spec has
// been read, so a mistake in it is an error in each.
func (e *entrypoint) subrequests() dockerui.RequestHandler {
	return dockerui.RequestHandler{
		Outline: func(context.Context) (*outline.Outline, error) {
			return &outline.Outline{
				Name:        e.outlined(),
				Description: targetDescriptions[targetImage],
				Args: []outline.Arg{{
					Name:        "SOURCE_DATE_EPOCH",
					Description: "the time to put into labels and configuration: seconds since 1970, or context",
					Value:       e.bc.BuildArgs["SOURCE_DATE_EPOCH"],
				}},
				Sources: e.sources(),
			}, nil
		},
		ListTargets: func(context.Context) (*targets.List, error) {
			return &targets.List{Targets: e.targets(), Sources: e.sources()}, nil
		},
		Lint: e.lint,
	}
}

// outlined is the target that an outline is of.
func (e *entrypoint) outlined() string {
	if t := e.bc.Target; t != "" {
		return t
	}
	return targetImage
}

func (e *entrypoint) sources() [][]byte {
	if e.src == nil {
		return nil
	}
	return [][]byte{e.src.Data}
}
