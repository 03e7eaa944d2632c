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
		Run: []Command{
			{Command: spec.Command{
				Run: "npm ci", Inputs: []string{"web/package.json"}, Cache: map[string]string{"npm": "/root/.npm"},
			}},
			{Command: spec.Command{Run: "npm run build $VERSION"}, Env: []dotnet.KeyValue{{Key: "VERSION", Value: "1"}}},
			{Command: spec.Command{Run: "last", Inputs: []string{"web"}}},
		},
		Cache: "crosshull-",
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
		Run: []Command{
			{Command: spec.Command{Run: "bundle $RID"}},
			{Command: spec.Command{Run: "narrow", Inputs: []string{"web"}}},
		},
	}, []dotnet.KeyValue{{Key: "RID", Value: "linux-arm64"}})
	if err != nil {
		t.Fatal(err)
	}
	return left, after
}

// A command gets what it reads and no earlier one had. What a command without inputs does not get comes with the first
// later one that names it.
func TestCommandsGetWhatTheyRead(t *testing.T) {
	const readme, debug, obj = "README.md", "src/web/bin/Debug", "src/web/obj"
	for _, tc := range []struct {
		name   string
		inputs [][]string // of each command; nil: none
		copies []string   // what is copied: + for what is included, - for what is not
		given  []string   // in the end, in the same way
	}{
		{"none", [][]string{nil}, []string{"-README.md -src/web/bin/Debug -src/web/bin/Release -src/web/obj"},
			[]string{"-README.md", "-src/web/bin/Debug", "-src/web/bin/Release", "-src/web/obj"}},
		{"a part", [][]string{{"web"}, {"web/src", "eng"}}, []string{"+web", "+web/src +eng -web"},
			[]string{"+web", "+web/src", "+eng"}},
		{"the README after most", [][]string{nil, {readme, "web"}},
			[]string{"-README.md -src/web/bin/Debug -src/web/bin/Release -src/web/obj", "+README.md"},
			[]string{"-src/web/bin/Debug", "-src/web/bin/Release", "-src/web/obj"}},
		{"the README before most", [][]string{{readme}, nil},
			[]string{"+README.md", "-README.md -src/web/bin/Debug -src/web/bin/Release -src/web/obj -README.md"},
			[]string{"-src/web/bin/Debug", "-src/web/bin/Release", "-src/web/obj"}},
		{"a file of an output", [][]string{nil, {debug + "/a.dll"}},
			[]string{"-README.md -src/web/bin/Debug -src/web/bin/Release -src/web/obj", "+src/web/bin/Debug/a.dll"},
			[]string{"-README.md", "-src/web/bin/Debug", "-src/web/bin/Release", "-src/web/obj"}},
		{"everything", [][]string{{"."}}, []string{""}, nil},
		{"everything after most, and once more", [][]string{nil, {"."}, {obj}},
			[]string{"-README.md -src/web/bin/Debug -src/web/bin/Release -src/web/obj",
				"+README.md +src/web/bin/Debug +src/web/bin/Release +src/web/obj"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var commands Commands
			for _, inputs := range tc.inputs {
				commands.Run = append(commands.Run, Command{Command: spec.Command{Run: "true", Inputs: inputs}})
			}
			left, given, err := equippedBuilder(t).Before(commands)
			if err != nil {
				t.Fatal(err)
			}
			signs := func(r Reads) (all []string) {
				for _, p := range r.Include {
					all = append(all, "+"+p)
				}
				for _, p := range r.Exclude {
					all = append(all, "-"+p)
				}
				return all
			}
			if got := signs(given); !slices.Equal(got, tc.given) {
				t.Errorf("they had %q, want %q", got, tc.given)
			}
			var copies []string
			for _, op := range ops(t, marshal(t, left)) {
				for _, a := range op.GetFile().GetActions() {
					if c := a.GetCopy(); c != nil && len(op.Inputs) > 0 && c.DirCopyContents && c.Src == "/" {
						copies = append(copies, strings.Join(signs(Reads{c.IncludePatterns, c.ExcludePatterns}), " "))
					}
				}
			}
			copies = slices.DeleteFunc(copies, func(c string) bool { return strings.Contains(c, "dotnet-tools.json") })
			slices.Sort(copies) // vertices have another order
			slices.Sort(tc.copies)
			if !slices.Equal(copies, tc.copies) {
				t.Errorf("it copies %q, want %q", copies, tc.copies)
			}
		})
	}
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
