package dotnet

import (
	"fmt"
	"testing"
)

// sourcesConfig is a nuget.config with the given lines in its packageSources.
func sourcesConfig(lines string) []byte {
	return []byte("<configuration>\n<packageSources>\n" + lines + "\n</packageSources>\n</configuration>\n")
}

// A feed of the spec is lost where a nuget.config drops its source, has another one, or maps no package to it.
func TestLost(t *testing.T) {
	const none = "removes all other sources (<clear />); write "
	const other = "has another source for it; write the same source in both, or give the feed of the spec another name"
	const unmapped = `maps packages to other sources; write <packageSource key="mine"><package pattern="NAME" />` +
		"</packageSource> beside that, with the names of its packages"
	const mine = `<add key="mine" value="https://feed/a?b&amp;c" />`
	const hub = `<add key="hub" value="https://hub" />`
	feed := Feed{Name: "mine", Source: "https://feed/a?b&c"}
	insecure := Feed{Name: "mine", Source: "http://feed"}
	mapped := func(keys string) []byte {
		return []byte("<configuration><packageSourceMapping>\n" + keys + "\n</packageSourceMapping></configuration>")
	}
	const toMine = `<packageSource key="Mine"><package pattern="*" /></packageSource>`
	const toHub = `<packageSource key="hub"><package pattern="*" /></packageSource>`
	for _, tc := range []struct {
		name    string
		feed    Feed
		files   Files
		project string
		want    string // FILE:LINE and why; empty: it is not lost
	}{
		{"no file", feed, nil, "src/app", ""},
		{"a file that adds", feed, Files{"nuget.config": sourcesConfig(hub)}, "src/app", ""},
		{"a file that clears", feed, Files{"nuget.config": sourcesConfig("<clear />\n" + hub)}, "src/app",
			"nuget.config:3 " + none + mine + " after that"},
		{"over http", insecure, Files{"nuget.config": sourcesConfig("<clear />")}, "src/app/app.csproj",
			"nuget.config:3 " + none + `<add key="mine" value="http://feed" allowInsecureConnections="true" /> after that`},
		{"credentials alone", Feed{Name: "mine", PasswordSecret: "x"}, Files{"nuget.config": sourcesConfig("<clear />")},
			"", ""},
		{"a file that clears, and has it", feed, Files{"nuget.config": sourcesConfig("<clear />" + mine)}, "", ""},
		{"in other case", feed, Files{
			"nuget.config": sourcesConfig(`<Clear/><add value="https://feed/a?b&amp;c/" key='MINE'/>`),
		}, "", ""},
		{"a part of another name", feed, Files{
			"nuget.config": sourcesConfig("<clear/><add key='min' value='https://x'/>"),
		}, "", "nuget.config:3 " + none + mine + " after that"},
		{"a file that has it, and clears then", feed, Files{"nuget.config": sourcesConfig(mine + "\n<clear />\n" + hub)}, "",
			"nuget.config:4 " + none + mine + " after that"},
		{"a comment", feed, Files{"nuget.config": sourcesConfig("<!-- <clear /> -->")}, "", ""},
		{"another section", feed, Files{"nuget.config": []byte("<configuration><config><clear /></config></configuration>")},
			"", ""},
		{"of the nearest file", feed, Files{
			"nuget.config": sourcesConfig("<clear />"), "src/nuget.config": sourcesConfig(mine),
		}, "src/app", ""},
		{"of a file further up", feed, Files{
			"nuget.config": sourcesConfig("<clear />"), "src/nuget.config": sourcesConfig(hub),
		}, "src/app", "nuget.config:3 " + none + mine + " after that"},
		{"of a nearer file", feed, Files{
			"nuget.config": sourcesConfig(mine), "src/nuget.config": sourcesConfig("<clear />"),
		}, "src/app", "src/nuget.config:3 " + none + mine + " after that"},
		{"beside the project", feed, Files{"other/nuget.config": sourcesConfig("<clear />")}, "src/app", ""},
		{"a spelling that NuGet takes first", feed, Files{
			"NuGet.Config": sourcesConfig("<clear />"), "nuget.config": sourcesConfig(""),
		}, "", ""},
		{"a spelling that NuGet does not take", feed, Files{"NUGET.CONFIG": sourcesConfig("<clear />")}, "", ""},
		{"another source", feed, Files{"nuget.config": sourcesConfig(hub + "\n<add key='Mine' value='https://old' />")}, "",
			"nuget.config:4 " + other},
		{"a variable", feed, Files{"nuget.config": sourcesConfig("<clear /><add key='mine' value='%FEED%' />")}, "", ""},
		{"mapped", feed, Files{"nuget.config": mapped(toHub + "\n" + toMine)}, "", ""},
		{"mapped to another", feed, Files{"nuget.config": mapped(toHub)}, "", "nuget.config:2 " + unmapped},
		{"mapped by a file further up", feed, Files{"nuget.config": mapped(toMine), "src/nuget.config": mapped(toHub)},
			"src/app", ""},
		{"mapped by a file that does not count", feed, Files{
			"nuget.config": mapped(toMine), "src/nuget.config": mapped("<clear />\n" + toHub),
		}, "src/app", "src/nuget.config:3 " + unmapped},
		{"no XML", feed, Files{"nuget.config": []byte("<configuration><packageSources><clear")}, "", ""},
	} {
		got := ""
		if lost := ReadNuGetConfigs(tc.files).Lost(tc.feed, tc.project); lost != nil {
			got = fmt.Sprintf("%s:%d %s", lost.File, lost.Line, lost.Why)
		}
		if got != tc.want {
			t.Errorf("%s: got\n%q, want\n%q", tc.name, got, tc.want)
		}
	}
}

