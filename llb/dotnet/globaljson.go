package dotnet

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// GlobalJSON is what a global.json says about the SDK (https://learn.microsoft.com/dotnet/core/tools/global-json). It
// is read as hostfxr reads it, which starts the SDK (dotnet/runtime, src/native/corehost/fxr/sdk_resolver.cpp).
type GlobalJSON struct {
	Version         string
	RollForward     string // with the default of hostfxr: patch with a version, latestMajor without
	AllowPrerelease bool
	// Paths are the folders where hostfxr looks for the SDK. If they are nil, it looks where dotnet itself is. SDKs before
	// 10 do not know them.
	Paths []string
	// ErrorMessage is what the file says to users who lack the SDK.
	ErrorMessage string
	// Line is the line of the version or, without one, of the sdk section. If something is wrong, it is the line of that.
	Line int
	// Ignored says why hostfxr ignores the file. It is empty if hostfxr does not.
	Ignored string

	broken bool // hostfxr ignores it, and dotnet of SDK 10 and later fails
}

var rollForwards = []string{
	"disable",
	"patch",
	"feature",
	"minor",
	"major",
	"latestPatch",
	"latestFeature",
	"latestMinor",
	"latestMajor",
}

// ParseGlobalJSON reads a global.json. For a file without an sdk section it returns nil.
func ParseGlobalJSON(dt []byte) *GlobalJSON {
	if bytes.HasPrefix(dt, []byte{0xff, 0xfe}) || bytes.HasPrefix(dt, []byte{0xfe, 0xff}) {
		return &GlobalJSON{Line: 1, Ignored: "it is UTF-16, not UTF-8"}
	}
	text := plainJSON(dt, false)
	var value json.RawMessage
	if syntax := (*json.SyntaxError)(nil); errors.As(json.Unmarshal(text, &value), &syntax) {
		line := 1 + bytes.Count(text[:max(syntax.Offset-1, 0)], []byte("\n"))
		return &GlobalJSON{Line: line, Ignored: "not valid JSON: " + syntax.Error(), broken: true}
	}
	members, ok := member{value: text, from: 1}.members()
	if !ok {
		return &GlobalJSON{Line: 1, Ignored: "not a JSON object", broken: true}
	}
	sdk, ok := members["sdk"]
	if !ok || sdk.null() {
		return nil
	}
	g := &GlobalJSON{AllowPrerelease: true, Line: sdk.line}
	if err := g.read(sdk); err != nil {
		return &GlobalJSON{Line: g.Line, Ignored: err.Error()}
	}
	return g
}

// read reads the sdk section in the order of hostfxr. The error says why hostfxr ignores the file. Line is then the
// line of the member that is wrong.
func (g *GlobalJSON) read(sdk member) error {
	members, ok := sdk.members()
	if !ok {
		return errors.New(`sdk has to be an object, as in "sdk": {"version": "10.0.100"}`)
	}
	take := func(name, kind string, value any) (found bool, err error) {
		m, ok := members[name]
		if !ok || m.null() {
			return false, nil
		}
		if err := json.Unmarshal(m.value, value); err != nil {
			g.Line = m.line
			return false, fmt.Errorf("sdk.%s has to be %s", name, kind)
		}
		return true, nil
	}
	g.RollForward = "latestMajor"
	found, err := take("version", "a string", &g.Version)
	if err != nil {
		return err
	}
	if found {
		g.Line, g.RollForward = members["version"].line, "patch"
		if _, err := parseSDKVersion(g.Version); err != nil {
			return err
		}
	}
	found, err = take("rollForward", "a string", &g.RollForward)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(rollForwards, func(s string) bool { return strings.EqualFold(s, g.RollForward) }); i >= 0 {
		g.RollForward = rollForwards[i]
	} else {
		g.Line = members["rollForward"].line
		return fmt.Errorf("rollForward %q is not known: use %s", g.RollForward, strings.Join(rollForwards, ", "))
	}
	if found && g.Version == "" && g.RollForward != "latestMajor" {
		g.Line = members["rollForward"].line
		return fmt.Errorf("rollForward %s has no version to start from: add sdk.version", g.RollForward)
	}
	if _, err := take("allowPrerelease", "true or false", &g.AllowPrerelease); err != nil {
		return err
	}
	var paths []any
	if found, err = take("paths", "a list", &paths); err != nil {
		return err
	}
	if found {
		g.Paths = []string{}
	}
	for _, p := range paths {
		if p, ok := p.(string); ok { // hostfxr skips others
			g.Paths = append(g.Paths, p)
		}
	}
	_, err = take("errorMessage", "a string", &g.ErrorMessage)
	return err
}

