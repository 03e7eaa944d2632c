package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Report is what was measured.
type Report struct {
	Machine Machine
	Rounds  int
	Results []Result
}

// Result compares crosshull with another contender in one situation. Its JSON is what BENCH_JSON gets, in an array.
type Result struct {
	Case      string `json:"case"`
	Situation string `json:"situation"`
	Against   string `json:"against"`
	// Ratio is of wall times, crosshull's to the other's.
	Ratio
	// Crosshull and Other are medians.
	Crosshull Figures `json:"crosshull"`
	Other     Figures `json:"other"`
	Rounds    []Round `json:"rounds"`
}

// Round is what was measured of both sides in the same round.
type Round struct {
	Crosshull Figures `json:"crosshull"`
	Other     Figures `json:"other"`
}

// Ratio is the median of the ratios of several rounds, and how far they are apart.
type Ratio struct {
	Median float64 `json:"ratio"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spread(values []float64) Ratio {
	return Ratio{Median: median(values), Min: slices.Min(values), Max: slices.Max(values)}
}

// median is the mean of the middle two where there is no middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// add adds the pairs of an experiment that a filter leaves.
func (r *Report) add(x experiment, f Filter, all samples) {
	number := func(e entrant) int { return slices.IndexFunc(x.entrants, e.is) }
	for _, p := range x.pairs() {
		if !f.matches(x, p) {
			continue
		}
		ours, theirs := all[number(p.subject)][p.situation], all[number(p.against)][p.situation]
		res := Result{
			Case:      x.caseName(p.subject.platforms),
			Situation: string(p.situation),
			Against:   p.name(),
			Crosshull: medians(ours),
			Other:     medians(theirs),
		}
		ratios := make([]float64, len(ours))
		for i := range ours {
			ratios[i] = ours[i].Wall / theirs[i].Wall
			res.Rounds = append(res.Rounds, Round{ours[i], theirs[i]})
		}
		res.Ratio = spread(ratios)
		r.Results = append(r.Results, res)
	}
}

// medians gives the median of every figure.
func medians(runs []Figures) Figures {
	of := func(value func(Figures) float64) float64 {
		values := make([]float64, len(runs))
		for i, f := range runs {
			values[i] = value(f)
		}
		return median(values)
	}
	count := func(value func(Figures) int64) int64 {
		return int64(of(func(f Figures) float64 { return float64(value(f)) }))
	}
	byPlatform := func(value func(Figures) map[string]int64) map[string]int64 {
		out := map[string]int64{}
		for p := range value(runs[0]) {
			out[p] = count(func(f Figures) int64 { return value(f)[p] })
		}
		return out
	}
	return Figures{
		Wall:          of(func(f Figures) float64 { return f.Wall }),
		CPU:           of(func(f Figures) float64 { return f.CPU }),
		Steps:         int(count(func(f Figures) int64 { return int64(f.Steps) })),
		Execs:         int(count(func(f Figures) int64 { return int64(f.Execs) })),
		Frontend:      of(func(f Figures) float64 { return f.Frontend }),
		Pushed:        count(func(f Figures) int64 { return f.Pushed }),
		PushedApp:     count(func(f Figures) int64 { return f.PushedApp }),
		PushedBase:    count(func(f Figures) int64 { return f.PushedBase }),
		Cache:         count(func(f Figures) int64 { return f.Cache }),
		Images:        byPlatform(func(f Figures) map[string]int64 { return f.Images }),
		Apps:          byPlatform(func(f Figures) map[string]int64 { return f.Apps }),
		Changed:       count(func(f Figures) int64 { return f.Changed }),
		ChangedLayers: int(count(func(f Figures) int64 { return int64(f.ChangedLayers) })),
	}
}

// Join puts results of earlier runs before those of r, which replace them where both measured the same. file is what
// WriteJSON wrote.
func (r *Report) Join(file io.Reader) error {
	var earlier []Result
	if err := json.NewDecoder(file).Decode(&earlier); err != nil {
		return fmt.Errorf("results of an earlier run: %w", err)
	}
	same := func(a, b Result) bool {
		return a.Case == b.Case && a.Situation == b.Situation && a.Against == b.Against
	}
	earlier = slices.DeleteFunc(earlier, func(e Result) bool {
		return slices.ContainsFunc(r.Results, func(n Result) bool { return same(e, n) })
	})
	r.Results = append(earlier, r.Results...)
	return nil
}

// WriteJSON writes the results as an array.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r.Results)
}
