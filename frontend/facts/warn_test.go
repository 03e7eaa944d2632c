package facts_test

import (
	"slices"
	"testing"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// What MSBuild says that the user should know is a warning, each once, and no error.
func TestWarns(t *testing.T) {
	unknown, missing, byRID := gatewaytest.App("app/app.csproj", nil), gatewaytest.App("app/app.csproj", nil),
		gatewaytest.App("app/app.csproj", nil)
	unknown.Unknown = "Exec in app/app.csproj:3"
	missing.Missing = []string{"gone/gone.csproj", "gone/gone.csproj"}
	byRID.ByRuntimeIdentifier = true
	debug := gatewaytest.App("app/app.csproj", gatewaytest.Item{"PublishRelease": "False"})
	others := gatewaytest.App("app/app.csproj", nil)
	others.Candidates = append(others.Candidates,
		gatewaytest.Candidate{Path: "desktop.csproj", Kind: "app", Frameworks: []string{"net10.0"}},
		gatewaytest.Candidate{Path: "old.csproj", Kind: "broken", Error: &gatewaytest.Problem{Message: "no such SDK"}},
	)
	for _, tc := range []struct {
		name   string
		spec   []string
		answer gatewaytest.Answer
		want   []string
	}{
		{"switches beside the app", []string{"project: app"}, gatewaytest.App("app/app.csproj", nil), nil},
		{"switches beside the solution", []string{"project: eng/all.slnx"}, gatewaytest.App("app/app.csproj", nil), []string{
			"the switches in eng/MSBuild.rsp, beside all.slnx, have no effect on app/app.csproj: write them to " +
				"Directory.Build.rsp",
			"eng/Directory.Solution.targets has no effect on app/app.csproj, because crosshull publishes the project and not " +
				"all.slnx: move what the app needs to Directory.Build.targets",
		}},
		{"nothing", nil, gatewaytest.App("app/app.csproj", nil), nil},
		{"a project that may read anything", nil, unknown, []string{
			"app/app.csproj may read any file of the context, so each change compiles it again (Exec in " +
				"app/app.csproj:3): list what it reads in publish.inputs",
		}},
		{"one whose inputs the spec names", []string{"publish: {inputs: [tools]}"}, unknown, nil},
		{"other files for each platform", nil, byRID, []string{
			"the files of app/app.csproj depend on RuntimeIdentifier, but mode portable sets none: set " +
				"publish.mode to self-contained, single-file or ready-to-run, which publish for each platform",
		}},
		{"a publish for each platform", []string{"publish: {mode: self-contained}"}, byRID, nil},
		{"a project for configuration Debug", nil, debug, []string{
			"app/app.csproj is published in configuration Release, although it sets PublishRelease to false: set " +
				"publish.configuration to Debug or Release",
		}},
		{"one whose configuration the spec names", []string{"publish: {configuration: Release}"}, debug, nil},
		{"other projects", nil, others, []string{
			"old.csproj is left out, as MSBuild cannot evaluate it: no such SDK",
			"desktop.csproj also targets other systems than Linux, so it is left out: if it is your app, name it in project",
		}},
		{"a named project", []string{"project: app/app.csproj"}, gatewaytest.App("app/app.csproj", nil), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Spec(tc.spec...)
			c.Say("all.slnx", "<Solution />")
			c.Say("eng/all.slnx", "<Solution />")
			c.Say("eng/MSBuild.rsp", "-p:A=1")
			c.Say("app/MSBuild.rsp", "-p:A=1")
			c.Say("eng/Directory.Solution.targets", "<Project />")
			c.Describe(tc.answer)
			if _, err := apps(t, c); err != nil {
				t.Fatal(err)
			}
			if got := c.Warnings(); !slices.Equal(got, tc.want) {
				t.Errorf("warned of\n%q\nwant\n%q", got, tc.want)
			}
		})
	}
}
