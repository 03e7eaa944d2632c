package result

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/graph"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Tests runs the tests, and gives a folder of results for each.
func Tests(ctx context.Context, req *request.Request, f *facts.Facts) (*client.Result, error) {
	st, _, err := runTests(ctx, req, f)
	if err != nil {
		return nil, err
	}
	return single(ctx, req, f.Tree.Files, st, nil)
}

// runTests runs all test projects concurrently, and gives their results.
func runTests(ctx context.Context, req *request.Request, f *facts.Facts) (llb.State, []report.Tests, error) {
	b := plan.Builder(req, f, nil)
	if len(f.Tests) == 0 {
		return b.Collect(nil, nil), nil, nil
	}
	if err := checkSources(ctx, req, f, b); err != nil {
		return llb.State{}, nil, err
	}
	run, err := f.TestRun(req.Spec.Tests)
	if err == nil && run.Settings != "" {
		err = f.Tree.Check(ctx, xllb.TestPart, xllb.TestReads(run))
	}
	if err != nil {
		return llb.State{}, nil, req.At("tests.settings", err)
	}
	sts := make([]llb.State, len(f.Tests))
	group := f.Group(f.Tests[0]) // all of them are in it
	restored, err := b.Restore(group, nil)
	if err != nil {
		return llb.State{}, nil, err
	}
	for i, test := range f.Tests {
		if sts[i], err = b.Test(test, run, restored); err != nil {
			return llb.State{}, nil, err
		}
	}
	var told []report.Tests
	_, err = beside(ctx, req, f, group, restored, func(ctx context.Context) (err error) {
		if told, err = evaluateTests(ctx, req, f, sts); err == nil && !run.Platform {
			err = warnOfNone(ctx, req, run, told)
		}
		return err
	})
	return b.Collect(f.Tests, sts), told, err
}

// evaluateTests runs the steps that test, and gives their results.
func evaluateTests(
	ctx context.Context, req *request.Request, f *facts.Facts, sts []llb.State,
) ([]report.Tests, error) {
	errs := make([]error, len(sts))
	results := make([]*report.Tests, len(sts))
	eg, _ := gateway.Group(ctx)
	for i, st := range sts {
		eg.Go(func() error {
			// Evaluate, so that errors come here. Run all tests, so that one failure does not hide another.
			ref, err := req.Gateway.Evaluate(ctx, st)
			ended := time.Since(req.Begun)
			errs[i] = req.DiagnoseTest(ctx, err, f.Tests[i], f.Tree.Files)
			if err == nil {
				results[i] = testResults(ctx, req, ref, f.Tests[i], ended)
			}
			return nil
		})
	}
	if err := errors.Join(distinct(append(errs, eg.Wait()))...); err != nil {
		return nil, err
	}
	var told []report.Tests
	for _, r := range results {
		if r != nil {
			told = append(told, *r)
		}
	}
	return told, nil
}

// warnOfNone warns about projects in which VSTest found no test. VSTest calls that a success. If a filter leaves out
// all tests, it is an error: an image would wait for nothing.
func warnOfNone(ctx context.Context, req *request.Request, run dotnet.TestRun, told []report.Tests) error {
	idle := slices.DeleteFunc(slices.Clone(told), func(t report.Tests) bool { return t.Total > 0 })
	if run.Filter == "" {
		for _, t := range idle {
			req.Warn(ctx, "dotnet test finds no test in "+t.Project+": reference the adapter of its test framework, such as "+
				"xunit.runner.visualstudio")
		}
		return nil
	}
	if len(idle) == len(told) {
		return req.At("tests.filter", errors.New("the filter matches no test: look at the log of dotnet test"))
	}
	for _, t := range idle {
		req.Warn(ctx, "tests.filter matches no test of "+t.Project)
	}
	return nil
}

// distinct leaves out errors with the same text as an earlier one: tests that need the same project fail for the same
// reason.
func distinct(errs []error) []error {
	said := map[string]bool{}
	return slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || said[err.Error()] {
			return true
		}
		said[err.Error()] = true
		return false
	})
}

