package dotnet

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// NuGet is what a spec says about packages. It names secrets by their ids.
type NuGet struct {
	Feeds        []Feed
	Secrets      map[string]string // environment variable → secret
	ConfigSecret string            // a whole nuget.config
	LockedMode   *bool             // RestoreLockedMode; nil: as the project says
	Audit        *bool             // NuGetAudit; nil: as the project says
	CA           string            // a PEM file of the context with certificates
	CASecret     string            // a secret with certificates
}

// Feed is a package source, or credentials for a source in a nuget.config of the repository.
type Feed struct {
	Name           string // key of the source
	Source         string // URL of its index; empty: it is in a nuget.config of the repository
	Username       string // the user name; a feed that takes tokens accepts any
	PasswordSecret string // empty: no credentials
}

// NuGetNames are the variable names and paths that [NuGet.Settings] may use.
type NuGetNames struct {
	Config   string // path of the nuget.config in the container: see [NuGetConfig] and [NuGetUserConfig]
	Password string // prefix of the variables with feeds' passwords; the number of the feed follows
	Username string // the user name for feeds without one: NuGet needs one
	CA       string // path of the file NuGet.CA in the container
}

// NuGetSettings is what a command that gets packages needs for a [NuGet]. Its form fits both LLB and a Dockerfile.
type NuGetSettings struct {
	Config      []byte     // content of the file NuGetNames.Config; nil: no file
	SecretEnv   []KeyValue // environment variable → secret
	SecretFiles []KeyValue // absolute path → secret
	Files       []KeyValue // absolute path → file of the context
	Env         []KeyValue
	Properties  []KeyValue // properties for MSBuild
}

// Args returns the properties as arguments of restore.
func (s NuGetSettings) Args() []string { return defineAll(s.Properties) }

// NuGetConfig is where a command has a nuget.config of the spec: in the folder above the context. NuGet reads the files
// in the folders of a project and above it, then those of the user, then those of the machine. A <clear /> drops what
// the files after it say, and of two sources with one name that of the first file counts (NuGet.Configuration,
// Settings). So here, no file of the user or the machine that the SDK image has can drop the feeds of the spec.
const NuGetConfig = "/nuget.config"

// NuGetUserConfig is another place for it, in the home folder of a user who has no configuration of their own. It is
// beside NuGet.Config, which NuGet makes, with nuget.org in it. The evaluator runs as such a user, and sees whether the
// image has a file in the place of [NuGetConfig].
const NuGetUserConfig = ".nuget/NuGet/config/crosshull.config"

// Secrets are in these places only while a command runs that gets packages. BuildKit mounts them from memory.
const (
	configSecretFile = "/run/secrets/nuget.config"
	caSecretFile     = "/run/secrets/ca.pem"
)

// Settings translates each setting.
func (n NuGet) Settings(names NuGetNames) (NuGetSettings, error) {
	s := NuGetSettings{}
	for _, variable := range slices.Sorted(maps.Keys(n.Secrets)) {
		s.SecretEnv = append(s.SecretEnv, KeyValue{variable, n.Secrets[variable]})
	}
	if err := s.addFeeds(n.Feeds, names); err != nil {
		return s, err
	}
	for _, p := range []struct {
		name string
		on   *bool // nil: as the project says
	}{{"RestoreLockedMode", n.LockedMode}, {"NuGetAudit", n.Audit}} {
		if p.on != nil {
			s.Properties = append(s.Properties, KeyValue{p.name, strconv.FormatBool(*p.on)})
		}
	}
	if n.ConfigSecret != "" {
		// The resolver of SDKs does not know RestoreConfigFile (NuGetSdkResolver).
		s.SecretFiles = append(s.SecretFiles,
			KeyValue{configSecretFile, n.ConfigSecret}, KeyValue{names.Config, n.ConfigSecret})
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
	if ca != "" { // OpenSSL's variable: the certificates in SSL_CERT_DIR are still trusted
		s.Env = append(s.Env, KeyValue{"SSL_CERT_FILE", ca})
	}
	return s, nil
}

// addFeeds makes a nuget.config of feeds. In place of secrets it has the names of environment variables, which NuGet
// replaces with their values. So the file itself is not secret.
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
			if f.insecure() {
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
		return Bug(fmt.Errorf("write nuget.config: %w", err))
	}
	s.Config = append([]byte(xml.Header), append(dt, '\n')...)
	return nil
}
