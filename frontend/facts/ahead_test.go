package facts_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

const restore = "[restore] dotnet restore"

// slow is a BuildKit whose MSBuild answers when a restore has begun, or when that takes longer than patience.
type slow struct {
	*gatewaytest.Client
	begun    chan struct{}
	patience time.Duration
	// running is how many restores run, canceled how many were told to end.
	running, canceled atomic.Int32
	// asked is how often a registry was asked for the base.
	asked atomic.Int32
}

func newSlow(answer gatewaytest.Answer, err error) *slow {
	s := &slow{Client: gatewaytest.Console(), begun: make(chan struct{}, 1), patience: time.Minute}
	s.Describe(answer)
	s.Steps[0].Err = err
	s.Steps[0].Do = func(ctx context.Context) error {
		select {
		case <-s.begun:
		case <-time.After(s.patience):
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	s.Step(
		gatewaytest.Step{Name: restore, Do: func(ctx context.Context) error {
			s.running.Add(1)
			defer s.running.Add(-1)
			s.begun <- struct{}{}
			<-ctx.Done()
			s.canceled.Add(1)
			return ctx.Err()
		}},
	)
	base := gatewaytest.Multi()
	base.Do = func(context.Context) error {
		s.asked.Add(1)
		return nil
	}
	s.Images[gatewaytest.Runtime] = base
	return s
}

// A restore begins ahead, and the base is asked for, while MSBuild is asked. What will not be needed ends, and is
// waited for, before anything else is done.
func TestAhead(t *testing.T) {
	app := gatewaytest.App("app/app.csproj", nil)
	alone := gatewaytest.App("app/app.csproj", gatewaytest.Item{"SelfContained": "true"})
	failed := gatewaytest.Failed("[describe] dotnet msbuild app")
	for _, tc := range []struct {
		name string
		s    *slow
		kept bool // the restore goes on: it is the one that is needed
		says string
	}{
		{"as foreseen", newSlow(app, nil), true, ""},
		{"of another mode", newSlow(alone, nil), false, ""},
		{"with other projects", newSlow(gatewaytest.App("app/app.csproj", nil, "lib/lib.csproj"), nil), false, ""},
		{"of no app", newSlow(gatewaytest.Answer{}, nil), false,
			"crosshull.yaml:1: no .NET project in the context: the context has app/app.csproj"},
		{"MSBuild fails", newSlow(gatewaytest.Answer{}, failed), false, "describe the project: " + failed.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := newAsker(t, tc.s.Client).Apps(t.Context())
			if text := ""; err != nil || tc.says != "" {
				if err != nil {
					text = err.Error()
				}
				if text != tc.says {
					t.Errorf("it says %q, want %q", text, tc.says)
				}
			}
			if n := tc.s.asked.Load(); n != 1 {
				t.Errorf("the base was asked for %d times", n)
			}
			if running := tc.s.running.Load(); (running == 1) != tc.kept {
				t.Errorf("%d restores run on, kept is %v", running, tc.kept)
			}
			if canceled := tc.s.canceled.Load(); (canceled == 0) != tc.kept {
				t.Errorf("%d restores were ended, kept is %v", canceled, tc.kept)
			}
		})
	}
}

// Nothing begins ahead for a call, nor where it cannot be foreseen what will be needed.
func TestNothingAhead(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*slow)
	}{
		{"a call", func(s *slow) { s.Set("requestid", "frontend.plan") }},
		{"a mode of the spec", func(s *slow) { s.Spec("publish: {mode: aot}") }},
		{"links", func(s *slow) {
			s.Context["app/link"] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("app.csproj")}
		}},
		{"several apps", func(s *slow) {
			s.Spec("apps: {a: {project: app}, b: {project: b}}")
			s.Set("target", "a")
			s.Say("b/b.csproj", gatewaytest.Project)
			answers := gatewaytest.Description(gatewaytest.App("app/app.csproj", nil), gatewaytest.App("b/b.csproj", nil))
			s.Steps[1].Files = answers
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSlow(gatewaytest.App("app/app.csproj", nil), nil)
			s.patience = 400 * time.Millisecond // twice as long as it takes until a restore begins ahead
			tc.change(s)
			if _, err := newAsker(t, s.Client).Apps(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := s.asked.Load(); n != 0 {
				t.Errorf("the base was asked for %d times", n)
			}
			if solved := strings.Join(s.Solved(), "\n"); strings.Contains(solved, restore) {
				t.Errorf("restored ahead:\n%s", solved)
			}
		})
	}
}

// What base a preview of the SDK has is not known before it says so.
func TestPreviewAhead(t *testing.T) {
	s := newSlow(gatewaytest.App("app/app.csproj", nil), nil)
	s.Images[gatewaytest.SDK] = gatewaytest.Multi("DOTNET_SDK_VERSION=10.0.100-rc.1")
	if _, err := newAsker(t, s.Client).Apps(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("the base was asked for %d times", n)
	}
}

// What begins ahead and cannot be is nobody's error: it comes again where it is needed.
func TestAheadFails(t *testing.T) {
	s := newSlow(gatewaytest.App("app/app.csproj", nil), nil)
	s.Step(gatewaytest.Step{Name: restore, Do: func(context.Context) error {
		s.begun <- struct{}{}
		return errors.New("no space left on device")
	}})
	s.Images[gatewaytest.Runtime] = gatewaytest.Image{Err: errors.New("refused")}
	if _, err := newAsker(t, s.Client).Apps(t.Context()); err != nil {
		t.Error(err)
	}
}