// member is a value in a JSON file, with the line of its name and the line where it begins.
type member struct {
	value      json.RawMessage
	line, from int
}

func (m member) null() bool { return string(m.value) == "null" }

// members are the members of an object of valid JSON, as hostfxr finds them: case matters, and the first of a name
// wins.
func (m member) members() (all map[string]member, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(m.value))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, false
	}
	line := func(offset int64) int { return m.from + bytes.Count(m.value[:offset], []byte("\n")) }
	all = map[string]member{}
	for dec.More() {
		name, _ := dec.Token()
		one := member{line: line(dec.InputOffset())}
		if err := dec.Decode(&one.value); err != nil {
			return nil, false
		}
		one.from = line(dec.InputOffset() - int64(len(one.value)))
		if name, _ := name.(string); all[name].value == nil {
			all[name] = one
		}
	}
	return all, true
}

// Tags are the tags of SDK images that may satisfy g, the best first. A tag with an exact version exists if Microsoft
// released that version as an image. A tag of a channel (10.0) is the newest image of that channel. needed is the tag
// of the SDK that the projects need.
func (g *GlobalJSON) Tags(needed string) []string {
	v, err := parseSDKVersion(g.Version)
	if err != nil { // there is no version
		return []string{needed}
	}
	exact := []string{v.tag()}
	channels := []string{v.channel()}
	if v.label != "" {
		channels = append(channels, v.channel()+"-preview") // Microsoft's tag for release candidates too
	}
	latest := []string{newest(v.channel(), needed)}
	others := slices.DeleteFunc(slices.Clone(channels), func(tag string) bool { return tag == latest[0] })
	switch g.RollForward {
	case "disable":
		return exact
	case "latestFeature", "latestMinor":
		return append(channels, exact...)
	case "latestMajor":
		return slices.Concat(latest, others, exact)
	case "major":
		return slices.Concat(exact, others, latest)
	default: // patch, feature, minor, latestPatch: the exact version is enough, and its tag never moves
		return append(exact, channels...)
	}
}

// Channel is the tag of the newest image of the version's channel; empty if g names no version.
func (g *GlobalJSON) Channel() string {
	v, err := parseSDKVersion(g.Version)
	if err != nil {
		return ""
	}
	return v.channel()
}

// Fails says why dotnet of an SDK image with version have does not run at all, whatever version the file asks for. It
// is empty if dotnet runs.
func (g *GlobalJSON) Fails(have string) string {
	if h, err := parseSDKVersion(have); err == nil && h.major < 10 {
		return "" // it reads neither the paths nor a file that hostfxr ignores
	}
	inImage := func(p string) bool { return p == "$host$" || path.IsAbs(p) }
	switch {
	case g.broken:
		return g.Ignored
	case g.Paths != nil && !slices.ContainsFunc(g.Paths, inImage):
		return `sdk.paths names no folder of the SDK image: add "$host$", which is where dotnet itself is`
	}
	return ""
}

