package frontend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"time"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/check"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// lint is the answer to buildx's --check: what rules find in the spec, and in what MSBuild and registries say. Nothing is
// restored or compiled for it. What a build would fail for is part of the answer, as with a Dockerfile: mistakes are those
// that reading the spec came to.
func (e *entrypoint) lint(ctx context.Context, mistakes error) (*lint.LintResults, error) {
	if mistakes != nil {
		return mistake(&lint.LintResults{}, mistakes)
	}
	config, err := e.linterConfig()
	if err != nil {
		return mistake(&lint.LintResults{}, err)
	}
	e.warnUnusedBuildArgs(ctx)
	facts, err := e.facts(ctx)
	warnings, _ := check.Run(facts, config) // the error is for builds: here warnings make the exit code anyway
	results := &lint.LintResults{}
	if e.src != nil {
		e.addSource(results, facts.Shown())
	}
	for _, w := range warnings {
		results.AddWarning(w.Rule.Name, w.Rule.Description, w.Rule.URL(), w.Detail, e.addSource(results, w.Source), w.Location)
	}
	return mistake(results, err)
}

// mistake makes an error part of results. One without a place cannot be: buildx wants to show it.
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
		Message:  err.Error(),
		Location: pb.Location{SourceIndex: int32(len(results.Sources) - 1), Ranges: sources[0].Ranges},
	}
	return results, nil
}

// addSource gives the index of a file in results; -1 stands for none.
func (e *entrypoint) addSource(results *lint.LintResults, source check.Source) int {
	if source.Name == "" {
		return -1
	}
	def := &llb.Definition{}
	if e.src != nil && source.Name == e.src.Filename {
		def = e.src.Definition
	}
	return results.AddSource(&llb.SourceMap{Filename: source.Name, Language: language(source.Name), Data: source.Data, Definition: def})
}

func language(name string) string {
	switch path.Ext(name) {
	case ".yaml", ".yml":
		return "YAML"
	case ".json":
		return "JSON"
	}
	return "XML"
}

// linterConfig is what the user says of rules: the build argument BUILDKIT_DOCKERFILE_CHECK, else the directive of the spec.
func (e *entrypoint) linterConfig() (*linter.Config, error) {
	switch {
	case e.bc.LinterConfig != nil:
		return e.bc.LinterConfig, nil
	case e.src == nil:
		return &linter.Config{}, nil
	}
	options, _, location, _ := parser.ParseDirective("check", e.src.Data)
	config, err := linter.ParseLintOptions(options)
	if err != nil {
		r := spec.Range{Start: location[0].Start.Line, End: location[0].End.Line}
		return nil, withSource(fmt.Errorf("%s:%d: # check: %w", e.src.Filename, r.Start, err), e.src, r)
	}
	return config, nil
}

// facts collects what rules look at: all apps, unless a target is named. With an error, they are those that are known.
func (e *entrypoint) facts(ctx context.Context) (*check.Facts, error) {
	f := e.newFacts()
	apps, tests, err := e.checked()
	if err != nil {
		return f, err
	}
	for _, one := range apps {
		b, err := newBuild(ctx, one)
		if err != nil {
			return f, err
		}
		b.add(f)
		a, err := b.inspect(ctx)
		if err != nil {
			return f, err
		}
		f.Apps = append(f.Apps, a)
	}
	if tests { // what is no test is a mistake
		b, err := newBuild(ctx, e)
		if err != nil {
			return f, err
		}
		if _, err := b.describe(ctx, b.askTests()); err != nil {
			return f, err
		}
	}
	return f, nil
}

// checked is what a check is about: the apps, and whether it is about the tests too.
func (e *entrypoint) checked() (apps []*entrypoint, tests bool, err error) {
	if e.bc.Target == targetTest {
		_, _, err = e.choose()
		return nil, true, err
	}
	apps, err = e.eachApp()
	return apps, e.bc.Target == "" && len(e.spec.Tests.Projects) > 0, err
}

// newFacts are those of the spec alone.
func (e *entrypoint) newFacts() *check.Facts {
	f := &check.Facts{Spec: e.spec, Files: dotnet.Files{}, Now: time.Now()}
	if e.src != nil {
		f.Source = check.Source{Name: e.src.Filename, Data: e.src.Data}
	}
	return f
}

// add adds the facts of a build that are not of its app.
func (b *build) add(f *check.Facts) {
	maps.Copy(f.Files, b.projectFiles)
	f.Settings, f.BuildRID = b.graph.Settings, b.graph.BuildRID
}

