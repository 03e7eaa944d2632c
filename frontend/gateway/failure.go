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
	return Reword(err, report(step, diagnostics, maxDiagnostics, "in the log of the step"))
}

// FailedStep is the error of a step that is no failed one for BuildKit, but left diagnostics, as Diagnose has it. What
// it logged is not shown if it was cached, so there are more of them.
func (c *Client) FailedStep(ctx context.Context, st llb.State, diagnostics []dotnet.Diagnostic) error {
	def, err := c.Marshal(ctx, st)
	if err != nil {
		return err
	}
	head, err := def.Head()
	if err != nil {
		return err
	}
	step := def.Metadata[head].Description["llb.customname"]
	text := step + " failed, and said no error: --no-cache shows its log"
	if len(diagnostics) > 0 {
		text = report(step, diagnostics, 4*maxDiagnostics, "in its log, which --no-cache shows")
	}
	return errdefs.WrapVertex(errors.New(text), head) // which the history of builds shows the log of
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

// failedExec is the step that an error is about, nil where it is about none.
func failedExec(err error) *errdefs.SolveError {
	var failed *errdefs.SolveError
	if !errors.As(err, &failed) || failed.Op.GetExec() == nil {
		return nil
	}
	return failed
}

// readFailed reads a file of a mount as the step left it whose error err is, and gives the name of the step; nothing
// where that cannot be had. The gateway gives such a mount to containers alone; this one runs nothing.
func (c *Client) readFailed(ctx context.Context, err error, dir, name string) (dt []byte, step string) {
	failed := failedExec(err)
	if failed == nil {
		return nil, ""
	}
	i := slices.IndexFunc(failed.Op.GetExec().Mounts, func(m *pb.Mount) bool { return m.Dest == dir })
	if i < 0 || i >= len(failed.MountIDs) || failed.MountIDs[i] == "" {
		return nil, ""
	}
	// The work may have been given up because of this very error.
	ctx = context.WithoutCancel(ctx)
	ctr, err := c.gw.NewContainer(ctx, client.NewContainerRequest{
		Mounts: []client.Mount{{Dest: "/", ResultID: failed.MountIDs[i], MountType: pb.MountType_BIND, Readonly: true}},
	})
	if err != nil {
		return nil, ""
	}
	defer ctr.Release(ctx) //nolint:errcheck // nothing is to be done about it, and BuildKit releases it with the build
	dt, err = ctr.ReadFile(
		ctx,
		client.ReadContainerRequest{ReadRequest: client.ReadRequest{Filename: path.Join("/", name)}},
	)
	if err != nil {
		return nil, ""
	}
	return dt, failed.Description["llb.customname"]
}

// The texts below end with the first error: some clients show the last line of a message and nothing else, and the
// first error is often the cause of the others, which are in the order that they came in.

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

// report is the text of an error: how many diagnostics there are, what is known of most of them, and those. where is
// where the rest of them is.
func report(step string, diagnostics []dotnet.Diagnostic, most int, where string) string {
	var b strings.Builder
	count := "1 error"
	if n := len(diagnostics); n > 1 {
		count = fmt.Sprintf("%d errors", n)
	}
	fmt.Fprintf(&b, "%s in %s", count, step)
	// One without a code tells how a tool came to the next that has one.
	first := max(0, slices.IndexFunc(diagnostics, func(d dotnet.Diagnostic) bool { return d.Code != "" }))
	others := slices.Concat(diagnostics[:first], diagnostics[first+1:])
	shown := append(others[:min(len(others), most-1):len(others)], diagnostics[first])
	explained := map[string]bool{}
	for _, d := range shown {
		if explained[d.Code] {
			continue
		}
		explained[d.Code] = true
		if page := d.HelpPage(); page != "" {
			fmt.Fprintf(&b, "\n    %s: see %s", d.Code, page)
		}
		if hint := d.Hint(); hint != "" {
			fmt.Fprintf(&b, "\n    %s: hint: %s", d.Code, hint)
		}
	}
	andMore(&b, len(diagnostics)-len(shown), where)
	for _, d := range shown {
		fmt.Fprintf(&b, "\n%s", d)
	}
	return b.String()
}

func andMore(b *strings.Builder, n int, where string) {
	if n > 0 {
		fmt.Fprintf(b, "\nand %d more %s", n, where)
	}
}
