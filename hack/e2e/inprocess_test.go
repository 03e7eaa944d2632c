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
	"github.com/tonistiigi/fsutil"

	"github.com/crosshull/crosshull/frontend"
)

// record is what a build in process did.
type record struct {
	response map[string]string
	ran      []string // names of vertices that ran, not cached, each once
	cached   []string
	failed   []string // what buildx shows in red
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
	c, err := client.New(ctx, s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // nothing to be done about it
	local, err := fsutil.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	so := client.SolveOpt{
		FrontendAttrs: s.attrs,
		LocalMounts:   map[string]fsutil.FS{"context": local, "dockerfile": local},
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
	default: // evaluates all platforms, and keeps nothing
		so.Exports = []client.ExportEntry{{Type: client.ExporterOCI, Output: func(map[string]string) (io.WriteCloser, error) {
			return discard{}, nil
		}}}
	}
	for _, change := range s.change {
		change(&so)
	}
	rec := &record{}
	spy := &spy{missing: s.missing, seen: map[digest.Digest]*pb.Op{}}
	statuses := make(chan *client.SolveStatus)
	done := make(chan struct{})
	go func() {
		defer close(done)
		rec.watch(statuses)
	}()
	res, err := c.Build(ctx, so, "", func(ctx context.Context, gc gateway.Client) (*gateway.Result, error) {
		spy.Client = gc
		return frontend.Build(ctx, spy)
	}, statuses)
	<-done
	for _, op := range spy.seen {
		if op.GetExec() != nil {
			rec.execs = append(rec.execs, op)
		}
		if source := op.GetSource(); source != nil {
			rec.sources = append(rec.sources, source)
		}
	}
	if err != nil {
		return rec, err
	}
	rec.response = res.ExporterResponse
	return rec, nil
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

// watch takes the status of a build, till it ends.
func (r *record) watch(statuses <-chan *client.SolveStatus) {
	vertices := map[digest.Digest]*client.Vertex{}
	var log strings.Builder
	for st := range statuses {
		for _, v := range st.Vertexes {
			vertices[v.Digest] = v
		}
		for _, l := range st.Logs {
			log.Write(l.Data)
		}
		for _, w := range st.Warnings {
			r.warnings = append(r.warnings, string(w.Short))
		}
	}
	for _, v := range vertices {
		if v.Error != "" {
			r.failed = append(r.failed, v.Name+": "+v.Error)
		}
		switch {
		case v.Cached:
			r.cached = append(r.cached, v.Name)
		case v.Started != nil:
			r.ran = append(r.ran, v.Name)
		}
	}
	slices.Sort(r.ran)
	r.log = log.String()
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

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// open is a writer that is not to be closed.
type open struct{ io.Writer }

func (open) Close() error { return nil }
