package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/crosshull/crosshull/hack/lab/service"
)

// StartBuildkit starts another buildkitd, configured like the lab's own, but with an empty cache. Its state, socket and
// log are in dir, a new folder in the lab's, which the caller may use too. addr is its address. stop ends it and
// removes dir. The lab has to be up.
func (l *Lab) StartBuildkit(ctx context.Context) (dir, addr string, stop func(context.Context) error, err error) {
	if dir, err = os.MkdirTemp(l.dir, "second-"); err != nil {
		return "", "", nil, err
	}
	d := l.buildkitDaemon(dir, l.LocalImages())
	if err = checkSocket(dir); err == nil {
		err = d.start(ctx)
	}
	if err != nil {
		return "", "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	stop = func(ctx context.Context) error {
		if err := d.service.Stop(ctx); err != nil {
			return err
		}
		if err := cleanBuildkit(ctx, dir); err != nil {
			return fmt.Errorf("clean up after buildkitd in %s: %w", dir, err)
		}
		return os.RemoveAll(dir)
	}
	return dir, d.address, stop, nil
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
