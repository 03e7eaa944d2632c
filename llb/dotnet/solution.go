package dotnet

import (
	"encoding/json"
	"fmt"
	"html"
	"path"
	"regexp"
	"slices"
	"strings"
)

// IsSolution tells whether a name is that of a solution.
func IsSolution(name string) bool {
	return slices.Contains([]string{".sln", ".slnx", ".slnf"}, strings.ToLower(path.Ext(name)))
}

// .sln and .slnx both have each project in double quotes, relative to the solution.
var solutionProject = regexp.MustCompile(`"([^"]+\.(?:cs|fs|vb)proj)"`)

// SolutionProjects are the projects of a solution or of a solution filter (.slnf), relative to the context, sorted.
func SolutionProjects(solution string, dt []byte) ([]string, error) {
	dir := path.Dir(solution)
	var names []string
	if strings.EqualFold(path.Ext(solution), ".slnf") {
		var filter struct {
			Solution struct {
				Path     string
				Projects []string
			}
		}
		if err := json.Unmarshal(plainJSON(dt, true), &filter); err != nil {
			return nil, fmt.Errorf("%s: not a solution filter: %w", solution, err)
		}
		dir = path.Join(dir, path.Dir(strings.ReplaceAll(filter.Solution.Path, `\`, "/")))
		names = filter.Solution.Projects
	} else {
		for _, m := range solutionProject.FindAllSubmatch(dt, -1) {
			name := string(m[1])
			if strings.EqualFold(path.Ext(solution), ".slnx") { // XML
				name = html.UnescapeString(name)
			}
			names = append(names, name)
		}
	}
	projects := []string{}
	for _, p := range names {
		projects = append(projects, path.Join(dir, strings.ReplaceAll(p, `\`, "/")))
	}
	slices.Sort(projects)
	return slices.Compact(projects), nil
}

// InContext splits projects of a solution into those that are in the context and those that are not. MSBuild would fail
// for the latter, which are often tests that .dockerignore leaves out.
func InContext(projects []string, files Files, links Links) (there, missing []string) {
	there = []string{} // not nil: it is known which there are
	for _, p := range projects {
		if _, ok := files[links.Resolve(p)]; ok {
			there = append(there, p)
		} else {
			missing = append(missing, p)
		}
	}
	return there, missing
}

// SolutionFile is the name of the file that [Solution] makes.
const SolutionFile = "crosshull.slnx"

// Solution returns a solution with projects of the context in folder source. Projects with the same name get a folder
// each, because MSBuild allows a name only once in a folder.
func Solution(projects []string, source string) []byte {
	var b strings.Builder
	b.WriteString("<Solution>\n")
	names := map[string]bool{}
	for i, p := range projects {
		file := strings.ReplaceAll(path.Join(source, p), "%", "%25") // MSBuild unescapes it
		project := "  <Project Path=\"" + escapeXML(file) + "\" />\n"
		if name := strings.ToLower(path.Base(p)); names[name] {
			project = fmt.Sprintf("  <Folder Name=\"/%d/\">\n  %s  </Folder>\n", i, project)
		} else {
			names[name] = true
		}
		b.WriteString(project)
	}
	b.WriteString("</Solution>\n")
	return []byte(b.String())
}
