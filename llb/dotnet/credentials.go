package dotnet

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
)

// Credential is one that a nuget.config contains.
type Credential struct {
	What   string
	Offset int // in the file with stars in place of secrets
}

var valueAttribute = regexp.MustCompile(`\bvalue\s*=\s*(?:"[^"]*"|'[^']*')`)

// Credentials finds the credentials in a nuget.config, and gives the file with stars in their place. It has the same
// lines.
func Credentials(dt []byte) (found []Credential, masked []byte) {
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
			return found, append(out, dt[kept:]...)
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
			found = append(found, Credential{what, len(out)})
			out = append(out, `value="***"`...)
			end := start + loc[1]
			out = append(out, bytes.Repeat([]byte("\n"), bytes.Count(dt[start+loc[0]:end], []byte("\n")))...)
			kept = end
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
