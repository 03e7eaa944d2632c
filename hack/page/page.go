// Package page writes what a program found out into a page of the documentation, between the lines that are there for
// it.
//
//	<!-- bench:begin -->
//	<!-- bench:end -->
package page

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write replaces what is between the lines of name in a file. What stands around those is left as it is; a file that is
// not there has nothing but them.
func Write(file, name, text string) error {
	begin, end := lines(name)
	dt, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		dt, err = []byte(begin+end), os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err != nil {
		return err
	}
	page, err := insert(string(dt), begin, end, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(page), 0o644)
}

// Check returns an error if a file does not have the lines of name.
func Check(file, name string) error {
	dt, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := lines(name)
	if _, err := insert(string(dt), begin, end, ""); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func lines(name string) (begin, end string) {
	return "<!-- " + name + ":begin -->\n", "<!-- " + name + ":end -->\n"
}

func insert(page, begin, end, text string) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	if !ok {
		return "", fmt.Errorf("no line %q", strings.TrimSpace(begin))
	}
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		return "", fmt.Errorf("no line %q", strings.TrimSpace(end))
	}
	return before + begin + text + end + after, nil
}
