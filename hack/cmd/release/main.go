// Command release gives the workflow of a release what it needs to know about a version: the names of its image and its
// notes. A version is a tag of git such as v1.2.3, or v1.3.0-labs.1 for what may still change.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const usage = `usage: release tags VERSION IMAGE < TAGS
       release notes VERSION < CHANGELOG

  tags    the references that IMAGE gets, a line for each, the one that never changes first; TAGS are the tags of git
  notes   what CHANGELOG says about the version
`

var errUsage = errors.New("wrong usage")

func main() {
	err := run(os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) < 2 {
		return errUsage
	}
	v, err := parse(args[1])
	if err != nil {
		return err
	}
	dt, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	switch {
	case args[0] == "tags" && len(args) == 3:
		for _, tag := range v.tags(strings.Fields(string(dt))) {
			if _, err := fmt.Fprintf(out, "%s:%s\n", args[2], tag); err != nil {
				return err
			}
		}
		return nil
	case args[0] == "notes" && len(args) == 2:
		text, err := v.notes(string(dt))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, text)
		return err
	default:
		return errUsage
	}
}
