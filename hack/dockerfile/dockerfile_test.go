// Package dockerfile holds the Dockerfiles of --call=dockerfile against BuildKit's Dockerfile frontend: what that makes
// of one is the image that crosshull makes, for every platform and with build arguments of a later day.
package dockerfile

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

var everywhere = []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}

// console is a BuildKit with a console app, a spec and build arguments.
func console(spec []string, args map[string]string) *gatewaytest.Client {
	c := gatewaytest.Console()
	c.Spec(spec...)
	for _, name := range []string{"stable.json", "beta.json", "x.json", "canary.json", "amd64", "arm64", "arm"} {
		c.Context["config/"+name] = &fstest.MapFile{}
	}
	for name, value := range args {
		c.Set("build-arg:"+name, value)
	}
	for _, p := range everywhere {
		base := &c.Images[gatewaytest.Runtime].Configs[p].Config
		base.Env = append(base.Env, "PATH=/bin") // or a Dockerfile would give it one
		base.ExposedPorts = map[string]struct{}{"1/tcp": {}}
	}
	c.Set("platform", strings.Join(everywhere, ","))
	return c
}

// ours is the image that crosshull makes for a platform.
func ours(t *testing.T, c *gatewaytest.Client, platform string) dockerspec.DockerOCIImage {
	t.Helper()
	res, err := frontend.Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var img dockerspec.DockerOCIImage
	if err := json.Unmarshal(res.Metadata["containerimage.config/"+platform], &img); err != nil {
		t.Fatal(err)
	}
	return img
}

// ejected is the Dockerfile.
func ejected(t *testing.T, c *gatewaytest.Client) []byte {
	t.Helper()
	c.Set("requestid", "frontend.dockerfile")
	res, err := frontend.Build(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return res.Metadata["result.txt"]
}

// registry gives the configurations of the fake's images.
type registry struct{ *gatewaytest.Client }

func (r registry) ResolveImageConfig(
	ctx context.Context, ref string, opt sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	name, dgst, pinned := strings.Cut(ref, "@")
	if !pinned {
		return "", "", nil, fmt.Errorf("%s is not pinned", ref)
	}
	_, _, config, err := r.Client.ResolveImageConfig(ctx, name, opt)
	return ref, digest.Digest(dgst), config, err
}

// theirs is what the Dockerfile frontend makes of a Dockerfile.
func theirs(
	t *testing.T, c *gatewaytest.Client, text []byte, args map[string]string, platform string,
) *dockerfile2llb.Result {
	t.Helper()
	p, on := platforms.MustParse(platform), platforms.MustParse("linux/amd64")
	caps := pb.Caps.CapSet(pb.Caps.All())
	res, err := dockerfile2llb.Dockerfile2LLB(t.Context(), text, dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildArgs: args, BuildPlatforms: []ocispecs.Platform{on}},
		TargetPlatform: &p,
		MetaResolver:   registry{c},
		LLBCaps:        &caps,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return res
}

var cases = []struct {
	name string
	spec []string
	// later are build arguments of builds of the Dockerfile, which is written without any.
	later []map[string]string
	// copies are paths that are copied for linux/arm64, with the last of later.
	copies []string
}{
	{name: "nothing said"},
	{name: "image", spec: []string{
		"image:",
		"  entrypoint: [/bin/x, 'a\"b', \"line\\nbreak\", '$HOME', '<<EOF']",
		"  args: ['${not an argument', '[]']",
		"  user: me:them",
		"  workdir: '/srv/my $app'",
		"  env: {A: 'a $5 \"note\" \\ `x`', B: '#', C: '', PATH: '/x:/y', TAB: \"\\t\"}",
		"  ports: [8080, 9000-9003/udp]",
		"  labels: {com.example.team: \"it's a \\\\\", 'odd key': 'x y'}",
		"  volumes: ['/data', '/var/lib/my $app']",
		"  stop-signal: SIGINT",
		"  healthcheck: {test: [CMD-SHELL, 'curl -f http://localhost || exit 1'], interval: 30s, timeout: 1m30s, retries: 3}",
	}},
	{name: "a check that is no line", spec: []string{"image: {healthcheck: {test: [CMD, '[\"a\"]', \"b\\nc\"]}}"}},
	{name: "no check", spec: []string{"image: {healthcheck: {test: [NONE]}}"}},
	{name: "arguments", spec: []string{
		"args: {CHANNEL: stable, PORT: 8080, LANG: C, B: two, EMPTY: , UID: 1654, DIR: /srv, APP_UID: 5}",
		"image:",
		"  env: {A: '${B}', B: '${CHANNEL}', C: '${B}$${B}', LANG: fixed, EMPTY: 'x${EMPTY}x'}",
		"  labels: {com.example.channel: 'of ${CHANNEL}', com.example.lang: '${LANG}', com.example.uid: '${APP_UID}'}",
		"  ports: ['${PORT}', '1${PORT}/udp']",
		"  user: '${UID}:${UID}'",
		"  workdir: '${DIR}/app'",
		"  volumes: ['${DIR}/data']",
		"files: [{from: 'config/${CHANNEL}.json', to: '/etc/${CHANNEL}/', mode: 0644}]",
	}, later: []map[string]string{
		{"CHANNEL": "beta"},
		{"B": "a \"b\" $X `c` \\", "CHANNEL": "x", "LANG": "é"},
		{"PORT": "81", "UID": "7", "DIR": "/opt/my app", "EMPTY": "e", "CHANNEL": "canary"},
	}, copies: []string{"/config/canary.json", "/etc/canary/"}},
	{name: "platforms", spec: []string{
		"args: {TARGETARCH: , TARGETVARIANT: , TARGETPLATFORM: , TARGETOS: , BUILDPLATFORM: , BUILDARCH: }",
		"image:",
		"  env: {ARCH: '${TARGETARCH}${TARGETVARIANT}', ON: '${BUILDPLATFORM}'}",
		"  labels: {com.example.platform: '${TARGETPLATFORM}', com.example.os: '${TARGETOS}/${BUILDARCH}'}",
		"files: [{from: 'config/${TARGETARCH}', to: '/etc/${TARGETARCH}/'}]",
	}, later: []map[string]string{{"TARGETVARIANT": "v9"}}, copies: []string{"/config/arm64", "/etc/arm64/"}},
	{name: "platforms where no argument can be", spec: []string{
		"args: {TARGETARCH: , TARGETVARIANT: , CHANNEL: stable}",
		"image:",
		"  entrypoint: ['/bin/${TARGETARCH}']",
		"  args: ['${TARGETARCH}${TARGETVARIANT}']",
		"  healthcheck: {test: [CMD, '/bin/${TARGETARCH}']}",
		"  labels: {com.example.channel: '${CHANNEL}-${TARGETARCH}'}",
	}, later: []map[string]string{{"CHANNEL": "beta"}}},
}

// What BuildKit makes of a Dockerfile is the image that crosshull makes.
func TestSameImage(t *testing.T) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			text := ejected(t, console(tc.spec, nil))
			for _, args := range append([]map[string]string{nil}, tc.later...) {
				for _, p := range everywhere {
					c := console(tc.spec, args)
					a, b := ours(t, c, p), theirs(t, c, text, args, p)
					wantSame(t, fmt.Sprintf("%s %v", p, args), a.Config, b.Image.Config)
					if t.Failed() {
						t.Fatalf("\n%s", text)
					}
				}
			}
			if tc.copies != nil {
				last := tc.later[len(tc.later)-1]
				got := copies(t, theirs(t, console(tc.spec, last), text, last, "linux/arm64"))
				for _, want := range tc.copies {
					if !slices.Contains(got, want) {
						t.Errorf("it copies %q and not %s\n%s", got, want, text)
					}
				}
			}
		})
	}
}

