package dotnet

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// GlobalJSON is what a global.json says about the SDK (https://learn.microsoft.com/dotnet/core/tools/global-json).
type GlobalJSON struct {
	Version         string
	RollForward     string // with the default of the SDK's resolver: latestPatch with a version, latestMajor without
	AllowPrerelease bool
	Line            int // of the version, or of the sdk section
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

// ParseGlobalJSON reads a global.json. Like the SDK, it allows comments and trailing commas. For a file without an sdk
// section it returns nil.
func ParseGlobalJSON(dt []byte) (*GlobalJSON, error) {
	var doc struct {
		SDK *struct {
			Version         string
			RollForward     string
			AllowPrerelease *bool
		}
	}
	if err := json.Unmarshal(withoutComments(dt), &doc); err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if doc.SDK == nil {
		return nil, nil
	}
	g := &GlobalJSON{Version: doc.SDK.Version, RollForward: doc.SDK.RollForward, AllowPrerelease: true, Line: 1}
	for _, key := range []string{`"sdk"`, `"version"`} {
		if i := bytes.Index(dt, []byte(key)); i >= 0 && (key != `"version"` || g.Version != "") {
			g.Line = 1 + bytes.Count(dt[:i], []byte("\n"))
		}
	}
	if doc.SDK.AllowPrerelease != nil {
		g.AllowPrerelease = *doc.SDK.AllowPrerelease
	}
	if g.Version == "" && g.RollForward == "" {
		g.RollForward = "latestMajor"
	}
	if g.RollForward == "" {
		g.RollForward = "latestPatch"
	}
	i := slices.IndexFunc(rollForwards, func(s string) bool { return strings.EqualFold(s, g.RollForward) })
	if i < 0 {
		return g, fmt.Errorf("rollForward %q is not known: use %s", g.RollForward, strings.Join(rollForwards, ", "))
	}
	g.RollForward = rollForwards[i]
	if g.Version != "" {
		if _, err := parseSDKVersion(g.Version); err != nil {
			return g, err
		}
	} else if g.RollForward != "latestMajor" {
		return g, fmt.Errorf("rollForward %s needs a version", g.RollForward)
	}
	return g, nil
}

// Tags are the tags of SDK images that may satisfy g, the best first. A tag with an exact version exists if Microsoft
// released that version as an image. A tag of a channel (10.0) is the newest image of that channel.
func (g *GlobalJSON) Tags() []string {
	if g.Version == "" {
		return []string{DefaultSDK}
	}
	v, err := parseSDKVersion(g.Version)
	if err != nil {
		return nil
	}
	exact, channel := v.tag(), v.channel()
	switch g.RollForward {
	case "disable":
		return []string{exact}
	case "latestFeature", "latestMinor":
		return []string{channel, exact}
	case "latestMajor":
		return []string{newest(channel, DefaultSDK), exact}
	case "major":
		return []string{exact, channel, newest(channel, DefaultSDK)}
	default: // patch, feature, minor, latestPatch: the exact version is enough, and its tag never moves
		return []string{exact, channel}
	}
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

var sdkVersionPattern = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})\.(\d{1,6})(?:-([0-9A-Za-z.-]+))?$`)

func parseSDKVersion(s string) (sdkVersion, error) {
	m := sdkVersionPattern.FindStringSubmatch(s)
	if m == nil {
		return sdkVersion{}, fmt.Errorf("%q is not a version of the SDK, such as 10.0.100", s)
	}
	n := func(s string) int { i, _ := strconv.Atoi(s); return i } // the pattern allows digits only
	return sdkVersion{n(m[1]), n(m[2]), n(m[3]), m[4]}, nil
}

func (v sdkVersion) channel() string {
	c := fmt.Sprintf("%d.%d", v.major, v.minor)
	if v.label != "" {
		c += "-preview" // Microsoft uses this tag for release candidates too
	}
	return c
}

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

var (
	frameworkElement = regexp.MustCompile(`<TargetFrameworks?\b[^>]*>([^<]*)<|#:property\s+TargetFramework=(\S+)`)
	netFramework     = regexp.MustCompile(`(?i)\bnet(\d+\.\d+)\b`)
)

// SDKFor returns the tag of the SDK image for projects without a global.json. It is the newest TargetFramework that
// their files name, but at least [DefaultSDK], which builds all older ones.
func SDKFor(projectFiles [][]byte) string {
	tag := DefaultSDK
	for _, dt := range projectFiles {
		for _, element := range frameworkElement.FindAll(dt, -1) {
			for _, m := range netFramework.FindAllSubmatch(element, -1) {
				tag = newest(tag, string(m[1]))
			}
		}
	}
	return tag
}

// withoutComments turns the SDK's dialect of JSON into JSON. Comments (// and /* */) and commas before a closing
// bracket become spaces, so line numbers stay the same.
func withoutComments(dt []byte) []byte {
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
			if comma >= 0 {
				out[comma] = ' '
			}
			comma = -1
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			comma = -1
		}
	}
	return out
}
