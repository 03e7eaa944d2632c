package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable writes all results, and the goals that were measured, for people at a terminal. Where there are two
// numbers, the first is crosshull's.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(t, strings.Join(cells, "\t")) } // Flush has the error
	row(
		"CASE",
		"SITUATION",
		"AGAINST",
		"RATIO",
		"MIN",
		"MAX",
		"WALL s",
		"CPU s",
		"STEPS",
		"EXECS",
		"PUSHED KB",
		"CHANGED KB",
		"CACHE MB",
		"IMAGE MB",
	)
	for _, res := range r.Results {
		both := func(format string, value func(Figures) float64) string {
			return fmt.Sprintf(format+" / "+format, value(res.Crosshull), value(res.Other))
		}
		row(res.Case, res.Situation, res.Against,
			fmt.Sprintf("%.2f", res.Median), fmt.Sprintf("%.2f", res.Min), fmt.Sprintf("%.2f", res.Max),
			both("%.2f", func(f Figures) float64 { return f.Wall }),
			both("%.1f", func(f Figures) float64 { return f.CPU }),
			both("%.0f", func(f Figures) float64 { return float64(f.Steps) }),
			both("%.0f", func(f Figures) float64 { return float64(f.Execs) }),
			both("%.0f", func(f Figures) float64 { return float64(f.Pushed) / 1e3 }),
			both("%.0f", func(f Figures) float64 { return float64(f.Changed) / 1e3 }),
			both("%.0f", func(f Figures) float64 { return float64(f.Cache) / 1e6 }),
			both("%.1f", func(f Figures) float64 { return float64(largest(f.Images)) / 1e6 }))
	}
	var measured []verdict
	for _, v := range judge(r.Results, goals) {
		if v.measured != nil {
			measured = append(measured, v)
		}
	}
	if len(measured) > 0 {
		row()
		row("CASE", "SITUATION", "GOAL", "WANTED", "MEASURED", "")
	}
	for _, v := range measured {
		row(v.caseName(), string(v.situation), v.what(), "≤ "+v.show(v.limit), v.value(), v.String())
	}
	return t.Flush()
}

// largest is the size of the largest image.
func largest(images map[string]int64) int64 {
	var sizes []int64
	for _, n := range images {
		sizes = append(sizes, n)
	}
	if len(sizes) == 0 {
		return 0
	}
	return slices.Max(sizes)
}

func kilobytes(v float64) string { return fmt.Sprintf("%.1f KB", v/1e3) }
