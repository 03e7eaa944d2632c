package judge

import (
	"context"
	"path/filepath"
	"time"

	"github.com/moby/buildkit/client"

	"github.com/crosshull/crosshull/frontend"
	"github.com/crosshull/crosshull/hack/differential"
	"github.com/crosshull/crosshull/hack/inprocess"
)

// ours publishes by crosshull. The spec is in a folder of its own, so that it is no file of the repository.
func (j *Judge) ours(ctx context.Context, dir string, p differential.Publish) (Outcome, error) {
	out := filepath.Join(dir, outDir)
	mounts, err := inprocess.Mounts(map[string]string{"context": filepath.Join(dir, oursDir),
		"dockerfile": filepath.Join(dir, specDir)})
	if err != nil {
		return Outcome{}, err
	}
	attrs := map[string]string{"filename": specFile, "target": "publish", "platform": "linux/amd64"}
	if p.Git {
		attrs["build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR"] = "1"
	}
	began := time.Now()
	rec, err := inprocess.Solve(ctx, j.Addr, client.SolveOpt{
		FrontendAttrs: attrs,
		LocalMounts:   mounts,
		SharedKey:     filepath.Join(dir, oursDir),
		Exports:       []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: out}},
	}, frontend.Build)
	return outcome(ctx, began, rec, err, out)
}
