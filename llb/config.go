package llb

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Base is what an image is put on.
type Base struct {
	// Name is the reference as the user would write it, tag included. It is empty for scratch.
	Name string
	// Digest is that of the manifest for the platform; empty if it is not known.
	Digest digest.Digest
	// Config is the configuration of the image; nil means an empty one.
	Config *dockerspec.DockerOCIImage
}

// ConfigOpt is what decides the configuration of an image.
type ConfigOpt struct {
	App      *dotnet.App
	Spec     spec.Image
	Base     Base
	Platform ocispecs.Platform
	// Labels are those of buildx's --label; they win over all others.
	Labels map[string]string
	// Epoch is SOURCE_DATE_EPOCH; nil leaves all times out.
	Epoch *time.Time
	// VCS is the commit of the sources; the zero VCS leaves it out.
	VCS VCS
}

// VCS is a commit of a repository.
type VCS struct{ Source, Revision string }

// Configuration is all of an image but its layers.
type Configuration struct {
	Image *dockerspec.DockerOCIImage
	// Annotations are those of its manifest.
	Annotations map[string]string
	// Origins tell who decided a value, by its key below image of the spec, such as user, env.LANG or labels.NAME.
	Origins map[string]Origin
}

// User is the user that the image runs as, by number if that is known.
func (c *Configuration) User() string {
	user := c.Image.Config.User
	if user == "app" { // the name that Microsoft's images have for it
		if uid := Getenv(c.Image.Config.Env, "APP_UID"); uid != "" {
			return uid
		}
	}
	if user == "" || user == "root" {
		return "0"
	}
	return user
}

// Origin is who decides a value.
type Origin int

// Who decides, the later over the earlier.
const (
	FromBase    Origin = iota // the base image
	FromProject               // the project, or the SDK for it
	FromSpec
	FromFlag // buildx's --label
)

// Config gives the configuration of an image: that of the base, then what the SDK says, then the spec, then buildx's
// flags; the later wins. [LabelSources] is the order of labels and annotations. The exporter sets Created.
func Config(opt ConfigOpt) (*Configuration, error) {
	c := &Configuration{Image: baseConfig(opt.Base), Origins: map[string]Origin{}}
	// The platform has to be that of the index, which BuildKit takes from the user's --platform and normalizes
	// (dockerui.Client.Build, exptypes.ParsePlatforms). There linux/arm64 has no variant, so the variant v8 of a base
	// would make it another platform.
	c.Image.Platform = platforms.Normalize(opt.Platform)
	c.Image.Created = nil
	c.Image.RootFS = ocispecs.RootFS{Type: "layers"}
	c.addEnv(&opt)
	if err := c.addCommand(&opt); err != nil {
		return nil, err
	}
	if err := c.addRuntime(&opt); err != nil {
		return nil, err
	}
	c.addLabels(&opt)
	return c, nil
}

func (c *Configuration) addEnv(opt *ConfigOpt) {
	cfg := &c.Image.Config
	for _, kv := range opt.App.Env {
		cfg.Env = setEnv(cfg.Env, kv.Key, kv.Value)
		c.Origins["env."+kv.Key] = FromProject
	}
	for _, k := range slices.Sorted(maps.Keys(opt.Spec.Env)) {
		cfg.Env = setEnv(cfg.Env, k, opt.Spec.Env[k])
		c.Origins["env."+k] = FromSpec
	}
}

// addCommand sets entrypoint and command.
func (c *Configuration) addCommand(opt *ConfigOpt) error {
	cfg, from := &c.Image.Config, c.Origins
	entrypoint, cmd, err := opt.App.Start().Resolve(cfg.Entrypoint)
	if err != nil {
		return err
	}
	from["entrypoint"], from["args"] = FromProject, FromProject
	if opt.App.None() { // as in a Dockerfile that has only COPY
		entrypoint, cmd = cfg.Entrypoint, cfg.Cmd
		from["entrypoint"], from["args"] = FromBase, FromBase
	}
	if opt.Spec.Entrypoint != nil {
		entrypoint, cmd = opt.Spec.Entrypoint, nil
		from["entrypoint"], from["args"] = FromSpec, FromSpec
	}
	if opt.Spec.Args != nil {
		cmd = opt.Spec.Args
		from["args"] = FromSpec
	}
	cfg.Entrypoint, cfg.Cmd = entrypoint, cmd
	cfg.ArgsEscaped = false //nolint:staticcheck // deprecated, but a base may have it, for its own command
	return nil
}

