package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// errFault is what BuildKit gives in the place of a step's error.
var errFault = errors.New("releasing already released reference worker::id")

// two is a BuildKit with two steps that are on their way. What the first ends with is sent to end; the second has
// ended with the fault. The channels give what their solves give.
func two(ctx context.Context, t *testing.T) (c *Client, end chan<- error, first, second <-chan error) {
	t.Helper()
	ends := make(chan error, 1)
	both := make(chan struct{})
	gw := &gatewaytest.Client{Steps: []gatewaytest.Step{
		{Name: "first", Do: func(context.Context) error { return <-ends }},
		{Name: "second", Do: func(context.Context) error {
			<-both
			return errFault
		}},
	}}
	c = newClient(t, gw)
	evaluate := func(name string) <-chan error {
		got := make(chan error, 1)
		go func() {
			_, err := c.Evaluate(ctx, vertex(name))
			got <- err
		}()
		return got
	}
	first, second = evaluate("first"), evaluate("second")
	for len(gw.Solved()) < 2 {
		time.Sleep(time.Millisecond)
	}
	close(both)
	return c, ends, first, second
}

// The daemon's fault is never the error of a build: that of the step that failed first is, though it comes later.
func TestLostError(t *testing.T) {
	failed := gatewaytest.Failed("[publish]", "/diagnostics")
	c, end, first, second := two(t.Context(), t)
	for waits := false; !waits; { // till the second has ended
		c.solves.mu.Lock()
		waits = c.solves.changed != nil
		c.solves.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	end <- failed
	for name, err := range map[string]error{"first": <-first, "second": <-second} {
		if !errors.Is(err, failed) {
			t.Errorf("%s: %v, want that of the step", name, err)
		}
	}
	if _, err := c.Evaluate(t.Context(), vertex("second")); !errors.Is(err, failed) {
		t.Errorf("asked later: %v, want that of the step", err)
	}
}

// Where there is no other error, the words are ours, and what BuildKit said is beneath.
func TestLostErrorAlone(t *testing.T) {
	_, end, first, second := two(t.Context(), t)
	end <- nil
	if err := <-first; err != nil {
		t.Error(err)
	}
	err := <-second
	if err == nil || strings.Contains(err.Error(), "released") || !errors.Is(err, errFault) {
		t.Errorf("%v, want one of our own", err)
	}
}

// Whoever gives up does not wait.
func TestLostErrorOfCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, end, first, second := two(ctx, t)
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that of the context", err)
	}
	end <- nil
	if err := <-first; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
