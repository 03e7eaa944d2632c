package clock

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// A clock jumps in a process that runs, in both directions, and what the process measures stays right.
func TestClockJumps(t *testing.T) {
	p, err := Compile(t.Context(), t.TempDir(), func(ctx context.Context, out string, flags ...string) error {
		args := append([]string{"build", "-o", out}, flags...)
		message, err := exec.CommandContext(ctx, "go", append(args, "testdata/now.go")...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("go build: %w\n%s", err, message)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), p.Path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe() // println writes there
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(stderr)
	for _, by := range []time.Duration{0, 400 * 24 * time.Hour, -400 * 24 * time.Hour, 0} {
		if err := p.Jump(by); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
		var now, took int64
		if !answers.Scan() {
			t.Fatalf("no answer: %v", answers.Err())
		}
		if _, err := fmt.Sscan(answers.Text(), &now, &took); err != nil {
			t.Fatalf("%q: %v", answers.Text(), err)
		}
		ahead := time.Until(time.Unix(now, 0))
		if ahead < by-time.Minute || ahead > by+time.Minute {
			t.Errorf("the clock is ahead by %s, want %s", ahead, by)
		}
		if took != 0 {
			t.Errorf("a moment took %s", time.Duration(took))
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
