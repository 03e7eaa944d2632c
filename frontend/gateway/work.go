package gateway

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"
)

// background is work that starts before the build knows whether it needs the result.
type background struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	bug    error
}

// Go runs f in the background. f returns nothing: if the build needs the same step later, it solves it again, and gets
// the result or the error from BuildKit. The context of f ends with the build, or when stop is called. stop also waits
// until f has returned.
func (c *Client) Go(f func(ctx context.Context)) (stop func()) {
	b := &c.background
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan struct{})
	b.wg.Add(1)
	go func() {
		defer b.wg.Done()
		defer close(done)
		var err error
		defer func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.bug = errors.Join(b.bug, err)
		}()
		defer Recover(&err)
		f(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (b *background) end(err *error) {
	b.cancel()
	b.wg.Wait()
	if *err == nil {
		*err = b.bug
	}
}

// WorkGroup is an errgroup whose goroutines turn a panic into an error.
type WorkGroup struct{ *errgroup.Group }

// Group gives a group of goroutines for one task, and a context that ends with the first error.
func Group(ctx context.Context) (*WorkGroup, context.Context) {
	eg, ctx := errgroup.WithContext(ctx)
	return &WorkGroup{eg}, ctx
}

// Go runs f in a goroutine of the group.
func (g *WorkGroup) Go(f func() error) { g.Group.Go(recovering(f)) }

// TryGo is Go, but starts nothing and gives false if the limit is reached.
func (g *WorkGroup) TryGo(f func() error) bool { return g.Group.TryGo(recovering(f)) }

func recovering(f func() error) func() error {
	return func() (err error) {
		defer Recover(&err)
		return f()
	}
}
