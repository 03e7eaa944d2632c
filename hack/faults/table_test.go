package faults

import (
	"errors"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	t.Parallel()
	var table Table
	feed, disk := Trial{Where: "feed", How: "fails"}, Trial{Where: "disk", How: "is full"}
	table.Add(feed, Result{Passed: true}, nil)
	table.Add(feed, Result{}, nil)
	table.Add(disk, Result{}, errors.New("half an image"))
	table.Add(feed, Result{}, nil)
	var b strings.Builder
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	const want = `| what fails, and how | builds | passed all the same | failed with an error | left something wrong |
|---|--:|--:|--:|--:|
| feed fails | 3 | 1 | 2 | 0 |
| disk is full | 1 | 0 | 0 | 1 |
| all | 4 | 1 | 2 | 1 |
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}
