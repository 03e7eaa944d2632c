package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/crosshull/crosshull/frontend/spec"
)

// keyRequest is the option that asks for something else than a build: buildx's --call=NAME is "frontend.NAME".
const keyRequest = "requestid"

// answer is what comes of a call: text for people, JSON for programs.
type answer struct {
	text []byte
	json []byte
}

// call is a request of crosshull's own.
type call struct {
	request subrequests.Request
	answer  func(context.Context, *entrypoint) (*answer, error)
	// always: it is answered though the spec has mistakes.
	always bool
}

// calls are those that Dockerfiles have not.
var calls = []call{
	own("bake", "A bake file that builds all apps of the spec", bake, false),
	own("dockerfile", "A Dockerfile that builds the same app", eject, false),
	own("explain", "Where each value of the image comes from", explainValues, false),
	own("graph", "Projects and steps of the build, as Mermaid", drawGraph, false),
	own("init", "A spec for the projects of this context", scaffoldSpec, true),
	own("plan", "What would be built, out of what, for each platform", showPlan, false),
	own("schema", "The JSON schema of the spec", schema, true),
}

func own(name, description string, f func(context.Context, *entrypoint) (*answer, error), always bool) call {
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

// handle answers a request. mistakes is what reading the spec came to.
func (e *entrypoint) handle(ctx context.Context, request string, mistakes error) (*client.Result, error) {
	for _, c := range calls {
		if c.request.Name != request {
			continue
		}
		if mistakes != nil && !c.always {
			return nil, mistakes
		}
		a, err := c.answer(ctx, e)
		if err != nil {
			return nil, err
		}
		return result(a.text, a.json, c.request.Version), nil
	}
	switch request {
	case subrequests.RequestSubrequestsDescribe:
		return describeCalls()
	case lint.RequestLint:
		results, err := e.lint(ctx, mistakes)
		if err != nil {
			return nil, err
		}
		return results.ToResult(nil)
	}
	if mistakes != nil {
		return nil, mistakes
	}
	switch request {
	case outline.RequestSubrequestsOutline:
		return e.outline().ToResult()
	case targets.RequestTargets:
		return (targets.List{Targets: e.targets(), Sources: e.sources()}).ToResult()
	case convertllb.RequestConvertLLB:
		converted, err := e.convertLLB(ctx)
		if err != nil {
			return nil, err
		}
		return converted.ToResult()
	}
	return nil, errdefs.NewUnsupportedSubrequestError(request)
}

func result(text, json []byte, version string) *client.Result {
	res := client.NewResult()
	res.AddMeta("result.txt", text)
	res.AddMeta("result.json", json)
	res.AddMeta("version", []byte(version))
	return res
}

// describeCalls lists all requests. dockerui would list three of them.
func describeCalls() (*client.Result, error) {
	all := []subrequests.Request{
		convertllb.SubrequestConvertLLBDefinition, lint.SubrequestLintDefinition, outline.SubrequestsOutlineDefinition,
		subrequests.SubrequestsDescribeDefinition, targets.SubrequestsTargetsDefinition,
	}
	for i := range all { // they speak of Dockerfiles
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
	return result(text.Bytes(), dt, subrequests.SubrequestsDescribeDefinition.Version), nil
}

// schema is the JSON schema of this very frontend.
func schema(context.Context, *entrypoint) (*answer, error) {
	dt := spec.Schema()
	return &answer{text: dt, json: dt}, nil
}

// marshalAnswer makes the JSON of an answer.
func marshalAnswer(text []byte, v any) (*answer, error) {
	dt, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return &answer{text: text, json: dt}, nil
}

// eachApp gives the apps that a call is about: the one that --target names, or all.
func (e *entrypoint) eachApp() ([]*entrypoint, error) {
	if e.bc.Target != "" || len(e.spec.Apps) == 0 {
		chosen, kind, err := e.choose()
		if err != nil {
			return nil, err
		}
		if kind == targetTest {
			return nil, errors.New("target test is no app")
		}
		return []*entrypoint{chosen}, nil
	}
	var all []*entrypoint
	for _, name := range sortedKeys(e.spec.Apps) {
		all = append(all, e.forApp(name))
	}
	return all, nil
}
