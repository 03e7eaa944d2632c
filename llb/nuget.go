package llb

import (
	"path"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// nugetNames are those of the containers that BuildKit runs.
var nugetNames = dotnet.NuGetNames{Password: "CROSSHULL_FEED_", Username: "crosshull", CA: "/crosshull-ca/ca.pem"}

// NuGet is what the spec says of packages, for restore.
func NuGet(n spec.NuGet) dotnet.NuGet {
	out := dotnet.NuGet{
		Secrets:      n.Secrets,
		ConfigSecret: n.ConfigSecret,
		LockedMode:   n.LockedMode,
		Audit:        n.Audit,
		CA:           n.CA,
		CASecret:     n.CASecret,
	}
	for _, f := range n.Feeds {
		out.Feeds = append(out.Feeds, dotnet.Feed(f))
	}
	return out
}

// nuget is what restore needs beyond the project files: feeds, their credentials, and who vouches for them.
func (b *Builder) nuget(s dotnet.NuGetSettings) []llb.RunOption {
	var opts []llb.RunOption
	for _, secret := range s.SecretEnv {
		opts = append(opts, llb.AddSecret(secret.Key, llb.SecretID(secret.Value), llb.SecretAsEnv(true)))
	}
	if s.Config != nil {
		config := llb.Scratch().File(
			llb.Mkfile("/"+dotnet.NuGetConfigFile, 0o644, s.Config, llb.WithCreatedTime(fileTime)),
			b.named(PhaseRestore, "configuration of feeds")...)
		opts = append(opts, reads(dotnet.NuGetConfigDir, config))
	}
	for _, secret := range s.SecretFiles {
		opts = append(opts, llb.AddSecret(secret.Key, llb.SecretID(secret.Value)))
	}
	for _, file := range s.Files {
		dir, name := path.Split(file.Key)
		from := b.part("restore's "+file.Value, Reads{Include: []string{dotnet.Escape(file.Value)}})
		copied := llb.Scratch().File(
			llb.Copy(from, file.Value, "/"+name, &llb.CopyInfo{CreatedTime: &fileTime}),
			b.named(PhaseRestore, "copy "+file.Value)...)
		opts = append(opts, reads(path.Clean(dir), copied))
	}
	for _, kv := range s.Env {
		opts = append(opts, llb.AddEnv(kv.Key, kv.Value))
	}
	return opts
}
