package differential

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	const endpoints = "app.staticwebassets.endpoints.json"
	at := func(time string) string {
		return `{"ETag":"x","ResponseHeaders":[{"Name":"Last-Modified","Value":"` + time + `"}]}`
	}
	utf16 := func(text string) string { return "\x01" + strings.Join(strings.Split(text, ""), "\x00") + "\x00" }
	for _, tc := range []struct {
		name        string
		plain, ours Tree
		want        string
	}{
		{"nothing", Tree{"a": {Data: "1"}}, Tree{"a": {Data: "1"}}, ""},
		{"missing", Tree{"a": {}, "b": {}}, Tree{"b": {}}, "a: missing"},
		{"too much", Tree{"b": {}}, Tree{"a": {}, "b": {}}, "a: too much"},
		{
			"a line", Tree{"a": {Data: "1\n2\n3"}}, Tree{"a": {Data: "1\n4\n3"}},
			"a: other bytes\n    line 2 is \"2\", with crosshull \"4\"",
		},
		{"a line less", Tree{"a": {Data: "1\n2"}}, Tree{"a": {Data: "1"}}, "a: other bytes\n    line 2 is \"2\", with " +
			"crosshull (none)"},
		{"bytes", Tree{"a": {Data: "1\x00"}}, Tree{"a": {Data: "\x00"}}, "a: other bytes\n    2 bytes and 1 bytes"},
		{
			"an assembly", Tree{"a.dll": {Data: utf16("version 2") + "\x00same"}},
			Tree{"a.dll": {Data: utf16("version 1") + "\x00same"}},
			"a.dll: other bytes\n    only plain has [\"version 2\"]\n    only crosshull has [\"version 1\"]",
		},
		{"an assembly whose texts are the same", Tree{"a.dll": {Data: "\x00"}}, Tree{"a.dll": {Data: "\x01"}},
			"a.dll: other bytes\n    all texts are the same"},
		{"assets of another system", Tree{"runtimes/win-x64/native/a.dll": {}, "runtimes/osx/lib/a.dll": {}}, Tree{}, ""},
		{"assets of this system", Tree{"runtimes/unix/lib/a.dll": {}}, Tree{}, "runtimes/unix/lib/a.dll: missing"},
		{"assets of another system too much", Tree{}, Tree{"runtimes/osx/lib/a.dll": {}}, "runtimes/osx/lib/a.dll: too much"},
		{"debug symbols", Tree{"app.dbg": {}}, Tree{}, ""},
		{"times of assets", Tree{endpoints: {Data: at("Mon")}}, Tree{endpoints: {Data: at("Tue")}}, ""},
		{"times elsewhere", Tree{"a.json": {Data: at("Mon")}}, Tree{"a.json": {Data: at("Mon!")}}, "a.json: other bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, d := range Compare(tc.plain, tc.ours) {
				got = append(got, d.String())
			}
			if text := strings.Join(got, "\n"); !strings.HasPrefix(text, tc.want) || tc.want == "" && text != "" {
				t.Errorf("got %s\nwant %s", text, tc.want)
			}
		})
	}
	for _, a := range exceptions {
		if a.why == "" || (a.leftOut == nil) == (a.same == nil) {
			t.Errorf("an exception has one rule and a reason: %+v", a)
		}
	}
}
