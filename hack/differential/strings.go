package differential

import (
	"fmt"
	"slices"
	"strings"
)

// explainStrings lists the texts that only one of two assemblies has. The compiler writes names and attributes in
// UTF-8, and literals in UTF-16.
func explainStrings(plain, ours string) string {
	a, b := texts(plain), texts(ours)
	var lines []string
	add := func(who string, has, lacks map[string]bool) {
		var only []string
		for text := range has {
			if !lacks[text] {
				only = append(only, text)
			}
		}
		slices.Sort(only)
		more := ""
		if len(only) > 8 {
			only, more = only[:8], " …"
		}
		if len(only) > 0 {
			lines = append(lines, fmt.Sprintf("%s %.100q%s", who, only, more))
		}
	}
	add("only plain has", a, b)
	add("only crosshull has", b, a)
	if len(lines) == 0 {
		return "all texts are the same"
	}
	return strings.Join(lines, "\n")
}

// texts are runs of at least five characters of ASCII, in either encoding.
func texts(dt string) map[string]bool {
	found := map[string]bool{}
	const least = 5
	keep := func(run string) {
		if len(run) >= least {
			found[run] = true
		}
	}
	start := 0
	for i := 0; i <= len(dt); i++ {
		if i == len(dt) || dt[i] < ' ' || dt[i] > '~' {
			keep(dt[start:i])
			start = i + 1
		}
	}
	for first := range 2 {
		var run []byte
		for i := first; i+1 < len(dt); i += 2 {
			unit := uint16(dt[i]) | uint16(dt[i+1])<<8
			if unit >= ' ' && unit <= '~' {
				run = append(run, byte(unit))
				continue
			}
			keep(string(run))
			run = run[:0]
		}
		keep(string(run))
	}
	return found
}
