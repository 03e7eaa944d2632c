package spec

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cost is what a call took: processor time, because other programs may run too, and allocated bytes, whether freed or
// not.
func cost(fn func()) (time.Duration, uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := used()
	fn()
	took := used() - start
	runtime.ReadMemStats(&after)
	return took, after.TotalAlloc - before.TotalAlloc
}

func used() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Input that costs most for its size is read in bounded time and memory, or refused with a number.
func TestBounds(t *testing.T) {
	const small, large = 64 << 10, 256 << 10
	fill := func(head, line string, size int) string { // with a number in each line that has %d
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len() < size-len(line)-10; i++ {
			b.WriteString(strings.ReplaceAll(line, "%d", fmt.Sprint(i)))
		}
		return b.String()
	}
	apps := func(n, size int, common string) string {
		var b strings.Builder
		b.WriteString(common + "apps:\n")
		for i := range n {
			b.WriteString(fill(fmt.Sprintf("  a%d:\n    image:\n      env:\n", i), "        V%d: v\n", size))
		}
		return b.String()
	}
	bomb := func(first, next string) string {
		var b strings.Builder
		b.WriteString("x-0: &a0 " + first + "\n")
		for i := 1; i < 30; i++ {
			was := fmt.Sprintf("*a%d", i-1)
			fmt.Fprintf(&b, "x-%d: &a%d %s\n", i, i, strings.ReplaceAll(next, "*", was))
		}
		return b.String()
	}
	for _, tc := range []struct {
		name, in string
		want     string // in the error; empty: none
	}{
		{"apps of 7 KB", apps(140, 7000, ""), ""}, // as large as a file may be
		{"apps with much in common", apps(100, 500, fill("image:\n  env:\n", "    C%d: v\n", small/2)), ""},
		{"apps with too much in common", fill(fill("image:\n  env:\n", "    C%d: v\n", small/2)+"apps:\n",
			"  a%d: {image: {env: {A: b}}}\n", small-4000),
			"apps inherit more than 500000 values: move keys from beside apps into the apps"},
		{"as many apps as there can be", fill("apps:\n", "  a%d: {project: a}\n", 20900), ""},
		{"too many apps", fill("apps:\n", "  a%d: {project: a}\n", small), "apps are too many: 1000 is the most"},
		{"an argument many times", "args: {A: v}\nimage: {labels: {l: \"" + strings.Repeat("${A}", 50000) + "\"}}", ""},
		{"a long argument many times", "args: {A: " + strings.Repeat("v",
			small/2) + "}\nimage: {labels: {l: \"" + strings.Repeat("${A}", 8000) + "\"}}",
			"build arguments add more than 4194304 bytes to the values"},
		{"undeclared arguments", fill("image:\n  env:\n", "    V%d: ${W%d}${X%d}\n", large), "is not declared"},
		{"undeclared among many declared", fill(fill("args:\n", "  A%d: x\n", small/2)+"image:\n  env:\n",
			"    V%d: ${W%d}\n", small), "is not declared"},
		{"one undeclared, in one place", "image: {labels: {l: \"" + strings.Repeat("${A}", 50000) + "\"}}",
			`"A" is not declared`},
		{"argument that never ends", "image: {labels: {l: \"" + strings.Repeat("${", large/3) + "\"}}", ""},
		{"alias bomb", bomb("[a, a]", "[*, *]") + "image: {args: *a29}", "must be a single value, not a list"},
		{"bomb of merges", bomb("{A: b, B: c}", "{<<: [*, *]}") + "image: {env: *a29}",
			"aliases and << repeat more than 100000 values"},
		{"bomb of empty merges", bomb("{}", "{<<: [*, *]}") + "image: {env: *a29}",
			"aliases and << repeat more than 100000 values"},
		{"long chain of merges", func() string {
			var b strings.Builder
			b.WriteString("x-0: &a0 {A: b}\n")
			for i := 1; b.Len() < small-100; i++ {
				fmt.Fprintf(&b, "x-%d: &a%d {<<: *a%d}\n", i, i, i-1)
			}
			i := strings.Count(b.String(), "\n") - 1
			fmt.Fprintf(&b, "image: {env: *a%d}\n", i)
			return b.String()
		}(), "<< merges more than 100 maps one into another"},
		{"aliases to something large", fill(fill("x-l: &l\n", "- a\n", large/2)+"image:\n  env:\n", "    V%d: *l\n", large),
			"must be a single value, not a list"},
		{"apps that are one", fill("x-a: &a {image: {env: "+"{"+fill("", "V%d: v, ", small/2)+"}}}\napps:\n", "  a%d: *a\n",
			small/2+10000), "aliases and << repeat more than 100000 values"},
		{"unknown keys", fill("", "unknown%d: x\n", large), "unknown key"},
		{"one long unknown key", "? " + strings.Repeat("a", large-10) + "\n: b", "unknown key"},
		{"long name of an app", "apps:\n  ? " + strings.Repeat("a", small/2) + "\n  : {files: [" + strings.Repeat("{},",
			8000) + "]}", "128 at most"},
		{"files that lack all", fill("files:\n", "- {to: []}\n", large), "must be a single value"},
		{"deep lists", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "must be a map"},
		{"too deep", strings.Repeat("{a: ", large/5), "exceeded max depth"},
		{"deep blocks", strings.Repeat("- ", 9000) + "a", "must be a map"},
		{"comments", fill("", "# remark %d\n", large), ""},
		{"comments after keys", fill("x-a:\n", "  a%d: b # remark\n  # more\n", large), ""},
		{"quotes that never end", `project: "` + strings.Repeat("a ", large/2-10), "not valid YAML"},
		{"one long text", "image: {labels: {l: " + strings.Repeat("a", large-100) + "}}", ""},
		{"many documents", strings.Repeat("---\n", large/4), "a second document begins here"},
		{"all ports, often", fill("image:\n  ports:\n", "  - 1-65535\n", small), "ports, and 65535 is the most"},
		{"keys of nothing", fill(fill("base: {packages: {install: [aa], sources: {s: deb x ./}, keys: {"+"\n", "  k%d: k,\n",
			small)+"}}}\napps:\n", "  a%d: {project: a}\n", small+15000), "there is no source of that name"},
		{"feeds", fill("nuget:\n  feeds:\n", "  - {name: a, source: 'https://a'}\n", large), "has the same name"},
		{"too large", strings.Repeat("#\n", maxBytes/2+1), "the file has 1048578 bytes, and 1048576 is the most"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var err error
			took, bytes := cost(func() { _, err = Parse([]byte(tc.in), nil) })
			t.Logf("%d KB: %v, %d MB", len(tc.in)>>10, took.Round(time.Millisecond), bytes>>20)
			most := 2 * time.Second
			if len(tc.in) > 2*small {
				most *= 5
			}
			if took > most || bytes > 200<<20 {
				t.Errorf("%d KB took %v and %d MB", len(tc.in)>>10, took, bytes>>20)
			}
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %.300v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %.300v, want %s", err, tc.want)
			}
			inFile(t, []byte(tc.in), err)
		})
	}
}

// inFile checks that an error is an Errors, with lines that are in the file and messages that are single printable
// lines.
func inFile(t *testing.T, dt []byte, err error) {
	t.Helper()
	if err == nil {
		return
	}
	errs := AsErrors(err)
	if len(errs) == 0 {
		t.Fatalf("not an Errors: %v", err)
	}
	lines := strings.Count(string(dt), "\n") + 1
	for _, e := range errs {
		if e.Range.Start < 1 || e.Range.End < e.Range.Start || e.Range.End > lines {
			t.Fatalf("lines %v of %d: %s", e.Range, lines, e.Msg)
		}
		if len(e.Msg) > 2000 || strings.ContainsAny(e.Msg, "\r\n\t\x00\u2028\u2029\u0085") {
			t.Fatalf("line %d: a message that cannot be shown: %q", e.Range.Start, e.Msg)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n > shownErrors {
		t.Fatalf("a message of %d lines", n+1)
	}
}
