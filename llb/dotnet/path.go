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

// PathError says that a project cannot be built because of a character in its path.
type PathError struct {
	Path string // of the project, relative to the context
	Part string // the folder or file with the character in its name
	Char string // the character, or several with one meaning
	why  string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("%s: %s has %s in its name, %s: rename it",
		visible(e.Path), visible(e.Part), visible(e.Char), e.why)
}

// visible is text on one line. It is in quotes if you could not see all of it otherwise.
func visible(s string) string {
	unseen := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
	if strings.ContainsFunc(s, unseen) || strings.TrimSpace(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// pathRule finds what a path must not contain. Each rule was tried with `dotnet publish` of SDK 10 in such a folder.
type pathRule struct {
	found *regexp.Regexp
	why   string
}

const (
	msbuildTakes = "which has a special meaning to MSBuild in the path of a project"
	cscFails     = "which breaks the command line of the compiler"
	cscLoses     = "which the compiler leaves out of the paths of assemblies"
	assetsFail   = "with which the SDK cannot make static web assets"
)

var (
	// Microsoft.Common.props imports obj/NAME.*.props by a pattern, in which the first three characters mean something
	// (MSB4019). A backslash is a slash. Properties with the path are read as item lists.
	everywhere = []pathRule{
		{regexp.MustCompile(`[*?:\\]`), msbuildTakes},
		{regexp.MustCompile(`@\(\s*[A-Za-z_].*\)`), msbuildTakes},
	}
	// NuGet's restore and the targets that look for its output do not unescape the folder equally often (NETSDK1004).
	inFolders = []pathRule{{regexp.MustCompile(`%[0-9A-Fa-f]{2}`), msbuildTakes}}
	// The compiler's command line has paths that contain the name of the project (MSB6001, CS2001, CS2021).
	inNames = []pathRule{{regexp.MustCompile(`["|\x00-\x1f]|^ `), cscFails}}
	// It also has the paths of referenced projects (CS0006).
	inReferenced = []pathRule{{regexp.MustCompile(`[|\x00-\x1f]`), cscLoses}}
	// Task ApplyCompressionNegotiation and the compressor of static web assets fail (MSB4018, MSB6006).
	withAssets = []pathRule{{regexp.MustCompile(`[;"]`), assetsFail}}
)

// CheckPath returns a [*PathError] for a project that MSBuild can never build at this path, because it gives a
// character in the path another meaning. p is relative to the context.
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
			return &PathError{p, part, "a byte that is not UTF-8", "which .NET cannot read"}
		}
	}
	return nil
}

// CheckPaths returns a [*PathError] for a restored app if one of its projects cannot be built at its path. assets says
// whether it has static web assets, see [Assets.Has].
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

// CheckQuestions is [CheckPath] for all projects that MSBuild evaluates to answer questions. files are the project
// files of the context.
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

// asked are the projects that the evaluator reads for p.
func (p Project) asked(files Files) []string {
	switch {
	case IsProject(p.Path):
		return []string{p.Path}
	case IsSolution(p.Path): // MSBuild says which
		return nil
	}
	var names []string
	for name := range files {
		inFolder := p.Path == "" || strings.HasPrefix(name, p.Path+"/")
		if inFolder && slices.Contains([]string{".csproj", ".fsproj", ".vbproj"}, path.Ext(name)) {
			names = append(names, name)
		}
	}
	if len(names) == 0 && p.Path != "" { // a folder that crosshull makes for a file-based app
		return []string{path.Join(p.Path, path.Base(p.Path)+".csproj")}
	}
	slices.Sort(names)
	return names
}
