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

// patience is how long MSBuild may take to answer before anything is begun ahead: an answer out of the cache comes
// sooner, and so does the restore, then.
const patience = 100 * time.Millisecond

// ahead begins to restore what will probably have to be restored, and to resolve the base, while MSBuild is asked what
// those are. The function that it gives is to be told the answer, and ends what was begun in vain.
func (a *Asker) ahead() (settle func(*dotnet.App)) {
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
		case <-time.After(patience):
		}
		st, head := a.restore(ctx, probably)
		begun <- head
		if head != "" {
			// An error comes again where the result is needed: BuildKit does not run the step twice in one build.
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

// restore is the restore of an app that needs none for a runtime identifier, and the digest of its vertex; empty where
// there is none.
func (a *Asker) restore(ctx context.Context, app *dotnet.App) (llb.State, digest.Digest) {
	b := xllb.Builder{Steps: a.Steps, Project: a.Project, NuGet: a.req.Spec.NuGet}
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
