package dockerfile

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Folders of the stage that makes files on the platform that builds: empty folders, links, and what archives have. Each
// has the index of its entry.
const (
	foldersDir  = "/folders"
	linksDir    = "/links"
	archivesDir = "/archives"
	// parentFolder is an empty one that is made of root, for all to read.
	parentFolder = foldersDir + "/parent"
)

func in(dir string, i int) string { return fmt.Sprintf("%s/%d", dir, i) }

// needsTar tells whether an entry needs a command that unpacks. ADD unpacks only files of the build context, and files
// from an address. It gives what it unpacks no mode, and excludes archives, not files in them.
func needsTar(f spec.File) bool {
	return f.Unpack && (f.Strip > 0 || f.Image != "" || f.Context != "" || f.Mode != "" || len(f.Exclude) > 0)
}

// madeFiles writes the stage that makes files with commands, if there is something to make. Nothing of it differs
// between platforms, unless a value has an argument.
func (a *app) madeFiles() {
	w := &app{writer: &writer{page: a.page}, Plan: a.Plan, changed: a.changed}
	s := &stage{app: w, Target: a.Targets[0], above: a.writer}
	for i, f := range s.Spec.Files {
		key := fmt.Sprintf("files.%d.", i)
		switch {
		case f.Kind() == spec.MakesFolder:
			w.line("RUN mkdir -p %s", shell(path.Join(in(foldersDir, i), a.inner(i))))
		case f.Kind() == spec.Links:
			link := path.Join(in(linksDir, i), path.Base(path.Clean(f.Link)))
			to := w.buildValue(s.Spec, key+"to", f.To)
			w.put(key+"link", "RUN mkdir -p "+in(linksDir, i)+" && ln -s "+shellText(to)+" "+shell(link), to)
		case needsTar(f):
			s.unpack(i, f)
		}
	}
	if slices.ContainsFunc(s.Spec.Files, func(f spec.File) bool {
		return f.Kind() == spec.MakesFolder && path.Dir(path.Clean(f.To)) != "/"
	}) {
		w.line("RUN mkdir -p %s", parentFolder)
	}
	for _, folder := range a.homes() {
		w.line("RUN mkdir -p %s", shell(folder))
	}
	if len(w.lines) == 0 {
		return
	}
	a.line("")
	a.comment("Files, made where commands can run.")
	if a.App.None() { // there is no SDK
		a.from("--platform=$BUILDPLATFORM ", "busybox", a.folders)
	} else {
		a.from("", a.publish, a.folders)
	}
	a.lines = append(a.lines, w.lines...)
}

// unpack writes how to unpack an archive, without the first folders of its paths.
func (s *stage) unpack(i int, f spec.File) {
	dir, strip := in(archivesDir, i), ""
	if f.Strip > 0 {
		strip = fmt.Sprintf(" --strip-components=%d", f.Strip)
	}
	for j := range f.From {
		archive := dir + ".tar"
		if line, values, ok := s.get(i, j, f, "", archive); ok {
			s.put(fmt.Sprintf("files.%d.from", i), line, values...)
			s.line("RUN mkdir -p %s && tar -xf %s%s --no-same-owner -C %s", dir, archive, strip, dir)
		}
	}
}

// get is the instruction that copies the one source of an entry that is an address or a file of the context.
func (s *stage) get(i, j int, f spec.File, flags, to string) (line string, values []text, ok bool) {
	if spec.IsURL(f.From[j]) {
		from := s.fromValue(i, j, f)
		_, same := f.Checksum[""]
		switch sum := f.Checksum.For(s.Platform); {
		case sum == "":
		case needsTar(f) && !same:
			s.comment("The checksum of this file differs between platforms, and is left out.")
		default:
			flags = strings.TrimSpace(checksumFlag + sum + " " + flags)
		}
		return addLine("ADD", flags, word(from), to), []text{from}, true
	}
	stage, folder := s.holder(i, f)
	if stage != "" {
		flags = strings.TrimSpace(flags + " --from=" + stage)
	}
	from := s.held(i, j, f, folder)
	return addLine("COPY", flags, word(from), to), []text{from}, true
}

// addLine makes an ADD or a COPY.
func addLine(instruction, flags string, words ...string) string {
	return strings.Replace(copyLine(flags, words...), "COPY", instruction, 1)
}

const checksumFlag = "--checksum="

