package llb

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/apt"
	"github.com/crosshull/crosshull/llb/dotnet"
)

var update = flag.Bool("update", false, "write golden files")

var (
	amd64 = platforms.MustParse("linux/amd64")
	arm64 = platforms.MustParse("linux/arm64")
	armv7 = platforms.MustParse("linux/arm/v7")
)

var projectFiles = dotnet.Files{
	"src/web/web.csproj": []byte(`<Project><Import Project="../../eng/versions.xml" /><ItemGroup>` +
		`<Compile Include="..\shared\**\*.cs" /></ItemGroup></Project>`),
	"src/lib [1]/lib.csproj": []byte(`<Project />`),
}

func webApp() *dotnet.App {
	return &dotnet.App{
		Path:            "src/web/web.csproj",
		Closure:         []dotnet.Node{{Path: "src/lib [1]/lib.csproj"}, {Path: "src/web/web.csproj"}},
		TargetFramework: "net10.0",
		Output:          dotnet.Output{AssetsFile: "src/web/obj/project.assets.json"},
		Container: dotnet.Container{
			BaseImage:        "mcr.microsoft.com/dotnet/aspnet:10.0",
			WorkingDirectory: "/app/",
			Command:          dotnet.Command{AppCommand: []string{"dotnet", "/app/web.dll"}},
		},
	}
}

// slicedDescription is what MSBuild says of an app over five libraries. The second reads a file beside its folder,
// and its targets make a source.
const slicedDescription = `{"projects": [
  {"path": "src/web/web.csproj", "references": [5, 4]},
  {"path": "src/a/a.csproj", "apart": true},
  {"path": "src/b/b.csproj", "apart": true, "references": [1],
    "files": [{"path": "shared/b.txt", "why": "None item"}], "earlier": ["src/b/[made].cs"]},
  {"path": "src/c/c.csproj", "apart": true, "framework": "net10.0"},
  {"path": "src/d/d.csproj", "apart": true, "references": [1]},
  {"path": "src/e/e.csproj", "apart": true, "references": [2, 3]}
], "answers": [{"app": {"path": "src/web/web.csproj", "closure": [0, 5, 2, 1, 3, 4]}}]}`

// slicedApp is the app of that.
func slicedApp() *dotnet.App {
	e, err := dotnet.ParseEvaluation([]byte(slicedDescription), 1)
	if err != nil {
		panic(err)
	}
	return e.Descriptions[0].App
}

// builder gives a Builder as the frontend makes it, for a BuildKit that has all capabilities but those missing.
func builder(missing ...apicaps.CapID) *Builder {
	caps := pb.Caps.All()
	for i := range caps {
		if slices.Contains(missing, apicaps.CapID(caps[i].ID)) {
			caps[i].Enabled = false
		}
	}
	sdk := llb.Image("mcr.microsoft.com/dotnet/sdk:10.0@"+digest.FromString("sdk").String(), llb.Platform(amd64))
	return &Builder{
		Steps: Steps{
			Options: Options{
				Caps:        pb.Caps.CapSet(caps),
				BuildRID:    "linux-x64",
				Exec:        func(string) []llb.RunOption { return nil },
				Constraints: func(string) []llb.ConstraintsOpt { return nil },
			},
			Sources: Sources{
				Context: llb.Local("context", llb.SessionID("session"), llb.SharedKeyHint("crosshull")),
				Settings: dotnet.Settings{
					"Directory.Build.props", "nuget.config", "src/web/packages.lock.json", "other/Directory.Build.props",
				},
			},
			SDK: sdk.AddEnv("PATH", "/usr/bin"),
		},
		Project: dotnet.Project{Path: "src/web", Configuration: "Release",
			Properties: map[string]string{"B": "x;y", "A": "1"}},
	}
}

func image(b *Builder, p ocispecs.Platform) llb.State {
	base := llb.Image("mcr.microsoft.com/dotnet/aspnet:10.0@"+digest.FromString("aspnet").String(), llb.Platform(p))
	return b.Image(base, p, free(layers(b, p, webApp()))...)
}

