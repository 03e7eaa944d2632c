package dotnet

import (
	"encoding/xml"
	"path"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/moby/patternmatcher"
)

// hostile are values with a meaning for MSBuild, its command line, or XML. hack/e2e gives the same values to the real
// MSBuild.
var hostile = []string{
	`a";X="b`, `a";X=b`, `a;X=b`, `a,X=b`, `a;"b`, `"`, `""`, `"q"`, `a"b`, `a\"b`, `a\\"b`, `a\`, `a\\`, `a;b\`, `a;b\\`,
	`C:\x\y`,
	"a;b", "a,b", ";a", "a;", ";", ",", "a ; b", "%", "100%", "%41", "%3B", "%3b", "%25", "%2541", "%0A", "%(Identity)",
	"$(X)", "a$(Configuration)b", "$([System.IO.File]::ReadAllText('/etc/passwd'))", "$(registry:HKEY@V)", "@(Compile)",
	"@(Compile->'%(Identity)')", "@file", "*", "**/*.cs", "?.cs", "a=b", "=", "-p:X=1", "/p:X=1", "#x", "!x", "it's",
	"`x`", "{x}",
	"a&b<c>", "<![CDATA[x]]>", "&quot;", "a\nb", "a\r\nb", "\n", " a ", "\ta\t", " ", "\u00a0a\u00a0", "a\u2028b", "é☃",
	"a\x01b",
	"", strings.Repeat("x", 5000),
}

func TestDefine(t *testing.T) {
	for _, tc := range []struct{ value, want string }{
		{"Release", "-p:V=Release"}, // text that needs no escaping stays the same: BuildKit's cache keys depend on it
		{"a;b", `-p:V="a;b"`},
		{"a,b", `-p:V="a,b"`},
		{`a";X="b`, `-p:V="a%22;X=%22b"`},
		{"%3B", "-p:V=%253B"},
		{"@(X)", "-p:V=%40(X)"},
		{"image@sha256:1", "-p:V=image@sha256:1"},
		{"$(X)", "-p:V=$(X)"},
		{"src/**", "-p:V=src/**"},
		{`a\`, `-p:V=a\`},
		{`a;\`, `-p:V="a;%5C"`},
	} {
		if got := define("V", tc.value); got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.value, got, tc.want)
		}
	}
	for _, value := range hostile {
		checkDefine(t, value)
	}
}

func FuzzDefine(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	f.Fuzz(checkDefine)
}

// checkDefine reads an argument as MSBuild would.
func checkDefine(t *testing.T, value string) {
	t.Helper()
	for _, arg := range []string{define("V", value), definePath("V", value)} {
		properties := parameters(strings.TrimPrefix(arg, "-p:"))
		if len(properties) != 1 {
			t.Fatalf("%q: %s is %d properties", value, arg, len(properties))
		}
		name, got, _ := strings.Cut(properties[0], "=")
		if name != "V" || unescape(got) != value {
			t.Fatalf("%q: %s is %s=%q", value, arg, name, unescape(got))
		}
	}
	if arg := define("V", value); strings.Contains(arg, "@(") {
		t.Fatalf("%q: %s is a list of items", value, arg)
	}
}

// parameters returns the parameters of a switch as MSBuild's QuotingUtilities.SplitUnquoted and Unquote see them.
// Outside of quotes, ; and , end a parameter. A quote is removed, unless an odd number of backslashes comes before it;
// of those, half stay.
func parameters(s string) []string {
	var out []string
	var b strings.Builder
	quoted := false
	backslashes := 0
	for _, c := range []byte(s) {
		switch c {
		case '\\':
			backslashes++
			continue
		case '"':
			b.WriteString(strings.Repeat(`\`, backslashes/2))
			if backslashes%2 == 1 {
				b.WriteByte(c)
			} else {
				quoted = !quoted
			}
			backslashes = 0
			continue
		}
		b.WriteString(strings.Repeat(`\`, backslashes))
		backslashes = 0
		if !quoted && (c == ';' || c == ',') {
			out = append(out, b.String())
			b.Reset()
			continue
		}
		b.WriteByte(c)
	}
	b.WriteString(strings.Repeat(`\`, backslashes))
	return append(out, b.String())
}

// unescape does what MSBuild's EscapingUtilities.UnescapeAll does, for ASCII.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func TestEscapeMSBuild(t *testing.T) {
	for _, value := range hostile {
		checkEscape(t, value)
	}
}

func FuzzEscapeMSBuild(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	f.Fuzz(checkEscape)
}

// checkEscape reads text in a project file as MSBuild would, alone and in a list of properties.
func checkEscape(t *testing.T, value string) {
	t.Helper()
	if !utf8.ValidString(value) {
		t.Skip("is in no spec and no name that .NET knows")
	}
	text := escapeMSBuild(value)
	if i := strings.IndexAny(text, `$@'();?*",\`); i >= 0 {
		t.Fatalf("%q: %q has a meaning in %s", value, text[i], text)
	}
	if unescape(text) != value {
		t.Fatalf("%q: %s is %q", value, text, unescape(text))
	}
	list := strings.Split(escapeProperties([]KeyValue{{"A", value}, {"B", "b"}}), ";")
	if len(list) != 2 || list[1] != "B=b" || unescape(strings.TrimPrefix(list[0], "A=")) != value {
		t.Fatalf("%q: the list is %q", value, list)
	}
	checkXML(t, text)
}

