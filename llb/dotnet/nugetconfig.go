package dotnet

import (
	"bytes"
	"encoding/xml"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// IsNuGetConfig tells whether a file has settings of NuGet by its name.
func IsNuGetConfig(name string) bool { return strings.EqualFold(path.Base(name), "nuget.config") }

// walkNuGetConfig calls visit for each element of a nuget.config, as far as it is XML. The last entry of open is the
// name of the element, and the others are its parents. Its tag is at start and ends at end.
func walkNuGetConfig(dt []byte, visit func(open []string, element xml.StartElement, start, end int)) {
	dec := xml.NewDecoder(bytes.NewReader(dt))
	dec.Strict = false
	// The declared encoding does not matter: all names that we look for are ASCII.
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var open []string
	for {
		start := int(dec.InputOffset())
		tok, err := dec.Token()
		if err != nil {
			return
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			open = open[:max(0, len(open)-1)]
		case xml.StartElement:
			open = append(open, tok.Name.Local)
			visit(open, tok, start, int(dec.InputOffset()))
		}
	}
}

// RestoreInputs are patterns of what any restore of the context may read, apart from [RestoreFiles]: folders that a
// nuget.config names as package sources, or as folders of packages.
func RestoreInputs(files Files) []string {
	var patterns []string
	dirs := slices.Concat(localFolders(files, configSources), localFolders(files, configFallback),
		localFolders(files, configGlobal))
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		patterns = append(patterns, Escape(dir))
	}
	return patterns
}

// PackageFolders are folders of the context with packages that are unpacked already: those that a nuget.config names as
// globalPackagesFolder, where the context has them, and then its fallbackPackageFolders. There are none if no
// globalPackagesFolder is in the context: NuGet then reads the others itself.
//
// Restore has a folder of its own for packages (NUGET_PACKAGES), which wins over globalPackagesFolder. So NuGet has to
// be told of that folder in another way (NUGET_FALLBACK_PACKAGES, which wins over fallbackPackageFolders).
func PackageFolders(files Files, has func(folder string) bool) []string {
	global := slices.DeleteFunc(localFolders(files, configGlobal), func(dir string) bool { return !has(dir) })
	if len(global) == 0 {
		return nil
	}
	return append(global, localFolders(files, configFallback)...)
}

// PackagesIn are folders where a nuget.config wants packages (globalPackagesFolder), and that are not in the context.
// Projects may name files in them.
func PackagesIn(files Files, has func(folder string) bool) []string {
	return slices.DeleteFunc(localFolders(files, configGlobal), has)
}

var (
	configSources  = regexp.MustCompile(`(?s)<packageSources>(.*?)</packageSources>`)
	configFallback = regexp.MustCompile(`(?s)<fallbackPackageFolders>(.*?)</fallbackPackageFolders>`)
	configGlobal   = regexp.MustCompile(`(?i)(<add\s[^>]*\bkey\s*=\s*["']globalPackagesFolder["'][^>]*>)`)
	configValue    = regexp.MustCompile(`<add\s[^>]*\bvalue\s*=\s*(?:"([^"]*)"|'([^']*)')`)
)

// localFolders are the folders of the context that nuget.config files name in a section.
func localFolders(files Files, section *regexp.Regexp) []string {
	var dirs []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !IsNuGetConfig(name) {
			continue
		}
		for _, found := range section.FindAllSubmatch(files[name], -1) {
			for _, m := range configValue.FindAllSubmatch(found[1], -1) {
				value := strings.ReplaceAll(string(m[1])+string(m[2]), `\`, "/")
				if strings.Contains(value, "://") || strings.Contains(value, "%") || path.IsAbs(value) {
					continue
				}
				if dir := path.Join(path.Dir(name), value); dir != "." && !strings.HasPrefix(dir, "..") {
					dirs = append(dirs, dir)
				}
			}
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

var (
	configVariable = regexp.MustCompile(`%([A-Za-z_][A-Za-z0-9_]*)%`)
	configAdd      = regexp.MustCompile(`<add\s[^>]*\bkey\s*=\s*["']([^"']*)["'][^>]*\bvalue\s*=\s*["']https?://`)
)

// FeedsOf returns what nuget.config files need from outside: the environment variables that they read, and the names of
// their sources on the network.
func FeedsOf(files Files) (variables, names []string) {
	for name, dt := range files {
		if !IsNuGetConfig(name) {
			continue
		}
		for _, m := range configVariable.FindAllSubmatch(dt, -1) {
			variables = append(variables, string(m[1]))
		}
		for _, section := range configSources.FindAllSubmatch(dt, -1) {
			for _, m := range configAdd.FindAllSubmatch(section[1], -1) {
				names = append(names, string(m[1]))
			}
		}
	}
	slices.Sort(variables)
	slices.Sort(names)
	return slices.Compact(variables), slices.Compact(names)
}
