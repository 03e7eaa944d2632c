package dotnet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseMode(t *testing.T) {
	for _, tc := range []struct{ in, want, err string }{
		{"", "portable", ""},
		{"portable", "portable", ""},
		{"apphost", "apphost", ""},
		{"ready-to-run apphost", "apphost, ready-to-run", ""},
		{"trimmed", "trimmed", ""},
		{"single-file trimmed self-contained", "single-file, trimmed", ""},
		{"aot trimmed self-contained", "aot", ""},
		{"portable aot", "", "portable cannot be combined with other modes"},
		{"aot single-file", "", "aot and single-file cannot be combined"},
		{"ready-to-run aot", "", "aot and ready-to-run cannot be combined"},
		{"apphost trimmed", "", "apphost goes with ready-to-run only"},
		{"native", "", `"native" is not known: use portable, apphost`},
	} {
		m, err := ParseMode(strings.Fields(tc.in))
		switch {
		case tc.err == "" && (err != nil || m.String() != tc.want):
			t.Errorf("%s: got %s, %v, want %s", tc.in, m, err, tc.want)
		case tc.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.err)):
			t.Errorf("%s: got error %v, want %s", tc.in, err, tc.err)
		}
	}
}

func TestModeOf(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"", "portable"},
		{"SelfContained=false PublishAot=", "portable"},
		{"PublishSelfContained=True", "self-contained"},
		{"PublishTrimmed=true SelfContained=false", "trimmed"},
		{"PublishSingleFile=true PublishReadyToRun=true", "single-file, ready-to-run"},
		{"PublishAot=true PublishSingleFile=true PublishReadyToRun=true PublishTrimmed=true", "aot"},
		{"UseAppHost=true", "portable"}, // the default of projects, so there is no property to ask for it
	} {
		properties := map[string]string{}
		for _, p := range strings.Fields(tc.in) {
			name, value, _ := strings.Cut(p, "=")
			properties[name] = value
		}
		if got := modeOf(properties).String(); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.in, got, tc.want)
		}
	}
}

func TestModeFacts(t *testing.T) {
	for _, tc := range []struct{ mode, facts string }{
		{"portable", ""},
		{"apphost", "executable launchers rids"},
		{"self-contained", "per-platform executable rids runtime"},
		{"single-file", "per-platform executable rids"},
		{"ready-to-run", "per-platform rids"},
		{"apphost ready-to-run", "per-platform executable rids"},
		{"trimmed", "per-platform executable rids runtime"},
		{"aot", "per-platform executable rids runtime toolchain"},
	} {
		m, err := ParseMode(strings.Fields(tc.mode))
		if err != nil {
			t.Fatal(err)
		}
		var facts []string
		for _, f := range []struct {
			name string
			is   bool
		}{
			{"per-platform", m.PerPlatform()}, {"executable", m.Executable()}, {"launchers", m.Launchers()},
			{"rids", m.NeedsRIDs()}, {"runtime", m.BringsRuntime()}, {"toolchain", m.NeedsToolchain()},
		} {
			if f.is {
				facts = append(facts, f.name)
			}
		}
		if got := strings.Join(facts, " "); got != tc.facts {
			t.Errorf("%s: got %s, want %s", tc.mode, got, tc.facts)
		}
	}
}

// A mode asks for no pack that it does not need: the pack may be on no feed that the build can reach.
func TestModePacks(t *testing.T) {
	for mode, want := range map[string]string{
		"portable":             "EnableRuntimePackDownload=false UseAppHost=false EnableAppHostPackDownload=false",
		"apphost":              "EnableRuntimePackDownload=false UseAppHost=false EnableAppHostPackDownload=false",
		"ready-to-run":         "UseAppHost=false EnableAppHostPackDownload=false",
		"apphost ready-to-run": "UseAppHost=true",
		"self-contained":       "UseAppHost=true",
		"aot":                  "UseAppHost=true",
	} {
		m, err := ParseMode(strings.Fields(mode))
		if err != nil {
			t.Fatal(err)
		}
		var packs []string
		for _, kv := range m.properties() {
			if !slices.Contains(ModeProperties(), kv.Key) {
				packs = append(packs, kv.Key+"="+kv.Value)
			}
		}
		if got := strings.Join(packs, " "); got != want {
			t.Errorf("%s: got %s, want %s", mode, got, want)
		}
	}
}

// MSBuild is asked for every property of the table, and the evaluator has no list of its own.
func TestEvaluatorKnowsModes(t *testing.T) {
	dt, err := Request(Project{}, nil, "", nil, Paths{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := Evaluator.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range ModeProperties() {
		quoted := fmt.Sprintf("%q", name)
		if !strings.Contains(string(dt), quoted) {
			t.Errorf("the request asks for no %s", name)
		}
		for _, f := range files {
			if strings.Contains(string(f.Data), quoted) {
				t.Errorf("%s names %s, too", f.Name, name)
			}
		}
	}
}
