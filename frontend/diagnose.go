package frontend

import (
	"context"
	"errors"
	"fmt"
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
	var failed *errdefs.SolveError
	if !errors.As(err, &failed) || failed.Op.GetExec() == nil {
		return err
	}
	i := slices.IndexFunc(failed.Op.GetExec().Mounts, func(m *pb.Mount) bool { return m.Dest == xllb.DiagnosticsDir })
	if i < 0 || i >= len(failed.MountIDs) || failed.MountIDs[i] == "" {
		return err
	}
	dt, readErr := e.readFailed(ctx, failed.MountIDs[i], dotnet.DiagnosticsFile)
	diagnostics := dotnet.ParseDiagnostics(dt, xllb.SourceDir)
	if readErr != nil || len(diagnostics) == 0 {
		return err
	}
	out := errors.New(report(failed.Description["llb.customname"], diagnostics))
	for _, src := range errdefs.Sources(err) {
		out = errdefs.WithSource(out, src)
	}
	return out
}

// readFailed reads a file of a mount as the step left it that failed. The gateway gives such a mount to containers alone;
// this one runs nothing.
func (e *entrypoint) readFailed(ctx context.Context, mount, name string) ([]byte, error) {
	c, err := e.bc.GatewayClient().NewContainer(ctx, client.NewContainerRequest{
		Mounts: []client.Mount{{Dest: "/", ResultID: mount, MountType: pb.MountType_BIND, Readonly: true}},
	})
	if err != nil {
		return nil, err
	}
	defer c.Release(ctx) //nolint:errcheck // nothing is to be done about it, and BuildKit releases it with the build
	return c.ReadFile(ctx, client.ReadContainerRequest{ReadRequest: client.ReadRequest{Filename: name}})
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
