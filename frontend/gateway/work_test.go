package gateway_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/client/llb"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// bug checks that an error is that of a panic with a text: it asks for a report, and says where.
func bug(t *testing.T, err error, text, file string) {
	t.Helper()
	gatewaytest.Want{Says: "crosshull panicked: " + text + "…"}.Check(t, err)
	if err != nil && !strings.Contains(err.Error(), file) {
		t.Errorf("it does not say that the panic was in %s:\n%v", file, err)
	}
}

// What runs in the background has ended when Close returns: it is told to, and waited for.
func TestCloseJoins(t *testing.T) {
	gw, err := gateway.New(t.Context(), &gatewaytest.Client{})
	if err != nil {
		t.Fatal(err)
	}
	var ended atomic.Int32
	for range 3 {
		gw.Go(func(ctx context.Context) {
			<-ctx.Done()
			time.Sleep(10 * time.Millisecond) // what waits for nobody would be seen to be over too early
			ended.Add(1)
		})
	}
	if gw.Close(&err); err != nil {
		t.Error(err)
	}
	if n := ended.Load(); n != 3 {
		t.Errorf("%d of 3 had ended", n)
	}
}

// Who began something can end it alone.
func TestStop(t *testing.T) {
	gw := open(t, &gatewaytest.Client{})
	var ended atomic.Bool
	stop := gw.Go(func(ctx context.Context) {
		<-ctx.Done()
		ended.Store(true)
	})
	var other context.Context
	begun := make(chan struct{})
	gw.Go(func(ctx context.Context) {
		other = ctx
		close(begun)
		<-ctx.Done()
	})
	<-begun
	if stop(); !ended.Load() {
		t.Error("it runs on")
	}
	if other.Err() != nil {
		t.Error("another one was ended too")
	}
	stop() // says nothing the second time
}

// The build's context ends what runs in the background.
func TestBackgroundEndsWithTheBuild(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	gw, err := gateway.New(ctx, &gatewaytest.Client{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	gw.Go(func(ctx context.Context) {
		defer close(done)
		<-ctx.Done()
	})
	cancel()
	<-done
	if gw.Close(&err); err != nil {
		t.Errorf("what was ended is no error: %v", err)
	}
}

func TestPanicInBackground(t *testing.T) {
	begin := func(t *testing.T) *gateway.Client {
		gw, err := gateway.New(t.Context(), &gatewaytest.Client{})
		if err != nil {
			t.Fatal(err)
		}
		gw.Go(func(context.Context) { panic("boom") })
		return gw
	}
	t.Run("alone", func(t *testing.T) {
		var err error
		begin(t).Close(&err)
		bug(t, err, "boom", "work_test.go")
	})
	t.Run("beside the error of the build", func(t *testing.T) {
		build := errors.New("the build failed")
		err := build
		if begin(t).Close(&err); !errors.Is(err, build) || err.Error() != build.Error() {
			t.Errorf("the error of the build became %v", err)
		}
	})
}

func TestPanicInGroup(t *testing.T) {
	eg, ctx := gateway.Group(t.Context())
	eg.SetLimit(1)
	eg.Go(func() error { panic("boom") })
	if !eg.TryGo(func() error { return nil }) {
		eg.Go(func() error { return nil }) // the limit holds until the first has ended
	}
	bug(t, eg.Wait(), "boom", "work_test.go")
	if ctx.Err() == nil {
		t.Error("the others of the group were not told")
	}
	eg, _ = gateway.Group(t.Context())
	if !eg.TryGo(func() error { panic("boom") }) {
		t.Fatal("there is no limit")
	}
	bug(t, eg.Wait(), "boom", "work_test.go")
}

func TestPanicInWalk(t *testing.T) {
	gw := open(t, &gatewaytest.Client{Context: fstest.MapFS{"a/b": {}}})
	ref, err := gw.Solve(t.Context(), llb.Local("context"))
	if err != nil {
		t.Fatal(err)
	}
	err = gateway.Walk(t.Context(), ref, "", func(string, *fstypes.Stat) error { panic("boom") })
	bug(t, err, "boom", "work_test.go")
}

func TestRecover(t *testing.T) {
	fine := func() (err error) {
		defer gateway.Recover(&err)
		return nil
	}
	if err := fine(); err != nil {
		t.Error(err)
	}
	broken := func() (err error) {
		defer gateway.Recover(&err)
		var m map[string]int
		m["x"] = 1 //nolint:staticcheck // the panic that is wanted
		return nil
	}
	bug(t, broken(), "assignment to entry in nil map", "work_test.go")
}
