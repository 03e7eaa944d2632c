package gateway

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// worded is an error in words for the user, over the chain that debuggers, the history of builds and other clients read.
type worded struct {
	text string
	err  error
}

func (e *worded) Error() string { return e.text }
func (e *worded) Unwrap() error { return e.err }

// GRPCStatus makes the text the message that reaches the user: without it grpcerrors.ToGRPC sends the one of the status
// that is deepest in the chain (util/grpcerrors, errorHasMoreContext).
func (e *worded) GRPCStatus() *status.Status {
	code := grpcerrors.Code(e.err)
	if code == codes.OK {
		code = codes.Unknown
	}
	return status.New(code, e.text)
}

// Reword gives err a text for the user, and keeps its chain.
func Reword(err error, text string) error { return &worded{text, err} }

// Return prepares the error of a build for its way to the user, who sees the text that it has here.
func Return(err error) error {
	if err == nil {
		return nil
	}
	return Reword(err, err.Error())
}

// Recover turns a panic into an error. A panic would reach the user as "frontend grpc server closed unexpectedly".
func Recover(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("crosshull panicked, which is a bug to report: %v\n%s", r, debug.Stack())
	}
}

// maxDiagnostics is how many errors are shown: the log of the step, which buildx shows too, has all of them.
const maxDiagnostics = 5

// Step is where a step leaves files for the case that it fails: in a mount that is no output.
type Step struct {
	Source      string // the folder of the build context
	Diagnostics string // the folder of dotnet.DiagnosticsFile
	Output      string // the folder of what it was to leave, as far as it came
}

// Diagnose makes the error of a step that failed say what MSBuild, NuGet or the compiler said, with paths that are the
// user's. An error of another kind comes back as it is.
func (c *Client) Diagnose(ctx context.Context, err error, at Step) error {
	if err == nil {
		return nil
	}
	dt, step := c.readFailed(ctx, err, at.Diagnostics, dotnet.DiagnosticsFile)
	diagnostics := dotnet.ParseDiagnostics(dt, at.Source)
	if len(diagnostics) == 0 {
		return err
	}
	return Reword(err, report(step, diagnostics))
}

// DiagnoseTest is Diagnose for a step that runs tests: of those that fail it names the tests. results is the file that
// tells of them.
func (c *Client) DiagnoseTest(ctx context.Context, err error, at Step, results string) error {
	explained := c.Diagnose(ctx, err, at)
	if err == nil || explained != err { //nolint:errorlint // it is the very error, or another one
		return explained
	}
	dt, step := c.readFailed(ctx, err, at.Output, results)
	parsed, parseErr := dotnet.ParseResults(dt)
	if parseErr != nil || parsed.Failed == 0 {
		return err
	}
	return Reword(err, failures(step, parsed))
}

// readFailed reads a file of a mount as the step left it whose error err is, and gives the name of the step; nothing where
// that cannot be had. The gateway gives such a mount to containers alone; this one runs nothing.
func (c *Client) readFailed(ctx context.Context, err error, dir, name string) (dt []byte, step string) {
	var failed *errdefs.SolveError
	if !errors.As(err, &failed) || failed.Op.GetExec() == nil {
		return nil, ""
	}
	i := slices.IndexFunc(failed.Op.GetExec().Mounts, func(m *pb.Mount) bool { return m.Dest == dir })
	if i < 0 || i >= len(failed.MountIDs) || failed.MountIDs[i] == "" {
		return nil, ""
	}
	ctr, err := c.gw.NewContainer(ctx, client.NewContainerRequest{
		Mounts: []client.Mount{{Dest: "/", ResultID: failed.MountIDs[i], MountType: pb.MountType_BIND, Readonly: true}},
	})
	if err != nil {
		return nil, ""
	}
	defer ctr.Release(ctx) //nolint:errcheck // nothing is to be done about it, and BuildKit releases it with the build
	dt, err = ctr.ReadFile(ctx, client.ReadContainerRequest{ReadRequest: client.ReadRequest{Filename: path.Join("/", name)}})
	if err != nil {
		return nil, ""
	}
	return dt, failed.Description["llb.customname"]
}

// failures is the text of an error about tests.
func failures(step string, results *dotnet.Results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d tests failed in %s", results.Failed, results.Total, step)
	shown := results.Failures[:min(len(results.Failures), maxDiagnostics)]
	for _, f := range shown {
		fmt.Fprintf(&b, "\n%s: %s", f.Name, f.Message)
	}
	if n := len(results.Failures) - len(shown); n > 0 {
		fmt.Fprintf(&b, "\nand %d more in the log of the step", n)
	}
	return b.String()
}

// report is the text of an error: the first of diagnostics, what is known of them, and how many there are.
func report(step string, diagnostics []dotnet.Diagnostic) string {
	var b strings.Builder
	shown := diagnostics[:min(len(diagnostics), maxDiagnostics)]
	count := "1 error"
	if n := len(diagnostics); n > 1 {
		count = fmt.Sprintf("%d errors", n)
	}
	fmt.Fprintf(&b, "%s in %s", count, step)
	explained := map[string]bool{}
	for _, d := range shown {
		fmt.Fprintf(&b, "\n%s", d)
		if explained[d.Code] {
			continue
		}
		explained[d.Code] = true
		if page := d.HelpPage(); page != "" {
			fmt.Fprintf(&b, "\n    see %s", page)
		}
		if hint := d.Hint(); hint != "" {
			fmt.Fprintf(&b, "\n    hint: %s", hint)
		}
	}
	if n := len(diagnostics) - len(shown); n > 0 {
		fmt.Fprintf(&b, "\nand %d more in the log of the step", n)
	}
	return b.String()
}
