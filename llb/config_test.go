package llb

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// aspnetBase is the configuration of mcr.microsoft.com/dotnet/aspnet, with all that the SDK's own publishing drops.
func aspnetBase() *dockerspec.DockerOCIImage {
	created := time.Unix(1e9, 0)
	img := &dockerspec.DockerOCIImage{}
	img.Platform = ocispecs.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	img.Created = &created
	img.RootFS = ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{"sha256:1"}}
	img.History = []ocispecs.History{{CreatedBy: "base", Created: &created}}
	img.Config.Env = []string{"PATH=/usr/bin", "APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080", "DOTNET_VERSION=10.0.12"}
	img.Config.Labels = map[string]string{
		"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": "24.04", "maintainer": "somebody",
	}
	img.Config.Cmd = []string{"/bin/bash"}
	img.Config.StopSignal = "SIGQUIT"
	img.Config.Volumes = map[string]struct{}{"/base": {}}
	img.Config.Shell = []string{"/bin/ash"}
	img.Config.Healthcheck = &dockerspec.HealthcheckConfig{Test: []string{"CMD", "true"}}
	return img
}

func configOpt(change func(*ConfigOpt)) ConfigOpt {
	app := webApp()
	app.Labels = []dotnet.KeyValue{
		{Key: "org.opencontainers.image.created", Value: "2026-11-24T03:25:15.67Z"},
		{Key: "org.opencontainers.artifact.created", Value: "2026-11-24T03:25:15.67Z"},
		{Key: "org.opencontainers.image.authors", Value: "web"},
		{Key: "org.opencontainers.image.version", Value: "1.0.0"},
		{Key: "org.opencontainers.image.base.name", Value: "mcr.microsoft.com/dotnet/aspnet:10.0"},
		{Key: "net.dot.runtime.majorminor", Value: "10.0"},
		{Key: "net.dot.sdk.version", Value: "10.0.401"},
	}
	opt := ConfigOpt{
		App:      app,
		Base:     Base{Name: "mcr.microsoft.com/dotnet/aspnet:10.0", Digest: "sha256:feed", Config: aspnetBase()},
		Platform: arm64,
	}
	if change != nil {
		change(&opt)
	}
	return opt
}

