// Package printable shows texts that others wrote: files, names, messages of tools.
//
// Contract: pure. [Text] and [Cut] give UTF-8 without any control sequence that a terminal would obey.
package printable

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is a text on one line. What a terminal does not print is escaped as in Go: \n, \t, \x1b, \u2028, and \xff for a
// byte that is not UTF-8. What prints stays as it is, quotes and backslashes too.
func Text(text string) string { return Cut(text, "", math.MaxInt) }

// Cut is [Text], cut off after a number of columns. It does not escape the characters in keep.
func Cut(text, keep string, columns int) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		c := text[:size]
		text = text[size:]
		if r == utf8.RuneError && size == 1 || !strconv.IsPrint(r) && !strings.ContainsRune(keep, r) {
			c = strconv.Quote(c)
			c = c[1 : len(c)-1]
		}
		if columns -= utf8.RuneCountInString(c); columns < 0 {
			return b.String() + "…"
		}
		b.WriteString(c)
	}
	return b.String()
}
