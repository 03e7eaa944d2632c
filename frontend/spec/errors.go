package spec

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is one mistake in a spec.
type Error struct {
	// Range is where it is.
	Range Range
	// Msg says what is wrong and what is right, in one line. What it shows of the file is escaped and short.
	Msg string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Range.Start, e.Msg) }

// Errors are all mistakes of a spec, by line; never empty.
type Errors []*Error

// shownErrors is how many mistakes a message lists: more would be read by nobody, and gRPC carries no thousands.
const shownErrors = 20

// First gives the mistakes that a message lists, the first 20, and how many more there are.
func (e Errors) First() (first []*Error, more int) {
	first = e[:min(len(e), shownErrors)]
	return first, len(e) - len(first)
}

// Error lists them as [Errors.First] gives them, a line each. How many more there are stands before the last, as tools
// show the last line alone.
func (e Errors) Error() string {
	first, more := e.First()
	var msgs []string
	for _, err := range first {
		msgs = append(msgs, err.Error())
	}
	if more > 0 {
		msgs = slices.Insert(msgs, len(msgs)-1, fmt.Sprintf("and %d more mistakes", more))
	}
	return strings.Join(msgs, "\n")
}

// AsErrors gives the mistakes inside err, or nil.
func AsErrors(err error) Errors {
	var errs Errors
	errors.As(err, &errs)
	return errs
}

const (
	shownRunes   = 80  // of a value in a message
	shownPath    = 300 // and of the path of a key
	shownColumns = 200 // of a line of the file
)

// show is a value as a message has it: in quotes, escaped and short.
func show(value string) string { return strconv.Quote(shorten(value, shownRunes)) }

// plain is show without the quotes.
func plain(value string) string { return escape(shorten(value, shownRunes)) }

// where is the path of a key as a message has it: escaped, and short unless every name in it is.
func where(path string) string { return escape(shorten(path, shownPath)) }

func shorten(value string, most int) string {
	n := 0
	for i := range value {
		if n == most {
			return value[:i] + "…"
		}
		n++
	}
	return value
}

// Shown gives the file as it may be shown: as many lines that end in \n, with all that a terminal does not print as it
// is escaped, such as \t, \r, \u2028 and \xff, and with long lines cut off at 200 columns. [Range] counts the same
// lines.
func Shown(dt []byte) []byte {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimPrefix(string(dt), "\ufeff"), "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		writeEscaped(&b, strings.TrimSuffix(line, "\r"), shownColumns)
	}
	return []byte(b.String())
}

func escape(text string) string {
	var b strings.Builder
	writeEscaped(&b, text, math.MaxInt)
	return b.String()
}

// writeEscaped writes a text, each character that does not print as strconv.Quote has it, up to a number of columns.
func writeEscaped(b *strings.Builder, text string, columns int) {
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		c := text[:size]
		text = text[size:]
		if r == utf8.RuneError && size == 1 || !strconv.IsPrint(r) {
			c = strconv.Quote(c)
			c = c[1 : len(c)-1]
		}
		if columns -= utf8.RuneCountInString(c); columns < 0 {
			b.WriteString("…")
			return
		}
		b.WriteString(c)
	}
}

// OneLine gives a text as a comment can have it: what does not print is escaped, and what is after about most bytes is
// cut off.
func OneLine(s string, most int) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() > most {
			return b.String() + "…"
		}
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