// inspect collects what a build of the app would find out before it restores anything.
func (b *build) inspect(ctx context.Context) (check.App, error) {
	a := check.App{Prefix: b.prefix, Spec: &b.spec.App, SDK: b.sdkImage.fact()}
	questions, target, err := b.questions()
	if err != nil {
		return a, err
	}
	descs, err := b.answers(ctx, questions)
	if err != nil {
		return a, err
	}
	b.app, err = b.appOf(questions[target], descs[target])
	if nothing := (*dotnet.NothingError)(nil); errors.As(err, &nothing) && b.spec.Has(b.prefix+"project") {
		for _, c := range nothing.Candidates {
			if c.IsTest {
				a.Tests = append(a.Tests, c.Path)
			}
		}
		if len(a.Tests) > 0 {
			return a, nil
		}
	}
	if err != nil {
		return a, err
	}

	bases := &bases{}
	b.images.askAhead(ctx, b.app.BaseImage, b.targets)
	for _, p := range b.targets {
		img, err := b.images.resolveBase(ctx, b.app.BaseImage, p)
		if err != nil {
			if a.Has = b.images.available(ctx, b.app.BaseImage); len(a.Has) == 0 {
				return a, b.at(b.baseKey(), fmt.Errorf("base image: %v", err))
			}
			a.Missing = append(a.Missing, platforms.Format(p))
			continue
		}
		bases.images = append(bases.images, img)
	}
	if err := b.configure(&a, bases); err != nil {
		return a, err
	}
	if !b.app.Mode.NeedsToolchain() || len(bases.images) == 0 {
		return a, nil
	}
	ref, err := b.toolchainRef()
	if err != nil {
		return a, err
	}
	linker, err := b.linker(ctx, ref)
	if err != nil {
		return a, err
	}
	a.Toolchain = linker.fact()
	a.RIDs, err = b.runtimeIDs(ctx, bases.images[0])
	return a, err
}

// configure adds the facts of the app, and of its images on bases.
func (b *build) configure(a *check.App, bases *bases) error {
	a.Project, a.Base.Name = b.app, b.app.BaseImage
	for _, base := range bases.images {
		a.Base.Replaced = base.fact().Replaced
		config, err := xllb.Config(xllb.ConfigOpt{App: b.app, Spec: b.spec.Image, Base: xllb.Base{Name: base.name, Config: base.config}})
		if err != nil {
			return fmt.Errorf("%s: %w", b.app.Path, err)
		}
		c := check.Configured{Image: config.Image.Config}
		if base.config != nil {
			c.Base = base.config.Config
		}
		a.Images = append(a.Images, c)
	}
	return nil
}

// fact is what rules know of an image.
func (img *image) fact() check.Image {
	return check.Image{Name: img.name, Replaced: img.pinned == nil}
}

// warnings says what rules find in what a build knows without asking for more. The error is there if the user wants one
// where there is a warning.
func (b *build) warnings(ctx context.Context) error {
	a := check.App{Prefix: b.prefix, Spec: &b.spec.App, SDK: b.sdkImage.fact(), RIDs: b.rids}
	if b.toolchainImage != nil {
		a.Toolchain = b.toolchainImage.fact()
	}
	if err := b.configure(&a, b.base); err != nil {
		return nil // comes again where it matters
	}
	f := b.newFacts()
	b.add(f)
	f.Apps = []check.App{a}
	warnings, err := check.Run(f, b.rules)
	for _, w := range warnings {
		b.warnOf(ctx, w)
	}
	if err != nil && warnings[0].Source.Name != "" {
		err = errdefs.WithSource(err, &errdefs.Source{Info: b.sourceInfo(warnings[0].Source), Ranges: pbRanges(warnings[0].Location)})
	}
	return err
}

// warnOf shows the warning of a rule after the build.
func (e *entrypoint) warnOf(ctx context.Context, w check.Warning) {
	line := 0
	opts := client.WarnOpts{Level: 1, Detail: [][]byte{[]byte(w.Rule.Description)}, URL: w.Rule.URL()}
	if w.Source.Name != "" {
		opts.SourceInfo, opts.Range = e.sourceInfo(w.Source), pbRanges(w.Location)
	}
	if e.src != nil && w.Source.Name == e.src.Filename {
		line = w.Location[0].Start.Line
	}
	e.warnWith(ctx, e.src, linter.LintFormatShort(w.Rule.Name, w.Detail, line), opts)
}

// sourceInfo is a file in BuildKit's words.
func (e *entrypoint) sourceInfo(source check.Source) *pb.SourceInfo {
	info := &pb.SourceInfo{Data: source.Data, Filename: source.Name, Language: language(source.Name)}
	if e.src != nil && source.Name == e.src.Filename && bytes.Equal(source.Data, e.src.Data) {
		info.Language, info.Definition = e.src.Language, e.src.Definition.ToPB()
	}
	return info
}

func pbRanges(location []parser.Range) []*pb.Range {
	var ranges []*pb.Range
	for _, r := range location {
		ranges = append(ranges, pbRange(spec.Range{Start: r.Start.Line, End: r.End.Line}))
	}
	return ranges
}
