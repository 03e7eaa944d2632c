package scaffold

import (
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"mvdan.cc/sh/v3/syntax"
)

// command is a simple command of a shell script.
type command struct {
	words  []string // without quotes, and what stands before the program; variables are as the script has them
	writes []string // the files that its output goes to
	into   string   // the program that reads its output
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
	escape     = regexp.MustCompile(`(?s)\\(.)`)
	// noFile are targets of a redirection that are no file to keep.
	noFile = regexp.MustCompile(`^(?:/dev/.*|[0-9]+|-)$`)
	// wrappers run the command that follows their options.
	wrappers = []string{"sudo", "exec", "env", "nohup", "xargs"}
)

// commandsOf are the commands that RUN runs.
func commandsOf(run *instructions.RunCommand) []command {
	if !run.PrependShell {
		return flatten(command{words: run.CmdLine})
	}
	text := strings.Join(run.CmdLine, " ")
	if len(run.Files) == 0 {
		return commands(text)
	}
	doc := run.Files[0].Data
	if parser.MustParseHeredoc(text) != nil { // BuildKit runs it
		line, _, _ := strings.Cut(doc, "\n")
		if program, ok := strings.CutPrefix(strings.TrimSpace(line), "#!"); ok && !strings.HasSuffix(program, "sh") {
			return []command{{words: strings.Fields(program)}}
		}
		return commands(doc)
	}
	for _, input := range run.Files {
		text += "\n" + input.Data + input.Name // as BuildKit passes it to the shell
	}
	all := commands(text)
	if len(all) == 1 && all[0].readsScript() {
		return commands(doc)
	}
	return all
}

// commands are the commands of a script. One that cannot be read stays a single command, so that a person reads it.
func commands(text string) []command {
	if len(text) <= maxScript {
		if file, err := syntax.NewParser().Parse(strings.NewReader(text), ""); err == nil {
			var r reader
			syntax.Walk(file, r.visit)
			return r.all
		}
	}
	return []command{{words: []string{"sh", "-c", text}}}
}

// flatten takes off what stands before a command, and puts the commands of a script in the place of sh -c.
func flatten(c command) []command {
	c.words = bare(c.words)
	if shells.MatchString(c.program()) {
		if text, inline := script(c.words[1:]); inline {
			return commands(text)
		}
	}
	if len(c.words)+len(c.writes) == 0 {
		return nil
	}
	return []command{c}
}

// bare is a command without variables and wrappers before it.
func bare(words []string) []string {
	for len(words) > 0 {
		wraps := slices.Contains(wrappers, words[0])
		if !wraps && !assignment.MatchString(words[0]) {
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

// reader collects the commands of a script.
type reader struct{ all []command }

// visit is for [syntax.Walk].
func (r *reader) visit(node syntax.Node) bool {
	switch n := node.(type) {
	case *syntax.Stmt:
		var c command
		if call, ok := n.Cmd.(*syntax.CallExpr); ok {
			c.words = words(call.Args)
		} else if n.Cmd != nil {
			syntax.Walk(n.Cmd, r.visit)
		}
		for _, redirect := range n.Redirs {
			name := word(redirect.Word.Parts)
			if !strings.HasPrefix(redirect.Op.String(), "<") && !noFile.MatchString(name) {
				c.writes = append(c.writes, name)
			}
		}
		r.all = append(r.all, flatten(c)...)
		return false
	case *syntax.BinaryCmd:
		start := len(r.all)
		syntax.Walk(n.X, r.visit)
		next := len(r.all)
		syntax.Walk(n.Y, r.visit)
		if (n.Op == syntax.Pipe || n.Op == syntax.PipeAll) && start < next && next < len(r.all) {
			r.all[next-1].into = r.all[next].program()
		}
		return false
	case *syntax.Word: // the output of its commands is text
		return false
	}
	return true
}

// words are words without quotes.
func words(all []*syntax.Word) []string {
	var texts []string
	for _, w := range all {
		if c, ok := w.Parts[0].(*syntax.CmdSubst); ok && len(w.Parts)+len(c.Stmts) == 1 {
			continue // a comment between lines that continue
		}
		texts = append(texts, word(w.Parts))
	}
	return texts
}

func word(parts []syntax.WordPart) string {
	var text strings.Builder
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			text.WriteString(escape.ReplaceAllString(p.Value, "$1"))
		case *syntax.SglQuoted:
			text.WriteString(p.Value)
		case *syntax.DblQuoted:
			text.WriteString(word(p.Parts))
		default:
			_ = syntax.NewPrinter().Print(&text, p) // a builder takes all
		}
	}
	return text.String()
}
