package suite

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// event is what `go test -json` says, a line each: see `go doc test2json`.
type event struct {
	Time                  time.Time
	Action, Package, Test string
	Output                string
	Elapsed               float64
	Key, Value            string // of an attribute
	FailedBuild           string
	ImportPath            string // of a build
}

// A Test is what came of a test, or of a subtest.
type Test struct {
	Package, Name string
	Action        string // pass, fail or skip
	Elapsed       time.Duration
	Spent         map[string]Spent // by what it was spent on, see [Attr]
}

// Spent is what a test spent on things of a kind.
type Spent struct {
	Times int
	Total time.Duration
}

// keyPrefix begins the names of the attributes by which a test tells what it spends its time on.
const keyPrefix = "spent-"

// Attr is the attribute, for testing.T.Attr, by which a test tells that it spent a time on something.
func Attr(kind string, d time.Duration) (key, value string) {
	return keyPrefix + kind, fmt.Sprintf("%.3f", d.Seconds())
}

// quiet is how long nothing may be said before it is said what runs.
const quiet = 30 * time.Second

// report takes events and tells of them while they come: each test, how many of how many, and how long.
type report struct {
	out   io.Writer
	total int // tests there are to be, subtests not counted
	short bool
	now   func() time.Time

	mu       sync.Mutex
	what     string // the packages that are compiled and run
	began    time.Time
	said     time.Time // when a line was written last
	count    map[string]int
	output   map[string][]string // by package and test, while it runs
	running  map[string]time.Time
	tests    []Test
	spent    map[string]map[string]Spent
	packages []string        // the last line of each
	failed   []string        // what failed
	skipped  []string        // what was skipped, with the reasons
	cached   map[string]bool // packages
}

func newReport(out io.Writer, total int, short bool, now func() time.Time) *report {
	return &report{
		out: out, total: total, short: short, now: now, began: now(), said: now(),
		count: map[string]int{}, output: map[string][]string{},
		running: map[string]time.Time{}, spent: map[string]map[string]Spent{}, cached: map[string]bool{},
	}
}

// line writes a line that begins with how long it has all taken.
func (r *report) line(format string, args ...any) {
	r.said = r.now()
	_, _ = fmt.Fprintf(
		r.out,
		"%7s  %s\n",
		minutes(r.said.Sub(r.began)),
		fmt.Sprintf(format, args...),
	) // a line that is lost harms nothing
}

// compiles says what is compiled next, and then run.
func (r *report) compiles(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.what = what
	r.line("%s  compiles %s", r.place(), what)
}

// Write writes what others say.
func (r *report) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.Write(p)
}

// minutes writes 1m02s for 62 seconds.
func minutes(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%dm%02ds", s/60, s%60)
}

// read takes all events of a stream. What is no event is written as it is.
func (r *report) read(stream io.Reader) error {
	lines := newLines(stream)
	for lines.Scan() {
		if e, ok := parse(lines.Bytes()); ok {
			r.take(e)
		} else {
			_, _ = fmt.Fprintf(r, "%s\n", lines.Bytes())
		}
	}
	return lines.Err()
}

func parse(line []byte) (e event, ok bool) {
	return e, json.Unmarshal(line, &e) == nil && e.Action != ""
}

func (r *report) take(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.TrimSuffix(e.Package+" "+e.Test, " ")
	switch e.Action {
	case "build-output":
		_, _ = io.WriteString(r.out, e.Output)
	case "run", "cont":
		r.running[key] = e.Time
	case "pause":
		delete(r.running, key)
	case "output":
		r.output[key] = append(r.output[key], e.Output)
		if e.Test == "" && strings.HasSuffix(e.Output, "\t(cached)\n") {
			r.cached[e.Package] = true
		}
	case "attr":
		r.attr(key, e)
	case "pass", "fail", "skip":
		delete(r.running, key)
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(key, e)
		}
		delete(r.output, key)
	}
}

func (r *report) attr(key string, e event) {
	kind, ok := strings.CutPrefix(e.Key, keyPrefix)
	seconds, err := strconv.ParseFloat(e.Value, 64)
	if !ok || err != nil {
		return
	}
	if r.spent[key] == nil {
		r.spent[key] = map[string]Spent{}
	}
	s := r.spent[key][kind]
	r.spent[key][kind] = Spent{s.Times + 1, s.Total + time.Duration(seconds*float64(time.Second))}
}

func (r *report) endTest(key string, e event) {
	t := Test{
		Package: e.Package,
		Name:    e.Test,
		Action:  e.Action,
		Elapsed: time.Duration(e.Elapsed * float64(time.Second)),
		Spent:   r.spent[key],
	}
	r.tests = append(r.tests, t)
	what := fmt.Sprintf("%s  %6.1fs  %s %s", e.Action, e.Elapsed, short(e.Package), e.Test)
	if e.Action == "skip" {
		what += ": " + reason(r.output[key])
		r.skipped = append(r.skipped, what)
	}
	_, part := parentOf(e.Test)
	switch {
	case part:
		r.count["parts"]++
		if e.Action == "fail" || t.Elapsed >= time.Second {
			r.line("%s  %s", strings.Repeat(" ", len(r.place())), what)
		}
	default:
		r.count[e.Action]++
		r.count["all"]++
		if !r.short || e.Action == "fail" || t.Elapsed >= time.Second {
			r.line("%s  %s", r.place(), what)
		}
	}
	if e.Action == "fail" {
		r.failed = append(r.failed, strings.TrimSpace(what))
		r.write(r.output[key])
	}
}

