package gateway

import (
	"context"
	"strings"
	"sync"
)

// solves counts the running solves of a build, and keeps the error of the first step that failed.
//
// BuildKit loses the error of a step if another step with a common input has failed before in the same build:
// registerResultIDsLocked (frontend/gateway/gateway.go, v0.34) releases a reference to that input twice, and returns
// the error of that release. It never loses the error of the first step that failed.
type solves struct {
	mu      sync.Mutex
	running int
	failed  error
	// changed is closed when one of them ends.
	changed chan struct{}
}

// lost tells whether err is what BuildKit returns in place of the error of a step.
func lost(err error) bool {
	return failedExec(err) == nil && strings.Contains(err.Error(), "releasing already released reference")
}

func (s *solves) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running++
}

// end ends a solve and returns its error. If BuildKit lost that error, end waits for the error of the first step that
// failed, and returns that.
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
			return Reword(err, "several steps failed, and BuildKit lost the error of one of them: read their logs")
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
