package llb

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// equippedBuilder has a tool, a manifest of local tools, and a README.
func equippedBuilder(t *testing.T) *Builder {
	t.Helper()
	b := builder()
	for _, name := range []string{".config/dotnet-tools.json", "README.md", "nuget.config", "src/web/web.csproj"} {
		b.Names = append(b.Names, dotnet.Name{Path: name})
		b.Housekeeping.Add(name)
	}
	b.Housekeeping.AddProjects(dotnet.Files{})
	node := llb.Image("node@"+digest.FromString("node").String(), llb.Platform(amd64))
	st, err := b.Equip([]Tool{
		{State: node, Path: "/opt/node/bin:/usr/bin:/other", Paths: []string{"/opt/node", "/usr/bin/x"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Equipped = &st
	return b
}

// commandStates are what commands leave, before and after publish.
func commandStates(t *testing.T) (left, after llb.State) {
	t.Helper()
	b := equippedBuilder(t)
	left, given, err := b.Before(Commands{
		Run: []spec.Command{
			{Run: "npm ci", Inputs: []string{"web/package.json"}, Cache: map[string]string{"npm": "/root/.npm"}},
			{Run: "npm run build $VERSION"},
			{Run: "last", Inputs: []string{"web"}},
		},
		Env: [][]dotnet.KeyValue{nil, {{Key: "VERSION", Value: "1"}}, nil}, Cache: "crosshull-",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(given.Exclude, []string{
		"README.md", "src/web/bin/Debug", "src/web/bin/Release", "src/web/obj",
	}) || given.Include != nil {
		t.Errorf("commands have %q of the context", given)
	}
	restored, err := b.Restore([]*dotnet.App{webApp()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	published, err := b.Publish(webApp(), restored, "", dotnet.CompressInPublish)
	if err != nil {
		t.Fatal(err)
	}
	after, err = b.After(webApp(), restored, published, Commands{
		Run: []spec.Command{{Run: "bundle $RID"}, {Run: "narrow", Inputs: []string{"web"}}},
		Env: [][]dotnet.KeyValue{nil, nil},
	}, []dotnet.KeyValue{{Key: "RID", Value: "linux-arm64"}})
	if err != nil {
		t.Fatal(err)
	}
	return left, after
}

// Commands run on the build platform, whatever they are for.
func TestCommandsRunOnBuildPlatform(t *testing.T) {
	left, after := commandStates(t)
	for _, st := range []llb.State{left, after} {
		for _, op := range ops(t, marshal(t, st)) {
			if op.GetExec() != nil && op.Platform.Architecture != "amd64" {
				t.Errorf("%v runs on %s", op.GetExec().Meta.Args, op.Platform.Architecture)
			}
		}
	}
}

func TestToolPath(t *testing.T) {
	own := "/usr/local/bin:/usr/bin"
	for _, tc := range []struct {
		name, path string
		paths      []string
		want       string
	}{
		{"no tools", "", nil, own},
		{"a folder that the SDK has", "/usr/local/bin:/usr/bin", []string{"/usr/local"}, own},
		{"a folder of its own", "/go/bin:/usr/local/go/bin:/usr/bin", []string{"/usr/local/go/"}, "/usr/local/go/bin:" + own},
		{"no PATH", "", []string{"/opt"}, own},
		{"a relative folder", "bin", []string{"/bin"}, own},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := ToolPath(own, []Tool{{Path: tc.path, Paths: tc.paths}}); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestCommandName(t *testing.T) {
	if got := short("set -e\n\techo  x\n"); got != "set -e echo x" {
		t.Errorf("got %q", got)
	}
	if got := short(strings.Repeat("é", 100)); got != strings.Repeat("é", 80)+"…" {
		t.Errorf("got %q", got)
	}
}
