package e2e

import (
	"os"
	"regexp"
	"testing"

	"github.com/crosshull/crosshull/hack/bench"
)

// The benchmark measures what it says, on a part of its plan that takes less than a minute: a console app for three
// platforms, cold and unchanged, against the Dockerfile that compiles once.
func TestBench(t *testing.T) {
	report, err := bench.Run(t.Context(), theLab, bench.Config{
		Rounds: 1,
		Filter: bench.Filter{
			Case:      regexp.MustCompile("^dotnetapp, portable, .*v7$"),
			Situation: regexp.MustCompile("^(cold|nothing changed)$"),
			Against:   regexp.MustCompile("^portable$"),
		},
	}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 2 {
		t.Fatalf("%d results, want 2: %+v", len(report.Results), report.Results)
	}
	cold, nothing := report.Results[0], report.Results[1]
	if cold.Situation != "cold" || len(cold.Rounds) != 1 || nothing.Situation != "nothing changed" ||
		len(nothing.Rounds) != 5 {
		t.Errorf("got %s with %d rounds and %s with %d", cold.Situation, len(cold.Rounds), nothing.Situation,
			len(nothing.Rounds))
	}
	for _, res := range report.Results {
		if res.Median <= 0 || res.Min > res.Median || res.Median > res.Max {
			t.Errorf("%s: ratio %+v", res.Situation, res.Ratio)
		}
		for name, f := range map[string]bench.Figures{"crosshull": res.Crosshull, "portable": res.Other} {
			if f.Wall <= 0 || f.CPU <= 0 || f.Frontend <= 0 || f.Frontend >= f.Wall {
				t.Errorf("%s, %s: %.2f s, %.2f s of CPU, %.2f s in the frontend", res.Situation, name, f.Wall, f.CPU, f.Frontend)
			}
			if len(f.Images) != 3 || f.Images["linux/arm/v7"] <= f.Apps["linux/arm/v7"] || f.Apps["linux/arm/v7"] == 0 {
				t.Errorf("%s, %s: images of %v bytes, of them %v over the base", res.Situation, name, f.Images, f.Apps)
			}
			if f.PushedBase != 0 {
				t.Errorf("%s, %s: %d bytes of the base were pushed, which is there", res.Situation, name, f.PushedBase)
			}
		}
	}
	// Describe, restore, publish; restore, publish.
	if cold.Crosshull.Execs != 3 || cold.Other.Execs != 2 || cold.Crosshull.Steps <= 3 {
		t.Errorf("cold: %d and %d commands, %d steps", cold.Crosshull.Execs, cold.Other.Execs, cold.Crosshull.Steps)
	}
	if f := nothing.Crosshull; f.Execs != 0 || f.Steps != 0 || f.PushedApp != 0 || f.ChangedLayers != 0 ||
		f.Wall >= cold.Crosshull.Wall {
		t.Errorf("nothing changed: %+v", f)
	}
	if f := cold.Crosshull; f.ChangedLayers != 1 || f.PushedApp < f.Changed || f.Pushed <= f.PushedApp {
		t.Errorf("cold: %d layers of %d bytes changed, pushed %d and %d in all", f.ChangedLayers, f.Changed, f.PushedApp,
			f.Pushed)
	}
}
