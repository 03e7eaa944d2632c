package dotnet

import (
	"slices"
	"strings"
	"testing"
)

// A framework that the SDK did not know of changes the repository of the base that it inferred, and nothing else.
func TestBaseFor(t *testing.T) {
	for _, tc := range []struct{ inferred, frameworks, want string }{
		{"mcr.microsoft.com/dotnet/runtime:10.0", "Microsoft.NETCore.App", "mcr.microsoft.com/dotnet/runtime:10.0"},
		{
			"mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled-extra", "Microsoft.NETCore.App microsoft.aspnetcore.app",
			"mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra",
		},
		{"mcr.microsoft.com/dotnet/runtime-deps:10.0", aspNetCore, "mcr.microsoft.com/dotnet/runtime-deps:10.0"},
		{"mcr.microsoft.com/dotnet/aspnet:10.0", netCoreApp, "mcr.microsoft.com/dotnet/aspnet:10.0"},
		{"", aspNetCore, ""},
	} {
		if got := BaseFor(tc.inferred, strings.Fields(tc.frameworks)); got != tc.want {
			t.Errorf("%s for %s: got %s, want %s", tc.inferred, tc.frameworks, got, tc.want)
		}
	}
}

func TestParseRuntimeConfig(t *testing.T) {
	const core = `"name": "Microsoft.NETCore.App", "version": "10.0.0"`
	for _, tc := range []struct {
		name, json string
		want       []Framework
	}{
		{
			"one", `{"runtimeOptions": {"tfm": "net10.0", "framework": {` + core + `}}}`,
			[]Framework{{netCoreApp, "10.0.0", ""}},
		},
		{
			"two, with a comment", `{"runtimeOptions": { // why
				"rollForward": "Major", "frameworks": [{` + core + `, "rollForward": "LatestPatch"},
				{"name": "Microsoft.AspNetCore.App", "version": "10.0.0"}]}}`,
			[]Framework{{netCoreApp, "10.0.0", "latestpatch"}, {aspNetCore, "10.0.0", "major"}},
		},
		{
			"an old setting", `{"runtimeOptions": {"rollForwardOnNoCandidateFx": 2, "framework": {` + core + `}}}`,
			[]Framework{{netCoreApp, "10.0.0", "major"}},
		},
		{"its own runtime", `{"runtimeOptions": {"includedFrameworks": [{` + core + `}]}}`, nil},
	} {
		got, err := ParseRuntimeConfig([]byte(tc.json))
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, %v, want %v", tc.name, got, err, tc.want)
		}
	}
	if _, err := ParseRuntimeConfig([]byte("{")); err == nil {
		t.Error("half a file is no error")
	}
}

// An app starts on the versions that the host takes, see hostfxr.
func TestRollForward(t *testing.T) {
	for _, tc := range []struct {
		needs, rollForward, there string
		want                      Fit
	}{
		{"10.0.0", "", "10.0.12", Fits},
		{"10.0.0", "", "10.1.0", Fits},
		{"10.0.0", "", "11.0.0", Misfits},
		{"10.0.0", "", "9.0.1", Misfits},
		{"10.0.13", "", "10.0.12", Misfits},
		{"10.0.0", "latestminor", "10.2.1", Fits},
		{"10.0.0", "latestpatch", "10.1.0", Misfits},
		{"10.0.1", "latestpatch", "10.0.2", Fits},
		{"9.0.0", "major", "10.0.0", Fits},
		{"9.0.0", "latestmajor", "10.0.0", Fits},
		{"10.0.0", "major", "9.0.0", Misfits},
		{"10.0.1", "disable", "10.0.2", Misfits},
		{"10.0.1", "disable", "10.0.1", Fits},
		{"10.0.0", "", "10.0.0-rc.2.25502.107", Misfits},
		{"10.0.0-rc.1.25451.107", "", "10.0.0-rc.2.25502.107", Fits},
		{"11.0.0-preview.1", "", "11.0.0", Fits},
		{"10.0", "", "9.0.0", Fits}, // who knows
		{"10.0.0", "", "latest", Fits},
	} {
		s := Shared{Versions: map[string][]string{netCoreApp: {"1.0.0", tc.there}}}
		if got := s.Has(Framework{netCoreApp, tc.needs, tc.rollForward}); got != tc.want {
			t.Errorf("%s, roll forward %q, on %s: got %v, want %v", tc.needs, tc.rollForward, tc.there, got, tc.want)
		}
	}
}

