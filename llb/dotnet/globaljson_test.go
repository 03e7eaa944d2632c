package dotnet

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// Which image of an SDK is asked for, and which SDKs do. The rules are those of hostfxr: matches_policy and
// resolve_sdk_path_and_version in dotnet/runtime, src/native/corehost/fxr/sdk_resolver.cpp.
func TestGlobalJSON(t *testing.T) {
	for _, tc := range []struct {
		name, in  string
		tags      string
		have      string
		satisfied bool
	}{
		{"exact", `{"sdk": {"version": "10.0.401"}}`, "10.0.401 10.0", "10.0.401", true},
		{"a later patch", `{"sdk": {"version": "10.0.400"}}`, "10.0.400 10.0", "10.0.401", true},
		{"an earlier patch", `{"sdk": {"version": "10.0.402"}}`, "10.0.402 10.0", "10.0.401", false},
		{"another band", `{"sdk": {"version": "10.0.100"}}`, "10.0.100 10.0", "10.0.401", false},
		{"another band allowed", `{"sdk": {"version": "10.0.100", "rollForward": "latestFeature"}}`, "10.0 10.0.100",
			"10.0.401", true},
		{"case of the policy", `{"sdk": {"version": "10.0.100", "rollForward": "LATESTMINOR"}}`, "10.0 10.0.100", "10.0.401",
			true},
		{"disable", `{"sdk": {"version": "10.0.400", "rollForward": "disable"}}`, "10.0.400", "10.0.401", false},
		{"major", `{"sdk": {"version": "8.0.100", "rollForward": "major"}}`, "8.0.100 8.0 11.0", "10.0.401", true},
		{"latestMajor", `{"sdk": {"version": "8.0.100", "rollForward": "latestMajor"}}`, "11.0 8.0 8.0.100", "10.0.401",
			true},
		{"latestMajor, newer than is needed", `{"sdk": {"version": "12.0.100", "rollForward": "latestMajor"}}`,
			"12.0 12.0.100", "10.0.401", false},
		{"another major", `{"sdk": {"version": "8.0.100", "rollForward": "latestMinor"}}`, "8.0 8.0.100", "10.0.401", false},
		{"no version", `{"sdk": {"rollForward": "latestMajor"}}`, "11.0", "10.0.401", true},
		{"no version, preview not allowed", `{"sdk": {"allowPrerelease": false}}`, "11.0", "11.0.100-rc.1.1", false},
		{"nothing", `{"sdk": {"version": null, "rollForward": null, "paths": null}}`, "11.0", "10.0.401", true},
		{"preview", `{"sdk": {"version": "11.0.100-preview.7.25380.108"}}`, "11.0.100-preview.7 11.0 11.0-preview",
			"11.0.100-preview.7.25380.108", true},
		{"preview, later one", `{"sdk": {"version": "11.0.100-preview.7.25380.108"}}`,
			"11.0.100-preview.7 11.0 11.0-preview", "11.0.100-rc.1.1", true},
		{"preview, not allowed and asked for", `{"sdk": {"version": "11.0.100-rc.1.1", "allowPrerelease": false}}`,
			"11.0.100-rc.1 11.0 11.0-preview", "11.0.100-rc.1.1", true},
		{"preview, newest", `{"sdk": {"version": "12.0.100-rc.1.1", "rollForward": "latestMajor"}}`,
			"12.0 12.0-preview 12.0.100-rc.1", "12.0.100-rc.2.1", true},
		{"release wanted, preview there", `{"sdk": {"version": "11.0.100", "allowPrerelease": false}}`, "11.0.100 11.0",
			"11.0.100-rc.1.1", false},
		{"no band", `{"sdk": {"version": "10.0.0"}}`, "10.0.0 10.0", "10.0.401", false},
		{"no band, and any allowed", `{"sdk": {"version": "10.0.0", "rollForward": "latestFeature"}}`, "10.0 10.0.0",
			"10.0.401", true},
		{"a build of a version", `{"sdk": {"version": "10.0.400+abc.1"}}`, "10.0.400 10.0", "10.0.401", true},
		{"comments",
			"\ufeff// SDK\n{\n \"sdk\": { /* the version */\n \"version\": \"10.0.401\" // pinned\n }\n}\n// the end",
			"10.0.401 10.0", "10.0.401", true},
		{"the first of a name", `{"sdk": {"version": "10.0.401", "version": "9.0.100"}, "sdk": {"version": "8.0.100"}}`,
			"10.0.401 10.0", "10.0.401", true},
		{"names in other capitals", `{"sdk": {"Version": "9.0.100", "rollforward": "x"}}`, "11.0", "10.0.401", true},
		{"an SDK that does not say", `{"sdk": {"version": "10.0.401"}}`, "10.0.401 10.0", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := ParseGlobalJSON([]byte(tc.in))
			if g == nil || g.Ignored != "" {
				t.Fatalf("got %+v", g)
			}
			if got := strings.Join(g.Tags("11.0"), " "); got != tc.tags {
				t.Errorf("tags: got %s, want %s", got, tc.tags)
			}
			if got := g.Satisfied(tc.have); got != tc.satisfied {
				t.Errorf("satisfied by %s: %v", tc.have, got)
			}
		})
	}
	for _, in := range []string{`{}`, `{"msbuild-sdks": {"X": "1"}}`, `{"sdk": null}`, `{"SDK": {"version": "x"}}`} {
		if g := ParseGlobalJSON([]byte(in)); g != nil {
			t.Errorf("%s: got %+v", in, g)
		}
	}
	g := ParseGlobalJSON([]byte("{\n  \"sdk\":\n  {\n    \"errorMessage\": \"run it\", \"version\": \"10.0.100\"\n  }\n}"))
	if g.Line != 4 || g.ErrorMessage != "run it" {
		t.Errorf("got %+v, want line 4", g)
	}
	if got := g.Advice("10.0.401"); got != `"rollForward": "latestFeature" would accept it` {
		t.Errorf("advice: %s", got)
	}
}

