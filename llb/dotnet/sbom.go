package dotnet

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// PackagesGraph is the graph of packages and projects that NuGet's restore leaves beside a project, for each framework
// and runtime identifier (project.assets.json).
type PackagesGraph struct {
	Targets   map[string]map[string]restored // by framework, or framework/RID; then by name/version
	Libraries map[string]struct{ Type, Path string }
	Groups    map[string][]string `json:"projectFileDependencyGroups"` // what the project itself names
	Project   struct {
		Version    string
		Frameworks map[string]restoredFramework
	}
}

// restored is a package or project of a target, with the files that NuGet chose from it.
type restored struct {
	Type                      string
	Dependencies              map[string]string
	Runtime, Native, Resource map[string]struct{}
	RuntimeTargets            map[string]struct{ RID string }
	ContentFiles              map[string]struct {
		BuildAction  string
		CopyToOutput bool
	}
	FrameworkReferences []string
}

// restoredFramework is what the project says about a framework.
type restoredFramework struct {
	Framework, TargetAlias string
	FrameworkReferences    map[string]struct{}
	// DownloadDependencies are packages outside of the graph: the SDK's packs.
	DownloadDependencies []download
}

// download is a package in one version. The file has the version as a range: [1.0.0, 1.0.0].
type download struct{ Name, Version string }

func (d download) version() string {
	version, _, _ := strings.Cut(strings.Trim(d.Version, "[]"), ",")
	return version
}

func (d download) folder() string { return strings.ToLower(d.Name + "/" + d.version()) }

// ParseAssets reads project.assets.json.
func ParseAssets(dt []byte) (*PackagesGraph, error) {
	g := &PackagesGraph{}
	if err := json.Unmarshal(dt, g); err != nil {
		return nil, Bug(fmt.Errorf("read project.assets.json: %w", err))
	}
	return g, nil
}

// component is a package or a project of the graph of an app, for one platform.
type component struct {
	name, version string
	project       string // relative to the project of the app; empty for a package
	folder        string // of the package, relative to the folder of packages
	pack          bool   // a part of .NET itself
	// shipped tells that the image has files of it, or of something that it needs. Other components only serve the build.
	shipped bool
	direct  bool     // the app needs it itself
	needs   []string // keys of shipped components
}

func (c component) key() string { return c.name + "/" + c.version }

// components are those in the graph of app for a platform, sorted by name. rid is the runtime identifier of the
// platform with the C library of its base, whatever the mode.
func (g *PackagesGraph) components(app *App, rid string) ([]component, error) {
	key, framework, err := g.framework(app)
	if err != nil {
		return nil, err
	}
	target := g.Targets[key]
	if app.Mode.PerPlatform() {
		target = g.Targets[key+"/"+rid]
	}
	if target == nil {
		return nil, Bug(fmt.Errorf("project.assets.json of %s has no packages for %s, %s", app.Path, key, rid))
	}
	found := map[string]*component{}
	keys := map[string]string{} // by name in lower case: NuGet ignores case
	for key := range target {
		name, version, _ := strings.Cut(key, "/")
		keys[strings.ToLower(name)] = key
		c := &component{name: name, version: version, folder: g.Libraries[key].Path}
		if target[key].Type == "project" {
			c.project, c.folder = c.folder, ""
		}
		found[key] = c
	}
	ships := shipping(target, keys, RuntimeIDs(rid))
	frameworks := slices.Collect(maps.Keys(framework.FrameworkReferences))
	for key, c := range found {
		if c.shipped = ships(key); !c.shipped {
			continue
		}
		frameworks = append(frameworks, target[key].FrameworkReferences...)
		for _, name := range slices.Sorted(maps.Keys(target[key].Dependencies)) {
			if dep, ok := keys[strings.ToLower(name)]; ok && ships(dep) { // otherwise the framework may provide it
				c.needs = append(c.needs, dep)
			}
		}
	}
	for _, named := range g.Groups[key] {
		name, _, _ := strings.Cut(named, " ")
		if c := found[keys[strings.ToLower(name)]]; c != nil {
			c.direct = c.shipped
		}
	}
	addPacks(found, framework, packs(app.Mode, frameworks, rid))
	adopt(found)
	list := make([]component, 0, len(found))
	for _, key := range slices.Sorted(maps.Keys(found)) {
		list = append(list, *found[key])
	}
	return list, nil
}

// framework finds the framework that app is built for. It returns the key in targets, and what the project says.
func (g *PackagesGraph) framework(app *App) (string, restoredFramework, error) {
	for alias, f := range g.Project.Frameworks {
		if !strings.EqualFold(alias, app.TargetFramework) && !strings.EqualFold(f.TargetAlias, app.TargetFramework) {
			continue
		}
		for _, key := range []string{alias, f.TargetAlias, f.Framework} {
			if g.Targets[key] != nil {
				return key, f, nil
			}
		}
		if len(g.Project.Frameworks) > 1 {
			continue
		}
		for key := range g.Targets { // older frameworks have long names here
			if !strings.Contains(key, "/") {
				return key, f, nil
			}
		}
	}
	return "", restoredFramework{}, Bug(
		fmt.Errorf("project.assets.json of %s has no target for framework %s", app.Path, app.TargetFramework),
	)
}

