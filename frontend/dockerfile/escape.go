package dockerfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crosshull/crosshull/frontend/spec"
)

// A value passes through several languages on its way: the words of an instruction, a flag around a word, JSON, a
// command of a shell, a pattern. Here is one function for each of them. What it makes means the value to whoever reads
// that language, and nothing else. [unheld] tells of values that none of them can hold.

// text is a value, whose parts are text of its own and build arguments.
type text []spec.Part

func plain(s string) text { return text{{Text: s}} }

// String is the text with the values that its arguments have now.
func (t text) String() string {
	var b strings.Builder
	for _, part := range t {
		b.WriteString(part.Text)
	}
	return b.String()
}

// render writes a text: literal writes what is its own, and arguments are written as ${NAME}.
func (t text) render(literal func(string) string) string {
	var b strings.Builder
	for _, part := range t {
		if part.Arg != "" {
			b.WriteString("${" + part.Arg + "}")
		} else {
			b.WriteString(literal(part.Text))
		}
	}
	return b.String()
}

// hasArgs tells whether there are build arguments in a text.
func (t text) hasArgs() bool {
	for _, part := range t {
		if part.Arg != "" {
			return true
		}
	}
	return false
}

// maxLine is the length of the longest line that is written. BuildKit reads 65535 bytes (parser.Parse, bufio.Scanner).
const maxLine = 60_000

// unheld tells why a line cannot hold a text, as the end of a sentence; "" is that it can. BuildKit ends a line at \n,
// and editors and other tools at more characters.
func unheld(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case strings.ContainsFunc(s, unheldRune):
		return "has a line break, or another control character"
	case len(s) > maxLine:
		return "is longer than a line can be"
	}
	return ""
}

func unheldRune(r rune) bool {
	return unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// oneLine is a text for people, in a comment: what does not print is escaped, and what is long is cut off.
func oneLine(s string) string { return spec.OneLine(s, 500) }

var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9_/.*][A-Za-z0-9_/.*@%+=:,?-]*$`)
	lexQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`)
)

// word is a word of an instruction, as shell.Lex reads it: the argument of WORKDIR, USER and EXPOSE, a path of COPY.
func word(t text) string {
	if s := t.String(); plainWord.MatchString(s) && !t.hasArgs() {
		return s
	}
	return quoted(t)
}

// quoted is a word in double quotes: the value of ENV, LABEL and ARG.
func quoted(t text) string { return `"` + t.render(lexQuoted.Replace) + `"` }

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// pair is a key with its value, as ENV and LABEL have it. See [unheldKey].
func pair(key string, value text) string {
	if !plainKey.MatchString(key) {
		key = quoted(plain(key))
	}
	return key + "=" + quoted(value)
}

// unheldKey is [unheld] for a key of ENV and LABEL: the first = ends it, in quotes too (parser, parseNameVal).
func unheldKey(key string) string {
	switch {
	case key == "":
		return "is empty"
	case strings.Contains(key, "="):
		return "has an equals sign"
	}
	return unheld(key)
}

