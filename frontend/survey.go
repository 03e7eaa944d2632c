package frontend

import (
	"context"
	"fmt"
	"os"
	"path"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// surveyRounds is how often files that were found may name further files to look at.
const surveyRounds = 4

// survey reads the project files of the context, before MSBuild is asked about them: to choose the SDK that is to ask,
// and to know what it has to be asked.
func (b *build) survey(ctx context.Context) (dotnet.Files, error) {
	var names []string
	for range surveyRounds {
		files, err := b.readAll(ctx, b.graph.ProjectFiles(names))
		if err != nil {
			return nil, fmt.Errorf("read the project files: %w", err)
		}
		more := dotnet.EvaluatedNames(files)
		if len(more) == len(names) {
			return files, nil
		}
		names = more
	}
	return nil, fmt.Errorf("project files import files that import files, more than %d deep", surveyRounds)
}

// readAll reads all files of a state.
func (e *entrypoint) readAll(ctx context.Context, st llb.State) (dotnet.Files, error) {
	def, err := e.marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	ref, err := e.solve(ctx, def)
	if err != nil {
		return nil, err
	}
	files := dotnet.Files{}
	if ref == nil { // nothing of the context matches
		return files, nil
	}
	var walk func(dir string) error
	walk = func(dir string) error {
		entries, err := ref.ReadDir(ctx, client.ReadDirRequest{Path: dir})
		if err != nil {
			return err
		}
		for _, entry := range entries {
			name := path.Join(dir, path.Base(entry.Path))
			switch mode := os.FileMode(entry.Mode); {
			case mode.IsDir():
				err = walk(name)
			case mode.IsRegular():
				files[name], err = ref.ReadFile(ctx, client.ReadRequest{Filename: name})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return files, walk("")
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
