package result

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// metaReport is the key of the report in the file of --metadata-file.
const metaReport = "frontend.crosshull.report"

// argSummary is the build argument that leaves the summary out.
const argSummary = "CROSSHULL_SUMMARY"

// addReport adds the report of the build to its result, and shows the summary. packages are those of each image.
func addReport(
	ctx context.Context, rb *dockerui.ResultBuilder, p *plan.Plan, b *built, packages []installation,
) error {
	r, err := newReport(ctx, p, b, packages)
	if err != nil {
		return fmt.Errorf("report of the build: %w", err)
	}
	dt, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("report of the build: %w", err)
	}
	// buildx reads a value as JSON only if it is encoded in base64.
	rb.AddMeta(metaReport, []byte(base64.StdEncoding.EncodeToString(dt)))
	if on, err := strconv.ParseBool(p.Request.Gateway.BuildArgs[argSummary]); err == nil && !on {
		return nil
	}
	var summary bytes.Buffer
	if err := r.WriteText(&summary); err != nil {
		return err
	}
	showSummary(ctx, p.Request.Gateway, summary.String())
	return nil
}

// showSummary shows the lines of the summary as steps of the build. So they go to standard error, and quiet mode hides
// them. frontend.result.inlinemessage would be simpler, but buildx prints that on standard output, after the digest of
// -q and into the archive of -o - (commands/build.go, runBuild). A frontend has no log. So each line is the name of a
// step, which writes one small file. An error here does not fail the build.
func showSummary(ctx context.Context, gw *gateway.Client, summary string) {
	st := llb.Scratch()
	for line := range strings.Lines(summary) {
		line = strings.TrimRight(line, "\n")
		name := "[summary] " + strings.TrimPrefix(line, "  ")
		st = st.File(llb.Mkfile("/line", 0o644, []byte(line)), llb.WithCustomName(name))
	}
	_, _ = gw.Evaluate(ctx, st)
}

func newReport(
	ctx context.Context, p *plan.Plan, b *built, packages []installation,
) (*report.Build, error) {
	eg, egctx := gateway.Group(ctx)
	sizes := map[string]func() (int64, error){}
	layers := make([][]report.Layer, len(b.images))
	for i, img := range b.images {
		layers[i] = make([]report.Layer, len(img.layers))
		for j, l := range img.layers {
			key := fmt.Sprintf("%p %q %q", l.from, l.folders, l.edit.Remove)
			if _, ok := sizes[key]; !ok {
				sizes[key] = sync.OnceValues(func() (int64, error) { return size(egctx, l) })
			}
			bytes := sizes[key] // not in the goroutine: the map grows meanwhile
			eg.Go(func() (err error) {
				layers[i][j] = l.Layer
				layers[i][j].Bytes, err = bytes()
				return err
			})
		}
	}
	r := &report.Build{Version: report.Version, Tests: b.tests}
	eg.Go(func() (err error) {
		r.Steps, err = ran(egctx, p, b)
		return err
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	r.Apps = []report.App{p.Report(layers)}
	for i, img := range b.images {
		r.Apps[0].Images[i].Removed = img.removed
		packages[i].tell(r.Apps[0].Images[i].Packages)
	}
	r.Steps = append(r.Steps, packagesStep(packages)...)
	return r, nil
}

// size is how many bytes the files of a layer have, without those that the spec removes; 0 if nobody has read them.
func size(ctx context.Context, l layer) (int64, error) {
	if l.from == nil {
		return 0, nil
	}
	var sum atomic.Int64
	for _, folder := range l.folders {
		err := gateway.Walk(ctx, l.from, folder, func(name string, stat *fstypes.Stat) error {
			isDir := os.FileMode(stat.Mode).IsDir()
			switch removed := slices.Contains(l.edit.Remove, path.Join(l.dir, strings.TrimPrefix(name, folder))); {
			case removed && isDir:
				return fs.SkipDir
			case !removed && !isDir:
				sum.Add(stat.Size)
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return sum.Load(), nil
}

// ran tells which steps have run in this build: their files are younger than the build. If publish was cached, BuildKit
// did not look at the steps before it, so they are not in the list.
//
// How long a step took is not known: BuildKit does not tell a frontend when a step begins, and restore often begins
// while MSBuild still describes the projects.
func ran(ctx context.Context, p *plan.Plan, b *built) ([]report.Ran, error) {
	if p.App.None() {
		return nil, nil
	}
	described, err := written(ctx, p.Request, p.Answer.Ref, dotnet.DescriptionFile)
	if err != nil {
		return nil, err
	}
	before := []report.Ran{step(xllb.PhaseDescribe, described, p.Answer.Ended)}
	var after []report.Ran
	anew := false
	for _, s := range b.steps {
		published, err := written(ctx, p.Request, s.ref, dotnet.ReportFile)
		if err != nil {
			return nil, err
		}
		after = append(after, step(s.step, published, s.ended))
		anew = anew || published > 0
	}
	for _, t := range b.tests {
		after = append(after, t.Step)
	}
	if !anew {
		return append(before, after...), nil
	}
	// If a file of these steps is not there, the project has moved it. Then the list does not have the step.
	tree, err := p.Request.Gateway.Solve(ctx, b.graph.Tree)
	if err != nil {
		return nil, err
	}
	if last, err := restored(ctx, p, tree); err == nil {
		before = append(before, step(xllb.PhaseRestore, last, last))
	}
	for _, s := range b.graph.Compiled(p.App) {
		ref, err := p.Request.Gateway.Solve(ctx, s.Output)
		if err != nil {
			return nil, err
		}
		if ref == nil {
			continue
		}
		name := "compile " + s.Projects[0] + more(len(s.Projects)-1)
		if begun, err := written(ctx, p.Request, ref, path.Join(path.Dir(s.Projects[0]), "bin")); err == nil {
			before = append(before, step(name, begun, 0))
		}
	}
	return append(before, after...), nil
}

// step is a step that wrote a file, and when it ended, as times since the build began.
func step(name string, written, ended time.Duration) report.Ran {
	if written <= 0 {
		return report.Ran{Name: name, Cached: true}
	}
	return report.Ran{Name: name, Ended: ended}
}

// written is how long after the beginning of the build a file was written. It is negative for a file of an earlier
// build.
func written(ctx context.Context, req *request.Request, ref client.Reference, file string) (time.Duration, error) {
	stat, err := ref.StatFile(ctx, client.StatRequest{Path: file})
	if err != nil {
		return 0, err
	}
	return time.Unix(0, stat.ModTime).Sub(req.Begun), nil
}

// restored is when a restore wrote the last file, as far as the projects do not move these files. No call of the
// frontend ends with the restore: publish waits for it inside of BuildKit.
func restored(ctx context.Context, p *plan.Plan, tree client.Reference) (last time.Duration, err error) {
	err = errors.New("no file of the restore")
	if tree == nil {
		return 0, err
	}
	for _, file := range assetsFiles(p) {
		if at, unread := written(ctx, p.Request, tree, file); unread == nil && (err != nil || at > last) {
			last, err = at, nil
		}
	}
	return last, err
}

// assetsFiles are the files that a restore writes for its projects, if these do not move them.
func assetsFiles(p *plan.Plan) []string {
	var files []string
	for _, app := range p.Group(p.App) {
		for _, node := range app.Closure {
			files = append(files, path.Join(path.Dir(node.Path), "obj", dotnet.AssetsFile))
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// more is the end of a text that leaves out n names.
func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
