package llb

import (
	"maps"
	"slices"
	"strconv"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Places of secrets in the container of restore, and nowhere else. BuildKit mounts them from memory.
const (
	configSecret = "/run/secrets/nuget.config"
	caSecret     = "/run/secrets/ca.pem"
	caDir        = "/crosshull-ca"
)

// nuget is what restore needs beyond the project files: feeds, their credentials, and who vouches for them.
func (b *Builder) nuget() ([]llb.RunOption, error) {
	n := b.NuGet
	var opts []llb.RunOption
	for _, name := range slices.Sorted(maps.Keys(n.Secrets)) {
		opts = append(opts, llb.AddSecret(name, llb.SecretID(n.Secrets[name]), llb.SecretAsEnv(true)))
	}
	var feeds []dotnet.Feed
	for i, f := range n.Feeds {
		feed := dotnet.Feed{Name: f.Name, Source: f.Source, Username: f.Username}
		if feed.Username == "" {
			feed.Username = "crosshull" // NuGet wants one, and a feed that takes tokens takes any
		}
		if f.PasswordSecret != "" {
			feed.PasswordEnv = "CROSSHULL_FEED_" + strconv.Itoa(i)
			opts = append(opts, llb.AddSecret(feed.PasswordEnv, llb.SecretID(f.PasswordSecret), llb.SecretAsEnv(true)))
		}
		feeds = append(feeds, feed)
	}
	if len(feeds) > 0 {
		dt, err := dotnet.NuGetConfig(feeds)
		if err != nil {
			return nil, err
		}
		config := llb.Scratch().File(llb.Mkfile("/crosshull.config", 0o644, dt, llb.WithCreatedTime(fileTime)), b.named(PhaseRestore, "configuration of feeds")...)
		opts = append(opts, llb.AddMount(dotnet.NuGetConfigDir, config, llb.Readonly))
	}
	if n.ConfigSecret != "" {
		opts = append(opts, llb.AddSecret(configSecret, llb.SecretID(n.ConfigSecret)))
	}
	// OpenSSL's variable: the certificates of SSL_CERT_DIR stay trusted beside it.
	switch {
	case n.CASecret != "":
		opts = append(opts, llb.AddSecret(caSecret, llb.SecretID(n.CASecret)), llb.AddEnv("SSL_CERT_FILE", caSecret))
	case n.CA != "":
		ca := llb.Scratch().File(llb.Copy(b.Context, n.CA, "/ca.pem", &llb.CopyInfo{CreatedTime: &fileTime}), b.named(PhaseRestore, "copy "+n.CA)...)
		opts = append(opts, llb.AddMount(caDir, ca, llb.Readonly), llb.AddEnv("SSL_CERT_FILE", caDir+"/ca.pem"))
	}
	return opts, nil
}

// restoreProperties are NuGet's switches.
func restoreProperties(n spec.NuGet) []string {
	var args []string
	if n.LockedMode {
		args = append(args, "-p:RestoreLockedMode=true")
	}
	if n.Audit != nil {
		args = append(args, "-p:NuGetAudit="+strconv.FormatBool(*n.Audit))
	}
	if n.ConfigSecret != "" {
		args = append(args, "-p:RestoreConfigFile="+configSecret)
	}
	return args
}
