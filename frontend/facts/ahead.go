package facts

import (
	"context"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// earlyDelay is how long the build waits for MSBuild before it starts to restore early. If BuildKit has the answer of
// MSBuild in its cache, it comes sooner, and an early restore gains nothing.
const earlyDelay = 200 * time.Millisecond

// startEarly guesses what MSBuild will answer. By that guess, it starts to restore and resolves the base image while
// MSBuild works. When the answer is there, call keep with it (nil if there is none): keep stops the restore if the
// guess was wrong.
func (a *Asker) startEarly() (keep func(*dotnet.App)) {
	probably := dotnet.Predict(a.Project, a.Tree.Files)
	if probably == nil || len(a.Tree.Links) > 0 || a.req.Call != "" {
		return func(*dotnet.App) {}
	}
	gw := a.req.Gateway
	if probably.BaseImage != "" && !strings.Contains(a.SDK.Version(), "-") { // a preview has bases of its own
		gw.AskAhead(probably.BaseImage, gw.Targets())
	}
	begun := make(chan digest.Digest, 1)
	stop := gw.Go(func(ctx context.Context) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(earlyDelay):
		}
		st, head := a.restore(ctx, probably)
		begun <- head
		if head != "" {
			// If the build needs this restore, it gets the same error: BuildKit runs a step once in a build.
			_, _ = gw.Evaluate(ctx, st)
		}
	})
	return func(app *dotnet.App) {
		select {
		case head := <-begun:
			if app != nil {
				if _, needed := a.restore(context.Background(), app); needed == head {
					return
				}
			}
		default:
		}
		stop()
	}
}

// restore gives the step that restores an app without runtime identifiers, and the digest of its vertex. The digest is
// empty if there is no such step.
func (a *Asker) restore(ctx context.Context, app *dotnet.App) (llb.State, digest.Digest) {
	b := xllb.Builder{Steps: a.Steps, Project: a.Project}
	restored, err := b.Restore([]*dotnet.App{app}, nil)
	if err != nil {
		return llb.State{}, ""
	}
	def, err := a.req.Gateway.Marshal(ctx, restored.Tree)
	if err != nil {
		return llb.State{}, ""
	}
	head, err := def.Head()
	if err != nil {
		return llb.State{}, ""
	}
	return restored.Tree, head
}
