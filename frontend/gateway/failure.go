package gateway

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// maxDiagnostics is how many errors a message has. The log of the step, which buildx also shows, has all of them.
const maxDiagnostics = 5

// Step says where a step that fails leaves files, in mounts that are not its output.
type Step struct {
	Source      string // the folder of the build context
	Diagnostics string // the folder of dotnet.DiagnosticsFile
	Output      string // the folder of its output, as far as the step got
	Log         string // the file in Diagnostics with the last lines of a command of the user
	// Files are the contents of the context that are known: an error in one of them shows its lines.
	Files dotnet.Files
}

// Diagnose gives the error of a failed step the text of MSBuild, NuGet or the compiler, with the user's paths. It
// returns other errors as they are.
func (c *Client) Diagnose(ctx context.Context, err error, at Step) error {
	if err == nil {
		return nil
	}
	dt, step := c.ReadFailed(ctx, err, at.Diagnostics, dotnet.DiagnosticsFile)
	diagnostics := dotnet.ParseDiagnostics(dt, at.Source)
	if len(diagnostics) == 0 {
		return c.diagnoseCommand(ctx, err, at)
	}
	text := report(step, diagnostics, maxDiagnostics, "in the log of the step")
	return At(&worded{text: text, err: err, diagnostics: diagnostics}, diagnostics[first(diagnostics)], at.Files)
}

// Lacks tells whether a step may have failed because a file of the context was not there. It gives the errors that the
// step wrote down.
func Lacks(err error) (diagnostics []dotnet.Diagnostic, lacks bool) {
	var apart *withoutSources
	if failedExec(err) == nil || IsCanceled(err) || OfCommand(err) || errors.As(err, &apart) {
		return nil, false
	}
	var w *worded
	if !errors.As(err, &w) || len(w.diagnostics) == 0 {
		return nil, true
	}
	return w.diagnostics, slices.ContainsFunc(w.diagnostics, dotnet.Diagnostic.MayLack)
}

// Cause says in a line why a step failed: the diagnostic or the failed test that its text ends with, else what BuildKit
// knows of the end of its process, such as the exit code.
func Cause(err error, diagnostics []dotnet.Diagnostic) string {
	why := err.Error()
	if len(diagnostics) > 0 {
		why = diagnostics[first(diagnostics)].String()
	} else if i := strings.LastIndexByte(why, '\n'); i >= 0 { // the last line is the first error: see below
		why = why[i+1:]
	} else if _, ended, ok := strings.Cut(why, "did not complete successfully: "); ok { // before it comes the command
		why = ended
	}
	if failed := failedExec(err); failed != nil {
		why = failed.Description["llb.customname"] + ": " + why
	}
	return why
}

// withoutSources is the error of a step that reads no sources.
type withoutSources struct{ error }

func (e *withoutSources) Unwrap() error { return e.error }

// WithoutSources marks the error of a step that reads no sources, such as one that installs OS packages: see [Lacks].
func WithoutSources(err error) error { return &withoutSources{err} }

// FailedStep makes the error of a step that left diagnostics, but succeeded for BuildKit. Its text is like that of
// Diagnose. It shows more diagnostics, because buildx does not show the log of a cached step. files are those of
// [Step].
func (c *Client) FailedStep(
	ctx context.Context, st llb.State, diagnostics []dotnet.Diagnostic, files dotnet.Files,
) error {
	def, err := c.Marshal(ctx, st)
	if err != nil {
		return err
	}
	head, err := def.Head()
	if err != nil {
		return err
	}
	step := def.Metadata[head].Description["llb.customname"]
	text := step + " failed without an error message: build with --no-cache to see its log"
	if len(diagnostics) > 0 {
		text = report(step, diagnostics, 4*maxDiagnostics, "in its log, which --no-cache shows")
	}
	err = errdefs.WrapVertex(errors.New(text), head) // the history of builds shows the log of this vertex
	if len(diagnostics) > 0 {
		err = At(err, diagnostics[first(diagnostics)], files)
	}
	return err
}

// DiagnoseTest is Diagnose for a step that runs tests. If tests failed, the error names them. results is the file with
// their results.
func (c *Client) DiagnoseTest(ctx context.Context, err error, at Step, results string) error {
	explained := c.Diagnose(ctx, err, at)
	if err == nil || explained != err { //nolint:errorlint // Diagnose returns the same error, or a new one
		return explained
	}
	dt, step := c.ReadFailed(ctx, err, at.Output, results)
	parsed, parseErr := dotnet.ParseResults(dt)
	if parseErr != nil || parsed.Failed == 0 {
		return err
	}
	return Reword(err, failures(step, parsed))
}

