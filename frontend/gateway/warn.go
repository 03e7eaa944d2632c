package gateway

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
)

// Warn shows msg after the build. If src is nil, the warning has an empty file called name. As msg may have names that
// others wrote, Warn makes it safe for a terminal and for gRPC, like [Return].
func (c *Client) Warn(ctx context.Context, src *dockerui.Source, name, msg string, opts client.WarnOpts) {
	msg = shown(msg)
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
