package gateway

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"
)

// background is work that is begun before anybody knows whether it is needed.
type background struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	bug    error
}

// Go runs f beside the build. Whoever needs what it makes asks for it again, and BuildKit has it by then: so f gives no
// error. Its context ends with the build, or when the function that Go returns is called. That function also waits
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

// Group gives a group of goroutines that belong to one task, and the context that ends with the first error of one.
func Group(ctx context.Context) (*WorkGroup, context.Context) {
	eg, ctx := errgroup.WithContext(ctx)
	return &WorkGroup{eg}, ctx
}

// Go runs f in a goroutine of the group.
func (g *WorkGroup) Go(f func() error) { g.Group.Go(recovering(f)) }

// TryGo is Go, unless as many run already as the limit allows.
func (g *WorkGroup) TryGo(f func() error) bool { return g.Group.TryGo(recovering(f)) }

func recovering(f func() error) func() error {
	return func() (err error) {
		defer Recover(&err)
		return f()
	}
}