// OfStep tells whether err is about a step that failed.
func OfStep(err error) bool { return failedExec(err) != nil }

// failedExec gives the step that failed with err; nil if err is not about a step.
func failedExec(err error) *errdefs.SolveError {
	var failed *errdefs.SolveError
	if !errors.As(err, &failed) || failed.Op.GetExec() == nil {
		return nil
	}
	return failed
}

// ReadFailed reads a file that a failed step left in a mount, and gives the name of the step. Both are empty if
// BuildKit does not have them. Only a container can read such a mount, so this makes one, which runs nothing.
func (c *Client) ReadFailed(ctx context.Context, err error, dir, name string) (dt []byte, step string) {
	failed := failedExec(err)
	if failed == nil {
		return nil, ""
	}
	i := slices.IndexFunc(failed.Op.GetExec().Mounts, func(m *pb.Mount) bool { return m.Dest == dir })
	if i < 0 || i >= len(failed.MountIDs) || failed.MountIDs[i] == "" {
		return nil, ""
	}
	// ctx may have been canceled because of this error.
	ctx = context.WithoutCancel(ctx)
	ctr, err := c.gw.NewContainer(ctx, client.NewContainerRequest{
		Mounts: []client.Mount{{Dest: "/", ResultID: failed.MountIDs[i], MountType: pb.MountType_BIND, Readonly: true}},
	})
	if err != nil {
		return nil, ""
	}
	defer ctr.Release(ctx) //nolint:errcheck // BuildKit releases it with the build in any case
	dt, err = ctr.ReadFile(
		ctx,
		client.ReadContainerRequest{ReadRequest: client.ReadRequest{Filename: path.Join("/", name)}},
	)
	if err != nil {
		return nil, ""
	}
	return dt, failed.Description["llb.customname"]
}

// The texts below end with the first error, because some clients show only the last line of a message. The first error
// is often the cause of the others. The others keep their order.

// failures is the text of an error about tests.
func failures(step string, results *dotnet.Results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d tests failed in %s", results.Failed, results.Total, step)
	shown := results.Failures[:min(len(results.Failures), maxDiagnostics)]
	andMore(&b, len(results.Failures)-len(shown), "in the log of the step")
	for i := range shown {
		f := shown[(i+1)%len(shown)]
		fmt.Fprintf(&b, "\n%s: %s", f.Name, f.Message)
	}
	return b.String()
}

// report is the text of an error: the number of diagnostics, pages and hints for their codes, and the diagnostics
// themselves. most limits how many it lists, and where says where the user finds the others.
func report(step string, diagnostics []dotnet.Diagnostic, most int, where string) string {
	var b strings.Builder
	count := "1 error"
	if n := len(diagnostics); n > 1 {
		count = fmt.Sprintf("%d errors", n)
	}
	fmt.Fprintf(&b, "%s in %s", count, step)
	first := first(diagnostics)
	others := slices.Concat(diagnostics[:first], diagnostics[first+1:])
	shown := append(others[:min(len(others), most-1):len(others)], diagnostics[first])
	explained := map[string]bool{}
	explain := func(code, format, text string) {
		if line := fmt.Sprintf("\n    %s: "+format, code, text); text != "" && !explained[line] {
			explained[line] = true
			b.WriteString(line)
		}
	}
	for _, d := range shown {
		explain(d.Code, "see %s", d.HelpPage())
		explain(d.Code, "hint: %s", d.Hint())
	}
	andMore(&b, len(diagnostics)-len(shown), where)
	for _, d := range shown {
		fmt.Fprintf(&b, "\n%s", d)
	}
	return b.String()
}

// first is the index of the diagnostic that a text ends with. One without a code explains the next one with a code.
func first(diagnostics []dotnet.Diagnostic) int {
	return max(0, slices.IndexFunc(diagnostics, func(d dotnet.Diagnostic) bool { return d.Code != "" }))
}

func andMore(b *strings.Builder, n int, where string) {
	if n > 0 {
		fmt.Fprintf(b, "\nand %d more %s", n, where)
	}
}
