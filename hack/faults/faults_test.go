package faults

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/lab"
)

var theLab *lab.Lab

func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	var err error
	if theLab, err = lab.New(); err == nil {
		err = theLab.Up(ctx, os.Stderr)
	}
	if err == nil {
		err = theLab.PushFrontend(ctx, os.Stderr)
	}
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults: the lab is not there:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// newWorld starts a world, and ends it with the test.
func newWorld(t *testing.T) *World {
	t.Helper()
	w, err := New(t.Context(), theLab)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return w
}

// After a fault, the image is the one before or the new one, the error names what failed, and the next build makes the
// same bits as one that met no fault.
func TestFaultsOfServers(t *testing.T) {
	try(t, "registry", "base")
}

// NuGet asks a feed that fails again and again, so these take longest. A name server is asked for the feed, whose name
// then is in the error.
func TestFaultsOfFeeds(t *testing.T) {
	try(t, "feed", "name of the feed")
}

// A mirror of OS packages is asked by apt, and each attempt of it waits longer than the one before.
func TestFaultsBesideTheBuild(t *testing.T) {
	try(t, "mirror", "client", "buildkitd", "disk", "context", "spec")
}

// try tries the part of some places.
func try(t *testing.T, places ...string) {
	t.Helper()
	t.Parallel() // these mostly wait: for a time that runs out, for the next attempt
	w := newWorld(t)
	for _, trial := range part(Trials(0)) {
		if !slices.Contains(places, trial.Where) {
			continue
		}
		t.Run(trial.Where+"_"+trial.How, func(t *testing.T) {
			result, err := trial.Run(t.Context(), w)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("passed: %v, %s", result.Passed, result.Message)
		})
	}
}

// part is what make test tries of all faults; make soak HOURS=n tries all. A place that fails in ways of others, too,
// gets every second way, and the place after it the others.
func part(all []Trial) []Trial {
	ways, places := map[string]int{}, map[string]int{} // how many ways a place has, and how many places a way
	for _, trial := range all {
		ways[trial.Where]++
		places[trial.How]++
	}
	var out []Trial
	var place, way int
	for i, trial := range all {
		if i > 0 && all[i-1].Where != trial.Where {
			place, way = place+1, 0
		}
		if ways[trial.Where] <= 2 || places[trial.How] == 1 || way%2 == place%2 {
			out = append(out, trial)
		}
		way++
	}
	return out
}

// Each place is tried, and each way to fail.
func TestPart(t *testing.T) {
	all, tried := Trials(0), part(Trials(0))
	for _, trial := range all {
		if !slices.ContainsFunc(tried, func(t Trial) bool { return t.Where == trial.Where }) {
			t.Errorf("nothing is tried of %s", trial.Where)
		}
		if !slices.ContainsFunc(tried, func(t Trial) bool { return t.How == trial.How }) {
			t.Errorf("nothing is tried that %s", trial.How)
		}
	}
	if len(tried) > len(all)*2/3 {
		t.Errorf("%d of %d are tried", len(tried), len(all))
	}
}

// Many builds at once make the images that builds alone make, and no process of the frontend takes much memory.
func TestLoad(t *testing.T) {
	load, err := newWorld(t).Load(t.Context(), 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d builds of %d projects took %s, one build of each alone %s; the frontend had up to %d MiB",
		load.Builds, load.Projects, load.Took.Round(time.Second), load.Alone.Round(time.Second), load.Memory>>20)
	const most = 256 << 20
	if load.Memory == 0 || load.Memory > most {
		t.Errorf("a process of the frontend had %d bytes, want some and at most %d", load.Memory, most)
	}
}