// addRuntime sets what a container runtime needs to know beside the command: work directory, user, ports, volumes, stop
// signal and healthcheck.
func (c *Configuration) addRuntime(opt *ConfigOpt) error {
	cfg, from := &c.Image.Config, c.Origins
	if !opt.App.None() {
		cfg.WorkingDir, from["workdir"] = AppDir(opt.App), FromProject
	}
	if opt.Spec.Workdir != "" {
		cfg.WorkingDir, from["workdir"] = opt.Spec.Workdir, FromSpec
	}
	switch {
	case opt.Spec.User != "":
		from["user"] = FromSpec
	case opt.App.User != "":
		from["user"] = FromProject
	}
	cfg.User = firstOf(opt.Spec.User, opt.App.User, Getenv(cfg.Env, "APP_UID"), cfg.User)
	if opt.Spec.Ports != nil {
		from["ports"] = FromSpec
	}
	ports, err := exposedPorts(*opt, cfg.Env)
	if err != nil {
		return err
	}
	cfg.ExposedPorts = ports
	for _, v := range opt.Spec.Volumes {
		if cfg.Volumes == nil {
			cfg.Volumes = map[string]struct{}{}
		}
		cfg.Volumes[v] = struct{}{}
		from["volumes"] = FromSpec
	}
	if opt.Spec.StopSignal != "" {
		cfg.StopSignal, from["stop-signal"] = opt.Spec.StopSignal, FromSpec
	}
	if h := opt.Spec.Healthcheck; h != nil {
		cfg.Healthcheck, from["healthcheck"] = healthcheck(h), FromSpec
	}
	return nil
}

var urlPort = regexp.MustCompile(`^\w+://.+:(\d+)`)

// exposedPorts are those of the base, those of the project, and those that ASP.NET Core listens on because of the
// environment: ASPNETCORE_URLS if it is set, else ASPNETCORE_HTTP_PORTS and ASPNETCORE_HTTPS_PORTS (dotnet/sdk,
// ImageBuilder.cs). Ports in the spec replace them all.
func exposedPorts(opt ConfigOpt, env []string) (map[string]struct{}, error) {
	ports := map[string]struct{}{}
	add := func(p string) {
		if !strings.Contains(p, "/") {
			p += "/tcp"
		}
		ports[p] = struct{}{}
	}
	if opt.Spec.Ports != nil {
		for _, value := range opt.Spec.Ports {
			all, err := spec.Ports(value)
			if err != nil {
				return nil, fmt.Errorf("image.ports: %w", err)
			}
			for _, p := range all {
				add(p)
			}
		}
		return ports, nil
	}
	if opt.Base.Config != nil {
		maps.Copy(ports, opt.Base.Config.Config.ExposedPorts)
	}
	for _, p := range opt.App.Ports {
		add(p)
	}
	if urls := Getenv(env, "ASPNETCORE_URLS"); urls != "" {
		for u := range strings.SplitSeq(urls, ";") {
			if m := urlPort.FindStringSubmatch(u); m != nil {
				add(m[1])
			}
		}
	} else {
		for _, k := range []string{"ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS"} {
			for p := range strings.SplitSeq(Getenv(env, k), ";") {
				if _, err := strconv.ParseUint(p, 10, 16); err == nil {
					add(p)
				}
			}
		}
	}
	if len(ports) == 0 {
		return nil, nil
	}
	return ports, nil
}

// healthcheck takes durations that the spec has checked.
func healthcheck(h *spec.Healthcheck) *dockerspec.HealthcheckConfig {
	test := h.Test
	if len(test) > 0 && test[0] != "NONE" && test[0] != "CMD" && test[0] != "CMD-SHELL" {
		test = append([]string{"CMD"}, test...)
	}
	duration := func(s string) time.Duration {
		d, _ := time.ParseDuration(s)
		return d
	}
	return &dockerspec.HealthcheckConfig{
		Test:        test,
		Interval:    duration(h.Interval),
		Timeout:     duration(h.Timeout),
		StartPeriod: duration(h.StartPeriod),
		Retries:     h.Retries,
	}
}

// emptyPath is the PATH that a Dockerfile's FROM scratch gives an image (BuildKit, dockerfile2llb.emptyImage).
const emptyPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// baseConfig gives the configuration of a base. It copies what Config changes, so that the base stays as it is.
func baseConfig(base Base) *dockerspec.DockerOCIImage {
	if base.Config == nil {
		img := &dockerspec.DockerOCIImage{}
		img.Config.Env = []string{"PATH=" + emptyPath}
		return img
	}
	in := base.Config
	img := *in
	img.Config.Env = slices.Clone(in.Config.Env)
	img.Config.Volumes = maps.Clone(in.Config.Volumes)
	img.History = slices.Clone(in.History)
	return &img
}

func setEnv(env []string, key, value string) []string {
	kv := key + "=" + value
	for i, e := range env {
		if k, _, _ := strings.Cut(e, "="); k == key {
			env[i] = kv
			return env
		}
	}
	return append(env, kv)
}

// Getenv gives a variable of an image's environment, empty if it is not there.
func Getenv(env []string, key string) string {
	for _, e := range env {
		if k, v, _ := strings.Cut(e, "="); k == key {
			return v
		}
	}
	return ""
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
