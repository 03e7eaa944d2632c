package gateway

import (
	"context"
	"errors"
	"sync"
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
