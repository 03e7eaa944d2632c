package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	fstypes "github.com/tonistiigi/fsutil/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// run is a state that a command makes, whose vertex has a name.
func run(name string) llb.State {
	return llb.Image("sdk").Run(llb.Args([]string{"make"}), llb.WithCustomName(name)).AddMount("/app", llb.Scratch())
}

// broken is a state that cannot be marshaled.
func broken() llb.State {
	return llb.Scratch().Async(func(context.Context, llb.State, *llb.Constraints) (llb.State, error) {
		return llb.State{}, errors.New("no such state")
	})
}

func TestSolve(t *testing.T) {
	failed := gatewaytest.Failed("[publish] dotnet publish", "/app")
	lazy := gatewaytest.Want{
		Says: `process "[publish] dotnet publish" did not complete successfully: exit code: 1`, Solve: true,
	}
	missing := gatewaytest.Want{Says: "failed to open made: no such file or directory"}
	unmarshaled := gatewaytest.Want{Says: "marshal LLB: no such state"}
	canceled := gatewaytest.Want{Says: "context canceled", Canceled: true}
	gw := open(t, &gatewaytest.Client{Steps: []gatewaytest.Step{
		{Name: "[restore]", Files: fstest.MapFS{"made": {Data: []byte("yes")}}},
		{Name: "[publish]", Err: failed},
	}})
	evaluate := func(ctx context.Context, st llb.State) error {
		_, err := gw.Evaluate(ctx, st)
		return err
	}
	solve := func(ctx context.Context, st llb.State) error {
		_, err := gw.Solve(ctx, st)
		return err
	}
	read := func(ctx context.Context, st llb.State) error {
		_, err := gw.ReadFile(ctx, st, "made")
		return err
	}
	git := func(ctx context.Context, st llb.State) error {
		_, _, err := gw.GitSource(ctx, st)
		return err
	}
	for _, tc := range []struct {
		name string
		f    func(context.Context, llb.State) error
		st   llb.State
		want gatewaytest.Want // the zero Want: no error
	}{
		{"a step that works", evaluate, run("[restore] x"), gatewaytest.Want{}},
		{"a step that fails", evaluate, run("[publish] x"), lazy},
		{"a step that fails, of which nothing is read", solve, run("[publish] x"), gatewaytest.Want{}},
		{"a file", read, run("[restore] x"), gatewaytest.Want{}},
		{"a file of a step that fails", read, run("[publish] x"), lazy},
		{"a file that is not there", read, llb.Local("context"), missing},
		{"a file of nothing", read, llb.Scratch(), gatewaytest.Want{Says: "open made: file does not exist"}},
		{"what is no graph", evaluate, broken(), unmarshaled},
		{"a file of what is no graph", read, broken(), unmarshaled},
		{"the repository of what is no graph", git, broken(), unmarshaled},
		{"no repository", git, llb.Local("context"), gatewaytest.Want{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.f(t.Context(), tc.st)
			if tc.want.Says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			tc.want.Check(t, err)
		})
	}
	for _, f := range []func(context.Context, llb.State) error{evaluate, solve, read} {
		canceled.Check(t, f(ended(t), run("[restore] x")))
	}
}

func TestIsNotFound(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("permission denied"), false},
		{fmt.Errorf("read it: %w", os.ErrNotExist), true},
		{status.Error(codes.NotFound, "gone"), true},
		{errors.New("failed to open /source/x: no such file or directory"), true},
	} {
		if got := gateway.IsNotFound(tc.err); got != tc.want {
			t.Errorf("%v: %v", tc.err, got)
		}
	}
}

