// Package call answers buildx's --call: it describes a build, and does not build.
//
// Contract: [Answer] takes a request that names a call, and gives text for people and JSON for programs. It shows the
// same plan that a build follows. For an unknown call it gives the error that BuildKit has for that.
package call

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/crosshull/crosshull/frontend/facts"
	rules "github.com/crosshull/crosshull/frontend/lint"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/frontend/tree"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// answer is the answer to a call: text for people, JSON for programs.
type answer struct {
	text []byte
	json []byte
}

// call is a request of crosshull's own.
type call struct {
	request subrequests.Request
	answer  func(context.Context, *request.Request) (*answer, error)
	// always: the call is answered even if the spec has mistakes.
	always bool
}

// calls are the calls that the Dockerfile frontend does not have.
var calls = []call{
	own("bake", "A bake file that builds all apps of the spec", bake, false),
	own("dockerfile", "A Dockerfile that builds the same app", eject, false),
	own("explain", "Where each value of the image comes from", explainValues, false),
	own("graph", "Projects and steps of the build, as Mermaid", drawGraph, false),
	own("init", "A spec for the projects of this context", scaffoldSpec, true),
	own("plan", "What would be built, out of what, for each platform", showPlan, false),
	own("schema", "The JSON schema of the spec", schema, true),
}

func own(name, description string, f func(context.Context, *request.Request) (*answer, error), always bool) call {
	return call{
		request: subrequests.Request{
			Name: "frontend." + name, Version: "1.0.0", Type: subrequests.TypeRPC, Description: description,
			Opts:     []subrequests.Named{{Name: "target", Description: "App or target of the spec"}},
			Metadata: []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}},
		},
		answer: f,
		always: always,
	}
}

// Answer answers the call of a request.
func Answer(ctx context.Context, req *request.Request) (*client.Result, error) {
	for _, c := range calls {
		if c.request.Name == req.Call {
			return c.ask(ctx, req)
		}
	}
	switch req.Call {
	case subrequests.RequestSubrequestsDescribe:
		return describeCalls()
	case lint.RequestLint:
		results, err := rules.Check(ctx, req)
		if err != nil {
			return nil, err
		}
		return results.ToResult(nil)
	}
	if err := req.Mistakes(); err != nil {
		return nil, err
	}
	switch req.Call {
	case outline.RequestSubrequestsOutline:
		o, err := outlineOf(req)
		if err != nil {
			return nil, err
		}
		return o.ToResult()
	case targets.RequestTargets:
		return (targets.List{Targets: req.Targets(), Sources: sources(req)}).ToResult()
	case convertllb.RequestConvertLLB:
		converted, err := convertLLB(ctx, req)
		if err != nil {
			return nil, err
		}
		return converted.ToResult()
	}
	return nil, errdefs.NewUnsupportedSubrequestError(req.Call)
}

// ask answers a call of crosshull's own.
func (c call) ask(ctx context.Context, req *request.Request) (*client.Result, error) {
	if err := req.Mistakes(); err != nil && !c.always {
		return nil, err
	}
	a, err := c.answer(ctx, req)
	if err != nil {
		return nil, err
	}
	return reply(a.text, a.json, c.request.Version), nil
}

func reply(text, json []byte, version string) *client.Result {
	res := client.NewResult()
	res.AddMeta("result.txt", text)
	res.AddMeta("result.json", json)
	res.AddMeta("version", []byte(version))
	return res
}

// describeCalls lists all calls. The list of dockerui has only three.
func describeCalls() (*client.Result, error) {
	all := []subrequests.Request{
		convertllb.SubrequestConvertLLBDefinition, lint.SubrequestLintDefinition, outline.SubrequestsOutlineDefinition,
		subrequests.SubrequestsDescribeDefinition, targets.SubrequestsTargetsDefinition,
	}
	for i := range all { // their texts speak of Dockerfiles
		all[i].Description = strings.ReplaceAll(all[i].Description, "Dockerfile", "spec")
	}
	for _, c := range calls {
		all = append(all, c.request)
	}
	slices.SortFunc(all, func(a, b subrequests.Request) int { return strings.Compare(a.Name, b.Name) })
	dt, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(dt, &text); err != nil {
		return nil, err
	}
	return reply(text.Bytes(), dt, subrequests.SubrequestsDescribeDefinition.Version), nil
}

// schema is the JSON schema of this frontend.
func schema(context.Context, *request.Request) (*answer, error) {
	dt := spec.Schema()
	return &answer{text: dt, json: dt}, nil
}

// marshalAnswer makes the JSON of an answer.
func marshalAnswer(text []byte, v any) (*answer, error) {
	dt, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, dotnet.Bug(fmt.Errorf("write JSON: %w", err))
	}
	return &answer{text: text, json: dt}, nil
}

// text is the output of write.
func text(write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b)
	return b.Bytes(), err
}

// plans makes the plans of the apps of a call. For this, only MSBuild runs, and registries are asked.
func plans(ctx context.Context, req *request.Request) ([]*plan.Plan, error) {
	apps, err := req.EachApp()
	if err != nil {
		return nil, err
	}
	for i, app := range apps {
		apps[i] = app.ForImage()
		if err := apps[i].Check(); err != nil {
			return nil, err
		}
	}
	t, err := tree.Read(ctx, req)
	if err != nil {
		return nil, err
	}
	var all []*plan.Plan
	for _, app := range apps {
		asker, err := facts.New(ctx, app, t)
		if err != nil {
			return nil, err
		}
		p, err := planOf(ctx, app, asker)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func planOf(ctx context.Context, req *request.Request, asker *facts.Asker) (*plan.Plan, error) {
	f, err := asker.Apps(ctx)
	if err != nil {
		return nil, err
	}
	return plan.Make(ctx, req, f)
}

// asker gives the [facts.Asker] for the projects of a request.
func asker(ctx context.Context, req *request.Request) (*facts.Asker, error) {
	if err := req.Check(); err != nil {
		return nil, err
	}
	t, err := tree.Read(ctx, req)
	if err != nil {
		return nil, err
	}
	return facts.New(ctx, req, t)
}
