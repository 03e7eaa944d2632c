package request

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Check refuses what cannot be built, before the build asks MSBuild or a registry.
func (r *Request) Check() error {
	if err := r.checkCaps(); err != nil {
		return err
	}
	for _, p := range r.Gateway.Targets() {
		if r.Spec.None() { // any platform that the base has
			break
		}
		if _, err := dotnet.RID(p, dotnet.Glibc); err != nil {
			return err
		}
	}
	if _, err := r.Project(); err != nil {
		return err
	}
	_, err := r.Rules()
	return err
}

// Project is how the project of the app is built.
func (r *Request) Project() (dotnet.Project, error) {
	p, err := project(&r.Spec.App, "publish.mode")
	p.Newest = r.Missing != nil
	return p, r.At("publish.mode", err)
}

// ProjectOf is Project for another app of the spec.
func (r *Request) ProjectOf(app string) (dotnet.Project, error) {
	p, err := project(r.Spec.Apps[app], "publish.mode")
	return p, r.At("apps."+app+".publish.mode", err)
}

// AlsoOf is how a project of publish.also of app is built. key is its key in the spec.
func (r *Request) AlsoOf(app *spec.App, also spec.Also, key string) (dotnet.Project, error) {
	of := *app
	of.Project, of.Framework, of.Publish.Mode = also.Project, also.Framework, also.Mode
	p, err := project(&of, key+".mode")
	return p, r.At(key+".mode", err)
}

// project is how the project of an app is built. mode is the key of its mode, for the error.
func project(app *spec.App, mode string) (dotnet.Project, error) {
	p := dotnet.Project{
		Path:          strings.Trim(app.Project, "/"),
		Framework:     app.Framework,
		Configuration: cmp.Or(app.Publish.Configuration, "Release"),
		Properties:    app.Publish.Properties,
		Inputs:        app.Publish.Inputs,
		BaseImage:     app.Base.Image,
		Family:        app.Base.Family,
	}
	if names := app.Publish.Mode; len(names) > 0 {
		parsed, err := dotnet.ParseMode(names)
		if err != nil {
			return p, fmt.Errorf("%s: %w", mode, err)
		}
		p.Mode = &parsed
	}
	return p, nil
}

// Installs tells whether images of the target get OS packages. The program that installs them runs on the SDK.
func (r *Request) Installs() bool {
	return r.Target.Kind == spec.TargetImage && r.Spec.Base.Packages.Any()
}

// Compiles tells whether the target compiles something: it has a project, or tests.
func (r *Request) Compiles() bool {
	return !r.Spec.None() || r.Target.Kind == spec.TargetTest || r.Spec.Tests.Gate
}

// Options are the options of every vertex that come from the daemon and from flags of buildx.
func (r *Request) Options() (xllb.Options, error) {
	rid, err := dotnet.RID(r.Gateway.BuildPlatform(), dotnet.Glibc)
	return xllb.Options{
		Caps:        r.Gateway.Caps(),
		BuildRID:    rid,
		Exec:        r.execOpts,
		Constraints: r.constraints,
	}, err
}

// phaseKeys are the keys of the spec that the steps of a phase come from.
var phaseKeys = map[string]string{
	xllb.PhaseDescribe: "project",
	xllb.PhaseRestore:  "project",
	xllb.PhasePublish:  "publish",
	xllb.PhaseTest:     "tests",
	xllb.PhasePackages: "base.packages",
	xllb.PhaseImage:    "image",
	xllb.PhaseTools:    "publish.tools",
	xllb.PhaseBefore:   "publish.before",
	xllb.PhaseAfter:    "publish.after",
	xllb.PhaseFiles:    "files",
	xllb.PhaseUsers:    "image.users",
}

// constraints are the options of every vertex of a phase that come from flags of buildx and from the spec.
func (r *Request) constraints(phase string) []llb.ConstraintsOpt {
	key := phaseKeys[phase]
	if name, i, ok := strings.Cut(phase, " "); ok && (name == xllb.PhaseBefore || name == xllb.PhaseAfter) {
		key = "publish." + name + "." + i
	}
	if i, ok := strings.CutPrefix(phase, xllb.PhaseFiles+" "); ok {
		key = "files." + i + ".from"
	}
	if phase == xllb.PhaseRestore && r.Spec.Has("nuget") {
		key = "nuget"
	}
	opts := r.location(key)
	// All vertices of a phase have to agree, whatever follows its name. A vertex with IgnoreCache has another digest than
	// the same vertex without it, so both would run.
	phase, _, _ = strings.Cut(phase, " ")
	if r.isNoCache(phase) {
		opts = append(opts, llb.IgnoreCache)
	}
	return opts
}

