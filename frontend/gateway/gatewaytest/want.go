package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/errdefs"
)

// Bug is how an error ends that only a bug in crosshull can cause.
const Bug = ". This is a bug in crosshull: please report it at https://github.com/crosshull/crosshull/issues"

// Want is what a test wants of an error.
type Want struct {
	// Says is its text. Where it ends in "…", that is how the text begins.
	Says string
	// At are the lines that it points at, as FILE:LINE, the innermost first; nil: it points at none.
	At []string
	// Solve: it has BuildKit's error about the step that failed. Canceled: it is that of a context that ended.
	Solve, Canceled bool
}

// Check fails the test if err is not what w says.
func (w Want) Check(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", w.Says)
	}
	text := err.Error()
	if begin, ok := strings.CutSuffix(w.Says, "…"); ok && !strings.HasPrefix(text, begin) || !ok && text != w.Says {
		t.Errorf("it says\n%s\nwant\n%s", text, w.Says)
	}
	if at := places(err); !slices.Equal(at, w.At) {
		t.Errorf("it points at %q, want %q", at, w.At)
	}
	var failed *errdefs.SolveError
	if errors.As(err, &failed) != w.Solve {
		t.Errorf("it has a SolveError: %v, want %v", !w.Solve, w.Solve)
	}
	if is := errors.Is(err, context.Canceled); is != w.Canceled {
		t.Errorf("it is context.Canceled: %v, want %v", is, w.Canceled)
	}
}

// places are the lines that an error points at.
func places(err error) []string {
	var at []string
	for _, src := range errdefs.Sources(err) {
		for _, r := range src.Ranges {
			at = append(at, fmt.Sprintf("%s:%d", src.Info.GetFilename(), r.Start.Line))
		}
	}
	return at
}
