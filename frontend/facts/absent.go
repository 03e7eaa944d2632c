package facts

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/moby/buildkit/util/suggest"

	"github.com/crosshull/crosshull/frontend/tree"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// absent adds to err, which is about a missing project, what the context has instead. name is the project, folder or
// solution that the spec names; it is empty if the spec names none.
func absent(t *tree.Tree, name string, err error) error {
	const compared = 1000
	var there []string
	for _, file := range slices.Sorted(maps.Keys(t.Files)) {
		if dotnet.IsProject(file) || dotnet.IsSolution(file) {
			there = append(there, file)
		}
	}
	if len(there) == 0 {
		return fmt.Errorf("%w: the last argument of docker buildx build has to be the folder of your project or solution, "+
			"and .dockerignore must not leave the project out", err)
	}
	if len(there) <= compared && len(name) <= compared {
		like := there
		if path.Ext(name) == "" {
			like = folders(there)
		}
		if s, ok := suggest.Search(name, like, true); ok {
			return fmt.Errorf("%w: did you mean %s?", err, s)
		}
	}
	return fmt.Errorf("%w: the context has %s", err, dotnet.Some(there))
}

// folders are the folders that files are in, without the root of the context.
func folders(files []string) []string {
	var list []string
	for _, f := range files {
		if dir := path.Dir(f); dir != "." {
			list = append(list, dir)
		}
	}
	return slices.Compact(list)
}
