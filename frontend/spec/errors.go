package spec

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crosshull/crosshull/frontend/printable"
)

// Error is one mistake in a spec.
type Error struct {
	// Range is the place of the mistake.
	Range Range
	// Msg says in one line what is wrong and what would be right. Text that it quotes from the file is escaped and short.
	Msg string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Range.Start, e.Msg) }

// Errors are all mistakes in a spec, sorted by line. It is never empty.
type Errors []*Error

// shownErrors is how many mistakes a message lists. Nobody would read more, and gRPC cannot carry thousands.
const shownErrors = 20

// First returns the first 20 mistakes, which a message lists, and how many more there are.
func (e Errors) First() (first []*Error, more int) {
	first = e[:min(len(e), shownErrors)]
	return first, len(e) - len(first)
}

// Error lists the mistakes of [Errors.First], one a line. The number of further mistakes stands before the last line,
// because some tools show only the last line.
func (e Errors) Error() string {
	first, more := e.First()
	var msgs []string
	for _, err := range first {
		msgs = append(msgs, err.Error())
	}
	if more > 0 {
		msgs = slices.Insert(msgs, len(msgs)-1, More(more))
	}
	return strings.Join(msgs, "\n")
}

// More says that there are n more mistakes.
func More(n int) string {
	if n == 1 {
		return "and 1 more mistake"
	}
	return fmt.Sprintf("and %d more mistakes", n)
}

// AsErrors returns the mistakes inside err, or nil.
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

// show quotes a value for a message: escaped and short.
func show(value string) string { return strconv.Quote(shorten(value, shownRunes)) }

// plain is show without quotes.
func plain(value string) string { return printable.Text(shorten(value, shownRunes)) }

// where formats the path of a key for a message. It is escaped, and shortened only if a name in it is long.
func where(path string) string { return printable.Text(shorten(path, shownPath)) }

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

// Shown returns the file in a form that a terminal can show. It has as many lines, which all end in \n. It escapes what
// does not print, such as \t, \r, \u2028 and \xff, and cuts off lines at 200 columns. [Range] counts the same lines.
func Shown(dt []byte) []byte {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimPrefix(string(dt), "\ufeff"), "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(printable.Cut(strings.TrimSuffix(line, "\r"), "", shownColumns))
	}
	return []byte(b.String())
}

// OneLine returns a text for a comment. It escapes what does not print, replaces what is not UTF-8 with U+FFFD, and
// cuts off the text after about most bytes.
func OneLine(s string, most int) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() > most {
			return b.String() + "…"
		}
		b.WriteString(printable.Text(string(r)))
	}
	return b.String()
}
