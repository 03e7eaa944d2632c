package tree_test

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
)

// big makes a context one that is not sent whole.
const big = "a large file"

// large gives a client with a context that is too large to be sent whole.
func (f files) large() *gatewaytest.Client {
	c := f.client()
	c.Context["data/"+big] = &fstest.MapFile{Data: make([]byte, 5<<20)}
	return c
}

// sent are the files that a client has sent with contents, but for the ignore file.
func sent(c *gatewaytest.Client) []string {
	all := map[string]bool{}
	for _, t := range c.Transfers() {
		if t.NamesOnly || t.Following != nil {
			continue
		}
		for name, file := range t.Files {
			all[name] = all[name] || !file.Mode.IsDir()
		}
	}
	maps.DeleteFunc(all, func(_ string, file bool) bool { return !file })
	return slices.Sorted(maps.Keys(all))
}

// Of a large context, names come first, and then the contents of project files and of what steps read.
func TestSendsWhatIsRead(t *testing.T) {
	c := files{
		"src/app/app.csproj": `<Import Project="../../eng/v.props" />`, "src/app/Program.cs": "x", "src/app/bin/x.dll": "x",
		"src/lib/lib.csproj": "1", "src/lib/A.cs": "x", "src/other/other.csproj": "1", "src/other/O.cs": "x",
		"eng/v.props": "2", "eng/w.xml": "2", "README.md": "x", "src/link": "-> ../README.md", "LICENSE": "x",
	}.large()
	req := open(t, c)
	got, err := tree.Read(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Names) != 20 {
		t.Errorf("it knows %d names: %v", len(got.Names), got.Names)
	}
	projects := []string{"eng/v.props", "src/app/app.csproj", "src/lib/lib.csproj", "src/other/other.csproj"}
	if names := sent(c); !slices.Equal(names, projects) {
		t.Errorf("at first it sent\n%q\nwant\n%q", names, projects)
	}
	for _, tc := range []struct {
		name  string
		reads []xllb.Reads
		want  []string // beyond the project files
	}{
		{"project files", []xllb.Reads{{Include: []string{"src/app/app.csproj", "**/*.csproj"}}}, nil},
		{"folders", []xllb.Reads{{Include: []string{"src/app", "src/lib"}, Exclude: []string{"src/app/bin", "src/app/obj"}}},
			[]string{"src/app/Program.cs", "src/lib/A.cs"}},
		{"a folder that one step leaves out", []xllb.Reads{
			{Include: []string{"src/app"}, Exclude: []string{"src/app/bin"}}, {Include: []string{"src/app/*/x.dll"}},
		}, []string{"src/app/Program.cs", "src/app/bin/x.dll"}},
		{"a file by a link", []xllb.Reads{{Include: []string{"src/link", "none"}}}, []string{"README.md", "src/link"}},
		{"a name anywhere", []xllb.Reads{{Include: []string{"**/w.xml", "**/none"}}}, []string{"eng/w.xml"}},
		{"nothing", []xllb.Reads{{Include: []string{"none"}}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := sent(c)
			if _, err := req.Gateway.Evaluate(t.Context(), got.Part(tc.name, tc.reads...)); err != nil {
				t.Fatal(err)
			}
			last := c.Transfers()[len(c.Transfers())-1]
			names := slices.DeleteFunc(sent(&gatewaytest.Client{}), func(string) bool { return true })
			for name, file := range last.Files {
				if !file.Mode.IsDir() && !slices.Contains(projects, name) {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			if tc.want == nil && slices.Equal(before, sent(c)) {
				return
			}
			if !slices.Equal(names, tc.want) {
				t.Errorf("it sent\n%q\nwant\n%q", names, tc.want)
			}
		})
	}
	everything := got.Part("all", xllb.Reads{})
	if _, err := req.Gateway.Evaluate(t.Context(), everything); err != nil {
		t.Fatal(err)
	}
	if names := sent(c); !slices.Contains(names, "data/"+big) {
		t.Errorf("of everything it sent %q", names)
	}
}

// A small context is sent whole: that is one transfer less.
func TestSendsSmallContextWhole(t *testing.T) {
	c := files{"app/app.csproj": "1", "app/Program.cs": "x", "README.md": "x"}.client()
	got, err := tree.Read(t.Context(), open(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if names := sent(c); !slices.Equal(names, []string{"README.md", "app/Program.cs", "app/app.csproj"}) {
		t.Errorf("it sent %q", names)
	}
	if got.Part != nil {
		t.Error("it has parts")
	}
}

// A BuildKit that cannot send names alone sends all.
func TestSendsAllWithoutNames(t *testing.T) {
	c := files{"app/app.csproj": "1"}.large()
	c.Lacks = []apicaps.CapID{pb.CapSourceMetadataTransfer}
	c.Closed = []string{"secret"}
	c.Context["secret/x"] = &fstest.MapFile{}
	got, err := tree.Read(t.Context(), open(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Names) != 4 || string(got.Files["app/app.csproj"]) != "1" || got.Part != nil {
		t.Errorf("it knows %v, %q", got.Names, got.Files)
	}
	if names := sent(c); !slices.Contains(names, "data/"+big) {
		t.Errorf("it sent %q", names)
	}
	solved := strings.Join(c.Solved(), "\n")
	if strings.Count(solved, "local://context") != 3 { // the ignore file, and all files twice
		t.Errorf("solved\n%s", solved)
	}
}

// What the user cannot read is left out if it is a folder, and an error if it is a file that is needed.
func TestClosed(t *testing.T) {
	const left = " is left out of the build context, because you may not read it: change its permissions, or exclude it " +
		"in .dockerignore"
	for _, tc := range []struct {
		name   string
		closed []string
		ignore string
		says   string
		warns  []string
	}{
		{"a folder", []string{"secret"}, "", "", []string{"secret" + left}},
		{"folders, some in others", []string{"secret/deep", "src/*odd", "data"}, "", "",
			[]string{"data" + left, "secret/deep" + left, "src/*odd" + left}},
		{"what is ignored", []string{"secret"}, "secret\n", "", nil},
		{"with exceptions of the user's", []string{"secret"}, "*\n!src\n!secret\n", "", []string{"secret" + left}},
		{"a file that nobody needs", []string{"src/Program.cs"}, "", "", nil},
		{"a project file", []string{"src/app.csproj"}, "",
			"read the context: src/app.csproj cannot be read by the user who builds: change its " +
				"permissions, or exclude it in .dockerignore", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := files{
				"src/app.csproj": "1", "src/Program.cs": "x", "src/*odd/x": "x", "secret/deep/x": "x", "secret/y": "y",
				".dockerignore": tc.ignore,
			}
			c := f.large()
			c.Closed = tc.closed
			c.Context["src/Program.cs"].Mode = 0o600
			req := open(t, c)
			got, err := tree.Read(t.Context(), req)
			warned := c.Warnings()
			if slices.Sort(warned); !slices.Equal(warned, tc.warns) {
				t.Errorf("it warns\n%q\nwant\n%q", warned, tc.warns)
			}
			if tc.says != "" {
				gatewaytest.Want{Says: tc.says}.Check(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range got.Names {
				for _, closed := range tc.closed {
					if strings.HasPrefix(n.Path, closed+"/") {
						t.Errorf("it knows %s", n.Path)
					}
				}
			}
			err = got.Check(t.Context(), "sources", xllb.Reads{Include: []string{"src"}})
			if !slices.Contains(tc.closed, "src/Program.cs") {
				if err != nil {
					t.Error(err)
				}
				return
			}
			says := "src/Program.cs cannot be read by the user who builds: change its permissions, or exclude it " +
				"in .dockerignore"
			gatewaytest.Want{Says: says}.Check(t, err)
			_, err = got.With(t.Context(), []string{"src/Program.cs"})
			gatewaytest.Want{Says: says}.Check(t, err)
		})
	}
}

// If several files cannot be read, the error names the same one in each build.
func TestClosedInOrder(t *testing.T) {
	f := files{"app.csproj": "1", "README.md": "x"}
	for i := range 10 {
		f[fmt.Sprintf("src%d/app.csproj", i)], f[fmt.Sprintf("src%d/Program.cs", i)] = "1", "x"
	}
	closed := func(end string) *gatewaytest.Client {
		c := f.large()
		for name, file := range c.Context {
			if strings.HasSuffix(name, end) {
				file.Mode, c.Closed = 0o600, append(c.Closed, name)
			}
		}
		return c
	}
	for range 10 {
		got, err := tree.Read(t.Context(), open(t, closed(".cs")))
		if err != nil {
			t.Fatal(err)
		}
		gatewaytest.Want{Says: "src0/Program.cs cannot be read by the user who builds…"}.Check(t,
			got.Check(t.Context(), "sources", xllb.Reads{}))
		_, err = tree.Read(t.Context(), open(t, closed(".csproj")))
		gatewaytest.Want{Says: "read the context: app.csproj cannot be read by the user who builds…"}.Check(t, err)
	}
}

// The build fails if there are too many folders that cannot be read.
func TestManyClosed(t *testing.T) {
	c := files{"app.csproj": "1"}.large()
	for i := range 30 {
		dir := fmt.Sprintf("d%02d", i)
		c.Closed = append(c.Closed, dir)
		c.Context[dir+"/x"] = &fstest.MapFile{}
	}
	_, err := tree.Read(t.Context(), open(t, c))
	gatewaytest.Want{Says: "read the context: there are more than 20 folders that you may not read, such as d20: change " +
		"their permissions, or exclude them in .dockerignore"}.Check(t, err)
	if n := len(c.Warnings()); n != 20 {
		t.Errorf("it warns %d times", n)
	}
}

// A file that changes between its name and its content is no longer what has been decided about.
func TestChanged(t *testing.T) {
	for says, change := range map[string]func(*gatewaytest.Client){
		"VERSION has changed since the build began: build again": func(c *gatewaytest.Client) {
			c.Context["VERSION"].Data = []byte("1.0")
		},
		"read VERSION: failed to open VERSION: no such file or directory": func(c *gatewaytest.Client) {
			delete(c.Context, "VERSION")
		},
	} {
		c := files{"app.csproj": "1", "VERSION": "1", "x": ""}.large()
		got, err := tree.Read(t.Context(), open(t, c))
		if err != nil {
			t.Fatal(err)
		}
		change(c)
		_, err = got.With(t.Context(), []string{"VERSION"})
		gatewaytest.Want{Says: says}.Check(t, err)
	}
}

// Names of any characters are known, and files of such names are read.
func TestOddNames(t *testing.T) {
	f := files{}
	for _, dir := range []string{
		"a\nb", "[x]", "back\\slash", "!no", " spaces ", "what?", "st*r", "ü", "^a|b{c}", "\x7f\t",
	} {
		f[path.Join(dir, "x.csproj")] = dir
		f[path.Join(dir, "more")] = dir
		f[path.Join("in", dir+".csproj")] = dir
	}
	c := f.large()
	got, err := tree.Read(t.Context(), open(t, c))
	if err != nil {
		t.Fatal(err)
	}
	var more []string
	for name, text := range f {
		if path.Base(name) == "more" {
			more = append(more, name)
		} else if string(got.Files[name]) != text {
			t.Errorf("of %q it read %q", name, got.Files[name])
		}
	}
	if got, err = got.With(t.Context(), more); err != nil {
		t.Fatal(err)
	}
	for _, name := range more {
		if string(got.Files[name]) != f[name] {
			t.Errorf("of %q it read %q", name, got.Files[name])
		}
	}
	for _, tr := range c.Transfers() {
		for _, pattern := range slices.Concat(tr.Include, tr.Exclude) {
			if strings.ContainsFunc(pattern, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("pattern %q cannot be sent", pattern)
			}
		}
	}
}

// Thousands of files are asked for by parts.
func TestManyFiles(t *testing.T) {
	f := files{}
	for i := range 1300 {
		name := fmt.Sprintf("d%04d", i)
		f["src/"+name+".csproj"] = name
		f["src/"+name+".cs"] = ""
	}
	c := f.large()
	c.Step(gatewaytest.Step{Name: "[internal] join project files", Files: c.Context})
	got, err := tree.Read(t.Context(), open(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Files["src/d1200.csproj"]) != "d1200" || len(got.Files) != 1300 {
		t.Errorf("it read %d files", len(got.Files))
	}
	hints := map[string]bool{}
	for _, tr := range c.Transfers() {
		if len(tr.Include) > 1000 {
			t.Errorf("a transfer has %d patterns", len(tr.Include))
		}
		if tr.Include != nil {
			hints[tr.Hint] = true
		}
	}
	if len(hints) != 5 {
		t.Errorf("the parts are kept as %v", hints)
	}
}