// list is a list in JSON, as ENTRYPOINT and CMD read it: no word of it is looked at again.
func list(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = jsonString(w)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// unheldList is [unheld] for a list, in which line breaks are escaped.
func unheldList(words []string) string {
	if slices.ContainsFunc(words, func(w string) bool { return !utf8.ValidString(w) }) {
		return "is not UTF-8"
	}
	return unheld(list(words))
}

// jsonString is a text in JSON.
func jsonString(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // strings are JSON
	}
	var out strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if unheldRune(r) { // which JSON lets stand
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// flag is a flag of an instruction. The parser takes flags byte by byte (parser, extractBuilderFlags), so what is not
// ASCII does not arrive: see [unheldFlag]. value is in the language of who reads it then: most often [bare].
func flag(name, value string) string { return "--" + name + "=" + flagEscaper.Replace(value) }

var flagEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`, " ", `\ `, "\t", "\\\t")

// unheldFlag is [unheld] for the value of a flag.
func unheldFlag(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return "has a character that a flag cannot have"
	}
	return unheld(s)
}

// unheldID is [unheldFlag] for the id of a secret or an agent in a [mount].
func unheldID(id string) string {
	if id == "" {
		return "is empty"
	}
	return unheldFlag(id)
}

// bare is a word without quotes, for a flag, whose parser takes quotes away.
func bare(t text) string {
	return t.render(func(s string) string { return bareSpecial.ReplaceAllString(s, `\$0`) })
}

var bareSpecial = regexp.MustCompile(`[^A-Za-z0-9_/.:@%+=-]`)

// mount is a --mount of RUN: fields of CSV, each a key and a word.
func mount(kind string, fields ...string) string {
	all := []string{"type=" + kind}
	for i := 0; i+1 < len(fields); i += 2 {
		field := fields[i] + "=" + bare(plain(fields[i+1]))
		if strings.ContainsAny(field, `,"`) {
			field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
		all = append(all, field)
	}
	return flag("mount", strings.Join(all, ","))
}

var plainShell = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shell is a word of a command, as POSIX's sh reads it.
func shell(s string) string {
	if plainShell.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// shellText is [shell] for a text with build arguments, which are variables there.
func shellText(t text) string {
	if !t.hasArgs() {
		return shell(t.String())
	}
	return `"` + t.render(shellQuoted.Replace) + `"`
}

var shellQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

// shellPath is a path of the context as an argument: never taken for an option, nor for a response file.
func shellPath(p string) string {
	if strings.HasPrefix(p, "-") || strings.HasPrefix(p, "@") {
		p = "./" + p
	}
	return shell(p)
}

// property is an argument -p:NAME=VALUE that the caller escaped for MSBuild. MSBuild unescapes values, so what a line
// cannot hold of ASCII gets through.
func property(arg string) string {
	var b strings.Builder
	for i := range len(arg) {
		if c := arg[i]; c < ' ' && c != '\t' || c == 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// propertyText is a property whose value has build arguments. In quotes ; and , end no property.
func propertyText(name string, value text) text {
	out := text{{Text: "-p:" + name + `="`}}
	for _, part := range value {
		if part.Arg == "" {
			part.Text = property(msbuildQuoted.Replace(part.Text))
		}
		out = append(out, part)
	}
	return append(out, spec.Part{Text: `"`})
}

var msbuildQuoted = strings.NewReplacer("%", "%25", `"`, "%22", "@(", "%40(", `\`, "%5C")

// heredoc is a body with the word that begins it and ends it, in quotes, so that nothing in it is looked at.
func heredoc(body string) (begin, rest string) {
	end := "EOF"
	for i := 2; strings.Contains(body, end); i++ {
		end = fmt.Sprintf("EOF%d", i)
	}
	if !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	return `<<"` + end + `"`, body + end
}

// xmlLines is XML as lines can hold it: what else would end one is a reference to a character.
func xmlLines(doc string) string {
	var b strings.Builder
	for _, r := range doc {
		if unheldRune(r) && r != '\n' {
			fmt.Fprintf(&b, "&#x%X;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// literal is a path as a pattern of COPY, which finds that path alone.
func literal(p string) string { return globSpecial.ReplaceAllString(p, `[\$0]`) }

var globSpecial = regexp.MustCompile(`[\\*?[]`)

// pattern is a pattern of patternmatcher as COPY --parents takes it. COPY looks for a file of the very name of a
// pattern that has escapes and no wildcard (dockerfile2llb, dispatchCopy: requiredPaths), so escapes become classes of
// one character.
func pattern(p string) string {
	p = escaped.ReplaceAllStringFunc(p, func(s string) string {
		if s == `\]` {
			return "]"
		}
		return "[" + s + "]"
	})
	if strings.HasPrefix(p, "!") {
		p = `[\!]` + p[1:]
	}
	return p
}

var escaped = regexp.MustCompile(`\\.`)
