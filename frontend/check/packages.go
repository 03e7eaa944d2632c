package check

import (
	"bytes"
	"encoding/xml"
	"io"
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
	if r.Spec.NuGet.LockedMode {
		return
	}
	for _, n := range a.Project.Closure {
		if file, ok := r.lockFile(n); ok && !n.LockedMode {
			r.warn(
				r.inSpec("nuget"),
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
		if !strings.EqualFold(path.Base(name), "nuget.config") {
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
		found, shown := credentials(name, r.Files[name])
		for _, c := range found {
			r.warn(
				at(shown, c.offset),
				"here is %s: use nuget.feeds with password-secret, or write %%NAME%% here and give NAME in nuget.secrets",
				c.what,
			)
		}
	}
}

// credential is one that a nuget.config contains.
type credential struct {
	what   string
	offset int // in the file with secrets replaced by stars
}

var valueAttribute = regexp.MustCompile(`\bvalue\s*=\s*(?:"[^"]*"|'[^']*')`)

// credentials finds the credentials in a nuget.config, and replaces them with stars.
func credentials(name string, dt []byte) (found []credential, shown Source) {
	var out []byte
	kept := 0 // how many bytes of dt are in out
	var open []string
	dec := xml.NewDecoder(bytes.NewReader(dt))
	dec.Strict = false
	// The declared encoding does not matter: all names that we look for are ASCII.
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		start := int(dec.InputOffset())
		tok, err := dec.Token()
		if err != nil {
			return found, Source{name, append(out, dt[kept:]...)}
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			open = open[:max(0, len(open)-1)]
		case xml.StartElement:
			open = append(open, tok.Name.Local)
			what := credentialIn(open, tok.Attr)
			loc := valueAttribute.FindIndex(dt[start:dec.InputOffset()])
			if what == "" || loc == nil {
				continue
			}
			out = append(out, dt[kept:start+loc[0]]...)
			found = append(found, credential{what, len(out)})
			out = append(out, `value="***"`...)
			kept = start + loc[1]
		}
	}
}

var (
	environment = regexp.MustCompile(`%[^%\s]+%`)
	userinfo    = regexp.MustCompile(`://[^/\s@]*:[^/\s@]+@`)
)

// credentialIn says which credential an element of a nuget.config has, or returns nothing. The last entry of open is
// the element, and the others are its parents.
func credentialIn(open []string, attrs []xml.Attr) string {
	var key, value string
	for _, attr := range attrs {
		switch strings.ToLower(attr.Name.Local) {
		case "key":
			key = attr.Value
		case "value":
			value = attr.Value
		}
	}
	if len(open) < 3 || open[len(open)-1] != "add" || value == "" || environment.MatchString(value) {
		return ""
	}
	switch section := open[1]; {
	case strings.EqualFold(section, "packageSourceCredentials") && strings.EqualFold(key, "ClearTextPassword"):
		return "a password of source " + open[2]
	case strings.EqualFold(section, "packageSourceCredentials") && strings.EqualFold(key, "Password"):
		return "an encrypted password of source " + open[2] + ", which only its user on Windows can read"
	case strings.EqualFold(section, "apikeys"):
		return "an API key of " + key
	case strings.EqualFold(section, "packageSources") && userinfo.MatchString(value):
		return "a password in the URL of source " + key
	}
	return ""
}
