package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/page"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was; -update writes it anew:\n%s", name, got)
	}
}

func TestSpread(t *testing.T) {
	for _, tc := range []struct {
		values []float64
		want   Ratio
	}{
		{[]float64{2}, Ratio{2, 2, 2}},
		{[]float64{3, 1, 2}, Ratio{2, 1, 3}},
		{[]float64{4, 1, 2, 3}, Ratio{2.5, 1, 4}},
	} {
		if got := spread(tc.values); got != tc.want {
			t.Errorf("%v: got %v, want %v", tc.values, got, tc.want)
		}
	}
}

// Ratios are of runs of the same round, also where their medians come from different ones.
func TestRatiosAreOfOneRound(t *testing.T) {
	x := experiment{aspnetapp, modePortable, []entrant{
		{crosshull, two, []situation{cold}},
		{seed, two, []situation{cold}},
	}}
	walls := func(seconds ...float64) map[situation][]Figures {
		var out []Figures
		for _, s := range seconds {
			out = append(out, Figures{Wall: s})
		}
		return map[situation][]Figures{cold: out}
	}
	var r Report
	r.add(x, Filter{}, samples{walls(1, 20, 3), walls(2, 40, 30)})
	if len(r.Results) != 1 {
		t.Fatalf("%d results", len(r.Results))
	}
	res := r.Results[0]
	if res.Ratio != (Ratio{0.5, 0.1, 0.5}) || res.Crosshull.Wall != 3 || res.Other.Wall != 30 || len(res.Rounds) != 3 {
		t.Errorf("got %+v", res)
	}
	if res.Case != "aspnetapp, portable, amd64+arm64" || res.Situation != "cold" || res.Against != "seed" {
		t.Errorf("got %+v", res)
	}
	r = Report{}
	r.add(x, Filter{Against: regexp.MustCompile("portable")}, samples{walls(1), walls(2)})
	if len(r.Results) != 0 {
		t.Errorf("the filter leaves %+v", r.Results)
	}
}

func TestMedians(t *testing.T) {
	got := medians([]Figures{
		{Wall: 1, CPU: 9, Steps: 3, Pushed: 10, Images: map[string]int64{"linux/amd64": 5}},
		{Wall: 3, CPU: 1, Steps: 1, Pushed: 30, Images: map[string]int64{"linux/amd64": 7}},
		{Wall: 2, CPU: 5, Steps: 2, Pushed: 20, Images: map[string]int64{"linux/amd64": 6}},
	})
	if got.Wall != 2 || got.CPU != 5 || got.Steps != 2 || got.Pushed != 20 || got.Images["linux/amd64"] != 6 {
		t.Errorf("got %+v", got)
	}
}

// testReport has a bit of everything: goals met, missed and not measured, the host, a fresh builder.
func testReport() *Report {
	x := experiment{aspnetapp, modePortable, []entrant{
		{crosshull, one, []situation{cold}},
		{crosshull, three, []situation{cold, nothing, edit, rebase, fresh}},
		{seed, three, []situation{cold, nothing, edit, rebase, fresh}},
		{floor, one, []situation{cold}},
	}}
	run := func(wall float64) Figures {
		return Figures{
			Wall: wall, CPU: wall * 1.8, Steps: 12, Execs: 3, Frontend: wall / 2, Pushed: 70e3, PushedApp: 50e3, Changed: 50e3,
			ChangedLayers: 1,
			Images:        map[string]int64{"linux/amd64": 93e6, "linux/arm/v7": 47e6},
			Apps:          map[string]int64{"linux/amd64": 5.6e6, "linux/arm/v7": 5.6e6},
		}
	}
	runs := func(change func(*Figures), walls ...float64) []Figures {
		var out []Figures
		for _, w := range walls {
			f := run(w)
			change(&f)
			out = append(out, f)
		}
		return out
	}
	same := func(*Figures) {}
	none := func(f *Figures) { f.Steps, f.Execs, f.PushedApp, f.Changed, f.ChangedLayers = 0, 0, 0, 0, 0 }
	cache := func(f *Figures) { f.Cache = 200e6 }
	host := func(f *Figures) { *f = Figures{Wall: f.Wall, CPU: f.CPU} }
	r := &Report{Machine: Machine{2, "6.1.0", "0.34.2", "0.38.2", "10.0.401"}, Rounds: 2}
	r.add(x, Filter{}, samples{
		{cold: runs(same, 10, 11)},
		{cold: runs(same, 10.5, 11), nothing: runs(none, 0.5, 0.6), edit: runs(same, 3, 4), rebase: runs(none, 1, 1.2),
			fresh: runs(cache, 8, 9)},
		{cold: runs(same, 30, 33), nothing: runs(none, 0.4, 0.6), edit: runs(same, 27, 28), rebase: runs(same, 2, 2.1),
			fresh: runs(cache, 31, 32)},
		{cold: runs(host, 9, 9.5)},
	})
	return r
}

