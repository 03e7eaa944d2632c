package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

type node = yaml.Node

// source is a file that has been read as YAML. It does not change.
type source struct {
	lines []string
	root  *node // nil if the file has comments alone
	// far are the last lines of texts that go over several.
	far map[*node]int
	// given are the build arguments of the user, and build those of the platform that builds, nil if that is not known.
	given, build map[string]string
}

// read checks the characters of a file, and gives its one document.
func read(dt []byte) (*source, error) {
	if len(dt) > maxBytes {
		return nil, mistake(1, fmt.Sprintf("the file has %d bytes, and %d is the most", len(dt), maxBytes))
	}
	if err := characters(dt); err != nil {
		return nil, err
	}
	src := &source{lines: strings.Split(string(dt), "\n"), far: map[*node]int{}}
	in, reveal, err := hideBreaks(dt)
	if err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(in))
	var doc, second node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return src, nil
	case err != nil:
		return nil, src.syntaxError(reveal(err.Error()))
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, mistake(second.Line, "a second document begins here, and a spec has one")
	case !errors.Is(err, io.EOF):
		return nil, src.syntaxError(reveal(err.Error()))
	}
	if src.root = doc.Content[0]; isNull(src.root) {
		src.root = nil
		return src, nil
	}
	src.settle(reveal)
	return src, nil
}

func mistake(line int, msg string) Errors { return Errors{{Range{line, line}, msg}} }

// characters refuses what YAML refuses, at its line, and a carriage return alone: the parser takes it for the end of a
// line, and what shows a line of the file does not.
func characters(dt []byte) error {
	dt = bytes.TrimPrefix(dt, []byte("\ufeff"))
	line := 1
	for i := 0; i < len(dt); {
		r, size := utf8.DecodeRune(dt[i:])
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && size == 1:
			return mistake(line, fmt.Sprintf("byte 0x%02x is not UTF-8: save the file as UTF-8", dt[i]))
		case r == '\r' && !bytes.HasPrefix(dt[i+1:], []byte("\n")):
			return mistake(line, `a carriage return alone ends no line: write "\r" in double quotes, or \n or \r\n at the end`)
		case r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r <= 0x9f && r != 0x85, r == 0xfeff, r == 0xfffe, r == 0xffff:
			return mistake(line, fmt.Sprintf(`the character U+%04X cannot stand in YAML: write "\u%04x" in double quotes`, r, r))
		}
		i += size
	}
	return nil
}

// breaks end a line for the parser, as in YAML 1.1, and for nobody else: since YAML 1.2 they are characters like
// others.
const breaks = "\u0085\u2028\u2029"

// hideBreaks puts characters that the file does not have in the place of breaks, so that the parser counts the lines
// that all others count. reveal undoes it.
func hideBreaks(dt []byte) (in []byte, reveal func(string) string, err error) {
	if !bytes.ContainsAny(dt, breaks) {
		return dt, func(s string) string { return s }, nil
	}
	has := map[rune]bool{}
	for _, r := range string(dt) {
		has[r] = true
	}
	var hide, show []string
	free := '\ue000' // for private use
	for _, r := range breaks {
		for has[free] {
			free++
		}
		hide = append(hide, string(r), string(free))
		show = append(show, string(free), string(r))
		free++
	}
	if free > '\uf8ff' {
		at := bytes.Count(dt[:bytes.IndexAny(dt, breaks)], []byte("\n")) + 1
		return nil, nil, mistake(at, `write "\u2028", "\u2029" and "\u0085" in double quotes`)
	}
	return []byte(strings.NewReplacer(hide...).Replace(string(dt))), strings.NewReplacer(show...).Replace, nil
}

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)
	anchor   = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
	// ofParser are messages that count lines from 0, as those of the scanner do not.
	ofParser = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)|` +
		`^found (undefined|duplicate|incompatible) `)
)

// syntaxError gives the parser's message a line; the library has it in text only, if at all.
func (src *source) syntaxError(msg string) Errors {
	line := 1
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		msg = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if ofParser.MatchString(msg) {
				line++
			}
		}
	}
	if m := anchor.FindStringSubmatch(msg); m != nil {
		line = 1 + slices.IndexFunc(src.lines, func(l string) bool { return strings.Contains(l, "*"+m[1]) })
	}
	return mistake(min(max(line, 1), len(src.lines)), "not valid YAML: "+where(msg))
}

// settle finishes the nodes: their texts, and where those end that go over several lines, which the parser does not
// say.
func (src *source) settle(reveal func(string) string) {
	var before *node // the text before, in the order of the file
	end := func(next int) {
		if before != nil && next > before.Line {
			if last := src.lastOf(before, next); last > before.Line {
				src.far[before] = last
			}
		}
	}
	var walk func(n *node)
	walk = func(n *node) {
		end(n.Line)
		before = nil
		if n.Kind == yaml.ScalarNode {
			n.Value = reveal(n.Value)
			before = n
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(src.root)
	end(len(src.lines) + 1)
}

// lastOf gives the last line of a text, before the line of what comes next: comments and brackets are none of it.
func (src *source) lastOf(n *node, next int) int {
	block := n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	indent := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	for last := next - 1; last > n.Line; last-- {
		line := src.lines[last-1]
		text := strings.TrimSpace(line)
		inside := block && indent(line) > indent(src.lines[n.Line-1])
		comment := strings.HasPrefix(text, "#") && !inside
		if !comment && strings.Trim(text, "]},- \t") != "" && text != "..." {
			return last
		}
	}
	return n.Line
}

func isNull(n *node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// follow gives what an alias stands for.
func follow(n *node) *node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
