package repro

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The builders: the lab's daemon, another that shares nothing with it, and both, for a platform each.
const (
	nodeOne   = "one"
	nodeTwo   = "two"
	bothNodes = "both"
)

// start makes the second daemon run, and the builders, in a configuration of buildx that goes with them.
func (r *runner) start(ctx context.Context) (err error) {
	if r.second, err = r.lab.StartBuildkit(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.second.Stop(context.WithoutCancel(ctx)))
		}
	}()
	first := r.lab.BuildkitAddr()
	amd64, arm64, _ := strings.Cut(Platforms, ",")
	for _, args := range [][]string{
		{"--name", nodeOne, first},
		{"--name", nodeTwo, r.second.Addr},
		{"--name", bothNodes, "--platform", amd64, first},
		{"--name", bothNodes, "--append", "--platform", arm64, r.second.Addr},
	} {
		cmd := r.docker(ctx, append([]string{"buildx", "create", "--driver", "remote"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
		}
	}
	return nil
}
