package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// reporter writes whole lines of progress, from several goroutines. Errors of the writer are dropped: a lost line is no
// reason to stop.
type reporter struct {
	w     io.Writer
	began time.Time
	mu    sync.Mutex
}

// Write passes lines of others on.
func (p *reporter) Write(dt []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.w.Write(dt)
}

func (p *reporter) say(step, text string) {
	_, _ = fmt.Fprintf(p, "%6.1fs %-10s %s\n", time.Since(p.began).Seconds(), step, text)
}

// step runs f, and writes what f did and how long it took.
func (p *reporter) step(name string, f func() (string, error)) error {
	start := time.Now()
	detail, err := f()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p.say(name, fmt.Sprintf("%s (%.1fs)", detail, time.Since(start).Seconds()))
	return nil
}

// start makes d run.
func (p *reporter) start(ctx context.Context, d daemon) error {
	before := d.service.PID()
	return p.step(d.service.Name, func() (string, error) {
		if err := d.start(ctx); err != nil {
			return "", err
		}
		if pid := d.service.PID(); pid != before {
			return fmt.Sprintf("started at %s, pid %d", d.address, pid), nil
		}
		return "runs at " + d.address, nil
	})
}

// lines returns a writer whose lines become progress of step.
func (p *reporter) lines(step string) io.Writer {
	return writerFunc(func(dt []byte) (int, error) {
		for line := range bytes.Lines(dt) {
			p.say(step, string(bytes.TrimRight(line, "\n")))
		}
		return len(dt), nil
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(dt []byte) (int, error) { return f(dt) }