// A file that hostfxr takes no notice of (parse_global_file in sdk_resolver.cpp, parse_internal in fx_ver.cpp), and
// whether dotnet of SDK 10 fails for it, as measured with 10.0.401: it reads the file itself, as strict JSON with
// comments.
func TestIgnoredGlobalJSON(t *testing.T) {
	const notVersion = " is not a version of the SDK, such as 10.0.100"
	utf16 := func(order binary.AppendByteOrder) string {
		var dt []byte
		for _, unit := range utf16.Encode([]rune("\ufeff{\"sdk\": {\"version\": \"9.0.100\"}}")) {
			dt = order.AppendUint16(dt, unit)
		}
		return string(dt)
	}
	for _, tc := range []struct {
		in, why string
		line    int
		fails   bool
	}{
		{"{\n\"sdk\": {\n\"version\": \"8.0.x\"}}", `"8.0.x"` + notVersion, 3, false},
		{`{"sdk": {"version": "10.0", "rollForward": "latestFeature"}}`, `"10.0"` + notVersion, 1, false},
		{`{"sdk": {"version": ""}}`, `""` + notVersion, 1, false},
		{`{"sdk": {"version": "v10.0.100"}}`, `"v10.0.100"` + notVersion, 1, false},
		{`{"sdk": {"version": "10.0.0100"}}`, `"10.0.0100"` + notVersion, 1, false},
		{`{"sdk": {"version": "10.0.100-rc.01"}}`, `"10.0.100-rc.01"` + notVersion, 1, false},
		{`{"sdk": {"version": "10.0.100-rc_1"}}`, `"10.0.100-rc_1"` + notVersion, 1, false},
		{`{"sdk": {"version": "10.0.100-"}}`, `"10.0.100-"` + notVersion, 1, false},
		{`{"sdk": {"version": 10}}`, "sdk.version has to be a string", 1, false},
		{`{"sdk": "10.0.100"}`, `sdk has to be an object, as in "sdk": {"version": "10.0.100"}`, 1, false},
		{"{\"sdk\": {\n\"version\": \"10.0.100\",\n\"rollForward\": \"sometimes\"}}",
			`rollForward "sometimes" is not known: use disable, patch, ` +
				"feature, minor, major, latestPatch, latestFeature, latestMinor, latestMajor", 3, false},
		{`{"sdk": {"rollForward": "minor"}}`, "rollForward minor has no version to start from: add sdk.version", 1, false},
		{`{"sdk": {"version": "10.0.100", "rollForward": true}}`, "sdk.rollForward has to be a string", 1, false},
		{`{"sdk": {"allowPrerelease": "false"}}`, "sdk.allowPrerelease has to be true or false", 1, false},
		{`{"sdk": {"paths": ".dotnet"}}`, "sdk.paths has to be a list", 1, false},
		{`{"sdk": {"errorMessage": 1}}`, "sdk.errorMessage has to be a string", 1, false},
		{utf16(binary.LittleEndian), "it is UTF-16, not UTF-8", 1, false},
		{utf16(binary.BigEndian), "it is UTF-16, not UTF-8", 1, false},
		{"{\n\"sdk\": {\"version\": \"10.0.100\",}\n}",
			"not valid JSON: invalid character '}' looking for beginning of object key string", 2, true},
		{"", "not valid JSON: unexpected end of JSON input", 1, true},
		{"[]", "not a JSON object", 1, true},
		{`{"sdk": {"version": "10.0.100"}} /`, "not valid JSON: invalid character '/' after top-level value", 1, true},
	} {
		g := ParseGlobalJSON([]byte(tc.in))
		if g == nil || g.Ignored != tc.why || g.Line != tc.line {
			t.Errorf("%q: got %+v", tc.in, g)
			continue
		}
		if why := g.Fails("10.0.401"); (why != "") != tc.fails || tc.fails && why != tc.why {
			t.Errorf("%q: fails: %s", tc.in, why)
		}
		if why := g.Fails("9.0.308"); why != "" {
			t.Errorf("%q: SDK 9 fails: %s", tc.in, why)
		}
	}
}