// A source that differs only in case is the same source, but its credentials are not found.
func TestOtherCase(t *testing.T) {
	sources := func(keys ...string) []byte {
		text := ""
		for _, key := range keys {
			text += `<add key=` + key + ` value="https://x" />`
		}
		return sourcesConfig(text)
	}
	configs := ReadNuGetConfigs(Files{
		"nuget.config": sources(`"Hub"`, `'MINE'`), "src/NuGet.Config": sources(`"hub"`),
		"other/nuget.config": sources(`"A.B"`),
	})
	for _, tc := range []struct{ name, project, want string }{
		{"Hub", "app", ""}, {"hub", "app", "Hub"}, {"hub", "src/app", ""}, {"mine", "src/app/app.csproj", "MINE"},
		{"none", "app", ""}, {"a.b", "app", ""}, {"a.b", "other", "A.B"}, {"axb", "other", ""},
	} {
		got, file, line := configs.OtherCase(tc.name, tc.project)
		if got != tc.want || (got != "") != (file != "" && line == 3) {
			t.Errorf("%s in %s: got %q in %s:%d, want %q", tc.name, tc.project, got, file, line, tc.want)
		}
	}
}

// Before MSBuild has said which projects a path means, it is not always certain which files NuGet reads.
func TestCertain(t *testing.T) {
	for _, tc := range []struct {
		project, config string
		want            bool
	}{
		{"", "nuget.config", true}, {"src", "nuget.config", true}, {"src", "src/nuget.config", true},
		{"src/app/app.csproj", "other/nuget.config", true}, {"src/app.cs", "src/more/nuget.config", true},
		{"", "src/nuget.config", false}, {"src", "src/app/nuget.config", false},
		{"all.slnx", "nuget.config", true}, {"build/all.slnx", "build/nuget.config", false},
	} {
		if got := ReadNuGetConfigs(Files{tc.config: nil}).Certain(tc.project); got != tc.want {
			t.Errorf("%q with %s: got %v", tc.project, tc.config, got)
		}
	}
}
