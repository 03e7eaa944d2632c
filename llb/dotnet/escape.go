package dotnet

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text reaches MSBuild through three languages: arguments of a command, expressions in a project file, and the XML
// around them. Each language gives some characters a meaning. So text is escaped once for each language that it passes
// through, the outermost last.

// define returns a property as an argument for `dotnet msbuild`, restore, publish and test, which all read it the same
// way. Any value arrives unchanged. MSBuild unescapes a value when it reads it (EscapingUtilities.UnescapeAll) and
// takes quotes away. Outside of quotes, ; and , begin another property (QuotingUtilities.SplitUnquoted).
//
// Some characters keep a meaning for MSBuild. Even in quotes, ; ends an item of a list, and * and ? match files if the
// property is the Include of an item. Targets that read the property would take @( for a list of items, so it is
// escaped. MSBuild does not look for $( and %( in a value again.
func define(name, value string) string {
	value = argumentEscaper.Replace(value)
	if strings.ContainsAny(value, ";,") {
		if body, ok := strings.CutSuffix(value, `\`); ok { // or it would escape the quote
			value = body + "%5C"
		}
		value = `"` + value + `"`
	}
	return "-p:" + name + "=" + value
}

var argumentEscaper = strings.NewReplacer("%", "%25", `"`, "%22", "@(", "%40(")

// defineAll returns properties as arguments.
func defineAll(properties []KeyValue) []string {
	args := make([]string, len(properties))
	for i, kv := range properties {
		args[i] = define(kv.Key, kv.Value)
	}
	return args
}

// definePath returns an argument for a property that names one file or folder. MSBuild takes any name for a single
// item.
func definePath(name, path string) string { return "-p:" + name + "=" + escapeMSBuild(path) }

// projectArgument returns a project as an argument of `dotnet restore` and `dotnet test`. They escape it for MSBuild
// themselves, except for the quote.
func projectArgument(path string) string { return strings.ReplaceAll(path, `"`, `\"`) }

// escapeMSBuild escapes text for an MSBuild expression, so that it stands for itself: in an item, a condition, or a
// value in the property list of the MSBuild task. It escapes the characters of EscapingUtilities.Escape, the backslash
// (a slash in paths), what would end an argument, and what XML cannot hold. It also escapes white space at both ends,
// which MSBuild trims. The task's property list trims it all the same.
func escapeMSBuild(s string) string {
	trimmed := strings.TrimSpace(s)
	start := strings.Index(s, trimmed)
	end := start + len(trimmed)
	var b strings.Builder
	for i, c := range []byte(s) { // only ASCII is escaped
		meaning := strings.IndexByte("%$@'();?*\\\",\x7f", c) >= 0
		if meaning || c < ' ' || c < utf8.RuneSelf && (i < start || i >= end) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escapeProperties returns a value for the property list of the MSBuild task.
func escapeProperties(properties []KeyValue) string {
	parts := make([]string, len(properties))
	for i, kv := range properties {
		parts[i] = kv.Key + "=" + escapeMSBuild(kv.Value)
	}
	return strings.Join(parts, ";")
}

// escapeXML escapes text for an XML element or attribute. It replaces what XML cannot hold, so escape text for MSBuild
// with [escapeMSBuild] first.
func escapeXML(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(fmt.Sprintf("a strings.Builder failed: %v", err))
	}
	return b.String()
}
