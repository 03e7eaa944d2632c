// Package inprocess builds by a frontend that runs in this process, against a buildkitd. So a build needs no image of
// the frontend, and what it does can be seen.
package inprocess

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	digest "github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
)

// Record is what a build did.
type Record struct {
	Response map[string]string // of the exporter
	Ran      []string          // names of vertices that ran, failed ones too, sorted; none that were cached or canceled
	Cached   []string
	Failed   []string // what buildx shows in red
	Warnings []string
	Log      string
}

// Solve makes a buildkitd build by a frontend. The record is there if the build fails, too.
func Solve(ctx context.Context, addr string, so client.SolveOpt, frontend gateway.BuildFunc) (*Record, error) {
	c, err := client.New(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // nothing to be done about it
	rec, begun := &Record{}, time.Now()
	statuses := make(chan *client.SolveStatus)
	done := make(chan struct{})
	go func() {
		defer close(done)
		rec.watch(begun, statuses)
	}()
	res, err := c.Build(ctx, so, "", frontend, statuses)
	<-done
	if err != nil {
		return rec, err
	}
	rec.Response = res.ExporterResponse
	return rec, nil
}

// Mounts gives the local folders of a build. Each has a name by which frontends ask for it.
func Mounts(dirs map[string]string) (map[string]fsutil.FS, error) {
	mounts := map[string]fsutil.FS{}
	for name, dir := range dirs {
		local, err := fsutil.NewFS(dir)
		if err != nil {
			return nil, fmt.Errorf("folder %s: %w", name, err)
		}
		mounts[name] = local
	}
	return mounts, nil
}

// watch takes the status of a build that began at begun, until it ends.
func (r *Record) watch(begun time.Time, statuses <-chan *client.SolveStatus) {
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
			r.Warnings = append(r.Warnings, string(w.Short))
		}
	}
	for _, v := range vertices {
		if v.Error != "" {
			r.Failed = append(r.Failed, v.Name+": "+v.Error)
		}
		switch {
		case v.Cached, v.Completed != nil && v.Completed.Before(begun):
			// As long as BuildKit has not let go of the build before, it shows what that one ran in this one, too
			// (progress.MultiWriter).
			r.Cached = append(r.Cached, v.Name)
		case v.Error == context.Canceled.Error():
			// BuildKit stopped it, as nothing needs it any more. It may not even have begun: a digest of its inputs that is
			// not needed, as another cache key matched first, looks so too (sharedOp.CalcSlowCache).
		case v.Started != nil:
			r.Ran = append(r.Ran, v.Name)
		}
	}
	slices.Sort(r.Ran)
	r.Log = log.String()
}
