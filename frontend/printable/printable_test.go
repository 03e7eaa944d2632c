package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"näive ☃ 漢 \"quoted\" \\n":    "näive ☃ 漢 \"quoted\" \\n",
		"a\nb\tc\r\x00\a":             `a\nb\tc\r\x00\a`,
		"\x1b[31mred\x7f":             `\x1b[31mred\x7f`,
		"a\u0085b\u2028c\ufeff\u202e": `a\u0085b\u2028c\ufeff\u202e`,
		"\U000e0001":                  `\U000e0001`,
		"caf\xe9 \xc3(":               `caf\xe9 \xc3(`,
		"\ufffd":                      "\ufffd",
		strings.Repeat("é\n", 5000):   strings.Repeat(`é\n`, 5000),
	} {
		if got := Text(in); got != want {
			t.Errorf("%.40q is %.60q, want %.60q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		text, keep string
		columns    int
		want       string
	}{
		{"abc", "", 3, "abc"},
		{"abcd", "", 3, "abc…"},
		{"éèê!", "", 3, "éèê…"},
		{"ab\n", "", 3, "ab…"}, // an escape is whole or not there
		{"a", "", 0, "…"},
		{"a\tb\nc", "\t", 99, "a\tb\\nc"},
		{"a\tbc", "\t", 3, "a\tb…"},
		{"\xff", "\ufffd", 99, `\xff`},
	} {
		if got := Cut(tc.text, tc.keep, tc.columns); got != tc.want {
			t.Errorf("%q with %q up to %d is %q, want %q", tc.text, tc.keep, tc.columns, got, tc.want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x1b\xff")
	f.Fuzz(func(t *testing.T, in string) {
		got := Text(in)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is %q", in, got)
		}
		if Text(got) != got {
			t.Errorf("%q is another text when it is shown again", got)
		}
	})
}
