package check

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/crosshull/crosshull/frontend/spec"
)

var (
	syntaxComment = regexp.MustCompile(`(?m)^#\s*syntax\s*=`)
	checkComment  = regexp.MustCompile(`(?m)^#\s*check\s*=\s*(?:skip|error|experimental)\b`)
)

func missingSyntax(r *run) {
	if r.Source.Name == "" {
		return
	}
	if _, _, _, ok := parser.DetectSyntax(r.Written); ok {
		return
	}
	if loc := syntaxComment.FindIndex(r.shown.Data); loc != nil {
		r.warn(
			at(r.shown, loc[0]),
			"BuildKit does not see this line, because it stops at the first line that is not a directive: make it the first "+
				"line of the file",
		)
		return
	}
	r.warn(
		at(r.shown, 0),
		"no frontend is named, so the file is read as a Dockerfile unless BUILDKIT_SYNTAX names one: write # syntax=%s "+
			"into line 1",
		r.Frontend,
	)
}

func misplacedCheck(r *run) {
	if _, _, _, ok := parser.ParseDirective("check", r.Written); ok {
		return
	}
	if loc := checkComment.FindIndex(r.shown.Data); loc != nil {
		r.warn(
			at(r.shown, loc[0]),
			"this line has no effect, because directives end at the first line that is not one: put it right below # syntax=",
		)
	}
}

func unusedArg(r *run) {
	for _, name := range slices.Sorted(maps.Keys(r.Spec.Args)) {
		if !r.Spec.Uses(name) {
			r.warn(
				r.inSpec("args."+name),
				"build argument %s is declared, but no value uses ${%[1]s}: use it in a value, or remove it",
				name,
			)
		}
	}
}

// msbuildEscape matches a character as MSBuild escapes it. No such text is in a filter that a test framework reads.
var msbuildEscape = regexp.MustCompile(`%(2[0-9A-Fa-f]|3[ABDabd])`)

func escapedTestFilter(r *run) {
	if found := msbuildEscape.FindString(r.Spec.Tests.Filter); found != "" {
		c, _ := url.PathUnescape(found)
		r.warn(r.inSpec("tests.filter"), "tests get the filter as it is: write %q, not %q", c, found)
	}
}

func deprecatedKey(r *run) {
	for _, d := range r.Spec.Deprecated {
		r.warn(r.inSpec(d.Key), "%s is deprecated, and a later version removes it: %s", d.Key, d.Instead)
	}
}

func testProject(r *run) {
	for i := range r.Apps {
		for _, test := range r.Apps[i].Tests {
			r.warn(
				r.where(&r.Apps[i], inKey("project")),
				"%s is a test project, which is not published: name an app here, and this one in tests",
				test,
			)
		}
	}
}

func secretInSpec(r *run) {
	for _, s := range r.secrets() {
		r.warn(r.inSpec(s.key), "%s looks like a secret: %s", s.key, s.why)
	}
}

// secret is a key of the spec whose value looks like one.
type secret struct{ key, why string }

// secrets are all secrets in the spec.
func (f *Facts) secrets() []secret {
	const (
		inImage = "whoever can pull the image can read it, so give it to the container when it starts"
		inBuild = "it stays in the cache and the provenance of the build, so use publish.secrets, which MSBuild sees as " +
			"properties too"
		inArg = "build arguments stay in the history and the provenance of the build, so use publish.secrets, " +
			"tests.secrets or nuget"
	)
	var found []secret
	for name, arg := range f.Spec.Args {
		if isSecretName(name) || isSecret(name, arg.Default) {
			found = append(found, secret{"args." + name, inArg})
		}
	}
	look := func(prefix string, app *spec.App) {
		for _, section := range []struct {
			key    string
			values map[string]string
			why    string
		}{
			{"image.env", app.Image.Env, inImage},
			{"image.labels", app.Image.Labels, inImage},
			{"image.annotations", app.Image.Annotations, inImage},
			{"publish.properties", app.Publish.Properties, inBuild},
		} {
			for name, value := range section.values {
				if key := prefix + section.key + "." + name; f.Spec.Has(key) && isSecret(name, value) {
					found = append(found, secret{key, section.why})
				}
			}
		}
	}
	look("", &f.Spec.App)
	for name, app := range f.Spec.Apps {
		look("apps."+name+".", app)
	}
	slices.SortFunc(found, func(a, b secret) int { return strings.Compare(a.key, b.key) })
	return found
}

var (
	secretWords = []string{
		"password",
		"passwd",
		"pwd",
		"passphrase",
		"secret",
		"token",
		"apikey",
		"credential",
		"credentials",
	}
	secretKeys = []string{
		"access",
		"account",
		"api",
		"encryption",
		"jwt",
		"master",
		"private",
		"secret",
		"shared",
		"signing",
		"storage",
	} // words that may come before "key"
	// secretPart matches a password in a connection string or a URL.
	secretPart = regexp.MustCompile(
		`(?i)(?:^|;)\s*(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*[^\s;$%<{]|://[^/\s:@]+:[^/\s@$%<{][^/\s@]*@`,
	)
	// elsewhere matches a value that only says where a secret is, or whether there is one.
	elsewhere = regexp.MustCompile(`^(?:%[^%]+%|\$\([^)]*\)|<[^>]*>|/.*|(?i:true|false)|)$`)
)

// isSecret tells whether a value is a secret, by its name or by a part of the value.
func isSecret(name, value string) bool {
	return isSecretName(name) && !elsewhere.MatchString(value) || secretPart.MatchString(value)
}

// isSecretName tells whether a name ends with a word for a secret. In another place, the word means something else, as
// in PASSWORD_FILE and TokenLifetime.
func isSecretName(name string) bool {
	words := wordsOf(name)
	n := len(words)
	if n == 0 || slices.Contains(words, "public") {
		return false
	}
	last := words[n-1]
	return slices.Contains(secretWords, last) ||
		n > 1 && (last == "key" || last == "keys") && slices.Contains(secretKeys, words[n-2])
}

// wordsOf splits a name at characters that are not letters, and before capital letters: DB_PASSWORD and Db__Password
// are equal.
func wordsOf(name string) []string {
	var words []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, strings.ToLower(word.String()))
			word.Reset()
		}
	}
	lower := false // whether the letter before is lower case
	for _, c := range name {
		if !unicode.IsLetter(c) {
			end()
			lower = false
			continue
		}
		if unicode.IsUpper(c) && lower {
			end()
		}
		word.WriteRune(c)
		lower = unicode.IsLower(c)
	}
	end()
	return words
}

// Shown is the file of the spec with stars in place of its secrets.
func (f *Facts) Shown() Source {
	secrets := f.secrets()
	if f.Source.Name == "" || len(secrets) == 0 {
		return f.Source
	}
	lines := strings.SplitAfter(string(f.Source.Data), "\n")
	indent := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	for _, s := range secrets {
		name := s.key[strings.LastIndexByte(s.key, '.')+1:]
		r := f.Spec.Range(s.key)
		first := lines[r.Start-1]
		for n := r.Start; n <= len(lines); n++ {
			line := lines[n-1]
			// A value includes all following lines with a deeper indent, whatever YAML makes of them.
			if n > r.End && strings.TrimSpace(line) == "" {
				continue
			}
			if n > r.End && indent(line) <= indent(first) {
				break
			}
			kept := ""
			if before, _, ok := strings.Cut(line, name); ok && n == r.Start {
				kept = before + name + ": "
			}
			lines[n-1] = kept + "***" + line[len(strings.TrimRight(line, "\r\n")):]
		}
	}
	return Source{f.Source.Name, []byte(strings.Join(lines, ""))}
}