// checkCaps refuses what this BuildKit cannot do. The Dockerfile frontend would leave it out silently.
func (r *Request) checkCaps() error {
	gw := r.Gateway
	caps := gw.Caps()
	variables := slices.ContainsFunc(r.Secrets(), func(s report.Secret) bool {
		return !s.SSH && s.Key != "nuget.config-secret" && s.Key != "nuget.ca-secret"
	})
	for _, need := range []struct {
		wanted bool
		cap    apicaps.CapID
		what   string
	}{
		{true, pb.CapFileCopyIncludeExcludePatterns, "copy single files, which every build needs"},
		{len(gw.Ulimits) > 0, pb.CapExecMetaUlimit, "obey --ulimit"},
		{gw.ShmSize > 0, pb.CapExecMountTmpfsSize, "obey --shm-size"},
		{gw.CgroupParent != "", pb.CapExecMetaCgroupParent, "obey --cgroup-parent"},
		{gw.LinuxResources != nil, pb.CapExecMetaLinuxResources, "obey --resource"},
		{variables, pb.CapExecSecretEnv, "give secrets to steps as variables"},
	} {
		if need.wanted && caps.Supports(need.cap) != nil {
			return fmt.Errorf(
				"this BuildKit is too old to %s: run docker buildx create for a newer one, or update Docker",
				need.what,
			)
		}
	}
	return nil
}

// execOpts are the options of the execs of a phase: from flags of buildx, and the secrets that the spec gives to it.
func (r *Request) execOpts(phase string) []llb.RunOption {
	var opts []llb.RunOption
	for _, c := range r.constraints(phase) {
		opts = append(opts, c)
	}
	var secrets map[string]string
	var agents []string
	command := r.command(phase)
	switch {
	case command != nil:
		secrets, agents = command.Secrets, command.SSH
	case phase == xllb.PhasePublish:
		secrets, agents = r.Spec.Publish.Secrets, r.Spec.Publish.SSH
	case phase == xllb.PhaseTest:
		secrets = r.Spec.Tests.Secrets
	}
	for _, id := range agents {
		opts = append(opts, llb.AddSSHSocket(llb.SSHID(id)))
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		opts = append(opts, llb.AddSecret(name, llb.SecretID(secrets[name]), llb.SecretAsEnv(true)))
	}
	opts = append(opts, r.limits()...)
	if command != nil {
		opts = append(opts, network(command)...)
	}
	return opts
}

// limits are the options that are the same for every exec.
func (r *Request) limits() []llb.RunOption {
	var opts []llb.RunOption
	gw := r.Gateway
	if proxy, ok := proxyEnv(gw.BuildArgs); ok {
		opts = append(opts, llb.WithProxy(proxy))
	}
	for _, h := range gw.ExtraHosts {
		opts = append(opts, llb.AddExtraHost(h.Host, h.IP))
	}
	if gw.NetworkMode != pb.NetMode_UNSET {
		opts = append(opts, llb.Network(gw.NetworkMode))
	}
	if gw.Hostname != "" {
		opts = append(opts, llb.With(llb.Hostname(gw.Hostname)))
	}
	for _, u := range gw.Ulimits {
		opts = append(opts, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
	}
	if gw.ShmSize > 0 {
		opts = append(opts, llb.AddMount("/dev/shm", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(gw.ShmSize))))
	}
	if gw.CgroupParent != "" {
		opts = append(opts, llb.WithCgroupParent(gw.CgroupParent))
	}
	if res := gw.LinuxResources; res != nil {
		opts = append(opts, llb.WithLinuxResources(llb.LinuxResources{
			Memory:     res.Memory,
			MemorySwap: res.MemorySwap,
			CPUShares:  res.CpuShares,
			CPUPeriod:  res.CpuPeriod,
			CPUQuota:   res.CpuQuota,
			CpusetCpus: res.CpusetCpus,
			CpusetMems: res.CpusetMems,
		}))
	}
	return opts
}

// isProxyArg tells whether docker passes an argument on by itself.
func isProxyArg(k string) bool {
	k = strings.ToLower(k)
	return k == "all_proxy" || k == "ftp_proxy" || k == "http_proxy" || k == "https_proxy" || k == "no_proxy"
}

func proxyEnv(args map[string]string) (llb.ProxyEnv, bool) {
	var env llb.ProxyEnv
	for _, k := range slices.Sorted(maps.Keys(args)) {
		switch strings.ToLower(k) {
		case "all_proxy":
			env.AllProxy = args[k]
		case "ftp_proxy":
			env.FTPProxy = args[k]
		case "http_proxy":
			env.HTTPProxy = args[k]
		case "https_proxy":
			env.HTTPSProxy = args[k]
		case "no_proxy":
			env.NoProxy = args[k]
		}
	}
	return env, env != llb.ProxyEnv{}
}
