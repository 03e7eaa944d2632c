package scaffold

import (
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// command is a simple command of a shell script.
type command struct {
	words  []string // without quotes; variables are as the script has them
	writes []string // the files that its output goes to
	piped  bool     // a program reads its output
	into   string   // that program
}

// program is what a command runs; empty if it only writes files.
func (c command) program() string {
	if len(c.words) == 0 {
		return ""
	}
	return c.words[0]
}

// readsScript tells whether a command is a shell that reads its input.
func (c command) readsScript() bool {
	if !shells.MatchString(c.program()) {
		return false
	}
	text, _ := script(c.words[1:])
	return text == ""
}

func (c command) text() string { return strings.Join(slices.Concat(c.words, c.writes), " ") }

var (
	shells     = regexp.MustCompile(`^(?:/usr)?(?:/bin/)?(?:a|ba|da)?sh$`)
	assignment = regexp.MustCompile(`^[A-Za-z_]\w*\+?=`)
	// keywords stand before a command, and wrappers run the command that follows their options.
	keywords = []string{"if", "then", "elif", "else", "while", "until", "do", "!", "{", "}", "time"}
	wrappers = []string{"sudo", "exec", "env", "nohup", "xargs"}
)

// commandsOf are the commands that RUN runs.
func commandsOf(run *instructions.RunCommand) []command {
	if !run.PrependShell {
		return flatten([]command{{words: run.CmdLine}})
	}
	all := commands(strings.Join(run.CmdLine, " "))
	for _, doc := range run.Files {
		switch {
		case len(all) > 1, len(all) == 1 && !all[0].readsScript(): // the input of a command
		case strings.HasPrefix(doc.Data, "#!") && !strings.HasSuffix(firstLine(doc.Data), "sh"):
			all = []command{{words: strings.Fields(strings.TrimPrefix(firstLine(doc.Data), "#!"))}}
		default:
			all = commands(doc.Data)
		}
	}
	return all
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimSpace(line)
}

// commands are the commands of a script, without what stands before them.
func commands(text string) []command { return flatten(split(text)) }

// flatten takes off what stands before commands, and puts the commands of a script in the place of sh -c.
func flatten(all []command) []command {
	for i := range all {
		all[i].words = bare(all[i].words)
	}
	var flat []command
	for i, c := range all {
		if c.piped && i+1 < len(all) {
			c.into = all[i+1].program()
		}
		if shells.MatchString(c.program()) {
			if text, inline := script(c.words[1:]); inline {
				flat = append(flat, commands(text)...)
				continue
			}
		}
		if len(c.words)+len(c.writes) > 0 {
			flat = append(flat, c)
		}
	}
	return flat
}

// bare is a command without variables, keywords and wrappers before it.
func bare(words []string) []string {
	for len(words) > 0 {
		wraps := slices.Contains(wrappers, words[0])
		if !wraps && !slices.Contains(keywords, words[0]) && !assignment.MatchString(words[0]) &&
			!strings.HasSuffix(words[0], "()") {
			return words
		}
		words = words[1:]
		for wraps && len(words) > 0 && strings.HasPrefix(words[0], "-") {
			words = words[1:]
		}
	}
	return nil
}

// script is what a shell with these arguments runs: a file, or a text after -c; empty if it reads its input.
func script(arguments []string) (text string, inline bool) {
	for i := 0; i < len(arguments); i++ {
		switch a := arguments[i]; {
		case a == "-s":
			return "", false
		case strings.HasPrefix(a, "--"):
		case strings.HasPrefix(a, "-"):
			inline = inline || strings.Contains(a, "c")
			if strings.HasSuffix(a, "o") { // -o pipefail
				i++
			}
		default:
			return a, inline
		}
	}
	return "", false
}

// lexer splits a script into commands. It takes wrong scripts, too.
type lexer struct {
	rest     []rune
	word     strings.Builder
	inWord   bool
	redirect rune     // what the next word is: > a file to write, < a file to read, h the end of a here-document
	heredocs []string // the ends of those that begin in the next line
	pattern  bool     // in a pattern of case
	command  command
	all      []command
}

var (
	continuation = regexp.MustCompile(`\\\r?\n`)
	digits       = regexp.MustCompile(`^[0-9]+$`)
	// noFile are targets of a redirection that are no file to keep.
	noFile = regexp.MustCompile(`^(?:/dev/.*|[0-9]+|-)$`)
)

// split is the commands of a script as they are.
func split(text string) []command {
	l := &lexer{rest: []rune(continuation.ReplaceAllString(text, ""))}
	for len(l.rest) > 0 {
		l.next()
	}
	l.endCommand()
	return l.all
}

// take takes the next character; 0 at the end.
func (l *lexer) take() (r rune) {
	if len(l.rest) > 0 {
		r, l.rest = l.rest[0], l.rest[1:]
	}
	return r
}

// skip skips the next character if it is one of a set.
func (l *lexer) skip(set string) bool {
	ok := len(l.rest) > 0 && strings.ContainsRune(set, l.rest[0])
	if ok {
		l.take()
	}
	return ok
}

// until takes all to a character, and that character.
func (l *lexer) until(end rune) string {
	i := slices.Index(l.rest, end)
	if i < 0 {
		i = len(l.rest)
	}
	text := string(l.rest[:i])
	l.rest = l.rest[min(i+1, len(l.rest)):]
	return text
}

func (l *lexer) add(text string) {
	l.inWord = true
	l.word.WriteString(text)
}

func (l *lexer) next() {
	switch r := l.take(); r {
	case ' ', '\t', '\r':
		l.endWord()
	case '\n':
		l.endCommand()
		l.skipHeredocs()
	case ';':
		l.endCommand()
		l.pattern = l.skip(";")
	case '&':
		if len(l.rest) > 0 && l.rest[0] == '>' { // &>
			l.endWord()
			return
		}
		l.skip("&")
		l.endCommand()
	case '|':
		l.endWord()
		l.command.piped = !l.skip("|")
		l.skip("&")
		l.endCommand()
	case '(':
		if l.inWord {
			l.add(l.nested('(', ')'))
		} else {
			l.endCommand()
		}
	case ')':
		l.endCommand()
		l.pattern = false
	case '#':
		if l.inWord {
			l.add("#")
		} else if i := slices.Index(l.rest, '\n'); i >= 0 {
			l.rest = l.rest[i:]
		} else {
			l.rest = nil
		}
	case '<', '>':
		l.startRedirect(r)
	case '\'':
		l.add(l.until('\''))
	case '"':
		l.quoted()
	case '`':
		if text := l.until('`'); !strings.HasPrefix(text, "#") { // a comment between lines that continue
			l.add("`" + text + "`")
		}
	case '\\':
		l.add(string(l.take()))
	case '$':
		l.add("$")
		if l.skip("{") {
			l.add(l.nested('{', '}'))
		}
	default:
		l.add(string(r))
	}
}

// quoted takes the rest of a text in double quotes.
func (l *lexer) quoted() {
	l.add("")
	for len(l.rest) > 0 {
		switch r := l.take(); {
		case r == '"':
			return
		case r == '\\':
			l.add(string(l.take()))
		case r == '$' && l.skip("("):
			l.add("$" + l.nested('(', ')'))
		default:
			l.add(string(r))
		}
	}
}

// nested is the text of brackets whose first is taken.
func (l *lexer) nested(open, end rune) string {
	text := []rune{open}
	for depth := 1; depth > 0 && len(l.rest) > 0; {
		r := l.take()
		switch r {
		case open:
			depth++
		case end:
			depth--
		}
		text = append(text, r)
	}
	return string(text)
}

func (l *lexer) startRedirect(r rune) {
	if digits.MatchString(l.word.String()) { // 2>
		l.word.Reset()
		l.inWord = false
	}
	l.endWord()
	l.redirect = r
	if r == '<' && l.skip("<") && !l.skip("<") {
		l.redirect = 'h'
		l.skip("-")
	}
	l.skip(">|&")
}

func (l *lexer) endWord() {
	if !l.inWord {
		return
	}
	word, redirect := l.word.String(), l.redirect
	l.word.Reset()
	l.inWord, l.redirect = false, 0
	switch redirect {
	case '>':
		if !noFile.MatchString(word) {
			l.command.writes = append(l.command.writes, word)
		}
	case '<':
	case 'h':
		l.heredocs = append(l.heredocs, word)
	default:
		l.command.words = append(l.command.words, word)
		words := l.command.words
		switch n := len(words); {
		case n > 2 && words[n-3] == "case" && word == "in":
			l.command, l.pattern = command{}, true
		case l.pattern && word == "esac":
			l.pattern = false
		}
	}
}

func (l *lexer) endCommand() {
	l.endWord()
	if !l.pattern && len(l.command.words)+len(l.command.writes) > 0 {
		l.all = append(l.all, l.command)
	}
	l.command, l.redirect = command{}, 0
}

// skipHeredocs skips the here-documents that begin in this line.
func (l *lexer) skipHeredocs() {
	for _, end := range l.heredocs {
		for len(l.rest) > 0 {
			if strings.Trim(l.until('\n'), "\t\r") == end {
				break
			}
		}
	}
	l.heredocs = nil
}
