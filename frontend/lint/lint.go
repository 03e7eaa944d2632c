// Package lint warns about specs and projects that are valid, but may surprise the user.
//
// Contract: [Check] answers --check, and [Warn] warns in a build. Both collect facts and pass them to the rules of
// package check. They restore and compile nothing.
package lint

import (
	"bytes"
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/check"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Check answers buildx's --check: what rules find in the spec, the projects and the images. If a build would fail, the
// answer has that error, too, as with a Dockerfile.
func Check(ctx context.Context, req *request.Request) (*lint.LintResults, error) {
	if err := req.Mistakes(); err != nil {
		return mistake(&lint.LintResults{}, err)
	}
	config, err := req.Rules()
	if err != nil {
		return mistake(&lint.LintResults{}, err)
	}
	req.WarnUnused(ctx)
	facts, err := collect(ctx, req)
	warnings, _ := check.Run(facts, config) // the error is for builds: buildx --check fails if there are warnings
	results := &lint.LintResults{}
	if req.Source != nil {
		addSource(req, results, facts.Shown())
	}
	for _, w := range warnings {
		source := addSource(req, results, w.Source)
		results.AddWarning(w.Rule.Name, w.Rule.Description, w.Rule.URL(), w.Detail, source, w.Location)
	}
	return mistake(results, err)
}

// mistake adds an error to results. buildx shows such an error at its place, so mistake returns an error without
// a place as it is.
func mistake(results *lint.LintResults, err error) (*lint.LintResults, error) {
	if err == nil {
		return results, nil
	}
	sources := errdefs.Sources(err)
	if len(sources) == 0 || sources[0].Info == nil {
		return nil, err
	}
	results.Sources = append(results.Sources, sources[0].Info)
	results.Error = &lint.BuildError{
		Message:  gateway.Return(err).Error(), // buildx prints it as it is
		Location: pb.Location{SourceIndex: int32(len(results.Sources) - 1), Ranges: sources[0].Ranges},
	}
	return results, nil
}

// addSource gives the index of a file in results; -1 stands for none.
func addSource(req *request.Request, results *lint.LintResults, source check.Source) int {
	if source.Name == "" {
		return -1
	}
	def := &llb.Definition{}
	if req.Source != nil && source.Name == req.Source.Filename {
		def = req.Source.Definition
	}
	info := gateway.SourceInfo(source.Name, source.Data)
	return results.AddSource(&llb.SourceMap{
		Filename: info.Filename, Language: info.Language, Data: info.Data, Definition: def,
	})
}

// Warn shows after a build what rules find in its plan. It does so for targets image and publish. It gives an error if
// there are warnings and the user wants them to be errors.
func Warn(ctx context.Context, p *plan.Plan) error {
	if kind := p.Request.Target.Kind; kind != spec.TargetImage && kind != spec.TargetPublish {
		return nil
	}
	return warnOf(ctx, p.Request, planned(p))
}

// Published shows after a build what rules find in what was published for each image of a plan. Its errors are those of
// Warn.
func Published(ctx context.Context, p *plan.Plan, report func(plan.Target) *dotnet.Report) error {
	f := planned(p)
	f.Published = true
	for _, t := range p.Targets {
		f.Apps[0].Base.Name = t.Base.Name
		of := report(t)
		f.Apps[0].Outputs = append(f.Apps[0].Outputs, check.Output{RID: t.RID, Natives: of.Natives, Made: of.Made})
	}
	return warnOf(ctx, p.Request, f)
}

// warnOf shows what rules find in facts.
func warnOf(ctx context.Context, req *request.Request, f *check.Facts) error {
	config, err := req.Rules()
	if err != nil {
		return err
	}
	warnings, err := check.Run(f, config)
	for _, w := range warnings {
		warn(ctx, req, w)
	}
	if err != nil && warnings[0].Source.Name != "" {
		source := sourceInfo(req, warnings[0].Source)
		err = errdefs.WithSource(err, &errdefs.Source{Info: source, Ranges: ranges(warnings[0].Location)})
	}
	return err
}

// warn shows the warning of a rule after the build.
func warn(ctx context.Context, req *request.Request, w check.Warning) {
	line := 0
	opts := client.WarnOpts{Level: 1, Detail: [][]byte{[]byte(w.Rule.Description)}, URL: w.Rule.URL()}
	if w.Source.Name != "" {
		opts.SourceInfo, opts.Range = sourceInfo(req, w.Source), ranges(w.Location)
	}
	if req.Source != nil && w.Source.Name == req.Source.Filename {
		line = w.Location[0].Start.Line
	}
	req.Gateway.Warn(ctx, req.Source, request.SpecName, linter.LintFormatShort(w.Rule.Name, w.Detail, line), opts)
}

// sourceInfo is a file as BuildKit's type.
func sourceInfo(req *request.Request, source check.Source) *pb.SourceInfo {
	info := gateway.SourceInfo(source.Name, source.Data)
	if src := req.Source; src != nil && source.Name == src.Filename && bytes.Equal(source.Data, src.Data) {
		info.Language, info.Definition = src.Language, src.Definition.ToPB()
	}
	return info
}

func ranges(location []parser.Range) []*pb.Range {
	var out []*pb.Range
	for _, r := range location {
		out = append(out, request.Lines(spec.Range{Start: r.Start.Line, End: r.End.Line}))
	}
	return out
}
