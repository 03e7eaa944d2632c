package diff

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write writes differences a line each, and of those in one layer, or another part of an image, the first limit.
func Write(w io.Writer, found []Difference, limit int) error {
	part := func(d Difference) []string { return d.Path[:min(2, len(d.Path))] }
	for len(found) > 0 {
		n := slices.IndexFunc(found, func(d Difference) bool { return !slices.Equal(part(d), part(found[0])) })
		if n < 0 {
			n = len(found)
		}
		for _, d := range found[:min(n, limit)] {
			if _, err := fmt.Fprintln(w, d); err != nil {
				return err
			}
		}
		if n > limit {
			if _, err := fmt.Fprintf(w, "%s: and %d more\n", strings.Join(part(found[0]), ": "), n-limit); err != nil {
				return err
			}
		}
		found = found[n:]
	}
	return nil
}
