package dotnet

import (
	"slices"
	"strings"
	"testing"
)

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
		{"major", `{"sdk": {"version": "8.0.100", "rollForward": "major"}}`, "8.0.100 8.0 10.0", "10.0.401", true},
		{"latestMajor", `{"sdk": {"version": "8.0.100", "rollForward": "latestMajor"}}`, "10.0 8.0.100", "10.0.401", true},
		{"another major", `{"sdk": {"version": "8.0.100", "rollForward": "latestMinor"}}`, "8.0 8.0.100", "10.0.401", false},
		{"no version", `{"sdk": {"allowPrerelease": false}}`, "10.0", "10.0.401", true},
		{"no version, preview not allowed", `{"sdk": {"allowPrerelease": false}}`, "10.0", "11.0.100-rc.1.1", false},
		{"preview", `{"sdk": {"version": "11.0.100-preview.7.25380.108"}}`, "11.0.100-preview.7 11.0-preview",
			"11.0.100-preview.7.25380.108", true},
		{"preview, later one", `{"sdk": {"version": "11.0.100-preview.7.25380.108"}}`, "11.0.100-preview.7 11.0-preview",
			"11.0.100-rc.1.1", true},
		{"release wanted, preview there", `{"sdk": {"version": "11.0.100", "allowPrerelease": false}}`, "11.0.100 11.0",
			"11.0.100-rc.1.1", false},
		{"comments and commas",
			"\ufeff// SDK\n{\n \"sdk\": { /* the version */\n \"version\": \"10.0.401\", // pinned\n },\n}\n", "10.0.401 10.0",
			"10.0.401", true},
		{"an SDK that does not say", `{"sdk": {"version": "10.0.401"}}`, "10.0.401 10.0", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g, err := ParseGlobalJSON([]byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(g.Tags(), " "); got != tc.tags {
				t.Errorf("tags: got %s, want %s", got, tc.tags)
			}
			if got := g.Satisfied(tc.have); got != tc.satisfied {
				t.Errorf("satisfied by %s: %v", tc.have, got)
			}
		})
	}
	if g, err := ParseGlobalJSON([]byte(`{"msbuild-sdks": {"X": "1"}}`)); g != nil || err != nil {
		t.Errorf("without sdk: got %v, %v", g, err)
	}
	g, err := ParseGlobalJSON([]byte("{\n  \"sdk\": {\n    \"version\": \"10.0.100\"\n  }\n}"))
	if err != nil || g.Line != 3 {
		t.Errorf("line %d, %v, want 3", g.Line, err)
	}
	if got := g.Advice("10.0.401"); got != `"rollForward": "latestFeature" would accept it` {
		t.Errorf("advice: %s", got)
	}
	for in, want := range map[string]string{
		"{":                                     "not valid JSON",
		`{"sdk": {"version": "10"}}`:            `"10" is not a version of the SDK`,
		`{"sdk": {"rollForward": "sometimes"}}`: `rollForward "sometimes" is not known: use disable, patch`,
		`{"sdk": {"rollForward": "minor"}}`:     "rollForward minor needs a version",
	} {
		if _, err := ParseGlobalJSON([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
}

func TestSDKFor(t *testing.T) {
	for want, files := range map[string][]string{
		"10.0": {"<TargetFrameworks>net8.0;netstandard2.0</TargetFrameworks>", "<TargetFramework>net10.0</TargetFramework>",
			"net99.0"},
		"11.0": {`<TargetFramework Condition="x">net11.0-windows</TargetFramework>`},
		"12.0": {"#:property TargetFramework=net12.0\n"},
	} {
		var dts [][]byte
		for _, f := range files {
			dts = append(dts, []byte(f))
		}
		if got := SDKFor(dts); got != want {
			t.Errorf("%s: got %s, want %s", files, got, want)
		}
	}
}

func FuzzGlobalJSON(f *testing.F) {
	f.Add([]byte(`{"sdk": {"version": "10.0.401", /* x */ }, // y`))
	f.Fuzz(func(t *testing.T, dt []byte) {
		before := slices.Clone(dt)
		g, err := ParseGlobalJSON(dt)
		if err == nil && g != nil && g.Version != "" && len(g.Tags()) == 0 {
			t.Errorf("%q has a version and no tags", dt)
		}
		if !slices.Equal(before, dt) {
			t.Error("the input was changed")
		}
	})
}
