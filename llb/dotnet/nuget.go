package dotnet

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Feed is a package source, or credentials for one that a nuget.config of the repository has.
type Feed struct {
	Name     string // key of the source
	Source   string // URL of its index; empty: a nuget.config of the repository has it
	Username string // with which PasswordEnv is a password; a token feed takes any
	// PasswordEnv is the environment variable that restore finds the password in; empty: no credentials.
	PasswordEnv string
}

// NuGetConfigDir is where NuGet on Linux looks for configuration of the whole machine: files that add to those of the
// repository, and are weaker (NuGet.Common, NuGetFolderPath.MachineWideConfigDirectory).
const NuGetConfigDir = "/etc/opt/NuGet/Config"

// NuGetConfig gives a nuget.config for feeds. It holds the names of environment variables where secrets go, which NuGet
// puts in their place, so the file itself is no secret.
func NuGetConfig(feeds []Feed) ([]byte, error) {
	type add struct {
		XMLName  xml.Name `xml:"add"`
		Key      string   `xml:"key,attr"`
		Value    string   `xml:"value,attr"`
		Insecure string   `xml:"allowInsecureConnections,attr,omitempty"`
	}
	type section struct {
		XMLName xml.Name
		Items   []any
	}
	sources := section{XMLName: xml.Name{Local: "packageSources"}}
	credentials := section{XMLName: xml.Name{Local: "packageSourceCredentials"}}
	for _, f := range feeds {
		if f.Source != "" {
			a := add{Key: f.Name, Value: f.Source}
			if strings.HasPrefix(f.Source, "http://") { // the spec has said so: NuGet asks for a second word (NU1302)
				a.Insecure = "true"
			}
			sources.Items = append(sources.Items, a)
		}
		if f.PasswordEnv != "" {
			credentials.Items = append(credentials.Items, section{xml.Name{Local: f.Name}, []any{
				add{Key: "Username", Value: f.Username},
				add{Key: "ClearTextPassword", Value: "%" + f.PasswordEnv + "%"},
			}})
		}
	}
	doc := section{XMLName: xml.Name{Local: "configuration"}}
	for _, s := range []section{sources, credentials} {
		if len(s.Items) > 0 {
			doc.Items = append(doc.Items, s)
		}
	}
	dt, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write nuget.config: %w", err)
	}
	return append([]byte(xml.Header), append(dt, '\n')...), nil
}