// Where the SDK may be (get_framework_and_sdk_locations and search_paths in sdk_resolver.cpp): an image has it where
// dotnet itself is, or in a folder of its own.
func TestGlobalJSONPaths(t *testing.T) {
	for paths, fails := range map[string]bool{
		`[".dotnet", "$host$"]`: false, `["/usr/share/dotnet"]`: false,
		`[".dotnet"]`: true, `["$HOST$"]`: true, `[]`: true, `[1]`: true,
	} {
		g := ParseGlobalJSON([]byte(`{"sdk": {"version": "10.0.100", "paths": ` + paths + `}}`))
		for have, want := range map[string]bool{"10.0.401": fails, "": fails, "9.0.308": false} {
			if why := g.Fails(have); (why != "") != want {
				t.Errorf("%s: SDK %s fails: %q", paths, have, why)
			}
		}
	}
}

// The nearest global.json counts (find_nearest_global_file in sdk_resolver.cpp).
func TestNearestGlobalJSON(t *testing.T) {
	files := Files{"global.json": nil, "src/My.App/global.json": nil, "src/Global.json": nil}
	for project, want := range map[string]string{
		"": "global.json", "src/My.App": "src/My.App/global.json", "src/My.App/My.App.csproj": "src/My.App/global.json",
		"src/My.App/hello.cs": "src/My.App/global.json", "src/All.slnx": "global.json", "src/Other.App": "global.json",
	} {
		if got := NearestGlobalJSON(files, project); got != want {
			t.Errorf("%s: got %s, want %s", project, got, want)
		}
	}
	if got := NearestGlobalJSON(Files{"other/global.json": nil}, "src/app"); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestSDKFor(t *testing.T) {
	const net10, net11 = "<TargetFramework>net10.0</TargetFramework>", "<TargetFramework>net11.0</TargetFramework>"
	for _, tc := range []struct {
		name, projects string
		files          map[string]string
		want           string
	}{
		{"older ones", "", map[string]string{"a.csproj": "<TargetFrameworks>net8.0;netstandard2.0</TargetFrameworks>",
			"b.csproj": net10, "c.props": "net99.0"}, "10.0"},
		{"a condition", "", map[string]string{"a.csproj": `<TargetFramework Condition="x">net11.0-windows</TargetFramework>`},
			"11.0"},
		{"a file alone", "a.cs", map[string]string{"a.cs": "#:property TargetFramework=net12.0\n"}, "12.0"},
		{"a comment", "", map[string]string{"a.csproj": net10 + "<!-- one day:\n" + net11 + " -->"}, "10.0"},
		{"any of several", "", map[string]string{"a/a.csproj": net10, "b/b.csproj": net11}, "11.0"},
		{"a newer one beside the project", "a/a.csproj", map[string]string{"a/a.csproj": net10, "b/b.csproj": net11}, "10.0"},
		{"a newer one beside the folder", "./a/", map[string]string{"a/a.csproj": net10, "b/b.csproj": net11}, "10.0"},
		{"the project", "b/b.csproj", map[string]string{"a/a.csproj": net10, "b/b.csproj": net11}, "11.0"},
		{"above the project", "src/b/b.csproj", map[string]string{"src/Directory.Build.props": net11, "a/a.csproj": net10},
			"11.0"},
		{"nowhere near the project", "a/a.csproj", map[string]string{"a/a.csproj": "$(Newest)", "eng/common.props": net11},
			"11.0"},
		{"another of the projects", "a/a.csproj b", map[string]string{"a/a.csproj": net10, "b/b.csproj": net11}, "11.0"},
	} {
		files := Files{}
		for name, text := range tc.files {
			files[name] = []byte(text)
		}
		if got := SDKFor(files, strings.Fields(tc.projects)...); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

func FuzzGlobalJSON(f *testing.F) {
	f.Add([]byte(`{"sdk": {"version": "10.0.401", /* x */ }, // y`))
	f.Fuzz(func(t *testing.T, dt []byte) {
		before := slices.Clone(dt)
		g := ParseGlobalJSON(dt)
		if g != nil && (len(g.Tags("10.0")) == 0 || g.Line < 1 || g.Line > 1+bytes.Count(dt, []byte("\n"))) {
			t.Errorf("%q is read as %+v", dt, g)
		}
		if !slices.Equal(before, dt) {
			t.Error("the input was changed")
		}
	})
}
