package spec

import (
	"maps"
	"slices"
	"strings"
)

// Part is a part of a value, which is all of them one after the other.
type Part struct {
	// Text is what the value has there.
	Text string
	// Arg is the build argument that gave it; empty: the file has the text itself.
	Arg string
}

// Parts gives the value at a path of keys as the file has it, with its build arguments apart. It is nil for a value
// without any, and for one that is not known before [Spec.For] says for which platform.
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

// WithArgs gives the paths of all values that [Spec.Parts] knows, in order.
func (s *Spec) WithArgs() []string { return slices.Sorted(maps.Keys(s.written)) }

// cutArg cuts a text around the first ${NAME} in it, which is found. Without one, all of it is before.
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

// argName is the name in ${NAME}.
func argName(found string) string { return found[len("${") : len(found)-len("}")] }
