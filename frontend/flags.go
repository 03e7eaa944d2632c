package frontend

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
)

// phaseKeys are the keys of the spec that the steps of a phase come from.
var phaseKeys = map[string]string{
	xllb.PhaseDescribe: "project",
	xllb.PhaseRestore:  "project",
	xllb.PhasePublish:  "publish",
	xllb.PhaseTest:     "tests",
	xllb.PhaseImage:    "image",
	xllb.PhaseFiles:    "files",
}

// constraints are what buildx's flags and the spec say of every vertex of a phase.
func (e *entrypoint) constraints(phase string) []llb.ConstraintsOpt {
	key := phaseKeys[phase]
	if phase == xllb.PhaseRestore && e.spec.Has("nuget") {
		key = "nuget"
	}
	opts := e.location(key)
	// The same for all platforms: an ignored vertex has another digest than one that is not, and would run twice.
	phase, _, _ = strings.Cut(phase, " ")
	if e.bc.IsNoCache(phase) {
		opts = append(opts, llb.IgnoreCache)
	}
	return opts
}

// cacheNamespace parts the cache mounts of this build from those of others: as BUILDKIT_CACHE_MOUNT_NS says, and with
// --no-cache from all. A cache mount is there whether steps are cached or not, so such a build gets ones of its own.
func (e *entrypoint) cacheNamespace() string {
	if e.bc.IsNoCache(xllb.PhasePublish) {
		return path.Join(e.bc.CacheIDNamespace, identity.NewID())
	}
	return e.bc.CacheIDNamespace
}

// checkCaps refuses what this BuildKit cannot do: a Dockerfile's frontend would leave it out and say nothing.
func (e *entrypoint) checkCaps() error {
	caps := e.bc.BuildOpts().LLBCaps
	variables := slices.ContainsFunc(e.secrets(), func(s plan.Secret) bool {
		return !s.SSH && s.Key != "nuget.config-secret" && s.Key != "nuget.ca-secret"
	})
	for _, need := range []struct {
		wanted bool
		cap    apicaps.CapID
		what   string
	}{
		{true, pb.CapFileCopyIncludeExcludePatterns, "copy by patterns, which all builds do"},
		{len(e.bc.Ulimits) > 0, pb.CapExecMetaUlimit, "do --ulimit"},
		{e.bc.ShmSize > 0, pb.CapExecMountTmpfsSize, "do --shm-size"},
		{e.bc.CgroupParent != "", pb.CapExecMetaCgroupParent, "do --cgroup-parent"},
		{e.bc.LinuxResources != nil, pb.CapExecMetaLinuxResources, "do --resource"},
		{variables, pb.CapExecSecretEnv, "give secrets to steps as variables"},
	} {
		if need.wanted && caps.Supports(need.cap) != nil {
			return fmt.Errorf("this BuildKit is too old to %s: use a newer one, by docker buildx create or a newer Docker", need.what)
		}
	}
	return nil
}

// execOpts are what buildx's flags say of the execs of a phase.
func (e *entrypoint) execOpts(phase string) []llb.RunOption {
	var opts []llb.RunOption
	for _, c := range e.constraints(phase) {
		opts = append(opts, c)
	}
	var secrets map[string]string
	switch phase {
	case xllb.PhasePublish:
		secrets = e.spec.Publish.Secrets
		for _, id := range e.spec.Publish.SSH {
			opts = append(opts, llb.AddSSHSocket(llb.SSHID(id)))
		}
	case xllb.PhaseTest:
		secrets = e.spec.Tests.Secrets
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		opts = append(opts, llb.AddSecret(name, llb.SecretID(secrets[name]), llb.SecretAsEnv(true)))
	}
	if proxy, ok := proxyEnv(e.bc.BuildArgs); ok {
		opts = append(opts, llb.WithProxy(proxy))
	}
	for _, h := range e.bc.ExtraHosts {
		opts = append(opts, llb.AddExtraHost(h.Host, h.IP))
	}
	if e.bc.NetworkMode != pb.NetMode_UNSET {
		opts = append(opts, llb.Network(e.bc.NetworkMode))
	}
	if e.bc.Hostname != "" {
		opts = append(opts, llb.With(llb.Hostname(e.bc.Hostname)))
	}
	for _, u := range e.bc.Ulimits {
		opts = append(opts, llb.AddUlimit(llb.UlimitName(u.Name), u.Soft, u.Hard))
	}
	if e.bc.ShmSize > 0 {
		opts = append(opts, llb.AddMount("/dev/shm", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(e.bc.ShmSize))))
	}
	if e.bc.CgroupParent != "" {
		opts = append(opts, llb.WithCgroupParent(e.bc.CgroupParent))
	}
	if r := e.bc.LinuxResources; r != nil {
		opts = append(opts, llb.WithLinuxResources(llb.LinuxResources{
			Memory:     r.Memory,
			MemorySwap: r.MemorySwap,
			CPUShares:  r.CpuShares,
			CPUPeriod:  r.CpuPeriod,
			CPUQuota:   r.CpuQuota,
			CpusetCpus: r.CpusetCpus,
			CpusetMems: r.CpusetMems,
		}))
	}
	return opts
}

// missingSecret explains BuildKit's errors about a secret or an agent that nobody gave: where the spec names it, and how to
// give it. It is nil for other errors.
func (e *entrypoint) missingSecret(err error) error {
	at := func(key, format string, args ...any) error {
		r := e.rangeOf(key)
		return withSource(fmt.Errorf("%s:%d: "+format, append([]any{e.src.Filename, r.Start}, args...)...), e.src, r)
	}
	for _, s := range e.secrets() {
		// moby/buildkit, session/sshforward/sshprovider; and without any agent there is no such service in the session.
		msg := err.Error()
		switch {
		case s.SSH && (strings.Contains(msg, "unset ssh forward key "+s.ID) || strings.Contains(msg, fmt.Sprintf("no SSH key %q forwarded from the client", s.ID))):
			return at(s.Key, "an SSH agent %q is missing: give it to the build by --ssh %s", s.ID, s.ID)
		case !s.SSH && strings.Contains(msg, "secret "+s.ID+": not found"):
			return at(s.Key, "secret %q is missing: give it to the build by --secret id=%s,env=VARIABLE or --secret id=%s,src=FILE", s.ID, s.ID, s.ID)
		}
	}
	return nil
}

// warnUnusedBuildArgs names the build arguments that do nothing: the spec does not declare them.
func (e *entrypoint) warnUnusedBuildArgs(ctx context.Context) {
	var unused []string
	for _, k := range slices.Sorted(maps.Keys(e.bc.BuildArgs)) {
		if _, declared := e.spec.Args[k]; !declared && !understood(k) {
			unused = append(unused, k)
		}
	}
	if len(unused) > 0 {
		e.warn(ctx, e.src, fmt.Sprintf("build-args [%s] were not consumed: a spec declares those that it takes in args (MSBuild properties are set by publish.properties)", strings.Join(unused, " ")))
	}
}

// isProxyArg tells the arguments that docker passes along without being asked.
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
