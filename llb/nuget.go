package llb

import (
	"context"
	"path"

	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

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

// nobody is the user that MSBuild runs as in the evaluator: see Rights there.
const nobody = 65532

// nuget is what a step needs to get packages, beyond the project files: feeds, their credentials, and their
// certificates. Describe needs that for MSBuild SDKs that are packages. If a secret is missing, describe goes on, and
// restore reports the error.
func (b *Steps) nuget(phase string) (dotnet.NuGetSettings, []llb.RunOption, error) {
	home, opts, err := b.home(phase)
	if err != nil {
		return dotnet.NuGetSettings{}, nil, err
	}
	names := dotnet.NuGetNames{
		Config: dotnet.NuGetConfig, Password: "CROSSHULL_FEED_", Username: "crosshull", CA: "/crosshull-ca/ca.pem",
	}
	if phase == PhaseDescribe {
		names.Config = path.Join(home, dotnet.NuGetUserConfig)
	}
	s, err := NuGet(b.NuGet).Settings(names)
	if err != nil {
		return s, nil, err
	}
	var secrets []llb.SecretOption
	if phase == PhaseDescribe {
		secrets = []llb.SecretOption{llb.SecretOptional, llb.SecretFileOpt(nobody, nobody, 0o400)}
	}
	for _, secret := range s.SecretEnv {
		secrets := append([]llb.SecretOption{llb.SecretID(secret.Value), llb.SecretAsEnv(true)}, secrets...)
		opts = append(opts, llb.AddSecret(secret.Key, secrets...))
	}
	if s.Config != nil {
		name := path.Base(names.Config)
		config := llb.Scratch().File(
			llb.Mkfile("/"+name, 0o644, s.Config, llb.WithCreatedTime(fileTime)),
			b.named(phase, "configuration of feeds")...)
		opts = append(opts, reads(names.Config, config, llb.SourcePath(name)))
	}
	for _, secret := range s.SecretFiles {
		secrets := append([]llb.SecretOption{llb.SecretID(secret.Value)}, secrets...)
		opts = append(opts, llb.AddSecret(secret.Key, secrets...))
	}
	for _, file := range s.Files {
		dir, name := path.Split(file.Key)
		from := b.part("restore's "+file.Value, Reads{Include: []string{dotnet.Escape(file.Value)}})
		copied := llb.Scratch().File(
			llb.Copy(from, file.Value, "/"+name, &llb.CopyInfo{CreatedTime: &fileTime}),
			b.named(phase, "copy "+file.Value)...)
		opts = append(opts, reads(path.Clean(dir), copied))
	}
	for _, kv := range s.Env {
		opts = append(opts, llb.AddEnv(kv.Key, kv.Value))
	}
	return s, opts, nil
}

// FeedSecrets is a step that fails if a secret for restore is missing. Describe goes on without it, and then may not
// find an MSBuild SDK.
func (b *Steps) FeedSecrets() (llb.State, error) {
	_, opts, err := b.nuget(PhaseRestore)
	if err != nil {
		return llb.State{}, err
	}
	return b.run(PhaseRestore, b.SDK, "secrets of feeds", []string{"true"}, opts...).Root(), nil
}

// home is the home folder of the user that runs the steps of a phase. NuGet makes files there, so user nobody must be
// able to write beside a configuration.
func (b *Steps) home(phase string) (string, []llb.RunOption, error) {
	if phase != PhaseDescribe {
		home, ok, err := b.SDK.GetEnv(context.Background(), "HOME")
		if !ok {
			home = "/root"
		}
		return home, nil, err
	}
	// NuGet takes this variable for the home folder, if the image has it (NuGetEnvironment).
	const cliHome = "DOTNET_CLI_HOME"
	_, moved, err := b.SDK.GetEnv(context.Background(), cliHome)
	if err != nil {
		return "", nil, err
	}
	home := "/tmp"
	var opts []llb.RunOption
	if len(b.NuGet.Feeds) > 0 || b.NuGet.ConfigSecret != "" {
		home = "/crosshull-home"
		dir := path.Dir(path.Join("/home", dotnet.NuGetUserConfig))
		made := llb.Scratch().File(
			llb.Mkdir(dir, 0o777, llb.WithParents(true), llb.WithCreatedTime(fileTime)), b.named(phase, "a home folder")...)
		opts = append(opts, reads(home, made, llb.SourcePath("/home")))
	}
	if moved {
		opts = append(opts, llb.AddEnv(cliHome, home))
	}
	return home, append(opts, llb.AddEnv("HOME", home)), nil
}
