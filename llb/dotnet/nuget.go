package dotnet

import (
	"encoding/xml"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// NuGet is what a spec says of packages. Secrets are named by their ids.
type NuGet struct {
	Feeds        []Feed
	Secrets      map[string]string // environment variable → secret
	ConfigSecret string            // a whole nuget.config
	LockedMode   bool              // RestoreLockedMode
	Audit        *bool             // NuGetAudit; nil: as the project says
	CA           string            // a file of the context with certificates, in PEM
	CASecret     string            // a secret with such certificates
}

// Feed is a package source, or credentials for one that a nuget.config of the repository has.
type Feed struct {
	Name           string // key of the source
	Source         string // URL of its index; empty: a nuget.config of the repository has it
	Username       string // goes with the password; a token feed takes any
	PasswordSecret string // empty: no credentials
}

// NuGetNames are the names that [NuGet.Settings] may choose.
type NuGetNames struct {
	Password string // what variables of feeds' passwords begin with; the number of the feed follows
	Username string // for feeds that have none: NuGet wants one
	CA       string // where the container has the file NuGet.CA
}

// NuGetSettings is what the restore of a [NuGet] needs, of which LLB and a Dockerfile can be made.
type NuGetSettings struct {
	Config      []byte     // a file for ConfigPath; nil: none
	SecretEnv   []KeyValue // environment variable → secret
	SecretFiles []KeyValue // absolute path → secret
	Files       []KeyValue // absolute path → file of the context
	Env         []KeyValue
	Properties  []KeyValue // of MSBuild
}

// Args are the properties as arguments of restore.
func (s NuGetSettings) Args() []string { return defineAll(s.Properties) }

// NuGetConfigDir is where NuGet on Linux looks for configuration of the whole machine: files that add to those of the
// repository, and are weaker (NuGet.Common, NuGetFolderPath.MachineWideConfigDirectory).
const NuGetConfigDir = "/etc/opt/NuGet/Config"

// NuGetConfigFile is the name of NuGetSettings.Config in [NuGetConfigDir].
const NuGetConfigFile = "crosshull.config"

// Places of secrets in the container of restore, and nowhere else. BuildKit mounts them from memory.
const (
	configSecretFile = "/run/secrets/nuget.config"
	caSecretFile     = "/run/secrets/ca.pem"
)

// Settings says what each setting means to restore.
func (n NuGet) Settings(names NuGetNames) (NuGetSettings, error) {
	var s NuGetSettings
	for _, variable := range slices.Sorted(maps.Keys(n.Secrets)) {
		s.SecretEnv = append(s.SecretEnv, KeyValue{variable, n.Secrets[variable]})
	}
	if err := s.addFeeds(n.Feeds, names); err != nil {
		return s, err
	}
	if n.LockedMode {
		s.Properties = append(s.Properties, KeyValue{"RestoreLockedMode", "true"})
	}
	if n.Audit != nil {
		s.Properties = append(s.Properties, KeyValue{"NuGetAudit", strconv.FormatBool(*n.Audit)})
	}
	if n.ConfigSecret != "" {
		s.SecretFiles = append(s.SecretFiles, KeyValue{configSecretFile, n.ConfigSecret})
		s.Properties = append(s.Properties, KeyValue{"RestoreConfigFile", configSecretFile})
	}
	ca := ""
	switch {
	case n.CASecret != "":
		ca = caSecretFile
		s.SecretFiles = append(s.SecretFiles, KeyValue{ca, n.CASecret})
	case n.CA != "":
		ca = names.CA
		s.Files = append(s.Files, KeyValue{ca, n.CA})
	}
	if ca != "" { // OpenSSL's variable: the certificates of SSL_CERT_DIR stay trusted beside it
		s.Env = append(s.Env, KeyValue{"SSL_CERT_FILE", ca})
	}
	return s, nil
}

// addFeeds makes a nuget.config of feeds. It holds the names of environment variables where secrets go, which NuGet
// puts in their place, so the file itself is no secret.
func (s *NuGetSettings) addFeeds(feeds []Feed, names NuGetNames) error {
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
	if len(feeds) == 0 {
		return nil
	}
	sources := section{XMLName: xml.Name{Local: "packageSources"}}
	credentials := section{XMLName: xml.Name{Local: "packageSourceCredentials"}}
	for i, f := range feeds {
		if f.Source != "" {
			a := add{Key: f.Name, Value: f.Source}
			if strings.HasPrefix(f.Source, "http://") { // the spec has said so: NuGet asks for a second word (NU1302)
				a.Insecure = "true"
			}
			sources.Items = append(sources.Items, a)
		}
		if f.PasswordSecret != "" {
			variable := names.Password + strconv.Itoa(i)
			s.SecretEnv = append(s.SecretEnv, KeyValue{variable, f.PasswordSecret})
			username := f.Username
			if username == "" {
				username = names.Username
			}
			credentials.Items = append(credentials.Items, section{xml.Name{Local: f.Name}, []any{
				add{Key: "Username", Value: username},
				add{Key: "ClearTextPassword", Value: "%" + variable + "%"},
			}})
		}
	}
	doc := section{XMLName: xml.Name{Local: "configuration"}}
	for _, part := range []section{sources, credentials} {
		if len(part.Items) > 0 {
			doc.Items = append(doc.Items, part)
		}
	}
	dt, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("write nuget.config: %w", err)
	}
	s.Config = append([]byte(xml.Header), append(dt, '\n')...)
	return nil
}

// ConfigPath is where the container has NuGetSettings.Config.
func (s NuGetSettings) ConfigPath() string { return path.Join(NuGetConfigDir, NuGetConfigFile) }