func TestGoals(t *testing.T) {
	got := map[string]string{}
	for _, v := range judge(testReport().Results, goals) {
		if v.project == aspnetapp && v.mode == modePortable && v.platforms != two {
			got[string(v.situation)+": "+v.what()] = v.String() + " " + v.value()
		}
	}
	for what, want := range map[string]string{
		"cold: time against seed":                            "met 0.34 (0.33–0.35)",
		"cold: time against portable":                        "not measured ",
		"cold: time against floor":                           "met 1.13 (1.11–1.16)",
		"cold: time against crosshull, amd64":                "met 1.02 (1.00–1.05)",
		"nothing changed: time against seed":                 "missed by 12 % 1.12 (1.00–1.25)",
		"nothing changed: time in the frontend":              "missed by 83 % 275 ms (250 ms–300 ms)",
		"base moved: commands executed":                      "met 0",
		"app line changed: pushed of the app":                "met 50.0 KB",
		"fresh builder: time against seed":                   "missed by 8 % 0.27 (0.26–0.28)",
		"app line changed: time against seed":                "met 0.13 (0.11–0.14)",
		"base moved: pushed of the app":                      "met 0.0 KB",
		"app line changed: layers changed, of all platforms": "met 1",
	} {
		if got[what] != want {
			t.Errorf("%s: got %q, want %q", what, got[what], want)
		}
	}
}

// A count has to be right every time.
func TestGoalsByTheWorstRound(t *testing.T) {
	r := testReport()
	for i := range r.Results {
		if r.Results[i].Situation == string(rebase) {
			r.Results[i].Rounds[1].Crosshull.Execs = 1
		}
	}
	for _, v := range judge(r.Results, goals) {
		if v.figure == execs && v.project == aspnetapp && v.String() != "missed" {
			t.Errorf("one round of two executed something: %s", v)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	if err := testReport().WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.txt", out.String())
}

func TestDocs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, pageName)
	if err := os.WriteFile(file, []byte("# Page\n\nBefore.\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\nAfter.\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what was written is replaced
		if err := testReport().WriteDocs(dir); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "page.md", string(got))
	chart, err := os.ReadFile(filepath.Join(dir, chartName))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "chart.svg", string(chart))
	for d := xml.NewDecoder(bytes.NewReader(chart)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
	}
	if err := testReport().WriteDocs(filepath.Join(dir, "new")); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// The page of the docs has its lines.
func TestPageOfDocs(t *testing.T) {
	if err := page.Check(filepath.Join("..", "..", "docs", pageName), pageLines); err != nil {
		t.Error(err)
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := testReport().WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"case", "situation", "against", "ratio", "min", "max", "crosshull", "other", "rounds"} {
		if _, ok := got[0][key]; !ok {
			t.Errorf("no %s in %v", key, got[0])
		}
	}
	var figures []string
	for key := range got[0]["other"].(map[string]any) {
		figures = append(figures, key)
	}
	slices.Sort(figures)
	want := []string{"app_bytes", "cache_bytes", "changed_bytes", "changed_layers", "cpu_s", "execs", "frontend_s",
		"image_bytes",
		"pushed_app_bytes", "pushed_base_bytes", "pushed_bytes", "steps", "wall_s"}
	if !slices.Equal(figures, want) {
		t.Errorf("figures %q", figures)
	}
}

// What is measured again replaces what was measured before; the rest of that comes first.
func TestJoin(t *testing.T) {
	result := func(name string, ratio float64) Result {
		return Result{Case: name, Situation: string(cold), Against: "seed", Ratio: Ratio{Median: ratio}}
	}
	var file bytes.Buffer
	if err := (&Report{Results: []Result{result("a", 1), result("b", 2)}}).WriteJSON(&file); err != nil {
		t.Fatal(err)
	}
	r := &Report{Results: []Result{result("b", 3), result("c", 4)}}
	if err := r.Join(&file); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, res := range r.Results {
		got = append(got, fmt.Sprint(res.Case, res.Median))
	}
	if want := []string{"a1", "b3", "c4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := r.Join(strings.NewReader("no JSON")); err == nil {
		t.Error("what is no JSON is taken")
	}
}
