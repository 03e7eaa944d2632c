package lab

import (
	"context"
	"fmt"
)

// StartBuildkit makes another buildkitd run, configured as the lab's own, with its state, socket and log in dir, which
// has to exist; addr is where it can be reached. It knows nothing of what the lab's own has built. stop ends it, and
// leaves removing dir to the caller. The lab has to be up.
func (l *Lab) StartBuildkit(ctx context.Context, dir string) (addr string, stop func(context.Context) error, err error) {
	if err := checkSocket(dir); err != nil {
		return "", nil, err
	}
	d := l.buildkitDaemon(dir, l.LocalImages())
	if err := d.start(ctx); err != nil {
		return "", nil, err
	}
	stop = func(ctx context.Context) error {
		if err := d.service.Stop(ctx); err != nil {
			return err
		}
		if err := cleanBuildkit(ctx, dir); err != nil {
			return fmt.Errorf("clean up after buildkitd in %s: %w", dir, err)
		}
		return nil
	}
	return d.address, stop, nil
}
