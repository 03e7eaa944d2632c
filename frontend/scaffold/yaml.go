package scaffold

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
)

var (
	plain = regexp.MustCompile(`^[A-Za-z0-9_./]([A-Za-z0-9_./ +-]*[A-Za-z0-9_./+-])?$`)
	null  = []string{"null", "Null", "NULL"}
)

// scalar is a text as a spec has it: quoted where YAML reads something else, and with $${NAME} where the text has
// ${NAME}, which would be a build argument.
func scalar(s string) string {
	s = escapeArgs(s)
	switch {
	case plain.MatchString(s) && !slices.Contains(null, s):
		return s
	case strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }):
		return doubleQuoted(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// doubleQuoted is a text in double quotes, with what does not print escaped.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// escapeArgs writes a $ before each ${NAME}.
func escapeArgs(s string) string {
	var b strings.Builder
	for {
		begin := strings.Index(s, "${")
		if begin < 0 {
			return b.String() + s
		}
		end := strings.IndexByte(s[begin:], '}')
		if end < 0 {
			return b.String() + s
		}
		end += begin + 1
		b.WriteString(s[:begin] + "$" + s[begin:end])
		s = s[end:]
	}
}

// oneLine is a text for people, in a comment: what does not print is escaped, and what is long is cut off.
func oneLine(s string) string { return spec.OneLine(s, 300) }
