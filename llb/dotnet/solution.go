package dotnet

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// IsSolution tells a solution by its name.
func IsSolution(name string) bool {
	return slices.Contains([]string{".sln", ".slnx", ".slnf"}, strings.ToLower(path.Ext(name)))
}

// .sln and .slnx both name each project in double quotes, relative to the solution.
var solutionProject = regexp.MustCompile(`"([^"]+\.(?:cs|fs|vb)proj)"`)

// SolutionProjects are the projects of a solution or of a filter of one (.slnf), relative to the context, sorted.
func SolutionProjects(name string, dt []byte) ([]string, error) {
	dir := path.Dir(name)
	var names []string
	if strings.EqualFold(path.Ext(name), ".slnf") {
		var filter struct {
			Solution struct {
				Path     string
				Projects []string
			}
		}
		if err := json.Unmarshal(withoutComments(dt), &filter); err != nil {
			return nil, fmt.Errorf("%s: not a solution filter: %w", name, err)
		}
		dir = path.Join(dir, path.Dir(strings.ReplaceAll(filter.Solution.Path, `\`, "/")))
		names = filter.Solution.Projects
	} else {
		for _, m := range solutionProject.FindAllSubmatch(dt, -1) {
			names = append(names, string(m[1]))
		}
	}
	projects := []string{}
	for _, p := range names {
		projects = append(projects, path.Join(dir, strings.ReplaceAll(p, `\`, "/")))
	}
	slices.Sort(projects)
	return slices.Compact(projects), nil
}

// SolutionFile is the name of what [Solution] makes.
const SolutionFile = "crosshull.slnx"

// Solution is a solution of projects of the context in folder source.
func Solution(projects []string, source string) []byte {
	var b strings.Builder
	b.WriteString("<Solution>\n")
	for _, p := range projects {
		b.WriteString("  <Project Path=\"" + escapeXML(path.Join(source, p)) + "\" />\n")
	}
	b.WriteString("</Solution>\n")
	return []byte(b.String())
}