// Satisfied tells whether g accepts an SDK of version have, by the rules of the SDK's resolver.
func (g *GlobalJSON) Satisfied(have string) bool {
	h, err := parseSDKVersion(have)
	if err != nil {
		return true // the image does not tell its version, so the SDK decides
	}
	if g.Version == "" {
		return h.label == "" || g.AllowPrerelease
	}
	w, err := parseSDKVersion(g.Version)
	if err != nil {
		return false
	}
	if h.label != "" && !g.AllowPrerelease && w.label == "" {
		return false
	}
	if h.compare(w) < 0 {
		return false
	}
	same := h.major == w.major && h.minor == w.minor
	switch g.RollForward {
	case "disable":
		return h.compare(w) == 0
	case "patch", "latestPatch":
		return same && h.patch/100 == w.patch/100
	case "feature", "latestFeature":
		return same
	case "minor", "latestMinor":
		return h.major == w.major
	default:
		return true
	}
}

// Advice says what to change so that g accepts an SDK of version have.
func (g *GlobalJSON) Advice(have string) string {
	h, err := parseSDKVersion(have)
	if err != nil {
		return ""
	}
	for _, policy := range []string{"latestPatch", "latestFeature", "latestMinor", "latestMajor"} {
		looser := *g
		looser.RollForward = policy
		if slices.Index(rollForwards, policy) > slices.Index(rollForwards, g.RollForward) && looser.Satisfied(have) {
			return fmt.Sprintf(`"rollForward": "%s" would accept it`, policy)
		}
	}
	return fmt.Sprintf(`"version": "%d.%d.%d" would accept it`, h.major, h.minor, h.patch/100*100)
}

// sdkVersion is a version of the SDK: 10.0.401, or 11.0.100-rc.1.25451.107.
type sdkVersion struct {
	major, minor, patch int
	label               string // rc.1.25451.107
}

// sdkVersionPattern is a version as hostfxr reads it (src/native/corehost/fxr/fx_ver.cpp): a semantic version, whose
// numbers have no leading zeros.
var sdkVersionPattern = func() *regexp.Regexp {
	const number, label, build = `(?:0|[1-9]\d{0,8})`, `(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)`, `[0-9A-Za-z-]+`
	list := func(part string) string { return part + `(?:\.` + part + `)*` }
	return regexp.MustCompile(
		`^(` + number + `)\.(` + number + `)\.(` + number + `)(?:-(` + list(label) + `))?(?:\+` + list(build) + `)?$`)
}()

func parseSDKVersion(s string) (sdkVersion, error) {
	m := sdkVersionPattern.FindStringSubmatch(s)
	if m == nil {
		return sdkVersion{}, fmt.Errorf("%q is not a version of the SDK, such as 10.0.100", s)
	}
	n := func(s string) int { i, _ := strconv.Atoi(s); return i } // the pattern allows digits only
	return sdkVersion{n(m[1]), n(m[2]), n(m[3]), m[4]}, nil
}

func (v sdkVersion) channel() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

// tag is the tag of the image. For a preview, it has only the kind and the number, not the build.
func (v sdkVersion) tag() string {
	t := fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.patch)
	if v.label != "" {
		parts := strings.Split(v.label, ".")
		t += "-" + strings.Join(parts[:min(2, len(parts))], ".")
	}
	return t
}

func (v sdkVersion) compare(w sdkVersion) int {
	if c := cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch)); c != 0 {
		return c
	}
	if v.label == "" || w.label == "" { // a release is newer than its previews
		return cmp.Compare(len(w.label), len(v.label))
	}
	return slices.CompareFunc(strings.Split(v.label, "."), strings.Split(w.label, "."), func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		if errX == nil && errY == nil {
			return cmp.Compare(x, y)
		}
		return cmp.Compare(a, b)
	})
}

// newest returns the higher of two channels.
func newest(a, b string) string {
	x, errX := parseSDKVersion(a + ".0")
	y, errY := parseSDKVersion(b + ".0")
	if errX != nil || errY == nil && x.compare(y) < 0 {
		return b
	}
	return a
}

// NearestGlobalJSON is the global.json that the SDK finds for a project, a folder or a solution of the context: the
// nearest, from its folder upwards. It is empty if there is none.
func NearestGlobalJSON(files Files, project string) string {
	if !IsProject(project) && !IsSolution(project) && path.Ext(project) != ".cs" {
		project = path.Join(project, "of the folder")
	}
	return files.Nearest(project, "global.json")
}

