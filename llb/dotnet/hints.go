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

// Hints are names, without folders, of files whose contents MSBuild will probably want. They come from the text of
// project files. A wrong hint costs nothing. A missing one costs another round, in which MSBuild asks for the file.
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