func TestConfig(t *testing.T) {
	epoch := time.Unix(1700000000, 0)
	type want map[string]string
	for _, tc := range []struct {
		name   string
		change func(*ConfigOpt)
		want   want // see facts
	}{
		{"as the SDK and the base say", nil, want{
			"platform": "linux/arm64", "entrypoint": "dotnet /app/web.dll", "cmd": "", "user": "1654", "workdir": "/app",
			"ports": "8080/tcp", "stopsignal": "SIGQUIT", "volumes": "/base", "shell": "/bin/ash", "healthcheck": "CMD true",
			"label org.opencontainers.image.ref.name":       "ubuntu",
			"label org.opencontainers.image.version":        "1.0.0",
			"label org.opencontainers.image.base.name":      "mcr.microsoft.com/dotnet/aspnet:10.0",
			"label org.opencontainers.image.base.digest":    "sha256:feed",
			"label org.opencontainers.image.created":        "",
			"label org.opencontainers.artifact.created":     "",
			"annotation org.opencontainers.image.authors":   "",
			"annotation org.opencontainers.image.ref.name":  "",
			"annotation org.opencontainers.image.base.name": "mcr.microsoft.com/dotnet/aspnet:10.0",
			"env DOTNET_VERSION":                            "10.0.12",
		}},
		{"epoch", func(o *ConfigOpt) { o.Epoch = &epoch }, want{
			"label org.opencontainers.image.created":      "2023-11-14T22:13:20Z",
			"label org.opencontainers.artifact.created":   "2023-11-14T22:13:20Z",
			"annotation org.opencontainers.image.created": "2023-11-14T22:13:20Z",
		}},
		{"platform's variant", func(o *ConfigOpt) { o.Platform = armv7 }, want{"platform": "linux/arm/v7"}},
		{"no digest known", func(o *ConfigOpt) { o.Base.Digest = "" },
			want{"label org.opencontainers.image.base.digest": ""}},
		{"generated labels off", func(o *ConfigOpt) { o.App.Labels = nil; o.Epoch = &epoch }, want{
			"label org.opencontainers.image.base.name": "", "label org.opencontainers.image.base.digest": "",
			"label org.opencontainers.image.created": "", "label org.opencontainers.image.version": "",
		}},
		{"scratch", func(o *ConfigOpt) { o.Base.Config = nil }, want{
			"platform": "linux/arm64", "user": "", "ports": "", "entrypoint": "dotnet /app/web.dll",
			"env PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		}},
		{"scratch has no name", func(o *ConfigOpt) { o.Base = Base{} }, want{
			"label org.opencontainers.image.base.name": "", "annotation org.opencontainers.image.base.name": "",
			"label org.opencontainers.image.version": "1.0.0",
		}},
		{"project's items", func(o *ConfigOpt) {
			o.App.Env = []dotnet.KeyValue{{Key: "ASPNETCORE_URLS", Value: "http://+:80;https://[::]:8443"},
				{Key: "PATH", Value: "/opt"}}
			o.App.Ports = []string{"9090/udp"}
			o.App.User = "app"
			o.App.WorkingDirectory = "/srv/app/"
			o.App.Labels = append([]dotnet.KeyValue{{Key: "org.opencontainers.image.authors", Value: "a:b;c"}}, o.App.Labels...)
		}, want{
			"ports": "80/tcp 8443/tcp 9090/udp", "user": "app", "workdir": "/srv/app", "env PATH": "/opt",
			"label org.opencontainers.image.authors": "a:b;c",
		}},
		{"user without APP_UID", func(o *ConfigOpt) { o.Base.Config.Config.Env = nil; o.Base.Config.Config.User = "65532" },
			want{"user": "65532", "ports": ""}},
		{"https ports", func(o *ConfigOpt) {
			o.App.Env = []dotnet.KeyValue{{Key: "ASPNETCORE_HTTPS_PORTS", Value: "8081;nonsense"}}
		}, want{"ports": "8080/tcp 8081/tcp"}},
		{"spec over project", func(o *ConfigOpt) {
			o.App.User = "app"
			o.App.Env = []dotnet.KeyValue{{Key: "A", Value: "project"}}
			o.Labels = map[string]string{"x": "flag"}
			o.Spec = spec.Image{
				Entrypoint: []string{"/init"}, Args: []string{"--x"}, User: "1000", Workdir: "/w", Ports: []string{"1", "2/udp"},
				Env:         map[string]string{"A": "spec"},
				Labels:      map[string]string{"x": "spec", "org.opencontainers.image.version": "2"},
				Annotations: map[string]string{"note": "1"}, Volumes: []string{"/data"}, StopSignal: "SIGINT",
				Healthcheck: &spec.Healthcheck{Test: []string{"/probe"}, Interval: "30s", Retries: 3},
			}
		}, want{
			"entrypoint": "/init", "cmd": "--x", "user": "1000", "workdir": "/w", "ports": "1/tcp 2/udp", "env A": "spec",
			"label x": "flag", "label org.opencontainers.image.version": "2", "annotation note": "1", "annotation x": "",
			"volumes": "/base /data", "stopsignal": "SIGINT", "healthcheck": "CMD /probe 30s",
		}},
		{"ranges of ports",
			func(o *ConfigOpt) { o.Spec.Ports = []string{"8000-8002", "8001/tcp", "53/UDP", "7-8/sctp"} }, want{
				"ports": "53/udp 7/sctp 8/sctp 8000/tcp 8001/tcp 8002/tcp",
			}},
		{"no ports", func(o *ConfigOpt) { o.Spec.Ports = []string{} }, want{"ports": ""}},
		{"entrypoint alone drops the project's arguments", func(o *ConfigOpt) {
			o.App.Command.DefaultArgs = []string{"--d"}
			o.Spec.Entrypoint = []string{"/init"}
		}, want{"entrypoint": "/init", "cmd": ""}},
		{"a commit", func(o *ConfigOpt) {
			o.VCS = VCS{Source: "https://example.com/repo", Revision: "c0ffee"}
			o.App.Labels = append(o.App.Labels,
				dotnet.KeyValue{Key: "org.opencontainers.image.source", Value: "https://example.com/own"})
		}, want{"label org.opencontainers.image.source": "https://example.com/own",
			"label org.opencontainers.image.revision": "c0ffee", "annotation org.opencontainers.image.revision": "c0ffee"}},
		{"args alone", func(o *ConfigOpt) {
			o.App.Command.DefaultArgs = []string{"--d"}
			o.Spec.Args = []string{"--e"}
		}, want{"entrypoint": "dotnet /app/web.dll", "cmd": "--e"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			opt := configOpt(tc.change)
			before, _ := json.Marshal(opt.Base.Config)
			config, err := Config(opt)
			if err != nil {
				t.Fatal(err)
			}
			img := config.Image
			got := facts(img, config.Annotations)
			for k, v := range tc.want {
				if got[k] != v {
					t.Errorf("%s: got %q, want %q", k, got[k], v)
				}
			}
			if img.Created != nil || len(img.RootFS.DiffIDs) != 0 {
				t.Error("created and layers are the exporter's to fill in")
			}
			if after, _ := json.Marshal(opt.Base.Config); string(after) != string(before) {
				t.Errorf("the base's configuration was changed:\n%s\n%s", before, after)
			}
		})
	}
}

// Every value says who decided it, the last who spoke.
func TestConfigOrigins(t *testing.T) {
	config, err := Config(configOpt(func(o *ConfigOpt) {
		o.App.User = "app"
		o.App.Env = []dotnet.KeyValue{{Key: "A", Value: "project"}, {Key: "B", Value: "project"}}
		o.Labels = map[string]string{"x": "flag"}
		o.Spec = spec.Image{Args: []string{"--x"}, Env: map[string]string{"B": "spec"},
			Labels: map[string]string{"x": "spec", "y": "spec"}, Workdir: "/w", StopSignal: "SIGINT"}
	}))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Origin{
		"entrypoint": FromProject, "args": FromSpec, "user": FromProject, "env.A": FromProject, "env.B": FromSpec,
		"env.DOTNET_VERSION": FromBase,
		"labels.x":           FromFlag, "labels.y": FromSpec, "labels.org.opencontainers.image.authors": FromProject,
		"labels.maintainer": FromBase,
		"workdir":           FromSpec, "ports": FromBase, "stop-signal": FromSpec, "healthcheck": FromBase,
		"volumes": FromBase,
	} {
		if got := config.Origins[key]; got != want {
			t.Errorf("%s: got %d, want %d", key, got, want)
		}
	}
}

func TestConfigError(t *testing.T) {
	_, err := Config(configOpt(func(o *ConfigOpt) { o.App.Command.Instruction = "Nonsense" }))
	if err == nil || !strings.Contains(err.Error(), "Nonsense") {
		t.Errorf("got %v", err)
	}
}

// facts lays a configuration out by name; what is absent is the empty string.
func facts(img *dockerspec.DockerOCIImage, annotations map[string]string) map[string]string {
	c := img.Config
	out := map[string]string{
		"platform":   strings.TrimSuffix(img.OS+"/"+img.Architecture+"/"+img.Variant, "/"),
		"entrypoint": strings.Join(c.Entrypoint, " "),
		"cmd":        strings.Join(c.Cmd, " "),
		"user":       c.User,
		"workdir":    c.WorkingDir,
		"ports":      strings.Join(slices.Sorted(maps.Keys(c.ExposedPorts)), " "),
		"volumes":    strings.Join(slices.Sorted(maps.Keys(c.Volumes)), " "),
		"stopsignal": c.StopSignal,
		"shell":      strings.Join(c.Shell, " "),
	}
	if h := c.Healthcheck; h != nil {
		out["healthcheck"] = strings.Join(h.Test, " ")
		if h.Interval > 0 {
			out["healthcheck"] += " " + h.Interval.String()
		}
	}
	for k, v := range c.Labels {
		out["label "+k] = v
	}
	for k, v := range annotations {
		out["annotation "+k] = v
	}
	for _, e := range c.Env {
		k, v, _ := strings.Cut(e, "=")
		out["env "+k] = v
	}
	return out
}
