package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Container is one of runc's, as runc list tells.
type Container struct{ ID, Bundle, Status string }

// Containers are those that b started and that are left, also if they have ended.
func (b *Buildkit) Containers(ctx context.Context) ([]Container, error) {
	return containers(ctx, b.Root())
}

// containers are those with a bundle below a folder; none if there is no runc.
func containers(ctx context.Context, root string) ([]Container, error) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		return nil, nil //nolint:nilerr // so nothing runs
	}
	all, err := list(ctx, runc)
	var own []Container
	for _, c := range all {
		if strings.HasPrefix(c.Bundle, root+"/") {
			own = append(own, c)
		}
	}
	return own, err
}

// list asks runc for all containers. runc fails if anybody's container ends while it lists them. So it is asked again
// for some seconds.
func list(ctx context.Context, runc string) ([]Container, error) {
	const tries = 50
	for try := 1; ; try++ {
		out, err := exec.CommandContext(ctx, runc, "list", "--format", "json").Output()
		switch {
		case err == nil:
			var all []Container
			if err := json.Unmarshal(out, &all); err != nil {
				return nil, fmt.Errorf("runc list: %w", err)
			}
			return all, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("runc list: %w", context.Cause(ctx))
		case try == tries:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return nil, fmt.Errorf("runc list: %w: %s", err, strings.TrimSpace(string(exit.Stderr)))
			}
			return nil, fmt.Errorf("runc list: %w", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
