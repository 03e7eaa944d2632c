package dockerfile

import (
	"bytes"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/crosshull/crosshull/frontend/spec"
)

// The shell reads each line of the spec as it is, and no line becomes another instruction, a flag or a list.
func TestLines(t *testing.T) {
	for _, line := range []string{
		"npm ci", `echo "$A" 'b' ${C}`, `["sh", "-c", "x"]`, "--network=host true", "cat <<EOF\nx\nEOF", "a \\", "a \\\nb",
		"# syntax=x\ntrue", "x\nFROM y", "EOF\nFROM y", `a\b`, "\techo x", "é", "true\n\nfalse", "a &&\n  b", "x # y",
		"FROM a", ". ./x", "(a; b)", "{ a; }", "!", "a `b`", "EOF", "cat <<<x",
		"#!/bin/bash\nx",
	} {
		t.Run(line, func(t *testing.T) {
			h := newHand()
			h.spec.Publish.Before = []spec.Command{{Run: line}}
			text := h.write(t)
			parsed, err := parser.Parse(bytes.NewReader([]byte(text)))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			stages, _, err := instructions.Parse(parsed.AST, nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			commands := stages[0].Commands
			run, ok := commands[len(commands)-1].(*instructions.RunCommand)
			if !ok || len(commands) != 3 || len(run.FlagsUsed) > 0 || !run.PrependShell {
				t.Fatalf("got\n%s", text)
			}
			if err := run.Expand(func(word string) (string, error) { return word, nil }); err != nil {
				t.Fatal(err)
			}
			got := run.CmdLine[0]
			if len(run.Files) > 0 {
				got = run.Files[0].Data
			}
			if strings.HasPrefix(got, "#!") { // dockerfile2llb.dispatchRun
				t.Error("another program than the shell reads it")
			}
			if strings.Trim(got, "\n") != line {
				t.Errorf("the shell reads %q, want %q", got, line)
			}
		})
	}
}
