package dotnet

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
)

// FuzzAnswers reads what steps leave, which may be anything: a project can write there too. Whatever it is, reading it
// twice gives the same, does not change it, and does not panic.
func FuzzAnswers(f *testing.F) {
	decoders := []func([]byte) any{
		func(dt []byte) any { r, err := ParseReport(dt); return []any{r, fmt.Sprint(err)} },
		func(dt []byte) any { r, err := ParseResults(dt); return []any{r, fmt.Sprint(err)} },
		func(dt []byte) any { r, err := ParseRuntimeConfig(dt); return []any{r, fmt.Sprint(err)} },
		func(dt []byte) any { r, err := ParseAssets(dt); return []any{r, fmt.Sprint(err)} },
		func(dt []byte) any { return ParseDiagnostics(dt, "/source") },
		func(dt []byte) any { a, b := FeedsOf(Files{"nuget.config": dt}); return []any{a, b} },
		func(dt []byte) any { return SDKFor(Files{"a.csproj": dt}, "a.csproj") },
	}
	for _, seed := range []string{
		"app\npackages\nruntimes/linux-x64\nasset wwwroot/a.css abc= Always\nnative sqlite/1.0/runtimes/linux-x64/a.so\n",
		`<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results><UnitTestResult testName="a" ` +
			`outcome="Failed"><Output><ErrorInfo><Message>m</Message><StackTrace>s</StackTrace></ErrorInfo></Output>` +
			`</UnitTestResult></Results><ResultSummary><Counters total="1" failed="1" /></ResultSummary></TestRun>`,
		`{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "10.0.0"}}}`,
		`{"version": 3, "targets": {"net10.0/linux-x64": {"A/1.0.0": {"type": "package", ` +
			`"dependencies": {"B": "[1.0.0, )"}}}}, "libraries": {"A/1.0.0": {"type": "package", "sha512": "x", ` +
			`"path": "a/1.0.0"}}}`,
		"/source/a/Program.cs(1,2): error CS1002: ; expected [/source/a/a.csproj]\n",
		`<configuration><packageSources><clear /><add key="a" value="https://a/v3/index.json" /></packageSources>` +
			`</configuration>`,
		"<TargetFrameworks>net8.0;net11.0</TargetFrameworks><!-- x -->",
	} {
		for which := range decoders {
			f.Add(uint8(which), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, dt []byte) {
		decode, before := decoders[int(which)%len(decoders)], bytes.Clone(dt)
		first := decode(dt)
		if !bytes.Equal(before, dt) {
			t.Error("the input was changed")
		}
		if second := decode(dt); !reflect.DeepEqual(first, second) {
			t.Errorf("at first %v, and then %v", first, second)
		}
	})
}