var (
	frameworkElement = regexp.MustCompile(`<TargetFrameworks?\b[^>]*>([^<]*)<|#:property\s+TargetFramework=(\S+)`)
	netFramework     = regexp.MustCompile(`(?i)\bnet(\d+\.\d+)\b`)
)

// SDKFor returns the tag of the SDK image for projects without a global.json: the newest TargetFramework that their
// files name, but at least [DefaultSDK], which builds all older ones. projects are files or folders of the context; an
// empty one is not known yet. Only an SDK can evaluate a project, so this reads texts. If neither the projects nor what
// MSBuild imports from the folders above them names a framework, all files count.
func SDKFor(files Files, projects ...string) string {
	all, own := DefaultSDK, ""
	for name, dt := range files {
		for _, element := range frameworkElement.FindAll(comment.ReplaceAll(dt, nil), -1) {
			for _, m := range netFramework.FindAllSubmatch(element, -1) {
				if all = newest(all, string(m[1])); slices.ContainsFunc(projects, func(p string) bool { return isOwn(name, p) }) {
					own = newest(cmp.Or(own, DefaultSDK), string(m[1]))
				}
			}
		}
	}
	return cmp.Or(own, all)
}

var comment = regexp.MustCompile(`(?s)<!--.*?-->`)

// TargetLine is the line of a file for which [SDKFor] gives the SDK with a tag; 0 if no line does.
func TargetLine(file []byte, tag string) int {
	newline := []byte("\n")
	file = comment.ReplaceAllFunc(file, func(c []byte) []byte { return bytes.Repeat(newline, bytes.Count(c, newline)) })
	for _, at := range frameworkElement.FindAllIndex(file, -1) {
		for _, m := range netFramework.FindAllSubmatchIndex(file[at[0]:at[1]], -1) {
			if string(file[at[0]+m[2]:at[0]+m[3]]) == tag {
				return 1 + bytes.Count(file[:at[0]+m[2]], newline)
			}
		}
	}
	return 0
}

// isOwn tells whether a file is a project, or what MSBuild imports into it from the folders above.
func isOwn(name, project string) bool {
	if project == "" {
		return false
	}
	dir := path.Dir(name)
	if IsProject(name) {
		return name == path.Clean(project) || dir == path.Clean(project)
	}
	return name == path.Clean(project) || strings.HasPrefix(path.Base(name), "Directory.") &&
		slices.Contains(slices.Collect(foldersOf(path.Join(project, "of the folder"))), dir)
}

// plainJSON turns .NET's dialect of JSON into JSON. Comments (// and /* */) become spaces, so line numbers stay the
// same. With commas, so do commas before a closing bracket.
func plainJSON(dt []byte, commas bool) []byte {
	out := bytes.TrimPrefix(slices.Clone(dt), []byte("\ufeff"))
	blank := func(from, to int) {
		for i := from; i < to && i < len(out); i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	inString, comma := false, -1
	for i := 0; i < len(out); i++ {
		c := out[i]
		switch {
		case inString:
			switch c {
			case '\\':
				i++
			case '"':
				inString = false
			}
		case c == '"':
			inString, comma = true, -1
		case c == '/' && i+1 < len(out) && out[i+1] == '/':
			end := bytes.IndexByte(out[i:], '\n')
			if end < 0 {
				end = len(out) - i
			}
			blank(i, i+end)
		case c == '/' && i+1 < len(out) && out[i+1] == '*':
			end := bytes.Index(out[i:], []byte("*/"))
			if end < 0 {
				end = len(out) - i - 2
			}
			blank(i, i+end+2)
			i += end + 1
		case c == ',':
			comma = i
		case c == '}' || c == ']':
			if comma >= 0 && commas {
				out[comma] = ' '
			}
			comma = -1
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			comma = -1
		}
	}
	return out
}