// The name of an image of Microsoft's tells which frameworks it has. Of others only their environment tells.
func TestSharedOf(t *testing.T) {
	both := []string{"DOTNET_VERSION=10.0.1", "ASPNET_VERSION=10.0.1"}
	for _, tc := range []struct {
		image     string
		env       []string
		core, web Fit
	}{
		{"mcr.microsoft.com/dotnet/runtime:10.0", both[:1], Fits, Misfits},
		{"mcr.microsoft.com/dotnet/runtime:10.0-alpine", nil, Unknown, Misfits},
		{"mcr.microsoft.com/dotnet/nightly/aspnet:10.0", both, Fits, Fits},
		{"mcr.microsoft.com/dotnet/sdk:10.0", both, Fits, Fits},
		{"mcr.microsoft.com/dotnet/monitor:10", nil, Unknown, Unknown},
		{"mcr.microsoft.com/dotnet/runtime-deps:10.0", nil, Misfits, Misfits},
		{"mcr.microsoft.com/dotnet/samples:aspnetapp", nil, Unknown, Unknown},
		{"registry.example.com/dotnet/runtime:10.0", both[:1], Fits, Unknown},
		{"registry.example.com/base:1", nil, Unknown, Unknown},
		{"", both, Fits, Fits},
	} {
		s := SharedOf(tc.image, tc.env)
		core, web := s.Has(Framework{netCoreApp, "10.0.0", ""}), s.Has(Framework{aspNetCore, "10.0.0", ""})
		if core != tc.core || web != tc.web {
			t.Errorf("%s: %v and %v, want %v and %v", tc.image, core, web, tc.core, tc.web)
		}
	}
}

// The first framework that does not fit is the one to tell of.
func TestLacks(t *testing.T) {
	core, web := Framework{netCoreApp, "10.0.0", "minor"}, Framework{aspNetCore, "10.0.0", ""}
	odd := Framework{"Odd.App", "1.0.0", ""}
	s := Shared{Versions: map[string][]string{netCoreApp: {"9.0.1"}}}
	lacks, fit := s.Lacks([]Framework{web, core})
	if lacks != core || fit != Misfits {
		t.Errorf("got %v, %v", lacks, fit)
	}
	says := "the app does not start on base, which has Microsoft.NETCore.App 9.0.1: it needs Microsoft.NETCore.App " +
		"10.0.0, rollForward minor"
	if got := s.Tell("base", core); got != says {
		t.Errorf("got %s\nwant %s", got, says)
	}
	if lacks, fit = s.Lacks([]Framework{web}); lacks != web || fit != Unknown {
		t.Errorf("got %v, %v", lacks, fit)
	}
	if _, fit = s.Lacks(nil); fit != Fits {
		t.Errorf("nothing: %v", fit)
	}
	for _, tc := range []struct {
		needed []Framework
		want   string
	}{
		{[]Framework{core}, "mcr.microsoft.com/dotnet/runtime:10.0"},
		{[]Framework{core, web}, "mcr.microsoft.com/dotnet/aspnet:10.0"},
		{[]Framework{{netCoreApp, "11.0.0-rc.1.25451.107", ""}}, "mcr.microsoft.com/dotnet/runtime:11.0.0-rc.1"},
		{[]Framework{{netCoreApp, "10.0.7", ""}}, "mcr.microsoft.com/dotnet/runtime:10.0.7"},
		{[]Framework{core, odd}, ""},
	} {
		if got := Advice(tc.needed); got != tc.want {
			t.Errorf("%v: got %s, want %s", tc.needed, got, tc.want)
		}
	}
}

