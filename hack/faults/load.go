package faults

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	digest "github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/hack/lab/service"
)

// Load is what came of many builds at once.
type Load struct {
	Builds, Projects int
	// Took is the time until all had ended, Alone that of a build of each project, one after the other.
	Took, Alone time.Duration
	// Memory is the most that one process of the frontend had, in bytes.
	Memory int64
}

// Load builds projects on one builder, all at once and each several times. Each image has to be the one that a build
// alone makes.
func (w *World) Load(ctx context.Context, projects, times int) (Load, error) {
	load := Load{Builds: projects * times, Projects: projects}
	folders, want := make([]folder, projects), make([]digest.Digest, projects)
	for i := range projects {
		w.serial++
		var err error
		if folders[i], err = w.write("load-"+strconv.Itoa(i), content{number: w.serial, base: w.base()}); err != nil {
			return load, err
		}
		began := time.Now()
		if want[i], err = w.expect(ctx, folders[i]); err != nil {
			return load, err
		}
		load.Alone += time.Since(began)
	}
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { load.Memory = peak(watching, "/bin/crosshull-frontend") })
	began := time.Now()
	eg, building := errgroup.WithContext(ctx)
	for n := range load.Builds {
		name := w.name()
		eg.Go(func() error {
			if err := w.must(building, hurt, folders[n%projects], w.lab.Registry()+"/"+name); err != nil {
				return err
			}
			is, err := w.tag(building, name)
			if err == nil && is != want[n%projects] {
				err = fmt.Errorf("one of %d builds at once made %s, want %s", load.Builds, is, want[n%projects])
			}
			return err
		})
	}
	err := eg.Wait()
	load.Took = time.Since(began)
	stop()
	watcher.Wait()
	if err == nil {
		err = w.quiet(ctx)
	}
	return load, err
}

// peak is the most memory that a process of a program had, until ctx ends.
func peak(ctx context.Context, program string) (most int64) {
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		statuses, _ := service.Statuses(program) // without them, most stays 0
		for _, status := range statuses {
			if _, after, ok := strings.Cut(status, "VmHWM:"); ok {
				kib, _ := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
				most = max(most, kib<<10)
			}
		}
	}
	return most
}
