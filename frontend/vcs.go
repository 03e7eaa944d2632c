package frontend

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/solver/pb"

	xllb "github.com/crosshull/crosshull/llb"
)

// vcs gives the commit that the context is of, if the spec or the project want it told: of a git context BuildKit knows it,
// of a local one buildx does, without .git in the context.
func (b *build) vcs(ctx context.Context) (xllb.VCS, error) {
	wanted := b.app.PublishesVCS
	if b.spec.Image.VCS != nil {
		wanted = *b.spec.Image.VCS
	}
	if !wanted {
		return xllb.VCS{}, nil
	}
	def, err := b.marshal(ctx, b.graph.Context)
	if err != nil {
		return xllb.VCS{}, err
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return xllb.VCS{}, fmt.Errorf("decode the context: %w", err)
		}
		src := op.GetSource()
		if !strings.HasPrefix(src.GetIdentifier(), "git://") {
			continue
		}
		md, err := b.bc.GatewayClient().ResolveSourceMetadata(ctx, src, sourceresolver.Opt{LogName: "[internal] resolve the commit of the context"})
		if err != nil {
			return xllb.VCS{}, fmt.Errorf("resolve the commit of the context: %w", err)
		}
		v := xllb.VCS{Source: withoutUserinfo(src.Attrs[pb.AttrFullRemoteURL])}
		if md.Git != nil {
			v.Revision = md.Git.Checksum
			if md.Git.CommitChecksum != "" { // of what an annotated tag names
				v.Revision = md.Git.CommitChecksum
			}
		}
		return v, nil
	}
	opts := b.bc.BuildOpts().Opts
	return xllb.VCS{Source: withoutUserinfo(opts["vcs:source"]), Revision: opts["vcs:revision"]}, nil
}

// withoutUserinfo is the URL of a repository without what may be a secret in it, and as the SDK writes it, without .git at
// its end. The user of ssh is none, as nothing is reached without it.
func withoutUserinfo(remote string) string {
	if u, err := url.Parse(remote); err == nil && u.User != nil {
		name := u.User.Username()
		u.User = nil
		if u.Scheme == "ssh" {
			u.User = url.User(name)
		}
		remote = u.String()
	}
	return strings.TrimSuffix(remote, ".git")
}
