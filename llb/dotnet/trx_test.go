package dotnet

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseResults(t *testing.T) {
	const trx = `<?xml version="1.0" encoding="utf-8"?>
<TestRun id="1" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
  <Results>
    <UnitTestResult testName="Words.Pass" outcome="Passed" />
    <UnitTestResult testName="Words.Fail(n: 1)" outcome="Failed"><Output><ErrorInfo><Message>
Assert.Equal() Failure: Values differ
Expected: 1</Message><StackTrace>at Words</StackTrace></ErrorInfo></Output></UnitTestResult>
    <UnitTestResult testName="Words.Skip" outcome="NotExecuted" />
  </Results>
  <ResultSummary outcome="Failed"><Counters total="3" executed="2" passed="1" failed="1" /></ResultSummary>
</TestRun>`
	got, err := ParseResults([]byte(trx))
	want := &Results{Total: 3, Passed: 1, Failed: 1, Skipped: 1,
		Failures: []Failure{{"Words.Fail(n: 1)", "Assert.Equal() Failure: Values differ; Expected: 1"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := ParseResults([]byte("<TestRun>")); err == nil {
		t.Error("no error for half a file")
	}
}

// Results stay where they are if the names of projects differ. Otherwise the paths of the projects separate them.
func TestResultsFolders(t *testing.T) {
	for _, tc := range []struct{ tests, want string }{
		{"", ""},
		{"T.csproj", "."},
		{"a/T/T.csproj b/U/U.csproj", ". ."},
		{"a/T/T.csproj b/T/T.csproj b/U.csproj", "a/T b/T ."},
		{"a/T/T.csproj b/T/t.csproj", "a/T b/T"},
		{"T.csproj a/T.csproj", ". a"},
		{"a/T.csproj a/T.fsproj b/T.csproj", "a/T.csproj a/T.fsproj b"},
		{"a/T.csproj A/T.csproj", "a A"},
		{"a/T.csproj a/T.csproj", ". ."}, // one, twice
	} {
		var tests []*App
		for _, p := range strings.Fields(tc.tests) {
			tests = append(tests, &App{Path: p})
		}
		if got := strings.Join(ResultsFolders(tests), " "); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.tests, got, tc.want)
		}
	}
}