// short is an instruction whose checksum has a line of its own.
func short(instruction string) string {
	begin, rest, ok := strings.Cut(instruction, "ADD "+checksumFlag)
	sum, rest, _ := strings.Cut(rest, " ")
	if !ok || begin != "" {
		return instruction
	}
	return "ADD " + checksumFlag + sum + " \\\n    " + rest
}

// inner is the name of an empty folder that is copied together with its parent. COPY gives setuid, setgid and sticky
// bits to the files and folders that it copies, but not to the folder that it copies to. For all other folders it is
// empty.
func (a *app) inner(i int) string {
	f := a.Targets[0].Spec.Files[i]
	if mode, err := spec.FileMode(f.Mode); err != nil || mode&^os.ModePerm == 0 || unheld(f.To) != "" {
		return ""
	}
	for _, t := range a.Targets {
		if t.Spec.Files[i].To != f.To || t.Spec.Parts(a.path(t.Spec, fmt.Sprintf("files.%d.to", i))) != nil {
			return ""
		}
	}
	return strings.TrimPrefix(path.Base(f.To), "/")
}

// files writes what the entries of files do before the app is copied.
func (s *stage) files() {
	for i, f := range s.Spec.Files {
		switch f.Kind() {
		case spec.Removes:
			s.removeBelow(i, f)
		case spec.Changes:
			s.changeBelow(i, f)
		default:
			s.file(i, f)
		}
	}
}

func (s *stage) file(i int, f spec.File) {
	key := fmt.Sprintf("files.%d.", i)
	flags, ok := s.ownership(key, f)
	if !ok {
		return
	}
	for _, pattern := range f.Exclude {
		if why := unheldFlag(pattern); why != "" {
			s.left(key+"exclude", why)
			return
		}
		flags += " " + flag("exclude", pattern)
	}
	to := s.value(s.Spec, key+"to", f.To)
	switch {
	case f.Kind() == spec.MakesFolder:
		s.parent(path.Dir(path.Clean(f.To)), flags)
		if s.inner(i) != "" {
			to = plain(path.Dir(path.Clean(f.To)))
		}
		s.put(key+"to", copyLine(flags+" --from="+s.folders, in(foldersDir, i), word(asFolder(to))), to)
	case f.Kind() == spec.Links:
		dir := plain(f.Place()[0])
		s.put(key+"link", copyLine("--from="+s.folders, in(linksDir, i), word(dir)), dir, plain(f.Link), plain(f.To))
	case needsTar(f):
		s.put(key+"to", copyLine(flags+" --from="+s.folders, in(archivesDir, i), word(asFolder(to))), to)
	case len(f.From) == 1 && spec.IsURL(f.From[0]):
		s.address(i, f, flags, to)
	default:
		s.copies(i, f, flags, to)
	}
}

// parent makes the folders above an empty folder, if they may not be there: COPY would give them its mode and owner,
// and they are for root to write. COPY changes nothing of folders that are there.
func (s *stage) parent(dir, flags string) {
	if dir == "/" || dir == path.Clean(s.config().WorkingDir) || flags == "" || flags == "--link" {
		return
	}
	to := plain(strings.TrimSuffix(dir, "/") + "/")
	line := copyLine("--from="+s.folders, parentFolder, word(to))
	if !slices.Contains(s.lines, line) {
		s.put("files", line, to)
	}
}

// asFolder is a path that ends in a slash.
func asFolder(to text) text {
	to = slices.Clone(to)
	to[len(to)-1].Text = strings.TrimSuffix(to[len(to)-1].Text, "/")
	return append(to, spec.Part{Text: "/"})
}

// address writes ADD for a file or a git repository at an address.
func (s *stage) address(i int, f spec.File, flags string, to text) {
	switch {
	case spec.IsGit(f.From[0]):
		to = asFolder(to)
	case f.Unpack:
		flags = "--unpack=true " + flags
		if !strings.Contains(flags, "--chown=") { // or files belong to the users that the archive names
			flags += " --chown=0:0"
		}
		to = asFolder(to)
	case f.Mode == "":
		flags += " --chmod=0644" // ADD gives a file from an address to its owner alone
	}
	if line, values, ok := s.get(i, 0, f, flags, word(to)); ok {
		s.put(fmt.Sprintf("files.%d.from", i), line, append(values, to)...)
	}
}

