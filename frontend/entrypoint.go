package frontend

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/spec"
)

// SpecName is the name of the spec that is looked for where buildx was given no -f.
const SpecName = "crosshull.yaml"

// entrypoint is what the user asked for: options and spec.
type entrypoint struct {
	bc   *dockerui.Client
	spec *spec.Spec
	src  *dockerui.Source // nil without a spec
	// appName is the name of the app that is the target, and prefix begins its keys, where the spec has several.
	appName, prefix string
	// noSpec is why there is no spec, and notSpec the file that is none.
	noSpec     string
	notSpec    *dockerui.Source
	marshaling sync.Mutex
}

// readEntrypoint reads the file that -f names. Without -f buildx names Dockerfile: where that is missing or is one, and
// BUILDKIT_SYNTAX sent us here all the same, crosshull.yaml is tried, and then a spec with all defaults. With an error about
// mistakes in the spec there is an entrypoint all the same.
func readEntrypoint(ctx context.Context, c client.Client) (*entrypoint, error) {
	bc, err := dockerui.NewClient(c)
	if err != nil {
		return nil, err
	}
	e := &entrypoint{bc: bc, spec: &spec.Spec{}}
	src, err := bc.ReadEntrypoint(ctx, "YAML")
	missing := err != nil && isNotFound(err)
	switch {
	case err != nil && !missing:
		return nil, err
	case err == nil && !isDockerfile(src.Data):
		return e, e.parse(src)
	case !isDefaultName(c):
		if missing {
			return nil, fmt.Errorf("spec %s does not exist: %w", c.BuildOpts().Opts["filename"], err)
		}
		return nil, fmt.Errorf("%s is a Dockerfile, not a spec: give -f the path of a %s, or no -f to build with the defaults", src.Filename, SpecName)
	}

	e.notSpec = src
	named, err := dockerui.NewClient(withFilename{c})
	if err != nil {
		return nil, err
	}
	if src, err := named.ReadEntrypoint(ctx, "YAML"); err == nil {
		e.bc = named
		return e, e.parse(src)
	} else if !isNotFound(err) {
		return nil, err
	}
	e.noSpec = "there is no " + SpecName
	if e.notSpec != nil {
		e.noSpec = e.notSpec.Filename + " is a Dockerfile and is not used, and " + e.noSpec
	}
	return e, nil
}

// warnNoSpec tells that the defaults are used.
func (e *entrypoint) warnNoSpec(ctx context.Context) {
	if e.noSpec != "" {
		e.warn(ctx, e.notSpec, e.noSpec+": building the project of this context with crosshull's defaults")
	}
}

func (e *entrypoint) parse(src *dockerui.Source) error {
	e.src = src
	s, err := spec.Parse(src.Data, e.bc.BuildArgs)
	if err == nil {
		e.spec = s
		return nil
	}
	var all error
	for _, mistake := range spec.AsErrors(err) {
		at := fmt.Errorf("%s:%d: %s", src.Filename, mistake.Range.Start, mistake.Msg)
		all = errors.Join(all, withSource(at, src, mistake.Range))
	}
	return all
}

// at makes err point at a key of the spec.
func (e *entrypoint) at(key string, err error) error {
	if e.src == nil || err == nil {
		return err
	}
	// A solve that failed has the place of its vertex with it already.
	if len(errdefs.Sources(err)) > 0 {
		return err
	}
	r := e.rangeOf(key)
	return withSource(fmt.Errorf("%s:%d: %w", e.src.Filename, r.Start, err), e.src, r)
}

// location makes a vertex point at a key of the spec, for the errors that come after the frontend has returned.
func (e *entrypoint) location(key string) []llb.ConstraintsOpt {
	if e.src == nil {
		return nil
	}
	if !e.spec.Has(e.prefix+key) && !e.spec.Has(key) {
		key = "project" // what all steps are for
	}
	return []llb.ConstraintsOpt{e.src.Location([]*pb.Range{pbRange(e.rangeOf(key))})}
}

// rangeOf gives the lines of a key: those of the app that is the target, else those that all apps have in common.
func (e *entrypoint) rangeOf(key string) spec.Range {
	if e.prefix != "" && (e.spec.Has(e.prefix+key) || !e.spec.Has(key)) {
		key = e.prefix + key
	}
	return e.spec.Range(key)
}

// warn shows msg after the build. Without a file to tie it to, an empty one stands for the spec that is not there.
func (e *entrypoint) warn(ctx context.Context, src *dockerui.Source, msg string) {
	e.warnWith(ctx, src, msg, client.WarnOpts{Level: 1})
}

// warnWith is warn with what else there is to say.
func (e *entrypoint) warnWith(ctx context.Context, src *dockerui.Source, msg string, opts client.WarnOpts) {
	if src != nil {
		src.Warn(ctx, msg, opts)
		return
	}
	st := llb.Scratch().File(llb.Mkfile("/"+SpecName, 0o644, nil), dockerui.WithInternalName("default spec"))
	def, err := st.Marshal(ctx)
	if err != nil {
		return
	}
	head, err := def.Head()
	if err != nil {
		return
	}
	// A warning is shown with its vertex, so the vertex has to be part of the build.
	if _, err := e.bc.GatewayClient().Solve(ctx, client.SolveRequest{Definition: def.ToPB(), Evaluate: true}); err != nil {
		return
	}
	_ = e.bc.GatewayClient().Warn(ctx, head, msg, opts)
}

func withSource(err error, src *dockerui.Source, r spec.Range) error {
	return errdefs.WithSource(err, &errdefs.Source{
		Info: &pb.SourceInfo{
			Data:       src.Data,
			Filename:   src.Filename,
			Language:   src.Language,
			Definition: src.Definition.ToPB(),
		},
		Ranges: []*pb.Range{pbRange(r)},
	})
}

func pbRange(r spec.Range) *pb.Range {
	return &pb.Range{Start: &pb.Position{Line: int32(r.Start)}, End: &pb.Position{Line: int32(r.End)}}
}

// withFilename is a client whose options name SpecName.
type withFilename struct{ client.Client }

func (c withFilename) BuildOpts() client.BuildOpts {
	opts := c.Client.BuildOpts()
	opts.Opts = maps.Clone(opts.Opts)
	opts.Opts["filename"] = path.Join(path.Dir(opts.Opts["filename"]), SpecName)
	return opts
}

// isDefaultName tells whether the file is the one that buildx names when the user names none.
func isDefaultName(c client.Client) bool {
	name := c.BuildOpts().Opts["filename"]
	return name == "" || name == dockerui.DefaultDockerfileName
}

// isDockerfile tells a Dockerfile from YAML: its first line that is no comment is an instruction.
func isDockerfile(dt []byte) bool {
	sc := bufio.NewScanner(bytes.NewReader(dt))
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, _, _ := strings.Cut(line, " ")
		return slices.Contains([]string{"FROM", "ARG"}, strings.ToUpper(word))
	}
	return false
}

// isNotFound tells a missing file. The gateway gives text only.
func isNotFound(err error) bool {
	return strings.Contains(err.Error(), "no such file or directory")
}
