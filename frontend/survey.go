package frontend

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
	"golang.org/x/sync/errgroup"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// survey looks through the context once: for what the names of all files tell (symbolic links, settings of the restore,
// static web assets), and for the project files, which it reads, to choose the SDK that is to be asked about them and to
// know what it has to be asked.
func (b *build) survey(ctx context.Context) (dotnet.Files, error) {
	def, err := b.marshal(ctx, b.graph.Context)
	if err != nil {
		return nil, err
	}
	ref, err := b.solve(ctx, def)
	if err != nil {
		return nil, fmt.Errorf("read the context: %w", err)
	}
	s := &survey{ref: ref, files: dotnet.Files{}}
	b.graph.Links, b.graph.Settings, b.graph.Assets = dotnet.Links{}, nil, dotnet.Assets{}
	b.graph.Housekeeping = dotnet.Housekeeping{Spec: path.Base(b.specName())}
	if ref == nil { // an empty context
		return s.files, nil
	}
	err = walk(ctx, ref, "", notWalked, func(name string, stat *fstypes.Stat) error {
		mode := os.FileMode(stat.Mode)
		if mode.IsRegular() && dotnet.IsProjectFile(name) {
			if err := s.read(ctx, name); err != nil {
				return err
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		b.graph.Settings.Add(name)
		b.graph.Housekeeping.Add(name)
		switch {
		case mode&os.ModeSymlink != 0:
			b.graph.Links.Add(name, stat.Linkname)
		case mode.IsRegular():
			b.graph.Assets.AddFile(name, stat.Size)
			if !dotnet.InOutputs(name) {
				s.names = append(s.names, name)
			}
		}
		return nil
	})
	if err == nil {
		err = s.complete(ctx, b.graph.Links)
	}
	if err != nil {
		return nil, fmt.Errorf("look through the context: %w", err)
	}
	b.graph.RestoreInputs = dotnet.RestoreInputs(s.files)
	b.graph.Assets.AddProjects(s.files)
	b.graph.Housekeeping.AddProjects(s.files)
	return s.files, nil
}

// survey is what is known of the context.
type survey struct {
	ref   client.Reference
	mu    sync.Mutex
	names []string // of regular files
	files dotnet.Files
}

func (s *survey) read(ctx context.Context, name string) error {
	dt, err := s.ref.ReadFile(ctx, client.ReadRequest{Filename: name})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[name] = dt
	return nil
}

// complete reads what project files lead to: by links, and by imports of files whose names do not tell what they are.
func (s *survey) complete(ctx context.Context, links dotnet.Links) error {
	for known := -1; known < len(s.files); {
		known = len(s.files)
		named := dotnet.EvaluatedNames(s.files)
		var targets []string
		for link := range links {
			if dotnet.IsProjectFile(link) || slices.Contains(named, path.Base(link)) {
				targets = append(targets, links.Resolve(link))
			}
		}
		for _, name := range s.names {
			if _, ok := s.files[name]; ok || !slices.Contains(named, path.Base(name)) && !slices.Contains(targets, name) {
				continue
			}
			if err := s.read(ctx, name); err != nil {
				return err
			}
		}
		for link := range links { // a project file by two names is one by either
			if dt, ok := s.files[links.Resolve(link)]; ok {
				s.files[link] = dt
			}
		}
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

// walk visits all that is below a folder of ref and no folder itself, side by side, in no order. Folders that skip tells,
// nil for none, are left out; it gets what is beside them.
func walk(ctx context.Context, ref client.Reference, root string, skip func(name string, beside []*fstypes.Stat) bool, visit func(name string, stat *fstypes.Stat) error) error {
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
			case skip != nil && skip(name, entries):
			case !eg.TryGo(func() error { return folder(name) }): // all are busy
				err = folder(name)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	eg.Go(func() error { return folder(root) })
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