// layers are those of an app with packages, as the frontend puts them together.
func layers(b *Builder, p ocispecs.Platform, app *dotnet.App) []llb.State {
	var rid string
	var rids []string
	if app.Mode.NeedsRIDs() {
		rids = []string{"linux-arm", "linux-arm64", "linux-x64"}
	}
	if app.Mode.PerPlatform() {
		rid, _ = dotnet.RID(p, dotnet.Glibc)
	}
	restored, err := b.Restore([]*dotnet.App{app}, rids)
	if err != nil {
		panic(err)
	}
	published, err := b.Publish(app, restored, rid, dotnet.CompressInPublish)
	if err != nil {
		panic(err)
	}
	out := []llb.State{b.Layer("packages", published, nil, AppDir(app), Edit{}, "packages")}
	if app.Mode.Launchers() {
		hosts, err := b.AppHosts(app, restored, rids)
		if err != nil {
			panic(err)
		}
		rid, _ := dotnet.RID(p, dotnet.Glibc)
		out = append(out, b.Layer(dotnet.LayerLauncher, hosts, nil, AppDir(app), Edit{}, rid))
	}
	return append(out, b.Layer("app", published, nil, AppDir(app), Edit{}, "app"))
}

// entries are entries of files. named is what all named contexts have.
func entries(b *Builder, named llb.State, files ...spec.File) []Entry {
	var names []string
	for _, f := range files {
		if f.Context == "" {
			names = append(names, f.From...)
		}
	}
	part := b.FilesOf(names)
	var all []Entry
	for _, f := range files {
		e := Entry{File: f, Sources: ContextSources(part, f.From)}
		if f.Context != "" {
			e.Sources = []Source{{State: named, Path: path.Join("/", strings.Join(f.From, ""))}}
		}
		all = append(all, e)
	}
	return all
}

// free are layers that have nothing of the base in their way.
func free(sts []llb.State) []Layer {
	layers := make([]Layer, len(sts))
	for i, st := range sts {
		layers[i] = AppLayer(st, "/app", nil)
	}
	return layers
}

func modeImage(m dotnet.Mode) llb.State {
	b, app := builder(), webApp()
	app.Mode = m
	return b.Image(llb.Image("base@"+digest.FromString("base").String(), llb.Platform(arm64)), arm64,
		free(layers(b, arm64, app))...)
}

// slicedImage is of an app over libraries that are compiled apart.
func slicedImage() llb.State {
	b := builder()
	described, err := b.Describe(b.Project, []dotnet.Project{b.Project}, projectFiles, nil, nil)
	if err != nil {
		panic(err)
	}
	b.Described = &described
	return b.Image(llb.Scratch(), arm64, free(layers(b, arm64, slicedApp()))...)
}

