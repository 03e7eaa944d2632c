package dotnet

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PathError says that a project cannot be built where it is, because of a character in its path.
type PathError struct {
	Path string // of the project, relative to the context
	Part string // the folder or file that has the character in its name
	Char string // the character, or a few that mean something together
	why  string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("%s: %s has %s in its name, %s: rename it",
		visible(e.Path), visible(e.Part), visible(e.Char), e.why)
}

// visible is text on one line, in quotes where it would not be seen whole.
func visible(s string) string {
	unseen := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
	if strings.ContainsFunc(s, unseen) || strings.TrimSpace(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// pathRule finds what a path must not have. Each was tried with `dotnet publish` in that folder, of SDK 10.
type pathRule struct {
	found *regexp.Regexp
	why   string
}

const (
	msbuildTakes = "which means something to MSBuild in the path of a project"
	cscFails     = "with which the compiler cannot be called"
	cscLoses     = "which the compiler leaves out of the paths of assemblies"
	assetsFail   = "with which the SDK cannot make static web assets"
)

var (
	// Microsoft.Common.props imports obj/NAME.*.props by a pattern, which the first three are part of, or no part of a
	// pattern (MSB4019); a backslash is a slash; and properties with the path are read as item lists.
	everywhere = []pathRule{
		{regexp.MustCompile(`[*?:\\]`), msbuildTakes},
		{regexp.MustCompile(`@\(\s*[A-Za-z_].*\)`), msbuildTakes},
	}
	// The restore of NuGet and the targets that look for what it made unescape the folder once more than each other
	// (NETSDK1004).
	inFolders = []pathRule{{regexp.MustCompile(`%[0-9A-Fa-f]{2}`), msbuildTakes}}
	// What the name of a project becomes part of is named on the command line of the compiler (MSB6001, CS2001,
	// CS2021).
	inNames = []pathRule{{regexp.MustCompile(`["|\x00-\x1f]|^ `), cscFails}}
	// So are what others reference (CS0006).
	inReferenced = []pathRule{{regexp.MustCompile(`[|\x00-\x1f]`), cscLoses}}
	// ApplyCompressionNegotiation and the compressor of static web assets (MSB4018, MSB6006).
	withAssets = []pathRule{{regexp.MustCompile(`[;"]`), assetsFail}}
)

// CheckPath gives a [*PathError] for a project that MSBuild can build under no circumstances where it is, as there is a
// character in its path that it takes for something else. p is relative to the context.
func CheckPath(p string) error {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		rules := slices.Concat(everywhere, inFolders)
		if i == len(parts)-1 {
			rules = slices.Concat(everywhere, inNames)
		}
		if err := checkPart(p, part, rules); err != nil {
			return err
		}
		if !utf8.ValidString(part) {
			return &PathError{p, part, "a byte that is no UTF-8", "which .NET cannot read"}
		}
	}
	return nil
}

// CheckPaths gives a [*PathError] for a restored app with a project, of those that it is built from, that cannot be
// part of it where it is. assets says whether it has static web assets, see [Assets.Has].
func (app *App) CheckPaths(assets bool) error {
	for _, n := range app.Closure {
		if err := CheckPath(n.Path); err != nil {
			return err
		}
		var rules []pathRule
		if n.Path != app.Path {
			rules = append(rules, inReferenced...)
		}
		if assets {
			rules = append(rules, withAssets...)
		}
		for part := range strings.SplitSeq(path.Dir(n.Path), "/") {
			if err := checkPart(n.Path, part, rules); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkPart(p, part string, rules []pathRule) error {
	for _, rule := range rules {
		if found := rule.found.FindString(part); found != "" {
			return &PathError{p, part, found, rule.why}
		}
	}
	return nil
}

// CheckQuestions is [CheckPath] for all projects that questions can be about, as MSBuild evaluates them to answer.
// files are the project files of the context.
func CheckQuestions(projects []Project, files Files) error {
	for _, p := range projects {
		for _, name := range p.asked(files) {
			if err := CheckPath(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// asked are the projects that describe.proj asks for p.
func (p Project) asked(files Files) []string {
	switch {
	case isProject(p.Path):
		return []string{p.Path}
	case p.Candidates != nil || IsSolution(p.Path):
		return p.Candidates
	}
	var names []string
	for name := range files {
		inFolder := p.Path == "" || strings.HasPrefix(name, p.Path+"/")
		if inFolder && slices.Contains([]string{".csproj", ".fsproj", ".vbproj"}, path.Ext(name)) {
			names = append(names, name)
		}
	}
	if len(names) == 0 && p.Path != "" { // a folder that is made for a file-based app
		return []string{path.Join(p.Path, path.Base(p.Path)+".csproj")}
	}
	slices.Sort(names)
	return names
}