// The environment and the command of an image win over the runtimeconfig.json.
func TestRoll(t *testing.T) {
	for _, tc := range []struct{ env, command, want string }{
		{"", "dotnet app.dll", "minor"},
		{"DOTNET_ROLL_FORWARD=Major", "./app", "major"},
		{"DOTNET_ROLL_FORWARD=Major", "dotnet exec --roll-forward LatestPatch app.dll", "latestpatch"},
		{"", "dotnet app.dll --roll-forward Major", "minor"},
		{"", "/usr/bin/dotnet --fx-version 9.0.1 app.dll", ""},
		{"", "sh -c x", "minor"},
		{"", "", "minor"},
	} {
		got := Roll([]Framework{{netCoreApp, "10.0.0", "minor"}}, []string{tc.env}, strings.Fields(tc.command))
		if tc.want == "" && got != nil || tc.want != "" && got[0].RollForward != tc.want {
			t.Errorf("%s %s: got %v, want %s", tc.env, tc.command, got, tc.want)
		}
	}
}

// What restore found is what the project names, what other projects name, and what packages name.
func TestFrameworksOfAssets(t *testing.T) {
	g, err := ParseAssets([]byte(`{
		"targets": {"net10.0": {
			"P/1.0.0": {"type": "package", "frameworkReferences": ["Microsoft.AspNetCore.App"]},
			"lib/1.0.0": {"type": "project"}}},
		"project": {"frameworks": {"net10.0": {
			"targetAlias": "net10.0", "frameworkReferences": {"Microsoft.NETCore.App": {}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Frameworks(&App{TargetFramework: "net10.0"})
	if err != nil || strings.Join(got, " ") != aspNetCore+" "+netCoreApp {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := g.Frameworks(&App{TargetFramework: "net9.0"}); err == nil {
		t.Error("another framework is no error")
	}
}

// The frameworks of referenced projects decide the base before restore, unless somebody has chosen it.
func TestBaseOfReferences(t *testing.T) {
	for _, tc := range []struct{ library, chosen, want string }{
		{"Microsoft.NETCore.App", "", "mcr.microsoft.com/dotnet/runtime:10.0"},
		{"Microsoft.NETCore.App;Microsoft.AspNetCore.App", "", "mcr.microsoft.com/dotnet/aspnet:10.0"},
		{"Microsoft.NETCore.App;Microsoft.AspNetCore.App", "x", "mcr.microsoft.com/dotnet/runtime:10.0"},
	} {
		e, err := ParseEvaluation([]byte(`{"projects": [
			{"path": "app/app.csproj", "frameworkReferences": ["Microsoft.NETCore.App"]},
			{"path": "lib/lib.csproj", "frameworkReferences": ["`+strings.ReplaceAll(tc.library, ";", `", "`)+`"]}],
			"answers": [{"app": {"path": "app/app.csproj", "closure": [0, 1], "properties": {
				"_CrosshullChosenBaseImage": "`+tc.chosen+`",
				"ContainerBaseImage": "mcr.microsoft.com/dotnet/runtime:10.0"}}}]}`), 1)
		if err != nil {
			t.Fatal(err)
		}
		app := e.Descriptions[0].App
		inferred := "mcr.microsoft.com/dotnet/runtime:10.0"
		if tc.chosen != "" {
			inferred = ""
		}
		if app.BaseImage != tc.want || app.InferredBase != inferred {
			t.Errorf("%v: got %s, inferred %s", tc, app.BaseImage, app.InferredBase)
		}
	}
}

func TestPlatformTarget(t *testing.T) {
	for _, tc := range []struct {
		target, rid string
		refused     bool
	}{
		{"", "linux-arm64", false},
		{"AnyCPU", "linux-arm64", false},
		{"x64", "linux-x64", false},
		{"x64", "linux-musl-x64", false},
		{"x64", "linux-arm64", true},
		{"ARM64", "linux-arm64", false},
		{"x86", "linux-x64", true},
	} {
		closure := []Node{{Path: "lib.csproj", PlatformTarget: "x86"}, {Path: "a.csproj", PlatformTarget: tc.target}}
		app := &App{Path: "a.csproj", Closure: closure}
		if err := CheckPlatformTarget(app, tc.rid); (err != nil) != tc.refused {
			t.Errorf("%s on %s: %v", tc.target, tc.rid, err)
		}
	}
}
