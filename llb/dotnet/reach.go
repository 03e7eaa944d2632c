package dotnet

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"iter"
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

// anyName stands for a wildcard in a path that MSBuild is asked about, so that MSBuild does not expand it.
const anyName = "__crosshull_any__"

// Kinds of what a project reaches.
const (
	reachImport = "Import" // read while the project is evaluated, so restore needs it
	reachItem   = "Item"   // read while it is built
	reachFile   = "File"   // the same for a file; a property that names a folder does not read it yet
	reachDone   = "Done"   // MSBuild could evaluate all expressions of the project
	reachSource = "Source" // housekeeping that the project uses
	reachAsked  = "Asked"  // the project said which housekeeping it uses (target CrosshullSources)
)

// expression is a path in a project file as its author wrote it.
type expression struct {
	kind, value string
	project     string // the project that contains it; empty for a file that projects import
}

// ReachFile is the name of the file that [ReachTargets] makes. Put it beside [MSBuildFiles].
const ReachFile = "reach.targets"

// ReachTargets returns a targets file that asks each project what it reaches. Target CrosshullReach returns every path
// outside of the project's own folder that the project, or a file it may import, has in any attribute or text. MSBuild
// evaluates the author's expressions with the properties of the project that asks. Conditions are ignored: one path too
// many costs cache hits, but one too few breaks the build. context is the folder of the context.
func ReachTargets(files Files, context string) []byte {
	var b bytes.Buffer
	b.WriteString(
		"<Project>\n  <Target Name=\"CrosshullReach\" Returns=\"@(_CrosshullReach->'%(FullPath)')\">\n    <ItemGroup>\n",
	)
	seen := map[expression]bool{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, e := range expressions(name, files[name], context) {
			if seen[e] {
				continue
			}
			seen[e] = true
			b.WriteString("      <_CrosshullReach Kind=\"" + e.kind + "\"")
			if e.project != "" {
				b.WriteString(` Condition="'$(MSBuildProjectFullPath)' == '` + escapeXML(escapeMSBuild(e.project)) + `'"`)
			}
			b.WriteString(" Include=\"" + escapeXML(e.value) + "\" />\n")
		}
	}
	b.WriteString(
		"      <_CrosshullReach Kind=\"Done\" Include=\"$(MSBuildProjectFullPath)\" />\n      <_CrosshullReach>\n        " +
			"<Owner>$(MSBuildProjectFullPath)</Owner>\n      </_CrosshullReach>\n    </ItemGroup>\n  </Target>\n</Project>\n",
	)
	return b.Bytes()
}

// EvaluatedNames are the names of files that MSBuild reads to evaluate projects, and that do not look like project
// files: imports with other extensions, and what property functions look for or read.
func EvaluatedNames(files Files) []string {
	return append(namesIn(files, imported), namesIn(files, read)...)
}

var (
	imported = regexp.MustCompile(`<Import\s[^>]*\bProject\s*=\s*"([^"]*)"`)
	read     = regexp.MustCompile(`(?:Read\w*|Exists|OfFileAbove)\(\s*'([^']*)'`)
)

