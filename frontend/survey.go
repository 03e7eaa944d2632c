package frontend

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// surveyRounds is how often files that were found may name further files to look at.
const surveyRounds = 4

// lookAndSurvey does both side by side: what the survey begins with is the same unless there are links.
func (b *build) lookAndSurvey(ctx context.Context) (dotnet.Files, error) {
	projects := b.graph.ProjectFiles(nil)
	var files dotnet.Files
	eg, egctx := errgroup.WithContext(ctx)
	eg.Go(func() error { return b.look(egctx) })
	eg.Go(func() (err error) {
		files, err = b.readAll(egctx, projects)
		return err
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	if len(b.graph.Links) > 0 {
		files = nil
	}
	return b.survey(ctx, files)
}

// survey reads the project files of the context, before MSBuild is asked about them: to choose the SDK that is to ask,
// and to know what it has to be asked. files are those of the first round, nil if they have to be read.
func (b *build) survey(ctx context.Context, files dotnet.Files) (_ dotnet.Files, err error) {
	var names []string
	for range surveyRounds {
		if files == nil {
			if files, err = b.readAll(ctx, b.graph.ProjectFiles(names)); err != nil {
				return nil, err
			}
		}
		for link := range b.graph.Links { // a project file by two names is one by either
			if dt, ok := files[b.graph.Links.Resolve(link)]; ok {
				files[link] = dt
			}
		}
		more := dotnet.EvaluatedNames(files)
		if len(more) == len(names) {
			return files, nil
		}
		names, files = more, nil
	}
	return nil, fmt.Errorf("project files import files that import files, more than %d deep", surveyRounds)
}

// readAll reads the project files that st has.
func (e *entrypoint) readAll(ctx context.Context, st llb.State) (dotnet.Files, error) {
	def, err := e.marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	ref, err := e.solve(ctx, def)
	if err != nil {
		return nil, fmt.Errorf("read the project files: %w", err)
	}
	files := dotnet.Files{}
	if ref == nil { // nothing of the context matches
		return files, nil
	}
	var mu sync.Mutex
	err = walk(ctx, ref, func(name string, stat *fstypes.Stat) error {
		if !os.FileMode(stat.Mode).IsRegular() {
			return nil
		}
		dt, err := ref.ReadFile(ctx, client.ReadRequest{Filename: name})
		mu.Lock()
		defer mu.Unlock()
		files[name] = dt
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the project files: %w", err)
	}
	return files, nil
}

// look finds what the names of all files tell: symbolic links, settings of the restore, and static web assets.
func (b *build) look(ctx context.Context) error {
	def, err := b.marshal(ctx, b.graph.Context)
	if err != nil {
		return err
	}
	ref, err := b.solve(ctx, def)
	if err != nil || ref == nil {
		return err
	}
	b.graph.Links = dotnet.Links{}
	var mu sync.Mutex
	err = walk(ctx, ref, func(name string, stat *fstypes.Stat) error {
		mu.Lock()
		defer mu.Unlock()
		b.graph.Settings.Add(name)
		switch mode := os.FileMode(stat.Mode); {
		case mode&os.ModeSymlink != 0:
			b.graph.Links.Add(name, stat.Linkname)
		case mode.IsRegular():
			b.graph.Assets.AddFile(name, stat.Size)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look through the context: %w", err)
	}
	return nil
}

// notWalked tells folders that no project is in, and that are large. bin and obj are a user's own where no project is
// beside them.
func notWalked(name string, beside []*fstypes.Stat) bool {
	switch path.Base(name) {
	case "node_modules", ".git":
		return true
	case "bin", "obj":
		return slices.ContainsFunc(beside, func(stat *fstypes.Stat) bool { return strings.HasSuffix(path.Ext(stat.Path), "proj") })
	}
	return false
}

// walkers is how many folders are read side by side: each is a question to BuildKit, which takes longer than its answer.
const walkers = 16

// walk visits all that is below the root of ref and no folder, side by side, in no order.
func walk(ctx context.Context, ref client.Reference, visit func(name string, stat *fstypes.Stat) error) error {
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(walkers)
	var folder func(dir string) error
	folder = func(dir string) error {
		entries, err := ref.ReadDir(ctx, client.ReadDirRequest{Path: dir})
		if err != nil {
			return err
		}
		for _, entry := range entries {
			name := path.Join(dir, path.Base(entry.Path))
			switch {
			case !os.FileMode(entry.Mode).IsDir():
				err = visit(name, entry)
			case notWalked(name, entries):
			case !eg.TryGo(func() error { return folder(name) }): // all are busy
				err = folder(name)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	eg.Go(func() error { return folder("") })
	return eg.Wait()
}

// globalJSON finds the global.json that the SDK will find: the nearest, from the folder of the project upwards.
func globalJSON(files dotnet.Files, project string) (name string, dt []byte) {
	dir := project
	if path.Ext(project) != "" {
		dir = path.Dir(project)
	}
	for dir = path.Clean("./" + dir); ; dir = path.Dir(dir) {
		name = path.Join(dir, "global.json")
		if dt, ok := files[name]; ok {
			return name, dt
		}
		if dir == "." {
			return "", nil
		}
	}
}
