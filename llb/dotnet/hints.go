package dotnet

import (
	"path"
	"regexp"
	"strings"
)

var (
	imported = regexp.MustCompile(`<Import\s[^>]*\bProject\s*=\s*"([^"]*)"`)
	read     = regexp.MustCompile(`Read\w*\(\s*'([^']*)'`)
)

// Hints are the last parts of the paths of files whose contents MSBuild will want, as far as the text of project files
// gives them away. A wrong hint costs nothing, and a missing one another round: MSBuild asks for what it wants.
func Hints(files Files) map[string]bool {
	hints := map[string]bool{}
	for _, dt := range files {
		for _, pattern := range []*regexp.Regexp{imported, read} {
			for _, m := range pattern.FindAllSubmatch(dt, -1) {
				text := strings.ReplaceAll(string(m[1]), `\`, "/")
				base := path.Base(text[strings.LastIndexByte(text, ')')+1:])
				if strings.Trim(base, "./") != "" && !strings.ContainsAny(base, "$*?@%") {
					hints[base] = true
				}
			}
		}
	}
	return hints
}