// namesIn returns the last parts of the paths that pattern finds, if they are names of files.
func namesIn(files Files, pattern *regexp.Regexp) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, m := range pattern.FindAllSubmatch(files[name], -1) {
			text := strings.ReplaceAll(string(m[1]), `\`, "/")
			base := path.Base(text[strings.LastIndexByte(text, ')')+1:])
			if strings.Contains(base, ".") && strings.Trim(base, "./") != "" && !strings.ContainsAny(base, "$*?@%") {
				names = append(names, base)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// RestoreInputs are patterns of what any restore of the context may read, apart from [RestoreFiles]: folders that a
// nuget.config names as package sources, and files that property functions read.
func RestoreInputs(files Files) []string {
	var patterns []string
	for _, dir := range localSources(files) {
		patterns = append(patterns, Escape(dir))
	}
	for _, name := range namesIn(files, read) {
		patterns = append(patterns, "**/"+Escape(name))
	}
	return patterns
}

// notPaths are items whose names are not paths, or are paths that nothing reads.
var notPaths = map[string]bool{
	"ProjectReference": true, "PackageReference": true, "PackageVersion": true,
	"GlobalPackageReference": true, "PackageDownload": true,
	"FrameworkReference": true, "Using": true, "InternalsVisibleTo": true, "SourceRoot": true, "AssemblyAttribute": true,
}

// passive are attributes that make MSBuild read nothing.
var passive = map[string]bool{
	"Condition": true, "Remove": true, "Exclude": true, "Label": true, "Name": true,
	"Version": true, "xmlns": true, "Text": true,
	"DependsOnTargets": true, "BeforeTargets": true, "AfterTargets": true, "Targets": true, "Link": true, "Sdk": true,
}

// noInputs are properties with paths that a build does not read: what to leave out, and places in a package.
var noInputs = map[string]bool{
	"DefaultItemExcludes": true, "DefaultItemExcludesInProjectFolder": true, "DefaultExcludesInProjectFolder": true,
	"PackageReadmeFile": true, "PackageIcon": true, "PackageLicenseFile": true,
}

// expressions finds the paths in a file. A file that is not XML has none, and MSBuild will report what is wrong with
// it.
func expressions(name string, dt []byte, context string) []expression {
	var found []expression
	project := ""
	if isProject(name) {
		project = path.Join(context, name)
	}
	add := func(kind, value string) {
		value = strings.TrimSpace(value)
		if !strings.Contains(value, "..") && !strings.Contains(value, "$(") && !strings.HasPrefix(value, "/") {
			return // in the project's own folder
		}
		if strings.Contains(value, "@(") || strings.Contains(value, "%(") {
			return // made of items, which are found where they are defined
		}
		here := path.Join(context, name)
		value = strings.NewReplacer(
			"$(MSBuildThisFileDirectory)", path.Dir(here)+"/",
			"$(MSBuildThisFileFullPath)", here,
			"$(MSBuildThisFile)", path.Base(here),
			"$(MSBuildThisFileName)", strings.TrimSuffix(path.Base(here), path.Ext(here)),
			"$(MSBuildThisFileExtension)", path.Ext(here),
		).Replace(value)
		if !strings.Contains(value, "$([") {
			value = escapeWildcards(value)
		}
		found = append(found, expression{kind, value, project})
	}
	readValues(dt, func(element, attribute, value string) {
		switch {
		case attribute == "":
			add(reachFile, value)
		case element == "Import":
			add(reachImport, value)
		case attribute == "Command": // of Exec
			between := func(r rune) bool { return strings.ContainsRune(" \t\n\"'=&|;<>", r) }
			for word := range strings.FieldsFuncSeq(value, between) {
				add(reachItem, word)
			}
		default:
			add(reachItem, value)
		}
	})
	return found
}

// readValues calls value for the attributes of a file that may be paths, and for the texts of its elements, with an
// empty attribute.
func readValues(dt []byte, value func(element, attribute, value string)) {
	dec := xml.NewDecoder(bytes.NewReader(dt))
	dec.Strict = false
	element := ""
	for {
		tok, err := dec.Token()
		if err != nil {
			return
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			element = tok.Name.Local
			for _, a := range tok.Attr {
				if !notPaths[element] && !passive[a.Name.Local] {
					value(element, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			if text := strings.TrimSpace(string(tok)); text != "" && !noInputs[element] {
				value(element, "", text)
			}
		}
	}
}

// addReach sets for each project what it reaches: the files that restore needs, and the further files that publish
// needs. If a project gave no answer, its reach stays unknown, and it gets all files.
func addReach(nodes []Node, items []item, source string) {
	root := path.Clean(source)
	byPath := map[string]*Node{}
	for i := range nodes {
		byPath[nodes[i].Path] = &nodes[i]
	}
	for _, it := range items {
		owner, err := inContext(it["Owner"], source)
		n := byPath[owner]
		if err != nil || n == nil {
			continue
		}
		switch it["Kind"] {
		case reachDone:
			n.reachKnown = true
			continue
		case reachAsked:
			n.sourcesKnown = true
			continue
		}
		p, err := inContext(it["Identity"], source)
		if err != nil && path.Clean(it["Identity"]) != root {
			continue // outside of the context: the SDK's, or nothing at all
		}
		if it["Kind"] != reachFile || path.Ext(p) != "" {
			n.names = append(n.names, cmp.Or(p, "."))
		}
		if it["Kind"] == reachSource {
			continue // it is in the project's folder, which is read anyway
		}
		if i := strings.Index(p, anyName); i >= 0 { // everything below the last folder without a wildcard
			p = p[:max(0, strings.LastIndexByte(p[:i], '/'))]
		}
		if it["Kind"] == reachFile && path.Ext(p) == "" {
			continue
		}
		pattern := "**"
		if p != "" {
			pattern = Escape(p)
		}
		if it["Kind"] == reachImport {
			n.restoreReach = append(n.restoreReach, pattern)
		}
		n.publishReach = append(n.publishReach, pattern)
	}
}

func isProject(name string) bool {
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

var (
	configSources = regexp.MustCompile(`(?s)<packageSources>(.*?)</packageSources>`)
	configSource  = regexp.MustCompile(`<add\s[^>]*\bvalue\s*=\s*"([^"]*)"`)
)

