package faults

import (
	"fmt"
	"io"
)

// Table counts what came of trials, by fault. The zero value is empty.
type Table struct {
	rows []row
}

type row struct {
	fault                 string
	builds, passed, wrong int
}

// Add counts one. err is what [Trial.Run] gave.
func (t *Table) Add(trial Trial, result Result, err error) {
	r := t.of(trial.Where + " " + trial.How)
	r.builds++
	switch {
	case err != nil:
		r.wrong++
	case result.Passed:
		r.passed++
	}
}

func (t *Table) of(fault string) *row {
	for i := range t.rows {
		if t.rows[i].fault == fault {
			return &t.rows[i]
		}
	}
	t.rows = append(t.rows, row{fault: fault})
	return &t.rows[len(t.rows)-1]
}

// Builds is the number of all trials.
func (t *Table) Builds() int { return t.sum(func(r row) int { return r.builds }) }

// Wrong is the number of trials that showed something wrong.
func (t *Table) Wrong() int { return t.sum(func(r row) int { return r.wrong }) }

func (t *Table) sum(of func(row) int) int {
	n := 0
	for _, r := range t.rows {
		n += of(r)
	}
	return n
}

// Write prints it as Markdown.
func (t *Table) Write(w io.Writer) error {
	all := row{fault: "all", builds: t.Builds(), wrong: t.Wrong(), passed: t.sum(func(r row) int { return r.passed })}
	text := "| what fails, and how | builds | passed all the same | failed with an error | left something wrong |\n" +
		"|---|--:|--:|--:|--:|\n"
	for _, r := range append(t.rows, all) {
		text += fmt.Sprintf("| %s | %d | %d | %d | %d |\n", r.fault, r.builds, r.passed, r.builds-r.passed-r.wrong, r.wrong)
	}
	_, err := io.WriteString(w, text)
	return err
}
