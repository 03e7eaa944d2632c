// Package request is the first stage of a build: what the user asked for.
//
// Contract: [Read] takes the options of buildx and the file that -f names, and gives a [Request] that does not change
// afterwards. [Request.Choose] gives the Request for the target that --target names. A Request turns flags and keys
// into options of vertices, and makes an error point at a line of the spec. This stage reads only the spec.
package request

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// SpecName is the name of the spec if the user gives no -f.
const SpecName = "crosshull.yaml"

// Request is what the user asked for.
type Request struct {
	Gateway *gateway.Client
	// Spec is the spec of the target's app; the zero Spec if there is no file.
	Spec *spec.Spec
	// Source is the file of the spec, as messages show it; nil if there is none.
	Source *dockerui.Source
	// Written is the file of the spec as it is; nil if there is none. Comments of it are directives.
	Written []byte
	// Target is the part of the spec that is built.
	Target Target
	// Call is the call that the user wants in place of a build, such as "frontend.plan"; empty for a build.
	Call string
	// Compiled are programs that come with the frontend's image; nil if there are none.
	Compiled *dotnet.Compiled
	// Begun is when the build began. If a file of a step is younger, the step ran in this build.
	Begun time.Time
	// Missing says why there is no spec; nil if there is one.
	Missing *Missing

	// mistakes are the mistakes in the spec.
	mistakes error
}

// Missing is why there is no spec.
type Missing struct {
	Why string
	// Instead is the Dockerfile that is there in its place; nil if there is none.
	Instead *dockerui.Source
}

// keyRequest is the option of a call: buildx sends --call=NAME as "frontend.NAME".
const keyRequest = "requestid"

// keyNoCache is the option with the phases to run again, separated by commas; empty for all
// (dockerui.Client.IsNoCache).
const keyNoCache = "no-cache"

// image is where the frontend will be published.
const image = "ghcr.io/crosshull/crosshull:1"

// keySource is the option with the reference of the frontend's image, as the user named it (frontend.KeySource, and
// forwardGateway of the Dockerfile frontend). It is missing if the frontend does not run from an image.
const keySource = "source"

// Frontend is the image that `# syntax=` has to name to run this frontend.
func (r *Request) Frontend() string { return cmp.Or(r.Gateway.Opt(keySource), image) }

