package differential

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Difference is a published file in which plain publish and crosshull differ.
type Difference struct {
	Name string
	// What is the way in which they differ: missing, too much, or other bytes.
	What string
	// Detail says more of other bytes, in a few lines.
	Detail string
}

// The ways in which files differ, as seen from plain publish.
const (
	Missing = "missing"
	TooMuch = "too much"
	Other   = "other bytes"
)

func (d Difference) String() string {
	if d.Detail == "" {
		return d.Name + ": " + d.What
	}
	return d.Name + ": " + d.What + "\n    " + strings.ReplaceAll(d.Detail, "\n", "\n    ")
}

// allowed is a kind of difference that is no fault.
type allowed struct {
	why string
	// leftOut tells of a file that crosshull need not publish.
	leftOut func(name string) bool
	// same tells of two contents that mean the same.
	same func(name, plain, ours string) bool
}

// exceptions are all kinds of differences that are no fault.
var exceptions = []allowed{
	{
		why: "an image is of one platform, and what packages bring for other systems is of no use in it",
		leftOut: func(name string) bool {
			rest, below := strings.CutPrefix(name, "runtimes/")
			rid, _, _ := strings.Cut(rest, "/")
			return below && !slices.Contains(usable, rid)
		},
	},
	{
		why:     "debug symbols of native code",
		leftOut: func(name string) bool { return path.Ext(name) == ".dbg" },
	},
	{
		why: "the SDK writes down when it compressed an asset",
		same: func(name, plain, ours string) bool {
			return strings.HasSuffix(name, ".staticwebassets.endpoints.json") &&
				lastModified.ReplaceAllString(plain, "") == lastModified.ReplaceAllString(ours, "")
		},
	},
}

// usable are the runtime identifiers whose assets linux/amd64 can use.
var usable = []string{"linux-x64", "linux", "unix-x64", "unix", "any"}

var lastModified = regexp.MustCompile(`\{"Name":"Last-Modified","Value":"[^"]*"\}`)

// Compare gives the differences between what plain publish makes and what crosshull makes, without the exceptions.
func Compare(plain, ours Tree) []Difference {
	var found []Difference
	for _, name := range slices.Sorted(maps.Keys(plain.With(ours))) {
		want, wanted := plain[name]
		got, made := ours[name]
		switch {
		case !wanted:
			found = append(found, Difference{Name: name, What: TooMuch})
		case !made:
			if !slices.ContainsFunc(exceptions, func(a allowed) bool { return a.leftOut != nil && a.leftOut(name) }) {
				found = append(found, Difference{Name: name, What: Missing})
			}
		case want != got:
			same := func(a allowed) bool { return a.same != nil && a.same(name, want.Data, got.Data) }
			if !slices.ContainsFunc(exceptions, same) {
				found = append(found, Difference{Name: name, What: Other, Detail: explain(name, want.Data, got.Data)})
			}
		}
	}
	return found
}

// explain says in a few lines how two contents differ.
func explain(name, plain, ours string) string {
	if ext := path.Ext(name); ext == ".dll" || ext == ".exe" {
		return explainStrings(plain, ours)
	}
	if strings.ContainsRune(plain+ours, 0) {
		return fmt.Sprintf("%d bytes and %d bytes", len(plain), len(ours))
	}
	a, b := strings.Split(plain, "\n"), strings.Split(ours, "\n")
	for i := range max(len(a), len(b)) {
		at := func(lines []string) string {
			if i < len(lines) {
				return fmt.Sprintf("%.300q", lines[i])
			}
			return "(none)"
		}
		if at(a) != at(b) {
			return fmt.Sprintf("line %d is %s, with crosshull %s", i+1, at(a), at(b))
		}
	}
	return "the ends of long lines"
}