// localSources are the folders of the context that nuget.config files name as package sources.
func localSources(files Files) []string {
	var dirs []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.EqualFold(path.Base(name), "nuget.config") {
			continue
		}
		for _, section := range configSources.FindAllSubmatch(files[name], -1) {
			for _, m := range configSource.FindAllSubmatch(section[1], -1) {
				value := strings.ReplaceAll(string(m[1]), `\`, "/")
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
	configAdd      = regexp.MustCompile(`<add\s[^>]*\bkey\s*=\s*"([^"]*)"[^>]*\bvalue\s*=\s*"https?://`)
)

// FeedsOf returns what nuget.config files need from outside: the environment variables that they read, and the names of
// their sources on the network.
func FeedsOf(files Files) (variables, names []string) {
	for name, dt := range files {
		if !strings.EqualFold(path.Base(name), "nuget.config") {
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

// ClearedBy returns the nuget.config that makes NuGet drop a source of the machine's configuration for a project: it
// clears all sources that are not its own, and does not have name. Empty: no such file.
func ClearedBy(files Files, name, project string) string {
	for file, sources := range seenSources(files, project) {
		if bytes.Contains(sources, []byte("<clear")) && !namedSource(name).Match(sources) {
			return file
		}
	}
	return ""
}

// OtherCase returns the name of a source that differs from name only in case, in a nuget.config that applies to
// project. It returns nothing if one has name itself. NuGet takes the two for one source, but finds credentials only by
// the exact name (PackageSourceProvider.ReadCredential).
func OtherCase(files Files, name, project string) string {
	found := ""
	for _, sources := range seenSources(files, project) {
		for _, m := range namedSource(name).FindAllSubmatch(sources, -1) {
			is := string(m[1])
			if is == name {
				return ""
			}
			found = is
		}
	}
	return found
}

// seenSources are the packageSources sections of the nuget.config files that apply to a project, by file.
func seenSources(files Files, project string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, dir := range ancestors([]string{path.Join(project, "x")}) {
			for _, file := range slices.Sorted(maps.Keys(files)) {
				if path.Dir(file) != dir || !strings.EqualFold(path.Base(file), "nuget.config") {
					continue
				}
				for _, section := range configSources.FindAllSubmatch(files[file], -1) {
					if !yield(file, section[1]) {
						return
					}
				}
			}
		}
	}
}

// namedSource finds a source by name, in upper or lower case.
func namedSource(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\bkey\s*=\s*["'](` + regexp.QuoteMeta(name) + `)["']`)
}
