// Command lab sets up and ends the lab: what the demo, the tests and the benchmarks run in. Package lab says what that
// is and which environment variables change it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/crosshull/crosshull/hack/lab"
)

const usage = `usage: lab COMMAND

  up      set up and start everything; quick if it runs
  down    stop it; what was built and pushed stays
  status  list all services with address and log; exit code 1 if one does not run
  env     print shell commands that make docker buildx use the lab: eval "$(lab env)"
  help    print this

environment:
  CROSSHULL_LAB           folder of the lab's state (default ~/.cache/crosshull/lab)
  CROSSHULL_DOTNET        .NET SDK: archive, SDK folder, or folder with sdk/ and feed/
  CROSSHULL_LAB_IMAGES    real or local .NET images (default: real if mcr.microsoft.com answers)
  CROSSHULL_LAB_REGISTRY  address of the registry (default 127.0.0.1:5000)
  CROSSHULL_LAB_FEED      address of the NuGet feed (default 127.0.0.1:5080)
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit code: 0, 1 for a failure, 2 for wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, *lab.Lab, io.Writer, io.Writer) error{
		"up":     up,
		"down":   func(ctx context.Context, l *lab.Lab, _, _ io.Writer) error { return l.Down(ctx) },
		"status": status,
		"env":    env,
	}
	if len(args) == 1 && (args[0] == "help" || args[0] == "-h" || args[0] == "--help") {
		_, _ = io.WriteString(stdout, usage)
		return 0
	}
	if len(args) != 1 || commands[args[0]] == nil {
		_, _ = io.WriteString(stderr, usage)
		return 2
	}
	l, err := lab.New()
	if err == nil {
		err = commands[args[0]](ctx, l, stdout, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "lab: %v\n", err)
		return 1
	}
	return 0
}

func up(ctx context.Context, l *lab.Lab, _, stderr io.Writer) error {
	return l.Up(ctx, stderr)
}

func status(ctx context.Context, l *lab.Lab, stdout, _ io.Writer) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	var bad []string
	for _, s := range l.Status(ctx) {
		state := fmt.Sprintf("running, pid %d", s.PID)
		if s.Err != nil {
			bad = append(bad, s.Name+": "+s.Err.Error())
			if state = "not running"; s.PID != 0 {
				state = fmt.Sprintf("not ready, pid %d", s.PID)
			}
		}
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Name, state, s.Address, s.Log); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(bad) > 0 {
		return fmt.Errorf("%s", strings.Join(bad, "; "))
	}
	return nil
}

func env(_ context.Context, l *lab.Lab, stdout, _ io.Writer) error {
	for _, line := range l.Env() {
		key, value, _ := strings.Cut(line, "=")
		if _, err := fmt.Fprintf(stdout, "export %s=%s\n", key, quote(value)); err != nil {
			return err
		}
	}
	return nil
}

// quote makes a word of the shell out of any string.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
