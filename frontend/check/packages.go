package check

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/llb/dotnet"
)

func unlockedFloatingVersions(r *run, a *App) {
	for _, n := range a.Project.Closure {
		if _, locked := r.lockFile(n); locked || n.LockFile != "" {
			continue
		}
		for _, p := range n.Floating {
			element := `(?i)<Package(?:Reference|Version)\s[^>]*\b(?:Include|Update)\s*=\s*"` + regexp.QuoteMeta(p.Key) + `"`
			place, ok := r.inProject(
				a,
				n.Path,
				regexp.MustCompile(element+`[^>]*\bVersion\w*\s*=\s*"`+regexp.QuoteMeta(p.Value)+`"`),
			)
			if !ok {
				place, ok = r.inProject(a, n.Path, regexp.MustCompile(element))
			}
			if !ok {
				place = r.where(a, inKey("project"))
			}
			r.warn(
				place,
				"%s %s gets another version when feeds change: name a version, or commit packages.lock.json",
				p.Key,
				p.Value,
			)
		}
	}
}

func lockFileNotEnforced(r *run, a *App) {
	for _, n := range a.Project.Closure {
		locked := n.LockedMode
		if spec := r.Spec.NuGet.LockedMode; spec != nil {
			locked = *spec
		}
		if file, ok := r.lockFile(n); ok && !locked {
			r.warn(
				r.inSpec("nuget.locked-mode"),
				"if %s does not fit the projects, restore takes other versions, and you do not see it: set nuget.locked-mode: true",
				file,
			)
			return // one setting applies to all
		}
	}
}

// lockFile finds the lock file of a project as NuGet does. NuGetLockFilePath may name another one.
func (r *run) lockFile(n dotnet.Node) (name string, ok bool) {
	for _, name := range n.LockFiles() {
		if slices.Contains(r.Settings, name) {
			return name, true
		}
	}
	return "", false
}

func feedCredentials(r *run, a *App) {
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		if !dotnet.IsNuGetConfig(name) {
			continue
		}
		dir := path.Dir(name)
		read := slices.ContainsFunc(
			a.Project.Closure,
			func(n dotnet.Node) bool { return dir == "." || strings.HasPrefix(n.Path, dir+"/") },
		)
		if !read {
			continue
		}
		found, masked := dotnet.Credentials(r.Files[name])
		for _, c := range found {
			r.warn(
				at(Source{name, masked}, c.Offset),
				"here is %s: use nuget.feeds with password-secret, or write %%NAME%% here and give NAME in nuget.secrets",
				c.What,
			)
		}
	}
}
