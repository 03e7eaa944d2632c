package dotnet

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"path"
	"slices"
	"strings"
)

// NuGetConfigs are the nuget.config files of a context, by folder.
type NuGetConfigs map[string]nugetFile

// nugetFile is what a nuget.config says about sources.
type nugetFile struct {
	name             string
	sources, mapping nugetSection // packageSources, packageSourceMapping
}

// nugetSection has the entries after the last <clear /> of a section.
type nugetSection struct {
	cleared int // the line of the <clear />; 0: there is none
	entries []nugetEntry
}

type nugetEntry struct {
	key, value string
	line       int
}

// find gives the entry of a source. NuGet ignores case in names.
func (s nugetSection) find(name string) (nugetEntry, bool) {
	i := slices.IndexFunc(s.entries, func(e nugetEntry) bool { return strings.EqualFold(e.key, name) })
	if i < 0 {
		return nugetEntry{}, false
	}
	return s.entries[i], true
}

// ReadNuGetConfigs reads the nuget.config files among files. In a folder with several spellings of that name, it takes
// the file that NuGet takes (Settings.OrderedSettingsFileNames).
func ReadNuGetConfigs(files Files) NuGetConfigs {
	configs := NuGetConfigs{}
	for name := range files {
		dir := path.Dir(name)
		if _, ok := configs[dir]; ok || !IsNuGetConfig(name) {
			continue
		}
		for _, spelling := range []string{"nuget.config", "NuGet.config", "NuGet.Config"} {
			name := path.Join(dir, spelling)
			if dt, ok := files[name]; ok {
				configs[dir] = readNuGetFile(name, dt)
				break
			}
		}
	}
	return configs
}

// readNuGetFile reads a nuget.config as far as it is XML. With other text, NuGet fails.
func readNuGetFile(name string, dt []byte) nugetFile {
	f := nugetFile{name: name}
	line, counted := 1, 0
	walkNuGetConfig(dt, func(open []string, element xml.StartElement, start, _ int) {
		if len(open) != 3 {
			return
		}
		line, counted = line+bytes.Count(dt[counted:start], []byte("\n")), start
		switch open[1] {
		case "packageSources":
			f.sources.read(element, "add", line)
		case "packageSourceMapping":
			f.mapping.read(element, "packageSource", line)
		}
	})
	return f
}

// read reads an element of a section, in which entries are elements of a name.
func (s *nugetSection) read(element xml.StartElement, name string, line int) {
	switch {
	case strings.EqualFold(element.Name.Local, "clear"):
		*s = nugetSection{cleared: line}
	case strings.EqualFold(element.Name.Local, name):
		e := nugetEntry{line: line}
		for _, attr := range element.Attr {
			switch attr.Name.Local {
			case "key":
				e.key = attr.Value
			case "value":
				e.value = attr.Value
			}
		}
		s.entries = append(s.entries, e)
	}
}

// of are the files that NuGet reads for a project or folder, those that win first.
func (c NuGetConfigs) of(project string) []nugetFile {
	var all []nugetFile
	for dir := range foldersOf(path.Join(project, "x")) {
		if f, ok := c[dir]; ok {
			all = append(all, f)
		}
	}
	return all
}

// Certain tells whether NuGet reads the same files for all projects that a spec may mean by a path.
func (c NuGetConfigs) Certain(project string) bool {
	if IsProject(project) || path.Ext(project) == ".cs" {
		return true
	}
	if IsSolution(project) { // its projects may be anywhere
		project = "."
	}
	return len(c.of(project)) == len(c)
}

// LostFeed is why NuGet would not ask the source of a feed.
type LostFeed struct {
	File string // the nuget.config
	Line int
	Why  string // what it does, and what to write
}

// Lost tells whether NuGet would not ask the source that a spec has for a feed, in the restore of a project; nil if it
// would. NuGet takes the files of the context before that of the spec: see [NuGetConfig].
func (c NuGetConfigs) Lost(feed Feed, project string) *LostFeed {
	if feed.Source == "" {
		return nil
	}
	files := c.of(project)
	for _, f := range files {
		if e, ok := f.sources.find(feed.Name); ok {
			if strings.Contains(e.value, "%") || strings.TrimRight(e.value, "/") == strings.TrimRight(feed.Source, "/") {
				break
			}
			return &LostFeed{f.name, e.line, "has another source for it; write the same source in both, or give the feed of " +
				"the spec another name"}
		}
		if f.sources.cleared > 0 {
			return &LostFeed{f.name, f.sources.cleared,
				"removes all other sources (<clear />); write " + feed.element() + " after that"}
		}
	}
	var lost *LostFeed
	for _, f := range files {
		if _, ok := f.mapping.find(feed.Name); ok {
			return nil
		}
		if len(f.mapping.entries) > 0 && lost == nil {
			lost = &LostFeed{f.name, f.mapping.entries[0].line, "maps packages to other sources; write <packageSource key=\"" +
				feed.Name + `"><package pattern="NAME" /></packageSource> beside that, with the names of its packages`}
		}
		if f.mapping.cleared > 0 {
			break
		}
	}
	return lost
}

// element is the entry of a feed in packageSources.
func (f Feed) element() string {
	var value bytes.Buffer
	_ = xml.EscapeText(&value, []byte(f.Source)) // a buffer takes all
	insecure := ""
	if f.insecure() {
		insecure = ` allowInsecureConnections="true"`
	}
	return fmt.Sprintf(`<add key="%s" value="%s"%s />`, f.Name, value.String(), insecure)
}

// insecure tells whether a feed needs to be allowed. The user wrote http, but NuGet needs it said again (NU1302).
func (f Feed) insecure() bool { return strings.HasPrefix(f.Source, "http://") }

// OtherCase gives the name of a source that differs from name only in case, in the nuget.config files of a project, and
// its place. It gives nothing if one has name itself. NuGet takes the two for one source, but finds credentials only by
// the exact name (PackageSourceProvider.ReadCredential).
func (c NuGetConfigs) OtherCase(name, project string) (is, file string, line int) {
	for _, f := range c.of(project) {
		for _, e := range f.sources.entries {
			switch {
			case e.key == name:
				return "", "", 0
			case strings.EqualFold(e.key, name):
				is, file, line = e.key, f.name, e.line
			}
		}
	}
	return is, file, line
}
