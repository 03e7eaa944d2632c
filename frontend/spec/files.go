package spec

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Kind is what an entry of files does.
type Kind int

// The kinds of entries. Their keys tell them apart.
const (
	Copies Kind = iota
	MakesFolder
	Links
	Removes
	Changes
)

// Kind gives what the entry does.
func (f File) Kind() Kind {
	switch {
	case len(f.Remove) > 0:
		return Removes
	case len(f.Change) > 0:
		return Changes
	case f.Link != "":
		return Links
	case len(f.From) == 0 && f.Context == "" && f.Image == "":
		return MakesFolder
	}
	return Copies
}

// Place is the path in the image that the entry writes to: for a link, its folder. For what the entry removes or
// changes, it is each path, up to a part with wildcards.
func (f File) Place() []string {
	switch f.Kind() {
	case Removes:
		return fixed(f.Remove)
	case Changes:
		return fixed(f.Change)
	case Links: // a link at this path is replaced, not followed
		return []string{strings.TrimSuffix(path.Dir(path.Clean(f.Link)), "/") + "/"}
	}
	return []string{f.To}
}

// fixed gives paths, and for one with wildcards the folder that they look into.
func fixed(paths []string) []string {
	var all []string
	for _, p := range paths {
		if i := strings.IndexAny(p, wildcards); i >= 0 {
			p = p[:strings.LastIndex(p[:i], "/")+1]
		}
		all = append(all, p)
	}
	return all
}

// String says what the entry does, in a few words. An address has no query, which may have a token.
func (f File) String() string {
	some := func(paths []string) string { return strings.Join(paths, ", ") }
	of := ""
	switch {
	case f.Image != "":
		of = " of " + f.Image
	case f.Context != "":
		of = " of context " + f.Context
	}
	switch f.Kind() {
	case Removes:
		return "remove " + some(f.Remove)
	case Changes:
		return "change " + some(f.Change)
	case Links:
		return "link " + f.Link + " to " + f.To
	case MakesFolder:
		return "make folder " + f.To
	}
	what := "copy"
	if f.Unpack {
		what = "unpack"
	}
	var from []string
	for _, p := range f.From {
		from = append(from, ShownURL(p))
	}
	return what + " " + cmp.Or(some(from), "all") + of + " to " + f.To
}

// ShownURL is an address as logs and reports show it: without its query, which may have a token. A path stays.
func ShownURL(from string) string {
	if !IsURL(from) {
		return from
	}
	before, fragment, _ := strings.Cut(withoutUser(from), "#")
	before, _, _ = strings.Cut(before, "?")
	if fragment != "" {
		before += "#" + fragment
	}
	return before
}

// wildcards are the characters that COPY takes for a part of a name. A backslash is no part of a path.
const wildcards = "*?["

// HasWildcards tells whether a path is a pattern.
func HasWildcards(p string) bool { return strings.ContainsAny(p, wildcards) }

// IsURL tells whether a value of files.from is an address.
func IsURL(from string) bool {
	return strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://")
}

var gitRepository = regexp.MustCompile(`^https?://[^?#]+\.git([?#].*)?$`)

// IsGit tells whether a value of files.from is the address of a git repository. It is for ADD, too (BuildKit's
// dfgitutil.ParseGitRef).
func IsGit(from string) bool { return gitRepository.MatchString(from) }

// For gives the checksum for a platform: that of one of its names, such as linux/arm/v7, arm/v7 and linux/arm, of its
// architecture, or the one for all platforms.
func (c Checksums) For(p ocispecs.Platform) string {
	p = platforms.Normalize(p)
	for _, key := range slices.Sorted(maps.Keys(c)) {
		named, err := platforms.Parse("linux/" + strings.TrimPrefix(key, "linux/"))
		if err == nil && strings.Contains(key, "/") && platforms.Format(platforms.Normalize(named)) == platforms.Format(p) {
			return c[key]
		}
	}
	if sum, ok := c[p.Architecture]; ok {
		return sum
	}
	return c[""]
}

// architectures are those that Linux images exist for.
var architectures = strings.Fields("386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64le riscv64 s390x")

// isPlatform tells whether a key of checksums is one that [Checksums.For] may look for.
func isPlatform(name string) bool {
	arch, variant, _ := strings.Cut(strings.TrimPrefix(name, "linux/"), "/")
	return slices.Contains(architectures, arch) && !strings.Contains(variant, "/")
}

// withoutUser leaves the user and the password out of an address.
func withoutUser(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text
	}
	host, after := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, after = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = "…" + host[i:]
	}
	return scheme + "://" + host + after
}

func noFrom(v string) string {
	if IsURL(v) {
		u, err := url.Parse(v)
		switch {
		case err != nil || u.Host == "":
			return "the address has no host, or cannot be read"
		case u.User != nil:
			return "an address has no user or password: for a git repository, give a token as the secret GIT_AUTH_TOKEN"
		}
		return ""
	}
	if strings.Contains(v, "://") {
		return "only https:// and http:// are known"
	}
	if why := noWildcards(v); why != "" {
		return why
	}
	return noPath(strings.TrimLeft(v, "/"))
}

func noBelow(v string) string {
	if path.IsAbs(v) && path.Clean(v) == "/" {
		return "that is all of the image"
	}
	return noWildcards(v)
}

// noWildcards says what is wrong with the wildcards of a path.
func noWildcards(v string) string {
	if strings.Contains(v, "**") {
		return "** matches no more than *, as in COPY: name each folder"
	}
	if _, err := path.Match(v, ""); err != nil {
		return "a [ without ]: write [[] for the character ["
	}
	return ""
}

