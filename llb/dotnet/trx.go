package dotnet

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Results are what a TRX file says of a run of tests.
type Results struct {
	Total, Passed, Failed, Skipped int
	// Failures are the tests that failed, with the first line of what they say.
	Failures []Failure
}

// Failure is a test that failed.
type Failure struct{ Name, Message string }

// ParseResults reads a TRX file (schema VisualStudio/TeamTest/2010).
func ParseResults(dt []byte) (*Results, error) {
	var run struct {
		Results struct {
			UnitTestResult []struct {
				TestName string `xml:"testName,attr"`
				Outcome  string `xml:"outcome,attr"`
				Message  string `xml:"Output>ErrorInfo>Message"`
			}
		}
		Counters struct {
			Total    int `xml:"total,attr"`
			Executed int `xml:"executed,attr"`
			Passed   int `xml:"passed,attr"`
			Failed   int `xml:"failed,attr"`
		} `xml:"ResultSummary>Counters"`
	}
	if err := xml.Unmarshal(dt, &run); err != nil {
		return nil, fmt.Errorf("read results of tests: %w", err)
	}
	c := run.Counters
	r := &Results{Total: c.Total, Passed: c.Passed, Failed: c.Failed, Skipped: c.Total - c.Executed}
	for _, t := range run.Results.UnitTestResult {
		if t.Outcome == "Failed" {
			message, _, _ := strings.Cut(strings.TrimSpace(t.Message), "\n")
			r.Failures = append(r.Failures, Failure{t.TestName, strings.TrimSpace(message)})
		}
	}
	return r, nil
}