func TestEscapeXML(t *testing.T) {
	for _, value := range hostile {
		if !strings.Contains(value, "\x01") { // in no XML
			checkXML(t, value)
		}
	}
}

func FuzzEscapeXML(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, r := range value {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
				t.Skip("in no XML")
			}
		}
		checkXML(t, value)
	})
}

// checkXML reads text and attribute as XML would.
func checkXML(t *testing.T, value string) {
	t.Helper()
	var doc struct {
		A    string `xml:"a,attr"`
		Text string `xml:",chardata"`
	}
	s := escapeXML(value)
	if strings.ContainsRune(value, 0xfffe) || strings.ContainsRune(value, 0xffff) {
		return // in no XML
	}
	if err := xml.Unmarshal([]byte(`<x a="`+s+`">`+s+`</x>`), &doc); err != nil || doc.A != value || doc.Text != value {
		t.Fatalf("%q: %s is %q, %q, %v", value, s, doc.A, doc.Text, err)
	}
}

func TestEscape(t *testing.T) {
	for _, name := range []string{
		"a", "a b", "[x]", "a*b", "?", `a\b`, "!x", "d/!x", "!", " lead", "trail ", "d/ x /y", " ", "a^b", "[^a]",
		"(x)|{y}.+$", " |", "[a]b{2}", "\u00a0x", "a\nb", "\tx",
	} {
		checkPattern(t, name)
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("src/a b/![x].cs")
	f.Fuzz(checkPattern)
}

// checkPattern asks the library that BuildKit copies with.
func checkPattern(t *testing.T, name string) {
	t.Helper()
	if !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\ufeff") || path.Clean("/" + name)[1:] != name ||
		name == "" {
		t.Skip("no path, or one that text/scanner cannot read")
	}
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{Escape(name), name, true},
		{Escape(name), "other", name == "other"},
		{Escape(name), name + "x", false},
		{Escape(name), "x" + name, false},
		{Escape(name), name + "/below", true},
		{Escape(name) + "/*.cs", name + "/a.cs", true},
		{"**/" + Escape(name), "above/" + name, true},
	} {
		m, err := patternmatcher.New([]string{tc.pattern})
		if err != nil {
			t.Fatalf("%q: %q: %v", name, tc.pattern, err)
		}
		if got, err := m.MatchesOrParentMatches(tc.name); err != nil || got != tc.want {
			t.Fatalf("%q: %q matches %q: %v, %v, want %v", name, tc.pattern, tc.name, got, err, tc.want)
		}
	}
	if folder := Escape(path.Dir(name)) + "/"; path.Dir(name) != "." && !strings.HasPrefix(Escape(name), folder) {
		t.Fatalf("%q does not begin with the pattern of its folder, %q", Escape(name), folder)
	}
}
