// Package repro builds examples in several ways that must not tell in what comes out, and says whether the bits are the
// same.
//
// Contract: [Run] brings the lab up and builds every example once, as it is, and then in every [Variant], all with
// --no-cache. Each of these is built twice: with SOURCE_DATE_EPOCH, where the digest of the index has to be that of the
// first build, and without it, where the digests of the layers have to be. What is not the same is compared down to the
// file. Nothing is left behind but the lab, and what was pushed to its registry.
//
// Provenance is left out of what is compared, as it has the times of the build in it.
//
// # Where things are
//
//	repro.go     what is run
//	variant.go   the ways to build
//	builders.go  daemons, and builders of one and of two
//	copy.go      sources that differ in all but content
//	git.go       sources in a git repository
//	report.go    what came of it
//	diff         what differs between two images, down to the file
//	policy       what an image was built from, to do so again
package repro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/tools"
	"github.com/crosshull/crosshull/hack/repro/diff"
	"github.com/crosshull/crosshull/hack/repro/policy"
)

// Platforms are those that everything is built for: as many as there are nodes.
const Platforms = "linux/amd64,linux/arm64"

// Epoch is the SOURCE_DATE_EPOCH of what is built with one.
const Epoch = "1700000000"

// Examples are what Run builds by default: static web assets, libraries and tests, packages with native libraries,
// a single C# file, and what is published for each platform by itself.
var Examples = []string{"aspnetapp", "complexapp", "sqlite", "filebased", "trimmed", "aot"}

// Config is what is to be run.
type Config struct {
	Examples []string       // of the repository's folder
	Variants *regexp.Regexp // nil for all
	// Change is done to every copy of the sources before it is built; nil but to see what Run says of a change.
	Change func(dir string) error
}

// Run does what c asks for, and says on progress what it does.
func Run(ctx context.Context, l *lab.Lab, c Config, progress io.Writer) (_ *Report, err error) {
	todo := slices.DeleteFunc(slices.Clone(variants), func(v variant) bool {
		return c.Variants != nil && !c.Variants.MatchString(v.name)
	})
	if len(todo) == 0 {
		return nil, errors.New("no variant matches")
	}
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return nil, err
	}
	r := &runner{
		lab:      l,
		change:   c.Change,
		progress: progress,
		began:    time.Now(),
		examples: filepath.Join(filepath.Dir(moduleDir), "examples"),
	}
	for _, e := range c.Examples {
		if _, err := os.Stat(filepath.Join(r.examples, e, "crosshull.yaml")); err != nil {
			return nil, fmt.Errorf("no such example: %w", err)
		}
	}
	if err := l.Up(ctx, progress); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := l.PushFrontend(ctx, &out); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, &out)
	}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.second.Stop(context.WithoutCancel(ctx))) }()
	report := &Report{}
	for _, e := range c.Examples {
		got, err := r.example(ctx, e, todo)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		report.Examples = append(report.Examples, *got)
	}
	return report, nil
}

// runner has what builds share.
type runner struct {
	lab      *lab.Lab
	examples string
	change   func(dir string) error
	second   *lab.Buildkit // what start started; its Dir is for files of a run, too
	progress io.Writer
	began    time.Time
}

