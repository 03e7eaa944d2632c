package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/tree"
	"github.com/crosshull/crosshull/llb/dotnet"
)

func open(t *testing.T, c *gatewaytest.Client) *request.Request {
	t.Helper()
	gw, err := gateway.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return &request.Request{Gateway: gw}
}

// files are those of a context, by name. A text that begins with "-> " is the target of a link.
type files map[string]string

func (f files) client() *gatewaytest.Client {
	c := &gatewaytest.Client{Context: fstest.MapFS{}, Options: map[string]string{}}
	for name, text := range f {
		file := &fstest.MapFile{Data: []byte(text)}
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			file = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
		}
		c.Context[name] = file
	}
	return c
}

func read(t *testing.T, f files) *tree.Tree {
	t.Helper()
	got, err := tree.Read(t.Context(), open(t, f.client()))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Project files are read, also by links. What they lead to is read when it is asked for: see TestWith.
func TestFiles(t *testing.T) {
	const project = `<Project><Import Project="../eng/versions.xml" /></Project>`
	for _, tc := range []struct {
		name string
		f    files
		want files
	}{
		{"nothing", files{}, files{}},
		{"no projects", files{"README.md": "x", "src/Program.cs": "x"}, files{}},
		{"projects and what is found by name", files{
			"app/app.csproj": "1", "Directory.Build.props": "2", "global.json": "3", "NuGet.Config": "4", "all.slnx": "5",
			"app/Program.cs": "x", "app/appsettings.json": "x",
		}, files{
			"app/app.csproj": "1", "Directory.Build.props": "2", "global.json": "3", "NuGet.Config": "4", "all.slnx": "5",
		}},
		{"what a build on the host left", files{
			"app/app.csproj": "1", "app/obj/app.csproj.nuget.g.props": "x", "app/bin/Debug/x.props": "x",
			"node_modules/a/a.csproj": "x", ".git/hooks/a.csproj": "x", "bin/tool.csproj": "x",
		}, files{"app/app.csproj": "1"}},
		{"an import of another name", files{"app/app.csproj": project, "eng/versions.xml": "x"},
			files{"app/app.csproj": project}},
		{"a link to a project", files{"app/app.csproj": "-> ../shared/app.txt", "shared/app.txt": "1"}, files{
			"app/app.csproj": "1", "shared/app.txt": "1",
		}},
		{"links that lead nowhere", files{
			"a.csproj": "-> /etc/a.csproj", "b.csproj": "-> ../b.csproj", "c.csproj": "-> c.txt", "d.csproj": "-> d.csproj",
		}, files{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := files{}
			for name, dt := range read(t, tc.f).Files {
				got[name] = string(dt)
			}
			if !maps.Equal(got, tc.want) {
				t.Errorf("read\n%q\nwant\n%q", got, tc.want)
			}
		})
	}
}

// The names of files tell what restore and publish need to know.
func TestNames(t *testing.T) {
	got := read(t, files{
		"app/app.csproj":         `<Project Sdk="Microsoft.NET.Sdk.Web" />`,
		"app/packages.lock.json": "{}",
		"app/wwwroot/site.css":   "body {}",
		"app/linked":             "-> ../shared",
		"shared/x.cs":            "x",
		"nuget.config":           `<packageSources><add key="local" value="feed" /></packageSources>`,
	})
	settings := slices.Sorted(slices.Values(got.Settings))
	if !slices.Equal(settings, []string{"app/packages.lock.json", "nuget.config"}) {
		t.Errorf("settings %q", settings)
	}
	if want := (dotnet.Links{"app/linked": "shared"}); !maps.Equal(got.Links, want) {
		t.Errorf("links %q", got.Links)
	}
	if !slices.Equal(got.RestoreInputs, []string{"feed"}) {
		t.Errorf("restore reads %q", got.RestoreInputs)
	}
	app := &dotnet.App{Path: "app/app.csproj", Closure: []dotnet.Node{{Path: "app/app.csproj"}}}
	if !got.Assets.Has(app) {
		t.Error("it has no static assets")
	}
}

// local is the source of a context, in the graph of a state.
func local(t *testing.T, gw *gateway.Client, st llb.State) *pb.SourceOp {
	t.Helper()
	def, err := gw.Marshal(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	var op pb.Op
	if err := op.UnmarshalVT(def.Def[0]); err != nil {
		t.Fatal(err)
	}
	return op.GetSource()
}

// The context has nothing that .dockerignore leaves out, and no .git.
func TestExcluded(t *testing.T) {
	for _, tc := range []struct {
		name   string
		keep   string
		ignore string
		want   string
	}{
		{"by itself", "", "", `["**/.git",".fsutil-metadata"]`},
		{"kept", "1", "", `[".fsutil-metadata"]`},
		{"not kept", "0", "", `["**/.git",".fsutil-metadata"]`},
		{"nothing that makes sense", "perhaps", "", `["**/.git",".fsutil-metadata"]`},
		{"more", "", "*.md\ntmp\n", `["*.md","tmp","**/.git",".fsutil-metadata"]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := files{".dockerignore": tc.ignore}.client()
			c.Set("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR", tc.keep)
			req := open(t, c)
			got, err := tree.Read(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			src := local(t, req.Gateway, got.Context)
			if excluded := src.Attrs[pb.AttrExcludePatterns]; excluded != tc.want {
				t.Errorf("without %s, want %s", excluded, tc.want)
			}
			if kept := got.Housekeeping.Git; kept == strings.Contains(tc.want, ".git") {
				t.Errorf("that .git is kept is %v", kept)
			}
			if key := src.Attrs[pb.AttrSharedKeyHint]; key != "crosshull" {
				t.Errorf("sent as %q, which is another's", key)
			}
		})
	}
}

// A git repository is a context, too.
func TestGitContext(t *testing.T) {
	c := &gatewaytest.Client{Options: map[string]string{"context": "https://example.com/repo.git#main"}}
	c.Step(gatewaytest.Step{Name: "git://", Files: fstest.MapFS{"app.csproj": {Data: []byte("1")}}})
	got, err := tree.Read(t.Context(), open(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Files["app.csproj"]) != "1" {
		t.Errorf("read %q", got.Files)
	}
}

func TestReadFails(t *testing.T) {
	denied := func(name string) gatewaytest.Step {
		return gatewaytest.Step{Errs: map[string]error{name: errors.New("permission denied")}, Files: fstest.MapFS{
			"app/app.csproj": {}, "app/sub/y": {},
		}}
	}
	says := func(text string) gatewaytest.Want { return gatewaytest.Want{Says: text} }
	for _, tc := range []struct {
		name string
		step gatewaytest.Step
		opts map[string]string
		want gatewaytest.Want
	}{
		{"not sent", gatewaytest.Step{Err: errors.New("no session")}, nil, says("read the context: no session")},
		{"a project that is not to be read", denied("app/app.csproj"), nil,
			says("read the context: read app/app.csproj: permission denied")},
		{"a .dockerignore that makes no sense", gatewaytest.Step{Files: fstest.MapFS{
			".dockerignore": {Data: []byte(strings.Repeat("x", 1<<17))},
		}}, nil, says("read .dockerignore: failed parsing .dockerignore: …")},
		{"a git repository of no kind", gatewaytest.Step{}, map[string]string{"context": "https://example.com/x.git?y=z"},
			says("read .dockerignore: …")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.step.Name = "local://context"
			c := &gatewaytest.Client{Options: tc.opts, Steps: []gatewaytest.Step{tc.step}}
			_, err := tree.Read(t.Context(), open(t, c))
			tc.want.Check(t, err)
		})
	}
}

func TestOf(t *testing.T) {
	req := open(t, &gatewaytest.Client{})
	got, err := tree.Of(t.Context(), req, llb.Scratch())
	if err != nil || len(got.Files) > 0 || got.Links == nil {
		t.Errorf("of nothing there is %+v, %v", got, err)
	}
	broken := llb.Scratch().Async(func(context.Context, llb.State, *llb.Constraints) (llb.State, error) {
		return llb.State{}, errors.New("no such state")
	})
	_, err = tree.Of(t.Context(), req, broken)
	gatewaytest.Want{Says: "read the context: marshal LLB: no such state"}.Check(t, err)
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := files{"app/app.csproj": "x", "app/sub/y": "x"}.client()
	req := open(t, c)
	c.Step(gatewaytest.Step{Name: "local://context", Files: c.Context, Do: func(ctx context.Context) error {
		if len(c.Ran()) < 2 { // .dockerignore
			return nil
		}
		cancel()
		return ctx.Err()
	}})
	_, err := tree.Read(ctx, req)
	gatewaytest.Want{Says: "read the context: context canceled", Canceled: true}.Check(t, err)
	_, err = tree.Read(ctx, req)
	gatewaytest.Want{Says: "read the context: context canceled", Canceled: true}.Check(t, err)
	_, err = tree.Read(ctx, open(t, c))
	gatewaytest.Want{Says: "read .dockerignore: context canceled", Canceled: true}.Check(t, err)
}

// A path that ends too soon says where, before anything is built of it.
func TestFind(t *testing.T) {
	req := open(t, files{
		"docs/a.txt": "x", "link": "-> docs", "dangling": "-> nowhere.txt", "docs/out": "-> ../../out",
	}.client())
	got, err := tree.Read(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	const none = "there is no %s in the context, or an ignore file leaves it out"
	for name, says := range map[string]string{
		"docs/a.txt":  "",
		"./docs/":     "",
		"link/a.txt":  "",
		"none":        fmt.Sprintf(none, "none"),
		"docs/b.txt":  fmt.Sprintf(none, "docs/b.txt"),
		"none/b/c":    fmt.Sprintf(none, "none"),
		"dangling":    "dangling is a symbolic link to nowhere.txt, which is not in the context",
		"docs/out/of": "docs/out is a symbolic link to ../../out, which is not in the context",
	} {
		if err := got.Find(name); says != "" {
			gatewaytest.Want{Says: says}.Check(t, err)
		} else if err != nil {
			t.Error(err)
		}
	}
}

// All names are known, also of what nobody looks for projects in.
func TestAllNames(t *testing.T) {
	got := read(t, files{
		"app/app.csproj": "1", "app.md": "22", "app/obj/x.dll": "333", "app/link": "-> ../app.md", "node_modules/a/a.js": "",
	})
	var names []string
	for _, n := range got.Names {
		names = append(names, fmt.Sprint(n.Path, " ", n.Mode.Type(), " ", n.Size, " ", n.Target))
	}
	want := []string{
		"app d--------- 0 ", "app.md ---------- 2 ", "app/app.csproj ---------- 1 ", "app/link L--------- 9 ../app.md",
		"app/obj d--------- 0 ", "app/obj/x.dll ---------- 3 ", "node_modules d--------- 0 ", "node_modules/a d--------- 0 ",
		"node_modules/a/a.js ---------- 0 ",
	}
	if !slices.Equal(names, want) {
		t.Errorf("names\n%q\nwant\n%q", names, want)
	}
	if n, ok := got.Name("app/link"); !ok || n.Target != "../app.md" {
		t.Errorf("of the link it knows %v, %v", n, ok)
	}
	if n, ok := got.Name("app/none"); ok {
		t.Errorf("of nothing it knows %v", n)
	}
}

// More contents make another tree.
func TestWith(t *testing.T) {
	old := read(t, files{
		"app/app.csproj": "1", "app/VERSION": "2", "real/x.txt": "3", "linked": "-> real", "file": "-> linked/x.txt",
		"out": "-> ../out", "far": "-> /real/x.txt", "loop": "-> loop",
		"long": "-> linked/b/c/d",
	})
	got, err := old.With(t.Context(), []string{
		"app/VERSION", "linked/x.txt", "file", "app/app.csproj", "linked/../real/x.txt",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := files{
		"app/app.csproj": "1", "app/VERSION": "2", "linked/x.txt": "3", "file": "3", "linked/../real/x.txt": "3",
	}
	has := files{}
	for name, dt := range got.Files {
		has[name] = string(dt)
	}
	if !maps.Equal(has, want) {
		t.Errorf("read\n%q\nwant\n%q", has, want)
	}
	if len(old.Files) != 1 {
		t.Errorf("the old tree has %q now", old.Files)
	}
	for name, says := range map[string]string{
		"none":        "there is no none in the context, or an ignore file leaves it out",
		"app/none/x":  "there is no app/none in the context, or an ignore file leaves it out",
		"app":         "app is not a file",
		"out":         "out is a symbolic link to ../out, which is not in the context",
		"far":         "far is a symbolic link to /real/x.txt, which is not in the context",
		"loop":        "loop is a symbolic link to loop, which is not in the context",
		"../app/x":    "there is no .. in the context, or an ignore file leaves it out",
		"long":        "long is a symbolic link to linked/b/c/d, which is not in the context",
		"linked/none": "there is no linked/none in the context, or an ignore file leaves it out",
	} {
		_, err := old.With(t.Context(), []string{name})
		gatewaytest.Want{Says: says}.Check(t, err)
	}
}

// A pattern finds names of the context, through links, for which the context is the root as in a COPY.
func TestGlob(t *testing.T) {
	req := open(t, files{
		"docs/a.txt": "x", "docs/b.txt": "x", "docs/in/a.txt": "x", "link": "-> docs", "out": "-> ../docs",
	}.client())
	got, err := tree.Read(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string]string{
		"docs/*.txt": "docs/a.txt docs/b.txt", "./docs/[a]*": "docs/a.txt", "link/?.txt": "link/a.txt link/b.txt",
		"d*/i*": "docs/in", "out/?.txt": "out/a.txt out/b.txt", "docs/*.md": "",
	} {
		found, err := got.Glob(t.Context(), pattern)
		if strings.Join(found, " ") != want {
			t.Errorf("%s: %q, want %s", pattern, found, want)
		}
		if want != "" && err != nil {
			t.Error(err)
		} else if want == "" {
			says := "nothing in the context matches " + pattern + ", or an ignore file leaves it out"
			gatewaytest.Want{Says: says}.Check(t, err)
		}
	}
}