func marshal(t *testing.T, st llb.State) *llb.Definition {
	t.Helper()
	def, err := st.Marshal(t.Context(), llb.Platform(amd64))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func TestGolden(t *testing.T) {
	describe, err := builder().Describe(builder().Project, []dotnet.Project{builder().Project}, projectFiles, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := builder().Restore([]*dotnet.App{webApp()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := builder().Files(entries(builder(), llb.Local("extra", llb.SessionID("session")),
		spec.File{To: "/data"}, spec.File{From: spec.Paths{"deploy"}, To: "/opt/", Mode: "0755", Owner: "7:8"},
		spec.File{Context: "extra", To: "/extra/"}), "1654", nil)
	if err != nil {
		t.Fatal(err)
	}
	modes, err := builder().Files(entries(builder(), llb.Scratch(),
		spec.File{To: "/var/shared/", Mode: "1777", Owner: "4294967294"},
		spec.File{From: spec.Paths{"deploy/tool"}, To: "/opt/tool", Mode: "4755"}), "1654", nil)
	if err != nil {
		t.Fatal(err)
	}
	private := builder()
	private.NuGet = spec.NuGet{
		Feeds:      []spec.Feed{{Name: "hub", Source: "https://hub.example.com/index.json", PasswordSecret: "token"}},
		Secrets:    map[string]string{"B": "b", "A": "a"},
		CASecret:   "ca",
		LockedMode: new(true),
	}
	feeds, err := private.Restore([]*dotnet.App{webApp()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sdks, err := private.Describe(builder().Project, []dotnet.Project{{}}, projectFiles, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	chosen := builder().Project
	chosen.Chosen = "src/web/web.csproj"
	again, err := builder().Describe(
		builder().Project, []dotnet.Project{chosen}, projectFiles, []string{"VERSION"}, &restored)
	if err != nil {
		t.Fatal(err)
	}
	compiled := builder()
	compiled.Compiled, compiled.SDKVersion = compiledPrograms(t), "10.0.401"
	shipped, err := compiled.Describe(builder().Project, []dotnet.Project{builder().Project}, projectFiles, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	facts := builder().PackageFacts(webApp(), restored)
	scanner := Scanner{
		Name: "docker.io/docker/buildkit-syft-scanner:stable-1",
		Image: llb.Image("scanner@"+digest.FromString("scanner").String(), llb.Platform(amd64)).AddEnv("PATH",
			"/bin").Dir("/work"),
		Args:   []string{"/bin/scan", "all"},
		Params: map[string]string{"B": "2", "A": "1"},
	}
	core := llb.Image("image@"+digest.FromString("image").String(), llb.Platform(arm64))
	test, err := builder().Test(webApp(), dotnet.TestRun{}, restored)
	if err != nil {
		t.Fatal(err)
	}
	left, after := commandStates(t)
	foreign, native := packaged(t, arm64), packaged(t, amd64)
	for name, st := range map[string]llb.State{
		"before":      left,
		"after":       after,
		"os-packages": foreign.State,
		"os-native":   native.State,
		"files":       files.State,
		"files-modes": modes.State,
		"slices":      slicedImage(),
		"users":       builder().Users(shopUsers(t)).State,
		"feeds":       feeds.packages,
		"feeds-sdks":  sdks,
		"sbom":        builder().Document(arm64, facts, dotnet.SBOMFile, []byte("{}")),
		"scan":        builder().Scan(scanner, arm64, core, nil),
		"scan-extras": builder().Scan(scanner, arm64, core, restored.Parts()),
		"test":        test,
		"workspace":   builder().Workspace(webApp(), restored),
		"file-based":  builder().Convert("src/tool.cs"),
		"describe":    describe,
		"shipped":     shipped,
		"again": builder().Layer("app", llb.Image("published@"+digest.FromString("published").String()),
			&again, "/app", Edit{}, "app"),
		"portable":      image(builder(), arm64),
		"apphost":       modeImage(dotnet.AppHost),
		"trimmed":       modeImage(dotnet.SelfContained | dotnet.Trimmed),
		"portable-copy": image(builder(pb.CapMergeOp), arm64),
		"portable-mode": image(builder(pb.CapGCFreeSpaceFilter), arm64),
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, marshal(t, st))
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("graph differs from %s (-update writes it):\n%s", file, got)
			}
		})
	}
}

// A graph that came out differently would run what is cached.
func TestDeterministic(t *testing.T) {
	var first string
	for range 25 {
		describe, err := builder().Describe(builder().Project, []dotnet.Project{builder().Project}, projectFiles, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		scan := builder().Scan(Scanner{Image: llb.Scratch().Dir("/"), Args: []string{"scan"},
			Params: map[string]string{"A": "1", "B": "2", "C": "3"}}, armv7, image(builder(), armv7),
			map[string]llb.State{"context": builder().Context, "sdk": builder().SDK})
		got := render(t, marshal(t, describe)) + render(t, marshal(t, scan))
		if first == "" {
			first = got
		}
		if got != first {
			t.Fatalf("graphs of equal builders differ:\n%s\n%s", first, got)
		}
	}
}

// Nothing of the target architecture is executed, and all that runs is one vertex for all platforms.
func TestOneBuildForAllPlatforms(t *testing.T) {
	shared := map[digest.Digest]int{}
	targets := []ocispecs.Platform{amd64, arm64, armv7}
	for _, p := range targets {
		for dgst, op := range ops(t, marshal(t, image(builder(), p))) {
			shared[dgst]++
			if e := op.GetExec(); e != nil {
				if got := op.Platform.OS + "/" + op.Platform.Architecture; got != "linux/amd64" {
					t.Errorf("for %s, %v runs on %s", platforms.Format(p), e.Meta.Args, got)
				}
			}
		}
	}
	execs := map[string]int{}
	for _, p := range targets {
		for dgst, op := range ops(t, marshal(t, image(builder(), p))) {
			if op.GetExec() == nil && op.GetFile() == nil {
				continue
			}
			if shared[dgst] != len(targets) {
				t.Errorf("a vertex is not shared by all platforms: %v", op)
			}
			if e := op.GetExec(); e != nil {
				execs[strings.Join(e.Meta.Args[:2], " ")+dgst.String()]++
			}
		}
	}
	if len(execs) != 2 {
		t.Errorf("%d execs, want one restore and one publish: %v", len(execs), execs)
	}
}

// ops decodes a definition.
func ops(t *testing.T, def *llb.Definition) map[digest.Digest]*pb.Op {
	t.Helper()
	out := map[digest.Digest]*pb.Op{}
	for _, dt := range def.Def {
		var o pb.Op
		if err := o.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		out[digest.FromBytes(dt)] = &o
	}
	return out
}

// render writes a definition as text, inputs before what uses them, digests as ordinals.
func render(t *testing.T, def *llb.Definition) string {
	t.Helper()
	all := ops(t, def)
	ordinals := map[string]int{}
	var b strings.Builder
	var visit func(dgst string) int
	visit = func(dgst string) int {
		if n, ok := ordinals[dgst]; ok {
			return n
		}
		o := all[digest.Digest(dgst)]
		var inputs []string
		for _, in := range o.Inputs {
			inputs = append(inputs, fmt.Sprintf("#%d:%d", visit(in.Digest), in.Index))
		}
		n := len(ordinals) + 1
		ordinals[dgst] = n
		md := def.Metadata[digest.Digest(dgst)]
		fmt.Fprintf(&b, "#%d %s\n", n, md.Description["llb.customname"])
		if g := md.ProgressGroup; g != nil {
			fmt.Fprintf(&b, "   shown as %s\n", g.Name)
		}
		if len(inputs) > 0 {
			fmt.Fprintf(&b, "   inputs %s\n", strings.Join(inputs, " "))
		}
		switch v := o.Op.(type) {
		case *pb.Op_Source:
			fmt.Fprintf(&b, "   source %s\n", v.Source.Identifier)
			for _, k := range slices.Sorted(maps.Keys(v.Source.Attrs)) {
				fmt.Fprintf(&b, "     %s=%s\n", k, v.Source.Attrs[k])
			}
		case *pb.Op_Exec:
			fmt.Fprintf(&b, "   exec on %s/%s in %s\n", o.Platform.OS, o.Platform.Architecture, v.Exec.Meta.Cwd)
			for _, a := range v.Exec.Meta.Args {
				fmt.Fprintf(&b, "     %s\n", a)
			}
			for _, e := range v.Exec.Meta.Env {
				fmt.Fprintf(&b, "     env %s\n", e)
			}
			if codes := v.Exec.Meta.ValidExitCodes; len(codes) > 0 {
				fmt.Fprintf(&b, "     may exit with %v\n", codes)
			}
			for _, e := range v.Exec.Secretenv {
				fmt.Fprintf(&b, "     secret %s as %s\n", e.ID, e.Name)
			}
			for _, m := range v.Exec.Mounts {
				if m.SecretOpt != nil {
					fmt.Fprintf(&b, "     secret %s at %s\n", m.SecretOpt.ID, m.Dest)
					continue
				}
				if m.MountType == pb.MountType_TMPFS {
					fmt.Fprintf(&b, "     memory at %s\n", m.Dest)
					continue
				}
				fmt.Fprintf(&b, "     mount %s input=%d output=%d readonly=%v", m.Dest, m.Input, m.Output, m.Readonly)
				if m.ContentCache == pb.MountContentCache_OFF {
					b.WriteString(" by-digest")
				}
				b.WriteByte('\n')
			}
		case *pb.Op_File:
			for _, a := range v.File.Actions {
				switch a := a.Action.(type) {
				case *pb.FileAction_Copy:
					c := a.Copy
					fmt.Fprintf(&b, "   copy %s to %s mode=%o%s time=%d\n", c.Src, c.Dest, uint32(c.Mode), c.ModeStr, c.Timestamp)
					for _, p := range c.IncludePatterns {
						fmt.Fprintf(&b, "     include %s\n", p)
					}
					for _, p := range c.ExcludePatterns {
						fmt.Fprintf(&b, "     exclude %s\n", p)
					}
				case *pb.FileAction_Mkdir:
					fmt.Fprintf(&b, "   mkdir %s mode=%o owner=%d:%d time=%d\n", a.Mkdir.Path, a.Mkdir.Mode,
						a.Mkdir.GetOwner().GetUser().GetByID(), a.Mkdir.GetOwner().GetGroup().GetByID(), a.Mkdir.Timestamp)
				case *pb.FileAction_Mkfile:
					fmt.Fprintf(&b, "   mkfile %s mode=%o time=%d\n", a.Mkfile.Path, a.Mkfile.Mode, a.Mkfile.Timestamp)
					if o := a.Mkfile.GetOwner(); o != nil {
						fmt.Fprintf(&b, "     owner %d:%d\n", o.GetUser().GetByID(), o.GetGroup().GetByID())
					}
				default:
					t.Fatalf("render knows no %T", a)
				}
			}
		case *pb.Op_Diff:
			fmt.Fprintln(&b, "   diff")
		case *pb.Op_Merge:
			fmt.Fprintln(&b, "   merge")
		case nil:
			fmt.Fprintln(&b, "   result")
		default:
			t.Fatalf("render knows no %T", v)
		}
		return n
	}
	head, err := def.Head()
	if err != nil {
		t.Fatal(err)
	}
	visit(head.String())
	return b.String()
}

// Steps that fail side by side have no read-only mount in common: BuildKit would lose the error of one. Scanners run
// after all that can fail so.
func TestNoReadOnlyMounts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		dt, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(dt)) {
			if strings.Contains(line, "readonly=true") && !strings.Contains(line, " /run/src/") {
				t.Errorf("%s:%s", file, line)
			}
		}
	}
}

// compiledPrograms are programs as the frontend's image has them.
func compiledPrograms(t *testing.T) *dotnet.Compiled {
	t.Helper()
	compiled, err := dotnet.ReadCompiled(fstest.MapFS{
		"evaluator.dll": {Data: []byte("IL")},
		"installer.dll": {Data: []byte("IL")},
		"sdk-version":   {Data: []byte("10.0.401\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// packaged is a base for a platform with packages from a source with a key.
func packaged(t *testing.T, p ocispecs.Platform) Packaged {
	t.Helper()
	base := func(p ocispecs.Platform) llb.State {
		return llb.Image("base@"+digest.FromString("base").String(), llb.Platform(p)).AddEnv("PATH", "/bin")
	}
	b := builder()
	b.Compiled, b.SDKVersion = compiledPrograms(t), "10.0.401"
	made, err := b.InstallPackages(t.Context(), base(amd64), amd64, Installation{
		State: base(p), Platform: p, NativeToo: true,
		Packages: apt.Packages{
			Install: []string{"curl", "tool"},
			Sources: []apt.Source{{Name: "tools", Text: "deb https://example.com/ ./", Key: "eng/tools.asc"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Nothing of another platform runs, what resolves it alone reaches the network, and what is for the build platform is
// the same for all.
func TestPackagesRunNothingOfTheTarget(t *testing.T) {
	shared := map[digest.Digest]int{}
	for _, p := range []ocispecs.Platform{amd64, arm64, armv7} {
		for dgst, op := range ops(t, marshal(t, packaged(t, p).State)) {
			e := op.GetExec()
			if e == nil {
				continue
			}
			shared[dgst]++
			if op.Platform.Architecture != "amd64" {
				t.Errorf("for %s, %v runs on %s", platforms.Format(p), e.Meta.Args, op.Platform.Architecture)
			}
			resolves := strings.Contains(strings.Join(e.Meta.Args, " "), apt.Resolve)
			if offline := e.Network == pb.NetMode_NONE; offline == resolves {
				t.Errorf("for %s, %v is without a network: %t", platforms.Format(p), e.Meta.Args, offline)
			}
		}
	}
	var all, some int
	for _, n := range shared {
		switch n {
		case 3:
			all++
		case 2:
			some++
		}
	}
	// Resolve and install on amd64 are for all. Unpacking there is for those two that need the twin.
	if all != 2 || some != 1 || len(shared) != 7 {
		t.Errorf("%d steps: %d for all platforms, %d for two; want 7, 2 and 1", len(shared), all, some)
	}
}
