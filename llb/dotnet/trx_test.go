package dotnet

import (
	"reflect"
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
	want := &Results{Total: 3, Passed: 1, Failed: 1, Skipped: 1, Failures: []Failure{{"Words.Fail(n: 1)", "Assert.Equal() Failure: Values differ"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := ParseResults([]byte("<TestRun>")); err == nil {
		t.Error("no error for half a file")
	}
}
