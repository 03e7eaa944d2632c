package dotnet

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text goes to MSBuild in three languages: arguments of a command, expressions in a project file, and XML around those.
// In each, some characters mean something, so text is escaped once for each language that it passes, the outermost
// last.

// define is a property as an argument that arrives as value is, whatever it is: of `dotnet msbuild`, restore, publish
// and test, which do the same. A value is unescaped when it is read (MSBuild, EscapingUtilities.UnescapeAll), a quote
// is taken away, and ; and , outside of quotes begin another property (QuotingUtilities.SplitUnquoted). In quotes ;
// stays what it is to MSBuild, the end of an item of a list; so do * and ? where the property is the Include of an
// item. @( would be taken for a list of items where targets read the property; $( and %( are not looked for again in a
// value.
func define(name, value string) string {
	value = argumentEscaper.Replace(value)
	if strings.ContainsAny(value, ";,") {
		if body, ok := strings.CutSuffix(value, `\`); ok { // else it would escape the quote
			value = body + "%5C"
		}
		value = `"` + value + `"`
	}
	return "-p:" + name + "=" + value
}

var argumentEscaper = strings.NewReplacer("%", "%25", `"`, "%22", "@(", "%40(")

// defineAll are properties as arguments.
func defineAll(properties []KeyValue) []string {
	args := make([]string, len(properties))
	for i, kv := range properties {
		args[i] = define(kv.Key, kv.Value)
	}
	return args
}

// definePath is a property that names one file or folder, as an argument: an item of that name, whatever it is.
func definePath(name, path string) string { return "-p:" + name + "=" + escapeMSBuild(path) }

// projectArgument is a project as an argument of `dotnet restore` and `dotnet test`, which escape it for MSBuild
// themselves but for the quote.
func projectArgument(path string) string { return strings.ReplaceAll(path, `"`, `\"`) }

// escapeMSBuild makes text a part of an MSBuild expression that stands for itself: of an item, a condition, or a value
// of the property list of the MSBuild task. Escaped are the characters of EscapingUtilities.Escape, the backslash,
// which is a slash in paths, what would end an argument, and what XML cannot hold; at an end white space, which is
// taken away there. The task's list takes it away all the same.
func escapeMSBuild(s string) string {
	trimmed := strings.TrimSpace(s)
	start := strings.Index(s, trimmed)
	end := start + len(trimmed)
	var b strings.Builder
	for i, c := range []byte(s) { // all that is escaped is ASCII
		meaning := strings.IndexByte("%$@'();?*\\\",\x7f", c) >= 0
		if meaning || c < ' ' || c < utf8.RuneSelf && (i < start || i >= end) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// escapeProperties is a value for the property list of the MSBuild task.
func escapeProperties(properties []KeyValue) string {
	parts := make([]string, len(properties))
	for i, kv := range properties {
		parts[i] = kv.Key + "=" + escapeMSBuild(kv.Value)
	}
	return strings.Join(parts, ";")
}

// escapeXML makes text the content of an XML element or of an attribute. What XML cannot hold is replaced, so what is
// MSBuild's is escaped by [escapeMSBuild] before.
func escapeXML(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(fmt.Sprintf("a strings.Builder failed: %v", err))
	}
	return b.String()
}
