package request

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/apt"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Arguments are the build arguments of the spec, with their values.
func (r *Request) Arguments() []report.Argument {
	var args []report.Argument
	for _, name := range slices.Sorted(maps.Keys(r.Spec.Args)) {
		a := report.Argument{Name: name, Value: r.Spec.Args[name].Default, Description: r.Spec.Args[name].Description}
		if v, ok := r.Gateway.BuildArgs[name]; ok {
			a.Value, a.Given = v, true
		}
		args = append(args, a)
	}
	return args
}

// Secrets are all secrets that the spec names, with the steps that get them.
func (r *Request) Secrets() []report.Secret {
	var all []report.Secret
	add := func(id string, phases []string, key string) {
		if id != "" {
			all = append(all, report.Secret{ID: id, Phases: phases, Key: key})
		}
	}
	n := r.Spec.NuGet
	packages := []string{xllb.PhaseDescribe, xllb.PhaseRestore} // describe gets SDKs that are packages
	add(n.ConfigSecret, packages, "nuget.config-secret")
	add(n.CASecret, packages, "nuget.ca-secret")
	for i, f := range n.Feeds {
		add(f.PasswordSecret, packages, fmt.Sprintf("nuget.feeds.%d.password-secret", i))
	}
	for _, name := range slices.Sorted(maps.Keys(n.Secrets)) {
		add(n.Secrets[name], packages, "nuget.secrets."+name)
	}
	publish := []string{xllb.PhasePublish}
	apps := map[string]*spec.App{"": &r.Spec.App}
	if r.Target.App == "" {
		for name, app := range r.Spec.Apps {
			apps["apps."+name+"."] = app
		}
	}
	// An app without a project publishes nothing, so the keys for all apps have no effect on it.
	maps.DeleteFunc(apps, func(_ string, app *spec.App) bool { return app.None() })
	for _, prefix := range slices.Sorted(maps.Keys(apps)) {
		for _, name := range slices.Sorted(maps.Keys(apps[prefix].Publish.Secrets)) {
			if key := prefix + "publish.secrets." + name; prefix == "" || r.Spec.Has(key) {
				add(apps[prefix].Publish.Secrets[name], publish, key)
			}
		}
		for i, id := range apps[prefix].Publish.SSH {
			if key := fmt.Sprintf("%spublish.ssh.%d", prefix, i); prefix == "" || r.Spec.Has(key) {
				all = append(all, report.Secret{ID: id, SSH: true, Phases: publish, Key: key})
			}
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(apps)) {
		all = append(all, r.commandSecrets(prefix, apps[prefix])...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Spec.Tests.Secrets)) {
		add(r.Spec.Tests.Secrets[name], []string{xllb.PhaseTest}, "tests.secrets."+name)
	}
	return all
}

// step says where the steps of package llb leave files for the case that they fail.
func step(files dotnet.Files) gateway.Step {
	return gateway.Step{
		Source: xllb.SourceDir, Diagnostics: xllb.DiagnosticsDir, Output: xllb.OutputDir, Log: xllb.CommandLog, Files: files,
	}
}

// Diagnose makes the error of a failed step say why: a secret is missing, or what MSBuild, NuGet or the compiler said.
// files are the contents of the context that are known.
func (r *Request) Diagnose(ctx context.Context, err error, files dotnet.Files) error {
	if explained := r.MissingSecret(err); explained != nil {
		return explained
	}
	return r.atCommand(r.Gateway.Diagnose(ctx, err, step(files)))
}

// DiagnoseTest is Diagnose for a step that runs a test project.
func (r *Request) DiagnoseTest(ctx context.Context, err error, test *dotnet.App, files dotnet.Files) error {
	if explained := r.MissingSecret(err); explained != nil {
		return explained
	}
	return r.Gateway.DiagnoseTest(ctx, err, step(files), dotnet.TestResults(test))
}

// MissingSecret explains BuildKit's errors about a missing secret or SSH agent: where the spec names it, and how to
// give it. It is nil for other errors.
func (r *Request) MissingSecret(err error) error {
	if err == nil {
		return nil
	}
	at := func(key, format string, args ...any) error {
		lines := r.Range(key)
		text := fmt.Sprintf("%s:%d: "+format, append([]any{r.Source.Filename, lines.Start}, args...)...)
		return withSource(gateway.Reword(err, text), r.Source, lines)
	}
	msg := err.Error()
	for _, s := range r.Secrets() {
		switch {
		// moby/buildkit, session/sshforward/sshprovider. Without any agent, the session does not have that service at all.
		case s.SSH && (has(msg, "unset ssh forward key "+s.ID) || has(msg, fmt.Sprintf("no SSH key %q forwarded from the "+
			"client", s.ID))):
			return at(s.Key, "an SSH agent %q is missing: give it to the build with --ssh %s", s.ID, s.ID)
		// moby/buildkit, session/secrets.
		case !s.SSH && has(msg, "secret "+s.ID+": not found"):
			return at(
				s.Key,
				"secret %q is missing: give it to the build with --secret id=%s,env=VARIABLE or --secret id=%s,src=FILE",
				s.ID,
				s.ID,
				s.ID,
			)
		}
	}
	return nil
}

// has tells whether a phrase is in msg, as whole words.
func has(msg, phrase string) bool {
	_, after, ok := strings.Cut(msg, phrase)
	return ok &&
		(after == "" || !strings.ContainsAny(after[:1], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."))
}

// DiagnosePackages makes the error of a failed step of base.packages say what apt or dpkg said.
func (r *Request) DiagnosePackages(ctx context.Context, err error) error {
	dt, step := r.Gateway.ReadFailed(ctx, err, xllb.DiagnosticsDir, apt.ErrorsFile)
	mistakes := apt.ParseErrors(dt)
	if len(mistakes) == 0 {
		return err
	}
	key := r.packageKey(mistakes)
	// The first mistake is the last line, because some clients show only that.
	text := step + ":\n"
	for _, mistake := range mistakes[1:] {
		text += mistake + "\n"
	}
	text += fmt.Sprintf("%s:%d: %s", r.Source.Filename, r.Range(key).Start, mistakes[0])
	return gateway.Reword(gateway.WithoutSources(err), text) // err has the place of the vertex
}

// packageKey is the key of base.packages that mistakes are about: a key, a source or a package that they name.
func (r *Request) packageKey(mistakes []string) string {
	of := r.Spec.Base.Packages
	all := strings.Join(mistakes, "\n")
	for _, name := range slices.Sorted(maps.Keys(of.Sources)) {
		key, source := "base.packages.keys."+name, "base.packages.sources."+name
		from := slices.ContainsFunc(archives.FindAllStringSubmatch(of.Sources[name], -1), func(archive []string) bool {
			address := strings.TrimRight(archive[1], "/")
			return address != "" && strings.Contains(mistakes[0], address)
		})
		switch {
		case r.Has(key) && (has(all, key) || from && strings.Contains(mistakes[0], "not signed")):
			return key
		case r.Has(source) && (from || has(mistakes[0], source)):
			return source
		}
	}
	words := strings.FieldsFunc(mistakes[0], func(c rune) bool { return strings.ContainsRune(" ':", c) })
	names := func(list string, packages []string) string {
		for i, asked := range packages {
			name, _, _ := strings.Cut(asked, "=")
			name, _, _ = strings.Cut(name, "/")
			at := fmt.Sprintf("%s.%d", list, i)
			if r.Has(at) && (slices.Contains(words, name) || slices.Contains(words, asked)) {
				return at
			}
		}
		return ""
	}
	key := cmp.Or(names("base.packages", of.Install), names("base.packages.install", of.Install))
	for _, on := range slices.Sorted(maps.Keys(of.Only)) {
		key = cmp.Or(key, names("base.packages.only."+on, of.Only[on]))
	}
	return cmp.Or(key, "base.packages")
}

// archives matches the addresses in a source of packages. Mistakes do not always have the protocol.
var archives = regexp.MustCompile(`[a-z+]+://([^\s\]]+)`)
