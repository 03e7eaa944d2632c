package bench

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/hack/page"
)

// The names of what WriteDocs writes, and of the lines of the page between which it does.
const (
	pageName  = "performance.md"
	chartName = "performance.svg"
	pageLines = "bench"
)

// WriteDocs writes the chart into a folder, and the tables into its page, between the lines that are there for them.
func (r *Report) WriteDocs(dir string) error {
	if err := page.Write(filepath.Join(dir, pageName), pageLines, r.tables()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, chartName), []byte(r.chart()), 0o644)
}

// tables are what the page shows: no times but those that goals name, since ratios are all that can be compared.
func (r *Report) tables() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	rounds := "one round"
	if r.Rounds > 1 {
		rounds = fmt.Sprintf("%d rounds", r.Rounds)
	}
	line("\nMeasured on %s; %s.", r.Machine, rounds)
	line("\n![Time of crosshull, as a part of that of others](%s)", chartName)

	line("\n### Goals\n")
	line("| case | situation | what | wanted | measured | |")
	line("|---|---|---|---|---|---|")
	for _, v := range judge(r.Results, goals) {
		line("| %s | %s | %s | ≤ %s | %s | %s |", v.caseName(), v.situation, v.what(), v.show(v.limit), v.value(), v)
	}

	line("\n### All ratios")
	for _, name := range r.cases() {
		line("\n**%s**\n", name)
		line("| situation | against | time | CPU | commands run | steps | pushed | changed layers | cache |")
		line("|---|---|---|---|---|---|---|---|---|")
		for _, res := range r.Results {
			if res.Case == name {
				line("%s", res.row())
			}
		}
	}

	line("\n### Sizes\n")
	line("Compressed, of what the first build pushed: the layers over the base, and with it the whole image.\n")
	line("| case | contender | over the base | image |")
	line("|---|---|---|---|")
	for _, row := range r.sizeRows() {
		line("%s", row)
	}
	line("")
	return b.String()
}

// cases are the names of the cases, in the order of the results.
func (r *Report) cases() []string {
	var out []string
	for _, res := range r.Results {
		if !slices.Contains(out, res.Case) {
			out = append(out, res.Case)
		}
	}
	return out
}

// row is a line of the table of a case. Where there are two numbers, the first is crosshull's.
func (res Result) row() string {
	cpu := make([]float64, len(res.Rounds))
	for i, r := range res.Rounds {
		cpu[i] = r.Crosshull.CPU / max(r.Other.CPU, 0.01) // it is counted in hundredths of a second
	}
	ours, theirs := res.Crosshull, res.Other
	cells := []string{
		res.Situation, res.Against,
		fmt.Sprintf("%.2f (%.2f–%.2f)", res.Median, res.Min, res.Max),
		fmt.Sprintf("%.2f", median(cpu)),
		"", "", "", "", "",
	}
	if theirs.Frontend > 0 { // built by BuildKit
		cells[4] = fmt.Sprintf("%d / %d", ours.Execs, theirs.Execs)
		cells[5] = fmt.Sprintf("%d / %d", ours.Steps, theirs.Steps)
	}
	if theirs.Pushed > 0 {
		cells[6] = kilobytes(float64(ours.Pushed)) + " / " + kilobytes(float64(theirs.Pushed))
		cells[7] = kilobytes(float64(ours.Changed)) + " / " + kilobytes(float64(theirs.Changed))
	}
	if theirs.Cache > 0 {
		cells[8] = megabytes(ours.Cache) + " / " + megabytes(theirs.Cache)
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// sizeRows are the sizes of cold builds: of every case, crosshull's and the others'.
func (r *Report) sizeRows() []string {
	var out []string
	add := func(name, contender string, f Figures) {
		var apps, images []string
		for _, p := range slices.Sorted(maps.Keys(f.Images)) {
			arch := strings.TrimPrefix(p, "linux/")
			apps = append(apps, arch+" "+kilobytes(float64(f.Apps[p])))
			images = append(images, arch+" "+megabytes(f.Images[p]))
		}
		row := fmt.Sprintf("| %s | %s | %s | %s |", name, contender, strings.Join(apps, ", "), strings.Join(images, ", "))
		if len(apps) > 0 && !slices.Contains(out, row) {
			out = append(out, row)
		}
	}
	for _, res := range r.Results {
		if res.Situation != string(cold) || strings.HasPrefix(res.Against, string(crosshull)) {
			continue
		}
		add(res.Case, string(crosshull), res.Crosshull)
		add(res.Case, res.Against, res.Other)
	}
	return out
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
