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

// source is a file after it was read as YAML. It does not change.
type source struct {
	lines []string
	root  *node // nil if the file has only comments
	// far are the last lines of texts with more than one line.
	far map[*node]int
	// given are the user's build arguments. build are those of the platform that builds, or nil if it is not known.
	given, build map[string]string
}

// read checks the characters of a file, and returns its only document.
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
	src.complete(reveal)
	return src, nil
}

func mistake(line int, msg string) Errors { return Errors{{Range{line, line}, msg}} }

// characters refuses the characters that YAML refuses, and gives their line. It also refuses a carriage return alone:
// the parser counts a new line after it, but programs that show lines of the file do not.
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
			return mistake(line, `a carriage return alone does not end a line: `+
				`write "\r" in double quotes, or \n or \r\n at the end`)
		case r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r <= 0x9f && r != 0x85, r == 0xfeff, r == 0xfffe, r == 0xffff:
			return mistake(line, fmt.Sprintf(`the character U+%04X cannot stand in YAML: write "\u%04x" in double quotes`, r, r))
		}
		i += size
	}
	return nil
}

// breaks are characters that end a line for the parser, which follows YAML 1.1. Since YAML 1.2 they are ordinary
// characters, and no other program ends a line at them.
const breaks = "\u0085\u2028\u2029"

// hideBreaks replaces breaks with characters that the file does not have, so that the parser counts lines as other
// programs do. reveal undoes it.
func hideBreaks(dt []byte) (in []byte, reveal func(string) string, err error) {
	if !bytes.ContainsAny(dt, breaks) {
		return dt, func(s string) string { return s }, nil
	}
	has := map[rune]bool{}
	for _, r := range string(dt) {
		has[r] = true
	}
	var hide, show []string
	free := '\ue000' // first character for private use
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
	// ofParser matches messages of the parser, which count lines from 0. Messages of the scanner count from 1.
	ofParser = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)|` +
		`^found (undefined|duplicate|incompatible) `)
)

// syntaxError adds a line to the parser's message. The library gives the line only in the text, if at all.
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
	line = min(max(line, 1), len(src.lines))
	if text := src.lines[line-1]; strings.Contains(text[:len(text)-len(strings.TrimLeft(text, " \t"))], "\t") {
		return mistake(line, "not valid YAML: a line cannot begin with a tab: use spaces")
	}
	return mistake(line, "not valid YAML: "+where(msg))
}

// complete gives the nodes their own characters back, and finds the last lines of long texts. The parser gives only the
// first line of a text.
func (src *source) complete(reveal func(string) string) {
	var before *node // the previous text in the file
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

// lastOf returns the last line of a text that ends before line next. It skips comments and brackets.
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

// follow returns what an alias stands for.
func follow(n *node) *node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
