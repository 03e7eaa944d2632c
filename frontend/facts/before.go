package facts

import (
	"context"
	"fmt"
	"reflect"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
)

// equipped gives the SDK with the tools of the spec; nil if it names none, or runs no command.
func equipped(ctx context.Context, req *request.Request, steps *xllb.Steps) (*llb.State, error) {
	p := req.Spec.Publish
	if len(p.Tools) == 0 || len(p.Before)+len(p.After) == 0 {
		return nil, nil
	}
	var tools []xllb.Tool
	for i, t := range p.Tools {
		key := fmt.Sprintf("publish.tools.%d.image", i)
		img, err := req.Gateway.Tool(ctx, t.Image)
		if err != nil {
			return nil, req.At(key, fmt.Errorf("image with tools: %w", err))
		}
		tools = append(tools, xllb.Tool{State: img.State, Path: img.Env("PATH"), Paths: t.Paths})
	}
	st, err := steps.Equip(tools)
	if err != nil {
		return nil, err
	}
	return &st, nil
}

// before runs the commands that change the sources, and gives the context that they leave. MSBuild has to see what they
// make, so they run before everything that reads a project. The SDK is chosen before them: they need it.
func before(ctx context.Context, req *request.Request, t *tree.Tree, steps *xllb.Steps) (*tree.Tree, error) {
	commands := req.Spec.Publish.Before
	if len(commands) == 0 {
		return t, nil
	}
	reads, err := inputs(req, t, steps, "publish.before", commands)
	if err != nil {
		return nil, err
	}
	if err := t.Check(ctx, "what commands read", reads...); err != nil {
		return nil, req.At("publish.before", err)
	}
	left, given, err := steps.Before(req.Commands(commands))
	if err != nil {
		return nil, err
	}
	return t.Changed(ctx, req, left, given)
}

// inputs are what commands read of the context. It refuses inputs that are not there. key is that of the commands.
func inputs(
	req *request.Request, t *tree.Tree, steps *xllb.Steps, key string, commands []spec.Command,
) ([]xllb.Reads, error) {
	var reads []xllb.Reads
	for i, c := range commands {
		for j, input := range c.Inputs {
			if err := t.Find(input); err != nil {
				return nil, req.At(fmt.Sprintf("%s.%d.inputs.%d", key, i, j), err)
			}
		}
		reads = append(reads, steps.CommandReads(c))
	}
	return reads, nil
}

// sameSources tells whether two apps are built from the same sources: commands of one may change them.
func sameSources(app, other *spec.App) bool {
	a, b := app.Publish, other.Publish
	return reflect.DeepEqual(a.Before, b.Before) && (len(a.Before) == 0 || reflect.DeepEqual(a.Tools, b.Tools))
}
