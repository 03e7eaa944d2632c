package plan

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
)

// vcs gives the commit that the context is of, if the spec or the project want it told: of a git context BuildKit
// knows it, of a local one buildx does, without .git in the context.
func vcs(ctx context.Context, req *request.Request, f *facts.Facts) (xllb.VCS, error) {
	wanted := f.App.PublishesVCS && req.Target.Kind == spec.TargetImage
	if req.Spec.Image.VCS != nil && req.Target.Kind == spec.TargetImage {
		wanted = *req.Spec.Image.VCS
	}
	if !wanted {
		return xllb.VCS{}, nil
	}
	src, md, err := req.Gateway.GitSource(ctx, f.Tree.Context)
	if err != nil {
		return xllb.VCS{}, fmt.Errorf("resolve the commit of the context: %w", err)
	}
	if src == nil {
		return xllb.VCS{
			Source:   withoutUserinfo(req.Gateway.Opt("vcs:source")),
			Revision: req.Gateway.Opt("vcs:revision"),
		}, nil
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

// withoutUserinfo is the URL of a repository without what may be a secret in it, and as the SDK writes it, without
// .git at its end. The user of ssh is none, as nothing is reached without it.
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