// The commit of a git context is BuildKit's to say.
func TestGitSource(t *testing.T) {
	c := &gatewaytest.Client{Git: &sourceresolver.ResolveGitResponse{Checksum: "abc"}}
	st := llb.Scratch().File(llb.Copy(llb.Git("https://example.com/repo.git", "main"), "/", "/"))
	src, md, err := open(t, c).GitSource(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	if src.Identifier != "git://example.com/repo.git#main" || md.Git.Checksum != "abc" {
		t.Errorf("%s at %v", src.Identifier, md.Git)
	}
	c.Git = nil
	_, _, err = open(t, c).GitSource(t.Context(), st)
	gatewaytest.Want{Says: "the repository cannot be reached"}.Check(t, err)
}

// A walk sees all files and folders, however many and deep, and nothing of a folder that is skipped.
func TestWalk(t *testing.T) {
	files := fstest.MapFS{"skipped/x": {}, "top": {}, "link": {Mode: os.ModeSymlink, Data: []byte("top")}}
	want := []string{"link", "skipped", "top"}
	for i := range 40 { // more than there are walkers
		name := fmt.Sprintf("d%d/e/f/file", i)
		files[name] = &fstest.MapFile{Data: []byte("x")}
		for dir := name; dir != "."; dir = path.Dir(dir) {
			want = append(want, dir)
		}
	}
	slices.Sort(want)
	gw := open(t, &gatewaytest.Client{Context: files})
	ref, err := gw.Solve(t.Context(), llb.Local("context"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	err = gateway.Walk(t.Context(), ref, "", func(name string, _ *fstypes.Stat) error {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, name)
		if name == "skipped" {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Sort(seen); !slices.Equal(seen, want) {
		t.Errorf("seen\n%q\nwant\n%q", seen, want)
	}
}

func TestWalkFails(t *testing.T) {
	denied := errors.New("permission denied")
	gw := open(t, &gatewaytest.Client{Steps: []gatewaytest.Step{{
		Name: "local://context", Files: fstest.MapFS{"a/b/c": {}}, Errs: map[string]error{"a/b": denied},
	}}})
	ref, err := gw.Solve(t.Context(), llb.Local("context"))
	if err != nil {
		t.Fatal(err)
	}
	fine := func(string, *fstypes.Stat) error { return nil }
	gatewaytest.Want{Says: "permission denied"}.Check(t, gateway.Walk(t.Context(), ref, "", fine))
	gatewaytest.Want{Says: "permission denied"}.Check(t, gateway.Walk(t.Context(), ref, "a/b", fine))
	gatewaytest.Want{Says: "failed to open missing: no such file or directory"}.Check(t,
		gateway.Walk(t.Context(), ref, "missing", fine))
	gatewaytest.Want{Says: "context canceled", Canceled: true}.Check(t, gateway.Walk(ended(t), ref, "", fine))
}

// A path of a result is told as it is: of a link the link, and of what is not there nothing.
func TestLstat(t *testing.T) {
	gw := open(t, &gatewaytest.Client{Steps: []gatewaytest.Step{{
		Name: "local://context",
		Files: fstest.MapFS{
			"a/file": {Data: []byte("x")}, "a/link": {Mode: os.ModeSymlink, Data: []byte("file")}, "a/o[d]d": {},
		},
		Errs: map[string]error{"broken": errors.New("input/output error")},
	}}})
	ref, err := gw.Solve(t.Context(), llb.Local("context"))
	if err != nil {
		t.Fatal(err)
	}
	lstat := gateway.Lstat(ref)
	for name, link := range map[string]string{"/a/file": "", "a/link": "file", "/a/o[d]d": ""} {
		st, err := lstat(t.Context(), name)
		if err != nil || st == nil || st.Linkname != link {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
	for _, name := range []string{"/a/none", "/none/x"} {
		if st, err := lstat(t.Context(), name); st != nil || err != nil {
			t.Errorf("%s: %v, %v", name, st, err)
		}
	}
	_, err = lstat(t.Context(), "/broken/x")
	gatewaytest.Want{Says: "input/output error"}.Check(t, err)
	_, err = lstat(ended(t), "/a/file")
	gatewaytest.Want{Says: "context canceled", Canceled: true}.Check(t, err)
}
