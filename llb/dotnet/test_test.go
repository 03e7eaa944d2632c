package dotnet

import (
	"slices"
	"strings"
	"testing"
)

// What the spec says of tests reaches the runner unchanged.
func TestTestArgs(t *testing.T) {
	test := &App{Path: "tests/my unit/unit.csproj", Coverage: true, CrossTargeting: true, TargetFramework: "net10.0"}
	at := Paths{Source: "/source", Output: "/app", MSBuild: "/crosshull", Diagnostics: "/diagnostics"}
	run := TestRun{Filter: `A="x,y"|B=50%|C=@(d)`, Settings: "a%20b.runsettings", Args: []string{"--blame", "--", "A.B=%"}}
	for _, tc := range []struct {
		name         string
		platform     bool
		want, absent []string
	}{
		{"VSTest", false, []string{
			"dotnet", "test", "/source/tests/my unit/unit.csproj", "--no-restore", "-nologo", "--logger",
			"trx;LogFileName=unit.trx", "--results-directory", "/app/unit", "--collect", "XPlat Code Coverage", "-f", "net10.0",
			"-nodeReuse:false", "--filter", `A=%22x,y%22|B=50%25|C=%40(d)`, "--settings", "/source/a%2520b.runsettings",
			"--blame", "--", "A.B=%",
		}, []string{"--project"}},
		{"Microsoft.Testing.Platform", true, []string{
			"dotnet", "test", "--project", "/source/tests/my unit/unit.csproj", "--no-restore", "--results-directory",
			"/app/unit", "-f", "net10.0", "--filter", `A="x,y"|B=50%|C=@(d)`, "--settings", "/source/a%20b.runsettings",
			"--blame", "--", "A.B=%",
		}, []string{"-nologo", "--logger", "--collect", "-nodeReuse:false"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run.Platform = tc.platform
			got := TestArgs(Project{Configuration: "Release"}, test, run, at)
			kept := slices.DeleteFunc(slices.Clone(got), func(arg string) bool {
				return strings.HasPrefix(arg, "-p:") || strings.HasPrefix(arg, "-fileLogger")
			})
			if !slices.Equal(kept, tc.want) {
				t.Errorf("got  %q\nwant %q", kept, tc.want)
			}
			if logs := len(got) > len(slices.DeleteFunc(slices.Clone(got), func(arg string) bool {
				return strings.HasPrefix(arg, "-fileLogger")
			})); logs == tc.platform {
				t.Errorf("logs of MSBuild: %v", logs)
			}
			for _, arg := range tc.absent {
				if slices.Contains(got, arg) {
					t.Errorf("has %s", arg)
				}
			}
		})
	}
}

func TestTestingPlatform(t *testing.T) {
	const platform = `{"test": {"runner": "Microsoft.Testing.Platform"}}`
	for _, tc := range []struct {
		file, sdk string
		want      bool
	}{
		{platform, "10.0.401", true},
		{platform, "", true},
		{platform, "9.0.300", false},
		{`{/* x */ "sdk": {}, "test": {"runner": "microsoft.testing.platform"}}`, "10.0.100", true},
		{`{"Test": {"runner": "Microsoft.Testing.Platform"}}`, "10.0.401", false},
		{`{"test": {"runner": 1}}`, "10.0.401", false},
		{`{"test": {"runner": "VSTest"}}`, "10.0.401", false},
		{`{"test": "Microsoft.Testing.Platform"}`, "10.0.401", false},
		{`{"sdk": {"version": "10.0.100"}}`, "10.0.401", false},
		{`{`, "10.0.401", false},
		{"", "10.0.401", false},
	} {
		var file []byte
		if tc.file != "" {
			file = []byte(tc.file)
		}
		if got := TestingPlatform(file, tc.sdk); got != tc.want {
			t.Errorf("%s, SDK %s: %v", tc.file, tc.sdk, got)
		}
	}
}
