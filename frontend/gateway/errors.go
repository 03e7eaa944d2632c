package gateway

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/moby/buildkit/util/stack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosshull/crosshull/frontend/printable"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// worded is an error with a text for the user. It keeps the chain of the first error, which debuggers, the history of
// builds and other clients read.
type worded struct {
	text string
	err  error
	// diagnostics are what the step said, of which text shows a part.
	diagnostics []dotnet.Diagnostic
}

func (e *worded) Error() string { return e.text }
func (e *worded) Unwrap() error { return e.err }

// Is makes errors.Is find context.Canceled and context.DeadlineExceeded. Over gRPC only the code of such an error comes
// back.
func (e *worded) Is(target error) bool {
	switch grpcerrors.Code(e.err) {
	case codes.Canceled:
		return target == context.Canceled //nolint:errorlint // errors.Is asks link by link
	case codes.DeadlineExceeded:
		return target == context.DeadlineExceeded //nolint:errorlint // as above
	}
	return false
}

// GRPCStatus makes text the message that reaches the user. Without it, grpcerrors.ToGRPC sends the message of the
// deepest status in the chain (util/grpcerrors, errorHasMoreContext).
func (e *worded) GRPCStatus() *status.Status {
	code := grpcerrors.Code(e.err)
	if code == codes.OK {
		code = codes.Unknown
	}
	// Our side of the gateway has put the code before the message, and the client does so again (grpcerrors,
	// grpcStatusError).
	return status.New(code, strings.Replace(e.text, code.String()+": ", "", 1))
}

// Reword gives err another text for the user, and keeps its chain.
func Reword(err error, text string) error { return &worded{text: text, err: err} }

// Return prepares the error of a build for the user: gRPC passes on its text, and a terminal can print it.
func Return(err error) error {
	if err == nil {
		return nil
	}
	return Reword(err, shown(err.Error()))
}

// IsCanceled tells whether err comes from work that was canceled.
func IsCanceled(err error) bool {
	return errors.Is(err, context.Canceled) || err != nil && grpcerrors.Code(err) == codes.Canceled
}

// maxLine is how many columns of a line of a message are shown.
const maxLine = 4000

// shown is a message as a terminal can print it. A terminal would obey control characters. gRPC refuses a message that
// is not UTF-8, and the user would only see that refusal.
func shown(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable.Cut(line, "\t", maxLine)
	}
	return strings.Join(lines, "\n")
}

// Excerpt is a file as a terminal can print it. It has the same lines, because errors and warnings point at them.
func Excerpt(file []byte) []byte {
	text := strings.TrimPrefix(string(file), "\ufeff")
	return []byte(shown(strings.ReplaceAll(text, "\r\n", "\n")))
}

// module begins the names of crosshull's functions.
const module = "github.com/crosshull/crosshull/"

// Recover turns a panic into an error that names the place. A panic would reach the user as "frontend grpc server
// closed unexpectedly". Defer Recover itself, not a function that calls it.
func Recover(err *error) {
	if r := recover(); r != nil {
		bug := dotnet.Bug(fmt.Errorf("crosshull panicked: %v, at %s", r, panicked()))
		*err = stack.Enable(bug) // docker --debug shows the stack
	}
}

// panicked gives the place of the panic that is being recovered, and the line of crosshull that led to it.
func panicked() string {
	pcs := make([]uintptr, 100)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	place, found := "", true
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		at, ours := within(frame)
		switch {
		case frame.Function == "runtime.gopanic": // if there are several panics, the last frame is the first panic
			place, found = "", false
		case found || strings.HasPrefix(frame.Function, "runtime."):
		case place == "":
			place, found = at, ours
		case ours:
			place, found = place+", from "+at, true
		}
	}
	return place
}

// within gives the place of a frame, and whether it is in crosshull or in another module.
func within(frame runtime.Frame) (at string, ours bool) {
	dir, file := path.Split(frame.File)
	at = path.Join(path.Base(dir), file)
	if strings.HasPrefix(frame.Function, module) {
		for _, dir := range []string{"/frontend/", "/llb/", "/cmd/"} {
			if i := strings.LastIndex(frame.File, dir); i >= 0 {
				at, ours = frame.File[i+1:], true
				break
			}
		}
	}
	return fmt.Sprintf("%s:%d", at, frame.Line), ours
}
