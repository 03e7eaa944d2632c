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

// A value passes through several languages on its way: the words of an instruction, a flag around a word, JSON, a shell
// command, a pattern. This file has one function for each of them. Its result means the value to whoever reads that
// language, and nothing else. [unheld] finds values that none of them can hold.

// text is a value in parts: text of its own and build arguments.
type text []spec.Part

func plain(s string) text { return text{{Text: s}} }

// String is the text with the present values of its arguments.
func (t text) String() string {
	var b strings.Builder
	for _, part := range t {
		b.WriteString(part.Text)
	}
	return b.String()
}

// render writes a text. It passes the text's own parts through literal, and writes arguments as ${NAME}.
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

// hasArgs tells whether a text contains build arguments.
func (t text) hasArgs() bool {
	for _, part := range t {
		if part.Arg != "" {
			return true
		}
	}
	return false
}

// maxLine is the longest line to write. BuildKit reads lines of up to 65535 bytes (parser.Parse, bufio.Scanner).
const maxLine = 60_000

// unheld says why a line cannot hold a text, as the end of a sentence. "" means that it can. BuildKit ends a line at
// \n, and editors and other tools at further characters.
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

// oneLine makes a text for people, in a comment. It escapes what does not print, and cuts off long texts.
func oneLine(s string) string { return spec.OneLine(s, 500) }

var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9_/.*][A-Za-z0-9_/.*@%+=:,?-]*$`)
	lexQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`)
)

// word makes a word of an instruction, as shell.Lex reads it: the argument of WORKDIR, USER and EXPOSE, or a path of
// COPY.
func word(t text) string {
	if s := t.String(); plainWord.MatchString(s) && !t.hasArgs() {
		return s
	}
	return quoted(t)
}

// quoted makes a word in double quotes: the value of ENV, LABEL and ARG.
func quoted(t text) string { return `"` + t.render(lexQuoted.Replace) + `"` }

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// pair makes a key with its value, as ENV and LABEL have it. See [unheldKey].
func pair(key string, value text) string {
	if !plainKey.MatchString(key) {
		key = quoted(plain(key))
	}
	return key + "=" + quoted(value)
}

// unheldKey is [unheld] for a key of ENV and LABEL. The first = ends a key, even in quotes (parser, parseNameVal).
func unheldKey(key string) string {
	switch {
	case key == "":
		return "is empty"
	case strings.Contains(key, "="):
		return "has an equals sign"
	}
	return unheld(key)
}

// list makes a list in JSON, as ENTRYPOINT and CMD read it. Nothing expands its words.
func list(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = jsonString(w)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// unheldList is [unheld] for a list. It allows line breaks, because JSON escapes them.
func unheldList(words []string) string {
	if slices.ContainsFunc(words, func(w string) bool { return !utf8.ValidString(w) }) {
		return "is not UTF-8"
	}
	return unheld(list(words))
}

// jsonString makes a string in JSON.
func jsonString(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // a string always has a form in JSON
	}
	var out strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if unheldRune(r) { // JSON allows it unescaped
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// flag makes a flag of an instruction. The parser takes flags byte by byte (parser, extractBuilderFlags), so only ASCII
// arrives intact: see [unheldFlag]. value is in the language of its reader, most often [bare].
func flag(name, value string) string { return "--" + name + "=" + flagEscaper.Replace(value) }

var flagEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`, " ", `\ `, "\t", "\\\t")

// unheldFlag is [unheld] for the value of a flag.
func unheldFlag(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return "has a character that a flag cannot have"
	}
	return unheld(s)
}

// unheldID is [unheldFlag] for the id of a secret or an SSH agent in a [mount].
func unheldID(id string) string {
	if id == "" {
		return "is empty"
	}
	return unheldFlag(id)
}

// bare makes a word without quotes. It is for a flag, because the parser of flags removes quotes.
func bare(t text) string {
	return t.render(func(s string) string { return bareSpecial.ReplaceAllString(s, `\$0`) })
}

var bareSpecial = regexp.MustCompile(`[^A-Za-z0-9_/.:@%+=-]`)

// mount makes a --mount of RUN: CSV fields, each a key and a word.
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

// shell makes a word of a command, as POSIX's sh reads it.
func shell(s string) string {
	if plainShell.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// shellText is [shell] for a text with build arguments, which are variables in the command.
func shellText(t text) string {
	if !t.hasArgs() {
		return shell(t.String())
	}
	return `"` + t.render(shellQuoted.Replace) + `"`
}

var shellQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

// shellPath makes an argument from a path of the context. No program takes it for an option or for a response file.
func shellPath(p string) string {
	if strings.HasPrefix(p, "-") || strings.HasPrefix(p, "@") {
		p = "./" + p
	}
	return shell(p)
}

// property makes an argument -p:NAME=VALUE. The caller has escaped it for MSBuild. MSBuild unescapes values, so even
// ASCII characters that a line cannot hold get through.
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

// propertyText makes a property whose value has build arguments. In quotes, ; and , do not end a property.
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

// heredoc makes a body with the word that begins and ends it. The word is in quotes, so that nothing expands the body.
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

// xmlLines makes XML that lines can hold. Other characters that would end a line become character references.
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

// literal makes a pattern of COPY that matches only this path.
func literal(p string) string { return globSpecial.ReplaceAllString(p, `[\$0]`) }

var globSpecial = regexp.MustCompile(`[\\*?[]`)

// pattern turns a pattern of patternmatcher into one for COPY --parents. If a pattern has escapes but no wildcard, COPY
// looks for a file with the pattern itself as its name (dockerfile2llb, dispatchCopy: requiredPaths). So escapes become
// classes of one character.
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
