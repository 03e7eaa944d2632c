package facts

import (
	"context"
	"fmt"
	"reflect"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
)

// Tool is an image with tools for commands.
type Tool struct {
	Image *gateway.Image
	Paths []string
}

// resolveTools resolves the images with tools that the spec names. If it runs no command, there are none.
func resolveTools(ctx context.Context, req *request.Request) ([]Tool, error) {
	p := req.Spec.Publish
	if len(p.Before)+len(p.After) == 0 {
		return nil, nil
	}
	var tools []Tool
	for i, t := range p.Tools {
		key := fmt.Sprintf("publish.tools.%d.image", i)
		img, err := req.Gateway.Tool(ctx, t.Image)
		if err != nil {
			return nil, req.At(key, fmt.Errorf("image with tools: %w", err))
		}
		tools = append(tools, Tool{img, t.Paths})
	}
	return tools, nil
}

// equip gives the SDK with tools; nil if there are none.
func equip(steps *xllb.Steps, tools []Tool) (*llb.State, error) {
	if len(tools) == 0 {
		return nil, nil
	}
	st, err := steps.Equip(withFiles(tools))
	return &st, err
}

func withFiles(tools []Tool) []xllb.Tool {
	var out []xllb.Tool
	for _, t := range tools {
		out = append(out, xllb.Tool{State: t.Image.State, Path: t.Image.Env("PATH"), Paths: t.Paths})
	}
	return out
}

// ToolPath is the PATH of commands; empty if it is that of the SDK.
func (a *Asker) ToolPath() string {
	own := a.SDK.Image.Env("PATH")
	if all := xllb.ToolPath(own, withFiles(a.Tools)); all != own {
		return all
	}
	return ""
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
