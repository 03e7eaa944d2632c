package e2e

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/moby/buildkit/client"
	gatewayclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/tonistiigi/fsutil"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	frontendtree "github.com/crosshull/crosshull/frontend/tree"
	"github.com/crosshull/crosshull/hack/inprocess"
	xllb "github.com/crosshull/crosshull/llb"
)

// userFolder is a folder of a user who cannot read all of it. It counts the bytes that are sent of it.
type userFolder struct {
	fsutil.FS
	closed []string
	sent   *atomic.Int64
}

func (f userFolder) denied(name string) error {
	if !slices.Contains(f.closed, name) {
		return nil
	}
	return &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
}

func (f userFolder) Walk(ctx context.Context, target string, visit fs.WalkDirFunc) error {
	return f.FS.Walk(ctx, target, func(name string, entry fs.DirEntry, err error) error {
		if err := visit(name, entry, err); err != nil || entry == nil || !entry.IsDir() {
			return err
		}
		if err := f.denied(name); err != nil {
			if err := visit(name, entry, err); err != nil {
				return err
			}
			return fs.SkipDir
		}
		return nil
	})
}

func (f userFolder) Open(name string) (io.ReadCloser, error) {
	if err := f.denied(name); err != nil {
		return nil, err
	}
	rc, err := f.FS.Open(name)
	return counted{rc, f.sent}, err
}

type counted struct {
	io.ReadCloser
	sent *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.sent.Add(int64(n))
	return n, err
}

// inTree reads the tree of a folder in a build, and does something with it. It gives what was sent, and the warnings.
func inTree(
	t *testing.T, dir string, closed []string,
	do func(ctx context.Context, req *request.Request, read *frontendtree.Tree) error,
) (sent int64, warnings []string, err error) {
	t.Helper()
	ctx, waited := waiting(t, "build")
	defer waited()
	local, err := fsutil.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	folder := userFolder{local, closed, &atomic.Int64{}}
	so := client.SolveOpt{LocalMounts: map[string]fsutil.FS{"context": folder, "dockerfile": folder}, SharedKey: dir}
	build := func(ctx context.Context, gc gatewayclient.Client) (*gatewayclient.Result, error) {
		gw, err := gateway.New(ctx, gc)
		if err != nil {
			return nil, err
		}
		defer gw.Close(&err)
		req := &request.Request{Gateway: gw}
		read, err := frontendtree.Read(ctx, req)
		if err != nil {
			return nil, err
		}
		return gatewayclient.NewResult(), do(ctx, req, read)
	}
	did, err := inprocess.Solve(ctx, theLab.BuildkitAddr(), so, build)
	if did == nil {
		t.Fatal(err)
	}
	return folder.sent.Load(), did.Warnings, err
}

func fill(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		write(t, dir, name, text)
	}
}

// A client sends all names of a large context, and of contents what is asked for, whatever the names are and whatever
// the user cannot read.
func TestNames(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 5<<20)
	files := map[string]string{
		"src/app.csproj": "<Project />", "src/Program.cs": "1", "data/large": large, ".fsutil-metadata": "mine",
		"odd/new\nline/more.props": "2", "odd/[a]*?/more.props": "3", `odd/back\slash/more.props`: "4", "odd/ü ß.props": "5",
		"odd/!no.props": "6", "odd/ end /more.props": "7", "secret/x": "", "deep/er/secret/x": "", "sub/.git/HEAD": "",
		"zz.csproj": "8",
	}
	dir := t.TempDir()
	fill(t, dir, files)
	if err := os.Link(filepath.Join(dir, "src/Program.cs"), filepath.Join(dir, "src/Same.cs")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../src", filepath.Join(dir, "odd/link")); err != nil {
		t.Fatal(err)
	}
	closed := []string{"secret", "deep/er/secret", "src/Program.cs"}
	look := func(ctx context.Context, req *request.Request, read *frontendtree.Tree) error {
		for name, text := range files {
			if strings.HasSuffix(name, "proj") || strings.HasSuffix(name, ".props") {
				if got := string(read.Files[name]); got != text {
					t.Errorf("of %q it read %q", name, got)
				}
			}
		}
		for name, size := range map[string]int64{
			"data/large": 5 << 20, "src/Same.cs": 1, "odd/new\nline/more.props": 1, "secret/x": -1, "deep/er/secret/x": -1,
			".fsutil-metadata": -1, "sub/.git": -1,
		} {
			if n, ok := read.Name(name); ok != (size >= 0) || ok && n.Size != size {
				t.Errorf("of %q it knows %v", name, n)
			}
		}
		if n, _ := read.Name("odd/link"); n.Target != "../src" {
			t.Errorf("of a link it knows %v", n)
		}
		more, err := read.With(ctx, []string{"src/Same.cs", "odd/link/Same.cs"})
		if err != nil {
			return err
		}
		if got := string(more.Files["odd/link/Same.cs"]); got != "1" {
			t.Errorf("by a link it read %q", got)
		}
		part := read.Part("odd files", xllb.Reads{Include: []string{"odd"}, Exclude: []string{`odd/\[a\]\*\?`}})
		file, err := req.Gateway.ReadFile(ctx, part, "odd/new\nline/more.props")
		if err != nil || string(file.Data) != "2" {
			t.Errorf("of a part it read %q, %v", file.Data, err)
		}
		if _, err = gateway.ReadRef(ctx, file.Ref, "odd/[a]*?/more.props"); !gateway.IsNotFound(err) {
			t.Errorf("what is left out gives %v", err)
		}
		_, err = read.With(ctx, []string{"src/Program.cs"})
		want := "src/Program.cs cannot be read by the user who builds: change its permissions, or exclude it in .dockerignore"
		if fmt.Sprint(err) != want {
			t.Errorf("error %v, want %s", err, want)
		}
		return nil
	}
	sent, warnings, err := inTree(t, dir, closed, look)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Sort(warnings); len(warnings) != 2 || !strings.HasPrefix(warnings[0], "deep/er/secret is left out") {
		t.Errorf("warnings %q", warnings)
	}
	if sent > 1000 {
		t.Errorf("%d bytes were sent", sent)
	}
}

// A name that is no UTF-8 is an error that tells where it is.
func TestNameThatIsNoUTF8(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ file, other, in string }{
		{"src/a/b/caf\xe9.cs", "src/z/\xff.cs", "src/a/b"},
		{"src/a/caf\xe9/b.cs", "src/z/\xff.cs", "src/a"},
		{"caf\xe9.cs", "src/z/ÿ.cs", "the root of the context"},
	} {
		dir := t.TempDir()
		fill(t, dir, map[string]string{"app.csproj": "", "src/a/c/ü.cs": "", "src/b/x.cs": "", tc.file: "", tc.other: ""})
		_, _, err := inTree(t, dir, nil, func(context.Context, *request.Request, *frontendtree.Tree) error { return nil })
		want := "a name in " + tc.in + " is not UTF-8, so BuildKit cannot send it: "
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("error\n%v\nwant\n%s", err, want)
		}
	}
}
