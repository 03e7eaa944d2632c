package dotnet

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Files are files of the build context, by path.
type Files map[string][]byte

// Find returns the first place that pattern matches in a project. After the project it searches what MSBuild imports
// from the folders above, the nearest first.
func (f Files) Find(project string, pattern *regexp.Regexp) (name string, offset int, ok bool) {
	names := []string{project}
	for dir := range foldersOf(project) {
		for _, name := range slices.Sorted(maps.Keys(f)) {
			if path.Dir(name) == dir && strings.HasPrefix(path.Base(name), "Directory.") {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		if loc := pattern.FindIndex(f[name]); loc != nil {
			return name, loc[0], true
		}
	}
	return "", 0, false
}

// Nearest is the file of a name in the folder of another file, or in the nearest folder above that has one; "" if none
// has.
func (f Files) Nearest(of, name string) string {
	for dir := range foldersOf(of) {
		file := path.Join(dir, name)
		if _, ok := f[file]; ok {
			return file
		}
	}
	return ""
}

// IsProject tells whether a file is a project by its name: not one with files that several projects share (.shproj).
func IsProject(name string) bool {
	ext := path.Ext(name)
	return strings.HasSuffix(ext, "proj") && ext != ".shproj"
}

// ancestors are the folders of paths and all folders above them. The context itself is ".".
func ancestors(paths []string) []string {
	var dirs []string
	for _, p := range paths {
		dirs = slices.AppendSeq(dirs, foldersOf(p))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
