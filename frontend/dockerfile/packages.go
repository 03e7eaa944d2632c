package dockerfile

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/llb/apt"
)

// installs tells whether apps get OS packages.
func installs(apps []*plan.Plan) bool {
	return slices.ContainsFunc(apps, func(p *plan.Plan) bool {
		return slices.ContainsFunc(p.Targets, func(t plan.Target) bool { return t.Packages != nil })
	})
}

// The folder with the files of sources, in the stage that has them, and an empty file in it.
const (
	sourcesFolder = "/"
	noSource      = sourcesFolder + "none"
)

// packageSources writes a stage with the sources of packages. The step that installs mounts them, because the image
// does not get them.
func (a *app) packageSources() {
	i := slices.IndexFunc(a.Targets, func(t plan.Target) bool { return t.Packages != nil && len(t.Packages.Sources) > 0 })
	if i < 0 {
		return
	}
	a.line("")
	a.comment("Sources of packages, for the step that installs. The image does not get them.")
	a.from("", "scratch", a.aptSources)
	a.line("COPY <<\"EOF\" %s\nEOF", noSource)
	for _, s := range a.Targets[i].Packages.Sources {
		if unheldSource(s) != "" {
			continue // a comment beside the step says so
		}
		own, _ := sourceFiles(s)
		begin, rest := heredoc(signedBy(s))
		a.line("COPY %s %s\n%s", begin, word(plain(sourcesFolder+path.Base(own))), rest)
	}
}

// packages writes the step that installs packages.
func (s *stage) packages() {
	if s.Packages == nil {
		return
	}
	want := s.Packages.Packages
	update := "apt-get update"
	r := s.run("apt-get install")
	r.env = []string{"DEBIAN_FRONTEND=noninteractive"}
	for _, source := range want.Sources {
		key := "base.packages.sources." + source.Name
		own, other := sourceFiles(source)
		if unheldSource(source) == "" {
			from := sourcesFolder + path.Base(own)
			r.mount(key, mount("bind", "from", s.aptSources, "source", from, "target", own), from)
			r.mount(key, mount("bind", "from", s.aptSources, "source", noSource, "target", other), other)
			if source.Key != "" {
				r.mount(key, mount("bind", "source", source.Key, "target", keyFile(source)), source.Key)
			}
		} else {
			r.left = append(r.left, func() { s.left(key, unheldSource(source)) })
		}
	}
	r.word("", "-y --no-remove")
	if !want.Recommends {
		r.word("", "--no-install-recommends")
	}
	if !want.Snapshot.IsZero() {
		snapshot := "--snapshot " + want.Snapshot.UTC().Format("20060102T150405Z")
		update += " " + snapshot + " -o Acquire::Check-Valid-Until=false"
		r.word("", snapshot)
	}
	r.before = []string{update + " &&"}
	r.word("", "--")
	for _, name := range want.Install {
		r.word("base.packages.install", shell(name))
	}
	r.word("", "&& apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/ldconfig/* /var/log/apt/* /var/log/*.log")
	s.comment("This runs in the image, so it needs an emulator for other platforms than the builder's. " +
		"Crosshull needs none.")
	user := plain(s.base.User)
	if s.base.User != "" {
		s.line("USER 0")
	}
	r.write()
	if s.base.User != "" {
		s.put("the user of the base", "USER "+word(user), user)
	}
}

// sourceFiles are the file of a source, and the file of the other format with that name: sources.list(5). A source
// replaces both.
func sourceFiles(s apt.Source) (own, other string) {
	const folder = "/etc/apt/sources.list.d/"
	own, other = folder+s.Name+".list", folder+s.Name+".sources"
	if s.Name == "sources" {
		own = "/etc/apt/sources.list"
	}
	if isDeb822(s) {
		return other, own
	}
	return own, other
}

var (
	types     = regexp.MustCompile(`(?im)^\s*Types\s*:`)
	oneLiner  = regexp.MustCompile(`(?m)^([ \t]*deb(?:-src)?[ \t]+)(?:\[[ \t]*([^\]\n]*)\][ \t]*)?`)
	stanzaEnd = regexp.MustCompile(`\n(?:[ \t]*\n)+`)
)

// isDeb822 tells whether a source has lines such as Types: deb.
func isDeb822(s apt.Source) bool { return types.MatchString(s.Text) }

// signedBy is the text of a source that names the file of its key.
func signedBy(s apt.Source) string {
	text := strings.TrimSpace(s.Text)
	switch {
	case s.Key == "":
		return text
	case !isDeb822(s):
		return oneLiner.ReplaceAllStringFunc(text, func(begin string) string {
			m := oneLiner.FindStringSubmatch(begin)
			return m[1] + "[" + strings.TrimSpace(m[2]+" signed-by="+keyFile(s)) + "] "
		})
	}
	all := stanzaEnd.Split(text, -1)
	for i, stanza := range all {
		if types.MatchString(stanza) {
			all[i] += "\nSigned-By: " + keyFile(s)
		}
	}
	return strings.Join(all, "\n\n")
}

// keyFile is where apt finds the key of a source. apt reads a file .asc as text, and a file .gpg as bytes. Crosshull
// looks into the key, and this looks at its name.
func keyFile(s apt.Source) string {
	name := "/etc/apt/keyrings/" + s.Name
	if slices.Contains([]string{".gpg", ".pgp", ".kbx"}, path.Ext(s.Key)) {
		return name + ".gpg"
	}
	return name + ".asc"
}

// unheldSource is [unheld] for a source with its name and its key.
func unheldSource(s apt.Source) string {
	for _, value := range []string{s.Name, s.Key} {
		if why := unheldFlag(value); why != "" {
			return why
		}
	}
	for line := range strings.SplitSeq(s.Text, "\n") {
		if why := unheld(line); why != "" {
			return why
		}
	}
	return ""
}
