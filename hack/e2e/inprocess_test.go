package e2e

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/frontend"
	"github.com/crosshull/crosshull/hack/inprocess"
)

// record is what a build in process did, see [inprocess.Record].
type record struct {
	response map[string]string
	ran      []string
	cached   []string
	failed   []string
	warnings []string
	log      string
	execs    []*pb.Op // of all solves, each digest once
	sources  []*pb.SourceOp
}

// count tells how many vertices with a prefix ran.
func (r *record) count(prefix string) int {
	n := 0
	for _, name := range r.ran {
		if strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

// option changes how solve builds.
type option func(*solver)

type solver struct {
	attrs   map[string]string
	missing []apicaps.CapID
	export  string
	into    string
	addr    string
	change  []func(*client.SolveOpt)
	tar     io.Writer
}

func attr(k, v string) option  { return func(s *solver) { s.attrs[k] = v } }
func platform(p string) option { return attr("platform", p) }
func pushTo(ref string) option { return func(s *solver) { s.export = ref } }
func on(addr string) option    { return func(s *solver) { s.addr = addr } }
func into(dir string) option   { return func(s *solver) { s.into = dir } }
func tarTo(w io.Writer) option { return func(s *solver) { s.tar = w } }
func without(c apicaps.CapID) option {
	return func(s *solver) { s.missing = append(s.missing, c) }
}

// asking changes what is asked of BuildKit, after all else.
func asking(change func(*client.SolveOpt)) option {
	return func(s *solver) { s.change = append(s.change, change) }
}

// solve builds the context in dir with its crosshull.yaml.
func solve(t *testing.T, dir string, opts ...option) (*record, error) {
	t.Helper()
	s := &solver{attrs: map[string]string{"filename": "crosshull.yaml"}, addr: theLab.BuildkitAddr()}
	for _, o := range opts {
		o(s)
	}
	ctx, waited := waiting(t, "build")
	defer waited()
	mounts, err := inprocess.Mounts(map[string]string{"context": dir, "dockerfile": dir})
	if err != nil {
		t.Fatal(err)
	}
	so := client.SolveOpt{
		FrontendAttrs: s.attrs,
		LocalMounts:   mounts,
		// As buildx does. Without it folders that are sent side by side are one to BuildKit, which sends only what differs in
		// size or time: two files that were written in one tick of the clock are then the same.
		SharedKey: dir,
	}
	switch {
	case s.into != "": // files, to a folder
		so.Exports = []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: s.into}}
	case s.tar != nil:
		so.Exports = []client.ExportEntry{{Type: client.ExporterTar, Output: func(map[string]string) (io.WriteCloser, error) {
			return open{s.tar}, nil
		}}}
	case s.export != "":
		so.Exports = []client.ExportEntry{{Type: client.ExporterImage, Attrs: map[string]string{
			"name": s.export, "push": "true", "registry.insecure": "true",
		}}}
	} // without an export, all platforms are evaluated, and no layer is packed or sent
	for _, change := range s.change {
		change(&so)
	}
	spy := &spy{missing: s.missing, seen: map[digest.Digest]*pb.Op{}}
	did, err := inprocess.Solve(ctx, s.addr, so, func(ctx context.Context, gc gateway.Client) (*gateway.Result, error) {
		spy.Client = gc
		return frontend.Build(ctx, spy)
	})
	if did == nil {
		t.Fatal(err)
	}
	rec := &record{
		response: did.Response, ran: did.Ran, cached: did.Cached, failed: did.Failed, warnings: did.Warnings, log: did.Log,
	}
	for _, op := range spy.seen {
		if op.GetExec() != nil {
			rec.execs = append(rec.execs, op)
		}
		if source := op.GetSource(); source != nil {
			rec.sources = append(rec.sources, source)
		}
	}
	return rec, err
}

// mustSolve is solve for a build that has to succeed.
func mustSolve(t *testing.T, dir string, opts ...option) *record {
	t.Helper()
	rec, err := solve(t, dir, opts...)
	if err != nil {
		t.Fatalf("build %s: %v\n%s", dir, err, rec.log)
	}
	return rec
}

// spy is a gateway client that keeps what is solved, and lacks capabilities on demand.
type spy struct {
	gateway.Client
	missing []apicaps.CapID
	mu      sync.Mutex
	seen    map[digest.Digest]*pb.Op
}

func (s *spy) BuildOpts() gateway.BuildOpts {
	opts := s.Client.BuildOpts()
	if len(s.missing) > 0 {
		caps := pb.Caps.All()
		for i := range caps {
			if slices.Contains(s.missing, apicaps.CapID(caps[i].ID)) {
				caps[i].Enabled = false
			}
		}
		opts.LLBCaps = pb.Caps.CapSet(caps)
	}
	return opts
}

func (s *spy) Solve(ctx context.Context, req gateway.SolveRequest) (*gateway.Result, error) {
	s.mu.Lock()
	for _, dt := range req.Definition.GetDef() {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			s.mu.Unlock()
			return nil, fmt.Errorf("decode op: %w", err)
		}
		s.seen[digest.FromBytes(dt)] = &op
	}
	s.mu.Unlock()
	return s.Client.Solve(ctx, req)
}

// open is a writer that is not to be closed.
type open struct{ io.Writer }

func (open) Close() error { return nil }
