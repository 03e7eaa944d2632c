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

var theWorld *World

func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	l, err := lab.New()
	if err == nil {
		err = l.Up(ctx, os.Stderr)
	}
	if err == nil {
		err = l.PushFrontend(ctx, os.Stderr)
	}
	if err == nil {
		theWorld, err = New(ctx, l)
	}
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults: there is no world:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := theWorld.Close(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		code = 1
	}
	os.Exit(code)
}

// After a fault, the image is the one before or the new one, the error names what failed, and the next build makes the
// same bits as one that met no fault.
func TestFaultsOfServers(t *testing.T) {
	try(t, "registry", "base")
}

// NuGet asks a feed that fails again and again, so these take longest.
func TestFaultsOfFeeds(t *testing.T) {
	try(t, "feed")
}

func TestFaultsBesideTheBuild(t *testing.T) {
	try(t, "client", "buildkitd", "disk", "context")
}

// try tries all that fails in some places.
func try(t *testing.T, places ...string) {
	t.Helper()
	for _, trial := range Trials(0) {
		if !slices.Contains(places, trial.Where) {
			continue
		}
		t.Run(trial.Where+"_"+trial.How, func(t *testing.T) {
			result, err := trial.Run(t.Context(), theWorld)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("passed: %v, %s", result.Passed, result.Message)
		})
	}
}

// Many builds at once make the images that builds alone make, and no process of the frontend takes much memory.
func TestLoad(t *testing.T) {
	load, err := theWorld.Load(t.Context(), 4, 3)
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
