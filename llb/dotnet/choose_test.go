package dotnet

import (
	"errors"
	"testing"
)

func TestChoose(t *testing.T) {
	app := Candidate{Path: "a/a.csproj", Kind: "app", OutputType: "Exe", Frameworks: []string{"net10.0"}}
	other := Candidate{Path: "b/b.csproj", Kind: "app", OutputType: "Exe", Frameworks: []string{"net9.0", "net10.0"}}
	lib := Candidate{Path: "c/c.csproj", Kind: "library", OutputType: "Library"}
	test := Candidate{Path: "t/t.csproj", Kind: "test", OutputType: "Exe"}
	host := Candidate{Path: "h/h.csproj", Kind: "an Aspire host", OutputType: "Exe"}
	tool := Candidate{Path: "u/u.csproj", Kind: "a tool", OutputType: "Exe"}
	windows := Candidate{Path: "w/w.csproj", Kind: notForLinux, OutputType: "WinExe"}
	wasm := Candidate{Path: "x/x.csproj", Kind: wasmClient, OutputType: "Exe"}
	broken := Candidate{Path: "z/z.csproj", Kind: "broken", Error: &Diagnostic{File: "z/z.csproj", Message: "no XML"}}
	in := func(where string) string {
		return "nothing to publish in " + where + ": an app has OutputType Exe and is not a test, but there is only "
	}
	for _, tc := range []struct {
		name, project, framework string
		test                     bool
		candidates               []Candidate
		want                     string // of the error
	}{
		{"one", "", "", false, []Candidate{app, lib, test}, ""},
		{"one among what is no app by itself", "", "", false, []Candidate{app, host, tool, windows, wasm, broken}, ""},
		{"none", "", "", false, nil, "no .NET project in the context"},
		{"none there", "src", "", false, nil, "no .NET project in src"},
		{"no app", "", "", false, []Candidate{lib, test},
			in("the context") + "c/c.csproj (OutputType Library), t/t.csproj (a test)"},
		{"what is no app by itself", "", "", false, []Candidate{host, tool, windows, wasm},
			in("the context") + "h/h.csproj (an Aspire host), u/u.csproj (a tool), w/w.csproj (no TargetFramework that " +
				"Linux can run), x/x.csproj (a Blazor WebAssembly client)"},
		{"what MSBuild cannot evaluate", "", "", false, []Candidate{broken, lib},
			in("the context") + "z/z.csproj (z/z.csproj: error: no XML), c/c.csproj (OutputType Library)"},
		{"a host by its folder", "h", "", false, []Candidate{host}, in("h") + "h/h.csproj (an Aspire host)"},
		{"a host by its file", "h/h.csproj", "", false, []Candidate{host}, ""},
		{"a tool by its file", "u/u.csproj", "", false, []Candidate{tool}, ""},
		{"a library by its file", "c/c.csproj", "", false, []Candidate{lib},
			in("c/c.csproj") + "c/c.csproj (OutputType Library)"},
		{"a test by its file", "t/t.csproj", "", false, []Candidate{test}, in("t/t.csproj") + "t/t.csproj (a test)"},
		{"an app for Windows by its file", "w/w.csproj", "", false, []Candidate{windows},
			in("w/w.csproj") + "w/w.csproj (no TargetFramework that Linux can run)"},
		{"a client by its file", "x/x.csproj", "", false, []Candidate{wasm},
			in("x/x.csproj") + "x/x.csproj (a Blazor WebAssembly client)"},
		{"two apps", "", "", false, []Candidate{app, other},
			"2 projects in the context can be published, so the spec has to name one, as in project: a/a.csproj, " +
				"or several in apps. There are a/a.csproj, b/b.csproj"},
		{"two frameworks", "b", "", false, []Candidate{other},
			"b/b.csproj has several frameworks, so the spec has to name one: framework: net9.0 or net10.0"},
		{"chosen framework", "b", "NET9.0", false, []Candidate{other}, ""},
		{"wrong framework", "", "net8.0", false, []Candidate{app}, "a/a.csproj has no framework net8.0: use net10.0"},
		{"a test", "", "", true, []Candidate{app, test}, ""},
		{"two tests", "t", "", true, []Candidate{test, {Path: "t/u/u.csproj", Kind: "test"}},
			"2 test projects in t, so tests has to name each of them: t/t.csproj, t/u/u.csproj"},
		{"no test", "a", "", true, []Candidate{app, lib},
			"no test project in a: a test references Microsoft.NET.Test.Sdk, but there is only a/a.csproj (an app), " +
				"c/c.csproj (OutputType Library)"},
		{"an app by its file, for a test", "a/a.csproj", "", true, []Candidate{app},
			"no test project in a/a.csproj: a test references Microsoft.NET.Test.Sdk, but there is only a/a.csproj (an app)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			desc, want := &Description{Candidates: tc.candidates}, &App{}
			if tc.want == "" { // MSBuild describes one that is chosen, and no other
				want.Path = tc.candidates[len(tc.candidates)-1].Path
				if !tc.test {
					want.Path = tc.candidates[0].Path
				}
				desc.App = want
			}
			got, err := desc.Choose(tc.project, tc.framework, tc.test)
			if tc.want == "" {
				if err != nil || got != want {
					t.Errorf("got %v, %v", got, err)
				}
			} else if err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
	_, err := (&Description{Candidates: []Candidate{app}}).Choose("", "", false)
	want := "MSBuild did not describe a/a.csproj. This is a bug in crosshull: please report it at " + Issues
	if err == nil || err.Error() != want {
		t.Errorf("of what is not described: %v, want %s", err, want)
	}
}

// If there is nothing to publish, the error says what there is instead.
func TestChooseNothing(t *testing.T) {
	test := Candidate{Path: "t/t.csproj", Kind: "test"}
	_, err := (&Description{Candidates: []Candidate{test}}).Choose("t", "", false)
	var nothing *NothingError
	if !errors.As(err, &nothing) || len(nothing.Candidates) != 1 || nothing.Candidates[0].Path != test.Path {
		t.Errorf("got %#v", err)
	}
}