// Read reads the file that -f names. Without -f, buildx names Dockerfile. If there is no such file, or it is a real
// Dockerfile and BUILDKIT_SYNTAX has named this frontend, Read tries crosshull.yaml, and then uses the defaults. For
// mistakes in the spec see [Request.Mistakes]: Read returns no error for them, because some calls work in spite of
// them. compiled becomes part of the Request.
func Read(ctx context.Context, gw *gateway.Client, compiled *dotnet.Compiled) (*Request, error) {
	r := &Request{Gateway: gw, Spec: &spec.Spec{}, Call: gw.Opt(keyRequest), Compiled: compiled, Begun: time.Now()}
	if err := r.readSpec(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Mistakes are the mistakes in the spec; nil if there are none.
func (r *Request) Mistakes() error { return r.mistakes }

func (r *Request) readSpec(ctx context.Context) error {
	src, err := r.Gateway.ReadEntrypoint(ctx, "YAML")
	missing := err != nil && gateway.IsNotFound(err)
	switch {
	case err != nil && !missing:
		return err
	case err == nil && !isDockerfile(src.Data):
		r.parse(src)
		return nil
	case !r.isDefaultName():
		if missing {
			return gateway.Reword(err, fmt.Sprintf(
				"spec %s does not exist: give -f the path of a %s, or no -f to build with the defaults",
				r.Gateway.Opt("filename"), SpecName,
			))
		}
		return fmt.Errorf(
			"%s is a Dockerfile, not a spec: give -f the path of a %s, or no -f to build with the defaults",
			src.Filename,
			SpecName,
		)
	}
	r.Missing = &Missing{Why: "there is no " + SpecName}
	if !missing {
		r.Missing.Instead = src
		r.Missing.Why = src.Filename + " is a Dockerfile and is not used, and " + r.Missing.Why
	}
	named, err := r.Gateway.Named(SpecName)
	if err != nil {
		return err
	}
	src, err = named.ReadEntrypoint(ctx, "YAML")
	switch {
	case err == nil:
		r.Gateway, r.Missing = named, nil
		r.parse(src)
		return nil
	case gateway.IsNotFound(err):
		return nil
	}
	return err
}

func (r *Request) parse(src *dockerui.Source) {
	s, err := spec.ParseOn(src.Data, r.Gateway.BuildArgs, r.Gateway.BuildPlatform())
	r.Written = src.Data
	src.Data = spec.Shown(src.Data)
	r.Source = src
	if err == nil {
		r.Spec = s
		return
	}
	r.mistakes = r.mistake(err)
}

// maxSources limits the bytes of excerpts in an error: gRPC takes 16 MiB, and each excerpt has the whole file.
const maxSources = 2 << 20

// mistake is the error of mistakes in the spec. Its last line is a mistake, because some tools show only the last line.
func (r *Request) mistake(err error) error {
	first, more := spec.AsErrors(err).First()
	var all []error
	for i, m := range first {
		if more > 0 && i == len(first)-1 {
			all = append(all, errors.New(spec.More(more)))
		}
		at := fmt.Errorf("%s:%d: %s", r.Source.Filename, m.Range.Start, m.Msg)
		if i == 0 || len(first)*len(r.Source.Data) <= maxSources {
			at = withSource(at, r.Source, m.Range)
		}
		all = append(all, at)
	}
	return errors.Join(all...)
}

// SpecFor is the spec of the target, with the values of ${TARGETARCH} and so on for a platform.
func (r *Request) SpecFor(p ocispecs.Platform) (*spec.Spec, error) {
	s, err := r.Spec.For(p)
	if err != nil {
		return nil, r.mistake(err)
	}
	return s, nil
}

// SpecName is the name of the spec, as messages have it.
func (r *Request) SpecName() string {
	if r.Source == nil {
		return SpecName
	}
	return r.Source.Filename
}

// Warn shows msg after the build, as a warning about the spec.
func (r *Request) Warn(ctx context.Context, msg string) {
	r.Gateway.Warn(ctx, r.Source, SpecName, msg, client.WarnOpts{Level: 1})
}

// WarnMissing warns if there is no spec, so that the build uses the defaults.
func (r *Request) WarnMissing(ctx context.Context) {
	if m := r.Missing; m != nil {
		msg := m.Why + ": building the project of this context with crosshull's defaults"
		r.Gateway.Warn(ctx, m.Instead, SpecName, msg, client.WarnOpts{Level: 1})
	}
}

// WarnUnused warns about build arguments that the spec does not declare.
func (r *Request) WarnUnused(ctx context.Context) {
	var unused []string
	for _, k := range slices.Sorted(maps.Keys(r.Gateway.BuildArgs)) {
		if _, declared := r.Spec.Args[k]; !declared && !understood(k) {
			unused = append(unused, k)
		}
	}
	if len(unused) > 0 {
		r.Warn(
			ctx,
			fmt.Sprintf(
				"build-args [%s] were not consumed: declare a build argument in args of the spec (to set an MSBuild property, use "+
					"publish.properties)",
				strings.Join(unused, " "),
			),
		)
	}
}

// noCache are the phases of --no-cache-filter, without spaces around them. BuildKit would keep the spaces.
func (r *Request) noCache() []string {
	var names []string
	for name := range strings.SplitSeq(r.Gateway.Opt(keyNoCache), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// isNoCache tells whether the user wants to run a phase again without the cache.
func (r *Request) isNoCache(phase string) bool {
	is := func(name string) bool { return strings.EqualFold(name, phase) }
	return r.Gateway.IsNoCache(phase) || slices.ContainsFunc(r.noCache(), is)
}

// WarnPhases warns about names in --no-cache-filter that are no phases, such as stages of a Dockerfile.
func (r *Request) WarnPhases(ctx context.Context) {
	var unknown []string
	for _, name := range r.noCache() {
		if !slices.ContainsFunc(xllb.Phases, func(p string) bool { return strings.EqualFold(p, name) }) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		r.Warn(ctx, fmt.Sprintf("--no-cache-filter %s does nothing: the phases of a build are %s",
			strings.Join(unknown, ","), strings.Join(xllb.Phases, ", ")))
	}
}

// keyProvenance is the option with the parameters of the provenance (attestations.KeyTypeProvenance of BuildKit).
const keyProvenance = "attest:provenance"

// WarnRecorded warns about build arguments with a password that the provenance will show. BuildKit records the options
// of a build before a frontend sees them (solver/llbsolver/provenance), so nothing else can be done about it.
func (r *Request) WarnRecorded(ctx context.Context) {
	if !strings.Contains(r.Gateway.Opt(keyProvenance), "mode=max") {
		return
	}
	var shown []string
	for name, value := range r.Gateway.BuildArgs {
		if u, err := url.Parse(value); err == nil && u.User != nil {
			if _, has := u.User.Password(); has {
				shown = append(shown, name)
			}
		}
	}
	if len(shown) > 0 {
		slices.Sort(shown)
		r.Warn(ctx, fmt.Sprintf("--provenance=mode=max shows the password in build-args [%s] to everybody who can pull the "+
			"image: use mode=min, or set the proxy of the builder itself", strings.Join(shown, " ")))
	}
}

// Rules says which rules of --check apply: by the build argument BUILDKIT_DOCKERFILE_CHECK, else by the spec's
// directive.
func (r *Request) Rules() (*linter.Config, error) {
	switch {
	case r.Gateway.LinterConfig != nil:
		return r.Gateway.LinterConfig, nil
	case r.Source == nil:
		return &linter.Config{}, nil
	}
	options, _, location, _ := parser.ParseDirective("check", r.Written)
	config, err := linter.ParseLintOptions(options)
	if err != nil {
		at := spec.Range{Start: location[0].Start.Line, End: location[0].End.Line}
		return nil, withSource(fmt.Errorf("%s:%d: # check: %w", r.Source.Filename, at.Start, err), r.Source, at)
	}
	return config, nil
}

// isDefaultName tells whether the file has the name that buildx uses without -f.
func (r *Request) isDefaultName() bool {
	name := r.Gateway.Opt("filename")
	return name == "" || name == dockerui.DefaultDockerfileName
}

// isDockerfile tells a Dockerfile from YAML: its first line that is no comment is an instruction.
func isDockerfile(dt []byte) bool {
	sc := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(dt, []byte("\ufeff"))))
	for sc.Scan() {
		words := strings.Fields(sc.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		return slices.Contains([]string{"FROM", "ARG"}, strings.ToUpper(words[0]))
	}
	return false
}
