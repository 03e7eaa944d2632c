package frontend

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// metaReport is what buildx puts into the file of --metadata-file.
const metaReport = "frontend.crosshull.report"

// argSummary is the build argument that leaves the summary out.
const argSummary = "CROSSHULL_SUMMARY"

// buildLog is what a build did, for its report.
type buildLog struct {
	mu       sync.Mutex
	steps    []stepLog
	restored *xllb.Restored
	tests    []plan.Tests
}

// stepLog is a step that has run, or whose result was there.
type stepLog struct {
	name string
	ref  client.Reference
	file string // that it leaves
}

func (l *buildLog) step(name string, ref client.Reference, file string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, stepLog{name, ref, file})
}

// addReport tells what was built, to people and to programs.
func (b *build) addReport(ctx context.Context, rb *dockerui.ResultBuilder, images []platformImage) error {
	r := &plan.Report{Version: plan.ReportVersion, Tests: b.log.tests}
	app := b.planApp()
	eg, egctx := errgroup.WithContext(ctx)
	sizes := map[string]func() (int64, error){}
	layers := make([][]plan.Layer, len(images))
	for i, img := range images {
		layers[i] = make([]plan.Layer, len(img.layers))
		for j, l := range img.layers {
			key := fmt.Sprintf("%p %q", l.from, l.folders)
			if _, ok := sizes[key]; !ok {
				sizes[key] = sync.OnceValues(func() (int64, error) { return size(egctx, l.from, l.folders) })
			}
			bytes := sizes[key] // not in the goroutine: the map grows meanwhile
			eg.Go(func() (err error) {
				layers[i][j] = l.Layer
				layers[i][j].Bytes, err = bytes()
				return err
			})
		}
	}
	eg.Go(func() (err error) {
		r.Steps, err = b.ran(egctx)
		return err
	})
	if err := eg.Wait(); err != nil {
		return fmt.Errorf("report of the build: %w", err)
	}
	for i, img := range images {
		app.Images = append(app.Images, b.target(i, img.config, layers[i]))
	}
	r.Apps = []plan.App{app}
	dt, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("report of the build: %w", err)
	}
	// buildx takes a value for JSON only if it is encoded so.
	rb.AddMeta(metaReport, []byte(base64.StdEncoding.EncodeToString(dt)))
	if on, err := strconv.ParseBool(b.bc.BuildArgs[argSummary]); err == nil && !on {
		return nil
	}
	summary, err := text(r.WriteText)
	if err != nil {
		return err
	}
	b.showSummary(ctx, string(summary))
	return nil
}

// showSummary shows lines among the steps of the build: to people, on standard error, and not in quiet mode, as
// warnings are shown. frontend.result.inlinemessage would be shorter, but buildx prints that on standard output, after
// the digest of -q and into the archive of -o - (commands/build.go, runBuild). A frontend has no log, so each line is
// the name of a step, which writes one small file. What goes wrong here is no fault of the build.
func (b *build) showSummary(ctx context.Context, summary string) {
	st := llb.Scratch()
	for line := range strings.Lines(summary) {
		line = strings.TrimRight(line, "\n")
		name := "[summary] " + strings.TrimPrefix(line, "  ")
		st = st.File(llb.Mkfile("/line", 0o644, []byte(line)), llb.WithCustomName(name))
	}
	if def, err := b.marshal(ctx, st); err == nil {
		_, _ = b.evaluate(ctx, def)
	}
}

// size is how many bytes files in folders have, 0 without a reference.
func size(ctx context.Context, ref client.Reference, folders []string) (int64, error) {
	if ref == nil {
		return 0, nil
	}
	var sum atomic.Int64
	for _, folder := range folders {
		err := walk(ctx, ref, folder, nil, func(_ string, stat *fstypes.Stat) error {
			sum.Add(stat.Size)
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return sum.Load(), nil
}

// ran tells which steps have run in this build: what they left is younger than the build. If publish was cached,
// nothing that it waits for was looked at.
func (b *build) ran(ctx context.Context) ([]plan.Ran, error) {
	var before, after []plan.Ran
	published := false
	for _, s := range b.log.steps {
		stat, err := s.ref.StatFile(ctx, client.StatRequest{Path: s.file})
		if err != nil {
			return nil, err
		}
		r := plan.Ran{Name: s.name, Cached: !b.young(stat)}
		if s.name == xllb.PhaseDescribe {
			before = append(before, r)
			continue
		}
		after = append(after, r)
		published = published || !r.Cached
	}
	if !published || b.log.restored == nil {
		return append(before, after...), nil
	}
	ran := func(name string, st llb.State, stat func(ref client.Reference) (*fstypes.Stat, error)) error {
		def, err := b.marshal(ctx, st)
		if err != nil {
			return err
		}
		ref, err := b.solve(ctx, def)
		if err != nil || ref == nil {
			return err
		}
		if s, err := stat(ref); err == nil { // else it is where the project has put it
			before = append(before, plan.Ran{Name: name, Cached: !b.young(s)})
		}
		return nil
	}
	err := ran(xllb.PhaseRestore, b.log.restored.Tree, func(ref client.Reference) (*fstypes.Stat, error) {
		return ref.StatFile(ctx, client.StatRequest{Path: path.Join(path.Dir(b.app.Path), "obj", dotnet.AssetsFile)})
	})
	for _, s := range b.log.restored.Compiled(b.app) {
		if err != nil {
			break
		}
		err = ran("compile "+s.Projects[0]+more(len(s.Projects)-1), s.Output, func(ref client.Reference) (*fstypes.Stat, error) {
			return ref.StatFile(ctx, client.StatRequest{Path: path.Join(path.Dir(s.Projects[0]), "bin")})
		})
	}
	return append(before, after...), err
}

// more is how many there are besides.
func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// young tells whether a file was written by this build.
func (b *build) young(stat *fstypes.Stat) bool { return time.Unix(0, stat.ModTime).After(b.begun) }

// testResults reads the results of a test project: its TRX file, if there is one.
func testResults(ctx context.Context, ref client.Reference, test *dotnet.App) *plan.Tests {
	dt, err := ref.ReadFile(ctx, client.ReadRequest{Filename: dotnet.TestResults(test)})
	if err != nil {
		return nil
	}
	r, err := dotnet.ParseResults(dt)
	if err != nil {
		return nil
	}
	return &plan.Tests{Project: test.Path, Total: r.Total, Passed: r.Passed, Failed: r.Failed, Skipped: r.Skipped}
}