// shipping returns a function that tells whether a component of a target is shipped: files of it, or of something that
// it needs, go into an image whose runtime can use assets for ids. A package without such files is a tool of the build
// (an analyzer, targets), or for other platforms.
func shipping(target map[string]restored, keys map[string]string, ids []string) func(key string) bool {
	known := map[string]bool{}
	var ships func(key string) bool
	ships = func(key string) bool {
		s, ok := known[key]
		if ok {
			return s
		}
		known[key] = false // in case of a cycle
		s = target[key].ships(ids)
		for name := range target[key].Dependencies {
			if dep, ok := keys[strings.ToLower(name)]; ok && ships(dep) {
				s = true
			}
		}
		known[key] = s
		return s
	}
	return ships
}

// ships tells whether its own files go into an image.
func (r restored) ships(ids []string) bool {
	for _, files := range []map[string]struct{}{r.Runtime, r.Native, r.Resource} {
		for file := range files {
			if path.Base(file) != "_._" { // NuGet's placeholder for no file
				return true
			}
		}
	}
	for file, asset := range r.RuntimeTargets {
		if path.Base(file) != "_._" && slices.Contains(ids, asset.RID) {
			return true
		}
	}
	for file, content := range r.ContentFiles {
		// Sources of a package are compiled into the app.
		if path.Base(file) != "_._" &&
			(content.CopyToOutput || content.BuildAction == "Compile" || content.BuildAction == "EmbeddedResource") {
			return true
		}
	}
	return false
}

// packs are the parts of .NET itself that go into an app of a mode. Each has a list of the names that it has had: the
// first one that was restored is the one that was used. An app without a runtime of its own uses that of the base
// image.
func packs(m Mode, frameworks []string, rid string) [][]string {
	var names [][]string
	if m.Executable() && !m.NeedsToolchain() {
		names = append(names, []string{"Microsoft.NETCore.App.Host." + rid})
	}
	if !m.BringsRuntime() {
		return names
	}
	slices.Sort(frameworks)
	for _, framework := range slices.Compact(frameworks) {
		if m.NeedsToolchain() && framework == "Microsoft.NETCore.App" {
			names = append(
				names,
				[]string{framework + ".Runtime.NativeAOT." + rid, "runtime." + rid + ".Microsoft.DotNet.ILCompiler"},
			)
			continue
		}
		names = append(names, []string{framework + ".Runtime." + rid})
	}
	return names
}

// addPacks adds what was downloaded: packs that the app uses, and everything else as tools of the build. Packs that it
// does not use are for other platforms, or for frameworks that an app might have used. If a pack is there in several
// versions, the last one counts as used.
func addPacks(found map[string]*component, framework restoredFramework, used [][]string) {
	for _, d := range framework.DownloadDependencies {
		c := &component{name: d.Name, version: d.version(), folder: d.folder()}
		if _, ok := found[c.key()]; ok {
			continue
		}
		if isPack := strings.Contains(d.Name, ".App.Runtime.") || strings.Contains(d.Name, ".App.Host."); isPack &&
			!slices.ContainsFunc(used, func(names []string) bool { return slices.Contains(names, d.Name) }) {
			continue
		}
		found[c.key()] = c
	}
	for _, names := range used {
	search:
		for _, name := range names {
			for _, key := range slices.Backward(slices.Sorted(maps.Keys(found))) {
				if c := found[key]; strings.EqualFold(c.name, name) {
					c.pack, c.shipped, c.direct = true, true, true
					break search
				}
			}
		}
	}
}

// adopt connects the graph: a shipped component that nothing leads to becomes one that the app needs directly.
func adopt(found map[string]*component) {
	reached := map[string]bool{}
	var reach func(key string)
	reach = func(key string) {
		if reached[key] {
			return
		}
		reached[key] = true
		for _, need := range found[key].needs {
			reach(need)
		}
	}
	keys := slices.Sorted(maps.Keys(found))
	for _, key := range keys {
		if found[key].direct {
			reach(key)
		}
	}
	for _, key := range keys {
		if found[key].shipped && !reached[key] {
			found[key].direct = true
			reach(key)
		}
	}
}

// PackageFacts are patterns of the small files in the folder of packages that say what each package is.
func PackageFacts() []string { return []string{"*/*/*.nuspec", "*/*/*.nupkg.sha512"} }

// facts are the files of a package that match [PackageFacts].
func (c component) facts() (nuspec, hash string) {
	id, version := path.Split(c.folder)
	id = path.Clean(id)
	return path.Join(c.folder, id+".nuspec"), path.Join(c.folder, id+"."+version+".nupkg.sha512")
}

// Facts are the files that [SPDX] needs for documents of the graph, relative to the folder of packages. Some may be
// missing: those of packages in a folder of the SDK.
func (g *PackagesGraph) Facts() []string {
	var names []string
	add := func(folder string) {
		nuspec, hash := component{folder: folder}.facts()
		names = append(names, nuspec, hash)
	}
	for _, l := range g.Libraries {
		if l.Type == "package" {
			add(l.Path)
		}
	}
	for _, f := range g.Project.Frameworks {
		for _, d := range f.DownloadDependencies {
			add(d.folder())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
