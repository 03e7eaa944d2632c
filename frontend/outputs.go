package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// test runs all tests, each project on its own and side by side; the result has their results, a folder for each.
func (b *build) test(ctx context.Context) (*client.Result, error) {
	var err error
	switch {
	case b.tests != nil: // an image waits for them
	case b.spec.Tests.Gate: // an image will, so what they share is done here
		err = b.describeApps(ctx)
	default:
		b.tests, err = b.describe(ctx, b.askTests())
	}
	if err != nil {
		return nil, err
	}
	var sts []llb.State
	var defs []*llb.Definition
	for _, test := range b.tests {
		restored, err := b.graph.Restore(b.group(test), nil)
		if err != nil {
			return nil, err
		}
		st, err := b.graph.Test(test, restored)
		if err != nil {
			return nil, err
		}
		def, err := b.marshal(ctx, st)
		if err != nil {
			return nil, err
		}
		sts, defs = append(sts, st), append(defs, def)
	}
	errs := make([]error, len(defs))
	results := make([]*plan.Tests, len(defs))
	var eg errgroup.Group
	for i, def := range defs {
		eg.Go(func() error {
			// Evaluated, so that what fails fails here; and all of them, so that one failure does not hide another.
			ref, err := b.evaluate(ctx, def)
			errs[i] = b.diagnoseTest(ctx, err, b.tests[i])
			if err == nil {
				results[i] = testResults(ctx, ref, b.tests[i])
			}
			return nil
		})
	}
	_ = eg.Wait() // it has no error: errs has them
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, r := range results {
		if r != nil {
			b.log.tests = append(b.log.tests, *r)
		}
	}
	return b.single(ctx, b.graph.Collect(sts), nil)
}

// askTests are questions for the tests of the spec. They are built as a portable app is.
func (b *build) askTests() []question {
	var questions []question
	for i, path := range b.spec.Tests.Projects {
		p := dotnet.Project{Path: path, Test: true, Mode: &dotnet.Mode{}}
		questions = append(questions, question{p, fmt.Sprintf("tests.%d", i)})
	}
	return questions
}

// workspace is an image of the SDK with the sources and packages of the app, for the build platform.
func (b *build) workspace(ctx context.Context) (*client.Result, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	restored, _, err := b.restore()
	if err != nil {
		return nil, err
	}
	config := &dockerspec.DockerOCIImage{}
	if c := b.sdkImage.config; c != nil {
		*config = *c
	}
	config.RootFS, config.History, config.Created = ocispecs.RootFS{Type: "layers"}, nil, nil
	config.Config.WorkingDir = xllb.SourceDir
	for k, v := range xllb.WorkspaceEnv {
		config.Config.Env = append(config.Config.Env[:len(config.Config.Env):len(config.Config.Env)], k+"="+v)
	}
	return b.single(ctx, b.graph.Workspace(b.app, restored), config)
}

// single is a result that is the same for all platforms.
func (b *build) single(ctx context.Context, st llb.State, config *dockerspec.DockerOCIImage) (*client.Result, error) {
	def, err := b.marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	ref, err := b.evaluate(ctx, def)
	if err != nil {
		return nil, b.diagnose(ctx, err)
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

// files is what publish leaves, for each platform, without an image around it.
func (b *build) files(ctx context.Context) (*client.Result, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	layers, err := b.layers(ctx, "/")
	if err != nil {
		return nil, err
	}
	sts := make([]llb.State, len(b.targets))
	for i, p := range b.targets {
		sts[i] = b.graph.Image(llb.Scratch(), p, placed(layers[i], "/", nil)...)
	}
	return b.each(ctx, sts)
}

// each is a result that is files, for each platform.
func (b *build) each(ctx context.Context, sts []llb.State) (*client.Result, error) {
	defs := make([]*llb.Definition, len(sts))
	for i, st := range sts {
		var err error
		if defs[i], err = b.marshal(ctx, st); err != nil {
			return nil, err
		}
	}
	rb, err := b.bc.Build(ctx, func(ctx context.Context, p *ocispecs.Platform, idx int) (_ *dockerui.BuildResult, err error) {
		defer recovered(&err)
		ref, err := b.solve(ctx, defs[idx])
		if err != nil {
			return nil, err
		}
		img := &dockerspec.DockerOCIImage{}
		if p != nil {
			img.Platform = *p
		}
		return &dockerui.BuildResult{Reference: ref, Image: img, Epoch: b.epoch}, nil
	})
	if err != nil {
		return nil, err
	}
	return rb.Finalize()
}