// copies writes COPY for files of a context or of an image, or ADD for archives in it.
func (s *stage) copies(i int, f spec.File, flags string, to text) {
	key := fmt.Sprintf("files.%d.from", i)
	instruction := "COPY"
	if f.Unpack {
		instruction, flags = "ADD", "--unpack=true "+flags
		if !strings.Contains(flags, "--chown=") {
			flags += " --chown=0:0"
		}
		to = asFolder(to)
	}
	values := []text{to}
	var words []string
	stage, folder := s.holder(i, f)
	if stage != "" {
		flags += " --from=" + stage
		if len(f.From) == 0 {
			words = append(words, folder)
		}
	}
	whole := false
	for j, from := range f.From {
		whole = whole || f.Image == "" && f.Context == "" && xllb.IsWholeContext(from)
		if names := s.expanded(f, from); names != nil { // COPY excludes nothing of what a wildcard matches itself
			for _, name := range names {
				words = append(words, word(plain(folder+literal(name))))
			}
			continue
		}
		value := s.held(i, j, f, folder)
		words, values = append(words, word(value)), append(values, value)
	}
	if whole {
		flags += " --exclude=" + strings.Join(dotnet.GitDirs(), " --exclude=")
	}
	s.put(key, addLine(instruction, flags, append(words, word(to))...), values...)
}

// expanded are the files of the context that a pattern matches, if the entry excludes some of them.
func (s *stage) expanded(f spec.File, from string) []string {
	if len(f.Exclude) == 0 || f.Image != "" || f.Context != "" || !spec.HasWildcards(from) {
		return nil
	}
	names, err := s.Tree.Glob(context.Background(), from) // it asks nobody
	m, bad := patternmatcher.New(f.Exclude)
	if err != nil || bad != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(name string) bool {
		out, err := m.MatchesOrParentMatches(path.Base(name))
		return err == nil && out
	})
}

// fromValue is a value of from. A single one need not be in a list.
func (s *stage) fromValue(i, j int, f spec.File) text {
	key := fmt.Sprintf("files.%d.from", i)
	if item := fmt.Sprintf("%s.%d", key, j); s.Spec.Has(s.path(s.Spec, item)) {
		key = item
	}
	from := s.value(s.Spec, key, f.From[j])
	if f.Image != "" || f.Context != "" {
		from = slices.Clone(from)
		from[0].Text = strings.TrimLeft(from[0].Text, "/")
	}
	return from
}

// held is a value of from in the folder that [stage.holder] gives.
func (s *stage) held(i, j int, f spec.File, folder string) text {
	if strings.Contains(f.From[j], ":") { // otherwise COPY may take it for an address
		folder = cmp.Or(folder, "/")
	}
	from := s.fromValue(i, j, f)
	if folder == "" {
		return from
	}
	return append(plain(folder), from...)
}

// special are the topmost folders that bases have as links, or with folders that have modes and owners of their own.
var special = strings.Fields("bin sbin lib lib32 lib64 libx32 tmp root run var home")

// linkable tells whether COPY --link puts an entry where COPY does. With --link, the folders on the way replace those
// of the base, as new folders: of root and for all, or of the owner of the entry.
func linkable(f spec.File, owned bool) bool {
	place := path.Clean(f.Place()[0])
	top, _, below := strings.Cut(strings.TrimPrefix(place, "/"), "/")
	return !slices.Contains(special, top) && (!owned || !below)
}

// ownership returns the flags of COPY for the owner and the mode of a file.
func (s *stage) ownership(key string, f spec.File) (flags string, ok bool) {
	owner := f.Owner
	if owner == "app" || owner == "" && f.Kind() == spec.MakesFolder {
		owner = s.Config.User()
	}
	if owner == "root" {
		owner = "0"
	}
	mode := s.value(s.Spec, key+"mode", f.Mode)
	for _, v := range []struct{ key, value string }{{"owner", owner}, {"mode", mode.String()}} {
		if why := unheldFlag(v.value); why != "" {
			s.left(key+v.key, why)
			return "", false
		}
	}
	var all []string
	owned := owner != "" && owner != "0"
	if linkable(f, owned) {
		all = []string{"--link"}
	}
	if owned {
		if strings.Trim(owner, "0123456789:") != "" { // a name, which COPY looks up in the base
			all = nil
		} else if !strings.Contains(owner, ":") {
			owner += ":" + owner
		}
		all = append(all, flag("chown", bare(plain(owner))))
	}
	if f.Mode != "" {
		s.use(mode)
		all = append(all, flag("chmod", bare(mode)))
	}
	return strings.Join(all, " "), true
}