// testResults reads the results of a test project: its TRX file, if there is one.
func testResults(
	ctx context.Context, req *request.Request, ref client.Reference, test *dotnet.App, ended time.Duration,
) *report.Tests {
	dt, err := gateway.ReadRef(ctx, ref, dotnet.TestResults(test))
	if err != nil {
		return nil
	}
	tested, err := written(ctx, req, ref, dotnet.TestResults(test))
	if err != nil {
		return nil
	}
	r, err := dotnet.ParseResults(dt)
	if err != nil {
		return nil
	}
	return &report.Tests{
		Project: test.Path, Total: r.Total, Passed: r.Passed, Failed: r.Failed, Skipped: r.Skipped,
		Step: step(xllb.PhaseTest+" "+test.Path, tested, ended),
	}
}

// workspace is an image of the SDK with the sources and packages of the app, for the build platform.
func workspace(ctx context.Context, p *plan.Plan) (*client.Result, error) {
	if err := checkSources(ctx, p.Request, p.Facts, p.Builder()); err != nil {
		return nil, err
	}
	g, err := graph.Make(p, dotnet.CompressInPublish)
	if err != nil {
		return nil, err
	}
	config := &dockerspec.DockerOCIImage{}
	if c := p.SDK.Image.Config; c != nil {
		*config = *c
	}
	config.RootFS, config.History, config.Created = ocispecs.RootFS{Type: "layers"}, nil, nil
	config.Config.WorkingDir = xllb.SourceDir
	config.Config.Env = slices.Concat(config.Config.Env, xllb.WorkspaceEnv)
	var res *client.Result
	_, err = beside(ctx, p.Request, p.Facts, p.Group(p.App), g.Restored, func(ctx context.Context) (err error) {
		res, err = single(ctx, p.Request, p.Tree.Files, g.Builder.Workspace(p.App, g.Restored), config)
		return err
	})
	return res, err
}

// single is a result that is the same for all platforms. files are those of the context.
func single(
	ctx context.Context, req *request.Request, files dotnet.Files, st llb.State, config *dockerspec.DockerOCIImage,
) (*client.Result, error) {
	ref, err := req.Gateway.Evaluate(ctx, st)
	if err != nil {
		return nil, req.Diagnose(ctx, err, files)
	}
	res := client.NewResult()
	res.SetRef(ref)
	if config != nil {
		dt, err := json.Marshal(config)
		if err != nil {
			return nil, err
		}
		res.AddMeta(exptypes.ExporterImageConfigKey, dt)
	}
	return res, nil
}

// files is the result of target publish: the published files for each platform.
func files(ctx context.Context, p *plan.Plan, g *graph.Graph) (*client.Result, error) {
	out, err := publish(ctx, p, g)
	if err != nil {
		return nil, err
	}
	sts := make([]llb.State, len(p.Targets))
	for i, t := range p.Targets {
		b := out.graph.Builder
		layers := out.all(p, t)
		for j := range layers {
			if layers[j].dir == p.Dir {
				layers[j].dir = "/"
			}
		}
		sts[i] = b.Image(llb.Scratch(), t.Platform, placed(b, layers, nil)...)
	}
	return each(ctx, p, sts)
}

// each is a result with files for each platform.
func each(ctx context.Context, p *plan.Plan, sts []llb.State) (*client.Result, error) {
	gw := p.Request.Gateway
	build := func(ctx context.Context, platform *ocispecs.Platform, idx int) (_ *dockerui.BuildResult, err error) {
		defer gateway.Recover(&err)
		ref, err := gw.Solve(ctx, sts[idx])
		if err != nil {
			return nil, err
		}
		img := &dockerspec.DockerOCIImage{}
		if platform != nil {
			img.Platform = *platform
		}
		return &dockerui.BuildResult{Reference: ref, Image: img, Epoch: p.Epoch}, nil
	}
	rb, err := gw.Build(ctx, build)
	if err != nil {
		return nil, err
	}
	return rb.Finalize()
}
