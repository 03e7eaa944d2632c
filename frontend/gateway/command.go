package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	gateway "github.com/moby/buildkit/frontend/gateway/pb"
)

// maxCommandLines is how many lines of its output the error of a command has. The log of the step has all.
const maxCommandLines = 12

// failedCommand is the error of a command of the user.
type failedCommand struct{ error }

func (e *failedCommand) Unwrap() error { return e.error }

// OfCommand tells whether err is that of a command of the user, and not of a step of crosshull.
func OfCommand(err error) bool {
	var failed *failedCommand
	return errors.As(err, &failed)
}

// diagnoseCommand adds the last lines that a command of the user printed to the error of its step. It returns other
// errors as they are.
func (c *Client) diagnoseCommand(ctx context.Context, err error, at Step) error {
	dt, step := c.ReadFailed(ctx, err, at.Diagnostics, at.Log)
	if step == "" {
		return err
	}
	text := step + " failed"
	var exit *gateway.ExitError
	if errors.As(err, &exit) {
		text = fmt.Sprintf("%s ended with exit code %d", step, exit.ExitCode)
	}
	lines := strings.Split(strings.TrimRight(strings.ToValidUTF8(string(dt), "?"), "\n\r\t "), "\n")
	if more := len(lines) - maxCommandLines; more > 0 {
		lines = append([]string{"…"}, lines[more:]...)
	}
	for _, line := range lines {
		if line = strings.TrimRight(line, "\r"); line != "" {
			text += "\n" + line
		}
	}
	return &worded{text: text, err: &failedCommand{err}}
}
