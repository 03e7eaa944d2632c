package dotnet

import (
	"errors"
	"testing"
)

func TestCheckPath(t *testing.T) {
	const takes = ", which has a special meaning to MSBuild in the path of a project: rename it"
	for p, want := range map[string]string{
		"src/a*b/app.csproj": "src/a*b/app.csproj: a*b has * in its name" + takes,
		"?/app.csproj":       "?/app.csproj: ? has ? in its name" + takes,
		"a:b/app.csproj":     "a:b/app.csproj: a:b has : in its name" + takes,
		`src/a\b.csproj`:     `src/a\b.csproj: a\b.csproj has \ in its name` + takes,
		"%41/app.csproj":     "%41/app.csproj: %41 has %41 in its name" + takes,
		"a%3bb/app.csproj":   "a%3bb/app.csproj: a%3bb has %3b in its name" + takes,
		"@(Y)/app.csproj":    "@(Y)/app.csproj: @(Y) has @(Y) in its name" + takes,
		"src/a*.csproj":      "src/a*.csproj: a*.csproj has * in its name" + takes,
		`src/a"b.csproj`: `src/a"b.csproj: a"b.csproj has " in its name, ` +
			`which breaks the command line of the compiler: rename it`,
		"src/a\tb.csproj": `"src/a\tb.csproj": "a\tb.csproj" has "\t" in its name, ` +
			`which breaks the command line of the compiler: rename it`,
		"src/ a.csproj": `src/ a.csproj: " a.csproj" has " " in its name, ` +
			`which breaks the command line of the compiler: rename it`,
		"a\xff/app.csproj": `"a\xff/app.csproj": "a\xff" has a byte that is not UTF-8 in its name, ` +
			`which .NET cannot read: rename it`,
		"src/%41.csproj":         "", // only folders are read twice
		"100%/%/%(x)/app.csproj": "",
		"a;b/$(X)/#/a b/it's/(x)/[x]/{x}/@/@()/a,b/a=b/!x/a\"b/ lead/trail /&/<x>/a|b/a\nb/app.csproj": "",
		"src/a;b$(X)#!,=[x].csproj": "",
	} {
		err := CheckPath(p)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", p, err)
			}
			continue
		}
		var typed *PathError
		if !errors.As(err, &typed) || err.Error() != want || typed.Path != p {
			t.Errorf("%q: got  %v\nwant %s", p, err, want)
		}
	}
}

func TestCheckPaths(t *testing.T) {
	for _, tc := range []struct {
		root, referenced string
		assets           bool
		want             string // the part, and the character
	}{
		{"a|b/app.csproj", "lib/lib.csproj", true, ""},
		{"app/app.csproj", "a|b/lib.csproj", false, "a|b |"},
		{"app/app.csproj", "a\nb/lib.csproj", false, "a\nb \n"},
		{"app/app.csproj", "*/lib.csproj", false, "* *"},
		{`a"b/app.csproj`, "a;b/lib.csproj", false, ""},
		{"a;b/app.csproj", "lib/lib.csproj", true, "a;b ;"},
		{"app/a;b.csproj", "lib/lib.csproj", true, ""},
		{"app/app.csproj", `a"b/lib.csproj`, true, `a"b "`},
	} {
		app := &App{Path: tc.root, Closure: []Node{{Path: tc.root}, {Path: tc.referenced}}}
		err := app.CheckPaths(tc.assets)
		got := ""
		var typed *PathError
		if errors.As(err, &typed) {
			got = typed.Part + " " + typed.Char
		}
		if got != tc.want {
			t.Errorf("%q, %q: got %q, %v, want %q", tc.root, tc.referenced, got, err, tc.want)
		}
	}
}

func TestCheckQuestions(t *testing.T) {
	files := Files{"src/a*b/lib.csproj": nil, "src/app/app.csproj": nil, "build/*.props": nil, "other/?.fsproj": nil}
	for _, tc := range []struct {
		name  string
		asked Project
		want  string // the project
	}{
		{"the whole context", Project{}, "other/?.fsproj"},
		{"a folder", Project{Path: "src"}, "src/a*b/lib.csproj"},
		{"another folder", Project{Path: "src/app"}, ""},
		{"a project", Project{Path: "src/app/app.csproj"}, ""},
		{"that project", Project{Path: "other/?.fsproj"}, "other/?.fsproj"},
		{"a file-based app", Project{Path: "to*ol"}, "to*ol/to*ol.csproj"},
		{"a solution, whose projects MSBuild knows", Project{Path: "a.sln"}, ""},
	} {
		got := ""
		var typed *PathError
		if errors.As(CheckQuestions([]Project{{Path: "src/app/app.csproj"}, tc.asked}, files), &typed) {
			got = typed.Path
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}
