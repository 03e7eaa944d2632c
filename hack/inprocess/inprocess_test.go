package inprocess

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
)

// A step has run in a build if it ended after the build began, and was neither cached nor canceled.
func TestRan(t *testing.T) {
	begun := time.Now()
	before, after := begun.Add(-time.Second), begun.Add(time.Second)
	st := &client.SolveStatus{}
	add := func(name string, completed *time.Time, cached bool, err string) {
		st.Vertexes = append(st.Vertexes, &client.Vertex{
			Digest: digest.FromString(name), Name: name, Started: &before, Completed: completed, Cached: cached, Error: err,
		})
	}
	add("ran", &after, false, "")
	add("failed", &after, false, "exit code: 1")
	add("cached", &after, true, "")
	add("canceled", &after, false, context.Canceled.Error())
	add("of the build before", &before, false, "")
	statuses := make(chan *client.SolveStatus, 1)
	statuses <- st
	close(statuses)
	var rec Record
	rec.watch(begun, statuses)
	if want := []string{"failed", "ran"}; !slices.Equal(rec.Ran, want) {
		t.Errorf("ran %q, want %q", rec.Ran, want)
	}
	slices.Sort(rec.Cached)
	if want := []string{"cached", "of the build before"}; !slices.Equal(rec.Cached, want) {
		t.Errorf("cached %q, want %q", rec.Cached, want)
	}
}