// beside are the keys that the entry of a kind may have. MakesFolder is a copy without a source.
var beside = map[Kind]struct{ what, keys string }{
	Copies:      {"a copy", "context image from exclude checksum unpack strip to mode owner"},
	MakesFolder: {"an empty folder (there is no from)", "to mode owner"},
	Links:       {"link", "link to"},
	Removes:     {"remove", "remove"},
	Changes:     {"change", "change mode owner"},
}

// files checks which keys of the entries of files go together.
func (d *decoder) files() {
	d.filesOf("files", d.into.Files)
	for _, name := range slices.Sorted(maps.Keys(d.into.Apps)) {
		if key := "apps." + name + ".files"; d.into.Has(key) { // otherwise the app inherits them
			d.filesOf(key, d.into.Apps[name].Files)
		}
	}
}

func (d *decoder) filesOf(key string, files []File) {
	for i, f := range files {
		path := fmt.Sprintf("%s.%d", key, i)
		if at, why := wrongFile(f); why != "" && !d.isWrong(path) {
			if at != "" {
				why = where(path) + ": " + why
			}
			d.fail(d.into.Range(strings.TrimSuffix(join(path, at), ".")), why)
		}
	}
}

// isWrong tells whether a value has a mistake already.
func (d *decoder) isWrong(path string) bool {
	at := d.into.Range(path)
	return slices.ContainsFunc(d.errs, func(e *Error) bool {
		return at.Start <= e.Range.Start && e.Range.End <= at.End
	})
}

// wrongFile says which keys of an entry do not go together, and names the one at fault.
func wrongFile(f File) (key, why string) {
	has := func(key string) bool {
		v := reflect.ValueOf(f).FieldByIndex(sections[reflect.TypeFor[File]()].fields[key].index)
		return !v.IsZero()
	}
	kind := f.Kind()
	allowed := strings.Fields(beside[kind].keys)
	for _, key := range sections[reflect.TypeFor[File]()].keys {
		if !has(key) || slices.Contains(allowed, key) {
			continue
		}
		return key, fmt.Sprintf("%s does not go with %s: it takes %s", key, beside[kind].what,
			strings.Join(allowed, ", "))
	}
	switch {
	case f.To == "" && kind == Links:
		return "", "a link in files needs the key to: the absolute path that it leads to"
	case f.To == "" && kind != Removes && kind != Changes:
		return "", "an entry of files needs the key to: add an absolute path in the image, as in to: /data"
	case kind == Changes && f.Mode == "" && f.Owner == "":
		return "change", "change needs mode or owner: what the files get"
	case f.Strip > 0 && !f.Unpack:
		return "strip", "strip is for archives: it needs unpack: true"
	case f.Unpack && len(f.From) == 0:
		return "unpack", "unpack needs from: the archive"
	case f.Context != "" && f.Image != "":
		return "", "" // shapes reports this
	}
	return f.wrongFrom()
}

// wrongFrom says what is wrong with where an entry copies from.
func (f File) wrongFrom() (key, why string) {
	urls := 0
	for _, from := range f.From {
		switch {
		case IsURL(from):
			urls++
		case f.Context == "" && f.Image == "" && path.IsAbs(from):
			return "from", show(from) + " must be a path relative to the build context: only an image and another context " +
				"have absolute paths"
		}
	}
	switch {
	case urls > 0 && (f.Context != "" || f.Image != ""):
		return "from", "an address is in no context and no image: leave out the other key"
	case urls > 0 && len(f.From) > 1:
		return "from", "an address must be the only one: write an entry for each"
	case urls == 0 && len(f.Checksum) > 0:
		return "checksum", "checksum is for an address in from: BuildKit knows the content of all other files"
	case len(f.From) > 1 && !strings.HasSuffix(f.To, "/"):
		return "to", "several files go into a folder: write a / at the end of to"
	case len(f.From) != 1 || urls == 0:
		return "", ""
	}
	git := IsGit(f.From[0])
	for _, name := range slices.Sorted(maps.Keys(f.Checksum)) {
		if name != "" && !isPlatform(name) {
			return "checksum", show(name) + " in checksum is no platform: write an architecture such as amd64 or arm64, or a " +
				"platform such as linux/arm/v7"
		}
	}
	for _, sum := range f.Checksum {
		if isFile := strings.HasPrefix(sum, "sha256:"); isFile == git {
			if git {
				return "checksum", "the checksum of a git repository is a commit, without sha256:"
			}
			return "checksum", "the checksum of a file begins with sha256:"
		}
	}
	if git {
		return f.wrongGit()
	}
	return "", ""
}

// wrongGit says what is wrong with an entry that copies from a git repository. The address may have a query, as in ADD.
func (f File) wrongGit() (key, why string) {
	if f.Unpack {
		return "unpack", "a git repository is no archive"
	}
	ref, _, err := dfgitutil.ParseGitRef(f.From[0])
	if err != nil { // BuildKit says it
		return "", ""
	}
	if ref.KeepGitDir != nil && *ref.KeepGitDir {
		return "from", "the address has keep-git-dir, but files of a git repository come without .git: remove it"
	}
	for _, name := range slices.Sorted(maps.Keys(f.Checksum)) {
		if sum := f.Checksum[name]; !strings.HasPrefix(sum, ref.Checksum) {
			return "checksum", fmt.Sprintf("the address names commit %s, and checksum names commit %s: keep one of them",
				plain(ref.Checksum), sum)
		}
	}
	return "", ""
}
