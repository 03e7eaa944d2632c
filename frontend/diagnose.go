package frontend

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// maxDiagnostics is how many errors are shown: the log of the step, which buildx shows too, has all of them.
const maxDiagnostics = 5

// diagnose makes the error of a step that failed say what MSBuild, NuGet or the compiler said, with paths that are the
// user's. The places in the spec stay with it.
func (e *entrypoint) diagnose(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if explained := e.missingSecret(err); explained != nil {
		return explained
	}
	dt, step := e.readFailed(ctx, err, xllb.DiagnosticsDir, dotnet.DiagnosticsFile)
	diagnostics := dotnet.ParseDiagnostics(dt, xllb.SourceDir)
	if len(diagnostics) == 0 {
		return err
	}
	return withSources(report(step, diagnostics), err)
}

// diagnoseTest is diagnose for a step that runs tests: of those that fail it names the tests.
func (e *entrypoint) diagnoseTest(ctx context.Context, err error, test *dotnet.App) error {
	explained := e.diagnose(ctx, err)
	if err == nil || explained != err { //nolint:errorlint // it is the very error, or another one
		return explained
	}
	dt, step := e.readFailed(ctx, err, xllb.OutputDir, dotnet.TestResults(test))
	results, parseErr := dotnet.ParseResults(dt)
	if parseErr != nil || results.Failed == 0 {
		return err
	}
	return withSources(failures(step, results), err)
}

// withSources is an error with a text of its own that has the places of another.
func withSources(text string, err error) error {
	out := errors.New(text)
	for _, src := range errdefs.Sources(err) {
		out = errdefs.WithSource(out, src)
	}
	return out
}

// readFailed reads a file of a mount as the step left it whose error err is, and gives the name of the step; nothing where
// that cannot be had. The gateway gives such a mount to containers alone; this one runs nothing.
func (e *entrypoint) readFailed(ctx context.Context, err error, dir, name string) (dt []byte, step string) {
	var failed *errdefs.SolveError
	if !errors.As(err, &failed) || failed.Op.GetExec() == nil {
		return nil, ""
	}
	i := slices.IndexFunc(failed.Op.GetExec().Mounts, func(m *pb.Mount) bool { return m.Dest == dir })
	if i < 0 || i >= len(failed.MountIDs) || failed.MountIDs[i] == "" {
		return nil, ""
	}
	c, err := e.bc.GatewayClient().NewContainer(ctx, client.NewContainerRequest{
		Mounts: []client.Mount{{Dest: "/", ResultID: failed.MountIDs[i], MountType: pb.MountType_BIND, Readonly: true}},
	})
	if err != nil {
		return nil, ""
	}
	defer c.Release(ctx) //nolint:errcheck // nothing is to be done about it, and BuildKit releases it with the build
	dt, err = c.ReadFile(ctx, client.ReadContainerRequest{ReadRequest: client.ReadRequest{Filename: path.Join("/", name)}})
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
