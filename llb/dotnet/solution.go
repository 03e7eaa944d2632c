package dotnet

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// IsSolution tells whether a name is that of a solution.
func IsSolution(name string) bool {
	return slices.Contains([]string{".sln", ".slnx", ".slnf"}, strings.ToLower(path.Ext(name)))
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
