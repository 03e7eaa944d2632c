package call

import (
	"context"

	"github.com/crosshull/crosshull/frontend/dockerfile"
	"github.com/crosshull/crosshull/frontend/request"
)

// eject answers --call=dockerfile: a Dockerfile for the same apps, as an expert would write it.
func eject(ctx context.Context, req *request.Request) (*answer, error) {
	all, err := plans(ctx, req)
	if err != nil {
		return nil, err
	}
	for i, p := range all {
		if all[i], err = p.WithUsers(ctx); err != nil {
			return nil, err
		}
	}
	text, err := dockerfile.Write(all, req.SpecName())
	if err != nil {
		return nil, err
	}
	return marshalAnswer(text, map[string]string{"dockerfile": string(text)})
}
