package request

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// command is the command of a phase, such as "before 0"; nil if the phase is not that of a command.
func (r *Request) command(phase string) *spec.Command {
	name, index, _ := strings.Cut(phase, " ")
	i, err := strconv.Atoi(index)
	switch {
	case err != nil:
		return nil
	case name == xllb.PhaseBefore:
		return &r.Spec.Publish.Before[i]
	case name == xllb.PhaseAfter:
		return &r.Spec.Publish.After[i]
	}
	return nil
}

// network is the network that a command asks for. A command that names none has that of all steps.
func network(c *spec.Command) []llb.RunOption {
	switch c.Network {
	case "none":
		return []llb.RunOption{llb.Network(pb.NetMode_NONE)}
	case "host":
		return []llb.RunOption{llb.Network(pb.NetMode_HOST)}
	}
	return nil
}

// commandSecrets are the secrets and agents that the commands of an app name. prefix begins the keys of the app.
func (r *Request) commandSecrets(prefix string, app *spec.App) []report.Secret {
	var all []report.Secret
	for _, phase := range []struct {
		name     string
		commands []spec.Command
	}{{xllb.PhaseBefore, app.Publish.Before}, {xllb.PhaseAfter, app.Publish.After}} {
		for i, c := range phase.commands {
			at := fmt.Sprintf("%spublish.%s.%d.", prefix, phase.name, i)
			add := func(id, key string, ssh bool) {
				if prefix == "" || r.Spec.Has(key) {
					all = append(all, report.Secret{ID: id, SSH: ssh, Phases: []string{phase.name}, Key: key})
				}
			}
			for _, name := range slices.Sorted(maps.Keys(c.Secrets)) {
				add(c.Secrets[name], at+"secrets."+name, false)
			}
			for j, id := range c.SSH {
				add(id, fmt.Sprintf("%sssh.%d", at, j), true)
			}
		}
	}
	return all
}

// cachePrefix begins the ids of cache folders, so that they are apart from those of Dockerfiles that the same builder
// builds.
const cachePrefix = "crosshull-"

// Commands are commands of the spec with their environment.
func (r *Request) Commands(commands []spec.Command) xllb.Commands {
	out := xllb.Commands{Cache: cachePrefix}
	if ns := r.Gateway.CacheIDNamespace; ns != "" {
		out.Cache = ns + "/" + cachePrefix
	}
	for _, c := range commands {
		var env []dotnet.KeyValue
		args := r.Spec.ArgsOf(c)
		for _, name := range slices.Sorted(maps.Keys(args)) {
			env = append(env, dotnet.KeyValue{Key: name, Value: args[name]})
		}
		out.Run = append(out.Run, xllb.Command{Command: c, Env: env})
	}
	return out
}

// PlatformVars are the variables that differ between platforms and that commands of publish.after use.
func (r *Request) PlatformVars() []string {
	var names []string
	for _, c := range r.Spec.Publish.After {
		names = append(names, c.PlatformVars()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// PlatformEnv gives variables of [Request.PlatformVars] the values of a platform.
func PlatformEnv(names []string, p ocispecs.Platform, rid string) []dotnet.KeyValue {
	values := map[string]string{
		spec.VarRID: rid, "TARGETPLATFORM": platforms.FormatAll(p), "TARGETOS": p.OS, "TARGETOSVERSION": p.OSVersion,
		"TARGETARCH": p.Architecture, "TARGETVARIANT": p.Variant,
	}
	var env []dotnet.KeyValue
	for _, name := range names {
		env = append(env, dotnet.KeyValue{Key: name, Value: values[name]})
	}
	return env
}

// atCommand makes the error of a command name its line of the spec.
func (r *Request) atCommand(err error) error {
	if r.Source == nil || !gateway.OfCommand(err) {
		return err
	}
	for _, src := range errdefs.Sources(err) {
		if len(src.Ranges) > 0 && src.Info.GetFilename() == r.Source.Filename {
			return gateway.Reword(err, fmt.Sprintf("%s:%d: %s", r.Source.Filename, src.Ranges[0].Start.Line, err))
		}
	}
	return err
}
