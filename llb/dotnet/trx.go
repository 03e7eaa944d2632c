package dotnet

import (
	"encoding/xml"
	"fmt"
	"path"
	"strings"
)

// Results are the results of a test run in a TRX file.
type Results struct {
	Total, Passed, Failed, Skipped int
	// Failures are the tests that failed, with the beginning of their messages, in one line.
	Failures []Failure
}

// Failure is a test that failed.
type Failure struct{ Name, Message string }

// ResultsFolders are folders for the results of tests, relative to the place where the results of all tests come
// together. For most projects it is ".", because the command of [TestArgs] leaves its output in a folder with the
// project's name. Projects that share a name get the path of their folder, or of the project file if they share the
// folder too. Names that differ only in case count as equal, because some file systems ignore case.
func ResultsFolders(tests []*App) []string {
	name := func(test *App) string { return strings.ToLower(testName(test)) }
	place := func(test *App) string { return path.Dir(test.Path) + "/" + name(test) }
	names, places := map[string]map[string]bool{}, map[string]map[string]bool{}
	add := func(to map[string]map[string]bool, key string, test *App) {
		if to[key] == nil {
			to[key] = map[string]bool{}
		}
		to[key][test.Path] = true
	}
	for _, test := range tests {
		add(names, name(test), test)
		add(places, place(test), test)
	}
	folders := make([]string, len(tests))
	for i, test := range tests {
		switch {
		case len(names[name(test)]) == 1:
			folders[i] = "."
		case len(places[place(test)]) == 1:
			folders[i] = path.Dir(test.Path)
		default:
			folders[i] = test.Path
		}
	}
	return folders
}

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
			r.Failures = append(r.Failures, Failure{t.TestName, oneLine(t.Message)})
		}
	}
	return r, nil
}

// oneLine is the beginning of a message in one line. Assertions say in the first line what they are, and in the next
// ones what they expected and what there was.
func oneLine(message string) string {
	const most = 5
	var lines []string
	for line := range strings.Lines(message) {
		if line = strings.TrimSpace(line); line != "" && len(lines) < most {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
