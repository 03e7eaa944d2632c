package spec

import (
	"maps"
	"slices"
	"strings"
)

// Part is a part of a value. All parts in order make the value.
type Part struct {
	// Text is the text of this part of the value.
	Text string
	// Arg is the build argument that the text came from. Empty: the text is in the file.
	Arg string
}

// Parts returns the value at a path of keys in parts, so that its build arguments are apart from the file's own text.
// It returns nil for a value without build arguments, and for a value that depends on a platform that [Spec.For] has
// not set.
func (s *Spec) Parts(path string) []Part {
	var parts []Part
	add := func(text string) {
		if last := len(parts) - 1; last >= 0 && parts[last].Arg == "" {
			parts[last].Text += text
		} else if text != "" {
			parts = append(parts, Part{Text: text})
		}
	}
	for rest := s.written[path]; rest != ""; {
		before, found, after := cutArg(rest)
		rest = after
		literal, escaped := strings.CutSuffix(before, "$")
		switch {
		case found == "":
			add(before)
		case escaped:
			add(literal + found)
		default:
			add(before)
			parts = append(parts, Part{s.args[argName(found)], argName(found)})
		}
	}
	return parts
}

// WithArgs returns the paths of all values that [Spec.Parts] knows, in order.
func (s *Spec) WithArgs() []string { return slices.Sorted(maps.Keys(s.written)) }

// cutArg splits a text around the first ${NAME} in it, and tells whether there was one. Without one, before is the
// whole text.
func cutArg(text string) (before, found, after string) {
	begin := strings.Index(text, "${")
	if begin < 0 {
		return text, "", ""
	}
	end := strings.IndexByte(text[begin:], '}')
	if end < 0 {
		return text, "", ""
	}
	end += begin + 1
	return text[:begin], text[begin:end], text[end:]
}

// argName returns the name in ${NAME}.
func argName(found string) string { return found[len("${") : len(found)-len("}")] }