// holder is the stage, the image or the context that has the files of an entry, and the folder there, with a slash at
// its end. The stage is empty for the build context. If commands change the sources, their stage has what they leave.
func (s *stage) holder(i int, f spec.File) (stage, folder string) {
	switch {
	case f.Image != "" || f.Context != "":
		return s.fromStage(i, f), "/"
	case s.changed != "" && !spec.IsURL(f.From[0]):
		return s.changed, "/source/"
	}
	return "", ""
}

// fromStage is the name of an image or of a named context for --from. --from takes a number for a stage and does not
// expand arguments, but FROM does.
func (s *stage) fromStage(i int, f spec.File) string {
	key, planned := "context", f.Context
	if f.Image != "" {
		key, planned = "image", f.Image
	}
	name := s.value(s.Spec, fmt.Sprintf("files.%d.%s", i, key), planned)
	if !name.hasArgs() && strings.Trim(planned, "0123456789") != "" && reference.MatchString(planned) {
		return planned
	}
	from := name.render(func(s string) string { return s }) // a context has only letters, digits, . - and _
	if s.contexts[from] == "" {
		s.contexts[from] = s.stage("context")
		s.above.line("")
		s.above.from("", from, s.contexts[from])
	}
	return s.contexts[from]
}

// inApp is where a pattern matches files of the apps of the image: as the stage that publishes has them, and as the
// image has them.
func (s *stage) inApp(pattern string) (found []struct{ from, to string }) {
	if s.App.None() {
		return nil
	}
	parts := strings.Split(strings.TrimSuffix(path.Clean(pattern), "/"), "/")
	for _, of := range s.All() {
		dir := xllb.AppDir(s.App)
		if of.Further() {
			dir = path.Clean(of.Dir)
		}
		n := len(strings.Split(strings.TrimSuffix(dir, "/"), "/"))
		if len(parts) < n {
			continue
		}
		if ok, err := path.Match(strings.Join(parts[:n], "/"), strings.TrimSuffix(dir, "/")); !ok || err != nil {
			continue
		}
		rest := strings.Join(parts[n:], "/")
		found = append(found, struct{ from, to string }{path.Join(output(of), rest), path.Join(dir, rest)})
	}
	return found
}

// onlyInApp tells whether a path can only be one of an app of the image.
func (s *stage) onlyInApp(p string) bool {
	found := s.inApp(p)
	return len(found) > 0 && found[0].to == path.Clean(p)
}

// edited is the stage with the published app as the entries of files change it. Its commands run on the platform that
// builds.
func (s *stage) edited() string {
	w := &writer{page: s.page}
	for i, f := range s.Spec.Files {
		switch kind := f.Kind(); {
		case kind == spec.Removes:
			s.shellEach(w, i, "remove", f.Remove, "rm -rf --")
		case kind == spec.Changes && f.Mode != "":
			s.shellEach(w, i, "change", f.Change, "chmod -R "+f.Mode+" --")
		}
	}
	if len(w.lines) == 0 {
		return s.publish
	}
	key := s.publish + "\n" + strings.Join(w.lines, "\n")
	if name, ok := s.edits[key]; ok {
		return name
	}
	name := s.stage("app")
	s.edits[key] = name
	s.above.line("")
	s.above.comment("The app as files of the spec change it, where commands can run.")
	s.above.from("", s.publish, name)
	s.above.lines = append(s.above.lines, w.lines...)
	return name
}

// shellEach writes a command for those paths of an entry that are in the app.
func (s *stage) shellEach(w *writer, i int, key string, paths []string, command string) {
	var words []string
	for _, p := range paths {
		for _, found := range s.inApp(p) {
			words = append(words, shellGlob(found.from))
		}
	}
	if len(words) > 0 {
		w.put(fmt.Sprintf("files.%d.%s", i, key), "RUN "+command+" "+strings.Join(words, " "))
	}
}

var plainClass = regexp.MustCompile(`^\[[A-Za-z0-9^.,_-]+\]$`)