func wantSame(t *testing.T, name string, ours, theirs dockerspec.DockerOCIImageConfig) {
	t.Helper()
	// The digest of the base differs for each platform, and a comment in the Dockerfile says that it is left out.
	ours.Labels = maps.Clone(ours.Labels)
	delete(ours.Labels, ocispecs.AnnotationBaseImageDigest)
	if len(ours.Labels)+len(theirs.Labels) == 0 {
		ours.Labels, theirs.Labels = nil, nil
	}
	for _, list := range []*[]string{&ours.Env, &theirs.Env} {
		*list = slices.Sorted(slices.Values(*list))
	}
	// A port of the base cannot be dropped: a comment says so.
	delete(theirs.ExposedPorts, "1/tcp")
	delete(ours.ExposedPorts, "1/tcp")
	theirs.ArgsEscaped = false //nolint:staticcheck // a Dockerfile sets it with CMD, and it is of Windows alone
	if !reflect.DeepEqual(ours, theirs) {
		t.Errorf("%s: crosshull makes\n%+v\nand the Dockerfile\n%+v", name, ours, theirs)
	}
}

// copies are the paths that are copied.
func copies(t *testing.T, res *dockerfile2llb.Result) []string {
	t.Helper()
	def, err := res.State.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		for _, action := range op.GetFile().GetActions() {
			if c := action.GetCopy(); c != nil {
				paths = append(paths, c.Src, c.Dest)
			}
		}
	}
	return paths
}

// BuildKit's linter has nothing to say.
func TestLint(t *testing.T) {
	for _, tc := range cases {
		c := console(tc.spec, nil)
		text := ejected(t, c)
		p := platforms.MustParse("linux/arm64")
		_, err := dockerfile2llb.Dockerfile2LLB(t.Context(), text, dockerfile2llb.ConvertOpt{
			TargetPlatform: &p,
			MetaResolver:   registry{c},
			AllStages:      true,
			Warn: func(rule, _, _, msg string, _ []parser.Range) {
				t.Errorf("%s: %s: %s\n%s", tc.name, rule, msg, text)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
