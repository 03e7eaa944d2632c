package gateway

import (
	"context"
	"strings"
	"sync"
)

// solves are the solves of a build that are on their way, and the first step that failed in one.
//
// BuildKit loses the error of a step where another one has failed before it in the same build, and the two have an
// input in common: registerResultIDsLocked (frontend/gateway/gateway.go, v0.34) releases a reference to that input
// twice, and gives the error of that in the place of the step's. The error of the first step that failed is never
// lost.
type solves struct {
	mu      sync.Mutex
	running int
	failed  error
	// changed is closed when one of them ends.
	changed chan struct{}
}

// lost tells the error that comes in the place of a step's.
func lost(err error) bool {
	return failedExec(err) == nil && strings.Contains(err.Error(), "releasing already released reference")
}

func (s *solves) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running++
}

// end takes the error of a solve, and gives it. Where that is lost, it waits for the one of the step that failed
// first: its answer is on the way.
func (s *solves) end(ctx context.Context, err error) error {
	s.mu.Lock()
	s.running--
	if s.failed == nil && failedExec(err) != nil {
		s.failed = err
	}
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	s.mu.Unlock()
	if err == nil || !lost(err) {
		return err
	}
	for {
		s.mu.Lock()
		if s.failed != nil {
			defer s.mu.Unlock()
			return s.failed
		}
		if s.running == 0 {
			defer s.mu.Unlock()
			return Reword(err, "several steps failed, and BuildKit lost the error of one of them: look at its log")
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