// shellGlob makes a word of a command from a path with wildcards.
func shellGlob(p string) string {
	var b strings.Builder
	for p != "" {
		i := strings.IndexAny(p, "*?[")
		if i < 0 {
			return b.String() + shell(p)
		}
		if i > 0 {
			b.WriteString(shell(p[:i]))
		}
		n := 1
		if p[i] == '[' {
			n += max(strings.IndexByte(p[i+1:], ']')+1, 0)
		}
		class := p[i : i+n]
		if n > 1 && !plainClass.MatchString(class) { // quotes in a class keep - and ^ from their meaning
			class = "[" + shell(class[1:n-1]) + "]"
		}
		b.WriteString(class)
		p = p[i+n:]
	}
	return b.String()
}

// ownersInApp gives files of the app the owners that entries of files set. The mode is that of the stage.
func (s *stage) ownersInApp() {
	for i, f := range s.Spec.Files {
		if f.Kind() != spec.Changes || f.Owner == "" {
			continue
		}
		for _, p := range f.Change {
			for _, found := range s.inApp(p) {
				s.again(i, f, s.edited(), found.from, path.Dir(found.to))
			}
		}
	}
}

// again copies a path with another owner and mode to where it is. /./ keeps what is above it as it is.
func (s *stage) again(i int, f spec.File, stage, from, to string) {
	key := fmt.Sprintf("files.%d.", i)
	flags, ok := s.ownership(key, f)
	if !ok {
		return
	}
	src := path.Join(path.Dir(from), ".") + "/./" + path.Base(from)
	if path.Dir(from) == "/" {
		src = "/./" + path.Base(from)
	}
	flags = strings.TrimSpace(strings.TrimPrefix(flags, "--link") + " --parents --from=" + stage)
	dir := plain(strings.TrimSuffix(to, "/") + "/")
	s.put(key+"change", copyLine(flags, word(plain(src)), word(dir)), plain(src), dir)
}

// below tells whether an entry before entry i puts files where a path is.
func (s *stage) below(i int, p string) bool {
	p = path.Clean(p)
	if i := strings.IndexAny(p, "*?["); i >= 0 {
		p = p[:strings.LastIndex(p[:i], "/")+1]
	}
	return slices.ContainsFunc(s.Spec.Files[:i], func(f spec.File) bool {
		if f.Kind() == spec.Removes || f.Kind() == spec.Changes {
			return false
		}
		to := strings.TrimSuffix(path.Clean(cmp.Or(f.Link, f.To)), "/")
		return xllb.Within(to, p)
	})
}

// removeBelow removes files of the base, and of entries before. Only a command on the target can do that.
func (s *stage) removeBelow(i int, f spec.File) {
	var words []string
	for _, p := range f.Remove {
		if !s.onlyInApp(p) || s.below(i, p) {
			words = append(words, shellGlob(path.Clean(p)))
		}
	}
	s.onTarget(fmt.Sprintf("files.%d.remove", i), "rm -rf --", words)
}

// changeBelow changes files of the base without a command. For files of entries before, it needs one on the target.
func (s *stage) changeBelow(i int, f spec.File) {
	var words []string
	for _, p := range f.Change {
		switch {
		case s.below(i, p), !s.onlyInApp(p) && (s.Packages != nil || s.Users.Adds()): // the base alone has other files
			words = append(words, shellGlob(path.Clean(p)))
		case !s.onlyInApp(p):
			s.again(i, f, s.Base.Pin(), path.Clean(p), path.Dir(path.Clean(p)))
		}
	}
	owner := f.Owner
	if owner == "app" {
		owner = s.Config.User()
	}
	if owner != "" && strings.Trim(owner, "0123456789") == "" {
		owner += ":" + owner
	}
	key := fmt.Sprintf("files.%d.change", i)
	if owner != "" {
		s.onTarget(key, "chown -R "+shell(owner)+" --", words)
	}
	if f.Mode != "" {
		s.onTarget(key, "chmod -R "+f.Mode+" --", words)
	}
}

// onTarget writes a command that runs in the image.
func (s *stage) onTarget(key, command string, words []string) {
	if len(words) == 0 {
		return
	}
	s.comment("This runs on the platform of the image, and so may need an emulator. Crosshull needs none.")
	if s.base.User != "" {
		s.line("USER 0")
	}
	s.put(key, "RUN "+command+" "+strings.Join(words, " "))
}