func (r *runner) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.progress, "%7.0fs %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// example builds one in all ways.
func (r *runner) example(ctx context.Context, name string, todo []variant) (*Example, error) {
	dir := filepath.Join(r.second.Dir, name)
	defer os.RemoveAll(dir) //nolint:errcheck // stop removes what is left
	src := filepath.Join(r.examples, name)
	asItIs := source{context: src, builder: nodeOne}
	first, err := r.both(ctx, name, "first", asItIs)
	if err != nil {
		return nil, err
	}
	out := &Example{Name: name, Index: first.digest, Layers: first.layers}
	if out.Sources, err = r.sources(ctx, name, asItIs); err != nil {
		return nil, err
	}
	for i, v := range todo {
		src, stop, err := v.prepare(ctx, r, src, filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		second, err := r.both(ctx, name, v.tag, src)
		stop()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		res := Result{Variant: v.name, Index: second.digest}
		if first.digest != second.digest {
			if res.IndexDiff, err = diff.Compare(first.index, second.index); err != nil {
				return nil, err
			}
		}
		if !slices.Equal(first.layers, second.layers) {
			all, err := diff.Compare(first.untimed, second.untimed)
			if err != nil {
				return nil, err
			}
			res.LayerDiff = slices.DeleteFunc(all, func(d diff.Difference) bool {
				return !slices.ContainsFunc(d.Path, func(p string) bool { return strings.HasPrefix(p, "layer") })
			})
			res.LayersDiffer = true
		}
		r.say("%s, %s: index %s, layers %s", name, v.name, res.index(out.Index), res.layers())
		out.Results = append(out.Results, res)
	}
	return out, nil
}

// built is what came of both builds of one variant.
type built struct {
	index   diff.Object // with SOURCE_DATE_EPOCH
	digest  string      // of it
	untimed diff.Object // without it
	layers  []string    // of that, each with its platform
}

// both builds with SOURCE_DATE_EPOCH and without.
func (r *runner) both(ctx context.Context, example, tag string, src source) (*built, error) {
	ref := fmt.Sprintf("%s/repro/%s:%s", r.lab.Registry(), example, tag)
	if err := r.build(ctx, src, ref+"-epoch", "SOURCE_DATE_EPOCH="+Epoch, "--provenance=false", "--no-cache"); err != nil {
		return nil, err
	}
	if err := r.build(ctx, src, ref, "", "--provenance=false", "--no-cache"); err != nil {
		return nil, err
	}
	var b built
	var err error
	if b.index, err = diff.Get(ref+"-epoch", remote.WithContext(ctx)); err != nil {
		return nil, err
	}
	digest, err := b.index.Digest()
	if err != nil {
		return nil, err
	}
	b.digest = digest.String()
	if b.untimed, err = diff.Get(ref, remote.WithContext(ctx)); err != nil {
		return nil, err
	}
	b.layers, err = layers(b.untimed)
	return &b, err
}

// sources gives what an example is built from, as its provenance names it.
func (r *runner) sources(ctx context.Context, example string, src source) ([]string, error) {
	ref := fmt.Sprintf("%s/repro/%s:provenance", r.lab.Registry(), example)
	if err := r.build(ctx, src, ref, ""); err != nil {
		return nil, err
	}
	materials, err := policy.Materials(ref, remote.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, m := range materials {
		if image, ok := policy.Image(m); ok && !slices.Contains(out, image) {
			out = append(out, image)
		}
	}
	return out, nil
}

// build is docker buildx build as anybody would do it; env is one more variable, or none.
func (r *runner) build(ctx context.Context, src source, ref, env string, args ...string) error {
	args = append(
		[]string{
			"buildx",
			"build",
			"--builder",
			src.builder,
			"--progress=plain",
			"--platform",
			Platforms,
			"-t",
			ref,
			"--push",
		},
		args...)
	if src.file != "" {
		args = append(args, "-f", src.file)
	} else {
		args = append(args, "-f", filepath.Join(src.context, "crosshull.yaml"))
	}
	cmd := r.docker(ctx, append(args, src.context)...)
	if env != "" {
		cmd.Env = append(cmd.Env, env)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// docker is a command of the lab's docker, with builders of its own, and no time to tell.
func (r *runner) docker(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, r.lab.Bin("docker"), args...)
	cmd.Dir = r.second.Dir
	cmd.Env = append(os.Environ(), r.lab.Env()...)
	cmd.Env = slices.DeleteFunc(cmd.Env, func(kv string) bool {
		return strings.HasPrefix(kv, "SOURCE_DATE_EPOCH=") || strings.HasPrefix(kv, "BUILDX_BUILDER=")
	})
	cmd.Env = append(cmd.Env, "BUILDX_CONFIG="+filepath.Join(r.second.Dir, "buildx"))
	return cmd
}
