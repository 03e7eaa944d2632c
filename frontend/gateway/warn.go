package gateway

import (
	"context"
	"fmt"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
)

// warned are the warnings of a build, which attempts of it and its apps may repeat.
type warned struct {
	mu   sync.Mutex
	seen map[string]bool
}

// first tells whether a warning is not a repetition.
func (w *warned) first(msg string, opts client.WarnOpts) bool {
	var at []string
	for _, r := range opts.Range {
		at = append(at, r.String())
	}
	key := fmt.Sprintf("%q", append(at, msg))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[key] {
		return false
	}
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	w.seen[key] = true
	return true
}

// Warn shows msg after the build, once for a place. If src is nil, the warning has an empty file called name. As msg
// may have names that others wrote, Warn makes it safe for a terminal and for gRPC, like [Return].
func (c *Client) Warn(ctx context.Context, src *dockerui.Source, name, msg string, opts client.WarnOpts) {
	msg = shown(msg)
	if !c.warned.first(msg, opts) {
		return
	}
	if src != nil {
		src.Warn(ctx, msg, opts)
		return
	}
	st := llb.Scratch().File(llb.Mkfile("/"+name, 0o644, nil), dockerui.WithInternalName("default spec"))
	def, err := st.Marshal(ctx)
	if err != nil {
		return
	}
	head, err := def.Head()
	if err != nil {
		return
	}
	// A warning is shown with its vertex, so the vertex has to be part of the build.
	if _, err := c.gw.Solve(ctx, client.SolveRequest{Definition: def.ToPB(), Evaluate: true}); err != nil {
		return
	}
	_ = c.gw.Warn(ctx, head, msg, opts)
}