// reason is what a test printed when it was skipped, without the line of the test.
func reason(output []string) string {
	var lines []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") && line != "" {
			lines = append(lines, placeOfTest.ReplaceAllString(line, ""))
		}
	}
	if lines == nil {
		return "no reason is given"
	}
	return strings.Join(lines, " ")
}

var placeOfTest = regexp.MustCompile(`^\S+\.go:\d+: `)

// place says the how manyth of how many a test is.
func (r *report) place() string {
	width := len(strconv.Itoa(r.total))
	return fmt.Sprintf("%*d/%d", width, r.count["all"], r.total)
}

func (r *report) endPackage(e event) {
	output := r.output[e.Package]
	if len(output) > 0 {
		r.packages = append(r.packages, output[len(output)-1])
	}
	if e.Action != "fail" {
		if r.short {
			cached := map[bool]string{true: " (cached)"}[r.cached[e.Package]]
			r.line("%s  ok  %s%s", r.place(), short(e.Package), cached)
		}
		return
	}
	for _, key := range slices.Sorted(maps.Keys(r.running)) { // what the end of the package has ended
		if strings.HasPrefix(key, e.Package+" ") {
			r.write(r.output[key])
		}
	}
	r.line("fail  %s", short(e.Package))
	r.write(output)
	r.failed = append(r.failed, "fail  "+short(e.Package))
}

// write writes what a test or a package printed.
func (r *report) write(output []string) {
	for _, s := range output {
		if !strings.HasPrefix(s, "=== ") {
			_, _ = io.WriteString(r.out, s)
		}
	}
}

// short is a package's name within the repository.
func short(pkg string) string {
	return strings.TrimPrefix(pkg, Modules[0].Path+"/")
}

// remind says what runs, if nothing has been said for a while.
func (r *report) remind() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now().Sub(r.said) < quiet {
		return
	}
	if len(r.running) == 0 {
		r.line("%s  compiles %s", r.place(), r.what)
		return
	}
	var what []string
	for _, key := range slices.Sorted(maps.Keys(r.running)) {
		if !r.hasPart(key) {
			pkg, test, _ := strings.Cut(key, " ")
			what = append(what, fmt.Sprintf("%s %s, for %s", short(pkg), test, minutes(r.now().Sub(r.running[key]))))
		}
	}
	r.line("%s  runs: %s", r.place(), strings.Join(what, "; "))
}

func (r *report) hasPart(key string) bool {
	for other := range r.running {
		if strings.HasPrefix(other, key+"/") {
			return true
		}
	}
	return false
}

// slowest is how many tests the table of the slowest has.
const slowest = 20

// end writes the table of the slowest tests, the packages, what was skipped and not run, and last what test runners
// write last.
func (r *report) end(notRun string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	top := slices.DeleteFunc(slices.Clone(r.tests), func(t Test) bool {
		_, part := parentOf(t.Name)
		return part || r.cached[t.Package] || t.Elapsed < time.Second
	})
	slices.SortStableFunc(top, func(a, b Test) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	if len(top) > 0 {
		_, _ = fmt.Fprintf(r.out, "\nThe slowest tests:\n")
	}
	for _, t := range top[:min(slowest, len(top))] {
		spent := spentOn(t.Spent)
		if spent != "" {
			spent = "  (" + spent + ")"
		}
		_, _ = fmt.Fprintf(r.out, "%8.1fs  %s %s%s\n", t.Elapsed.Seconds(), short(t.Package), t.Name, spent)
	}
	_, _ = fmt.Fprintln(r.out)
	r.write(r.packages)
	if len(r.failed) > 0 {
		_, _ = fmt.Fprintf(r.out, "\nFailed, with the output above:\n  %s\n", strings.Join(r.failed, "\n  "))
	}
	if len(r.skipped) > 0 {
		_, _ = fmt.Fprintf(r.out, "\nSkipped:\n  %s\n", strings.Join(r.skipped, "\n  "))
	}
	if notRun != "" {
		_, _ = fmt.Fprintf(r.out, "\n%s\n", notRun)
	}
	done := fmt.Sprintf("\nDONE %d tests", r.count["all"])
	if n := r.count["skip"]; n > 0 {
		done += fmt.Sprintf(", %d skipped", n)
	}
	if n := len(r.failed); n > 0 {
		done += fmt.Sprintf(", %d failure%s", max(1, r.count["fail"]), plural(max(1, r.count["fail"])))
	}
	_, _ = fmt.Fprintf(r.out, "%s in %.3fs\n", done, r.now().Sub(r.began).Seconds())
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// spentOn lists the kinds on which time was spent, the most first.
func spentOn(spent map[string]Spent) string {
	kinds := slices.SortedFunc(maps.Keys(spent), func(a, b string) int {
		return cmp.Or(cmp.Compare(spent[b].Total, spent[a].Total), cmp.Compare(a, b))
	})
	var parts []string
	for _, kind := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s %.0fs", spent[kind].Times, kind, spent[kind].Total.Seconds()))
	}
	return strings.Join(parts, ", ")
}
