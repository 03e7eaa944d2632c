package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/crosshull/crosshull/hack/lab/service"
)

// Buildkit is a buildkitd beside the lab's own, with a cache of its own. Make it with [Lab.StartBuildkit].
type Buildkit struct {
	// Dir has its state, socket and log. It is a new folder in the lab's, and the caller may use it too.
	Dir string
	// Addr is its address, as BuildKit's clients take it.
	Addr   string
	daemon daemon
}

// StartBuildkit starts a buildkitd that is configured like the lab's own, but has an empty cache. Tables of more are
// added to its configuration. The lab has to be up.
func (l *Lab) StartBuildkit(ctx context.Context, more ...string) (*Buildkit, error) {
	dir, err := os.MkdirTemp(l.dir, "second-")
	if err != nil {
		return nil, err
	}
	d := l.buildkitDaemon(dir, l.LocalImages())
	d.config += strings.Join(more, "")
	if err = checkSocket(dir); err == nil {
		err = d.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Buildkit{Dir: dir, Addr: d.address, daemon: d}, nil
}

// Root is the folder of its cache.
func (b *Buildkit) Root() string { return buildkitRoot(b.Dir) }

// Kill ends it as a crash would: it can clean up nothing.
func (b *Buildkit) Kill() error { return b.daemon.service.Kill() }

// Start starts it again after [Buildkit.Kill], with the cache that it has. First, what it left behind is cleaned up, as
// on a machine that starts again.
func (b *Buildkit) Start(ctx context.Context) error { return b.daemon.start(ctx) }

// StartAs starts it again as Start does, but as another program that takes buildkitd's arguments.
func (b *Buildkit) StartAs(ctx context.Context, program string) error {
	as := *b.daemon.service
	as.Args = append([]string{program}, as.Args[1:]...)
	return daemon{service: &as, address: b.daemon.address, config: b.daemon.config}.start(ctx)
}

// Stop ends it and removes Dir.
func (b *Buildkit) Stop(ctx context.Context) error {
	if err := b.daemon.service.Stop(ctx); err != nil {
		return err
	}
	if err := cleanBuildkit(ctx, b.Dir); err != nil {
		return fmt.Errorf("clean up after buildkitd in %s: %w", b.Dir, err)
	}
	return os.RemoveAll(b.Dir)
}

// stopOthers ends what [Lab.StartBuildkit] and [Lab.StartEngine] started for a program that ended without stopping it.
func (l *Lab) stopOthers(ctx context.Context) error {
	var errs []error
	for pattern, name := range map[string]string{"second-*": "buildkitd", "engine-*": "engine"} {
		dirs, err := filepath.Glob(filepath.Join(l.dir, pattern))
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			s := &service.Service{Name: name, Dir: dir}
			err := s.Stop(ctx)
			if err == nil {
				err = cleanBuildkit(ctx, dir)
			}
			if err == nil {
				err = os.RemoveAll(dir)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
