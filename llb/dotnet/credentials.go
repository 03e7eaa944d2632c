package dotnet

import (
	"bytes"
	"encoding/xml"
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
	kept := 0 // how many bytes of dt are in masked
	walkNuGetConfig(dt, func(open []string, element xml.StartElement, start, end int) {
		what := credentialIn(open, element.Attr)
		loc := valueAttribute.FindIndex(dt[start:end])
		if what == "" || loc == nil {
			return
		}
		from, to := start+loc[0], start+loc[1]
		masked = append(masked, dt[kept:from]...)
		found = append(found, Credential{what, len(masked)})
		masked = append(masked, `value="***"`...)
		masked = append(masked, bytes.Repeat([]byte("\n"), bytes.Count(dt[from:to], []byte("\n")))...)
		kept = to
	})
	return found, append(masked, dt[kept:]...)
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
