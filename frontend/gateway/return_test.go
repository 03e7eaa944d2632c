package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// overGRPC is what a client gets of an error: from the frontend to the daemon, and on to buildx.
func overGRPC(t *testing.T, err error) error {
	t.Helper()
	for range 2 {
		err = grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), err))
	}
	return err
}

// fromDaemon is an error as the gateway gives it to a frontend.
func fromDaemon(t *testing.T, err error) error {
	t.Helper()
	return grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), err))
}

// lost as it is, BuildKit's error would keep its own text on the way to the user, or lose what it carries.
func TestReturnKeepsTextAndChain(t *testing.T) {
	failed := gatewaytest.Failed("[publish] dotnet publish", "/diagnostics")
	failed = fmt.Errorf("process did not complete: %w", errors.Join(&gwpb.ExitError{ExitCode: 7, Err: failed}))
	failed = errdefs.WrapVertex(failed, "sha256:abc")
	failed = errdefs.WithSource(failed, &errdefs.Source{
		Info:   &pb.SourceInfo{Filename: "crosshull.yaml", Data: []byte("project: app\n")},
		Ranges: []*pb.Range{{Start: &pb.Position{Line: 1}, End: &pb.Position{Line: 1}}},
	})
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"reworded", Reword(fromDaemon(t, failed), "1 error in publish"), "1 error in publish"},
		{"reworded, with more before it", fmt.Errorf("describe: %w", Reword(fromDaemon(t, failed), "why")), "describe: why"},
		{"with more before it", fmt.Errorf("describe: %w", fromDaemon(t, failed)), "describe: " + failed.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := overGRPC(t, Return(tc.err))
			if got.Error() != tc.want {
				t.Errorf("message %q, want %q", got, tc.want)
			}
			var vertex *errdefs.VertexError
			var exit *gwpb.ExitError
			if step := failedExec(got); step == nil || len(step.MountIDs) != 1 || step.Description["llb.customname"] == "" {
				t.Errorf("the step is lost: %+v", step)
			}
			if !errors.As(got, &vertex) || vertex.Digest != "sha256:abc" {
				t.Errorf("the vertex is lost: %+v", vertex)
			}
			if !errors.As(got, &exit) || exit.ExitCode != 7 {
				t.Errorf("the exit code is lost: %+v", exit)
			}
			if sources := errdefs.Sources(got); len(sources) != 1 || sources[0].Info.Filename != "crosshull.yaml" {
				t.Errorf("the place is lost: %v", sources)
			}
		})
	}
	if Return(nil) != nil {
		t.Error("no error became one")
	}
}

// Who gave up is told so, whatever words are around it.
func TestReturnOfCanceled(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want error
	}{
		{context.Canceled, context.Canceled},
		{fmt.Errorf("read the context: %w", context.Canceled), context.Canceled},
		{fromDaemon(t, status.Error(codes.Canceled, "context canceled")), context.Canceled},
		{fmt.Errorf("restore: %w", fromDaemon(t, status.Error(codes.DeadlineExceeded, "too late"))),
			context.DeadlineExceeded},
		{errors.New("broken"), nil},
	} {
		got := Return(tc.err)
		for _, target := range []error{context.Canceled, context.DeadlineExceeded} {
			if is := errors.Is(got, target); is != (target == tc.want) { //nolint:errorlint // the sentinels themselves
				t.Errorf("%v is %v: %v", tc.err, target, is)
			}
		}
		if got := IsCanceled(tc.err); got != (tc.want == context.Canceled) { //nolint:errorlint // as above
			t.Errorf("%v is canceled: %v", tc.err, got)
		}
		over := overGRPC(t, got)
		if n := strings.Count(over.Error(), "anceled: "); n > 1 {
			t.Errorf("the code is told %d times: %v", n, over)
		}
	}
	if IsCanceled(nil) {
		t.Error("no error is one of canceled work")
	}
}

// A message that is not UTF-8 does not arrive at all, and a terminal obeys what is not text.
func TestShown(t *testing.T) {
	for in, want := range map[string]string{
		"two\nlines\tand a tab":        "two\nlines\tand a tab",
		"näive ☃ 漢":                    "näive ☃ 漢",
		"a\rb":                         `a\rb`,
		"a\u2028b\u0085c\ufeff":        `a\u2028b\u0085c\ufeff`,
		"\x1b[31mred\x1b[0m":           `\x1b[31mred\x1b[0m`,
		"caf\xe9 \xff":                 `caf\xe9 \xff`,
		"\x00":                         `\x00`,
		strings.Repeat("x", 1<<16):     strings.Repeat("x", maxLine) + "…",
		"a\n" + strings.Repeat("é", 9): "a\n" + strings.Repeat("é", 9),
	} {
		if got := shown(in); got != want {
			t.Errorf("%.40q is %.60q, want %.60q", in, got, want)
		}
	}
	over := overGRPC(t, Return(errors.New("caf\xe9")))
	if over.Error() != `caf\xe9` {
		t.Errorf("over gRPC: %q", over)
	}
}

// boom panics.
func boom() { panic("boom") }

// A panic is one error that names the place, wherever it is.
func TestRecover(t *testing.T) {
	panics := func(t *testing.T) *Client {
		c, err := New(t.Context(), &gatewaytest.Client{Steps: []gatewaytest.Step{{Do: func(context.Context) error {
			boom()
			return nil
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, tc := range []struct {
		name string
		run  func(t *testing.T) error
		at   string
	}{
		{"in a function", func(*testing.T) (err error) {
			defer Recover(&err)
			boom()
			return nil
		}, "frontend/gateway/return_test.go:"},
		{"of the runtime", func(*testing.T) (err error) {
			defer Recover(&err)
			var none []int
			_ = none[len(none)]
			return nil
		}, "frontend/gateway/return_test.go:"},
		{"in a package below", func(*testing.T) (err error) {
			defer Recover(&err)
			_ = strings.Repeat("x", -1)
			return nil
		}, "strings/strings.go:"},
		{"in a group", func(t *testing.T) error {
			eg, _ := Group(t.Context())
			eg.Go(func() error {
				boom()
				return nil
			})
			return eg.Wait()
		}, "frontend/gateway/return_test.go:"},
		{"that is passed on", func(*testing.T) (err error) {
			defer Recover(&err)
			_, _ = sync.OnceValues(func() (int, error) {
				boom()
				return 0, nil
			})()
			return nil
		}, "frontend/gateway/return_test.go:"},
		{"in the background", func(t *testing.T) (err error) {
			c := panics(t)
			c.Go(func(context.Context) { boom() })
			c.Close(&err)
			return err
		}, "frontend/gateway/return_test.go:"},
		{"in a solve", func(t *testing.T) (err error) {
			defer Recover(&err)
			_, err = panics(t).Evaluate(t.Context(), vertex("publish"))
			return err
		}, "frontend/gateway/return_test.go:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Return(tc.run(t))
			if err == nil {
				t.Fatal("no error")
			}
			text := err.Error()
			if !strings.HasPrefix(text, "crosshull panicked: ") ||
				!strings.Contains(text, ", at "+tc.at) {
				t.Errorf("message %q, want the place %s", text, tc.at)
			}
			if strings.Contains(text, "\n") {
				t.Errorf("a stack in the message: %s", text)
			}
		})
	}
}
