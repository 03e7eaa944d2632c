package suite

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// called is what a run says in its file when it calls go test, from when on that compiles.
const called = "called"

// Times tells, as Markdown, where a run spent its time, from the file that [Config.JSON] names: per call of go test,
// per kind of thing, and per test.
func Times(file string) (string, error) {
	dt, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	r := newReport(io.Discard, 0, true, time.Now)
	c := &clock{}
	lines := newLines(bytes.NewReader(dt))
	for lines.Scan() {
		if e, ok := parse(lines.Bytes()); ok {
			c.take(e)
			r.take(e)
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	if len(c.calls) == 0 {
		return "", errors.New(file + " has no run of tests")
	}
	var b strings.Builder
	c.write(&b)
	writeKinds(&b, r.tests)
	writeTests(&b, r.tests)
	return b.String(), nil
}

// clock takes the times of a run's calls of go test.
type clock struct{ calls []call }

// call is one: when it began to compile, when its first test began, and when its last ended.
type call struct {
	began, started, ended time.Time
	packages              []string
}

func (c *clock) take(e event) {
	if e.Action == called {
		c.calls = append(c.calls, call{began: e.Time})
	}
	if len(c.calls) == 0 || e.Time.IsZero() {
		return
	}
	last := &c.calls[len(c.calls)-1]
	last.ended = e.Time
	if e.Action == "start" {
		last.packages = append(last.packages, e.Package)
		if last.started.IsZero() {
			last.started = e.Time
		}
	}
}

func (c *clock) write(b *strings.Builder) {
	b.WriteString("| packages | compiling | tests |\n|---|--:|--:|\n")
	for _, call := range c.calls {
		if len(call.packages) == 0 {
			continue
		}
		slices.Sort(call.packages)
		name := short(call.packages[0])
		if n := len(call.packages); n > 1 {
			name = fmt.Sprintf("%s and %d more", name, n-1)
		}
		fmt.Fprintf(
			b,
			"| %s | %s | %s |\n",
			name,
			seconds(call.started.Sub(call.began)),
			seconds(call.ended.Sub(call.started)),
		)
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }

// writeKinds sums up what all tests spent on things of a kind.
func writeKinds(b *strings.Builder, tests []Test) {
	sums := map[string]Spent{}
	for _, t := range tests {
		for kind, s := range t.Spent {
			sums[kind] = Spent{sums[kind].Times + s.Times, sums[kind].Total + s.Total}
		}
	}
	b.WriteString("\n| tests wait for | times | in all | each |\n|---|--:|--:|--:|\n")
	for _, kind := range slices.SortedFunc(maps.Keys(sums), func(x, y string) int {
		return cmp.Or(cmp.Compare(sums[y].Total, sums[x].Total), cmp.Compare(x, y))
	}) {
		s := sums[kind]
		each := s.Total.Seconds() / float64(s.Times)
		fmt.Fprintf(b, "| %s | %d | %s | %.1f s |\n", kind, s.Times, seconds(s.Total), each)
	}
}

// tableFrom is how long a test takes that is in the table.
const tableFrom = 10 * time.Second

// writeTests lists the tests that take long, with what their subtests spend.
func writeTests(b *strings.Builder, tests []Test) {
	whole := map[string]*Test{}
	for _, t := range tests {
		if _, part := parentOf(t.Name); !part {
			t.Spent = maps.Clone(t.Spent)
			whole[t.Package+" "+t.Name] = &t
		}
	}
	for _, t := range tests {
		name, _, part := strings.Cut(t.Name, "/")
		of := whole[t.Package+" "+name]
		if !part || of == nil {
			continue
		}
		if of.Spent == nil {
			of.Spent = map[string]Spent{}
		}
		for kind, s := range t.Spent {
			of.Spent[kind] = Spent{of.Spent[kind].Times + s.Times, of.Spent[kind].Total + s.Total}
		}
	}
	b.WriteString("\n| test | in all | of that |\n|---|--:|---|\n")
	for _, t := range slices.SortedFunc(maps.Values(whole), func(x, y *Test) int {
		return cmp.Or(cmp.Compare(y.Elapsed, x.Elapsed), cmp.Compare(x.Name, y.Name))
	}) {
		if t.Elapsed >= tableFrom {
			fmt.Fprintf(b, "| %s %s | %s | %s |\n", short(t.Package), t.Name, seconds(t.Elapsed), spentOn(t.Spent))
		}
	}
}
